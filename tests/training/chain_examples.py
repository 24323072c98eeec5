"""Texts and sources for the reliability-weighted chain, of few shapes, so that little compiles."""

from typing import NamedTuple

import jax
import numpy as np

from tests.kernels import chain_reference
from zsl_jax.data.text.word_types import ENTITY_SUFFIXES, TAG_SUFFIXES, word_types
from zsl_jax.kernels import VoteMeanings
from zsl_jax.training.chain_text import ChainLabels, ChainText

NUM_SOURCES, NUM_LABELS = 5, 4
STEMS = ["wal", "Rom", "NAS", "19", "talk", "ber", "Bo", "x2", "Wien", "fli", "mo"]
SUFFIXES = ["ing", "ING", "son", "ment"]
FORMS = [stem + suffix for stem in STEMS for suffix in SUFFIXES]
EVERY_STEP = np.ones((NUM_LABELS, NUM_LABELS), bool)
# "O", "B-X", "I-X", "B-Y": I-X follows B-X and itself.
BIO_STEPS = np.array([[1, 1, 0, 1], [1, 1, 1, 1], [1, 1, 1, 1], [1, 1, 0, 1]], bool)
BIO_STARTS = np.array([True, True, False, True])


class Example(NamedTuple):
    """A text to fit the label model to and a new one, with what is given about labels."""

    text: chain_reference.Text
    new: chain_reference.Text
    labels: chain_reference.Labels


def square_labels(bio=False, num_sources=NUM_SOURCES):
    identity = np.eye(NUM_LABELS)
    compatible = np.tile(identity > 0, (num_sources, 1, 1))
    if bio:
        return chain_reference.Labels(identity, compatible, BIO_STARTS, BIO_STEPS)
    return chain_reference.Labels(identity, compatible, np.ones(NUM_LABELS, bool), EVERY_STEP)


def rectangular_labels():
    """Two more names, of sets: the first source has these alone, the third lacks a label."""
    stands_for = np.concatenate([np.eye(NUM_LABELS), [[0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5]]])
    compatible = np.tile(stands_for > 0, (NUM_SOURCES, 1, 1))
    compatible[0, :NUM_LABELS] = compatible[1:, NUM_LABELS:] = False
    compatible[2, 3] = False
    return square_labels(bio=True)._replace(stands_for=stands_for, compatible=compatible)


def a_text(rng, labels, num_sentences, unseen=(), abstaining=0.0, gold=0.0):
    """Sentences of 0 to 5 words, whose words tell the labels that the sources blur."""
    lengths = rng.integers(0, 6, num_sentences)
    vocabulary = [*FORMS, *unseen]
    places = rng.integers(0, len(vocabulary), lengths.sum())
    truth = np.where(
        rng.random(len(places)) < 0.8, places % NUM_LABELS, rng.integers(0, NUM_LABELS, len(places))
    )
    sharpness = np.linspace(0.5, 3, NUM_SOURCES)[:, None]
    meant = np.moveaxis(labels.compatible[:, :, truth], 2, 0)  # [N, U, V]
    logits = rng.normal(size=meant.shape) + sharpness * meant
    probs = np.exp(logits) * labels.compatible.any(axis=2)
    probs /= probs.sum(axis=-1, keepdims=True)
    probs[rng.random(probs.shape[:2]) < abstaining] = 0
    if abstaining:
        probs[3::7] = 0  # nobody speaks
    words = [[vocabulary[place] for place in part] for part in np.split(places, lengths.cumsum())]
    given = np.where(rng.random(len(truth)) < gold, truth, -1)
    return chain_reference.Text(words[:-1], probs, given)


def example(seed, labels, **properties):
    rng = np.random.default_rng(seed)
    text = a_text(rng, labels, 60, **properties)
    new = a_text(rng, labels, 20, unseen=("qQ1", "Neu", "("))
    suffixes = TAG_SUFFIXES if labels.may_follow.all() else ENTITY_SUFFIXES
    return Example(text._replace(suffixes=suffixes), new._replace(suffixes=suffixes), labels)


def as_text(text, names=None, hard=False):
    """The text as the code takes it, in the precision in force, and the names of its types."""
    types = word_types(text.sentences, names, text.suffixes)
    votes = text.probs.astype(precise())
    if hard:
        votes = np.where(votes.any(axis=2), votes.argmax(axis=2), -1).astype(np.int32)
    gold = text.gold.astype(np.int32) if (text.gold >= 0).any() else None
    lengths = np.array([len(words) for words in text.sentences])
    return ChainText(votes, lengths, types.keys, gold), types.names


def as_labels(labels):
    meanings = VoteMeanings(labels.stands_for.astype(precise()), labels.compatible)
    return ChainLabels(meanings, labels.may_start, labels.may_follow)


def precise():
    return np.float64 if jax.config.jax_enable_x64 else np.float32
