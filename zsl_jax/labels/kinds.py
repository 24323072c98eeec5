"""Whether several sources give labels of one kind: entities, or plain tags."""

from collections.abc import Collection, Mapping, Sequence

from zsl_jax.errors import InputError
from zsl_jax.labels.label_set import OUTSIDE, is_bio
from zsl_jax.labels.source_labels import SILENT


def check_kinds(label_names: Mapping[str, Collection[str]]) -> None:
    """Checks that sources do not give BIO labels beside others.

    Args:
      label_names: The labels of each source, by its name, after its label map.

    Raises:
      InputError: Some do; the message names the first source with other labels.
    """
    said = {name: sorted(set(own) - {OUTSIDE, SILENT}) for name, own in label_names.items()}
    entities = [name for name, own in said.items() if own and is_bio(own)]
    other = [name for name, own in said.items() if own and not is_bio(own)]
    if entities and other:
        first = said[other[0]]
        raise InputError(
            f"the source {other[0]} gives {_listed(first)}, but the source {entities[0]} gives "
            f"{_listed(said[entities[0]])}; say what its labels are with "
            f"--label_map={other[0]}=FILE, such as `{first[0]}: I-PER`, or `{first[0]}: O`."
        )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")
