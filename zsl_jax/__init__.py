"""Risk minimisation for zero-shot sequence labelling, in JAX.

`transfer` trains a tagger from sources and unlabelled text, `train` trains one from labelled text,
`aggregate` combines the sources' predictions without a tagger, and `Tagger` labels sentences with a
trained one. They are loaded when they are asked for, so that the kernels can be used without Flax
and transformers.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zsl_jax.workflows.front_door import aggregate, transfer
    from zsl_jax.workflows.tagger import Tagger
    from zsl_jax.workflows.train import train

__version__ = "0.1.0"
__all__ = ["Tagger", "__version__", "aggregate", "train", "transfer"]


def __getattr__(name: str) -> object:
    if name == "Tagger":
        from zsl_jax.workflows.tagger import Tagger

        return Tagger
    if name == "train":
        from zsl_jax.workflows.train import train

        return train
    if name in ("aggregate", "transfer"):
        from zsl_jax.workflows import front_door

        return getattr(front_door, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
