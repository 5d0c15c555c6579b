"""The command line around a venue: accounts opened while it runs, the doctor, plain refusals."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from engine.records import Kind, commands
from gateway.client import Client, OfficeClient, RefusedError
from gateway.front import open_account, open_office
from gateway.journal.journal import Journal
from gateway.keys import Key, Keys
from tanshi import app
from tests.e2e.live_venue import LiveVenue, live_venue

pytestmark = pytest.mark.anyio
RUN = CliRunner()


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def funded(trader: Client) -> bool:
    """Whether the registry's word about the account has reached the exchange."""
    try:
        row = await trader.get("/api/account")
    except RefusedError:
        return False  # the exchange does not know the account yet
    return any(held["available_tonnes"] for held in row["holdings"])


async def sell_one(venue: LiveVenue, key: Key) -> int:
    """Log in with a key and list one tonne; tries again until the registry's word has arrived."""
    async with asyncio.timeout(10), Client(venue.url, key.key_id, key.secret) as trader:
        while not await funded(trader):  # noqa: ASYNC110 - another process acts
            await asyncio.sleep(0.05)
        order = await trader.list("CEA25", "sell", price="74.63", qty=1)
    return order.order_no


async def test_an_account_opened_while_the_venue_runs_can_trade(tmp_path: Path) -> None:
    async with live_venue(tmp_path) as venue:
        key = await asyncio.to_thread(
            open_account, tmp_path, None, "Late Power", "1000.50", ["CEA25=12"]
        )
        assert key.account == len(venue.keys)
        assert await sell_one(venue, key) == 1
        state = venue.running.venue.exchange.state
        assert state.accounts[key.account]["cash_available_fen"] == 100_050
        assert (
            state.holdings[key.account, -1 + int(state.market[0]["instruments"])]["frozen_tonnes"]
            == 1
        )


async def test_the_doctor_reads_a_running_venue(tmp_path: Path) -> None:
    figures = tmp_path / "doctor.json"
    async with live_venue(tmp_path / "venue") as venue:
        await sell_one(venue, venue.keys[0])
        await venue.settled()
        arguments = ["doctor", "--data", str(tmp_path / "venue"), "--json", str(figures)]
        result = await asyncio.to_thread(RUN.invoke, app, arguments)
        digest = venue.running.venue.exchange.digest()
    assert result.exit_code == 0, result.output
    report = json.loads(figures.read_text())
    assert report["conserved"] is True
    assert report["digest"] == digest
    assert report["instruments"]["CEA25"]["frozen_tonnes"] == 1


async def test_the_doctor_sees_damage(tmp_path: Path) -> None:
    async with live_venue(tmp_path) as venue:
        await sell_one(venue, venue.keys[0])
    (segment,) = (tmp_path / "journal").glob("*.seg")
    data = bytearray(segment.read_bytes())
    data[400] ^= 1
    segment.write_bytes(data)
    result = RUN.invoke(app, ["doctor", "--data", str(tmp_path)])
    assert result.exit_code == 2
    assert "byte" in result.output


