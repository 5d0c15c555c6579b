"""``tanshi load`` refuses what it cannot do before it begins, and keeps what was measured."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from benchmarks.load import command, drive, knee, own
from benchmarks.load.command import exit_code
from benchmarks.load.keys import Credentials
from benchmarks.load.plan import LoadError, Plan, Stop
from benchmarks.load.record import Progress, Record, Second, read, write
from tanshi import app
from tests.unit.benchmarks.load.samples import (
    FINDING,
    URL,
    a_record,
    interrupted,
    nothing,
    with_knee,
    wrong,
)

ROW = Second(1.0, 100, 100, 99, 0, 1, 800.0, 2_000.0, 4_000.0)


def load(*words: object) -> Result:
    """What ``tanshi load`` says to these words."""
    wide = {"COLUMNS": "200", "TERMINAL_WIDTH": "200"}
    return CliRunner(env=wide).invoke(app, ["load", *map(str, words)])


def said(result: Result) -> str:
    """Everything that was said, in one line."""
    return " ".join((result.output + result.stderr).split())


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    file = tmp_path / "keys.json"
    file.write_text(json.dumps([{"key_id": f"k{n}", "secret": "s"} for n in range(9)]))
    return file


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> list[Plan]:
    """The plans that would be played; each run comes to a record that is made up."""
    plans: list[Plan] = []

    def run(plan: Plan, keys: list[Credentials], watch: Callable[[Progress], None]) -> Record:
        assert keys
        plans.append(plan)
        watch(Progress(1.0, 100.0, ROW, {}))
        return a_record()

    monkeypatch.setattr(drive, "run", run)
    return plans


REFUSED = [
    ([], "expected: an address was expected"),
    ([URL], "the keys to log in with: --keys FILE"),
    ([URL, "--own"], "either an address or --own"),
    (["--own", "--keys", "{keys}"], "--own has keys of its own"),
    (["127.0.0.1:8000", "--keys", "{keys}"], "neither a venue's address, as in ws://127.0.0.1"),
    ([URL, "--keys", "nowhere.json"], "nowhere.json cannot be read: No such file"),
    ([URL, "--keys", "{text}"], "text.json is no JSON"),
    (["--own", "--rate", "0"], "rate is above 0"),
    (["--own", "--rate", "-5"], "0 or more"),
    (["--own", "--rate", "many"], "a valid number"),
    (["--own", "--rate", "nan"], "0 or more"),
    (["--own", "--seconds", "0"], "more than 0 seconds"),
    (["--own", "--warm-up", "-1"], "0 or more"),
    (["--own", "--clients", "0"], "--clients: 1 at least"),
    (["--own", "--rate", "1e7", "--seconds", "600"], "20,000,000 orders at most"),
    (["--own", "--arrival", "uniform"], "'uniform' is not one of"),
    (["--own", "--encoding", "xml"], "'xml' is not one of 'msgpack', 'json'"),
    (["--own", "--arrival", "ramp"], "--arrival ramp and --ramp-to RATE"),
    (["--own", "--ramp-to", "9"], "--arrival ramp and --ramp-to RATE"),
    (["--own", "--burst", "9"], "--burst is of --arrival bursts"),
    (["--own", "--arrival", "recorded"], "--arrival recorded and --day FILE"),
    (["--own", "--find-knee", "--arrival", "ramp", "--ramp-to", "9"], "a steady arrival"),
    (["--own", "--find-knee", "--bound", "10"], "'10' is no time: a number above 0 with us, ms"),
    (["--own", "--mix", "buy=3"], "is no part of a mix: one of list, take,"),
    (["--own", "--stop", "p99 50ms"], "is no stop condition: p99>50ms for 3s"),
    (["--own", "--tonnes", "5..1"], "the least comes first"),
    (["--own", "--reach", "2"], "a share of the band"),
    (["--own", "--seed", "-1"], "greater than or equal to 0"),
    (["--own", "--compare", "nowhere.json"], "nowhere.json cannot be read"),
    (["--own", "--compare", "{keys}"], "keys.json is no record of a load run"),
    (["--own", "--report", "{folder}"], "cannot be written there"),
    (["--own", "--json", "{text}/run.json"], "cannot be written there"),
]


@pytest.mark.parametrize(("words", "told"), REFUSED, ids=[" ".join(w) or "-" for w, _ in REFUSED])
def test_what_cannot_be_done_is_refused_with_what_was_expected(
    tmp_path: Path, keys: Path, played: list[Plan], words: list[str], told: str
) -> None:
    text = tmp_path / "text.json"
    text.write_text("no JSON")
    places = {"{keys}": keys, "{text}": text, "{folder}": tmp_path}
    for name, place in places.items():
        words = [word.replace(name, str(place)) for word in words]
    result = load(*words)
    assert result.exit_code == 2, said(result)
    assert told in said(result)
    assert "Traceback" not in said(result)
    assert not played


def test_every_option_reaches_the_plan(keys: Path, played: list[Plan]) -> None:
    words = f"--keys {keys} --rate 50 --ramp-to 900 --arrival ramp --seconds 4 --warm-up 1.5"
    words += " --clients 7 --encoding json --seed 11 --instrument CEA25 --market ccer --keep"
    words += " --mix list=3,cancel=1 --stop backlog>9 --tonnes 2..4 --reach 0.5 --answer-within 3"
    result = load(URL, *words.split(), "--ca", "x/ca.pem", "--insecure")
    assert result.exit_code == 0, said(result)
    assert played == [
        Plan(
            url=URL,
            arrival="ramp",
            orders_per_second=900.0,
            ramp_from=50.0,
            seconds=4.0,
            warmup_s=1.5,
            clients=7,
            encoding="json",
            mix={"list": 3, "cancel": 1},
            seed=11,
            instrument="CEA25",
            market="ccer",
            qty_min=2,
            qty_max=4,
            reach=0.5,
            stop=Stop(backlog=9),
            answer_within_s=3.0,
            keep=True,
            ca_file="x/ca.pem",
            insecure=True,
        )
    ]


def test_bursts_and_recorded_days_reach_the_plan(keys: Path, played: list[Plan]) -> None:
    assert load(URL, "--keys", keys, "--arrival", "bursts", "--burst", 7).exit_code == 0
    assert load(URL, "--keys", keys, "--arrival", "recorded", "--day", "somewhere").exit_code == 0
    assert (played[0].arrival, played[0].burst_size) == ("bursts", 7)
    assert (played[1].recorded, played[1].orders_per_second) == ("somewhere", 0.0)


def test_the_own_venue_is_asked_for_an_account_per_client(
    monkeypatch: pytest.MonkeyPatch, played: list[Plan]
) -> None:
    opened: list[int] = []

    @contextlib.contextmanager
    def own_venue(accounts: int) -> Iterator[tuple[str, list[Credentials]]]:
        opened.append(accounts)
        yield URL, [Credentials("k", "s")] * accounts

    monkeypatch.setattr(own, "own_venue", own_venue)
    assert load("--own").exit_code == 0
    assert load("--own", "--clients", 3, "--rate", 40).exit_code == 0
    assert opened == [10, 3]
    assert [(plan.url, plan.clients, plan.orders_per_second) for plan in played] == [
        (URL, 10, 1000.0),
        (URL, 3, 40.0),
    ]


def test_progress_and_results_go_apart(keys: Path, played: list[Plan]) -> None:
    result = load(URL, "--keys", keys)
    assert "answered 99/s" in result.stderr
    assert "p99.99" in result.stdout
    assert "answered 99/s" not in result.stdout


KEPT = [
    (a_record, 0, "Nothing wrong was found"),
    (lambda: wrong(a_record()), 3, FINDING),
    (lambda: interrupted(a_record()), 1, "server lost: the line was closed (1006)"),
    (lambda: wrong(interrupted(a_record())), 3, "Found wrong: 2 findings"),
    (nothing, 1, "No order was answered."),
]


@pytest.mark.parametrize(("made", "code", "told"), KEPT)
def test_record_and_page_are_kept_whatever_ended_the_run(
    tmp_path: Path,
    keys: Path,
    monkeypatch: pytest.MonkeyPatch,
    made: Callable[[], Record],
    code: int,
    told: str,
) -> None:
    monkeypatch.setattr(drive, "run", lambda *_: made())
    record, page = tmp_path / "new" / "run.json", tmp_path / "run.html"
    result = load(URL, "--keys", keys, "--json", record, "--report", page)
    assert result.exit_code == code
    assert told in said(result)
    assert read(record) == made()
    assert told in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("ended_by", "code"),
    [("interrupted", 130), ("condition: p99 above 5 ms", 4), ("time", 0), ("orders", 0)],
)
def test_the_exit_code_says_what_ended_the_run(ended_by: str, code: int) -> None:
    record = a_record()
    record.ended_by = ended_by
    assert exit_code(record) == code
    assert exit_code(wrong(record)) == 3


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (LoadError("unreachable", "Nobody listens at 127.0.0.1:8000."), 1),
        (LoadError("login_refused", "The venue refused key k0: wrong signature."), 1),
        (LoadError("market_closed", "The market is closed."), 1),
        (LoadError("too_few_keys", "9 clients need 9 keys."), 2),
        (KeyboardInterrupt(), 130),
    ],
)
def test_a_run_that_cannot_begin_says_why_in_a_sentence(
    tmp_path: Path, keys: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int
) -> None:
    def run(*_: object) -> Record:
        raise error

    monkeypatch.setattr(drive, "run", run)
    result = load(URL, "--keys", keys, "--json", tmp_path / "run.json")
    assert result.exit_code == code
    if isinstance(error, LoadError):
        assert error.sentence in said(result)
    assert "Traceback" not in said(result)
    assert not (tmp_path / "run.json").exists()


def test_a_time_limit_ends_a_run_as_ctrl_c_does(
    keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGTERM comes as SIGINT, which a run answers with its partial record."""
    heard: list[int] = []

    def run(*_: object) -> Record:
        before = signal.signal(signal.SIGINT, lambda number, _: heard.append(number))
        os.kill(os.getpid(), signal.SIGTERM)
        signal.signal(signal.SIGINT, before)
        return a_record()

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(drive, "run", run)
    assert load(URL, "--keys", keys).exit_code == 0
    assert heard == [signal.SIGINT]
    assert signal.getsignal(signal.SIGTERM) == before


