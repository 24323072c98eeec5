import json
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval.metrics import accuracy_score
from seqeval.metrics.sequence_labeling import precision_recall_fscore_support as lenient_scores
from seqeval.metrics.v1 import precision_recall_fscore_support as strict_scores
from seqeval.scheme import IOB2
from sklearn.metrics import precision_recall_fscore_support as tag_scores

from tests.evaluation.corpora import BIO, STRANGE, TAGS, corpora
from zsl_jax.errors import InputError
from zsl_jax.evaluation import metrics
from zsl_jax.evaluation.precision_recall import score_counts
from zsl_jax.evaluation.score_lines import format_scores
from zsl_jax.labels import is_bio

few = settings(max_examples=40, deadline=None)


def assert_scores(ours, theirs):
    """Compares with arrays (or numbers) of precision, recall, F1 and support."""
    for row, expected in zip(ours, zip(*theirs, strict=True), strict=True):
        assert row == pytest.approx(expected, abs=1e-12)


@few
@given(corpora(BIO))
def test_strict_scores_are_those_of_seqeval(corpus):
    found = metrics.entity_f1_strict(*corpus)
    options = {"scheme": IOB2, "zero_division": 0}
    assert_scores(found.per_type.values(), strict_scores(*corpus, average=None, **options))
    total = strict_scores(*corpus, average="micro", **options)
    assert found.overall[:3] == pytest.approx(total[:3])


@few
@given(corpora(BIO))
def test_conlleval_scores_are_those_of_seqeval_by_default(corpus):
    found = metrics.entity_f1_conlleval(*corpus)
    assert_scores(found.per_type.values(), lenient_scores(*corpus, average=None, zero_division=0))
    total = lenient_scores(*corpus, average="micro", zero_division=0)
    assert found.overall[:3] == pytest.approx(total[:3])


@few
@given(corpora(STRANGE))
def test_both_readings_take_labels_of_no_scheme_for_outside(corpus):
    readable = [[[n if is_bio([n]) else "O" for n in labels] for labels in s] for s in corpus]
    strict = strict_scores(*readable, average="micro", scheme=IOB2, zero_division=0)
    assert metrics.entity_f1_strict(*corpus).overall[:3] == pytest.approx(strict[:3])
    lenient = lenient_scores(*readable, average="micro", zero_division=0)
    assert metrics.entity_f1_conlleval(*corpus).overall[:3] == pytest.approx(lenient[:3])


@few
@given(corpora(TAGS, min_words=1))
def test_label_scores_are_those_of_scikit_learn(corpus):
    flat = [[label for labels in side for label in labels] for side in corpus]
    found = metrics.label_scores(*corpus)
    names = sorted({*flat[0], *flat[1]})
    assert list(found) == names
    assert_scores(found.values(), tag_scores(*flat, labels=names, zero_division=0))
    assert metrics.accuracy(*corpus) == pytest.approx(accuracy_score(*corpus))


@few
@given(corpora(BIO))
def test_gold_against_itself_is_perfect_and_swapping_swaps(corpus):
    gold, predicted = corpus
    for evaluate in (metrics.entity_f1_strict, metrics.entity_f1_conlleval):
        itself = evaluate(gold, gold).overall
        assert itself.f1 == (1.0 if itself.support else 0.0)
        there, back = evaluate(gold, predicted).overall, evaluate(predicted, gold).overall
        assert (there.precision, there.f1) == (back.recall, back.f1)


@few
@given(st.one_of(corpora(BIO), corpora(TAGS)), st.data())
def test_counts_of_sentences_give_exactly_the_score_of_any_choice_of_them(corpus, data):
    gold, predicted = corpus
    task = "ner" if all(is_bio(labels) or not labels for labels in gold) else "plain"
    counts = metrics.sentence_counts(gold, predicted, task)
    chosen = data.draw(st.lists(st.integers(0, len(gold) - 1), max_size=8))
    sample = [[side[number] for number in chosen] for side in corpus]
    assert (
        score_counts(*counts[chosen].sum(axis=0).tolist()).f1
        == (metrics.score(*sample, task)["score"])
    )


@few
@given(corpora(BIO))
def test_counts_of_sentences_in_either_reading_give_its_f1(corpus):
    for reading in ("strict", "conlleval"):
        counts = metrics.sentence_counts(*corpus, "ner", reading).sum(axis=0).tolist()
        assert score_counts(*counts).f1 == metrics.score(*corpus, "ner")[f"f1_{reading}"]


