"""Converts labels, and probabilities of labels, from any tagging scheme to BIO."""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from jaxtyping import Bool, Float, Int

from zsl_jax.labels.label_set import LabelSet
from zsl_jax.labels.schemes import (
    LabelParts,
    TaggingScheme,
    after_unlabelled,
    label_parts,
    open_types,
    recognise,
)

# An I-X (E-X) that continues nothing starts an entity; an entity that is never closed ends where
# its labels do. conlleval reads entities in the same way.
REPAIR_RULE = "conlleval"

Probs = TypeVar("Probs", np.ndarray, np.ndarray | None)  # of labels, or none where those are all


class BioConversion(NamedTuple):
    """Labels in BIO, and what is needed to convert their probabilities.

    Attributes:
      scheme: The original scheme of the labels.
      names: [K], the names in BIO; plain labels keep theirs.
      ids: [N], label ids, -1 where there is no label.
      repairs: Number of labels that the scheme does not allow in their position.
      columns: [L], the new column of every old one.
      pairs: [T, 2], the new columns of B-X and I-X of each type; -1 where there is none.
      must_begin: [N, T], True for words that cannot continue an entity of the type; there the
        probability of I-X counts as that of B-X.
    """

    scheme: TaggingScheme
    names: tuple[str, ...]
    ids: Int[np.ndarray, " N"]
    repairs: int
    columns: Int[np.ndarray, " L"]
    pairs: Int[np.ndarray, "T 2"]
    must_begin: Bool[np.ndarray, "N T"]


def to_bio(
    names: Sequence[str],
    ids: Int[np.ndarray, " N"],
    starts: Bool[np.ndarray, " N"],
    scheme: TaggingScheme | None = None,
) -> BioConversion:
    """Converts the labels of a corpus from any scheme to BIO, and repairs them.

    Entities whose labels are valid in their scheme do not change. The others follow `REPAIR_RULE`:
    an I-X or E-X that continues nothing starts an entity. Repairs are counted for such labels in
    BIO and BIOES, and in BIOES also for a B-X or I-X whose entity is not closed by E-X. In IOB1 and
    IO every sequence is valid. In BIO and BIOES, an I-X or E-X after a word without a label is
    assumed to continue that word's entity, and a B-X or I-X before such a word to be closed by it.

    Args:
      names: L label names.
      ids: [N], label ids, -1 where there is no label.
      starts: [N], True for the first word of a sentence.
      scheme: The scheme of the corpus of which these labels are a part; None recognises it.

    Returns:
      As many labels as were given. Plain labels and valid BIO are returned unchanged.
    """
    parts = label_parts(names)
    scheme = scheme or recognise(parts, ids, starts)
    letters, types = parts.letters[ids], parts.types[ids]
    before = open_types(parts, ids, starts)
    kinds = np.arange(len(parts.type_names))
    if scheme in (TaggingScheme.IOB1, TaggingScheme.IO):
        orphans = np.isin(letters, ("I", "E")) & (types != before)
        repairs, starting, must_begin = 0, kinds, before[:, None] != kinds
    else:
        orphans = _orphans(parts, ids, starts)
        repairs, starting = int(orphans.sum()), np.unique(types[orphans])
        must_begin = (types[:, None] == kinds) & orphans[:, None]
    if scheme is TaggingScheme.BIOES:
        repairs += int(_unclosed(parts, ids, starts, orphans).sum())
    new_names, columns, pairs = _new_columns(names, parts, scheme, starting)
    begin = np.append(pairs[:, 0], -1)[types]
    new_ids = np.where(orphans, begin, np.append(columns, -1)[ids]).astype(np.int32)
    return BioConversion(scheme, new_names, new_ids, repairs, columns, pairs, must_begin)


def faulty_entities(
    names: Sequence[str], ids: Int[np.ndarray, " N"], starts: Bool[np.ndarray, " N"]
) -> Bool[np.ndarray, " N"]:
    """Marks the first words of entities that BIOES does not allow, as `to_bio` counts repairs.

    Their labels begin with I-X or E-X, or do not end with E-X or S-X.

    Args:
      names: L label names in BIOES.
      ids: [N], label ids, -1 where there is no label.
      starts: [N], True for the first word of a sentence.

    Returns:
      [N], one mark for each such entity.

    >>> starts = np.array([True, False, False, False])
    >>> faulty_entities(["O", "B-X", "E-X", "S-X"], np.array([1, 0, 3, 2]), starts).tolist()
    [True, False, False, True]
    """
    parts = label_parts(names)
    letters, orphans = parts.letters[ids], _orphans(parts, ids, starts)
    labelled = letters != ""
    first = np.isin(letters, ("B", "S")) | orphans | (labelled & after_unlabelled(ids, starts))
    entity = np.cumsum(first)
    return first & np.isin(entity, entity[orphans | _unclosed(parts, ids, starts, orphans)])


