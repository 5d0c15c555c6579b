"""How long do the registry's mass runs take on large books, in SQLite and in PostgreSQL?

The books (benchmarks/registry_world.py) are prepared once for each database. A run works on a copy:
the final allocation of everybody, the notices, the year-end surrender (one run by the registry, the
next one by everybody's applications and the provinces' approvals), an evening of 10,000 deals,
the monitoring of a year (benchmarks/registry_monitoring.py). No time counts before the books of its
run were audited and every tonne was found where it should be.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psycopg
from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select

from benchmarks import registry_monitoring
from benchmarks import registry_world as world
from benchmarks.machine import machine, peak_rss_mib, quiet_core, ratio, spread
from benchmarks.registry_reference import Reference
from benchmarks.registry_stores import SqliteStore, Store, postgres
from benchmarks.registry_world import FULL, QUICK, VINTAGES, YEAR, Fleet, Say, Size
from engine.deals import DealFile
from registry.errors import RegistryError
from registry.institution import Registry
from registry.tables import metadata

__all__ = ["FULL", "PROBLEMS", "QUICK", "measure", "show"]
PROBLEMS = (AssertionError, RegistryError, RuntimeError, psycopg.Error)
COUNTED = (
    *("accounts", "entities", "buckets", "transactions", "entries", "deals", "days"),
    *("statements", "statement_holdings", "verified", "allocations", "obligations"),
    *("applications", "certificates", "notices"),
)
STEPS = {  # what is timed, in words
    "compute": "compute the allocation from units",
    "propose": "hand over, recompute, ask for the issue",
    "issue": "approve and post the issue",
    "notify": "notices of obligation",
    "surrender": "surrender by the registry",
    "apply": "applications of everybody",
    "approve": "approval of them all",
    "clear": "clear the deal file",
    "post": "post it with statements",
    "clear_fees": "clear the one with fees",
    "post_fees": "post it with statements",
    "deposit": "a month's deposits of every unit",
    "report": "annual reports of everybody",
    "verify": "verification of them all",
    "feed_back": "figures told to everybody",
}
RUNS = {  # of which steps a figure is the sum
    "allocate": ("compute", "propose", "issue"),
    "surrender": ("surrender",),
    "apply_and_approve": ("apply", "approve"),
    "settle": ("clear", "post"),
    "settle_with_fees": ("clear_fees", "post_fees"),
    "monitor": ("deposit", "report", "verify", "feed_back"),
}
KEYS = {"allocate": "allocate_4k_s", "surrender": "surrender_4k_s", "settle": "settle_10k_deals_s"}
LIMITS_S = {"allocate": 10, "surrender": 10, "apply_and_approve": 10}
LIMITS_S |= {"settle": 2, "settle_with_fees": 2}


@dataclass
class Clock:
    """Wall seconds of every step, and processor seconds of this process and the server."""

    server_cpu: Callable[[], float] = field(default=lambda: 0.0)
    wall: dict[str, list[float]] = field(default_factory=dict)
    cpu: dict[str, list[float]] = field(default_factory=dict)
    plain: Reference = field(default_factory=Reference)
    core: int | None = None

    def time(self, step: str, work: Callable[[], Any]) -> Any:
        """Do a step and note how long it took."""
        cpu = time.process_time() + self.server_cpu()
        began = time.perf_counter()
        done = work()
        self.wall.setdefault(step, []).append(time.perf_counter() - began)
        self.cpu.setdefault(step, []).append(time.process_time() + self.server_cpu() - cpu)
        return done

    def add(self, other: Clock) -> None:
        """Take the times of another clock in."""
        for mine, theirs in ((self.wall, other.wall), (self.cpu, other.cpu)):
            for step, times in theirs.items():
                mine.setdefault(step, []).extend(times)
        self.plain.join(other.plain)
        self.core = other.core

    def sums(self, run: str, times: dict[str, list[float]]) -> list[float]:
        """Return the seconds of a run: those of its steps added up, run by run."""
        parts = [times.get(step, []) for step in RUNS[run]]
        return [sum(of_run) for of_run in zip(*parts, strict=True)]


@dataclass
class Prepared:
    """The books of one database, ready to be copied, and the deal file of the evening to come."""

    store: Store
    fleet: Fleet
    files: tuple[DealFile, DealFile]
    rows: dict[str, int]
    entries_by_year: dict[str, int]
    size_bytes: int
    seconds: float


def prepare(store: Store, size: Size, say: Say) -> Prepared:
    """Fill the store's books, audit and count them."""
    began = time.perf_counter()
    with Registry.open(store.url) as registry:
        files = world.prepare(registry, size, say)
        found = registry.violations()
        assert not found, found[:3]
        rows, by_year = _rows(registry)
    size_bytes, took = store.ready(), time.perf_counter() - began
    say(f"  {rows['entries']:,} entries, {size_bytes / 2**20:,.0f} MiB, after {took:.0f} s")
    return Prepared(store, Fleet(size.entities), files, rows, by_year, size_bytes, took)


