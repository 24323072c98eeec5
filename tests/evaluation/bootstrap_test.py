import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.evaluation.corpora import BIO, TAGS, corpora
from zsl_jax.evaluation import bootstrap, metrics
from zsl_jax.evaluation.bootstrap import Resampling

few = settings(max_examples=30, deadline=None)
FEW = Resampling(num_resamples=20, seed=3)
differences = hnp.arrays(np.float64, st.integers(1, 30), elements=st.integers(-3, 3))


def planted(num_sentences, share, seed):
    """[B, 3], counts of sentences of one word that is right with a given probability."""
    right = np.random.default_rng(seed).random(num_sentences) < share
    return np.stack([right, np.ones_like(right), np.ones_like(right)], axis=1).astype(np.int64)


@few
@given(st.one_of(corpora(BIO), corpora(TAGS)))
def test_a_resample_has_exactly_the_score_of_the_sentences_it_draws(corpus):
    gold, predicted = corpus
    task = metrics.score(gold, predicted)["task"]
    counts = metrics.sentence_counts(gold, predicted, task)
    found = bootstrap.resampled_scores(counts[None], FEW)
    (drawn,) = bootstrap._drawn(len(gold), FEW)
    for times, score in zip(drawn.astype(int), found[0], strict=True):
        sample = np.repeat(np.arange(len(gold)), times).tolist()
        assert len(sample) == len(gold)
        texts = [[side[number] for number in sample] for side in corpus]
        assert score == metrics.score(*texts, task)["score"]


def test_all_files_are_resampled_alike_and_in_any_blocks(monkeypatch):
    counts = np.stack([planted(50, 0.7, 0), planted(50, 0.4, 1), planted(50, 0.7, 0)])
    found = bootstrap.resampled_scores(counts, FEW)
    assert found.shape == (3, 20) and (found[0] == found[2]).all()
    assert (found[1] == bootstrap.resampled_scores(counts[1:2], FEW)).all()
    monkeypatch.setattr(bootstrap, "DRAWN_AT_ONCE", 150)
    assert (bootstrap.resampled_scores(counts, FEW) == found).all()
    assert (bootstrap.resampled_scores(counts, FEW._replace(seed=4)) != found).any()


@few
@given(
    st.tuples(*[st.integers(0, 9)] * 3).map(lambda c: (min(c), *c[1:])),
    st.integers(1, 40),
    st.floats(0.5, 0.999),
)
def test_equal_sentences_leave_no_doubt(counts, num_sentences, confidence):
    repeated = np.tile(counts, (1, num_sentences, 1))
    value = float(bootstrap.f1_from_counts(repeated.sum(axis=1))[0])
    resampled = bootstrap.resampled_scores(repeated, FEW)
    assert bootstrap.percentile_interval(value, resampled[0], confidence) == (value,) * 3


def test_the_spread_of_accuracy_is_that_of_the_binomial_distribution():
    counts = planted(400, 0.8, 5)
    share = counts[:, 0].mean()
    (resampled,) = bootstrap.resampled_scores(counts[None], Resampling(10_000))
    assert resampled.mean() == pytest.approx(share, abs=1e-3)
    deviation = np.sqrt(share * (1 - share) / 400)
    assert resampled.std() == pytest.approx(deviation, rel=0.03)
    interval = bootstrap.percentile_interval(share, resampled, 0.95)
    assert interval.low == pytest.approx(share - 1.96 * deviation, abs=0.2 * deviation)
    assert interval.high == pytest.approx(share + 1.96 * deviation, abs=0.2 * deviation)


def test_a_higher_confidence_widens_the_interval():
    (resampled,) = bootstrap.resampled_scores(planted(40, 0.5, 0)[None], Resampling(500))
    narrow, wide = (bootstrap.percentile_interval(0.5, resampled, c) for c in (0.5, 0.99))
    assert wide.low < narrow.low < narrow.high < wide.high


@few
@given(differences, st.floats(0.5, 0.999))
def test_swapped_sides_negate_the_difference_and_keep_p(found, confidence):
    there = bootstrap.paired_test(1.0, found, confidence)
    back = bootstrap.paired_test(-1.0, -found, confidence)
    assert there.p_value == back.p_value and 0 < there.p_value <= 1
    value, low, high = there.difference
    assert back.difference == pytest.approx((-value, -high, -low), abs=1e-9)


def test_p_value_equals_that_computed_by_hand():
    def p(*found):
        return bootstrap.paired_test(0.0, np.array(found), 0.95).p_value

    assert p(1.0, 2.0, 3.0) == pytest.approx(2 / 4)
    assert p(*[1.0] * 99) == pytest.approx(2 / 100)
    assert p(*[1.0] * 97, -1.0, 0.0) == pytest.approx(2 * 3 / 100)
    assert p(*[0.0] * 99) == 1.0
    assert p(*[1e-17] * 99) == 1.0  # rounding in the mean of several files


def test_a_clear_difference_is_found_and_noise_is_not():
    better, worse, other = planted(300, 0.9, 0), planted(300, 0.7, 1), planted(300, 0.7, 2)
    scores = bootstrap.resampled_scores(np.stack([better, worse, other]), Resampling(2_000))
    clear = bootstrap.paired_test(0.2, scores[0] - scores[1], 0.95)
    assert clear.p_value < 0.01 and clear.difference.low > 0
    noise = bootstrap.paired_test(0.0, scores[1] - scores[2], 0.95)
    assert noise.p_value > 0.05 and noise.difference.low < 0 < noise.difference.high


def test_paired_resamples_of_like_files_are_surer_than_unpaired_ones():
    first = planted(300, 0.7, 1)
    second = first.copy()
    second[np.flatnonzero(first[:, 0] == 0)[:6], 0] = 1
    scores = bootstrap.resampled_scores(np.stack([second, first]), Resampling(2_000))
    assert bootstrap.paired_test(0.02, scores[0] - scores[1], 0.95).difference.low > 0
    (apart,) = bootstrap.resampled_scores(first[None], Resampling(2_000, seed=1))
    assert bootstrap.paired_test(0.02, scores[0] - apart, 0.95).difference.low < 0
