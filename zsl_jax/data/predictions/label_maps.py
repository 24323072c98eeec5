"""Label maps: from a source's names of labels to the target's."""

import os
import reprlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import yaml

from zsl_jax.data.predictions.source_predictions import SourcePredictions
from zsl_jax.data.text.checks import MISSING_LABEL, UNWRITABLE
from zsl_jax.errors import InputError
from zsl_jax.labels import (
    OUTSIDE,
    LabelSet,
    TaggingScheme,
    label_parts,
    relabel,
    usual_spelling,
)


class _TwiceError(yaml.YAMLError):
    """A key that stands twice in one mapping."""


class _Loader(yaml.SafeLoader):
    """Reads plain values, and refuses a key that stands twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """A mapping; of two equal keys PyYAML itself takes the last."""
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise _TwiceError(f"line {key.start_mark.line + 1}: {key.value!r}")
                seen.add(key.value)
        return super().construct_mapping(node, deep)


class LabelMap(NamedTuple):
    """From a source's labels or entity types to the target's.

    Attributes:
      path: The file, or the setting that holds the map, for messages.
      targets: By label or entity type: a name of the target's, several that it may be, or None
        where the source is to abstain.
    """

    path: str
    targets: Mapping[str, str | tuple[str, ...] | None]


def read_label_map(path: str | os.PathLike[str]) -> LabelMap:
    """Reads a YAML file with one `label: target` or `type: target` per line.

    Args:
      path: The file, UTF-8. `null` as the target (or none) lets the source abstain; several labels
        may have one target; `[FIRST, SECOND]` means that it may be either.

    Returns:
      The map, checked.

    Raises:
      InputError: The file cannot be read, or it is not a mapping of names to names.
    """
    where = os.fspath(path)
    try:
        with open(path, encoding="utf-8") as file:
            targets = yaml.load(file, _Loader)
    except (OSError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"{where} cannot be read ({error}); check the label map") from None
    except (ValueError, TypeError, LookupError, AttributeError) as error:  # of PyYAML, for values
        reason = " ".join(str(error).split())  # such as 2001-99-99
        raise InputError(
            f"{where}: a value cannot be read ({reason}); put labels into quotes"
        ) from None
    except _TwiceError as error:
        raise InputError(f"{where}, {error} occurs twice; keep the line that counts") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 1}" if mark else ""
        reason = getattr(error, "problem", None) or "unreadable"
        raise InputError(f"{where}{place}: not YAML ({reason}); write `PER: PERSON`") from None
    if not isinstance(targets, dict):
        raise InputError(f"{where} is not a mapping; write one `LABEL: TARGET` per line")
    return label_map_of(targets, where)


def label_map_of(targets: Mapping[Any, Any], where: str) -> LabelMap:
    """Returns a label map from what its YAML holds: names, lists of names, or None.

    Raises:
      InputError: It is not a mapping of names to names.
    """
    return LabelMap(where, {name: _target(name, value, where) for name, value in targets.items()})


def _shown(value: object) -> str:
    """A value as a message shows it, whatever its length."""
    try:
        return reprlib.repr(value)
    except ValueError:  # a number of more than 4300 digits
        return f"a {type(value).__name__} of very many digits"


def _target(name: object, value: object, where: str) -> str | tuple[str, ...] | None:
    """The target in one line of a label map, checked."""
    line = f"{where}: {_shown(name)}: {_shown(value)}"
    _check_name(name, line)
    if value is None:
        return None
    listed = list(value) if isinstance(value, list | tuple) else [value]
    members = [_check_name(member, line) for member in listed]
    if MISSING_LABEL in (name, *members):
        raise InputError(
            f"{line}: {MISSING_LABEL!r} stands for no label, and a source abstains there; "
            + ("leave the line out" if name == MISSING_LABEL else "write null to abstain")
        )
    if not members or len(set(members)) < len(members):
        raise InputError(f"{line}: list each label that it may be once, or write null to abstain")
    return members[0] if len(members) == 1 else tuple(members)


def _check_name(value: object, where: str) -> str:
    if not isinstance(value, str) or not value or UNWRITABLE.search(value):
        raise InputError(
            f"{where}: {_shown(value)} is not a name; put labels into quotes ('NO', '1'), and "
            "several into a list"
        )
    return value


def map_labels(
    predictions: SourcePredictions, label_map: LabelMap, where: str
) -> SourcePredictions:
    """Translates a source's labels, and sums their probabilities.

    A label that may be several of the target's gets the name of their set, such as PER|ORG, and
    `sets` has its members; a plain label that may be I-PER or I-ORG gets I-PER|ORG. A label is
    looked up as it is; in BIO, its entity type is looked up after that, and B- and I- stay. O stays
    O unless the map has it. A word whose label maps to null abstains; at other words, the
    probabilities of such labels are left out and the others scaled to sum to 1. A label remains
    that of the source's label, even if other labels together are more probable now.

    Args:
      predictions: The source's predictions, in BIO or plain labels.
      label_map: The map.
      where: The source, for messages.

    Returns:
      The predictions under the target's names.

    Raises:
      InputError: The map lacks a label, maps an entity type to a label, or maps a label to several
        that are not of one kind.
    """
    targets = _targets(predictions, label_map, where)
    scheme = LabelSet.from_labels([{target for target in targets if target is not None}])
    ids = scheme.ids
    columns = np.array([-1 if name is None else ids[name] for name in targets], np.int32)
    labels, probs = relabel(predictions.labels, predictions.probs, columns, scheme.size)
    several = [target for target in label_map.targets.values() if isinstance(target, tuple)]
    types = [_types_of(_entity_labels(target)) for target in several]
    chosen = [
        own if len(own) == len(target) else target
        for own, target in zip(types, several, strict=True)
    ]
    return predictions._replace(
        label_names=scheme.names,
        labels=labels,
        probs=None if probs is None else probs.astype(np.float16),
        sets={set_name(members): members for members in chosen},
    )


def _targets(predictions: SourcePredictions, label_map: LabelMap, where: str) -> list[str | None]:
    """The target of each of the source's labels."""
    names, targets = predictions.label_names, label_map.targets
    parts = label_parts(names)
    found: list[str | None] = []
    missing: set[str] = set()
    for name, kind in zip(names, parts.types[:-1].tolist(), strict=True):
        entity_type = parts.type_names[kind] if kind >= 0 else ""
        if name in targets:
            found.append(_label_target(name, targets[name], kind >= 0, label_map.path))
        elif entity_type in targets:
            found.append(_with_letter(name, targets[entity_type], label_map.path, entity_type))
        elif name == OUTSIDE:
            found.append(OUTSIDE)
        else:
            missing.add(entity_type or name)
    if missing:
        raise InputError(
            f"{label_map.path} has no target for {', '.join(sorted(missing))} of {where}; add a "
            "line for each, with null where the source is to abstain"
        )
    return found


