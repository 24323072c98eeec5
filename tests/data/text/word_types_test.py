import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zsl_jax.data.text.word_types import (
    ENTITY_SUFFIXES,
    TAG_SUFFIXES,
    type_names,
    word_shape,
    word_types,
)
from zsl_jax.errors import InputError

SENTENCES = [["The", "CEO", "sleeps"], [], ["the", "ceo", "slept", "!"], ["The", "4th"]]


@pytest.mark.parametrize(
    ("word", "shape"),
    [
        ("UNO", "A"), ("U", "X"), ("U.S.", "A"), ("Rome", "X"), ("McX", "X"), ("eat", "x"),
        ("iOS", "x"), ("B2B", "dA"), ("Covid19", "dX"), ("x2", "dx"), ("1990", "dp"), ("!", "p"),
        ("-1", "dp"), ("'s", "p"), ("", "p"), ("Éa", "X"), ("ÉCOLE", "A"), ("наш", "x"),
        ("Наш", "X"), ("中文", "x"), ("٣", "dp"), ("²", "dp"),
    ],
)  # fmt: skip
def test_shape(word, shape):
    assert word_shape(word) == shape


def test_names_go_from_shape_to_form():
    assert type_names("Running") == ("X", "X ing", "running")
    assert type_names("IT") == ("A", "A it", "it")
    assert type_names("x") == ("x", "x x", "x")
    assert type_names("Eating", TAG_SUFFIXES) == ("X", "X g", "X ng", "X ing", "X ting", "eating")


def test_the_capital_of_a_word_that_opens_a_sentence_is_a_shape_of_its_own():
    assert type_names("Rome", opens=True) == ("^X", "^X ome", "rome")
    assert type_names("B4b", opens=True) == ("^dX", "^dX b4b", "b4b")
    for word in ("rome", "ROME", "1990", "!", "", "中文"):
        assert type_names(word, opens=True) == type_names(word)


def test_a_sentence_is_opened_by_its_first_word_with_a_letter():
    sentences = [["«", "1990", "The", "The"], ["!", "7"], ["U", "U"], ["the", "The"]]
    found = word_types(sentences)
    shapes = [found.names[0][key] for key in found.keys[:, 0]]
    assert shapes == ["p", "dp", "^X", "X", "p", "dp", "^X", "X", "x", "X"]
    assert len(set(found.keys[[2, 3, 8, 9], 2])) == 1  # one form


def test_a_word_that_opens_a_sentence_may_have_the_number_of_the_key_inside_sentences():
    inside = word_types([["a", "The", "Rome"]])
    assert word_types([["The"], ["Come"]], inside.names).keys.tolist() == [[1, 1, 1], [1, 2, -1]]
    opening = word_types([["The"]])
    assert word_types([["a", "The"]], opening.names).keys.tolist() == [[-1, -1, -1], [-1, -1, 0]]


def test_words_with_one_key_share_its_number():
    found = word_types(SENTENCES)
    assert found.names[0] == ("^X", "A", "x", "p", "dp")
    shapes_and_suffixes = "^X the,A ceo,x eps,x the,x ceo,x ept,p !,dp 4th"
    assert found.names[1] == tuple(shapes_and_suffixes.split(","))
    assert found.names[2] == ("the", "ceo", "sleeps", "slept", "!", "4th")
    assert found.keys.T.tolist() == [
        [0, 1, 2, 2, 2, 2, 3, 0, 4],
        [0, 1, 2, 3, 4, 5, 6, 0, 7],
        [0, 1, 2, 0, 1, 3, 4, 0, 5],
    ]
    assert found.keys.dtype == np.int32


def test_keys_of_another_text_have_the_numbers_of_the_first_or_none():
    first = word_types(SENTENCES)
    other = word_types([["Sleeps", "CEO"], ["walks", "?"]], first.names)
    assert other.names == first.names  # nothing is added
    assert other.keys.tolist() == [[0, -1, 2], [1, 1, 1], [2, -1, -1], [3, -1, -1]]


def test_names_of_another_text_tell_the_suffixes():
    for suffixes in (TAG_SUFFIXES, ENTITY_SUFFIXES):
        found = word_types(SENTENCES, suffixes=suffixes)
        again = word_types(SENTENCES[:1], found.names)
        np.testing.assert_array_equal(again.keys, found.keys[: len(SENTENCES[0])])
        assert again.keys.shape[1] == len(suffixes) + 2


def test_no_words_have_no_keys():
    for sentences in ([], [[], []]):
        found = word_types(sentences)
        assert found.keys.shape == (0, 3) and found.names == ((), (), ())
        known = word_types(sentences, [["X"], ["X the"], ["the"]])
        assert known.keys.shape == (0, 3)
    assert (word_types(SENTENCES, [(), (), ()]).keys == -1).all()


@given(st.lists(st.lists(st.text(max_size=6), max_size=5), max_size=5))
def test_every_key_is_the_place_of_the_words_name(sentences):
    found = word_types(sentences)
    words = [word for sentence in sentences for word in sentence]
    for word, keys in zip(words, found.keys, strict=True):
        names = tuple(level[key] for level, key in zip(found.names, keys, strict=True))
        assert names in (type_names(word), type_names(word, opens=True))
    assert all(len(set(level)) == len(level) for level in found.names)
    np.testing.assert_array_equal(word_types(sentences, found.names).keys, found.keys)


def test_keys_of_an_unknown_number_of_levels_are_refused():
    with pytest.raises(InputError, match="at 2 levels, not 3 or 6; train it again"):
        word_types([["Go"]], names=(("X",), ("go",)))
