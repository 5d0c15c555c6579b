"""Lists over REST: page by page without a gap or a repeat, and whole as CSV and Parquet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from gateway.rest.lists import NEXT
from tests.unit.gateway.test_rest_compliance import NOW_NS, Counter
from tests.unit.registry.compliance_town import ENTITY, Town

OBLIGATIONS = "/api/compliance/obligations?year=2025"


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[Counter]:
    """Twelve power plants owe 100 t each; each has applied for 10 t of its 120."""
    made = Counter(tmp_path)
    rows = [(f"P{i}", f"Power {i}", "42", "power") for i in range(3, 13)]
    made.registry.monitoring.add_entities(rows)
    made.registry.monitoring.open_accounts()
    names = [f"P{i}" for i in range(1, 13)]
    town: Town = made.town
    town.year(2025, dict.fromkeys(names, 100), dict.fromkeys(names, 120))
    wanted = [(name, 2025, "CEA25", 10) for name in names]
    made.registry.compliance.apply_many(wanted, ENTITY, NOW_NS)
    yield made
    made.registry.close()


def pages(counter: Counter, target: str, field: str, limit: int) -> list[list[Any]]:
    key, found, after = counter.key("ministry"), [], ""
    join = "&" if "?" in target else "?"
    while True:
        status, said = counter.ask(key, "GET", f"{target}{join}limit={limit}{after}")
        assert status == 200, said
        found.append(said[field])
        assert len(found) < 100, "the pages have no end"
        if "next" not in said:
            return found
        after = f"&after={said['next']}"


@pytest.mark.parametrize(
    ("target", "field", "by"),
    [
        (OBLIGATIONS, "obligations", "entity"),
        ("/api/compliance/applications", "applications", "number"),
        ("/api/compliance/allocations", "allocations", "number"),
        ("/api/monitoring/entities", "entities", "code"),
    ],
)
def test_pages_hold_every_row_once(counter: Counter, target: str, field: str, by: str) -> None:
    (whole,) = pages(counter, target, field, 0)
    assert len(whole) >= 12
    for limit in (1, 5, 12, len(whole)):
        found = pages(counter, target, field, limit)
        assert [row for page in found for row in page] == whole
        assert all(len(page) == limit for page in found[:-1])
        assert 0 < len(found[-1]) <= limit
    keys = [row[by] for row in whole]
    assert keys == sorted(keys)


def test_what_comes_meanwhile_shifts_no_page(counter: Counter) -> None:
    key, target = counter.key("ministry"), "/api/compliance/applications?limit=5"
    first = counter.ask(key, "GET", target)[1]
    counter.registry.compliance.apply("P1", 2025, "CEA25", 7, ENTITY, NOW_NS)
    rest = counter.ask(key, "GET", f"/api/compliance/applications?after={first['next']}")[1]
    numbers = [row["number"] for row in first["applications"] + rest["applications"]]
    assert numbers == list(range(1, 14))


@pytest.mark.parametrize("after", ["x", "-1", "1/2", "9" * 30, "1%00"])
def test_a_place_that_is_none_is_refused(counter: Counter, after: str) -> None:
    page = f"/api/compliance/applications?after={after}"
    status, said = counter.ask(counter.key("ministry"), "GET", page)
    assert (status, said["code"]) == (422, "invalid_request")


@pytest.mark.parametrize("by_header", [False, True])
def test_a_list_as_csv_and_parquet_is_the_list(counter: Counter, by_header: bool) -> None:
    """The same rows in the three forms, every one of them; numbers stay numbers."""
    key = counter.key("ministry")
    rows = counter.ask(key, "GET", OBLIGATIONS)[1]["obligations"]
    answers = []
    for form, kind in (("csv", "text/csv"), ("parquet", "application/vnd.apache.parquet")):
        target = OBLIGATIONS if by_header else f"{OBLIGATIONS}&format={form}"
        said = {"accept": kind} if by_header else {}
        found = counter.send(key, "GET", target, **said)
        assert found.headers["content-type"].startswith(kind)
        answers.append(found.content)
    text, binary = answers
    table = pq.read_table(io.BytesIO(binary)).to_pylist()
    assert table == rows
    lines = list(csv.DictReader(io.StringIO(text.decode())))
    words = {True: "true", False: "false"}
    assert lines == [
        {k: words.get(v) if isinstance(v, bool) else str(v) for k, v in row.items()} for row in rows
    ]


def test_a_page_of_a_table_names_the_next_one(counter: Counter) -> None:
    key = counter.key("ministry")
    found = counter.send(key, "GET", f"{OBLIGATIONS}&format=csv&limit=5")
    assert (len(found.text.splitlines()), found.headers[NEXT]) == (6, "P2")
    found = counter.send(key, "GET", f"{OBLIGATIONS}&format=csv&after=P2")
    assert (len(found.text.splitlines()), NEXT in found.headers) == (8, False)


def test_an_empty_table_has_its_columns(counter: Counter) -> None:
    key = counter.key("provincial_authority", 0, "13")
    found = counter.send(key, "GET", f"{OBLIGATIONS}&format=parquet")
    table = pq.read_table(io.BytesIO(found.content))
    assert (table.num_rows, str(table.schema.field("tonnes").type)) == (0, "int64")
