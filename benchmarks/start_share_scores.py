"""Scores of finished transfers by the share of their start in P, for `tagger_weights`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np

from benchmarks.label_model_cells import score_of_labels
from benchmarks.reproduced_cells import Place, read_cell
from zsl_jax.errors import InputError
from zsl_jax.types import Sentence
from zsl_jax.workflows.loaded_tagger import LoadedTagger, load_tagger, log_prob_function
from zsl_jax.workflows.starting_point import with_labels

SHARES = (0, 0.25, 0.5, 0.75, 1)
NAMES = [f"{share:g}" for share in SHARES]
DEFAULT = "0"


def scores_of(place: Place, row: str, data: Path) -> dict[str, float]:
    """The score of P on the test, in percent, by each share of the start in its weights.

    Weights are averaged as by Wortsman et al. (2022), [Robust fine-tuning of zero-shot
    models](https://arxiv.org/abs/2109.01903). The start is the source whose weights are nearest.
    """
    cell, task = read_cell(place, data), place.record["test"]["task"]
    tagger = load_tagger(place.folder(row))
    start = start_of(tagger, place.sources)
    words = [Sentence(sentence.words) for sentence in cell.test]
    scores = {}
    for name, share in zip(NAMES, SHARES, strict=True):
        mixed = tagger._replace(params=average(tagger.params, start.params, share))
        log_probs = log_prob_function(mixed, place.record["source"]["row_length"])
        ids = log_probs(words, lambda *_: None).argmax(axis=1)
        scores[name] = score_of_labels(cell, ids, task)
    return scores


def average(own: Any, other: Any, share: float) -> Any:
    """Weights of two models of one shape, with this share of the other."""
    return jax.tree.map(lambda a, b: (1 - share) * a + share * b, own, other)


def start_of(tagger: LoadedTagger, sources: Mapping[str, str]) -> LoadedTagger:
    """The source model nearest to a tagger, with the tagger's labels.

    Raises:
      InputError: No source has only labels of the tagger.
    """
    assert tagger.label_set is not None
    names = {*tagger.label_set.names}
    loaded = map(load_tagger, sources.values())
    starts = [
        with_labels(source, tagger.label_set, seed=0)
        for source in loaded
        if source.label_set is not None and names.issuperset(source.label_set.names)
    ]
    if not starts:
        raise InputError(
            f"{tagger.path} did not start from a source: each has labels that this tagger lacks; "
            "choose another --row or other --experiments"
        )
    return min(starts, key=lambda start: _distance(start.params, tagger.params))


def _distance(params: Any, others: Any) -> float:
    pairs = zip(jax.tree.leaves(params), jax.tree.leaves(others), strict=True)
    return sum(float(np.square(a - b).sum()) for a, b in pairs)
