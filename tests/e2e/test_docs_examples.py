"""Every example of the docs is run against a venue: programs, shell commands, dialogues."""

from __future__ import annotations

import datetime as dt
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import typer

from engine.records import Phase
from gateway.demo import references
from gateway.limits import Limits
from tanshi import app
from tests.e2e.documents import Block, Terminal, blocks, run, run_python, run_shell
from tests.e2e.live_venue import LiveVenue, live_venue
from tests.e2e.node import installed, needed

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/protocol.md").read_text(encoding="utf-8")
SHOWN = [*blocks(PAGE)]
OTHERS = [ROOT / "README.md", *sorted((ROOT / "docs/how-to").glob("*.md"))]
PROGRAMS = [
    pytest.param(block, id=f"{file.name}:{block.line}")
    for file in OTHERS
    for block in blocks(file.read_text(encoding="utf-8"))
    if block.info == "python"
]
FIRST_DAY = {  # what the guide to official days reads: its own first row
    "date": "2021-07-16",
    "open_cny_t": "48.00",
    "high_cny_t": "51.23",
    "low_cny_t": "48.00",
    "close_cny_t": "51.23",
    "price_basis": "listed",
    "listed_volume_t": "4103953",
    "listed_turnover_cny": "210230053.25",
}
pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def packages() -> Iterator[Path]:
    with installed(ROOT / "docs/examples/javascript") as home:
        yield home


def of(info: str) -> list[Block]:
    """Blocks of the page by the word behind the fence."""
    found = [block for block in SHOWN if block.info == info]
    assert found, f"the page has no block of {info}"
    return found


def a_venue(folder: Path):
    """A venue as ``tanshi serve --limit login_within_ms=60000`` begins, with three accounts."""
    limits = Limits(login_within_ms=60_000)
    return live_venue(folder, limits=limits, references=references())


def sign() -> str:
    """Return the page's shell function that makes a login."""
    (function,) = [block.text for block in of("sh") if block.text.startswith("login() {")]
    return function


def dialogues(info: str) -> list[Block]:
    return [b for b in of(info) if b.text.startswith(("$ wscat", "> "))]


async def test_the_dialogues_go_as_shown(tmp_path: Path) -> None:
    """One venue, one day: numbers and orders go on from block to block."""
    needed("openssl")
    shown = dialogues("console")
    assert len(shown) == 7
    async with a_venue(tmp_path / "venue") as venue:
        terminal = Terminal(venue, sign(), tmp_path)
        for block in shown:
            await terminal.play(block)


async def test_the_dialogue_of_the_afternoon_goes_as_shown(tmp_path: Path) -> None:
    needed("openssl")
    (block,) = dialogues("console afternoon")
    async with a_venue(tmp_path / "venue") as venue:
        venue.clock.leap_to(dt.datetime(2026, 1, 5, 13, 30))
        await venue.phase(Phase.AFTERNOON)
        await Terminal(venue, sign(), tmp_path).play(block)


WRONG = [
    ('"qty_tonnes":100,"leaves_qty":100,', '"qty_tonnes":100,"leaves_qty":90,'),
    ('"order_no":1,"instrument"', '"instrument"'),
    ('"price":"9.80"', '"price":"98.00"'),
    ('"frozen_fen":0}', '"frozen_fen":"0"}'),
]


@pytest.mark.parametrize(("shown", "harmed"), WRONG)
async def test_a_dialogue_that_is_wrong_is_seen(tmp_path: Path, shown: str, harmed: str) -> None:
    needed("openssl")
    first = dialogues("console")[0]
    assert shown in first.text
    wrong = first._replace(text=first.text.replace(shown, harmed, 1))
    async with a_venue(tmp_path / "venue") as venue:
        with pytest.raises(AssertionError, match=r"line \d+ of the page"):
            await Terminal(venue, sign(), tmp_path).play(wrong)


