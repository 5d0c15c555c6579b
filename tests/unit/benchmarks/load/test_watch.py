"""What is shown while a run goes on: plain lines, the picture, and a painter that may die."""

from __future__ import annotations

import dataclasses
import io
import json
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from benchmarks.load import watch
from benchmarks.load.record import Latency, Progress, Second, Step
from benchmarks.load.watch import Told, Watch, head_of, paint, picture, plain_line, sparkline
from tests.unit.benchmarks.load.samples import a_record

RECORD = a_record(seconds=12)
HEAD = head_of(RECORD.plan)
STEPS = (Step(1000, 999.0, 1_800.0, True), Step(2000, 1500.0, 48_000.0, False, "p99"))


def progress(at: int, **more: object) -> Progress:
    """What is reported at the end of a second."""
    rows = RECORD.seconds[:at]
    names = ("intended", "sent", "answered", "refused")
    totals = {name: sum(getattr(row, name) for row in rows) for name in names}
    return Progress(float(at), 1000.0, rows[-1], totals, **more)  # type: ignore[arg-type]


def seen(count: int) -> list[Progress]:
    return [progress(at) for at in range(1, count + 1)]


def drawn(shown: list[Progress], width: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width)
    console.print(picture(HEAD, shown, width))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().rstrip("\n").split("\n")


def test_a_plain_line_has_the_second() -> None:
    row = Second(4.0, 1000, 999, 998, 7, 12, 850.0, 2_400.0, 9_870.0)
    told = plain_line(HEAD, Progress(4.0, 1000.0, row, {}))
    assert told == (
        "   4.0 s of 12 | target 1,000/s | answered 998/s | backlog 12 | p50 850 µs"
        " | p99 2.40 ms | max 9.87 ms | refused 7"
    )
    row.warmup, row.answered, row.p50_us, row.p99_us, row.max_us = True, 0, 0.0, 0.0, 0.0
    told = plain_line(HEAD, Progress(4.0, 1000.0, row, {}))
    assert told.endswith("answered 0/s | backlog 12 | p50 – | p99 – | max – | refused 7 | warm-up")


def test_a_recorded_day_at_its_own_rate_has_what_was_due_as_its_target() -> None:
    plan = dataclasses.replace(RECORD.plan, arrival="recorded", orders_per_second=0.0)
    head = head_of(plan)
    assert head.what.startswith("recorded at its own rate, 10 clients")
    row = Second(4.0, 77, 70, 70, 0, 7, 850.0, 2_400.0, 9_870.0)
    assert "| target 77.0/s |" in plain_line(head, Progress(4.0, 0.0, row, {}))


def test_without_a_terminal_there_is_a_line_a_second(tmp_path: Path) -> None:
    file = tmp_path / "log"
    with file.open("w") as out, Watch(HEAD, Console(file=out), live=False) as shown:
        for each in seen(3):
            shown(each)
            assert file.read_text().count("\n") == each.elapsed_s + 1  # not kept back until the end
    first, *lines = file.read_text().splitlines()
    assert first == f"{RECORD.url}: poisson, 1,000 orders/s, 10 clients, msgpack"
    assert [line.split(" s of")[0].strip() for line in lines] == ["1.0", "2.0", "3.0"]
    assert "\x1b" not in file.read_text()


@pytest.mark.parametrize("width", [76, 80, 120, 200])
def test_the_picture_fits_and_says_the_same_at_any_width(width: int) -> None:
    lines = drawn(seen(9), width)
    assert {len(line) for line in lines} == {min(width, 110)}
    whole = "\n".join(lines)
    for told in ("measuring   9 s of 12 s, 3 s left", "most 40", "501 ms"):
        assert told in whole
    row = RECORD.seconds[8]
    assert re.search(rf"answered +{row.answered:,} +{progress(9).totals['answered']:,}", whole)


def test_warm_up_and_the_last_answers_are_not_called_measuring() -> None:
    assert "warming up, not measured" in "\n".join(drawn(seen(1), 80))
    assert "measuring" in "\n".join(drawn(seen(2), 80))
    assert "waiting for the last answers" in "\n".join(drawn(seen(12), 80))
    assert "connecting and logging in" in "\n".join(drawn([], 80))


