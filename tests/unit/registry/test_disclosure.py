"""Completion per entity, province and sector; annual figures; publications (CP-38, CP-39)."""

from __future__ import annotations

import csv
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from sqlalchemy import insert, update
from sqlalchemy.exc import DBAPIError

from registry.compliance import disclosure, disclosure_files
from registry.compliance.carry_schema import disclosures
from registry.compliance.disclosure import Annual, Disclosure, EntityRow, GroupRow, Published
from registry.compliance.schema import obligation_notices, offset_uses
from registry.institution import Registry
from tests.unit.registry.carry_world import CHECKER, MAKER, World, at, refused

PERSON = 5
IN_TIME, LATE = at(2024, 12, 20), at(2025, 1, 10)
REPORT = at(2025, 2, 1)


def owe(world: World, **tonnes: int) -> None:
    """Give the notices of 2023 with their history."""
    world.oblige(2023, **tonnes)
    notify(world, at(2024, 11, 1), 1, **tonnes)


def notify(world: World, at_ns: int, line: int, **tonnes: int) -> None:
    rows = [
        {"entity": code, "year": 2023, "line": line, "version": line, "verified_tonnes": due}
        | {"waived_tonnes": 0, "tonnes": due, "notice_ns": at_ns}
        for code, due in tonnes.items()
    ]
    with world.registry.database.write() as tx:
        tx.execute(insert(obligation_notices), rows)


def offset(world: World, code: str, tonnes: int, at_ns: int) -> None:
    """Write an approved offset down."""
    row = {"id": 1, "entity": code, "year": 2023, "tonnes": tonnes, "batch": "B1", "proof": "P1"}
    row |= {"proof_sha256": "s", "registered": 20240601, "status": "approved", "late": 0}
    row |= {"maker": MAKER, "applied_ns": at_ns, "checker": CHECKER, "decided_ns": at_ns}
    with world.registry.database.write() as tx:
        tx.execute(insert(offset_uses), {**row, "note": ""})


@pytest.fixture
def world(registry: Registry) -> World:
    """A (Hubei) is in full by CCER, B (Hebei) late, C (Hebei, steel) 1 t short."""
    made = World(registry)
    made.add("A", "power", "42")
    made.add("B", "power", "13")
    made.add("C", "steel", "13")
    owe(made, A=1_000, B=500, C=10_000)
    made.allocate(2023, A=900, B=650, C=10_000)
    made.meet(2023, "CEA23", IN_TIME, A=950, B=400, C=9_999)
    offset(made, "A", 50, IN_TIME)
    made.meet(2023, "CEA23", LATE, B=100)
    return made


def look(world: World, at_ns: int = REPORT, year: int = 2023) -> Disclosure:
    with world.registry.database.read() as tx:
        return disclosure.of_year(tx, year, at_ns)


def publish(world: World, at_ns: int = REPORT) -> Published:
    with world.registry.database.write() as tx:
        return disclosure.publish(tx, 2023, PERSON, at_ns)


def problems(world: World) -> list[str]:
    with world.registry.database.read() as tx:
        return disclosure.violations(tx)


def test_every_entity_cp_39(world: World) -> None:
    assert look(world).entities == [
        EntityRow("A", "42", "power", 2023, 900, 1_000, 950, 50, 1_000, 1_000, 0, 1),
        EntityRow("B", "13", "power", 2023, 650, 500, 500, 0, 500, 400, 0, 1),
        EntityRow("C", "13", "steel", 2023, 10_000, 10_000, 9_999, 0, 9_999, 9_999, 1, 0),
    ]


def test_provinces_and_sectors_cp_39(world: World) -> None:
    found = look(world)
    hebei = (2023, 2, 1, 10_650, 10_500, 10_499, 0, 1, "99.99", "50.00")
    hubei = (2023, 1, 0, 900, 1_000, 1_000, 50, 0, "100.00", "100.00")
    assert found.provinces == [GroupRow("13", *hebei), GroupRow("42", *hubei)]
    power = (2023, 2, 0, 1_550, 1_500, 1_500, 50, 0, "100.00", "100.00")
    steel = (2023, 1, 1, 10_000, 10_000, 9_999, 0, 1, "99.99", "0.00")
    assert found.sectors == [GroupRow("power", *power), GroupRow("steel", *steel)]


