"""Labels from probabilities: word by word, or sentence by sentence."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from zsl_jax import kernels
from zsl_jax.labels import LabelSet, allowed_transitions, sentence_starts

DECODINGS = ("argmax", "viterbi")


def decode(
    probs: Float[np.ndarray, "N K"],
    label_set: LabelSet,
    words: Sequence[Sequence[str]],
    decoding: str,
) -> Int[np.ndarray, " N"]:
    """One label per word.

    Args:
      probs: [N, K], P or Q.
      label_set: The K labels; in BIO or BIOES, they decide which label may follow which.
      words: The words of each sentence, N together.
      decoding: "argmax" takes each word's most probable label; "viterbi" takes the most probable
        sequence of each sentence in which no I-X follows nothing. For plain labels they agree.

    Returns:
      [N], label ids.
    """
    assert decoding in DECODINGS, decoding
    if decoding == "argmax":
        return probs.argmax(-1)
    starts = sentence_starts([len(sentence) for sentence in words])
    missing = _padded_size(len(probs)) - len(probs)
    log_probs = np.log(np.maximum(probs, np.finfo(np.float32).tiny))
    log_probs = np.pad(log_probs, [(0, missing), (0, 0)])  # sentences of one word each
    starts = np.pad(starts, (0, missing), constant_values=True)
    labels = kernels.viterbi(log_probs, starts, *allowed_transitions(label_set.names))
    return np.asarray(labels)[: len(probs)]


def _padded_size(num_words: int) -> int:
    """The next power of two, so that texts of all sizes share little compiled code."""
    return 1 << max(num_words - 1, 1).bit_length()
