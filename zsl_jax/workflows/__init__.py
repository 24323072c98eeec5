"""The programs as functions: train, annotate, transfer, compare."""
