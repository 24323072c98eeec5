"""Float64 NumPy oracle of the label model with reliability, word types and a chain.

Word by word and source by source, with every sum over label sequences taken over all of them one by
one, so sentences must be short. Nothing is stabilised.
"""

import functools
import itertools
from collections import defaultdict
from typing import NamedTuple

import numpy as np

SOURCE_WEIGHT, SCALE, POWER, IDENTITY, BACK_OFF, PASSES = 0.35, 0.25, 4, 0.1, 10.0, 3
STEPS = 0.1  # added to every count of steps
RAREST_STEP = 1e-20  # what the tagging scheme forbids happens where nothing else is possible


class Text(NamedTuple):
    sentences: list  # of lists of words
    probs: np.ndarray  # [N, U, V], all-zero rows abstain
    gold: np.ndarray  # [N], -1 where no label is known
    suffixes: tuple = (3,)  # lengths of those that are keys


class Labels(NamedTuple):
    stands_for: np.ndarray  # [V, K]
    compatible: np.ndarray  # [U, V, K]
    may_start: np.ndarray  # [K]
    may_follow: np.ndarray  # [K, K]


class Sources(NamedTuple):
    confusion: np.ndarray  # [U, V, K]
    trust: np.ndarray  # [U]
    frequency: np.ndarray  # [U, V]
    weights: np.ndarray  # [U, K]
    mean: np.ndarray  # [K]


class Types(NamedTuple):
    """What the words of a text say about each other."""

    tables: list  # for each level, key -> [K]
    prior: np.ndarray  # [K]
    start: np.ndarray  # [K]
    transitions: np.ndarray  # [K, K]


class Fitted(NamedTuple):
    sources: Sources
    kappa: np.ndarray
    types: Types
    posterior: np.ndarray
    log_marginal: float


def given_label(row):
    return int(row.argmax()) if row.any() else -1


def speakers(rows):
    return [u for u, row in enumerate(rows) if row.any()]


def weighted_mean(rows, weights, copies=None):
    """r of one word, from the target's labels of each source; zeros where nobody speaks.

    For leaving a source out, `copies` [U] has how far each source is a copy of it.
    """
    mean = np.zeros(rows.shape[-1])
    kept = np.ones(len(rows)) if copies is None else 1 - copies
    chosen = [u for u in speakers(rows) if kept[u] > 0]
    for y in range(rows.shape[-1]) if chosen else ():
        shares = [kept[u] * (weights[u, y] + 1e-15) for u in chosen]
        voices = [1 if rows[u].sum() > 0.5 else rows[u].sum() for u in chosen]
        mean[y] = np.dot(shares, [rows[u, y] for u in chosen]) / np.dot(shares, voices)
    return mean


def in_target(probs, stands_for):
    return np.array([[row @ stands_for for row in word] for word in probs])


def normalised(row):
    return row / row.sum() if row.sum() > 0 else row


def agreement(probs, weights, stands_for, compatible, mask, copies=None):
    """For each source: agreed, number of words, others [K], own [V], words of silence."""
    rows, (num_sources, num_source_labels, num_labels) = (
        in_target(probs, stands_for),
        compatible.shape,
    )
    copies = np.eye(num_sources) if copies is None else copies
    result = []
    for u in range(num_sources):
        agreed, words, others, own = 0.0, 0, np.zeros(num_labels), np.zeros(num_source_labels)
        silent = 0
        for n in np.flatnonzero(mask):
            q = normalised(weighted_mean(rows[n], weights, copies[u]))
            if rows[n, u].sum() > 0.5 and q.any():
                label = given_label(probs[n, u])
                agreed += sum(q[y] for y in range(num_labels) if compatible[u, label, y])
                words, others = words + 1, others + q
                own[label] += 1
            silent += probs[n, u].any() and rows[n, u].sum() <= 0.5
        result.append((agreed, words, others, own, silent))
    return result


def kappa(sums, compatible):
    values = []
    for (agreed, words, others, own, _), meaning in zip(sums, compatible, strict=True):
        if not words:
            values.append(None)
            continue
        pairs = zip(*np.nonzero(meaning), strict=True)
        chance = sum(own[v] / words * others[y] / words for v, y in pairs)
        beyond = (agreed / words - chance) / (1 - chance) if chance < 1 else 0.0
        values.append(min(max(beyond, 0.0), 1.0))
    known = [value for value in values if value is not None]
    mean = np.mean(known or [1.0])
    result = []
    for value, (_, words, _, _, silent) in zip(values, sums, strict=True):
        drawn = 1000 * silent / max(silent + words, 1)
        result.append(mean if value is None else (words * value + drawn * mean) / (words + drawn))
    return np.array(result)


