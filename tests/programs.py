"""Runs programs, each in a process of its own that has the libraries loaded already.

Loading jax, flax, orbax and transformers takes a small program longer than its work. A server loads
them once, without starting a backend, and forks for every program.
"""

import atexit
import gc
import importlib
import json
import os
import runpy
import select
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from tests.shared_context import share_context

LIBRARIES = (
    "zsl_jax.workflows.transfer_run", "orbax.checkpoint", "pyarrow.dataset", "absl.app", "beartype",
)  # fmt: skip
ROOT = Path(__file__).parents[1]
TIMEOUT = 300  # seconds, after which a program is ended by SIGALRM
STREAMS = ("stdin", "stdout", "stderr")
_server: list[subprocess.Popen] = []
_lock = threading.Lock()


class Program:
    """A program that runs, with what tests need of `subprocess.Popen`."""

    def __init__(self, module: str, *arguments: object, text: str | bytes, **environment: str):
        self._streams = tempfile.TemporaryDirectory()
        paths = [Path(self._streams.name) / name for name in STREAMS]
        paths[0].write_bytes(text.encode() if isinstance(text, str) else text)
        self.args = list(map(str, arguments))
        self.pid = _ask(
            {
                "module": module,
                "arguments": self.args,
                "environment": {**os.environ, **environment},
                "folder": os.getcwd(),
                "streams": list(map(str, paths)),
            }
        )
        self.returncode: int | None = None
        self._end = os.pidfd_open(self.pid)  # can be read when the program has ended

    def poll(self, timeout: float = 0) -> int | None:
        """The exit status, or None if the program has not ended within the given seconds."""
        if self.returncode is None and select.select([self._end], [], [], timeout)[0]:
            self.returncode = _ask({"ended": self.pid})
            os.close(self._end)
        return self.returncode

    def wait(self, timeout: float) -> int:
        """The exit status, as soon as the program has ended."""
        status = self.poll(timeout)
        if status is None:
            raise subprocess.TimeoutExpired(self.args, timeout)
        return status

    def send_signal(self, number: int) -> None:
        """Sends a signal to a program that has not ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def communicate(self, timeout: float = TIMEOUT) -> tuple[str, str]:
        """Waits for the end; returns what was printed to standard output and standard error."""
        try:
            self.wait(timeout)
        except subprocess.TimeoutExpired:
            self.send_signal(signal.SIGKILL)
            raise
        folder = Path(self._streams.name)
        output, errors = ((folder / name).read_bytes().decode() for name in STREAMS[1:])
        return output, errors

    def finish(self, timeout: float = TIMEOUT) -> subprocess.CompletedProcess[str]:
        """Waits for the end; returns the exit status and what was printed."""
        output, errors = self.communicate(timeout)
        assert self.returncode is not None
        return subprocess.CompletedProcess(self.args, self.returncode, output, errors)


def start(module: str, *arguments: object, text: str | bytes = "", **environment: str) -> Program:
    """Starts `python -m MODULE`.

    Args:
      module: Its dotted name.
      arguments: Its arguments.
      text: Its standard input.
      environment: Variables that it has besides those of this process. What libraries read when
        they are loaded, such as JAX_PLATFORMS, has no effect.
    """
    return Program(module, *arguments, text=text, **environment)


def program(
    name: str, *arguments: object, status: int = 0, text: str | bytes = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    """Runs `python -m launch.NAME` to its end.

    Args:
      name: The program.
      arguments: Its arguments.
      status: The exit status that is expected.
      text: Its standard input.
      environment: Variables that it has besides those of this process.
    """
    done = start(f"launch.{name}", *arguments, text=text, **environment).finish()
    assert done.returncode == status, done.stderr
    return done


def _ask(request: dict[str, Any]) -> Any:
    """The server's answer."""
    with _lock:
        if not _server or _server[0].poll() is not None:
            _server[:] = [_start_server()]
        _server[0].stdin.write(json.dumps(request).encode() + b"\n")
        _server[0].stdin.flush()
        return json.loads(_server[0].stdout.readline())


def _start_server() -> subprocess.Popen:
    from launch import malloc_settings

    # Set already, so that no program starts again for it.
    tunables = malloc_settings.tunables_of_this_machine({})
    environment = {**os.environ, malloc_settings.VARIABLE: tunables or ""}
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.programs"],
        cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert server.stdin is not None
    atexit.register(server.stdin.close)
    return server


def serve() -> None:
    """Forks for every program and answers with its number; then with its exit status."""
    for library in LIBRARIES:
        importlib.import_module(library)
    load_auto_tokenizer()
    share_context()
    gc.freeze()  # what is loaded stays: no program looks through it, or copies its pages
    while line := sys.stdin.readline():
        request = json.loads(line)
        if "ended" in request:
            answer = os.waitstatus_to_exitcode(os.waitpid(request["ended"], 0)[1])
        else:
            answer = os.fork()
            if not answer:
                return become(**request)
        print(json.dumps(answer), flush=True)


def load_auto_tokenizer() -> None:
    """transformers loads its parts only when they are named."""
    from transformers import AutoTokenizer  # noqa: F401


def become(
    module: str, arguments: list[str], environment: dict[str, str], folder: str, streams: list[str]
) -> None:
    """Runs a program in this process, in place of the server."""
    for descriptor, path in enumerate(streams):
        opened = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    tunables = os.environ["GLIBC_TUNABLES"]
    os.environ.clear()
    os.environ.update({"GLIBC_TUNABLES": tunables, **environment})
    os.chdir(folder)
    sys.argv = [module, *arguments]
    signal.alarm(TIMEOUT)
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    serve()
