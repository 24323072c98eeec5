"""Diagnosis of the sources without any gold label.

Q is the posterior over the true labels, or the tagger's distribution P where there is no label
model; its arg max is called the inferred label.
"""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from zsl_jax.evaluation.tally import Tally, diagonal
from zsl_jax.evaluation.warning_signs import (
    collapsed_tagger_warnings,
    confusion_warnings,
    labelling_phrase,
    lagging_tagger_warnings,
    lost_label_warnings,
    near_copy_warnings,
    no_gain_warnings,
    silent_source_warnings,
    unlearned_confusion_warnings,
)
from zsl_jax.labels import SourceLabels

NUM_CONFUSIONS = 3
NUM_LOWEST = 3


class Confusion(NamedTuple):
    """One mistake of a source, as Q sees it.

    Attributes:
      predicted: The label that the source gives.
      inferred: The label that Q finds most probable.
      num_words: On how many words.
      share: The same as a share of the words with that inferred label on which the source votes.
    """

    predicted: str
    inferred: str
    num_words: int
    share: float


class SourceReport(NamedTuple):
    """The diagnosis of one source.

    Attributes:
      name: The source.
      coverage: The share of the words on which it does not abstain.
      agreement: The share of those on which its label may mean the inferred label.
      diagonal: φ(y|y) by label name; None without confusion matrices.
      confusions: Its most frequent mistakes, the most frequent first.
      entity_agreement: F₁ of its words of entities against the inferred ones, see
        `Tally.entity_agreement`; None for plain labels.
      start_diagonal: The same as `diagonal` before anything was learned; None where unknown.
    """

    name: str
    coverage: float
    agreement: float
    diagonal: dict[str, float] | None
    confusions: tuple[Confusion, ...]
    entity_agreement: float | None = None
    start_diagonal: dict[str, float] | None = None

    @property
    def mean_diagonal(self) -> float | None:
        """The mean of φ(y|y) over the labels."""
        return None if self.diagonal is None else _mean(self.diagonal)

    @property
    def moved(self) -> float | None:
        """How far learning has moved the mean of φ(y|y); 0 where nothing was learned."""
        if self.diagonal is None or self.start_diagonal is None:
            return None
        return _mean(self.diagonal) - _mean(self.start_diagonal)


class Diagnosis(NamedTuple):
    """The diagnosis of all sources.

    Attributes:
      warnings: One sentence each.
      sources: One report per source.
      same_labels: By the name of another labelling, such as "majority", the share of the words with
        votes on which it gives the inferred label.
      reference: What the sources are compared with, "Q" or "P".
    """

    warnings: tuple[str, ...]
    sources: tuple[SourceReport, ...]
    same_labels: Mapping[str, float]
    reference: str = "Q"

    @property
    def text(self) -> str:
        """The reports and warnings as lines of text."""
        return format_diagnosis(self)

    @property
    def plain(self) -> dict[str, Any]:
        """The same as dictionaries, for a run's record."""
        reports = [
            {
                **report._asdict(),
                "confusions": [found._asdict() for found in report.confusions],
                "mean_diagonal": report.mean_diagonal,
                "moved": report.moved,
            }
            for report in self.sources
        ]
        return {**self._asdict(), "sources": reports}


def diagnosis_from_plain(record: Mapping[str, Any]) -> Diagnosis:
    """Returns the diagnosis that `Diagnosis.plain` gave to a run's record.

    >>> report = SourceReport("en", 1.0, 0.5, None, (Confusion("A", "B", 3, 0.25),))
    >>> diagnosis = Diagnosis(("one",), (report,), {"mean": 0.75}, "P")
    >>> diagnosis_from_plain(diagnosis.plain) == diagnosis
    True
    """
    reports = []
    for source in record["sources"]:
        fields = {name: source.get(name) for name in SourceReport._fields}
        confusions = tuple(Confusion(**one) for one in source["confusions"])
        reports.append(SourceReport(**{**fields, "confusions": confusions}))
    others = (record["same_labels"], record.get("reference", "Q"))
    return Diagnosis(tuple(record["warnings"]), tuple(reports), *others)