def pairwise_agreement(labels, num_source_labels):
    """κ of each two sources, from labels [N, U], with ten words without agreement added."""
    num_sources = labels.shape[1]
    result = np.zeros((num_sources, num_sources))
    for u, v in np.ndindex(*result.shape):
        both = (labels[:, u] >= 0) & (labels[:, v] >= 0)
        first, second = labels[both, u], labels[both, v]
        chance = 0.0
        for label in range(num_source_labels):
            chance += (first == label).sum() * (second == label).sum() / max(len(first), 1)
        beyond = max((first == second).sum() - chance, 0)
        result[u, v] = beyond / (len(first) - chance + 10)
    return result


def near_copies(pairs):
    """s of each two sources from their κ, pair by pair."""
    num_sources = len(pairs)
    copies, mean = np.where(np.eye(num_sources), 1, pairs**8), np.ones(num_sources)
    for _ in range(10):
        weights = np.array([mean**POWER / copies.sum(axis=1) * (1 - row) for row in copies])
        mean = np.array(
            [(w @ row + 1e-3) / (w.sum() + 1e-3) for w, row in zip(weights, pairs, strict=True)]
        )
        for u, v in np.ndindex(*pairs.shape):
            chance = mean[u] * mean[v]
            dependence = (pairs[u, v] - chance) / (1 - chance) if chance < 1 else 0
            copies[u, v] = 1 if u == v else min(max((dependence - 0.7) / 0.15, 0), 1)
    return copies


def confusion(counts, compatible, share, pseudo_count):
    """σ of one source; the pseudo-count is that of each cell."""
    has = compatible.any(axis=1) | (counts > 0).any(axis=1)
    has = has if has.any() else ~has
    result = np.zeros(counts.shape)
    for y in range(counts.shape[1]):
        column = (counts[:, y] + pseudo_count) * has
        meant = compatible[:, y] if compatible[:, y].any() else compatible.any(axis=1)
        meant = meant if meant.any() else np.ones(len(meant), bool)
        result[:, y] = (1 - share) * normalised(column) + share * meant / meant.sum()
    return result


def f_scores(matrices, prior, compatible):
    result = np.zeros((len(matrices), len(prior)))
    for u, y in np.ndindex(*result.shape):
        meant = compatible[u, :, y]
        recall = matrices[u, meant, y].sum()
        given = (matrices[u, meant] @ prior).sum()
        precision = recall * prior[y] / given if given > 0 else 0.0
        result[u, y] = 2 * recall * precision / (recall + precision + 1e-9)
    return result


def reliability(f, agreement_beyond_chance, copies=None):
    weights = f**2 * (agreement_beyond_chance[:, None] + 1e-3) ** POWER
    if copies is not None:
        weights = weights / copies.sum(axis=1)[:, None]
    return weights / weights.sum(axis=0)


def counts_under(q, probs):
    """[U, V, K] and [K], over the words on which some source speaks."""
    counts, mass = np.zeros((*probs.shape[1:], q.shape[1])), np.zeros(q.shape[1])
    for row, word in zip(q, probs, strict=True):
        if word.any():
            mass += row
            for u in speakers(word):
                counts[u, given_label(word[u])] += row
    return counts, mass


def weights_from(counts, mass, values, compatible, confusion_count, prior_count, copies=None):
    matrices = [
        confusion(c, m, 0.0, confusion_count) for c, m in zip(counts, compatible, strict=True)
    ]
    return reliability(
        f_scores(np.array(matrices), normalised(mass + prior_count), compatible), values, copies
    )


def matrices_from(counts, compatible):
    small = 0.1 / compatible.shape[-1]
    return np.array(
        [confusion(c, m, IDENTITY, small) for c, m in zip(counts, compatible, strict=True)]
    )


def trust_of(values, copies):
    powers = values**POWER
    trust = powers / powers.max() if powers.max() > 0 else np.ones(len(powers))
    return trust / copies.sum(axis=1)


class Averages(NamedTuple):
    """What follows from weights: of every word, of the text, and of the sources."""

    q: np.ndarray  # [N, K]
    mean: np.ndarray  # [K]
    kappa: np.ndarray  # [U]


def averages(text, labels, weights, copies):
    rows = in_target(text.probs, labels.stands_for)
    r = np.array([weighted_mean(word, weights) for word in rows])
    everywhere = np.ones(len(rows), bool)
    sums = agreement(text.probs, weights, labels.stands_for, labels.compatible, everywhere, copies)
    spoken = [row for row in r if row.any()]
    q = np.array([normalised(row) for row in r])
    return Averages(q, np.mean(spoken, axis=0), kappa(sums, labels.compatible))


