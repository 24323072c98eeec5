import gzip
import json
import os
import subprocess

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zsl_jax.data.predictions import parquet_writer
from zsl_jax.data.predictions import votes as votes_of_sources
from zsl_jax.data.predictions.parquet_stream import ParquetStream
from zsl_jax.data.predictions.parquet_writer import write_prediction_blocks, write_predictions
from zsl_jax.data.predictions.prediction_files import read_predictions
from zsl_jax.data.predictions.same_words import check_words
from zsl_jax.data.predictions.sharded_predictions import concatenate, select_sentences
from zsl_jax.data.predictions.source_predictions import SourcePredictions
from zsl_jax.data.predictions.votes import source_votes
from zsl_jax.data.shards import shard_files
from zsl_jax.errors import InputError
from zsl_jax.labels import LabelSet, SourceLabels
from zsl_jax.types import Sentence

few = settings(max_examples=30, deadline=None)
NAMES = ("O", "B-PER", "I-PER")
WORDS = (("Anna", "sings"), ("#",), ("she", "\u2028", "did"))


def make(probs, labels=None, words=WORDS, names=NAMES):
    table = None if probs is None else np.array(probs, np.float16)
    if labels is None:
        assert table is not None
        labels = np.where(table.any(1), table.argmax(1), -1)
    return SourcePredictions(tuple(names), np.array(labels, np.int32), table, words)


PROBS = [[0.1, 0.9, 0], [1, 0, 0], [0.5, 0.25, 0.25], [0, 0, 0], [0.2, 0.3, 0.5], [1, 0, 0]]


def assert_same(found, expected):
    assert found.label_names == expected.label_names
    assert found.words == expected.words
    assert found.labels.dtype == np.int32
    np.testing.assert_array_equal(found.labels, expected.labels)
    if expected.probs is None:
        assert found.probs is None
    else:
        assert found.probs.dtype == np.float16
        np.testing.assert_array_equal(found.probs, expected.probs)


def write_json(path, *lines):
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    return path


@st.composite
def any_predictions(draw):
    names = draw(st.lists(st.text("aä-BX", min_size=1, max_size=3), unique=True, max_size=4))
    characters = st.characters(exclude_categories=["Cs"], exclude_characters="\t")
    word = st.text(characters, min_size=1, max_size=3)
    words = draw(st.lists(st.lists(word, max_size=4), max_size=6))
    count = sum(map(len, words))
    ids = st.integers(-1, len(names) - 1)
    labels = np.array(draw(st.lists(ids, min_size=count, max_size=count)), np.int32)
    probs = None
    if draw(st.booleans()) and names:
        rng = np.random.default_rng(draw(st.integers(0, 9)))
        probs = rng.dirichlet(np.ones(len(names)), count) * (labels >= 0)[:, None]
    return make(probs, labels, tuple(map(tuple, words)), names)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("predictions")


@few
@given(any_predictions())
def test_parquet_gives_back_what_was_written(folder, predictions):
    write_predictions(folder / "a.parquet", predictions)
    assert_same(read_predictions(folder / "a.parquet"), predictions)


