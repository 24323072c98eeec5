"""Whatever bytes a reader of text or predictions meets, it reads them whole or refuses them."""

import gzip
import io
import json
import re
import unicodedata

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzzing import damaged, encoded, fuzz, json_objects, json_values, read_or_refuse, scalars
from zsl_jax.data.predictions.label_maps import map_labels, read_label_map
from zsl_jax.data.predictions.parquet_writer import write_predictions
from zsl_jax.data.predictions.store import SourcePredictions, read_predictions
from zsl_jax.data.text.checks import UNWRITABLE
from zsl_jax.data.text.offsets import UNITS
from zsl_jax.data.text.readers import read_sentences
from zsl_jax.errors import InputError
from zsl_jax.types import Sentence

NUMBERED = "#\tx\t[1]\n1\tAnna\tB-PER\n2\tsings\tO\n\n1-2\tau\t_\n1\tà\tO\n2\tle\tO\n"
NESTED = "1\tAnna\tB-PER\t-\tme\n2\tsings\tO\t-\tme\n\n1-1\tRome\tB-LOC\tO\n"
FOREIGN = "Wort\tEtikett\n## a remark\nAnna\tB-PER\nsings\tO\n\n#\tO\n"
HEADED = "sentence #\tword\ttag\n1\tAnna\tB-PER\n\tsings\tO\n2\t#\tO\n"
COLUMNS = [NUMBERED, HEADED, NESTED, FOREIGN]  # and other kinds, below
CONLL = "-DOCSTART- -X- O\n\n# id = 1\nAnna N B-PER\nsings V O\n\n# SYM O\n1 NUM O\n"
CONLLU = "# id = 1\n1-2\tau\t_\t_\t_\t_\t_\t_\t_\t_\n" + "".join(
    f"{number}\t{word}\t_\t{tag}\t_\t_\t0\troot\t_\t_\n"
    for number, word, tag in [("1", "à", "ADP"), ("1.1", "x", "X"), ("2", "le", "DET")]
)
UNER = "# id = 1\n1\tAnna\tB-PER\t-\tme\n2\tsings\tO\t-\tme\n\n1\t#\tO\t-\tme\n"
WIKIANN = "de:Anna\tB-PER\nde:singt\tO\n\nde::\tO\n"
ONTONOTES = "#begin document (bn/abc/1); part 000\n" + "".join(
    f"bn/abc/1 0 {number} {word} NN (TOP* - - - - {entity} * -\n"
    for number, (word, entity) in enumerate([("Anna", "(PERSON*"), ("K", "*)"), ("sings", "*")])
)
ONTONOTES += "\nbn/abc/1 0 0 Rome NN * - - - - (GPE) -\n\n#end document\n"
PLAIN = "Anna sings 1,000 songs, doesn't she?\n\n\u05e9\u05dc\u05d5\u05dd e\u0301\u200d 中文\tx\n"
SEMEVAL = """<?xml version="1.0" encoding="UTF-8"?>
<Reviews><Review rid="1"><sentences><sentence id="1:0"><text>The soup &amp; bread.</text><Opinions>
<Opinion target="soup" category="F#Q" polarity="positive" from="4" to="8"/>
<Opinion target="NULL" from="0" to="0"/></Opinions></sentence>
<sentence id="1:1" OutOfScope="TRUE"><text>No.</text></sentence></sentences></Review></Reviews>
"""
JSONL = '{"words": ["a", "b c"], "labels": ["O", "X"], "comments": ["# x"]}\n'


COLUMNS += [CONLL, WIKIANN, JSONL, ONTONOTES]


def bare_lines(text):
    """The lines without the marks that begin a file, or one that was put behind another."""
    lines = [line.removesuffix("\r") for line in text.removeprefix("\ufeff").split("\n")]
    return [line if re.match("\ufeff+\t", line) else line.lstrip("\ufeff") for line in lines]


def is_invisible(line):
    """Whether a line is white space and format characters, which ends a sentence."""
    return all(char.isspace() or unicodedata.category(char) == "Cf" for char in line)


