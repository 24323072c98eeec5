"""Experiments as YAML files: those under launch/experiments by name, others by path."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from launch.config_flags import definitions
from launch.experiment_rows import (
    FOLDER,
    NONE,
    ROWS,
    check_are_flags,
    config_of,
    flag_file,
    flags_of_file,
    read_methods,
    read_observations,
    standard_rows,
)
from launch.yaml_file import REQUIRED, Fields, as_arguments, read_yaml
from zsl_jax.data.text.formats import FORMATS
from zsl_jax.errors import InputError
from zsl_jax.experiments.plan import CACHE, MODELS, Corpora, Experiment, Figure, Method, Setting
from zsl_jax.experiments.scores import NAMES
from zsl_jax.experiments.table import AVERAGE
from zsl_jax.training.config import TrainConfig, TransferConfig

_TOP = (
    "title task score languages train test text format column word_column encoding select seeds "
    "max_source_sentences max_test_sentences max_sentences source transfer settings rows profiles "
    "paper figure"
).split()
_SETTING = "name title targets sources labels_from max_sentences flagfile".split()


def names() -> list[str]:
    """Names of the experiments that come with the package."""
    return sorted(file.stem for file in FOLDER.glob("*.yaml") if file.stem != ROWS)


def read_experiment(
    name: str, profile: str | None = None, arguments: Sequence[str] = ()
) -> Experiment:
    """Reads an experiment.

    Args:
      name: One of `names`, or the path of a YAML file.
      profile: One of its profiles, whose fields replace others.
      arguments: Training flags that override its own, for sources and targets; `--epochs` for
        targets only.

    Raises:
      InputError: There is no such file, or a field is unknown or has a wrong value.
    """
    path = _path(name)
    top = read_yaml(path)
    top.check_known(_TOP)
    top = _with_profile(top, profile)
    languages = _texts(top, "languages")
    common = _common_flags(top)
    settings = [_setting(fields, languages, top) for fields in top.mappings("settings")]
    top.check_once("settings", [setting.name for setting in settings])
    flag_files = {
        s.name: flag_file(fields) for s, fields in zip(settings, top["settings"], strict=True)
    }
    methods = read_methods(top, settings, flag_files, (common, list(arguments)))
    return Experiment(
        name=path.stem,
        title=top.one_line("title", REQUIRED),
        task=top.choice("task", ("pos", "ner", "plain")),
        score=top.choice("score", _scores(top["task"])),
        corpora=_corpora(top),
        settings=tuple(settings),
        methods=tuple(methods),
        seeds=_seeds(top),
        source_config=_source_config(top, arguments),
        max_source_sentences=top.count("max_source_sentences"),
        max_test_sentences=top.count("max_test_sentences"),
        paper=_paper(top, settings, methods),
        figure=_figure(top, settings, methods),
        observations=read_observations(settings, methods),
    )


def _scores(task: str) -> tuple[str, ...]:
    """The scores that a task has."""
    return NAMES if task == "ner" else NAMES[:1]


def _path(name: str) -> Path:
    if name.endswith((".yaml", ".yml")):
        return Path(name)
    path = FOLDER / f"{name}.yaml"
    if not path.is_file() or name == ROWS:
        raise InputError(
            f"--experiment={name} is neither a .yaml file nor one of: {', '.join(names())}"
        )
    return path


def _with_profile(top: Fields, profile: str | None) -> Fields:
    """The experiment's fields, some replaced; those of `source` and `transfer` one by one."""
    profiles = top.take("profiles", dict, {})
    if profile is None:
        return top
    if profile not in profiles:
        known = ", ".join(profiles) or "none"
        raise InputError(f"--profile={profile}: {top.file} has these profiles: {known}")
    for key, value in profiles.take(profile, dict).items():
        if key not in _TOP or key in ("profiles", "rows"):
            raise profiles[profile].fault(key, "cannot be changed by a profile; leave it out")
        if key in ("source", "transfer") and key in top:
            changed = profiles[profile].take(key, dict)
            top.take(key, dict).update(changed)
            top[key].lines.update(changed.lines)
        else:
            top[key] = value
            top.lines[key] = profiles[profile].lines[key]
    return top


def _common_flags(top: Fields) -> list[str]:
    """The flags of all targets."""
    fields = top.take("transfer", dict, Fields(top.file, top.line))
    check_are_flags(fields, fields)
    config_of(TransferConfig, as_arguments(fields), fields)
    return as_arguments(fields)


def _source_config(top: Fields, arguments: Sequence[str]) -> TrainConfig:
    known = {f"--{name}" for name in definitions(TrainConfig)} - {"--epochs"}
    more = [argument for argument in arguments if argument.partition("=")[0] in known]
    fields = top.take("source", dict, Fields(top.file, top.line))
    check_are_flags(fields, fields, TrainConfig)
    return config_of(TrainConfig, [*as_arguments(fields), *more], fields)


def _seeds(top: Fields) -> tuple[int, ...]:
    found = top.members("seeds", [0, 1, 2])
    if not all(type(seed) is int and seed >= 0 for seed in found):
        raise top.fault("seeds", "must be whole numbers from 0; correct them")
    top.check_once("seeds", found)
    return tuple(found)


def _texts(fields: Fields, key: str, default: Any = REQUIRED) -> tuple[str, ...]:
    found = fields.members(key, default)
    for item in found:
        if not isinstance(item, str):
            raise fields.fault(key, f"has {item!r}, which is not a name; put quotes around it")
        fields.check_folder(key, item, reserved=(AVERAGE,))
    fields.check_once(key, found)
    return tuple(found)


