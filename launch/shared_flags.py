"""The flags that several programs share: one name, one meaning, one default.

Training flags come from the fields of the configuration; the others are defined here.

Importing this module is cheap: no program loads JAX before its flags are parsed.
"""

from typing import Any

from absl import flags

from launch import config_flags
from zsl_jax.training.config import TransferConfig

Definitions = dict[str, tuple[Any, ...]]

# fmt: off
TEXTS: Definitions = {
    "encoder": (flags.DEFINE_string, None,
        "Encoder (or tagger) to start from: folder or hub name."),
    "model": (flags.DEFINE_string, None, "Tagger: model folder or hub name."),
    "text": (flags.DEFINE_string, None,
        "Text: a file, quoted glob, folder or - (standard input)."),
    "train": (flags.DEFINE_string, None, "Labelled text to train on."),
    "dev": (flags.DEFINE_string, None, "Labelled text for choosing the best pass."),
    "gold": (flags.DEFINE_string, None, "Labelled text to score against."),
    "predicted": (flags.DEFINE_multi_string, None,
        "Predictions to score: CoNLL, CoNLL-U, JSONL or Parquet. Repeat the flag or use * for the "
        "seeds of one method."),
    "significance": (flags.DEFINE_multi_string, [],
        "Predictions of another method, to test --predicted against."),
    "source": (flags.DEFINE_multi_string, [],
        "NAME=PATH of a source: a prediction file, model folder, hub name, or spacy:PIPELINE "
        "(repeat the flag)."),
    "test_source": (flags.DEFINE_multi_string, [],
        "NAME=PATH of a source file's predictions for --test."),
    "test": (flags.DEFINE_string, None,
        "Labelled text for the table; read after training."),
    "label_map": (flags.DEFINE_multi_string, [],
        "NAME=FILE of a label map (docs/formats.md); repeatable."),
    "sparse": (flags.DEFINE_multi_string, [],
        "NAME of a source whose O means that it knows nothing."),
    "gold_words": (flags.DEFINE_string, None,
        "Sentences with known labels; see docs/review.md."),
}

RESULTS: Definitions = {
    "output": (flags.DEFINE_string, None, "Path of the result."),
    "output_format": (flags.DEFINE_enum, None, ["conll", "jsonl", "spans", "parquet"],
        "Format of the labels. Default: by the extension, or conll."),
    "overwrite": (flags.DEFINE_bool, False, "Replace the result of an earlier run in --output."),
    "report": (flags.DEFINE_bool, False, "Write report.html, a page about the run, into --output."),
    "check": (flags.DEFINE_bool, False, "Read everything, print what would be done, and stop."),
    "method": (flags.DEFINE_enum, "chain",
        ["majority", "mean", "dawid_skene", "bea", "weighted_mean", "chain"],
        "How to combine the sources."),
    "decode": (flags.DEFINE_enum, "auto", ["auto", "argmax", "viterbi"],
        "Best label per word or sequence (docs/evaluation.md)."),
    "confidence": (flags.DEFINE_float, 0.95,
        "Confidence level of intervals and bounds.", 0.5, 0.9999),
    "resamples": (flags.DEFINE_integer, 10_000, "Bootstrap resamples of the sentences.", 1),
}

READING: Definitions = {
    "task": (flags.DEFINE_enum, None, ["pos", "ner", "plain"],
        "Main score: accuracy (pos, plain) or entity F1 (ner). Default: ner if labels are BIO."),
    "column": (flags.DEFINE_string, None,
        "Column of the labels: a number from 0 (negative: from the right) or a name in CoNLL-U, a "
        "header line, JSON or Parquet. Default: upos in .conllu, the last elsewhere."),
    "word_column": (flags.DEFINE_string, None,
        "Column of the words: a number from 0 or a name. Default: form in .conllu, the first "
        "elsewhere, after a column of word numbers."),
    "format": (flags.DEFINE_enum, None,
        ["conll", "conllu", "jsonl", "parquet", "plain", "semeval", "ontonotes", "wikiann", "uner",
            "datasets"],
        "Format of the texts (not of predictions). Default: by the extension."),
    "offsets": (flags.DEFINE_multi_string, [],
        "Unit of the offsets of character spans in prediction files: characters, utf16 or bytes; "
        "NAME=UNIT for one source. Default: characters; spans that fit only another unit are "
        "refused."),
    "encoding": (flags.DEFINE_string, None,
        "Encoding of the texts (not of predictions). Default: utf-8."),
    "words": (flags.DEFINE_enum, None, ["whitespace", "unicode"],
        "How to split raw text into words. Default: whitespace in plain text, unicode in XML."),
    "max_sentences": (flags.DEFINE_integer, None,
        "Use this many random sentences of the text. Default: all.", 1),
    "max_test_sentences": (flags.DEFINE_integer, None,
        "The same for the labelled test and dev texts.", 1),
}

RUNNING: Definitions = {
    "save_every_steps": (flags.DEFINE_integer, None,
        "Updates between two saves of the state, in addition to the save after each round.", 1),
    "coordinator": (flags.DEFINE_string, None,
        "HOST:PORT of process 0, for a run of several processes outside of a TPU pod."),
    "process_id": (flags.DEFINE_integer, None, "Number of this process, from 0.", 0),
    "num_processes": (flags.DEFINE_integer, None, "Number of processes of the run.", 1),
    "pod": (flags.DEFINE_bool, False,
        "Join all workers of a TPU pod slice, each of which runs this command."),
    "shards": (flags.DEFINE_integer, None,
        "Number of shards of the text (default: one per process). The result depends on this, but "
        "not on the number of processes.", 1),
    "tensorboard": (flags.DEFINE_string, None,
        "Also write the metrics for TensorBoard into this folder (extra [tensorboard])."),
    "log_format": (flags.DEFINE_enum, "text", ["text", "json"],
        "Lines on the standard error: text, or a JSON object per line for other programs."),
}
# fmt: on

SECTIONS: dict[str, Definitions] = {
    "texts and sources": TEXTS,
    "results": RESULTS,
    "approach": config_flags.section(TransferConfig, "approach"),
    "passes": config_flags.section(TransferConfig, "passes"),
    "training": config_flags.section(TransferConfig, "training"),
    "reading": READING,
    "optimisation": config_flags.section(TransferConfig, "optimisation"),
    "paper's model": config_flags.section(TransferConfig, "paper's model"),
    "running": {**config_flags.section(TransferConfig, "running"), **RUNNING},
}
DEFINITIONS: Definitions = {
    name: definition for section in SECTIONS.values() for name, definition in section.items()
}
