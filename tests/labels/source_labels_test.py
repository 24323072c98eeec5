import numpy as np
import pytest

from zsl_jax.errors import InputError
from zsl_jax.labels import LabelSet, SourceLabels, common_source_labels, set_members

NER = LabelSet(("O", "B-LOC", "B-MISC", "I-MISC", "B-PER", "I-PER"))


def test_single_labels_and_sets():
    sets = {"X|Y": ("X", "Y"), "LOC|ORG": ("LOC", "ORG"), "O|ART": ("O", "ART")}
    assert set_members("X|Y", sets) == ("X", "Y")
    assert set_members("I-LOC|ORG", sets) == ("I-LOC", "I-ORG")
    assert set_members("B-O|ART", sets) == ("O", "B-ART")
    assert set_members("B-LOC", sets) == ("B-LOC",)


def test_the_common_source_labels_has_the_target_first():
    sets = {"LOC|ORG": ("LOC", "ORG")}
    own = [{"O", "B-PER"}, {"O", "B-LOC|ORG", "I-LOC|ORG", "B-LOC"}]
    found = common_source_labels(own, sets)
    assert found.label_set.names == ("O", "B-LOC", "I-LOC", "B-ORG", "I-ORG", "B-PER")
    assert found.names == (*found.label_set.names, "B-LOC|ORG", "I-LOC|ORG")
    assert found.targets[6:] == ((1, 3), (2, 4))
    assert found.size == 8
    np.testing.assert_array_equal(found.first_targets, [0, 1, 2, 3, 4, 5, 1, 2])
    np.testing.assert_array_equal(found.encode(["B-LOC|ORG", "O"], "here"), [6, 0])
    with pytest.raises(InputError, match="here: the label 'B-X' is not one of the known labels"):
        found.encode(["B-X"], "here")
    assert common_source_labels([], {}) == SourceLabels((), ())
    assert common_source_labels([], {}).label_set.size == 0


def test_o_also_means_the_types_that_a_source_cannot_name():
    table = SourceLabels.of(NER).compatible(["O", "B-PER", "B-LOC"])
    o, loc, misc, misc_on, per, per_on = range(6)
    assert table[o].nonzero()[0].tolist() == [o, misc, misc_on]
    assert table[loc].nonzero()[0].tolist() == [loc]
    assert table[per].nonzero()[0].tolist() == [per]
    assert not table[:, per_on].any()  # of a type that it can name: no word on it
    assert not table[[misc, misc_on, per_on]].any()


def test_without_o_a_missing_label_is_meant_by_none():
    table = SourceLabels.of(LabelSet(("DET", "NOUN", "VERB"))).compatible(["NOUN", "VERB"])
    np.testing.assert_array_equal(table, np.diag([False, True, True]))
    entities_only = SourceLabels.of(NER).compatible(["B-PER"])
    assert entities_only.sum() == 1


def test_a_set_may_mean_each_of_its_members():
    source_labels = SourceLabels.of(NER, {"B-LOC|MISC": ("B-LOC", "B-MISC")})
    table = source_labels.compatible(["O", "B-LOC|MISC", "B-PER", "I-PER"])
    assert table[6].nonzero()[0].tolist() == [1, 2]
    assert table[0].nonzero()[0].tolist() == [0]  # MISC can be named, as one of two
    assert not table[1].any()


def test_the_identity_when_a_source_has_all_labels():
    np.testing.assert_array_equal(SourceLabels.of(NER).compatible(NER.names), np.eye(6, dtype=bool))
