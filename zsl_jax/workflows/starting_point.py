"""Where the training of the target tagger starts: the encoder, or one of its sources."""

from collections.abc import Mapping, Sequence

import numpy as np
from absl import logging

from zsl_jax.errors import InputError
from zsl_jax.labels import LabelScheme
from zsl_jax.training.state import new_classifier
from zsl_jax.workflows.tagging import LoadedTagger, load_tagger

AUTO, ENCODER, SOURCE = "auto", "encoder", "source:"
# Words that a tagger sees in one M step: from a source, and from an encoder with a new head.
WORDS_FROM_SOURCE = 30_000
WORDS_FROM_ENCODER = 100_000
MOST_EPOCHS = 10


def choose_start(
    encoder: LoadedTagger | None,
    models: Mapping[str, str],
    ranked: Sequence[str],
    scheme: LabelScheme,
    init: str,
    seed: int,
) -> LoadedTagger:
    """The tagger or encoder whose training goes on with the target's labels.

    Args:
      encoder: From `--encoder`; None if only a source will do.
      models: The model folder (or hub name) of each source that is a model with the target's names
        for its labels.
      ranked: The sources' names, the one that agrees most with the label model's posterior first.
      scheme: The target's labels.
      init: "encoder"; "source:NAME"; or "auto", the first of the ranked sources that is a model of
        the encoder's architecture whose labels are all labels of the target, and the encoder where
        there is none.
      seed: For columns of the head that the source does not have.

    Returns:
      The start; if it is a source, its head has exactly the target's labels.

    Raises:
      InputError: The source named is no such model.
    """
    if init.startswith(SOURCE):
        name = init.removeprefix(SOURCE)
        if name not in models:
            raise InputError(
                f"--init={init}: {name} is not a source with a model folder and without a label "
                f"map; such sources: {', '.join(models) or 'none'}"
            )
        start = load_tagger(models[name])
        if not _has_labels_of(start, scheme):
            raise InputError(
                f"--init={init}: its labels {', '.join(start.scheme.names if start.scheme else ())}"
                f" are not all among the target's {', '.join(scheme.names)}; give --init=encoder"
            )
        return with_labels(start, scheme, seed)
    assert encoder is not None
    if init == AUTO:
        for name in ranked:
            source = load_tagger(models[name]) if name in models else None
            if source and source.encoder == encoder.encoder and _has_labels_of(source, scheme):
                logging.info("training starts from the source %s", name)
                return with_labels(source, scheme, seed)
    return encoder


def _has_labels_of(start: LoadedTagger, scheme: LabelScheme) -> bool:
    return start.scheme is not None and set(start.scheme.names) <= set(scheme.names)


def with_labels(start: LoadedTagger, scheme: LabelScheme, seed: int) -> LoadedTagger:
    """A tagger with the target's labels: its own columns of the head, new ones where it has none.

    Args:
      start: Its labels are among those of `scheme`.
      scheme: The target's labels.
      seed: For the new columns.
    """
    assert start.scheme is not None
    hidden_size = start.encoder.hidden_size
    head = new_classifier(np.random.default_rng(seed), hidden_size, scheme.size)
    own = start.params["classifier"]
    columns = [scheme.ids[name] for name in start.scheme.names]
    head["kernel"][:, columns], head["bias"][columns] = own["kernel"], own["bias"]
    missing = np.setdiff1d(np.arange(scheme.size), columns)
    head["bias"][missing] = own["bias"].min()
    return start._replace(params={**start.params, "classifier": head}, scheme=scheme)


def epochs_for(num_words: int, from_source: bool) -> int:
    """Epochs of one M step, so that the tagger sees enough words of a small text.

    >>> epochs_for(10_000, True), epochs_for(10_000, False), epochs_for(2_000_000, False)
    (3, 10, 1)
    """
    wanted = WORDS_FROM_SOURCE if from_source else WORDS_FROM_ENCODER
    return int(np.clip(round(wanted / max(num_words, 1)), 1, MOST_EPOCHS))
