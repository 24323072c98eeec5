"""The review loop: sentences of a finished transfer to correct, and what their corrections tell.

Like the report, it is made of the run's folder, without JAX. `choosing` picks the sentences,
`sample` records how they were chosen, and `estimate` computes scores of the whole text from the
corrected ones.
"""

from zsl_jax.review.choosing import STRATEGIES
from zsl_jax.review.estimate import Estimate, estimate_scores, estimate_table
from zsl_jax.review.sample import Drawing, draw_review, save_review

__all__ = [
    "STRATEGIES",
    "Drawing",
    "Estimate",
    "draw_review",
    "estimate_scores",
    "estimate_table",
    "save_review",
]
