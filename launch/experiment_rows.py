"""The rows of an experiment's YAML file: the standard ones by name, and those of the user."""

import difflib
import importlib
import importlib.util
import os
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from launch.config_flags import definitions, from_arguments
from launch.flag_files import flags_in, paper_flags, without
from launch.yaml_file import REQUIRED, Fields, as_arguments, read_yaml
from zsl_jax.errors import InputError
from zsl_jax.experiments.plan import SIMILARITY, Kind, Method, Observation, Role, Setting
from zsl_jax.experiments.scores import BEST_SOURCE
from zsl_jax.training.config import TrainConfig, TransferConfig
from zsl_jax.training.config_checks import check_combination, check_read
from zsl_jax.training.config_choices import Approach, LabelModelKind

FOLDER = Path(__file__).parent / "experiments"
ROWS = "rows"  # the file with the standard rows, and the field that names them
_WAYS = ("aggregate", "function", "combine", "supervised")  # a row has one of these at most
NONE = "none"  # as a row's `flagfile`: the defaults of launch.transfer
_ROW = "name title group role sources like flagfile aggregate combine supervised function".split()


def read_methods(
    top: Fields,
    settings: Sequence[Setting],
    flag_files: Mapping[str, str | None],
    common: tuple[list[str], list[str]],
) -> list[Method]:
    """The rows, the standard ones by name; each with a configuration for every setting it is in."""
    standard = standard_rows()
    methods: list[Method] = []
    for row in top.members("rows"):
        fields = _row(row, standard, top)
        name = fields.take("name", str, REQUIRED)
        _check_ways(fields)
        if any(name == other.name for other in methods):
            raise top.fault("rows", f"has {name} twice; give each row its own name")
        configs = {}
        for setting in settings:
            has_one = all(len(setting.sources_of(target)) == 1 for target in setting.targets)
            if _fits(fields, has_one):
                file = flag_file(fields) or flag_files[setting.name] or NONE
                configs[setting.name] = _config(fields, file, *common)
        method = _method(fields, name, configs)
        same = next((other for other in methods if _looks_like(method, other)), None)
        if same is not None:
            raise fields.fault(
                "title", f"is {method.title!r}, like that of {same.name}; give each row its own"
            )
        methods.append(method)
    return methods


def _looks_like(one: Method, other: Method) -> bool:
    """Whether two rows could not be told apart in a table."""
    in_both = one.configs.keys() & other.configs.keys()
    return bool(in_both) and (one.title, one.group) == (other.title, other.group)


def standard_rows() -> dict[str, Fields]:
    """The rows that come with the package, by name."""
    return {fields["name"]: fields for fields in read_yaml(FOLDER / "rows.yaml").mappings(ROWS)}


def read_observations(
    settings: Sequence[Setting], methods: Sequence[Method]
) -> tuple[Observation, ...]:
    """The paper's observations between rows that an experiment has."""
    found = []
    for fields in read_yaml(FOLDER / "rows.yaml").mappings("observations"):
        title = fields.one_line("title", REQUIRED)
        sides = [fields.take(key, str, REQUIRED) for key in ("better", "worse")]
        labels_from = fields.take("labels_from", str, None)
        for setting in settings[:1] if "/" in sides[0] else settings:
            better, worse = (_place(side, setting.name) for side in sides)
            with_source = sides[1] == BEST_SOURCE
            if {better, better if with_source else worse} <= _places(methods):
                where = title if "/" in sides[0] else f"{setting.title}, {title}"
                other = None if with_source else worse
                found.append(Observation(where, better, other, labels_from))
    return tuple(found)


def _place(side: str, setting: str) -> tuple[str, str]:
    """Setting and method of "SETTING/ROW", or of a row in a given setting."""
    first, _, row = side.rpartition("/")
    return first or setting, row


def _places(methods: Sequence[Method]) -> set[tuple[str, str]]:
    """Setting and method of every row."""
    return {(setting, method.name) for method in methods for setting in method.configs}


