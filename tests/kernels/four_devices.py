"""Kernels on four devices against the same on one; prints the largest difference of each as JSON.

Run with XLA_FLAGS=--xla_force_host_platform_device_count=4. `jax.shard_map` has its default checks.
"""

import functools
import json

import jax
import numpy as np
from jax import lax
from jax.sharding import NamedSharding
from jax.sharding import PartitionSpec as P

from zsl_jax import kernels

DEVICES, R, S, U, K = 4, 8, 5, 3, 4
N = R * S
RNG = np.random.default_rng(0)
LABELS = RNG.integers(-1, K, (N, U)).astype(np.int32)
PROBS = (RNG.dirichlet(np.ones(K), (N, U)) * (LABELS >= 0)[..., None]).astype(np.float32)
LOG_PRIOR = np.log(RNG.dirichlet(np.ones(K), N)).astype(np.float32)
CONFUSION = np.log(RNG.dirichlet(np.ones(K), (U, K)).swapaxes(1, 2)).astype(np.float32)
MASK = RNG.random(N) < 0.8
STARTS = np.arange(N) % S == 0
TRANSITIONS = RNG.dirichlet(np.ones(K), K).astype(np.float32)
EVEN = np.full(K, 1 / K, np.float32)
IDENTITY = np.eye(K, dtype=np.float32)
MEANINGS = kernels.VoteMeanings(IDENTITY, np.stack([IDENTITY > 0] * U))
WEIGHTS = np.full((U, K), 1 / U, np.float32)
SOURCES = kernels.SourceReliability(
    CONFUSION, np.ones(U, np.float32), np.full((U, K), 1 / K, np.float32), WEIGHTS, EVEN
)
STATE = kernels.ChainState((RNG.random((7, K)).astype(np.float32),), EVEN, EVEN, TRANSITIONS)
SUMS = kernels.TextSums(STATE.type_counts, TRANSITIONS, EVEN, EVEN)
ROWS = LOG_PRIOR.reshape(R, S, K)
ROW_MASK, ROW_STARTS = MASK.reshape(R, S), STARTS.reshape(R, S)
KEYS = RNG.integers(-1, 7, (R, S, 1)).astype(np.int32)
NONE = np.full((R, S), -1, np.int32)
ALLOWED = np.triu(np.ones((K, K), bool))
WORDS, SAME = P("data"), P()
MARGINALS = kernels.ChainMarginals(WORDS, SAME, SAME, SAME)


def psum(function):
    """The function's sums, added up over the devices where there are several."""
    return lambda axis, *words: lax.psum(function(*words), axis) if axis else function(*words)


