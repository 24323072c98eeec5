import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zsl_jax.data.text.word_rules import WORD_RULES, find_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't pay $1,000.50 (or 3.5 %)!", "Don't|pay|$|1,000.50|(|or|3.5|%|)|!"),
        ("U.S. well-known x_1 a,b 1,b", "U.S|.|well|-|known|x_1|a|,|b|1|,|b"),
        ("l’hôtel col·laborar 'ok'", "l’hôtel|col·laborar|'|ok|'"),
        ("Wait... what??", "Wait|.|.|.|what|?|?"),
        ("हिन्दी में", "हिन्दी|में"),
        ("می\u200cخواهم؟", "می\u200cخواهم|؟"),
        ("\u200fשָׁלוֹם, עולם", "\u200f|שָׁלוֹם|,|עולם"),
        ("我们在Rome吃3个", "我|们|在|Rome|吃|3|个"),
        ("ひらカタカナ", "ひ|ら|カタカナ"),
        ("co\u00adoperate a\u200bb", "co\u00adoperate|a|\u200b|b"),
        (
            "👩\u200d🔬👍🏽 👩🏽\u200d❤\ufe0f\u200d👨!",
            "👩\u200d🔬|👍🏽|👩🏽\u200d❤\ufe0f\u200d👨|!",
        ),
        ("🇩🇪🇫🇷🇺 a\u200d, ?", "🇩🇪|🇫🇷|🇺|a\u200d|,|?"),
        ("a\u00a0b\u2028c\x1cd", "a|b|c|d"),
        ("\x07 \x00", "\x07|\x00"),
    ],
)
def test_unicode_rule(text, words):
    assert find_words(text, "unicode")[0] == tuple(words.split("|"))


def test_normalisation_moves_no_boundary():
    text = "Tiếng Việt, où l'été"
    composed, split = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
    assert composed != split
    words = [unicodedata.normalize("NFC", word) for word in find_words(split, "unicode")[0]]
    assert tuple(words) == find_words(composed, "unicode")[0]


def test_whitespace_rule():
    text = " Don't stop,\tnow.\u3000\u200b "
    assert find_words(text, "whitespace") == (
        ("Don't", "stop,", "now.", "\u200b"),
        (1, 7, 13, 18),
    )


@given(st.text(max_size=40) | st.text("a1.,'’·-_ \u0301\u200d中ひא👩🔬🏽🇩", max_size=40))
def test_words_are_parts_of_the_text_and_nothing_is_lost(text):
    for rule in WORD_RULES:
        words, starts = find_words(text, rule)
        assert "".join(words) == "".join(text.split())
        end = 0
        for word, start in zip(words, starts, strict=True):
            assert word and start >= end and not text[end:start].strip()
            end = start + len(word)
            assert text[start:end] == word
