"""Random text in subwords, with the lengths of real text, and the shapes of real encoders."""

import numpy as np

from zsl_jax.data.batches.subwords import Windows
from zsl_jax.models.encoder_config import EncoderConfig

ROWS = 30_000  # of the word embeddings: those that occur in a text are trained
NUM_LABELS, LONGEST = 17, 126
SHAPES = {
    "tiny": EncoderConfig("bert", 500, 32, 2, 2, 64, 128),
    "e5-small": EncoderConfig("bert", ROWS, 384, 12, 12, 1536, 512),
    "xlm-r-base": EncoderConfig("roberta", ROWS, 768, 12, 12, 3072, 512, 2, 1),
    "xlm-r-large": EncoderConfig("roberta", ROWS, 1024, 24, 16, 4096, 512, 2, 1),
}


def random_windows(num_sentences: int, vocabulary: int, seed: int) -> Windows:
    """Sentences of log-normal length (median 18 subwords), two of three subwords begin a word."""
    rng = np.random.default_rng(seed)
    lengths = np.clip(rng.lognormal(np.log(18), 0.6, num_sentences).astype(int), 3, LONGEST)
    begins = rng.random(lengths.sum()) < 2 / 3
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    begins[offsets[:-1]] = True
    word_ids = np.where(begins, np.cumsum(begins) - 1, -1).astype(np.int32)
    token_ids = rng.integers(5, vocabulary, len(begins)).astype(np.int32)
    return Windows(token_ids, word_ids, offsets, int(begins.sum()), num_sentences)
