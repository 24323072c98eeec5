"""Tests of zsl_jax.evaluation.tally."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from zsl_jax.evaluation.tally import tally

few = settings(max_examples=30, deadline=None)
label_ids = hnp.arrays(
    np.int32, st.tuples(st.integers(0, 20), st.just(2)), elements=st.integers(0, 3)
)


@few
@given(label_ids)
def test_agreement_and_coverage_by_loops(ids):
    labels = ids - 1
    posterior = np.random.default_rng(0).dirichlet([1.0] * 3, len(labels))
    whole = tally(posterior, labels)
    covered, agreed = whole.coverage, whole.agreement
    parts = [tally(posterior[rows], labels[rows]) for rows in (slice(7), slice(7, None))]
    np.testing.assert_array_equal(whole.counts, parts[0].counts + parts[1].counts)
    for source in range(2):
        pairs = zip(labels[:, source], posterior.argmax(1), strict=True)
        votes = [(vote, best) for vote, best in pairs if vote >= 0]
        right = sum(vote == best for vote, best in votes)
        assert covered[source] == pytest.approx(len(votes) / len(labels) if len(labels) else 0)
        assert agreed[source] == pytest.approx(right / len(votes) if votes else 0)