def _fits(fields: Fields, has_one: bool) -> bool:
    """Whether a row is for a setting with one source, or with several."""
    if "sources" not in fields:
        return True
    return (fields.choice("sources", ("one", "several")) == "one") == has_one


def _row(row: Any, standard: Mapping[str, Fields], top: Fields) -> Fields:
    """The fields of a row: a standard one, one like it, or a new one."""
    if isinstance(row, str):
        if row not in standard:
            raise top.fault("rows", f"has {row}, which is none of {', '.join(standard)}")
        return standard[row]
    if not isinstance(row, Fields):
        raise top.fault("rows", f"has {row!r}; give names or fields such as `name`")
    like = row.take("like", str)
    if like is None:
        return row
    if like not in standard:
        raise row.fault("like", f"is {like}, which is none of {', '.join(standard)}")
    whole = Fields(row.file, row.line)
    whole.update(standard[like])
    if row.get("name", like) != like:  # two rows of one title could not be told apart
        del whole["title"]
    whole.update(row)
    whole.lines.update(row.lines)
    return whole


def _check_ways(fields: Fields) -> None:
    """Refuses what would not be read: a second way to label, and flags of an aggregation."""
    ways = [key for key in _WAYS if fields.get(key)]
    if len(ways) > 1:
        raise fields.fault(ways[1], f"cannot be combined with `{ways[0]}`; omit one")
    if "supervised" in ways and "approach" in fields:
        raise fields.fault("approach", "is not used by a supervised row; omit it")
    for key, value in fields.items():
        if "aggregate" in ways and key not in (*_ROW, "row_length") and value is not None:
            raise fields.fault(key, "is not used by a row with `aggregate`; omit it")


def check_are_flags(fields: Fields, flags: Collection[str], kind: Any = TransferConfig) -> None:
    """Refuses fields that are not training flags, or that differ from cell to cell.

    Args:
      fields: With the lines of the fields.
      flags: Those of them that should be flags.
      kind: The configuration whose flags they should be.
    """
    for key in flags:
        if key == "seed":
            raise fields.fault(key, "is that of the cell; omit it, and set `seeds`")
        if key == "encoder":
            raise fields.fault(key, "is the same for the whole table; omit it, and give --encoder")
        if key == "task":
            raise fields.fault(key, "is that of the experiment; omit it, and set it there")
        if kind is TrainConfig and key in definitions(TransferConfig).keys() - definitions(kind):
            raise fields.fault(key, "is a flag of targets only; omit it, or move it to `transfer`")
        if key not in definitions(kind):
            close = difflib.get_close_matches(key, definitions(kind), 1)
            hint = f"; did you mean `{close[0]}`?" if close else "; correct it"
            raise fields.fault(key, f"is not a flag of the training{hint}")


def _config(
    fields: Fields, file: str, transfer: Sequence[str], overrides: Sequence[str]
) -> TransferConfig:
    """Builds the settings of a row from its own flags and those that all rows share.

    Args:
      fields: The row; those that are null keep the default of launch.transfer.
      file: Its flag file, or NONE.
      transfer: The flags of the experiment.
      overrides: The flags of the command line.

    Returns:
      The settings. Shared flags for the paper's label model apply only to rows that use it.
    """
    row = {key: value for key, value in fields.items() if key not in _ROW}
    check_are_flags(fields, row)
    if fields.get("supervised"):  # its source is a model trained on gold labels
        row["approach"] = Approach.DIRECT
    left_out = {key for key, value in row.items() if value is None}
    own = as_arguments({k: v for k, v in row.items() if k not in left_out})
    shared = without([*flags_of_file(fields, file), *transfer], left_out)
    config = config_of(TransferConfig, [*shared, *own, *overrides], fields)
    unused = set() if config.has_paper_model else paper_flags()
    if config.approach not in (Approach.LVM, Approach.KD):
        unused.add(f"label_model={LabelModelKind.CHAIN}")
    shared, overrides = (without(flags, unused) for flags in (shared, overrides))
    config = config_of(TransferConfig, [*shared, *own, *overrides], fields)
    try:
        check_combination(config)
        check_read(config, row.keys() - left_out)
    except InputError as error:
        given = {flag.lstrip("-").partition("=")[0] for flag in overrides}
        if any(f"`{name}`" in str(error) for name in given - row.keys()):
            raise  # of the command line, whatever the row
        raise InputError(f"{fields.where()}: the row {fields.get('name')}: {error}") from error
    return config


