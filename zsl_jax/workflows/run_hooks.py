"""The training loop's reports: a progress bar, and a line each in the run's metrics."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from zsl_jax.evaluation.tally import Tally, diagonal, tally
from zsl_jax.io.run_folder import RunFolder
from zsl_jax.runtime import processes
from zsl_jax.runtime.progress import word_progress
from zsl_jax.training.divergence import check_objective
from zsl_jax.training.hooks import Hooks
from zsl_jax.training.records import Progress, RoundRecord, StepRecord
from zsl_jax.types import SourceVotes


@contextlib.contextmanager
def recorded(
    run: RunFolder,
    title: str,
    num_words: int,
    votes: SourceVotes | None = None,
    names: Sequence[str] = (),
) -> Iterator[Hooks]:
    """Hooks that show progress and append to metrics.jsonl; nothing in them knows a gold label.

    Args:
      run: The run's folder.
      title: What is being trained, for the bar and the lines.
      num_words: Words of all passes together.
      votes: The sources' predictions, for their agreement with Q.
      names: The sources' names.

    Yields:
      Hooks for the training loop.
    """
    with word_progress(num_words, title, shown=run.writes) as advance:

        def on_start(progress: Progress) -> None:
            """Drops the lines after the state to resume from; they will be written again."""
            kept = run.keep_metrics(
                lambda line: line.get("run") != title or _is_past(line, progress)
            )
            if progress.step:
                done = [
                    line for line in kept if line["kind"] == "step" and line.get("run") == title
                ]
                advance(sum(line["words"] for line in done), f"resumed at step {progress.step}")
                run.append_metrics(kind="resumed", run=title, step=progress.step)

        def on_step(record: StepRecord) -> None:
            advance(record.words, f"loss {record.loss:.3f}")
            speed = record.words / max(record.seconds, 1e-9)
            run.append_metrics(
                kind="step", run=title, **record._asdict(), words_per_second=round(speed, 1)
            )

        def on_round(record: RoundRecord) -> None:
            assert votes is not None
            whole = tally_of(record.expectation.posterior, votes)
            metrics = round_metrics(record, whole, names)
            run.append_metrics(kind="round", run=title, **metrics)
            check_objective(record)

        yield Hooks(on_start=on_start, on_step=on_step, on_round=on_round)


def _is_past(line: Mapping[str, Any], progress: Progress) -> bool:
    if line["kind"] == "step":
        return line["step"] <= progress.step
    return line["kind"] == "round" and line["round"] < len(progress.rounds)


def tally_of(posterior: Float[np.ndarray, "N K"], votes: SourceVotes) -> Tally:
    """The sources' labels against Q, over the words of all processes."""
    own = tally(posterior, votes.labels, votes.compatible)
    counts, mass = processes.total(own.counts), processes.total(own.mass)
    return own._replace(counts=counts, mass=mass, num_words=int(processes.total(own.num_words)))


def round_metrics(record: RoundRecord, whole: Tally, names: Sequence[str]) -> dict:
    """The figures of an E step as plain numbers; sources by name."""
    expectation = record.expectation
    diagonals = diagonal(expectation.log_confusion, whole.compatible)
    return {
        "round": record.round,
        "objective": expectation.objective,
        "bound": expectation.bound,
        "entropy": expectation.entropy,
        "agreement": dict(zip(names, whole.agreement.tolist(), strict=True)),
        "confusion_diagonal": dict(zip(names, diagonals.tolist(), strict=True)),
        "confusion_moved": dict(zip(names, record.moved.tolist(), strict=True)),
        "seconds": record.seconds,
        "words_per_second": round(whole.num_words / max(record.seconds, 1e-9), 1),
    }
