import jax
import numpy as np
import pytest

from tests.models.make_reference import FAMILIES
from tests.models.reference_files import packed, read_reference
from zsl_jax.models.encoder import Encoder
from zsl_jax.models.frozen_split import join_layers, split_layers
from zsl_jax.models.huggingface import params_from_tensors
from zsl_jax.models.token_classifier import TokenClassifier

CASES = [("bert", 0), ("bert", 2), *((family, 1) for family in FAMILIES), ("modernbert", 3)]


def load(family):
    reference = read_reference(family)
    return reference, params_from_tensors(reference.tensors, reference.config, family)


@pytest.mark.parametrize("family, trained", CASES)
def test_the_layers_above_continue_the_frozen_ones(family, trained):
    reference, params = load(family)
    config = reference.config
    ids, positions, segments, places = packed(reference.token_ids, reference.mask)
    frozen, upper = split_layers(params, trained)
    below = Encoder(config.below(trained))
    hidden = below.apply({"params": frozen}, ids, positions, segments, deterministic=True)
    above = TokenClassifier(config.above(trained), 5)
    log_probs = above.apply({"params": upper}, hidden, None, segments, deterministic=True)
    words = reference.mask == 1
    rows, columns = places[words].T
    np.testing.assert_allclose(
        np.asarray(log_probs)[rows, columns], reference.log_probs[words], atol=1e-4, rtol=0
    )


@pytest.mark.parametrize("family, trained", CASES)
def test_what_was_cut_is_joined_to_the_last_bit(family, trained):
    reference, params = load(family)
    frozen, upper = split_layers(params, trained)
    assert "embeddings" in frozen and "embeddings" not in upper["encoder"]
    num_frozen = reference.config.num_layers - trained
    for part, layers in ((frozen, num_frozen), (upper["encoder"], trained)):
        assert {len(leaf) for leaf in jax.tree.leaves(part["layers"])} == {layers}
    joined = join_layers(frozen, upper)
    assert str(jax.tree.structure(joined)) == str(jax.tree.structure(params))
    jax.tree.map(np.testing.assert_array_equal, joined, params)


def test_what_frozen_layers_share_is_not_trained():
    reference, params = load("deberta-v2")
    _, upper = split_layers(params, 1)
    segments = packed(reference.token_ids, reference.mask)[2]
    hidden = np.random.default_rng(0).normal(size=(*segments.shape, 16)).astype(np.float32)
    above = TokenClassifier(reference.config.above(1), 5)

    def loss(upper):
        return above.apply({"params": upper}, hidden, None, segments, True)[..., 0].sum()

    gradient = jax.jit(jax.grad(loss))(upper)["encoder"]
    assert not any(np.any(leaf) for leaf in jax.tree.leaves(gradient["relative"]))
    assert all(np.any(leaf) for leaf in jax.tree.leaves(gradient["layers"]["query"]))