def flag_file(fields: Fields) -> str | None:
    """The field `flagfile`: the path of a file beside the YAML file, or as it is."""
    file = fields.take("flagfile", str)
    beside = None if file is None else Path(fields.file).parent / file
    return str(beside) if beside is not None and beside.is_file() else file


def flags_of_file(fields: Fields, file: str) -> list[str]:
    """The flags in a file, which the field `flagfile` names; none of NONE."""
    try:
        return [] if file == NONE else flags_in(file)
    except InputError as error:
        raise InputError(f"{fields.where('flagfile')}: {error}") from error


def _method(fields: Fields, name: str, configs: Mapping[str, TransferConfig]) -> Method:
    from zsl_jax.workflows.vote_aggregation import AGGREGATIONS

    fields.check_folder("name", name)
    function, uses, kind = None, None, Kind.TRANSFER
    if "function" in fields:
        function, kind = _function(fields), Kind.FUNCTION
    elif "aggregate" in fields:
        uses, kind = fields.choice("aggregate", AGGREGATIONS), Kind.AGGREGATION
    elif "combine" in fields:
        uses = fields.choice("combine", (SIMILARITY,))
    elif fields.take("supervised", bool, False):
        kind = Kind.SUPERVISED
    elif "approach" not in fields:
        raise InputError(
            f"{fields.where('name')}: the row {name} needs `approach`, `like`, `aggregate` or "
            "`function`; add one"
        )
    role = Role(fields.choice("role", list(Role), Role.PROPOSED))
    group = fields.one_line("group", "other methods")
    return Method(name, fields.one_line("title", name), group, role, kind, configs, uses, function)


def _function(fields: Fields) -> Callable[..., Any]:
    """A function of the user's: MODULE:NAME, or FILE.py:NAME beside the YAML file."""
    value = fields.take("function", str)
    module, _, name = value.rpartition(":")
    try:
        is_file = module.endswith(".py")
        path = Path(fields.file).parent / module
        found = getattr(_loaded(path) if is_file else importlib.import_module(module), name)
    except (Exception, SystemExit) as error:  # whatever the user's code raises
        reason = f"{type(error).__name__}: {error}"
        raise fields.fault(
            "function",
            f"is {value!r}, which cannot be loaded ({reason}); correct it, or write MODULE:NAME or "
            "FILE.py:NAME",
        ) from error
    if not callable(found):
        raise fields.fault("function", f"is {value!r}, which is not a function; name one")
    return found


def _loaded(path: Path) -> ModuleType:
    """A Python file as a module, which may import the files beside it."""
    folder = os.path.abspath(path.parent)
    if folder not in sys.path:
        sys.path.append(folder)
    spec = importlib.util.spec_from_file_location(f"functions_of_rows_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)  # dataclasses ask there
    spec.loader.exec_module(module)
    return module


def config_of(kind: Any, arguments: Sequence[str], fields: Fields) -> Any:
    """A configuration; an error names the file and the line of the field at fault."""
    try:
        return from_arguments(kind, arguments)
    except InputError as error:
        named = [key for key in fields if f"--{key}" in str(error) or f"'{key}'" in str(error)]
        raise InputError(f"{fields.where(named[0] if named else None)}: {error}") from error
