"""Tests of zsl_jax.aggregate."""

import json

import jax.numpy as jnp
import numpy as np
import pytest

import zsl_jax
from tests import tiny_world
from zsl_jax.data.predictions.parquet_writer import write_predictions
from zsl_jax.data.predictions.source_predictions import SourcePredictions
from zsl_jax.errors import InputError
from zsl_jax.types import Sentence
from zsl_jax.workflows.aggregate import aggregate_files
from zsl_jax.workflows.sources import Source
from zsl_jax.workflows.vote_aggregation import AGGREGATIONS


def test_aggregation_of_a_function_a_file_an_array_and_predictions(texts, tmp_path):
    text, _ = texts
    truth = [[tiny_world.LABEL_OF[word] for word in words] for words in text]
    file = tmp_path / "file.conll"
    tiny_world.write_text(
        file, [Sentence(tuple(w), tuple(y)) for w, y in zip(text, truth, strict=True)]
    )
    ids = np.array([tiny_world.LABELS.index(label) for own in truth for label in own])
    words = tuple(map(tuple, text))
    made = SourcePredictions(tiny_world.LABELS, np.zeros(len(ids), np.int32), None, words)
    sources = {"function": tiny_world.by_rule, "file": str(file), "array": ids, "constant": made}
    for method in ("majority", "chain"):
        found = zsl_jax.aggregate(text, sources, method, tiny_world.LABELS)
        assert [list(one.labels) for one in found] == truth
        assert [one.probs.shape for one in found] == [(len(own), 3) for own in truth]
    with pytest.raises(InputError, match="`method`=vote is not one of majority, mean"):
        zsl_jax.aggregate(text, sources, "vote")


def test_the_result_tells_what_was_learned_about_each_source(texts):
    text, _ = texts
    sources = {"good": tiny_world.by_chance(0.9, 0), "bad": tiny_world.by_chance(0.3, 1)}
    sources["fair"] = tiny_world.by_chance(0.7, 2)
    found = zsl_jax.aggregate(text, sources)
    assert len(found) == len(text) and found[0] is found.sentences[0] and found[:2] == found[0:2]
    assert found.label_names == tiny_world.LABELS == found[0].label_names
    good, bad, _ = found.report.sources
    assert (good.name, bad.name) == ("good", "bad") and good.agreement > 0.8 > bad.agreement
    table = found.confusion.by_source["good"]
    assert found.confusion.source_labels == found.confusion.label_names == tiny_world.LABELS
    np.testing.assert_allclose(table.sum(axis=0), 1, atol=1e-5)
    diagonal = dict(zip(tiny_world.LABELS, np.diag(table), strict=True))
    assert good.diagonal == pytest.approx(diagonal)
    assert zsl_jax.aggregate(text, sources, "dawid_skene").confusion is not None
    for method in ("majority", "mean"):
        assert zsl_jax.aggregate(text, sources, method).confusion is None


def test_the_labels_of_an_aggregation_can_be_written_as_those_of_a_source(tmp_path):
    text = [["Ann", "sings"], [], ["Bo"]]
    rule = {"rule": lambda sentences: [["X" if w == "Ann" else None for w in s] for s in sentences]}
    found = zsl_jax.aggregate(text, rule, "majority")
    write_predictions(tmp_path / "votes.parquet", found.predictions)
    again = zsl_jax.aggregate(text, {"votes": tmp_path / "votes.parquet"}, "majority")
    assert [sentence.labels for sentence in again] == [("X", "_"), (), ("_",)]
    assert again.sentences == found.sentences
    with pytest.raises(InputError, match=r"is not SourcePredictions; give these, such as the `pre"):
        write_predictions(tmp_path / "votes.parquet", found)


def test_results_are_equal_if_all_their_values_are(texts):
    text, _ = texts
    sources = {"good": tiny_world.by_chance(0.9, 0), "bad": tiny_world.by_chance(0.3, 1)}
    one, same = (zsl_jax.aggregate(text, sources, "dawid_skene") for _ in range(2))
    other = zsl_jax.aggregate(text, {**sources, "bad": tiny_world.by_chance(0.4, 1)}, "dawid_skene")
    assert one == same and (one != same) is False and one.index(same[3]) == 3
    assert one != other and one.confusion != other.confusion and one != list(one)
    first = one[0]
    assert repr(one) == f"AggregateResult({len(text)} sentences, label_names={one.label_names})"
    assert first == same[0] != first._replace(probs=first.probs + 1) and first != first.words
    arrays = SourcePredictions(("A",), np.zeros(1, np.int32), np.ones((1, 1)), [("a",)])
    assert arrays == arrays._replace(labels=np.zeros(1, int)) != arrays._replace(probs=None)
    with pytest.raises(TypeError, match="unhashable type: 'TaggedSentence'"):
        hash(first)