async def test_the_python_program_of_the_page(tmp_path: Path) -> None:
    (program,) = of("python")
    assert not re.search(r"^(from|import) (gateway|engine|tanshi)", program.text, re.MULTILINE)
    async with a_venue(tmp_path / "venue") as venue:
        said = await run_python(program.text, venue, tmp_path)
        assert re.fullmatch(r"best sellers: \[\]\nlisted as 1\ncancelled 10 t\nGood bye\.\n", said)
        again = await run_python(program.text, venue, tmp_path)
        assert "listed as 2\n" in again
        assert open_orders(venue) == 0
        wrong = program.text.replace("sha256", "sha1")
        assert "no: bad_credentials" in await run_python(wrong, venue, tmp_path)


async def test_the_javascript_program_of_the_page(tmp_path: Path, packages: Path) -> None:
    (program,) = of("js")
    file = packages / "of_the_page.mjs"
    file.write_text(program.text)
    async with a_venue(tmp_path) as venue:
        said = await run(["node", file.name], venue, packages)
        assert said == "listed as 1\nCancelled by its owner.\n"
        assert open_orders(venue) == 0


def open_orders(venue: LiveVenue) -> int:
    return int(venue.running.venue.exchange.state.accounts[0]["open_orders"])


async def test_the_request_of_the_page(tmp_path: Path) -> None:
    needed("curl", "openssl")
    (request,) = [block for block in of("sh") if "curl" in block.text]
    async with a_venue(tmp_path / "venue") as venue:
        answer = json.loads(await run_shell(request.text, venue, tmp_path))
        assert answer == {"date": 20260105, "orders": [], "more": False}
        wrong = request.text.replace(":GET:", ":PUT:")
        assert json.loads(await run_shell(wrong, venue, tmp_path))["code"] == "bad_credentials"


async def test_every_page_of_rest_stands_in_the_page(tmp_path: Path) -> None:
    async with a_venue(tmp_path / "venue") as venue, httpx.AsyncClient() as client:
        described = (await client.get(venue.url + "/openapi.json")).json()["paths"]
    shown = {each for line in PAGE.splitlines() for each in re.findall(r"[` ](/[^` ]+)`", line)}
    assert {*described} <= shown
    for path, methods in described.items():
        assert "post" not in methods or f"`POST {path}`" in PAGE


async def test_the_commands_print_what_is_shown(tmp_path: Path) -> None:
    needed("openssl")
    shown = [block for block in of("console") if block.text.startswith("$ printf")]
    assert len(shown) == 2
    for block in shown:
        command, *expected = block.text.splitlines()
        printed = await run_shell(command.removeprefix("$ "), None, tmp_path)
        assert printed.splitlines() == expected


def test_the_command_line_takes_what_is_shown() -> None:
    commands = [line for b in of("") for line in b.text.splitlines() if line.startswith("tanshi ")]
    assert len(commands) == 2
    group = typer.main.get_command(app)
    for line in commands:
        _, name, *arguments = shlex.split(line)
        command = group.commands[name]
        parsed = command.make_context(name, arguments)
        assert parsed.params


@pytest.mark.parametrize("program", PROGRAMS)
async def test_programs_of_other_pages(tmp_path: Path, program: Block) -> None:
    """README and guides: address, key and secret as they stand there are put in their place."""
    rows = (",".join(part) for part in (FIRST_DAY.keys(), FIRST_DAY.values()))
    (tmp_path / "daily.csv").write_text("\n".join(rows) + "\n")
    async with a_venue(tmp_path / "venue") as venue:
        key = venue.keys[0]
        text = program.text.replace("ws://127.0.0.1:8000", venue.url.replace("http", "ws"))
        text = text.replace('"trader1"', repr(key.key_id)).replace('"<secret>"', repr(key.secret))
        await run_python(text, venue, tmp_path)


def test_every_block_of_the_page_is_run() -> None:
    """A block of another kind would be shown and not tested."""
    known = {"sh", "python", "js", "console", "console afternoon", ""}
    assert {block.info for block in SHOWN} == known
    plain = [line for b in of("") for line in b.text.splitlines()]
    assert all(line.startswith(("tanshi ", "export URL=")) for line in plain)
    assert len(dialogues("console")) + 2 == len(of("console"))
