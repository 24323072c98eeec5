"""Spans as other programs write them, key by key: each is read, refused, or known as harmless."""

import json
import re

import numpy as np
import pytest

from zsl_jax.data.predictions.prediction_files import read_predictions
from zsl_jax.errors import InputError
from zsl_jax.types import Sentence

TEXT = [Sentence(("Anna", "sings", "in", "Rome"))]
RAW = "Anna sings in Rome"
PER = {"start": 0, "end": 4, "label": "PER"}
LOC = {"start": 14, "end": 18, "label": "LOC"}
EXPECTED = ["B-PER", "O", "O", "B-LOC"]


def read(tmp_path, *lines, text=TEXT, **options):
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    return read_predictions(path, text, **options)


def names(made):
    return [made.label_names[label] if label >= 0 else None for label in made.labels]


def refused(tmp_path, line, **options):
    with pytest.raises(InputError, match=r"a\.jsonl") as caught:
        read(tmp_path, {"text": RAW, **line}, **options)
    message = str(caught.value)
    assert "\n" not in message
    return message


FLAIR = [
    {"text": "Anna", "start_pos": 0, "end_pos": 4, "labels": [{"value": "PER", "confidence": 0.5}]},
    {"text": "Rome", "start_pos": 14, "end_pos": 18, "labels": [{"value": "LOC", "confidence": 1}]},
]
FORMS = {
    "prodigy": {
        "spans": [
            {**PER, "token_start": 0, "token_end": 0, "source": "en_core_web_sm", "id": "x"},
            {**LOC, "token_start": 3, "token_end": 3, "answer": "accept"},
        ],
        "tokens": [{"text": "Anna", "start": 0, "end": 4, "id": 0, "ws": True}],
        "_input_hash": 1, "_task_hash": 2, "_session_id": "a", "_view_id": "ner_manual",
        "_timestamp": 3, "_annotator_id": "a", "_is_binary": False, "answer": "accept",
        "meta": {"score": 1},
    },
    "spacy": {
        "ents": [PER, {**LOC, "kb_id": "Q220", "id": ""}], "spans": {"sc": []}, "cats": {"x": 1.0},
        "sents": [{"start": 0, "end": 18}], "tokens": [{"id": 0, "start": 0, "end": 4}], "_": {},
    },
    "displacy": {"ents": [PER, LOC], "title": None},
    "doccano 1": {"id": 1, "label": [[0, 4, "PER"], [14, 18, "LOC"]], "Comments": []},
    "doccano 0": {"id": 1, "labels": [[0, 4, "PER"], [14, 18, "LOC"]], "meta": {}},
    "doccano 1.4": {"id": 1, "data": RAW, "label": [[0, 4, "PER"], [14, 18, "LOC"]]},
    "doccano, first export": {
        "doc_id": 23, "entities": [[0, 4, "PER"], [14, 18, "LOC"]], "username": "admin",
    },
    "doccano, approved": {
        "id": 1, "labels": [[0, 4, "PER"], [14, 18, "LOC"]], "annotation_approver": "admin",
    },
    "doccano relations": {
        "id": 1, "relations": [{"id": 0, "from_id": 7, "to_id": 8, "type": "in"}],
        "entities": [
            {"id": 7, "label": "PER", "start_offset": 0, "end_offset": 4},
            {"id": 8, "label": "LOC", "start_offset": 14, "end_offset": 18},
        ],
    },
    "label studio, JSON_MIN": {
        "id": 3, "annotator": 1, "annotation_id": 2, "created_at": "x", "updated_at": "y",
        "lead_time": 4.5,
        "label": [
            {"start": 0, "end": 4, "text": "Anna", "labels": ["PER"]},
            {"start": 14, "end": 18, "text": "Rome", "labels": ["LOC"]},
        ],
    },
    "argilla 1": {
        "tokens": ["Anna", "sings", "in", "Rome"], "prediction": None, "prediction_agent": "x",
        "annotation": [{**PER, "score": 1.0}, {**LOC, "score": 1.0}], "annotation_agent": "me",
        "id": "a", "metadata": {"a": 1}, "status": "Validated", "event_timestamp": None,
        "metrics": {"tokens_length": 4}, "vectors": None,
    },
    "argilla 1, pairs": {
        "tokens": ["Anna"], "prediction": [["PER", 0, 4, 0.5], ["LOC", 14, 18, 1.0]],
    },
    "gliner": {
        "entities": [{**PER, "text": "Anna", "score": 0.5}, {**LOC, "text": "Rome", "score": 1.0}]
    },
    "transformers": {
        "entities": [
            {"entity_group": "PER", "score": 0.5, "word": "anna", "start": 0, "end": 4},
            {"entity_group": "LOC", "score": 1.0, "word": "rome", "start": 14, "end": 18},
        ]
    },
    "presidio": {
        "spans": [
            {
                "entity_type": kind, "start": start, "end": end, "score": score,
                "analysis_explanation": {"recognizer": "x", "score": 0.1},
                "recognition_metadata": {"recognizer_name": "x"},
            }
            for kind, start, end, score in [("PER", 0, 4, 0.5), ("LOC", 14, 18, 1.0)]
        ]
    },
    "stanza": {
        "ents": [
            {"text": "Anna", "type": "PER", "start_char": 0, "end_char": 4, "multi_ner": ["PER"]},
            {"text": "Rome", "type": "LOC", "start_char": 14, "end_char": 18},
        ]
    },
    "flair": {"labels": [], "entities": FLAIR, "relations": [], "tokens": []},
    "flair, with a class of the text": {
        "labels": [{"value": "POSITIVE", "confidence": 0.9}], "entities": FLAIR,
    },
    "older flair": {
        "labels": [],
        "entities": [
            {"text": "Anna", "start_pos": 0, "end_pos": 4, "type": "PER", "confidence": 0.5},
            {"text": "Rome", "start_pos": 14, "end_pos": 18, "type": "LOC", "confidence": 1.0},
        ],
    },
    "flair, printed labels": {
        "labels": [],
        "entities": [
            {"text": "Anna", "start_pos": 0, "end_pos": 4, "labels": ["PER (0.5)"]},
            {"text": "Rome", "start_pos": 14, "end_pos": 18, "labels": ["LOC (1.0)"]},
        ],
    },
    "transformers, a model that spells B_PER": {
        "entities": [
            {"entity_group": "B_PER", "score": 0.5, "word": "Anna", "start": 0, "end": 4},
            {"entity_group": "B_LOC", "score": 1.0, "word": "Rome", "start": 14, "end": 18},
        ]
    },
    "prodigy, a model's suggestions": {
        "spans": [
            {**PER, "rank": 0, "score": 0.5, "source": "m", "input_hash": 1},
            {**LOC, "rank": 1, "score": 1.0, "source": "m", "input_hash": 1},
        ],
        "priority": 0.5, "answer": "accept",
    },
    "language models": {
        "entities": [{"entity": "Anna", "type": "PER"}, {"mention": "Rome", "label": "LOC"}]
    },
    "language models, by type": {"entities": {"PER": ["Anna"], "LOC": ["Rome"], "ORG": []}},
    "gliner2": {
        "entities": {
            "PER": [{"text": "Anna", "confidence": 0.5, "start": 0, "end": 4}],
            "LOC": [{"text": "Rome", "confidence": 1.0, "start": 14, "end": 18}],
        }
    },
    "camels": {"entities": [{**PER, "beginOffset": None}, {"start": 14, **LOC}], "lang": "en"},
}  # fmt: skip
WITH_SCORES = {
    "argilla 1, pairs", "gliner", "transformers", "presidio", "flair", "older flair",
    "flair, printed labels", "transformers, a model that spells B_PER",
    "prodigy, a model's suggestions", "gliner2",
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_the_forms_of_other_programs(tmp_path, form):
    text = {} if "data" in FORMS[form] else {"text": RAW}
    made = read(tmp_path, text | FORMS[form])
    assert names(made) == EXPECTED
    if form in WITH_SCORES:
        column = made.label_names.index("B-PER")
        np.testing.assert_array_equal(made.probs[:, column], [0.5, 0, 0, 0])


def test_offsets_under_every_name_are_read_rather_than_searched_for(tmp_path):
    text = [Sentence(("Rome", "is", "Rome"))]
    for start, end in [
        ("start", "end"), ("start_char", "end_char"), ("start_offset", "end_offset"),
        ("start_pos", "end_pos"), ("begin", "end"),
    ]:  # fmt: skip
        line = {"text": "Rome is Rome", "entities": [{"label": "X", start: 8, end: 12}]}
        line["entities"][0]["text"] = "Rome"
        assert names(read(tmp_path, line, text=text)) == ["O", "O", "B-X"], start


@pytest.mark.parametrize(
    "key",
    [
        "from_offset", "offsets", "token_start", "char_start", "position", "index", "score_raw",
        "rawScore", "logit", "weight", "negated", "valid", "tags",
        "sentence_index", "unit", "from", "left", "at", "nth", "n", "s", "sentence", "line", "page",
        "certainty", "likelihood", "relevance", "p", "quality", "label_id", "xpath",
    ],
)  # fmt: skip
def test_keys_that_look_like_places_or_scores_are_never_ignored(tmp_path, key):
    line = {"entities": [{"text": "Anna", "label": "PER", key: 1}]}
    message = refused(tmp_path, line)
    assert f"line 1, span 1: the key {key!r} is not read" in message and "meta" in message
    line["entities"][0]["meta"] = {key: line["entities"][0].pop(key)}
    assert names(read(tmp_path, {"text": RAW, **line}))[0] == "B-PER"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("at", "19-29"), ("range", "19..29"), ("where", [19, 29]), ("is_correct", False),
        ("verified", False), ("deleted", True), ("assertion", "absent"), ("polarity", "negative"),
    ],
)  # fmt: skip
def test_numbers_and_verdicts_under_any_name_are_never_ignored(tmp_path, key, value):
    line = {"entities": [{"text": "Anna", "label": "PER", key: value}]}
    assert f"line 1, span 1: the key {key!r} is not read" in refused(tmp_path, line)


