"""The source models of an experiment: trained once per language and seed, and asked once."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from absl import logging

from zsl_jax.data.text_shard import TextShard
from zsl_jax.errors import InputError
from zsl_jax.experiments.cell_locks import claimed
from zsl_jax.experiments.corpora import source_sentences
from zsl_jax.experiments.plan import MODELS, Workplace
from zsl_jax.experiments.states import starting_or_resuming
from zsl_jax.io.run_files import RESULT
from zsl_jax.io.weights import WEIGHTS
from zsl_jax.types import Sentence
from zsl_jax.workflows.frozen_cache import shared_layers
from zsl_jax.workflows.source_annotation import source_predictions
from zsl_jax.workflows.sources import Source
from zsl_jax.workflows.train import train


def model_folder(work: Workplace, language: str, seed: int) -> Path:
    """The model folder of a source."""
    return work.output / MODELS / language / str(seed)


def prepared_models(
    work: Workplace, languages: Sequence[str], seed: int, texts: Sequence[Sequence[Sentence]]
) -> dict[str, str]:
    """The model folders of some languages, trained, and with their predictions for some texts.

    Another process that trains one of them or asks it is waited for.

    Args:
      work: The experiment and its folders.
      languages: Of the sources.
      seed: Of the samples and of the training.
      texts: For which the predictions are kept in `work.cache`.

    Raises:
      InputError: A trained model has lost its weights, or one was begun with other settings.
    """
    config = dataclasses.replace(work.experiment.source_config, seed=seed)
    shared, folders = shared_layers(config.trainable_layers, work.cache), {}
    for language in languages:
        folder = model_folder(work, language, seed)
        with claimed(folder, waits=True):
            if not (folder / RESULT).exists():
                logging.info("source model %s, seed %d", language, seed)
                sentences = source_sentences(work, language, seed)
                pairs = [(s.words, s.labels or ()) for s in sentences]
                with starting_or_resuming(folder):
                    train(pairs, work.encoder, folder, config=config)
            elif not (folder / WEIGHTS).exists():
                raise InputError(
                    f"{folder} has lost its {WEIGHTS}; delete the folder, and the same command "
                    "trains the source again"
                )
            shards = [TextShard([Sentence(s.words) for s in text]) for text in texts]
            source = Source(language, str(folder))
            source_predictions(source, shards, work.cache, config.row_length, shared)
        folders[language] = str(folder)
    return folders