def test_entities_have_places_and_scores():
    probs = np.array([[0.1, 0.9, 0], [0.3, 0, 0.7], [1, 0, 0], [0.4, 0.6, 0]])
    source = {"a": lambda sentences: (("O", "B-PER", "I-PER"), probs)}
    (made,) = zsl_jax.aggregate([["Ann", "Lee", "met", "Bo"]], source, "mean")
    assert made.labels == ("B-PER", "I-PER", "O", "B-PER")
    first, second = made.entities
    assert first[:6] == ("PER", 0, 2, "Ann Lee", 0, 7) and second[:6] == ("PER", 3, 4, "Bo", 12, 14)
    assert first.score == pytest.approx(0.8, abs=1e-3) and second.score == pytest.approx(
        0.6, abs=1e-3
    )
    assert made.scores == pytest.approx((0.9, 0.7, 1, 0.6), abs=1e-3)


def test_a_source_may_have_a_label_map(tmp_path):
    (tmp_path / "a.conll").write_text("Ann\tB-HUMAN\nsings\tO\n", encoding="utf-8")
    (tmp_path / "map.yaml").write_text("HUMAN: PER\n", encoding="utf-8")
    source = Source("a", str(tmp_path / "a.conll"), label_map=str(tmp_path / "map.yaml"))
    (made,) = zsl_jax.aggregate([["Ann", "sings"]], {"a": source}, "majority")
    assert made.labels == ("B-PER", "O")


def test_a_copy_of_a_source_is_named_and_changes_nothing(texts, caplog):
    text, _ = texts
    sources = {name: tiny_world.by_chance(0.8, seed) for seed, name in enumerate("abc")}
    once = zsl_jax.aggregate(text, sources, label_names=tiny_world.LABELS)
    assert "nearly the same labels" not in caplog.text
    again = zsl_jax.aggregate(text, sources | {"copy": sources["b"]}, label_names=tiny_world.LABELS)
    assert "the sources b and copy give nearly the same labels" in caplog.text
    for first, second in zip(once, again, strict=True):
        assert first.labels == second.labels
        np.testing.assert_allclose(first.probs, second.probs, atol=1e-4)


def test_a_rule_of_tags_without_o_cannot_be_sparse():
    with pytest.raises(InputError, match="`sparse`=rule: the source has tags such as NAME and no"):
        zsl_jax.aggregate([["Ka", "tab"]], {"rule": tiny_world.by_rule}, sparse=["rule"])


def test_a_rule_that_is_marked_sparse_does_not_outvote_what_it_does_not_know():
    text = [["Ann", "met", "Bo"], ["Bo", "ran"]]

    def knows(name):
        return lambda sentences: [
            [(n, n + 1, "PER") for n, word in enumerate(words) if word == name]
            for words in sentences
        ]

    sources = {"ann": knows("Ann"), "bo": knows("Bo"), "none": knows("Cy")}
    by_votes = zsl_jax.aggregate(text, sources, "majority")
    assert [made.labels for made in by_votes] == [("O", "O", "O"), ("O", "O")]
    found = zsl_jax.aggregate(text, sources, "majority", sparse=sources)
    assert [made.labels for made in found] == [("B-PER", "O", "B-PER"), ("B-PER", "O")]
    one = zsl_jax.aggregate(text, {"ann": sources["ann"]}, "majority", sparse="ann")
    assert one[1].labels == ("O", "O")  # where nobody else speaks, silence stands for O
    with pytest.raises(
        InputError, match=r"`sparse`=\['bob'\] names no source; the sources are ann, bo, none"
    ):
        zsl_jax.aggregate(text, sources, "majority", sparse=["bob"])


