"""The flags that several programs share: one name, one meaning, one default.

Importing this costs nothing: no program loads JAX before its flags are read.
"""

import logging as python_logging
import os
import sys
from collections.abc import Callable
from typing import Any

from absl import app, flags, logging

from launch.huge_pages import use_huge_pages
from zsl_jax.errors import InputError, Preempted

FLAGS = flags.FLAGS

# fmt: off
DEFINITIONS: dict[str, tuple[Any, ...]] = {
    "encoder": (flags.DEFINE_string, None,
        "Encoder (or tagger) to start from: folder or hub name."),
    "model": (flags.DEFINE_string, None, "Tagger: model folder or hub name."),
    "text": (flags.DEFINE_string, None,
        "Text to label: a file, quoted glob, folder or - (standard input); labels are not read."),
    "format": (flags.DEFINE_enum, None,
        ["conll", "conllu", "jsonl", "parquet", "plain", "semeval", "ontonotes", "wikiann", "uner",
            "datasets"],
        "Format of the texts (not of --source or --predicted). Default: what the extension says."),
    "encoding": (flags.DEFINE_string, None, "Encoding of the texts. Default: utf-8."),
    "words": (flags.DEFINE_enum, None, ["whitespace", "unicode"],
        "How raw text is cut into words. Default: whitespace in plain text, unicode in reviews."),
    "output_format": (flags.DEFINE_enum, None, ["conll", "jsonl", "spans", "parquet"],
        "Format of --output. Default: what the extension says; conll for - (standard output)."),
    "train": (flags.DEFINE_string, None, "Labelled text to train on."),
    "dev": (flags.DEFINE_string, None, "Labelled text that chooses the best pass."),
    "test": (flags.DEFINE_string, None,
        "Labelled text, read only after training, for the table of results."),
    "gold": (flags.DEFINE_string, None, "Labelled text to score against."),
    "predicted": (flags.DEFINE_multi_string, None,
        "Predictions to score: CoNLL, CoNLL-U, JSONL or Parquet. Repeat it or use * for the seeds "
        "of one method."),
    "significance": (flags.DEFINE_multi_string, [],
        "The same of another method, to test --predicted against."),
    "confidence": (flags.DEFINE_float, 0.95, "Of intervals and bounds.", 0.5, 0.9999),
    "resamples": (flags.DEFINE_integer, 10_000, "Bootstrap resamples of the sentences.", 1),
    "source": (flags.DEFINE_multi_string, [],
        "NAME=PATH of a source: a prediction file, model folder, hub name, or spacy:PIPELINE. "
        "Repeat it."),
    "test_source": (flags.DEFINE_multi_string, [],
        "NAME=PATH of a source's prediction file for --test, where --source is a file too."),
    "label_map": (flags.DEFINE_multi_string, [],
        "NAME=FILE of a source's label map: YAML with `label: target` or `entity type: target` a "
        "line; null abstains, [A, B] may be either."),
    "gold_words": (flags.DEFINE_string, None,
        "The text with the labels of words that you know, _ for all others; Q is held there."),
    "decode": (flags.DEFINE_enum, "argmax", ["argmax", "viterbi"],
        "Most probable label of each word, or sequence of each sentence without stray I- labels."),
    "output": (flags.DEFINE_string, None, "Where the result goes."),
    "overwrite": (flags.DEFINE_bool, False, "Replace the result of an earlier run in --output."),
    "column": (flags.DEFINE_string, None,
        "Column of the labels: a number from 0 (negative: from the right) or a CoNLL-U name. "
        "Default: upos in .conllu, the last elsewhere."),
    "task": (flags.DEFINE_enum, None, ["pos", "ner", "plain"],
        "Which scores count: accuracy (pos, plain) or entity F1 (ner). Default: ner if the "
        "labels are BIO. With pos, spaCy pipelines give parts of speech instead of entities."),
    "max_sentences": (flags.DEFINE_integer, 0,
        "Use this many random sentences of --train or --text, drawn with --seed (0: all).", 0),
    "max_test_sentences": (flags.DEFINE_integer, 0, "The same for --test and --dev.", 0),
    "predictions": (flags.DEFINE_enum, "soft", ["soft", "hard"],
        "Learn from the sources' probabilities or labels."),
    "approach": (flags.DEFINE_enum, "lvm",
        ["direct", "hard", "hard_cat", "hard_vote", "kd", "mrt", "lvm"],
        "How the tagger learns from the sources."),
    "strategy": (flags.DEFINE_enum, "soft_em", ["soft_em", "hard_em", "direct"],
        "How mrt and lvm are optimised."),
    "distillation": (flags.DEFINE_enum, "kl", ["kl", "mse"], "Loss of kd."),
    "method": (flags.DEFINE_enum, "dawid_skene", ["majority", "mean", "dawid_skene"],
        "How the sources are put together."),
    "rounds": (flags.DEFINE_integer, 3,
        "EM rounds (passes over the text, for the other approaches).", 1),
    "stop_early": (flags.DEFINE_bool, False, "Stop when J has not improved after a round."),
    "batch_words": (flags.DEFINE_integer, 512, "Words in an update, about.", 1),
    "row_length": (flags.DEFINE_integer, 128,
        "Subwords in a packed row; longer sentences go through overlapping windows.", 8),
    "learning_rate": (flags.DEFINE_float, 1e-4, "Highest learning rate of the encoder.", 0.0),
    "head_learning_rate": (flags.DEFINE_float, 0.0,
        "The same of the new head (0: as --learning_rate; small encoders want more).", 0.0),
    "confusion_learning_rate": (flags.DEFINE_float, 2e-4,
        "Highest learning rate of the trainable confusion matrices.", 0.0),
    "tau_fixed": (flags.DEFINE_float, None,
        "Temperature of the fixed confusion matrices (default 10)."),
    "tau_trainable": (flags.DEFINE_float, None,
        "First temperature of the trainable ones (default 2)."),
    "mu_fixed": (flags.DEFINE_float, None, "The same as --tau_fixed, as the diagonal probability."),
    "mu_trainable": (flags.DEFINE_float, None,
        "The same as --tau_trainable, as the diagonal probability."),
    "confusion_init": (flags.DEFINE_enum, "tau", ["tau", "dawid_skene"],
        "Where the trainable confusion matrices start."),
    "confusion_update": (flags.DEFINE_enum, "gradient", ["gradient", "closed_form"],
        "How they are learned."),
    "confusion_evidence": (flags.DEFINE_enum, "hard", ["hard", "soft"],
        "What the closed form counts; soft can collapse."),
    "pseudo_count": (flags.DEFINE_float, 1.0,
        "Weight of the first matrices in the closed form, in words a label.", 0.0),
    "prior_weight": (flags.DEFINE_string, "1",
        "Weight of the tagger in the posterior: a number or num_sources."),
    "source_weight": (flags.DEFINE_list, ["1"],
        "Weight of the sources in the posterior: one number, or one each with commas."),
    "mix_start": (flags.DEFINE_float, 1.0,
        "Share of the fixed matrices at the first update.", 0.0, 1.0),
    "mix_end": (flags.DEFINE_float, 0.0,
        "Share of the fixed matrices at the last update.", 0.0, 1.0),
    "mix_schedule": (flags.DEFINE_enum, "linear", ["linear", "cosine", "constant"],
        "From one share to the other."),
    "warmup": (flags.DEFINE_float, 0.1, "Part of the training in which the rate rises.", 0.0, 0.99),
    "decay": (flags.DEFINE_enum, "linear", ["linear", "constant"],
        "The rate after the warm-up: falls to 0, or stays."),
    "weight_decay": (flags.DEFINE_float, 0.01, "AdamW's decay of dense kernels.", 0.0),
    "clip_norm": (flags.DEFINE_float, 5.0, "Largest gradient norm.", 0.0),
    "dropout": (flags.DEFINE_float, 0.1, "Dropout rate.", 0.0, 0.99),
    "seed": (flags.DEFINE_integer, 0, "Of head, dropout, order, sampling and resampling.", 0),
    "dtype": (flags.DEFINE_enum, "float32", ["float32", "bfloat16"],
        "Of the encoder's activations; parameters, softmax and loss stay float32."),
    "trainable_layers": (flags.DEFINE_integer, None,
        "Train the last so many layers of the encoder and the head (0: the head only). Embeddings "
        "and the layers below are frozen: they run once over a text, without dropout. Default: "
        "everything is trained.", 0),
    "partition": (flags.DEFINE_enum, "pmap", ["pmap", "shard_map"],
        "How several devices share an update."),
    "save_every_steps": (flags.DEFINE_integer, 0,
        "Save the state every so many updates too, not only after each round.", 0),
    "coordinator": (flags.DEFINE_string, None,
        "HOST:PORT of process 0, where a run has several processes outside of a TPU pod."),
    "process_id": (flags.DEFINE_integer, None, "Number of this process, from 0.", 0),
    "num_processes": (flags.DEFINE_integer, None, "Processes of the run.", 1),
    "pod": (flags.DEFINE_bool, False,
        "All workers of a TPU pod slice run this command and find each other."),
    "parts": (flags.DEFINE_integer, None,
        "Parts into which the text is dealt (default: one for each process). Other numbers of "
        "processes give the same result as long as this stays.", 1),
}
# fmt: on

