"""Stacks into stages, tables and a flame graph; and the command, once, on a small run."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from benchmarks import profile_gateway
from benchmarks.profile_flame import COLOURS, LEAST, MARGIN, WIDTH, flame_svg, tree
from benchmarks.profile_stacks import (
    JOURNAL,
    LOOP,
    REST,
    ROOT,
    STAGES,
    SYNC,
    FormatError,
    Stacks,
    by_function,
    by_stage,
    read,
    stage_of,
)
from tanshi import app

BEGAN = (
    'thread (7): "MainThread";_run_module_as_main (<frozen runpy>);<module> (benchmarks/x.py);'
    "main (benchmarks/gateway_server.py);run (gateway/serve.py);Runner.run (asyncio/runners.py);"
    "BaseEventLoop._run_once (asyncio/base_events.py);Handle._run (asyncio/events.py)"
)
READ = "_SelectorSocketTransport._read_ready (asyncio/selector_events.py)"
TAKE = "_read.<locals>.take (gateway/connection.py);Session.receive (gateway/protocol.py)"
APPLY = "_watched (gateway/venue.py);Sequencer._apply (gateway/journal/sequencer.py)"
WRITE = "_write (gateway/connection.py)"
THREAD = "thread (9): journal_0;Thread.run (threading.py);_worker (concurrent/futures/thread.py)"
CANNED = f"""\
{BEGAN};{READ};Protocol.parse (/opt/x/lib/python3.11/site-packages/websockets/protocol.py) 30
{BEGAN};{TAKE};Codec.decode (gateway/wire/codec.py) 5
{BEGAN};{TAKE};Columns.take_many (gateway/desk/columns.py);isin (numpy/lib/sets.py) 7
{BEGAN};{APPLY} 2
{BEGAN};{APPLY};Exchange.apply ({ROOT}/engine/exchange.py) 11
{BEGAN};{APPLY};Venue._tell (gateway/venue.py);DayRecord.absorb (gateway/desk/day_record.py) 9
{BEGAN};{APPLY};Venue._tell (gateway/venue.py);Rows.extend (gateway/desk/rows.py) 4
{BEGAN};{APPLY};Venue._tell (gateway/venue.py);Feed.absorb (marketdata/feed.py) 3
{BEGAN};{APPLY};Desk.tell (gateway/desk/desk.py);reports (gateway/desk/reports.py) 4
{BEGAN};{WRITE};Codec.encode_messages (gateway/wire/codec.py) 6
{BEGAN};{WRITE};SocketLine.send (gateway/http_lines.py);Frame.serialize (websockets/frames.py) 8
{BEGAN};EpollSelector.select (selectors.py) 900
{BEGAN} 1
{THREAD} 5000
{THREAD};Journal.append (gateway/journal/journal.py) 1
{THREAD};Journal.append (gateway/journal/journal.py);Disk.sync (gateway/journal/disk.py) 9
"""
EXPECTED = {
    "WebSocket in": 30,
    "bytes to messages": 5,
    "checks and commands": 7,
    "sequencer": 2,
    "journal: write and hash": 1,
    SYNC: 9,
    "engine": 11,
    "the day's record": 13,
    "reports": 4,
    "messages to bytes": 6,
    "WebSocket out": 8,
    "market data": 3,
    REST: 1,
}
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def stacks() -> dict[tuple[str, ...], int]:
    """The canned stacks, read."""
    return read(CANNED.splitlines())[0]


def test_every_sample_is_in_its_stage(stacks: dict[tuple[str, ...], int]) -> None:
    found = by_stage(stacks)
    assert found == EXPECTED
    assert list(found) == list(STAGES)


def test_waiting_threads_are_counted_apart() -> None:
    stacks, waiting = read(CANNED.splitlines())
    assert waiting == 5900
    assert sum(stacks.values()) == 100


def test_stacks_begin_with_their_thread_and_keep_no_plumbing(
    stacks: dict[tuple[str, ...], int],
) -> None:
    assert {stack[0] for stack in stacks} == {LOOP, JOURNAL}
    assert stacks[(LOOP, "Sequencer._apply (gateway/journal/sequencer.py)")] == 2
    assert stacks[(LOOP,)] == 1


def test_no_path_of_the_machine_is_left(stacks: dict[tuple[str, ...], int]) -> None:
    frames = {frame for stack in stacks for frame in stack}
    assert "Protocol.parse (websockets/protocol.py)" in frames
    assert "Exchange.apply (engine/exchange.py)" in frames
    assert not [frame for frame in frames if "(/" in frame]
    elsewhere, _ = read(["f (/somewhere/else/file.py) 1"])
    assert list(elsewhere) == [(LOOP, "f (file.py)")]


def test_functions_by_self_time_and_recursion_counts_once() -> None:
    stacks = {("a", "f (x.py)", "f (x.py)", "g (x.py)"): 3, ("a", "f (x.py)"): 4}
    rows = [tuple(row) for row in by_function(stacks)]
    assert rows == [("f (x.py)", 4, 7), ("g (x.py)", 3, 3), ("a", 0, 7)]


def test_library_frames_belong_to_the_way_they_are_called_on() -> None:
    frame = "Frame.serialize (websockets/frames.py)"
    assert stage_of((LOOP, WRITE, frame)) == "WebSocket out"
    assert stage_of((LOOP, READ, frame)) == "WebSocket in"
    assert stage_of((LOOP, frame)) == REST


@pytest.mark.parametrize("line", ["no count at all", "7", "f (x.py) -3", ""])
def test_what_is_no_stack_is_named(line: str) -> None:
    with pytest.raises(FormatError):
        read([line])


def test_widths_of_the_flame_graph_are_the_shares(stacks: dict[tuple[str, ...], int]) -> None:
    root = ElementTree.fromstring(flame_svg({"panel": stacks}, "An order's <way>"))
    whole = WIDTH - 2 * MARGIN
    widths = {}
    for group in root.iter(f"{SVG}g"):
        words, rect = group.find(f"{SVG}title"), group.find(f"{SVG}rect")
        assert words is not None
        assert words.text is not None
        assert rect is not None
        share = re.search(r": ([0-9.]+)%, (.*)$", words.text)
        assert share is not None
        width = float(rect.attrib["width"]) + 0.4
        assert abs(width / whole * 100 - float(share[1])) < 0.1, words.text
        widths[words.text.split(":")[0]] = (width, rect.attrib["fill"])
    assert widths["Disk.sync (gateway/journal/disk.py)"][1] == COLOURS[STAGES.index(SYNC)]
    assert widths["all"][0] == pytest.approx(whole, abs=0.1)
    assert root.findtext(f"{SVG}title") == "An order's <way>"
    shown = {each.text for each in root.iter(f"{SVG}text")}
    assert {"panel", *STAGES} <= shown


def test_callees_stand_on_their_caller_without_a_gap(stacks: dict[tuple[str, ...], int]) -> None:
    root = tree(stacks)
    assert root.count == 100
    assert root.callees[LOOP].count + root.callees[JOURNAL].count == 100
    apply = root.callees[LOOP].callees["Sequencer._apply (gateway/journal/sequencer.py)"]
    assert apply.count == 33
    assert sum(each.count for each in apply.callees.values()) == 31


def test_narrow_frames_are_left_out_and_an_empty_panel_is_refused() -> None:
    thin: Stacks = {("a", "broad"): 10_000, ("a", "slim"): int(LEAST)}
    svg = flame_svg({"panel": thin}, "title")
    assert "broad" in svg
    assert "slim" not in svg
    with pytest.raises(ValueError, match="no samples of panel"):
        flame_svg({"panel": {}}, "title")


def test_the_command_profiles_a_small_run(tmp_path: Path) -> None:
    out = tmp_path / "there" / "flame.svg"
    found = CliRunner().invoke(app, ["bench", "profile", "--quick", "--out", str(out)])
    assert found.exit_code == 0, found.output
    for stage in STAGES:
        assert found.output.count(stage) >= 2, stage
    assert str(tmp_path) not in found.output
    root = ElementTree.parse(out).getroot()
    names = [words.text or "" for words in root.iter(f"{SVG}title")]
    for expected in ("Session.receive (gateway/protocol.py)", "DayRecord.absorb", "Journal.append"):
        assert [name for name in names if name.startswith(expected)], expected
    assert not [name for name in names if "(/" in name]


def test_without_the_sampler_it_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    found = CliRunner().invoke(app, ["bench", "profile", "--out", str(tmp_path / "f.svg")])
    assert found.exit_code == 1
    assert "pip install 'tanshi[profile]'" in " ".join(found.output.split())
    assert not (tmp_path / "f.svg").exists()


def test_a_process_that_may_not_be_looked_at_is_a_sentence(tmp_path: Path) -> None:
    gone = 2**22 + 1  # above any process number
    with (
        pytest.raises(profile_gateway.ProfileError, match="py-spy could not look"),
        profile_gateway.sampled(gone, tmp_path / "f.txt"),
    ):
        pass
