"""Where the training of the target tagger starts: the encoder, or one of its sources."""

from collections.abc import Mapping, Sequence

import numpy as np
from absl import logging

from zsl_jax.data.predictions.unspecified import specified
from zsl_jax.errors import InputError
from zsl_jax.labels import LabelSet
from zsl_jax.training.state import new_classifier
from zsl_jax.workflows.loaded_tagger import LoadedTagger, load_tagger

AUTO, ENCODER, SOURCE = "auto", "encoder", "source:"


def choose_start(
    encoder: LoadedTagger | None,
    models: Mapping[str, str],
    ranked: Sequence[str],
    label_set: LabelSet,
    init: str,
    seed: int,
) -> LoadedTagger:
    """The tagger or encoder whose training continues with the target's labels.

    Args:
      encoder: From `encoder`; None if only a source will do.
      models: The model folder (or hub name) of each source that is a model with the target's names
        for its labels.
      ranked: The sources' names, the one that agrees most with the label model's posterior first.
      label_set: The target's labels.
      init: "encoder"; "source:NAME"; or "auto", the first of the ranked sources that is a model of
        the encoder's architecture whose labels are all labels of the target, and the encoder where
        there is none.
      seed: For columns of the head that the source does not have.

    Returns:
      The start; if it is a source, its head has exactly the target's labels.

    Raises:
      InputError: The source named is not such a model.
    """
    if init.startswith(SOURCE):
        name = init.removeprefix(SOURCE)
        if name not in models:
            raise InputError(
                f"`init`={init}: {name} is not a source with a model folder and without a label "
                f"map; such sources: {', '.join(models) or 'none'}"
            )
        start = load_tagger(models[name])
        if not _has_labels_of(start, label_set):
            own = start.label_set.names if start.label_set else ()
            raise InputError(
                f"`init`={init}: its labels {', '.join(own)} are not all among the target's "
                f"{', '.join(label_set.names)}; give `init`=encoder"
            )
        return with_labels(start, label_set, seed)
    assert encoder is not None
    if init == AUTO:
        for name in ranked:
            source = load_tagger(models[name]) if name in models else None
            if source and source.encoder == encoder.encoder and _has_labels_of(source, label_set):
                logging.info("training starts from the source %s", name)
                return with_labels(source, label_set, seed)
    return encoder


def _has_labels_of(start: LoadedTagger, label_set: LabelSet) -> bool:
    return start.label_set is not None and {*specified(start.label_set.names)} <= {*label_set.names}


def with_labels(start: LoadedTagger, label_set: LabelSet, seed: int) -> LoadedTagger:
    """A tagger with the target's labels: its own columns of the head, new ones where it has none.

    Args:
      start: Its labels are among those of `label_set`; the column of "_" is left out.
      label_set: The target's labels.
      seed: For the new columns.
    """
    assert start.label_set is not None
    hidden_size = start.encoder.hidden_size
    head = new_classifier(np.random.default_rng(seed), hidden_size, label_set.size)
    own = start.params["classifier"]
    names = specified(start.label_set.names)
    columns = [label_set.ids[name] for name in names]
    given = [start.label_set.ids[name] for name in names]
    head["kernel"][:, columns], head["bias"][columns] = own["kernel"][:, given], own["bias"][given]
    missing = np.setdiff1d(np.arange(label_set.size), columns)
    head["bias"][missing] = own["bias"][given].min()
    return start._replace(params={**start.params, "classifier": head}, label_set=label_set)
