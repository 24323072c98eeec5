"""Labels from probabilities: word by word, or sentence by sentence; and which of the two."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from zsl_jax import kernels
from zsl_jax.errors import InputError
from zsl_jax.labels import LabelSet, allowed_transitions, is_bio, sentence_starts

AUTO, ARGMAX, VITERBI = DECODINGS = ("auto", "argmax", "viterbi")


def decoding_of(setting: str, label_set: LabelSet, by_chain: bool) -> str:
    """The decoding that a setting stands for.

    The best label sequence of a chain scores higher on entities than the best label of each word;
    on tags the two are alike.

    Args:
      setting: One of `DECODINGS`. "auto" is "viterbi" for entities labelled by the chain, and
        "argmax" for everything else.
      label_set: The labels.
      by_chain: Whether the labels come from the reliability-weighted chain.

    Raises:
      InputError: There is no such setting.

    >>> bio, tags = LabelSet(("O", "B-X", "I-X")), LabelSet(("NOUN", "VERB"))
    >>> [decoding_of("auto", *how) for how in ((bio, True), (bio, False), (tags, True))]
    ['viterbi', 'argmax', 'argmax']
    """
    check_decoding(setting)
    if setting != AUTO:
        return setting
    return VITERBI if by_chain and is_bio(label_set.names) else ARGMAX


def decoding_of_method(setting: str, label_set: LabelSet, method: str) -> str:
    """The decoding that a setting stands for, of labels by a method to aggregate votes."""
    return decoding_of(setting, label_set, by_chain=method == "chain")


def check_decoding(setting: str) -> None:
    """Refuses what is not a setting of the decoding."""
    if setting not in DECODINGS:
        raise InputError(f"`decode`={setting} is not one of {', '.join(DECODINGS)}; choose one")


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
    assert decoding in (ARGMAX, VITERBI), decoding
    if decoding == ARGMAX:
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
