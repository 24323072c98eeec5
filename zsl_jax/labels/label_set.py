"""Label names and their ids."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from zsl_jax.errors import InputError

OUTSIDE = "O"


class LabelSet(NamedTuple):
    """The labels of a tagger, in the order of their ids.

    Padding and sentence ends are not labels. Use `size` for the number of labels: `len()` of a
    NamedTuple counts its fields.

    Attributes:
      names: [K], the label names; a label's id is its index.
    """

    names: tuple[str, ...]

    @property
    def size(self) -> int:
        """The number of labels K."""
        return len(self.names)

    @property
    def ids(self) -> dict[str, int]:
        """Each label's id by its name."""
        return {name: label for label, name in enumerate(self.names)}

    @classmethod
    def from_labels(cls, sentences: Iterable[Iterable[str]]) -> "LabelSet":
        """Collects the labels of a corpus in an order that depends only on the set of labels.

        O comes first if it occurs. BIO labels follow by entity type, B before I; plain tags follow
        in alphabetical order.

        Args:
          sentences: The labels of each sentence.

        Returns:
          The set of all labels that occur.

        >>> LabelSet.from_labels([["I-PER", "O"], ["B-PER", "B-LOC"]]).names
        ('O', 'B-LOC', 'B-PER', 'I-PER')
        """
        names = {label for labels in sentences for label in labels}
        by_type = is_bio(names)

        def order(name: str) -> tuple[bool, str, str]:
            prefix, _, entity_type = name.partition("-")
            keys = (entity_type, prefix) if by_type else (name, "")
            return (name != OUTSIDE, *keys)

        return cls(tuple(sorted(names, key=order)))

    def encode(self, labels: Iterable[str], where: str) -> Int[np.ndarray, " N"]:
        """Turns label names into ids.

        Args:
          labels: N label names.
          where: Origin of the labels, for the error message, such as "file dev.conll".

        Returns:
          [N] int32; `decode` gives the names back.

        Raises:
          InputError: A label is not in this set.
        """
        ids = self.ids
        try:
            return np.array([ids[label] for label in labels], dtype=np.int32)
        except KeyError as error:
            raise InputError(
                f"{where}: the label {error.args[0]!r} is not one of the known labels "
                f"{', '.join(self.names)}; correct it or add it to the label set"
            ) from None

    def decode(self, ids: Iterable[int]) -> tuple[str, ...]:
        """Turns label ids into names.

        Args:
          ids: N label ids, each in [0, K).

        Returns:
          The N names.
        """
        return tuple(self.names[label] for label in ids)


def bio_labels(types: Iterable[str]) -> tuple[str, ...]:
    """O, and both labels of each entity type.

    >>> bio_labels(["PER"])
    ('O', 'B-PER', 'I-PER')
    """
    return (OUTSIDE, *(f"{letter}-{kind}" for kind in types for letter in "BI"))


def is_bio(names: Iterable[str]) -> bool:
    """Tells whether labels are BIO labels, rather than plain tags such as parts of speech.

    Args:
      names: Label names, in any order, with or without repetition.

    Returns:
      True if every name is O, B-TYPE or I-TYPE and there is at least one.

    >>> is_bio(["O", "B-PER"]), is_bio(["O", "NOUN"]), is_bio([])
    (True, False, False)
    """
    distinct = set(names)
    return bool(distinct) and all(
        name == OUTSIDE or (name[:2] in ("B-", "I-") and len(name) > 2) for name in distinct
    )