def _orphans(
    parts: LabelParts, ids: Int[np.ndarray, " N"], starts: Bool[np.ndarray, " N"]
) -> Bool[np.ndarray, " N"]:
    """Marks each I-X and E-X that continues nothing; after a word without a label, none."""
    continues = parts.types[ids] == open_types(parts, ids, starts)
    inner = np.isin(parts.letters[ids], ("I", "E"))
    return inner & ~continues & ~after_unlabelled(ids, starts)


def _unclosed(
    parts: LabelParts,
    ids: Int[np.ndarray, " N"],
    starts: Bool[np.ndarray, " N"],
    orphans: Bool[np.ndarray, " N"],
) -> Bool[np.ndarray, " N"]:
    """Marks each B-X and I-X with nothing behind it that continues it, in BIOES."""
    letters = parts.letters[ids]
    continuing = np.isin(letters, ("I", "E")) & ~orphans | (ids < 0) & ~starts
    return np.isin(letters, ("B", "I")) & ~np.append(continuing[1:], False)[: len(ids)]


def _new_columns(
    names: Sequence[str], parts: LabelParts, scheme: TaggingScheme, starting: np.ndarray
) -> tuple[tuple[str, ...], Int[np.ndarray, " L"], Int[np.ndarray, "T 2"]]:
    """The new names, the index of every old label among them, and the indices of B-X and I-X."""
    letters, types = parts.letters[:-1], parts.types[:-1]
    turned = [
        f"{'B' if letter in 'BS' else 'I'}-{parts.type_names[kind]}" if letter else name
        for name, letter, kind in zip(names, letters.tolist(), types.tolist(), strict=True)
    ]
    wanted = [*turned, *(f"B-{parts.type_names[kind]}" for kind in starting)]
    kept = set(wanted) == set(names)
    new = LabelSet(tuple(names)) if kept else LabelSet.from_labels([wanted])
    ids = new.ids
    columns = np.array([ids[name] for name in turned], np.int32)
    pairs = [(ids.get(f"B-{kind}", -1), ids.get(f"I-{kind}", -1)) for kind in parts.type_names]
    return new.names, columns, np.array(pairs, np.int32).reshape(len(pairs), 2)


def bio_probs(
    probs: Float[np.ndarray, "N L"], conversion: BioConversion
) -> Float[np.ndarray, "N K"]:
    """Converts probabilities of labels to BIO along with the labels.

    Those of S-X and B-X are summed to B-X, those of E-X and I-X to I-X. IOB1 and IO do not mark
    where an entity begins: the probability of I-X goes to B-X unless the word before is labelled X.
    In BIO and BIOES this applies to repaired labels only.

    Args:
      probs: [N, L], probabilities in the order of the old names.
      conversion: What `to_bio` returned for the labels.

    Returns:
      [N, K], with the row sums of `probs`.
    """
    merged = merge_columns(probs, conversion.columns, len(conversion.names))
    for (begin, inside), rows in zip(conversion.pairs, conversion.must_begin.T, strict=True):
        if inside >= 0 and rows.any():
            merged[rows, begin] += merged[rows, inside]
            merged[rows, inside] = 0
    return merged


def merge_columns(
    probs: Float[np.ndarray, "N L"], columns: Int[np.ndarray, " L"], width: int
) -> Float[np.ndarray, "N K"]:
    """Sums columns into new ones.

    Args:
      probs: [N, L].
      columns: [L], where each column goes; -1 leaves it out.
      width: K, the number of new columns.

    Returns:
      [N, K], a new array of the same type.
    """
    merged = np.zeros((len(probs), width), probs.dtype)
    for old, new in enumerate(columns):
        if new >= 0:
            merged[:, new] += probs[:, old]
    return merged


def relabel(
    ids: Int[np.ndarray, " N"], probs: Probs, columns: Int[np.ndarray, " L"], width: int
) -> tuple[Int[np.ndarray, " N"], Probs]:
    """Gives words the labels of another set, some of which may become one, or none.

    A word whose label becomes none has no label afterwards. At other words, the probabilities of
    such labels are left out and the others scaled to sum to 1. A word keeps the label that its own
    becomes, even if other labels together are more probable then.

    Args:
      ids: [N], label ids; -1 where there is no label.
      probs: [N, L], or None where there are labels only.
      columns: [L], the new id of each label; -1 for none.
      width: K, the number of new labels.

    Returns:
      [N], the new ids, and [N, K], float32, all zero where there is no label.

    >>> probs, columns = np.array([[0.5, 0.25, 0.25], [0, 1, 0]]), np.array([0, -1, -1])
    >>> [array.tolist() for array in relabel(np.array([0, 1]), probs, columns, 1)]
    [[0, -1], [[1.0], [0.0]]]
    """
    new_ids = np.append(columns, -1).astype(np.int32)[ids]
    if probs is None:
        return new_ids, probs
    merged = merge_columns(probs.astype(np.float32), columns, width)
    totals = merged.sum(axis=1)
    labelled = (new_ids >= 0) & (totals > 0)
    if (columns < 0).any():
        merged /= np.where(totals > 0, totals, 1)[:, None]
    return np.where(labelled, new_ids, np.int32(-1)), np.where(labelled[:, None], merged, 0)
