"""Score the label model on planted gazetteers, whose O means that they know nothing.

python -m benchmarks.rules --language=en --output=runs/rules.json

Reads DATA/ner/LANGUAGE/train.conll, where DATA is the environment variable ZSL_DATA (../shared/data
by default). Every source lists a random share of the entities of one to three types, by type and
first word, gives one in ten of them a random type, and marks some other capitalised words. Prints
strict F1 by the number of sources, averaged over seeds: of the majority with O as a vote like any
other and with O as silence (`--sparse`), and of the chain without and with `--sparse`.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from absl import flags

from benchmarks import measuring, real_texts
from launch import options
from launch.options import FLAGS

options.define("output", "max_sentences")
flags.DEFINE_string("language", "en", "Language of the corpus.")
flags.DEFINE_list("counts", ["3", "5", "9", "16"], "Numbers of sources.")
flags.DEFINE_list("seeds", ["0", "1", "2"], "Random seeds of the gazetteers.")

TYPES = ("LOC", "ORG", "PER")
NAMES = ("O", *(f"{begin}-{name}" for name in TYPES for begin in "BI"))
RECALL = (0.15, 0.5)  # bounds of the share of entities that a source lists
WRONG_TYPE, FALSE_ALARM = 0.1, 0.02


def main() -> None:
    """Scores every number of sources with every seed."""
    from zsl_jax.data.text.readers import read_sentences
    from zsl_jax.io.json_file import write_json

    sentences = read_sentences(real_texts.ner(FLAGS.language))[: FLAGS.max_sentences]
    results, lines = {}, []
    for count in FLAGS.counts:
        results[count] = [scores(sentences, int(count), int(seed)) for seed in FLAGS.seeds]
        methods = results[count][0]
        means = {m: np.mean([by_method[m] for by_method in results[count]]) for m in methods}
        lines.append({"sources": count} | {m: f"{mean:.1f}" for m, mean in means.items()})
        print(measuring.format_columns(lines[-1:]), flush=True)
    print(measuring.format_columns(lines))
    write_json(Path(FLAGS.output), results)


def scores(sentences: Sequence, count: int, seed: int) -> dict[str, float]:
    """Strict F1 in percent by method."""
    from zsl_jax.data.predictions.votes import source_votes
    from zsl_jax.labels import common_source_labels
    from zsl_jax.types import Sentence
    from zsl_jax.workflows.chain_model import aggregate_with_text
    from zsl_jax.workflows.result_table import score_ids
    from zsl_jax.workflows.source_conversion import in_target_labels, label_sets
    from zsl_jax.workflows.sources import Source
    from zsl_jax.workflows.vote_aggregation import aggregate_votes

    text, result = [Sentence(sentence.words) for sentence in sentences], {}
    gazetteers = [gazetteer(sentences, np.random.default_rng([seed, n])) for n in range(count)]
    for sparse in (False, True):
        given = [in_target_labels(Source("", "", sparse=sparse), each) for each in gazetteers]
        labels = common_source_labels([each.label_names for each in given], label_sets(given))
        votes, label_set = source_votes(given, labels, [""] * count), labels.label_set
        majority = aggregate_votes(votes, label_set.size, "majority")
        chain = aggregate_with_text(votes, text, label_set, "chain")
        for name, aggregated in (("majority", majority), ("chain", chain)):
            score = score_ids(aggregated.labels, label_set, sentences, "ner")["score"]
            result[f"{name}, sparse" if sparse else name] = 100 * score
    return result


def gazetteer(sentences: Sequence, rng: np.random.Generator):
    """The predictions of one planted source."""
    from zsl_jax.data.predictions.source_predictions import SourcePredictions
    from zsl_jax.labels import entity_spans

    types = rng.permutation(TYPES)[: rng.integers(1, 1 + len(TYPES))].tolist()
    recall, ids = rng.uniform(*RECALL), []
    listed: dict[tuple[str, str], bool] = {}
    for sentence in sentences:
        row = ["O"] * len(sentence.words)
        for span in entity_spans(sentence.labels):
            entry = sentence.words[span.start].lower(), span.type
            if span.type in types and listed.setdefault(entry, rng.random() < recall):
                given = rng.choice(TYPES) if rng.random() < WRONG_TYPE else span.type
                row[span.start : span.end] = [f"I-{given}"] * (span.end - span.start)
                row[span.start] = f"B-{given}"
        for place, word in enumerate(sentence.words):
            if row[place] == "O" and word[:1].isupper() and rng.random() < FALSE_ALARM:
                row[place] = f"B-{rng.choice(types)}"
        ids += [NAMES.index(name) for name in row]
    words = [sentence.words for sentence in sentences]
    return SourcePredictions(NAMES, np.array(ids, np.int32), None, words)


if __name__ == "__main__":
    options.require("output")
    options.run(main)