def test_the_annual_figures_have_the_form_of_the_progress_report_cp_38(world: World) -> None:
    assert look(world).annual == Annual(
        year=2023,
        entities=3,
        issued_tonnes=11_550,
        due_tonnes=11_500,
        net_deficit_tonnes=-50,
        net_deficit_pct="-0.43",
        entities_in_deficit=1,
        deficit_tonnes=100,
        surplus_tonnes=150,
        fulfilled_tonnes=11_499,
        entities_short=1,
        provinces_complete=1,
        completion_tonnes_pct="99.99",
        completion_entities_pct="66.67",
        ccer_tonnes=50,
        ccer_entities=1,
        ccer_provinces=1,
    )


def test_the_totals_of_2023_cp_39(registry: Registry) -> None:
    made = World(registry)
    made.add("G", "power", "11")
    made.add("H", "power", "12")
    owe(made, G=3_000_000_000, H=2_244_000_000)
    made.allocate(2023, G=2_950_000_000, H=2_265_000_000)
    found = look(made).annual
    assert (found.issued_tonnes, found.due_tonnes) == (5_215_000_000, 5_244_000_000)
    assert (found.net_deficit_tonnes, found.net_deficit_pct) == (29_000_000, "0.55")
    assert (found.deficit_tonnes, found.surplus_tonnes) == (50_000_000, 21_000_000)


