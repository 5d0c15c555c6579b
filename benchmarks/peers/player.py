"""One book in a process of its own: ``python -m benchmarks.peers.player ADAPTER FOLDER``.

The folder holds the stream as two arrays, so that making it leaves no memory behind here. Orders
come as lines on standard input, one JSON object answers each on standard output:

- ``{"do": "warm"}``: the first play, which no time is taken from, and what memory it added;
- ``{"do": "check", "parts": N}``: what the book tells after each of N parts of the stream;
- ``{"do": "time", "least_s": S}``: plays from empty until they took S seconds together, at most
  ``PLAYS_MAX``; the median of one play, and what the last one tells.

A book that raises is answered with ``{"error": …}``.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import itertools
import json
import os
import statistics
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.flow import Stream
from benchmarks.machine import peak_rss_mib, quiet_core, seconds
from benchmarks.peers.book import Opener
from benchmarks.peers.streams import part

PLAYS_MAX = 50
ROWS_AT_ONCE = 500  # a whole stream of short-lived lists would hide what the book takes


def save(folder: Path, stream: Stream) -> None:
    """Write a stream for ``load``."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "messages.npy", np.array(stream.messages, np.int64))
    np.save(folder / "commands.npy", stream.commands)
    sizes = {"accounts": stream.accounts, "instruments": stream.instruments}
    (folder / "sizes.json").write_text(json.dumps(sizes), encoding="utf-8")


def load(folder: Path) -> Stream:
    """Read what ``save`` wrote."""
    rows = np.load(folder / "messages.npy", mmap_mode="r")
    messages = [
        tuple(row)
        for start in range(0, len(rows), ROWS_AT_ONCE)
        for row in rows[start : start + ROWS_AT_ONCE].tolist()
    ]
    sizes = json.loads((folder / "sizes.json").read_text(encoding="utf-8"))
    return Stream(np.load(folder / "commands.npy"), messages, **sizes)


def opener(adapter: str, stream: Stream) -> Opener:
    """Return what makes an empty book; ``adapter`` is "module:function"."""
    module, _, function = adapter.partition(":")
    made: Opener = getattr(importlib.import_module(module), function)(stream)
    return made


def warm(stream: Stream, make: Opener) -> dict[str, Any]:
    """Play once, and take the growth of the largest memory meanwhile (Linux tells it anew)."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before = peak_rss_mib()
    book = make()
    took = seconds(lambda: book.play(stream))
    peak = peak_rss_mib()
    return {"warmup_s": took, "memory_growth_mib": peak - before, "peak_rss_mib": peak}


def check(stream: Stream, make: Opener, parts: int) -> dict[str, Any]:
    """Play part by part and tell after each."""
    book = make()
    edges = np.linspace(0, len(stream.messages), parts + 1).astype(int).tolist()
    told = []
    for start, stop in itertools.pairwise(edges):
        book.play(part(stream, start, stop))
        told.append(asdict(book.told()))
    return {"told": told}


def timed(stream: Stream, make: Opener, least_s: float) -> dict[str, Any]:
    """Play whole streams from empty books, on a clock."""
    took: list[float] = []
    while not took or (sum(took) < least_s and len(took) < PLAYS_MAX):
        book = make()
        gc.collect()
        took.append(seconds(lambda book=book: book.play(stream)))  # type: ignore[misc]
    return {"seconds": statistics.median(took), "plays": len(took), "told": asdict(book.told())}


def serve(stream: Stream, make: Opener, order: dict[str, Any]) -> dict[str, Any]:
    """Do what one line asks for."""
    try:
        if order["do"] == "warm":
            return warm(stream, make)
        if order["do"] == "check":
            return check(stream, make, order["parts"])
        return timed(stream, make, order["least_s"])
    except Exception as wrong:  # whatever a package raises is its answer
        return {"error": f"{type(wrong).__name__}: {wrong}".strip(": ")}


def main(adapter: str, folder: str) -> None:
    """Load, announce the core, and serve until standard input ends."""
    # What a package prints must not come between the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def answer(found: dict[str, Any]) -> None:
        answers.write(json.dumps(found) + "\n")
        answers.flush()

    with quiet_core() as core:
        try:
            stream = load(Path(folder))
            make = opener(adapter, stream)
        except ImportError as missing:
            answer({"error": f"{type(missing).__name__}: {missing}"})
            return
        answer({"core": core})
        for line in sys.stdin:
            answer(serve(stream, make, json.loads(line)))


if __name__ == "__main__":
    main(*sys.argv[1:])
