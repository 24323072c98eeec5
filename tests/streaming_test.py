"""launch.predict on long texts: memory, equality, interruptions."""

import gc
import gzip
import json
import signal
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from tests.programs import program
from tests.tiny_world import sentences, write_text
from tests.workflows.tagger_test import BIO, write_tagger
from zsl_jax import Tagger
from zsl_jax.data.predictions.prediction_files import read_predictions
from zsl_jax.data.text.readers import read_sentences, stream_sentences
from zsl_jax.errors import InputError
from zsl_jax.workflows import prediction
from zsl_jax.workflows.labelled_text import write_labelled

ONCE = 300  # sentences
MORE = 10
# A shell in the background hands on that SIGINT is ignored.
INTERRUPTIBLE = """
import runpy, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
runpy.run_module("launch.predict", run_name="__main__", alter_sys=True)
"""


@pytest.fixture(scope="module")
def folder(world, tmp_path_factory):
    return write_tagger(tmp_path_factory.mktemp("streaming") / "tagger", world.encoder, BIO)


@pytest.fixture(scope="module")
def tagger(folder):
    return Tagger.from_pretrained(folder, row_length=32)


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    """A text, one many times as long and one of twice that, in columns, JSON lines and plain."""
    folder = tmp_path_factory.mktemp("texts")
    text = sentences(8, ONCE)
    for name, times in (("once", 1), ("more", MORE), ("twice", 2 * MORE)):
        write_text(folder / f"{name}.conll", text * times)
        lines = [" ".join(sentence.words) + "\n" for sentence in text] * times
        (folder / f"{name}.txt").write_text("".join(lines))
        objects = [json.dumps({"words": sentence.words}) + "\n" for sentence in text] * times
        (folder / f"{name}.jsonl").write_text("".join(objects))
        rows = [
            "".join(f"{at}\t{word}" + "\t_" * 8 + "\n" for at, word in enumerate(s.words, 1)) + "\n"
            for s in text
        ]
        with gzip.open(folder / f"{name}.conllu.gz", "wt", compresslevel=1) as file:
            file.write("".join(rows) * times)
    return folder


def label(tagger, text, output, sources=None, each_block=lambda block: block):
    blocks = tagger.label(stream_sentences(text, None, False), sources)
    blocks = map(each_block, blocks)
    return write_labelled(output, tagger.label_names, blocks, None, {"labels_from": "P"})


def peak_and_words(*arguments):
    """The most bytes that `label` held, and its words.

    Cycles are collected at each block, since by themselves they would be collected at times
    that vary from run to run, with as many bytes as a longer text might need.
    """

    def collected(block):
        gc.collect()
        return block

    gc.collect()
    gc.freeze()  # all that there is already, so that a collection is quick
    tracemalloc.start()
    try:
        words = label(*arguments, each_block=collected)
        return tracemalloc.get_traced_memory()[1], words
    finally:
        tracemalloc.stop()
        gc.unfreeze()


def assert_no_growth(peaks):
    (_, once), (more, few), (twice, many) = peaks
    assert few == MORE * once and many == 2 * few
    assert twice - more < 10 * (many - few), peaks  # bytes; a sentence has more than 60 per word


@pytest.mark.parametrize(
    ("text", "output"),
    [("conll", "a.conll"), ("txt", "a.jsonl"), ("jsonl", "a.parquet"), ("conllu.gz", "a.conll.gz")],
)
def test_memory_does_not_grow_with_the_text(tagger, texts, tmp_path, monkeypatch, text, output):
    monkeypatch.setattr(prediction, "CHUNK_WORDS", 1 << 9)
    monkeypatch.setattr("zsl_jax.data.text.files.BLOCK_BYTES", 1 << 12)
    peaks = []
    for name in ("once", "more", "twice"):  # the first compiles and imports, too
        peaks.append(peak_and_words(tagger, texts / f"{name}.{text}", tmp_path / output))
    assert_no_growth(peaks)


def test_memory_does_not_grow_with_the_text_and_its_sources(tagger, texts, tmp_path, monkeypatch):
    """Sources' predictions in Parquet are read along with the text, a row group at a time."""
    rows = "zsl_jax.data.predictions.parquet_writer.SENTENCES_PER_ROW_GROUP"
    monkeypatch.setattr(rows, 1 << 6)
    monkeypatch.setattr(prediction, "CHUNK_WORDS", 1 << 9)
    monkeypatch.setattr("zsl_jax.data.text.files.BLOCK_BYTES", 1 << 12)
    peaks = []
    for name in ("once", "more", "twice"):
        text, file = texts / f"{name}.txt", tmp_path / f"{name}.parquet"
        label(tagger, text, file)
        sources = {"a": file, "b": file}
        peaks.append(peak_and_words(tagger, text, tmp_path / f"{name}.jsonl", sources))
    assert_no_growth(peaks)


