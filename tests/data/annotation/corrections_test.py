"""Tests of zsl_jax.data.annotation.corrections: which sentences are known, and which are not."""

import json

import numpy as np
import pytest

from zsl_jax.data.annotation.correction_labels import in_known_labels
from zsl_jax.data.annotation.corrections import match_corrections, read_corrections
from zsl_jax.data.predictions.parquet_writer import write_predictions
from zsl_jax.data.predictions.source_predictions import SourcePredictions
from zsl_jax.errors import InputError

WORDS = ("Anna", "viu", "a", "Roma")
TEXT = "Anna viu a Roma"
PERSON = {"start": 0, "end": 4, "label": "PER"}


def labels(tmp_path, values, words=WORDS, entities=True, lines=False):
    """The labels that an export of these objects gives to a sentence."""
    path = tmp_path / ("a.jsonl" if lines else "a.json")
    rows = [json.dumps(value) for value in values]
    path.write_text("\n".join(rows) if lines else f"[{','.join(rows)}]")
    return match_corrections(read_corrections(str(path)), [words], entities)[0]


def label_studio(*results, **more):
    annotations = [
        {
            "result": [
                {"type": "labels", "value": {"start": a, "end": b, "labels": [kind]}}
                for a, b, kind in result
            ],
            "was_cancelled": False,
            **more,
        }
        for result in results
    ]
    return {"id": 1, "data": {"text": TEXT}, "annotations": annotations, "predictions": []}


def test_an_empty_annotation_means_that_there_is_nothing(tmp_path):
    nothing = ("O",) * 4
    assert labels(tmp_path, [label_studio([])]) == nothing
    assert labels(tmp_path, [{"id": 1, "text": TEXT, "label": []}], lines=True) == nothing
    assert labels(tmp_path, [{"text": TEXT, "answer": "accept"}], lines=True) == nothing
    assert labels(tmp_path, [{"text": TEXT, "annotator": 1, "annotation_id": 2}]) == nothing


@pytest.mark.parametrize(
    "value",
    [
        label_studio(),
        label_studio([(0, 4, "PER")], was_cancelled=True),
        {"data": {"text": TEXT}, "predictions": []},
        {"fields": {"text": TEXT}, "responses": {}, "status": "pending"},
        {"fields": {"text": TEXT}, "responses": {"spans": [{"value": [PERSON]}]},
         "status": "discarded"},
        {"text": TEXT, "spans": [PERSON], "answer": "reject"},
        {"text": TEXT, "spans": [PERSON], "answer": "ignore"},
        {"text": TEXT, "prediction": [["PER", 0, 4]], "annotation": None, "status": "Default"},
    ],
)  # fmt: skip
def test_a_text_that_nobody_annotated_or_that_was_skipped_is_not_known(tmp_path, value):
    annotated = {"text": "Bo", "spans": []}
    assert labels(tmp_path, [value, annotated]) is None
    with pytest.raises(InputError, match=r"a\.json holds no annotated sentence; export the annot"):
        labels(tmp_path, [value])


def test_the_person_counts_and_not_the_model(tmp_path):
    old = {"text": TEXT, "prediction": [["LOC", 0, 4, 0.9]], "annotation": [["PER", 0, 4]],
           "status": "Validated"}  # fmt: skip
    assert labels(tmp_path, [old]) == ("B-PER", "O", "O", "O")
    truth = label_studio([(0, 4, "LOC")], [(0, 4, "PER")])
    truth["annotations"][1]["ground_truth"] = True
    assert labels(tmp_path, [truth]) == ("B-PER", "O", "O", "O")


def test_annotators_who_agree_count_once_and_others_are_refused(tmp_path):
    same = label_studio([(0, 4, "PER"), (11, 15, "LOC")], [(11, 15, "LOC"), (0, 4, "PER")])
    assert labels(tmp_path, [same]) == ("B-PER", "O", "O", "B-LOC")
    with pytest.raises(InputError, match=r"item 1: 2 annotations that differ; keep the one that"):
        labels(tmp_path, [label_studio([(0, 4, "PER")], [(0, 4, "LOC")])])


