"""A text as the reliability-weighted chain sees it, and sums over its words."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Bool, Int

from zsl_jax.kernels import VoteMeanings
from zsl_jax.runtime import processes
from zsl_jax.runtime.blocks import blocks
from zsl_jax.runtime.lookahead import lookahead


class ChainText(NamedTuple):
    """A text as the label model sees it: votes and word types, not the words.

    Attributes:
      votes: [N, U] labels or [N, U, V] probabilities, of this process's words.
      lengths: Words of each sentence, N together.
      keys: [N, L], id of each word's key at each level, the same in all processes; -1 for keys
        without an id.
      gold: [N], true labels where the user gives them, -1 elsewhere; None if there are none.
    """

    votes: np.ndarray
    lengths: Int[np.ndarray, " M"]
    keys: Int[np.ndarray, "N L"]
    gold: Int[np.ndarray, " N"] | None = None


class ChainLabels(NamedTuple):
    """The prior knowledge about the labels.

    Attributes:
      meanings: Which target labels each source label may stand for.
      may_start: [K], True for labels that may start a sentence.
      may_follow: [K, K], True where a label may follow another, indexed [before, after].
    """

    meanings: VoteMeanings
    may_start: Bool[np.ndarray, " K"]
    may_follow: Bool[np.ndarray, "K K"]


def totals(of_block: Callable[..., Any], *arrays: np.ndarray) -> Any:
    """Sums over all blocks of all processes, in float64."""
    sums = None
    parts = (of_block(*block.arrays, block.mask) for block in blocks(*arrays))
    for part in lookahead(parts):
        sums = added(sums, part)
    return total(sums)


def added(sums: Any, more: Any) -> Any:
    """Sums of two parts of a text, in float64; None is an empty one."""
    more = jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), more)
    return more if sums is None else jax.tree.map(np.add, sums, more)


def total(sums: Any) -> Any:
    """Sums over all processes."""
    return jax.tree.map(processes.total, sums)
