"""The label "_" among those of a source: no label, as in CoNLL-U, wherever it stands.

Label sets of parts of speech may have it, such as those of Hugging Face `datasets`.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from zsl_jax.data.text.checks import MISSING_LABEL
from zsl_jax.labels import Probs, relabel


def specified(names: Sequence[str]) -> tuple[str, ...]:
    """The names without "_"."""
    return tuple(name for name in names if name != MISSING_LABEL)


def without_unspecified(
    names: Sequence[str], ids: Int[np.ndarray, " N"], probs: Probs
) -> tuple[tuple[str, ...], Int[np.ndarray, " N"], Probs]:
    """Takes the label "_" out of labels and probabilities.

    Words labelled "_" have no label, and at others its probability is left out, see `relabel`.

    Args:
      names: L label names.
      ids: [N], label ids; -1 where there is no label.
      probs: [N, L], or None where there are labels only.

    Returns:
      The names without "_", and the ids and probabilities of these; without "_", all as given.

    >>> without_unspecified(["A", "_", "B"], np.array([0, 1, 2]), None)
    (('A', 'B'), array([ 0, -1,  1], dtype=int32), None)
    """
    kept = specified(names)
    if len(kept) == len(names):
        return kept, ids, probs
    columns = [kept.index(name) if name != MISSING_LABEL else -1 for name in names]
    new_ids, new_probs = relabel(ids, probs, np.array(columns, np.int32), len(kept))
    return kept, new_ids, new_probs
