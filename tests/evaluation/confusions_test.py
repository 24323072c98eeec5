from collections import Counter

import pytest
from hypothesis import given, settings
from sklearn.metrics import confusion_matrix

from tests.evaluation.corpora import BIO, STRANGE, TAGS, corpora
from zsl_jax.errors import InputError
from zsl_jax.evaluation import confusions, metrics
from zsl_jax.evaluation.confusions import LabelConfusion

few = settings(max_examples=60, deadline=None)


def test_type_confusion_equals_counts_by_hand():
    gold = [["B-PER", "I-PER", "O", "B-LOC"], ["B-ORG", "O"], ["B-LOC", "I-LOC"]]
    predicted = [["B-PER", "I-PER", "B-LOC", "B-ORG"], ["O", "O"], ["B-LOC", "I-PER"]]
    found, missed, spurious = confusions.type_confusion(gold, predicted)
    assert found == {"LOC": {"ORG": 1}, "PER": {"PER": 1}}
    assert missed == {"LOC": 1, "ORG": 1}  # a wrong boundary is missed and spurious
    assert spurious == {"LOC": 2}


@few
@given(corpora(STRANGE))
def test_every_entity_is_counted_once(corpus):
    found, missed, spurious = confusions.type_confusion(*corpus)
    per_type = metrics.entity_f1_strict(*corpus).per_type
    columns = Counter()
    for row in found.values():
        columns.update(row)
    for name, score in per_type.items():
        assert sum(found.get(name, {}).values()) + missed.get(name, 0) == score.support
        right = found.get(name, {}).get(name, 0)
        given_count = columns[name] + spurious.get(name, 0)
        assert (right / given_count if given_count else 0.0) == score.precision
    assert {*found, *missed, *spurious, *columns} <= set(per_type)


@few
@given(corpora(BIO))
def test_swapped_sides_transpose(corpus):
    there, back = (confusions.type_confusion(*pair) for pair in (corpus, corpus[::-1]))
    assert (there.missed, there.spurious) == (back.spurious, back.missed)
    cells = {(a, b): n for a, row in there.found.items() for b, n in row.items()}
    assert cells == {(b, a): n for a, row in back.found.items() for b, n in row.items()}


@few
@given(corpora(TAGS, min_words=1))
def test_label_confusions_are_those_of_scikit_learn(corpus):
    gold, predicted = ([label for labels in side for label in labels] for side in corpus)
    matrix = confusion_matrix(gold, predicted, labels=TAGS)
    found = confusions.label_confusions(*corpus)
    cells = {(one.gold, one.predicted): one.num_words for one in found}
    assert cells == {
        (true, guess): matrix[row, column]
        for row, true in enumerate(TAGS)
        for column, guess in enumerate(TAGS)
        if row != column and matrix[row, column]
    }
    for one in found:
        assert one.share == one.num_words / matrix[TAGS.index(one.gold)].sum()
    order = [(-one.num_words, one.gold, one.predicted) for one in found]
    assert order == sorted(order)


def test_label_confusions_equal_counts_by_hand():
    found = confusions.label_confusions([["N", "N", "V", "N"]], [["V", "N", "_", "V"]])
    assert found == (LabelConfusion("N", "V", 2, 2 / 3), LabelConfusion("V", "_", 1, 1.0))


@pytest.mark.parametrize("count", [confusions.type_confusion, confusions.label_confusions])
def test_different_lengths_are_named(count):
    with pytest.raises(InputError, match="sentence 1 has 1 gold labels, but 2 predicted"):
        count([["O"]], [["O", "O"]])
