"""Does the cells of an experiment that are open; several processes may do so at once."""

import dataclasses
import traceback
from collections.abc import Callable, Sequence
from typing import NamedTuple

from absl import logging

from zsl_jax.errors import InputError, Preempted
from zsl_jax.experiments.cell_locks import claimed
from zsl_jax.experiments.corpora import labelled_test, text_of
from zsl_jax.experiments.methods import Job, run_method
from zsl_jax.experiments.plan import Cell, Workplace
from zsl_jax.experiments.states import failure_file, is_done
from zsl_jax.io.run_files import remove_states


class Failure(NamedTuple):
    """A cell that could not be done, and why."""

    cell: Cell
    reason: str


def run_cells(
    work: Workplace, cells: Sequence[Cell], on_cell: Callable[[int, Cell], None]
) -> list[Failure]:
    """Does cells that are neither done nor claimed by another process, in their order.

    Args:
      work: The experiment and its folders.
      cells: To be done.
      on_cell: Called before a cell is done, with its number from 1.

    Returns:
      Those that failed. The trace of each is in SEED.failed.txt beside its folder.
    """
    failures = []
    for number, cell in enumerate(cells, start=1):
        folder = work.folder(cell)
        if is_done(folder):
            continue
        with claimed(folder) as ours:
            if not ours or is_done(folder):
                continue
            on_cell(number, cell)
            reason = _attempt(work, cell)
        if reason is not None:
            failures.append(Failure(cell, reason))
    return failures


def _attempt(work: Workplace, cell: Cell) -> str | None:
    """Does a cell; why it failed, or None."""
    folder = work.folder(cell)
    file = failure_file(folder)
    try:
        run_method(_job(work, cell))
    except Preempted:
        raise
    except Exception as error:  # the other cells are to be done all the same
        logging.error("%s failed: %s", cell.name, error)
        file.write_text(traceback.format_exc(), encoding="utf-8")
        named = isinstance(error, InputError)
        return str(error) if named else f"{type(error).__name__}: {error}"
    file.unlink(missing_ok=True)
    if not work.keeps_models:
        remove_states(folder)
    return None


def _job(work: Workplace, cell: Cell) -> Job:
    method, setting = work.experiment.method(cell.method), work.experiment.setting(cell.setting)
    config = dataclasses.replace(method.configs[cell.setting], seed=cell.seed)
    test = labelled_test(work, cell.target)
    folder = work.folder(cell)
    return Job(work, setting, method, cell.target, config, text_of(work, cell), test, folder)