TRAINING = (
    "batch_words row_length learning_rate head_learning_rate warmup decay weight_decay clip_norm "
    "dropout seed dtype partition trainable_layers"
).split()
HOSTS = "coordinator process_id num_processes pod parts".split()
TRANSFER = (
    "predictions approach strategy distillation rounds stop_early confusion_learning_rate "
    "tau_fixed tau_trainable mu_fixed mu_trainable confusion_init confusion_update "
    "confusion_evidence pseudo_count prior_weight source_weight mix_start mix_end mix_schedule"
).split()


def define(*names: str) -> None:
    """Define shared flags, and list them in this program's --help."""
    for name in names:
        kind, *arguments = DEFINITIONS[name]
        kind(name, *arguments)
        FLAGS.register_key_flag_for_module(sys.argv[0], FLAGS[name])


def define_epochs(default: int, meaning: str) -> None:
    """--epochs, whose default depends on the program."""
    flags.DEFINE_integer("epochs", default, meaning, 1)
    FLAGS.register_key_flag_for_module(sys.argv[0], FLAGS["epochs"])


def require(*names: str) -> None:
    """Make flags obligatory."""
    flags.mark_flags_as_required(names)


def run(main: Callable[[], None]) -> None:
    """Parse the flags and run a program; bad input ends it with one sentence and status 2."""

    def checked(arguments: list[str]) -> None:
        if len(arguments) > 1:
            print(f"error: unexpected argument {arguments[1]}; see --help", file=sys.stderr)
            sys.exit(2)
        use_huge_pages()
        try:
            main()
        except InputError as error:
            print(f"error: {error}", file=sys.stderr, flush=True)
            sys.stdout.flush()
            os._exit(2)  # now: the threads of a failed save would still complain of it
        except Preempted as stop:
            print(stop, file=sys.stderr)
            sys.exit(143)

    logging.set_verbosity(logging.INFO)
    python_logging.getLogger("jax").setLevel(python_logging.WARNING)
    logging.get_absl_handler().addFilter(_is_not_of_orbax)
    app.run(checked)


