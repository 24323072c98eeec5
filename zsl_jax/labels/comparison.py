"""Compares label names with those that are known: what they lack, and what differs by case."""

from collections.abc import Collection, Iterable

from zsl_jax.labels.label_set import OUTSIDE, is_bio

SHOWN = 5


def label_kinds(names: Iterable[str]) -> frozenset[str]:
    """What labels tell apart: entity types, or plain labels other than O.

    >>> sorted(label_kinds(["O", "B-PER", "I-PER"])), sorted(label_kinds(["NOUN", "O"]))
    (['PER'], ['NOUN'])
    """
    names = set(names) - {OUTSIDE}
    return frozenset(name[2:] for name in names) if is_bio(names) else frozenset(names)


def case_variants(names: Iterable[str], known: Collection[str]) -> dict[str, str]:
    """By each name that is not known, the known one from which it differs by case alone.

    >>> case_variants(["noun", "VERB", "X"], ["NOUN", "VERB"])
    {'noun': 'NOUN'}
    """
    folded = {name.casefold(): name for name in sorted(known)}
    return {
        name: folded[name.casefold()]
        for name in names
        if name not in known and name.casefold() in folded
    }


def label_doubt(names: Iterable[str], known: Iterable[str]) -> str:
    """Why labels seem to be others than those that they are compared with.

    Args:
      names: The labels.
      known: Those that they are compared with.

    Returns:
      The rest of a sentence, if some differ by case alone, or none is among the known ones; empty
      otherwise.

    >>> label_doubt(["noun", "VERB"], ["NOUN", "VERB"]), label_doubt(["O", "B-X"], ["O", "I-X"])
    ('noun differs from NOUN by case alone', '')
    """
    own, other = label_kinds(names), label_kinds(known)
    variants = [f"{name} differs from {to}" for name, to in case_variants(own, other).items()]
    if variants:
        return f"{listed(variants)} by case alone"
    if own and other and not own & other:
        return f"none of {listed(own)} is among {listed(other)}"
    return ""


def listed(names: Iterable[str]) -> str:
    """The first names in alphabetical order, as a message shows them."""
    names = sorted(names)
    return ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