def word_lines(text, wanted):
    return sum(re.match(wanted, line) is not None for line in bare_lines(text))


# How many words a file has, found out in another way; None where that is not a matter of lines.
COUNTS = {
    "conllu": lambda text: word_lines(text, r"[0-9]+\t"),
    "uner": lambda text: word_lines(text, r"[0-9]+\t"),
    "wikiann": lambda text: word_lines(text, r"[a-z-]+:.*\t"),
    "ontonotes": lambda text: word_lines(text, r"[ \t]*[^# \t]"),
    "plain": lambda text: sum(len(re.findall(r"\S+", line)) for line in bare_lines(text)),
}
VALID = {
    "conll": CONLL, "conllu": CONLLU, "uner": UNER, "wikiann": WIKIANN, "ontonotes": ONTONOTES,
    "plain": PLAIN, "semeval": SEMEVAL, "jsonl": JSONL,
}  # fmt: skip


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz") / "file"


def check_sentences(sentences, with_labels):
    for sentence in sentences:
        assert sentence.words
        for word in sentence.words:
            assert isinstance(word, str) and word.strip(" ") and not UNWRITABLE.search(word)
        if with_labels:
            assert len(sentence.labels) == len(sentence.words)
            assert all(isinstance(label, str) and label for label in sentence.labels)
        else:
            assert sentence.labels is None
        if sentence.text is not None:
            places = zip(sentence.starts, sentence.words, strict=True)
            assert all(sentence.text[start:].startswith(word) for start, word in places)


def check_text(path, data, format, with_labels, **options):
    path.write_bytes(data)
    sentences = read_or_refuse(
        lambda path: read_sentences(path, None, with_labels, format=format, **options), path
    )
    if sentences is None:
        return None
    check_sentences(sentences, with_labels)
    return sum(len(sentence.words) for sentence in sentences)


@pytest.mark.parametrize("format", VALID)
def test_text(format, path):
    @fuzz
    @given(damaged(VALID[format].encode()), st.booleans())
    def run(data, with_labels):
        num_words = check_text(path, data, format, with_labels and format != "plain")
        if num_words is not None and format in COUNTS:
            assert num_words == COUNTS[format](data.decode())

    run()


@fuzz
@given(damaged(CONLL.encode(), CONLL.replace(" ", "\t").encode()))
def test_every_line_of_columns_is_a_word_or_a_comment(path, data):
    path.write_bytes(data)
    sentences = read_or_refuse(lambda path: read_sentences(path, format="conll"), path)
    if sentences is None:
        return
    filled = [line for line in bare_lines(data.decode()) if line.strip(" \t")]
    seen = [line for line in filled if not is_invisible(line)]
    known = sum(len(sentence.words) + len(sentence.comments) for sentence in sentences)
    assert known <= len(filled)  # comments behind the last sentence belong to none
    assert all(line.startswith(("#", "-DOCSTART-")) for line in seen[known:])


@fuzz
@given(
    damaged(*(text.encode() for text in COLUMNS)),
    st.sampled_from([None, 0, 1, -1, "1", "tag", "word", "x"]),
    st.sampled_from([None, 0, 1, -1, "0", "tag", "word", "sentence #"]),
    st.booleans(),
)
def test_columns_of_all_kinds(tmp_path_factory, data, column, word_column, with_labels):
    path = tmp_path_factory.getbasetemp() / "fuzz.tsv"
    path.write_bytes(data)
    sentences = read_or_refuse(
        lambda path: read_sentences(path, column, with_labels, word_column=word_column), path
    )
    check_sentences(sentences or [], with_labels)


@fuzz
@given(damaged(PLAIN.encode(), CONLL.replace(" ", "\t").encode(), CONLL.encode()), st.booleans())
def test_txt_is_never_taken_for_something_else(tmp_path_factory, data, with_labels):
    path = tmp_path_factory.getbasetemp() / "fuzz.txt"
    num_words = check_text(path, data, None, with_labels)
    if num_words is not None and with_labels:
        assert "\t" in data.decode()


