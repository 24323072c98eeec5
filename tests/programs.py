"""Runs the programs of launch/, each in a process of its own that has the libraries loaded already.

Loading jax, flax, orbax and transformers takes a small program longer than its work. A server loads
them once, without starting a backend, and forks for every program.
"""

import atexit
import importlib
import json
import os
import runpy
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

LIBRARIES = ("zsl_jax.workflows.transfer_run", "orbax.checkpoint", "pyarrow.dataset")
ROOT = Path(__file__).parents[1]
TIMEOUT = 300  # seconds, after which a program is ended by SIGALRM
_server: list[subprocess.Popen] = []


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
    with tempfile.TemporaryDirectory() as folder:
        streams = [Path(folder) / stream for stream in ("stdin", "stdout", "stderr")]
        streams[0].write_bytes(text.encode() if isinstance(text, str) else text)
        request = {
            "module": f"launch.{name}",
            "arguments": list(map(str, arguments)),
            "environment": {**os.environ, **environment},
            "folder": os.getcwd(),
            "streams": list(map(str, streams)),
        }
        ended = _answer(request)
        output, errors = (stream.read_bytes().decode() for stream in streams[1:])
    assert ended == status, errors
    return subprocess.CompletedProcess(request["arguments"], ended, output, errors)


def _answer(request: dict) -> int:
    if not _server or _server[0].poll() is not None:
        command = [sys.executable, "-m", "tests.programs"]
        # Huge pages are asked for already, so that no program starts again for them.
        environment = {**os.environ, "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
        _server[:] = [
            subprocess.Popen(
                command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        ]
        atexit.register(_server[0].stdin.close)
    _server[0].stdin.write(json.dumps(request).encode() + b"\n")
    _server[0].stdin.flush()
    return int(_server[0].stdout.readline())


def serve() -> None:
    """Forks for every request, and answers with the exit status."""
    for library in LIBRARIES:
        importlib.import_module(library)
    load_auto_tokenizer()
    while line := sys.stdin.readline():
        child = os.fork()
        if not child:
            return become(**json.loads(line))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


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
