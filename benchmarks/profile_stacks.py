"""Sampled stacks into tables: what each stage of an order's way costs, and each function.

A stack is a tuple of frames from the root on, a frame a text such as ``Feed.absorb
(marketdata/feed.py)``. The sampler's own format has one line per stack: frames joined by ``;``, a
blank, and how often it was seen.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

Stack = tuple[str, ...]
Stacks = Mapping[Stack, int]

LOOP, JOURNAL, OTHER = "event loop", "journal thread", "other threads"
SYNC, REST = "journal: waiting for the disk", "event loop, all else"

# The first rule that fits the innermost frame it can decides; frames of libraries have none of
# their own where both ways use them, so the frame that called them says which way it is.
RULES: tuple[tuple[str, str], ...] = (
    (SYNC, r"Disk\.sync "),
    ("journal: write and hash", r"\(gateway/journal/(?!sequencer)"),
    ("bytes to messages", r"Codec\.decode |Codec\._one_by_one "),
    ("messages to bytes", r"Codec\.encode_messages |serve_trading\.<locals>\.frame "),
    ("engine", r"\(engine/"),
    ("the day's record", r"\(gateway/desk/(day_record|rows)\.py"),
    ("reports", r"\(gateway/desk/reports\.py|Desk\.tell |Session\.(offer|output) "),
    ("market data", r"\(marketdata/|\(gateway/(publisher|subscriber)\.py"),
    ("checks and commands", r"\(gateway/(desk/|protocol|limits)"),
    ("sequencer", r"\(gateway/journal/sequencer\.py|Venue\._tell "),
    ("WebSocket out", r"_write \(gateway/connection|\.(send|_write_ready|_write_send) \("),
    (
        "WebSocket in",
        r"_read \(gateway/connection|\.(_read_ready|data_received|receive|take) \(",
    ),
)
STAGES = (  # in the order of an order's way
    *("WebSocket in", "bytes to messages", "checks and commands", "sequencer"),
    *("journal: write and hash", SYNC, "engine", "the day's record", "reports"),
    *("messages to bytes", "WebSocket out", "market data", REST),
)
_RULES = tuple((stage, re.compile(rule).search) for stage, rule in RULES)

_PLUMBING = re.compile(  # frames below everything that say nothing
    r"<frozen runpy>|\((asyncio/(runners|base_events|events)|threading|concurrent/futures/thread)"
    r"\.py\)|^(<module>|main|run) \((benchmarks/|gateway/serve)|^_watched "
)
_WAITING = re.compile(  # innermost frames of a thread that does nothing
    r"^(_worker \(concurrent/|\w+\.wait \(threading|\w+\.select \(selectors|_wait_for_tstate)"
)
_THREAD = re.compile(r'^thread \(\w+\): "?(.*?)"?$')
ROOT = str(Path(__file__).parents[1])
_HOME = re.compile(rf"\((?:{re.escape(ROOT)}|[^()]*/site-packages|[^()]*/python3\.\d+)/")
_ABSOLUTE = re.compile(r"\((?:/|[A-Za-z]:\\)[^()]*[/\\]")


class FormatError(ValueError):
    """A line that is no stack."""


class Row(NamedTuple):
    """A function: samples in which it was the innermost frame, and in which it was there."""

    name: str
    own: int
    total: int


def read(lines: Iterable[str]) -> tuple[dict[Stack, int], int]:
    """Return the stacks of threads at work, and how many samples of waiting ones were left out.

    Each begins with its thread. No path of this machine is left in a frame.

    Raises:
        FormatError: a line is not of the sampler's format.
    """
    found: Counter[Stack] = Counter()
    waiting = 0
    for line in lines:
        text, _, count = line.strip().rpartition(" ")
        if not text or not count.isdigit():
            raise FormatError(f"not a stack and a count: {line[:60]!r}")
        frames = text.split(";")
        if _WAITING.match(frames[-1]):
            waiting += int(count)
        else:
            found[_plain(frames)] += int(count)
    return dict(found), waiting


def _plain(frames: list[str]) -> Stack:
    """Cut off what says nothing: how the process began, and where files are on this machine."""
    thread = _THREAD.match(frames[0])
    root = LOOP
    if thread is not None:
        frames = frames[1:]
        if not thread[1].startswith("MainThread"):
            root = JOURNAL if thread[1].startswith("journal") else OTHER
    named = (_ABSOLUTE.sub("(", _HOME.sub("(", frame)) for frame in frames)
    return (root, *(frame for frame in named if not _PLUMBING.search(frame)))


def stage_of(stack: Stack) -> str:
    """Return the stage that the innermost telling frame belongs to."""
    for frame in reversed(stack):
        for stage, fits in _RULES:
            if fits(frame):
                return stage
    return REST


def by_stage(stacks: Stacks) -> dict[str, int]:
    """Return the samples of each stage, in the order of ``STAGES``; they add up to all samples."""
    found = Counter[str]()
    for stack, count in stacks.items():
        found[stage_of(stack)] += count
    return {stage: found[stage] for stage in STAGES}


def by_function(stacks: Stacks) -> list[Row]:
    """Return a row per function, dearest in itself first; recursion counts once."""
    own, total = Counter[str](), Counter[str]()
    for stack, count in stacks.items():
        own[stack[-1]] += count
        total.update(dict.fromkeys(stack, count))
    rows = [Row(name, own[name], total[name]) for name in total]
    return sorted(rows, key=lambda row: (-row.own, -row.total, row.name))
