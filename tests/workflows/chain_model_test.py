"""The chain on predictions and sentences: aggregation, storage, sources that are mostly silent."""

import numpy as np
import pytest

from zsl_jax.data.predictions.source_predictions import SourcePredictions, with_silence
from zsl_jax.data.predictions.votes import source_votes
from zsl_jax.io.label_model_file import LabelModel, read_label_model, save_label_model
from zsl_jax.labels import SILENT, LabelSet, SourceLabels, allowed_transitions, common_source_labels
from zsl_jax.training.config import ChainConfig
from zsl_jax.types import Sentence
from zsl_jax.workflows.chain_model import (
    ChainModel,
    aggregate_with_text,
    chain_from_storage,
    fit_chain_model,
    labels_by_chain,
    stored_chain,
    text_words,
)
from zsl_jax.workflows.source_conversion import in_target_labels, label_sets
from zsl_jax.workflows.sources import Source
from zsl_jax.workflows.vote_aggregation import aggregate_votes

BIO = ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")


def planted(seed, num_sentences=300, num_forms=40):
    """Sentences of entities of one or two words among other words, with the true label ids."""
    rng = np.random.default_rng(seed)
    sentences, truth = [], []
    for _ in range(num_sentences):
        words, labels = [], []
        while len(words) < 8:
            kind = rng.choice(3, p=[0.7, 0.15, 0.15])  # other, LOC, PER
            form = rng.integers(num_forms)
            if kind == 0:
                words.append(f"word{form}")
                labels.append(0)
                continue
            length = rng.integers(1, 3)
            words += [f"{'Town' if kind == 1 else 'Name'}{form}", f"Second{form}"][:length]
            labels += [2 * kind - 1, 2 * kind][:length]
        sentences.append(Sentence(tuple(words)))
        truth += labels
    return sentences, np.array(truth)


def noisy(truth, sentences, right, seed):
    """A source that gives the true label with probability `right`, and any label otherwise."""
    rng = np.random.default_rng(seed)
    wrong = rng.integers(0, len(BIO), len(truth))
    labels = np.where(rng.random(len(truth)) < right, truth, wrong).astype(np.int32)
    return SourcePredictions(BIO, labels, None, [s.words for s in sentences])


def votes_of(predictions):
    source_labels = common_source_labels(
        [made.label_names for made in predictions], label_sets(predictions)
    )
    names = [str(place) for place in range(len(predictions))]
    return source_votes(predictions, source_labels, names), source_labels.label_set


def test_the_chain_beats_majority_and_mean_where_two_of_three_sources_are_bad():
    sentences, truth = planted(0)
    sources = [noisy(truth, sentences, right, seed) for seed, right in enumerate((0.85, 0.4, 0.4))]
    votes, label_set = votes_of(sources)

    def right(labels):
        return (labels == truth).mean()

    methods = {
        m: right(aggregate_votes(votes, label_set.size, m).labels) for m in ("majority", "mean")
    }
    for method in ("weighted_mean", "chain"):
        methods[method] = right(aggregate_with_text(votes, sentences, label_set, method).labels)
    assert methods["weighted_mean"] > max(methods["majority"], methods["mean"]) + 0.01
    assert methods["chain"] > methods["weighted_mean"] + 0.05


def test_tags_have_more_keys_than_entities():
    sentences = [Sentence(("Home", "alone"))]
    tags, entities = (text_words([sentences], LabelSet(names)) for names in (("A", "O"), BIO))
    assert tags.types.keys.tolist() == [[0] * 6, [1] * 6]
    assert entities.types.names == (("^X", "x"), ("^X ome", "x one"), ("home", "alone"))
    assert entities.lengths.tolist() == [2]


