"""What an output folder holds: the state of each cell, and that all cells belong together."""

import contextlib
import dataclasses
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from zsl_jax.errors import InputError
from zsl_jax.experiments.cell_locks import claimed
from zsl_jax.experiments.corpora import TRAIN, data_files, needed_texts
from zsl_jax.experiments.plan import MODELS, SIMILARITY, Cell, Kind, Workplace, cells_of
from zsl_jax.io.json_file import plain, read_json_object, write_json
from zsl_jax.io.model_folder import find_model_folder
from zsl_jax.io.run_files import RESULT, RUN
from zsl_jax.io.run_folder import file_hashes
from zsl_jax.workflows.sources import fingerprint

RECORD = "experiment.json"
ROW = "row.json"  # beside the run of a function: the settings that it was given


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
    """The state of a cell.

    Returns:
      "done", "running", "failed", "unfinished" or "open"; "refused" if it was done with other
      settings, or its records are damaged, so that a table with it is refused.
    """
    folder = work.folder(cell)
    if is_done(folder):
        try:
            _check_settings(work, cell)
        except InputError:
            return "refused"
        return "done"
    if _is_kept(folder):
        return "running"
    if failure_file(folder).exists():
        return "failed"
    return "unfinished" if (folder / RUN).exists() else "open"


def check_same(work: Workplace, cells: Sequence[Cell]) -> None:
    """Checks that what the output has belongs in this table, and records what is common to all.

    Whatever no finished or running cell or source model depends on may have changed.

    Raises:
      InputError: The output holds cells of other data, sizes, models or settings, cannot be
        written, or there is no such encoder.
    """
    if not all(is_done(work.folder(cell)) for cell in cells):
        find_model_folder(work.encoder)  # before it is recorded
    shown = dict.fromkeys([*cells, *cells_of(work.experiment)])
    kept = [cell for cell in shown if _is_kept(work.folder(cell))]
    needed = needed_texts(work.experiment, [*cells, *kept])
    trained = {(name, part) for name, part in needed if part == TRAIN and _is_trained(work, name)}
    record, now = work.output / RECORD, plain(_common(work, data_files(work, needed)))
    with claimed(record, waits=True):
        before = _read_record(record)
        different = list(_differences(before, _depended_on(work, now, kept, trained)))
        if different:
            raise InputError(
                f"{work.output} holds cells of another experiment: {'; '.join(different[:3])}; "
                "give another `output`, or the earlier settings"
            )
        write_json(record, _merged(before, now))
    for cell in shown:
        if is_done(work.folder(cell)):
            _check_settings(work, cell)


def _is_kept(folder: Path) -> bool:
    """Whether a run has ended, or another process does it."""
    if is_done(folder):
        return True
    if not folder.with_name(f".{folder.name}.lock").exists():
        return False
    with claimed(folder) as is_free:
        return not is_free


def _is_trained(work: Workplace, language: str) -> bool:
    """Whether a source model of a language is trained, or another process trains it."""
    folder = work.output / MODELS / language
    return folder.exists() and any(_is_kept(model) for model in folder.glob("[0-9]*"))


def _read_record(record: Path) -> dict[str, dict[str, Any]]:
    """What earlier calls have recorded."""
    if not record.exists():
        return {}
    try:
        before = read_json_object(record)
    except InputError as error:
        raise InputError(f"{error}, or give another `output`") from error
    if not all(isinstance(part, dict) for part in before.values()):
        raise InputError(f"{record} is not the record of an experiment; give another `output`")
    return before


def _common(work: Workplace, files: Mapping[str, Path]) -> dict[str, Any]:
    """What all cells of an output share."""
    experiment, hashes = work.experiment, file_hashes(files.values())
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


def _depended_on(
    work: Workplace,
    now: Mapping[str, Any],
    kept: Sequence[Cell],
    trained: Collection[tuple[str, str]],
) -> dict[str, Any]:
    """Those parts of a record on which cells and the texts of trained source models depend."""
    files = data_files(work, needed_texts(work.experiment, kept) | set(trained))
    settings = {cell.setting for cell in kept}
    return {
        "data": {name: now["data"][name] for name in files},
        "settings": {name: now["settings"][name] for name in settings},
        "test": now["test"] if kept else {},
        **{part: now[part] if files else {} for part in ("encoder", "source", "corpora")},
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
    folder, wanted = work.folder(cell), _flags_of(work, cell)
    with reading(folder):
        if work.experiment.method(cell.method).kind is Kind.FUNCTION:
            done = read_json_object(folder / ROW)
        else:
            done = read_json_object(folder / RUN)["flags"]
    known = {name: done.get(name) for name in wanted}
    different = _changed(known, plain(wanted))
    if different:
        raise InputError(
            f"{folder} was done with other settings: {different[0]}; give the row another name, or "
            "another `output`"
        )


def _flags_of(work: Workplace, cell: Cell) -> dict[str, Any]:
    """What the record of a cell's run says if it was done as its row says."""
    method = work.experiment.method(cell.method)
    config = dataclasses.asdict(method.configs[cell.setting]) | {"seed": cell.seed}
    if method.kind is Kind.FUNCTION:
        return {"config": config}
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
