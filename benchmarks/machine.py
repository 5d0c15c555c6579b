"""What every benchmark does the same way: a quiet core, medians, the machine named, memory."""

from __future__ import annotations

import gc
import os
import platform
import resource
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path


@contextmanager
def quiet_core() -> Iterator[int | None]:
    """Pin this process to one core and stop the garbage collector; yields the core, if pinned."""
    before = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    core = max(before) if before else None
    if core is not None:
        os.sched_setaffinity(0, {core})
    gc.collect()
    gc.disable()
    try:
        yield core
    finally:
        gc.enable()
        if before:
            os.sched_setaffinity(0, before)


def seconds(work: Callable[[], object]) -> float:
    """Return the wall seconds of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def spread(values: list[float]) -> dict[str, float]:
    """Return least, median and most."""
    return {"min": min(values), "median": statistics.median(values), "max": max(values)}


def ratio(values: list[float], better: str = "higher") -> dict[str, float | str]:
    """Return a ratio as every question states it: the median of its pairs, least and most.

    ``better``: "higher" or "lower".
    """
    found = spread(values)
    return {
        "value": found["median"],
        "better": better,
        "min": found["min"],
        "max": found["max"],
    }


def peak_rss_mib(process: int | None = None) -> float:
    """Return the largest memory this process, or the one of that number, ever had, in MiB.

    Raises:
        OSError: the system does not tell it of another process.
    """
    status = Path(f"/proc/{process or 'self'}/status")
    if (
        process is not None or status.exists()
    ):  # getrusage would also count the parent this process came from
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def machine() -> dict[str, str | int]:
    """Name the machine and the versions that matter for a figure."""
    model = platform.processor() or "unknown"
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return {
        "cpu": model,
        "cores": os.cpu_count() or 0,
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "numba": version("numba"),
        "sortedcontainers": version("sortedcontainers"),
    }
