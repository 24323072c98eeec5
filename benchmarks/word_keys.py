"""Keys of word types for `label_model_variants`, from the words and from frozen encoder states."""

import functools
import itertools
from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float, Int

from zsl_jax.data.text.word_types import ENTITY_SUFFIXES, TAG_SUFFIXES, type_names, with_openers

Words = tuple[tuple[str, ...], ...]  # of each sentence
# Returns the keys of a word, from coarse to fine. The arguments are the word, whether it opens its
# sentence, and whether the labels are those of entities.
Keys = Callable[[str, bool, bool], tuple[str, ...]]
SMALLEST_TABLE = 2**12


def default_keys(word: str, opens: bool, is_entity: bool) -> tuple[str, ...]:
    """The keys of the default."""
    return type_names(word, ENTITY_SUFFIXES if is_entity else TAG_SUFFIXES, opens)


def other_suffixes(word: str, opens: bool, is_entity: bool) -> tuple[str, ...]:
    """Suffixes of entities for tags, and of tags for entities."""
    return default_keys(word, opens, not is_entity)


def with_prefix(length: int, word: str, opens: bool, is_entity: bool) -> tuple[str, ...]:
    """A prefix between the suffixes and the word's form."""
    *coarse, form = default_keys(word, opens, is_entity)
    return (*coarse, f"{coarse[0]} {form[:length]}", form)


@functools.lru_cache(maxsize=1)
def numbered(
    text: Words, test: Words, keys: Keys, is_entity: bool
) -> tuple[Int[np.ndarray, "N L"], Int[np.ndarray, "M L"]]:
    """Numbers of the keys of a text's words, and of those of a test, as `word_types` gives them."""
    tables: list[dict[str, int]] = [{} for _ in keys("x", False, is_entity)]
    rows, known = [], []
    for word, opens in itertools.chain.from_iterable(map(with_openers, text)):
        names = zip(tables, keys(word, opens, is_entity), strict=True)
        rows.append([table.setdefault(key, len(table)) for table, key in names])
    for word, opens in itertools.chain.from_iterable(map(with_openers, test)):
        plain = keys(word, False, is_entity)
        pairs = zip(tables, keys(word, opens, is_entity), plain, strict=True)
        known.append([table.get(key, table.get(other, -1)) for table, key, other in pairs])
    return np.array(rows, np.int32), np.array(known, np.int32)


def counted_down(keys: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The same keys with numbers that end at a constant, so that texts share compiled programs."""
    largest = max(SMALLEST_TABLE - 1, *(int(part.max()) for part in keys))
    return [np.where(part < 0, part, largest - part).astype(np.int32) for part in keys]


def with_clusters(
    keys: Sequence[np.ndarray], clusters: Sequence[np.ndarray], where: str
) -> list[np.ndarray]:
    """The keys of a text and a test with one more level."""
    if where == "before":
        return [np.insert(k, -1, c, axis=1) for k, c in zip(keys, clusters, strict=True)]
    size = 1 + max(int(part.max()) for part in clusters)
    pairs = [k[:, -1].astype(np.int64) * size + c for k, c in zip(keys, clusters, strict=True)]
    known, numbers = np.unique(pairs[0], return_inverse=True)
    places = np.minimum(np.searchsorted(known, pairs[1]), len(known) - 1)
    of_test = np.where(known[places] == pairs[1], places, -1)
    levels = numbers.astype(np.int32), of_test.astype(np.int32)
    return [np.column_stack([k, level]) for k, level in zip(keys, levels, strict=True)]


def clusters_of(
    states: Sequence[Float[np.ndarray, "N H"]], count: int
) -> list[Int[np.ndarray, " N"]]:
    """The nearest k-means centre of each word's state; the first text alone has the centres."""
    text = states[0]
    centres = text[np.random.default_rng(0).choice(len(text), min(count, len(text)), replace=False)]
    for _ in range(20):
        nearest = _nearest(text, centres)
        is_member = np.equal.outer(np.arange(len(centres)), nearest).astype(np.float32)
        sizes = is_member.sum(axis=1, keepdims=True)
        centres = np.where(sizes > 0, is_member @ text / np.maximum(sizes, 1), centres)
    return [_nearest(part, centres) for part in states]


def _nearest(states: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """The nearest centre of each state."""
    distances = np.square(centres).sum(axis=1) - 2 * states @ centres.T
    return distances.argmin(axis=1).astype(np.int32)
