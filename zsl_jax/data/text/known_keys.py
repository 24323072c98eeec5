"""Keys of other programs' files: what is not read must be known not to change the meaning.

A key passes if it is known to be harmless, or if it has no value, or one plain value and a name
that says nothing of places, labels, scores and the like. Any other key is refused.
"""

import re
import reprlib
from collections.abc import Collection, Mapping
from typing import Any

from zsl_jax.errors import InputError

_HARMLESS = frozenset(
    "id ids uid text_id sent_id doc_id meta metadata comment comments note notes title lang langs "
    "language source url user username annotator annotator_id annotation_id annotation_agent "
    "prediction_agent created_at updated_at lead_time event_timestamp relations links vectors "
    "metrics search_keywords explanation analysis_explanation recognition_metadata color hidden "
    "kb_id kb_url cats sents spaces whitespace lemma lemmas upos xpos multi_ner view_id session_id "
    "input_hash task_hash timestamp".split()
)
_MEANS_SOMETHING = re.compile(
    "offset|start|begin|end$|ends|char|byte|pos|index|indic|span|entit|label|tag|annot|predict|token|"
    "word|scor|conf|prob|logit|weight|mask|unit|encod|bio|iob|scheme|answer|accept|reject|ignore|skip"
    "|valid|missing|partial|binary|cancel|status|length|negat"
)
# Lists beside the labels that are read: labels of another kind.
_LAYER = re.compile(r"\w+_tags|pos|chunks?|feats|heads?|deprels?")


def check_keys(
    where: str, found: Mapping[str, Any], read: Collection[str], remedy: str = "leave it out"
) -> None:
    """Checks that no key of an object can change what it means without being read.

    Args:
      where: File and line, for the message.
      found: The object.
      read: The keys that are read.
      remedy: A way out beside another place for the key.

    Raises:
      InputError: At the first key that may.
    """
    for key, value in found.items():
        if key not in read and not is_harmless(key, value):
            raise InputError(
                f"{where}: the key {key!r} is not read, and may change what the others mean; "
                f'{remedy}, or put it under "meta".'
            )


def shown_keys(found: Mapping[str, Any]) -> str:
    """The first keys of an object, as a message shows them."""
    return ", ".join(map(reprlib.repr, list(found)[:8])) or "none"


def is_harmless(key: str, value: Any) -> bool:
    """Whether a key that is not read can be passed over.

    >>> is_harmless("_task_hash", 12), is_harmless("domain", "news"), is_harmless("endOffset", 3)
    (True, True, False)
    """
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key).lower().strip("_")
    if name in _HARMLESS or not name or value in (None, [], {}, ""):
        return True
    if isinstance(value, list) and _LAYER.fullmatch(name):
        return True
    return not isinstance(value, list | dict) and not _MEANS_SOMETHING.search(name)
