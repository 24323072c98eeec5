import jax
import numpy as np
import pytest

from zsl_jax.training.state import new_classifier, new_key


def test_a_new_head_is_small_random_and_unbiased():
    head = new_classifier(np.random.default_rng(0), 16, 5)
    assert head["kernel"].shape == (16, 5) and head["kernel"].dtype == np.float32
    assert 0.01 < head["kernel"].std() < 0.04
    np.testing.assert_array_equal(head["bias"], np.zeros(5, np.float32))
    again = new_classifier(np.random.default_rng(0), 16, 5)
    np.testing.assert_array_equal(head["kernel"], again["kernel"])


@pytest.mark.parametrize("seed", [0, 7, 2**31 - 1])
def test_a_new_key_is_that_of_jax(seed):
    np.testing.assert_array_equal(new_key(seed), jax.random.key_data(jax.random.key(seed)))