def _is_not_of_orbax(record: python_logging.LogRecord) -> bool:
    """Orbax tells each of its steps in our log; of a failed save we say it in one sentence."""
    return f"{os.sep}orbax{os.sep}" not in record.pathname


def train_config():
    """The configuration that the flags stand for."""
    from zsl_jax.training.config import (
        Approach,
        OptimizerConfig,
        Partition,
        Strategy,
        TrainConfig,
    )

    optimizer = OptimizerConfig(
        learning_rate=FLAGS.learning_rate,
        head_learning_rate=FLAGS.head_learning_rate,
        warmup_fraction=FLAGS.warmup,
        decay=FLAGS.decay,
        clip_norm=FLAGS.clip_norm,
        weight_decay=FLAGS.weight_decay,
    )
    config = TrainConfig(
        rounds=1,
        epochs=FLAGS.epochs,
        batch_words=FLAGS.batch_words,
        row_length=FLAGS.row_length,
        dropout=FLAGS.dropout,
        seed=FLAGS.seed,
        dtype=FLAGS.dtype,
        partition=Partition(FLAGS.partition),
        trainable_layers=FLAGS.trainable_layers,
        optimizer=optimizer,
        approach=Approach.HARD,
    )
    if "approach" not in FLAGS:
        return config
    return _replace(
        config,
        approach=Approach(FLAGS.approach),
        strategy=Strategy(FLAGS.strategy),
        predictions=FLAGS.predictions,
        distillation=FLAGS.distillation,
        rounds=FLAGS.rounds,
        stop_early=FLAGS.stop_early,
        optimizer=_replace(optimizer, confusion_learning_rate=FLAGS.confusion_learning_rate),
    )


def label_model_config(num_labels: int):
    """The label model that the flags stand for; μ becomes τ here, since that needs K."""
    from zsl_jax.training.config import LabelModelConfig

    default = LabelModelConfig()
    return LabelModelConfig(
        fixed_temperature=_temperature("fixed", default.fixed_temperature, num_labels),
        trainable_temperature=_temperature("trainable", default.trainable_temperature, num_labels),
        confusion_init=FLAGS.confusion_init,
        confusion_update=FLAGS.confusion_update,
        confusion_evidence=FLAGS.confusion_evidence,
        pseudo_count=FLAGS.pseudo_count,
        weights=_joint_weights(),
        mix_start=FLAGS.mix_start,
        mix_end=FLAGS.mix_end,
        mix_schedule=FLAGS.mix_schedule,
    )


def _replace(config, **changes):
    import dataclasses

    return dataclasses.replace(config, **changes)


def _temperature(which: str, default: float, num_labels: int) -> float:
    from zsl_jax.kernels import temperature_from_diagonal

    tau, mu = FLAGS[f"tau_{which}"].value, FLAGS[f"mu_{which}"].value
    if tau is not None and mu is not None:
        raise InputError(f"--tau_{which} and --mu_{which} say the same thing; give one of them")
    if mu is None:
        return default if tau is None else tau
    if not 1 / num_labels < mu < 1:
        raise InputError(
            f"--mu_{which}={mu} must lie between 1/K = {1 / num_labels:.3f} (K = {num_labels} "
            "labels) and 1: a source is taken to be better than chance"
        )
    return float(temperature_from_diagonal(mu, num_labels))


def _joint_weights():
    from zsl_jax.training.config import JointWeights

    prior = FLAGS.prior_weight
    return JointWeights(
        prior=0.0 if prior == "num_sources" else _number("prior_weight", prior),
        source=tuple(_number("source_weight", value) for value in FLAGS.source_weight),
    )


def _number(flag: str, value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if not 0 < number < float("inf"):
        raise InputError(f"--{flag}={value} is no positive number")
    return number
