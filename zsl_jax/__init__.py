"""Risk minimisation for zero-shot sequence labelling, in JAX.

`transfer` trains a tagger from sources and unlabelled text, `aggregate` puts the sources'
predictions together without one, `Tagger` labels sentences with a trained tagger. They are loaded
when they are asked for, so that the kernels can be used without Flax and transformers.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zsl_jax.workflows.front_door import aggregate, transfer
    from zsl_jax.workflows.tagger import Tagger

__version__ = "0.1.0"
__all__ = ["Tagger", "__version__", "aggregate", "transfer"]


def __getattr__(name: str) -> object:
    if name == "Tagger":
        from zsl_jax.workflows.tagger import Tagger

        return Tagger
    if name in ("aggregate", "transfer"):
        from zsl_jax.workflows import front_door

        return getattr(front_door, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
