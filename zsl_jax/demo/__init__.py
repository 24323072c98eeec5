"""Resources of the demo: sample corpora and a small multilingual encoder."""
