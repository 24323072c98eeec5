"""What a review is worth: estimates beside true scores, and scores after training with it.

python -m benchmarks.review --run=models/pt --gold=pt.conll --number=100 --output=runs/review

A person, played by the gold labels of the run's text, corrects sentences in each of the tools in
turn. With --votes_seeds, the label model of the votes alone learns from the corrections of several
reviews of each kind; with --give_back, the run's own command is repeated with those of one. Both
need a run with --test, and the first one --source and --test_source files.
"""

import json
import shlex
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from absl import flags

from benchmarks import annotators
from benchmarks.corrected_votes import CorrectedVotes
from launch import options
from launch.options import FLAGS

options.define("output", "resamples", "confidence")
flags.DEFINE_string("run", None, "Folder of a finished launch.transfer.")
flags.DEFINE_string("gold", None, "The run's text with its true labels.")
flags.DEFINE_integer("number", 100, "Sentences of a review.", 1)
flags.DEFINE_integer("seeds", 20, "Reviews of each kind for the estimates.", 0)
flags.DEFINE_integer("votes_seeds", 0, "Reviews of each kind for the label model alone.", 0)
flags.DEFINE_bool("give_back", False, "Also train with the corrections.")
WAYS = {"doubt": ("errors", 0.0), "doubt and random": ("errors", 0.5), "random": ("random", 1.0)}
ESTIMATED = ("doubt and random", "random")  # doubt alone does not represent the rest
RECORDS = "run.json result.json labels.parquet votes.parquet label_model.safetensors".split()


def main() -> None:
    """Estimate, compare, and perhaps train."""
    from zsl_jax.data.text.readers import read_sentences

    output = Path(FLAGS.output)
    output.mkdir(parents=True, exist_ok=True)
    gold = {" ".join(s.words): s for s in read_sentences(FLAGS.gold)}
    found: dict[str, Any] = {}
    if FLAGS.seeds:
        found["estimates"] = {way: estimates(way, gold) for way in ESTIMATED}
    if FLAGS.votes_seeds:
        found["votes"] = {way: votes_after(way, gold) for way in WAYS}
    if FLAGS.give_back:
        before = scores_of(Path(FLAGS.run), gold, set())
        found["before"] = before
        show("before", before)
        found["after"] = {way: give_back(way, gold, output) for way in WAYS}
    (output / "review.json").write_text(json.dumps(found, indent=2), encoding="utf-8")


def review(folder: Path, way: str, gold: annotators.Gold, seed: int, tool: str) -> Path:
    """Chooses sentences, lets the person correct them in a tool, and returns the export."""
    from zsl_jax.data.annotation.tasks import TOOLS, write_tasks
    from zsl_jax.report.run_record import read_run
    from zsl_jax.review import Drawing, draw_review, save_review

    record = read_run(folder)
    drawing = Drawing(FLAGS.number, *WAYS[way], seed)
    drawn = draw_review(record, drawing)
    save_review(record, drawing, drawn.review)
    suffix = "conll" if tool == "conll" else "json"
    tasks, export = folder / f"tasks.{suffix}", folder / f"export.{suffix}"
    name = next(name for name in TOOLS if tool.startswith(name))
    write_tasks(tasks, drawn.tasks, name, drawn.label_names)
    annotators.correct(tasks, tool, gold, export)
    return export


