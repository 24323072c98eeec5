import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from zsl_jax.evaluation import diagnosis
from zsl_jax.evaluation.tally import tally as tally_of
from zsl_jax.labels import LabelSet, SourceLabels

few = settings(max_examples=30, deadline=None)
NAMES = ("ADJ", "NOUN", "VERB")
ALPHABET = SourceLabels.of(LabelSet(NAMES))


def confusion_near_identity(num_sources, diagonal=0.8):
    matrix = np.full((3, 3), (1 - diagonal) / 2)
    np.fill_diagonal(matrix, diagonal)
    return np.tile(matrix, (num_sources, 1, 1))


def diagnose(
    confusion, posterior, labels, same_labels=None, objectives=(), start=None, by_gradient=True
):
    log_confusion = None if confusion is None else np.log(confusion)
    tally = tally_of(np.array(posterior), np.array(labels))
    learned = diagnosis.Learned(log_confusion, start, objectives, by_gradient=by_gradient)
    return diagnosis.diagnose(("de", "fr"), ALPHABET, learned, tally, same_labels)


HEALTHY_VOTES = [[0, 0], [1, 1], [2, -1], [2, 1]]
HEALTHY_POSTERIOR = [[0.9, 0.05, 0.05], [0.1, 0.8, 0.1], [0, 0.1, 0.9], [0.0, 0.2, 0.8]]


def test_a_healthy_model_has_no_warnings():
    found = diagnose(confusion_near_identity(2), HEALTHY_POSTERIOR, HEALTHY_VOTES)
    assert found.warnings == ()
    german, french = found.sources
    assert (german.name, german.coverage, german.agreement) == ("de", 1.0, 1.0)
    assert (french.coverage, french.agreement) == (0.75, pytest.approx(2 / 3))
    assert german.diagonal == pytest.approx(dict.fromkeys(NAMES, 0.8))
    assert german.confusions == ()
    assert french.confusions == (diagnosis.Confusion("NOUN", "VERB", 1, 1.0),)


def test_confusion_matrices_that_hardly_moved_are_named_with_a_way_out():
    start = np.log(confusion_near_identity(2, 0.4))
    arguments = HEALTHY_POSTERIOR, HEALTHY_VOTES, None, ()
    (warning,) = diagnose(confusion_near_identity(2, 0.45), *arguments, start).warnings
    assert "agreement with Q are 45 % and 100 % for de, 45 % and 67 % for fr;" in warning
    assert "`confusion_learning_rate`" in warning and "label_model=chain" in warning
    for diagonal in (0.75, 0.9):  # learned, at least by more than half of the way
        assert diagnose(confusion_near_identity(2, diagonal), *arguments, start).warnings == ()
    fixed = confusion_near_identity(2, 0.4)  # as under MRT: nothing was to be learned
    assert diagnose(fixed, *arguments, np.log(fixed)).warnings == ()
    assert diagnose(confusion_near_identity(2, 0.45), *arguments).warnings == ()
    counted = diagnose(confusion_near_identity(2, 0.45), *arguments, start, by_gradient=False)
    assert counted.warnings == ()  # in closed form, as under the chain: no rate is too low


def test_near_copies_are_named_in_groups():
    copies = np.eye(6)
    copies[0, 2] = copies[2, 0] = copies[0, 5] = copies[5, 0] = copies[2, 5] = copies[5, 2] = 1
    copies[1, 3] = copies[3, 1] = 0.6
    copies[3, 4] = copies[4, 3] = 0.4
    tally = tally_of(np.full((1, 3), 1 / 3), np.zeros((1, 6), int))
    learned = diagnosis.Learned(copies=copies)
    first, second = diagnosis.diagnose(tuple("abcdef"), ALPHABET, learned, tally).warnings
    assert first.startswith("the sources a, c and f give nearly the same labels")
    assert second.startswith("the sources b and d give")
    distinct = diagnosis.Learned(copies=np.eye(6))
    assert diagnosis.diagnose(tuple("abcdef"), ALPHABET, distinct, tally).warnings == ()


def test_a_switched_diagonal_is_blamed_on_its_source_and_labels():
    confusion = confusion_near_identity(2)
    confusion[1] = confusion[1][:, [0, 2, 1]]
    votes = [[0, 0], [1, 2], [2, -1], [2, 1]]
    (warning,) = diagnose(confusion, HEALTHY_POSTERIOR, votes).warnings
    assert "source fr" in warning and "less often than chance" in warning
    assert "NOUN 0.100, VERB 0.100" in warning and "ADJ" not in warning