def test_other_questions_of_argilla_are_no_annotation(tmp_path):
    responses = {"comment": [{"value": "hard"}], "spans": [{"value": [PERSON]}]}
    value = {"fields": {"text": TEXT}, "responses": responses}
    assert labels(tmp_path, [value]) == ("B-PER", "O", "O", "O")
    del responses["comment"]
    responses["entities"] = responses.pop("spans")
    assert labels(tmp_path, [value]) == ("B-PER", "O", "O", "O")


def test_lines_are_numbered_from_the_first_of_the_file(tmp_path):
    (tmp_path / "a.jsonl").write_text('\n\n{"text": "a", "spans": []}\n{"text": "b"\n')
    with pytest.raises(InputError, match=r"a\.jsonl, line 4: not JSON"):
        read_corrections(str(tmp_path / "a.jsonl"))


@pytest.mark.parametrize("bracket", ["{", "[", "{}", "[{"])
def test_the_first_word_of_columns_may_be_a_bracket(tmp_path, bracket):
    (tmp_path / "a.conll").write_text(f"{bracket}\tPUNCT\nAnna\tPROPN\n")
    (found,) = read_corrections(str(tmp_path / "a.conll"))
    assert (found.words, found.labels) == ((bracket, "Anna"), ("PUNCT", "PROPN"))


def test_words_on_which_corrections_differ_are_left_open(tmp_path):
    one = {"text": TEXT, "spans": [PERSON, {"start": 11, "end": 15, "label": "LOC"}]}
    other = {"text": "Anna  viu a Roma", "spans": [PERSON]}
    assert labels(tmp_path, [one, other]) == ("B-PER", "O", "O", "_")


def test_offsets_of_a_browser_are_told_by_the_words(tmp_path):
    words = ("\U0001f600\U0001f600", "Anna", "viu")
    value = {"text": " ".join(words), "label": [[5, 9, "PER"]]}  # 3 to 7 in characters
    assert labels(tmp_path, [value], words, lines=True) == ("O", "B-PER", "O")
    value["label"] = [[3, 7, "PER"]]
    assert labels(tmp_path, [value], words, lines=True) == ("O", "B-PER", "O")


def test_offsets_of_a_browser_are_told_under_every_key_of_a_text(tmp_path):
    words = ("\U0001f600\U0001f600", "Anna", "viu")
    value = {"data": " ".join(words), "label": [[5, 9, "PER"]]}
    assert labels(tmp_path, [value], words, lines=True) == ("O", "B-PER", "O")


def test_offsets_in_bytes_are_refused_without_a_setting_that_corrections_have_not(tmp_path):
    span = {"start": 8, "end": 12, "label": "LOC", "text": "Roma"}
    for start in (8, 80):
        value = {"text": "Zoë a Roma", "spans": [span | {"start": start, "end": start + 4}]}
        with pytest.raises(InputError, match=r"span 1: .*; (write|count) .*characters") as refused:
            labels(tmp_path, [value], ("Zoë", "a", "Roma"))
        assert "`offsets`" not in str(refused.value)


@pytest.mark.parametrize("unit", ["characters", "utf16"])
def test_one_line_that_fits_one_unit_only_tells_for_the_whole_file(tmp_path, unit):
    def line(text, mention):
        start = text.index(mention)
        size = len if unit == "characters" else lambda part: len(part.encode("utf-16-le")) // 2
        offsets = [size(text[:start]), size(text[: start + len(mention)])]
        return json.dumps({"text": text, "label": [[*offsets, "LOC"]]})

    clear = "\U0001f600 Anna viu a Roma"
    either = (
        "\U0001f600\U0001f600 \u6771 \u4eac" if unit == "utf16" else "\u4eac \U0001f600 \u6771 b c"
    )
    mention = "\u6771"
    (tmp_path / "a.jsonl").write_text(f"{line(either, mention)}\n{line(clear, 'Roma')}\n")
    words = tuple(either.split())
    found = match_corrections(read_corrections(str(tmp_path / "a.jsonl")), [words], True)[0]
    assert found == tuple("B-LOC" if word == mention else "O" for word in words)


