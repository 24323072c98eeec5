import numpy as np
import pytest

import zsl_jax
from zsl_jax.data.predictions.label_maps import LabelMap
from zsl_jax.errors import InputError
from zsl_jax.workflows.source_settings import (
    check_offsets_are_read,
    checked_settings,
    checked_source,
    refuse_unread_offsets,
)
from zsl_jax.workflows.sources import Source


def test_each_source_has_the_settings_of_its_name(tmp_path):
    (tmp_path / "en.yaml").write_text("PERSON: PER\n")
    maps = {"en": tmp_path / "en.yaml", "de": {"MISC": None, "FAC": ("LOC", "ORG")}}
    settings = checked_settings(["en", "de"], (), "de", {"en": "utf16"}, maps)
    english = settings.of("en", "en.jsonl")
    assert english == Source("en", "en.jsonl", english.label_map, offsets="utf16")
    assert english.label_map == LabelMap(str(tmp_path / "en.yaml"), {"PERSON": "PER"})
    german = settings.of("de", lambda sentences: sentences)
    assert german.path == "" and german.sparse and german.offsets is None
    assert german.label_map.targets == {"MISC": None, "FAC": ("LOC", "ORG")}


def test_settings_of_a_source_object_stay_where_none_are_given():
    given = Source("other", "x.jsonl", "map.yaml", sparse=True, offsets="bytes")
    assert checked_settings(["en"]).of("en", given) == given._replace(name="en")


def test_a_source_object_and_predictions_of_the_same_name_share_settings():
    names = LabelMap("map.yaml", {"PERSON": "PER"})
    given = {"a": Source("a", "x.jsonl", names, sparse=True, offsets="bytes"), "b": "b.jsonl"}
    settings = checked_settings(given, (), "b", "utf16").with_those_of(given)
    assert settings.of("a", "y.jsonl") == given["a"]._replace(path="y.jsonl")
    assert settings.of("b", "b.jsonl") == Source("b", "b.jsonl", sparse=True, offsets="utf16")
    own = Source("a", "y.jsonl", offsets="characters")
    assert settings.of("a", own).offsets == "characters"


def test_settings_may_be_none_and_label_names_any_iterable():
    settings = checked_settings(["en"], None, None, None, None)
    assert settings == checked_settings(["en"])
    assert checked_settings(["en"], iter("XY")).label_names == ("X", "Y")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sparse": ["fr"]}, r"`sparse`=\['fr'\] names no source; the sources are en"),
        ({"offsets": {"fr": "bytes"}}, "`offsets`=.* names no source; the sources are en"),
        ({"sparse": 5}, "`sparse`=5: give a list of names of sources"),
        ({"sparse": [["en"]]}, r"`sparse`=\[\['en'\]\] names no source; the sources are en"),
        ({"label_names": 5}, "`label_names`: the label names are 5; give a list of names"),
        ({"offsets": ["bytes"]}, r"`offsets`=\['bytes'\]: give {'NAME': unit} by source"),
        ({"offsets": {"en": ["bytes"]}}, "a unit is one of characters, utf16, bytes"),
        ({"label_map": {"en": {"PER": np.array(["A", "B"])}}}, "is not a name; .* several into a"),
        ({"label_map": {"en": {"PER": {"A", "B"}}}}, "is not a name; .* several into a list"),
        ({"offsets": {"en": "words"}}, "a unit is one of characters, utf16, bytes"),
        ({"label_map": {"fr": {}}}, "`label_map`=.* names no source; the sources are en"),
        ({"label_map": {"en": __file__}}, r"source_settings_test\.py.*: not YAML .* write `PER"),
        ({"label_map": {"en": "none.yaml"}}, r"`label_map`\['en'\]: there is no file none.yaml"),
        ({"label_map": {"en": {"PER": 3}}}, r"label_map\['en'\]: 'PER': 3: 3 is not a name"),
        ({"label_map": {"en": 3}}, r"`label_map`\['en'\]=3 is neither a file nor a mapping"),
        ({"label_map": "map.yaml"}, "`label_map`='map.yaml': give {'NAME': map}"),
    ],
)
def test_settings_that_nothing_has_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        checked_settings(["en"], **settings)


def test_a_source_object_is_read_as_its_path_and_settings_are(tmp_path):
    (tmp_path / "a.conll").write_text("Ann\tB-PERSON\n")
    given = Source("other", tmp_path / "a.conll", {"PERSON": "PER"}, offsets="bytes")
    source = checked_source("a", given)
    assert (source.name, source.path) == ("a", str(tmp_path / "a.conll"))
    assert source.label_map.targets == {"PERSON": "PER"} and checked_source("a", source) == source
    (made,) = zsl_jax.aggregate([["Ann"]], {"a": given}, "majority")
    assert made.labels == ("B-PER",)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (Source("b", "none.tsv"), "the source a: there is no file none.tsv; correct the path"),
        (Source("b", 3), "the source a: 3 is not a path; give one"),
        (Source("b", "x", "none.yaml"), r"`label_map`\['a'\]: there is no file none.yaml"),
        (Source("b", "x", {"PER": 3}), r"label_map\['a'\]: 'PER': 3: 3 is not a name"),
        (Source("b", "x", offsets="utf7"), "the source a: `offsets`='utf7' is not one of None, ch"),
        (Source("b", "x", task="NER"), "the source a: `task`='NER' is not one of ner, pos; choose"),
        (Source("b", "x", sparse="no"), "the source a: `sparse`='no' is not one of False, True"),
    ],
)
def test_source_objects_that_cannot_be_read_are_refused(source, message):
    with pytest.raises(InputError, match=message):
        zsl_jax.aggregate([["Ann"]], {"a": source}, "majority")


def test_units_of_offsets_are_refused_for_predictions_without_character_spans(tmp_path):
    spans, words = tmp_path / "a.jsonl", tmp_path / "b.conll"
    spans.write_text('{"text": "Ann ran.", "spans": [[0, 3, "PER"]]}\n')
    words.write_text("Ann\tB-PER\nran.\tO\n")
    files = {"spans": [str(words), str(spans)], "words": [str(words)], "model": []}
    refuse_unread_offsets(["utf16", "spans=bytes"], files)
    for value in ("words=utf16", "model=utf16"):
        with pytest.raises(InputError, match=f"^`offsets`={value} is not used without character"):
            refuse_unread_offsets(["spans=bytes", value], files)
    with pytest.raises(InputError, match=r"^`offsets`=utf16 is not used without character spans"):
        refuse_unread_offsets(["utf16"], {**files, "spans": []})
    given = {"spans": spans, "words": Source("words", str(words)), "model": lambda sentences: None}
    check_offsets_are_read("utf16", given)
    check_offsets_are_read({"words": "utf16"}, given, {"words": str(spans)})
    for name in ("words", "model"):
        with pytest.raises(InputError, match=f"^`offsets`={name}=bytes is not used without char"):
            check_offsets_are_read({name: "bytes"}, given, None)
