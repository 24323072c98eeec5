import numpy as np
import pytest

from zsl_jax.data.predictions.parquet_writer import write_prediction_blocks, write_predictions
from zsl_jax.data.predictions.source_predictions import SourcePredictions
from zsl_jax.errors import InputError
from zsl_jax.types import Sentence
from zsl_jax.workflows.source_conversion import in_target_labels
from zsl_jax.workflows.source_streams import StreamedPredictions, can_stream
from zsl_jax.workflows.sources import Source

NAMES = ("O", "B-X", "I-X")


def predictions(rows, soft=True, names=NAMES):
    """Predictions from labels of sentences, such as "O I-X"; "_" abstains."""
    labels = [row.split() for row in rows]
    ids = [names.index(name) if name != "_" else -1 for row in labels for name in row]
    words = tuple(
        tuple(f"w{number}{at}" for at in range(len(row))) for number, row in enumerate(labels)
    )
    table = np.vstack([0.1 + 0.7 * np.eye(3), np.zeros(3)])[ids].astype(np.float16)
    return SourcePredictions(names, np.array(ids, np.int32), table if soft else None, words)


def written(path, made, sentences_per_block=3):
    """The predictions in a Parquet file of several row groups."""
    words = [len(sentence) for sentence in made.words]
    ends = np.cumsum([0, *words])
    blocks = [
        made._replace(
            labels=made.labels[ends[i] : ends[min(i + sentences_per_block, len(words))]],
            probs=made.probs[ends[i] : ends[min(i + sentences_per_block, len(words))]],
            words=made.words[i : i + sentences_per_block],
        )
        for i in range(0, len(words), sentences_per_block)
    ]
    write_prediction_blocks(path, made.label_names, blocks, about={"decode": "argmax"})
    return Source("en", str(path))


def taken(stream, words, size):
    """What a stream gives for a text in chunks of some size."""
    text = [Sentence(sentence) for sentence in words]
    made = [stream.take(text[start : start + size]) for start in range(0, len(text), size)]
    stream.finish()
    labels = [p.label_names[i] if i >= 0 else None for p in made for i in p.labels]
    return labels, np.concatenate([p.probs for p in made])


BIO = ["O B-X I-X", "I-X O", "_ I-X", "B-X B-X", "O O", "I-X"]
IOB1 = ["O I-X I-X", "O O", "_ I-X", "I-X B-X", "O O", "I-X"]


@pytest.mark.parametrize("size", [1, 2, 4, 100])
@pytest.mark.parametrize("rows", [BIO, IOB1], ids=["bio", "iob1"])
def test_a_stream_gives_what_the_whole_file_gives(tmp_path, caplog, rows, size):
    """In any chunks: a chunk of BIO that looks like IOB1 is read as BIO."""
    made = predictions(rows)
    source = written(tmp_path / "en.parquet", made)
    caplog.set_level("INFO", "absl")
    whole = in_target_labels(source, made._replace(about={"decode": "argmax"}))
    expected = [whole.label_names[i] if i >= 0 else None for i in whole.labels]
    lines = [record.getMessage() for record in caplog.records]
    caplog.clear()
    labels, probs = taken(StreamedPredictions(source), made.words, size)
    assert labels == expected
    np.testing.assert_array_equal(probs, whole.probs)
    assert [record.getMessage() for record in caplog.records] == lines and len(lines) == 1


def test_a_sparse_source_is_silent_where_it_gives_o(tmp_path):
    made = predictions(BIO)
    source = written(tmp_path / "en.parquet", made)._replace(sparse=True)
    labels, _ = taken(StreamedPredictions(source), made.words, 2)
    assert "O" not in labels and labels[0] == "(silent)"


@pytest.mark.parametrize("size", [2, 100])
def test_a_file_of_another_text_is_refused(tmp_path, size):
    made = predictions(BIO)
    source = written(tmp_path / "en.parquet", made)
    for words, message in (
        (made.words[:-1], "en.parquet: more than 5 sentences where the text has 5; predict"),
        ((*made.words, ("more",)), "en.parquet: 6 sentences where the text has more; predict"),
        ((*made.words[:4], ("a", "b"), made.words[5]), "sentence 5, word 1: 'w40' where .* 'a'"),
        ((*made.words[:4], ("w40",), made.words[5]), "sentence 5: 2 words where the text has 1"),
    ):
        with pytest.raises(InputError, match=message):
            taken(StreamedPredictions(source), words, size)


def test_parquet_files_without_a_label_map_are_streamed(tmp_path):
    path = tmp_path / "en.parquet"
    write_predictions(path, predictions(BIO))
    (tmp_path / "id.conll").write_text("w00\tO\n")
    assert can_stream({"en": path, "id": Source("id", str(path), sparse=True)})
    for other in (
        tmp_path / "id.conll",
        tmp_path / "none.parquet",
        tmp_path,
        Source("id", str(path), label_map="map.yaml"),
        predictions(BIO),
        lambda sentences: None,
    ):
        assert not can_stream({"en": path, "id": other})
