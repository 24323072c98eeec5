"""Measure time and memory of the reliability-weighted chain on planted votes, without a tagger.

python -m benchmarks.chain --words=1000000

The votes are float16 probabilities of sources with a planted truth; words are drawn from a
vocabulary by Zipf's law, in sentences of one length. Prints the seconds for fitting the label model
to the whole text and for one E step with a tagger (evidence, and three estimates of word types and
chain), and the memory that the fit needs besides the votes.
"""

from absl import flags

from benchmarks import measuring, planted_votes
from launch import options
from launch.options import FLAGS

flags.DEFINE_integer("words", 1_000_000, "Number of words.", 1)
flags.DEFINE_integer("sources", 5, "Number of sources.", 1)
flags.DEFINE_integer("labels", 17, "Number of labels.", 2)
flags.DEFINE_integer("sentence_words", 20, "Words per sentence.", 1)
flags.DEFINE_integer("vocabulary", 100_000, "Number of distinct words.", 1)
flags.DEFINE_integer("seed", 0, "Random seed.")


def main() -> None:
    """Fits once on the beginning of the text (to compile), then times the whole text."""
    from zsl_jax.training import chain_fit
    from zsl_jax.training.chain_inference import evidence
    from zsl_jax.training.chain_text import ChainText
    from zsl_jax.training.config import ChainConfig

    sizes = FLAGS.words, FLAGS.sources, FLAGS.labels, FLAGS.sentence_words, FLAGS.vocabulary
    text, labels, log_prior = planted_votes.planted_text(*sizes, seed=FLAGS.seed)
    config = ChainConfig()
    first = planted_votes.BLOCK // FLAGS.sentence_words
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


if __name__ == "__main__":
    options.run(main)
