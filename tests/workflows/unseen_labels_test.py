"""Tests of zsl_jax.workflows.unseen_labels."""

import numpy as np
import pytest

from zsl_jax.data.predictions.source_predictions import SourcePredictions
from zsl_jax.errors import InputError
from zsl_jax.labels import LabelSet, SourceLabels
from zsl_jax.workflows.unseen_labels import with_unseen_labels

ALPHABET = SourceLabels.of(LabelSet(("O", "B-X", "I-X")), {"either": ("B-X", "I-X")})
WORDS = (("a", "b", "c", "d"),)
NAMES = ("B-Y", "either", "O")


def said(labels, probs=None):
    table = None if probs is None else np.array(probs, np.float16)
    return SourcePredictions(NAMES, np.array(labels, np.int32), table, WORDS)


def test_labels_unknown_in_training_abstain(caplog):
    with caplog.at_level("WARNING", "absl"):
        made = with_unseen_labels(said([0, 1, 2, -1]), ALPHABET, "en")
    assert made.label_names == ("either", "O") and made.labels.tolist() == [-1, 0, 1, -1]
    assert "the source en abstains from 1 words: no source gave B-Y in training" in caplog.text


def test_probabilities_of_known_labels_sum_to_one_again(caplog):
    probs = [[0.5, 0.25, 0.25], [0.2, 0.6, 0.2], [1, 0, 0], [0, 0, 0]]
    made = with_unseen_labels(said([0, 1, 2, -1], probs), ALPHABET, "en")
    assert made.labels.tolist() == [-1, 0, -1, -1]  # the third has nothing for its own label
    np.testing.assert_allclose(made.probs, [[0, 0], [0.75, 0.25], [0, 0], [0, 0]], atol=1e-3)
    assert made.probs.dtype == np.float16
    caplog.clear()
    with_unseen_labels(said([1, 1, 2, -1]), ALPHABET, "en")
    assert not caplog.text


def test_known_labels_stay_as_they_are_and_none_at_all_is_an_error():
    known = said([0, 1, 2, -1])._replace(label_names=("B-X", "either", "O"))
    assert with_unseen_labels(known, ALPHABET, "en") is known
    other = said([0, 1, 0, 1])._replace(label_names=("NOUN", "VERB"))
    with pytest.raises(InputError, match=r"source en has the labels NOUN, VERB, and none .* known"):
        with_unseen_labels(other, ALPHABET, "en")
