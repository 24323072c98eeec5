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
from typing import TextIO

from zsl_jax.atomic_file import atomic_file, is_standard_output
from zsl_jax.data.text.checks import MISSING_LABEL, UNWRITABLE, are_plain
from zsl_jax.data.text.entity_places import entities_of, text_and_starts
from zsl_jax.errors import InputError
from zsl_jax.labels import is_bio
from zsl_jax.types import Sentence

Labelled = tuple[Sentence, Sequence[str]]
Scored = tuple[Sentence, Sequence[str], Sequence[float] | None]


def write_conll(path: str | os.PathLike[str], rows: Iterable[Labelled]) -> None:
    """Writes `word<TAB>label` lines, an empty line after each sentence, comments kept.

    `read_sentences` reads the same words and labels back.

    Args:
      path: The file, gzipped if it ends in `.gz`; "-" is the standard output.
      rows: Each sentence with one label per word; the sentence's own labels are not looked at. One
        after the other is asked for and written.

    Raises:
      InputError: A word that CoNLL cannot hold, or the file cannot be written.
    """
    numbered = enumerate(rows, start=1)
    _write_text(path, (_conll_block(f"{path}, sentence {at}", *row) for at, row in numbered))


def write_jsonl(path: str | os.PathLike[str], rows: Iterable[Labelled]) -> None:
    """Writes one JSON object per sentence: "words", "labels", and "comments" if there are any.

    Args:
      path: The file, gzipped if it ends in `.gz`; "-" is the standard output.
      rows: As for `write_conll`.

    Raises:
      InputError: The file cannot be written.
    """
    _write_text(path, itertools.starmap(_json_line, rows))


def write_spans(path: str | os.PathLike[str], rows: Iterable[Scored]) -> None:
    """Writes one JSON object per sentence: "text", and "spans" of "start", "end", "label", "score".

    Starts and ends count characters of the text, which is the sentence's own where it has one, and
    else its words with blanks between them. The spans are those that conlleval reads off the
    labels.

    Args:
      path: The file, gzipped if it ends in `.gz`; "-" is the standard output.
      rows: Each sentence with one BIO label (or "_", none) per word, and with the probability of
        each of these labels: a span has the mean over its words. None leaves the scores out.

    Raises:
      InputError: The labels are not BIO, or the file cannot be written.
    """
    _write_text(path, itertools.starmap(_span_line, _in_bio(path, rows)))


def _check_lengths(sentence: Sentence, labels: Sequence[str]) -> None:
    words = len(sentence.words)
    assert words == len(labels), f"{words} words, {len(labels)} labels"


def _in_bio(path: str | os.PathLike[str], rows: Iterable[Scored]) -> Iterator[Scored]:
    """The rows, as long as their labels are BIO."""
    known = {MISSING_LABEL}
    for row in rows:
        for name in set(row[1]) - known:
            if not is_bio([name]):
                raise InputError(
                    f"{path}: spans need BIO labels, but there is {name!r}; write words and labels "
                    "(conll or jsonl) instead"
                )
            known.add(name)
        yield row


def _check_words(where: str, words: Sequence[str]) -> None:
    bad = [word for word in words if not word.strip(" ") or UNWRITABLE.search(word)]
    # These would be read back as a document mark and byte-order marks.
    bad += [word for word in words if word == "-DOCSTART-" or word.startswith("-DOCSTART- ")]
    bad += [word for word in words[:1] if word.startswith("\ufeff")]
    bad += [word for word in words[1:] if word.lstrip("\ufeff") not in ("", word)]
    if bad:
        raise InputError(
            f"{where}: CoNLL columns cannot hold the word {bad[0]!r}; write a .jsonl file instead"
        )


def _conll_block(where: str, sentence: Sentence, labels: Sequence[str]) -> str:
    _check_lengths(sentence, labels)
    words = sentence.words
    if not are_plain(words) or "-DOCSTART-" in words or "\ufeff" in "".join(words):
        _check_words(where, words)
    comments = map(_comment_line, sentence.comments)
    lines = map("\t".join, zip(words, labels, strict=True))
    return "\n".join([*comments, *lines, "", ""])


def _comment_line(comment: str) -> str:
    """The comment in a form that is not read back as a word."""
    line = UNWRITABLE.sub(" ", comment)
    return line if line.startswith(("# ", "-DOCSTART-")) else "# " + line.removeprefix("#")


def _json_line(sentence: Sentence, labels: Sequence[str]) -> str:
    _check_lengths(sentence, labels)
    row: dict[str, list[str]] = {"words": list(sentence.words), "labels": list(labels)}
    if sentence.comments:
        row["comments"] = list(sentence.comments)
    return json.dumps(row, ensure_ascii=False) + "\n"


def _span_line(sentence: Sentence, labels: Sequence[str], scores: Sequence[float] | None) -> str:
    _check_lengths(sentence, labels)
    text, _ = text_and_starts(sentence)
    spans = []
    for entity in entities_of(sentence, labels, scores):
        span: dict[str, str | int | float] = {"start": entity.start_char, "end": entity.end_char}
        span["label"] = entity.type
        if entity.score is not None:
            span["score"] = round(entity.score, 4)
        spans.append(span)
    return json.dumps({"text": text, "spans": spans}, ensure_ascii=False) + "\n"


def _write_text(path: str | os.PathLike[str], blocks: Iterable[str]) -> None:
    if is_standard_output(path):
        try:
            sys.stdout.writelines(blocks)
            sys.stdout.flush()
        except BrokenPipeError:  # the reader has closed the pipe
            raise
        except OSError as error:
            raise InputError(f"the standard output cannot be written: {error.strerror}") from error
        return
    opened = _open_gzip if Path(path).suffix == ".gz" else _open
    with atomic_file(path) as part, opened(part) as stream:
        stream.writelines(blocks)


def _open(path: Path) -> TextIO:
    return open(path, "w", encoding="utf-8", newline="\n")


@contextlib.contextmanager
def _open_gzip(path: Path) -> Iterator[TextIO]:
    """A gzipped file without a name and a time in it: the same text, the same bytes."""
    with (
        open(path, "wb") as raw,
        gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed,
        io.TextIOWrapper(packed, encoding="utf-8", newline="\n") as stream,
    ):
        yield stream
