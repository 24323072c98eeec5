import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from zsl_jax.models.dropout import Dropout, hashed_bits


@settings(max_examples=25, deadline=None)
@given(rate=st.sampled_from([0.05, 0.1, 0.3, 0.5]), seed=st.integers(0, 2**31 - 1))
def test_dropout_keeps_the_mean_and_drops_each_entry_by_itself(rate, seed):
    x = jnp.ones((7, 31, 203))
    out = np.asarray(Dropout(rate).apply({}, x, False, rngs={"dropout": jax.random.key(seed)}))
    np.testing.assert_allclose(np.unique(out), [0.0, 1 / (1 - rate)], rtol=1e-6)
    gone = out == 0
    assert abs(gone.mean() - rate) < 0.02  # 8 standard deviations at a half
    for axis in range(3):  # entries of neighbours know nothing of each other
        both = gone & np.roll(gone, 1, axis)
        assert abs(both.mean() - rate**2) < 0.02


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**31 - 1), bit=st.integers(0, 31))
def test_every_hashed_bit_is_fair_and_independent_of_other_keys(seed, bit):
    keys = jax.random.split(jax.random.key(seed), 2)
    one, other = (np.asarray(hashed_bits(key, (64, 1024))) >> bit & 1 for key in keys)
    bound = 6 * 0.5 / 256  # standard deviations of the mean of 65,536 fair bits
    assert abs(one.mean() - 0.5) < bound
    assert abs((one ^ other).mean() - 0.5) < bound
    assert abs((one[:, 1:] ^ one[:, :-1]).mean() - 0.5) < bound


def test_hashed_bits_do_not_depend_on_the_shape_and_repeat_rarely():
    key = jax.random.key(3)
    flat = np.asarray(hashed_bits(key, (2**20,)))
    np.testing.assert_array_equal(np.asarray(hashed_bits(key, (4, 512, 512))).reshape(-1), flat)
    assert len(np.unique(flat)) == len(flat)  # every step of the hash can be undone
