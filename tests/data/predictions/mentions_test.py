"""Mentions without offsets: whole words first, then the next free place."""

import json

import pytest

from zsl_jax.data.predictions.prediction_files import read_predictions
from zsl_jax.types import Sentence


def labels(tmp_path, words, mentions, gap=" "):
    """The labels of the words, where mentions are (text, label) pairs or spans."""
    entities = [m if isinstance(m, dict) else {"text": m[0], "label": m[1]} for m in mentions]
    path = tmp_path / "a.jsonl"
    line = {"text": gap.join(words), "entities": entities}
    path.write_text(json.dumps(line), encoding="utf-8")
    made = read_predictions(path, [Sentence(tuple(words))])
    return [made.label_names[label] for label in made.labels], made.about


@pytest.mark.parametrize(
    ("text", "mentions", "expected"),
    [
        ("Iranian envoys left Iran", [("Iran", "LOC")], "O O O B-LOC"),
        ("Also Al sang", [("Al", "PER")], "O B-PER O"),
        ("राजा राज आए", [("राज", "PER")], "O B-PER O"),  # a vowel sign continues a word
        (
            "Paris Hilton loves Paris",
            [("Paris", "LOC"), ("Paris Hilton", "PER")],
            "B-PER I-PER O B-LOC",
        ),
        ("Rio and Rome and Rio", [("Rome", "A"), ("Rio", "B")], "O O B-A O B-B"),
        ("Rio and Rio", [("Rio", "A"), ("Rio", "B")], "B-A O B-B"),
        ("in Iranian papers", [("Iran", "LOC")], "O B-LOC O"),  # whole nowhere, most of the word
        ("so Rome, again", [("Rome", "LOC")], "O B-LOC O"),  # a comma ends the word
        ("Al-Azhar and Al", [("Al", "PER")], "O O B-PER"),  # our word before a part of one
        ("New York City and New York", [("New  York", "A"), ("New York City", "B")],
         "B-B I-B I-B O B-A I-A"),
        ("Rome saw Rome", [{"start": 0, "end": 4, "label": "A"}, ("Rome", "B")], "B-A O B-B"),
    ],
)  # fmt: skip
def test_places_by_hand(tmp_path, text, mentions, expected):
    found, about = labels(tmp_path, text.split(), mentions)
    assert " ".join(found) == expected
    assert about["lost_mentions"] == 0 and "lost_examples" not in about


def test_our_words_are_whole_words_where_the_script_has_no_spaces(tmp_path):
    words = ["南京", "市", "在", "京"]
    assert labels(tmp_path, words, [("京", "LOC")], gap="")[0] == ["O", "O", "O", "B-LOC"]


def test_a_mention_whose_whole_words_are_taken_is_lost_rather_than_put_inside_one(tmp_path):
    found, about = labels(tmp_path, ["Also", "Al", "sang"], [("Al", "PER"), ("Al", "PER")])
    assert found == ["O", "B-PER", "O"]
    assert about["lost_mentions"] == 1 and about["spans"] == 1
    assert about["lost_examples"] == "line 1: 'Al' (PER)"
