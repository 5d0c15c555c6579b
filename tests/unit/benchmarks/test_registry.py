"""The registry's benchmark counts no time of a run that lost a tonne; its books are as stated."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import inspect
from typer.testing import CliRunner

from benchmarks import registry as bench
from benchmarks import registry_reference, registry_stores
from benchmarks.postgres_server import binaries
from benchmarks.registry import Clock, Prepared, prepare, run
from benchmarks.registry_reference import Reference
from benchmarks.registry_stores import SqliteStore
from benchmarks.registry_world import CALENDAR, QUICK, VINTAGES, Fleet, Market, plan_of
from registry import ledger, settlement
from registry.institution import Registry
from tanshi import app

KEYS = {"settle_10k_deals_s", "allocate_4k_s", "surrender_4k_s"}


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return prepare(SqliteStore(tmp_path_factory.mktemp("books")), QUICK, lambda _: None)


def quick(tmp_path: Path, *options: str) -> tuple[Any, dict[str, Any]]:
    file = tmp_path / "figures" / "registry.json"
    result = CliRunner().invoke(
        app, ["bench", "registry", "--quick", "--json", str(file), *options]
    )
    return result, json.loads(file.read_text()) if file.exists() else {}


def test_the_command_writes_the_promised_keys(tmp_path: Path) -> None:
    server = os.environ.get("TANSHI_PG_URL")
    result, figures = quick(tmp_path, *(["--postgresql", server] if server else []))
    assert result.exit_code == 0, result.output
    databases = ["sqlite", "postgresql"] if server or binaries() else ["sqlite"]
    promised = KEYS | ({f"pg_{key}" for key in KEYS} if len(databases) == 2 else set())
    assert figures.keys() >= promised
    assert all(figures[key] > 0 for key in promised)
    for database in databases:
        of = figures["detail"][database]
        assert of["audited_runs"] == 2
        assert of["rows"]["entities"] == QUICK.entities
        assert of["rows"] == figures["detail"]["sqlite"]["rows"], "the same books in both"


def test_without_a_server_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry_stores, "binaries", lambda: None)
    result, figures = quick(tmp_path)
    assert result.exit_code == 0, result.output
    assert figures["postgresql"].startswith("not measured")
    assert not any(key.startswith("pg_") for key in figures)
    assert figures.keys() >= KEYS


def test_the_books_are_what_they_are_said_to_be(books: Prepared) -> None:
    assert len(books.entries_by_year) == len(CALENDAR) == 10
    deals = QUICK.evenings_a_year * QUICK.deals
    assert set(books.entries_by_year.values()) == {6 * deals}, "six lines a deal, every year"
    assert books.rows["deals"] == 10 * deals
    assert books.rows["certificates"] == 5 * QUICK.entities
    with Registry.open(books.store.url) as registry:
        assert len(registry.monitoring.provinces()) == 32
        for vintage in VINTAGES:
            held = registry.holdings(vintage)
            assert len(held) == QUICK.entities
            assert all(one.registry_available and one.trading_available for one in held.values())


def test_the_last_surrender_takes_old_and_new_vintages(books: Prepared) -> None:
    clock = Clock()
    with books.store.copied() as url, Registry.open(url) as registry:
        bench._allocate(registry, books, clock)
        bench._surrender(registry, books, clock, by_applications=False)
        done = registry.compliance.applications(year=2024)
    assert {one.vintage for one in done} == set(VINTAGES)
    assert len(done) > 4 * QUICK.entities


@pytest.mark.parametrize("by_applications", [False, True])
def test_a_run_has_every_step_once(books: Prepared, by_applications: bool) -> None:
    clock = run(books, by_applications)
    assert all(len(times) == 1 for times in clock.wall.values())
    ways = {"apply", "approve"} if by_applications else {"surrender"}
    assert set(clock.wall) == set(bench.STEPS) - ({"surrender", "apply", "approve"} - ways)
    assert clock.sums("settle", clock.wall) == [clock.wall["clear"][0] + clock.wall["post"][0]]


@pytest.mark.parametrize("broken", ["allocation", "surrender", "settlement"])
def test_no_time_counts_where_tonnes_are_lost(
    books: Prepared, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    book = ledger.book

    def short(
        tx: Any, kind: str, note: str, moves: Any, at_ns: int | None, corrects: int | None = None
    ) -> int:
        return book(tx, kind, note, moves[:-1] if kind == broken else moves, at_ns, corrects)

    monkeypatch.setattr(ledger, "book", short)
    if broken == "settlement":
        monkeypatch.setattr(settlement, "_move", lambda *_: None)
    with pytest.raises(AssertionError):
        run(books, by_applications=False)


def test_a_problem_ends_the_command_without_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(*_: Any) -> None:
        raise AssertionError("a tonne is missing")

    monkeypatch.setattr(bench, "_settle", wrong)
    result, figures = quick(tmp_path)
    assert result.exit_code == 1
    assert "no figure counts: a tonne is missing" in result.output
    assert not figures


def test_a_seed_makes_one_fleet_and_one_market() -> None:
    first, again, other = Fleet(20), Fleet(20), Fleet(20, seed=1)
    assert first.units(2024) == again.units(2024) != other.units(2024)
    markets = [Market(20), Market(20)]
    files = [market.evening(20250115, 30) for market in markets]
    assert files[0].sha256() == files[1].sha256()
    deals = files[0].deals
    assert np.array_equal(deals["value_fen"], deals["price_ticks"] * deals["qty_tonnes"])
    assert (deals["buyer"] != deals["seller"]).all()


def test_every_year_has_a_power_plan() -> None:
    assert [plan_of(year)[:5] for year in range(2019, 2025)] == ["power"] * 6


def test_the_yardstick_writes_as_many_rows_as_the_evening_and_leaves_nothing(
    books: Prepared,
) -> None:
    clock = run(books, by_applications=False)
    plain = clock.plain
    assert set(plain.wall) == {"settle", "settle_with_fees"}
    assert all(len(times) == 1 and times[0] > 0 for times in plain.wall.values())
    entries = 2 * QUICK.measured_deals
    statements = plain.rows["settle"] - entries - QUICK.measured_deals
    assert statements > 0, "entries, deals and more"
    fees = plain.rows["settle_with_fees"] - plain.rows["settle"]
    assert abs(fees - 4 * QUICK.measured_deals) < QUICK.measured_deals, (
        "six entries a deal, not two"
    )


def test_the_yardstick_leaves_the_books_as_they_are(books: Prepared) -> None:
    reference = Reference()
    with books.store.copied() as url, Registry.open(url) as registry:
        before = registry_reference._counts(registry)
        reference.add("again", registry, {"entries": 50, "deals": 7})
        assert registry_reference._counts(registry) == before
        assert not registry.violations()
        with registry.database.read() as tx:
            left = [name for name in inspect(tx).get_table_names() if name.startswith("plain_")]
        with pytest.raises(AssertionError, match="rows of deals"):
            reference.add("more", registry, {"deals": before["deals"] + 1})
    assert not left
    assert reference.rows == {"again": 57}