@fuzz
@given(damaged(PLAIN.encode()), st.sampled_from(["whitespace", "unicode"]))
def test_no_character_of_plain_text_is_lost(path, data, words):
    path.write_bytes(data)
    sentences = read_or_refuse(
        lambda path: read_sentences(path, None, False, format="plain", words=words), path
    )
    if sentences is not None:
        check_sentences(sentences, False)
        read = "".join(word for sentence in sentences for word in sentence.words)
        assert read == "".join("".join(bare_lines(data.decode())).split())


@fuzz
@given(damaged(gzip.compress(CONLLU.encode() * 9, mtime=0)))
def test_gzip(tmp_path_factory, data):
    check_text(tmp_path_factory.getbasetemp() / "fuzz.conllu.gz", data, None, True)


@fuzz
@given(damaged(CONLL.encode("utf-16"), CONLL.encode()), st.text(max_size=9) | st.sampled_from(
    "utf-16 utf-7 utf-8-sig idna punycode hex rot13 undefined unicode_escape latin-1".split()
))  # fmt: skip
def test_encodings(path, data, encoding):
    path.write_bytes(data)
    try:
        read_or_refuse(lambda path: read_sentences(path, encoding=encoding), path)
    except AssertionError as error:  # a flag's fault is the flag's, not the file's
        assert str(error).startswith("`encoding`=")


names = st.sampled_from([["O", "X"], ["X", "O"], ["X"], ["O", "O"], []])
good = st.sampled_from(["a", "b c", "\u200b", "e\u0301"])
good_label = st.sampled_from(["O", "X", None])
good_row = st.sampled_from([[0.5, 0.5], [1.0, 0.0], [1, 0], [0, 0], None])


@st.composite
def json_rows(draw):
    """One sentence whose lists have the same length, with at most a value or a field amiss."""
    count = draw(st.integers(0, 3))
    row = {
        draw(st.sampled_from(["words", "tokens"])): draw(
            st.lists(good, min_size=count, max_size=count)
        ),
        draw(st.sampled_from(["labels", "tags"])): draw(
            st.lists(good_label, min_size=count, max_size=count)
        ),
        "probabilities": draw(st.lists(good_row, min_size=count, max_size=count)),
        "label_names": draw(names),
    }
    for key in draw(st.lists(st.sampled_from(list(row)), max_size=2, unique=True)):
        del row[key]
    for values in row.values():
        if values and draw(st.integers(0, 3)) == 0:
            place = draw(st.integers(0, len(values) - 1))
            values[place] = draw(json_values | st.lists(scalars, min_size=2, max_size=2))
    if row and draw(st.integers(0, 5)) == 0:
        row[draw(st.sampled_from(list(row)))] = draw(json_values)
    if draw(st.integers(0, 3)) == 0:
        row[draw(st.sampled_from(["id", "scores", "pos_tags", "valid"]))] = draw(json_values)
    return row


lines_of_json = st.lists(json_rows() | json_rows() | json_values, min_size=1, max_size=3).map(
    lambda rows: b"\n".join(map(encoded, rows))
)


@fuzz
@given(lines_of_json, st.booleans(), st.booleans())
def test_json_text(path, data, with_labels, allow_missing):
    check_text(path, data, "jsonl", with_labels, allow_missing=allow_missing)


def check_predictions(path, data, text=None, offsets=None):
    path.write_bytes(data)
    found = read_or_refuse(lambda path: read_predictions(path, text, offsets=offsets), path)
    if found is None:
        return None
    num_words = sum(map(len, found.words))
    size = len(found.label_names)
    assert all(isinstance(word, str) for sentence in found.words for word in sentence)
    assert found.labels.shape == (num_words,) and found.labels.dtype == np.int32
    assert (found.labels >= -1).all() and (found.labels < size).all()
    if found.probs is not None:
        assert found.probs.shape == (num_words, size) and found.probs.dtype == np.float16
        totals = found.probs.astype(np.float32).sum(axis=1)
        assert (found.probs >= 0).all()
        np.testing.assert_array_less(np.abs(totals - (found.labels >= 0)), 0.02)
    return found


