"""The sources that flags name: --source=NAME=PATH, --label_map=NAME=FILE."""

from collections.abc import Sequence
from pathlib import Path

from zsl_jax.data.predictions.label_maps import LabelMap, read_label_map
from zsl_jax.data.text.offset_units import UNITS
from zsl_jax.errors import InputError
from zsl_jax.workflows.sources import Source, check_files, check_source_name


def parse_sources(
    values: Sequence[str], flag: str = "--source", task: str | None = None
) -> list[Source]:
    """The sources that a repeated flag names.

    Args:
      values: The flag's values, NAME=PATH.
      flag: Its name, for messages.
      task: With "pos", spaCy pipelines are asked for parts of speech, otherwise for entities.

    Raises:
      InputError: A value has no name, a name stands twice, or a file is missing.
    """
    sources: list[Source] = []
    for value in values:
        name, equals, path = value.partition("=")
        if not (name and equals and path):
            raise InputError(f"{flag}={value} must read {flag}=NAME=PATH")
        if any(name == other.name for other in sources):
            raise InputError(f"{flag}: the name {name} occurs twice; give each source its own")
        source = Source(name, path, None, f"{flag}={value}", "pos" if task == "pos" else "ner")
        check_files(source, f"{flag}={value}")
        check_source_name(name, f"{flag}={value}")
        sources.append(source)
    return sources


def units_of(values: Sequence[str], names: Sequence[str]) -> list[str | None]:
    """The unit of the offsets of each name, from the values of `--offsets`: UNIT or NAME=UNIT.

    Raises:
      InputError: A value has another form, or two are for the same.
    """
    units: dict[str, str] = {}
    for value in values:
        name, _, unit = value.rpartition("=")
        if unit not in UNITS or (name and name not in names):
            known = " or ".join(f"--offsets={form}UNIT" for form in ("", *(f"{n}=" for n in names)))
            raise InputError(
                f"--offsets={value} must read {known}, where UNIT is one of {', '.join(UNITS)}"
            )
        if name in units:
            raise InputError(
                f"--offsets={value} is a second unit; give one per source, and one for all"
            )
        units[name] = unit
    return [units.get(name, units.get("")) for name in names]


def with_offsets(sources: Sequence[Source], values: Sequence[str]) -> list[Source]:
    """The sources with the units of their offsets, from the values of `--offsets`."""
    units = units_of(values, [source.name for source in sources])
    return [s._replace(offsets=unit) for s, unit in zip(sources, units, strict=True)]


def with_sparse(sources: Sequence[Source], names: Sequence[str]) -> list[Source]:
    """The sources, those that `--sparse` names marked as sparse.

    Raises:
      InputError: A name is not that of a source.
    """
    known = [source.name for source in sources]
    for name in names:
        if name not in known:
            raise InputError(
                f"--sparse={name} names no source; the sources are {', '.join(known) or 'missing'}"
            )
    return [source._replace(sparse=source.name in names) for source in sources]


def with_label_maps(sources: Sequence[Source], values: Sequence[str]) -> list[Source]:
    """The sources with the label maps that the values of `--label_map` name.

    Raises:
      InputError: A value has no name, names no source or one twice, or its file cannot be read.
    """
    maps: dict[str, LabelMap] = {}
    for value in values:
        name, equals, path = value.partition("=")
        if not (name and equals and path):
            raise InputError(f"--label_map={value} must read --label_map=NAME=FILE")
        if name in maps or all(name != source.name for source in sources):
            raise InputError(
                f"--label_map={value}: give one map per source that needs one; the sources "
                f"are {', '.join(source.name for source in sources)}"
            )
        if not Path(path).is_file():
            raise InputError(f"--label_map={value}: there is no file {path}; correct the path")
        maps[name] = read_label_map(path)
    return [source._replace(label_map=maps.get(source.name)) for source in sources]
