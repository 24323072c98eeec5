"""Tests of zsl_jax.workflows.compare: the last of several approaches is in the folder's records."""

import dataclasses

import numpy as np

from tests import tiny_world
from tests.workflows.approaches_test import CONFIG, RECORD
from zsl_jax.data.predictions.parquet_writer import write_predictions
from zsl_jax.data.predictions.prediction_files import read_predictions
from zsl_jax.data.predictions.source_predictions import SourcePredictions
from zsl_jax.data.text_shard import TextShard
from zsl_jax.io.run_folder import create_run_folder
from zsl_jax.report import write_report
from zsl_jax.report.run_record import read_run
from zsl_jax.workflows.compare import compare, prepare
from zsl_jax.workflows.loaded_tagger import load_tagger, predict_log_probs
from zsl_jax.workflows.scoring import baselines
from zsl_jax.workflows.sources import Source
from zsl_jax.workflows.transfer_run import write_compared


def source(path, sentences, seed):
    """A file of predictions that are right four times in five."""
    gold = [tiny_world.LABELS.index(label) for s in sentences for label in s.labels]
    rng = np.random.default_rng(seed)
    ids = np.where(rng.random(len(gold)) < 0.8, gold, rng.integers(0, 3, len(gold)))
    probs = 0.1 + 0.7 * np.eye(3, dtype=np.float16)[ids]
    words = tuple(s.words for s in sentences)
    write_predictions(
        path, SourcePredictions(tiny_world.LABELS, ids.astype(np.int32), probs, words)
    )
    return Source(path.stem[0], str(path))


def test_a_report_is_made_of_the_last_approach(world, tmp_path):
    text, gold = tiny_world.sentences(5, 30), tiny_world.sentences(6, 20)
    sources = [source(tmp_path / f"{n}.parquet", text, n) for n in range(2)]
    for_test = [source(tmp_path / f"{n}-test.parquet", gold, 2 + n) for n in range(2)]
    run = create_run_folder(tmp_path / "run", RECORD)
    config = dataclasses.replace(CONFIG, epochs=1, trainable_layers=1)
    task, test = prepare(
        load_tagger(str(world.encoder)), sources, (text, gold), run, config, "pos", for_test
    )
    rows = baselines(task, test)
    for compared in compare(task, test, config, run, ["kd", "chain"]):
        rows += compared.rows
    whole = np.exp(predict_log_probs(compared.done.tagger, gold, config.row_length))
    np.testing.assert_allclose(compared.labelled["P"].probs, whole, rtol=1e-5)
    assert len(list(run.cache.glob("*.npy"))) == 2  # frozen layers: of the text and of the test
    run.write_result(write_compared(compared, rows, test, run, TextShard(text)))
    record = read_run(run.path)
    assert (record.approach, record.labels_from) == ("chain", "Q")
    assert {line["run"] for line in record.lines("step")} == {"chain"}
    assert [row["name"] for row in record.result["rows"]][-3:] == ["kd", "chain", "chain"]
    assert record.result["test"]["labels_from"] == "Q" and record.label_model.chain is not None
    labels = read_predictions(run.path / "labels.parquet")
    np.testing.assert_array_equal(labels.labels, compared.done.posterior.argmax(axis=1))
    assert write_report(run.path, tmp_path / "report.html") > 10_000
