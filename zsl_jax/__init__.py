"""Risk minimisation for zero-shot sequence labelling, in JAX.

`transfer` trains a tagger from sources and unlabelled text, `train` trains one from labelled text,
`aggregate` combines the sources' predictions without a tagger, and `Tagger` labels sentences with a
trained one. They are loaded when they are asked for, so that the kernels can be used without Flax
and transformers.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zsl_jax.workflows.aggregate import aggregate
    from zsl_jax.workflows.tagger import Tagger
    from zsl_jax.workflows.train import train
    from zsl_jax.workflows.transfer import transfer

__version__ = "0.1.0"
__all__ = ["Tagger", "__version__", "aggregate", "train", "transfer"]


def __getattr__(name: str) -> object:
    if name in ("Tagger", "aggregate", "train", "transfer"):  # each in the module of its name
        return getattr(importlib.import_module(f"zsl_jax.workflows.{name.lower()}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
