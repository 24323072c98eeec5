"""Sentences in Arrow arrays: equal to those that were put in, with little memory."""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.arrow_memory import held_bytes
from zsl_jax.data.text import compact_text
from zsl_jax.data.text.compact_text import CompactText, CompactWords
from zsl_jax.types import Sentence

WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\t"), min_size=1)
SHORT = st.lists(WORDS, max_size=4).map(tuple)
SENTENCES = st.builds(
    Sentence,
    SHORT,
    st.none() | SHORT,
    st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=2).map(tuple),
    st.none() | st.text(st.characters(exclude_categories=["Cs"])),
    st.none() | st.lists(st.integers(0, 99), max_size=3).map(tuple),
)
TEXT = [Sentence((f"w{n}", "is", "täglich"), None, (f"# {n}",)) for n in range(9)]


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(compact_text, "_DECODED_AT_ONCE", 4)


@settings(max_examples=60, deadline=None)
@given(st.lists(SENTENCES, max_size=9), st.slices(9))
def test_sentences_are_those_that_were_put_in(sentences, part):
    text = CompactText.of(iter(sentences))
    assert list(text) == sentences and text == sentences
    assert list(text[part]) == sentences[part]
    assert list(text.words) == [sentence.words for sentence in sentences]
    assert text.words.lengths.tolist() == [len(sentence.words) for sentence in sentences]
    assert CompactWords.of(sentence.words for sentence in sentences) == text.words


@settings(max_examples=40, deadline=None)
@given(st.lists(SHORT, max_size=9))
def test_lists_of_arrow_give_their_words(sentences):
    for kind in (pa.list_(pa.string()), pa.large_list(pa.dictionary(pa.int8(), pa.string()))):
        words = CompactWords.of_lists(pa.array(sentences, kind))
        assert list(words) == sentences
        assert words.flat.to_pylist() == [word for sentence in sentences for word in sentence]


@pytest.mark.parametrize("words", [["a", ""], ["a\tb"], [None]])
def test_what_is_not_a_word_is_refused(words):
    with pytest.raises(ValueError, match="null, empty, or has a tab"):
        CompactWords.of_lists(pa.array([["a"], words], pa.list_(pa.string())))


def test_places_count_from_both_ends():
    text = CompactText.of(TEXT)
    assert [text[0], text[8], text[-1], text[-9]] == [TEXT[0], TEXT[8], TEXT[8], TEXT[0]]
    for place in (9, -10):
        with pytest.raises(IndexError):
            text[place]
    assert list(text.take([7, 0, 7])) == [TEXT[7], TEXT[0], TEXT[7]]


def test_other_texts_are_not_equal():
    text = CompactText.of(TEXT)
    for other in (TEXT[:8], TEXT[::-1], [*TEXT[:8], TEXT[8]._replace(comments=())], "text", None):
        assert text != other
        assert not isinstance(other, list) or text != CompactText.of(other)


def test_words_of_one_sentence_are_not_those_of_two():
    one, two = CompactWords.of([("a", "b"), ("c",)]), CompactWords.of([("a",), ("b", "c")])
    assert one != two and one != CompactWords.of([("a", "b", "c")])


def test_parts_and_words_share_the_memory_of_the_text():
    text = CompactText.of(TEXT)
    before = held_bytes()
    kept = [CompactText.of(text), text[2:7], text.words, CompactText.joined([text, text[:3]])]
    assert held_bytes(before) <= before
    assert list(kept[-1]) == TEXT + TEXT[:3]


def test_a_word_costs_its_bytes_and_one_more():
    words = [f"w{number:05}" for number in range(2_000)]
    before = held_bytes()
    kept = CompactText.of(Sentence(tuple(words)) for _ in range(20))
    assert len(kept) == 20
    assert held_bytes() - before < 7.2 * 20 * len(words)
