"""A small encoder, a text in subwords and parameters, for the tests of training."""

import functools

import jax
import numpy as np

from zsl_jax.data.batches.subwords import Windows
from zsl_jax.models.encoder import Encoder
from zsl_jax.models.encoder_config import EncoderConfig
from zsl_jax.training.state import new_classifier

K = 3
ENCODER = EncoderConfig(
    "bert", 11, 8, 2, 2, 16, 16, dropout=0.0, attention_dropout=0.0, head_dropout=0.0
)


def starting_params() -> dict:
    """Parameters of a tagger with K labels."""
    head = new_classifier(np.random.default_rng(0), ENCODER.hidden_size, K)
    return {"encoder": jax.tree.map(np.copy, _encoder()), "classifier": head}


@functools.cache
def _encoder() -> dict:
    ids = np.zeros((1, 4), np.int32)
    init = functools.partial(Encoder(ENCODER).init, deterministic=True)
    return jax.jit(init)(jax.random.key(1), ids, ids, ids)["params"]


def packed_text(num_sentences: int, seed: int = 0) -> Windows:
    """Sentences of two to seven words, each word one or two subwords, without special tokens."""
    rng = np.random.default_rng(seed)
    word_ids, lengths, word = [], [], 0
    for _ in range(num_sentences):
        here: list[int] = []
        for _ in range(rng.integers(2, 8)):
            here += [word, *[-1] * int(rng.integers(0, 2))]
            word += 1
        word_ids += here
        lengths.append(len(here))
    tokens = rng.integers(1, ENCODER.vocab_size, len(word_ids)).astype(np.int32)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    return Windows(tokens, np.array(word_ids, np.int32), offsets, word, num_sentences)
