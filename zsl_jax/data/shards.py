"""How a text of one or many files is dealt out to the processes of a run."""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

Item = TypeVar("Item")


class Shard(NamedTuple):
    """Some of a text's files, and every n-th of their sentences.

    Attributes:
      files: Places of the files in the list of all.
      first: The first sentence, counted over these files.
      step: From one sentence to the next.
    """

    files: tuple[int, ...]
    first: int
    step: int

    def of_files(self, files: Sequence[Item]) -> list[Item]:
        """The files of this shard."""
        return [files[place] for place in self.files]

    def of_sentences(self, sentences: Sequence[Item]) -> Sequence[Item]:
        """The sentences of this shard, from all of its files together."""
        return sentences[self.first :: self.step]


def shard_files(num_files: int, num_shards: int) -> list[Shard]:
    """Whole files to each shard in turn; sentences in turn where there are too few files.

    Args:
      num_files: Files of the text.
      num_shards: Shards wanted.

    Returns:
      The shards; every sentence is in exactly one.

    >>> shard_files(3, 2)
    [Shard(files=(0, 2), first=0, step=1), Shard(files=(1,), first=0, step=1)]
    >>> shard_files(1, 2)
    [Shard(files=(0,), first=0, step=2), Shard(files=(0,), first=1, step=2)]
    """
    if num_files >= num_shards:
        return [Shard(tuple(range(i, num_files, num_shards)), 0, 1) for i in range(num_shards)]
    return [Shard(tuple(range(num_files)), i, num_shards) for i in range(num_shards)]