def _mean(values: Mapping[str, float]) -> float:
    return sum(values.values()) / max(len(values), 1)


class Learned(NamedTuple):
    """The label model after training, besides Q.

    Attributes:
      log_confusion: [U, V, K], log φ, indexed [source, predicted, true]; None if there is none.
      log_start: The same before anything was learned; None if that is not known.
      objectives: J per word of each E step, where these can be compared.
      by_tagger: [K], words to which the tagger alone gives each label; None without a tagger.
      copies: [U, U], how far any two sources are copies of each other; None if it is not known.
      by_gradient: Whether the matrices were trained by gradient, and may have been so too little.
    """

    log_confusion: Float[np.ndarray, "U V K"] | None = None
    log_start: Float[np.ndarray, "U V K"] | None = None
    objectives: Sequence[float] = ()
    by_tagger: Float[np.ndarray, " K"] | None = None
    copies: Float[np.ndarray, "U U"] | None = None
    by_gradient: bool = False


def diagnose(
    source_names: Sequence[str],
    source_labels: SourceLabels,
    learned: Learned,
    tally: Tally,
    same_labels: Mapping[str, float] | None = None,
    reference: str = "Q",
) -> Diagnosis:
    """Looks for label switching and collapse, and summarises each source.

    Only the first λ near 1 protects the label model against label switching; `warning_signs` lists
    the warnings.

    Args:
      source_names: The U sources' names.
      source_labels: The V labels of the sources, with the target's K.
      learned: The confusion matrices and J.
      tally: The sources' labels against Q, over the whole text.
      same_labels: As in `Diagnosis`.
      reference: Likewise.

    Returns:
      The warnings and a report on each source.
    """
    label_names, same_labels = source_labels.label_set.names, dict(same_labels or {})
    warnings = _warnings(source_names, source_labels, learned, tally, same_labels, reference)
    diagonals, starts = (
        _diagonals(table, tally.compatible, label_names)
        for table in (learned.log_confusion, learned.log_start)
    )
    columns: Any = (
        source_names,
        tally.coverage.tolist(),
        tally.agreement.tolist(),
        diagonals,
        [
            top_confusions(counts, compatible, source_labels)
            for counts, compatible in zip(tally.counts, tally.compatible, strict=True)
        ],
        tally.entity_agreement(source_labels),
        starts,
    )
    reports = tuple(itertools.starmap(SourceReport, zip(*columns, strict=True)))
    return Diagnosis(tuple(warnings), reports, same_labels, reference)


def _warnings(
    source_names: Sequence[str],
    source_labels: SourceLabels,
    learned: Learned,
    tally: Tally,
    same_labels: Mapping[str, float],
    reference: str,
) -> list[str]:
    """All warnings, in their order in the report; the arguments are those of `diagnose`."""
    label_names = source_labels.label_set.names
    warnings = silent_source_warnings(
        source_names, source_labels.names, tally.counts.sum(2), tally.num_words
    )
    if learned.copies is not None:
        warnings += near_copy_warnings(source_names, learned.copies)
    if learned.log_confusion is not None:
        confusion = np.exp(np.asarray(learned.log_confusion, dtype=np.float64))
        each = zip(source_names, confusion, tally.compatible, tally.counts, strict=True)
        for name, matrix, meanings, counts in each:
            warnings += confusion_warnings(name, label_names, matrix, meanings, counts)
        if learned.by_gradient and learned.log_start is not None:
            expected, at_start = map(
                tally.expected_agreement, (learned.log_confusion, learned.log_start)
            )
            warnings += unlearned_confusion_warnings(
                source_names, expected, at_start, tally.agreement
            )
    votes = tally.counts.sum(2)[:, : len(label_names)]
    warnings += lost_label_warnings(source_names, label_names, tally.mass, votes)
    if learned.by_tagger is not None and reference == "Q":
        warnings += collapsed_tagger_warnings(
            label_names, learned.by_tagger, tally.mass >= 1
        ) or lagging_tagger_warnings(same_labels)
    return [*warnings, *no_gain_warnings(same_labels, learned.objectives, reference)]


