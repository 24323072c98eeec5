"""From words to windows of subwords, with exactly one place for every word.

A window is what the encoder reads at once: special tokens around a sentence, or around a part of a
sentence that is too long. Windows are kept as CSR arrays over the whole corpus.
"""

import itertools
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int

from zsl_jax.data.batches.windows import Spans, cumulative, cut_sentences, ranges
from zsl_jax.data.text.chunks import chunks_of
from zsl_jax.errors import InputError

KEPT_WORDS = 1 << 18  # distinct words, some 50 MB
ENCODED_AT_ONCE = 1 << 14  # sentences


class Windows(NamedTuple):
    """All windows of a corpus, one after the other; window m is `offsets[m]:offsets[m + 1]`.

    Attributes:
      token_ids: [T] int32, subword ids including the special tokens.
      word_ids: [T] int32, flat id of the word whose first subword stands here, in the window where
        this word has most context; -1 everywhere else. Every word id occurs exactly once.
      offsets: [M+1] int64, where the windows begin; M windows in the order of the sentences.
      num_words: Number of words, N.
      num_sentences: Number of sentences.
    """

    token_ids: Int[np.ndarray, " T"]
    word_ids: Int[np.ndarray, " T"]
    offsets: Int[np.ndarray, " M+1"]
    num_words: int
    num_sentences: int

    @property
    def lengths(self) -> Int[np.ndarray, " M"]:
        """[M], number of subwords of each window."""
        return np.diff(self.offsets)


class SubwordEncoder:
    """Cuts words into subwords and sentences into windows, for one text after another.

    The ids are those of `tokenizer(words, is_split_into_words=True)`. Three things differ, so that
    every word has its place: a word that the tokenizer turns into nothing is the unknown token; a
    sentence that is too long is read in windows that overlap by half, each word predicted in the
    one where the smaller of its two contexts is largest; a single word longer than a window is cut.

    Words given one by one are cut independently of each other, so a distinct word is cut once, and
    up to `KEPT_WORDS` of them are kept for the texts to come.
    """

    def __init__(self, tokenizer: Any, max_length: int):
        """Prepares a tokenizer.

        Args:
          tokenizer: A fast Hugging Face tokenizer (one with a `backend_tokenizer`).
          max_length: Most subwords of a window, the special tokens included.

        Raises:
          InputError: The tokenizer cannot be used here, or `max_length` leaves no room for a word.
        """
        self._backend = _backend(tokenizer)
        self._unknown_id = tokenizer.unk_token_id
        self._prefix, self._suffix = _special_tokens(self._backend)
        self._room = max_length - len(self._prefix) - len(self._suffix)
        if self._room < 1:
            raise InputError(
                f"a window of {max_length} subwords has no room for a word; enlarge it"
            )
        self._forget()

    def encode(self, sentences_words: Sequence[Sequence[str]]) -> Windows:
        """The windows of a text; its words are numbered through from 0 in the order given.

        Args:
          sentences_words: The words of each sentence.

        Raises:
          InputError: There is neither a subword nor an unknown token for a word.
        """
        words = list(itertools.chain.from_iterable(sentences_words))
        ids, starts = self._encode_flat(words)
        sentence_lengths = np.fromiter(map(len, sentences_words), int, len(sentences_words))
        spans = cut_sentences(sentence_lengths, starts, self._room)
        arrays = _assemble(ids, starts, spans, self._prefix, self._suffix)
        windows = Windows(*arrays, len(words), len(sentences_words))
        placed = windows.word_ids[windows.word_ids >= 0]
        assert np.array_equal(np.sort(placed), np.arange(len(words))), "each word has one place"
        return windows

    def _forget(self) -> None:
        self._kinds: dict[str, int] = {}  # distinct words, numbered
        self._kind_ids = np.zeros(0, np.int32)  # their subwords, one after the other
        self._kind_starts = np.zeros(1, np.int64)

    def _encode_flat(
        self, words: Sequence[str]
    ) -> tuple[Int[np.ndarray, " T"], Int[np.ndarray, " N+1"]]:
        """Subwords of all words, [T], and where each word's begin, [N+1]."""
        if len(self._kinds) > KEPT_WORDS:
            self._forget()
        kinds = np.fromiter(map(self._kinds.get, words, itertools.repeat(-1)), int, len(words))
        new = np.flatnonzero(kinds < 0).tolist()
        if new:
            self._learn(list(dict.fromkeys(words[place] for place in new)))
            kinds[new] = [self._kinds[words[place]] for place in new]
        starts = cumulative(np.diff(self._kind_starts)[kinds])
        return self._kind_ids[ranges(self._kind_starts[kinds], np.diff(starts))], starts

    def _learn(self, words: Sequence[str]) -> None:
        """Cuts words that have not been met before."""
        encodings = self._backend.encode_batch(
            [[word] for word in words], is_pretokenized=True, add_special_tokens=False
        )
        pieces = [encoding.ids[: self._room] or [self._unknown_id] for encoding in encodings]
        if self._unknown_id is None and [None] in pieces:
            word = words[pieces.index([None])]
            raise InputError(
                f"the tokenizer has neither a subword for {word!r} nor an unknown token"
            )
        flat = itertools.chain.from_iterable(pieces)
        new_ids = np.fromiter(flat, np.int32)
        ends = self._kind_starts[-1] + cumulative([len(piece) for piece in pieces])[1:]
        self._kind_ids = np.concatenate([self._kind_ids, new_ids])
        self._kind_starts = np.concatenate([self._kind_starts, ends])
        self._kinds.update(zip(words, itertools.count(len(self._kinds))))


