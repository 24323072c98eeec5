"""The review loop: sentences of a finished transfer to correct, and what their corrections show.

Like the report, it is made from the run's folder, without JAX.

- `choosing`: which sentences are the most doubtful
- `sample`: the sentences of a review, a share of them drawn at random, and the record of it
- `estimate`: scores of the whole text from the corrected sentences; intervals by
  `evaluation.stratified_intervals`
"""

from zsl_jax.review.choosing import DOUBTS
from zsl_jax.review.estimate import Estimate, can_estimate, estimate_scores, estimate_table
from zsl_jax.review.sample import Drawing, draw_review, save_review

__all__ = [
    "DOUBTS",
    "Drawing",
    "Estimate",
    "can_estimate",
    "draw_review",
    "estimate_scores",
    "estimate_table",
    "save_review",
]
