"""Offsets in characters, UTF-16 units and bytes; spans that do not fit."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zsl_jax.data.predictions.prediction_files import read_predictions
from zsl_jax.data.text.offset_units import UNITS, character_offset, other_units
from zsl_jax.errors import InputError
from zsl_jax.types import Sentence

SHOES = "\U0001f45e\U0001f45e Anna Lind came to Köln"
WORDS = tuple(SHOES.split())


@given(st.text(max_size=20), st.data())
def test_offsets_in_every_unit_come_back_as_characters(text, data):
    place = data.draw(st.integers(0, len(text)))
    sizes = {"characters": place, "utf16": 0, "bytes": 0}
    sizes["utf16"] = sum(1 + (char > "\uffff") for char in text[:place])
    sizes["bytes"] = len(text[:place].encode())
    for unit in UNITS:
        assert character_offset(text, unit)(sizes[unit]) == place
        assert character_offset(text, unit)(4 * len(text) + 1) is None
        assert character_offset(text, unit)(-1) is None
        if unit not in ("characters", *other_units(text)):
            assert sizes[unit] == place


def test_an_offset_inside_a_character_is_none():
    assert [character_offset("\U0001f45e", "utf16")(place) for place in range(4)] == [
        0, None, 1, None,
    ]  # fmt: skip
    assert character_offset("é", "bytes")(1) is None


def spans(unit):
    """The name and the city, with the offsets of a unit."""
    found = []
    for mention, label in (("Anna Lind", "PER"), ("Köln", "LOC")):
        ends = (SHOES.index(mention), SHOES.index(mention) + len(mention))
        if unit == "utf16":
            ends = [len(SHOES[:end].encode("utf-16-le")) // 2 for end in ends]
        if unit == "bytes":
            ends = [len(SHOES[:end].encode()) for end in ends]
        found.append({"start": ends[0], "end": ends[1], "label": label})
    return found


def read(tmp_path, found, text=SHOES, words=WORDS, **options):
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"text": text, "spans": found}), encoding="utf-8")
    made = read_predictions(path, [Sentence(words)], **options)
    return [made.label_names[label] for label in made.labels]


@pytest.mark.parametrize("unit", UNITS)
def test_each_unit_is_read(tmp_path, unit):
    expected = ["O", "B-PER", "I-PER", "O", "O", "B-LOC"]
    assert read(tmp_path, spans(unit), offsets=unit) == expected
    assert read(tmp_path, spans("characters")) == expected


@pytest.mark.parametrize("unit", ["utf16", "bytes"])
def test_spans_that_fit_in_another_unit_only_are_refused(tmp_path, unit):
    with pytest.raises(InputError, match=rf"a\.jsonl: .*count {unit}, .*`offsets`={unit}"):
        read(tmp_path, spans(unit)[:1])
    shifted = read(tmp_path, spans(unit)[:1], offsets="characters")
    assert shifted != read(tmp_path, spans(unit)[:1], offsets=unit)


def test_a_few_spans_that_fit_in_no_unit_do_not_hide_the_unit(tmp_path):
    text = "\U0001f45e " + " ".join(["Anna"] * 20)
    found = [{"start": 3 + 5 * n, "end": 7 + 5 * n, "label": "X"} for n in range(19)]
    found.append({"start": 99, "end": 101, "label": "X"})
    words = ("\U0001f45e", *["Anna"] * 20)
    with pytest.raises(InputError, match="`offsets`=utf16"):
        read(tmp_path, found, text, words)
    found += [{"start": 99 - n, "end": 101 - n, "label": "X"} for n in (0, 5, 10)]
    assert len(read(tmp_path, found, text, words)) == 21


def test_white_space_at_the_ends_of_spans_is_no_sign_of_another_unit(tmp_path):
    found = [{"start": 0, "end": 2, "label": "X"}, {"start": 2, "end": 5, "label": "X"}]
    assert read(tmp_path, found, "é a b", ("é", "a", "b")) == ["B-X", "B-X", "I-X"]


@pytest.mark.parametrize("unit", ["utf16", "bytes"])
def test_places_behind_the_end_or_with_another_text_name_the_unit(tmp_path, unit):
    end = len(SHOES)
    with pytest.raises(InputError, match=rf"not part of a text of {end} char.*`offsets`=.*{unit}"):
        read(tmp_path, spans(unit))
    named = [{**spans(unit)[0], "text": "Anna Lind"}]
    with pytest.raises(InputError, match=f"'Anna Lind' where .*give `offsets`={unit}, which"):
        read(tmp_path, named)


def test_spans_of_parts_of_words_are_not_taken_for_another_unit(tmp_path, caplog):
    with caplog.at_level("WARNING", "absl"):
        found = read(tmp_path, [{"start": 3, "end": 6, "label": "X"}])
    assert found == ["O", "B-X", "O", "O", "O", "O"]
    assert "1 of 1 spans do not fit" in caplog.text


def test_many_spans_that_do_not_fit_are_a_warning_with_three_examples(tmp_path, caplog):
    words = tuple(f"w{number:02}" for number in range(40))
    text = " ".join(words)
    whole = [{"start": 4 * n, "end": 4 * n + 3, "label": "X"} for n in range(39)]
    with caplog.at_level("WARNING", "absl"):
        read(tmp_path, [*whole, {"start": 156, "end": 158, "label": "Y"}], text, words)
        assert not caplog.text  # 1 of 40
        shifted = [{**span, "start": span["start"] + 1} for span in whole[:4]]
        read(tmp_path, [*shifted, *whole[4:], {"text": "w98", "label": "Y"}], text, words)
    (record,) = caplog.records
    message = record.getMessage()
    assert (
        "5 of 40 spans do not fit the words of the text or each other, such as line 1: 'w98' (Y)"
        in message
    )
    assert message.count("line 1: ") == 3 and "partial words: 4" in message
    assert "lost mentions: 1" in message


RAW = "  Anna sings\n at Rome again"
RAW_WORDS = ("Anna", "sings", "at", "Rome", "again")


def places(text, *mentions):
    return [
        {"start": text.index(mention), "end": text.index(mention) + len(mention), "label": "X"}
        for mention in mentions
    ]


def moved(spans, to_start, to_end):
    return [{**s, "start": s["start"] + to_start, "end": s["end"] + to_end} for s in spans]


@pytest.mark.parametrize(
    ("other", "expected", "remedy"),
    [
        (lambda spans: moved(spans, 0, -1), "they included their ends", "add 1 to every end"),
        (
            lambda spans: moved(spans, 1, 1),
            "they counted from 1",
            "subtract 1 from every start and end",
        ),
        (
            lambda spans: moved(spans, 1, 0),
            "they counted from 1 and included their ends",
            "subtract 1 from every start",
        ),
    ],
)
def test_spans_that_are_counted_otherwise_are_refused_with_what_to_add(
    tmp_path, other, expected, remedy
):
    text = "Anna met Bo and Al in Rome today"
    spans = places(text, "Anna", "Bo", "Al", "Rome")
    with pytest.raises(InputError, match=rf"would if {expected}; {remedy}, or give `offsets`="):
        read(tmp_path, other(spans), text, text.split())
    found = read(tmp_path, spans, text, text.split())
    assert found == ["B-X", "O", "B-X", "O", "B-X", "O", "B-X", "O"]
    read(tmp_path, other(spans), text, text.split(), offsets="characters")


@pytest.mark.parametrize("end", [1, 0])
def test_spans_that_count_words_are_refused(tmp_path, end):
    spans = [{"start": n, "end": n + 1 + end, "label": "X"} for n in (0, 2)]
    with pytest.raises(InputError, match=r"would if they counted words.*; give places in char"):
        read(tmp_path, spans, "Johanna sings in Rome", ("Johanna", "sings", "in", "Rome"))


@pytest.mark.parametrize(
    ("text", "counted", "expected"),
    [
        (RAW.replace("\n", "\r\n"), RAW, r"line ends were one character; replace \\r\\n by \\n"),
        (RAW, RAW.replace("\n", "\r\n"), r"line ends were two characters; replace \\n by \\r\\n"),
        (RAW, RAW.lstrip(), "no blanks stood before the text; remove them there"),
        ("Anna   sings  at  Rome again", "Anna sings at Rome again", "single blanks stood between"),
    ],
)
def test_offsets_into_a_text_with_other_blanks_name_them_and_the_way_out_works(
    tmp_path, text, counted, expected
):
    spans = places(counted, "sings", "at", "Rome")
    with pytest.raises(InputError, match=rf"a\.jsonl: .*would if {expected}"):
        read(tmp_path, spans, text, RAW_WORDS)
    assert read(tmp_path, spans, counted, RAW_WORDS) == ["O", "B-X", "B-X", "B-X", "O"]


@pytest.mark.parametrize(("form", "other"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_offsets_into_a_text_of_another_normalisation_name_it_and_the_way_out_works(
    tmp_path, form, other
):
    plain = "Weiß José ña in Rome again"
    text, counted = (unicodedata.normalize(name, plain) for name in (other, form))
    spans = places(counted, unicodedata.normalize(form, "José"), "in", "Rome")
    with pytest.raises(InputError, match=f"would if the text were in {form}; bring it and your"):
        read(tmp_path, spans, text, text.split())
    assert read(tmp_path, spans, counted, counted.split()) == ["O", "B-X", "O", "B-X", "B-X", "O"]


@pytest.mark.parametrize(
    ("text", "words", "expected"),
    [
        ("Jose\u0301 sings", ("Jos\u00e9", "sings"), "another Unicode normalisation .*to NFC"),
        (
            "Jo\u00adse sings",
            ("Jose", "sings"),
            r"invisible characters \('\\xad'\); remove them from both",
        ),
        ("Jose sings", ("\u200bJose", "sings"), r"invisible characters \('\\u200b'\)"),
    ],
)
def test_texts_whose_difference_nobody_sees_are_told_apart(tmp_path, text, words, expected):
    with pytest.raises(InputError, match=rf"a\.jsonl, line 1: its text .*{expected}"):
        read(tmp_path, [], text, words)


def test_a_few_spans_of_parts_of_words_do_not_make_the_others_counted_otherwise(tmp_path):
    text = "Anna met Bo in Rome"
    spans = [*places(text, "Anna", "Bo"), {"start": 15, "end": 18, "label": "X"}]
    assert read(tmp_path, spans, text, text.split()) == ["B-X", "O", "B-X", "O", "B-X"]
