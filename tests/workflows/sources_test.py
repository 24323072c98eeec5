import json
import os
import re
import resource

import numpy as np
import pytest

from launch.source_flags import (
    parse_sources,
    units_of,
    with_label_maps,
    with_offsets,
)
from tests.arrow_memory import held_bytes
from zsl_jax.data.predictions.label_maps import LabelMap
from zsl_jax.data.predictions.parquet_writer import write_predictions
from zsl_jax.data.predictions.source_predictions import SourcePredictions
from zsl_jax.data.shards import Shard
from zsl_jax.data.text.compact_text import CompactText
from zsl_jax.data.text_shard import TextShard
from zsl_jax.errors import InputError
from zsl_jax.labels import LabelSet
from zsl_jax.training.config import TransferConfig
from zsl_jax.training.config_choices import Approach
from zsl_jax.types import Sentence
from zsl_jax.workflows import approaches, source_annotation
from zsl_jax.workflows.aggregate import aggregate_files
from zsl_jax.workflows.loaded_tagger import load_tagger, save_tagger
from zsl_jax.workflows.source_annotation import source_predictions
from zsl_jax.workflows.source_conversion import in_target_labels
from zsl_jax.workflows.sources import Source


def said(names, labels):
    """Predictions for one sentence."""
    ids = np.array([names.index(label) for label in labels], np.int32)
    return SourcePredictions(tuple(names), ids, None, (("w",) * len(labels),))


def turned(labels, label_map, tmp_path):
    path = tmp_path / "map.yaml"
    path.write_text(label_map)
    names = sorted(set(labels))
    made = in_target_labels(Source("en", "-", str(path)), said(names, labels))
    return [made.label_names[label] if label >= 0 else None for label in made.labels], made.about


def test_entities_that_touch_stay_apart_when_their_types_become_one(tmp_path):
    labels, about = turned(["I-GPE", "I-LOC", "I-LOC", "O"], "{GPE: X, LOC: X}", tmp_path)
    assert labels == ["B-X", "B-X", "I-X", "O"]
    path = str(tmp_path / "map.yaml")
    assert about == {"scheme": "io", "repairs": 0, "label_map": path}


def test_plain_labels_that_a_map_makes_io_become_bio(tmp_path):
    label_map = "{PER: I-PER, LOC: I-LOC}"
    labels, about = turned(["PER", "PER", "O", "LOC"], label_map, tmp_path)
    assert labels == ["B-PER", "I-PER", "O", "B-LOC"] and about["scheme"] == "io"


def test_repairs_before_and_after_the_map_are_counted_together(tmp_path):
    given = ["O", "I-X", "O", "B-Y", "I-Y", "O", "B-X"]
    labels, about = turned(given, "{X: X, B-Y: O, I-Y: I-Y}", tmp_path)
    assert labels == ["O", "B-X", "O", "O", "B-Y", "O", "B-X"]
    assert about["repairs"] == 2 and about["scheme"] == "bio"
    labels, about = turned(given, "{X: X, B-Y: null, I-Y: I-Y}", tmp_path)
    assert labels == ["O", "B-X", "O", None, "I-Y", "O", "B-X"]  # which may go on
    assert about["repairs"] == 1


def test_label_maps_belong_to_sources(tmp_path):
    path = tmp_path / "map.yaml"
    path.write_text("A: B\n")
    sources = parse_sources(["en=models/en", "de=models/de"])
    found = with_label_maps(sources, [f"de={path}"])
    assert [source.label_map for source in found] == [None, LabelMap(str(path), {"A": "B"})]
    assert with_label_maps(sources, []) == sources


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["map.yaml"], "must read --label_map=NAME=FILE"),
        (["en="], "must read"),
        (["fr={}"], "the sources are en"),
        (["en={}", "en={}"], "one map per source"),
        (["en=none.yaml"], "there is no file none.yaml"),
        ([f"en={__file__}"], r"sources_test\.py.*: not YAML .* write `PER: PERSON`"),
    ],
)
def test_bad_label_maps_are_refused(tmp_path, values, message):
    path = tmp_path / "map.yaml"
    path.write_text("A: B\n")
    with pytest.raises(InputError, match=message):
        with_label_maps([Source("en", "-")], [value.format(path) for value in values])


def test_a_source_of_other_labels_cannot_be_the_target_tagger(world):
    start = load_tagger(world.encoder)._replace(label_set=LabelSet(("O", "I-X")))
    config = TransferConfig(approach=Approach.DIRECT)
    with pytest.raises(InputError, match=r"`approach`=direct: the labels of .*encoder are not BIO"):
        approaches.train_target(start, LabelSet(("O", "B-X", "I-X")), None, config, None)


