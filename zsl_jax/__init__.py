"""Risk minimisation for zero-shot sequence labelling, in JAX.

`Tagger` labels sentences with a trained tagger; it is loaded when it is asked for, so that the
kernels can be used without Flax and transformers.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zsl_jax.workflows.tagger import Tagger

__version__ = "0.1.0"
__all__ = ["Tagger", "__version__"]


def __getattr__(name: str) -> object:
    if name == "Tagger":
        from zsl_jax.workflows.tagger import Tagger

        return Tagger
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
