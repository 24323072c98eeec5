"""What the programs do, as functions: train, annotate, transfer, compare."""
