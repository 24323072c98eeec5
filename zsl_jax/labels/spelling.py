"""Other spellings of entity labels: B_PER, PER-B, b-per, and B, I, O without a type."""

import re
from collections.abc import Sequence

from zsl_jax.labels.label_set import OUTSIDE
from zsl_jax.labels.schemes import TaggingScheme, label_parts

UNTYPED = "ENTITY"  # the type of entities whose labels do not name one

_PREFIX = re.compile(r"([BIESLUMW])([-_:./|])(.+)", re.IGNORECASE)
_SUFFIX = re.compile(r"(.+)([-_:./|])([BIESLUMW])", re.IGNORECASE)
_BRACKET = re.compile(r"\([^()]+\*?\)?")  # (PER* and (PER), as in CoNLL-2012
_NUMBERED = re.compile(r"(?:LABEL_)?\d+", re.IGNORECASE)
_OUTSIDE = frozenset((OUTSIDE, "NONE", "NIL", "OUT", "OUTSIDE"))  # as others call it


def usual_spelling(names: Sequence[str]) -> tuple[str, ...]:
    """Respells entity labels as LETTER-TYPE and O, if all of them share another spelling.

    If the letter follows the type, or the separator is not "-" or "_", at least two letters must
    occur: a single one may be part of the name.

    Args:
      names: L label names.

    Returns:
      The L names in the usual spelling; names of other kinds unchanged.

    >>> usual_spelling(["O", "B_PER", "I_PER"]), usual_spelling(["O", "B", "I"])
    (('O', 'B-PER', 'I-PER'), ('O', 'B-ENTITY', 'I-ENTITY'))
    >>> usual_spelling(["PER-B", "PER-I"]), usual_spelling(["NOUN", "O"])
    (('B-PER', 'I-PER'), ('NOUN', 'O'))
    """
    same = tuple(names)
    if len(set(same)) < len(same) or label_parts(same).scheme is not TaggingScheme.PLAIN:
        return same
    inside = [name for name in same if name.upper() != OUTSIDE]
    for spelled in (_untyped(inside, same), _parted(inside, _PREFIX), _parted(inside, _SUFFIX)):
        if spelled and label_parts(list(spelled.values())).scheme is not TaggingScheme.PLAIN:
            usual = tuple(spelled.get(name, OUTSIDE) for name in same)
            return usual if len(set(usual)) == len(usual) else same
    return same


def _untyped(inside: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    """Bare letters, if O and at least one of B and I are among them."""
    bare = all(len(name) == 1 for name in inside)
    if not bare or len(names) == len(inside) or not {"B", "I"} & set(inside):
        return {}
    return {name: f"{name}-{UNTYPED}" for name in inside}


def _parted(inside: Sequence[str], pattern: re.Pattern[str]) -> dict[str, str]:
    """Labels in which one separator stands between letter and type."""
    matches = {name: pattern.fullmatch(name) for name in inside}
    groups = {name: match.groups() for name, match in matches.items() if match}
    signs = {sign for _, sign, _ in groups.values()}
    if len(groups) < len(inside) or len(signs) != 1:
        return {}
    behind = pattern is _SUFFIX
    pairs = {name: (g[2], g[0]) if behind else (g[0], g[2]) for name, g in groups.items()}
    letters = {letter for letter, _ in pairs.values()}
    if len(letters) < 2 and (behind or not signs <= {"-", "_"}):
        return {}
    return {name: f"{letter.upper()}-{kind}" for name, (letter, kind) in pairs.items()}


def are_numbered(names: Sequence[str]) -> bool:
    """Whether labels are LABEL_0, LABEL_1, ... or 0, 1, ...: those whose names were not given.

    >>> are_numbered(["LABEL_0", "LABEL_1"]), are_numbered(["0", "12"]), are_numbered([])
    (True, True, False)
    """
    return bool(names) and all(map(_NUMBERED.fullmatch, names))


def doubtful_reading(names: Sequence[str]) -> str | None:
    """The reading of labels that may be meant otherwise; None for clear ones.

    >>> doubtful_reading(["O", "PER"]), doubtful_reading(["NOUN", "VERB"])
    ('plain tags, not entities', None)
    """
    parts = label_parts(names)
    if parts.scheme is not TaggingScheme.PLAIN:
        return "types whose names are missing" if are_numbered(parts.type_names) else None
    if are_numbered(names):
        return "tags whose names are missing"
    named = [name for name in names if name.upper() not in _OUTSIDE]
    has_outside = bool(named) and len(named) < len(names)
    has_brackets = any(map(_BRACKET.fullmatch, names))
    return "plain tags, not entities" if has_outside or has_brackets else None
