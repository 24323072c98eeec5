"""Score the label model, without a tagger, on few, many, broken and copied sources.

python -m benchmarks.robustness --task=pos --cells=DIR --output=runs/robustness-pos.json

DIR has a folder TARGET-SEED for each target language and seed, with text.conll (the text that the
label model is fitted to), test.conll (labelled), and text/SOURCE.parquet and test/SOURCE.parquet
for every source, as `launch.annotate` writes them. In each case, sources are left out, added or
replaced alike for the text and the test; additions are made from the first source in the
alphabet. Prints the score of the mean and of the chain, averaged over targets of the means over
seeds, and the greatest loss of the chain on a target against all sources as they are.
"""

import functools
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from absl import flags
from jaxtyping import Float

from benchmarks import measuring
from benchmarks.label_model_cells import METHODS, Cell, both_scores, cell_of
from launch import options
from launch.options import FLAGS

options.define("output", "task")
flags.DEFINE_string("cells", None, "Folder of texts and predictions.")
flags.DEFINE_list("cases", None, "Cases to run (default: all).")

Probs = Float[np.ndarray, "N U K"]
Change = Callable[[Probs, np.random.Generator], Probs]
ALL, FEW_SENTENCES = "all sources", 200


def main() -> None:
    """Runs every case on every cell, prints the table and writes all scores."""
    from zsl_jax.io.json_file import write_json

    scores: dict[str, dict[str, dict[str, float]]] = defaultdict(dict)
    for folder in sorted(path for path in Path(FLAGS.cells).iterdir() if path.is_dir()):
        target, seed = folder.name.rsplit("-", 1)
        for case, by_method in scores_of(read_cell(folder)).items():
            for method, score in by_method.items():
                scores[f"{case}: {method}"].setdefault(target, {})[seed] = score
        print(folder.name, flush=True)
    print(measuring.format_columns(summary(scores)))
    write_json(Path(FLAGS.output), scores)


def read_cell(folder: Path) -> Cell:
    """Reads a cell; its sources are in the order of their names."""
    from zsl_jax.data.predictions.prediction_files import read_predictions
    from zsl_jax.data.predictions.same_words import check_words
    from zsl_jax.data.text.readers import read_sentences

    texts = [read_sentences(folder / f"{part}.conll") for part in ("text", "test")]
    names = sorted(path.stem for path in (folder / "text").glob("*.parquet"))
    predictions = []
    for part, sentences in zip(("text", "test"), texts, strict=True):
        files = [folder / part / f"{name}.parquet" for name in names]
        predictions.append([read_predictions(file) for file in files])
        for predicted, file in zip(predictions[-1], files, strict=True):
            check_words(predicted, sentences, str(file))
    return cell_of(texts, predictions, names)


def scores_of(cell: Cell) -> dict[str, dict[str, float]]:
    """Scores in percent by case and method."""
    changes = changes_of(cell.label_set.names)
    results = {}
    for case in FLAGS.cases or (ALL, "hard votes", f"{FEW_SENTENCES} sentences", *changes):
        text, votes = cell.text, cell.votes
        if case in changes:
            votes = [changed(part, changes[case], seed) for seed, part in enumerate(votes)]
        if case == "hard votes":
            votes = [part._replace(probs=None) for part in votes]
        if case == f"{FEW_SENTENCES} sentences":
            text = text[:FEW_SENTENCES]
        results[case] = dict(zip(METHODS, both_scores(cell, text, votes, FLAGS.task), strict=True))
    return results


def changed(votes: Any, change: Change, seed: int) -> Any:
    """Votes of other sources, made from these."""
    probs = change(np.asarray(votes.probs, np.float32), np.random.default_rng(seed))
    num_sources, size = probs.shape[1:]
    return votes._replace(
        probs=probs.astype(np.float16),
        labels=probs.argmax(axis=2).astype(np.int32),
        compatible=np.tile(np.eye(size, dtype=bool), (num_sources, 1, 1)),
    )


