"""The demo as a user sees it, with a tiny encoder in the place of multilingual-e5-small."""

import hashlib
import json
import re
import shlex
import shutil

import pytest

from tests.programs import program

SMALL = ("--epochs=1", "--rounds=2", "--trainable_layers=1", "--row_length=64", "--batch_words=512")


@pytest.fixture(scope="module")
def demo(world, tmp_path_factory):
    """The folder of a demo, and what it printed."""
    cache = tmp_path_factory.mktemp("cache")
    encoder = shutil.copytree(world.encoder, cache / "e5-small")
    digests = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in encoder.iterdir()}
    (encoder / "checksums.json").write_text(json.dumps(digests))
    folder = tmp_path_factory.mktemp("demo") / "run"
    done = program("demo", *SMALL, f"--output={folder}", ZSL_CACHE=str(cache))
    return folder, done.stdout


def test_the_command_that_the_demo_names_next_labels_a_text(demo, tmp_path):
    folder, printed = demo
    (command,) = re.findall(r"^  python -m launch\.predict (.*)", printed, re.MULTILINE)
    assert f"--model={folder}/models/es " in command
    (tmp_path / "text.txt").write_text("Ana vive en Madrid.\n")
    arguments = shlex.split(command.replace("FILE", str(tmp_path / "text.txt")))
    rows = program("predict", *arguments).stdout.split("\n")
    assert [row.partition("\t")[0] for row in rows] == ["Ana", "vive", "en", "Madrid.", "", ""]


def test_the_demo_leaves_its_table_report_and_one_tagger(demo):
    folder, printed = demo
    names = re.findall(r"^(\w+) +(source|votes|P|Q) +[\d. ]+$", printed, re.MULTILINE)
    methods = ("majority", "mean", "dawid_skene", "weighted_mean", "chain")
    sources = [(name, "source") for name in ("en", "de", "nl")]
    trained = [("kd", "P"), ("chain", "P"), ("chain", "Q")]
    assert names == [*sources, *((name, "votes") for name in methods), *trained]
    assert f"report: {folder}/report.html\n" in printed and (folder / "report.html").exists()
    assert [path.parent.name for path in folder.rglob("*.safetensors")].count("es") == 1
    assert not list(folder.rglob("checkpoints")) and not list(folder.rglob("*.npy"))
