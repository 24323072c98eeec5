"""CoNLL-2009: gold and predicted annotation side by side, and a column per predicate."""

import pytest

from zsl_jax.data.predictions.prediction_files import read_predictions
from zsl_jax.data.text.readers import read_sentences
from zsl_jax.errors import InputError

HEADER = "ID FORM LEMMA PLEMMA POS PPOS FEAT PFEAT HEAD PHEAD DEPREL PDEPREL FILLPRED PRED".split()
ROWS = (
    "1 Anna anna anna NNP NN _ _ 2 2 SBJ SBJ _ _ A0",
    "2 sings sing sing VBZ VBZ _ _ 0 0 ROOT ROOT Y sing.01 _",
    "",
    "1 Bo bo bo NNP NNP _ _ 2 2 SBJ SBJ _ _ A0 A0",
    "2 came come come VBD VBN _ _ 0 0 ROOT ROOT Y come.01 _ _",
    "3 smiling smile smile VBG VBG _ _ 2 2 ADV ADV Y smile.01 _ _",
)
WORDS = (("Anna", "sings"), ("Bo", "came", "smiling"))
GOLD = [("NNP", "VBZ"), ("NNP", "VBD", "VBG")]
PREDICTED = ["NN", "VBZ", "NNP", "VBN", "VBG"]


def write(tmp_path, rows, name="a.conll"):
    path = tmp_path / name
    path.write_text("\n".join(row.replace(" ", "\t") for row in rows) + "\n", encoding="utf-8")
    return path


def labels(predictions):
    return [predictions.label_names[label] for label in predictions.labels]


@pytest.mark.parametrize("name", ["a.conll", "a.txt", "a.conll09"])
@pytest.mark.parametrize("rows", [ROWS, (" ".join(HEADER), *ROWS)])
def test_a_text_has_the_gold_tags_and_predictions_the_predicted_ones(tmp_path, name, rows):
    path = write(tmp_path, rows, name)
    sentences = read_sentences(path)
    assert tuple(sentence.words for sentence in sentences) == WORDS
    assert [sentence.labels for sentence in sentences] == GOLD
    predictions = read_predictions(path)
    assert predictions.words == WORDS and labels(predictions) == PREDICTED


def test_columns_have_their_names(tmp_path):
    sentences = read_sentences(write(tmp_path, ROWS), column="pdeprel")
    assert sentences[1].labels == ("SBJ", "ROOT", "ADV")
    with pytest.raises(InputError, match=r"no column 'upos'; .* fillpred, pred"):
        read_sentences(write(tmp_path, ROWS), column="upos")


def test_tags_that_are_missing_are_taken_from_the_other_column(tmp_path):
    gold = [row.split() for row in ROWS]
    for fields in gold:
        fields[5:6] = ["_"] * bool(fields)
    assert labels(read_predictions(write(tmp_path, map(" ".join, gold)))) == list(sum(GOLD, ()))
    blind = [row.split() for row in ROWS]
    for fields in blind:
        fields[4:5] = ["_"] * bool(fields)
    (first, second) = read_sentences(write(tmp_path, map(" ".join, blind)))
    assert first.labels + second.labels == tuple(PREDICTED)


def test_a_line_that_lacks_columns_or_a_number_is_located(tmp_path):
    whole = [*ROWS, ""] * 300
    short = ROWS[0].partition(" SBJ")[0]
    with pytest.raises(InputError, match=r"line 2101: 10 column\(s\) where 14 are expected, cut"):
        read_sentences(write(tmp_path, [*whole, short]))
    with pytest.raises(InputError, match=r"line 2101: 'x' is not .*; number the words of each"):
        read_sentences(write(tmp_path, [*whole, "x" + ROWS[0][1:]]))