def test_predictions_of_a_text_hold_no_words_or_probabilities_in_memory(tmp_path):
    text = TextShard(CompactText.of([Sentence(("one", "two")), Sentence(("three",))]))
    names, labels = ("B-X", "O", "I-X"), np.array([0, 1, 2], np.int32)
    probs = np.array([[0.75, 0.25, 0], [0, 1, 0], [0, 0.25, 0.75]], np.float16)
    words = (("one", "two"), ("three",))
    path = tmp_path / "a.parquet"
    write_predictions(path, SourcePredictions(names, labels, probs, words))
    map_file = tmp_path / "map.yaml"
    map_file.write_text("X: Y\n")
    for label_map in (None, str(map_file)):
        source = Source("en", str(path), label_map)
        before = held_bytes()
        (found,) = source_predictions(source, [text], tmp_path / "cache", 32)
        assert found.words == [s.words for s in text.sentences]
        assert held_bytes(before) <= before
        assert isinstance(found.probs, np.memmap)
        kind = "X" if label_map is None else "Y"
        said = [found.label_names[label] for label in found.labels]
        assert said == [f"B-{kind}", "O", f"B-{kind}"]  # the last one is repaired
        by_name = dict(zip(found.label_names, found.probs[0].tolist(), strict=True))
        assert by_name[f"B-{kind}"] == 0.75 and by_name["O"] == 0.25


def test_a_model_is_loaded_once_for_several_texts(world, tmp_path, monkeypatch):
    encoder, head = load_tagger(world.encoder), {"kernel": np.eye(16, 2), "bias": np.zeros(2)}
    tagger = encoder._replace(
        params={**encoder.params, "classifier": head}, label_set=LabelSet(("A", "B"))
    )
    save_tagger(tmp_path / "model", tagger)
    source, loads = Source("en", str(tmp_path / "model")), []
    monkeypatch.setattr(source_annotation, "load_tagger", lambda path: loads.append(path) or tagger)
    texts = [TextShard([Sentence(words)]) for words in (("Ka", "tab"), ("gata",))]
    both = source_predictions(source, texts, tmp_path / "both", 32)
    assert loads == [source.path]
    assert [len(found.labels) for found in both] == [2, 1]
    again = source_predictions(source, texts, tmp_path / "both", 32)  # annotated already
    assert loads == [source.path]
    alone = [source_predictions(source, [text], tmp_path / "alone", 32)[0] for text in texts]
    for found in zip(both, again, alone, strict=True):
        for other in found[1:]:
            np.testing.assert_array_equal(other.probs, found[0].probs)


def test_many_files_of_predictions_are_read_with_few_of_them_open(tmp_path):
    number, names = 250, ("A", "B")
    rng, expected = np.random.default_rng(0), []
    for place in range(number):
        probs = rng.dirichlet(np.ones(2), 1).astype(np.float16)
        expected.append(probs)
        made = SourcePredictions(names, probs.argmax(1).astype(np.int32), probs, [(f"w{place}",)])
        write_predictions(tmp_path / f"{place:03}.parquet", made)
    by_file = [[Sentence((f"w{place}",))] for place in range(number)]
    text = TextShard([s for file in by_file for s in file], Shard(tuple(range(number)), 0, 1))
    text = text._replace(num_files=number, by_file=by_file)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    room = len(os.listdir("/proc/self/fd")) + 150
    resource.setrlimit(resource.RLIMIT_NOFILE, (room, limits[1]))
    try:
        source = Source("many", str(tmp_path / "*.parquet"))
        (found,) = source_predictions(source, [text], tmp_path / "cache", 32)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    np.testing.assert_array_equal(found.probs, np.concatenate(expected))
    assert [tuple(words) for words in found.words] == [(f"w{n}",) for n in range(number)]


def test_names_and_paths():
    found = parse_sources(["en=models/en", "x=a=b"])
    assert [source[:2] for source in found] == [("en", "models/en"), ("x", "a=b")]
    assert found[1].given == "--source=x=a=b"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["a=x", "b=y", "a=z"], "the name a occurs twice"),
        (["a=x", "a=x"], "the name a occurs twice"),
        (["x"], "must read --source=NAME=PATH"),
        (["=x"], "must read"),
        (["a="], "must read"),
        (["a/b=x"], "a plain word"),
        (["a=none.parquet"], r"--source=a=none\.parquet: there is no file none\.parquet; correct"),
        (["a=none*.parquet"], r"--source=a=none\*\.parquet: .*fits no file; correct the path"),
    ],
)
def test_what_is_no_source(values, expected):
    with pytest.raises(InputError, match=expected):
        parse_sources(values)
    with pytest.raises(InputError, match=expected.replace("--source", "--test_source")):
        parse_sources(values, "--test_source")


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([-1, -1], "source en abstains from all 2 words"),
        (
            [0, -1],
            "names no entity in 2 words; if its O means that it knows nothing, give `sparse`=en",
        ),
        ([0, 1], None),
    ],
)
def test_a_source_that_says_nothing_is_named(caplog, labels, expected):
    made = SourcePredictions(("O", "B-X"), np.array(labels, np.int32), None, (("a", "b"),))
    with caplog.at_level("WARNING", "absl"):
        in_target_labels(Source("en", "-"), made)
    assert expected in caplog.text if expected else not caplog.text