@pytest.mark.parametrize("name", ["a.conll", "a.jsonl", "a.spans", "a.parquet"])
def test_streamed_and_unstreamed_outputs_are_equal(tagger, texts, tmp_path, monkeypatch, name):
    """Byte by byte in text; in Parquet the row groups and the last bits may differ."""
    format = "spans" if name == "a.spans" else None
    for folder, chunk_words in (("whole", 1 << 20), ("streamed", 100)):
        monkeypatch.setattr(prediction, "CHUNK_WORDS", chunk_words)
        (tmp_path / folder).mkdir()
        text = stream_sentences(texts / "once.conll", None, False)
        if folder == "whole":
            text = read_sentences(texts / "once.conll", None, False)
        write_labelled(tmp_path / folder / name, tagger.label_names, tagger.label(text), format)
    whole, streamed = (tmp_path / folder / name for folder in ("whole", "streamed"))
    if name != "a.parquet":
        strip = (lambda data: data) if format is None else without_scores
        assert strip(whole.read_bytes()) == strip(streamed.read_bytes())
        return
    first, second = read_predictions(whole), read_predictions(streamed)
    assert first.words == second.words and (first.labels == second.labels).all()
    np.testing.assert_allclose(first.probs, second.probs, atol=2e-3)


def without_scores(data: bytes) -> list:
    rows = [json.loads(line) for line in data.splitlines()]
    return [[(s["start"], s["end"], s["label"]) for s in row["spans"]] for row in rows]


@pytest.mark.parametrize("name", ["a.conll", "a.jsonl.gz", "a.parquet"])
def test_a_fault_far_down_in_the_text_leaves_no_output(tagger, texts, tmp_path, monkeypatch, name):
    monkeypatch.setattr(prediction, "CHUNK_WORDS", 100)
    text = tmp_path / "text" / "a.conll"
    text.parent.mkdir()
    text.write_text((texts / "once.conll").read_text() + "\nKa\tX\tY\n")
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(InputError, match=r"a\.conll, line \d+: 3 column"):
        label(tagger, text, out / name)
    assert not list(out.iterdir())
    (out / name).write_text("of an earlier run")
    with pytest.raises(InputError):
        label(tagger, text, out / name)
    assert [file.name for file in out.iterdir()] == [name]
    assert (out / name).read_text() == "of an earlier run"


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_run_leaves_nothing_at_the_outputs_name(folder, tmp_path, signal_number):
    output = tmp_path / "out" / "a.conll"
    output.parent.mkdir()
    command = [
        sys.executable, "-c", INTERRUPTIBLE, f"--model={folder}", "--text=-", "--format=plain",
        f"--output={output}", "--row_length=32",
    ]  # fmt: skip
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdin is not None
    process.stdin.write(b"Ka tab gata lora Mi vin\n" * 60_000)
    process.stdin.flush()
    deadline = time.monotonic() + 240
    while not any(file.stat().st_size for file in output.parent.iterdir()):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.1)
    process.send_signal(signal_number)
    process.stdin.close()
    assert process.wait(timeout=240) != 0
    left = list(output.parent.iterdir())
    assert output not in left and (signal_number == signal.SIGKILL or not left)


def test_the_whole_program_streams(folder, texts, tmp_path):
    """A pipe in, Viterbi, and a progress line without a time left."""
    text = (texts / "more.txt").read_bytes()
    done = program(
        "predict", f"--model={folder}", "--text=-", "--format=plain", "--output=-",
        "--row_length=32", "--decode=viterbi", text=text,
    )  # fmt: skip
    words = [line.split("\t")[0] for line in done.stdout.split("\n") if line]
    assert words == text.decode().split()
    progress = [line for line in done.stderr.splitlines() if "labelling:" in line]
    assert f"labelling: {len(words):,} words, " in progress[-1]
    assert "words/s" in progress[-1] and "left" not in progress[-1]


def test_readers_yield_before_the_file_ends(tmp_path, monkeypatch):
    """The first sentence comes though the end of the file is damaged."""
    monkeypatch.setattr("zsl_jax.data.text.files.BLOCK_BYTES", 64)
    contents = {
        "a.conll": b"a\tO\n\n" * 99, "a.conllu": (b"1\ta" + b"\t_" * 8 + b"\n\n") * 99,
        "a.iob2": b"1\ta\tO\t-\tme\n\n" * 99, "a.jsonl": b'{"words": ["a"]}\n' * 99,
        "a_gold_conll": b"bc/a 0 0 a NN * - - - - * -\n\n" * 99, "a.wikiann": b"de:a\tO\n\n" * 99,
        "a.plain": b"a\n" * 99,
    }  # fmt: skip
    for name, data in contents.items():
        path = tmp_path / name
        format = name[2:] if name in ("a.wikiann", "a.plain") else None
        path.write_bytes(data + b"\xff\n")
        coming = stream_sentences(path, None, False, format=format)
        assert next(coming).words == ("a",)
        with pytest.raises(InputError, match=r"line \d+: byte 0xff at offset \d+"):
            list(coming)
        with pytest.raises(InputError, match=f"at offset {len(data)}"):
            read_sentences(Path(path), None, False, format=format)


def test_a_gzipped_text_may_be_longer_than_what_is_read_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr("zsl_jax.data.text.files.UNPACKED_LIMIT", 1 << 16)
    monkeypatch.setattr("zsl_jax.data.text.files.BLOCK_BYTES", 1 << 12)
    path = tmp_path / "a.conll.gz"
    path.write_bytes(gzip.compress(b"a O\n\n" * (1 << 15)))
    assert sum(1 for _ in stream_sentences(path, None, False)) == 1 << 15
    path.write_bytes(gzip.compress(b"a O\n\n" + b"a" * (1 << 17)))
    with pytest.raises(InputError, match="MiB in one line"):
        list(stream_sentences(path, None, False))
