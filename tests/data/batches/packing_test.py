"""Tests of zsl_jax.data.batches.packing."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.real_data import corpus
from zsl_jax.data.batches.packing import POOL, PackedBatches, SideBySide, pack_rows, rows_for_words
from zsl_jax.data.batches.subwords import Windows
from zsl_jax.data.text.readers import read_sentences
from zsl_jax.errors import InputError

SETTINGS = settings(max_examples=40, deadline=None)
ROW = 16
window_lengths = st.lists(st.integers(1, ROW), max_size=60)
seeds = st.one_of(st.none(), st.integers(0, 2**32))


def generator(seed):
    return None if seed is None else np.random.default_rng(seed)


def make_windows(lengths):
    """Windows whose subwords are numbered through; each has a word at every third subword."""
    offsets = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64)
    total = int(offsets[-1])
    inside = np.arange(total) - np.repeat(offsets[:-1], lengths)
    starts = inside % 3 == 0
    word_ids = np.where(starts, np.cumsum(starts) - 1, -1).astype(np.int32)
    token_ids = np.arange(1, total + 1, dtype=np.int32)
    return Windows(token_ids, word_ids, offsets, int(starts.sum()), len(lengths))


def fill(lengths, plan, row_length):
    return sum(lengths) / (plan.num_rows * row_length)


@SETTINGS
@given(window_lengths, seeds)
def test_every_window_once_and_no_row_too_long(lengths, seed):
    plan = pack_rows(np.array(lengths, int), ROW, generator(seed))
    assert sorted(plan.window_ids.tolist()) == list(range(len(lengths)))
    rows = np.split(plan.window_ids, plan.offsets[1:-1]) if lengths else []
    assert len(rows) == plan.num_rows
    sums = [sum(lengths[window] for window in row) for row in rows]
    assert all(0 < total <= ROW for total in sums)
    # Best fit never leaves two rows that are half empty or less filled.
    assert sum(total <= ROW // 2 for total in sums) <= 1


@SETTINGS
@given(window_lengths, seeds, st.integers(1, 5))
def test_batches_hold_every_window_once_in_one_shape(lengths, seed, rows_per_batch):
    windows = make_windows(lengths)
    packed = PackedBatches(windows, ROW, rows_per_batch, generator(seed))
    batches = list(packed)
    assert len(batches) == len(packed)
    seen_words, seen_tokens, empty_rows = [], [], []
    for batch in batches:
        for array in batch:
            assert array.shape == (rows_per_batch, ROW) and array.dtype == np.int32
        for tokens, positions, segments, word_ids in zip(*batch, strict=True):
            empty_rows.append(not segments.any())
            padding = segments == 0
            assert (word_ids[padding] == -1).all() and not tokens[padding].any()
            assert not positions[padding].any()
            assert not padding[: ROW - padding.sum()].any()  # padding stands behind
            assert sorted(set(segments[~padding])) == list(range(1, segments.max() + 1))
            for segment in range(1, segments.max() + 1):
                (places,) = np.nonzero(segments == segment)
                window = int(np.searchsorted(windows.offsets, tokens[places[0]] - 1))
                inside = slice(windows.offsets[window], windows.offsets[window + 1])
                assert tokens[places].tolist() == windows.token_ids[inside].tolist()
                assert word_ids[places].tolist() == windows.word_ids[inside].tolist()
                assert positions[places].tolist() == list(range(lengths[window]))
                assert places.tolist() == list(range(places[0], places[-1] + 1))
            seen_words += word_ids[word_ids >= 0].tolist()
            seen_tokens += tokens[~padding].tolist()
    assert sorted(seen_words) == list(range(windows.num_words))
    assert sorted(seen_tokens) == windows.token_ids.tolist()
    num_empty = sum(empty_rows)
    assert num_empty < rows_per_batch and not any(empty_rows[: len(empty_rows) - num_empty])


@SETTINGS
@given(window_lengths, seeds)
def test_the_same_generator_gives_the_same_batches(lengths, seed):
    windows = make_windows(lengths)
    packed = PackedBatches(windows, ROW, 2, generator(seed))
    for other in (packed, PackedBatches(windows, ROW, 2, generator(seed))):
        for first, second in zip(packed, other, strict=True):
            assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_prediction_follows_the_order_of_the_corpus():
    lengths = np.random.default_rng(0).integers(1, ROW + 1, 4 * POOL)
    plan = pack_rows(lengths, ROW, None)
    rows = np.repeat(np.arange(plan.num_rows), np.diff(plan.offsets))
    by_pool = [np.median(rows[plan.window_ids // POOL == pool]) for pool in range(4)]
    assert (np.diff(by_pool) > plan.num_rows / 8).all()


def test_epochs_mix_the_sentences():
    lengths = np.random.default_rng(0).integers(4, 60, 2000)
    plans = [pack_rows(lengths, 128, np.random.default_rng([7, epoch])) for epoch in range(3)]
    partners = []
    for plan in plans:
        rows = np.repeat(np.arange(plan.num_rows), np.diff(plan.offsets))
        assert abs(np.corrcoef(rows, plan.window_ids)[0, 1]) < 0.1
        assert abs(np.corrcoef(rows, lengths[plan.window_ids])[0, 1]) < 0.1
        groups = np.split(plan.window_ids, plan.offsets[1:-1])
        partners.append(
            {frozenset((a, b)) for group in groups for a in group for b in group if a < b}
        )
    for first, second in ((0, 1), (1, 2), (0, 2)):
        shared = len(partners[first] & partners[second]) / len(partners[first])
        assert shared < 0.02  # the same plan in both epochs would be 1


def test_windows_longer_than_a_row():
    with pytest.raises(InputError, match="row of 16 subwords cannot hold a window of 17"):
        PackedBatches(make_windows([3, 17]), ROW, 2)


def test_rows_for_words():
    assert rows_for_words(num_rows=90, num_words=450, batch_words=50) == 10
    assert rows_for_words(90, 450, 1) == 1
    assert rows_for_words(90, 450, 10**6) == 90
    assert rows_for_words(0, 0, 50) == 1
    windows = make_windows([15] * 90)  # one window of five words fills a row
    full = PackedBatches(windows, ROW, 10)[0]
    assert (full.word_ids >= 0).sum() == 50


@SETTINGS
@given(
    st.lists(window_lengths, min_size=1, max_size=3), seeds, st.integers(1, 3), st.integers(1, 4)
)
def test_parts_side_by_side_hold_every_word_of_the_whole_once(lengths, seed, rows, multiple):
    windows = [make_windows(part) for part in lengths]
    parts = [PackedBatches(part, ROW, rows, generator(seed)) for part in windows]
    words = [part.num_words for part in windows]
    length = max(map(len, parts)) + 1
    whole = SideBySide(parts, words, length, multiple)
    assert len(whole) == length
    seen, first_words = [], np.cumsum([0, *words])
    for index in range(length):
        batch = whole[index]
        assert len(batch.token_ids) % multiple == 0
        assert len(batch.token_ids) - len(parts) * rows < multiple
        assert all(array.dtype == np.int32 for array in batch)
        seen += batch.word_ids[batch.word_ids >= 0].tolist()
        for number, part in enumerate(parts):
            own = slice(number * rows, (number + 1) * rows)
            np.testing.assert_array_equal(batch.token_ids[own], part[index].token_ids)
            placed = batch.word_ids[own][batch.word_ids[own] >= 0]
            assert ((placed >= first_words[number]) & (placed < first_words[number + 1])).all()
    assert sorted(seen) == list(range(sum(words)))


@pytest.mark.parametrize("row_length", [128, 256])
@pytest.mark.parametrize("seed", [None, 0])
def test_short_sentences_fill_the_rows(row_length, seed):
    lengths = np.random.default_rng(1).geometric(1 / 21, 20_000).clip(3, 128)
    started = time.perf_counter()
    plan = pack_rows(lengths, row_length, generator(seed))
    assert len(lengths) / (time.perf_counter() - started) > 20_000  # windows a second, ample margin
    assert fill(lengths, plan, row_length) >= 0.98


@pytest.mark.parametrize("row_length", [128, 256])
@pytest.mark.parametrize("name", ["pos/fi/train.conllu", "pos/hi/train.conllu", "ner/zh/dev.conll"])
def test_real_sentences_fill_the_rows(name, row_length):
    sentences = read_sentences(corpus(name))
    # About as many subwords as a multilingual tokenizer makes: a third more than words, and two.
    lengths = [min(len(sentence.words) * 4 // 3 + 2, row_length) for sentence in sentences]
    for rng in (None, np.random.default_rng(0)):
        assert fill(lengths, pack_rows(np.array(lengths), row_length, rng), row_length) >= 0.95
