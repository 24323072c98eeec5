"""Tests of zsl_jax.labels.transitions."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.labels.schemes import flat, sentences_of_spans, write_spans
from zsl_jax.labels import allowed_transitions, to_bio

BIO = ("O", "B-X", "I-X", "B-Y", "I-Y")
BIOES = (*BIO, "E-X", "S-X")


def is_allowed(names, labels):
    mask = allowed_transitions(names)
    ids = [names.index(label) for label in labels]
    if not ids:
        return True
    follow = all(mask.follow[pair] for pair in itertools.pairwise(ids))
    return bool(mask.start[ids[0]] and mask.end[ids[-1]] and follow)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(BIO), max_size=5), st.booleans())
def test_bio_is_allowed_if_nothing_needs_repair(labels, bioes):
    if bioes:  # then an unclosed B-Y or I-Y is never allowed: there is no E-Y
        labels = [label.replace("-Y", "-X") for label in labels]
    names = BIOES if bioes else BIO
    starts = flat([labels])[2]
    ids = np.array([names.index(label) for label in labels], np.int32)
    found = to_bio(names, ids, starts)
    expected = found.repairs == 0 and found.scheme != "iob1"
    assert is_allowed(names, labels) == expected


@settings(max_examples=60, deadline=None)
@given(sentences_of_spans(), st.sampled_from(["bio", "bioes", "bilou", "bmewo", "io"]))
def test_valid_sequences_are_allowed(sentences, scheme):
    labels = [write_spans(spans, length, scheme) for spans, length in sentences]
    names = flat(labels)[0]
    assert all(is_allowed(names, sentence) for sentence in labels)


def test_plain_labels_follow_each_other_freely():
    assert all(mask.all() for mask in allowed_transitions(["NOUN", "VERB", "O"]))
