"""Writers of labelled text: CoNLL columns, JSON lines of words, JSON lines of spans.

A file appears under its name only when it is complete; the path "-" is the standard output.
"""

import contextlib
import gzip
import io
import itertools
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from zsl_jax.data.checks import MISSING_LABEL, UNWRITABLE
from zsl_jax.errors import InputError
from zsl_jax.labels import OUTSIDE, entity_spans, is_bio
from zsl_jax.types import Sentence


def write_conll(
    path: str | Path, sentences: Sequence[Sentence], labels: Sequence[Sequence[str]]
) -> None:
    """Write `word<TAB>label` lines, an empty line after each sentence, comments kept.

    `read_sentences` reads the same words and labels back.

    Args:
      path: The file, gzipped if it ends in `.gz`; "-" is the standard output.
      sentences: The words and comments; the sentences' own labels are not looked at.
      labels: One label a word of every sentence.

    Raises:
      InputError: A word that CoNLL cannot hold, or the file cannot be written.
    """
    _check_lengths(sentences, labels)
    for number, sentence in enumerate(sentences, start=1):
        _check_words(path, number, sentence.words)
    _write_text(path, map(_conll_block, sentences, labels))


def write_jsonl(
    path: str | Path, sentences: Sequence[Sentence], labels: Sequence[Sequence[str]]
) -> None:
    """Write one JSON object a sentence: "words", "labels", and "comments" if there are any.

    Args:
      path: The file, gzipped if it ends in `.gz`; "-" is the standard output.
      sentences: The words and comments; the sentences' own labels are not looked at.
      labels: One label a word of every sentence.

    Raises:
      InputError: The file cannot be written.
    """
    _check_lengths(sentences, labels)
    _write_text(path, map(_json_line, sentences, labels))


def write_spans(
    path: str | os.PathLike[str],
    sentences: Sequence[Sentence],
    labels: Sequence[Sequence[str]],
    scores: Sequence[Sequence[float]] | None = None,
) -> None:
    """Write one JSON object a sentence: "text", and "spans" with "start", "end", "label", "score".

    Starts and ends count characters of the text, which is the sentence's own where it has one, and
    else its words with blanks between them. The spans are those that conlleval reads off the
    labels.

    Args:
      path: The file, gzipped if it ends in `.gz`; "-" is the standard output.
      sentences: The words, and the texts that they come from.
      labels: One BIO label (or "_", none) a word of every sentence.
      scores: The probability of each of these labels; a span has the mean over its words. None
        leaves the scores out.

    Raises:
      InputError: The labels are not BIO, or the file cannot be written.
    """
    _check_lengths(sentences, labels)
    names = {label for row in labels for label in row} - {MISSING_LABEL}
    if names and not is_bio(names):
        raise InputError(
            f"{path}: spans need BIO labels, but there is {min(names - {OUTSIDE})!r}; write words "
            "and labels (conll or jsonl) instead."
        )
    rows = [None] * len(labels) if scores is None else scores
    _write_text(path, map(_span_line, sentences, labels, rows))


def _check_lengths(sentences: Sequence[Sentence], labels: Sequence[Sequence[str]]) -> None:
    assert len(sentences) == len(labels), f"{len(sentences)} sentences, {len(labels)} label lists"
    for number, (sentence, names) in enumerate(zip(sentences, labels, strict=True), start=1):
        words = len(sentence.words)
        assert words == len(names), f"sentence {number}: {words} words, {len(names)} labels"


def _check_words(path: str | Path, number: int, words: Sequence[str]) -> None:
    bad = [word for word in words if not word.strip(" ") or UNWRITABLE.search(word)]
    # These would be read back as a document mark and a byte-order mark.
    bad += [word for word in words if word == "-DOCSTART-" or word.startswith("-DOCSTART- ")]
    bad += [word for word in words[:1] if word.startswith("\ufeff")]
    if bad:
        raise InputError(
            f"{path}, sentence {number}: CoNLL columns cannot hold the word {bad[0]!r}; "
            "write a .jsonl file instead."
        )


def _conll_block(sentence: Sentence, labels: Sequence[str]) -> str:
    comments = map(_comment_line, sentence.comments)
    rows = [f"{word}\t{label}" for word, label in zip(sentence.words, labels, strict=True)]
    return "\n".join([*comments, *rows, "", ""])


def _comment_line(comment: str) -> str:
    """The comment in a form that is not read back as a word."""
    line = UNWRITABLE.sub(" ", comment)
    return line if line.startswith(("# ", "-DOCSTART-")) else "# " + line.removeprefix("#")


def _json_line(sentence: Sentence, labels: Sequence[str]) -> str:
    row: dict[str, list[str]] = {"words": list(sentence.words), "labels": list(labels)}
    if sentence.comments:
        row["comments"] = list(sentence.comments)
    return json.dumps(row, ensure_ascii=False) + "\n"


def _span_line(sentence: Sentence, labels: Sequence[str], scores: Sequence[float] | None) -> str:
    text, starts = _text_and_starts(sentence)
    spans = []
    for span in entity_spans(labels):
        last = span.end - 1
        end = starts[last] + len(sentence.words[last])
        found: dict[str, str | int | float] = {"start": starts[span.start], "end": end}
        found["label"] = span.type
        if scores is not None:
            mean = sum(scores[span.start : span.end]) / (span.end - span.start)
            found["score"] = round(float(mean), 4)
        spans.append(found)
    return json.dumps({"text": text, "spans": spans}, ensure_ascii=False) + "\n"


def _text_and_starts(sentence: Sentence) -> tuple[str, Sequence[int]]:
    """The text of a sentence, and where its words begin in it."""
    if sentence.text is not None and sentence.starts is not None:
        return sentence.text, sentence.starts
    ends = itertools.accumulate(len(word) + 1 for word in sentence.words)
    return " ".join(sentence.words), [0, *ends]


def _write_text(path: str | os.PathLike[str], blocks: Iterable[str]) -> None:
    try:
        if os.fspath(path) == "-":
            sys.stdout.writelines(blocks)
            sys.stdout.flush()
            return
        with _replacing(Path(path)) as stream:
            stream.writelines(blocks)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}; check the path.") from error


@contextlib.contextmanager
def _replacing(path: Path) -> Iterator[io.TextIOBase]:
    """A text stream whose content takes the path's place once it is complete."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        opened = gzip.open if path.suffix == ".gz" else open
        with opened(part, "wt", encoding="utf-8", newline="\n") as stream:
            yield stream
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
