"""Finds the column of a file that holds the labels, and signs that it is another."""

import re
from collections.abc import Sequence

from absl import logging

from zsl_jax.data.text.column_layout import Layout
from zsl_jax.data.text.read_options import ReadOptions
from zsl_jax.errors import InputError
from zsl_jax.labels import OUTSIDE, label_parts

_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
# Of CoNLL-2000, and the last three of German in CoNLL-2003.
_CHUNKS = frozenset("NP VP PP ADVP ADJP SBAR PRT CONJP INTJ LST UCP NC VC PC".split())

Rows = Sequence[Sequence[str]]


def label_column(layout: Layout, rows: Rows, options: ReadOptions) -> int:
    """The number of the label column, from 0.

    Args:
      layout: The layout of the file.
      rows: The fields of its first words.
      options: How it is to be read.

    Raises:
      InputError: There is no such column, or it is not clear which one it is. In a file of
        predictions, the last of several layers is taken, with a warning.
    """
    if options.column is not None:
        place = layout.place(options.column, options.name)
    elif layout.num_columns == 1:
        raise InputError(
            f"{options.name} has no labels: its first line has a word only; "
            "add a label column or read the file as plain text"
        )
    elif layout.label_at is None:
        raise InputError(
            f"{options.name}: its columns are {', '.join(layout.names)}, and it is not clear which "
            f"holds the labels; {options.remedy}"
        )
    else:
        place = layout.label_at % layout.num_columns
    if place == layout.word_at:
        raise InputError(
            f"{options.name}: column {place} cannot hold both words and labels; {options.remedy}"
        )
    if options.column is None and layout.label_at == -1:
        _doubt(place, layout, rows, options)
    return place


def _doubt(place: int, layout: Layout, rows: Rows, options: ReadOptions) -> None:
    """Refuses a last column whose fields are numbers, empty, or a second layer of labels."""
    values = [row[place].strip(" ") for row in rows]
    where = f"{options.name}: column {place}, the last,"
    if values and not any(values):
        raise InputError(f"{where} is empty in every line; {options.remedy}")
    if _are_sentence_numbers(values, layout.num_columns):
        raise InputError(
            f"{where} holds numbers such as {values[-1]}, not labels; {options.remedy}"
        )
    layers = {
        column: types
        for column in range(layout.num_columns)
        if column not in (place, layout.word_at)
        and (types := entity_types({row[column] for row in rows})) - _CHUNKS
    }
    if not layers:
        return
    listed = "; ".join(f"{column}: {', '.join(sorted(layers[column])[:3])}" for column in layers)
    is_layer = bool(entity_types(set(values))) or set(values) == {OUTSIDE}
    if not is_layer:
        raise InputError(
            f"{where} holds {values[0]!r}, though there are entity labels in column {listed}; "
            f"{options.remedy}"
        )
    message = f"{where} is not the only one with entity labels (column {listed})"
    if not options.allow_missing:
        raise InputError(f"{message}; {options.remedy}")
    logging.warning("%s; it is taken as the predictions", message)


def _are_sentence_numbers(values: Sequence[str], num_columns: int) -> bool:
    """Whether fields are scores or, in the last of several columns, number something."""
    if not values or not all(map(_NUMBER.fullmatch, values)):
        return False
    numbers = list(map(float, values))
    return any("." in value for value in values) or (num_columns > 2 and numbers == sorted(numbers))


def entity_types(labels: set[str]) -> set[str]:
    """The entity types of labels that are all O, LETTER-TYPE or missing."""
    return set(label_parts(sorted(labels - {"_", ""})).type_names)