def test_the_knee_is_looked_for_within_the_bound(
    keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounds: list[float] = []

    def find(plan: Plan, keys: object, bound_us: float, watch: object, tell: object) -> Record:
        bounds.append(bound_us)
        return with_knee(a_record())

    monkeypatch.setattr(knee, "find", find)
    result = load(URL, "--keys", keys, "--find-knee", "--bound", "2.5ms")
    assert result.exit_code == 0
    assert bounds == [2_500.0]
    assert "The knee: 3,000 orders/s is the highest rate" in said(result)
    assert "step 2,000/s: p99 2.40 ms, passed" in result.stdout
    assert "the highest rate with p99 ≤ 2.5ms, poisson" in result.stderr


def test_an_earlier_record_is_shown_again_without_a_run(tmp_path: Path, played: list[Plan]) -> None:
    write(wrong(a_record(seed=2, slower=1.4)), tmp_path / "new.json")
    write(a_record(), tmp_path / "old.json")
    page = tmp_path / "new.html"
    words = (tmp_path / "new.json", "--report", page, "--compare", tmp_path / "old.json")
    result = load(*words)
    assert result.exit_code == 3
    assert not played
    assert "a second: p50" in result.stdout
    assert 'id="compared"' in page.read_text(encoding="utf-8")
    assert "nothing is run" in said(load(tmp_path / "new.json", "--find-knee"))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"load": 2}, "is a record of version 2; this reads 1"),
        ({"load": 2, "orders": None}, "is a record of version 2; this reads 1"),
        ({"load": "1"}, "is no record of a load run"),
        ({"orders": None}, "is no record of a load run"),
    ],
)
def test_a_record_of_another_kind_is_refused(
    tmp_path: Path, change: dict[str, object], told: str
) -> None:
    file = tmp_path / "run.json"
    write(a_record(), file)
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    result = load(file)
    assert result.exit_code == 2
    assert told in said(result)
    file.write_bytes(b"\xff\x00")
    assert "run.json is no record of a load run" in said(load(file))


def test_help_names_every_exit_code_and_unit() -> None:
    told = said(load("--help"))
    for words in ("3: found wrong", "130: Ctrl-C", "Orders/s", "in seconds", "us, ms or s"):
        assert words in told


def test_defaults_stay_below_the_limits_of_a_venue_as_it_comes() -> None:
    from gateway.limits import Limits

    assert Limits().orders_per_second > command.RATE / command.CLIENTS
