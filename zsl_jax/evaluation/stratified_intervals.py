"""Scores of a whole text from a sample of its sentences that was drawn within strata.

Each sentence of the sample stands for as many of its stratum as were not drawn; a stratum of which
every sentence is in the sample adds no uncertainty. The standard error s of a score p is that of
the bootstrap over sentences within strata, rescaled so that its variance is that of sampling
without replacement:

  weight · (1 + √(1 − f) · (n / (n − 1) · r − 1)),  r ~ Multinomial(n − 1; 1/n, ..., 1/n),

for n of a stratum's sentences, their share f, and the weight 1 / f. The interval is symmetric in
log(p / (1 − p)), with t of Student's distribution: ± t · s / (p (1 − p)). On scores near 1 from few
sentences, percentiles of the resamples cover the true score less often.

"Resampling Inference with Complex Survey Data", J. N. K. Rao and C. F. J. Wu, JASA 1988,
https://doi.org/10.1080/01621459.1988.10478591
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.special import expit, logit, stdtrit

from zsl_jax.evaluation.bootstrap import EQUAL, Interval, Resampling, f1_from_counts


class Stratum(NamedTuple):
    """Sentences of which some, drawn at random, are known.

    Attributes:
      size: How many sentences it has.
      counts: [F, n, 3], of each of F files and n known sentences, the numbers of correct, predicted
        and gold items.
    """

    size: int
    counts: Int[np.ndarray, "F n 3"]

    @property
    def num_known(self) -> int:
        """n."""
        return self.counts.shape[1]


def stratified_scores(strata: Sequence[Stratum], resampling: Resampling) -> list[Interval]:
    """F₁ (or accuracy) of each file on the whole text, with intervals.

    Where the known sentences of a stratum that is known in part are all alike (no error, nothing
    correct, the same F₁), resamples do not vary. The interval is then widened by what the largest
    share of other sentences changes that would go unseen with probability 1 − confidence.

    Args:
      strata: At least one; those that are known in part have at least two known sentences.
      resampling: Settings.

    Returns:
      A score for each file.
    """
    rng = np.random.default_rng(resampling.seed)
    sums = [_weight(stratum) * stratum.counts.sum(axis=1) for stratum in strata]
    resampled = [_resampled(stratum, resampling.num_resamples, rng) for stratum in strata]
    value, scores = f1_from_counts(np.sum(sums, axis=0)), f1_from_counts(np.sum(resampled, axis=0))
    intervals = []
    errors = scores.std(axis=1, ddof=1).tolist()
    for file, point in enumerate(value.tolist()):
        interval = _logit_interval(point, errors[file], _t(strata, resampling.confidence))
        intervals.append(_with_unseen(interval, strata, file, resampling.confidence))
    return intervals


def _t(strata: Sequence[Stratum], confidence: float) -> float:
    """The quantile of Student's distribution for the sentences of strata that are known in part."""
    degrees = [stratum.num_known - 1 for stratum in strata if stratum.num_known < stratum.size]
    return float(stdtrit(max(sum(degrees), 1), (1 + confidence) / 2))


def _logit_interval(value: float, error: float, t: float) -> Interval:
    if error < EQUAL or not 0 < value < 1:
        return Interval(value, value, value)
    center, width = logit(value), t * error / (value * (1 - value))
    return Interval(value, float(expit(center - width)), float(expit(center + width)))


def _weight(stratum: Stratum) -> float:
    return stratum.size / stratum.num_known


def _resampled(
    stratum: Stratum, num_resamples: int, rng: np.random.Generator
) -> Float[np.ndarray, "F R 3"]:
    """The weighted counts of a stratum in each resample."""
    known = stratum.num_known
    if known >= stratum.size:
        total = stratum.counts.sum(axis=1, keepdims=True)
        return np.repeat(total, num_resamples, axis=1).astype(np.float64)
    draws = rng.multinomial(known - 1, np.full(known, 1 / known), size=num_resamples)
    spread = np.sqrt(1 - known / stratum.size)
    weights = _weight(stratum) * (1 + spread * (known / (known - 1) * draws - 1))
    return np.einsum("rn,fnc->frc", weights, stratum.counts)


def _with_unseen(
    interval: Interval, strata: Sequence[Stratum], file: int, confidence: float
) -> Interval:
    """An interval that allows for sentences unlike the known ones, where these are all alike."""
    total: Float[np.ndarray, " 3"] = np.sum(
        [_weight(stratum) * stratum.counts[file].sum(axis=0) for stratum in strata], axis=0
    )
    lost = gained = new = 0.0  # items
    for stratum in strata:
        scores = _scores_of_sentences(stratum.counts[file])
        if stratum.num_known == stratum.size or (len(scores) and np.ptp(scores) > EQUAL):
            continue
        share = 1 - (1 - confidence) ** (1 / stratum.num_known)
        unlike = share * (stratum.size - stratum.num_known)  # sentences
        items = unlike * max(1, stratum.counts[file, :, 2].mean())
        if len(scores):
            lost, gained = lost + items * scores[0], gained + items * (1 - scores[0])
        else:
            new += unlike
    value, (correct, predicted, gold) = interval.value, total.tolist()
    more = correct + gained
    worst = f1_from_counts(np.array([max(0, correct - lost), predicted, gold + new]))
    best = f1_from_counts(np.array([more, max(more, predicted), max(more, gold)]) + new)
    low, high = interval.low - value + float(worst), interval.high - value + float(best)
    return Interval(value, max(0.0, low), min(1.0, high))


def _scores_of_sentences(counts: Int[np.ndarray, "n 3"]) -> Float[np.ndarray, " m"]:
    """F₁ of each sentence that has items."""
    return f1_from_counts(counts[counts.sum(axis=1) > 0])
