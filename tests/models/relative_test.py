import jax.numpy as jnp
import numpy as np
import pytest

from zsl_jax.errors import InputError
from zsl_jax.models.config_values import Values
from zsl_jax.models.relative import RelativePositions, laid_out, log_buckets

CONFIG = {
    "relative_attention": True,
    "max_position_embeddings": 512,
    "position_buckets": 256,
    "share_att_key": True,
    "pos_att_type": "p2c|c2p",
    "norm_rel_ebd": "layer_norm",
}


def read(**changes):
    return RelativePositions.from_huggingface(Values(CONFIG | changes, "my/config.json"))


def test_mdeberta_is_read():
    assert read() == RelativePositions(256, 256, 512, ("c2p", "p2c"), True)
    assert read(pos_att_type=["p2c"], norm_rel_ebd="none").kinds == ("p2c",)
    assert read(position_buckets=-1, max_relative_positions=100).span == 100
    assert read(relative_attention=False) is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"share_att_key": False}, "share_att_key False is not supported"),
        ({"pos_att_type": ["p2p"]}, "pos_att_type"),
        ({"pos_att_type": 7}, "pos_att_type"),
        ({"position_buckets": 1}, "1 position_buckets do not divide"),
        ({"position_buckets": 4096}, "4096 position_buckets do not divide"),
    ],
)
def test_what_is_not_supported_is_named(changes, reason):
    with pytest.raises(InputError, match=r"^my/config\.json: " + reason):
        read(**changes)


def test_near_distances_have_buckets_of_their_own_and_far_ones_share():
    distances = np.arange(-600, 601)
    buckets = log_buckets(distances, 256, 512)
    near = np.abs(distances) <= 128
    np.testing.assert_array_equal(buckets[near], distances[near])
    np.testing.assert_array_equal(buckets, -buckets[::-1])
    assert (np.diff(buckets) >= 0).all()
    assert dict(zip(distances.tolist(), buckets.tolist(), strict=True))[511] == 255


@pytest.mark.parametrize(("buckets", "longest"), [(256, 512), (6, 24), (32, 128), (5, 40)])
def test_buckets_are_those_of_the_formula_in_float64(buckets, longest):
    half = buckets // 2
    for distance in range(1, longest):
        expected = distance
        if distance > half:
            share = np.log(distance / half) / np.log((longest - 1) / half)
            expected = half + np.ceil(np.round(share * (half - 1), 9))
        assert log_buckets(np.array(-distance), buckets, longest) == -expected


def test_buckets_are_pytorchs():
    torch = pytest.importorskip("torch")
    from transformers.models.deberta_v2 import modeling_deberta_v2 as theirs

    distances = np.arange(-511, 512)
    for buckets, longest in [(256, 512), (6, 24), (32, 128), (5, 40)]:
        expected = theirs.make_log_bucket_position(torch.tensor(distances), buckets, longest)
        np.testing.assert_array_equal(
            log_buckets(distances, buckets, longest), expected.long().numpy()
        )


@pytest.mark.parametrize("length", [1, 2, 5])
def test_products_are_laid_out_by_key(length):
    products = np.arange(3 * length * (2 * length - 1)).reshape(3, 1, length, -1)
    expected = np.zeros((3, 1, length, length))
    for i in range(length):
        for j in range(length):
            expected[..., i, j] = products[..., i, length - 1 - i + j]
    np.testing.assert_array_equal(laid_out(jnp.asarray(products)), expected)


@pytest.mark.parametrize("kinds", [(), ("c2p",), ("p2c",), ("c2p", "p2c")])
def test_scores_are_sums_of_products_with_embedded_distances(kinds):
    rng = np.random.default_rng(0)
    length, relative = 7, RelativePositions(3, 3, 6, kinds, False)
    query, key = rng.normal(size=(2, 2, 3, length, 4)).astype(np.float32)
    tables = rng.normal(size=(2, 3, 6, 4)).astype(np.float32)
    position_query, position_key = tables[:, :, relative.rows(length)]
    expected = np.zeros((2, 3, length, length))
    for i in range(length):
        for j in range(length):
            row = np.clip(log_buckets(np.array(i - j), 3, 6) + 3, 0, 5)
            if "c2p" in kinds:
                expected[..., i, j] += (query[:, :, i] * tables[1][:, row]).sum(-1)
            if "p2c" in kinds:
                expected[..., i, j] += (key[:, :, j] * tables[0][:, row]).sum(-1)
    scores = relative.scores(*map(jnp.asarray, (query, key, position_query, position_key)))
    np.testing.assert_allclose(scores, expected, atol=1e-5)