def encode_words(
    sentences_words: Iterable[Sequence[str]], tokenizer: Any, max_length: int
) -> Windows:
    """`SubwordEncoder.encode` of one text, of which a block is in memory as words at a time."""
    encoder = SubwordEncoder(tokenizer, max_length)
    blocks = chunks_of(sentences_words, ENCODED_AT_ONCE)
    return _joined([encoder.encode(block) for block in blocks] or [encoder.encode([])])


def _joined(parts: Sequence[Windows]) -> Windows:
    """The windows of one text after the other."""
    words = cumulative([part.num_words for part in parts])
    subwords = cumulative([len(part.token_ids) for part in parts])
    word_ids = [
        np.where(part.word_ids < 0, part.word_ids, part.word_ids + np.int32(first))
        for part, first in zip(parts, words, strict=False)
    ]
    ends = [part.offsets[1:] + first for part, first in zip(parts, subwords, strict=False)]
    return Windows(
        np.concatenate([part.token_ids for part in parts]),
        np.concatenate(word_ids),
        np.concatenate([np.zeros(1, np.int64), *ends]),
        int(words[-1]),
        sum(part.num_sentences for part in parts),
    )


def _backend(tokenizer: Any) -> Any:
    """The Rust tokenizer behind a fast tokenizer, set to neither cut nor pad."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise InputError(
            f"{type(tokenizer).__name__} is not a fast tokenizer; use one with a tokenizer.json"
        )
    if getattr(backend.pre_tokenizer, "add_prefix_space", True) is False:
        raise InputError(
            "the tokenizer joins words that are given one by one; "
            "load it with add_prefix_space=True"
        )
    backend.no_truncation()
    backend.no_padding()
    return backend


def _special_tokens(backend: Any) -> tuple[list[int], list[int]]:
    """The ids that the tokenizer puts before and behind a sentence."""
    encoding = backend.encode(["a"], is_pretokenized=True, add_special_tokens=True)
    inside = [at for at, word in enumerate(encoding.word_ids) if word is not None]
    return encoding.ids[: inside[0]], encoding.ids[inside[-1] + 1 :]


def _assemble(
    ids: Int[np.ndarray, " T"],
    starts: Int[np.ndarray, " N+1"],
    spans: Spans,
    prefix: Sequence[int],
    suffix: Sequence[int],
) -> tuple[Int[np.ndarray, " T"], Int[np.ndarray, " T"], Int[np.ndarray, " M+1"]]:
    """Token ids, word ids and offsets of the windows, special tokens included."""
    first = np.full(len(ids), -1, np.int32)
    first[starts[:-1]] = np.arange(len(starts) - 1)
    inner = starts[spans.end] - starts[spans.begin]
    source = ranges(starts[spans.begin], inner)
    offsets = cumulative(inner + len(prefix) + len(suffix))
    target = ranges(offsets[:-1] + len(prefix), inner)
    window = np.repeat(np.arange(len(inner)), inner)
    word_here = first[source]
    owned = (word_here >= 0) & (spans.owner[word_here] == window)
    token_ids = np.empty(offsets[-1], np.int32)
    word_ids = np.full(offsets[-1], -1, np.int32)
    for at, token in enumerate(prefix):
        token_ids[offsets[:-1] + at] = token
    for at, token in enumerate(reversed(suffix), start=1):
        token_ids[offsets[1:] - at] = token
    token_ids[target] = ids[source]
    word_ids[target] = np.where(owned, word_here, -1)
    return token_ids, word_ids, offsets
