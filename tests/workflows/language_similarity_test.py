"""Weights of sources by their languages' similarity, and the mean that they give."""

import numpy as np
import pytest
from scipy.special import softmax

from tests import tiny_world
from zsl_jax.data.predictions.source_predictions import SourcePredictions
from zsl_jax.training.config import TrainConfig
from zsl_jax.workflows.language_similarity import (
    SimilarityTraining,
    _learned,
    sentence_vectors,
    shares_of_languages,
    similarity_weights,
    weighted_mean,
)
from zsl_jax.workflows.loaded_tagger import load_tagger

CENTRES = np.array([[4.0, 0, 0, 0], [0, 4.0, 0, 0], [0, 0, 4.0, 0]])


def sentences_of(languages, seed=0):
    rng = np.random.default_rng(seed)
    return CENTRES[languages] + rng.normal(0, 1, (len(languages), 4))


def test_the_nearest_language_weighs_most():
    languages = np.repeat(np.arange(3), 50)
    for near in range(3):
        target = 0.7 * CENTRES[near] + 0.3 * CENTRES[(near + 1) % 3] + sentences_of([near] * 40) / 4
        shares = shares_of_languages(sentences_of(languages), languages, target, seed=1)
        assert shares.sum() == pytest.approx(1.0) and shares.argmax() == near
        assert shares.argmin() == (near + 2) % 3


def test_the_gradient_step_is_that_of_the_objective():
    """The first step of Adam moves each parameter by the rate, against the numerical gradient."""
    languages, rate, gamma = np.array([0, 1, 2, 1]), 1e-3, 0.5
    vectors = sentences_of(languages)
    start = _learned(vectors, languages, 0, SimilarityTraining(2, 0, rate, gamma))
    after = _learned(vectors, languages, 0, SimilarityTraining(2, 1, rate, gamma))

    def objective(matrix, embeddings):
        probs = softmax(vectors @ matrix @ embeddings.T, axis=1)
        apart = embeddings @ embeddings.T - np.eye(3)
        return -np.log(probs[np.arange(4), languages]).mean() + gamma * (apart**2).sum()

    for place in (0, 1):
        for index in np.ndindex(start[place].shape):
            moved = [array.astype(np.float64) for array in start]
            before = objective(*moved)
            moved[place][index] += 1e-5
            slope = (objective(*moved) - before) / 1e-5
            step = after[place][index] - start[place][index]
            if abs(slope) > 1e-3:
                assert step == pytest.approx(-np.sign(slope) * rate, rel=1e-3)


def test_a_sentence_is_the_mean_of_its_hidden_states(world, tmp_path):
    tagger = load_tagger(world.encoder)
    text = tiny_world.sentences(4, 3)
    config = TrainConfig(row_length=32)
    together = sentence_vectors(tagger, text, config, tmp_path)
    alone = [sentence_vectors(tagger, [sentence], config, tmp_path)[0] for sentence in text]
    assert together.shape == (3, 16) and len(list(tmp_path.iterdir())) == 4
    np.testing.assert_allclose(together, alone, atol=2e-2)
    texts = {"one": text, "two": tiny_world.sentences(5, 4)}
    weights = similarity_weights(str(world.encoder), texts, text, config, tmp_path)
    assert weights.shape == (2,) and weights.sum() == pytest.approx(1.0)
    assert similarity_weights(
        str(world.encoder), {"one": text}, text, config, tmp_path
    ).tolist() == [1.0]


def test_the_weighted_mean_aligns_labels_and_leaves_abstaining_sources_out():
    words = [("a", "b"), ("c",)]
    first = SourcePredictions(
        ("X", "Y"), np.array([0, 1, -1]), np.array([[0.9, 0.1], [0.2, 0.8], [0, 0]], "f2"), words
    )
    second = SourcePredictions(("Y", "Z"), np.array([0, 1, -1]), None, words)
    mixed = weighted_mean({"first": first, "second": second}, np.array([0.25, 0.75]))
    assert mixed.label_names == ("X", "Y", "Z")
    expected = [[0.225, 0.775, 0], [0.05, 0.2, 0.75], [0, 0, 0]]
    np.testing.assert_allclose(mixed.probs, expected, atol=1e-3)
    assert mixed.labels.tolist() == [1, 2, -1]
    alone = weighted_mean(
        {"first": first, "silent": second._replace(labels=np.full(3, -1))}, np.array([0.25, 0.75])
    )
    np.testing.assert_allclose(alone.probs[:2], [[0.9, 0.1, 0], [0.2, 0.8, 0]], atol=1e-3)
