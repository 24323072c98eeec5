from zsl_jax.types import Sentence
from zsl_jax.workflows.given_text import labelled_sentences, plain_sentences

BLOCKS = "# sent_id = 1\nAnn\tB-PER\nsings\tO\n\nBo\tB-PER\n"


def test_of_a_file_comments_are_kept_and_labels_are_not(tmp_path):
    path = tmp_path / "text.conll"
    path.write_text(BLOCKS)
    first, second = plain_sentences(path)
    assert first == Sentence(("Ann", "sings"), None, ("# sent_id = 1",))
    assert second == Sentence(("Bo",))


def test_lists_of_words_and_pairs_with_labels_are_sentences():
    assert plain_sentences([["Ann", "sings"]]) == [Sentence(("Ann", "sings"))]
    (labelled,) = labelled_sentences([(["Ann", "sings"], ["B-PER", "O"])], "text")
    assert labelled == Sentence(("Ann", "sings"), ("B-PER", "O"))
