import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zsl_jax.errors import InputError
from zsl_jax.kernels import viterbi
from zsl_jax.labels import LabelSet, to_bio
from zsl_jax.labels.schemes import sentence_starts
from zsl_jax.workflows.label_decoding import decode, decoding_of

BIO = LabelSet(("O", "B-X", "I-X", "B-Y", "I-Y"))


def text(lengths):
    return [("w",) * length for length in lengths]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=5), st.integers(0, 2**32 - 1))
def test_viterbi_needs_no_repair_and_is_the_arg_max_where_that_needs_none(lengths, seed):
    size = sum(lengths)
    probs = np.random.default_rng(seed).dirichlet(np.full(5, 0.3), size).astype(np.float32)
    probs[: size // 3] = np.eye(5)[probs[: size // 3].argmax(-1)]  # some are certain
    best = decode(probs, BIO, text(lengths), "argmax")
    np.testing.assert_array_equal(best, probs.argmax(-1))
    found = decode(probs, BIO, text(lengths), "viterbi")
    assert len(found) == size
    starts = sentence_starts(lengths)
    assert to_bio(BIO.names, found, starts).ids.tolist() == found.tolist()
    for number, length in enumerate(lengths):
        words = slice(sum(lengths[:number]), sum(lengths[:number]) + length)
        if (to_bio(BIO.names, best[words], starts[words]).ids == best[words]).all():
            np.testing.assert_array_equal(found[words], best[words])


@pytest.mark.parametrize("by_chain", [False, True])
@pytest.mark.parametrize("label_set", [BIO, LabelSet(("NOUN", "O", "VERB"))], ids=["bio", "tags"])
def test_a_chain_of_entities_has_viterbi_by_default_and_what_is_chosen_holds(label_set, by_chain):
    expected = "viterbi" if by_chain and label_set is BIO else "argmax"
    assert decoding_of("auto", label_set, by_chain) == expected
    for chosen in ("argmax", "viterbi"):
        assert decoding_of(chosen, label_set, by_chain) == chosen
    with pytest.raises(
        InputError, match="`decode`=best is not one of auto, argmax, viterbi; choose"
    ):
        decoding_of("best", label_set, by_chain)


def test_plain_labels_are_decoded_word_by_word():
    probs = np.random.default_rng(0).dirichlet(np.ones(3), 50)
    label_set = LabelSet(("ADJ", "NOUN", "VERB"))
    np.testing.assert_array_equal(
        decode(probs, label_set, text([20, 30]), "viterbi"), probs.argmax(-1)
    )


@pytest.mark.parametrize("size", [0, 1, 2, 3, 64, 65])
def test_padding_changes_nothing(size):
    probs = np.random.default_rng(size).dirichlet(np.ones(5), size)
    assert len(decode(probs, BIO, text([size]), "viterbi")) == size


def test_texts_of_like_size_and_any_sentences_compile_once():
    rng = np.random.default_rng(1)

    def run(*lengths):
        decode(rng.dirichlet(np.ones(5), sum(lengths)), BIO, text(lengths), "viterbi")
        return viterbi._cache_size()

    before = run(300)
    assert run(260, 40) == run(*[3] * 100) == run(512) == before