def log_likelihoods(word, matrices, powers):
    """Σ_u k_u log Σ_v P_u(v) σ_u(v|y) of one word, over the sources that speak."""
    result = np.zeros(matrices.shape[-1])
    for u in speakers(word):
        for y in range(len(result)):
            result[y] += powers[u] * np.log(max(word[u] @ matrices[u, :, y], 1e-28))
    return result


def count_sources(text, labels):
    """The sources, with κ and s, before anything is known of words and sentences."""
    num_labels = labels.stands_for.shape[1]
    given = np.array([[given_label(row) for row in word] for word in text.probs])
    copies = near_copies(pairwise_agreement(given, text.probs.shape[2]))
    weights = np.repeat(1 / copies.sum(axis=1)[:, None], num_labels, axis=1)
    for _ in range(3):
        found = averages(text, labels, weights, copies)
        sums = counts_under(found.q, text.probs)
        weights = weights_from(*sums, found.kappa, labels.compatible, 0.01, 0.01, copies)
    found = averages(text, labels, weights, copies)
    counts, mass = counts_under(found.q, text.probs)
    trust, prior = trust_of(found.kappa, copies), normalised(mass + 0.1)
    matrices = matrices_from(counts, labels.compatible)
    one_hot = np.eye(text.probs.shape[2] + 1)[:, :-1]  # label -1 is the row of zeros
    hard = np.array([[one_hot[given_label(row)] for row in word] for word in text.probs])
    q = [normalised(prior * np.exp(log_likelihoods(word, matrices, trust))) for word in hard]
    counts, _ = counts_under(np.array(q), text.probs)
    frequency = np.array(
        [
            rows.sum(axis=0) / max(rows.any(axis=1).sum(), 1)
            for rows in np.moveaxis(text.probs, 1, 0)
        ]
    )
    matrices = matrices_from(counts, labels.compatible)
    return Sources(matrices, trust, frequency + 1e-3, weights, found.mean), found.kappa, copies


def refine_sources(text, labels, sources, before, copies, posterior):
    """Weights and trust counted from the posterior; the confusion matrices stay."""
    sums = counts_under(posterior, text.probs)
    small = 0.1 / len(sources.mean)
    weights = weights_from(*sums, before, labels.compatible, small, 0.1, copies)
    found = averages(text, labels, weights, copies)
    trust = trust_of(found.kappa, copies)
    return sources._replace(trust=trust, weights=weights, mean=found.mean), found.kappa


def evidence(probs, sources, stands_for, source_weight=SOURCE_WEIGHT, scale=SCALE):
    """e of every word."""
    result = np.zeros((len(probs), stands_for.shape[1]))
    rows = in_target(probs, stands_for)
    for n, word in enumerate(probs):
        if rows[n].any():
            scaled = word / sources.frequency**scale
            result[n] = log_likelihoods(scaled, sources.confusion, source_weight * sources.trust)
            result[n] += np.log(weighted_mean(rows[n], sources.weights) + 1e-4)
            result[n] -= scale * np.log(sources.mean + 1e-4)
    return result


def shape(word):
    if word.isupper() and len(word) > 1:
        kind = "A"
    else:
        kind = "X" if word[0].isupper() else "x" if word[0].isalpha() else "p"
    return ("d" if set(word) & set("0123456789") else "") + kind


def keys_of(text):
    """The keys of every word, from coarse to fine."""
    result = []
    for sentence in text.sentences:
        opened = False
        for word in sentence:
            kind = shape(word)
            if any(c.isalpha() for c in word):
                kind = "^" + kind if kind[-1] == "X" and not opened else kind
                opened = True
            low = word.lower()
            result.append((kind, *((kind, low[-length:]) for length in text.suffixes), low))
    return result


def type_tables(text, q):
    tables = [defaultdict(lambda: np.zeros(q.shape[1])) for _ in range(len(text.suffixes) + 2)]
    for keys, row in zip(keys_of(text), q, strict=True):
        for table, key in zip(tables, keys, strict=True):
            table[key] = table[key] + row
    return tables


def counts_of(tables, keys, num_labels):
    """S of a word's keys; an opening word with an unknown key has that of the word elsewhere."""
    kind, *suffixes, form = keys
    inside = (kind.lstrip("^"), *((kind.lstrip("^"), suffix) for _, suffix in suffixes), form)
    none = np.zeros(num_labels)
    pairs = zip(tables, keys, inside, strict=True)
    return [table.get(key, table.get(other, none)) for table, key, other in pairs]


def type_prior(counts, own, prior, strength=BACK_OFF):
    """a of one word, from S of its key at each level."""
    a = prior
    for level in counts:
        a = normalised(np.maximum(level - own, 0) + strength * a)
    return a


@functools.cache
def paths_of(length, num_labels):
    return np.array(list(itertools.product(range(num_labels), repeat=length)))


