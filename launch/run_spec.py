"""Records the flags of a run and digests of the files that they name, by which it is resumed."""

import datetime
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from launch.inputs import files_of, named_sources
from launch.options import FLAGS
from zsl_jax.errors import InputError

_FILE_FLAGS = "text train dev source label_map gold_words".split()
_TEST_FILE_FLAGS = ("test", "test_source")  # read after training only
# Flags that may differ when an interrupted run resumes: they do not affect trained numbers.
FREE_FLAGS = frozenset(
    "output output_format report overwrite check decode test test_source max_test_sentences task "
    "partition save_every_steps coordinator process_id num_processes pod shards tensorboard "
    "log_format".split()
)


def shared_digests() -> dict[str, str]:
    """Returns the digests of all files that flags name; all processes call it.

    Each process takes those of its share of the files.
    """
    from zsl_jax.io.run_folder import file_hashes
    from zsl_jax.runtime import processes

    def own() -> dict[str, str]:
        files = data_files((*_FILE_FLAGS, *_TEST_FILE_FLAGS))
        return file_hashes(files[processes.index() :: processes.count()])

    return processes.merged(own)


def record(
    files: Sequence[Any] = (),
    shards: int = 1,
    digests: Mapping[str, str] = MappingProxyType({}),
    **more_flags: Any,
):
    """Returns the specification of this run: its flags, and digests of the files they name.

    Args:
      files: Data files that no flag names.
      shards: Number of shards of the text.
      digests: Those that are known, see `shared_digests`; others are taken now.
      more_flags: Values of flags that belong to one program only.
    """
    from zsl_jax.io.run_folder import RunSpec, file_hashes
    from zsl_jax.workflows.sources import fingerprint

    shared = FLAGS.get_flags_for_module("launch.options")
    values: dict[str, Any] = {flag.name: flag.value for flag in shared} | more_flags
    models = {"encoder": fingerprint(values["encoder"])} if values.get("encoder") else {}
    for source in named_sources("source"):
        if not source.is_file:
            models[f"source {source.name}"] = source.fingerprint
    data = file_hashes([*data_files(_FILE_FLAGS), *files], digests)
    if any(values.get(name) == "-" for name in _FILE_FLAGS):  # never counts as the same text
        data["standard input"] = f"read at {datetime.datetime.now(datetime.UTC).isoformat()}"
    test_data = file_hashes(data_files(_TEST_FILE_FLAGS), digests)
    return RunSpec(values, FLAGS.seed, data, models, shards, FREE_FLAGS, test_data)


def data_files(flags: Sequence[str]) -> list[str]:
    """Returns every file that some flags name."""
    paths: list[str] = []
    for name in flags:
        values = FLAGS[name].value if name in FLAGS else None
        if name in ("source", "test_source"):
            paths += [file for source in named_sources(name) for file in source.files]
            continue
        for value in [values] if isinstance(values, str) else values or []:
            path = value if FLAGS[name].flag_type() == "string" else value.partition("=")[2]
            files = files_of(name, path)
            missing = next((f for f in files if f != "-" and not os.path.exists(f)), None)
            if missing:  # now, rather than after training
                raise InputError(f"--{name}={value}: there is no file {missing}; correct the path")
            paths += files
    folders = [str(file) for path in paths for file in sorted(Path(path).glob("*.arrow"))]
    return [path for path in paths if os.path.isfile(path)] + folders
