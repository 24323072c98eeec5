"""What went wrong with the sources, told without any gold label.

Q is the posterior over the true labels; its arg max is called the inferred label.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from zsl_jax.evaluation.warning_signs import confusion_warnings, lost_label_warnings

NUM_CONFUSIONS = 3


class Confusion(NamedTuple):
    """One mistake of a source, as Q sees it.

    Attributes:
      predicted: The label that the source gives.
      inferred: The label that Q finds most probable.
      num_words: On how many words.
      share: The share of the words with that inferred label on which the source votes.
    """

    predicted: str
    inferred: str
    num_words: int
    share: float


class SourceReport(NamedTuple):
    """What is known about one source.

    Attributes:
      name: The source.
      coverage: The share of the words on which it does not abstain.
      agreement: The share of those on which it gives the inferred label.
      diagonal: φ(y|y) by label name; None without confusion matrices.
      confusions: Its most frequent mistakes, the most frequent first.
    """

    name: str
    coverage: float
    agreement: float
    diagonal: dict[str, float] | None
    confusions: tuple[Confusion, ...]


class Diagnosis(NamedTuple):
    """What is known about all sources.

    Attributes:
      warnings: One sentence each.
      sources: One report a source.
    """

    warnings: tuple[str, ...]
    sources: tuple[SourceReport, ...]

    @property
    def text(self) -> str:
        """The reports and warnings as lines of text."""
        return format_diagnosis(self)


class Tally(NamedTuple):
    """How often each source gave which label; tallies of parts of a text add up.

    Attributes:
      counts: [U, K, K], words by source, its label, and the inferred label.
      mass: [K], posterior mass of each label, in words.
      num_words: Words, those on which all sources abstain included.
    """

    counts: Float[np.ndarray, "U K K"]
    mass: Float[np.ndarray, " K"]
    num_words: int

    @property
    def coverage(self) -> Float[np.ndarray, " U"]:
        """[U], the share of the words on which each source votes; 0 if there are no words."""
        return self.counts.sum((1, 2)) / max(self.num_words, 1)

    @property
    def agreement(self) -> Float[np.ndarray, " U"]:
        """[U], how often each source gives the inferred label; 0 if it always abstains."""
        right = np.trace(self.counts, axis1=1, axis2=2)
        return right / np.maximum(self.counts.sum((1, 2)), 1)


def tally(posterior: Float[np.ndarray, "N K"], source_labels: Int[np.ndarray, "N U"]) -> Tally:
    """Counts the sources' labels against Q.

    Args:
      posterior: [N, K], Q.
      source_labels: [N, U], label ids; -1 where a source abstains.

    Returns:
      The counts of these words.
    """
    posterior, source_labels = np.asarray(posterior), np.asarray(source_labels)
    size = posterior.shape[1]
    inferred = posterior.argmax(axis=1)
    counts = []
    for labels in source_labels.T:
        pairs = labels.astype(np.int64) * size + inferred  # below 0 where the source abstains
        counts.append(np.bincount(pairs[labels >= 0], minlength=size * size))
    mass = posterior.sum(axis=0, dtype=np.float64)
    return Tally(np.reshape(counts, (-1, size, size)).astype(np.float64), mass, len(posterior))


def diagnose(
    source_names: Sequence[str],
    label_names: Sequence[str],
    log_confusion: Float[np.ndarray, "U K K"] | None,
    tally: Tally,
) -> Diagnosis:
    """Looks for label switching and collapse, and sums up what each source is like.

    Only the first λ near 1 protects the label model against label switching; `warning_signs` says
    what is warned of.

    Args:
      source_names: The U sources' names.
      label_names: The K label names.
      log_confusion: [U, K, K], log φ, indexed [source, predicted, true]; None if there is none.
      tally: The sources' labels against Q, over the whole text.

    Returns:
      The warnings and a report on each source.
    """
    warnings, diagonals = [], None
    if log_confusion is not None:
        confusion = np.exp(np.asarray(log_confusion, dtype=np.float64))
        diagonals = np.diagonal(confusion, axis1=1, axis2=2).tolist()
        for name, matrix in zip(source_names, confusion, strict=True):
            warnings += confusion_warnings(name, label_names, matrix)
    warnings += lost_label_warnings(source_names, label_names, tally.mass, tally.counts.sum(2))
    shares = zip(tally.coverage.tolist(), tally.agreement.tolist(), strict=True)
    reports = tuple(
        SourceReport(
            name,
            *share,
            diagonal=diagonals and dict(zip(label_names, diagonals[source], strict=True)),
            confusions=top_confusions(tally.counts[source], label_names),
        )
        for source, (name, share) in enumerate(zip(source_names, shares, strict=True))
    )
    return Diagnosis(tuple(warnings), reports)


def top_confusions(
    counts: Float[np.ndarray, "K K"], label_names: Sequence[str], limit: int = NUM_CONFUSIONS
) -> tuple[Confusion, ...]:
    """The most frequent pairs of a source's label and another inferred label.

    Args:
      counts: [K, K], words by the source's label and the inferred one.
      label_names: The K label names.
      limit: How many pairs at most.

    Returns:
      The pairs that occur, most frequent first; ties in the order of the label ids.
    """
    totals = counts.sum(axis=0)
    mistakes = counts.copy()
    np.fill_diagonal(mistakes, 0)
    confusions = []
    for cell in np.argsort(-mistakes, axis=None, kind="stable")[:limit].tolist():
        predicted, true = divmod(cell, len(label_names))
        count = int(mistakes[predicted, true])
        if count:
            share = count / totals[true]
            confusions.append(Confusion(label_names[predicted], label_names[true], count, share))
    return tuple(confusions)


def format_diagnosis(diagnosis: Diagnosis) -> str:
    """A line a source, its confusions below, and the warnings at the end.

    Args:
      diagnosis: As `diagnose` returns it.

    Returns:
      Lines without a line break at the end.
    """
    width = max([len("source"), *(len(report.name) for report in diagnosis.sources)])
    lines = [f"{'source':<{width}}  coverage  agrees with Q  mean diagonal"]
    for report in diagnosis.sources:
        values = report.diagonal.values() if report.diagonal else ()
        mean = f"{100 * sum(values) / len(values):.2f}" if values else "-"
        lines.append(
            f"{report.name:<{width}}{100 * report.coverage:>10.2f}{100 * report.agreement:>15.2f}"
            f"{mean:>15}"
        )
        for confusion in report.confusions:
            lines.append(
                f"{'':<{width}}  {confusion.predicted} for {confusion.inferred}: "
                f"{confusion.num_words:,} words, {100 * confusion.share:.1f} %"
            )
    return "\n".join([*lines, *(f"warning: {warning}" for warning in diagnosis.warnings)])
