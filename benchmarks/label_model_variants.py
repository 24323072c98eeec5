"""The default label model with one part changed, for `label_model_parts`.

Most parts are settings of `ChainConfig` or keys of word types. A few are constants or functions of
the library; `replaced` puts others in their place while a variant is fitted.
"""

import contextlib
import functools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from unittest import mock

import jax.numpy as jnp
import numpy as np

from benchmarks.gold_counts import COUNTED, fit_to_gold, gold_ids
from benchmarks.label_model_cells import Cell, score_of_labels
from benchmarks.word_keys import (
    Keys,
    clusters_of,
    counted_down,
    default_keys,
    numbered,
    other_suffixes,
    with_clusters,
    with_prefix,
)
from zsl_jax import kernels
from zsl_jax.data.text.word_types import type_names
from zsl_jax.labels import LabelSet, is_bio
from zsl_jax.training import chain_fit, chain_sources
from zsl_jax.training.chain_inference import best_labels, posterior_of_text
from zsl_jax.training.chain_rounds import fit_label_model
from zsl_jax.training.chain_text import ChainText
from zsl_jax.training.config import ChainConfig
from zsl_jax.workflows.chain_model import chain_labels, evidence_of
from zsl_jax.workflows.label_decoding import ARGMAX, AUTO, VITERBI, decoding_of
from zsl_jax.workflows.vote_aggregation import aggregate_votes


class Variant(NamedTuple):
    """What is different from the default.

    Attributes:
      settings: Fields of `ChainConfig`.
      keys: Of word types.
      clusters: Place of the cluster's number among the keys: "before" the word's form, or "after"
        it and combined with the form; None uses no clusters.
      num_clusters: Clusters of the frozen encoder's states.
      replaced: Other values of attributes, by the object that has each and its name.
      predictions: "soft" or "hard", the evidence.
      other_decoding: Take the decoding that is not the default of the task.
      method: "chain"; or "mean" or "weighted_mean", for comparison.
      gold: Parts that are counted from the text's gold labels, besides the sources: a bound on what
        better estimates could give. None for methods, which see no gold labels.
    """

    settings: Mapping[str, Any] = {}
    keys: Keys = default_keys
    clusters: str | None = None
    num_clusters: int = 300
    replaced: tuple[tuple[Any, str, Any], ...] = ()
    predictions: str = "soft"
    other_decoding: bool = False
    method: str = "chain"
    gold: Collection[str] | None = None

    def decoding(self, label_set: LabelSet) -> str:
        """As for `label_decoding.decoding_of`."""
        if not self.other_decoding:
            return AUTO
        return ARGMAX if is_bio(label_set.names) else VITERBI


@contextlib.contextmanager
def replaced(variant: Variant) -> Iterator[None]:
    """Puts the variant's values in the place of the library's."""
    with contextlib.ExitStack() as stack:
        for owner, name, value in variant.replaced:
            stack.enter_context(mock.patch.object(owner, name, value))
        yield


def without_memory(steps: Any, firsts: Any, allowed: Any, may_start: Any) -> tuple[Any, Any]:
    """A chain in which a label does not depend on the previous one."""
    prior = jnp.sum(steps, axis=0) + firsts + 1e-6
    prior = prior / jnp.sum(prior)
    return prior, jnp.tile(prior, (len(prior), 1))


def rules_alone(steps: Any, firsts: Any, allowed: Any, may_start: Any) -> tuple[Any, Any]:
    """The same, but that no label follows one that the scheme does not let it follow."""
    prior, transitions = without_memory(steps, firsts, allowed, may_start)
    start, transitions = jnp.where(may_start, prior, 0), jnp.where(allowed, transitions, 0)
    return start / jnp.sum(start), transitions / jnp.sum(transitions, axis=-1, keepdims=True)


def uniform(steps: Any, firsts: Any, allowed: Any, may_start: Any) -> tuple[Any, Any]:
    """A chain that knows nothing, not even the frequencies of the labels."""
    return jnp.full(len(firsts), 1 / len(firsts)), jnp.full(steps.shape, 1 / len(firsts))


def blurred(*counts: Any) -> tuple[Any, Any]:
    """Transitions from counts smoothed by 1."""
    return _TRANSITIONS(*counts, 1.0)


def without_mean(*arguments: Any) -> Any:
    """The evidence without log r − γ log r̄, which is all that is left of it with β = 0."""
    *given, weight, scale = arguments
    return _EVIDENCE(*given, weight, scale) - _EVIDENCE(*given, np.float32(0), scale)


def smoothed(sums: Any, agreement: Any, compatible: Any, counts: Any, *more: Any) -> Any:
    """Reliability and confusion matrices from counts to which ten times as much is added."""
    counts = tuple(10 * count for count in counts)
    return _ESTIMATES(sums, agreement, compatible, counts, *more)


def no_copies(text: Any, labels: Any, config: Any) -> np.ndarray:
    """Every source is distinct."""
    return np.eye(text.votes.shape[1], dtype=np.float32)


def as_counted(text: Any, labels: Any, config: Any, counted: Any, posterior: Any) -> tuple:
    """The reliability of the sources, not counted again from the posterior."""
    return counted.reliability, counted.reliability.trust


