"""Entity types that one source alone has, and sources that name far fewer entities than others."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from absl import logging

from zsl_jax.data.predictions import SourcePredictions
from zsl_jax.labels import OUTSIDE, is_bio

# A source is sparse that names less than this share of what others do, if these name so many words.
SPARSE = 0.2
FEWEST_NAMED = 20

Parts = Sequence[Mapping[str, SourcePredictions]]


def compare_sources(parts: Parts) -> None:
    """Warns of sources whose types or numbers of entities differ from those of the others.

    Types that one source alone has may be types of the others under another name: the warning has
    a label map that can be pasted into a file, drafted from what the others say of the same words.

    Args:
      parts: For each part of a text, all sources' predictions by name, in BIO or plain labels.
    """
    types = {name: _types(name, parts) for name in parts[0]}
    types = {name: own for name, own in types.items() if own}
    if len(types) < 2:
        return
    said = {name: _said(name, parts, sorted(types[name])) for name in types}
    _warn_of_sparse(said, parts)
    for place, name in enumerate(types):
        before = set().union(*(list(types.values())[:place]))
        owners = Counter(kind for own in types.values() for kind in own)
        lone = sorted(kind for kind in types[name] if owners[kind] == 1)
        targets = before | {kind for kind in owners if owners[kind] > 1}
        if lone and targets:
            _warn_of_types(name, lone, said, targets - set(lone))


def _types(name: str, parts: Parts) -> set[str]:
    """The entity types of a source, those of its sets too; none if its labels are plain."""
    names = {label for part in parts for label in part[name].label_names}
    sets = {kind: members for part in parts for kind, members in part[name].sets.items()}
    if not is_bio(names):
        return set()
    types = {label[2:] for label in names if label[1:2] == "-"}
    return {kind for own in types for kind in sets.get(own, (own,))} - {OUTSIDE}


def _said(name: str, parts: Parts, types: Sequence[str]) -> np.ndarray:
    """[N], the entity type that a source gives each word, by name; "" for none."""
    found = []
    for part in parts:
        made = part[name]
        own = [label[2:] if label[2:] in types else "" for label in made.label_names]
        found.append(np.array([*own, ""], object)[made.labels])
    return np.concatenate(found)


def _warn_of_sparse(said: Mapping[str, np.ndarray], parts: Parts) -> None:
    """Warns of gazetteers and rules, which mean nothing by O."""
    named = {name: int((found != "").sum()) for name, found in said.items()}
    for name, count in named.items():
        spoken = sum(int((part[name].labels >= 0).sum()) for part in parts)
        usual = float(np.median([named[other] for other in named if other != name]))
        total = len(said[name])
        if spoken == total and usual >= FEWEST_NAMED and count < SPARSE * usual:
            logging.warning(
                "source %s has entities on %d words, the others on about %d: if it is a list of "
                "names or rules, let it be silent elsewhere with `O: null` in a label map "
                "(--label_map=%s=FILE)",
                *(name, count, usual, name),
            )


def _warn_of_types(
    name: str, lone: Sequence[str], said: Mapping[str, np.ndarray], targets: set[str]
) -> None:
    """Warns of types of one source, if others give their words types that may be the same."""
    drafted = {kind: _usual_target(said[name] == kind, name, said, targets) for kind in lone}
    if not any(drafted.values()):
        logging.info("source %s alone has the types %s", name, ", ".join(lone))
        return
    lines = []
    for kind in sorted({*said[name], *lone} - {""}):
        remark = "  # no other source has it" if kind in lone and not drafted[kind] else ""
        lines.append(f"{kind}: {drafted.get(kind) or kind}{remark}")
    logging.warning(
        "source %s alone has the types %s; if others call them something else, give "
        "--label_map=%s=FILE, for instance with\n%s",
        *(name, ", ".join(lone), name, "\n".join(lines)),
    )


def _usual_target(
    words: np.ndarray, name: str, said: Mapping[str, np.ndarray], targets: set[str]
) -> str | None:
    """The type that other sources give these words most often."""
    found: Counter[str] = Counter()
    for other, own in said.items():
        if other != name:
            found.update(kind for kind in own[words] if kind in targets)
    return min(found, key=lambda kind: (-found[kind], kind)) if found else None