PAIRS = functools.partial(kernels.pair_sums, num_source_labels=K)
# name: (function of the axis and the arrays of words, these arrays, the results' specs)
CASES = {
    "dawid_skene": (
        lambda axis, v: kernels.dawid_skene(v, K, axis_name=axis),
        (LABELS,),
        kernels.DawidSkene(WORDS, SAME, SAME, SAME),
    ),
    "bayesian_dawid_skene": (
        # Rounding may end the rounds one earlier or later: a fixed number of them is compared.
        lambda axis, v: kernels.bayesian_dawid_skene(
            v, K, max_iterations=20, tolerance=0.0, axis_name=axis
        ),
        (LABELS,),
        kernels.DawidSkene(WORDS, SAME, SAME, SAME),
    ),
    "summarise_votes": (
        lambda _, v, p: kernels.summarise_votes(v, p, K),
        (LABELS, PROBS),
        kernels.VoteSummary(WORDS, WORDS, WORDS),
    ),
    "label_model_posterior": (
        lambda _, v: kernels.label_model_posterior(v, EVEN, CONFUSION),
        (LABELS,),
        WORDS,
    ),
    "log_joint of labels": (
        lambda _, p, v: kernels.log_joint(p, v, CONFUSION),
        (LOG_PRIOR, LABELS),
        WORDS,
    ),
    "log_joint of probabilities": (
        lambda _, p, v: kernels.log_joint(p, v, CONFUSION),
        (LOG_PRIOR, PROBS),
        WORDS,
    ),
    "posterior_and_objective": (
        lambda axis, p, m: kernels.posterior_and_objective(p, m, axis_name=axis),
        (LOG_PRIOR, MASK),
        kernels.PosteriorAndObjective(WORDS, SAME, SAME),
    ),
    "m_step_loss": (psum(kernels.m_step_loss), (np.exp(LOG_PRIOR), LOG_PRIOR, MASK), SAME),
    "expected_counts": (psum(kernels.expected_counts), (np.exp(LOG_PRIOR), LABELS, MASK), SAME),
    "reliability_sums": (
        psum(lambda v, m: kernels.reliability_sums(v, m, WEIGHTS, MEANINGS)),
        (LABELS, MASK),
        SAME,
    ),
    "near_copies": (
        lambda axis, v, m: kernels.near_copies(
            kernels.pairwise_agreement(psum(PAIRS)(axis, v, m)) ** 0.1
        ),
        (LABELS, MASK),
        SAME,
    ),
    "label_sums": (
        psum(lambda p, v, m: kernels.label_sums(p, v, m, CONFUSION)),
        (LOG_PRIOR, LABELS, MASK),
        SAME,
    ),
    "source_agreement": (
        psum(lambda q, v, m: kernels.source_agreement(q, v, MEANINGS.compatible, m)),
        (np.exp(LOG_PRIOR), LABELS, MASK),
        SAME,
    ),
    "log_evidence": (
        lambda _, v: kernels.log_evidence(v, SOURCES, IDENTITY),
        (PROBS,),
        WORDS,
    ),
    "viterbi": (
        lambda _, p, s: kernels.viterbi(p, s, ALLOWED[0], ALLOWED, ALLOWED[:, -1]),
        (LOG_PRIOR, STARTS),
        WORDS,
    ),
    "chain_viterbi": (
        lambda _, p, s, m: kernels.chain_viterbi(p, s, m, EVEN, TRANSITIONS),
        (LOG_PRIOR, STARTS, MASK),
        WORDS,
    ),
    "chain_marginals": (
        lambda axis, p, s, m: kernels.chain_marginals(p, s, m, EVEN, TRANSITIONS, axis_name=axis),
        (LOG_PRIOR, STARTS, MASK),
        MARGINALS,
    ),
    "chain_posterior": (
        lambda axis, p, k, s, m, g: kernels.chain_posterior(
            p, p * 0, k, s, m, g, STATE, 1.0, axis_name=axis
        ),
        (ROWS, KEYS, ROW_STARTS, ROW_MASK, NONE),
        MARGINALS,
    ),
    "chain_best_labels": (
        lambda _, p, k, s, m, g: kernels.chain_best_labels(p, p * 0, k, s, m, g, STATE, 1.0),
        (ROWS, KEYS, ROW_STARTS, ROW_MASK, NONE),
        WORDS,
    ),
    "added_text_sums": (
        lambda axis, q, k, s, m: kernels.added_text_sums(SUMS, q, k, s, m, axis_name=axis),
        (np.exp(ROWS), KEYS, ROW_STARTS, ROW_MASK),
        SAME,
    ),
}


def on_four_devices(function, words, specs):
    """The function under `jax.shard_map`, words spread over the devices."""
    mesh = jax.make_mesh((DEVICES,), ("data",))
    placed = [jax.device_put(array, NamedSharding(mesh, WORDS)) for array in words]
    mapped = jax.shard_map(
        lambda *local: function("data", *local),
        mesh=mesh,
        in_specs=(WORDS,) * len(words),
        out_specs=specs,
    )
    return jax.jit(mapped)(*placed)


def on_four_devices_by_pmap(function, words):
    """The function under `jax.pmap`: results of every device, one after the other."""
    split = [array.reshape(DEVICES, -1, *array.shape[1:]) for array in words]
    return jax.pmap(lambda *local: function("data", *local), axis_name="data")(*split)


def distance(first, second):
    """The largest difference of two trees of arrays."""
    pairs = zip(jax.tree.leaves(first), jax.tree.leaves(second), strict=True)
    return max(
        float(np.max(np.abs(np.asarray(a, float) - np.asarray(b, float)), initial=0))
        for a, b in pairs
    )


def main():
    """Runs every case."""
    assert jax.device_count() == DEVICES
    differences = {}
    for name, (function, words, specs) in CASES.items():
        alone = function(None, *words)
        differences[name] = distance(on_four_devices(function, words, specs), alone)
    function, words, _ = CASES["dawid_skene"]
    of_devices = on_four_devices_by_pmap(function, words)
    alone = function(None, *words)
    joined = of_devices._replace(posterior=of_devices.posterior.reshape(N, K))
    same = alone._replace(
        **{name: np.stack([getattr(alone, name)] * DEVICES) for name in alone._fields[1:]}
    )
    differences["dawid_skene by pmap"] = distance(joined, same)
    # Without an axis name, every device fits a model to its own words.
    own = on_four_devices(lambda _, v: kernels.dawid_skene(v, K).posterior, (LABELS,), WORDS)
    by_hand = [kernels.dawid_skene(part, K).posterior for part in np.split(LABELS, DEVICES)]
    differences["dawid_skene of own words"] = distance(own, np.concatenate(by_hand))
    print(json.dumps(differences))


if __name__ == "__main__":
    jax.config.update("jax_platforms", "cpu")
    main()