def test_a_label_that_is_never_inferred_says_nothing_about_a_source():
    confusion = confusion_near_identity(2)
    confusion[1, :, 1] = 0.3, 0.2, 0.5
    posterior = [[1.0, 0, 0], [0.9, 0.1, 0], [0, 0, 1], [0, 0.2, 0.8]]
    assert diagnose(confusion, posterior, [[0, 0], [0, 1], [2, 2], [2, 1]]).warnings == ()
    posterior[1] = [0.1, 0.9, 0]
    (warning,) = diagnose(confusion, posterior, [[0, 0], [1, 1], [2, 2], [2, 1]]).warnings
    assert "source fr" in warning and "for: NOUN 0.200;" in warning


def test_equal_columns_are_warned_of_and_equal_rows_are_not():
    confusion = confusion_near_identity(2)
    confusion[0] = [[0.8, 0.1, 0.1], [0.1, 0.45, 0.45], [0.1, 0.45, 0.45]]
    confusion[1] = [[0.4, 0.4, 0.1], [0.4, 0.4, 0.1], [0.2, 0.2, 0.8]]
    first, second = diagnose(confusion, HEALTHY_POSTERIOR, HEALTHY_VOTES).warnings
    assert "source de cannot tell apart NOUN and VERB:" in first
    assert "source fr cannot tell apart ADJ and NOUN:" in second
    confusion[:] = [[0.4, 0.1, 0.2], [0.4, 0.1, 0.2], [0.2, 0.8, 0.6]]
    warnings = diagnose(confusion, HEALTHY_POSTERIOR, HEALTHY_VOTES).warnings
    assert len(warnings) == 2 and not any("cannot tell" in warning for warning in warnings)


def test_uniform_columns_are_all_equal_but_not_below_chance():
    uniform = np.full((2, 3, 3), 1 / 3, np.float32)
    warnings = diagnose(uniform, HEALTHY_POSTERIOR, HEALTHY_VOTES).warnings
    assert len(warnings) == 2
    assert all("ADJ and NOUN, ADJ and VERB, NOUN and VERB" in warning for warning in warnings)


def test_a_lost_label_is_named_with_its_voters():
    labels = [[0, 0], [1, 1], [2, -1], [2, 1], [2, 2]]
    posterior = [[1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 1, 0], [0, 1, 0]]
    (warning,) = diagnose(None, posterior, labels).warnings
    assert "label VERB has lost its posterior mass (0.00 words)" in warning
    assert warning.endswith("de 3, fr 1")


def test_a_label_without_votes_may_have_no_mass():
    found = diagnose(None, [[1.0, 0, 0], [0, 1.0, 0]], [[0, 0], [1, -1]])
    assert found.warnings == ()
    assert all(report.diagonal is None for report in found.sources)


def test_silent_sources_and_empty_texts_are_zero():
    with np.errstate(all="raise"):
        found = diagnose(None, [[1.0, 0, 0]], [[0, -1]])  # one word makes no warning
        empty = diagnose(None, np.zeros((0, 3)), np.zeros((0, 2), int))
    assert found.sources[1][1:3] == (0.0, 0.0)
    assert empty.warnings == ()
    assert [report[1:3] for report in empty.sources] == [(0.0, 0.0), (0.0, 0.0)]


def test_the_text_tells_sources_confusions_and_warnings():
    confusion = confusion_near_identity(2)
    confusion[1] = confusion[1][:, [0, 2, 1]]
    found = diagnose(confusion, HEALTHY_POSTERIOR, HEALTHY_VOTES)
    lines = found.text.splitlines()
    assert lines[0].split("  ")[0] == "source" and "agrees with Q" in lines[0]
    assert lines[1].split() == ["de", "100.00", "100.00", "80.00", "-"]
    assert lines[2].strip() == "lowest on the diagonal: ADJ 80.0, NOUN 80.0, VERB 80.0"
    assert lines[3].split() == ["fr", "75.00", "66.67", "33.33", "-"]
    assert lines[4].strip() == "lowest on the diagonal: NOUN 10.0, VERB 10.0, ADJ 80.0"
    assert lines[5].strip() == "NOUN for VERB: 1 words, 100.0 %"
    assert lines[6:] == [f"warning: {warning}" for warning in found.warnings]
    assert diagnose(None, HEALTHY_POSTERIOR, HEALTHY_VOTES).text.splitlines()[1].endswith("-")


