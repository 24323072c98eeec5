"""Entity types that one source alone has, and sources that name far fewer entities than others."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from absl import logging
from jaxtyping import Int

from zsl_jax.data.predictions.store import SourcePredictions
from zsl_jax.labels import OUTSIDE, SILENT, is_bio

# A source is sparse if it names less than this share of the words that the others name, of which
# there must be some.
SPARSE = 0.2
FEWEST_NAMED = 20

Parts = Sequence[Mapping[str, SourcePredictions]]


class _Said(NamedTuple):
    """Each source's prediction for each word: the number of an entity type, -1 for none."""

    kinds: tuple[str, ...]
    numbers: dict[str, Int[np.ndarray, " N"]]


def compare_sources(parts: Parts) -> None:
    """Warns of sources whose types or numbers of entities differ from those of the others.

    Types that one source alone has may be types of the others under another name: the warning has
    a label map that can be pasted into a file, drafted from the others' predictions for the words.

    Args:
      parts: For each part of a text, all sources' predictions by name, in BIO or plain labels.
    """
    types = {name: own for name in parts[0] if (own := _types(name, parts))}
    if len(types) < 2:
        return
    kinds = tuple(sorted(set().union(*types.values())))
    said = _Said(kinds, {name: _said(name, parts, kinds) for name in types})
    _warn_of_sparse(said, parts)
    owners = Counter(kind for own in types.values() for kind in own)
    for place, name in enumerate(types):
        before = set().union(*(list(types.values())[:place]))
        lone = sorted(kind for kind in types[name] if owners[kind] == 1)
        targets = before | {kind for kind in owners if owners[kind] > 1}
        if lone and targets:
            _warn_of_types(name, lone, said, targets)


def _types(name: str, parts: Parts) -> set[str]:
    """The entity types of a source, those of its sets too; none if its labels are plain."""
    names = {label for part in parts for label in part[name].label_names}
    sets = {kind: members for part in parts for kind, members in part[name].sets.items()}
    names.discard(SILENT)
    if not is_bio(names):
        return set()
    types = {label[2:] for label in names if label[1:2] == "-"}
    return {kind for own in types for kind in sets.get(own, (own,))} - {OUTSIDE}


def _said(name: str, parts: Parts, kinds: Sequence[str]) -> Int[np.ndarray, " N"]:
    """[N], the number of the type that a source gives each word."""
    numbers = {kind: number for number, kind in enumerate(kinds)}
    found = []
    for part in parts:
        own = [numbers.get(label[2:], -1) for label in part[name].label_names]
        found.append(np.array([*own, -1], np.int16)[part[name].labels])
    return np.concatenate(found)


def _warn_of_sparse(said: _Said, parts: Parts) -> None:
    """Warns of gazetteers and rules, which mean nothing by O."""
    named = {name: int((found >= 0).sum()) for name, found in said.numbers.items()}
    for name, count in named.items():
        spoken = sum(int((part[name].labels >= 0).sum()) for part in parts)
        usual = float(np.median([named[other] for other in named if other != name]))
        total = len(said.numbers[name])
        if (
            not _is_silent(name, parts)
            and spoken == total
            and usual >= FEWEST_NAMED
            and count < SPARSE * usual
        ):
            logging.warning(
                "source %s has entities on %d words, the others on about %d: if it is a list of "
                "names or rules, whose O means that it knows nothing, give `sparse`=%s",
                name,
                count,
                usual,
                name,
            )


def _is_silent(name: str, parts: Parts) -> bool:
    """Whether a source's O has been taken as silence already."""
    return any(SILENT in part[name].label_names for part in parts)


def _warn_of_types(name: str, lone: Sequence[str], said: _Said, targets: set[str]) -> None:
    """Warns of types of one source, if others give their words types that may be the same."""
    drafted = {kind: _usual_target(kind, name, said, targets) for kind in lone}
    if not any(drafted.values()):
        logging.info("source %s alone has the types %s", name, ", ".join(lone))
        return
    own = {said.kinds[number] for number in np.unique(said.numbers[name]) if number >= 0}
    lines = []
    for kind in sorted({*own, *lone}):
        remark = "  # no other source has it" if kind in lone and not drafted[kind] else ""
        lines.append(f"{kind}: {drafted.get(kind) or kind}{remark}")
    logging.warning(
        "source %s alone has the types %s; if others call them something else, give "
        "`label_map`=%s=FILE, for instance with\n%s",
        name,
        ", ".join(lone),
        name,
        "\n".join(lines),
    )


def _usual_target(kind: str, name: str, said: _Said, targets: set[str]) -> str | None:
    """The type that other sources give the words of a type most often."""
    words = said.numbers[name] == said.kinds.index(kind)
    counts = np.zeros(len(said.kinds), np.int64)
    for other, numbers in said.numbers.items():
        if other != name:
            counts += np.bincount(numbers[words] + 1, minlength=len(counts) + 1)[1:]
    counts[[target not in targets for target in said.kinds]] = 0
    return said.kinds[counts.argmax()] if counts.any() else None
