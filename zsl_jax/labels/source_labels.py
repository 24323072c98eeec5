"""The labels that sources give: the target's, and names for sets of the target's labels."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int

from zsl_jax.labels.label_set import OUTSIDE, LabelSet, is_bio

# The label of a sparse source, such as a gazetteer, where it predicts nothing: not the same as O.
SILENT = "(silent)"


class SourceLabels(NamedTuple):
    """V labels that sources give, in the order of their ids: the target's K, then names of sets.

    Attributes:
      names: [V], the label names.
      targets: [V], the ids of the target's labels that each may stand for; the first one is used
        where one label is needed.
    """

    names: tuple[str, ...]
    targets: tuple[tuple[int, ...], ...]

    @classmethod
    def of(
        cls, label_set: LabelSet, sets: Mapping[str, Sequence[str]] | None = None
    ) -> "SourceLabels":
        """Returns the labels of sources that give the target's labels, and perhaps sets of them.

        Args:
          label_set: The target's K labels.
          sets: The target's labels in each set, by the set's name.

        >>> SourceLabels.of(LabelSet(("A", "B")), {"A|B": ("A", "B")}).targets
        ((0,), (1,), (0, 1))
        """
        single = [(label,) for label in range(label_set.size)]
        ids = label_set.ids
        several = [tuple(ids[name] for name in members) for members in (sets or {}).values()]
        return cls((*label_set.names, *(sets or ())), (*single, *several))

    @property
    def size(self) -> int:
        """The number of labels V."""
        return len(self.names)

    @property
    def silent(self) -> int | None:
        """The id of `SILENT`; None if no source has it."""
        return self.names.index(SILENT) if SILENT in self.names else None

    @property
    def label_set(self) -> LabelSet:
        """The target's labels."""
        return LabelSet(self.names[: 1 + max(map(max, self.targets), default=-1)])

    @property
    def first_targets(self) -> Int[np.ndarray, " V"]:
        """[V], the target's label that is used where one is needed."""
        return np.array([first for (first, *_) in self.targets], np.int32)

    def encode(self, names: Iterable[str], where: str) -> Int[np.ndarray, " N"]:
        """Turns label names into ids, as `LabelSet.encode` does, names of sets included."""
        return LabelSet(self.names).encode(names, where)

    def compatible(self, source_names: Iterable[str]) -> Bool[np.ndarray, "V K"]:
        """The true labels that each label of a source is compatible with.

        A label is compatible with what it stands for. O is also compatible with every entity type
        that the source lacks: "O" from a source without MISC only means "O or MISC".

        Args:
          source_names: The names of the labels that the source has.

        Returns:
          [V, K], indexed [source's label, true label]. Rows of labels that the source does not have
          are False, and so are columns of labels that it never gives evidence about.
        """
        names = self.label_set.names
        present = set(source_names)
        table = np.zeros((self.size, len(names)), bool)
        for label, targets in enumerate(self.targets):
            if self.names[label] in present:
                table[label, list(targets)] = True
        if is_bio(names) and OUTSIDE in present:
            named = {names[target][2:] for target in np.flatnonzero(table.any(axis=0))}
            unnamed = [target for target, name in enumerate(names) if name[2:] not in named]
            table[self.names.index(OUTSIDE), unnamed] = True
        return table


def set_members(name: str, sets: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The target's labels that a source's label may stand for.

    Args:
      name: The label, such as "B-PER|ORG".
      sets: Members by the name of a label or of an entity type.

    Returns:
      The members of the label, or of its type with its letter; the label itself if it is not a set.

    >>> set_members("B-PER|ORG", {"PER|ORG": ("PER", "ORG")})
    ('B-PER', 'B-ORG')
    """
    if name in sets:
        return tuple(sets[name])
    if name[:2] in ("B-", "I-") and name[2:] in sets:
        return tuple(
            member if member == OUTSIDE else name[:2] + member for member in sets[name[2:]]
        )
    return (name,)


def common_source_labels(
    label_names: Iterable[Iterable[str]], sets: Mapping[str, Sequence[str]]
) -> SourceLabels:
    """The labels of several sources; the target's are all those that any of them may stand for.

    Args:
      label_names: The labels of each source.
      sets: Members by the name of a label or of an entity type.
    """
    members = {name: set_members(name, sets) for names in label_names for name in names}
    label_set = LabelSet.from_labels(members.values())
    several = {name: members[name] for name in sorted(members) if members[name] != (name,)}
    return SourceLabels.of(label_set, several)
