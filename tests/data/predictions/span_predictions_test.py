import gzip
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.labels.schemes import sentences_of_spans, write_spans
from zsl_jax.data.predictions.prediction_files import read_predictions
from zsl_jax.errors import InputError
from zsl_jax.types import Sentence

TEXT = [Sentence(("Anna", "Maria", "lives", "in", "São", "Paulo", ".")), Sentence(("Rain", "!"))]
RAW = ["Anna Maria lives in São Paulo.", "Rain!"]
LABELS = ["B-PER", "I-PER", "O", "O", "B-LOC", "I-LOC", "O"]


def write(path, *lines):
    path.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    return path


def names_of(made):
    return [made.label_names[label] if label >= 0 else None for label in made.labels]


def read_first(path, spans, key="spans"):
    """What is made of spans in the first sentence."""
    made = read_predictions(write(path, *lines_of(spans, key)), TEXT)
    return made, names_of(made)[: len(LABELS)]


def lines_of(spans, key="spans"):
    return {"text": RAW[0], key: spans}, {"text": RAW[1], key: []}


@pytest.mark.parametrize(
    ("key", "spans"),
    [
        (
            "spans",
            [{"start": 0, "end": 10, "label": "PER"}, {"start": 20, "end": 29, "label": "LOC"}],
        ),
        (
            "ents",
            [{"start": 20, "end": 29, "label": "LOC"}, {"start": 0, "end": 10, "label": "PER"}],
        ),
        ("entities", [[0, 10, "PER"], [20, 29, "LOC"]]),
        (
            "entities",
            [
                {"entity_group": "PER", "word": "anna maria", "start": 0, "end": 10},
                {"entity_group": "LOC", "word": "sao paulo", "start": 20, "end": 29},
            ],
        ),
        (
            "spans",
            [
                {"entity_type": "PER", "start": 0, "end": 10, "analysis_explanation": None},
                {"entity_type": "LOC", "start": 20, "end": 29},
            ],
        ),
        (
            "entities",
            [
                {"text": "Anna Maria", "start": 0, "end": 10, "label": "PER"},
                {"text": "São  Paulo", "start": 20, "end": 29, "label": "LOC"},
            ],
        ),
        ("entities", [{"text": "Anna Maria", "type": "PER"}, {"word": "São Paulo", "type": "LOC"}]),
        ("entities", [{"text": "São Paulo", "type": "LOC"}, {"text": "Anna Maria", "type": "PER"}]),
    ],
)
def test_what_other_programs_write(tmp_path, key, spans):
    made, labels = read_first(tmp_path / "a.jsonl", spans, key)
    assert labels == LABELS and made.probs is None
    assert names_of(made)[len(LABELS) :] == ["O", "O"]
    assert made.label_names == ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")
    assert made.words == tuple(sentence.words for sentence in TEXT)
    counts = {"partial_words": 0, "overlapping_spans": 0, "unplaced_spans": 0, "lost_mentions": 0}
    assert made.about == {"spans": 2, **counts}


def test_scores_become_probabilities_if_all_spans_have_one(tmp_path):
    spans = [
        {"start": 0, "end": 10, "label": "PER", "score": 0.75},
        {"start": 20, "end": 29, "label": "LOC", "score": 0.25},
    ]
    made, labels = read_first(tmp_path / "a.jsonl", spans)
    assert labels == LABELS
    expected = np.zeros((9, 5), np.float16)
    expected[:, 0] = [0.25, 0.25, 1, 1, 0.75, 0.75, 1, 1, 1]
    expected[[0, 1, 4, 5], [3, 4, 1, 2]] = [0.75, 0.75, 0.25, 0.25]
    np.testing.assert_array_equal(made.probs, expected)
    del spans[1]["score"]
    assert read_first(tmp_path / "a.jsonl", spans)[0].probs is None


def test_scores_that_some_spans_lack_are_not_used_and_that_is_said(tmp_path, caplog):
    scored = {"start": 0, "end": 10, "label": "PER", "score": 0.9}
    bare = {"start": 20, "end": 29, "label": "LOC"}
    with caplog.at_level("WARNING", "absl"):
        made, _ = read_first(tmp_path / "a.jsonl", [scored, bare])
    assert made.probs is None and "a.jsonl: 1 of 2 spans have no score, so" in caplog.text
    caplog.clear()
    for same in ([scored], [bare], []):
        read_first(tmp_path / "a.jsonl", same)
    assert not caplog.text


