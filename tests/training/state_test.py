import numpy as np

from zsl_jax.training.state import new_classifier


def test_a_new_head_is_small_random_and_unbiased():
    head = new_classifier(np.random.default_rng(0), 16, 5)
    assert head["kernel"].shape == (16, 5) and head["kernel"].dtype == np.float32
    assert 0.01 < head["kernel"].std() < 0.04
    np.testing.assert_array_equal(head["bias"], np.zeros(5, np.float32))
    again = new_classifier(np.random.default_rng(0), 16, 5)
    np.testing.assert_array_equal(head["kernel"], again["kernel"])
