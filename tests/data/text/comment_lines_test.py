"""Lines with "#": comments, or words."""

import pytest

from zsl_jax.data.text.readers import read_sentences
from zsl_jax.errors import InputError
from zsl_jax.types import Sentence


def read(tmp_path, content, **options):
    path = tmp_path / "a.conll"
    path.write_text(content, encoding="utf-8")
    return read_sentences(path, **options)


@pytest.mark.parametrize(
    "comment",
    [
        "# id 3ee9-66\tdomain=en",
        "# id 3ee9-67 domain=en",
        "# see https://example.org/x now",
        "# id 3ee9 train",
        "#id = 3ee9",
        "#sent 12",
        "# one",
        "#\tone\ttwo\tthree",
        "# text = a b c d",
        "## id 3ee9 train",
        "#sentence 12 of 20",
    ],
)
def test_comments_of_any_form_are_not_words(tmp_path, comment):
    expected = [Sentence(("food", "at"), ("O", "B-LOC"), (comment,))]
    assert read(tmp_path, f"{comment}\nfood _ _ O\nat _ _ B-LOC\n") == expected
    (found,) = read(tmp_path, f"{comment}\nfood _ _ O\nat _ _ B-LOC\n", with_labels=False)
    assert found.words == ("food", "at")


def test_comments_with_tabs_before_words_with_tabs(tmp_path):
    text = "#\thttp://example.org/x\t[2009-10-17]\nIn\tX\tO\n\n# a\tb=c\td\nUlm\tX\tB-LOC\n"
    first, second = read(tmp_path, text)
    assert (first.words, second.words) == (("In",), ("Ulm",))
    assert second.comments == ("# a\tb=c\td",)


def test_the_word_number_sign_and_hashtags_stay_words(tmp_path):
    text = "# _ _ O\nat _ _ O\n\n#tag _ _ B-X\n\n# _ _ noun\n"
    found = read(tmp_path, text.replace("noun", "I-X"))
    assert [sentence.words for sentence in found] == [("#", "at"), ("#tag",), ("#",)]
    assert read(tmp_path, "#\tnoun\n")[0].words == ("#",)


def test_keys_between_the_words_of_a_sentence_are_comments(tmp_path):
    (found,) = read(tmp_path, "a\tX\tO\n# segment = 2 of 3\nb\tX\tO\n")
    assert found == Sentence(("a", "b"), ("O", "O"), ("# segment = 2 of 3",))


def test_what_may_be_either_is_refused(tmp_path):
    text = "food n x noun\nat p x prep\n\n# id 3ee9 train\nfood n x noun\n"
    with pytest.raises(InputError, match="line 4: '# id 3ee9 train' may be a comment or the word"):
        read(tmp_path, text)
    with pytest.raises(InputError, match=r"line 1: .* may be a comment or the word '#'"):
        read(tmp_path, "#\tsent1\nfood\tO\nat\tB-LOC\n")
    with pytest.raises(InputError, match=r"line 1: 1 column\(s\) where 4"):
        read(tmp_path, "#tag\n" + text)