PREDICTIONS = (
    '{"label_names": ["O", "X"]}\n'
    '{"words": ["a", "b"], "labels": ["O", null], "probabilities": [[0.75, 0.25], null]}\n'
    '{"words": ["c"], "probabilities": [[0.5, 0.5]]}\n'
)


@fuzz
@given(damaged(PREDICTIONS.encode()) | lines_of_json)
def test_json_predictions(tmp_path_factory, data):
    check_predictions(tmp_path_factory.getbasetemp() / "fuzz.jsonl", data)


@fuzz
@given(damaged(b"Anna\tB-PER\nsings\t_\n\n#\tO\n"))
def test_column_predictions(tmp_path_factory, data):
    check_predictions(tmp_path_factory.getbasetemp() / "fuzz.conll", data)


TEXT = [Sentence(("Anna", "sings", ".")), Sentence(("\u05e9\u05dc", "e\u0301"))]
SPANS = (
    '{"text": "Anna sings.", "spans": [{"start": 0, "end": 4, "label": "PER", "score": 0.9}]}\n'
    '{"text": "\u05e9\u05dc e\u0301", "entities": [[0, 2, "LOC"], {"type": "X", "word": "e"}]}\n'
)
places = st.integers(-1, 12)
flair_labels = st.just([{"value": "PER", "confidence": 0.5}])
span_objects = json_objects(
    start=places, end=places, label=st.sampled_from(["PER", "B-PER", "I-PER", "O"]),
    score=st.floats(0, 1), text=st.sampled_from(["Anna", "sings", "x"]), word=st.just("e"),
    entity_group=st.just("LOC"),
) | json_objects(
    start_char=places, end_char=places, start_pos=places, end_pos=places, start_offset=places,
    end_offset=places, labels=flair_labels | st.sampled_from([["PER"], ["PER (0.5)"]]),
    confidence=st.floats(0, 1), type=st.just("LOC"), mention=st.sampled_from(["Anna", "a"]),
    answer=st.just("accept"),
    token_start=places, index=places, rank=places, meta=json_values, page=st.just("3"),
)  # fmt: skip
span_tuples = st.tuples(places, places, st.just("PER")) | st.tuples(st.just("X"), places, places)
span_lists = st.lists(span_objects | span_tuples | st.lists(scalars, max_size=4), max_size=4)


@st.composite
def span_files(draw):
    """Both lines, with the right texts and mostly some spans amiss."""
    keys = st.sampled_from(
        ["spans", "ents", "entities", "label", "labels", "annotation", "prediction"]
    )
    text_keys = st.sampled_from(["text", "text", "data"])
    other = json_objects(
        answer=st.sampled_from(["accept", "reject"]), status=st.just("Discarded"),
        _is_binary=st.booleans(), tokens=st.just([]), meta=json_values, labels=flair_labels,
        relations=st.just([]), id=st.just(1), page=places,
    )  # fmt: skip
    rows = [
        {
            draw(text_keys): text,
            **draw(other),
            draw(keys): draw(span_lists | st.none() | json_values),
        }
        for text in ("Anna sings.", "\u05e9\u05dce\u0301")
    ]
    return b"\n".join(map(encoded, rows))


@fuzz
@given(damaged(SPANS.encode()) | span_files(), st.sampled_from([None, *UNITS]))
def test_span_predictions(tmp_path_factory, data, offsets):
    path = tmp_path_factory.getbasetemp() / "spans.jsonl"
    found = check_predictions(path, data, TEXT, offsets)
    if found is not None and "spans" in found.about:
        assert list(found.words) == [sentence.words for sentence in TEXT]


