"""What an output folder holds: the state of each cell, and that all cells belong together."""

import contextlib
import dataclasses
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from zsl_jax.errors import InputError, OtherRunError
from zsl_jax.experiments.cell_locks import claimed
from zsl_jax.experiments.corpora import TRAIN, data_files, needed_texts
from zsl_jax.experiments.plan import MODELS, SIMILARITY, Cell, Kind, Workplace, cells_of
from zsl_jax.io.json_file import plain, read_json_object, write_json
from zsl_jax.io.run_files import RESULT, RUN
from zsl_jax.io.run_folder import file_hashes
from zsl_jax.workflows.loaded_tagger import load_tagger
from zsl_jax.workflows.sources import fingerprint

RECORD = "experiment.json"
ROW = "row.json"  # in the folder of a function's run: the settings that the function was given


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
    except (AttributeError, TypeError, ValueError) as error:  # values of other kinds
        raise InputError(
            f"the records in {folder} are damaged ({error}); delete it, which does this cell again"
        ) from error


@contextlib.contextmanager
def starting_or_resuming(folder: Path) -> Iterator[None]:
    """Does a cell or trains a source; an error about an earlier start names the way out.

    Raises:
      InputError: It was begun with other settings.
    """
    try:
        yield
    except OtherRunError as error:
        raise InputError(
            f"{error.fact}; give the earlier settings to resume it, or delete {folder}, and the "
            "same command starts over"
        ) from error


def unfinished_folder(folder: Path) -> Path:
    """Where the function of a row runs, until its run is found to be fit for the table."""
    return folder.with_name(f"{folder.name}.unfinished")


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
    if _is_claimed(folder):
        return "running"
    if is_done(folder):
        try:
            _check_settings(work, cell)
        except InputError:
            return "refused"
        return "done"
    if failure_file(folder).exists():
        return "failed"
    has_begun = (folder / RUN).exists() or unfinished_folder(folder).exists()
    return "unfinished" if has_begun else "open"


def check_same(work: Workplace, cells: Sequence[Cell]) -> None:
    """Checks that what the output has belongs in this table, and records what is common to all.

    Whatever no finished or running cell or source model depends on may have changed.

    Raises:
      InputError: The output holds cells of other data, sizes, models or settings, cannot be
        written, or the encoder cannot be used.
    """
    kept = _Kept.of(work)
    files = data_files(work, needed_texts(work.experiment, cells))
    if not all(is_done(work.folder(cell)) for cell in cells):
        load_tagger(work.encoder)  # refused once, not in every cell
    files_of_kept = data_files(work, kept.texts, may_lack=True)
    record, now = work.output / RECORD, plain(_common(work, files | files_of_kept))
    with claimed(record, waits=True):
        before = _read_record(record)
        different = list(_differences(before, kept.part_of(now, files_of_kept)))
        if different:
            raise InputError(
                f"{work.output} holds cells or source models of another experiment: "
                f"{'; '.join(different[:3])}; give another `output`, or the earlier data and "
                "settings"
            )
        write_json(record, _merged(before, now))
    for cell in dict.fromkeys([*cells, *cells_of(work.experiment)]):  # all that the table shows
        folder = work.folder(cell)
        if is_done(folder) and not _is_claimed(folder):
            _check_settings(work, cell)


class _Kept(NamedTuple):
    """What an output has that is finished, or that another process works on.

    Attributes:
      cells: Of the experiment's settings and targets, whatever their rows and seeds.
      has_others: Whether there are cells of other settings or targets.
      models: Languages of the source models.
      texts: Languages and parts that these depend on.
    """

    cells: Sequence[Cell]
    has_others: bool
    models: frozenset[str]
    texts: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, work: Workplace) -> "_Kept":
        """Looks into the output."""
        targets = {setting.name: setting.targets for setting in work.experiment.settings}
        cells, has_others = [], False
        for folder in _kept_folders(work.output, "*/*/*"):
            setting, target, method = folder.parent.relative_to(work.output).parts
            if target in targets.get(setting, ()):
                cells.append(Cell(setting, target, method, int(folder.name)))
            else:
                has_others = True
        folders = _kept_folders(work.output / MODELS, "*")
        models = frozenset(folder.parent.name for folder in folders)
        texts = needed_texts(work.experiment, cells) | {(name, TRAIN) for name in models}
        return cls(cells, has_others, models, frozenset(texts))

    def part_of(self, now: Mapping[str, Any], files: Collection[str]) -> dict[str, Any]:
        """Those parts of a record on which all this depends, given the files of its texts."""
        files = now["data"] if self.has_others else files
        settings = {cell.setting for cell in self.cells}
        has_cells = bool(self.cells) or self.has_others
        common = ("encoder", "source", "corpora") if has_cells or self.models else ()
        return {
            "data": {name: now["data"][name] for name in files},
            "settings": {name: now["settings"][name] for name in settings},
            "test": now["test"] if has_cells else {},
            **{part: now[part] for part in common},
        }


def _kept_folders(output: Path, above: str) -> list[Path]:
    """The folders of seeds below some others that have ended, or that another process works on."""
    seeds = {*output.glob(f"{above}/[0-9]*"), *map(_locked, output.glob(f"{above}/.[0-9]*.lock"))}
    return [
        seed
        for seed in sorted(seeds)
        if seed.name.isdecimal() and (is_done(seed) or _is_claimed(seed))
    ]


def _locked(lock: Path) -> Path:
    """What a lock file of `claimed` stands for."""
    return lock.with_name(lock.name[1 : -len(".lock")])


def _is_claimed(folder: Path) -> bool:
    """Whether another process works on a folder."""
    if not folder.with_name(f".{folder.name}.lock").exists():
        return False
    with claimed(folder) as is_free:
        return not is_free


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
        if work.experiment.method(cell.method).kind is not Kind.FUNCTION:
            done = read_json_object(folder / RUN)["flags"]
        else:
            done = read_json_object(folder / ROW) if (folder / ROW).exists() else {}
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
