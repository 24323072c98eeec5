"""The script for Cloud TPU against a pretended cloud: a `gcloud` that keeps the state of a slice in
files and runs what it is to run on the workers here."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = sorted((Path(__file__).parents[2] / "launch").glob("tpu_*.sh"))
SCRIPT = next(script for script in SCRIPTS if script.name == "tpu_vm.sh")
ARGUMENTS = [
    "--text=/data/my text, part *.conllu",
    '--source=en=/data/it\'s $HOME "quoted".parquet',
    "--source=de=/data/{a,b};`date`\\n.parquet",
    "",
    "--flag=two\nlines",
]

GCLOUD = r"""
import json, os, pathlib, subprocess, sys
world, arguments = pathlib.Path(os.environ["WORLD"]), sys.argv[1:]
with open(world / "calls", "a") as file:
    file.write(json.dumps(arguments) + "\n")
state, kind = world / "state", " ".join(arguments[2:4])
options = dict(word.partition("=")[::2] for word in arguments if word.startswith("--"))
if kind == "queued-resources list":
    print(state.read_text())
elif kind == "queued-resources create":
    state.write_text("ACTIVE")
    (world / "home" / "ready").unlink(missing_ok=True)
elif kind == "queued-resources delete":
    state.write_text("")
elif arguments[0] == "storage":
    first, last = (world / word.replace("gs://", "bucket/") for word in arguments[-2:])
    if arguments[1] == "ls" and last.exists():
        print(arguments[-1])
    elif arguments[1] == "cat":
        print(last.read_text(), end="")
    elif arguments[1:3] == ["cp", "-"]:
        last.parent.mkdir(parents=True, exist_ok=True)
        last.write_text(sys.stdin.read())
    elif arguments[1] == "cp":
        for file in filter(pathlib.Path.is_file, first.parent.glob(first.name)):
            (last / file.name).write_bytes(file.read_bytes())
elif kind == "tpu-vm scp" and ":" in arguments[4]:
    pathlib.Path(arguments[5]).write_bytes(pathlib.Path(arguments[4].partition(":")[2]).read_bytes())
elif kind == "tpu-vm ssh":
    if state.read_text() != "ACTIVE":
        sys.exit(255)
    if "tpu_worker.sh" in options["--command"]:
        (world / "home" / "ready").touch()
        sys.exit()
    for worker in range(2) if options["--worker"] == "all" else [0]:
        environment = os.environ | {"HOSTNAME": f"t1v-n-w-{worker}"}
        done = subprocess.run(["bash", "-c", options["--command"]], env=environment)
    sys.exit(done.returncode)
"""
# The first start is preempted, or ends with the status in `fails`; the second comes to its end.
PYTHON = r"""
import json, os, pathlib, sys
world = pathlib.Path(os.environ["WORLD"])
with open(world / "starts", "a") as file:
    file.write(json.dumps([os.environ["HOSTNAME"], os.getcwd(), *sys.argv[1:]]) + "\n")
output = [word for word in sys.argv if word.startswith("--output=")][0].partition("=")[2]
output = output.replace("gs:/", str(world / "bucket"))
starts = len((world / "starts").read_text().splitlines())
if (world / "fails").exists():
    sys.exit(int((world / "fails").read_text()))
if os.environ["HOSTNAME"].endswith("1") and starts == 2:
    (world / "state").write_text("SUSPENDED")
elif starts > 2:
    pathlib.Path(output, "checkpoints").mkdir(parents=True, exist_ok=True)
    pathlib.Path(output, "result.json").write_text("{}")
