"""A load run as it goes on: a live picture on a terminal, one plain line a second elsewhere.

The picture is drawn by a process of its own (``python -m benchmarks.load.watch``), which is told a
line of JSON a second: drawing beside the sender would delay orders and be measured.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any

import msgspec
from rich.console import Console, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from benchmarks.load.plan import Plan
from benchmarks.load.record import Progress, Step
from benchmarks.load.verdict import most, step_line
from benchmarks.load.words import NONE, duration, plural, rate

QUIET = "bright_black"
BARS = "▁▂▃▄▅▆▇█"
LABEL, COUNT = 11, 11  # columns
WIDTH_MIN, WIDTH_MAX = 76, 110
HISTORY = 240  # seconds that a sparkline may show
END_WITHIN_S = 3
CODES_SHOWN = 4
STEPS_SHOWN = 8


class Head(msgspec.Struct, tag=True):
    """What does not change while a run goes on. ``total_s``: warm-up and measured seconds."""

    url: str
    what: str
    warmup_s: float
    total_s: float


class Told(msgspec.Struct, tag=True):
    """What the painter is told: a second, or a step of the search for the knee."""

    progress: Progress | None = None
    step: Step | None = None


def head_of(plan: Plan, what: str = "") -> Head:
    """The head of a run; ``what`` says more of it, e.g. that the knee is looked for."""
    asked = f"{plan.arrival}, {rate(plan.orders_per_second)} orders/s"
    if not plan.orders_per_second:
        asked = f"{plan.arrival} at its own rate"
    clients = plural(plan.clients, "client")
    words = ", ".join(each for each in (what, asked, clients, plan.encoding) if each)
    return Head(plan.url, words, plan.warmup_s, plan.warmup_s + plan.seconds)


def fits(console: Console) -> bool:
    """Whether the console is a terminal wide enough for the picture."""
    return console.is_terminal and console.width >= WIDTH_MIN


class Watch:
    """Shows what a run reports while it goes on; call it with each ``Progress``.

    ``live``: draw a picture; otherwise a line each goes to the console. A picture that cannot be
    drawn any more does not stop the run.
    """

    def __init__(self, head: Head, console: Console, live: bool) -> None:
        self._head, self._console = head, console
        self._live = live
        self._painter: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Watch:
        if self._live:
            command = [sys.executable, "-m", "benchmarks.load.watch"]
            self._painter = subprocess.Popen(command, stdin=subprocess.PIPE)  # noqa: S603
            self._tell(self._head)
        else:
            self._line(f"{self._head.url}: {self._head.what}")
        return self

    def __call__(self, progress: Progress) -> None:
        """Show one second."""
        if self._painter is None:
            self._line(plain_line(self._head, progress))
        else:
            self._tell(Told(progress=progress))

    def step(self, step: Step) -> None:
        """Show what a step of the search for the knee came to."""
        if self._painter is None:
            self._line(step_line(step))
        else:
            self._tell(Told(step=step))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._painter is None:
            return
        assert self._painter.stdin is not None
        with contextlib.suppress(OSError):
            self._painter.stdin.close()
        try:
            self._painter.wait(END_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._painter.kill()
            self._painter.wait()

    def _line(self, words: str) -> None:
        self._console.file.write(words + "\n")
        self._console.file.flush()

    def _tell(self, thing: Head | Told) -> None:
        assert self._painter is not None
        assert self._painter.stdin is not None
        with contextlib.suppress(OSError):  # the painter is gone, the run goes on
            self._painter.stdin.write(msgspec.json.encode(thing) + b"\n")
            self._painter.stdin.flush()


def plain_line(head: Head, progress: Progress) -> str:
    """One second in one line, for logs and pipes."""
    row = progress.row
    parts = [
        f"{progress.elapsed_s:6.1f} s of {head.total_s:g}",
        f"target {_target(progress)}/s",
        f"answered {row.answered:,}/s",
        f"backlog {row.backlog:,}",
        f"p50 {_known(row.p50_us)}",
        f"p99 {_known(row.p99_us)}",
        f"max {_known(row.max_us)}",
        f"refused {row.refused:,}",
    ]
    return " | ".join([*parts, "warm-up"] if row.warmup else parts)


def _target(progress: Progress) -> str:
    """The rate asked for; of a recorded day at its own rate, what was due in the second."""
    return rate(progress.target_per_second or float(progress.row.intended))


def _known(us: float) -> str:
    return duration(us) if us > 0 else NONE


def sparkline(values: list[float], width: int) -> str:
    """The newest ``width`` values as bars, from 0 to the largest of them."""
    shown = values[-width:]
    top = max(shown, default=0.0)
    if top <= 0:
        return BARS[0] * len(shown)
    return "".join(BARS[round(value / top * (len(BARS) - 1))] for value in shown)


def picture(
    head: Head, seen: list[Progress], width: int, steps: Sequence[Step] = ()
) -> RenderableType:
    """The run on a terminal of ``width`` columns; ``seen`` is what was reported so far.

    ``steps``: those of the search for the knee that are over.
    """
    width = min(width, WIDTH_MAX)
    inner = width - 4
    lines: list[RenderableType] = [Text(head.what, no_wrap=True, overflow="ellipsis")]
    if seen:
        lines += [*_time(head, seen[-1], inner), _figures(seen), *_sparks(seen, inner)]
        lines += _codes(seen[-1])
    else:
        lines.append(Text("connecting and logging in …", QUIET))
    lines += [Text(step_line(each), QUIET) for each in steps[-STEPS_SHOWN:]]
    grid = Table.grid(expand=True)
    grid.add_column()
    for line in lines:
        grid.add_row(line)
    return Panel(
        grid,
        title=Text(f"tanshi load {head.url}", "bold", no_wrap=True, overflow="ellipsis"),
        title_align="left",
        subtitle=Text("Ctrl-C ends the run; what was measured is kept", QUIET),
        subtitle_align="right",
        border_style="cyan",
        width=width,
    )


def _time(head: Head, now: Progress, width: int) -> Iterator[RenderableType]:
    left = max(0.0, head.total_s - now.elapsed_s)
    if now.row.warmup:
        state = Text("warming up, not measured", "yellow")
    elif left > 0:
        state = Text("measuring", "green")
    else:
        state = Text("waiting for the last answers", "yellow")
    state.append(f"   {now.elapsed_s:.0f} s of {head.total_s:g} s, {left:.0f} s left", "default")
    yield state
    yield ProgressBar(head.total_s, min(now.elapsed_s, head.total_s), width=width)


def _figures(seen: list[Progress]) -> Table:
    """Counts and latencies: of the last second, and of the run so far."""
    now, row = seen[-1], seen[-1].row
    heads = ("", "last second", "", "so far", "  latency", "last second", "so far")
    table = Table.grid(padding=(0, 1))
    for at, head in enumerate(heads):
        words = at in {0, 4} or not head
        table.add_column(
            justify="left" if words else "right", no_wrap=True, min_width=1 if words else COUNT
        )
    table.add_row(*(Text(each, QUIET) for each in heads))
    counts = [
        ("due", row.intended, "intended"),
        ("sent", row.sent, "sent"),
        ("answered", row.answered, "answered"),
        ("refused", row.refused, "refused"),
    ]
    latencies = [
        ("p50", row.p50_us, now.latency_us.p50),
        ("p99", row.p99_us, now.latency_us.p99),
        ("max", row.max_us, max(now.latency_us.max, *(each.row.max_us for each in seen))),
        ("", 0.0, 0.0),
    ]
    for (name, count, key), (percentile, last, total) in zip(counts, latencies, strict=True):
        so_far = f"{now.totals[key]:,}" if key in now.totals else NONE
        told = (f"  {percentile}", _known(last), _known(total)) if percentile else ("", "", "")
        table.add_row(f"{name:<{LABEL}}", Text(f"{count:,}", "bold"), "", so_far, *told)
    most_ever = max(each.row.backlog for each in seen)
    table.add_row("backlog", Text(f"{row.backlog:,}", "bold"), "", f"most {most_ever:,}")
    return table


def _sparks(seen: list[Progress], width: int) -> Iterator[Text]:
    room = max(10, width - LABEL - 24)
    answered = [float(each.row.answered) for each in seen]
    p99 = [each.row.p99_us for each in seen]
    target = _target(seen[-1])
    scale = rate(max(answered[-room:]))
    yield _spark("answered/s", answered, room, f"0 – {scale}, due {target}", "green")
    yield _spark("p99", p99, room, f"0 – {_known(max(p99[-room:]))}", "magenta")


def _spark(name: str, values: list[float], room: int, scale: str, style: str) -> Text:
    line = Text(f"{name:<{LABEL}} ", no_wrap=True, overflow="ellipsis")
    line.append(f"{sparkline(values, room):<{min(room, len(values))}}", style)
    return line.append(f"  {scale}", QUIET)


def _codes(now: Progress) -> Iterator[Text]:
    """Refusals by code and end states, where they are known; what does not fit is counted."""
    for name, found in (("refusals", now.refusals), ("ends", now.ends)):
        if not found:
            continue
        told = [f"{code} {count:,}" for code, count in most(found) if count]
        more = f", {len(told) - CODES_SHOWN} more" if len(told) > CODES_SHOWN else ""
        words = f"{name:<{LABEL}} {', '.join(told[:CODES_SHOWN])}{more}"
        yield Text(words, no_wrap=True, overflow="ellipsis")


def paint(lines: Iterator[bytes], console: Console) -> None:
    """Draw what the lines tell until they end: first a ``Head``, then each ``Told``."""
    head = msgspec.json.decode(next(lines), type=Head)
    seen: deque[Progress] = deque(maxlen=HISTORY)
    steps: list[Step] = []

    def now() -> RenderableType:
        return picture(head, list(seen), console.width - len("^C "), steps)  # echoed behind it

    with Live(now(), console=console, auto_refresh=False, transient=True) as live:
        for line in lines:
            told = msgspec.json.decode(line, type=Told)
            seen.extend([told.progress] if told.progress else [])
            steps.extend([told.step] if told.step else [])
            live.update(now(), refresh=True)


def main(stdin: Any) -> None:
    """Draw until the end of the input; Ctrl-C is for the run, which then closes it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(StopIteration):
        paint(iter(stdin), Console(stderr=True))  # as what is told without a terminal


if __name__ == "__main__":
    main(sys.stdin.buffer)
