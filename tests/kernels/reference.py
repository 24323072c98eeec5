"""Float64 NumPy oracle: the formulas of the method, word by word, source by source, label by label.

Nothing is vectorised or stabilised here, so that each function can be read against the paper.
"""

import itertools

import numpy as np


def log_confusion_from_logits(logits):
    logits = np.asarray(logits, np.float64)
    result = np.zeros_like(logits)
    for u, matrix in enumerate(logits):
        for y in range(matrix.shape[1]):
            result[u, :, y] = np.log(np.exp(matrix[:, y]) / np.sum(np.exp(matrix[:, y])))
    return result


def logits_of_meaning(temperature, compatible):
    num_source_labels, num_labels = compatible.shape
    logits = np.full(compatible.shape, -np.inf)
    has_any = compatible.any()
    for v, y in np.ndindex(num_source_labels, num_labels):
        if has_any and not compatible[v].any():
            continue
        if np.isinf(temperature):
            logits[v, y] = 0 if compatible[v, y] or not compatible[:, y].any() else -np.inf
        else:
            logits[v, y] = temperature if compatible[v, y] else 0
    return logits


def mix_log_confusion(log_fixed, log_trainable, mix):
    return np.log(mix * np.exp(log_fixed) + (1 - mix) * np.exp(log_trainable))


def hard_likelihoods(labels, confusion):
    (num_words, num_sources), num_labels = labels.shape, confusion.shape[-1]
    result = np.ones((num_words, num_sources, num_labels))
    for n, u in np.ndindex(num_words, num_sources):
        if labels[n, u] >= 0:
            for y in range(num_labels):
                result[n, u, y] = confusion[u, labels[n, u], y]
    return result


def soft_likelihoods(probs, confusion):
    num_words, num_sources, num_source_labels = probs.shape
    num_labels = confusion.shape[-1]
    result = np.ones((num_words, num_sources, num_labels))
    for n, u in np.ndindex(num_words, num_sources):
        if probs[n, u].any():
            for y in range(num_labels):
                result[n, u, y] = sum(
                    float(probs[n, u, p]) * confusion[u, p, y] for p in range(num_source_labels)
                )
    return result


def joint(prior, likelihoods, source_weight, prior_weight):
    result = np.zeros(prior.shape)
    for n, y in np.ndindex(*prior.shape):
        result[n, y] = prior[n, y] ** prior_weight
        for u, weight in enumerate(source_weight):
            result[n, y] *= likelihoods[n, u, y] ** weight
    return result


def posterior(joint_probs):
    return np.array([row / row.sum() for row in joint_probs])


def expected_counts(q, evidence, mask):
    num_words, num_sources, num_source_labels = evidence.shape
    num_labels = q.shape[-1]
    counts = np.zeros((num_sources, num_source_labels, num_labels))
    for n, u, p, y in np.ndindex(num_words, num_sources, num_source_labels, num_labels):
        if mask[n]:
            counts[u, p, y] += q[n, y] * evidence[n, u, p]
    return counts


def likelihood_weighted_counts(q, probs, confusion, mask):
    likelihoods = soft_likelihoods(probs, confusion)
    counts = np.zeros(confusion.shape)
    for n, u, p, y in np.ndindex(len(probs), *confusion.shape):
        if mask[n]:
            share = probs[n, u, p] * confusion[u, p, y] / likelihoods[n, u, y]
            counts[u, p, y] += q[n, y] * share
    return counts


def closed_form_confusion(counts, initial, pseudo_count):
    result = np.zeros(counts.shape)
    num_sources, _, num_labels = counts.shape
    for u, y in np.ndindex(num_sources, num_labels):
        column = pseudo_count * num_labels * initial[u, :, y] + counts[u, :, y]
        result[u, :, y] = column / column.sum() if column.sum() > 0 else initial[u, :, y]
    return result


def total_variation(first, second):
    num_sources, _, num_labels = first.shape
    return np.array(
        [
            np.mean(
                [0.5 * np.abs(first[u, :, y] - second[u, :, y]).sum() for y in range(num_labels)]
            )
            for u in range(num_sources)
        ]
    )


def negative_log_marginal(joint_probs, mask):
    return sum(-np.log(row.sum()) for row, kept in zip(joint_probs, mask, strict=True) if kept)


def bound(q, joint_probs, mask):
    total = 0.0
    for n, y in np.ndindex(*q.shape):
        if mask[n] and q[n, y] > 0:
            total += q[n, y] * (np.log(q[n, y]) - np.log(joint_probs[n, y]))
    return total