@few
@given(any_predictions(), st.integers(1, 3))
def test_blocks_are_row_groups_of_one_file(folder, predictions, size):
    words = predictions.words
    ends = np.cumsum([0, *map(len, words)])

    def blocks():
        for first in range(0, len(words), size):
            rows = slice(ends[first], ends[min(first + size, len(words))])
            probs = None if predictions.probs is None else predictions.probs[rows]
            shard = words[first : first + size]
            yield SourcePredictions(predictions.label_names, predictions.labels[rows], probs, shard)

    path = folder / "blocks.parquet"
    with_probs = predictions.probs is not None
    write_prediction_blocks(path, predictions.label_names, blocks(), with_probs)
    assert_same(read_predictions(path), predictions)
    assert pq.ParquetFile(path).num_row_groups == -(-len(words) // size)


def test_parquet_holds_what_the_format_promises(tmp_path):
    path = tmp_path / "a.parquet"
    write_predictions(path, make(PROBS))
    schema = pq.read_schema(path)
    assert json.loads(schema.metadata[b"zsl_jax.label_names"]) == list(NAMES)
    assert schema.metadata[b"zsl_jax.format_version"] == b"1"
    assert schema.field("probabilities").type == pa.list_(pa.float16())
    rows = pq.read_table(path).to_pylist()
    assert rows[0]["labels"] == ["B-PER", "O"] and rows[2]["labels"] == [None, "I-PER", "O"]
    assert [len(row["probabilities"]) for row in rows] == [6, 3, 9]
    probs = read_predictions(path).probs
    assert probs is not None and probs.base is not None  # a view of the file's values


def test_the_case_of_an_extension_does_not_matter(tmp_path):
    words, labels = (("Anna", "sings"),), np.zeros(2, np.int32)
    probs = np.float16([[0.75, 0.25], [0.5, 0.5]])
    lower, upper = tmp_path / "a.parquet", tmp_path / "B.PARQUET"
    write_predictions(lower, SourcePredictions(("A", "B"), labels, probs, words))
    upper.write_bytes(lower.read_bytes())
    np.testing.assert_array_equal(read_predictions(upper).probs, probs)


def test_a_table_with_a_word_per_row_is_refused_with_a_way_to_sentences(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"sentence": [1, 1], "word": ["a", "b"], "label": ["O", "O"]}), path)
    with pytest.raises(InputError, match=r"a\.parquet has no column of lists .*; write one sen"):
        read_predictions(path)


@pytest.mark.parametrize("row", [{"words": ["a"], "labels": ["X"]}, {"text": "a", "spans": []}])
def test_a_unit_of_offsets_that_does_not_exist_is_refused(tmp_path, row):
    path, text = write_json(tmp_path / "a.jsonl", row), [Sentence(("a",))]
    assert len(read_predictions(path, text, offsets="bytes").labels) == 1
    with pytest.raises(InputError, match=r"`offsets`='banana': a unit is one of characters, utf16"):
        read_predictions(path, text, offsets="banana")


def test_predictions_from_a_pipe_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "-"):
        with pytest.raises(InputError, match=f"^{path} is not a regular file, but .*; write them"):
            read_predictions(path)


def test_a_failing_writer_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.parquet"
    write_predictions(path, make(PROBS))
    before = path.read_bytes()

    def blocks():
        yield make(PROBS)
        raise RuntimeError("out of power")

    with pytest.raises(RuntimeError, match="out of power"):
        write_prediction_blocks(path, NAMES, blocks())
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["a.parquet"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": np.zeros(2, np.int32)}, "6 words, but .* labels; give one label id"),
        ({"labels": np.zeros(6)}, "6 words, but float64 .6,. labels; give one label id"),
        ({"labels": [0, 1, 2, 3, 0, 0]}, "the label id 3 is that of none of 3 label names"),
        ({"probs": np.zeros((2, 3))}, "6 words and 3 label names, but .2, 3. probabilities"),
        ({"probs": np.zeros((6, 2))}, "6 words and 3 label names, but .6, 2. probabilities"),
        ({"probs": np.ones((6, 3))}, "sentence 1, word 1 .*: the probabilities sum to 3"),
        ({"label_names": ["O", "O", "X"]}, "the label name 'O' occurs twice; give it once"),
    ],
)
def test_the_writer_refuses_what_could_not_be_read_again(tmp_path, change, message):
    with pytest.raises(InputError, match=rf"the predictions for .*a\.parquet.*{message}"):
        write_predictions(tmp_path / "a.parquet", make(PROBS)._replace(**change))
    assert not list(tmp_path.iterdir())
    with pytest.raises(InputError, match=r"no folder .*elsewhere for a\.parquet"):
        write_predictions(tmp_path / "elsewhere" / "a.parquet", make(PROBS))


def write_foreign(path, probabilities, labels=None, names=NAMES, **metadata):
    labels = labels or [["O", None], ["O"], ["O", "O", "O"]]
    columns = {"words": list(map(list, WORDS)), "labels": labels}
    if probabilities is not None:
        columns["probabilities"] = probabilities
    keys = {"zsl_jax.label_names": json.dumps(names), **metadata}
    pq.write_table(pa.table(columns).replace_schema_metadata(keys), path, row_group_size=1)
    return path


def nested(rows=PROBS):
    return [rows[:2], rows[2:3], rows[3:]]