def _rows(registry: Registry) -> tuple[dict[str, int], dict[str, int]]:
    """Return the rows of the tables that matter, and the settlements' entries by year."""
    entries, heads = metadata.tables["entries"], metadata.tables["transactions"]
    with registry.database.read() as tx:
        rows = {
            name: int(
                tx.execute(select(func.count()).select_from(metadata.tables[name])).scalar_one()
            )
            for name in COUNTED
        }
        dated = tx.execute(
            select(heads.c.date / 10_000, func.count())
            .join(entries, entries.c.txn == heads.c.id)
            .where(heads.c.date.is_not(None))
            .group_by(heads.c.date)
        ).all()
    by_year: dict[str, int] = {}
    for year, count in dated:
        by_year[str(int(year))] = by_year.get(str(int(year)), 0) + int(count)
    return rows, by_year


def run(books: Prepared, by_applications: bool) -> Clock:
    """Do everything once on a copy of the books; return the times if all of it was right."""
    clock = Clock(books.store.cpu_seconds)
    with books.store.copied() as url, Registry.open(url) as registry:
        with quiet_core() as core:
            clock.core = core
            _allocate(registry, books, clock)
            _surrender(registry, books, clock, by_applications)
            plain = zip(books.files, (("settle", ""), ("settle_with_fees", "_fees")), strict=True)
            for file, (name, ending) in plain:
                with clock.plain.of(name, registry):
                    _settle(registry, books, file, clock, ending)
            registry_monitoring.measure(registry, books.fleet, clock)
        found = registry.violations()
        assert not found, found[:3]
    return clock


def _allocate(registry: Registry, books: Prepared, clock: Clock) -> None:
    """Time the final allocation, computed, recomputed and posted; no tonne is lost."""
    people = len(books.fleet.codes)
    rows, cells = clock.time("compute", lambda: world.compute(books.fleet, YEAR, "final"))
    asked = clock.time("propose", lambda: world.propose(registry, YEAR, "final", rows, cells))
    clock.time("issue", lambda: world.approve(registry, asked, YEAR, "final"))
    done = registry.compliance.allocations(year=YEAR)
    given: dict[str, int] = {}
    for one in done:
        given[one.entity] = given.get(one.entity, 0) + one.issued_tonnes
    assert given == {row.entity: row.tonnes for row in rows}, "not everybody has what is approved"
    held = registry.holdings(VINTAGES[-1])
    # the traded tonnes of this vintage came in at the beginning, beside the allocation
    total = sum(one.position for one in held.values()) - people * world.TRADED_TONNES
    assert total == sum(given.values()), f"{total:,} t are there, {sum(given.values()):,} issued"


def _surrender(registry: Registry, books: Prepared, clock: Clock, by_applications: bool) -> None:
    """Time the notices and the surrender of everybody; all obligations are fulfilled then."""
    compliance, people = registry.compliance, len(books.fleet.codes)
    told = clock.time("notify", lambda: compliance.notify(YEAR, world.at(YEAR + 1, 10, 20)))
    assert len(told.notified) == people, told
    at_ns = world.at(YEAR + 1, 12, 15)
    if by_applications:
        wanted = world.wanted(registry, books.fleet)
        clock.time("apply", lambda: compliance.apply_many(wanted, world.ENTITY, at_ns))
        done = clock.time(
            "approve", lambda: compliance.approve_many(world.PROVINCE, at_ns, year=YEAR)
        )
        assert done == len(wanted), f"{done} of {len(wanted)} applications were approved"
    else:
        clock.time(
            "surrender",
            lambda: compliance.surrender_all(YEAR, world.ENTITY, world.PROVINCE, at_ns),
        )
    standings = compliance.standings(YEAR)
    assert len(standings) == people
    late = [one.entity for one in standings if not (one.is_fulfilled and one.is_met_in_time)]
    assert not late, f"{len(late)} are not fulfilled"
    gone = sum(one.surrendered_tonnes for one in standings)
    due = sum(tonnes for _, _, tonnes in books.fleet.emissions(YEAR))
    assert gone == due == sum(a.tonnes for a in compliance.applications(year=YEAR)), (gone, due)
    assert len(compliance.certificates(year=YEAR)) == people


def _settle(registry: Registry, books: Prepared, file: DealFile, clock: Clock, ending: str) -> None:
    """Time the evening; what the registry has then is what the exchange's file states."""
    cleared = clock.time(f"clear{ending}", lambda: registry.clear(file))
    assert cleared.sound, cleared.report[:3]
    posted = clock.time(f"post{ending}", lambda: registry.post(file.date, file.tag))
    assert (posted.status, posted.deals) == ("posted", len(file.deals))
    stated = {
        (int(p["account"]), int(p["instrument"])): int(p["qty_tonnes"]) for p in file.positions
    }
    own = {
        (account, row): held.trading_available
        for row, vintage in enumerate(VINTAGES)
        for account, held in registry.holdings(vintage).items()
        if held.trading_available
    }
    assert own == stated, "the trading side is not what the file states"
    told = registry.export_statements(file.date)
    names = books.fleet.codes
    money = {names[int(row["account"])]: int(row["cash_fen"]) for row in file.cash}
    assert {line["customer_no"]: line["available_funds"] for line in told} == money
    paid = sum(line["buy_amount"] for line in told)
    assert paid == int(file.deals["value_fen"].sum()), "the statements are not the day's deals"


