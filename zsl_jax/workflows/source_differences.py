"""Labels that one source alone has, and sources that name far fewer entities than others."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from absl import logging
from jaxtyping import Int

from zsl_jax.data.predictions.source_predictions import SourcePredictions
from zsl_jax.labels import SILENT, case_variants, is_bio, label_kinds
from zsl_jax.workflows.label_map_draft import PredictedTypes, warn_of_lone_types

# A source is sparse if it names less than this share of the words that the others name, of which
# there must be some.
SPARSE = 0.2
FEWEST_NAMED = 20

Parts = Sequence[Mapping[str, SourcePredictions]]


def compare_sources(parts: Parts) -> None:
    """Warns of sources whose labels or numbers of entities differ from those of the others.

    Types that one source alone has may be types of the others under another name: the warning has
    a label map that can be pasted into a file, drafted from the others' predictions for the words.
    Plain labels that one source alone has count only if it shares none with the others, or if they
    differ from others by case alone.

    Args:
      parts: For each part of a text, all sources' predictions by name, in BIO or plain labels.
    """
    types = {name: own for name in parts[0] if (own := _types(name, parts))}
    if len(types) < 2:
        return
    kinds = tuple(sorted(set().union(*types.values())))
    entities = any(is_bio(_names(name, parts)) for name in types)
    found = {name: _predicted(name, parts, kinds) for name in types}
    predicted = PredictedTypes(kinds, found, entities)
    if entities:
        _warn_of_sparse(predicted, parts)
    owners = Counter(kind for own in types.values() for kind in own)
    for place, name in enumerate(types):
        before = set().union(*(list(types.values())[:place]))
        lone = sorted(kind for kind in types[name] if owners[kind] == 1)
        targets = before | {kind for kind in owners if owners[kind] > 1}
        if not entities and len(lone) < len(types[name]):
            lone = list(case_variants(lone, targets))
        if lone and targets:
            warn_of_lone_types(name, lone, predicted, targets)


def _names(name: str, parts: Parts) -> set[str]:
    """The names of a source's labels, but for `SILENT`."""
    return {label for part in parts for label in part[name].label_names} - {SILENT}


def _types(name: str, parts: Parts) -> frozenset[str]:
    """The entity types of a source, or its plain labels; those of its sets too."""
    sets = {kind: members for part in parts for kind, members in part[name].sets.items()}
    own = label_kinds(_names(name, parts))
    return label_kinds(kind for one in own for kind in sets.get(one, (one,)))


def _predicted(name: str, parts: Parts, kinds: Sequence[str]) -> Int[np.ndarray, " N"]:
    """[N], the number of the kind that a source gives each word."""
    numbers = {kind: number for number, kind in enumerate(kinds)}
    start = 2 if is_bio(_names(name, parts)) else 0
    found = []
    for part in parts:
        own = [numbers.get(label[start:], -1) for label in part[name].label_names]
        found.append(np.array([*own, -1], np.int16)[part[name].labels])
    return np.concatenate(found)


def _warn_of_sparse(predicted: PredictedTypes, parts: Parts) -> None:
    """Warns of gazetteers and rules, which mean nothing by O."""
    named = {name: int((found >= 0).sum()) for name, found in predicted.numbers.items()}
    for name, count in named.items():
        spoken = sum(int((part[name].labels >= 0).sum()) for part in parts)
        usual = float(np.median([named[other] for other in named if other != name]))
        total = len(predicted.numbers[name])
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
