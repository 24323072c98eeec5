import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.labels.schemes import SCHEMES, flat, sentences_of_spans, write_spans
from tests.real_data import corpus
from zsl_jax.data.predictions.source_predictions import SourcePredictions
from zsl_jax.data.predictions.to_bio import bio_predictions, bio_sentences, reading_line
from zsl_jax.data.text.readers import read_sentences
from zsl_jax.errors import InputError
from zsl_jax.labels import entity_spans, stray_label
from zsl_jax.types import Sentence

few = settings(max_examples=40, deadline=None)


def words_of(labels):
    return tuple(tuple(f"w{place}" for place in range(len(names))) for names in labels)


@few
@given(sentences_of_spans(touching=False), st.sampled_from(SCHEMES))
def test_a_text_becomes_bio_word_by_word(sentences, scheme):
    labels = [write_spans(spans, length, scheme) for spans, length in sentences]
    text = [
        Sentence(words, tuple(names), ("# a comment",))
        for words, names in zip(words_of(labels), labels, strict=True)
    ]
    found, about = bio_sentences(text, "a.conll")
    expected = [write_spans(spans, length, "bio") for spans, length in sentences]
    assert [list(sentence.labels) for sentence in found] == expected
    assert [s._replace(labels=None) for s in found] == [s._replace(labels=None) for s in text]
    assert about["repairs"] == 0


def test_what_was_found_is_told():
    text = [Sentence(("a", "b", "c"), ("B-X", "O", "I-X"))]
    found, about = bio_sentences(text, "a.conll")
    assert found[0].labels == ("B-X", "O", "B-X")
    assert about == {"scheme": "bio", "repairs": 1}
    assert reading_line(about) == "labels read as bio, 1 repaired (conlleval rule)"
    plain, about = bio_sentences([Sentence(("a",), ("NOUN",))], "a.conll")
    unlabelled = [Sentence(("a", "b")), *text]
    assert bio_sentences(unlabelled, "a.conll")[0] == [unlabelled[0], found[0]]
    assert plain[0].labels == ("NOUN",) and reading_line(about) == "labels read as plain"


@few
@given(sentences_of_spans(touching=False), st.sampled_from(SCHEMES), st.booleans())
def test_predictions_become_bio_labels_and_probabilities(sentences, scheme, soft):
    sentences = [([], 1), *sentences]  # at least one word, so that there is a label
    labels = [write_spans(spans, length, scheme) for spans, length in sentences]
    names, ids, _ = flat(labels)
    probs = np.eye(len(names), dtype=np.float16)[ids] if soft else None
    made = bio_predictions(SourcePredictions(names, ids, probs, words_of(labels), {"seed": 1}))
    bio = [name for spans, length in sentences for name in write_spans(spans, length, "bio")]
    assert [made.label_names[label] for label in made.labels] == bio
    assert made.words == words_of(labels)
    assert made.about["seed"] == 1 and made.about["repairs"] == 0
    if soft:
        assert made.probs.dtype == np.float16
        np.testing.assert_array_equal(made.probs.argmax(1), made.labels)
        np.testing.assert_array_equal(made.probs.sum(1), 1)
    else:
        assert made.probs is None


def test_valid_bio_is_not_copied():
    probs = np.array([[0.25, 0.75], [1, 0]], np.float16)
    given_ = SourcePredictions(("B-X", "O"), np.array([1, 0], np.int32), probs, (("a", "b"),))
    made = bio_predictions(given_)
    assert made.probs is probs and made.labels is given_.labels
    assert made.about == {"scheme": "bio", "repairs": 0}


@pytest.mark.parametrize(
    ("name", "repairs"), [("da/train", 6), ("en/test", 0), ("hr/dev", 1), ("zh/test", 0)]
)
def test_real_corpora_keep_their_entities_in_every_scheme(name, repairs):
    text = read_sentences(corpus(f"ner/{name}.conll"))
    bio, about = bio_sentences(text, "a.conll")
    assert about == {"scheme": "bio", "repairs": repairs}
    spans = [entity_spans(sentence.labels) for sentence in text]
    assert [entity_spans(sentence.labels) for sentence in bio] == spans
    for scheme in ("iob1", "bioes", "bilou", "bmewo"):
        written = [
            sentence._replace(labels=tuple(write_spans(own, len(sentence.words), scheme)))
            for sentence, own in zip(bio, spans, strict=True)
        ]
        found, about = bio_sentences(written, "a.conll")
        assert found == bio and about["repairs"] == 0


def test_a_plain_label_among_entities_is_refused_where_it_stands():
    text = [Sentence(("a", "b"), ("B-X", "I-X")), Sentence(("c", "d"), ("O", "X"))]
    with pytest.raises(InputError, match=r"^a\.conll, sentence 2, word 'd': the label 'X' is n"):
        bio_sentences(text, "a.conll")
    names = (
        ("B-X", "NOUN"),
        ("b-X", "B-Y"),
        ("O", "o", "B-X"),
        ("I-X", "O", "Y"),
        ("O", "S-X", "Y"),
    )
    assert [stray_label(own) for own in names] == ["NOUN", "b-X", "o", "Y", "Y"]
    for own in (
        ("NOUN", "O"),
        ("I-X", "NOUN"),
        ("E-X", "Y", "O"),
        ("I-X", "O"),
        ("B-X", "M-X", "L-X"),
        ("B-X", "I-X", "S-Y", "O"),
    ):
        assert stray_label(own) is None


def test_other_spellings_are_read_and_named():
    text = [Sentence(("a", "b", "c"), ("PER-B", "PER-I", "O")), Sentence(("d",))]
    found, about = bio_sentences(text, "a.conll")
    assert [sentence.labels for sentence in found] == [("B-PER", "I-PER", "O"), None]
    assert about == {"scheme": "bio", "repairs": 0, "spelling": "PER-B for B-PER"}
    untyped = [Sentence(("a", "b", "c"), ("B", "I", "O")), Sentence(("d",), ("I",))]
    found, about = bio_sentences(untyped, "a.conll")
    assert found[0].labels == ("B-ENTITY", "I-ENTITY", "O") and found[1].labels == ("B-ENTITY",)
    assert about == {"scheme": "bio", "repairs": 1, "spelling": "B for B-ENTITY"}
    made = SourcePredictions(("O", "B_X", "I_X"), np.array([1, 2]), np.eye(3)[1:], (("a", "b"),))
    turned = bio_predictions(made)
    assert turned.label_names == ("O", "B-X", "I-X") and turned.labels.tolist() == [1, 2]
    np.testing.assert_array_equal(turned.probs, made.probs)
    assert turned.about["spelling"] == "B_X for B-X"
    assert reading_line(turned.about).endswith("; spelling: B_X for B-X")