def test_what_tells_of_a_span_or_text_in_words_passes(tmp_path):
    span = {**PER, "subtype": "singer", "wikidata": "Q1", "kb_id": 7, "comment": "sure"}
    beside = {"page": 3, "year": 1999, "doc_id": 7, "domain": "news", "model": "x", "seed": 1}
    assert names(read(tmp_path, {"text": RAW, "spans": [span], **beside}))[0] == "B-PER"


@pytest.mark.parametrize(
    ("types", "expected"),
    [
        (("B-PER", "I-PER"), ["B-PER", "I-PER", "O"]),
        (("PER_B", "PER_I"), ["B-PER", "I-PER", "O"]),
        (("B", "I"), ["B-ENTITY", "I-ENTITY", "O"]),
        (("B-PER", "E-PER"), ["B-PER", "I-PER", "O"]),
        (("B-PER", "B-PER"), ["B-PER", "B-PER", "O"]),
        (("S-PER", "S-PER"), ["B-PER", "B-PER", "O"]),
        (("U-PER", "B-PER"), ["B-PER", "B-PER", "O"]),
        (("E-MAIL", "E-MAIL"), ["B-E-MAIL", "B-E-MAIL", "O"]),
    ],
)
def test_types_with_letters_of_a_scheme_continue_each_other(tmp_path, types, expected):
    spans = [[0, 4, types[0]], [5, 10, types[1]]]
    text = [Sentence(("Anna", "Maria", "sings"))]
    assert (
        names(read(tmp_path, {"text": "Anna Maria sings", "spans": spans}, text=text)) == expected
    )