def test_what_is_stored_gives_the_posterior_of_what_was_fitted(tmp_path):
    sentences, truth = planted(1)
    sources = [noisy(truth, sentences, right, seed) for seed, right in enumerate((0.8, 0.6))]
    votes, label_set = votes_of(sources)
    words = text_words([sentences], label_set)
    fitted = fit_chain_model(votes, words, label_set, ChainConfig(), "soft").fitted
    model = ChainModel(ChainConfig(tagger_weight=0.25), fitted, words.types.names)
    log_confusion = np.asarray(fitted.sources.log_confusion, np.float32)
    source_labels = SourceLabels.of(label_set)
    stored = LabelModel(
        ("a", "b"), source_labels, log_confusion, 1.0, (1.0,), "soft", stored_chain(model)
    )
    save_label_model(tmp_path, stored)
    read = read_label_model(tmp_path)
    assert read.chain is not None
    again = chain_from_storage(read.chain, read.log_confusion, read.predictions)
    assert again.config == model.config and again.type_names == model.type_names
    others, other_truth = planted(2, 20)
    other_votes, _ = votes_of([noisy(other_truth, others, right, 9) for right in (0.8, 0.6)])
    log_prior = np.log(np.random.default_rng(0).dirichlet(np.ones(5), len(other_truth)))
    arguments = (other_votes, others, label_set, log_prior.astype(np.float32))
    first, second = (labels_by_chain(made, *arguments, "argmax")[1] for made in (model, again))
    np.testing.assert_array_equal(first, second)


def test_a_model_of_labels_takes_labels_of_another_text_too():
    sentences, truth = planted(5, 100)
    rng = np.random.default_rng(0)
    soft = []
    for seed in range(3):
        made = noisy(truth, sentences, 0.6, seed)
        probs = rng.dirichlet(np.full(len(BIO), 0.3), len(truth)) * 0.5
        probs[np.arange(len(truth)), made.labels] += 0.5
        soft.append(made._replace(probs=probs.astype(np.float16)))
    hard = [made._replace(probs=None) for made in soft]
    (votes, label_set), (labels, _) = votes_of(soft), votes_of(hard)
    words = text_words([sentences], label_set)
    posteriors = []
    for given, predictions in ((votes, "hard"), (labels, "hard"), (votes, "soft")):
        found = fit_chain_model(given, words, label_set, ChainConfig(), predictions)
        assert found.predictions == predictions
        names = words.types.names
        model = ChainModel(ChainConfig(), found.fitted, names, found.predictions)
        for method in ("chain", "weighted_mean"):
            made = aggregate_with_text(given, sentences, label_set, method, model)
            posteriors.append(made.probs)
    for place in (0, 1):
        np.testing.assert_array_equal(posteriors[place], posteriors[place + 2])
        assert np.abs(posteriors[place] - posteriors[place + 4]).max() > 0.01


def test_viterbi_gives_bio_that_needs_no_repair():
    sentences, truth = planted(4)
    sources = [noisy(truth, sentences, right, seed) for seed, right in enumerate((0.5, 0.4, 0.4))]
    votes, label_set = votes_of(sources)
    words = text_words([sentences], label_set)
    fitted = fit_chain_model(votes, words, label_set, ChainConfig(), "soft").fitted
    model = ChainModel(ChainConfig(), fitted, words.types.names)
    flat = np.full((len(truth), label_set.size), -np.log(label_set.size), np.float32)
    given = (model, votes, sentences, label_set, flat)
    by_word, posterior = labels_by_chain(*given, "argmax")
    by_sentence, same = labels_by_chain(*given, "viterbi")
    np.testing.assert_array_equal(by_word, posterior.argmax(axis=1))
    np.testing.assert_array_equal(same, posterior)
    may_follow = allowed_transitions(label_set.names).follow
    starts = np.zeros(len(truth), bool)
    starts[np.cumsum(words.lengths) - words.lengths] = True
    steps = np.stack([by_sentence[:-1], by_sentence[1:]])[:, ~starts[1:]]
    assert may_follow[tuple(steps)].all()
    assert 0.9 < (by_word == by_sentence).mean() < 1


