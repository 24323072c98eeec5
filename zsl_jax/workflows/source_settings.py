"""How Python users say that sources are to be read: settings by the source's name."""

import itertools
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from zsl_jax.data.predictions.label_maps import LabelMap, label_map_of, read_label_map
from zsl_jax.data.predictions.prediction_files import has_character_spans
from zsl_jax.data.text.offset_units import UNITS, check_unit
from zsl_jax.errors import InputError
from zsl_jax.io.bucket_copies import fetched
from zsl_jax.workflows.checked_predictions import checked_names
from zsl_jax.workflows.sources import Source, check_files
from zsl_jax.workflows.spacy_source import TASKS

Offsets = str | Mapping[str, str] | None
LabelMaps = Mapping[str, str | os.PathLike[str] | Mapping[str, Any]]


class SourceSettings(NamedTuple):
    """How the predictions of sources are read, see `checked_settings`.

    Attributes:
      label_names: K names, for arrays.
      sparse: Names of sources whose O means that they know nothing.
      offsets: By source, what the places of character spans in its files count.
      label_maps: By source, its label map.
      learned: Whether a label model has been learned from them before.
    """

    label_names: tuple[str, ...] = ()
    sparse: Collection[str] = ()
    offsets: Mapping[str, str] = MappingProxyType({})
    label_maps: Mapping[str, LabelMap] = MappingProxyType({})
    learned: bool = False

    def with_those_of(self, sources: Mapping[str, Any]) -> "SourceSettings":
        """Adds the settings of each `Source`, for its predictions of another text, too."""
        own: dict[str, Any] = {
            name: given for name, given in sources.items() if isinstance(given, Source)
        }
        units = {name: source.offsets for name, source in own.items() if source.offsets}
        maps = {name: source.label_map for name, source in own.items() if source.label_map}
        return self._replace(
            sparse={*self.sparse, *(name for name, source in own.items() if source.sparse)},
            offsets={**self.offsets, **units},
            label_maps={**self.label_maps, **maps},
        )

    def of(self, name: str, given: Any) -> Source:
        """Returns a source with its settings, its own before those by name; any other has none."""
        source = given._replace(name=name) if isinstance(given, Source) else Source(name, "")
        if isinstance(given, str | os.PathLike):
            source = source._replace(path=os.fspath(given))
        return source._replace(
            sparse=source.sparse or name in self.sparse,
            offsets=source.offsets or self.offsets.get(name),
            label_map=source.label_map or self.label_maps.get(name),
            learned=self.learned,
        )


def checked_settings(
    sources: Collection[str],
    label_names: Sequence[str] | None = (),
    sparse: Collection[str] | None = (),
    offsets: Offsets = None,
    label_map: LabelMaps | None = None,
) -> SourceSettings:
    """Returns the settings of some sources.

    Args:
      sources: The names of the sources.
      label_names: As in `SourceSettings`.
      sparse: Likewise; a single name may stand by itself.
      offsets: One of `UNITS` for all sources, or by source.
      label_map: By source, the file of a label map, or the map itself: for each of the source's
        labels or entity types a name of the target's, a list of several that it may be, or None to
        abstain.

    Raises:
      InputError: A name is not that of a source, a unit or map does not exist, or one is something
        else.
    """
    named = _names_of(sparse)
    units = dict.fromkeys(sources, offsets) if isinstance(offsets, str) else offsets
    units, maps = _by_source(units, "offsets", "unit"), _by_source(label_map, "label_map", "map")
    settings: tuple[tuple[str, Any], ...] = (
        ("sparse", named),
        ("offsets", units),
        ("label_map", maps),
    )
    for setting, names in settings:
        if not all(name in [*sources] for name in names):
            raise InputError(
                f"`{setting}`={names!r:.80} names no source; the sources are {', '.join(sources)}"
            )
    for unit in units.values():
        check_unit(unit)
    read = {name: _label_map(name, given) for name, given in maps.items()}
    ordered = () if label_names is None else checked_names(label_names, "`label_names`")
    return SourceSettings(ordered, named, units, read)


