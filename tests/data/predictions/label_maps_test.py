import numpy as np
import pytest

from zsl_jax.data.predictions.label_maps import LabelMap, label_map_of, map_labels, read_label_map
from zsl_jax.data.predictions.source_predictions import SourcePredictions
from zsl_jax.errors import InputError

NAMES = ("O", "B-GPE", "I-GPE", "B-LOC", "B-MISC")
WORDS = (("a", "b", "c"), ("d", "e", "f"))
LABELS = np.array([1, 2, 0, 3, 4, -1], np.int32)


def make(probs=None, names=NAMES, labels=LABELS):
    table = None if probs is None else np.array(probs, np.float16)
    return SourcePredictions(names, labels, table, WORDS)


def mapped(targets, probs=None, **options):
    return map_labels(make(probs, **options), LabelMap("a.yaml", targets), "the source en")


def names_of(made):
    return [made.label_names[label] if label >= 0 else None for label in made.labels]


def test_types_and_labels_are_mapped_and_null_abstains():
    made = mapped({"GPE": "PLACE", "B-LOC": "I-PLACE", "LOC": "X", "MISC": None})
    assert names_of(made) == ["B-PLACE", "I-PLACE", "O", "I-PLACE", None, None]
    assert made.label_names == ("O", "B-PLACE", "I-PLACE")
    assert made.words == WORDS and made.probs is None


def test_a_type_may_become_o_and_o_another_label():
    made = mapped({"GPE": "O", "LOC": "LOC", "MISC": "MISC"})
    assert names_of(made) == ["O", "O", "O", "B-LOC", "B-MISC", None]
    made = mapped({"O": None, "GPE": "GPE", "LOC": "LOC", "MISC": "MISC"})
    assert names_of(made)[2] is None


def test_a_type_may_be_several():
    made = mapped({"GPE": ("PLACE", "ORG"), "LOC": "PLACE", "MISC": ("O", "ART")})
    assert names_of(made)[:5] == ["B-PLACE|ORG", "I-PLACE|ORG", "O", "B-PLACE", "B-O|ART"]
    assert made.sets == {"PLACE|ORG": ("PLACE", "ORG"), "O|ART": ("O", "ART")}


def test_a_plain_label_may_be_several():
    tags = {"NN": ("NOUN", "PROPN"), "VB": "VERB"}
    made = mapped(tags, names=("NN", "VB"), labels=np.array([0, 1, 0, 1, -1, 0], np.int32))
    assert names_of(made)[:2] == ["NOUN|PROPN", "VERB"]
    assert made.sets == {"NOUN|PROPN": ("NOUN", "PROPN")}


@pytest.mark.parametrize(
    ("target", "name", "members"),
    [
        (("I-PER", "I-ORG"), "I-PER|ORG", ("PER", "ORG")),
        (("B_PER", "B_ORG"), "B-PER|ORG", ("PER", "ORG")),
        (("O", "S-PER"), "S-O|PER", ("O", "PER")),
    ],
)
def test_a_plain_label_may_be_several_entities(target, name, members):
    made = mapped({"NN": target}, names=("NN", "O"), labels=np.array([0, 1, 0, 1, 0, -1], np.int32))
    assert names_of(made)[:2] == [name, "O"]
    assert made.sets == {"|".join(members): members}


@pytest.mark.parametrize("target", [("I-PER", "ORG"), ("B-PER", "I-ORG"), ("PER", "I-PER")])
def test_entities_that_a_plain_label_may_be_have_one_letter(target):
    with pytest.raises(
        InputError, match=r"a.yaml: NN is mapped to .*; list .* NN: \[I-PER, I-ORG\]"
    ):
        mapped({"NN": target}, names=("NN", "O"), labels=np.array([0, 1, 0, 1, 0, -1], np.int32))


def test_a_label_of_an_entity_is_not_several():
    with pytest.raises(InputError, match=r"B-GPE is a label of an entity.*GPE: \[PER, ORG\]"):
        mapped({"B-GPE": ("LOC", "ORG"), "GPE": "LOC", "LOC": "LOC", "MISC": "O"})
    with pytest.raises(InputError, match=r"GPE is an entity type, but B-LOC is a label"):
        mapped({"GPE": ("LOC", "B-LOC"), "LOC": "LOC", "MISC": "O"})


def test_plain_labels_are_mapped_as_they_are():
    tags = ("NN", "NNS", "O", "VB-X", "ZZ")
    targets = {"NN": "NOUN", "NNS": "NOUN", "VB-X": "VERB", "ZZ": None}
    made = mapped(targets, names=tags, labels=np.array([0, 1, 2, 3, 4, -1], np.int32))
    assert names_of(made) == ["NOUN", "NOUN", "O", "VERB", None, None]


def test_columns_are_summed_and_those_of_null_left_out():
    probs = [
        [0.5, 0.25, 0, 0.25, 0],
        [0, 0.25, 0.25, 0, 0.5],  # half of it is not counted
        [1, 0, 0, 0, 0],
        [0.125, 0.125, 0.25, 0.5, 0],
        [0.5, 0.25, 0, 0, 0.25],  # its label is null
        [0, 0, 0, 0, 0],
    ]
    made = mapped({"GPE": "PLACE", "LOC": "PLACE", "MISC": None}, probs)
    assert made.label_names == ("O", "B-PLACE", "I-PLACE")
    expected = [[0.5, 0.5, 0], [0, 0.5, 0.5], [1, 0, 0], [0.125, 0.625, 0.25], [0] * 3, [0] * 3]
    np.testing.assert_array_equal(made.probs, np.array(expected, np.float16))
    assert made.probs.dtype == np.float16
    assert names_of(made) == ["B-PLACE", "I-PLACE", "O", "B-PLACE", None, None]


