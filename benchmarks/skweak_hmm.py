"""Labels by skweak's HMM, for the programs that compare label models."""

import contextlib
import os
from collections.abc import Sequence

import numpy as np
from jaxtyping import Int


def skweak_labels(
    gold: Sequence, labels: Int[np.ndarray, "N U"], label_set
) -> Int[np.ndarray, " N"]:
    """Labels by skweak's HMM, fitted to the same votes; its inputs and outputs are spans."""
    import spacy
    from skweak.generative import HMM
    from spacy.tokens import Doc, Span

    from zsl_jax.labels import is_bio, sentence_starts

    bio, names = is_bio(label_set.names), np.array(label_set.names)
    types = sorted({name[2:] if bio else name for name in label_set.names if name != "O"})
    ends = np.cumsum([len(sentence.words) for sentence in gold])
    vocabulary, docs = spacy.blank("xx").vocab, []
    for sentence, end in zip(gold, ends, strict=True):
        doc = Doc(vocabulary, words=list(sentence.words))
        label_names = names[labels[end - len(sentence.words) : end]]
        for source in range(labels.shape[1]):
            spans = spans_of(label_names[:, source].tolist(), bio)
            doc.spans[str(source)] = [Span(doc, s.start, s.end, label=s.type) for s in spans]
        docs.append(doc)
    model = HMM("hmm", types, prefixes="BIO" if bio else "IO")
    ids = np.full(int(ends[-1]), label_set.ids.get("O", 0), np.int64)
    starts = np.flatnonzero(sentence_starts([len(sentence.words) for sentence in gold]))
    with contextlib.ExitStack() as quiet:  # it prints a line per round
        nowhere = quiet.enter_context(open(os.devnull, "w"))
        quiet.enter_context(contextlib.redirect_stdout(nowhere))
        quiet.enter_context(contextlib.redirect_stderr(nowhere))
        docs = model.fit_and_aggregate(docs)
    for start, doc in zip(starts, docs, strict=True):
        for span in doc.spans["hmm"]:
            inside = slice(start + span.start, start + span.end)
            if bio:
                ids[inside] = label_set.ids[f"I-{span.label_}"]
                ids[start + span.start] = label_set.ids[f"B-{span.label_}"]
            else:
                ids[inside] = label_set.ids[span.label_]
    return ids


def spans_of(labels: Sequence[str], bio: bool) -> list:
    """Each entity, or each word if labels are plain."""
    from zsl_jax.labels import Span, entity_spans

    if bio:
        return entity_spans(labels)
    return [Span(label, place, place + 1) for place, label in enumerate(labels)]