def refused(arguments: list[str], sentence: str) -> None:
    """Run a command that cannot be done: exit code 2 and a sentence, which may be wrapped."""
    result = RUN.invoke(app, arguments)
    said = " ".join(result.output.replace("│", " ").split())
    assert result.exit_code == 2, said
    assert sentence in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["account", "A", "--cash", "1.005"], "is no amount of yuan"),
        (["account", "A", "--cash", "many"], "is no amount of yuan"),
        (["account", "A", "--holding", "CEA25"], "is no holding"),
        (["account", "A", "--holding", "CEA25=0"], "is no holding"),
        (["account", "A", "--market", "xx"], "'xx' is not one of 'cea', 'ccer'"),
        (["office", "trader", "A"], "roles are some of"),
        (["office", "supervisor", "A", "--market", "xx"], "'xx' is not one of 'cea', 'ccer'"),
        (["doctor"], "holds no journal"),
        (["serve", "--market", "xx"], "'xx' is not one of 'cea', 'ccer'"),
        (["serve", "--demo", "--market", "ccer"], "trades on the market cea only"),
    ],
)
def test_plain_refusals(tmp_path: Path, arguments: list[str], sentence: str) -> None:
    refused([*arguments, "--data", str(tmp_path / "nowhere")], sentence)
    keys = tmp_path / "nowhere" / "keys.json"
    assert not keys.exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["account", "A", "--holding", "CEA-25=3"], "no code of a vintage. [vintage_invalid]"),
        (["account", "A", "--cash", "1" + "0" * 30], "[amount_invalid]"),
        (["account", "there"], "has an account already. [account_exists]"),
        (["account", ""], "[code_invalid]"),
    ],
)
def test_a_refused_account_leaves_nothing_behind(
    tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    """RG-03: account, allowances, money and key are made together or not at all."""
    open_account(tmp_path, None, "there", "5", [])
    refused([*arguments, "--data", str(tmp_path)], sentence)
    assert open_account(tmp_path, None, "A", "5", ["CEA25=3"]).account == 1
    assert len(Keys(tmp_path / "keys.json")) == 2


@pytest.mark.parametrize(
    "command", [["account", "A"], ["office", "supervisor", "A"], ["doctor"], ["serve"]]
)
def test_a_data_directory_that_is_none(tmp_path: Path, command: list[str]) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    refused([*command, "--data", str(file)], "is a file, not a folder")
    assert file.read_text() == "mine"


@pytest.mark.parametrize("content", ["nonsense", "{}", '{"version": 2, "keys": [1]}'])
def test_damaged_keys_stop_an_account_before_it_is_opened(tmp_path: Path, content: str) -> None:
    (tmp_path / "keys.json").write_text(content)
    for command in (["account", "A"], ["office", "supervisor", "A"]):
        refused([*command, "--data", str(tmp_path)], "is no file of keys")
    assert (tmp_path / "keys.json").read_text() == content
    assert not (tmp_path / "registry.db").exists()


def test_keys_of_a_later_build_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text('{"version": 9}')
    refused(["account", "A", "--data", str(tmp_path)], "keys.json has version 9, not 3")


def test_books_that_are_none_are_named(tmp_path: Path) -> None:
    Journal(tmp_path / "journal").close()
    (tmp_path / "registry.db").write_bytes(b"not a database" * 100)
    for command in (["account", "A"], ["office", "supervisor", "A", "--market", "cea"]):
        refused([*command, "--data", str(tmp_path)], "[database_damaged]")
    for command in (["account", "A"], ["doctor"]):
        elsewhere = tmp_path / "elsewhere"
        asked = [*command, "--data", str(elsewhere), "--registry", "nonsense"]
        if command == ["doctor"]:
            journal = Journal(elsewhere / "journal")
            assert list(journal.replay()) == []
            journal.append(one_command().tobytes(), 1)
            journal.close()
        refused(asked, "[database_url]")


def one_command() -> np.ndarray:
    made = commands(1)
    made["seq"], made["kind"] = 1, Kind.OPEN_ACCOUNT
    return made


def test_a_journal_that_another_venue_has_open(tmp_path: Path) -> None:
    """A second venue does not start on it; the doctor, who only reads, does its work."""
    journal = Journal(tmp_path / "journal")
    assert list(journal.replay()) == []
    journal.append(one_command().tobytes(), 1)
    open_account(tmp_path, None, "A", "0", [])
    refused(
        ["serve", "--data", str(tmp_path), "--port", "0"], "another process has this journal open"
    )
    result = RUN.invoke(app, ["doctor", "--data", str(tmp_path)])
    assert result.exit_code == 0, result.output
    journal.close()


def test_an_empty_segment_is_damage_and_not_a_crash(tmp_path: Path) -> None:
    (tmp_path / "journal").mkdir()
    (tmp_path / "journal" / "journal-000001.seg").touch()
    refused(["doctor", "--data", str(tmp_path)], "byte 0: the head of the segment is damaged")


def test_serve_stops_on_a_signal_and_goes_on_where_it_was(tmp_path: Path) -> None:
    """`tanshi serve` in a process of its own, twice: the second start has the first one's seq."""
    command = [sys.executable, "-m", "tanshi", "serve", "--clock", "demo", "--demo", "--port", "0"]
    command += ["--data", str(tmp_path), "--entities", "20", "--speed", "300"]
    seqs = []
    for _ in range(2):
        output = serve_for_a_while(command)
        assert "ws://127.0.0.1:" in output
        assert "Traceback" not in output
        figures = tmp_path / "doctor.json"
        done = RUN.invoke(app, ["doctor", "--data", str(tmp_path), "--json", str(figures)])
        assert done.exit_code == 0, done.output
        seqs.append(json.loads(figures.read_text())["seq"])
    assert seqs[1] > seqs[0] > 0


def serve_for_a_while(command: list[str]) -> str:
    """Start a venue, wait for its first line, let it run, stop it as Ctrl-C does."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    guard = threading.Timer(90, process.kill)
    guard.start()
    try:
        assert process.stdout is not None
        first = process.stdout.readline()
        time.sleep(2)
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
        assert process.wait() == 0, first + rest
    finally:
        guard.cancel()
        process.kill()
        process.wait()
    return first + rest


async def test_a_key_for_an_institution_is_made_while_the_venue_runs(tmp_path: Path) -> None:
    """rules.md 7.5: on the venue's machine only, in one role."""
    async with live_venue(tmp_path) as venue:
        key = open_office(tmp_path, "exchange_operator", "Night shift")
        with pytest.raises(ValueError, match="roles"):
            open_office(tmp_path, "trader", "Nobody")
        with pytest.raises(ValueError, match="no province '99'"):
            open_office(tmp_path, "provincial_authority", "Nowhere", province="99")
        async with OfficeClient(venue.url, key.key_id, key.secret) as operator:
            assert (await operator.halt_market()).instrument == ""
            assert (await operator.resume_market()).instrument == ""
