"""Files with one JSON object per line, and labelled text in them."""

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from zsl_jax.data.text.checks import checked_label, checked_word
from zsl_jax.data.text.files import read_lines
from zsl_jax.data.text.json_spans import LIST_KEYS, TEXT_KEYS, has_spans
from zsl_jax.data.text.known_keys import check_keys
from zsl_jax.data.text.read_options import ReadOptions
from zsl_jax.errors import InputError
from zsl_jax.types import Sentence

WORD_KEYS = ("words", "tokens")
LABEL_KEYS = ("labels", "tags", "ner_tags")
# What our own files have beside words and labels, and other keys whose values repeat these.
_BESIDE = ("comments", "probabilities", "label_names", "text")


def json_objects(lines: Iterable[str], name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects of a file, each with the file and line it stands in; empty lines are skipped.

    Raises:
      InputError: A line is not one JSON object, or is nested too deeply to be read.
    """
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        where = f"{name}, line {number}"
        if line.lstrip().startswith("```"):
            raise InputError(f"{where}: Markdown, not JSON; delete the lines with ```")
        try:
            value = json.loads(line, object_pairs_hook=_object)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{where}: not JSON ({error}); write one object per line") from error
        if not isinstance(value, dict):
            raise InputError(
                f'{where}: not an object; write {{"words": [...], ...}} or {{"text": ..., "spans": '
                "[...]}, one object per line (jq -c '.[]' FILE takes them out of a list)"
            )
        yield where, value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object, none of whose keys is there twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice!r} occurs twice")
    return found


def read_objects(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """`json_objects` of a UTF-8 file, which may be compressed (.gz)."""
    return json_objects(read_lines(name, "utf-8"), name)


def read_jsonl(lines: Iterable[str], options: ReadOptions) -> Iterator[Sentence]:
    """Sentences of a file with one JSON object per line."""
    word_keys, label_keys = word_keys_of(options), label_keys_of(options)
    for where, row in json_objects(lines, options.name):
        _refuse_raw_text(where, row, options)
        check_lists(where, row, options)
        found = [checked_word(where, word) for word in _json_list(where, row, word_keys)]
        labels = None
        if options.with_labels:
            values = _json_list(where, row, label_keys)
            if len(values) != len(found):
                raise InputError(
                    f"{where}: {len(found)} words but {len(values)} labels; give one label per word"
                )
            pairs = zip(values, found, strict=True)
            labels = tuple(checked_label(where, *pair, options.allow_missing) for pair in pairs)
        comments = row.get("comments")
        kept = tuple(map(str, comments)) if isinstance(comments, list) else ()
        yield Sentence(tuple(found), labels, kept)


def _refuse_raw_text(where: str, row: dict[str, Any], options: ReadOptions) -> None:
    """Refuses a text that is not cut into words; spans in it need not end where words do.

    Raises:
      InputError: There are no words, or spans instead of labels where these are read.
    """
    words = next((row[key] for key in word_keys_of(options) if key in row), None)
    has_words = isinstance(words, list) and all(isinstance(word, str) for word in words)
    labels = label_keys_of(options) if options.with_labels else ()
    has_labels = not labels or any(isinstance(row.get(key), list) for key in labels)
    if not has_spans(row) or (has_words and has_labels):
        return
    if not options.with_labels:
        key = next(key for key in TEXT_KEYS if key in row)
        raise InputError(
            f"{where}: raw text, not words; write it as plain text "
            f'(jq -r \'.{key} | gsub("\\\\s+"; " ")\' FILE > NEW.txt)'
        )
    spans = next((key for key in LIST_KEYS if key in row), None)
    if spans:
        raise InputError(
            f'{where}: character spans ("{spans}"), not words with labels; bring them onto words '
            "(python -m launch.aggregate --source=spans=FILE --method=majority --output=NEW.conll)"
        )


def check_lists(where: str, row: Mapping[str, Any], options: ReadOptions) -> None:
    """Checks that it is clear which lists of an example are its words and its labels.

    Where labels are read, nothing beside them may change what they mean.

    Args:
      where: The file, and perhaps the line.
      row: The example, or the names of columns with a value of their type.
      options: How it is read. Other labels are left alone if the user names the right ones.

    Raises:
      InputError: A key that is not read may, or there are several lists of words or labels.
    """
    lists = keys_of_lists(options)
    for keys in lists:
        found = [key for key in keys if row.get(key) is not None]
        if len(found) > 1:
            remedy = "keep one of them" if options.allow_missing else options.remedy
            raise InputError(f"{where}: {' and '.join(found)} are both present; {remedy}")
    if not options.with_labels:
        return
    if options.column is not None:
        row = {key: value for key, value in row.items() if not isinstance(value, list)}
    remedy = (
        "leave it out" if options.allow_missing else "name the labels by `column`, leave it out"
    )
    check_keys(where, row, {*itertools.chain(*lists), *_BESIDE}, remedy)


def keys_of_lists(options: ReadOptions) -> list[tuple[str, ...]]:
    """The keys under which words may stand and, where they are read, those of labels."""
    return [word_keys_of(options), *([label_keys_of(options)] if options.with_labels else [])]


def word_keys_of(options: ReadOptions) -> tuple[str, ...]:
    """The keys under which words may stand in a format that names its columns."""
    return _keys(options, "word_column", options.word_column, WORD_KEYS)


def label_keys_of(options: ReadOptions) -> tuple[str, ...]:
    """The keys under which labels may stand in such a format."""
    return _keys(options, "column", options.column, LABEL_KEYS)


def _keys(
    options: ReadOptions, flag: str, column: int | str | None, usual: tuple[str, ...]
) -> tuple[str, ...]:
    if isinstance(column, int):
        raise InputError(
            f"{options.name}: column {column} has no meaning in JSON or Parquet; give a key to "
            f"`{flag}`"
        )
    return usual if column is None else (column,)


def _json_list(where: str, row: dict[str, Any], keys: Sequence[str]) -> list[Any]:
    """The list under the first of the keys that the row has."""
    value = next((row[key] for key in keys if key in row), None)
    if not isinstance(value, list):
        wanted = " or ".join(f'"{key}"' for key in keys)
        raise InputError(f"{where}: no list {wanted}; write one in each line")
    return value
