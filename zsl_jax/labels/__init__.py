"""Label names: their ids, the entities that they encode, and the tagging schemes they come in.

- `label_set`: label names and their ids
- `entities`: entities from BIO labels
- `schemes`: recognises IOB1, BIO, BIOES, IO and plain tags
- `spelling`: other spellings, such as B_PER and PER-B
- `conversion`: converts labels and probabilities of any scheme to BIO, or to another set
- `transitions`: which label may follow which, in valid BIO
- `source_labels`: the labels of sources, and which of the target's they may mean
- `same_kind`: the check that sources do not mix entities with plain tags
- `comparison`: labels that known ones lack, or that differ from them by case alone
"""

from zsl_jax.labels.comparison import case_variants, label_doubt, label_kinds, listed
from zsl_jax.labels.conversion import (
    REPAIR_RULE,
    BioConversion,
    Probs,
    bio_probs,
    faulty_entities,
    merge_columns,
    relabel,
    to_bio,
)
from zsl_jax.labels.entities import Span, entity_spans
from zsl_jax.labels.label_set import OUTSIDE, LabelSet, bio_labels, is_bio
from zsl_jax.labels.same_kind import check_kinds
from zsl_jax.labels.schemes import (
    LabelParts,
    TaggingScheme,
    label_parts,
    recognise,
    recognise_blocks,
    sentence_starts,
    stray_label,
)
from zsl_jax.labels.source_labels import SILENT, SourceLabels, common_source_labels, set_members
from zsl_jax.labels.spelling import doubtful_reading, usual_spelling
from zsl_jax.labels.transitions import Transitions, allowed_transitions

__all__ = [
    "OUTSIDE",
    "REPAIR_RULE",
    "SILENT",
    "BioConversion",
    "LabelParts",
    "LabelSet",
    "Probs",
    "SourceLabels",
    "Span",
    "TaggingScheme",
    "Transitions",
    "allowed_transitions",
    "bio_labels",
    "bio_probs",
    "case_variants",
    "check_kinds",
    "common_source_labels",
    "doubtful_reading",
    "entity_spans",
    "faulty_entities",
    "is_bio",
    "label_doubt",
    "label_kinds",
    "label_parts",
    "listed",
    "merge_columns",
    "recognise",
    "recognise_blocks",
    "relabel",
    "sentence_starts",
    "set_members",
    "stray_label",
    "to_bio",
    "usual_spelling",
]
