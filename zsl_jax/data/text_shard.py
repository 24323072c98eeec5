"""The shard of a text that one process of a run has."""

from collections.abc import Sequence
from typing import NamedTuple

from zsl_jax.data.sampling import sampled_places
from zsl_jax.data.shards import Shard
from zsl_jax.data.text.compact_text import CompactText
from zsl_jax.types import Sentence


class TextShard(NamedTuple):
    """Some sentences of a text of one or many files.

    Attributes:
      sentences: The sentences.
      shard: Which of the text they are, or of the sample, where one was drawn.
      num_files: Files of the text.
      by_file: All sentences of each of the shard's files, from which `sentences` were taken; None
        where these are all.
      sampled: Where the sentences of the sample are among those of `by_file` together; None where
        none was drawn.
    """

    sentences: Sequence[Sentence]
    shard: Shard = Shard((0,), 0, 1)
    num_files: int = 1
    by_file: Sequence[Sequence[Sentence]] | None = None
    sampled: Sequence[int] | None = None


def shard_of_text(
    by_file: Sequence[Sequence[Sentence]],
    shard: Shard,
    num_files: int,
    max_sentences: int | None = None,
    seed: int = 0,
    candidates: Sequence[int] | None = None,
) -> TextShard:
    """A shard of a text, or of a random sample of it.

    Args:
      by_file: The sentences of each of the shard's files.
      shard: Which of them; where a sample is drawn, its files are all of the text's.
      num_files: Files of the text.
      max_sentences: That many random sentences; None for all.
      seed: Of the sample.
      candidates: The places of the sentences that may be taken, such as those with labels; None for
        all.
    """
    sentences = CompactText.joined(map(CompactText.of, by_file))
    total = len(sentences) if candidates is None else len(candidates)
    places = sampled_places(total, max_sentences, seed)
    if candidates is not None:
        places = [candidates[place] for place in places or range(total)]
    if places is not None:
        sentences = sentences.take(places)
    return TextShard(shard.of_sentences(sentences), shard, num_files, by_file, places)
