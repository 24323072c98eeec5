import numpy as np
import pytest

from zsl_jax.data.text.entity_places import entities_of
from zsl_jax.errors import InputError
from zsl_jax.types import Sentence
from zsl_jax.workflows.function_source import predictions_by_function


def test_entities_of_a_function_are_bio():
    text = [Sentence(("Ann", "Lee", "met", "Bo")), Sentence(("in", "Rome")), Sentence(("hm",))]
    spans = [[(0, 2, "PER"), (3, 4, "PER")], [(1, 2, "LOC")], None]
    made = predictions_by_function(lambda _: spans, text, "x")
    names = [made.label_names[label] if label >= 0 else None for label in made.labels]
    assert names == ["B-PER", "I-PER", "O", "B-PER", "O", "B-LOC", None]


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ([["A"]], "one item for each of the 2 sentences"),
        ([["A"], ["A"]], "sentence 2: .* is neither 2 labels nor entities"),
        (
            [["A"], [(0, 3, "X")]],
            "sentence 2: the entity .* is not within its 2 words; give",
        ),
        ([["A"], [(0, 2, "X"), (1, 2, "Y")]], "sentence 2: .* overlaps another one"),
        ((("A", "B"), np.zeros((2, 2))), r"float64 \(2, 2\); give floating-point numbers \(3, 2\)"),
        ([["NOUN"], []], "sentence 2: it has no labels, but others have labels such as NOUN; give"),
        (3, "one item for each"),
        (np.array(3), "one item for each"),
        ({"a": ["A"], "b": ["A", "A"]}, "one item for each"),
        ([["A"], {"A", "B"}], "sentence 2: .* is neither 2 labels nor entities"),
        ("ab", "one item for each"),
        (["A", "XY"], "sentence 1: 'A' is neither 1 labels nor entities"),
        ([["A"], 3], "sentence 2: 3 is neither 2 labels nor entities"),
        ([["A"], ["X", "Y\t"]], "sentence 2: the label .* of 'c' is not a name"),
        ([["A"], [(0, 1, " ")]], "sentence 2: the entity .*: '' is not an entity type; give its"),
        ([["A"], [(0, 1, "_")]], "sentence 2: the entity .*: '_' is not an entity type; give its"),
        ([["A"], [(0, 1, "B-")]], "the entity .*: 'B-' is not an entity type but only the letter"),
        ([["A"], [(0, 1, "O")]], "the entity .*: O is not an entity type; leave out what is not"),
        ((("A", "A"), np.full((3, 2), 0.5)), "the source x: the label name 'A' occurs twice"),
        (("AB", np.full((3, 2), 0.5)), "the source x: the label names are 'AB'; give a list"),
        (
            ((1, 2), np.full((3, 2), 0.5)),
            "the source x: the label name 1 is empty, is not a string",
        ),
        ((("A", "B"), np.full((3, 2), 3e5)), r"x, sentence 1, word 1 \('a'\): .* sum to 6e\+05"),
    ],
)
def test_what_a_function_may_not_return(returned, message):
    text = [Sentence(("a",)), Sentence(("b", "c"))]
    with pytest.raises(InputError, match=message):
        predictions_by_function(lambda _: returned, text, "x")


@pytest.mark.parametrize(
    "form", [iter, tuple, lambda y: np.array(y, object), lambda y: map(iter, y)]
)
def test_what_a_function_returns_may_be_in_any_order_keeping_form(form):
    text = [Sentence(("a",)), Sentence(("b", "c"))]
    made = predictions_by_function(lambda _: form([["A"], ["B", "A"]]), text, "x")
    assert made.label_names == ("A", "B") and made.labels.tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    ("types", "expected"),
    [
        (("B_PER", "I_PER"), ["B-PER", "I-PER", "O"]),
        (("B-PER", "B-PER"), ["B-PER", "B-PER", "O"]),
        (("S-PER", "S-PER"), ["B-PER", "B-PER", "O"]),
        (("E-MAIL", "PER"), ["B-E-MAIL", "B-PER", "O"]),
    ],
)
def test_types_of_entities_are_read_as_those_of_files(types, expected):
    spans = [(0, 1, types[0]), (1, 2, types[1])]
    made = predictions_by_function(lambda _: [spans], [Sentence(("Ann", "Lee", "met"))], "x")
    assert [made.label_names[label] for label in made.labels] == expected


@pytest.mark.parametrize("labels", [["B-X"], ["S-X"], ["O"], [None]])
def test_a_sentence_without_entities_is_outside(labels):
    text = [Sentence(("a",)), Sentence(("b", "c"))]
    made = predictions_by_function(lambda _: [labels, []], text, "x")
    assert [made.label_names[label] for label in made.labels[1:]] == ["O", "O"]


def test_arrays_of_the_labels_of_two_sentences_are_no_probabilities():
    text = [Sentence(("a",)), Sentence(("b", "c"))]
    returned = np.array(["A"]), np.array(["B", "A"])
    assert predictions_by_function(lambda _: returned, text, "x").labels.tolist() == [0, 1, 0]


def test_entities_of_a_tagged_sentence_are_entities_of_a_function():
    text = [Sentence(("Ann", "Lee", "met"))]
    found = entities_of(text[0], ["B-PER", "I-PER", "O"])
    made = predictions_by_function(lambda _: [found], text, "x")
    assert [made.label_names[label] for label in made.labels] == ["B-PER", "I-PER", "O"]


def test_a_function_abstains_by_the_signs_of_files():
    returned = [["_"], np.array(["", "A"])]
    made = predictions_by_function(
        lambda _: returned, [Sentence(("a",)), Sentence(("b", "c"))], "x"
    )
    assert made.label_names == ("A",) and made.labels.tolist() == [-1, -1, 0]
