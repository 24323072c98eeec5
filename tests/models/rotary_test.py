import jax.numpy as jnp
import numpy as np
import pytest

from zsl_jax.errors import InputError
from zsl_jax.models.config_values import Values
from zsl_jax.models.rotary import RotaryPositions

MMBERT = {
    "global_attn_every_n_layers": 3,
    "global_rope_theta": 160000,
    "local_rope_theta": 160000.0,
    "local_attention": 128,
}
NEW = {
    "layer_types": ["sliding_attention", "full_attention"],
    "rope_parameters": {
        "full_attention": {"rope_type": "default", "rope_theta": 1000.0},
        "sliding_attention": {"rope_type": "default", "rope_theta": 10.0},
    },
    "local_attention": 7,
    "global_rope_theta": 5.0,
}


def read(config, num_layers):
    return RotaryPositions.from_huggingface(Values(config, "my/config.json"), num_layers)


def test_files_of_old_and_of_new_versions_are_read():
    assert read(MMBERT, 4) == RotaryPositions((False, True, True, False), 64, 160000.0, 160000.0)
    assert read(NEW, 2) == RotaryPositions((True, False), 3, 1000.0, 10.0)
    assert read({}, 2) == RotaryPositions((False, True), 64, 160000.0, 10000.0)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"layer_types": ["full_attention"]}, "layer_types"),
        ({"layer_types": ["full_attention", "chunked_attention"]}, "layer_types"),
        ({"layer_types": 2}, "layer_types"),
        ({"rope_scaling": {"factor": 2}}, "rope_scaling"),
        ({"rope_parameters": {"full_attention": {"rope_type": "yarn"}}}, "rope_type 'yarn'"),
        (
            {"rope_parameters": {"full_attention": {"partial_rotary_factor": 0.5}}},
            "partial_rotary_factor 0.5 is not supported",
        ),
        ({"rope_parameters": {"full_attention": {"rope_theta": "x"}}}, "the rotary base of full"),
        ({"local_attention": 0}, "local_attention"),
    ],
)
def test_what_is_not_supported_is_named(changes, reason):
    with pytest.raises(InputError, match=r"^my/config\.json: " + reason):
        read(NEW | changes, 2)


@pytest.mark.parametrize("layer", [0, 1])
def test_products_depend_on_the_distance_alone(layer):
    rng = np.random.default_rng(0)
    query, key = np.tile(rng.normal(size=(2, 1, 1, 1, 8)).astype(np.float32), (9, 1))
    rotation = read(NEW, 2).of_layer(jnp.int32(layer))
    rotated = rotation.rotate(jnp.asarray(query)) @ rotation.rotate(jnp.asarray(key)).swapaxes(2, 3)
    scores = np.asarray(rotated)[0, 0]
    for distance in range(-8, 9):
        diagonal = np.diagonal(scores, distance)
        np.testing.assert_allclose(diagonal, diagonal[0], atol=1e-5)
        angles = distance / (10.0, 1000.0)[layer] ** (np.arange(4) / 4)
        first, second = query[0, 0, 0].reshape(2, 4), key[0, 0, 0].reshape(2, 4)
        turned = (first[0] + 1j * first[1]) * np.conj(second[0] + 1j * second[1])
        np.testing.assert_allclose(
            diagonal[0], (turned * np.exp(-1j * angles)).real.sum(), atol=1e-5
        )


def test_local_attention_reaches_as_far_as_its_window():
    positions = read(NEW, 2)
    reach = np.asarray(positions.of_layer(jnp.int32(0)).reaches(9))
    distance = np.abs(np.subtract.outer(np.arange(9), np.arange(9)))
    np.testing.assert_array_equal(reach, distance <= 3)
    assert positions.of_layer(jnp.int32(1)).reaches(9).all()
