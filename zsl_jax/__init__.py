"""Risk minimisation for zero-shot sequence labelling, in JAX.

`transfer` trains a tagger from sources and unlabelled text, `train` trains one from labelled text,
`aggregate` combines the sources' predictions without a tagger, and `Tagger` labels sentences with a
trained one. `TransferConfig` and `TrainConfig` hold the settings of a training,
`SourcePredictions` what a source predicts; `TransferResult` reads a finished transfer; bad input
raises `InputError`. All are loaded on first use, so that the kernels can be used without
Flax and transformers.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zsl_jax.data.predictions.source_predictions import SourcePredictions
    from zsl_jax.errors import InputError
    from zsl_jax.training.config import (
        ChainConfig,
        LabelModelConfig,
        OptimizerConfig,
        TrainConfig,
        TransferConfig,
    )
    from zsl_jax.workflows.aggregate import aggregate
    from zsl_jax.workflows.results import TransferResult
    from zsl_jax.workflows.tagger import Tagger
    from zsl_jax.workflows.train import train
    from zsl_jax.workflows.transfer import transfer

__version__ = "0.1.0"
_MODULES = {
    "aggregate": "workflows.aggregate",
    "train": "workflows.train",
    "transfer": "workflows.transfer",
    "ChainConfig": "training.config",
    "InputError": "errors",
    "LabelModelConfig": "training.config",
    "OptimizerConfig": "training.config",
    "SourcePredictions": "data.predictions.source_predictions",
    "Tagger": "workflows.tagger",
    "TrainConfig": "training.config",
    "TransferConfig": "training.config",
    "TransferResult": "workflows.results",
}
__all__ = [
    "ChainConfig",
    "InputError",
    "LabelModelConfig",
    "OptimizerConfig",
    "SourcePredictions",
    "Tagger",
    "TrainConfig",
    "TransferConfig",
    "TransferResult",
    "__version__",
    "aggregate",
    "train",
    "transfer",
]


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return getattr(importlib.import_module(f"zsl_jax.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
