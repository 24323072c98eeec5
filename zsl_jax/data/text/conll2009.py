"""The columns of the CoNLL-2009 shared task, with gold and predicted annotation side by side.

Further columns have the arguments of each predicate, so that sentences differ in their number.
"""

import re
from collections.abc import Sequence

from zsl_jax.data.text.column_layout import Layout
from zsl_jax.data.text.numbering import Numbering, numbering_of
from zsl_jax.data.text.read_options import ReadOptions

COLUMNS = tuple(
    "id form lemma plemma pos ppos feat pfeat head phead deprel pdeprel fillpred pred".split()
)
_POS, _PREDICTED_POS, _HEADS, _FILLED = 4, 5, slice(8, 10), 12
_HEAD = re.compile(r"_|[0-9]{1,9}")


def conll2009_layout(lines: Sequence[str], options: ReadOptions) -> Layout | None:
    """The layout of a file in this format; None for files of other formats.

    Labels are parts of speech: the gold ones of a text and the predicted ones of predictions, or
    the others where those are missing.

    Args:
      lines: The first lines of the file.
      options: How it is to be read.
    """
    filled = [line for line in lines if line.strip(" \t") and not line.startswith("#")]
    header = filled[0] if filled and filled[0].lower().startswith("id\tform\t") else None
    rows = [line.split("\t") for line in filled[header is not None :]]
    if not rows or not all(map(_has_form, rows)):
        return None
    heads = {head for row in rows for head in row[_HEADS]}
    if heads == {"_"} or numbering_of([[row[0] for row in rows]]) is not Numbering.RESTARTS:
        return None
    places = (_PREDICTED_POS, _POS) if options.allow_missing else (_POS, _PREDICTED_POS)
    label_at = next((at for at in places if any(row[at] != "_" for row in rows)), places[0])
    layout = Layout(True, len(COLUMNS), 1, label_at, COLUMNS, Numbering.CONLLU)
    return layout._replace(header=header, has_more=True)


def _has_form(fields: Sequence[str]) -> bool:
    """Whether a line has the columns that other formats do not have."""
    return (
        len(fields) >= len(COLUMNS)
        and fields[_FILLED] in ("_", "Y")
        and all(map(_HEAD.fullmatch, fields[_HEADS]))
    )