def test_foreign_parquet_may_hold_a_list_a_word_of_doubles(tmp_path):
    found = read_predictions(write_foreign(tmp_path / "a.parquet", nested()))
    assert_same(found, make([PROBS[0], [0, 0, 0], *PROBS[2:]], [0, -1, 0, -1, 0, 0]))


def bad_row(place, row):
    return nested([*PROBS[:place], row, *PROBS[place + 1 :]])


@pytest.mark.parametrize(
    ("probabilities", "message"),
    [
        (bad_row(5, [0.5, 0.3, 0.1]), r"sentence 3, word 3 \('did'\).*sum to 0\.9;"),
        (bad_row(0, [np.nan, 0.5, 0.5]), r"sentence 1, word 1 \('Anna'\).*NaN"),
        (bad_row(2, [None, 0.5, 0.5]), r"sentence 2, word 1 \('#'\).*NaN"),
        (bad_row(2, [-0.5, 0.5, 1.0]), r"sentence 2, word 1 \('#'\).*negative \(-0\.5\)"),
        (bad_row(2, [np.inf, 0.0, 0.0]), r"sentence 2, word 1 \('#'\).*infinite"),
        (bad_row(2, [-2.5, 0.1, 3.0]), "negative .-2.5., as logits and logarithms are; write one"),
        (bad_row(2, [30.0, 70.0, 0.0]), "sum to 100, as percentages do; write one probability"),
        (bad_row(2, [0.5, 0.75, 0.75]), "sum to 2; write one probability"),
        (bad_row(4, [0.5, 0.5]), r"sentence 3, word 2 \('\\u2028'\): 2 probabilities; give 3, one"),
        ([PROBS[:2], PROBS[2:3], PROBS[3:5]], "sentence 3: 2 rows of prob.*need 3"),
        ([[1.0, 0.0, 0.0] * 2, [1.0, 0.0], [1.0]], r"sentence 2: 2 prob.*\(3 per word\).*need 3"),
        ([["a"] * 6, ["a"] * 3, ["a"] * 9], "of the type string; write floating-point"),
        (["a", "b", "c"], "one list per sentence; write the numbers"),
    ],
)
def test_bad_probabilities_are_located(tmp_path, probabilities, message):
    path = write_foreign(tmp_path / "a.parquet", probabilities)
    with pytest.raises(InputError, match=message) as caught:
        read_predictions(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"labels": [["O"], ["O"], ["O", "O", "O"]]}, "sentence 1: 1 labels.*need 2"),
        (
            {"labels": [["O", "O"], ["X"], ["O", "O", "O"]]},
            r"sentence 2, word 1 \('#'\): the label 'X'",
        ),
        (
            {"labels": [["O", "O"], None, ["O", "O", "O"]]},
            "sentence 2: its labels are null; wr",
        ),
        ({"names": ["O", "O"]}, "label name 'O'"),
        ({"zsl_jax.format_version": "2"}, "format version '2'"),
    ],
)
def test_bad_parquet_is_refused(tmp_path, options, message):
    with pytest.raises(InputError, match=message):
        read_predictions(write_foreign(tmp_path / "a.parquet", None, **options))


def test_empty_and_missing_labels_in_parquet_abstain_as_in_other_formats(tmp_path):
    labels = [["O", ""], ["_"], ["B-PER", None, "O"]]
    found = read_predictions(write_foreign(tmp_path / "a.parquet", None, labels))
    assert found.labels.tolist() == [0, -1, -1, 1, -1, 0]
    names = ["O", "_", "B-PER"]
    found = read_predictions(write_foreign(tmp_path / "a.parquet", None, labels, names))
    assert found.label_names == ("O", "B-PER") and found.labels.tolist() == [0, -1, -1, 1, -1, 0]