def copy_of_run(folder: Path) -> Path:
    """A folder with the records of the run, for reviews that leave the run itself as it is."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in RECORDS:
        if (Path(FLAGS.run) / name).exists():
            shutil.copy(Path(FLAGS.run) / name, folder / name)
    return folder


def estimates(way: str, gold: annotators.Gold) -> dict[str, Any]:
    """The error and coverage of the estimates of every labelling over all seeds."""
    from zsl_jax.evaluation.bootstrap import Resampling
    from zsl_jax.report.run_record import read_run
    from zsl_jax.review import estimate_scores

    folder = copy_of_run(Path(FLAGS.output) / "reviews")
    truth = true_scores(folder, gold, set())
    tools = (*annotators.EXPORTS, "conll")
    rows: dict[tuple[str, str, str], list[tuple[float, bool, float]]] = defaultdict(list)
    for seed in range(FLAGS.seeds):
        export = review(folder, way, gold, seed, tools[seed % len(tools)])
        resampling = Resampling(FLAGS.resamples, FLAGS.confidence, seed)
        for row in estimate_scores(read_run(folder), str(export), resampling).rows:
            for kind, score in row.scores.items():
                true = truth[row.name, row.labels_from][kind]
                covered = score.low <= true <= score.high
                key = (row.name, row.labels_from, kind)
                rows[key].append((score.value - true, covered, score.high - score.low))
    found = {}
    print(f"{way}: {FLAGS.number} sentences, {FLAGS.seeds} seeds")
    print(f"{'':30} {'true':>6} {'bias':>6} {'sd':>6} {'width':>6} {'covered':>8}")
    for key, values in rows.items():
        errors, covered, widths = map(np.array, zip(*values, strict=True))
        numbers = (truth[key[:2]][key[2]], errors.mean(), errors.std(), widths.mean())
        cells = " ".join(f"{100 * number:6.2f}" for number in numbers)
        print(f"{' '.join(key):30} {cells} {covered.sum():>4} of {len(covered)}")
        found[" ".join(key)] = [*map(float, numbers), int(covered.sum())]
    total = [covered for values in rows.values() for _, covered, _ in values]
    print(f"all: {100 * np.mean(total):.1f} % of {len(total)} intervals cover the true score")
    return found


def votes_after(way: str, gold: annotators.Gold) -> list[list[float]]:
    """Scores of the label model before and after it has learned the corrections."""
    folder = copy_of_run(Path(FLAGS.output) / "reviews")
    settings = json.loads((folder / "run.json").read_text(encoding="utf-8"))["flags"]
    model, rows = CorrectedVotes(settings), []
    for seed in range(FLAGS.votes_seeds if WAYS[way][1] else 1):  # doubt alone is not random
        export = review(folder, way, gold, seed, "label_studio")
        values = json.loads(export.read_text(encoding="utf-8"))
        corrected = {task["data"]["text"] for task in values}
        rows.append([*model.scores(None, corrected), *model.scores(export, corrected)])
    before_test, before_text, test, text = 100 * np.mean(rows, axis=0)
    print(
        f"votes, {way}, {len(rows)} seeds: test {before_test:.2f} -> {test:.2f}, the rest of the "
        f"text {before_text:.2f} -> {text:.2f}",
        flush=True,
    )
    return rows


def true_scores(folder: Path, gold: annotators.Gold, without: set[str]) -> dict:
    """The scores of every labelling on the sentences of the text except some."""
    from zsl_jax.data.annotation.corrections import Correction
    from zsl_jax.data.predictions.projection import squeezed
    from zsl_jax.evaluation.bootstrap import Resampling
    from zsl_jax.report.run_record import read_run
    from zsl_jax.review.estimate import scores_of_corrected

    kept = [s for text, s in gold.items() if text not in without]
    known = [Correction("", squeezed("".join(s.words)), s.words, s.labels or ()) for s in kept]
    rows = scores_of_corrected(read_run(folder), known, Resampling(2))
    return {
        (row.name, row.labels_from): {kind: score.value for kind, score in row.scores.items()}
        for row in rows
    }


def scores_of(run: Path, gold: annotators.Gold, without: set[str]) -> dict[str, float]:
    """The scores of a run on its test, and on the sentences of its text except some."""
    result = json.loads((run / "result.json").read_text(encoding="utf-8"))
    found = {
        f"test {row['name']} {row['labels_from']}": row["scores"]["score"]
        for row in result["rows"]
        if row["labels_from"] in ("P", "Q") or row["name"] == "chain"
    }
    for (name, kind), scores in true_scores(run, gold, without).items():
        if kind in ("P", "Q"):
            found[f"text {name} {kind}"] = scores.get("F1 strict", scores["accuracy"])
    return found


def give_back(way: str, gold: annotators.Gold, output: Path) -> dict[str, float]:
    """Repeats the run's command with the corrections of a review."""
    folder = copy_of_run(output / way.replace(" ", "_") / "review")
    export = review(folder, way, gold, 0, "label_studio")
    corrected = {task["data"]["text"] for task in json.loads(export.read_text(encoding="utf-8"))}
    run = folder.parent / "run"
    command = shlex.split(json.loads((folder / "run.json").read_text(encoding="utf-8"))["command"])
    kept = [part for part in command if not part.startswith(("--output=", "--overwrite"))]
    subprocess.run([*kept, f"--output={run}", "--overwrite", f"--gold_words={export}"], check=True)
    after = scores_of(run, gold, corrected)
    same_text = scores_of(Path(FLAGS.run), gold, corrected)
    show(way, after, same_text)
    return {**after, **{f"before, {key}": value for key, value in same_text.items()}}


def show(title: str, scores: dict[str, float], before: dict[str, float] | None = None) -> None:
    """Prints scores, and what they were on the same sentences before."""
    for name, value in scores.items():
        was = "" if before is None else f" (before: {100 * before[name]:.2f})"
        print(f"{title}: {name} {100 * value:.2f}{was}", flush=True)


if __name__ == "__main__":
    options.require("run", "gold", "output")
    options.run(main)
