import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zsl_jax.runtime.blocks import BLOCK_WORDS
from zsl_jax.training.sentence_rows import SHORTEST_ROW, SentenceRows


def assert_holds(lengths):
    """Every word once and in its place; whole sentences; starts where sentences start."""
    blocks = list(SentenceRows(lengths))
    firsts = np.cumsum(lengths, dtype=int) - lengths
    sentence = np.repeat(np.arange(len(lengths)), lengths)
    is_first = np.isin(np.arange(len(sentence)), firsts[np.asarray(lengths, int) > 0])
    seen, rows_of, row_number = [], {}, 0
    for block in blocks:
        assert block.words.shape == block.starts.shape == block.mask.shape
        for words, starts, mask in zip(*block, strict=True):
            kept = words[mask]
            np.testing.assert_array_equal(starts[mask], is_first[kept])
            assert starts[~mask].all() and not words[~mask].any()
            assert not np.any(np.diff(mask.astype(int)) > 0)  # padding is behind
            for word in kept:
                rows_of.setdefault(sentence[word], set()).add(row_number)
            seen.extend(kept)
            row_number += 1
    np.testing.assert_array_equal(seen, np.arange(len(sentence)))
    assert all(len(rows) == 1 for rows in rows_of.values())
    return {block.words.shape for block in blocks}


@given(lengths=st.lists(st.integers(0, 300), max_size=40))
@settings(max_examples=30, deadline=None)
def test_rows_hold_every_word_once_and_whole_sentences(lengths):
    shapes = assert_holds(lengths)
    longest = max([*lengths, SHORTEST_ROW])
    ((_, row_length),) = shapes
    assert longest <= row_length < 2 * longest
    assert row_length & (row_length - 1) == 0


def test_texts_of_all_sizes_have_blocks_of_one_shape():
    rng = np.random.default_rng(0)
    shape = {(BLOCK_WORDS // SHORTEST_ROW, SHORTEST_ROW)}
    for lengths in ([], [0, 0], [1], [128], [128] * 129, rng.integers(0, 60, 2000).tolist()):
        assert assert_holds(lengths) == shape


def test_sentences_share_a_row_until_the_next_does_not_fit():
    (block,) = SentenceRows([100, 28, 1, 127, 2])
    words = [row[mask].tolist() for row, mask in zip(block.words, block.mask, strict=True)]
    assert [len(row) for row in words[:4]] == [128, 128, 2, 0]
    assert np.flatnonzero(block.starts[0]).tolist() == [0, 100]
    assert np.flatnonzero(block.starts[1]).tolist() == [0, 1]
    assert block.starts[3:].all()


@pytest.mark.parametrize("longest", [129, 256, 257, BLOCK_WORDS + 1])
def test_a_long_sentence_makes_rows_longer_and_fewer(longest):
    ((num_rows, row_length),) = assert_holds([3, longest, 5])
    assert row_length == 1 << (longest - 1).bit_length()
    assert num_rows == max(1, BLOCK_WORDS // row_length)


def test_an_empty_text_is_one_block_of_padding():
    for lengths in ([], np.zeros(0, int), [0]):
        (block,) = SentenceRows(lengths)
        assert not block.mask.any() and block.starts.all() and not block.words.any()