def test_a_label_that_is_an_underscore_abstains_in_every_format(tmp_path):
    names, words = ("A", "_", "B"), (("a", "b"), ("c",))
    given = make([[0.5, 0.25, 0.25], [0.125, 0.75, 0.125], [0, 0.5, 0.5]], [0, 1, 2], words, names)
    rows = [[2 / 3, 1 / 3], [0, 0], [0, 1]]
    expected = make(rows, [0, -1, 1], words, ("A", "B"))
    write_predictions(tmp_path / "a.parquet", given)
    assert given.probs is not None
    probs = given.probs.tolist()
    lines = [
        {"label_names": names, "words": words[0], "labels": names[:2], "probabilities": probs[:2]},
        {"words": words[1], "labels": names[2:], "probabilities": probs[2:]},
    ]
    write_json(tmp_path / "a.jsonl", *lines)
    for name in ("a.parquet", "a.jsonl"):
        assert_same(read_predictions(tmp_path / name), expected)
    stream = ParquetStream(tmp_path / "a.parquet")
    assert stream.head.label_names == ("A", "B") and stream.take(2).labels.tolist() == [0, -1, 1]
    for line in lines:
        del line["labels"]
    write_json(tmp_path / "probs.jsonl", *lines)
    assert read_predictions(tmp_path / "probs.jsonl").labels.tolist() == [0, -1, -1]
    (tmp_path / "a.conll").write_text("a A\nb _\n\nc B\n")
    assert_same(read_predictions(tmp_path / "a.conll"), expected._replace(probs=None))


def test_files_of_another_kind_are_refused(tmp_path):
    path = tmp_path / "a.parquet"
    with pytest.raises(InputError, match="no file"):
        read_predictions(path)
    path.write_text("words\n")
    with pytest.raises(InputError, match="not a readable Parquet"):
        read_predictions(path)
    pq.write_table(pa.table({"words": [["a"]]}), path)
    with pytest.raises(InputError, match="no column 'labels'"):
        read_predictions(path)
    pq.write_table(pa.table({"words": [["a"]], "labels": [["O"]]}), path)
    with pytest.raises(InputError, match="no label names"):
        read_predictions(path)


@pytest.mark.parametrize("name", ["a.conll", "a.jsonl"])
def test_predictions_have_no_encoding_but_utf_8(tmp_path, name):
    lines = {"a.conll": "\xe9t\xe9\tO\n", "a.jsonl": '{"words": ["\xe9t\xe9"], "labels": ["O"]}'}
    (tmp_path / name).write_text("\n" + lines[name], encoding="iso-8859-1")
    with pytest.raises(InputError, match=r"line 2: byte 0xe9 .* not UTF-8; convert it .*FILE\)$"):
        read_predictions(tmp_path / name)
    converted = subprocess.run(
        ["iconv", "-f", "iso-8859-1", "-t", "utf-8", tmp_path / name],
        capture_output=True,
        check=True,
    )
    (tmp_path / name).write_bytes(converted.stdout)
    assert read_predictions(tmp_path / name).words == (("\xe9t\xe9",),)


def test_columns_abstain_where_the_label_is_missing(tmp_path):
    path = tmp_path / "a.conll"
    path.write_text("Anna\tB-PER\nsings\t_\n\n#\t\n\nit\tO\n", encoding="utf-8")
    found = read_predictions(path)
    expected = make(None, [1, -1, -1, 0], (("Anna", "sings"), ("#",), ("it",)), ("O", "B-PER"))
    assert_same(found, expected)


@pytest.mark.parametrize("name", ["a.conll", "a.txt", "a"])
def test_columns_are_columns_whatever_they_look_like(tmp_path, name):
    (tmp_path / name).write_text("en:a X\nen:b O\n", encoding="utf-8")
    found = read_predictions(tmp_path / name)
    assert_same(found, make(None, [1, 0], (("en:a", "en:b"),), ("O", "X")))


def json_lines():
    labels = [["B-PER", "O"], ["O"], [None, "I-PER", "O"]]
    rows = nested()
    rows[2][0] = None
    examples = zip(WORDS, labels, rows, strict=True)
    return [{"words": words, "labels": given, "probabilities": p} for words, given, p in examples]


def test_json_lines_with_a_header_or_names_beside_the_words(tmp_path):
    lines = json_lines()
    header = {"label_names": NAMES}
    assert_same(
        read_predictions(write_json(tmp_path / "a.jsonl", header, *lines)),
        make(PROBS),
    )
    every = [header | line for line in lines]
    assert_same(read_predictions(write_json(tmp_path / "b.jsonl", *every)), make(PROBS))
    unlabelled = [{key: line[key] for key in ("words", "probabilities")} for line in lines]
    path = tmp_path / "c.jsonl.gz"
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write("\n".join(map(json.dumps, [header, *unlabelled])))
    assert_same(read_predictions(path), make(PROBS))


