"""The sentences of a review, some drawn at random, and the record of how they were chosen."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from zsl_jax.buckets import publish
from zsl_jax.data.annotation.corrections import Correction
from zsl_jax.data.annotation.tasks import ReviewTask
from zsl_jax.data.predictions.projection import squeezed
from zsl_jax.errors import InputError
from zsl_jax.io import metrics_file
from zsl_jax.io.run_files import REVIEWS
from zsl_jax.report.labelled_words import LabelledWords, read_labelled_words
from zsl_jax.report.run_record import RunRecord
from zsl_jax.review.choosing import CANDIDATES, RANDOM, Candidate, candidates, spread


class Drawing(NamedTuple):
    """How a review chooses its sentences.

    Attributes:
      number: Of sentences, at most; all that are left where the text has fewer.
      doubt: One of `choosing.DOUBTS`.
      random_share: The share of them that is drawn at random from all others, which makes the
        estimate honest.
      seed: Of what is random.
    """

    number: int
    doubt: str
    random_share: float = 0.5
    seed: int = 0


class Review(NamedTuple):
    """How the sentences of a review were chosen; their numbers count from 0.

    Attributes:
      known: Sentences whose corrections were given before.
      chosen: Those that were chosen for their doubt.
      drawn: Those that were drawn at random from all others.
      num_sentences: Of the text, that have words.
    """

    known: tuple[int, ...]
    chosen: tuple[int, ...]
    drawn: tuple[int, ...]
    num_sentences: int


class DrawnReview(NamedTuple):
    """A review with its sentences.

    Attributes:
      review: How they were chosen.
      tasks: The sentences in the order of the text, of equal ones the first.
      label_names: The target's labels.
    """

    review: Review
    tasks: list[ReviewTask]
    label_names: tuple[str, ...]


def draw_review(
    record: RunRecord, drawing: Drawing, corrections: Sequence[Correction] = ()
) -> DrawnReview:
    """Chooses sentences of a run to correct; reads its labels some sentences at a time.

    Args:
      record: The run.
      drawing: How to choose.
      corrections: Of sentences that are not to be corrected again.

    Raises:
      InputError: Every sentence is corrected.
    """
    keys = {correction.key for correction in corrections}
    known = known_sentences(_blocks(record), keys)
    numbers = _with_words(_blocks(record))
    total, wanted = len(numbers), min(drawing.number, len(numbers - known))
    if not wanted:
        raise InputError(
            f"`gold_words` has all {total:,} sentences of `run`={record.folder}; there is nothing "
            "left to correct"
        )
    num_drawn = wanted if drawing.doubt == RANDOM else round(wanted * drawing.random_share)
    found: list[Candidate] = []
    if num_drawn < wanted:
        kept = CANDIDATES * wanted
        found = candidates(_blocks(record), drawing.doubt, kept, known)
    chosen = {candidate.number for candidate in spread(found, wanted - num_drawn)}
    rest = np.array(sorted(numbers - known - chosen), np.int64)
    rng = np.random.default_rng(drawing.seed)
    drawn = rng.choice(rest, wanted - len(chosen), replace=False).tolist()
    review = Review(tuple(sorted(known)), tuple(sorted(chosen)), tuple(sorted(drawn)), total)
    tasks, label_names = _tasks(record, {*chosen, *drawn})
    return DrawnReview(review, tasks, label_names)


def known_sentences(blocks: Iterable[LabelledWords], keys: set[str]) -> set[int]:
    """The numbers of the sentences whose characters without whitespace are among some."""
    return {
        block.first + place
        for block in (blocks if keys else ())
        for place, words in enumerate(block.sentences)
        if squeezed("".join(words)) in keys
    }


def _with_words(blocks: Iterable[LabelledWords]) -> set[int]:
    """The numbers of the sentences that have words."""
    return {
        block.first + place
        for block in blocks
        for place, words in enumerate(block.sentences)
        if words
    }


def _blocks(record: RunRecord) -> Iterator[LabelledWords]:
    return read_labelled_words(record.folder, record.labels_from)


def _tasks(record: RunRecord, numbers: set[int]) -> tuple[list[ReviewTask], tuple[str, ...]]:
    """The sentences of these numbers, each text once, and the label names."""
    tasks: dict[str, ReviewTask] = {}
    label_names: tuple[str, ...] = ()
    for block in _blocks(record):
        label_names = block.label_names[: block.probs.shape[1]]
        for number, rows in sentences_of(block, numbers):
            words = block.sentences[number - block.first]
            ids = block.ids[rows, 0]
            labels = tuple(label_names[label] if label >= 0 else "_" for label in ids.tolist())
            scores = block.probs[rows][np.arange(len(ids)), np.maximum(ids, 0)]
            task = ReviewTask(number + 1, words, labels, tuple(map(float, scores)))
            tasks.setdefault(squeezed("".join(words)), task)
    return list(tasks.values()), label_names


def sentences_of(block: LabelledWords, numbers: set[int]) -> list[tuple[int, slice]]:
    """Those sentences of a block that have one of the numbers, with the rows of their words."""
    found = []
    for place, (words, start) in enumerate(zip(block.sentences, block.starts, strict=True)):
        if block.first + place in numbers:
            found.append((block.first + place, slice(int(start), int(start) + len(words))))
    return found


def save_review(record: RunRecord, drawing: Drawing, review: Review) -> None:
    """Notes in the run's folder how a review was chosen."""
    values: dict[str, Any] = {**drawing._asdict(), **review._asdict()}
    metrics_file.append_line(record.folder / REVIEWS, {"kind": "review", **values})
    publish(record.folder / REVIEWS)


def read_reviews(folder: Path) -> list[Review]:
    """The reviews of a run, the first one first.

    Raises:
      InputError: A line of the file is damaged.
    """
    found = []
    for number, line in enumerate(metrics_file.read_lines(folder / REVIEWS), start=1):
        try:
            found.append(Review(*(_value(line[name]) for name in Review._fields)))
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise InputError(
                f"{folder / REVIEWS}, line {number} is not the record of a review; delete this "
                "line and review again"
            ) from error
    return found


def _value(value: Any) -> Any:
    if isinstance(value, Sequence):
        return tuple(int(number) for number in value)
    return int(value)
