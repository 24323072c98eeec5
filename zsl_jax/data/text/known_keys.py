"""Keys of other programs' files: a key that is not read must be known not to change the meaning.

A key passes if it is known to be harmless, if it has no value, or if its value is text under a name
that does not refer to places, labels, scores and the like. Any other key is refused: a number or a
truth value under an unknown name may be a place, a score or a verdict.
"""

import re
import reprlib
from collections.abc import Collection, Mapping
from typing import Any

from zsl_jax.errors import InputError

_HARMLESS = frozenset(
    "id ids uid meta metadata comment comments note notes title lang langs language source url user"
    " username annotator annotation_agent annotation_approver prediction_agent created_at"
    " updated_at lead_time event_timestamp relations links vectors metrics search_keywords"
    " explanation analysis_explanation recognition_metadata color hidden rank priority cats"
    " sents spaces whitespace lemma lemmas upos xpos multi_ner input_hash task_hash"
    " timestamp".split()
)
# What a whole text is taken from or costs; beside a span, some of them are places.
_OF_TEXTS = frozenset(
    "document doc article page paragraph section chapter year month day date time version epoch "
    "seed temperature cost price latency duration".split()
)
_ID = re.compile(r"\w+_ids?")
_MEANS_SOMETHING = re.compile(
    "offset|start|begin|end$|ends|char|byte|pos|index|indic|span|entit|label|tag|annot|predict|token|"
    "word|scor|conf|prob|logit|weight|mask|unit|encod|bio|iob|scheme|schema|format|answer|accept|"
    "reject|ignore|skip|valid|missing|partial|binary|cancel|status|length|negat|certain|polar|"
    "assert|place|locat|path|error|exception|fail|refus|timeout|truncat|finish|stop|warn"
)
# Lists beside the labels that are read: labels of another kind.
_LAYER = re.compile(r"\w+_tags|pos|chunks?|feats|heads?|deprels?")
_VERDICTS = ("true", "false", "yes", "no")  # as XML has them
_NUMBERS = re.compile(r"[\s\d.,:;/()\[\]-]*\d[\s\d.,:;/()\[\]-]*")  # such as "19-29"


def check_keys(
    where: str,
    found: Mapping[str, Any],
    read: Collection[str],
    remedy: str = "leave it out",
    of_span: bool = False,
) -> None:
    """Checks that no key of an object can change what it means without being read.

    Args:
      where: File and line, for the message.
      found: The object.
      read: The keys that are read.
      remedy: A way out beside another place for the key.
      of_span: Whether the object is a span rather than a text.

    Raises:
      InputError: At the first key that may.
    """
    for key, value in found.items():
        if key not in read and not is_harmless(key, value, of_span):
            raise InputError(
                f"{where}: the key {key!r} is not read, and may change what the others mean; "
                f'{remedy}, or put it under "meta"'
            )


def snake_case(key: str) -> str:
    """A key in the spelling that is looked for: BeginOffset is begin_offset."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key).lower()


def shown_keys(found: Mapping[str, Any]) -> str:
    """The first keys of an object, as a message shows them."""
    return ", ".join(map(reprlib.repr, list(found)[:8])) or "none"


def is_harmless(key: str, value: Any, of_span: bool = False) -> bool:
    """Whether a key that is not read can be passed over, of a text or of a span.

    >>> is_harmless("_task_hash", 12), is_harmless("domain", "news"), is_harmless("endOffset", 3)
    (True, True, False)
    >>> is_harmless("page", 12), is_harmless("page", 12, of_span=True), is_harmless("from", 19)
    (True, False, False)
    """
    name = snake_case(key).strip("_")
    if name in _HARMLESS or not name or value in (None, [], {}, ""):
        return True
    if isinstance(value, list):
        return _LAYER.fullmatch(name) is not None
    if isinstance(value, dict):
        return False
    if (_ID.fullmatch(name) and "label" not in name) or (name in _OF_TEXTS and not of_span):
        return True
    if _MEANS_SOMETHING.search(name) or not isinstance(value, str):
        return False
    return not (of_span and (_NUMBERS.fullmatch(value) or value.lower() in _VERDICTS))
