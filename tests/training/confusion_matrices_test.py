import numpy as np
import pytest

from zsl_jax.labels import SILENT, LabelSet, SourceLabels
from zsl_jax.training.config import JointWeights, LabelModelConfig
from zsl_jax.training.confusion_matrices import starting_confusion
from zsl_jax.training.e_step import label_posterior
from zsl_jax.types import SourceVotes

K = 3
LABELS = np.array([[2, 0], [1, 1]], np.int32)
CAN_MEAN = np.stack([np.eye(3, dtype=bool), np.diag([True, True, False])])


def probs_of(labels):
    probs = np.full((*labels.shape, K), 0.05, np.float32)
    np.put_along_axis(probs, labels[..., None], 0.9, axis=-1)
    probs[:, 1, 2] = 0.0
    return probs / probs.sum(-1, keepdims=True)


@pytest.mark.parametrize("soft", [True, False])
def test_a_source_without_a_label_is_not_evidence_against_it(soft):
    config = LabelModelConfig(tau_fixed=10.0)
    evidence = probs_of(LABELS) if soft else LABELS
    uniform = np.full((2, K), -np.log(K), np.float32)

    def inferred(compatible):
        log_fixed, _ = starting_confusion(config, SourceVotes(LABELS, None, compatible), K)
        return label_posterior(JointWeights(), uniform, evidence, log_fixed).posterior

    assert inferred(CAN_MEAN)[0].argmax() == 2  # the one source that has label 2 says so
    assert inferred(CAN_MEAN)[1].argmax() == 1
    vetoed = inferred(None)[0]
    assert vetoed[2] < 0.6 < inferred(CAN_MEAN)[0, 2]


def test_columns_of_the_start_are_distributions_and_uniform_where_a_label_is_missing():
    votes = SourceVotes(LABELS, None, CAN_MEAN)
    config = LabelModelConfig(tau_fixed=4.0, tau_trainable=2.0)
    log_fixed, logits = starting_confusion(config, votes, K)
    np.testing.assert_allclose(np.exp(log_fixed).sum(axis=1), 1.0, rtol=1e-6)
    np.testing.assert_allclose(np.exp(log_fixed[1, :, 2]), [1 / 2, 1 / 2, 0], rtol=1e-6)
    assert (np.exp(log_fixed[1, 2]) == 0).all()  # a label that the source does not have
    diagonal = np.exp(4.0) / (np.exp(4.0) + K - 1)
    np.testing.assert_allclose(np.exp(np.diagonal(log_fixed[0])), diagonal, rtol=1e-5)
    np.testing.assert_array_equal(logits[1, :, 2], [0, 0, -np.inf])
    np.testing.assert_array_equal(np.diagonal(logits[0]), np.full(K, 2.0))


def test_dawid_skene_start_is_learned_from_the_votes():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, K, 3000)
    swapped = np.array([1, 0, 2])[truth]
    labels = np.stack([truth, truth, truth, swapped], 1).astype(np.int32)
    config = LabelModelConfig(confusion_init="dawid_skene")
    _, logits = starting_confusion(config, SourceVotes(labels, None), K)
    np.testing.assert_allclose(np.exp(logits[3])[[1, 0, 2], [0, 1, 2]], 1.0, atol=0.01)


@pytest.mark.parametrize("init", ["tau", "dawid_skene"])
def test_a_source_never_starts_with_labels_that_only_other_sources_have(init):
    """Such as the silence of a sparse source, by which prediction knows that it is sparse."""
    sources = SourceLabels.of(LabelSet(("O", "B-X", "I-X")), {SILENT: ("O",)})
    rng = np.random.default_rng(0)
    labels = np.stack([rng.choice([1, 3], 200), rng.integers(0, 3, 200)], 1).astype(np.int32)
    present = [("O", "B-X", SILENT), ("O", "B-X", "I-X")]
    compatible = np.stack([sources.compatible(names) for names in present])
    votes = SourceVotes(labels, None, compatible, sources.first_targets, silent=sources.silent)
    _, logits = starting_confusion(LabelModelConfig(confusion_init=init), votes, K)
    lacks = np.array([[False, False, True, False], [False, False, False, True]])
    np.testing.assert_array_equal(np.isneginf(logits), np.repeat(lacks[..., None], K, axis=2))
