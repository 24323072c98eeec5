"""Random pairs of gold and predicted labels."""

from hypothesis import strategies as st

BIO = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-X-Y", "I-X-Y")
TAGS = ("NOUN", "VERB", "ADJ")
STRANGE = (*BIO, "_", "", "B", "I", "B-", "I-", "-PER", "b-PER", "S-PER", "E-LOC", "PER-B", "o")


def corpora(names, min_words=0):
    """Gold and predicted labels of the same one to five sentences."""
    pair = st.tuples(st.sampled_from(names), st.sampled_from(names))
    sentences = st.lists(st.lists(pair, min_size=min_words, max_size=8), min_size=1, max_size=5)
    return sentences.map(
        lambda found: tuple(
            [[labels[side] for labels in sentence] for sentence in found] for side in (0, 1)
        )
    )
