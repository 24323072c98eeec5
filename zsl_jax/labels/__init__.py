"""Label names: their ids, the entities that they spell, and the tagging schemes they come in.

`label_scheme` maps names to ids and reads entities off BIO labels, `alphabet` has the labels of
sources beside the target's, `kinds` compares those of several sources, `spelling` knows other
spellings, `tagging` recognises IOB1, BIO,
BIOES, IO and plain tags, `bio` turns all of them into BIO, and `transitions` says which label may
follow which.
"""

from zsl_jax.labels.alphabet import SILENT, Alphabet, common_alphabet, set_members
from zsl_jax.labels.bio import REPAIR_RULE, BioConversion, bio_probs, merge_columns, to_bio
from zsl_jax.labels.kinds import check_kinds
from zsl_jax.labels.label_scheme import OUTSIDE, LabelScheme, Span, entity_spans, is_bio
from zsl_jax.labels.spelling import doubtful_reading, usual_spelling
from zsl_jax.labels.tagging import (
    LabelParts,
    TaggingScheme,
    label_parts,
    recognise,
    sentence_starts,
    stray_label,
)
from zsl_jax.labels.transitions import Transitions, allowed_transitions

__all__ = [
    "OUTSIDE",
    "REPAIR_RULE",
    "SILENT",
    "Alphabet",
    "BioConversion",
    "LabelParts",
    "LabelScheme",
    "Span",
    "TaggingScheme",
    "Transitions",
    "allowed_transitions",
    "bio_probs",
    "check_kinds",
    "common_alphabet",
    "doubtful_reading",
    "entity_spans",
    "is_bio",
    "label_parts",
    "merge_columns",
    "recognise",
    "sentence_starts",
    "set_members",
    "stray_label",
    "to_bio",
    "usual_spelling",
]
