"""Tests of zsl_jax.labels.conversion."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval.scheme import IOBES, Entities

from tests.labels.schemes import SCHEMES, flat, sentences_of_spans, unflat, write_spans
from zsl_jax.labels import (
    bio_probs,
    entity_spans,
    faulty_entities,
    is_bio,
    merge_columns,
    to_bio,
)

few = settings(max_examples=60, deadline=None)
ANY = ["O", "_", "B-X", "I-X", "B-Y", "I-Y", "E-X", "S-X", "E-Y", "S-Y"]
PLAIN = ["O", "NOUN", "VERB", "_"]
alphabets = st.sampled_from([ANY, ANY[:6], ["O", "_", "I-X", "I-Y"], PLAIN])


@st.composite
def any_labels(draw):
    words = st.lists(st.sampled_from(draw(alphabets)), max_size=6)
    return draw(st.lists(words, max_size=4))


def converted(sentences):
    names, ids, starts = flat(sentences)
    found = to_bio(names, ids, starts)
    return found, unflat(found.names, found.ids, sentences)


@few
@given(sentences_of_spans(), st.sampled_from(SCHEMES))
def test_entities_of_valid_labels_stay(sentences, scheme):
    if scheme == "io":  # which cannot tell two entities that touch
        sentences = [(spans[:1], length) for spans, length in sentences]
    labels = [write_spans(spans, length, scheme) for spans, length in sentences]
    found, bio = converted(labels)
    assert [entity_spans(names) for names in bio] == [spans for spans, _ in sentences]
    assert bio == [write_spans(spans, length, "bio") for spans, length in sentences]
    assert found.repairs == 0


@few
@given(sentences_of_spans(touching=False))
def test_io_keeps_entities_that_do_not_touch(sentences):
    labels = [write_spans(spans, length, "io") for spans, length in sentences]
    assert [entity_spans(names) for names in converted(labels)[1]] == [s for s, _ in sentences]


@few
@given(any_labels())
def test_anything_becomes_bio_or_stays_plain_and_a_second_time_changes_nothing(sentences):
    found, labels = converted(sentences)
    given_labels = {label for names in sentences for label in names} - {"_"}
    assert [len(names) for names in labels] == [len(names) for names in sentences]
    gaps = [[label == "_" for label in names] for names in sentences]
    assert gaps == [[label == "_" for label in names] for names in labels]
    if found.scheme == "plain":
        assert labels == sentences and found.repairs == 0
        return
    assert is_bio(found.names) or not given_labels
    for names in labels:
        for place, label in enumerate(names):
            if label.startswith("I-"):
                assert place and (names[place - 1][1:] == label[1:] or names[place - 1] == "_")
    again, same = converted(labels)
    assert same == labels and again.repairs == 0


@few
@given(any_labels())
def test_one_hot_probabilities_follow_the_labels(sentences):
    names, ids, starts = flat(sentences)
    found = to_bio(names, ids, starts)
    one_hot = np.eye(len(names) + 1, dtype=np.float16)[ids, :-1]
    expected = np.eye(len(found.names) + 1, dtype=np.float16)[found.ids, :-1]
    np.testing.assert_array_equal(bio_probs(one_hot, found), expected)


@few
@given(any_labels(), st.integers(0, 9))
def test_probabilities_sum_to_what_they_did(sentences, seed):
    names, ids, starts = flat(sentences)
    if not names:
        return
    probs = np.random.default_rng(seed).dirichlet(np.ones(len(names)), len(ids))
    made = bio_probs(probs.astype(np.float32), to_bio(names, ids, starts))
    np.testing.assert_allclose(made.sum(1), 1, atol=1e-5)


@pytest.mark.parametrize(
    ("labels", "expected", "repairs"),
    [
        ("I-X I-X O B-Y I-X", "B-X I-X O B-Y B-X", 2),
        ("B-X I-X _ I-X", "B-X I-X _ I-X", 0),  # which the word without a label may have begun
        ("B-X _ I-X O I-X", "B-X _ I-X O B-X", 1),
        ("_ I-X O _ O", "_ I-X O _ O", 0),  # no IO
        ("_ I-X O I-X _", "_ B-X O B-X _", 0),  # IO
        ("B-X E-X _ E-X B-X _", "B-X I-X _ I-X B-X _", 0),
        ("B-X E-X E-X", "B-X I-X B-X", 1),
        ("S-X I-X E-X O", "B-X B-X I-X O", 1),
        ("B-X O S-X", "B-X O B-X", 1),  # never closed
        ("I-X B-X I-X", "B-X B-X I-X", 0),  # IOB1
    ],
)
def test_repairs_equal_those_made_by_hand(labels, expected, repairs):
    found, made = converted([labels.split()])
    assert made == [expected.split()] and found.repairs == repairs


def test_valid_bio_and_plain_labels_keep_their_order_of_names():
    for names in (("I-X", "O", "B-X"), ("VERB", "ADJ")):
        found = to_bio(names, np.array([1, 1, -1]), np.array([True, False, False]))
        assert found.names == names and found.ids.tolist() == [1, 1, -1]
        assert found.columns.tolist() == list(range(len(names)))


def test_probabilities_of_bioes_are_summed_by_hand():
    names = ("O", "B-X", "I-X", "E-X", "S-X")
    probs = np.array([[0.1, 0.2, 0.1, 0.1, 0.5], [0.4, 0.1, 0.3, 0.2, 0]], np.float32)
    found = to_bio(names, np.array([4, 0]), np.array([True, False]))
    assert found.names == ("O", "B-X", "I-X")
    np.testing.assert_allclose(bio_probs(probs, found), [[0.1, 0.7, 0.2], [0.4, 0.1, 0.5]])


def test_probabilities_of_io_begin_an_entity_unless_the_word_before_is_in_one():
    probs = np.array([[0.2, 0.7, 0.1], [0.3, 0.5, 0.2], [0.9, 0.1, 0], [0.6, 0.4, 0]], np.float32)
    starts = np.array([True, False, False, False])
    found = to_bio(("O", "I-X", "I-Y"), np.array([1, 1, 0, -1]), starts)
    assert found.names == ("O", "B-X", "I-X", "B-Y", "I-Y")
    expected = [
        [0.2, 0.7, 0, 0.1, 0],
        [0.3, 0, 0.5, 0.2, 0],
        [0.9, 0, 0.1, 0, 0],
        [0.6, 0.4, 0, 0, 0],
    ]
    np.testing.assert_allclose(bio_probs(probs, found), expected)


def test_probabilities_of_bio_move_for_repaired_labels_only():
    probs = np.array([[0.2, 0.3, 0.5], [0.6, 0.1, 0.3]], np.float32)
    starts = np.array([True, True])
    found = to_bio(("O", "B-X", "I-X"), np.array([2, 0]), starts)
    assert found.scheme == "iob1"
    found = to_bio(("O", "B-X", "I-X"), np.array([2, 1]), starts)
    assert (found.scheme, found.repairs) == ("bio", 1)
    np.testing.assert_allclose(bio_probs(probs, found), [[0.2, 0.8, 0], [0.6, 0.1, 0.3]])


def test_columns_can_be_left_out():
    merged = merge_columns(np.array([[1.0, 2, 4]]), np.array([1, -1, 1]), 2)
    assert merged.tolist() == [[0, 5]]


@few
@given(st.lists(st.lists(st.sampled_from([n for n in ANY if n != "_"]), max_size=8), max_size=4))
def test_faulty_entities_are_those_that_seqeval_does_not_find_in_bioes(sentences):
    sentences = [*sentences, ["S-X"], ["B-Y", "I-Y", "E-Y"]]  # all letters occur
    found = {
        (entity.sent_id, entity.start, entity.end)
        for sentence in Entities(sentences, IOBES).entities
        for entity in sentence
    }
    names, ids, starts = flat(sentences)
    marks = unflat(("no", "faulty"), faulty_entities(names, ids, starts).astype(int), sentences)
    _, bio = converted(sentences)
    valid = {
        (number, span.start, span.end)
        for number, labels in enumerate(bio)
        for span in entity_spans(labels)
        if marks[number][span.start] == "no"
    }
    assert valid == found
    assert sum(labels.count("faulty") for labels in marks) == sum(
        len(entity_spans(labels)) for labels in bio
    ) - len(found)


def test_a_word_without_a_label_may_begin_or_close_an_entity():
    sentences = [["_", "E-X"], ["B-X", "_"], ["B-X"], ["O", "E-X"], ["S-X", "B-X", "I-X"]]
    names, ids, starts = flat(sentences)
    marked = unflat(("", "faulty"), faulty_entities(names, ids, starts).astype(int), sentences)
    assert marked == [["", ""], ["", ""], ["faulty"], ["", "faulty"], ["", "faulty", ""]]
