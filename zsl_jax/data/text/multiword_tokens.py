"""Labels of multiword tokens in CoNLL-U, such as `3-4` for the words 3 and 4."""

import re
from collections.abc import Sequence

from zsl_jax.data.text.checks import MISSING_LABEL
from zsl_jax.labels import OUTSIDE

_LETTER = re.compile(r"^[BIESLUMW](?=[-_:./|]|$)|(?<=[-_:./|])[BIESLUMW]$")
# The letters of the first, the middle and the last word of a token; others are those of each word.
_LETTERS = {"B": "BII", "S": "BIE", "U": "BIL", "W": "BME", "E": "IIE", "L": "IIL"}


def share_label(token: Sequence[str], rows: Sequence[tuple[int, list[str]]], label_at: int) -> None:
    """Gives the words of a token its label, if it is that of an entity or O and they have none.

    stanza labels tokens, and writes nothing at their words.

    Args:
      token: The fields of the token's line.
      rows: The lines and fields of the words up to its last one; the label is written there.
      label_at: The column of the labels.
    """
    label = token[label_at].strip(" ")
    first, _, last = token[0].partition("-")
    size = max(int(last[:20]) - int(first[:20]) + 1, 1)
    own = [fields for _, fields in rows[-size:]]
    found = _LETTER.search(label)
    if own[0][0] != first or (found is None and label != OUTSIDE):
        return
    if any(fields[label_at].strip(" ") not in ("", MISSING_LABEL) for fields in own):
        return
    letters = _LETTERS.get(found[0]) if found and len(own) > 1 else None
    for fields in own:
        place = 0 if fields is own[0] else 2 if fields is own[-1] else 1
        fields[label_at] = _LETTER.sub(letters[place], label, count=1) if letters else label