"""
PROGRAMS = {
    "sudo": 'exec "$@"',
    "systemd-run": 'while [[ $1 != bash ]]; do shift; done; "$@"; echo $? > $WORLD/status; exit 0',
    "systemctl": "if [[ $1 == show ]]; then cat $WORLD/status; else echo inactive; exit 3; fi",
    "mountpoint": "exit 0",
    "git": "for last; do [[ $last != --output=* ]] || touch ${last#*=}; done",
    "sleep": "exit 0",
}


@pytest.fixture
def world(tmp_path, monkeypatch):
    """A folder with the state of the slice, its share and its workers' disk."""
    folder = tmp_path / "bin"
    for place in (folder, tmp_path / "share", tmp_path / "home/code", tmp_path / "home/venv/bin"):
        place.mkdir(parents=True)
    programs = {folder / name: f"#!/bin/bash\n{body}\n" for name, body in PROGRAMS.items()}
    programs[folder / "gcloud"] = f"#!{sys.executable}\n{GCLOUD}"
    programs[tmp_path / "home/venv/bin/python"] = f"#!{sys.executable}\n{PYTHON}"
    for path, body in programs.items():
        path.write_text(body)
        path.chmod(0o755)
    (tmp_path / "state").write_text("ACTIVE")
    (tmp_path / "status").write_text("0")
    for name in [name for name in os.environ if name.startswith("ZSL_TPU_")]:
        monkeypatch.delenv(name)
    settings = {
        "PROJECT": "p", "ZONE": "z", "NAME": "ca", "TYPE": "v5litepod-16",
        "SHARE": "10.0.0.2:/share", "MOUNT": tmp_path / "share", "HOME": tmp_path / "home",
    }  # fmt: skip
    for name, value in settings.items():
        monkeypatch.setenv(f"ZSL_TPU_{name}", str(value))
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setenv("WORLD", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


@pytest.fixture(params=["share", "bucket"])
def place(request, world, monkeypatch):
    """Where runs are: a folder on the share, or in a bucket."""
    if request.param == "share":
        return f"{world}/share"
    monkeypatch.setenv("ZSL_TPU_SHARE", "gs://mine/zsl_jax")
    return "gs://mine"


def tpu_vm(*words):
    return subprocess.run(
        ["bash", SCRIPT, *words], capture_output=True, text=True, timeout=120, check=False
    )


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def kinds(world):
    """What gcloud was asked for, without what was only looked up."""
    calls = [call[3] for call in lines(world / "calls") if call[0] == "compute"]
    return [call for call in calls if call in ("create", "delete")]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_scripts_are_bash(script):
    subprocess.run(["bash", "-n", script], check=True)
    assert os.access(script, os.X_OK)


def test_help_names_every_command_and_setting():
    done = tpu_vm("--help")
    assert done.returncode == 0
    for word in "create setup start status logs resume watch fetch delete --dry-run".split():
        assert f"\n  {word}" in done.stdout or f"\n{word}" in done.stdout, word
    settings = re.findall(r"^ +(--[-a-z]+=)\*\) [a-z_]+=", SCRIPT.read_text(), re.MULTILINE)
    assert "--zone=" in settings and "--attempts=" in settings
    assert all(setting in done.stdout for setting in settings)


def test_start_passes_the_arguments_unchanged_on_every_worker(world, place):
    output = f"--output={place}/runs/my run"
    done = tpu_vm("start", *ARGUMENTS, output)
    assert done.returncode == 0, done.stderr
    expected = ["-m", "launch.transfer", *ARGUMENTS, output, "--pod"]
    assert lines(world / "starts") == [
        [f"t1v-n-w-{worker}", str(world / "home/code"), *expected] for worker in range(2)
    ]
    folder = world / ("home" if place.startswith("gs") else "share/tpu_vm/ca")
    logs = sorted(path.name for path in folder.glob("*.log"))
    assert logs == ["worker-0.log", "worker-1.log"]


@pytest.mark.parametrize(
    ("kind", "pod"), [("v5litepod-8", False), ("v5p-8", False), ("v6e-64", True)]
)
def test_pod_is_for_several_hosts(world, kind, pod):
    done = tpu_vm(f"--accelerator-type={kind}", "start", f"--output={world}/share/run")
    assert done.returncode == 0, done.stderr
    assert (lines(world / "starts")[0][-1] == "--pod") is pod


def test_watch_makes_the_slice_anew_and_ends_with_the_result(world, place):
    output = f"--output={place}/run"
    assert tpu_vm("start", *ARGUMENTS, output).returncode == 0
    assert (world / "state").read_text() == "SUSPENDED"
    done = tpu_vm("--spot=1", "watch")
    assert done.returncode == 0, done.stderr
    starts = lines(world / "starts")
    assert len(starts) == 4 and starts[0] == starts[2] and starts[1] == starts[3]
    assert kinds(world) == ["delete", "create"]
    created = next(call for call in lines(world / "calls") if "create" in call)
    assert {"--spot", "--accelerator-type=v5litepod-16", "--project=p", "--zone=z"} <= set(created)
    assert tpu_vm("watch").returncode == 0, "a finished run is not started again"
    assert len(lines(world / "starts")) == 4
    assert tpu_vm("fetch", str(world / "here")).returncode == 0
    assert [path.name for path in (world / "here").iterdir()] == ["result.json"]


@pytest.mark.parametrize(("status", "starts"), [(2, 1), (1, 3)])
def test_watch_gives_up(world, status, starts):
    """At once where the flags or the data are wrong, after some attempts where something broke."""
    assert tpu_vm("start", f"--output={world}/share/run").returncode == 0
    (world / "starts").unlink()
    (world / "state").write_text("ACTIVE")
    (world / "home/ready").touch()
    (world / "fails").write_text(str(status))
    done = tpu_vm("--attempts=3", "watch")
    assert done.returncode == 2 and "logs" in done.stderr
    assert len(lines(world / "starts")) == 2 * starts


def test_dry_run_shows_the_commands_that_run_and_runs_none(world):
    """Word by word: bash reads the printed lines back into what gcloud got."""
    for words in (["create"], ["setup"], ["start", *ARGUMENTS, f"--output={world}/share/run"]):
        shown = tpu_vm("--dry-run", *words)
        assert shown.returncode == 0, shown.stderr
        assert not (world / "calls").exists() and not (world / "starts").exists()
        assert tpu_vm(*words).returncode == 0
        made = lines(world / "calls")
        (world / "calls").unlink()
        (world / "starts").unlink(missing_ok=True)
        (world / "state").write_text("ACTIVE")
        printed = [line for line in shown.stdout.splitlines() if line.startswith("gcloud ")]
        for line in printed:
            subprocess.run(["bash", "-c", line], check=False, capture_output=True)
        assert made and lines(world / "calls") == made
        (world / "calls").unlink()
        (world / "starts").unlink(missing_ok=True)


@pytest.mark.parametrize("command", [["resume"], ["watch"], ["status"], ["logs"], ["delete"]])
def test_dry_run_prints_the_commands_and_changes_nothing(world, command):
    done = tpu_vm("--dry-run", *command)
    assert done.returncode == 0, done.stderr
    assert "gcloud compute tpus" in done.stdout and not (world / "calls").exists()
    if command[0] in ("resume", "watch"):
        for part in ("delete ca", "create ca", "tpu_worker.sh", "systemd-run"):
            assert part in done.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "command is missing"),
        (["begin"], "no command begin"),
        (["--color=red", "create"], "no setting --color=red"),
        (["--project=", "create"], "--project and --zone"),
        (["--name=My Run", "create"], "--name=My Run"),
        (["--mount=share", "create"], "not share"),
        (["--accelerator-type=", "create"], "--accelerator-type"),
        (["--share=bucket", "setup"], "HOST:/PATH"),
        (["--share=gs://b", "start", "--output=/mnt/zsl_jax/run"], "must be in a bucket"),
        (["start", "--output=runs/ca"], "--output=runs/ca"),
        (["start", "--text=a"], "--output"),
        (["fetch"], "one folder"),
    ],
)
def test_mistakes_are_reported_in_one_sentence(world, words, message):
    done = tpu_vm(*words)
    assert done.returncode == 2 and done.stderr.startswith("error: ") and message in done.stderr
    assert len(done.stderr.splitlines()) == 1 and not lines(world / "calls")
