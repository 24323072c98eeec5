"""Tests of zsl_jax.interruption, in processes of their own."""

import signal
import subprocess
import sys
import time

import pytest

START = """
import gc, sys, time
from pathlib import Path
from zsl_jax import interruption
from zsl_jax.atomic_file import committing, atomic_file
interruption.watch_signals()
def ready():
    print("ready", flush=True)
"""
BODIES = {
    "waits for input": "ready(); sys.stdin.read()",
    "sleeps": "ready(); time.sleep(60)",
    "computes without a break": "ready()\nwhile 1: pass",
    "collects garbage": """
class Slow:
    def __init__(self): self.me = self
    def __del__(self): time.sleep(0.2)
ready()
while 1:
    Slow()
    gc.collect()
""",
}


def start(body, *arguments):
    process = subprocess.Popen(
        [sys.executable, "-c", START + body, *map(str, arguments)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("body", BODIES)
def test_a_signal_ends_a_process_whatever_it_does(body, number):
    process = start(BODIES[body])
    told = time.monotonic()
    process.send_signal(number)
    process.wait(timeout=60)
    assert time.monotonic() - told < 2
    assert process.returncode == 128 + number
    assert process.communicate()[1] == "stopped; no file is left half-written\n"


def test_a_signal_that_is_ignored_stays_ignored():
    process = subprocess.Popen(
        ["nohup", sys.executable, "-c", START + "ready(); print(sys.stdin.read())"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGHUP)
    assert process.communicate("still here", timeout=60)[0] == "still here\n"
    assert process.returncode == 0


def test_what_is_unfinished_is_removed(tmp_path):
    body = """
with atomic_file(sys.argv[1]) as part:
    part.write_text("half")
    ready()
    time.sleep(60)
"""
    process = start(body, tmp_path / "a.txt")
    assert len(list(tmp_path.iterdir())) == 1
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert not list(tmp_path.iterdir())


def test_steps_that_belong_together_are_not_cut_in_two(tmp_path):
    body = """
with committing:
    Path(sys.argv[1], "first").touch()
    ready()
    time.sleep(1)
    Path(sys.argv[1], "second").touch()
time.sleep(60)
"""
    process = start(body, tmp_path)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 143
    assert {path.name for path in tmp_path.iterdir()} == {"first", "second"}


def test_a_listener_may_save_first_and_the_second_signal_ends_the_process():
    body = """
def listener(number):
    print(f"told of {number.name}", flush=True)
with interruption.listening(listener):
    ready()
    time.sleep(60)
"""
    process = start(body)
    process.send_signal(signal.SIGINT)
    assert process.stdout is not None and process.stdout.readline() == "told of SIGINT\n"
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 143


@pytest.mark.parametrize(
    ("answer", "said"),
    [("return 'saved'", "saved\n"), ("raise OSError('no room')", "half-written (no room)\n")],
)
def test_a_listener_may_have_nothing_to_save(answer, said):
    body = f"""
def listener(number):
    {answer}
with interruption.listening(listener):
    ready()
    time.sleep(60)
"""
    process = start(body)
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=60)[1].endswith(said) and process.returncode == 143


def test_a_signal_that_is_ignored_stays_so():
    ignored = "import signal\nsignal.signal(2, signal.SIG_IGN)\n"
    code = START.replace("interruption.watch", f"{ignored}interruption.watch")
    process = subprocess.Popen(
        [sys.executable, "-c", code + "ready(); sys.stdin.read(); print('done')"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    assert process.communicate("", timeout=60)[0] == "done\n" and process.returncode == 0
