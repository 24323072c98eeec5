"""Scores of a run on its whole text, from the sentences of a review that people corrected."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from absl import logging
from jaxtyping import Int

from zsl_jax.data.annotation.correction_labels import in_known_labels
from zsl_jax.data.annotation.corrections import (
    Correction,
    match_corrections,
    read_corrections,
    warn_of_missing,
)
from zsl_jax.data.predictions.label_table import SOURCE, TAGGER
from zsl_jax.data.predictions.projection import squeezed
from zsl_jax.data.text.checks import MISSING_LABEL
from zsl_jax.data.text.files import find_files
from zsl_jax.errors import InputError
from zsl_jax.evaluation.bootstrap import Interval, Resampling
from zsl_jax.evaluation.metrics import sentence_counts
from zsl_jax.evaluation.stratified_intervals import Stratum, stratified_scores
from zsl_jax.io.run_files import REVIEWS
from zsl_jax.io.run_folder import file_hashes
from zsl_jax.labels import OUTSIDE, SILENT, is_bio
from zsl_jax.report.labelled_words import LabelledWords, read_labelled_words
from zsl_jax.report.run_record import RunRecord
from zsl_jax.review.sample import Review, known_sentences, read_reviews, sentences_of


class EstimatedRow(NamedTuple):
    """The scores of one labelling.

    Attributes:
      name: The approach, the way to put votes together, or the source.
      labels_from: "Q", "P", "votes" or "source".
      scores: "accuracy", and for entities "F1 strict".
    """

    name: str
    labels_from: str
    scores: dict[str, Interval]


class Estimate(NamedTuple):
    """Estimated scores on a whole text.

    Attributes:
      rows: A row for each labelling of the text.
      num_corrected: Sentences of the review that were corrected.
      num_random: Those of them that were drawn at random.
      num_reviewed: Sentences of the review.
      num_sentences: Of the text.
    """

    rows: list[EstimatedRow]
    num_corrected: int
    num_random: int
    num_reviewed: int
    num_sentences: int

    @property
    def plain(self) -> dict[str, Any]:
        """The same in plain values, for JSON."""
        rows = [
            {**row._asdict(), "scores": {kind: one._asdict() for kind, one in row.scores.items()}}
            for row in self.rows
        ]
        return {**self._asdict(), "rows": rows}


class _Known(NamedTuple):
    """A corrected sentence.

    Attributes:
      key: Its characters without whitespace, which are those of all sentences like it.
      gold: The corrected labels.
      given: The labels of each labelling.
    """

    key: str
    gold: tuple[str, ...]
    given: list[tuple[str, ...]]


def estimate_scores(record: RunRecord, path: str, resampling: Resampling) -> Estimate:
    """Estimates the scores of the run's labels, its tagger, the votes and each source.

    Args:
      record: The run that was reviewed.
      path: The corrected sentences, see `read_corrections`.
      resampling: Settings of the intervals.

    Raises:
      InputError: No review of this run has these sentences, too few are corrected, or the run was
        trained with them.
    """
    rows, known = _known_sentences(record, read_corrections(path), path)
    review = _review_of(record, known, path)
    _check_not_trained_on(record, review, path)
    _score(rows, known, strata_of(review), resampling)
    reviewed = {*review.known, *review.chosen, *review.drawn}
    return Estimate(
        rows, len(known.keys() & reviewed), len(known.keys() & {*review.drawn}), len(reviewed),
        review.num_sentences,
    )  # fmt: skip


def scores_of_corrected(
    record: RunRecord, corrections: Sequence[Correction], resampling: Resampling
) -> list[EstimatedRow]:
    """The scores of every labelling on corrected sentences alone, as if there were no others."""
    rows, known = _known_sentences(record, corrections, "the corrections")
    _score(rows, known, [(len(known), tuple(known))], resampling)
    return rows


def _score(
    rows: Sequence[EstimatedRow],
    known: Mapping[int, _Known],
    parts: Sequence[tuple[int, Sequence[int]]],
    resampling: Resampling,
) -> None:
    """Fills in the scores of each labelling; those of entities first."""
    entities = is_bio([label for sentence in known.values() for label in sentence.gold])
    kinds = {**({"F1 strict": "ner"} if entities else {}), "accuracy": "plain"}
    for kind, task in kinds.items():
        strata = [_stratum(*part, known, len(rows), task) for part in parts]
        for row, interval in zip(rows, stratified_scores(strata, resampling), strict=True):
            row.scores[kind] = interval


def _review_of(record: RunRecord, known: Mapping[int, _Known], path: str) -> Review:
    """The review to which corrected sentences belong; of several that they fit, the last one.

    They fit best where the fewest of them belong to no part of the review, and then where the
    largest share of what it chose and drew is corrected.
    """
    found = [r for r in read_reviews(record.folder) if known.keys() & {*r.chosen, *r.drawn}]
    if not found:
        raise InputError(
            f"{path} has no sentence of a review of `run`={record.folder} ({REVIEWS} in it); "
            "correct the sentences that launch.review wrote for this run"
        )

    def others(review: Review) -> set[str]:
        own = known.keys() & {*review.known, *review.chosen, *review.drawn}
        return {one.key for one in known.values()} - {known[number].key for number in own}

    def fit(review: Review) -> tuple[int, float]:
        asked = {*review.chosen, *review.drawn}
        return -len(others(review)), len(known.keys() & asked) / len(asked)

    review = max(reversed(found), key=fit)
    if left_out := sorted(others(review)):
        logging.warning(
            "%s: %d of %d corrected sentences are not in the review that the others fit best, and "
            "are left out, such as %.40r; give the corrections of one review, or of reviews each "
            "of which was given those before it as `gold_words`",
            *(path, len(left_out), len({one.key for one in known.values()}), left_out[0]),
        )
    return review


def _check_not_trained_on(record: RunRecord, review: Review, path: str) -> None:
    """Refuses sentences drawn at random of which the run has learned the labels."""
    trained = set((record.run.get("data") or {}).values())
    for file, digest in file_hashes(find_files(path)).items():
        if digest in trained:
            keys = {correction.key for correction in read_corrections(file)}
            blocks = read_labelled_words(record.folder, record.labels_from)
            if known_sentences(blocks, keys) & {*review.drawn}:
                raise InputError(
                    f"`run`={record.folder} was trained with {file}, so that its scores cannot be "
                    "estimated from it; name the run that was reviewed, or review this one"
                )


def strata_of(review: Review) -> list[tuple[int, tuple[int, ...]]]:
    """The strata of the text: the size of each, and the sentences of it to correct.

    What was known or chosen is a stratum of its own; of all other sentences, some were drawn.

    >>> strata_of(Review((5,), (0, 1), (7, 8), 10))
    [(1, (5,)), (2, (0, 1)), (7, (7, 8))]
    """
    strata = [(len(part), part) for part in (review.known, review.chosen) if part]
    rest = review.num_sentences - sum(size for size, _ in strata)
    return [*strata, (rest, review.drawn)] if rest else strata


def can_estimate(review: Review) -> bool:
    """Whether enough sentences were drawn at random to stand for all others.

    >>> can_estimate(Review((), (0, 1), (7,), 10)), can_estimate(Review((), (0, 1), (), 2))
    (False, True)
    """
    return all(len(numbers) >= _needed(size) for size, numbers in strata_of(review))


def _needed(size: int) -> int:
    """How many sentences of a stratum must be known."""
    return min(2, size)


def _stratum(
    size: int, numbers: Sequence[int], known: Mapping[int, _Known], num_files: int, task: str
) -> Stratum:
    corrected = [known[number] for number in numbers if number in known]
    needed = _needed(size)
    if len(numbers) < needed:
        raise InputError(
            f"only {len(numbers)} sentences of the review were drawn at random, and at least "
            f"{needed} are needed for an estimate; review again with a larger `number` or "
            "`random_share`"
        )
    if len(corrected) < needed:
        raise InputError(
            f"only {len(corrected)} of {len(numbers)} sentences of a part of the review are "
            f"corrected, and at least {needed} are needed; give all corrections, also those that "
            "were known before it, with commas between the files"
        )
    gold = [sentence.gold for sentence in corrected]
    counts = [
        sentence_counts(gold, [sentence.given[file] for sentence in corrected], task)
        for file in range(num_files)
    ]
    return Stratum(size, np.stack(counts))


def _known_sentences(
    record: RunRecord, corrections: Sequence[Correction], where: str
) -> tuple[list[EstimatedRow], dict[int, _Known]]:
    """A row for each labelling, and the sentences that are corrected word by word."""
    known: dict[int, _Known] = {}
    rows: list[EstimatedRow] = []
    present: set[str] = set()
    open_words: set[str] = set()
    for block in read_labelled_words(record.folder, record.labels_from):
        target = block.label_names[: block.probs.shape[1]]
        if not rows:
            corrections = in_known_labels(corrections, target, f"`run`={record.folder}")
        rows = [_row(record, column) for column in block.columns]
        keys = [squeezed("".join(words)) for words in block.sentences]
        present.update(keys)
        gold = match_corrections(corrections, block.sentences, is_bio(target))
        table = _as_target_labels(record, block)
        numbers = set()
        for place, labels in enumerate(gold):
            if labels and MISSING_LABEL in labels:
                open_words.add(keys[place])
            elif labels:
                numbers.add(block.first + place)
        for number, words in sentences_of(block, numbers):
            place = number - block.first
            given = [tuple(column[words].tolist()) for column in table.T]
            known[number] = _Known(keys[place], gold[place] or (), given)
    warn_of_missing(where, [one for one in corrections if one.key not in present], len(corrections))
    if open_words:
        logging.warning(
            "%s: %d of %d sentences are left out since words in them have no label, such as %.40r",
            *(where, len(open_words), len(corrections), min(open_words)),
        )
    return rows, known


def _row(record: RunRecord, column: str) -> EstimatedRow:
    if column.startswith(SOURCE):
        return EstimatedRow(column.removeprefix(SOURCE), "source", {})
    if column in (record.labels_from, TAGGER):
        return EstimatedRow(record.approach, "P" if column == TAGGER else column, {})
    return EstimatedRow(column, "votes", {})


def _as_target_labels(record: RunRecord, block: LabelledWords) -> np.ndarray:
    """[n, C], names of the target's labels; that of the first one for a set of them."""
    ids: Int[np.ndarray, "n C"] = block.ids
    if record.label_model is not None:
        ids = np.append(record.label_model.source_labels.first_targets, -1)[ids]
    names = [OUTSIDE if name == SILENT else name for name in block.label_names]
    return np.array([*names, MISSING_LABEL], dtype=object)[ids]


def estimate_table(estimate: Estimate, confidence: float) -> str:
    """The estimate as text, scores in percent with their intervals."""
    width = max(len(row.name) for row in estimate.rows)
    kinds = list(estimate.rows[0].scores)
    head = f"{'':<{width}}  {'labels from':<11}" + "".join(f"  {kind:>24}" for kind in kinds)
    lines = [
        f"scores on all {estimate.num_sentences:,} sentences, estimated from "
        f"{estimate.num_corrected} of {estimate.num_reviewed} reviewed ones "
        f"({estimate.num_random} drawn at random), with {100 * confidence:g} % intervals",
        head,
        "-" * len(head),
    ]
    for row in estimate.rows:
        cells = "".join(f"  {_cell(row.scores[kind]):>24}" for kind in kinds)
        lines.append(f"{row.name:<{width}}  {row.labels_from:<11}{cells}")
    return "\n".join(lines)


def _cell(score: Interval) -> str:
    value, low, high = (f"{100 * number:.2f}" for number in score)
    return f"{value} [{low}, {high}]"
