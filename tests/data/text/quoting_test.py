"""Quotation marks of CSV in columns are refused."""

import pytest

from zsl_jax.data.predictions.prediction_files import read_predictions
from zsl_jax.data.text.readers import read_sentences
from zsl_jax.errors import InputError

MANY = "w\tO\n" * 2_000


def write(tmp_path, text, name="a.tsv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("word", ['""""', '"5"""', '"""Anna"""', '"a""b""c"', '"""""""""'[:8]])
@pytest.mark.parametrize("before", ["", "word\tlabel\n", MANY, MANY + "\n"])
def test_doubled_quotation_marks_are_not_words(tmp_path, word, before):
    path = write(tmp_path, f"{before}He\tO\n{word}\tO\nRome\tB-LOC\n")
    line = (before + "He\n").count("\n") + 1
    with pytest.raises(
        InputError, match=rf"line {line}: the word \".*QUOTE_NONE\), or give `word_c"
    ):
        read_sentences(path)
    with pytest.raises(InputError, match="or write words and labels as JSON lines to keep them"):
        read_predictions(path)
    number = 1 if before.startswith("word") else 0
    kept = read_sentences(path, word_column="word" if number else 0)
    assert kept[-1].words[-2] == word


@pytest.mark.parametrize("word", ['"', '""', '"""', '""a""', '"Anna"', '5"', '"a"b"', "''''"])
def test_other_quotation_marks_are_words(tmp_path, word):
    path = write(tmp_path, f"He\tO\n{word}\tO\nRome\tB-LOC\n")
    assert read_sentences(path)[0].words == ("He", word, "Rome")


@pytest.mark.parametrize(
    "text", ['"\tO\n\n""""\tO\n', '""""\tO\n"\tO\n', MANY + '\n"\tO\n\n""""\tO\n']
)
def test_a_file_with_a_quotation_mark_by_itself_has_no_others(tmp_path, text):
    assert any('""""' in sentence.words for sentence in read_sentences(write(tmp_path, text)))


@pytest.mark.parametrize("label", ['"B-PER"', '"O" ', '""""'])
def test_labels_in_quotation_marks_are_refused(tmp_path, label):
    path = write(tmp_path, f"{MANY}Anna\t{label}\n")
    with pytest.raises(
        InputError, match=r"a\.tsv, line 2001: the label \".*\" is in quotation marks"
    ):
        read_sentences(path)
    assert read_sentences(path, with_labels=False)[0].words[-1] == "Anna"


@pytest.mark.parametrize("label", ['"', "''", "``"])
def test_tags_of_quotation_marks_are_labels(tmp_path, label):
    assert read_sentences(write(tmp_path, f"He\tPRP\n-\t{label}\n"))[0].labels[1] == label