def test_what_the_readings_make_fit_is_counted_by_label():
    gold = [["B-PER", "I-LOC", "I-LOC"], ["O", "I-PER"]]
    predicted = [["I-PER", "I-PER", "_"], ["_", "X"]]
    scores = metrics.score(gold, predicted, "ner")
    assert scores["conlleval"]["repaired"] == {
        "gold": {"I-LOC": 1, "I-PER": 1},
        "predicted": {"I-PER": 1},
    }
    assert scores["read_as_outside"] == {"_": 2, "X": 1}


def test_the_two_readings_differ_by_hand():
    gold = [["B-PER", "I-PER", "O", "B-LOC"]]
    predicted = [["I-PER", "I-PER", "O", "B-LOC"]]
    assert metrics.entity_f1_conlleval(gold, predicted).overall == (1.0, 1.0, 1.0, 2)
    strict = metrics.entity_f1_strict(gold, predicted)
    assert strict.overall == pytest.approx((1.0, 0.5, 2 / 3, 2))
    assert strict.per_type == {"LOC": (1.0, 1.0, 1.0, 1), "PER": (0.0, 0.0, 0.0, 1)}


@pytest.mark.parametrize(
    ("gold", "predicted", "accuracy"),
    [
        ([["B-PER", "O"]], [["O", "O"]], 0.5),
        ([["O", "O"]], [["B-PER", "O"]], 0.5),
        ([["O"]], [["O"]], 1.0),
        ([[]], [[]], 0.0),
        ([], [], 0.0),
    ],
)
def test_nothing_to_divide_by_is_zero_without_a_warning(gold, predicted, accuracy):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scores = metrics.score(gold, predicted, "ner")
        labels = metrics.score(gold, predicted, "pos")
    assert scores["score"] == scores["f1_strict"] == scores["f1_conlleval"] == 0.0
    assert scores["accuracy"] == labels["score"] == accuracy
    assert format_scores(scores) and format_scores(labels)


def test_an_unlabelled_word_counts_as_wrong():
    scores = metrics.score([["B-PER", "O"]], [["_", "_"]])
    assert scores["task"] == "ner"
    assert scores["accuracy"] == 0.0
    assert scores["strict"]["overall"] == {"precision": 0, "recall": 0, "f1": 0, "support": 1}


def test_score_of_tags_has_no_entities():
    scores = metrics.score([["NOUN", "VERB"], ["NOUN"]], [["NOUN", "NOUN"], ["NOUN"]])
    assert scores["task"] == "plain"
    assert scores["score"] == scores["accuracy"] == pytest.approx(2 / 3)
    assert scores["per_label"]["NOUN"]["precision"] == pytest.approx(2 / 3)
    assert scores["per_label"]["VERB"] == {"precision": 0, "recall": 0, "f1": 0, "support": 1}
    assert not any(key.startswith("f1") for key in scores)
    assert json.loads(json.dumps(scores)) == scores


def test_score_of_entities_counts_strict_f1():
    scores = metrics.score([["B-PER", "I-PER"]], [["I-PER", "I-PER"]])
    assert (scores["score"], scores["f1_conlleval"], scores["accuracy"]) == (0.0, 1.0, 0.5)
    assert scores["conlleval"]["per_type"]["PER"]["support"] == 1
    assert json.loads(json.dumps(scores)) == scores


@pytest.mark.parametrize(
    "evaluate",
    [
        metrics.accuracy,
        metrics.label_scores,
        metrics.entity_f1_strict,
        metrics.entity_f1_conlleval,
        metrics.score,
        metrics.sentence_counts,
    ],
)
def test_different_lengths_are_named(evaluate):
    with pytest.raises(InputError, match="sentence 2 has 2 gold labels, but 1 predicted"):
        evaluate([["O"], ["O", "O"]], [["O"], ["O"]])
    with pytest.raises(InputError, match=r"2 sentences with gold.*1 with predicted.*sentence 2"):
        evaluate([["O"], ["O"]], [["O"]])


def test_bad_tasks_are_refused():
    with pytest.raises(InputError, match="'NOUN' is neither"):
        metrics.score([["NOUN"]], [["NOUN"]], "ner")
    with pytest.raises(InputError, match="'NOUN' is neither"):
        metrics.sentence_counts([["NOUN"]], [["NOUN"]], "ner")
    with pytest.raises(InputError, match="no task 'pso'; choose one of pos, ner, plain"):
        metrics.score([["NOUN"]], [["NOUN"]], "pso")
