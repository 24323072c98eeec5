"""Risk minimisation for zero-shot sequence labelling, in JAX."""

__version__ = "0.1.0"
