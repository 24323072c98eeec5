"""Restaurant reviews of SemEval-2016 (task 5, subtask 1): opinion targets in XML.

A file may have a document type only to define entities, which can unpack to any size or read other
files: such a file is refused.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from xml.etree import ElementTree

from absl import logging

from zsl_jax.data.text.checks import MISSING_LABEL, checked_word, same_text
from zsl_jax.data.text.known_keys import check_keys
from zsl_jax.data.text.read_options import ReadOptions
from zsl_jax.data.text.word_rules import find_words
from zsl_jax.errors import InputError
from zsl_jax.labels import OUTSIDE
from zsl_jax.types import Sentence

TARGET = "ASPECT"


class _Range(NamedTuple):
    """Characters `start:end` of a sentence's text."""

    start: int
    end: int


def read_semeval(
    data: bytes, options: ReadOptions, encoding: str | None = None
) -> Iterator[Sentence]:
    """Sentences of a file, their opinion targets as B-ASPECT and I-ASPECT over our words.

    A word belongs to a target if they share a character. A target that several opinions name counts
    once; of targets that overlap, the one that begins first (then the longer one) is kept, since a
    word has one label.

    The words of a sentence without opinions, in a file that has some, are O. A sentence out of
    scope was set aside by the annotators, whatever it mentions: it has no labels.
    """
    options.refuse_columns("SemEval XML")
    root = _parse(data, options.name, encoding)
    if options.with_labels:
        _check_labelled(root, options.name)
    out_of_scope = 0
    for number, element in enumerate(root.iter("sentence"), start=1):
        identifier = element.get("id", str(number))
        where = f"{options.name}, sentence {identifier}"
        text = element.findtext("text") or ""
        words, starts = find_words(text, options.words or "unicode")
        if not words:
            continue
        for word in words:
            checked_word(where, word)
        labels = None
        aside = element.get("OutOfScope", "").upper() == "TRUE"
        if options.with_labels:
            _check_keys(element, where)
            targets = _targets(element, text, where)
            if not aside:
                labels = _bio(words, starts, targets)
            elif options.allow_missing:
                labels = (MISSING_LABEL,) * len(words)
        comments = [f"# sent_id = {identifier}"]
        if aside:
            comments.append("# OutOfScope = TRUE")
            out_of_scope += 1
        yield Sentence(words, labels, tuple(comments), text, starts)
    if out_of_scope and options.with_labels and not options.allow_missing:
        logging.warning(
            "%s: %d sentences are out of scope, so that opinions in them are not annotated; they "
            "are left out of training and scores",
            *(options.name, out_of_scope),
        )


def _check_labelled(root: ElementTree.Element, name: str) -> None:
    if root.find(".//sentence//Opinion") is None:
        raise InputError(
            f"{name} has no Opinion elements in its sentences, so no labels; name a labelled file "
            "of SemEval-2016, task 5, subtask 1"
        )


def _check_keys(sentence: ElementTree.Element, where: str) -> None:
    """Refuses elements and attributes that are not understood."""
    other = next((child.tag for child in sentence if child.tag not in ("text", "Opinions")), None)
    if other is not None:
        raise InputError(
            f"{where}: the element {other!r} is not one of SemEval-2016, task 5, subtask 1; leave "
            "it out, or write words and labels as columns"
        )
    check_keys(where, sentence.attrib, ("id", "OutOfScope"))
    for opinion in sentence.iter("Opinion"):
        read = ("target", "category", "polarity", "from", "to")
        check_keys(where, opinion.attrib, read, of_span=True)
        if "target" not in opinion.attrib:
            raise InputError(
                f"{where}: an opinion has no target, as in subtask 2; name a labelled file of "
                "subtask 1, where opinions on nothing that is mentioned have the target NULL"
            )


class _Builder(ElementTree.TreeBuilder):
    """Builds the tree, but not of a file that could define entities."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        raise ElementTree.ParseError("it declares a document type, which is not read")


def _parse(data: bytes, name: str, encoding: str | None) -> ElementTree.Element:
    try:
        parser = ElementTree.XMLParser(target=_Builder(), encoding=encoding)
        return ElementTree.fromstring(data, parser)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise InputError(
            f"{name} cannot be read as XML ({error}); check the file, its `encoding` and `format`"
        ) from error


def _targets(sentence: ElementTree.Element, text: str, where: str) -> list[_Range]:
    """The places of the opinion targets, from left to right; none overlaps another."""
    ranges = {
        _target(opinion, text, where)
        for opinion in sentence.iter("Opinion")
        if opinion.get("target", "NULL") != "NULL"
    }
    kept: list[_Range] = []
    for target in sorted(ranges, key=lambda target: (target.start, -target.end)):
        if not kept or target.start >= kept[-1].end:
            kept.append(target)
    return kept


def _target(opinion: ElementTree.Element, text: str, where: str) -> _Range:
    """Where a target stands: at its offsets, or at the one place where the text has it.

    Case may differ, as it does in some of the languages.
    """
    target = opinion.get("target", "")
    bounds = [opinion.get(name, "") for name in ("from", "to")]
    if all(bound.isascii() and bound.isdigit() and len(bound) < 10 for bound in bounds):
        start, end = map(int, bounds)
        if start < end <= len(text) and same_text(text[start:end], target):
            return _Range(start, end)
    for pattern in (re.escape(target), f"(?i:{re.escape(target)})"):
        places = [match.span() for match in re.finditer(pattern, text)]
        if target and len(places) == 1:
            return _Range(*places[0])
    raise InputError(
        f"{where}: the target {target!r} is not at from={bounds[0]!r} to={bounds[1]!r}; "
        "correct the offsets"
    )


def _bio(words: Sequence[str], starts: Sequence[int], targets: Sequence[_Range]) -> tuple[str, ...]:
    """One label per word: B where a target begins in it (or before it), I where it continues."""
    labels = [OUTSIDE] * len(words)
    place = 0
    for target in targets:
        prefix = "B"
        while place < len(words) and starts[place] + len(words[place]) <= target.start:
            place += 1
        while place < len(words) and starts[place] < target.end:
            labels[place] = f"{prefix}-{TARGET}"
            prefix = "I"
            place += 1
    return tuple(labels)
