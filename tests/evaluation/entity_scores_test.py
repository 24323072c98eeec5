from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.evaluation.corpora import STRANGE
from zsl_jax.evaluation import entity_scores
from zsl_jax.labels import Span

few = settings(max_examples=60, deadline=None)


def test_strict_entities_are_those_of_conlleval_that_begin_with_b():
    names = ("O", "B-P", "I-P", "B-L", "I-L")
    sentences = [labels for length in range(6) for labels in product(names, repeat=length)]
    readings = zip(
        sentences,
        entity_scores.strict_spans(sentences),
        entity_scores.conlleval_spans(sentences),
        strict=True,
    )
    for labels, strict, lenient in readings:
        assert strict == [span for span in lenient if labels[span.start].startswith("B-")]


@few
@given(st.lists(st.lists(st.sampled_from(STRANGE), max_size=8), max_size=4))
def test_repairs_are_all_that_strict_leaves_out(sentences):
    spans = [sum(map(len, read(sentences))) for read in (entity_scores.conlleval_spans,
             entity_scores.strict_spans)]  # fmt: skip
    repaired = entity_scores.repaired_labels(sentences)
    assert sum(repaired.values()) == spans[0] - spans[1]
    assert all(name.startswith("I-") and len(name) > 2 for name in repaired)
    assert list(repaired.values()) == sorted(repaired.values(), reverse=True)
    words = sum(map(len, sentences))
    outside = sum(label == "O" for labels in sentences for label in labels)
    inside = sum(
        span.end - span.start for row in entity_scores.conlleval_spans(sentences) for span in row
    )
    assert sum(entity_scores.unreadable_labels(sentences).values()) == words - outside - inside


def test_an_entity_continues_only_with_its_own_type():
    labels = [["B-PER", "I-LOC", "I-LOC", "I-PER", "B-PER", "B-PER", "I-PER"]]
    assert entity_scores.strict_spans(labels) == [
        [Span("PER", 0, 1), Span("PER", 4, 5), Span("PER", 5, 7)]
    ]
    assert entity_scores.repaired_labels(labels) == {"I-LOC": 1, "I-PER": 1}


def test_counts_equal_those_made_by_hand():
    gold = [["B-PER", "I-PER"], ["B-LOC", "O"], []]
    predicted = [["B-PER", "I-PER"], ["B-PER", "B-LOC"], []]
    assert entity_scores.entity_counts(gold, predicted).tolist() == [
        [1, 1, 1],
        [0, 2, 1],
        [0, 0, 0],
    ]
    assert entity_scores.entity_counts([], []).shape == (0, 3)