LABEL_MAP = """PER: PERSON  # one line each
'NO': &a "LOC"
B-X: *a
MISC: null
? "\\u00e9"
: |-
  O
"""
PARTS_OF_YAML = (
    "!!int x|!!float x|!!timestamp x|2001-99-99|0x|1_0|.inf|<<: *a|*a|&a|{a: b}|? [a]|!!set {a}|"
    "!!python/name:os.system |!!binary x|!!omap [a]|---|...|%YAML 9.9|[|{|PER: x|~|yes|'|\""
).split("|")
YAML_LINES = st.lists(
    st.tuples(*(st.sampled_from([*PARTS_OF_YAML, "PER", "LOC", "O", "I-X"]) for _ in range(2))).map(
        ": ".join
    ),
    max_size=4,
).map(lambda lines: "\n".join(lines).encode())
LAUGHS = b"a: &a [x, x]\n" + b"".join(
    b"%c: &%c [*%c, *%c]\n" % (letter, letter, letter - 1, letter - 1)
    for letter in range(ord("b"), ord("z") + 1)
)


@fuzz
@given(damaged(LABEL_MAP.encode(), LAUGHS) | YAML_LINES | json_values.map(encoded))
def test_label_maps(path, data):
    path.write_bytes(data)
    label_map = read_or_refuse(read_label_map, path)
    if label_map is None:
        return
    for name, target in label_map.targets.items():
        assert all(isinstance(value, str) and value for value in [name, target or "O"])
    made = SourcePredictions(
        ("O", "B-PER", "I-PER"), np.array([0, 1, -1], np.int32), None, (("a", "b", "c"),)
    )
    try:
        mapped = map_labels(made, label_map, "the source en")
    except InputError as error:
        assert str(path) in str(error)
        return
    assert mapped.labels.shape == (3,) and mapped.labels[2] == -1
    assert mapped.labels.max() < len(mapped.label_names)


@pytest.fixture(scope="module")
def parquet(tmp_path_factory):
    """A file of predictions."""
    file = tmp_path_factory.mktemp("valid") / "a.parquet"
    probs = np.array([[0.75, 0.25], [0, 0], [0.5, 0.5]], np.float16)
    labels = np.array([0, -1, 1], np.int32)
    write_predictions(file, SourcePredictions(("O", "X"), labels, probs, (("a", "b"), ("c",))))
    return file.read_bytes()


def test_parquet(parquet, tmp_path):
    @fuzz
    @given(damaged(parquet))
    def run(data):
        check_predictions(tmp_path / "a.parquet", data)
        check_text(tmp_path / "a.parquet", data, "parquet", False)

    run()


list_types = [
    pa.list_(pa.string()), pa.large_list(pa.large_string()), pa.list_(pa.int64()), pa.string(),
    pa.list_(pa.list_(pa.float64())), pa.list_(pa.float16()), pa.list_(pa.string(), 2),
    pa.list_(pa.binary()), pa.list_(pa.null()), pa.list_(pa.bool_()), pa.list_(pa.decimal128(5)),
    pa.list_(pa.struct([("a", pa.string())])), pa.list_(pa.dictionary(pa.int8(), pa.string())),
]  # fmt: skip
cell_values = (
    ["O", "X"], ["O", "X", "", None, "a\tb"], [0, 1], [0, 1, -1, 9, None],
    [0.0, 0.5, 1.0, float("nan"), -1.0, None], [[0.5, 0.5], [1.0, 0.0], [1.0], None],
)  # fmt: skip