def test_a_word_abstains_if_nothing_is_left_of_its_probabilities():
    probs = np.eye(5)[[4, 2, 0, 3, 4, 0]]  # the first word is labelled B-GPE all the same
    made = mapped({"GPE": "GPE", "LOC": "LOC", "MISC": None}, probs)
    assert names_of(made)[:2] == [None, "I-GPE"] and not made.probs[0].any()


def test_every_label_abstains():
    made = mapped({"GPE": None, "LOC": None, "MISC": None, "O": None}, np.full((6, 5), 0.2))
    assert made.label_names == () and set(names_of(made)) == {None}
    assert made.probs.shape == (6, 0)


def test_missing_labels_are_all_listed():
    with pytest.raises(InputError, match=r"a\.yaml has no target for GPE, MISC of the source en"):
        mapped({"LOC": "PLACE"})
    with pytest.raises(InputError, match=r"no target for NN, VB of the source en"):
        mapped({}, names=("NN", "O", "VB"), labels=np.zeros(6, np.int32))


def test_a_type_wants_a_type_as_its_target():
    with pytest.raises(InputError, match=r"GPE is an entity type, but B-LOC is a label.*LOC"):
        mapped({"GPE": "B-LOC", "LOC": "LOC", "MISC": "O"})


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_reading(tmp_path):
    path = write(
        tmp_path / "a.yaml", "# a comment\nGPE: LOC\nB-X: B-Y\n'NO': null\nMISC:\nA: [B, C]\nD: [E]"
    )
    targets = {"GPE": "LOC", "B-X": "B-Y", "NO": None, "MISC": None, "A": ("B", "C"), "D": "E"}
    assert read_label_map(path) == LabelMap(str(path), targets)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not a mapping"),
        ("- PER", "is not a mapping"),
        ("PER: [\n", "line 2: not YAML"),
        ("PER: LOC: X\n", "line 1: not YAML"),
        ("NO: NOUN\n", "False is not a name.*quotes"),
        ("NN: 1\n", "'NN': 1: 1 is not a name"),
        ("NN: [a, [b]]\n", "is not a name"),
        ("NN: [a, b, a]\n", "list each label that it may be once"),
        ("NN: []\n", "list each label that it may be once"),
        ("NN: ''\n", "'' is not a name"),
        ("null: X\n", "None is not a name"),
        ("NN: !!python/object:os.system a\n", "not YAML"),
        ('NN: "a\\tb"\n', "is not a name"),
    ],
)
def test_bad_maps_are_refused(tmp_path, text, message):
    path = write(tmp_path / "a.yaml", text)
    with pytest.raises(InputError, match=message) as caught:
        read_label_map(path)
    assert str(path) in str(caught.value)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_label_map(tmp_path / "none.yaml")
    (tmp_path / "a.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match=r"cannot be read|not YAML"):
        read_label_map(tmp_path / "a.yaml")


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("PER: LOC\nORG: ORG\nPER: ORG\n", 3),
        ("{PER: LOC, 'PER': LOC}\n", 1),
        ('PER: LOC\n"PER": LOC\n', 2),
    ],
)
def test_a_label_that_stands_twice_is_refused(tmp_path, content, line):
    path = tmp_path / "a.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=rf"a\.yaml, line {line}: 'PER' occurs twice"):
        read_label_map(path)


@pytest.mark.parametrize("target", ["B-PLACE", "B_PLACE", "i_PLACE"])
def test_a_label_is_no_target_of_a_type(target):
    with pytest.raises(InputError, match=f"GPE is an entity type, but {target} is a label"):
        mapped({"GPE": target, "LOC": "LOC", "MISC": "MISC"})


@pytest.mark.parametrize(
    "text", ["PER: 0x{}", "? 0x{}\n: PER", "PER: [0x{}]", "PER: 9{}", "PER: -{}"]
)
def test_numbers_of_very_many_digits_are_one_sentence(tmp_path, text):
    (tmp_path / "m.yaml").write_text(text.format("1" * 10**6))
    with pytest.raises(InputError, match=r"m\.yaml: .*; put labels into quotes") as error:
        read_label_map(tmp_path / "m.yaml")
    assert len(str(error.value)) < 400


def test_an_underscore_is_no_label_to_map_from_or_to():
    assert label_map_of({"_": None, "A": "B"}, "m").targets == {"_": None, "A": "B"}
    with pytest.raises(InputError, match=r"m: .* stands for no label.*leave the line out"):
        label_map_of({"_": "X"}, "m")
    with pytest.raises(InputError, match=r"m: .* stands for no label.*write null to abstain"):
        label_map_of({"A": "_"}, "m")
    with pytest.raises(InputError, match=r"m: .* stands for no label.*write null to abstain"):
        label_map_of({"A": ["B", "_"]}, "m")
