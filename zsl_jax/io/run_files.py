"""The files of a run in its folder; nothing else is ever removed or replaced there.

run.json       flags, seed, versions, SHA-256 of the data files, time of the start
metrics.jsonl  one JSON object per line, in the order of the run, readable while it runs
result.json    the outcome; written last, so its presence shows that the run is complete
labels.*       the text with its labels: Parquet, and CoNLL or JSON lines
votes.parquet  what every source, the vote and the tagger give for each word of the text
test.*         the labelled test with the labels that were scored; test_votes.parquet likewise
report.html    the page that launch.report makes of all this
reviews.jsonl  which sentences launch.review chose, one JSON object per review
checkpoints/   saved states, one folder for each training of the run
cache/         output of frozen layers, which a resumed run uses again; gone at its end
.lock          keeps a second run out while the first one lives

Of a run in a bucket, this is the local copy: cache/ and .lock are here only, and checkpoints/ in
the bucket only.
"""

import contextlib
import re
import shutil
from pathlib import Path
from typing import Any

from zsl_jax.atomic_file import is_unfinished
from zsl_jax.buckets import explained, is_copy, names_in, original, remove, unpublished
from zsl_jax.errors import InputError
from zsl_jax.io.folder_lock import LOCK
from zsl_jax.io.json_file import read_json_object

RUN = "run.json"
METRICS = "metrics.jsonl"
RESULT = "result.json"
VOTES = "votes.parquet"
TEST_VOTES = "test_votes.parquet"
REPORT = "report.html"
REVIEWS = "reviews.jsonl"
LABELS = "labels"  # and the extension of its format
TEST = "test"
CHECKPOINTS = "checkpoints"
CACHE = "cache"
_FORMATS = ("parquet", "conll", "jsonl")
_LABEL_FILES = [f"{name}.{format}" for name in (LABELS, TEST) for format in _FORMATS]
_RECORDS = (RESULT, METRICS, VOTES, TEST_VOTES, REPORT, REVIEWS, *_LABEL_FILES)
_TAGGER_FILES = ("model.safetensors", "label_model.safetensors", "tokenizer.json")
_CONFIG_FILES = ("config.json", "tokenizer_config.json")
_RECORDED = {"flags", "seed", "data", "versions", "started"}  # what every run.json of ours has
_HIDDEN_STATES = re.compile(r"\d+-[0-9a-f]+(-[0-9a-f]+)?\.npy|\.\d+-[0-9a-f]+\.lock")


def check_is_ours(folder: Path) -> None:
    """Refuses a folder that is not empty and was not made by a run, or whose records are links.

    Raises:
      InputError: It is such a folder.
    """
    with explained(folder):
        names = [name for name in names_in(folder) if not _may_stay(folder / name)]
        is_ours = not names or (RUN in names and _is_record(original(folder) / RUN))
    linked = [name for name in (RUN, METRICS) if (folder / name).is_symlink()]
    if linked:
        raise InputError(
            f"{folder / linked[0]} is a link to a file elsewhere, which a run here would change; "
            "copy the folder with its files (cp -rL), or give another `output`"
        )
    if is_ours:
        return
    shown = ", ".join(map(ascii, names[:3])) + (", ..." if len(names) > 3 else "")
    raise InputError(
        f"{folder} is not empty ({shown}) and was not made by a run of this program; give a new "
        "or an empty folder"
    )


def is_removed(path: Path, folder: Path) -> bool:
    """Tells whether a new run in a folder may remove what an earlier one has left under a path."""
    file, parent = path.resolve(), folder.resolve()
    if parent not in file.parents:
        return False
    first, *rest = file.relative_to(parent).parts
    return first in (CHECKPOINTS, CACHE) or (first in _RECORDS and not rest)


def is_part(path: Path, folder: Path) -> bool:
    """Tells whether a file is a part of a run or model in a folder, which cannot do without it.

    Its report is not: it can be made again at any time.
    """
    known = {RUN, *_RECORDS, *_TAGGER_FILES, *_CONFIG_FILES} - {REPORT}
    return path.name in known and path.resolve().parent == folder.resolve()


def remove_records(folder: Path) -> None:
    """Removes what a run wrote besides its model and its sources' predictions; nothing else."""
    for name in _RECORDS:
        remove(folder / name)
    _remove_checkpoints(folder)
    remove_cache(folder)


def _remove_checkpoints(folder: Path) -> None:
    checkpoints: Any = checkpoint_folder(folder)
    for training in checkpoints.glob("*"):
        for saved in training.glob("*"):
            if is_checkpoint(saved) or ".orbax-checkpoint-tmp" in saved.name:
                saved.rmtree() if is_copy(folder) else shutil.rmtree(saved)
        _remove_if_empty(training)
    _remove_if_empty(checkpoints)


def remove_states(folder: Path) -> None:
    """Removes what a run keeps of its tagger, and nothing of its records and labels."""
    for name in _TAGGER_FILES:
        (folder / name).unlink(missing_ok=True)
    _remove_checkpoints(folder)


def remove_cache(folder: Path) -> None:
    """Removes what a run keeps only to resume faster, and can recompute."""
    cache = cache_folder(folder)
    for path in cache.glob("*"):
        if _HIDDEN_STATES.fullmatch(path.name) or is_unfinished(path):
            path.unlink()
    _remove_if_empty(cache)


def checkpoint_folder(folder: Path) -> Path:
    """The folder of the checkpoints, which Orbax reads and writes in the bucket itself."""
    return original((folder / CHECKPOINTS).absolute())


def cache_folder(folder: Path) -> Path:
    """The folder of the cache, which stays on this machine."""
    return unpublished(folder) / CACHE


def is_checkpoint(path: Path) -> bool:
    """Tells whether a path in the folder of a training is one of its checkpoints."""
    return path.name.isdigit()


def _may_stay(path: Path) -> bool:
    """Tells whether a run that was killed before it wrote run.json may have left this."""
    return path.name == LOCK or is_unfinished(path)


def _is_record(path: Path) -> bool:
    try:
        return read_json_object(path).keys() >= _RECORDED
    except InputError:
        return False


def _remove_if_empty(folder: Path) -> None:
    with contextlib.suppress(OSError, ValueError):  # the latter from a bucket
        folder.rmdir()
