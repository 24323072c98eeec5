"""Score the label model, without a tagger, by the size of the text that it is fitted to.

python -m benchmarks.text_sizes --text=FILE --test=FILE --source=NAME=DIR ... \
  --sizes=200,2000,20000 --cache=DIR --output=sizes.json

Every source, a model folder, annotates both texts once. For each size and seed, the label model is
fitted to the first sentences of the shuffled text, and labels the test, whose gold labels score it.
Prints the means over seeds, with their standard deviations.
"""

from pathlib import Path

import numpy as np
from absl import flags

from benchmarks import measuring
from launch import inputs, options
from launch.options import FLAGS

options.define(
    "text",
    "test",
    "source",
    "label_map",
    "offsets",
    "sparse",
    "task",
    "max_test_sentences",
    "output",
)
flags.DEFINE_string("cache", None, "Folder that keeps the sources' predictions.")
flags.DEFINE_integer(
    "trained_layers", None, "Last layers that differ between the sources; those below run once.", 1
)
flags.DEFINE_list("sizes", ["200", "2000", "20000"], "Numbers of sentences of the text.")
flags.DEFINE_list("seeds", ["0", "1", "2"], "Seeds of the order of the text's sentences.")


def main() -> None:
    """Annotates, fits, scores, prints the table and writes all scores."""
    from benchmarks.label_model_cells import METHODS, both_scores
    from zsl_jax.io.json_file import write_json

    scores: dict[int, dict[str, list[float]]] = {}
    cell = annotated(FLAGS.text, FLAGS.test)
    for size in sorted({min(int(size), len(cell.text)) for size in FLAGS.sizes}):
        scores[size] = {method: [] for method in METHODS}
        for seed in map(int, FLAGS.seeds):
            shuffled = in_order(cell, np.random.default_rng(seed).permutation(len(cell.text)))
            found = both_scores(shuffled, shuffled.text[:size], shuffled.votes, FLAGS.task)
            for method, score in zip(METHODS, found, strict=True):
                scores[size][method].append(score)
    print(measuring.format_columns([_row(size, found) for size, found in scores.items()]))
    write_json(Path(FLAGS.output), {str(size): found for size, found in scores.items()})


def annotated(text: str, test: str):
    """The cell of the two texts, with what the sources predict for them."""
    from benchmarks.label_model_cells import cell_of
    from zsl_jax.data.text.readers import read_sentences
    from zsl_jax.data.text_shard import TextShard
    from zsl_jax.types import Sentence
    from zsl_jax.workflows.aggregate import ROW_LENGTH
    from zsl_jax.workflows.frozen_cache import shared_layers
    from zsl_jax.workflows.source_annotation import source_predictions

    texts = [read_sentences(text), read_sentences(test)[: FLAGS.max_test_sentences]]
    sources, cache = inputs.sources(), Path(FLAGS.cache)
    shared = shared_layers(FLAGS.trained_layers, cache)
    shards = [TextShard([Sentence(sentence.words) for sentence in part]) for part in texts]
    by_source = [source_predictions(s, shards, cache, ROW_LENGTH, shared) for s in sources]
    predictions = list(zip(*by_source, strict=True))
    return cell_of(texts, predictions, [source.name for source in sources])


def in_order(cell, order):
    """The cell with its text's sentences in another order."""
    lengths = np.array([len(sentence.words) for sentence in cell.text])
    starts = np.cumsum(lengths) - lengths
    words = np.concatenate([np.arange(starts[i], starts[i] + lengths[i]) for i in order])
    votes = cell.votes[0]
    moved = {name: getattr(votes, name) for name in ("labels", "probs")}
    moved = {name: None if part is None else part[words] for name, part in moved.items()}
    text = [cell.text[i] for i in order]
    return cell._replace(text=text, votes=[votes._replace(**moved), cell.votes[1]])


def _row(size: int, found: dict[str, list[float]]) -> dict[str, str]:
    return {"sentences": f"{size:,}"} | {
        method: f"{np.mean(scores):.2f} ± {np.std(scores):.2f}" for method, scores in found.items()
    }


if __name__ == "__main__":
    options.require("text", "test", "cache", "output")
    options.run(main)
