"""The flags that several programs share: one name, one meaning, one default.

Importing this costs nothing: no program loads JAX before its flags are read.
"""

from typing import Any

from absl import flags

Definitions = dict[str, tuple[Any, ...]]

# fmt: off
TEXTS: Definitions = {
    "encoder": (flags.DEFINE_string, None,
        "Encoder (or tagger) to start from: folder or hub name."),
    "model": (flags.DEFINE_string, None, "Tagger: model folder or hub name."),
    "text": (flags.DEFINE_string, None,
        "Text to label: a file, quoted glob, folder or - (standard input); labels are not read."),
    "train": (flags.DEFINE_string, None, "Labelled text to train on."),
    "dev": (flags.DEFINE_string, None, "Labelled text that chooses the best pass."),
    "gold": (flags.DEFINE_string, None, "Labelled text to score against."),
    "predicted": (flags.DEFINE_multi_string, None,
        "Predictions to score: CoNLL, CoNLL-U, JSONL or Parquet. Repeat it or use * for the seeds "
        "of one method."),
    "significance": (flags.DEFINE_multi_string, [],
        "The same of another method, to test --predicted against."),
    "source": (flags.DEFINE_multi_string, [],
        "NAME=PATH of a source: a prediction file, model folder, hub name, or spacy:PIPELINE. "
        "Repeat it."),
    "test_source": (flags.DEFINE_multi_string, [],
        "NAME=PATH of predictions for --test (for --source=FILE)."),
    "test": (flags.DEFINE_string, None,
        "Labelled text for the table; read after training."),
    "label_map": (flags.DEFINE_multi_string, [],
        "NAME=FILE of a label map: YAML, `label: target` or `type: target`; null abstains, [A, B] "
        "may be either."),
    "sparse": (flags.DEFINE_multi_string, [],
        "NAME of a source whose O means that it knows nothing."),
    "gold_words": (flags.DEFINE_string, None,
        "The text with the labels that you know, _ for others."),
}

RESULTS: Definitions = {
    "output": (flags.DEFINE_string, None, "Where the result goes."),
    "output_format": (flags.DEFINE_enum, None, ["conll", "jsonl", "spans", "parquet"],
        "Format of --output. Default: what the extension says; conll for - (standard output)."),
    "overwrite": (flags.DEFINE_bool, False, "Replace the result of an earlier run in --output."),
    "check": (flags.DEFINE_bool, False, "Read everything, train nothing, say what would be done."),
    "method": (flags.DEFINE_enum, "chain",
        ["majority", "mean", "dawid_skene", "weighted_mean", "chain"],
        "How the sources are put together."),
    "decode": (flags.DEFINE_enum, "argmax", ["argmax", "viterbi"],
        "Most probable label of a word, or sequence without stray I- labels."),
    "confidence": (flags.DEFINE_float, 0.95, "Of intervals and bounds.", 0.5, 0.9999),
    "resamples": (flags.DEFINE_integer, 10_000, "Bootstrap resamples of the sentences.", 1),
}

APPROACH: Definitions = {
    "approach": (flags.DEFINE_enum, "lvm",
        ["direct", "hard", "hard_cat", "hard_vote", "kd", "mrt", "lvm"],
        "How the tagger learns from the sources."),
    "predictions": (flags.DEFINE_enum, "soft", ["soft", "hard"],
        "Learn from the sources' probabilities or labels."),
    "label_model": (flags.DEFINE_enum, None, ["chain", "paper"],
        "Default: chain (weighted by reliability) for lvm, none for kd."),
    "init": (flags.DEFINE_string, "auto",
        "Start from encoder, source:NAME, or auto (the best source, with the chain)."),
    "strategy": (flags.DEFINE_enum, "soft_em", ["soft_em", "hard_em", "direct"],
        "How mrt and lvm are optimised."),
    "distillation": (flags.DEFINE_enum, "kl", ["kl", "mse"], "Loss of kd."),
}

PASSES: Definitions = {
    "rounds": (flags.DEFINE_integer, None,
        "EM rounds, or passes. Default: 3; 2 with the chain.", 1),
    "epochs": (flags.DEFINE_integer, None,
        "Passes in a round. Default: 1; more with the chain.", 1),
    "stop_early": (flags.DEFINE_bool, False, "Stop when J has not improved after a round."),
}

TRAINING: Definitions = {
    "batch_words": (flags.DEFINE_integer, 512, "Words in an update, about.", 1),
    "learning_rate": (flags.DEFINE_float, 1e-4, "Highest learning rate of the encoder.", 0.0),
    "head_learning_rate": (flags.DEFINE_float, 0.0,
        "The same of the new head; small encoders want more (0: as --learning_rate).", 0.0),
    "dropout": (flags.DEFINE_float, 0.1, "Dropout rate.", 0.0, 0.99),
    "trainable_layers": (flags.DEFINE_integer, None,
        "Train the head and the last layers, this many; those below are frozen and run once over "
        "a text, without dropout. Default: all.", 0),
    "seed": (flags.DEFINE_integer, 0, "Random seed.", 0,
        2**64 - 1),
}

