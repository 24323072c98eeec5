"""The labels of corrections, beside those that the text can have."""

from collections.abc import Collection, Sequence

from absl import logging

from zsl_jax.data.annotation.corrections import Correction
from zsl_jax.data.text.checks import MISSING_LABEL
from zsl_jax.errors import InputError
from zsl_jax.labels import OUTSIDE, bio_labels, case_variants, is_bio, label_kinds, listed


def in_known_labels(
    corrections: Sequence[Correction], known: Collection[str], owner: str
) -> list[Correction]:
    """Reads the labels of corrections as the known ones.

    Where these are plain, labels B-X and I-X of words stand for X, as Label Studio writes spans of
    one word in CoNLL; O beside them, unless it is known, for no label.

    Args:
      corrections: What people corrected.
      known: The labels that the text can have so far, in BIO or plain; none if that is unknown.
      owner: Who has them, for messages, such as "the run".

    Returns:
      The corrections that have labels. A warning names labels that are not known.

    Raises:
      InputError: A label differs from a known one by case alone, or is a plain tag among entities
        or an entity among plain tags.
    """
    if not known:
        return list(corrections)
    if not is_bio(known):
        corrections = [_in_plain_labels(correction, known) for correction in corrections]
    of_spans, of_words = label_kinds(known), _complete(known)
    new: dict[str, str] = {}
    for correction in corrections:
        allowed = of_spans if correction.readings else of_words
        for label in sorted(_given(correction) - allowed):
            _check_new(correction.where, label, allowed, owner)
            new.setdefault(label, correction.where)
    if new:
        logging.warning(
            "%s: %s is not among the labels of %s (%s) and is taken as new; correct it if it is "
            "mistyped",
            *(next(iter(new.values())), listed(new), owner, listed(known)),
        )
    return [one for one in corrections if one.readings or {*one.labels} != {MISSING_LABEL}]


def _complete(known: Collection[str]) -> frozenset[str]:
    """The known labels, and of entities both labels of each type and O."""
    if not is_bio(known):
        return frozenset(known)
    return frozenset(bio_labels(label_kinds(known)))


def _given(correction: Correction) -> set[str]:
    """The labels of a correction's words, or of its spans."""
    spans = [span for line in correction.readings for span in line.spans or ()]
    return {*correction.labels, *(span.label for span in spans)} - {MISSING_LABEL}


def _check_new(where: str, label: str, known: Collection[str], owner: str) -> None:
    """Refuses a label that can only be a known one in another spelling, or is of another kind."""
    meant = case_variants([label], known).get(label)
    if meant or is_bio([label]) != is_bio(known):
        raise InputError(
            f"{where}: {label!r} is not a label of {owner}; write "
            f"{meant or f'one of {listed(known)}'}"
        )


def _in_plain_labels(correction: Correction, known: Collection[str]) -> Correction:
    """A correction in which X stands for B-X and I-X, if X is known and they are not."""
    given = {*correction.labels} - {MISSING_LABEL}
    read = {label: label[2:] for label in given - {*known} if label_kinds([label]) & {*known}}
    if is_bio(given) and OUTSIDE not in known:
        read[OUTSIDE] = MISSING_LABEL
    return correction._replace(labels=tuple(read.get(label, label) for label in correction.labels))