def _measure(store: Store, size: Size, say: Say) -> dict[str, Any]:
    """Prepare one database's books, do all runs, return its figures."""
    say(f"{store.name}: preparing the books …")
    books, clock = prepare(store, size, say), Clock()
    for number in range(2 * size.runs):  # both ways of surrender in turn
        done = run(books, by_applications=number % 2 == 1)
        clock.add(done)
        times = ", ".join(f"{step} {seconds:.2f} s" for step, (seconds,) in done.wall.items())
        say(f"  run {number + 1}/{2 * size.runs}: {times}")
    return {
        "rows": books.rows,
        "settlement_entries_by_year": books.entries_by_year,
        "size_bytes": books.size_bytes,
        "settings": store.settings,
        "prepared_s": books.seconds,
        "runs": {name: spread(clock.sums(name, clock.wall)) for name in RUNS},
        "runs_cpu": {name: spread(clock.sums(name, clock.cpu)) for name in RUNS},
        "steps": {step: spread(clock.wall[step]) for step in STEPS},
        "audited_runs": 2 * size.runs,
        "plain": {name: spread(times) for name, times in clock.plain.wall.items()},
        "plain_rows": clock.plain.rows,
        "times_plain": {
            name: ratio(
                [
                    ours / theirs
                    for ours, theirs in zip(clock.sums(name, clock.wall), times, strict=True)
                ],
                "lower",
            )
            for name, times in clock.plain.wall.items()
        },
        "core": clock.core,
    }


def measure(size: Size = FULL, say: Say = print, server: str | None = None) -> dict[str, Any]:
    """Run the benchmark; return its figures under the keys of ``tanshi bench registry --json``."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="registry-bench-") as folder:
        found["sqlite"] = _measure(SqliteStore(Path(folder)), size, say)
    with postgres(server) as store:
        if store is None:
            say("PostgreSQL was not measured: no server is installed and no URL was given")
        else:
            found["postgresql"] = _measure(store, size, say)
    figures: dict[str, Any] = {"benchmark": "registry"}
    for database, prefix in (("sqlite", ""), ("postgresql", "pg_")):
        for name, key in KEYS.items():
            if database in found:
                figures[f"{prefix}{key}"] = found[database]["runs"][name]["median"]
    figures["postgresql"] = "measured" if "postgresql" in found else "not measured: no server"
    named = machine() | {each: version(each) for each in ("sqlalchemy", "psycopg")}
    figures |= {
        "ratios": {
            f"{prefix}{name}_in_plain_writing": times
            for prefix, database in (("", "sqlite"), ("pg_", "postgresql"))
            if database in found
            for name, times in found[database]["times_plain"].items()
        },
        "series": [],
        "warmup_s": sum(each["prepared_s"] for each in found.values()),
        "runs": 2 * size.runs,
        "core": found["sqlite"]["core"],
        "peak_rss_mib": peak_rss_mib(),
        "machine": named,
    }
    figures["detail"] = {
        **found,
        "size": asdict(size),
        "limits_s": LIMITS_S,
        "load_average": os.getloadavg(),
        "peak_rss_mib": peak_rss_mib(),
        "machine": named,
    }
    return figures


def show(figures: dict[str, Any], console: Console) -> None:
    """Print the figures as a table: seconds, least, median and most."""
    detail = figures["detail"]
    for database in ("sqlite", "postgresql"):
        if database not in detail:
            console.print(f"{database}: {figures['postgresql']}")
            continue
        of = detail[database]
        table = Table(title=f"{database}: {of['rows']['entries']:,} entries, seconds")
        for head in ("run", "least", "median", "most", "limit"):
            table.add_column(head, justify="left" if head == "run" else "right", no_wrap=True)
        for name, row in of["runs"].items():
            cells = [f"{row[each]:.2f}" for each in ("min", "median", "max")]
            table.add_row(name.replace("_", " "), *cells, str(LIMITS_S.get(name, "")))
        table.add_section()
        for step, words in STEPS.items():
            cells = [f"{of['steps'][step][each]:.2f}" for each in ("min", "median", "max")]
            table.add_row(words, *cells, "")
        console.print(table)
        for name, times in of["times_plain"].items():
            console.print(
                f"{name.replace('_', ' ')}: {times['value']:.1f} times the plain writing of as many"
                f" rows ({of['plain_rows'][name]:,}; {times['min']:.1f} to {times['max']:.1f})"
            )
        rows = ", ".join(f"{name} {count:,}" for name, count in of["rows"].items())
        console.print(f"prepared: {rows}; {of['size_bytes'] / 2**20:,.0f} MiB", style="dim")
    load = ", ".join(f"{each:.1f}" for each in detail["load_average"])
    cores = detail["machine"]["cores"]
    console.print(f"{detail['machine']['cpu']}, {cores} cores, load average {load}")
