"""A folder as a transfer leaves it, made of random votes: to try the page without training."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zsl_jax.data.predictions.label_table import LabelTable, write_label_tables
from zsl_jax.data.predictions.parquet_writer import write_prediction_blocks
from zsl_jax.data.predictions.source_predictions import SourcePredictions
from zsl_jax.evaluation import diagnosis
from zsl_jax.evaluation.tally import tally as tally_of
from zsl_jax.io.label_model_file import LabelModel, save_label_model
from zsl_jax.labels import LabelSet, SourceLabels

BLOCK = 200  # sentences


def write_run(
    folder: Path,
    sentences: Sequence[Sequence[str]],
    label_names: Sequence[str],
    source_names: Sequence[str],
    seed: int = 0,
    has_label_model: bool = True,
) -> Path:
    """Writes the folder; the report in result.json is made by `evaluation.diagnosis`.

    Args:
      folder: New.
      sentences: The words of each.
      label_names: K of them.
      source_names: U of them; the last one gives every word the first label.
      seed: Of all that is random.
      has_label_model: Without one, labels are the tagger's own and there are no E steps.
    """
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    words = [tuple(sentence) for sentence in sentences]
    count, size, num_sources = sum(map(len, words)), len(label_names), len(source_names)
    truth = np.minimum(rng.geometric(0.3, count) - 1, size - 1)
    certain = rng.beta(6, 1, count)[:, None]
    probs = certain * np.eye(size)[truth] + (1 - certain) * rng.dirichlet([0.2] * size, count)
    wrong = rng.integers(0, size, (count, num_sources))
    votes = np.where(
        rng.random(wrong.shape) < np.linspace(0.9, 0.5, num_sources), truth[:, None], wrong
    )
    votes[rng.random(votes.shape) < 0.02] = -1
    votes[:, -1] = 0
    tagger = np.where(rng.random(count) < 0.9, truth, wrong[:, 0])
    labels = SourceLabels.of(LabelSet(tuple(label_names)))
    columns = (*(f"source:{name}" for name in source_names), "majority", "tagger")
    best = probs.argmax(axis=1)
    ids = np.concatenate([votes, best[:, None], tagger[:, None]], axis=1)
    _write_labels(folder, words, LabelTable(columns, labels.names, ids), probs)
    tally = tally_of(probs, votes)
    counts = tally.counts + 0.1 + size * np.eye(size)
    log_confusion = np.log(counts / counts.sum(1, keepdims=True)).astype(np.float32)
    log_start = np.log(np.full_like(counts, 0.5 / size) + 0.5 * np.eye(size))
    learned, kind = diagnosis.Learned(), "P"
    if has_label_model:
        learned, kind = diagnosis.Learned(log_confusion, log_start), "Q"
        model = LabelModel(tuple(source_names), labels, log_confusion, 1.0, (1.0,), "soft", None)
        save_label_model(folder, model)
    same = {"majority": 0.9, "mean": 0.91, "dawid_skene": 0.92, f"source {source_names[0]}": 0.89}
    same |= {"tagger": 0.95} if has_label_model else {}
    report = diagnosis.diagnose(source_names, labels, learned, tally, same, kind)
    record = {
        "flags": {"approach": "lvm", "text": "text.conll", "seed": seed}, "seed": seed,
        "data": {"text.conll": "0" * 64}, "versions": {"python": "3"}, "started": "now",
        "command": "python -m launch.transfer --text=<b>.conll",
    }  # fmt: skip
    (folder / "run.json").write_text(json.dumps(record))
    result = {"finished": "later", "labels_from": kind, "sources": report.plain, "rows": []}
    (folder / "result.json").write_text(json.dumps(result))
    lines = _metrics(source_names, rng)
    lines = [line for line in lines if has_label_model or line["kind"] == "step"]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def _write_labels(folder: Path, words: Sequence[tuple[str, ...]], table: LabelTable, probs) -> None:
    """labels.parquet and votes.parquet, in row groups of different sizes."""
    names, ends = table.label_names, np.cumsum([0, *map(len, words)])
    parts = [(first, min(first + BLOCK, len(words))) for first in range(0, len(words), BLOCK)]
    best, halved = probs.argmax(axis=1).astype(np.int32), probs.astype(np.float16)

    def block(first: int, stop: int) -> SourcePredictions:
        rows = slice(ends[first], ends[stop])
        return SourcePredictions(names, best[rows], halved[rows], words[first:stop])

    write_prediction_blocks(folder / "labels.parquet", names, (block(*part) for part in parts))
    tables = (table._replace(ids=ids) for ids in np.array_split(table.ids, 3))
    write_label_tables(folder / "votes.parquet", table.columns, names, tables)


def _metrics(source_names: Sequence[str], rng: np.random.Generator) -> list[dict[str, Any]]:
    """Two rounds of twenty updates."""
    lines: list[dict[str, Any]] = []
    for number in range(3):
        shares = dict(zip(source_names, rng.random(len(source_names)).tolist(), strict=True))
        lines.append(
            {
                "kind": "round", "run": "lvm", "round": number, "objective": 2.0 - 0.5 * number,
                "bound": 2.25 - 0.5 * number, "entropy": 0.5 / (number + 1), "agreement": shares,
                "confusion_moved": dict.fromkeys(source_names, 0.1 * number),
            }
        )  # fmt: skip
        lines += [
            {
                "kind": "step", "run": "lvm", "step": 20 * number + n + 1, "loss": 1 / (n + 1),
                "learning_rate": 1e-3, "words_per_second": 900.0 + n, "mix": 0.0,
            }
            for n in range(20 if number < 2 else 0)
        ]  # fmt: skip
    return lines
