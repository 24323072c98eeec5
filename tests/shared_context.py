"""One MLIR context for all that JAX lowers in a process.

JAX makes one for every program that it lowers and loads its dialects anew, which takes longer than
to lower a small program: a quarter of the time of the tests of kernels.
"""

import functools


def share_context() -> None:
    """Lets JAX make one context per process."""
    from jax._src.interpreters import mlir

    mlir.make_ir_context = functools.cache(mlir.make_ir_context)
