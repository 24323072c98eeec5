"""The documentation is true: its examples run, and what it names exists."""

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from zsl_jax.evaluation.diagnosis import Confusion, Diagnosis, SourceReport
from zsl_jax.evaluation.metrics import score
from zsl_jax.io.run_folder import RunSpec, create_run_folder
from zsl_jax.training.records import Expectation, RoundRecord, StepRecord
from zsl_jax.types import SourceVotes
from zsl_jax.workflows.result_table import Row
from zsl_jax.workflows.run_hooks import round_metrics, tally_of
from zsl_jax.workflows.transfer_labels import TextLabels
from zsl_jax.workflows.transfer_run import FinishedRun, record_of

DOCS = Path(__file__).parents[1] / "docs"
TESTS = re.compile(r"`([\w/]+\.py)?::(test_\w+)`")
BLOCKS = re.compile(r"```python\n(.*?)```(?:\n\n```\n(.*?)```)?", re.S)


def examples(page):
    """Program and expected output of a page's blocks; those of missing packages are left out."""
    code, output = [], []
    for block, printed in BLOCKS.findall((DOCS / page).read_text(encoding="utf-8")):
        packages = re.findall(r"^(?:import|from) (\w+)", block, re.M)
        if all(importlib.util.find_spec(package) for package in packages):
            code.append(block)
            output.append(printed)
    return "\n".join(code), "".join(output)


@pytest.fixture(scope="module")
def printed():
    """Output of the examples of docs/kernels.md on four virtual devices."""
    code, expected = examples("kernels.md")
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=4"
    environment = {**os.environ, "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines(), expected.splitlines()


def test_examples_of_the_kernels_print_what_the_page_shows(printed):
    got, expected = printed
    assert len(got) == len(expected) >= 8  # one more with Equinox
    for line, shown in zip(got, expected, strict=True):
        numbers = [re.findall(r"\d+(?:\.\d+)?", text) for text in (line, shown)]
        words = [re.sub(r"\d+(?:\.\d+)?", "#", text) for text in (line, shown)]
        assert words[0] == words[1]
        assert list(map(float, numbers[0])) == pytest.approx(list(map(float, numbers[1])), abs=0.02)


def test_the_tests_that_a_page_names_exist():
    file, count = "", 0
    for name, test in TESTS.findall((DOCS / "troubles.md").read_text(encoding="utf-8")):
        file = name or file  # that of the one before
        assert f"def {test}(" in (Path(__file__).parent / file).read_text(encoding="utf-8")
        count += 1
    assert count > 30


def undocumented(names):
    """Those names that docs/training.md does not explain."""
    page = (DOCS / "training.md").read_text(encoding="utf-8")
    return [name for name in names if f"`{name}`" not in page]


def test_every_key_of_run_json_is_documented(tmp_path):
    with create_run_folder(tmp_path / "run", RunSpec({}, 0)).held():
        record = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
    assert len(record) >= 9 and not undocumented(record)


def test_every_key_of_result_json_is_documented(tmp_path):
    source = SourceReport("en", 1.0, 0.9, {"O": 0.9}, (Confusion("B-X", "O", 1, 0.1),))
    report = Diagnosis((), (source,), {"majority": 0.9})
    ids = np.zeros(1, np.int32)
    labels = TextLabels("Q", "argmax", ids, np.ones((1, 1)), ids, {})
    result = record_of(FinishedRun(None, None, None, labels, report))
    run = create_run_folder(tmp_path / "run", RunSpec({}, 0))
    run.write_result({**result, "labels": {}})
    written = json.loads((tmp_path / "run" / "result.json").read_text(encoding="utf-8"))
    (plain,) = written["sources"]["sources"]
    assert len(written) >= 11 and not undocumented(written)
    assert not undocumented([*written["sources"], *plain, *plain["confusions"][0], *Row._fields])
    entities, tags = (
        score([labels], [labels], task) for labels, task in ((["B-X"], "ner"), (["NOUN"], "pos"))
    )
    counts = {"sentences", "words"}
    assert not undocumented({*entities, *tags, "interval"} - counts)


def test_every_value_of_metrics_jsonl_is_documented():
    votes = SourceVotes(np.zeros((1, 1), np.int32), None)
    posterior, log_confusion = np.ones((1, 1), np.float32), np.zeros((1, 1, 1))
    expectation = Expectation(posterior, log_confusion, 0.0, 0.0, 0.0)
    record = RoundRecord(0, expectation, np.zeros(1), 1.0)
    metrics = round_metrics(record, tally_of(posterior, votes), ["en"])
    assert not undocumented([*StepRecord._fields, *metrics, "words_per_second", "kind", "run"])
