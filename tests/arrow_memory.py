"""The memory that Arrow holds, once its threads have freed what they no longer need."""

import gc
import time

import pyarrow as pa

_PATIENCE = 10.0  # seconds


def held_bytes(wanted: int | None = None) -> int:
    """The bytes that Arrow holds; waits a while for them to be no more than wanted."""
    gc.collect()
    deadline = time.monotonic() + _PATIENCE
    while wanted is not None and pa.total_allocated_bytes() > wanted:
        if time.monotonic() > deadline:
            break
        time.sleep(0.01)
        gc.collect()
    return pa.total_allocated_bytes()
