"""Tagging schemes: how label names mark where an entity begins, continues and ends."""

import enum
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int

from zsl_jax.labels.label_set import OUTSIDE

# The letters that one corpus uses beside O: BIOES, BILOU, BMES and BMEWO; BIO and IO are subsets.
DIALECTS = ("BIES", "BILU", "BMES", "BMEW")
_LETTERS = {"B": "B", "I": "I", "M": "I", "E": "E", "L": "E", "S": "S", "U": "S", "W": "S"}


class TaggingScheme(enum.StrEnum):
    """The ways to encode entities with one label per word.

    IOB1: I-X in entities, B-X only where one follows another of its type. BIO (IOB2): B-X begins
    every entity. BIOES (BILOU, BMEWO, BMES): the last word and the only word of an entity also have
    letters of their own. IO: I-X throughout. PLAIN: labels that do not encode entities, such as
    parts of speech.
    """

    IOB1 = "iob1"
    BIO = "bio"
    BIOES = "bioes"
    IO = "io"
    PLAIN = "plain"


class LabelParts(NamedTuple):
    """Label names split into letter and type; the arrays' last element is for id -1 (no label).

    Attributes:
      scheme: The scheme as far as the names show; BIO for IOB1, too, which has the same names.
      letters: [L+1], "B", "I", "E" or "S", whatever the dialect; "" outside of entities.
      types: [L+1] int32, the index of the entity type; -1 outside of entities.
      type_names: [T], the entity types in alphabetical order.
    """

    scheme: TaggingScheme
    letters: np.ndarray
    types: Int[np.ndarray, " L+1"]
    type_names: tuple[str, ...]


def label_parts(names: Sequence[str]) -> LabelParts:
    """Splits label names into letter and type, and recognises their scheme as far as names show.

    Names belong to a scheme if each is O or LETTER-TYPE with the letters of one dialect.

    Args:
      names: L label names.

    Returns:
      Their letters and types; none if they are plain.

    >>> label_parts(["O", "U-PER", "B-PER"]).letters.tolist()
    ['', 'S', 'B', '']
    """
    pairs = [("", "") if name == OUTSIDE else (name[:1], name[2:]) for name in names]
    written = {letter for letter, _ in pairs} - {""}
    scheme = _scheme_of(written)
    shaped = all(name == OUTSIDE or (name[1:2] == "-" and len(name) > 2) for name in names)
    if not names or not shaped or scheme is TaggingScheme.PLAIN:
        none = np.full(len(names) + 1, -1, np.int32)
        return LabelParts(TaggingScheme.PLAIN, np.full(len(none), ""), none, ())
    type_names = tuple(sorted({entity_type for letter, entity_type in pairs if letter}))
    letters = np.array([*(_LETTERS.get(letter, "") for letter, _ in pairs), ""], "<U1")
    numbers = [type_names.index(kind) if letter else -1 for letter, kind in pairs]
    return LabelParts(scheme, letters, np.array([*numbers, -1], np.int32), type_names)


def stray_label(names: Sequence[str]) -> str | None:
    """Returns the first plain name among entity labels, which must be a mistake, or None.

    Labels of entities are those with B-, and beside O those with another letter at the start of an
    entity; E-MAIL is not a sign of them.

    >>> stray_label(["O", "B-PER", "I-PER", "PER"]), stray_label(["O", "NOUN"])
    ('PER', None)
    >>> stray_label(["I-PER", "LOC", "O"]), stray_label(["E-MAIL", "LOC", "O"])
    ('LOC', None)
    """
    plain = [name for name in names if not (name[1:2] == "-" and name[0] in _LETTERS)]
    strays = [name for name in plain if name != OUTSIDE]
    begins = tuple(f"{letter}-" for letter in ("BISUW" if OUTSIDE in names else "B"))
    has_entities = any(name.startswith(begins) for name in names)
    return strays[0] if strays and has_entities else None


