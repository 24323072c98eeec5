import numpy as np
import pytest

from zsl_jax.data.batches.subwords import Windows
from zsl_jax.errors import InputError
from zsl_jax.training.config import TransferConfig
from zsl_jax.training.config_choices import Approach
from zsl_jax.types import SourceVotes
from zsl_jax.workflows.chain_model import evidence_of
from zsl_jax.workflows.fixed_targets import fixed_target, repeated

LABELS = np.array([[0, 1, 1], [2, 0, -1], [-1, -1, -1]], np.int32)
PROBS = np.array(
    [
        [[0.8, 0.1, 0.1], [0.3, 0.6, 0.1], [0.1, 0.8, 0.1]],
        [[0.4, 0.1, 0.5], [0.5, 0.3, 0.2], [0.0, 0.0, 0.0]],
        [[0.0, 0.0, 0.0]] * 3,
    ],
    np.float32,
)
VOTES = SourceVotes(LABELS, PROBS)


def target(approach: Approach, predictions: str = "soft", votes: SourceVotes = VOTES):
    return fixed_target(votes, 3, TransferConfig(approach=approach, predictions=predictions))


def test_vote_breaks_ties_by_probability_and_leaves_out_words_without_votes():
    np.testing.assert_array_equal(target(Approach.HARD_VOTE), [[0, 1, 0], [1, 0, 0], [0, 0, 0]])
    without = target(Approach.HARD_VOTE, "hard", VOTES._replace(probs=None))
    np.testing.assert_array_equal(without[1], [0, 0, 1])  # the first source decides


def test_cat_is_every_source_in_turn():
    made = target(Approach.HARD_CAT)
    assert made.shape == (9, 3)
    np.testing.assert_array_equal(made[3:6], [[0, 1, 0], [1, 0, 0], [0, 0, 0]])


def test_distillation_is_the_mean_of_those_who_speak():
    np.testing.assert_allclose(
        target(Approach.KD), [[0.4, 0.5, 0.1], [0.45, 0.2, 0.35], [0, 0, 0]], atol=1e-6
    )
    hard = target(Approach.KD, "hard")
    np.testing.assert_allclose(hard[:2], [[1 / 3, 2 / 3, 0], [0.5, 0, 0.5]], atol=1e-6)


def test_hard_takes_one_source_and_labels_alone_are_their_own_soft_evidence():
    with pytest.raises(InputError, match="hard_vote"):
        target(Approach.HARD)
    one = VOTES._replace(labels=LABELS[:, :1])
    np.testing.assert_array_equal(target(Approach.HARD, "hard", one)[0], [1, 0, 0])
    labels = VOTES._replace(probs=None)
    for predictions in ("soft", "hard"):
        assert evidence_of(labels, predictions) is labels.labels
    np.testing.assert_array_equal(
        target(Approach.KD, "soft", labels), target(Approach.KD, "hard", labels)
    )


def test_copies_of_a_text_have_words_of_their_own():
    windows = Windows(
        token_ids=np.array([1, 7, 2, 1, 8, 9, 2], np.int32),
        word_ids=np.array([-1, 0, -1, -1, 1, 2, -1], np.int32),
        offsets=np.array([0, 3, 7]),
        num_words=3,
        num_sentences=2,
    )
    made = repeated(windows, 3)
    assert sorted(made.word_ids[made.word_ids >= 0].tolist()) == list(range(9))
    np.testing.assert_array_equal(made.offsets, [0, 3, 7, 10, 14, 17, 21])
    np.testing.assert_array_equal(made.token_ids[14:17], [1, 7, 2])
    np.testing.assert_array_equal(made.word_ids[14:17], [-1, 6, -1])
