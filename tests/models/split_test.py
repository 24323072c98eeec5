import dataclasses

import jax
import numpy as np
import pytest

from tests.training.examples import ENCODER, K, starting_params
from zsl_jax.models.encoder import Encoder
from zsl_jax.models.split import join_layers, split_layers
from zsl_jax.models.token_classifier import Tagger

PARAMS = starting_params()
LAYERS = range(ENCODER.num_layers + 1)


@pytest.mark.parametrize("trained", LAYERS)
def test_the_layers_on_top_of_the_frozen_ones_are_the_whole_tagger(trained):
    rng = np.random.default_rng(0)
    ids = rng.integers(1, 11, (2, 8)).astype(np.int32)
    positions = np.tile(np.array([0, 1, 2, 3, 0, 1, 2, 0], np.int32), (2, 1))
    segments = np.array([[1, 1, 1, 1, 2, 2, 2, 3], [1, 1, 1, 1, 2, 2, 2, 0]], np.int32)
    frozen, upper = split_layers(PARAMS, trained)
    below = dataclasses.replace(ENCODER, num_layers=ENCODER.num_layers - trained)
    above = dataclasses.replace(ENCODER, num_layers=trained)
    hidden = Encoder(below).apply({"params": frozen}, ids, positions, segments, deterministic=True)
    found = Tagger(above, K).apply({"params": upper}, hidden, None, segments, deterministic=True)
    whole = Tagger(ENCODER, K).apply(
        {"params": PARAMS}, ids, positions, segments, deterministic=True
    )
    np.testing.assert_allclose(found, whole, atol=1e-5)


@pytest.mark.parametrize("trained", LAYERS)
def test_what_was_cut_is_joined_to_the_last_bit(trained):
    frozen, upper = split_layers(PARAMS, trained)
    assert set(upper["encoder"]) == {"layers"} and "embeddings" in frozen
    for part, layers in ((frozen, ENCODER.num_layers - trained), (upper["encoder"], trained)):
        assert {len(leaf) for leaf in jax.tree.leaves(part["layers"])} == {layers}
    joined = join_layers(frozen, upper)
    assert jax.tree.structure(joined) == jax.tree.structure(PARAMS)
    jax.tree.map(np.testing.assert_array_equal, joined, PARAMS)
