from zsl_jax.data.text.entity_places import entities_of
from zsl_jax.types import Sentence

LABELS = ("B-PER", "I-PER", "O", "I-LOC")


def test_places_are_those_in_the_text_that_was_given():
    text, starts = "Ann  Lee (Rome)", (0, 5, 9, 10)
    sentence = Sentence(("Ann", "Lee", "(", "Rome"), None, (), text, starts)
    person, place = entities_of(sentence, LABELS)
    assert person == ("PER", 0, 2, "Ann  Lee", 0, 8, None)
    assert place == ("LOC", 3, 4, "Rome", 10, 14, None)  # I-LOC after O starts an entity


def test_words_without_a_text_have_blanks_between_them():
    words = ("Ann", "Lee", "in", "Rome")
    _, place = entities_of(Sentence(words), LABELS, (0.5, 1.0, 1.0, 0.25))
    assert place == ("LOC", 3, 4, "Rome", 11, 15, 0.25)
    assert " ".join(words)[place.start_char : place.end_char] == "Rome"


def test_tags_are_no_entities():
    assert entities_of(Sentence(("a", "b")), ("NOUN", "_")) == []