READING: Definitions = {
    "task": (flags.DEFINE_enum, None, ["pos", "ner", "plain"],
        "Which scores count: accuracy (pos, plain) or entity F1 (ner). Default: ner if the "
        "labels are BIO. With pos, spaCy pipelines give parts of speech instead of entities."),
    "column": (flags.DEFINE_string, None,
        "Column of the labels: a number from 0 (negative: from the right) or a name in CoNLL-U, a "
        "header line, JSON or Parquet. Default: upos in .conllu, the last elsewhere."),
    "word_column": (flags.DEFINE_string, None,
        "Column of the words, like --column. Default: form in .conllu, the first elsewhere, behind "
        "numbers of the words."),
    "format": (flags.DEFINE_enum, None,
        ["conll", "conllu", "jsonl", "parquet", "plain", "semeval", "ontonotes", "wikiann", "uner",
            "datasets"],
        "Format of the texts (not of --source or --predicted). Default: what the extension says."),
    "offsets": (flags.DEFINE_enum, None, ["characters", "utf16", "bytes"],
        "What the places of character spans in prediction files count. Default: characters, unless "
        "the spans fit in another unit only, which is an error."),
    "encoding": (flags.DEFINE_string, None, "Encoding of the texts. Default: utf-8."),
    "words": (flags.DEFINE_enum, None, ["whitespace", "unicode"],
        "How raw text is cut into words. Default: whitespace in plain text, unicode in reviews."),
    "max_sentences": (flags.DEFINE_integer, 0,
        "Use this many random sentences of --train or --text, drawn with --seed (0: all).", 0),
    "max_test_sentences": (flags.DEFINE_integer, 0, "The same for --test and --dev.", 0),
}

OPTIMISATION: Definitions = {
    "row_length": (flags.DEFINE_integer, 128,
        "Subwords in a packed row; longer sentences go through overlapping windows.", 8),
    "warmup": (flags.DEFINE_float, 0.1, "Share of all updates in which the rate rises.", 0.0, 0.99),
    "decay": (flags.DEFINE_enum, "linear", ["linear", "constant"],
        "The rate after the warm-up: falls to 0, or stays."),
    "weight_decay": (flags.DEFINE_float, 0.01, "AdamW's decay of dense kernels.", 0.0),
    "clip_norm": (flags.DEFINE_float, 5.0, "Largest gradient norm (0: any).", 0.0),
    "dtype": (flags.DEFINE_enum, "float32", ["float32", "bfloat16"],
        "Of the encoder's activations; parameters, softmax and loss stay float32."),
    "partition": (flags.DEFINE_enum, "pmap", ["pmap", "shard_map"],
        "How several devices share an update."),
}

LABEL_MODEL: Definitions = {
    "confusion_learning_rate": (flags.DEFINE_float, 2e-4,
        "Highest learning rate of the trainable confusion matrices.", 0.0),
    "tau_fixed": (flags.DEFINE_float, None,
        "Temperature of the fixed confusion matrices (default 10).", 0.0),
    "tau_trainable": (flags.DEFINE_float, None,
        "First temperature of the trainable ones (default 2).", 0.0),
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
        "Share of the fixed matrices at the start of the training.", 0.0, 1.0),
    "mix_end": (flags.DEFINE_float, 0.0,
        "Share of the fixed matrices at its end.", 0.0, 1.0),
    "mix_schedule": (flags.DEFINE_enum, "linear", ["linear", "cosine", "constant"],
        "From one share to the other; constant: the second throughout."),
}

MACHINES: Definitions = {
    "save_every_steps": (flags.DEFINE_integer, 0,
        "Save the state every so many updates too, not only after each round.", 0),
    "coordinator": (flags.DEFINE_string, None,
        "HOST:PORT of process 0, where a run has several processes outside of a TPU pod."),
    "process_id": (flags.DEFINE_integer, None, "Number of this process, from 0.", 0),
    "num_processes": (flags.DEFINE_integer, None, "Processes of the run.", 1),
    "pod": (flags.DEFINE_bool, False,
        "All workers of a TPU pod slice run this command and find each other."),
    "shards": (flags.DEFINE_integer, None,
        "Shards into which the text is dealt (default: one for each process). Other numbers of "
        "processes give the same result as long as this stays.", 1),
}
# fmt: on

SECTIONS: dict[str, Definitions] = {
    "texts and sources": TEXTS,
    "results": RESULTS,
    "approach": APPROACH,
    "passes": PASSES,
    "training": TRAINING,
    "reading": READING,
    "optimisation": OPTIMISATION,
    "paper's model": LABEL_MODEL,
    "machines": MACHINES,
}
DEFINITIONS: Definitions = {
    name: definition for section in SECTIONS.values() for name, definition in section.items()
}