def test_json_lines_with_labels_only(tmp_path):
    lines = [{"tokens": line["words"], "tags": line["labels"]} for line in json_lines()]
    found = read_predictions(write_json(tmp_path / "a.jsonl", *lines))
    assert_same(found, make(None, [1, 0, 0, -1, 2, 0]))


ROW = {"words": ["a", "b"]}
HEADER = {"label_names": ["X", "Y"]}


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([ROW | {"labels": ["X"]}], "line 1: 2 words but 1 labels"),
        ([ROW | {"labels": "XY"}], "line 1: 2 words but no list of labels"),
        ([ROW], 'line 1: neither "labels" nor "probabilities"; give one of them, with null for'),
        ([HEADER, ROW | {"probabilities": [[30, 70], [1, 0]]}], "write fractions, not percent"),
        ([{"labels": []}], 'line 1: no list "words"'),
        ([["a"]], "line 1: not an object"),
        ([], "no predictions"),
        ([HEADER], "no predictions"),
        ([{"words": ["", "b"], "labels": ["X", "X"]}], "line 1: a word is empty"),
        ([ROW | {"probabilities": [[1, 0], [1, 0]]}], "line 1: probabilities without label"),
        ([HEADER, ROW | {"labels": ["X", "Z"]}], r"line 2, word 2 \('b'\): the label 'Z'"),
        ([HEADER, ROW | {"probabilities": [[1, 0]]}], "line 2: 2 words but 1 prob"),
        ([HEADER, ROW | {"probabilities": [[1, 0], [1]]}], r"word 2 \('b'\): not 2 prob"),
        ([HEADER, ROW | {"probabilities": [["a", 0], [1, 0]]}], r"word 1 \('a'\).*not a number"),
        ([HEADER, ROW | {"probabilities": [["1", 0], [1, 0]]}], r"word 1 \('a'\).*not a number"),
        ([HEADER, ROW | {"probabilities": [[1, 0], [10**400, 0]]}], r"word 2 \('b'\).*not a num"),
        ([HEADER, ROW | {"probabilities": [[1, 0], [-0.5, 1.5]]}], "word 2.*negative"),
        ([HEADER, ROW | {"probabilities": [[1, 0], [float("nan"), 1]]}], "word 2.*NaN"),
        ([HEADER, ROW | {"probabilities": [[1, 0], [float("inf"), 1]]}], "word 2.*infinite"),
        ([{"label_names": [], "words": [], "probabilities": []}], "without label names"),
        ([ROW | {"labels": ["X", ["X"]]}], "line 1: the label .* of 'b' is not a name"),
        ([ROW | {"labels": ["X", 1]}], "line 1: the label 1 of 'b' is not a name"),
        ([HEADER, ROW | {"probabilities": [[1, 0], [0.5, 0]]}], "sentence 1, word 2.*0.5"),
        (
            [HEADER, ROW | {"probabilities": [[1, 0], [1, 0]]}, ROW | {"labels": ["X", "X"]}],
            "line 3: no probabilities",
        ),
        ([HEADER, ROW | {"labels": ["X", "Y"], "label_names": ["Y", "X"]}], "line 2.*differ"),
        ([HEADER | {"label_names": "XY"}], "is not a list"),
    ],
)
def test_bad_json_lines_are_located(tmp_path, lines, message):
    path = write_json(tmp_path / "a.jsonl", *lines)
    with pytest.raises(InputError, match=message) as caught:
        read_predictions(path)
    assert str(path) in str(caught.value)


