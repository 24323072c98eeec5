"""Other spellings of entity labels."""

import pytest

from zsl_jax.errors import InputError
from zsl_jax.labels import check_kinds, doubtful_reading, usual_spelling


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("O B_PER I_PER B_LOC", "O B-PER I-PER B-LOC"),
        ("PER-B O PER-I", "B-PER O I-PER"),
        ("PER_B PER_I PER_E PER_S O", "B-PER I-PER E-PER S-PER O"),
        ("O B:PER I:PER", "O B-PER I-PER"),
        ("o b-per i-per", "O B-per I-per"),
        ("O B I", "O B-ENTITY I-ENTITY"),
        ("O B", "O B-ENTITY"),
        ("O B I E S", "O B-ENTITY I-ENTITY E-ENTITY S-ENTITY"),
        ("O B_A_B I_A_B", "O B-A_B I-A_B"),
    ],
)
def test_entities_are_recognised_in_other_spellings(names, expected):
    assert usual_spelling(names.split()) == tuple(expected.split())


@pytest.mark.parametrize(
    "names",
    [
        "O B-PER I-PER",
        "NOUN VERB O",
        "B M E S",  # segmentation: no word is outside
        "O vitamin-B hepatitis-B",  # one letter behind names tells nothing
        "O B.1",
        "N V A O",
        "O B_PER B-PER",
        "O o B I",
        "O BPER IPER",
        "",
    ],
)
def test_other_names_stay_as_they_are(names):
    assert usual_spelling(names.split()) == tuple(names.split())


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("O PER LOC", "plain tags, not entities"),
        ("O BPER IPER", "plain tags, not entities"),
        ("LABEL_0 LABEL_1", "tags whose names are missing"),
        ("0 1 12", "tags whose names are missing"),
        ("o per", "plain tags, not entities"),
        ("NONE PER LOC", "plain tags, not entities"),
        ("(PER* *) (LOC) *", "plain tags, not entities"),
        ("-LRB- ( )", None),
        ("O B-LABEL_0 I-LABEL_0", "types whose names are missing"),
        ("NOUN VERB", None),
        ("O B-X", None),
        ("O", None),
        ("", None),
    ],
)
def test_what_plain_labels_were_taken_for(names, expected):
    assert doubtful_reading(names.split()) == expected


@pytest.mark.parametrize("other", [["PER", "O"], ["LABEL_0", "LABEL_1"], ["NOUN"]])
def test_bio_beside_other_labels_is_refused_by_name(other):
    with pytest.raises(InputError, match=rf"source b gives .*{other[0]}.*`label_map`=b=FILE"):
        check_kinds({"a": ["O", "B-X"], "b": other, "c": []})


def test_sources_of_one_kind_and_silent_ones_agree():
    check_kinds({"a": ["O", "B-X"], "b": ["O"], "c": [], "d": ["I-Y"]})
    check_kinds({"a": ["NOUN"], "b": ["O", "X"]})
