"""A column that does not hold words is refused until the user names one."""

import pytest

from zsl_jax.data.text.readers import read_sentences
from zsl_jax.errors import InputError


def write(tmp_path, rows, name="a.conll"):
    path = tmp_path / name
    path.write_text("".join(row + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([f"{n}\tw\tO" for n in (7, 7, 7, 8, 8)], "numbers such as 8"),
        (["1-1 w O", "1-2 w O", "2-1 w O"], "numbers such as 2-1"),
        (["1. w O", "2. w O"], "numbers such as 2."),
        (["B-PER Anna", "O sings", "O in", "B-LOC Rome", "O ."], "labels such as B-PER"),
        (["O Anna x", "O sings y", "I-X in z", "O Rome a", "O . b"], "labels such as O"),
    ],
)
def test_numbers_and_labels_are_not_words(tmp_path, rows, expected):
    path = write(tmp_path, rows)
    with pytest.raises(InputError, match=rf"column 0 holds {expected}, not words; .*`word_column`"):
        read_sentences(path, with_labels=False)
    words = tuple(row.split()[1] for row in rows)
    assert read_sentences(path, with_labels=False, word_column=1)[0].words == words
    assert read_sentences(path, with_labels=False, word_column=0)[0].words[0] == rows[0].split()[0]
    assert len(read_sentences(write(tmp_path, rows[:1]), with_labels=False)[0].words) == 1


@pytest.mark.parametrize("first", [0, 1])
def test_numbers_of_sentences_before_those_of_words_are_not_words(tmp_path, first):
    numbers = [(0, 0), (0, 1), (1, 0)]
    rows = [f"{sentence + first} {word + first} w O" for sentence, word in numbers]
    path = write(tmp_path, rows)
    with pytest.raises(InputError, match=r"column 1 holds numbers such as .*`word_column`"):
        read_sentences(path)
    assert read_sentences(path, word_column=2)[0].words[0] == "w"


def test_words_in_quotation_marks_are_refused(tmp_path):
    path = write(tmp_path, [f'"w{number}"\tO' for number in range(5)])
    with pytest.raises(InputError, match=r"column 0 has every word in quotation marks"):
        read_sentences(path)
    assert read_sentences(path, word_column=0)[0].words[0] == '"w0"'


@pytest.mark.parametrize("sign", ["\u00a0", "\u3000", ",", ";", "|"])
def test_columns_that_something_else_parts_are_not_words(tmp_path, sign):
    rows = [f"w{number}{sign}O" for number in range(5)]
    path = write(tmp_path, rows)
    with pytest.raises(InputError, match=r"column 0 has .* in every word, as between columns"):
        read_sentences(path, with_labels=False)
    found = read_sentences(path, with_labels=False, word_column=0)
    assert found[0].words == tuple(rows)
    rows[2] = "w2"
    assert read_sentences(write(tmp_path, rows), with_labels=False)[0].words == tuple(rows)
