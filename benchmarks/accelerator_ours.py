"""Our M step, E step and prediction on random weights, for `benchmarks.accelerator`."""

import functools
import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np

from benchmarks import random_text
from benchmarks.measuring import Speed, speed_of, useful_flops
from zsl_jax.models.encoder_config import EncoderConfig
from zsl_jax.training import setup, steps
from zsl_jax.training.config import JointWeights, TrainConfig
from zsl_jax.training.devices import all_devices
from zsl_jax.training.e_step import predict_log_prior
from zsl_jax.training.schedules import schedule_at
from zsl_jax.training.update import Evidence, tagger
from zsl_jax.workflows.corpus_batches import training_corpus
from zsl_jax.workflows.size_defaults import with_head_rate

NUM_SOURCES, ROW_LENGTH = 5, 128


def measure(shape: str, num_sentences: int, config: TrainConfig, seconds: float) -> Iterator[Speed]:
    """Yields the speed of each of the three stages as soon as it is known.

    Args:
      shape: A key of `random_text.SHAPES`.
      num_sentences: Sentences of the text.
      config: Batch size, dropout, data type and what saves memory.
      seconds: Time for each stage.
    """
    encoder = setup.with_dropout(config, random_text.SHAPES[shape])
    windows = random_text.random_windows(num_sentences, encoder.vocab_size, config.seed)
    params = _random_params(encoder, config.seed)
    corpus = training_corpus([windows], config, ROW_LENGTH, all_devices(config.partition))
    flops = useful_flops(encoder, windows.lengths)
    m_step = _m_step(encoder, params, corpus, config)
    yield _measured(speed_of("M step", m_step, seconds, flops / windows.num_words))
    dtype = setup.activations_dtype(config)
    for name, posterior, own in (("E step", True, dtype), ("annotate, predict", False, "float32")):
        run = functools.partial(_label, encoder, params, corpus, own, posterior)
        yield _measured(speed_of(name, run, seconds, flops / 3 / windows.num_words))


def _measured(speed: Speed) -> Speed:
    memory = (jax.local_devices()[0].memory_stats() or {}).get("peak_bytes_in_use")
    return speed._replace(program="ours", peak_memory=memory)


def matmul_peak(size: int, dtype: str, seconds: float) -> float:
    """Best speed of a product of two square matrices, in FLOP/s.

    The numbers are random: products of equal ones need less power, and are faster than real ones.
    """
    product = jax.jit(lambda a, b: a @ b)
    left, right = (jax.random.normal(jax.random.key(n), (size, size), dtype) for n in range(2))
    jax.block_until_ready(product(left, right))
    best, end = 0.0, time.perf_counter() + seconds
    while not best or time.perf_counter() < end:
        start = time.perf_counter()
        jax.block_until_ready([product(left, right) for _ in range(4)])
        best = max(best, 4 * 2.0 * size**3 / (time.perf_counter() - start))
    return best


def device() -> str:
    """The device's kind and JAX's version."""
    return f"{jax.local_devices()[0].device_kind}, jax {jax.__version__}"


def _random_params(encoder: EncoderConfig, seed: int) -> Any:
    """Parameters of the real shapes: matrices ~ N(0, 0.02²), scales 1, biases 0."""
    zeros = np.zeros((1, 8), np.int32)
    module = tagger(encoder, random_text.NUM_LABELS)
    shapes = jax.eval_shape(lambda: module.init(jax.random.key(0), zeros, zeros, zeros, True))
    rng = np.random.default_rng(seed)

    def draw(path, leaf):
        name = path[-1].key
        if name in ("scale", "bias"):
            return np.full(leaf.shape, name == "scale", np.float32)
        return 0.02 * rng.standard_normal(leaf.shape, np.float32)

    return jax.tree_util.tree_map_with_path(draw, shapes["params"])


def _m_step(encoder: EncoderConfig, params, corpus, config: TrainConfig) -> Callable[[], int]:
    devices = all_devices(config.partition)
    settings = setup.step_settings(config, encoder, random_text.NUM_LABELS)
    no_sources = np.zeros((0, random_text.NUM_LABELS, random_text.NUM_LABELS), np.float32)
    state = devices.replicate(setup.init_state(params, no_sources, config))
    epoch = corpus.epoch(0)
    batches = itertools.cycle([epoch[number] for number in range(len(epoch))])
    rates = schedule_at(0.1, with_head_rate(config, encoder.hidden_size))
    rows = np.eye(random_text.NUM_LABELS, dtype=np.float32)

    def run() -> int:
        nonlocal state
        words = 0
        for batch in itertools.islice(batches, 4):
            target = rows[batch.word_ids.reshape(-1) % random_text.NUM_LABELS]
            evidence = Evidence(target, None, None)
            state, info = steps.update(devices, settings, state, batch, evidence, rates)
            words += int((batch.word_ids >= 0).sum())
        jax.block_until_ready(info)
        return words

    return run


def _label(encoder: EncoderConfig, params, corpus, dtype: str, posterior: bool) -> int:
    """log P of the text; with `posterior`, also Q from it and five soft sources."""
    devices, labels = all_devices().local, random_text.NUM_LABELS
    about = (encoder, labels, dtype)
    ready = devices.replicate(params)
    words = predict_log_prior(devices, about, ready, corpus.in_order, corpus.num_words)
    if posterior:
        votes = np.full((len(words), NUM_SOURCES, labels), 1 / labels, np.float32)
        confusion = np.full((NUM_SOURCES, labels, labels), -np.log(labels), np.float32)
        mask = np.ones(len(words), bool)
        result = steps.expectation(
            JointWeights(), words, votes, words, mask, confusion, False, hard=False
        )
        jax.block_until_ready(result)
    return corpus.num_words