@pytest.mark.parametrize("types", [("B-PER", "LOC"), ("S-PER", "U-LOC")])
def test_letters_of_a_scheme_beside_other_types_are_warned_of(tmp_path, caplog, types):
    with caplog.at_level("WARNING", "absl"):
        made = read(tmp_path, {"text": RAW, "spans": [[0, 4, types[0]], [14, 18, types[1]]]})
    assert names(made)[0] == f"B-{types[0]}"
    assert "but all types together" in caplog.text and ", ".join(sorted(types)) in caplog.text


@pytest.mark.parametrize(
    "line",
    [
        {"label": []}, {"labels": [], "meta": {}}, {"id": 2, "entities": [], "relations": []},
    ],
)  # fmt: skip
def test_an_empty_list_of_doccano_may_not_be_annotation_and_abstains(tmp_path, caplog, line):
    lines = {"text": RAW, "label": [[0, 4, "PER"]]}, {"text": RAW, **line}
    with caplog.at_level("WARNING", "absl"):
        made = read(tmp_path, *lines, text=TEXT * 2)
    assert names(made) == ["B-PER", "O", "O", "O", None, None, None, None]
    assert "1 of 2 lines have an empty list of labels (line 2), as doccano" in caplog.text


@pytest.mark.parametrize(
    "line",
    [{"spans": []}, {"entities": []}, {"entities": {"PER": []}}, {"labels": [], "entities": []}],
)
def test_an_empty_list_of_a_tagger_means_that_there_is_no_entity(tmp_path, caplog, line):
    with caplog.at_level("WARNING", "absl"):
        assert names(read(tmp_path, {"text": RAW, **line})) == ["O"] * 4
    assert not caplog.text


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ({"entities": [PER], "deleted": True}, "key 'deleted' is not read"),
        ({"entities": [PER], "quality": 0.3}, "key 'quality' is not read"),
        ({"entities": [PER], "format": "utf16"}, "key 'format' is not read"),
        ({"entities": [PER], "offset_type": "utf16"}, "key 'offset_type' is not read"),
        ({"entities": [PER], "score": 0.5}, "key 'score' is not read"),
        ({"entities": [PER], "label": [[0, 4, "LOC"]]}, "key 'label' is not read"),
        ({"entities": [PER], "spans": [LOC]}, "spans and entities both hold annotation"),
        ({"annotation": [PER], "prediction": []}, "annotation and prediction both"),
        ({"ents": [PER], "spans": {"sc": [LOC]}}, "spans and ents both hold annotation"),
        ({"spans": {"sc": [LOC]}}, '"spans" is not a list'),
        ({"entities": {"sc": [LOC]}}, '"entities" is not a list'),
        ({"entities": {"PER": [7]}}, "line 1, span 1: it has no place"),
        ({"spans": [{**PER, "label": "O"}]}, "leave out what is not one .*ignore_labels"),
        ({"spans": [PER], "_is_binary": True}, "rest of the text was not looked at"),
        ({"spans": [PER], "answer": "maybe"}, "'maybe' is not one of accept, reject, ignore"),
        ({"spans": [{**PER, "answer": "reject"}]}, "\"answer\" is 'reject'"),
        ({"spans": [{**PER, "start_char": 1}]}, "start and start_char contradict each other"),
        ({"spans": [{**PER, "type": "LOC"}]}, "label and type contradict each other"),
        ({"spans": [{"start": 0, "end": 4, "labels": ["PER", "LOC"]}]}, "not one label but"),
        ({"spans": [{**PER, "labels": ["LOC"]}]}, "not one label but"),
        ({"spans": [{**PER, "score": 0.5, "prob": 0.25}]}, "score and prob contradict"),
        ({"spans": [{**PER, "value": {"start": 5}}]}, "key 'value' is not read"),
        ({"spans": [[0, 4]]}, "not a span"),
        ({"spans": [[0, 4, "PER", 0.5, 1]]}, "not a span"),
        ({"annotations": [{"label": 7, "start_offset": 0}]}, 'no "text" with "spans"'),
        ({"spans": [{"label": "PER", "text": " "}]}, "it has no place"),
        ({"data": {}, "annotations": [{"result": []}]}, "(its keys are 'text', 'data', 'annot"),
        ({"span.suggestion": [PER], "status": "pending"}, "(its keys are 'text', 'span.sugg"),
    ],
)  # fmt: skip
def test_what_contradicts_itself_or_is_not_read_is_refused(tmp_path, line, expected):
    assert re.search(expected if ".*" in expected else re.escape(expected), refused(tmp_path, line))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("```json\n{}\n```\n", "line 1: Markdown, not JSON; delete the lines with ```"),
        ('[{"text": "Anna", "spans": []}]', "line 1: not an object; .*jq -c '.\\[\\]' FILE"),
        ('{"id": 1, "data": {}, "annotations": []}', 'no list "words" .* or "text" with "spans"'),
    ],
)
def test_what_holds_no_lines_of_spans_is_refused_with_a_way_out(tmp_path, text, expected):
    path = tmp_path / "a.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=expected):
        read_predictions(path, TEXT)