def test_null_abstains_for_the_sentence(tmp_path):
    lines = [{"text": RAW[0], "spans": None}, lines_of([])[1]]
    path = tmp_path / "a.jsonl.gz"
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write("\n".join(map(json.dumps, lines)))
    made = read_predictions(path, TEXT)
    assert made.labels.tolist() == [-1] * 7 + [0, 0]
    lines[1]["spans"] = [{"start": 0, "end": 4, "label": "EVENT", "score": 0.5}]
    made = read_predictions(write(tmp_path / "b.jsonl", *lines), TEXT)
    assert made.probs[:7].any() == 0 and made.probs[7].tolist() == [0.5, 0.5, 0]


@pytest.mark.parametrize(
    ("spans", "expected", "counts"),
    [
        ([[1, 7, "PER"]], ["B-PER", "O"], (2, 0, 0)),  # 3 of 4 letters, 2 of 5
        ([[2, 4, "PER"]], ["O", "O"], (1, 0, 1)),  # a half is not enough
        ([[4, 5, "PER"]], ["O", "O"], (0, 0, 1)),  # a blank
        ([[0, 4, "PER"], [0, 10, "ORG"]], ["B-ORG", "I-ORG"], (0, 1, 0)),
        ([[5, 10, "PER"], [0, 10, "ORG"], [0, 4, "LOC"]], ["B-ORG", "I-ORG"], (0, 2, 0)),
        ([[0, 4, "PER"], [5, 10, "PER"]], ["B-PER", "B-PER"], (0, 0, 0)),
        ([[0, 7, "PER"], [5, 10, "ORG"]], ["B-PER", "B-ORG"], (1, 0, 0)),
    ],
)
def test_overlaps_by_hand(tmp_path, spans, expected, counts):
    made, labels = read_first(tmp_path / "a.jsonl", spans)
    assert labels[:2] == expected and set(labels[2:]) == {"O"}
    keys = ("partial_words", "overlapping_spans", "unplaced_spans")
    assert tuple(made.about[key] for key in keys) == counts


def test_of_overlapping_spans_the_surer_one_is_kept(tmp_path):
    spans = [
        {"start": 0, "end": 10, "label": "ORG", "score": 0.4},
        {"start": 0, "end": 4, "label": "PER", "score": 0.6},
    ]
    assert read_first(tmp_path / "a.jsonl", spans)[1][:2] == ["B-PER", "O"]
    del spans[0]["score"]  # without a score, a span is certain
    assert read_first(tmp_path / "a.jsonl", spans)[1][:2] == ["B-ORG", "I-ORG"]


def test_mentions_are_searched_in_order_and_lost_ones_counted(tmp_path):
    text = [Sentence(("Rio", "and", "Rio", "and", "Rome"))]
    spans = [{"text": name, "label": "LOC"} for name in ("Rio", "Rio", "Rome", "Paris", "and")]
    path = write(tmp_path / "a.jsonl", {"text": "Rio and Rio and Rome", "entities": spans})
    made = read_predictions(path, text)
    assert names_of(made) == ["B-LOC", "B-LOC", "B-LOC", "O", "B-LOC"]
    assert made.about["lost_mentions"] == 1 and made.about["spans"] == 4


blanks = st.text(" \t\n\u00a0\u2003", max_size=2)
words = st.text(st.characters(exclude_categories=["Z", "C"]), min_size=1, max_size=4)


@st.composite
def labelled_texts(draw):
    """Sentences, their BIO labels, and the same as text with any whitespace and spans."""
    sentences, labels, lines = [], [], []
    for spans, length in draw(sentences_of_spans()):
        if not length:
            continue
        own = draw(st.lists(words, min_size=length, max_size=length))
        text = draw(blanks)
        places = []
        for word in own:
            cut = draw(st.integers(0, len(word)))
            begin = len(text)
            text += word[:cut] + (draw(blanks) if cut else "") + word[cut:]
            places.append((begin, len(text)))
            text += draw(blanks)
        marked = [
            {"start": places[s.start][0], "end": places[s.end - 1][1], "label": s.type}
            for s in spans
        ]
        sentences.append(Sentence(tuple(own)))
        labels += write_spans(spans, length, "bio")
        lines.append({"text": text, "spans": draw(st.permutations(marked))})
    return sentences, labels, lines