def m_step_loss(q, joint_probs, mask):
    return -sum(
        q[n, y] * np.log(joint_probs[n, y]) for n, y in np.ndindex(*q.shape) if mask[n] and q[n, y]
    )


def squared_error(target, prior, mask):
    return sum((target[n, y] - prior[n, y]) ** 2 for n, y in np.ndindex(*prior.shape) if mask[n])


def entropy(q, mask):
    return -sum(
        q[n, y] * np.log(q[n, y]) for n, y in np.ndindex(*q.shape) if mask[n] and q[n, y] > 0
    )


def majority_vote(labels, probs, num_labels):
    result = []
    for n, row in enumerate(labels):
        votes = [int(np.sum(row == label)) for label in range(num_labels)]
        tied = [label for label in range(num_labels) if votes[label] == max(votes)]
        if not max(votes):
            result.append(-1)
            continue
        if probs is not None:
            score = [probs[n, :, label].sum() for label in range(num_labels)]
            tied = [label for label in tied if score[label] == max(score[other] for other in tied)]
        result.append(next(int(label) for label in row if label in tied))
    return np.array(result)


def mean_probs(probs):
    rows = []
    for word in probs:
        speaking = [row for row in word if row.any()]
        uniform = np.full(probs.shape[-1], 1 / probs.shape[-1])
        rows.append(np.mean(speaking, axis=0) if speaking else uniform)
    return np.array(rows)


def dawid_skene(labels, num_labels, iterations, pseudo_count):
    num_words, num_sources = labels.shape
    evidence = np.zeros((num_words, num_sources, num_labels))
    for n, u in np.ndindex(num_words, num_sources):
        if labels[n, u] >= 0:
            evidence[n, u, labels[n, u]] = 1
    voted = (labels >= 0).any(axis=1)
    q = mean_probs(evidence)
    uniform = np.full((num_sources, num_labels, num_labels), 1 / num_labels)
    for _ in range(iterations):
        prior = q[voted].sum(axis=0) + pseudo_count
        prior /= prior.sum()
        counts = expected_counts(q, evidence, voted)
        confusion = closed_form_confusion(counts, uniform, pseudo_count)
        rows = np.tile(prior, (num_words, 1))
        q = posterior(joint(rows, hard_likelihoods(labels, confusion), np.ones(num_sources), 1))
    return q, prior, confusion


def bayesian_dawid_skene(labels, num_labels, iterations, prior_count):
    """Sums over words and sources one by one; digamma by its series, not by a library."""
    num_words, num_sources = labels.shape
    shares = np.full((num_words, num_labels), 1 / num_labels)
    for n, row in enumerate(labels):
        if (row >= 0).any():
            shares[n] = np.bincount(row[row >= 0], minlength=num_labels) / (row >= 0).sum()
    q, voted = shares, (labels >= 0).any(axis=1)
    for _ in range(iterations):
        mass = prior_count + q[voted].sum(axis=0)
        prior = digamma(mass) - digamma(mass.sum())
        counts = np.full((num_sources, num_labels, num_labels), float(prior_count))
        for n, u in np.ndindex(num_words, num_sources):
            if labels[n, u] >= 0:
                counts[u, labels[n, u]] += q[n]
        confusion = digamma(counts) - digamma(counts.sum(axis=1, keepdims=True))
        scores = np.tile(prior, (num_words, 1))
        for n, u in np.ndindex(num_words, num_sources):
            if labels[n, u] >= 0:
                scores[n] += confusion[u, labels[n, u]]
        q = np.exp(scores - scores.max(axis=1, keepdims=True))
        q /= q.sum(axis=1, keepdims=True)
    return q, prior, confusion


def digamma(x):
    """ψ(x) = ψ(x + 10) - Σ 1 / (x + i), and its asymptotic series there."""
    shift = sum(1 / (np.asarray(x, float) + i) for i in range(10))
    y = np.asarray(x, float) + 10
    series = 1 / (12 * y**2) - 1 / (120 * y**4) + 1 / (252 * y**6) - 1 / (240 * y**8)
    return np.log(y) - 1 / (2 * y) - series - shift


def viterbi(log_probs, starts, may_start, may_follow, may_end):
    """Best score of each sentence over all label sequences; None where none is allowed."""
    bounds = [*np.flatnonzero(starts), len(starts)]
    best = []
    for first, last in itertools.pairwise(bounds):
        scores = [
            sum(log_probs[first + place, label] for place, label in enumerate(labels))
            for labels in itertools.product(range(len(may_start)), repeat=last - first)
            if may_start[labels[0]]
            and may_end[labels[-1]]
            and all(may_follow[pair] for pair in itertools.pairwise(labels))
        ]
        best.append(max(scores) if scores else None)
    return best