_TRANSITIONS, _EVIDENCE = kernels.transition_probs, kernels.log_evidence
_ESTIMATES = kernels.source_estimates


def _setting(name: str, *values: float) -> dict[str, Variant]:
    return {f"{name} = {value:g}": Variant({name: value}) for value in values}


def _replacing(owner: Any, name: str, value: Any) -> Variant:
    return Variant(replaced=((owner, name, value),))


DEFAULT = "default"
VARIANTS: dict[str, Variant] = {
    DEFAULT: Variant(),
    "mean of the sources": Variant(method="mean"),
    "weighted mean of the sources": Variant(method="weighted_mean"),
    "no chain": _replacing(kernels, "transition_probs", without_memory),
    "no chain but the scheme's rules": _replacing(kernels, "transition_probs", rules_alone),
    "no chain and no label frequencies": _replacing(kernels, "transition_probs", uniform),
    "no word types": Variant(keys=lambda *_: ("",)),
    "neither chain nor word types": Variant(
        keys=lambda *_: ("",), replaced=((kernels, "transition_probs", without_memory),)
    ),
    "no suffixes": Variant(keys=lambda word, opens, _: type_names(word, (), opens)),
    "word forms alone": Variant(keys=lambda word, *_: (word.lower(),)),
    "no word forms": Variant(keys=lambda *given: default_keys(*given)[:-1]),
    "suffixes of the other task": Variant(keys=other_suffixes),
    "openers like other words": Variant(keys=lambda word, _, bio: default_keys(word, False, bio)),
    "prefixes of 4 letters as well": Variant(keys=functools.partial(with_prefix, 4)),
    "no weighted mean r": _replacing(kernels, "log_evidence", without_mean),
    **_setting("source_weight", 0, 0.2, 0.7, 1),
    **_setting("scale", 0, 0.5, 1),
    **_setting("power", 0, 2, 8),
    **_setting("identity_share", 0, 0.3, 0.5, 1),
    **_setting("back_off", 1, 3, 30),
    **_setting("iterations", 1, 2, 5),
    "transitions smoothed by 1": _replacing(kernels, "transition_probs", blurred),
    "confusions smoothed ten times as much": _replacing(kernels, "source_estimates", smoothed),
    "near-copies not merged": _replacing(chain_sources, "find_copies", no_copies),
    "reliability counted once": _replacing(chain_fit, "recount_sources", as_counted),
    "labels as evidence": Variant(predictions="hard"),
    "the other decoding": Variant(other_decoding=True),
    "clusters before word forms": Variant(clusters="before"),
    "clusters after word forms": Variant(clusters="after"),
    **{f"{name} from gold labels": Variant(gold=parts) for name, parts in COUNTED.items()},
}


States = Callable[[], Sequence[np.ndarray]]


def score_of(cell: Cell, variant: Variant, task: str | None, states: States) -> float:
    """The score of a variant on the test, in percent: F1 of conlleval for entities."""
    return score_of_labels(cell, labels_of(cell, variant, states), task)


def labels_of(cell: Cell, variant: Variant, states: States) -> np.ndarray:
    """The labels of the test by a variant that is fitted to the text.

    Args:
      cell: Text, test, votes and labels.
      variant: Of the label model.
      states: Returns encoder states of the words of the text, and of the test.
    """
    label_set, votes = cell.label_set, cell.votes
    if variant.method == "mean":
        return aggregate_votes(votes[1], label_set.size, "mean").labels
    config, labels = ChainConfig(**variant.settings), chain_labels(votes[0], label_set)
    text, test = texts_of(cell, variant, states)
    with replaced(variant):
        arguments = text, labels, config, variant.predictions
        if variant.gold is None:
            fitted = fit_label_model(*arguments).fitted
        else:
            fitted = fit_to_gold(*arguments, gold_ids(cell.text, label_set), variant.gold)
        if variant.method == "weighted_mean":
            stands_for, weights = labels.meanings.stands_for, fitted.sources.weights
            mean = kernels.mean_by_reliability(test.votes, weights, stands_for)
            return np.asarray(mean).argmax(axis=1)
        if decoding_of(variant.decoding(label_set), label_set, by_chain=True) == VITERBI:
            return best_labels(test, labels, config, fitted)
        return posterior_of_text(test, labels, config, fitted).argmax(axis=1)


def texts_of(cell: Cell, variant: Variant, states: States) -> list[ChainText]:
    """Text and test as the label model sees them, with the variant's keys."""
    words = [tuple(sentence.words for sentence in part) for part in (cell.text, cell.test)]
    keys: Sequence[np.ndarray] = numbered(
        words[0], words[1], variant.keys, is_bio(cell.label_set.names)
    )
    if variant.clusters is not None:
        clusters = clusters_of(states(), variant.num_clusters)
        keys = with_clusters(keys, clusters, variant.clusters)
    return [
        ChainText(evidence_of(votes, variant.predictions), np.array([*map(len, part)]), own)
        for votes, part, own in zip(cell.votes, words, counted_down(keys), strict=True)
    ]
