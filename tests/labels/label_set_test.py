"""Tests of zsl_jax.labels.label_set."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities

from zsl_jax.errors import InputError
from zsl_jax.labels import LabelSet, Span, entity_spans, is_bio

BIO = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-A-B", "I-A-B"]
bio_sentences = st.lists(st.sampled_from(BIO), max_size=12)


def test_bio_labels_are_ordered_by_type_and_o_is_first():
    scheme = LabelSet.from_labels([["I-PER", "B-PER"], ["O", "I-LOC", "B-LOC", "B-ORG"]])
    assert scheme.names == ("O", "B-LOC", "I-LOC", "B-ORG", "B-PER", "I-PER")
    assert scheme.size == 6


def test_plain_tags_are_sorted():
    assert LabelSet.from_labels([["VERB", "NOUN"], ["ADJ"]]).names == ("ADJ", "NOUN", "VERB")
    assert LabelSet.from_labels([["V", "O", "A"]]).names == ("O", "A", "V")
    assert LabelSet.from_labels([]).names == ()


@settings(max_examples=40, deadline=None)
@given(st.lists(bio_sentences, max_size=5), st.randoms())
def test_order_does_not_depend_on_the_order_of_the_text(sentences, random):
    shuffled = [random.sample(labels, len(labels)) for labels in sentences]
    random.shuffle(shuffled)
    assert LabelSet.from_labels(shuffled) == LabelSet.from_labels(sentences)


@settings(max_examples=40, deadline=None)
@given(bio_sentences)
def test_decode_inverts_encode(labels):
    scheme = LabelSet.from_labels([labels])
    ids = scheme.encode(labels, where="file a.conll")
    assert ids.dtype == np.int32
    assert scheme.decode(ids) == tuple(labels)
    assert [scheme.ids[label] for label in labels] == ids.tolist()


def test_unknown_label_is_named():
    with pytest.raises(InputError, match=r"file a\.conll.*'B-GPE'.*O, B-PER"):
        LabelSet(("O", "B-PER")).encode(["O", "B-GPE"], where="file a.conll")


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["O"], True),
        (["I-X"], True),
        (["O", "B-PER", "I-PER"], True),
        ([], False),
        (["O", "NOUN"], False),
        (["B-"], False),
        (["O", "E-PER"], False),
        (["B"], False),
    ],
)
def test_is_bio(names, expected):
    assert is_bio(names) is expected


def test_spans_equal_those_found_by_hand():
    assert entity_spans(["O", "O"]) == []
    assert entity_spans(["B-PER", "I-PER", "I-LOC", "B-LOC", "I-LOC"]) == [
        Span("PER", 0, 2),
        Span("LOC", 2, 3),
        Span("LOC", 3, 5),
    ]
    assert entity_spans(["NOUN", "I-PER"]) == [Span("PER", 1, 2)]
    assert entity_spans(["B-", "I-", "B", "I"]) == []


@settings(max_examples=50, deadline=None)
@given(bio_sentences)
def test_spans_are_those_of_seqeval(labels):
    ours = [(span.type, span.start, span.end - 1) for span in entity_spans(labels)]
    assert ours == get_entities(labels)


@settings(max_examples=50, deadline=None)
@given(bio_sentences)
def test_every_label_but_o_is_in_exactly_one_span(labels):
    covered = [
        position for span in entity_spans(labels) for position in range(span.start, span.end)
    ]
    assert covered == [position for position, label in enumerate(labels) if label != "O"]