def set_name(members: Sequence[str]) -> str:
    """The name of a set of the target's labels or entity types: PER|ORG."""
    return "|".join(members)


def _label_target(
    name: str, target: str | tuple[str, ...] | None, in_entity: bool, path: str
) -> str | None:
    """The target of a label that the map names itself."""
    if not isinstance(target, tuple):
        return target
    if in_entity:
        raise InputError(
            f"{path}: {name} is a label of an entity; list what it may be for its type, as "
            f"{name[2:]}: [PER, ORG]"
        )
    usual = _entity_labels(target)
    letters = {label[0] for label in usual if label != OUTSIDE}
    if not letters:
        return set_name(target)
    types = _types_of(usual)
    if len(letters) > 1 or len(types) < len(target):
        raise InputError(
            f"{path}: {name} is mapped to {', '.join(target)}, which are not labels with one "
            f"letter; list what it may be as {name}: [I-PER, I-ORG]"
        )
    return f"{letters.pop()}-{set_name(types)}"


def _is_of_entity(label: str) -> bool:
    return label != OUTSIDE and label_parts([label]).scheme is not TaggingScheme.PLAIN


def _entity_labels(labels: Sequence[str]) -> tuple[str, ...]:
    """The labels of entities in the usual spelling, and O; plain labels are left out.

    >>> _entity_labels(["I_PER", "I_ORG", "O"]), _entity_labels(["I-PER", "NOUN"])
    (('I-PER', 'I-ORG', 'O'), ('I-PER',))
    """
    usual = usual_spelling(labels)
    return tuple(label for label in usual if label == OUTSIDE or _is_of_entity(label))


def _types_of(labels: Sequence[str]) -> tuple[str, ...]:
    """The entity types of such labels, and O."""
    return tuple(label if label == OUTSIDE else label[2:] for label in labels)


def _with_letter(
    name: str, target: str | tuple[str, ...] | None, path: str, entity_type: str
) -> str | None:
    """The label of an entity type's target that goes with B-TYPE or I-TYPE."""
    if target is None or target == OUTSIDE:
        return target
    members = target if isinstance(target, tuple) else (target,)
    for member in members:
        usual = usual_spelling([member])[0]
        if _is_of_entity(usual):
            raise InputError(
                f"{path}: {entity_type} is an entity type, but {member} is a label; give it a type "
                f"such as {usual[2:]}"
            )
    return name[:2] + set_name(members)
