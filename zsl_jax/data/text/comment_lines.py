"""Lines with "#" in front of a sentence: comments, or the word "#" and hashtags."""

import re
from collections.abc import Collection

from zsl_jax.data.text.column_layout import Layout, looks_like_label
from zsl_jax.data.text.numbering import Numbering
from zsl_jax.data.text.read_options import ReadOptions
from zsl_jax.errors import InputError

_KEY = re.compile(r"#[ ]?[\w.:-]+[ ]*=")
_SURELY_COMMENT = re.compile(r"[\w.:-]+[ ]*=|\w+://")


def is_comment(
    number: int,
    line: str,
    layout: Layout,
    labels: Collection[str] | None,
    options: ReadOptions,
) -> bool:
    """Whether a line is a comment.

    In front of a sentence's first word, a line with as many fields as words have is a word if its
    last field is a label. Of others, those with `key = value` or an address are comments, and so
    are those that end in something else than the file's labels look like, and lines with another
    number of fields. Between the words of a sentence, only `# key = value`
    with another number of fields is.

    Args:
      number: The number of the line, for the message.
      line: The line, which begins with "#".
      layout: The layout of the file.
      labels: What stands in the last column of other lines; None between the words of a sentence.
      options: How the file is read.

    Raises:
      InputError: It may be either, or is a comment where CoNLL-U has none.
    """
    if labels is None:
        if layout.numbering is Numbering.CONLLU:
            raise InputError(
                f"{options.name}, line {number}: {line!r:.60} stands between the words of a "
                "sentence; write an empty line between sentences, and comments in front of one"
            )
        if layout.numbering is not Numbering.NONE:
            return True
        return _KEY.match(line) is not None and len(layout.split(line)) != layout.num_columns
    if layout.numbering is not Numbering.NONE or (_KEY.match(line) and "\t" not in line):
        return True
    fields = layout.split(line)
    if len(fields) != layout.num_columns:
        return line.startswith("# ") or len(line.split()) > 1
    if layout.num_columns == 1 or fields[-1] in labels or looks_like_label(fields[-1]):
        return False
    if not any("=" in label for label in labels) and any(map(_SURELY_COMMENT.match, fields)):
        return True
    cut_once = layout.tabs and layout.num_columns == 2
    if labels and all(map(looks_like_label, labels)) and any(map(str.isalnum, fields[-1])):
        if not cut_once:
            return True
    elif cut_once or fields[0] != "#":
        return False
    raise InputError(
        f"{options.name}, line {number}: {line!r} may be a comment or the word {fields[0]!r}; "
        "write a comment as '# key = value'"
    )
