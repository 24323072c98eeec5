"""Entity labels in MISC of CoNLL-U."""

import logging

import pytest

from zsl_jax.data.predictions.prediction_files import read_predictions
from zsl_jax.data.text.readers import read_sentences
from zsl_jax.errors import InputError

NER = ["NER=B-PER|SpaceAfter=No", "NER=O", "NER=B-LOC"]


def write(tmp_path, misc, upos=("PROPN", "VERB", "PROPN")):
    words = zip(("Anna", "leaves", "Rome"), upos, misc, strict=True)
    lines = [f"{n}\t{w}\t_\t{u}\t_\t_\t0\troot\t_\t{m}" for n, (w, u, m) in enumerate(words, 1)]
    path = tmp_path / "a.conllu"
    path.write_text("# text = Anna leaves Rome\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("column", ["NER", "ner"])
def test_entities_are_read_if_they_are_named(tmp_path, column):
    (sentence,) = read_sentences(write(tmp_path, NER), column=column)
    assert sentence.labels == ("B-PER", "O", "B-LOC")


@pytest.mark.parametrize("key", ["NER", "name", "ner", "NE"])
def test_entities_beside_tags_are_not_passed_over_in_silence(tmp_path, caplog, key):
    path = write(tmp_path, [misc.replace("NER", key) for misc in NER])
    with caplog.at_level(logging.WARNING, "absl"):
        assert read_sentences(path)[0].labels == ("PROPN", "VERB", "PROPN")
        assert f"labels are UPOS, not the entities in MISC ({key}=); for these, give" in caplog.text
        assert f"`column`={key}" in caplog.text
        assert read_sentences(path, column=key)[0].labels == ("B-PER", "O", "B-LOC")
        caplog.clear()
        assert read_predictions(path).label_names == ("PROPN", "VERB")
        assert "two columns of a .conll file" in caplog.text
        caplog.clear()
        read_sentences(path, column="upos")
        read_sentences(path, with_labels=False)
    assert not caplog.text


def test_entities_are_the_labels_where_there_are_no_tags(tmp_path, caplog):
    path = write(tmp_path, NER, upos="___")
    assert read_sentences(path)[0].labels == ("B-PER", "O", "B-LOC")
    predictions = read_predictions(path)
    assert predictions.label_names == ("O", "B-LOC", "B-PER")
    assert predictions.labels.tolist() == [2, 0, 1] and not caplog.text


def test_a_word_without_the_key_has_no_label_rather_than_o(tmp_path):
    path = write(tmp_path, ["NER=B-PER", "_", "SpaceAfter=No"], upos="___")
    assert read_predictions(path).labels.tolist() == [0, -1, -1]
    with pytest.raises(InputError, match="line 3: the word 'leaves' has no label"):
        read_sentences(path)


@pytest.mark.parametrize(
    ("token", "own", "expected"),
    [
        ("B-LOC", "_ _ I-LOC", "B-LOC I-LOC I-LOC"),
        ("I-LOC", "_ _ E-LOC", "I-LOC I-LOC E-LOC"),
        ("S-LOC", "_ _ O", "B-LOC E-LOC O"),
        ("U-LOC", "_ _ O", "B-LOC L-LOC O"),
        ("E-LOC", "_ _ O", "I-LOC E-LOC O"),
        ("LOC-B", "_ _ O", "LOC-B LOC-I O"),
        ("I-B", "_ _ O", "I-B I-B O"),
        ("O", "_ _ B-LOC", "O O B-LOC"),
        ("B-LOC", "O B-LOC I-LOC", "O B-LOC I-LOC"),
        ("B-LOC", "_ B-LOC I-LOC", "_ B-LOC I-LOC"),
    ],
)
def test_words_without_a_label_have_that_of_their_token(tmp_path, token, own, expected):
    """Stanza writes the labels of entities at the lines of multiword tokens."""
    misc = [label if label == "_" else f"ner={label}" for label in own.split()]
    lines = [f"{n}\tw{n}" + "\t_" * 7 + f"\t{m}" for n, m in enumerate(["ner=O", *misc], 1)]
    lines.insert(1, "2-3\tau" + "\t_" * 7 + f"\tner={token}")
    lines.insert(3, "2.1\tx" + "\t_" * 8)
    path = tmp_path / "a.conllu"
    path.write_text("\n".join(lines) + "\n")
    (sentence,) = read_sentences(path, column="ner", allow_missing=True)
    assert sentence.labels == ("O", *expected.split())


def test_three_words_of_a_token_have_its_label_and_no_others(tmp_path):
    lines = ["1-3\tx\tU-X", "1\ta\t_", "2\tb\t_", "3\tc\t_", "4-9\tx\tB-X", "4\td\tO", ""]
    lines += [f"{number}\te\t_" for number in range(1, 10)]
    path = tmp_path / "a.iob2"
    path.write_text("\n".join(line + "\t-\tme" if line else "" for line in lines) + "\n")
    first, second = read_sentences(path, allow_missing=True)
    assert first.labels == ("B-X", "I-X", "L-X", "O") and second.labels == ("_",) * 9


def test_brackets_of_mentions_are_not_labels_of_words(tmp_path, caplog):
    path = write(tmp_path, ["Entity=(e1-person-1)", "_", "Entity=(e2-place-1)"])
    assert read_sentences(path)[0].labels == ("PROPN", "VERB", "PROPN") and not caplog.text
    with pytest.raises(InputError, match=r"Entity=\(e1-person-1\) in MISC is a bracket .* one"):
        read_sentences(path, column="Entity")


def test_a_key_that_is_not_there_is_refused_with_those_that_are_columns(tmp_path):
    with pytest.raises(InputError, match="no column 'NE'; it has to be one of id, form, lemma"):
        read_sentences(write(tmp_path, NER), column="NE")


def test_a_line_with_other_columns_is_counted_without_the_added_one(tmp_path):
    path = write(tmp_path, NER)
    path.write_text(path.read_text() + "4\tnow\t_\n")
    with pytest.raises(InputError, match=r"line 5: 3 column\(s\) where 10 are expected"):
        read_sentences(path, column="NER")