def test_totals_refusals_and_ends_are_shown_where_they_are_known() -> None:
    whole = "\n".join(drawn(seen(3), 100))
    assert "refusals" not in whole
    assert "ends" not in whole.replace("Ctrl-C ends", "")
    codes = {"price_limit": 4, "a": 1, "b": 1, "insufficient_cash": 16, "c": 1, "none": 0}
    so_far = Latency(p50=901.0, p99=2_222.0, max=77_000.0)
    now = progress(3, latency_us=so_far, refusals=codes, ends={"filled": 300, "resting": 1_200})
    whole = "\n".join(drawn([now], 100))
    assert "refusals    insufficient_cash 16, price_limit 4, a 1, b 1, 1 more" in whole
    assert "ends        resting 1,200, filled 300" in whole
    assert "2.22 ms" in whole
    assert "77.0 ms" in whole


def test_a_sparkline_is_to_scale() -> None:
    assert sparkline([0.0, 50.0, 100.0], 10) == "▁▅█"
    assert sparkline([9.0, 0.0, 50.0, 100.0], 3) == "▁▅█"
    assert sparkline([0.0, 0.0], 10) == "▁▁"
    assert sparkline([], 10) == ""


def test_the_painter_draws_what_it_is_told() -> None:
    out = io.StringIO()
    seconds = [Told(progress=each) for each in seen(4)]
    steps = [Told(step=each) for each in STEPS]
    lines = [msgspec.json.encode(each) for each in (HEAD, *seconds, *steps)]
    paint(iter(lines), Console(file=out, force_terminal=True, width=80))
    assert "4 s of 12 s, 8 s left" in out.getvalue()
    assert "step 2,000/s: p99 48.0 ms, did not pass: p99 above the bound" in out.getvalue()


def test_steps_of_the_search_are_lines_as_well() -> None:
    out = io.StringIO()
    with Watch(HEAD, Console(file=out), live=False) as shown:
        for each in STEPS:
            shown.step(each)
    assert out.getvalue().splitlines()[1:] == [
        "step 1,000/s: p99 1.80 ms, passed",
        "step 2,000/s: p99 48.0 ms, did not pass: p99 above the bound",
    ]


def test_the_picture_is_drawn_by_a_process_of_its_own(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Results may go to a file meanwhile: it draws where progress is told."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "90")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[4]))
    with Watch(HEAD, Console(file=io.StringIO()), live=True) as shown:
        for each in seen(4):
            shown(each)
        shown.step(STEPS[1])
    drawn_there = capfd.readouterr()
    assert shown._painter is not None
    assert shown._painter.returncode == 0
    assert "4 s of 12 s, 8 s left" in drawn_there.err
    assert "step 2,000/s" in drawn_there.err
    assert drawn_there.out == ""


def test_the_run_goes_on_when_its_painter_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The picture is a process of its own; a broken pipe is no end of a measurement."""
    monkeypatch.setattr(watch.sys, "executable", "/bin/false")
    with Watch(HEAD, Console(file=io.StringIO()), live=True) as shown:
        assert shown._painter is not None
        shown._painter.wait(10)
        for each in seen(3):
            shown(each)
    assert shown._painter.returncode == 1


def test_ctrl_c_is_for_the_run_and_not_for_its_painter(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.getsignal(signal.SIGINT)
    asked: list[object] = []

    def lines() -> Iterator[bytes]:
        asked.append(signal.getsignal(signal.SIGINT))
        yield msgspec.json.encode(HEAD)

    try:
        watch.main(lines())
    finally:
        signal.signal(signal.SIGINT, before)
    assert asked == [signal.SIG_IGN]


def test_what_goes_to_the_painter_is_one_line_each() -> None:
    for each in (HEAD, *(Told(progress=each) for each in seen(2))):
        line = msgspec.json.encode(each)
        assert b"\n" not in line
        json.loads(line)