def test_broken_json_is_located(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"words": ["a"], "labels": ["X"]}\n{"words"', encoding="utf-8")
    with pytest.raises(InputError, match="line 2: not JSON"):
        read_predictions(path)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ([*WORDS[:2], ("she", "x", "did")], "p.conll, sentence 3, word 2: '\\\\u2028'.* 'x'"),
        ([*WORDS[:2], ("she",)], "sentence 3: 3 words where the text has 1, from word 2"),
        ([("Anna", "sings", "!"), *WORDS[1:]], "sentence 1: 2 words.*has 3, from word 3.*'!'"),
        (WORDS[:2], "3 sentences where the text has 2"),
        ([*WORDS, ("more",)], "3 sentences where the text has 4"),
    ],
)
def test_other_words_are_located(texts, message):
    sentences = [Sentence(words) for words in texts]
    check_words(make(PROBS), [Sentence(words) for words in WORDS], "p.conll")
    with pytest.raises(InputError, match=message):
        check_words(make(PROBS), sentences, "p.conll")


def test_words_in_another_normalisation_are_told_apart():
    words = (("caf\u00e9",),)
    predictions = make(None, [0], words)
    with pytest.raises(InputError, match=r"word 1: .* in another Unicode normalisation; predict"):
        check_words(predictions, [Sentence(("cafe\u0301",))], "p.conll")
    check_words(predictions, [Sentence(words[0])], "p.conll")


def test_words_with_a_language_in_front_are_told_apart(tmp_path):
    path = tmp_path / "a.conll"
    path.write_text("en:Anna\tB-PER\nen:sings\tO\n", encoding="utf-8")
    text = [Sentence(("Anna", "sings"))]
    with pytest.raises(InputError, match=r"'en:Anna' .*; take the language off .*sed -E '(.*)' F"):
        check_words(read_predictions(path), text, "a.conll")
    subprocess.run(["sed", "-i", "-E", "s/^[a-z][a-z-]*://", path], check=True)
    check_words(read_predictions(path), text, "a.conll")


def test_votes_are_reordered_by_name():
    label_set = LabelSet(("I-PER", "O", "B-LOC", "B-PER"))
    other = make([[0.25, 0.75]] * 6, [0, 1, 0, 1, -1, 1], names=("B-LOC", "O"))
    votes = source_votes([make(PROBS), other], SourceLabels.of(label_set), ["en", "de"])
    assert votes.labels.tolist() == [[3, 2], [1, 1], [1, 2], [-1, 1], [0, -1], [1, 1]]
    assert votes.probs is not None
    expected = np.array(
        [[0, 0.1, 0, 0.9], [0, 1, 0, 0], [0.25, 0.5, 0, 0.25], [0] * 4, [0.5, 0.2, 0, 0.3]]
    )
    np.testing.assert_allclose(votes.probs[:5, 0], expected, atol=1e-3)
    np.testing.assert_allclose(votes.probs[0, 1], np.array([0, 0.75, 0.25, 0]), atol=1e-3)
    assert not votes.probs[4, 1].any()  # abstains by its label
    sums = votes.probs.sum(-1)
    np.testing.assert_allclose(sums[votes.labels >= 0], 1, rtol=1e-3)


@few
@given(any_predictions(), st.randoms())
def test_a_permutation_of_the_labels_permutes_the_votes(predictions, random):
    names = list(predictions.label_names)
    votes = source_votes([predictions], SourceLabels.of(LabelSet(tuple(names))), ["en"])
    np.testing.assert_array_equal(votes.labels[:, 0], predictions.labels)
    order = random.sample(range(len(names)), len(names))
    label_set = LabelSet(tuple(names[label] for label in order))
    permuted = source_votes([predictions], SourceLabels.of(label_set), ["en"])
    place = np.append(np.argsort(order), -1)
    np.testing.assert_array_equal(permuted.labels, place[votes.labels])
    if votes.probs is None:
        assert predictions.probs is None and permuted.probs is None
    else:
        np.testing.assert_array_equal(permuted.probs, votes.probs[..., order])


def test_labels_without_probabilities_are_certain_beside_others_with_them():
    hard = make(None, [0, 1, -1, 1, 0, 1], names=("I-PER", "O"))
    source_labels = SourceLabels.of(LabelSet(("O", "B-PER", "I-PER")))
    votes = source_votes([make(PROBS), hard], source_labels, ["en", "de"])
    assert votes.probs is not None
    expected = [[0, 0, 1], [1, 0, 0], [0, 0, 0], [1, 0, 0], [0, 0, 1], [1, 0, 0]]
    np.testing.assert_array_equal(votes.probs[:, 1], expected)
    assert source_votes([hard], source_labels, ["de"]).probs is None
    wanted = source_votes([hard], source_labels, ["de"], soft=True)
    assert wanted.probs is not None
    np.testing.assert_array_equal(wanted.probs[:, 0], expected)
    whole = concatenate([make(PROBS), hard])
    assert whole.probs is not None
    np.testing.assert_array_equal(whole.probs[:6], np.array(PROBS, np.float16))
    np.testing.assert_array_equal(whole.probs[6:], expected)


