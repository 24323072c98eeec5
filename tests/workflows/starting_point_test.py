"""Where training starts: the encoder, or the source that agrees most with the label model."""

import dataclasses

import numpy as np
import pytest

from zsl_jax.errors import InputError
from zsl_jax.labels import LabelSet
from zsl_jax.workflows.loaded_tagger import load_tagger, save_tagger
from zsl_jax.workflows.starting_point import choose_start, with_labels

SCHEME = LabelSet(("A", "B", "C"))


def tagger(encoder, names, seed=0):
    """The tiny encoder with a head of its own."""
    rng = np.random.default_rng(seed)
    head = {
        "kernel": rng.normal(size=(16, len(names))).astype(np.float32),
        "bias": rng.normal(size=len(names)).astype(np.float32),
    }
    params = {"encoder": encoder.params["encoder"], "classifier": head}
    return encoder._replace(params=params, label_set=LabelSet(names))


@pytest.fixture(scope="module")
def encoder(world):
    return load_tagger(world.encoder)


@pytest.fixture(scope="module")
def models(encoder, tmp_path_factory):
    """Folders of sources: all labels in another order, some of the labels, labels of their own."""
    folder = tmp_path_factory.mktemp("sources")
    names = {"all": ("C", "A", "B"), "some": ("B", "A"), "other": ("A", "X")}
    for seed, (name, labels) in enumerate(names.items()):
        save_tagger(folder / name, tagger(encoder, labels, seed))
    return {name: str(folder / name) for name in names}


def test_the_first_ranked_source_that_fits_is_the_start(encoder, models):
    start = choose_start(encoder, models, ["file", "other", "some", "all"], SCHEME, "auto", 0)
    assert start.path == models["some"] and start.label_set == SCHEME
    source = load_tagger(models["some"]).params["classifier"]
    head = start.params["classifier"]
    np.testing.assert_array_equal(head["kernel"][:, [1, 0]], source["kernel"])
    np.testing.assert_array_equal(head["bias"], [*source["bias"][[1, 0]], source["bias"].min()])


def test_without_a_source_that_fits_the_encoder_is_the_start(encoder, models):
    assert choose_start(encoder, models, ["file", "other"], SCHEME, "auto", 0) is encoder
    assert choose_start(encoder, models, ["all"], SCHEME, "encoder", 0) is encoder
    larger = encoder._replace(encoder=dataclasses.replace(encoder.encoder, num_layers=3))
    assert choose_start(larger, models, ["all"], SCHEME, "auto", 0) is larger


def test_a_source_can_be_named(encoder, models):
    start = choose_start(None, models, [], SCHEME, "source:all", 0)
    own, given = start.params["classifier"], load_tagger(models["all"]).params["classifier"]
    np.testing.assert_array_equal(own["kernel"], given["kernel"][:, [1, 2, 0]])
    with pytest.raises(InputError, match=r"`init`=source:file: file is not .* all, some, other"):
        choose_start(encoder, models, ["all"], SCHEME, "source:file", 0)
    with pytest.raises(InputError, match=r"`init`=source:other: its labels A, X are not all among"):
        choose_start(encoder, models, ["all"], SCHEME, "source:other", 0)


def test_new_columns_of_the_head_follow_from_the_seed(encoder):
    start = tagger(encoder, ("B", "A"))
    first, same, other = (with_labels(start, SCHEME, seed) for seed in (1, 1, 2))
    columns = [made.params["classifier"]["kernel"][:, 2] for made in (first, same, other)]
    np.testing.assert_array_equal(columns[0], columns[1])
    assert not np.array_equal(columns[0], columns[2]) and np.abs(columns[0]).max() < 0.2


def test_the_column_of_an_underscore_is_left_out(encoder, tmp_path):
    own = tagger(encoder, ("B", "_", "A"))
    save_tagger(tmp_path / "own", own)
    start = choose_start(encoder, {"own": str(tmp_path / "own")}, ["own"], SCHEME, "auto", 0)
    given, head = own.params["classifier"], start.params["classifier"]
    assert start.label_set == SCHEME
    np.testing.assert_array_equal(head["kernel"][:, [1, 0]], given["kernel"][:, [0, 2]])