def changes_of(names: tuple[str, ...]) -> Mapping[str, Change]:
    """The cases in which there are other sources."""
    bad = {"random": random_source, "constant": constant_source, "label-switched": switched_source}
    copies = ((total, noise) for total in (2, 3, 5) for noise in (0.0, 0.02))
    return {
        **{f"{count} sources": functools.partial(first_sources, count) for count in (2, 3)},
        "16 sources": sixteen_sources,
        **{f"one more, {kind}": functools.partial(of, names) for kind, of in bad.items()},
        **{
            f"{total} copies" + " with 2 % noise" * (noise > 0): functools.partial(
                with_copies, total - 1, noise
            )
            for total, noise in copies
        },
    }


def first_sources(count: int, probs: Probs, rng: np.random.Generator) -> Probs:
    """The first sources alone."""
    return probs[:, :count]


def sixteen_sources(probs: Probs, rng: np.random.Generator) -> Probs:
    """All sources, and as many with 20 % of noise as are missing, from each in turn."""
    more = [noisy(probs[:, [n % probs.shape[1]]], 0.2, rng) for n in range(16 - probs.shape[1])]
    return np.concatenate([probs, *more], axis=1)


def with_copies(more: int, noise: float, probs: Probs, rng: np.random.Generator) -> Probs:
    """The first source several times more, with a share of noise."""
    copies = [noisy(probs[:, :1], noise, rng) for _ in range(more)]
    return np.concatenate([probs, *copies], axis=1)


def random_source(names: tuple[str, ...], probs: Probs, rng: np.random.Generator) -> Probs:
    """One more source, without any relation to the words."""
    random = rng.dirichlet(np.full(len(names), 0.3), len(probs))
    return np.concatenate([probs, random[:, None]], axis=1)


def constant_source(names: tuple[str, ...], probs: Probs, rng: np.random.Generator) -> Probs:
    """One more source, which gives every word a noun, or the first type of entity."""
    label = names.index("NOUN") if "NOUN" in names else 1
    row = 0.98 * np.eye(len(names))[label] + 0.02 / len(names)
    return np.concatenate([probs, np.tile(row, (len(probs), 1, 1))], axis=1)


def switched_source(names: tuple[str, ...], probs: Probs, rng: np.random.Generator) -> Probs:
    """The first source once more, with every tag or entity type in the place of the next one."""
    return np.concatenate([probs, probs[:, :1, switched_labels(names)]], axis=1)


def noisy(probs: Probs, share: float, rng: np.random.Generator) -> Probs:
    """The same predictions, but for a share of the words those of random other words."""
    replaced = np.flatnonzero(rng.random(len(probs)) < share)
    probs = probs.copy()
    probs[replaced] = probs[rng.integers(0, len(probs), len(replaced))]
    return probs


def switched_labels(names: tuple[str, ...]) -> list[int]:
    """For each label, the one it is switched with: every tag or entity type is the next one."""
    types = sorted({name.removeprefix("B-").removeprefix("I-") for name in names} - {"O"})
    following = dict(zip(types, types[1:] + types[:1], strict=True)) | {"O": "O"}
    ends = [name.removeprefix("B-").removeprefix("I-") for name in names]
    pairs = zip(names, ends, strict=True)
    return [names.index(name.removesuffix(end) + following[end]) for name, end in pairs]


def summary(scores: Mapping[str, Mapping[str, Mapping[str, float]]]) -> list[dict[str, str]]:
    """A line for each case."""
    means = {
        case: {target: np.mean(list(seeds.values())) for target, seeds in by_target.items()}
        for case, by_target in scores.items()
    }
    lines = []
    for case in dict.fromkeys(case.rsplit(": ", 1)[0] for case in scores):
        line = {"case": case}
        for method in METHODS:
            line[method] = f"{np.mean(list(means[f'{case}: {method}'].values())):.2f}"
        if f"{ALL}: chain" in means:
            whole, chain = means[f"{ALL}: chain"], means[f"{case}: chain"]
            losses = {target: chain[target] - whole[target] for target in whole}
            worst = min(losses, key=losses.__getitem__)
            line["greatest loss"] = f"{losses[worst]:+.2f} ({worst})"
        lines.append(line)
    return lines


if __name__ == "__main__":
    options.require("cells", "output")
    options.run(main)