def test_entities_are_aggregated_by_the_best_path_and_tags_by_the_best_label():
    sentences, truth = planted(6, 100)
    sources = [noisy(truth, sentences, right, seed) for seed, right in enumerate((0.5, 0.4, 0.4))]
    silent = np.arange(len(truth)) % 9 == 0
    sources = [made._replace(labels=np.where(silent, -1, made.labels)) for made in sources]
    tags = [made._replace(label_names=tuple("ABCDE")) for made in sources]
    for given, by_default in ((sources, "viterbi"), (tags, "argmax")):
        votes, label_set = votes_of(given)
        words = text_words([sentences], label_set)
        fitted = fit_chain_model(votes, words, label_set, ChainConfig(), "soft").fitted
        model = ChainModel(ChainConfig(), fitted, words.types.names)
        for of_model in (None, model):
            arguments = (votes, sentences, label_set, "chain", of_model)
            found = aggregate_with_text(*arguments)
            by = {how: aggregate_with_text(*arguments, how) for how in ("argmax", "viterbi")}
            np.testing.assert_array_equal(found.labels, by[by_default].labels)
            np.testing.assert_array_equal(found.probs, by["argmax"].probs)
            np.testing.assert_array_equal(
                by["argmax"].labels[~silent], found.probs.argmax(1)[~silent]
            )
            assert (by["argmax"].labels != by["viterbi"].labels).any()
            for made in by.values():
                assert (made.labels[silent] == -1).all()


def test_a_silent_source_is_outvoted_by_one_that_speaks():
    words = [("a", "b", "c")]
    rule = SourcePredictions(("O", "B-X"), np.array([0, 1, 0], np.int32), None, words)
    other = SourcePredictions(("O", "B-X"), np.array([1, 0, -1], np.int32), None, words)
    silent = in_target_labels(Source("rule", "", sparse=True), rule)
    assert silent.label_names == ("O", "B-X", SILENT) and silent.labels.tolist() == [2, 1, 2]
    votes, label_set = votes_of([silent, other, silent])
    assert label_set.names == ("O", "B-X") and votes.silent == 2
    # Silence of two sources is no vote beside that of one, and O where nobody speaks.
    assert aggregate_votes(votes, 2, "majority").labels.tolist() == [1, 1, 0]
    plain, _ = votes_of([rule, other, rule])
    assert aggregate_votes(plain, 2, "majority").labels.tolist() == [0, 1, 0]


def test_probabilities_of_a_silent_source_stay_where_it_speaks():
    probs = np.array([[0.75, 0.25], [0.25, 0.75]], np.float16)
    made = SourcePredictions(("O", "B-X"), np.array([0, 1], np.int32), probs, [("a", "b")])
    silent = with_silence(made)
    np.testing.assert_array_equal(silent.probs, [[0, 0, 1], [0.25, 0.75, 0]])


@pytest.mark.parametrize("num_sources", [3, 9])
def test_gazetteers_need_not_be_outvoted_by_their_own_silence(num_sources):
    """Each names a third of the entities; the majority of their votes is O nearly everywhere."""
    sentences, truth = planted(3)
    rng = np.random.default_rng(0)
    entity = truth > 0
    sources = []
    for _ in range(num_sources):
        listed = {form for form in range(40) if rng.random() < 0.35}
        known = [any(word.endswith(str(f)) for f in listed) for s in sentences for word in s.words]
        labels = np.where(entity & known, truth, 0).astype(np.int32)
        sources.append(SourcePredictions(BIO, labels, None, [s.words for s in sentences]))

    def recall(sparse, method):
        found = [in_target_labels(Source("x", "", sparse=sparse), made) for made in sources]
        votes, label_set = votes_of(found)
        if method == "majority":
            labels = aggregate_votes(votes, label_set.size, method).labels
        else:
            labels = aggregate_with_text(votes, sentences, label_set, method).labels
        assert label_set == LabelSet(BIO)
        return (labels == truth)[entity].mean()

    assert recall(False, "majority") < 0.5 < recall(True, "majority")
    assert recall(True, "chain") >= recall(True, "majority") - 0.01