def test_the_diagonal_stands_beside_how_far_learning_moved_it():
    """A diagonal of 80 may be what the matrices start with."""
    start = np.log(confusion_near_identity(2))
    confusion = confusion_near_identity(2)
    confusion[1] = confusion_near_identity(1, diagonal=0.6)
    found = diagnose(confusion, HEALTHY_POSTERIOR, HEALTHY_VOTES, start=start)
    german, french = found.sources
    assert german.start_diagonal == pytest.approx(dict.fromkeys(NAMES, 0.8))
    assert german.moved == pytest.approx(0) and french.moved == pytest.approx(-0.2)
    assert found.text.splitlines()[0].endswith("mean diagonal       moved by")
    assert found.text.splitlines()[3].split() == ["fr", "75.00", "66.67", "60.00", "-20.00"]
    assert found.plain["sources"][1]["moved"] == french.moved
    assert found.plain["sources"][1]["mean_diagonal"] == pytest.approx(0.6)


ENTITIES = SourceLabels.of(LabelSet(("O", "B-PER", "I-PER", "B-LOC")))


def test_agreement_on_entities_does_not_count_what_both_leave_out():
    inferred = [0] * 97 + [1, 2, 3]
    silent, good = [0] * 100, [0] * 96 + [1, 1, 2, 0]  # a false name, two right words, a lost place
    tally = tally_of(np.eye(4)[inferred], np.array([silent, good]).T)
    found = diagnosis.diagnose(("a", "b"), ENTITIES, diagnosis.Learned(), tally)
    assert [report.agreement for report in found.sources] == [0.97, 0.98]
    assert [report.entity_agreement for report in found.sources] == [0.0, 2 * 2 / (3 + 3)]
    assert "on entities" in found.text and found.text.splitlines()[1].split()[3] == "0.00"
    none = tally_of(np.eye(4)[[0]], np.array([[0, 0]]))
    assert none.entity_agreement(ENTITIES) == [None, None]
    assert diagnose(None, HEALTHY_POSTERIOR, HEALTHY_VOTES).sources[0].entity_agreement is None


@pytest.mark.parametrize(
    ("votes", "warning"),
    [
        ([-1, -1, -1], "the source b abstains from all 3 words and has no influence"),
        ([0, 0, -1], "the source b names no entity in 2 words"),
        ([1, 1, 1], "the source b gives the same label, B-PER, to all 3 words, which is not"),
        ([1, 1, -1], None),  # a rule
        ([1, 0, -1], None),
    ],
)
def test_a_silent_or_constant_source_is_named_with_and_without_a_label_model(votes, warning):
    tally = tally_of(np.eye(4)[[1, 0, 3]], np.array([[1, 0, 3], votes]).T)
    for reference in ("Q", "P"):
        found = diagnosis.diagnose(
            ("a", "b"), ENTITIES, diagnosis.Learned(), tally, {"majority": 1.0}, reference
        )
        named = [line for line in found.warnings if "the source" in line]
        assert [line.startswith(warning) for line in named] == ([True] if warning else [])
        assert any("adds next to nothing" in line for line in found.warnings) == (reference == "Q")
        assert f"agrees with {reference}" in found.text


def test_a_label_that_a_source_never_gives_is_not_called_switched():
    """Its diagonal is what the matrices start with: that tells nothing of switched labels."""
    confusion = confusion_near_identity(2)
    confusion[1] = [[0.8, 0.1, 0.5], [0.1, 0.8, 0.4], [0.1, 0.1, 0.1]]
    (warning,) = diagnose(confusion, HEALTHY_POSTERIOR, HEALTHY_VOTES).warnings
    assert warning.startswith("the source fr never gives some labels; the words that have them,")
    assert warning.endswith(": VERB 1")


def test_a_tagger_that_has_collapsed_is_named():
    tally = tally_of(np.array(HEALTHY_POSTERIOR), np.array(HEALTHY_VOTES))
    for counts, expected in (([0, 4, 0], 1), ([0, 3, 1], 0)):
        learned = diagnosis.Learned(by_tagger=np.array(counts))
        warnings = diagnosis.diagnose(("de", "fr"), ALPHABET, learned, tally).warnings
        assert len(warnings) == expected
        assert all("gives every word the label NOUN, where Q has 3 labels" in w for w in warnings)