def test_offsets_that_fit_both_units_are_named(tmp_path, caplog):
    words = ("\U0001f600", "a", "b")
    value = {"text": "\U0001f600 a b", "label": [[2, 3, "LOC"]]}  # in UTF-16 units, a blank
    assert labels(tmp_path, [value], words, lines=True) == ("O", "B-LOC", "O")
    assert not caplog.text
    value = {"text": "\U0001f600ab", "label": [[2, 3, "LOC"]]}  # in UTF-16 units, a
    assert labels(tmp_path, [value], words, lines=True) == ("O", "O", "B-LOC")
    assert "fit the words as characters and as UTF-16 units" in caplog.text
    named = {"text": "\U0001f600ab", "spans": [{"start": 2, "end": 3, "label": "LOC", "text": "a"}]}
    assert labels(tmp_path, [named], words) == ("O", "B-LOC", "O")


def test_entities_of_words_cut_in_other_places_are_placed_by_their_characters(tmp_path):
    (tmp_path / "a.conll").write_text("US\tO\n$\tO\nAnna\tB-PER\nB\tI-PER\n.\tI-PER\nRoma\tB-LOC\n")
    corrections = read_corrections(str(tmp_path / "a.conll"))
    words = ("US$", "Anna", "B.", "Ro", "ma")
    found = match_corrections(corrections, [words], True)
    assert found == [("O", "B-PER", "I-PER", "B-LOC", "I-LOC")]
    with pytest.raises(
        InputError, match=r"cut in other places .* if the tool cuts words itself, ex"
    ):
        match_corrections(corrections, [words], False)
    open_words = [corrections[0]._replace(labels=("_", *corrections[0].labels[1:]))]
    with pytest.raises(InputError, match="cut in other places"):
        match_corrections(open_words, [words], True)


def test_plain_labels_leave_words_without_a_span_open(tmp_path):
    value = {"text": TEXT, "spans": [{"start": 0, "end": 8, "label": "X"}]}
    assert labels(tmp_path, [value], entities=False) == ("X", "X", "_", "_")


def test_columns_become_bio_and_open_words_stay_open(tmp_path):
    (tmp_path / "a.conll").write_text("Anna\tI-PER\nviu\t_\na\tO\nRoma\tI-LOC\n\nx\t_\n")
    corrections = read_corrections(str(tmp_path / "a.conll"))
    found = match_corrections(corrections, [WORDS, ("x",)], True)
    assert found == [("B-PER", "_", "O", "B-LOC"), None]
    with pytest.raises(InputError, match=r"sentence 1: its words .* are cut in other places than"):
        match_corrections(corrections, [("Anna", "viua", "Roma")], True)


@pytest.mark.parametrize("kind", ["hypertextlabels", "paragraphlabels"])
def test_regions_of_html_and_dialogues_are_read_where_they_count_characters(tmp_path, kind):
    def found(place, kind=kind):
        value = label_studio([])
        choice = {"type": "choices", "value": {"choices": ["clear"]}}
        region = {"type": kind, "value": {**place, "text": "Anna", kind: ["PER"]}}
        value["annotations"][0]["result"] = [choice, region]
        return labels(tmp_path, [value])

    whole, within = {"start": 0, "end": 4}, {"start": "/div[1]", "end": "/div[1]", "startOffset": 3}
    expected = ("B-PER", "O", "O", "O")
    assert found(whole) == found({**within, "globalOffsets": whole}) == expected
    for place, other in ((within, kind), (whole, "timeserieslabels")):
        with pytest.raises(InputError, match=rf"item 1: a region of the type '{other}' has no .st"):
            found(place, other)


def corrected(tmp_path, text, known):
    """The labels of WORDS by a file of columns, whose labels are read as the known ones."""
    (tmp_path / "a.conll").write_text(text)
    corrections = read_corrections(str(tmp_path / "a.conll"))
    corrections = in_known_labels(corrections, known, "the run")
    return match_corrections(corrections, [WORDS], "O" in known)[0]


