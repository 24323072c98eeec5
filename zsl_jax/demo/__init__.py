"""What the demo brings along: sample corpora and a small multilingual encoder."""