def chain(potentials, lengths, start, transitions):
    """Marginals, expected steps, first labels and log-marginal, over all label sequences."""
    q, steps = np.zeros(potentials.shape), np.zeros(transitions.shape)
    firsts, log_marginal, at = np.zeros(len(start)), 0.0, 0
    log_start = np.log(np.maximum(start, RAREST_STEP))
    log_steps = np.log(np.maximum(transitions, RAREST_STEP))
    for length in filter(None, lengths):
        paths = paths_of(length, len(start))
        score = log_start[paths[:, 0]]
        for t in range(length):
            score = score + potentials[at + t, paths[:, t]]
            score = score + (log_steps[paths[:, t - 1], paths[:, t]] if t else 0)
        weight = np.exp(score - score.max())
        log_marginal += score.max() + np.log(weight.sum())
        weight /= weight.sum()
        for t in range(length):
            np.add.at(q[at + t], paths[:, t], weight)
            if t:
                np.add.at(steps, (paths[:, t - 1], paths[:, t]), weight)
        firsts += q[at]
        at += length
    return q, steps, firsts, log_marginal


def best_labels(potentials, lengths, start, transitions):
    """The label sequence of highest score of each sentence, over all of those that are allowed."""
    found, at = [], 0
    with np.errstate(divide="ignore"):
        log_start, log_steps = np.log(start), np.log(transitions)
    for length in filter(None, lengths):
        paths = paths_of(length, len(start))
        score = log_start[paths[:, 0]]
        for t in range(length):
            score = score + potentials[at + t, paths[:, t]]
            score = score + (log_steps[paths[:, t - 1], paths[:, t]] if t else 0)
        found += paths[score.argmax()].tolist()
        at += length
    return np.array(found)


def steps_between(q, lengths):
    """Steps as if neighbours were independent, and first labels."""
    steps, firsts, at = np.zeros((q.shape[1],) * 2), np.zeros(q.shape[1]), 0
    for length in filter(None, lengths):
        firsts += q[at]
        for t in range(at + 1, at + length):
            steps += np.outer(q[t - 1], q[t])
        at += length
    return steps, firsts


def probabilities(steps, firsts, labels):
    return normalised((firsts + STEPS) * labels.may_start), np.array(
        [normalised(row) for row in (steps + STEPS) * labels.may_follow]
    )


def one_pass(text, e, types, own, of_chain=chain):
    """Marginals of a text (or its best labels), with `own` taken out of the type counts."""
    x = np.empty_like(e)
    for n, keys in enumerate(keys_of(text)):
        a = type_prior(counts_of(types.tables, keys, e.shape[1]), own[n], types.prior)
        x[n] = e[n] + np.log(a + 1e-9) - np.log(types.prior)
        if text.gold[n] >= 0:
            x[n, np.arange(len(types.prior)) != text.gold[n]] = -np.inf
    lengths = [len(sentence) for sentence in text.sentences]
    return of_chain(x, lengths, types.start, types.transitions)


def types_and_chain(text, labels, e, q):
    """Word types and chain, from q and its successors; and the last marginals."""
    steps, firsts = steps_between(q, [len(sentence) for sentence in text.sentences])
    for _ in range(PASSES):
        prior = normalised(normalised(q.sum(axis=0)) + 1e-6)
        state = probabilities(steps, firsts, labels)
        types = Types(type_tables(text, q), prior, *state)
        q, steps, firsts, log_marginal = one_pass(text, e, types, q)
    start, transitions = probabilities(steps, firsts, labels)
    return types._replace(start=start, transitions=transitions), q, log_marginal


def fit(text, labels):
    sources, before, copies = count_sources(text, labels)
    e = evidence(text.probs, sources, labels.stands_for)
    spoken = text.probs.any(axis=(1, 2))
    q = np.array([normalised(np.exp(row)) * some for row, some in zip(e, spoken, strict=True)])
    _, q, _ = types_and_chain(text, labels, e, q)
    sources, values = refine_sources(text, labels, sources, before, copies, q)
    e = evidence(text.probs, sources, labels.stands_for)
    return Fitted(sources, values, *types_and_chain(text, labels, e, q))


def posterior(fitted, text, labels):
    """Q of another text."""
    e = evidence(text.probs, fitted.sources, labels.stands_for)
    return one_pass(text, e, fitted.types, np.zeros(e.shape))[0]


def labels_of(fitted, text, labels, own=None, tagger=0.0):
    """The most probable label sequences of a text; `own` is Q of the one that was fitted."""
    e, types = evidence(text.probs, fitted.sources, labels.stands_for) + tagger, fitted.types
    if own is not None:
        types = types._replace(tables=type_tables(text, own))
    own = np.zeros(e.shape) if own is None else own
    return one_pass(text, e, types, own, best_labels)
