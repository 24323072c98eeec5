"""What the programs read and note down: the texts that flags name, and the flags themselves."""

import os
from typing import Any

from launch.options import FLAGS
from zsl_jax.errors import InputError
from zsl_jax.types import Sentence

_FILE_FLAGS = ("text", "train", "dev", "test", "source", "test_source")


def read_unlabelled(flag: str, max_sentences: int) -> list[Sentence]:
    """The sentences of the file that a flag names; labels in the file are not kept."""
    return _sampled(flag, max_sentences, with_labels=False)


def read_labelled(flag: str, max_sentences: int) -> list[Sentence]:
    """The labelled sentences of the file that a flag names."""
    return _sampled(flag, max_sentences, with_labels=True)


def _sampled(flag: str, max_sentences: int, with_labels: bool) -> list[Sentence]:
    from zsl_jax.data.readers import read_sentences
    from zsl_jax.data.sampling import sample_sentences

    path = str(FLAGS[flag].value)
    column = FLAGS.column if "column" in FLAGS and with_labels else None
    sentences = read_sentences(path, column, with_labels)
    return sample_sentences(sentences, max_sentences, FLAGS.seed if "seed" in FLAGS else 0)


def flag_values() -> dict[str, Any]:
    """The program's own flags and their values, for the run's record."""
    ours = FLAGS.get_flags_for_module("launch.options")
    return {flag.name: flag.value for flag in ours}


def data_files() -> list[str]:
    """Every file that a flag names, for the hashes in the run's record."""
    paths = []
    for name in _FILE_FLAGS:
        values = FLAGS[name].value if name in FLAGS else None
        for value in [values] if isinstance(values, str) else values or []:
            path = value.partition("=")[2] if "source" in name else value
            if os.path.isfile(path):
                paths.append(path)
    return paths


def check_transfer(sources, test_sources) -> None:
    """Reject combinations of flags of launch.transfer that cannot be run."""
    if not sources:
        raise InputError("--source is missing: name at least one, as --source=NAME=PATH")
    files = {source.name for source in sources if source.is_file}
    for source in test_sources:
        if source.name not in files:
            raise InputError(
                f"--test_source={source.name}=...: there is no --source={source.name}=FILE; "
                "a model folder annotates --test by itself"
            )
    if FLAGS.approach == "direct":
        if len(sources) != 1 or sources[0].is_file:
            raise InputError(
                "--approach=direct takes exactly one --source, and that must be a model folder"
            )
    elif FLAGS.encoder is None:
        raise InputError("--encoder is missing: name the model folder or hub name to start from")


def compiled() -> dict[str, float]:
    """How often and how long XLA compiled in this process."""
    from zsl_jax.training.compilation import compilations

    count, seconds = compilations()
    return {"compilations": count, "compile_seconds": round(seconds, 2)}
