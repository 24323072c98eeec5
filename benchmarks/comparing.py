"""Shared parts of the transfer benchmarks: flags, trained sources, and the table of approaches."""

import dataclasses
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from absl import flags

from launch import inputs, options, run_spec
from launch.config_flags import from_flags
from launch.options import FLAGS
from zsl_jax.training.config import TrainConfig, TransferConfig

OWN_FLAGS = (
    "target languages models text_sentences approaches transfer_learning_rate transfer_batch_words"
).split()


def define_flags(target: str, languages: list[str]) -> None:
    """Defines the flags of a benchmark that transfers to `target` from `languages`."""
    options.define("encoder", "output", "overwrite", "rounds", "confusion_learning_rate")
    options.define("max_sentences", "max_test_sentences")
    options.define_config(TrainConfig)
    flags.DEFINE_string("target", target, "Language of the text.")
    flags.DEFINE_list("languages", languages, "Languages of the sources.")
    flags.DEFINE_string("models", None, "Folder of the trained sources (default: OUTPUT/models).")
    flags.DEFINE_integer(
        "text_sentences", None, "Sentences of the text (default: --max_sentences).", 1
    )
    flags.DEFINE_list(
        "approaches",
        None,
        "Approaches of the table (default: all; hard ones if votes are labels; empty: none).",
    )
    flags.DEFINE_float("transfer_learning_rate", None, "Learning rate of the target tagger.")
    flags.DEFINE_integer("transfer_batch_words", None, "Words per update of the target tagger.")
    for name in OWN_FLAGS:
        FLAGS.register_key_flag_for_module(sys.argv[0], FLAGS[name])  # --help lists it


class Started(NamedTuple):
    """The state in which a benchmark starts.

    Attributes:
      seconds: Start time on the monotonic clock.
      run: The run folder.
      encoder: The encoder that every tagger starts from.
      sources: A trained tagger for each language.
      text: Sentences of the target, labels included.
      gold: The target's test sentences.
    """

    seconds: float
    run: Any
    encoder: Any
    sources: list
    text: Sequence
    gold: Sequence


def start(corpus: Callable[..., Path]) -> Started:
    """Opens the run's folder, reads the target's texts, and trains missing sources.

    Args:
      corpus: Maps a language (and a part, "train" by default) to its file.
    """
    from zsl_jax.io.run_folder import create_run_folder
    from zsl_jax.workflows.loaded_tagger import load_tagger

    seconds = time.monotonic()
    _check_approaches()
    inputs.watch_compilations()
    test_file = corpus(FLAGS.target, "test")
    files = [*map(corpus, [*FLAGS.languages, FLAGS.target]), test_file]
    more_flags: dict[str, Any] = {name: FLAGS[name].value for name in OWN_FLAGS}
    run = create_run_folder(FLAGS.output, run_spec.record(files, **more_flags), FLAGS.overwrite)
    encoder = load_tagger(FLAGS.encoder)
    sources = trained_sources(encoder, run, corpus)
    text = sample(corpus(FLAGS.target), FLAGS.text_sentences or FLAGS.max_sentences)
    return Started(
        seconds, run, encoder, sources, text, sample(test_file, FLAGS.max_test_sentences)
    )


def run(corpus: Callable[..., Path], task: str) -> None:
    """Trains missing sources, then every approach, and prints the table.

    Args:
      corpus: As for `start`.
      task: Selects the main score, "pos" or "ner".
    """
    from zsl_jax.workflows.compare import prepare

    started = start(corpus)
    texts, config = (started.text, started.gold), from_flags(TransferConfig)
    transfer_task, test = prepare(
        started.encoder, started.sources, texts, started.run, config, task
    )
    write_table(transfer_task, test, started)


def _check_approaches() -> None:
    from zsl_jax.errors import InputError
    from zsl_jax.workflows.compare import VARIANTS

    for name in FLAGS.approaches or ():
        if name not in VARIANTS:
            known = ", ".join(VARIANTS)
            raise InputError(f"--approaches={name}: there is no such approach; choose from {known}")


def sample(path: Path, count: int):
    """Random sentences of a corpus."""
    from zsl_jax.data.sampling import sample_sentences
    from zsl_jax.data.text.readers import read_sentences

    return sample_sentences(read_sentences(path), count, FLAGS.seed)


def trained_sources(encoder, run, corpus: Callable[..., Path]) -> list:
    """A tagger for each language under MODELS, trained if it is not there.

    Args:
      encoder: Where each starts.
      run: The run's folder.
      corpus: From a language to its training text.
    """
    from zsl_jax.workflows.sources import Source
    from zsl_jax.workflows.supervised import train_source

    folder = Path(FLAGS.models) if FLAGS.models else run.path / "models"
    sources = [Source(name, str(folder / name)) for name in FLAGS.languages]
    for source in sources:
        if not (Path(source.path) / "config.json").exists():
            sentences = sample(corpus(source.name), FLAGS.max_sentences)
            train_source(encoder, source, sentences, from_flags(TrainConfig), run)
    return sources


def write_table(transfer_task, test, started: Started) -> None:
    """Scores the sources and every approach, prints the table and writes OUTPUT/result.json.

    Besides the rows, the file has Cohen's κ between each source and the label model's posterior.
    """
    from zsl_jax.data.text_shard import TextShard
    from zsl_jax.training.chain_fit import agreement_with_posterior
    from zsl_jax.training.config import TransferConfig
    from zsl_jax.workflows.approaches import with_chain
    from zsl_jax.workflows.compare import VARIANTS, compare
    from zsl_jax.workflows.result_table import format_table
    from zsl_jax.workflows.scoring import baselines
    from zsl_jax.workflows.transfer_run import write_compared

    rows = baselines(transfer_task, test)
    print(format_table(rows), flush=True)
    predictions = "hard" if transfer_task.text.votes.probs is None else "soft"
    titles = FLAGS.approaches
    if titles is None:
        titles = [name for name in VARIANTS if predictions == "soft" or "soft" not in name]
    config = dataclasses.replace(transfer_config(), predictions=predictions)
    result: dict[str, Any] = {}
    for compared in compare(transfer_task, test, config, started.run, titles):
        rows += compared.rows
        print(format_table(compared.rows), flush=True)
        result = write_compared(compared, rows, test, started.run, TextShard(started.text))
    print(format_table(rows))
    seconds = round(time.monotonic() - started.seconds, 1)
    chain = with_chain(transfer_task.text, transfer_task.label_set, TransferConfig()).chain
    assert chain is not None
    agreement = agreement_with_posterior(chain.text, chain.labels, chain.result.posterior)
    result = {
        **result,
        "rows": [row._asdict() for row in rows],
        "agreement": dict(zip(transfer_task.names, agreement.tolist(), strict=True)),
        "seconds": seconds,
        **inputs.compiled(),
    }
    started.run.write_result(result)


def transfer_config():
    """The settings of the target tagger; --epochs only applies to the sources."""
    config = from_flags(TransferConfig)
    rate = FLAGS.transfer_learning_rate or FLAGS.learning_rate
    optimizer = dataclasses.replace(config.optimizer, learning_rate=rate)
    return dataclasses.replace(
        config,
        epochs=None,
        batch_words=FLAGS.transfer_batch_words or FLAGS.batch_words,
        optimizer=optimizer,
    )
