"""Tests of zsl_jax.labels.schemes."""

import numpy as np
import pytest

from tests.labels.schemes import flat
from zsl_jax.labels import TaggingScheme, label_parts, recognise, sentence_starts


@pytest.mark.parametrize(
    ("names", "scheme"),
    [
        ("O B-PER I-PER", "bio"),
        ("O B-PER", "bio"),
        ("O", "bio"),
        ("O I-PER I-LOC", "io"),
        ("O B-PER I-PER E-PER S-PER", "bioes"),
        ("O B-PER I-PER L-PER U-PER", "bioes"),
        ("O B-PER M-PER E-PER W-PER", "bioes"),
        ("B-PER M-PER E-PER S-PER O", "bioes"),
        ("O S-PER", "bioes"),
        ("O B-PER I-PER L-PER W-PER", "plain"),
        ("O PER LOC", "plain"),
        ("NOUN VERB", "plain"),
        ("O B-PER NOUN", "plain"),
        ("O B-", "plain"),
        ("O BPER IPER", "plain"),
        ("", "plain"),
    ],
)
def test_names_tell_the_scheme(names, scheme):
    assert label_parts(names.split()).scheme == scheme


def test_parts_have_a_place_for_no_label():
    parts = label_parts(["U-LOC", "O", "L-A-B", "B-LOC"])
    assert parts.letters.tolist() == ["S", "", "E", "B", ""]
    assert parts.types.tolist() == [1, -1, 0, 1, -1]
    assert parts.type_names == ("A-B", "LOC")


@pytest.mark.parametrize(
    ("sentences", "scheme"),
    [
        (["I-X I-X O I-X B-X"], "iob1"),
        (["O I-X", "B-X I-X"], "bio"),  # one starts with I-X, another with B-X
        (["B-X I-X O B-X"], "bio"),
        (["B-X B-X I-X"], "bio"),
        (["I-X I-Y", "O I-Y B-Y"], "iob1"),
        (["I-X B-Y"], "bio"),  # a B-X after another type is not of IOB1
        (["O B-X", "I-X O"], "bio"),  # entities do not reach over the end of a sentence
        (["I-X O I-X"], "io"),
        (["O O"], "bio"),
    ],
)
def test_labels_tell_iob1_from_bio(sentences, scheme):
    names, ids, starts = flat([labels.split() for labels in sentences])
    assert recognise(label_parts(names), ids, starts) is TaggingScheme(scheme)


def test_starts_of_sentences_some_of_them_empty():
    assert sentence_starts([0, 2, 0, 1, 0]).tolist() == [True, False, True]
    assert sentence_starts([]).dtype == bool
    np.testing.assert_array_equal(sentence_starts([0, 0]), np.zeros(0, bool))
