"""Checks that all sources give labels of one kind: entities, or plain tags."""

from collections.abc import Collection, Mapping

from zsl_jax.errors import InputError
from zsl_jax.labels.comparison import listed
from zsl_jax.labels.label_set import OUTSIDE, is_bio
from zsl_jax.labels.source_labels import SILENT


def check_kinds(label_names: Mapping[str, Collection[str]]) -> None:
    """Checks that sources with BIO labels are not mixed with sources with plain tags.

    Args:
      label_names: The labels of each source, by its name, after its label map.

    Raises:
      InputError: They are mixed; the message names the first source with plain tags.
    """
    labels = {name: sorted(set(names) - {OUTSIDE, SILENT}) for name, names in label_names.items()}
    entities = [name for name, names in labels.items() if names and is_bio(names)]
    other = [name for name, names in labels.items() if names and not is_bio(names)]
    if entities and other:
        first = labels[other[0]]
        raise InputError(
            f"the source {other[0]} gives {listed(first)}, but the source {entities[0]} gives "
            f"{listed(labels[entities[0]])}; give a map, `label_map`={other[0]}=FILE, whose "
            "targets are labels of entities such as I-PER, or O"
        )
