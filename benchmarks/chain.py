"""Measure time and memory of the reliability-weighted chain on planted votes, without a tagger.

python -m benchmarks.chain --words=1000000

The votes are float16 probabilities of sources with a planted truth; words are drawn from a
vocabulary by Zipf's law, in sentences of one length. Prints the seconds for fitting the label model
to the whole text and for one E step with a tagger (evidence, and three estimates of word types and
chain), and the memory that the fit needs besides the votes.
"""

from typing import Any

import numpy as np
from absl import flags

from benchmarks import measuring
from benchmarks.planted_votes import planted, softened, tagger_log_prior
from launch import options
from launch.options import FLAGS

flags.DEFINE_integer("words", 1_000_000, "Number of words.", 1)
flags.DEFINE_integer("sources", 5, "Number of sources.", 1)
flags.DEFINE_integer("labels", 17, "Number of labels.", 2)
flags.DEFINE_integer("sentence_words", 20, "Words per sentence.", 1)
flags.DEFINE_integer("vocabulary", 100_000, "Number of distinct words.", 1)
flags.DEFINE_integer("seed", 0, "Random seed.")
BLOCK = 100_000
KEYS = 8, 100, 800, 5_000, 20_000  # shapes, and shapes with suffixes of one to four letters


def main() -> None:
    """Fits once on the beginning of the text (to compile), then times the whole text."""
    from zsl_jax.training import chain_fit
    from zsl_jax.training.chain_inference import evidence
    from zsl_jax.training.chain_text import ChainText
    from zsl_jax.training.config import ChainConfig

    sizes = FLAGS.words, FLAGS.sources, FLAGS.labels, FLAGS.sentence_words, FLAGS.vocabulary
    text, labels, log_prior = problem(*sizes, seed=FLAGS.seed)
    config = ChainConfig()
    first = BLOCK // FLAGS.sentence_words
    words = slice(0, min(first, len(text.lengths)) * FLAGS.sentence_words)
    start = ChainText(text.votes[words], text.lengths[:first], text.keys[words])
    chain_fit.fit_chain(start, labels, config)

    def e_step() -> None:
        scores = evidence(text, labels, fitted.sources, config) + log_prior
        chain_fit.chain_posterior(text, labels, config, scores, posterior.posterior.copy(), 2.0)

    def fit():
        return chain_fit.fit_chain(text, labels, config)

    (fitted, posterior), size = measuring.peak_memory(fit)
    fit_seconds = measuring.seconds(fit)
    print(f"machine: {measuring.machine()}")
    print(f"fit {fit_seconds:.1f} s, E step {measuring.seconds(e_step):.1f} s, {size / 1e6:.0f} MB")


def problem(
    num_words: int,
    num_sources: int,
    num_labels: int,
    sentence_words: int,
    vocabulary: int,
    seed: int,
):
    """The text, what is known about its labels, and a tagger's log-probabilities."""
    from zsl_jax.kernels import VoteMeanings
    from zsl_jax.training.chain_text import ChainLabels, ChainText

    num_words -= num_words % sentence_words
    rng = np.random.default_rng(seed)
    votes = planted(num_words, num_sources, num_labels, seed)
    starts = range(0, num_words, BLOCK)
    probs = np.concatenate(
        [softened(votes.labels[i : i + BLOCK], num_labels, rng).astype(np.float16) for i in starts]
    )
    form = np.minimum(rng.zipf(1.3, num_words) - 1, vocabulary - 1).astype(np.int32)
    keys = np.stack([*(form % size for size in KEYS), form], axis=1)
    lengths = np.full(num_words // sentence_words, sentence_words)
    stands_for: Any = np.eye(num_labels, dtype=np.float32)
    compatible: Any = np.tile(np.eye(num_labels) > 0, (num_sources, 1, 1))
    meanings = VoteMeanings(stands_for, compatible)
    labels = ChainLabels(
        meanings, np.ones(num_labels, bool), np.ones((num_labels, num_labels), bool)
    )
    return ChainText(probs, lengths, keys), labels, tagger_log_prior(votes.truth, num_labels, rng)


if __name__ == "__main__":
    options.run(main)
