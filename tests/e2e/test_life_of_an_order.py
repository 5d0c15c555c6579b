"""docs/life-of-an-order.md is true: every step exists, and an order takes them in this order."""

from __future__ import annotations

import ast
import asyncio
import datetime as dt
import functools
import importlib
import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from engine import day, exchange
from engine.records import Kind, Phase
from gateway.client import Client, MarketData
from tests.e2e.live_venue import LiveVenue, live_venue

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "life-of-an-order.md"
ROW = re.compile(r"^\| (\d+) \| \[`[^`]+`\]\(\.\./([^)]+)\) `([^`]+)` \|")
HANDLERS = {
    "close_day": Kind.CLOSE_DAY,
    "confirm_day": Kind.CONFIRM_DAY,
    "post_day": Kind.POST_DAY,
}


class Step(NamedTuple):
    """One row of the page."""

    number: int
    file: str
    name: str

    @property
    def module(self) -> str:
        return self.file.removesuffix(".py").replace("/", ".")


def steps() -> list[Step]:
    """The page's steps, in order."""
    found = [ROW.match(line) for line in PAGE.read_text(encoding="utf-8").splitlines()]
    return [Step(int(row[1]), row[2], row[3]) for row in found if row]


def defined(file: Path) -> set[str]:
    """Functions and methods of a file, as the page writes them."""
    names = set()
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            names |= {
                f"{node.name}.{inner.name}"
                for inner in node.body
                if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef)
            }
    return names


def test_the_page_names_what_exists() -> None:
    rows = steps()
    assert [step.number for step in rows] == list(range(1, 21))
    for step in rows:
        assert step.name in defined(ROOT / step.file), (
            f"step {step.number}: {step.file} {step.name}"
        )
    for link in re.findall(r"\]\((\.\./[^)#]+)\)", PAGE.read_text(encoding="utf-8")):
        assert (PAGE.parent / link).exists(), link


def test_the_way_into_the_book_is_short() -> None:
    """A newcomer follows an order into the book through eight files and under 2,000 lines."""
    files = {step.file for step in steps() if step.number <= 8}
    lines = sum(len((ROOT / file).read_text(encoding="utf-8").splitlines()) for file in files)
    assert len(files) <= 8
    assert lines < 2_000


class Watch:
    """Notes which step was entered, once ``armed``; the functions do what they always do."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.armed = False
        self.seen: list[int] = []
        for step in steps():
            self._watch(step, monkeypatch)

    def _watch(self, step: Step, monkeypatch: pytest.MonkeyPatch) -> None:
        owner: Any = importlib.import_module(step.module)
        *classes, name = step.name.split(".")
        for part in classes:
            owner = getattr(owner, part)
        original = getattr(owner, name)
        noted = self._noting(step.number, original)
        monkeypatch.setattr(owner, name, noted)
        if step.module == "engine.kernel":
            monkeypatch.setattr(exchange, name, noted)
        if owner is day and name in HANDLERS:
            monkeypatch.setitem(exchange.COLD_HANDLERS, HANDLERS[name], noted)
        if step.module == "gateway.reports":
            monkeypatch.setattr("gateway.desk.reports", noted)
        if step.module == "engine.deals":
            monkeypatch.setattr("registry.evening.deal_file", noted)

    def _noting(self, number: int, original: Callable[..., Any]) -> Callable[..., Any]:
        if inspect.iscoroutinefunction(original):

            @functools.wraps(original)
            async def noted_async(*args: Any, **kwargs: Any) -> Any:
                self._note(number)
                return await original(*args, **kwargs)

            return noted_async

        @functools.wraps(getattr(original, "py_func", original))
        def noted(*args: Any, **kwargs: Any) -> Any:
            empty = (isinstance(arg, bytes | memoryview) and not len(arg) for arg in args)
            seal = any(empty)  # an idle journal seals itself with an empty batch
            if not seal:
                self._note(number)
            return original(*args, **kwargs)

        return noted

    def _note(self, number: int) -> None:
        if self.armed and number not in self.seen:
            self.seen.append(number)


async def walk(venue: LiveVenue, watch: Watch) -> None:
    """Log in, list once, see it in the public book, let the day end."""
    first, second = venue.keys[:2]
    async with (
        Client(venue.url, second.key_id, second.secret) as other,
        MarketData(venue.url, ["CEA25"]) as market,
    ):
        await other.ping()
        await venue.settled()
        watch.armed = True
        quiet = {"cancel_on_disconnect": False}  # else the login enters a command of its own (P13)
        async with Client(venue.url, first.key_id, first.secret, **quiet) as trader:
            reference = int(venue.running.venue.exchange.state.instruments[1]["reference_ticks"])
            order = await trader.list("CEA25", "sell", price_ticks=reference, qty=100)
            assert order.leaves_qty == 100
            async with asyncio.timeout(5):
                while not market.depth["CEA25"].asks:
                    await anext(aiter(market))
            for hour, minute, phase in DAY:
                venue.clock.leap_to(dt.datetime(2026, 1, 5, hour, minute))
                await venue.phase(phase)


DAY = ((11, 31, Phase.LUNCH), (13, 1, Phase.AFTERNOON), (15, 1, Phase.POSTED))


@pytest.mark.anyio
async def test_an_order_takes_these_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Watch(monkeypatch)
    async with live_venue(tmp_path) as venue:
        await walk(venue, watch)
    every = [step.number for step in steps()]
    assert sorted(watch.seen) == every, "each step must be taken"
    assert watch.seen == every, "and in the page's order"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
