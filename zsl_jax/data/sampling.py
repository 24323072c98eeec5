"""Random parts of a corpus."""

from collections.abc import Sequence

import numpy as np

from zsl_jax.types import Sentence


def sample_sentences(sentences: Sequence[Sentence], count: int, seed: int) -> list[Sentence]:
    """`count` sentences drawn without replacement, in the order of the corpus.

    Args:
      sentences: The corpus.
      count: How many; 0, or more than there are, takes them all.
      seed: The same seed draws the same sentences.

    >>> [s.words[0] for s in sample_sentences([Sentence(("a",)), Sentence(("b",))], 0, seed=1)]
    ['a', 'b']
    """
    if not 0 < count < len(sentences):
        return list(sentences)
    chosen = np.random.default_rng(seed).choice(len(sentences), count, replace=False)
    return [sentences[number] for number in sorted(chosen)]