def _diagonals(
    log_confusion: Float[np.ndarray, "U V K"] | None,
    compatible: Bool[np.ndarray, "U V K"],
    label_names: Sequence[str],
) -> list[dict[str, float] | None]:
    """φ(y|y) of each source by label name; None for each without matrices."""
    if log_confusion is None:
        return [None] * len(compatible)
    table = diagonal(log_confusion, compatible).tolist()
    return [dict(zip(label_names, values, strict=True)) for values in table]


def top_confusions(
    counts: Float[np.ndarray, "V K"],
    compatible: Bool[np.ndarray, "V K"],
    source_labels: SourceLabels,
    limit: int = NUM_CONFUSIONS,
) -> tuple[Confusion, ...]:
    """The most frequent pairs of a source's label and an inferred label that it cannot mean.

    Args:
      counts: [V, K], words by the source's label and the inferred one.
      compatible: [V, K], whether one may mean the other.
      source_labels: The V labels, with the target's K.
      limit: How many pairs at most.

    Returns:
      The pairs that occur, most frequent first; ties in the order of the label ids.
    """
    totals = counts.sum(axis=0)
    mistakes = np.where(compatible, 0, counts)
    confusions = []
    for cell in np.argsort(-mistakes, axis=None, kind="stable")[:limit].tolist():
        predicted, true = divmod(cell, counts.shape[1])
        count = int(mistakes[predicted, true])
        if count:
            share = count / totals[true]
            names = source_labels.names[predicted], source_labels.names[true]
            confusions.append(Confusion(*names, count, share))
    return tuple(confusions)


def format_diagnosis(diagnosis: Diagnosis) -> str:
    """One line per source, its lowest φ(y|y) and its confusions below, and the warnings at the end.

    Args:
      diagnosis: As `diagnose` returns it.

    Returns:
      Lines without a line break at the end.
    """
    width = max([len("source"), *(len(report.name) for report in diagnosis.sources)])
    reference = diagnosis.reference
    entities = any(report.entity_agreement is not None for report in diagnosis.sources)
    head = ["coverage", f"agrees with {reference}", *(["on entities"] if entities else [])]
    head += ["mean diagonal", "moved by"]
    lines = [f"{'source':<{width}}" + "".join(f"{name:>15}" for name in head)]
    for report in diagnosis.sources:
        shares = [report.coverage, report.agreement]
        cells = [_percent(value) for value in shares]
        cells += [_percent(report.entity_agreement)] if entities else []
        cells += [_percent(report.mean_diagonal), _percent(report.moved, sign="+")]
        lines.append(f"{report.name:<{width}}" + "".join(f"{cell:>15}" for cell in cells))
        if report.diagonal:
            lowest = sorted(report.diagonal.items(), key=lambda pair: pair[1])[:NUM_LOWEST]
            listed = ", ".join(f"{label} {100 * value:.1f}" for label, value in lowest)
            lines.append(f"{'':<{width}}  lowest on the diagonal: {listed}")
        for confusion in report.confusions:
            lines.append(
                f"{'':<{width}}  {confusion.predicted} for {confusion.inferred}: "
                f"{confusion.num_words:,} words, {100 * confusion.share:.1f} %"
            )
    for name, share in diagnosis.same_labels.items():
        lines.append(
            f"{reference} gives the label of {labelling_phrase(name)} on {100 * share:.2f} % of "
            "the words"
        )
    return "\n".join([*lines, *(f"warning: {warning}" for warning in diagnosis.warnings)])


def _percent(share: float | None, sign: str = "") -> str:
    return "-" if share is None else f"{100 * share:{sign}.2f}"
