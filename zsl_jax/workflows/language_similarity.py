"""Weights of sources by the similarity of their languages to the target's (Wu et al., 2020).

Qianhui Wu, Zijia Lin, Börje Karlsson, Jian-Guang Lou, Biqing Huang, [Single-/Multi-Source
Cross-Lingual NER via Teacher-Student Learning on Unlabeled Data in Target
Language](https://aclanthology.org/2020.acl-main.581), ACL 2020. A bilinear score of a sentence and
a language is learned by telling the sources' sentences apart; a source weighs what its language
gets of the target's sentences. Here a sentence is the mean of the encoder's last hidden states
(before a final normalisation, if it has one), which are standardised and not trained.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Float, Int
from scipy.special import softmax

from zsl_jax.data.predictions.source_predictions import (
    SourcePredictions,
    one_hot_rows,
    predictions_of_probs,
)
from zsl_jax.training.config import TrainConfig
from zsl_jax.types import Sentence
from zsl_jax.workflows.frozen_cache import precompute_frozen
from zsl_jax.workflows.loaded_tagger import LoadedTagger, encode_text, load_tagger


class SimilarityTraining(NamedTuple):
    """How the similarity is learned.

    Attributes:
      size: m, dimensions of a language's embedding.
      steps: Steps of Adam on all sentences.
      learning_rate: Of Adam.
      orthogonality: γ, weight of ‖μ μᵀ − I‖², which keeps the languages apart.
    """

    size: int = 64
    steps: int = 200
    learning_rate: float = 0.01
    orthogonality: float = 0.01


DEFAULT = SimilarityTraining()


def similarity_weights(
    encoder: str,
    source_texts: Mapping[str, Sequence[Sentence]],
    text: Sequence[Sentence],
    config: TrainConfig,
    cache: Path,
) -> Float[np.ndarray, " U"]:
    """The share that each source's language gets of the target's sentences; they sum to 1.

    Args:
      encoder: Folder or hub name.
      source_texts: Sentences of each source's language.
      text: Sentences of the target.
      config: Its row length, data type and seed are used.
      cache: Folder that keeps the encoder's hidden states.
    """
    if len(source_texts) == 1:
        return np.ones(1)
    tagger = load_tagger(encoder)
    own = [sentence_vectors(tagger, given, config, cache) for given in source_texts.values()]
    languages = np.repeat(np.arange(len(own)), [len(vectors) for vectors in own])
    target = sentence_vectors(tagger, text, config, cache)
    return shares_of_languages(np.concatenate(own), languages, target, config.seed)


def sentence_vectors(
    tagger: LoadedTagger, sentences: Sequence[Sentence], config: TrainConfig, cache: Path
) -> Float[np.ndarray, "B H"]:
    """The mean of the encoder's last hidden states over the subwords of each sentence (window)."""
    windows = encode_text(tagger, sentences, config.row_length)
    whole = dataclasses.replace(config, trainable_layers=0)
    states = precompute_frozen(tagger, [windows], whole, cache).states
    assert states is not None
    sums = np.add.reduceat(np.asarray(states, np.float64), windows.offsets[:-1], axis=0)
    return sums / np.diff(windows.offsets)[:, None]


def shares_of_languages(
    vectors: Float[np.ndarray, "M H"],
    languages: Int[np.ndarray, " M"],
    target: Float[np.ndarray, "B H"],
    seed: int,
    training: SimilarityTraining = DEFAULT,
) -> Float[np.ndarray, " U"]:
    """Learns to tell the languages of sentences apart, and applies that to the target's.

    s(x, u) = g(x)ᵀ M μ_u is trained by cross-entropy over u; a source weighs the mean over the
    target's sentences of softmax_u(s(x, u) / t), where t is the variance of all these scores.

    Args:
      vectors: [M, H], g of the sources' sentences.
      languages: [M], numbers of their languages, from 0.
      target: [B, H], g of the target's sentences.
      seed: Of the first M and μ.
      training: How they are learned.
    """
    mean, scale = vectors.mean(axis=0), vectors.std(axis=0) + 1e-6
    matrix, embeddings = _learned((vectors - mean) / scale, languages, seed, training)
    scores = (target - mean) / scale @ matrix @ embeddings.T
    return softmax(scores / max(float(scores.var()), 1e-6), axis=1).mean(axis=0)


def _learned(
    vectors: Float[np.ndarray, "M H"],
    languages: Int[np.ndarray, " M"],
    seed: int,
    training: SimilarityTraining,
) -> tuple[Float[np.ndarray, "H m"], Float[np.ndarray, "U m"]]:
    """M and the languages' embeddings μ."""
    rng, count = np.random.default_rng(seed), int(languages.max()) + 1
    shapes = ((vectors.shape[1], training.size), (count, training.size))
    start = [
        jnp.asarray(rng.normal(0, size**-0.5, (size, width)), jnp.float32) for size, width in shapes
    ]
    optimizer = optax.adam(training.learning_rate)

    def objective(params: list[jax.Array]) -> jax.Array:
        matrix, embeddings = params
        scores = vectors @ matrix @ embeddings.T
        losses = optax.softmax_cross_entropy_with_integer_labels(scores, languages)
        apart = embeddings @ embeddings.T - jnp.eye(count)
        return losses.mean() + training.orthogonality * (apart**2).sum()

    def step(carry: tuple, _: None) -> tuple[tuple, None]:
        params, state = carry
        updates, state = optimizer.update(jax.grad(objective)(params), state)
        return (optax.apply_updates(params, updates), state), None

    first = (start, optimizer.init(start))
    ((matrix, embeddings), _), _ = jax.lax.scan(step, first, length=training.steps)
    return np.asarray(matrix), np.asarray(embeddings)


def weighted_mean(
    predictions: Mapping[str, SourcePredictions], weights: Float[np.ndarray, " U"]
) -> SourcePredictions:
    """The weighted mean of the sources' probabilities, as one source.

    Args:
      predictions: Of all sources, for one text; a source that abstains from a word has no weight
        there.
      weights: [U], in the same order.
    """
    found = list(predictions.values())
    names = tuple(sorted({name for made in found for name in made.label_names}))
    table = np.zeros((len(found[0].labels), len(names)))
    for made, weight in zip(found, weights, strict=True):
        probs = made.probs
        if probs is None:
            probs = one_hot_rows(made.labels, len(made.label_names))
        columns = [names.index(name) for name in made.label_names]
        table[:, columns] += weight * np.asarray(probs, np.float64)
    totals = table.sum(axis=1, keepdims=True)
    table = np.divide(table, totals, out=table, where=totals > 0)
    return predictions_of_probs(names, table.astype(np.float32), found[0].words)
