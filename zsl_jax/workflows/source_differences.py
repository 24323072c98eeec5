"""Entity types that one source alone has, and sources that name far fewer entities than others."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from absl import logging
from jaxtyping import Int

from zsl_jax.data.predictions.source_predictions import SourcePredictions
from zsl_jax.labels import OUTSIDE, SILENT, is_bio
from zsl_jax.workflows.label_map_draft import PredictedTypes, warn_of_lone_types

# A source is sparse if it names less than this share of the words that the others name, of which
# there must be some.
SPARSE = 0.2
FEWEST_NAMED = 20

Parts = Sequence[Mapping[str, SourcePredictions]]


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
    predicted = PredictedTypes(kinds, {name: _predicted(name, parts, kinds) for name in types})
    _warn_of_sparse(predicted, parts)
    owners = Counter(kind for own in types.values() for kind in own)
    for place, name in enumerate(types):
        before = set().union(*(list(types.values())[:place]))
        lone = sorted(kind for kind in types[name] if owners[kind] == 1)
        targets = before | {kind for kind in owners if owners[kind] > 1}
        if lone and targets:
            warn_of_lone_types(name, lone, predicted, targets)


def _types(name: str, parts: Parts) -> set[str]:
    """The entity types of a source, those of its sets too; none if its labels are plain."""
    names = {label for part in parts for label in part[name].label_names}
    sets = {kind: members for part in parts for kind, members in part[name].sets.items()}
    names.discard(SILENT)
    if not is_bio(names):
        return set()
    types = {label[2:] for label in names if label[1:2] == "-"}
    return {kind for own in types for kind in sets.get(own, (own,))} - {OUTSIDE}


def _predicted(name: str, parts: Parts, kinds: Sequence[str]) -> Int[np.ndarray, " N"]:
    """[N], the number of the type that a source gives each word."""
    numbers = {kind: number for number, kind in enumerate(kinds)}
    found = []
    for part in parts:
        own = [numbers.get(label[2:], -1) for label in part[name].label_names]
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