def _scheme_of(letters: set[str]) -> TaggingScheme:
    """The scheme that uses these letters."""
    if letters == {"I"}:
        return TaggingScheme.IO
    if letters <= {"B", "I"}:
        return TaggingScheme.BIO
    if any(letters <= set(dialect) for dialect in DIALECTS):
        return TaggingScheme.BIOES
    return TaggingScheme.PLAIN


def open_types(
    parts: LabelParts, ids: Int[np.ndarray, " N"], starts: Bool[np.ndarray, " N"]
) -> Int[np.ndarray, " N"]:
    """The entity type that each word can continue; -1 where none is open.

    Args:
      parts: The label names, split by `label_parts`.
      ids: [N], label ids, -1 where there is no label.
      starts: [N], True for the first word of a sentence.

    Returns:
      [N], the type of the word before if that is labelled B-X or I-X, -1 otherwise.
    """
    still_open = np.where(np.isin(parts.letters[ids], ("B", "I")), parts.types[ids], -1)
    return np.where(starts, -1, np.roll(still_open, 1))


def after_unlabelled(
    ids: Int[np.ndarray, " N"], starts: Bool[np.ndarray, " N"]
) -> Bool[np.ndarray, " N"]:
    """Marks the words that may continue any entity because the word before has no label.

    >>> after_unlabelled(np.array([-1, 2, -1, 2]), np.array([True, False, False, True])).tolist()
    [False, True, False, False]
    """
    return ~starts & (np.roll(ids, 1) < 0)


def recognise(
    parts: LabelParts, ids: Int[np.ndarray, " N"], starts: Bool[np.ndarray, " N"]
) -> TaggingScheme:
    """Recognises the scheme of a corpus from its label names and, for IOB1, from its labels.

    IOB1 and BIO have the same names. It is IOB1 if some I-X starts an entity (at the start of a
    sentence, after O or after another type) and no B-X does; otherwise BIO. Words after one without
    a label are not evidence; if all I-X are such words, the scheme is BIO instead of IO.

    Args:
      parts: The label names, split by `label_parts`.
      ids: [N], label ids, -1 where there is no label.
      starts: [N], True for the first word of a sentence.

    Returns:
      The scheme. `to_bio` returns the same labels whether they count as IOB1 or as BIO in need of
      repair; only the number of repairs differs.
    """
    return recognise_blocks(parts, [(ids, starts)])


def recognise_blocks(
    parts: LabelParts, blocks: Iterable[tuple[Int[np.ndarray, " N"], Bool[np.ndarray, " N"]]]
) -> TaggingScheme:
    """Recognises, as `recognise`, the scheme of a corpus in blocks of whole sentences.

    Args:
      parts: The label names, split by `label_parts`.
      blocks: Label ids and starts of each block.

    Returns:
      The scheme of all blocks together.
    """
    inside = evident = starts_by_inside = starts_by_begin = False
    for ids, starts in blocks:
        letters, unknown = parts.letters[ids], after_unlabelled(ids, starts)
        is_inside = letters == "I"
        fresh = (letters != "") & (parts.types[ids] != open_types(parts, ids, starts)) & ~unknown
        inside |= bool(is_inside.any())
        evident |= bool((is_inside & ~unknown).any())
        starts_by_inside |= bool((fresh & is_inside).any())
        starts_by_begin |= bool((fresh & (letters == "B")).any())
    if parts.scheme is TaggingScheme.IO and inside and not evident:
        return TaggingScheme.BIO
    if parts.scheme is TaggingScheme.BIO and starts_by_inside and not starts_by_begin:
        return TaggingScheme.IOB1
    return parts.scheme


def sentence_starts(lengths: Sequence[int]) -> Bool[np.ndarray, " N"]:
    """Marks the first word of every sentence on the flat axis of words.

    Args:
      lengths: The number of words of each sentence; may be 0.

    Returns:
      [N], True for first words, N words in total.

    >>> sentence_starts([2, 0, 1]).tolist()
    [True, False, True]
    """
    sizes = np.asarray(lengths, np.int64)
    starts = np.zeros(sizes.sum(), bool)
    starts[(np.cumsum(sizes) - sizes)[sizes > 0]] = True
    return starts