def test_label_maps_bring_sources_to_the_labels_of_the_target(tmp_path):
    text = [["Ann", "ran"]]
    (tmp_path / "plain.conll").write_text("Ann\tPROPN\nran\tV\n")
    sources = {"file": tmp_path / "plain.conll", "rule": lambda _: [["NAME", "X"]]}
    (tmp_path / "map.yaml").write_text("NAME: [NOUN, PROPN]\nX: null\n")
    maps = {"file": {"PROPN": "PROPN", "V": "VERB"}, "rule": tmp_path / "map.yaml"}
    (made,) = zsl_jax.aggregate(text, sources, "mean", label_map=maps)  # NOUN: the first of its set
    assert made.probs.tolist() == [[0.5, 0.5, 0], [0, 0, 1]]  # of NOUN, PROPN, VERB
    with pytest.raises(InputError, match=r"label_map\['file'\] has no target for V of the source"):
        zsl_jax.aggregate(text, sources, label_map={**maps, "file": {"PROPN": "PROPN"}})


@pytest.mark.parametrize("method", AGGREGATIONS)
def test_every_method_reports_on_sources_that_are_sparse_or_give_sets_of_labels(method):
    text = [["Ann", "Lee", "left", "Rome"]] * 4
    labels = ["B-PER", "I-PER", "O", "B-LOC"]
    sources = {name: lambda sentences: [labels for _ in sentences] for name in ("a", "b")}
    sources["names"] = lambda sentences: [[(0, 2, "NAME"), (3, 4, "NAME")] for _ in sentences]
    maps = {"names": {"NAME": ["PER", "LOC"]}}
    made = zsl_jax.aggregate(text, sources, method, sparse="names", label_map=maps)
    assert [list(one.labels) for one in made] == [labels] * 4
    assert [source.agreement for source in made.report.sources] == [1, 1, 1]
    assert not [w for w in made.report.warnings if "names" in w and "chance" in w]
    if made.confusion is not None:
        shape = (len(made.confusion.source_labels), len(made.label_names))
        assert all(table.shape == shape for table in made.confusion.by_source.values())


def test_a_plain_label_that_may_be_several_entities_adds_no_label_to_the_target():
    labels = ["B-PER", "I-PER", "O", "B-LOC"]
    sources = {"a": lambda _: [labels], "b": lambda _: [["NAME", "NAME", "V", "NAME"]]}
    maps = {"b": {"NAME": ["I-PER", "I-LOC"], "V": "O"}}
    found = zsl_jax.aggregate([["Ann", "Lee", "left", "Rome"]], sources, label_map=maps)
    assert found.label_names == ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")
    assert list(found[0].labels) == labels
    assert [source.agreement for source in found.report.sources] == [1, 1]


SHOE = [["\U0001f45e", "Al", "ran"]]


def test_each_file_has_the_unit_of_its_own_offsets(spans):
    given = {"java": "utf16"}
    (made,) = zsl_jax.aggregate(SHOE, spans, "mean", offsets=given)
    assert made.labels == ("O", "B-X", "O") and made.probs.max(axis=1).tolist() == [1, 1, 1]
    only = {"java": spans["java"]}
    assert zsl_jax.aggregate(SHOE, only, "mean", offsets="utf16")[0].labels == ("O", "B-X", "O")
    with pytest.raises(InputError, match=r"java\.jsonl: .*`offsets`=utf16"):
        zsl_jax.aggregate(SHOE, only, "mean")
    with pytest.raises(
        InputError,
        match=r"`offsets`=\{'c': 'utf16'\} names no source; the sources are python, java",
    ):
        zsl_jax.aggregate(SHOE, spans, "mean", offsets={"c": "utf16"})
    with pytest.raises(InputError, match="`offsets`='utf8': a unit is one of characters, utf16"):
        zsl_jax.aggregate(SHOE, spans, "mean", offsets="utf8")


def test_files_of_spans_are_aggregated_on_words_of_others_or_of_their_own(tmp_path):
    spans, words = tmp_path / "a.jsonl", tmp_path / "b.conll"
    spans.write_text('{"text": "Ann-Bo ran.", "spans": [[0, 6, "PER"]]}\n{"text": "", "spans": []}')
    words.write_text("Ann-Bo\tB-PER\nran.\tO\n")
    made = aggregate_files([Source("a", str(spans))], "majority")
    first, empty = made.rows()
    assert first[0].words == ("Ann", "-", "Bo", "ran", ".") and empty[0].words == ()
    assert first[1] == ("B-PER", "I-PER", "I-PER", "O", "O")
    spans.write_text(spans.read_text().splitlines()[0])
    sources = [Source("a", str(spans)), Source("b", str(words))]
    for given in (sources, sources[::-1]):
        ((sentence, labels),) = aggregate_files(given, "majority").rows()
        assert (sentence.words, labels) == (("Ann-Bo", "ran."), ("B-PER", "O"))


