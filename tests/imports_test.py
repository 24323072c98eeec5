import ast
import configparser
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted([*ROOT.glob("zsl_jax/**/*.py"), *ROOT.glob("launch/**/*.py")])
PROGRAMS = [
    file.stem for file in sorted(ROOT.glob("launch/*.py")) if "__main__" in file.read_text()
]
LEAVES = {
    "types",
    "errors",
    "atomic_file",
    "buckets",
    "interruption",
    "",
}  # "" is the root package, for its version
HOST = {"data", "evaluation", "io"}
MAY_IMPORT = {  # besides its own folder and the leaves
    "": {"workflows", "training", "data", "errors"},  # what `zsl_jax` exports, when it is asked for
    "launch": {
        *("experiments", "workflows", "training", "models", "kernels", "labels", "demo"),
        *("runtime", "report", "review"),
        *HOST,
    },
    "experiments": {"workflows", "training", "labels", "report", *HOST},
    "workflows": {"training", "models", "kernels", "labels", "demo", "runtime", "report", *HOST},
    "training": {"models", "kernels", "runtime"},
    "models": {"kernels"},
    **{folder: {"labels"} for folder in HOST},
    "demo": {"data", "io"},
    "report": {"labels", *HOST},
    "review": {"labels", "report", *HOST},
}
NO_JAX = {*HOST, "labels", "demo", "report", "review", *LEAVES}
FORBIDDEN = {folder: {"jax", "jaxlib", "flax", "optax", "orbax"} for folder in NO_JAX}
FORBIDDEN["kernels"] = {"flax", "optax", "orbax", "transformers"}
COMPILE = {"jit", "pmap", "donate_argnums", "donate_argnames"}


def folder_of(parts):
    """The layer of a dotted name: "launch", or what follows zsl_jax."""
    return parts[0] if parts[0] == "launch" else (*parts, "")[1]


def imported(tree, package):
    """Every dotted name that is imported anywhere in a module, lazy imports included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = [*package[: len(package) + 1 - node.level]] if node.level else []
            base += (node.module or "").split(".") if node.module else []
            deeper = len(base) == 1 and base[0] == "zsl_jax"  # from zsl_jax import labels
            yield from ([*base, alias.name] if deeper else base for alias in node.names)


def compiles(tree):
    """What a module uses of jit, pmap and donation."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "jax":
            yield node.attr
        elif isinstance(node, ast.ImportFrom) and node.module == "jax":
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.keyword):
            yield node.arg


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_layers(file):
    package = file.relative_to(ROOT).with_suffix("").parts[:-1]
    module = (*package, file.stem) if file.stem != "__init__" else package
    layer = folder_of(module)
    tree = ast.parse(file.read_text(encoding="utf-8"))
    allowed = {layer, *MAY_IMPORT.get(layer, ()), *(LEAVES if layer else ())}
    for name in imported(tree, package):
        if name[0] in ("zsl_jax", "launch"):
            target = "" if name[1:] == ["__version__"] else folder_of(name)
            assert target in allowed, f"{layer} imports {'.'.join(name)}"
        assert name[0] not in FORBIDDEN.get(layer, ()), f"{layer} imports {'.'.join(name)}"
    used = COMPILE & set(compiles(tree)) - ({"jit"} if layer == "kernels" else set())
    assert not used or module == ("zsl_jax", "training", "steps"), f"{used} outside steps.py"


@pytest.mark.parametrize("file", sorted(ROOT.glob("zsl_jax/data/**/*.py")), ids=lambda f: f.stem)
def test_data_flows_from_text_to_predictions_and_batches(file):
    package = file.relative_to(ROOT).with_suffix("").parts[:-1]
    room = ".".join(package[1:])
    allowed = {"data.annotation": {room, "data.predictions"}}.get(room, {room})
    for name in imported(ast.parse(file.read_text(encoding="utf-8")), package):
        other = ".".join(name[1:3])
        if other in ("data.predictions", "data.batches", "data.annotation"):
            assert other in allowed, f"{file.stem} imports {'.'.join(name)}"


PACKAGES = [
    file.parent
    for folder in ("zsl_jax", "launch", "benchmarks")
    for file in sorted(ROOT.glob(f"{folder}/**/__init__.py"))
    if len([*file.parent.glob("*.py")]) > 1 and file.parent != ROOT / "zsl_jax"
]


@pytest.mark.parametrize("package", PACKAGES, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_a_package_lists_each_of_its_modules_once(package):
    doc = ast.get_docstring(ast.parse((package / "__init__.py").read_text(encoding="utf-8")))
    items = re.findall(r"^- ((?:`\w+`, *\s*)*`\w+`):", doc, re.MULTILINE)
    listed = [name for item in items for name in re.findall(r"\w+", item)]
    modules = {file.stem for file in package.glob("*.py")} - {"__init__"}
    folders = {file.parent.name for file in package.glob("*/__init__.py")}
    assert sorted(listed) == sorted(modules | folders)


DISTRIBUTIONS = {  # import name -> name in setup.cfg, where they differ
    "absl": "absl-py",
    "yaml": "pyyaml",
    "orbax": "orbax-checkpoint",
}


def test_every_package_that_is_imported_is_declared_and_none_by_its_private_parts():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    extras = "".join(setup["options.extras_require"].values())
    declared = set(re.findall(r"^[\w-]+", setup["options"]["install_requires"] + extras, re.M))
    known = {"zsl_jax", "launch", *sys.stdlib_module_names}
    for file in FILES:
        package = file.relative_to(ROOT).with_suffix("").parts[:-1]
        for name in imported(ast.parse(file.read_text(encoding="utf-8")), package):
            if name[0] not in known:
                assert DISTRIBUTIONS.get(name[0], name[0]) in declared, f"{file}: {name[0]}"
                assert not any(part.startswith("_") for part in name), f"{file}: {name}"


def loaded_after(code):
    """The modules that a fresh interpreter has loaded after running code."""
    report = "import sys; print(*{name.partition('.')[0] for name in sys.modules})"
    command = [sys.executable, "-c", f"{code}\n{report}"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    return set(run.stdout.splitlines()[-1].split())


def test_the_package_loads_nothing():
    heavy = {"jax", "flax", "transformers", "optax", "orbax", "pyarrow", "torch"}
    assert not loaded_after("import zsl_jax") & heavy
    assert "jax" in loaded_after("from zsl_jax import Tagger")


def test_the_scorer_is_loaded_when_entities_are_scored():
    scorer = {"seqeval", "sklearn", "scipy"}
    user = "import zsl_jax; zsl_jax.transfer, zsl_jax.train, zsl_jax.aggregate, zsl_jax.Tagger"
    assert not loaded_after(user) & scorer
    score = "from zsl_jax.evaluation import entity_scores; entity_scores.strict_spans([['O']])"
    assert loaded_after(score) & scorer == {"seqeval"}


def test_kernels_load_alone():
    loaded = loaded_after("import zsl_jax.kernels")
    assert "jax" in loaded and not loaded & {"flax", "transformers", "optax", "orbax"}


@pytest.mark.parametrize("program", PROGRAMS)
def test_help_is_quick(program):
    code = f"""
import runpy, sys
sys.argv = ["{program}", "--help"]
try:
    runpy.run_module("launch.{program}", run_name="__main__", alter_sys=True)
except SystemExit:
    pass"""
    loaded = loaded_after(code)
    assert "absl" in loaded and not loaded & {
        "transformers",
        "torch",
        "jax",
        "pyarrow",
        "matplotlib",
        "seqeval",
    }
