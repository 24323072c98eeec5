"""Tests of zsl_jax.workflows.unknown_words."""

import pytest

from zsl_jax.types import Sentence
from zsl_jax.workflows.loaded_tagger import encode_text, load_tagger


@pytest.mark.parametrize(("unknown", "is_warned"), [(0, False), (10, False), (11, True)])
def test_many_unknown_words_are_warned_of(world, caplog, unknown, is_warned):
    tagger = load_tagger(world.encoder)
    words = ["Zürich"] * unknown + ["Ka"] * (100 - unknown)
    encode_text(tagger, [Sentence(tuple(words))], 32)
    assert (f"does not know {unknown} of the first 100 words" in caplog.text) == is_warned


def test_a_text_of_few_words_is_not_judged(world, caplog):
    encode_text(load_tagger(world.encoder), [Sentence(("Zürich",) * 19)], 32)
    assert not caplog.text
