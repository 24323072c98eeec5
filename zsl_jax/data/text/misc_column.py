"""Entity labels in the last column of CoNLL-U, MISC: `SpaceAfter=No|NER=B-PER`."""

from collections.abc import Sequence

from absl import logging

from zsl_jax.data.text.column_layout import CONLLU_COLUMNS, Layout, column_name, misc_values
from zsl_jax.data.text.label_column import entity_types
from zsl_jax.data.text.read_options import ReadOptions
from zsl_jax.errors import InputError

_UPOS, _MISC = CONLLU_COLUMNS.index("upos"), CONLLU_COLUMNS.index("misc")


def with_misc_labels(layout: Layout, lines: Sequence[str], options: ReadOptions) -> Layout:
    """The layout with the values of a key in MISC as one more column, if they are the labels.

    They are if the user names the key, or if the words have no UPOS. If they have, a warning tells
    that the entities are not read.

    Args:
      layout: The layout of the file; another than that of CoNLL-U is returned as it is.
      lines: The first lines of the file.
      options: How the file is to be read.

    Raises:
      InputError: The user names a key whose values are not labels of single words.
    """
    if layout.names != CONLLU_COLUMNS or layout.has_more:
        return layout
    split = map(layout.split, (line for line in lines if not line.startswith("#")))
    rows = [fields for fields in split if len(fields) == layout.num_columns]
    values: dict[str, set[str]] = {}
    for fields in rows:
        for key, value in misc_values(fields[_MISC]).items():
            values.setdefault(key, set()).add(value)
    named = _named_key(options.column, values)
    if named is not None:
        _check_single_words(options.name, named, values[named])
        return _with_key(layout, named)
    entities = [key for key, own in values.items() if entity_types(own)]
    if not entities or options.column is not None:
        return layout
    if len(entities) == 1 and all(fields[_UPOS] == "_" for fields in rows):
        return _with_key(layout, entities[0])
    way_out = f"for these, give `column`={entities[0]}"
    if options.allow_missing:
        way_out = "for these, write words and entities in two columns of a .conll file"
    logging.warning(
        "%s: its labels are UPOS, not the entities in MISC (%s=); %s",
        options.name, "=, ".join(entities), way_out,
    )  # fmt: skip
    return layout


def _named_key(column: int | str | None, values: dict[str, set[str]]) -> str | None:
    """The key that the user names, if it is one of those in MISC and no column."""
    if not isinstance(column, str) or column_name(column) in CONLLU_COLUMNS:
        return None
    if column in values:
        return column
    return next((key for key in values if column_name(key) == column_name(column)), None)


def _check_single_words(name: str, key: str, values: set[str]) -> None:
    """Refuses brackets around mentions of several words, as CorefUD has them."""
    brackets = next((value for value in sorted(values) if {"(", ")"} & set(value)), None)
    if brackets is not None:
        raise InputError(
            f"{name}: {key}={brackets} in MISC is a bracket of a mention, not the label of a word; "
            f"write one label per word there, such as {key}=B-PER and {key}=O"
        )


def _with_key(layout: Layout, key: str) -> Layout:
    return layout._replace(
        num_columns=layout.num_columns + 1,
        label_at=layout.num_columns,
        names=(*layout.names, column_name(key)),
        misc_key=key,
    )