def test_the_figures_of_2023_in_the_words_of_the_report_cp_38(registry: Registry) -> None:
    """CP-38, CP-39: 5.22 Gt issued, 5.24 Gt due, 0.55 %; 58 entities used 6.47 Mt; 99.98 %."""
    made = World(registry)
    names = [f"E{n:02d}" for n in range(59)]
    made.add_many([(name, name, "11", "power") for name in names])
    due = dict.fromkeys(names, 88_000_000) | {"E58": 140_000_000}
    owe(made, **due)
    made.allocate(2023, "final", **{**due, "E58": 140_000_000 - 29_000_000})
    used = dict.fromkeys(names[:58], 6_470_000 // 58) | {"E00": 6_470_000 - 57 * (6_470_000 // 58)}
    with made.registry.database.write() as tx:
        for number, (name, tonnes) in enumerate(used.items(), 1):
            row = {"id": number, "entity": name, "year": 2023, "tonnes": tonnes, "batch": "B"}
            row |= {"proof": f"P{number}", "proof_sha256": "s", "registered": 20160101}
            row |= {"status": "approved", "late": 0, "maker": 1, "applied_ns": IN_TIME, "note": ""}
            tx.execute(insert(offset_uses), {**row, "checker": 2, "decided_ns": IN_TIME})
    rest = {name: due[name] - used.get(name, 0) for name in names}
    rest["E58"] -= 1_048_000
    made.meet(2023, "CEA23", IN_TIME, **rest)
    assert look(made).annual.in_words() == (
        "2023: 5.22 Gt issued, 5.24 Gt due, a deficit of 0.55 %; 99.98 % fulfilled, 1 of 59"
        " entities short; 6.47 Mt of reductions used by 58 entities."
    )


@pytest.mark.parametrize(
    ("tonnes", "text"),
    [
        (0, "0 t"),
        (999_999, "999,999 t"),
        (1_000_000, "1.00 Mt"),
        (6_465_000, "6.47 Mt"),
        (5_214_999_999, "5.21 Gt"),
        (5_215_000_000, "5.22 Gt"),
        (5_244_000_000, "5.24 Gt"),
    ],
)
def test_quantities_are_told_half_up(tonnes: int, text: str) -> None:
    assert disclosure.amount(tonnes) == text


@pytest.mark.parametrize(
    ("done", "whole", "text"),
    [
        (2_196, 2_200, "99.82"),
        (5_242_951_200, 5_244_000_000, "99.98"),
        (8_193_999_999, 8_194_000_000, "99.99"),  # never 100 while a tonne is missing
        (8_194_000_000, 8_194_000_000, "100.00"),
        (0, 0, "100.00"),
        (0, 7, "0.00"),
        (1, 8, "12.50"),
        (1, 2_000_000, "0.00"),
        (1, 20_000, "0.01"),  # half up
    ],
)
def test_completion_rates_are_exact(done: int, whole: int, text: str) -> None:
    assert disclosure.rate(done, whole) == text


def test_shares_are_rounded_half_up_on_both_sides() -> None:
    assert [disclosure.percent(part, 20_000) for part in (1, -1, 0)] == ["0.01", "-0.01", "0.00"]
    assert disclosure.percent(-1, 2_000_000) == "0.00"
    assert disclosure.percent(5, 0) == "0.00"


def test_a_year_is_told_as_of_a_moment(world: World) -> None:
    assert look(world, LATE - 1).annual.entities_short == 2
    assert look(world, LATE).annual.entities_short == 1
    assert look(world, IN_TIME - 1).annual.fulfilled_tonnes == 0
    with refused("no_notice"):
        look(world, at(2024, 10, 31))
    with refused("no_notice"):
        look(world, year=2024)


def test_more_than_was_owed_counts_as_what_was_owed_rg_18(world: World) -> None:
    notify(world, REPORT - 1, 2, A=800)  # corrected downwards after the surrender
    assert look(world).entities[0][5:] == (800, 950, 50, 800, 800, 0, 1)
    assert look(world).annual.fulfilled_tonnes == 11_299


def test_what_was_published_can_be_computed_again(world: World) -> None:
    first = publish(world)
    told = world.registry.notices()[-1]
    assert told.kind == "disclosure"
    assert "11,500 t due, 99.99 % fulfilled, 1 of 3 entities short" in told.sentence
    notify(world, REPORT + 1, 2, A=1_200)  # a correction, and a tonne more
    world.meet(2023, "CEA23", REPORT + 2, C=1)
    assert problems(world) == []
    second = publish(world, REPORT + 3)
    assert (first.number, second.number) == (1, 2)
    assert first.sha256 != second.sha256
    assert first.data()["annual"]["entities_short"] == 1
    assert second.data()["annual"]["due_tonnes"] == 11_700
    with world.registry.database.read() as tx:
        assert disclosure.published(tx, 2023) == [first, second]
        assert disclosure.published(tx, 2024) == []
    assert problems(world) == []


def test_a_publication_stays_and_a_false_one_is_found(world: World) -> None:
    first = publish(world)
    with pytest.raises(DBAPIError), world.registry.database.write() as tx:
        tx.execute(update(disclosures).values(content="{}"))
    false = first._asdict() | {"content": first.content.replace("99.99", "100.00")}
    false["id"] = false.pop("number") + 1
    with world.registry.database.write() as tx:
        tx.execute(insert(disclosures), false)
    assert problems(world) == ["Disclosure 2 is not what was published."]
    with pytest.raises(DBAPIError), world.registry.database.write() as tx:
        tx.execute(insert(disclosures), {**false, "id": 3, "person": 0})


def test_rows_go_out_as_csv_and_parquet(world: World, tmp_path: Path) -> None:
    found = look(world)
    files = disclosure_files.write(found, tmp_path / "out", "csv")
    assert [file.name for file in files] == [
        f"disclosure-2023-{part}.csv" for part in ("annual", "provinces", "sectors", "entities")
    ]
    with files[-1].open(encoding="utf-8", newline="") as rows:
        read = list(csv.DictReader(rows))
    assert [row["entity"] for row in read] == ["A", "B", "C"]
    assert (read[2]["missing_tonnes"], read[2]["completed"]) == ("1", "0")
    tables = [
        pq.read_table(one) for one in disclosure_files.write(found, tmp_path / "out", "parquet")
    ]
    assert tables[0].to_pylist() == [found.annual._asdict()]
    assert tables[3].to_pylist() == found.rows("entities")
    assert sum(file.suffix == ".part" for file in (tmp_path / "out").iterdir()) == 0
    assert len(list((tmp_path / "out").iterdir())) == 8
    with refused("format_invalid"):
        disclosure_files.write(found, tmp_path, "xls")
    with refused("part_invalid"):
        found.rows("cities")
