"""Random parts of a corpus."""

from collections.abc import Sequence

import numpy as np

from zsl_jax.types import Sentence


def sample_sentences(sentences: Sequence[Sentence], count: int | None, seed: int) -> list[Sentence]:
    """`count` sentences drawn without replacement, in the order of the corpus.

    Args:
      sentences: The corpus.
      count: How many; None, or more than there are, takes them all.
      seed: The same seed draws the same sentences.

    >>> [s.words[0] for s in sample_sentences([Sentence(("a",)), Sentence(("b",))], None, seed=1)]
    ['a', 'b']
    """
    places = sampled_places(len(sentences), count, seed)
    return list(sentences) if places is None else [sentences[place] for place in places]


def sampled_places(total: int, count: int | None, seed: int) -> list[int] | None:
    """The places, in order, of the sentences that `sample_sentences` draws; None if it takes all.

    Args:
      total: Sentences of the corpus.
      count: How many to draw.
      seed: The same seed draws the same sentences.
    """
    if count is None or count >= total:
        return None
    chosen = np.random.default_rng(seed).choice(total, count, replace=False)
    return sorted(chosen.tolist())