def test_a_label_model_that_adds_nothing_says_so():
    healthy = (confusion_near_identity(2), HEALTHY_POSTERIOR, HEALTHY_VOTES)
    found = diagnose(*healthy, {"majority": 0.9949, "mean": 0.9951}, (1.5, 1.4, 1.5))
    same, risen = found.warnings
    assert same.startswith("Q gives the label of the mean on 99.5 % of the words or more:")
    assert "J did not fall: 1.5000 per word at the first E step, 1.5000 at the last" in risen
    assert "Q gives the label of the majority on 99.49 % of the words" in found.text
    (both,) = diagnose(*healthy, {"majority": 1.0, "mean": 1.0}, (1.5, 1.4)).warnings
    assert "the majority and of the mean on" in both
    shares = {"majority": 1.0, "dawid_skene": 1.0, "source en": 0.996, "tagger": 1.0}
    (all_of_them,) = diagnose(*healthy, shares).warnings
    assert "the label of the majority, of Dawid–Skene and of the source en on" in all_of_them
    assert diagnose(*healthy, {"tagger": 1.0}).warnings == ()
    assert diagnose(*healthy, {"mean": 0.9}, (1.5, 1.6, 1.4)).warnings == ()
    assert diagnose(*healthy, {}, (1.5,)).warnings == ()


def test_a_tagger_that_is_behind_a_source_or_the_votes_is_named():
    tally = tally_of(np.array(HEALTHY_POSTERIOR), np.array(HEALTHY_VOTES))

    def told(shares, counts=(1, 1, 2)):
        learned = diagnosis.Learned(by_tagger=np.array(counts))
        return diagnosis.diagnose(("de", "fr"), ALPHABET, learned, tally, shares)

    shares = {"mean": 0.9, "source en": 0.915, "tagger": 0.42}
    found = told(shares)
    (warning,) = found.warnings
    assert "P) gives the label of Q on 42.0 % of the words, the source en on 91.5 %:" in warning
    assert "or use the labels of Q" in warning
    assert "Q gives the label of the tagger on 42.00 % of the words" in found.text
    assert told({**shares, "tagger": 0.9}).warnings == told({"tagger": 0.1}).warnings == ()
    (collapsed,) = told(shares, (0, 4, 0)).warnings
    assert "gives every word the label NOUN" in collapsed


def test_the_record_is_plain_json():
    found = diagnose(confusion_near_identity(2), HEALTHY_POSTERIOR, HEALTHY_VOTES, {"mean": 0.9})
    record = json.loads(json.dumps(found.plain))
    assert record["same_labels"] == {"mean": 0.9} and record["warnings"] == []
    french = record["sources"][1]
    assert french["name"] == "fr" and french["diagonal"]["VERB"] == pytest.approx(0.8)
    confusion = {"predicted": "NOUN", "inferred": "VERB", "num_words": 1, "share": 1.0}
    assert french["confusions"] == [confusion]


label_ids = hnp.arrays(
    np.int32, st.tuples(st.integers(0, 20), st.just(2)), elements=st.integers(0, 3)
)


@few
@given(label_ids, st.integers(0, 9))
def test_confusions_count_every_disagreement(ids, limit):
    inferred, predicted = ids[:, 0] % 3, ids[:, 1] - 1
    counts = tally_of(np.eye(3)[inferred], predicted[:, None]).counts[0]
    found = diagnosis.top_confusions(counts, np.eye(3, dtype=bool), ALPHABET, limit)
    counts = [confusion.num_words for confusion in found]
    assert counts == sorted(counts, reverse=True) and len(found) <= limit and 0 not in counts
    for confusion in found:
        pair = (NAMES.index(confusion.predicted), NAMES.index(confusion.inferred))
        assert pair[0] != pair[1]
        voted = (predicted >= 0) & (inferred == pair[1])
        assert confusion.num_words == ((predicted == pair[0]) & voted).sum()
        assert confusion.share == pytest.approx(confusion.num_words / voted.sum())
    if limit >= 6:
        assert sum(counts) == ((predicted >= 0) & (predicted != inferred)).sum()
