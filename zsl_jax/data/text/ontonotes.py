"""OntoNotes 5 as the CoNLL-2012 shared task published it: `*_gold_conll` files.

A line of a word has, cut at blanks: document, part, number of the word from 0, word, part of
speech, parse, lemma, frameset, sense, speaker, named entities, the arguments of each predicate, and
coreference. The entities are brackets, `(PERSON*`, `*`, `*)` or `(GPE)`, and become BIO labels.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePath

from zsl_jax.data.text.checks import checked_label, checked_word
from zsl_jax.data.text.column_layout import cut_at_blanks
from zsl_jax.data.text.read_options import ReadOptions
from zsl_jax.errors import InputError
from zsl_jax.labels import OUTSIDE
from zsl_jax.types import Sentence

DOMAINS = ("bc", "bn", "mz", "nw", "pt", "tc", "wb")

# Domains whose names OntoNotes does not annotate, and words among which there is a name elsewhere.
_UNNAMED = ("pt",)
SURELY_NAMED = 100

_FEWEST_COLUMNS = 12
_NUMBER, _WORD = 2, 3
_ENTITY = re.compile(r"(?:\(([^()*\s]+))?(\*?)(\)?)")
_COLUMNS = {"pos": 4, "4": 4, "ner": 10, "10": 10}

_Row = tuple[str, list[str]]  # file and line, fields


def read_ontonotes(lines: Iterable[str], options: ReadOptions) -> Iterator[Sentence]:
    """Sentences of one file; `# domain = ...` is a comment of each where the domain is known."""
    options._replace(column=None).refuse_columns("OntoNotes")
    column = _label_column(options)
    domain, count, named = None, 0, not options.with_labels or column != _COLUMNS["ner"]
    for opening, rows in _blocks(lines, options.name):
        domain = _domain(options.name, rows[0][1][0])
        comments = (*opening, f"# domain = {domain}") if domain else opening
        words = tuple(checked_word(where, fields[_WORD]) for where, fields in rows)
        if "[WORD]" in words:
            raise InputError(
                f"{rows[0][0]}: [WORD] is in the place of the words; make the file from the "
                "OntoNotes release first (skeleton2conll)"
            )
        labels = None
        if options.with_labels and column == _COLUMNS["ner"]:
            labels = _bio([(where, fields[column]) for where, fields in rows])
            count, named = count + len(words), named or set(labels) != {OUTSIDE}
        elif options.with_labels:
            labels = tuple(
                checked_label(where, fields[column], fields[_WORD], options.allow_missing)
                for where, fields in rows
            )
        yield Sentence(words, labels, comments)
    if not named and (domain in _UNNAMED or count > SURELY_NAMED):
        raise InputError(_without_names(options.name, count))


def _without_names(name: str, count: int) -> str:
    return (
        f"{name}: none of its {count} words is in an entity, as in documents whose names are not "
        "annotated; leave the file out, or read its parts of speech with `column`=pos"
    )


def _label_column(options: ReadOptions) -> int:
    column = "ner" if options.column is None else str(options.column).lower()
    if column not in _COLUMNS:
        raise InputError(
            f"{options.name}: there is no column '{options.column}' of labels; it has to be ner "
            "or pos"
        )
    return _COLUMNS[column]


def _blocks(lines: Iterable[str], name: str) -> Iterator[tuple[tuple[str, ...], list[_Row]]]:
    """The lines of each sentence; `#begin document` goes before the document's first one."""
    opening: list[str] = []
    rows: list[_Row] = []
    for number, line in enumerate(lines, start=1):
        if line.startswith("#") or not line.strip(" \t"):
            if rows:
                yield tuple(opening), rows
                opening, rows = [], []
            if line.startswith("#begin document"):
                opening = [line]
            continue
        where = f"{name}, line {number}"
        fields = cut_at_blanks(line)
        if len(fields) < _FEWEST_COLUMNS or (rows and len(fields) != len(rows[0][1])):
            wanted = len(rows[0][1]) if rows else f"at least {_FEWEST_COLUMNS}"
            raise InputError(
                f"{where}: {len(fields)} column(s) where {wanted} are expected, cut at blanks; "
                "name another `format`, or fetch the file again"
            )
        if fields[_NUMBER] != str(len(rows)):
            raise InputError(
                f"{where}: word number {fields[_NUMBER]!r} where {len(rows)} is expected; a line "
                "is missing, or an empty line between sentences"
            )
        rows.append((where, fields))
    if rows:
        yield tuple(opening), rows


def _domain(name: str, document: str) -> str | None:
    """The domain that the path of the file names, or else the document's own."""
    folders = reversed(PurePath(name).parts[:-1])
    return next((part for part in (*folders, document.split("/")[0]) if part in DOMAINS), None)


def _bio(brackets: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """The BIO labels of one sentence's brackets.

    >>> _bio([("", "(ORG*"), ("", "*)"), ("", "*"), ("", "(GPE)")])
    ('B-ORG', 'I-ORG', 'O', 'B-GPE')
    """
    labels = []
    inside: str | None = None
    for where, field in brackets:
        match = _ENTITY.fullmatch(field)
        opened, star, closed = match.groups() if match else (None, "", "")
        wrong = not star and not (opened and closed)
        if wrong or (opened and inside) or (closed and not (opened or inside)):
            raise InputError(
                f"{where}: the entity bracket {field!r} is malformed, nested or closes nothing; "
                "fetch the file again"
            )
        if opened:
            labels.append(f"B-{opened}")
        else:
            labels.append(f"I-{inside}" if inside else OUTSIDE)
        inside = None if closed else opened or inside
    if inside:
        raise InputError(
            f"{brackets[-1][0]}: the sentence ends inside the entity ({inside}*; fetch the file "
            "again"
        )
    return tuple(labels)
