"""Entities written out in every tagging scheme, independently of the code under test."""

import numpy as np
from hypothesis import strategies as st

from zsl_jax.labels import LabelSet, Span, sentence_starts

SCHEMES = ("iob1", "bio", "bioes", "bilou", "bmes", "bmewo", "io")
_BIOES = {"bioes": "BIES", "bilou": "BILU", "bmes": "BMES", "bmewo": "BMEW"}


def write_spans(spans: list[Span], length: int, scheme: str) -> list[str]:
    """The labels of one sentence."""
    labels = ["O"] * length
    for number, span in enumerate(spans):
        last = spans[number - 1] if number else None
        touching = last is not None and last.end == span.start and last.type == span.type
        for place in range(span.start, span.end):
            labels[place] = f"{_letter(span, place, scheme, touching)}-{span.type}"
    return labels


def _letter(span: Span, place: int, scheme: str, touching: bool) -> str:
    first, last = place == span.start, place == span.end - 1
    if scheme == "io":
        return "I"
    if scheme == "iob1":
        return "B" if first and touching else "I"
    if scheme == "bio":
        return "B" if first else "I"
    begin, inside, end, single = _BIOES[scheme]
    return single if first and last else begin if first else end if last else inside


@st.composite
def sentences_of_spans(draw, touching: bool = True) -> list[tuple[list[Span], int]]:
    """Sentences as entities and lengths; without `touching`, there is a word between entities."""
    made = []
    for _ in range(draw(st.integers(0, 5))):
        spans: list[Span] = []
        place = 0
        for _ in range(draw(st.integers(0, 4))):
            start = place + draw(st.integers(0 if touching or not spans else 1, 2))
            place = start + draw(st.integers(1, 3))
            spans.append(Span(draw(st.sampled_from(["PER", "LOC", "A-B"])), start, place))
        made.append((spans, place + draw(st.integers(0, 2))))
    return made


def flat(sentences: list[list[str]]):
    """Label names, ids on the flat axis of words, and where sentences start; "_" is no label."""
    labels = [label for sentence in sentences for label in sentence]
    names = LabelSet.from_labels([set(labels) - {"_"}]).names
    ids = [names.index(label) if label != "_" else -1 for label in labels]
    return names, np.array(ids, np.int32), sentence_starts([len(s) for s in sentences])


def unflat(names, ids, sentences) -> list[list[str]]:
    """The labels of each sentence again."""
    rest = iter(["_" if label < 0 else names[label] for label in ids.tolist()])
    return [[next(rest) for _ in sentence] for sentence in sentences]