def test_offsets_of_a_source_are_read_in_its_unit(tmp_path):
    line = {"text": "\U0001f45e Al ran", "spans": [{"start": 3, "end": 5, "label": "X"}]}
    (tmp_path / "a.jsonl").write_text(json.dumps(line), encoding="utf-8")
    text = TextShard([Sentence(("\U0001f45e", "Al", "ran"))])
    source = Source("en", str(tmp_path / "a.jsonl"), offsets="utf16")
    (made,) = source_predictions(source, [text], tmp_path, 64)
    assert [made.label_names[label] for label in made.labels] == ["O", "B-X", "O"]
    with pytest.raises(InputError, match="`offsets`=utf16"):
        source_predictions(source._replace(offsets=None), [text], tmp_path, 64)


def test_each_source_has_the_unit_of_its_own_offsets(tmp_path):
    text = TextShard([Sentence(("\U0001f45e", "Al", "ran"))])
    sources = []
    for name, start in (("python", 2), ("java", 3)):
        line = {"text": "\U0001f45e Al ran", "spans": [{"start": start, "end": start + 2}]}
        line["spans"][0]["label"] = "X"
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(line), encoding="utf-8")
        sources.append(Source(name, str(tmp_path / f"{name}.jsonl")))
    for values in (["java=utf16"], ["utf16", "python=characters"]):
        for source in with_offsets(sources, values):
            (made,) = source_predictions(source, [text], tmp_path, 64)
            assert [made.label_names[label] for label in made.labels] == ["O", "B-X", "O"]
    (shifted,) = source_predictions(with_offsets(sources, ["utf16"])[0], [text], tmp_path, 64)
    assert shifted.labels.tolist() != made.labels.tolist()


@pytest.mark.parametrize(
    "values", [["utf8"], ["c=utf16"], ["a="], ["utf16", "bytes"], ["=bytes"] * 2]
)
def test_units_that_cannot_be_are_refused(values):
    with pytest.raises(InputError, match="--offsets="):
        units_of(values, ["a", "b"])


def test_units_without_values_are_open():
    assert units_of([], ["a", "b"]) == [None, None]
    assert units_of(["a=bytes"], ["a", "b"]) == ["bytes", None]


def test_plain_labels_with_o_and_labels_without_names_are_warned_of(caplog):
    for names, expected in (
        (("O", "PER"), "source en: O, PER are read as plain tags, not entities; .*`label_map`=en"),
        (("LABEL_0",), "source en: LABEL_0 are read as tags whose names are missing"),
    ):
        made = SourcePredictions(names, np.zeros(1, np.int32), None, (("a",),))
        with caplog.at_level("WARNING", "absl"):
            in_target_labels(Source("en", "-"), made._replace(labels=np.array([len(names) - 1])))
        assert re.search(expected, caplog.text)


def test_sources_in_different_schemes_are_refused_until_a_label_map_says_what_is_meant(tmp_path):
    words = ("Anna", "Maria", "in", "Rome")
    said = {
        "a": "B-PER I-PER O B-LOC",
        "b": "PER PER O LOC",
        "c": "LABEL_1 LABEL_2 LABEL_0 LABEL_3",
    }
    maps = {
        "b": "{PER: I-PER, LOC: I-LOC}",
        "c": "{LABEL_0: O, LABEL_1: B-PER, LABEL_2: I-PER, LABEL_3: B-LOC}",
    }
    for name, labels in said.items():
        rows = zip(words, labels.split(), strict=True)
        (tmp_path / f"{name}.conll").write_text("".join(f"{w}\t{label}\n" for w, label in rows))
    sources = {name: Source(name, str(tmp_path / f"{name}.conll")) for name in said}
    for name, content in maps.items():
        with pytest.raises(InputError, match=rf"the source {name} gives .*`label_map`={name}=FILE"):
            aggregate_files([sources[name], sources["a"]], "majority")
        (tmp_path / name).write_text(content)
        mapped = sources[name]._replace(label_map=str(tmp_path / name))
        made = aggregate_files([mapped, sources["a"]], "majority")
        assert [made.label_names[label] for label in made.labels] == said["a"].split()