def _corpora(top: Fields) -> Corpora:
    marked = "{language}" in top.take("select", str, "")
    for key in ("train", "test", "text", "select"):
        value = top.take(key, str, REQUIRED if key in ("train", "test") else "")
        if key in ("train", "test") and "{language}" not in value and not marked:
            raise top.fault(key, "has no {language} in it; write it in the place of the name")
        if Path(value).is_absolute() and key != "select":
            raise top.fault(key, f"is {value!r}; write a path below --data")
        if set("{}") & set(value.replace("{language}", "")):
            raise top.fault(key, f"is {value!r}; write no other braces than those of {{language}}")
    if "format" in top:
        top.choice("format", FORMATS)
    kinds: dict[str, Any] = dict.fromkeys(("text", "format", "encoding", "select"), str)
    kinds |= dict.fromkeys(("column", "word_column"), (str, int))
    return Corpora(top["train"], top["test"], **{k: top.take(k, v) for k, v in kinds.items()})


def _setting(fields: Fields, languages: tuple[str, ...], top: Fields) -> Setting:
    fields.check_known(_SETTING)
    name = fields.take("name", str, REQUIRED)
    fields.check_folder("name", name, reserved=(MODELS, CACHE))
    sources = _texts(fields, "sources", list(languages))
    alone = sources[0] if len(sources) == 1 else None
    targets = _texts(fields, "targets", [lang for lang in languages if lang != alone])
    flags_of_file(fields, flag_file(fields) or NONE)  # named here if it is wrong
    for key, chosen in (("sources", sources), ("targets", targets)):
        unknown = [language for language in chosen if language not in languages]
        if unknown:
            raise fields.fault(key, f"has {unknown[0]}; the languages are {', '.join(languages)}")
    for target in targets:
        if not set(sources) - {target}:
            raise fields.fault(
                "targets", f"has {target}, which is its own only source; give it another one"
            )
    return Setting(
        name,
        fields.one_line("title", name),
        targets,
        sources,
        fields.choice("labels_from", ("P", "Q")),
        fields.count("max_sentences", top.count("max_sentences")),
    )


def _paper(top: Fields, settings: Sequence[Setting], methods: Sequence[Method]) -> Any:
    paper = top.take("paper", dict, {})
    known = {setting.name: setting.targets for setting in settings}
    known_rows = {*(method.name for method in methods), *standard_rows()} if paper else set()
    for setting in paper:
        if setting not in known:
            raise paper.fault(setting, f"is not a setting; the settings are {', '.join(known)}")
        rows = paper.take(setting, dict)
        for row in rows:
            if row not in known_rows:
                raise rows.fault(row, "is not a row of this experiment; correct it or delete it")
            values = rows.take(row, dict)
            for target in values:
                if target not in known[setting]:
                    raise values.fault(target, f"is not a target of {setting}; correct it")
                if not 0 <= values.take(target, (int, float)) <= 100:
                    raise values.fault(target, "is not a score in percent; correct it")
    return paper


def _figure(top: Fields, settings: Sequence[Setting], methods: Sequence[Method]) -> Figure | None:
    fields = top.take("figure", dict)
    if fields is None:
        return None
    fields.check_known(("across", "x_label"))
    across = fields.choice("across", ("settings", "rows"))
    if across == "settings":
        _check_numbers(fields, "the names of the settings", [setting.name for setting in settings])
    else:
        _check_numbers(fields, "the titles of the rows", [method.title for method in methods])
    return Figure(across, fields.one_line("x_label", REQUIRED))


def _check_numbers(figure: Fields, what: str, places: Sequence[str]) -> None:
    """Refuses a figure whose x axis would have something else than numbers."""
    for place in places:
        try:
            float(place)
        except ValueError as error:
            reason = f"needs numbers as {what}, and {place!r} is none; correct it"
            raise figure.fault("across", reason) from error


def with_chosen(
    experiment: Experiment, rows: Sequence[str], seeds: Sequence[int] | None
) -> Experiment:
    """The experiment with some of its rows, or with other seeds.

    Raises:
      InputError: There is no such row.
    """
    known = [method.name for method in experiment.methods]
    for name in rows:
        if name not in known:
            raise InputError(f"--rows={name} is not a row; the rows are {', '.join(known)}")
    chosen = [m for m in experiment.methods if not rows or m.name in rows]
    return dataclasses.replace(
        experiment, methods=tuple(chosen), seeds=tuple(seeds or experiment.seeds)
    )


def with_sizes(
    experiment: Experiment, max_sentences: int | None, max_test_sentences: int | None
) -> Experiment:
    """The experiment with other sizes of text and test; None changes nothing.

    Raises:
      InputError: The settings differ in the size of the text.
    """
    settings = experiment.settings
    if max_sentences is not None:
        if experiment.has_sizes:
            sizes = ", ".join(str(setting.max_sentences) for setting in settings)
            raise InputError(
                f"--max_sentences is one number, but the settings differ in it ({sizes}); omit "
                "it, and choose settings by --only"
            )
        settings = tuple(s._replace(max_sentences=max_sentences) for s in settings)
    test = max_test_sentences or experiment.max_test_sentences
    return dataclasses.replace(experiment, settings=settings, max_test_sentences=test)