def test_bad_sources_are_named():
    good, label_set = make(PROBS), LabelSet(NAMES)
    with pytest.raises(InputError, match="source de: the label 'B-LOC'"):
        source_votes(
            [good, make(None, [0] * 6, names=("B-LOC",))], SourceLabels.of(label_set), ["en", "de"]
        )
    with pytest.raises(InputError, match="source de has 2 words, but en has 6"):
        source_votes(
            [good, make(None, [0, 0], WORDS[:1])], SourceLabels.of(label_set), ["en", "de"]
        )
    wrong = make([*PROBS[:5], [np.nan, 0, 0]], [0] * 6)
    with pytest.raises(InputError, match=r"source de, sentence 3, word 3.*NaN"):
        source_votes([good, wrong], SourceLabels.of(label_set), ["en", "de"])


def test_labels_need_not_be_the_most_probable_ones(tmp_path):
    """As Viterbi chooses them: file, label and votes keep both as they are."""
    about = {"decode": "viterbi", "labels_from": "Q"}
    given_ = make(PROBS, [0, 2, 1, -1, 0, 1])._replace(about=about)
    write_predictions(tmp_path / "a.parquet", given_)
    found = read_predictions(tmp_path / "a.parquet")
    assert_same(found, given_)
    assert found.about == about
    votes = source_votes([found], SourceLabels.of(LabelSet(NAMES)), ["en"])
    assert votes.labels[:, 0].tolist() == [0, 2, 1, -1, 0, 1]
    assert votes.probs is not None
    np.testing.assert_allclose(votes.probs[0, 0], PROBS[0], atol=1e-3)
    header = {"label_names": NAMES}
    lines = [{"words": ["a"], "labels": ["O"], "probabilities": [[0.25, 0.75, 0]]}]
    found = read_predictions(write_json(tmp_path / "a.jsonl", header, *lines))
    assert found.labels.tolist() == [0] and found.probs.argmax(1).tolist() == [1]


@pytest.mark.parametrize("about", ["[1]", "{"])
def test_bad_metadata_is_refused(tmp_path, about):
    path = write_foreign(tmp_path / "a.parquet", None, **{"zsl_jax.about": about})
    with pytest.raises(InputError, match=r"a\.parquet: its metadata 'zsl_jax\.about'"):
        read_predictions(path)


def test_counts_of_files_are_summed_once_whatever_the_parts():
    about = {"spans": 3, "decode": "viterbi"}
    whole = concatenate([make(PROBS)._replace(about=about)] * 2)
    assert whole.about == {"spans": 6, "decode": "viterbi"}
    shards = [select_sentences(whole, shard).about for shard in shard_files(1, 3)]
    assert shards == [whole.about, {"decode": "viterbi"}, {"decode": "viterbi"}]


def test_probabilities_in_a_file_are_those_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet_writer, "SENTENCES_PER_ROW_GROUP", 2)
    write_predictions(tmp_path / "a.parquet", make(PROBS))
    found = read_predictions(tmp_path / "a.parquet", folder=tmp_path / "cache")
    assert_same(found, read_predictions(tmp_path / "a.parquet"))
    source_labels, folder = SourceLabels.of(LabelSet(NAMES)), tmp_path / "cache"
    monkeypatch.setattr(votes_of_sources, "CHECKED_AT_ONCE", 4)
    votes = source_votes([found, make(PROBS)], source_labels, ["en", "de"], folder)
    for table in (found.probs, votes.probs):
        assert isinstance(table, np.memmap) and table.dtype == np.float16
    assert list(folder.iterdir()) == []  # the files have no names, and are gone with the process
    in_memory = source_votes([make(PROBS)] * 2, source_labels, ["en", "de"])
    np.testing.assert_array_equal(votes.probs, in_memory.probs)
