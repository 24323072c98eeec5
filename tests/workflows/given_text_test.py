import numpy as np
import pyarrow as pa
import pytest

from zsl_jax.data.text.readers import read_sentences
from zsl_jax.errors import InputError
from zsl_jax.types import Sentence
from zsl_jax.workflows.given_text import known_labels, labelled_sentences, plain_text
from zsl_jax.workflows.tagged_sentence import TaggedSentence

BLOCKS = "# sent_id = 1\nAnn\tB-PER\nsings\tO\n\nBo\tB-PER\n"


def test_of_a_file_comments_are_kept_and_labels_are_not(tmp_path):
    path = tmp_path / "text.conll"
    path.write_text(BLOCKS)
    first, second = plain_text(path).sentences
    assert first == Sentence(("Ann", "sings"), None, ("# sent_id = 1",))
    assert second == Sentence(("Bo",))


def test_of_a_file_that_needs_settings_the_way_to_give_them_is_named(tmp_path):
    path = tmp_path / "text.conll"
    path.write_text(BLOCKS.replace("Ann", "Ren\xe9"), encoding="iso-8859-1")
    with pytest.raises(InputError, match=r"`encoding`=iso-8859-1 \(in Python .* give read_sent"):
        plain_text(path)
    with pytest.raises(InputError, match=r"`encoding`=iso-8859-1 \(in Python .* give read_sent"):
        labelled_sentences(path, "text")
    read = read_sentences(path, encoding="iso-8859-1")
    assert plain_text(read).sentences[0].words == ("Ren\xe9", "sings")
    assert labelled_sentences(read, "text")[0][0].labels == ("B-PER", "O")
    path.write_text("Ann\tO\n\tO\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"line 2: a word is empty [^`]* write it out$"):
        plain_text(path)


def test_lists_of_words_and_pairs_with_labels_are_sentences():
    assert plain_text([["Ann", "sings"]]).sentences == [Sentence(("Ann", "sings"))]
    (labelled,), _ = labelled_sentences([(["Ann", "sings"], ["B-PER", "O"])], "text")
    assert labelled == Sentence(("Ann", "sings"), ("B-PER", "O"))


def test_sentences_of_readers_and_taggers_are_text_without_their_labels(tmp_path):
    path = tmp_path / "text.conll"
    path.write_text(BLOCKS)
    read = read_sentences(path)
    assert plain_text(read).sentences == plain_text(path).sentences
    assert labelled_sentences(read, "text")[0][1].labels == ("B-PER",)
    tagged = TaggedSentence(("Bo", "!"), ("B-PER", "O"), np.eye(2, dtype=np.float32), "Bo!", (0, 2))
    assert plain_text([tagged]).sentences == [Sentence(("Bo", "!"), None, (), "Bo!", (0, 2))]
    assert labelled_sentences([tagged], "text")[0][0].labels == ("B-PER", "O")
    assert known_labels([tagged], "gold_words").words == (("Bo", "!"),)


@pytest.mark.parametrize("text", [[], [[]], [[], []]])
def test_a_text_without_words_is_refused(text):
    with pytest.raises(InputError, match="`text` has no words; give at least one sentence"):
        plain_text(text)
    with pytest.raises(InputError, match="`dev` has no words"):
        labelled_sentences([(words, []) for words in text], "dev")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "None is not a text; give a list of sentences"),
        ([["a"], 3], "sentence 2: 3 is not a list of words"),
        ([{"words": ["a"]}], "sentence 1: {'words': .* is not a list of words"),
        ([{"a", "b"}], "sentence 1: {.*} is not a list of words"),
        ({"Ann sings", "Bo"}, "{.*} is not a text; give a list of sentences"),
        ({"words": [["a"]]}, "{'words': .* is a table, not a text; give its column of sentences"),
        (pa.table({"words": [["a"]]}), "pyarrow.Table.* is a table, not a text; give its column"),
        ([(["a"], ["X"])], r"sentence 1: \['a'\] is not a word; give a list of strings"),
        ([["a", None]], "sentence 1: None is not a word; give a list of strings"),
    ],
)
def test_what_is_not_a_text_is_refused(text, message):
    with pytest.raises(InputError, match=message):
        plain_text(text)


@pytest.mark.parametrize(
    "pair",
    ["ab", ["a", "b"], (["a"], None), {"words": 1, "labels": 2}, [["a"]], 5],
)
def test_sentences_that_are_not_pairs_of_words_and_labels_are_refused(pair):
    with pytest.raises(InputError, match=r"text, sentence 1: .* is not a pair of words and labels"):
        labelled_sentences([pair], "text")


def test_sentences_without_labels_are_left_out_as_from_a_file(tmp_path):
    opinion = '<Opinions><Opinion target="b" from="2" to="3"/></Opinions>'
    rows = [("", opinion, "a b"), (' OutOfScope="TRUE"', "", "c d")]
    sentences = "".join(
        f'<sentence id="{number}"{scope}><text>{text}</text>{opinions}</sentence>'
        for number, (scope, opinions, text) in enumerate(rows)
    )
    path = tmp_path / "text.xml"
    path.write_text(f"<Reviews><Review><sentences>{sentences}</sentences></Review></Reviews>")
    read = read_sentences(path)
    assert [sentence.labels for sentence in read] == [("O", "B-ASPECT"), None]
    (by_path,), (by_list,) = (labelled_sentences(given, "text")[0] for given in (path, read))
    assert by_list[:2] == by_path[:2]
    assert len(known_labels(read, "gold_words").words) == 1
    for reader in (labelled_sentences, known_labels):
        with pytest.raises(InputError, match="none of the sentences of `dev` has labels; read"):
            reader(read[1:], "dev")


def test_what_is_neither_a_path_nor_sentences_is_refused():
    with pytest.raises(InputError, match="`dev`=5 is neither a path nor sentences; give a list of"):
        labelled_sentences(5, "dev")


def test_known_labels_without_any_are_refused():
    with pytest.raises(InputError, match="`gold_words` has no labels; give the label of at least"):
        known_labels([(["a", "b"], [None, None]), (["c"], ["_"])], "gold_words")


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["N"], "2 words and 1 labels; give one label for each word"),
        (["N", ""], "the word 'b' has no label"),
        (["N", 3], "the label 3 of 'b' is not a name"),
    ],
)
def test_labels_are_names_one_for_each_word(labels, message):
    with pytest.raises(InputError, match=f"text, sentence 1: {message}"):
        labelled_sentences([(["a", "b"], labels)], "text")