def check_offsets_are_read(offsets: Offsets, *given: Mapping[str, Any] | None) -> None:
    """Refuses units for sources none of whose predictions are character spans.

    Args:
      offsets: As `checked_settings` takes them.
      given: Sources by name, for one text after the other.

    Raises:
      InputError: There is such a unit.
    """
    if isinstance(offsets, str):
        units = [offsets]
    else:
        units = [f"{name}={unit}" for name, unit in (offsets or {}).items()]
    refuse_unread_offsets(units, prediction_files(*filter(None, given)))


def prediction_files(*given: Mapping[str, Any]) -> dict[str, list[str]]:
    """The files of predictions among sources, by name; none of models, functions and the like.

    Args:
      given: Sources by name, for one text after the other.
    """
    files: dict[str, list[str]] = {}
    for sources in given:
        for name, own in sources.items():
            files.setdefault(name, [])
            source = Source(name, os.fspath(own)) if isinstance(own, str | os.PathLike) else own
            if isinstance(source, Source) and source.is_file:
                files[name] += source.files
    return files


def refuse_unread_offsets(values: Sequence[str], files: Mapping[str, Sequence[str]]) -> None:
    """Refuses units of offsets for predictions that have no character spans.

    Args:
      values: UNIT or NAME=UNIT.
      files: The files of predictions by NAME; none for a model or a function.

    Raises:
      InputError: There is such a value.
    """
    for value in values:
        name = value.rpartition("=")[0]
        own = files[name] if name else itertools.chain.from_iterable(files.values())
        if not any(map(has_character_spans, own)):
            raise InputError(
                f"`offsets`={value} is not used without character spans in the predictions; omit it"
            )


def checked_source(name: str, given: Source) -> Source:
    """Returns a `Source` that the user made, with local copies of what is in buckets.

    Args:
      name: What the user calls it.
      given: The source.

    Raises:
      InputError: Its path or label map is none, or a setting has no such value.
    """
    where = f"the source {name}"
    source = given._replace(name=name, path=fetched(given.path, where))
    check_files(source, where)
    values = (("task", TASKS), ("sparse", (False, True)), ("offsets", (None, *UNITS)))
    for setting, known in values:
        value = getattr(source, setting)
        if value not in known:
            raise InputError(
                f"{where}: `{setting}`={value!r:.80} is not one of "
                f"{', '.join(map(str, known))}; choose one"
            )
    if source.label_map is None or isinstance(source.label_map, LabelMap):
        return source
    return source._replace(label_map=_label_map(name, source.label_map))


def _names_of(sparse: Any) -> list[str]:
    """The names of the sparse sources; a single one may stand by itself."""
    names = [sparse] if isinstance(sparse, str) else () if sparse is None else sparse
    if not isinstance(names, Iterable):
        raise InputError(f"`sparse`={sparse!r:.80}: give a list of names of sources")
    return list(names)


def _by_source(given: Any, setting: str, what: str) -> Mapping[str, Any]:
    """A setting by the names of sources; nothing where it is None."""
    if given is not None and not isinstance(given, Mapping):
        raise InputError(f"`{setting}`={given!r:.80}: give {{'NAME': {what}}} by source")
    return given or {}


def _label_map(name: str, given: Any) -> LabelMap:
    if isinstance(given, Mapping):
        return label_map_of(given, f"label_map[{name!r}]")
    if not isinstance(given, str | os.PathLike):
        raise InputError(
            f"`label_map`[{name!r}]={given!r:.80} is neither a file nor a mapping; give one"
        )
    path = fetched(given)
    if not os.path.isfile(path):
        raise InputError(f"`label_map`[{name!r}]: there is no file {path}; correct the path")
    return read_label_map(path)
