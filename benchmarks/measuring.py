"""Shared parts of the timing programs: interleaved medians, peak memory, bandwidth, tables."""

import ctypes
import gc
import itertools
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

COPIED_BYTES = 2**28


def seconds(run: Callable[[], Any]) -> float:
    """Wall-clock seconds of one call."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def interleaved(
    runs: Mapping[str, Callable[[], Any]], repeats: int, budget: float = float("inf")
) -> dict[str, list[float]]:
    """Times interleaved runs, so that noise of the machine affects all of them.

    Args:
      runs: Functions to time, by name; already warmed up.
      repeats: Number of calls of each.
      budget: Seconds after which a run is not called again; every run is called at least once.

    Returns:
      The seconds of every call, by name.
    """
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(repeats):
        for name, run in runs.items():
            if not taken[name] or sum(taken[name]) + taken[name][-1] <= budget:
                taken[name].append(seconds(run))
    return taken


def summary(taken: Sequence[float]) -> dict[str, Any]:
    """Median, extremes and number of the calls."""
    median = statistics.median(taken)
    return {"median": median, "min": min(taken), "max": max(taken), "runs": len(taken)}


class Speed(NamedTuple):
    """The speed of one stage of a program.

    Attributes:
      stage: Name of the stage.
      words_per_second: Words per second.
      flops_per_second: Useful FLOPs per second.
      program: Name of the program.
      peak_memory: Peak of the device's memory in bytes, of all stages; None if unknown.
    """

    stage: str
    words_per_second: float
    flops_per_second: float
    program: str = ""
    peak_memory: int | None = None


def speed_of(stage: str, run: Callable[[], int], budget: float, flops_per_word: float) -> Speed:
    """Calls a stage, which returns its number of words, until a time is over.

    The first call compiles and is not counted; one more is made in any case.
    """
    run()
    words, start = 0, time.perf_counter()
    while words == 0 or time.perf_counter() - start < budget:
        words += run()
    speed = words / (time.perf_counter() - start)
    return Speed(stage, speed, speed * flops_per_word)


def useful_flops(config, lengths: np.ndarray) -> float:
    """FLOPs of one gradient on sentences of these lengths, without padding."""
    hidden, inner = config.hidden_size, config.intermediate_size
    weights = config.num_layers * (4 * hidden * hidden + 2 * hidden * inner)
    attention = 12.0 * config.num_layers * hidden * np.sum(np.square(lengths.astype(float)))
    return 6.0 * weights * float(lengths.sum()) + attention


def peak_memory(run: Callable[[], Any]) -> tuple[Any, int]:
    """A call's result, and the peak of resident memory in bytes above that before it (Linux)."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # resets the high-water mark
    before = status("VmRSS")
    result = run()
    return result, status("VmHWM") - before


def status(field: str, process: int | str = "self") -> int:
    """Bytes of a kind of memory of a process, such as VmRSS (Linux)."""
    for line in Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines():
        if line.startswith(field + ":"):
            return 1024 * int(line.split()[1])
    return 0  # a process that has ended has no memory


def anonymous_memory() -> int:
    """Bytes of memory that this process uses, without pages of mapped files (Linux)."""
    gc.collect()
    pa.default_memory_pool().release_unused()
    ctypes.CDLL(None).malloc_trim(0)
    return status("RssAnon")


class ProgramRun(NamedTuple):
    """Time and memory of a program.

    Attributes:
      seconds: Wall-clock seconds.
      peak: Peak of resident memory in bytes, pages of mapped files included.
      anonymous: The same without pages of mapped files, which the system can reclaim at any time;
        sampled every 50 ms (Linux).
    """

    seconds: float
    peak: int
    anonymous: int


def run_program(command: Sequence[str]) -> ProgramRun:
    """Runs a program; its standard output and error go to this one's standard error.

    Raises:
      CalledProcessError: Its exit status is not 0.
    """
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=sys.stderr) as process:
        anonymous = 0
        while True:
            ended, code, usage = os.wait4(process.pid, os.WNOHANG)
            if ended:
                break
            anonymous = max(anonymous, status("RssAnon", process.pid))
            time.sleep(0.05)
        process.returncode = os.waitstatus_to_exitcode(code)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return ProgramRun(time.perf_counter() - start, 1024 * usage.ru_maxrss, anonymous)


def copy_bandwidth(threads: int) -> float:
    """Bytes per second, read and written, of `np.copyto` on arrays larger than the caches."""
    size = COPIED_BYTES // 4
    source, target = np.ones(size, np.float32), np.zeros(size, np.float32)
    bounds = np.linspace(0, size, threads + 1).astype(int)
    parts = [slice(*pair) for pair in itertools.pairwise(bounds)]
    with ThreadPoolExecutor(threads) as pool:

        def copy() -> None:
            list(pool.map(lambda part: np.copyto(target[part], source[part]), parts))

        copy()
        return 2 * source.nbytes / statistics.median(seconds(copy) for _ in range(5))


def machine() -> dict[str, Any]:
    """Number of cores and current load average."""
    return {"cores": os.cpu_count(), "load_average": os.getloadavg()}


def format_columns(rows: Sequence[Mapping[str, Any]]) -> str:
    """A plain-text table; the first row's keys are the header."""
    header = list(rows[0])
    cells = [header, *([str(row.get(name, "")) for name in header] for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        for row in cells
    )