def test_a_key_that_stands_twice_is_refused(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "Anna", "spans": [{"start": 0, "start": 1}]}', encoding="utf-8")
    with pytest.raises(InputError, match=r"line 1: .*the key 'start' occurs twice"):
        read_predictions(path, TEXT)


@pytest.mark.parametrize(
    "aside", [{"answer": "reject"}, {"answer": "ignore"}, {"status": "Discarded"}]
)
def test_what_an_annotator_set_aside_abstains(tmp_path, aside):
    assert names(read(tmp_path, {"text": RAW, "spans": [], **aside})) == [None] * 4


def test_the_text_of_a_span_may_differ_in_case_and_normalisation(tmp_path):
    text = [Sentence(("Jose\u0301", "sings"))]
    span = {"start": 0, "end": 5, "label": "PER", "text": "JOS\u00c9"}
    made = read(tmp_path, {"text": "Jose\u0301 sings", "spans": [span]}, text=text)
    assert names(made) == ["B-PER", "O"]


@pytest.mark.parametrize(
    "spans",
    [
        [  # AWS Comprehend
            {"BeginOffset": 0, "EndOffset": 4, "Score": 0.5, "Text": "Anna", "Type": "PER"},
            {"BeginOffset": 14, "EndOffset": 18, "Score": 1.0000001, "Text": "Rome", "Type": "LOC"},
        ],
        [  # Azure
            {"text": "Anna", "category": "PER", "offset": 0, "length": 4, "confidenceScore": 0.5},
            {"text": "Rome", "category": "LOC", "offset": 14, "length": 4, "confidenceScore": 1},
        ],
    ],
)
def test_offsets_with_lengths_and_keys_in_other_cases_are_read(tmp_path, spans):
    made = read(tmp_path, {"text": RAW, "entities": spans})
    assert names(made) == EXPECTED
    np.testing.assert_array_equal(made.probs[:, made.label_names.index("B-PER")], [0.5, 0, 0, 0])
    assert made.probs[3].max() == 1


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        ({"start": "0", "end": "4"}, "its start '0' and end '4' are not whole numbers; write them"),
        ({"start": 0.0, "end": 4.0}, "its start 0.0 and end 4.0 are not whole numbers"),
        ({"start": 0, "length": 4.0}, "its start 0 and length 4.0 are not both whole numbers"),
        ({"start": 0, "end": 4, "length": 3}, "end and length contradict each other"),
        (
            {"BeginOffset": 0, "begin_offset": 1, "end": 4},
            "BeginOffset and begin_offset contradict",
        ),
        ({"start": 14}, "its end is missing; give start and end, or neither and its text"),
        ({"length": 4}, "its start is missing; give start and end"),
        ({"start": 4, "end": 4}, "its end 4 is not after its start 4; leave it out"),
        ({"start": 4, "end": 0}, "its end 0 is not after its start 4"),
        (
            {"start": 0, "end": 3, "text": "Anna"},
            "'Ann'; add 1 to every end in this file, or",
        ),
        ({"start": 1, "end": 5, "text": "Anna"}, "'nna '; subtract 1 from every start and end in"),
        ({"start": 1, "end": 4, "text": "Anna"}, "'nna'; subtract 1 from every start in this"),
        ({"start": 0, "end": 4, "score": float("nan")}, "the score nan is not a probability"),
        ({"start": 0, "end": 4, "score": "0.9"}, "the score '0.9' is not a probability"),
        ({"start": 0, "end": 4, "score": 97.5}, "the score 97.5 is not a probability"),
        ({"start": 0, "end": 4, "label": " "}, "'' is not an entity type"),
        ({"offsets": [[0, 4]]}, '\'offsets\' is not read, .* give its place as "start" and "end"'),
    ],
)
def test_places_and_scores_that_cannot_be_meant_are_refused_with_what_to_write(
    tmp_path, span, expected
):
    assert re.search(expected, refused(tmp_path, {"spans": [{"label": "PER", **span}]}))


