"""Communication between the processes of a run besides gradients: small arrays and records.

Functions that exchange values are collectives: all processes must call them, in the same order. A
single process returns at once.
"""

import ctypes
import json
import signal
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from zsl_jax.errors import InputError

# Without a heartbeat of another process, after which JAX aborts; `heartbeats` notices it before.
SECONDS_UNTIL_ABORT = 100
# Tells JAX that this process is to end; None where it is not listening.
_tell_jax: Callable[[int], None] | None = None


def start(
    coordinator: str | None = None, num_processes: int | None = None, process_id: int | None = None
) -> None:
    """Joins the other processes of the run; must come before any other use of JAX.

    Args:
      coordinator: HOST:PORT of process 0. On a TPU pod all arguments can be omitted.
      num_processes: Number of processes of the run.
      process_id: Number of this process, from 0.
    """
    global _tell_jax
    handler = signal.getsignal(signal.SIGTERM)
    jax.distributed.initialize(
        coordinator, num_processes, process_id, initialization_timeout=300,
        heartbeat_timeout_seconds=SECONDS_UNTIL_ABORT, shutdown_timeout_seconds=60,
    )  # fmt: skip
    if callable(handler):
        _tell_jax = _take_sigterm_back(handler)


def _take_sigterm_back(handler: Callable[..., Any]) -> Callable[[int], None] | None:
    """Lets our handler hear SIGTERM again, and returns that of JAX.

    JAX installs its own, in C, which has all processes stop at the same update: outside of
    training, no process would hear the signal.
    """
    install = ctypes.CDLL(None).signal
    install.argtypes, install.restype = (ctypes.c_int, ctypes.c_void_p), ctypes.c_void_p
    found = install(signal.SIGTERM, None)
    signal.signal(signal.SIGTERM, handler)
    return ctypes.CFUNCTYPE(None, ctypes.c_int)(found) if found else None


def stop_together() -> bool:
    """Makes all processes of the run stop at the same update; False if JAX cannot do that."""
    if _tell_jax is None:
        return False
    _tell_jax(signal.SIGTERM)
    return True


def count() -> int:
    """Number of processes."""
    return jax.process_count()


def index() -> int:
    """Number of this process, from 0."""
    return jax.process_index()


def devices() -> str:
    """Describes the devices of the run."""
    number, kind = jax.device_count(), jax.devices()[0].device_kind
    return f"{number} × {kind}, {jax.process_count()} process{'es' * (jax.process_count() > 1)}"


def local_shards(num_shards: int) -> range:
    """Returns the shards of a text that belong to this process.

    Args:
      num_shards: Number of shards of the whole text.

    Raises:
      InputError: The processes cannot share them evenly.
    """
    if num_shards % count():
        raise InputError(
            f"the text is in {num_shards} shards, which {count()} processes cannot share evenly; "
            f"start a number of processes that divides {num_shards}, or give `shards` (a multiple "
            "of the processes) to a new run"
        )
    share = num_shards // count()
    return range(index() * share, (index() + 1) * share)


def is_first() -> bool:
    """Whether this process writes the logs, the metrics and the model."""
    return jax.process_index() == 0


def gather(value: Any) -> list[Any]:
    """Returns the JSON-serialisable values of all processes, in the order of the processes."""
    if jax.process_count() == 1:
        return [value]
    return [json.loads(data) for data in _gather_bytes(json.dumps(value).encode())]


def total(array: Any) -> np.ndarray:
    """Returns the sum of all processes' arrays, which have one shape, in float64."""
    local = np.asarray(array, np.float64)
    if jax.process_count() == 1:
        return local
    parts = [np.frombuffer(data, np.float64) for data in _gather_bytes(local.tobytes())]
    return np.sum(parts, axis=0).reshape(local.shape)


def concatenate(array: np.ndarray) -> np.ndarray:
    """Concatenates the rows of all processes' arrays, in the order of the processes."""
    if jax.process_count() == 1:
        return array
    parts = [np.frombuffer(data, array.dtype) for data in _gather_bytes(array.tobytes())]
    return np.concatenate(parts).reshape(-1, *array.shape[1:])


def merged(make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Returns what all processes make, JSON-serialisable values by name, in one dictionary.

    Args:
      make: Makes the values of this process.

    Raises:
      InputError: Making them failed in this process or in another one; then all raise.
    """
    failure, own = None, {}
    try:
        own = make()
    except InputError as error:
        failure = str(error)
    everywhere = gather([failure, own])
    for message, _ in everywhere:
        if message is not None:
            raise InputError(message)
    return {name: value for _, values in everywhere for name, value in values.items()}


def first_decides(error: Exception | None) -> None:
    """Ends every process if the first one failed; the first one raises its error."""
    message = gather(None if error is None else str(error))[0]
    if error is not None:
        raise error
    if message is not None:
        raise SystemExit(2)


def tells_of_a_lost_process(error: BaseException) -> bool:
    """Tells whether a collective failed because another process ended or is unreachable.

    JAX raises a `JaxRuntimeError`, or a bare ValueError with the same text: a status and a
    description, such as "UNAVAILABLE: ..." or "UNKNOWN: Gloo AllGather failed: ...".
    """
    if count() == 1 or not isinstance(error, jax.errors.JaxRuntimeError | ValueError):
        return False
    status = str(error).partition(":")[0]
    return status in ("UNKNOWN", "UNAVAILABLE", "INTERNAL", "DEADLINE_EXCEEDED", "ABORTED")


def wait() -> None:
    """Waits until all processes have reached this call."""
    gather(None)


def _gather_bytes(data: bytes) -> list[bytes]:
    from jax.experimental.multihost_utils import process_allgather

    sizes = np.asarray(process_allgather(np.int32(len(data))))
    padded = np.zeros(int(sizes.max()), np.uint8)
    padded[: len(data)] = np.frombuffer(data, np.uint8)
    rows = np.asarray(process_allgather(padded))
    return [row[:size].tobytes() for row, size in zip(rows, sizes.tolist(), strict=True)]