PLAIN, ENTITIES = ("ADP", "NOUN", "VERB"), ("O", "B-PER", "I-PER", "B-LOC")


@pytest.mark.parametrize(
    ("columns", "known", "expected"),
    [
        ("B-NOUN B-VERB O I-NOUN", PLAIN, "NOUN VERB _ NOUN"),
        ("NOUN VERB ADP NOUN", PLAIN, "NOUN VERB ADP NOUN"),
        ("B-NOUN VERB ADP NOUN", (*PLAIN, "B-NOUN"), "B-NOUN VERB ADP NOUN"),
        ("I-PER O O I-LOC", ENTITIES, "B-PER O O B-LOC"),
    ],
)
def test_plain_labels_may_be_written_as_spans_of_one_word(tmp_path, columns, known, expected):
    text = "".join(f"{word}\t{y}\n" for word, y in zip(WORDS, columns.split(), strict=True))
    assert corrected(tmp_path, text, known) == tuple(expected.split())


@pytest.mark.parametrize(
    ("label", "known", "message"),
    [
        ("noun", PLAIN, "'noun' is not a label of the run; write NOUN"),
        ("B-SYM", PLAIN, "'B-SYM' is not a label of the run; write one of ADP, NOUN, VERB"),
        ("B-per", ENTITIES, "'B-per' is not a label of the run; write B-PER"),
        (
            "PER",
            ENTITIES,
            "'PER' is not a label of the run; write one of B-LOC, B-PER, I-LOC, I-PER",
        ),
    ],
)
def test_a_label_in_another_spelling_is_refused_with_its_place(tmp_path, label, known, message):
    with pytest.raises(InputError, match=rf"a\.conll, sentence 1: {message}"):
        corrected(tmp_path, f"Anna\t{label}\nviu\t_\na\t_\nRoma\t_\n", known)


def test_a_new_label_is_kept_with_a_warning(tmp_path, caplog):
    with caplog.at_level("WARNING", "absl"):
        found = corrected(tmp_path, "Anna\tSYM\nviu\tVERB\na\t_\nRoma\t_\n", PLAIN)
    assert found == ("SYM", "VERB", "_", "_")
    assert "sentence 1: SYM is not among the labels of the run (ADP, NOUN, VERB)" in caplog.text


def test_the_case_of_an_extension_does_not_matter(tmp_path):
    made = SourcePredictions(
        ("NOUN", "VERB"), np.array([0, 1], np.int32), None, (("Anna", "sings"),)
    )
    write_predictions(tmp_path / "a.parquet", made)
    (tmp_path / "a.parquet").rename(tmp_path / "A.PARQUET")
    (correction,) = read_corrections(str(tmp_path / "A.PARQUET"))
    assert correction.labels == ("NOUN", "VERB")


def test_types_of_spans_are_compared_with_the_known_ones(tmp_path, caplog):
    def read(kind):
        (tmp_path / "a.json").write_text(json.dumps([label_studio([(0, 4, kind)])]))
        return in_known_labels(read_corrections(str(tmp_path / "a.json")), ENTITIES, "the run")

    with caplog.at_level("WARNING", "absl"):
        assert read("LOC") and not caplog.text
        assert read("MISC") and "item 1: MISC is not among the labels of the run" in caplog.text
    with pytest.raises(InputError, match=r"item 1: 'per' is not a label of .*; write PER$"):
        read("per")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[{"text": "a", "spans": []', r"is not a whole JSON list .*; export it again"),
        ("[1]", r"item 1: 1 is not an object"),
        ('[{"data": {}, "annotations": [{"result": []}]}]', r'item 1: it has no "text"'),
        ('[{"data": {"text": "a"}, "annotations": [1]}]', r'"annotations" is not a list of objec'),
        ('[{"fields": {"text": "a"}, "responses": []}]', r"export the records by `dataset.record"),
        ('[{"text": "a", "spans": [{"start": 5, "end": 9, "label": "X"}]}]', r"are not part of a"),
    ],
)
def test_a_damaged_export_is_refused(tmp_path, text, message):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(InputError, match=message):
        read_corrections(str(tmp_path / "a.json"))