def test_blanks_around_a_type_do_not_make_another_type(tmp_path):
    made = read(tmp_path, {"text": RAW, "spans": [PER, {**LOC, "label": " PER "}]})
    assert names(made) == ["B-PER", "O", "O", "B-PER"]


def test_a_span_that_is_there_twice_is_one_and_does_not_overlap(tmp_path, caplog):
    made = read(tmp_path, {"text": RAW, "spans": [PER, PER, LOC, {**LOC, "score": 0.5}]})
    assert names(made) == EXPECTED and made.about["overlapping_spans"] == 0
    (warning,) = caplog.messages
    assert "3 of 4 spans have no score" in warning
    assert read(tmp_path, {"text": RAW, "spans": [PER, {**PER, "label": "ORG"}]}).about[
        "overlapping_spans"
    ]


@pytest.mark.parametrize("key", ["error", "exception", "finish_reason", "stop_reason", "truncated"])
def test_an_answer_that_may_have_failed_is_not_read_as_one_without_entities(tmp_path, key):
    message = refused(tmp_path, {"spans": [], key: "length"})
    assert f"line 1: the key '{key}' is not read, and may change what the others mean" in message
    assert (
        names(read(tmp_path, {"text": RAW, "spans": None, "meta": {key: "length"}})) == [None] * 4
    )
