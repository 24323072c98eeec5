"""What an output folder holds: the state of each cell, and that all cells belong together."""

import contextlib
import dataclasses
import glob
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from zsl_jax.errors import InputError
from zsl_jax.experiments.cell_locks import claimed
from zsl_jax.experiments.corpora import path_of
from zsl_jax.experiments.plan import SIMILARITY, Cell, Kind, Workplace, cells_of
from zsl_jax.io.json_file import plain, read_json_object, write_json
from zsl_jax.io.model_folder import find_model_folder
from zsl_jax.io.run_files import RESULT, RUN
from zsl_jax.io.run_folder import file_hashes
from zsl_jax.workflows.sources import fingerprint

RECORD = "experiment.json"


def is_done(folder: Path) -> bool:
    """Whether a cell's run has ended."""
    return (folder / RESULT).exists()


@contextlib.contextmanager
def reading(folder: Path) -> Iterator[None]:
    """Reads the files of a cell that is done; errors about them also name the way out.

    Raises:
      InputError: One is damaged.
    """
    try:
        yield
    except InputError as error:
        raise InputError(f"{error}, or delete {folder}, which does this cell again") from error
    except KeyError as error:
        raise InputError(
            f"the records in {folder} lack {error}; delete it, which does this cell again"
        ) from error


def failure_file(folder: Path) -> Path:
    """The file with the trace of a cell's failure."""
    return folder.with_name(f"{folder.name}.failed.txt")


def state_of(work: Workplace, cell: Cell) -> str:
    """The state of a cell: "done", "running", "failed", "unfinished" or "open"."""
    folder = work.folder(cell)
    if is_done(folder):
        return "done"
    if folder.with_name(f".{folder.name}.lock").exists():
        with claimed(folder) as is_free:
            if not is_free:
                return "running"
    if failure_file(folder).exists():
        return "failed"
    return "unfinished" if (folder / RUN).exists() else "open"


def check_same(work: Workplace, cells: Sequence[Cell]) -> None:
    """Checks that cells of earlier calls belong in this table, and records what is common to all.

    Raises:
      InputError: The output holds cells of other data, sizes, models or settings, cannot be
        written, or there is no such encoder.
    """
    if not all(is_done(work.folder(cell)) for cell in cells):
        find_model_folder(work.encoder)  # before it is recorded
    record, now = work.output / RECORD, plain(_common(work, cells))
    with claimed(record, waits=True):
        before = read_json_object(record) if record.exists() else {}
        different = list(_differences(before, now))
        if different:
            raise InputError(
                f"{work.output} holds cells of another experiment: {'; '.join(different[:3])}; "
                "give another `output`, or the earlier settings"
            )
        write_json(record, _merged(before, now))
    for cell in dict.fromkeys([*cells, *cells_of(work.experiment)]):  # all that the table shows
        if is_done(work.folder(cell)):
            _check_settings(work, cell)


def data_files(work: Workplace, cells: Sequence[Cell]) -> dict[str, Path]:
    """The files of the corpora that some cells use, by their paths below the data's folder.

    Raises:
      InputError: One is missing.
    """
    experiment = work.experiment
    languages = {cell.target for cell in cells}
    for cell in cells:
        languages.update(experiment.setting(cell.setting).sources_of(cell.target))
    parts = ("train", "test") if experiment.corpora.text is None else ("train", "test", "text")
    files: dict[str, Path] = {}
    for language in sorted(languages):
        for part in parts:
            path = path_of(experiment.corpora, work.data, language, part)
            inside = path.rglob("*") if path.is_dir() else map(Path, glob.glob(str(path)))
            found = [file for file in sorted(inside) if file.is_file()]
            if not found:
                raise InputError(
                    f"there is no {path}, the {part} text of {language}; the first lines of the "
                    "experiment's file describe where to get it, and `data` names the folder"
                )
            files |= {str(file.relative_to(work.data)): file for file in found}
    return files


def _common(work: Workplace, cells: Sequence[Cell]) -> dict[str, Any]:
    """What all cells of an output share."""
    experiment, files = work.experiment, data_files(work, cells)
    hashes = file_hashes(files.values())
    return {
        "data": {name: hashes[str(path)] for name, path in files.items()},
        "encoder": {"files": fingerprint(work.encoder)},
        "source": {
            **dataclasses.asdict(experiment.source_config),
            "max_source_sentences": experiment.max_source_sentences,
        },
        "test": {"max_test_sentences": experiment.max_test_sentences, "task": experiment.task},
        "corpora": experiment.corpora._asdict(),
        "settings": {
            s.name: {"sources": s.sources, "max_sentences": s.max_sentences}
            for s in experiment.settings
        },
    }


def _differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """What two records have in common by name and not by value."""
    for part in before.keys() & now.keys():
        for name in sorted(before[part].keys() & now[part].keys()):
            old, new = before[part][name], now[part][name]
            if old != new:
                values = "" if part in ("data", "encoder") else f" (was {old}, now {new})"
                yield f"{part} {name}{values or ' has other contents'}"


def _merged(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    return {part: {**before.get(part, {}), **values} for part, values in now.items()}


def _check_settings(work: Workplace, cell: Cell) -> None:
    """Refuses a cell that was done in another way or with other settings under the same name."""
    folder = work.folder(cell)
    with reading(folder):
        done = read_json_object(folder / RUN)["flags"]
    wanted = _flags_of(work, cell)
    known = {name: done.get(name) for name in wanted}
    different = _changed(known, plain(wanted))
    if different:
        raise InputError(
            f"{folder} was done with other settings: {different[0]}; give the row another name, or "
            "another `output`"
        )


def _flags_of(work: Workplace, cell: Cell) -> dict[str, Any]:
    """What the record of a cell's run says if it was done as its row says; a function may vary."""
    method = work.experiment.method(cell.method)
    if method.kind is Kind.FUNCTION:
        return {}
    config = dataclasses.asdict(method.configs[cell.setting]) | {"seed": cell.seed}
    sources = work.experiment.setting(cell.setting).sources_of(cell.target)
    if method.kind is Kind.AGGREGATION:
        config = {"row_length": config["row_length"]}  # all that it reads
        return {"method": method.uses, "sources": sources, "config": config}
    if method.kind is Kind.SUPERVISED:
        sources = (cell.target,)
    if method.uses == SIMILARITY:
        sources = (SIMILARITY,)
    return {"method": None, "sources": sources, "config": config}


def _changed(done: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    changed = []
    for name in wanted.keys() & done.keys():
        old, new = done[name], wanted[name]
        if isinstance(old, dict) and isinstance(new, dict):
            changed += _changed(old, new)
        elif old != new:
            changed.append(f"{name} was {old}, now {new}")
    return sorted(changed)
