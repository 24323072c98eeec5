"""The training loop's reports: a progress bar, and a line each in the run's metrics."""

import contextlib
from collections.abc import Iterator, Sequence

import numpy as np

from zsl_jax.evaluation.diagnosis import agreement
from zsl_jax.io.progress import word_progress
from zsl_jax.io.run_folder import RunFolder
from zsl_jax.training.records import Hooks, RoundRecord, StepRecord
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
    with word_progress(num_words, title) as advance:

        def on_step(record: StepRecord) -> None:
            advance(record.words, f"loss {record.loss:.3f}")
            speed = record.words / max(record.seconds, 1e-9)
            run.append_metrics(
                kind="step", run=title, **record._asdict(), words_per_second=round(speed, 1)
            )

        def on_round(record: RoundRecord) -> None:
            assert votes is not None
            run.append_metrics(kind="round", run=title, **round_metrics(record, votes, names))

        yield Hooks(on_step, on_round)


def round_metrics(record: RoundRecord, votes: SourceVotes, names: Sequence[str]) -> dict:
    """What an E step says, in plain numbers; sources by name."""
    expectation = record.expectation
    diagonals = np.exp(np.diagonal(expectation.log_confusion, axis1=1, axis2=2))
    agreements = agreement(expectation.posterior, votes.labels)
    return {
        "round": record.round,
        "objective": expectation.objective,
        "bound": expectation.bound,
        "entropy": expectation.entropy,
        "agreement": dict(zip(names, agreements.tolist(), strict=True)),
        "confusion_diagonal": dict(zip(names, diagonals.tolist(), strict=True)),
        "confusion_moved": dict(zip(names, record.moved.tolist(), strict=True)),
        "seconds": record.seconds,
        "words_per_second": round(len(expectation.posterior) / max(record.seconds, 1e-9), 1),
    }