def test_a_source_that_is_not_one_file_is_refused_with_a_way_to_a_file(tmp_path):
    for name in ("a.conll", "b.conll"):
        (tmp_path / name).write_text("Anna\tO\n")
    cases = {
        "spacy:en": r"write json\.dumps\(nlp\(sentence\)\.to_json\(\)\) for each .*, and name",
        str(tmp_path): "let a model annotate the text with launch.annotate, and name the file",
        f"{tmp_path}/*.conll": "aggregate the files one by one",
    }
    (tmp_path / "dataset_dict.json").touch()  # so that the folder stands for itself
    for path, way_out in cases.items():
        with pytest.raises(InputError, match=f"is not one file of predictions; {way_out}"):
            aggregate_files([Source("a", path)], "majority")


def test_what_spacy_writes_as_json_is_aggregated(tmp_path):
    tokens = [
        {"id": 0, "start": 0, "end": 4, "tag": "NNP", "pos": "PROPN", "dep": "nsubj", "head": 1}
    ]
    doc = {"text": "Anna", "ents": [{"start": 0, "end": 4, "label": "PER"}], "tokens": tokens}
    (tmp_path / "a.jsonl").write_text(json.dumps(doc))
    made = aggregate_files([Source("a", str(tmp_path / "a.jsonl"))], "majority")
    assert [labels for _, labels in made.rows()] == [("B-PER",)]


@pytest.mark.parametrize("method", ["chain", "dawid_skene", "bea"])
def test_confusion_matrices_have_the_rows_that_their_docstring_tells(method):
    def tags(labels):
        return lambda sentences: [labels.split() for _ in sentences]

    sources = {name: tags("B-X O B-Y") for name in "ab"} | {"lacks": tags("B-X O O")}
    made = zsl_jax.aggregate([["a", "b", "c"]] * 9, sources, method, sparse=["lacks"])
    silent = () if method == "bea" else ("(silent)",)
    assert made.confusion.source_labels == ("O", "B-X", "B-Y", *silent)
    missing = made.confusion.by_source["lacks"][2]
    assert np.all(missing == 0) if method == "chain" else np.all((missing > 0) & (missing < 0.4))


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        ({}, "`sources` is empty; give at least one"),
        ([lambda sentences: sentences], "`sources` must have names"),
        ({3: lambda sentences: sentences}, "`sources` must have names"),
        ({"a/b": lambda sentences: sentences}, "`sources`: 'a/b' is not the name of a source"),
        ({"": lambda sentences: sentences}, "`sources`: '' is not the name of a source"),
        ({"a": [0]}, r"the source a: \[0\] is not a source; give a path, a function, an array"),
        ({"a": None}, "the source a: None is not a source"),
        ({"a": "none.parquet"}, "the source a: there is no file none.parquet; correct the path"),
        ({"a": "none.TSV"}, "the source a: there is no file none.TSV; correct the path"),
        ({"a": "none.conll.gz"}, "the source a: there is no file none.conll.gz; correct the path"),
        ({"a": "none_gold_conll"}, "the source a: there is no file none_gold_conll; correct"),
        ({"a": np.zeros(1, int)}, "the source a is an array; give the names .* `label_names`"),
    ],
)
def test_what_is_not_a_source_with_a_name_is_refused(sources, message):
    with pytest.raises(InputError, match=message):
        zsl_jax.aggregate([["a"]], sources)


@pytest.mark.parametrize("method", ["majority", "dawid_skene", "chain"])
def test_sources_that_all_abstain_from_the_whole_text_are_refused(method):
    with pytest.raises(InputError, match="no source predicts a label for any word of the text"):
        zsl_jax.aggregate([["a", "b"]], {"silent": lambda sentences: [None]}, method)


def test_arrays_may_be_those_of_jax():
    sources = {"ids": jnp.array([1, 0]), "probs": jnp.array([[0.25, 0.75], [1, 0]])}
    (made,) = zsl_jax.aggregate([["a", "b"]], sources, "mean", ["X", "Y"])
    assert made.labels == ("Y", "X") and made.probs.tolist() == [[0.125, 0.875], [1, 0]]
    with pytest.raises(InputError, match="`label_names`: the label names are 'XY'; give a list"):
        zsl_jax.aggregate([["a", "b"]], sources, "mean", "XY")