@settings(max_examples=60, deadline=None)
@given(labelled_texts())
def test_spans_of_bio_labels_come_back_whatever_the_whitespace(tmp_path_factory, made):
    sentences, labels, lines = made
    if lines:
        path = write(tmp_path_factory.getbasetemp() / "spans.jsonl", *lines)
        found = read_predictions(path, sentences)
        assert names_of(found) == labels
        assert not any(found.about[key] for key in found.about if key != "spans")


def other_text(text):
    return [{"text": text, "spans": []}, lines_of([])[1]]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (other_text("Anna Mario lives"), r"line 1: .* 'Mariolives' where word 2 .* 'Maria'"),
        (other_text(RAW[0] + " Yes"), r"line 1: .* '\.Yes' where word 7 .* '\.'"),
        (other_text("Anna"), r"line 1: .* '' where word 2 .* 'Maria'"),
        ([lines_of([])[0]], "1 lines where the text has 2 sentences"),
        ([lines_of([])[0], {"text": "Rain!"}], 'line 2: no "text" with "spans"'),
        (lines_of({"PER": "Anna"}), '"spans" is not a list'),
        (lines_of(["Anna"]), "line 1, span 1: not a span"),
        (lines_of([{"start": 0, "end": 99, "label": "X"}]), "characters 0 to 99 .* 30 characters"),
        (lines_of([{"start": 4, "end": 4, "label": "X"}]), "its end 4 is not after its start 4"),
        (
            lines_of([{"start": "0", "end": 4, "label": "X"}]),
            "start '0' and end 4 are not",
        ),
        (
            lines_of([{"start": True, "end": 4, "label": "X"}]),
            "start True and end 4 are not",
        ),
        (lines_of([{"label": "X"}]), "it has no place"),
        (lines_of([{"start": 0, "end": 4}]), "None is not an entity type"),
        (lines_of([{"start": 0, "end": 4, "label": "O"}]), "O is not an entity type; leave out"),
        (lines_of([{"start": 0, "end": 4, "label": ""}]), "'' is not an entity type"),
        (lines_of([[0, 4, "_"]]), "span 1: '_' is not an entity type; name it"),
        (lines_of([[0, 4, "B-"]]), "span 1: 'B-' is not an entity type but only the letter before"),
        (lines_of([[0, 4, "B-PER"], [5, 10, "I_"]]), "span 2: 'I_' is not an entity type but only"),
        (lines_of([{"start": 0, "end": 4, "label": "X", "score": 2}]), "score 2 is not a prob"),
        (lines_of([{"start": 0, "end": 4, "label": "X", "score": "high"}]), "score 'high'"),
        (
            lines_of([{"start": 1, "end": 5, "label": "X", "text": "Anna"}]),
            "'Anna' where the text has 'nna '",
        ),
        (
            lines_of([{"entity": "B-PER", "word": "Anna", "start": 0, "end": 4, "index": 1}]),
            'aggregation_strategy="simple"',
        ),
    ],
)
def test_bad_lines_are_located(tmp_path, lines, message):
    path = write(tmp_path / "a.jsonl", *lines)
    with pytest.raises(InputError, match=message) as caught:
        read_predictions(path, TEXT)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("line", "token", "keys"),
    [
        ({"ents": []}, {"id": 0, "start": 0, "end": 4, "tag": "NNP", "pos": "PROPN"}, "pos, tag"),
        ({"entities": []}, {"text": "Anna", "labels": [{"value": "PROPN"}]}, "labels"),
        ({"entities": []}, {"text": "Anna", "ner": "S-PER", "pos": None}, "ner"),
    ],
)
def test_labels_of_tokens_are_not_taken_for_silence(tmp_path, line, token, keys):
    key = next(iter(line))
    lines = [{"text": raw, key: [], "tokens": [token]} for raw in RAW]
    path = write(tmp_path / "a.jsonl", *lines)
    with pytest.raises(
        InputError, match=rf"line 1: no line .*\({keys}\), which are not read; write"
    ):
        read_predictions(path, TEXT)
    for changed in (
        [{**lines[0], key: [[0, 10, "PER"]]}, lines[1]],
        [
            {**line, "tokens": [{"text": "Anna", "ner": "O", "labels": [], "tag": ""}]}
            for line in lines
        ],
        [{"text": line["text"], key: []} for line in lines],
    ):
        assert "O" in names_of(read_predictions(write(path, *changed), TEXT))


def test_spans_need_a_text(tmp_path):
    path = write(tmp_path / "a.jsonl", *lines_of([]))
    with pytest.raises(InputError, match="need a text"):
        read_predictions(path)