@st.composite
def tables(draw):
    """A table whose columns have the right names, and mostly other contents than they should."""
    columns = {}
    lengths = draw(st.lists(st.integers(0, 3), max_size=3))
    given_names = draw(st.lists(st.sampled_from(
        ["words", "tokens", "labels", "tags", "probabilities", "ner_tags"]
    ), max_size=5, unique=True))  # fmt: skip
    for name in given_names:
        kind = draw(st.sampled_from(list_types))
        value = st.sampled_from(draw(st.sampled_from(cell_values)))
        flat = draw(st.sampled_from([1, 1, 1, 2]))
        values = [draw(st.lists(value, min_size=n * flat, max_size=n * flat)) for n in lengths]
        if values and draw(st.integers(0, 3)) == 0:
            values[0] = draw(st.none() | st.lists(value, max_size=3))
        try:
            columns[name] = pa.array(values, kind)
        except (pa.ArrowException, TypeError, ValueError):
            columns[name] = pa.array([["O"] * n for n in lengths], pa.list_(pa.string()))
    feature = {"feature": {"names": draw(json_values), "_type": "ClassLabel"}}
    features = {"tags": feature, "labels": draw(json_values)}
    about = json.dumps({"info": {"features": features}})
    metadata = {
        b"zsl_jax.label_names": draw(names.map(encoded) | json_values.map(encoded) | st.binary()),
        b"zsl_jax.about": draw(
            st.sampled_from([b"{}", b"[" * 20_000]) | json_values.map(encoded) | st.binary()
        ),
        b"zsl_jax.format_version": draw(st.just(b"1") | st.binary(max_size=3)),
        b"huggingface": draw(st.just(about.encode()) | st.binary(max_size=9)),
    }
    return pa.table(columns).replace_schema_metadata(metadata)


@fuzz
@given(tables(), st.booleans())
def test_parquet_of_other_types(tmp_path_factory, table, with_labels):
    path = tmp_path_factory.getbasetemp() / "types.parquet"
    buffer = io.BytesIO()
    try:
        pq.write_table(table, buffer)
    except pa.ArrowException:
        return
    check_predictions(path, buffer.getvalue())
    check_text(path, buffer.getvalue(), "parquet", with_labels)


def stream(table):
    buffer = io.BytesIO()
    with pa.ipc.new_stream(buffer, table.schema) as writer:
        writer.write_table(table)
    return buffer.getvalue()


def check_dataset(folder, data, state, with_labels, rows=b""):
    folder.mkdir(exist_ok=True)
    (folder / "rows.arrow").write_bytes(rows)
    (folder / "state.json").write_bytes(state)
    (folder / "data.arrow").write_bytes(data)
    sentences = read_or_refuse(
        lambda path: read_sentences(path, None, with_labels, format="datasets"), folder
    )
    check_sentences(sentences or [], with_labels)


STATE = encoded({"_data_files": [{"filename": "data.arrow"}]})
ROWS_STATE = encoded(
    {"_data_files": [{"filename": "data.arrow"}], "_indices_files": [{"filename": "rows.arrow"}]}
)
ROWS = pa.table({"indices": pa.array([1, 0, 1], pa.uint64())})
TOKENS = pa.table({"tokens": [["a", "b"], ["c"]], "tags": [["O", "X"], ["O"]]})


@fuzz
@given(damaged(stream(TOKENS)) | tables().map(stream), st.booleans())
def test_dataset_folders(tmp_path_factory, data, with_labels):
    check_dataset(tmp_path_factory.getbasetemp() / "fuzz", data, STATE, with_labels)


@fuzz
@given(damaged(STATE, ROWS_STATE) | json_objects(
    _data_files=st.lists(json_objects(filename=st.just("data.arrow"), skip=st.none())),
    _indices_files=st.lists(json_objects(filename=st.just("rows.arrow"))),
    _fingerprint=st.text(), _format_columns=st.just(["tokens"]), _inplace_history=json_values,
).map(encoded))  # fmt: skip
def test_dataset_states(tmp_path_factory, state):
    folder = tmp_path_factory.getbasetemp() / "fuzz"
    check_dataset(folder, stream(TOKENS), state, False, stream(ROWS))


@fuzz
@given(damaged(stream(ROWS)) | st.lists(st.integers(-2, 3)).map(
    lambda rows: stream(pa.table({"indices": pa.array(rows, pa.int64())}))
))  # fmt: skip
def test_dataset_indices(tmp_path_factory, rows):
    folder = tmp_path_factory.getbasetemp() / "fuzz"
    check_dataset(folder, stream(TOKENS), ROWS_STATE, True, rows)
