"""Shares one MLIR context among all programs that JAX lowers in a process.

JAX creates a context for every program and loads its dialects each time, which takes longer than
lowering a small program.
"""

import functools


def share_context() -> None:
    """Makes JAX create one context per process."""
    from jax._src.interpreters import mlir

    mlir.make_ir_context = functools.cache(mlir.make_ir_context)
