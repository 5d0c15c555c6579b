"""The books over REST: holdings, postings, certificates, notices, published years as tables."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from gateway import front
from registry.monitoring.verified import Figure
from tests.unit.gateway.test_rest_compliance import NOW_NS, Counter
from tests.unit.registry.compliance_town import at


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[Counter]:
    """P1 has 120 t and has surrendered its 100, P2 has 90 t for 100."""
    made = Counter(tmp_path)
    made.town.year(2025, {"P1": 100, "P2": 100}, {"P1": 120, "P2": 90})
    made.town.surrender("P1", 2025, "CEA25", 100, NOW_NS)
    yield made
    made.registry.close()


def test_holdings_of_ones_own_and_of_all(counter: Counter) -> None:
    own = counter.key("viewer", counter.town.index("P1"))
    rows = counter.ask(own, "GET", "/api/registry/holdings")[1]["holdings"]
    assert {(row["account"], row["bucket"], row["tonnes"]) for row in rows} == {
        ("P1", "registry_available", 20),
        ("P1", "surrendered", 100),
    }
    office = counter.key("supervisor")
    whole = counter.ask(office, "GET", "/api/registry/holdings")[1]["holdings"]
    assert {row["account"] for row in whole} == {"P1", "P2"}
    assert [row for row in whole if row["account"] == "P1"] == rows


@pytest.mark.parametrize("limit", [1, 2, 3, 1000])
def test_postings_add_up_to_the_holdings(counter: Counter, limit: int) -> None:
    """Page by page every posting comes once, and their sum is what lies there (RG-17)."""
    own, after, sums, places = counter.key("viewer", counter.town.index("P1")), "", {}, []
    while True:
        page = f"/api/registry/transactions?limit={limit}{after}"
        status, said = counter.ask(own, "GET", page)
        assert status == 200, said
        for row in said["postings"]:
            assert (row["account"], row["note"]) == ("P1", "")
            places.append((row["number"], row["line"], row["side"]))
            sums[row["bucket"]] = sums.get(row["bucket"], 0) + row["change"]
        if "next" not in said:
            break
        after = f"&after={said['next']}"
    assert places == sorted(set(places))
    assert sums == {"registry_available": 20, "pending": 0, "surrendered": 100}


def test_postings_of_all_balance_and_have_their_notes(counter: Counter) -> None:
    office = counter.key("registry_checker")
    found = counter.send(office, "GET", "/api/registry/transactions?format=csv")
    rows = list(csv.DictReader(io.StringIO(found.text)))
    assert sum(int(row["change"]) for row in rows) == 0
    assert any(row["note"] for row in rows)


def test_a_certificate_can_be_checked_by_anybody(counter: Counter) -> None:
    own, other = (counter.key("compliance", counter.town.index(code)) for code in ("P1", "P2"))
    (row,) = counter.ask(own, "GET", "/api/compliance/certificates")[1]["certificates"]
    page = f"/api/compliance/certificates/{row['number']}"
    _, paper = counter.ask(own, "GET", page)
    assert hashlib.sha256(paper["content"].encode()).hexdigest() == paper["sha256"] == row["sha256"]
    status, said = counter.ask(other, "GET", page)
    assert (status, said["code"]) == (404, "unknown_certificate")


def test_notices_keep_every_correction(counter: Counter) -> None:
    """A corrected figure gives another notice; the first one stays (CP-32, RG-18)."""
    figure = Figure("P2", 2025, 110)
    correct = counter.registry.monitoring.correct
    correct(figure, "inspection", "letter 9", 41, 42, at(2026, 10, 12))
    counter.registry.compliance.notify(2025, at(2026, 10, 13))
    own = counter.key("compliance", counter.town.index("P2"))
    rows = counter.ask(own, "GET", "/api/compliance/notices?year=2025")[1]["notices"]
    assert [(row["entity"], row["tonnes"]) for row in rows] == [("P2", 100), ("P2", 110)]
    province = counter.key("provincial_authority")
    assert len(counter.ask(province, "GET", "/api/compliance/notices")[1]["notices"]) == 3


def test_what_is_withheld_is_shown_to_whom_it_concerns(counter: Counter) -> None:
    counter.registry.compliance.deduct("P1", 2026, "correction", 7, "d", 11, 12, NOW_NS)
    own, other = (counter.key("compliance", counter.town.index(code)) for code in ("P1", "P2"))
    (row,) = counter.ask(own, "GET", "/api/compliance/deductions")[1]["deductions"]
    assert (row["grounds"], row["remaining_tonnes"]) == ("correction", 7)
    assert counter.ask(other, "GET", "/api/compliance/deductions")[1] == {"deductions": []}
    assert counter.ask(own, "GET", "/api/compliance/earmarks")[1] == {"earmarks": []}


@pytest.mark.parametrize("part", ["annual", "provinces", "sectors", "entities"])
def test_a_published_year_as_tables(counter: Counter, part: str) -> None:
    """What is downloaded is what was published, whoever asks (CP-38, CP-39)."""
    ministry = counter.key("ministry")
    _, made = counter.ask(ministry, "POST", "/api/compliance/disclosures", {"year": 2025})
    told = made["content"][part]
    rows = told if isinstance(told, list) else [told]
    page = f"/api/disclosures/{made['number']}/{part}"
    assert counter.ask(None, "GET", page)[1] == {"rows": rows}
    binary = counter.send(None, "GET", page + "?format=parquet").content
    assert pq.read_table(io.BytesIO(binary)).to_pylist() == rows
    text = counter.send(None, "GET", page + "?format=csv").text
    assert len(text.splitlines()) == len(rows) + 1
    first = counter.ask(None, "GET", page + "?limit=1")[1]
    assert (first["rows"], "next" in first) == (rows[:1], len(rows) > 1)
    assert counter.ask(None, "GET", f"/api/disclosures/9/{part}")[0] == 404


def test_a_key_for_an_account_that_came_by_table(counter: Counter, tmp_path: Path) -> None:
    """Entities' accounts are opened by the registry (CP-05): their people get keys afterwards."""
    key = front.open_key(tmp_path, None, "P2")
    assert key.account == counter.town.index("P2")
    assert counter.ask(key, "GET", "/api/compliance/certificates")[0] == 200
    with pytest.raises(ValueError, match="no account 'XX'"):
        front.open_key(tmp_path, None, "XX")
