"""Terms over REST: milestones of 95 %, adjustments in ten working days, limits of penalties."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from registry import offices
from registry.compliance.deciding import Decision
from registry.monitoring import provinces
from tests.unit.gateway.test_rest_compliance import Counter
from tests.unit.registry.compliance_town import VERIFIER, at

MILESTONES, ADJUSTMENTS = "/api/compliance/milestones", "/api/compliance/adjustments"
PENALTIES = "/api/compliance/penalties"


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[Counter]:
    made = Counter(tmp_path)
    yield made
    made.registry.close()


def warnings(counter: Counter) -> list[str]:
    """Return what the province of P1 was told."""
    with counter.registry.database.read() as tx:
        account, n = provinces.all_of(tx)["42"].account, offices.notices.c
        chosen = (n.account == account, n.kind == "warning")
        rows = tx.execute(offices.notices.select().where(*chosen).order_by(n.id))
        return [row.sentence for row in rows]


def test_a_milestone_is_shown_and_the_provinces_behind_are_told(counter: Counter) -> None:
    """AL-14: half of two is less than 95 % by 2021-12-15 17:00; a province sees its own."""
    counter.town.verified(2019, P1=10, P2=10)
    counter.town.issue(2019, "pre", {"P1": 0, "P2": 0}, at(2021, 9, 1))
    counter.town.issue(2019, "final", {"P1": 10, "P2": 10}, at(2021, 9, 1))
    counter.town.compliance.notify(2019, at(2021, 10, 1))
    counter.town.surrender("P1", 2019, "CEA", 10, at(2021, 12, 1))
    counter.venue.sequencer.time_ns = at(2021, 12, 15, 18)
    ministry, hubei = counter.key("ministry"), counter.key("provincial_authority")
    status, seen = counter.ask(ministry, "GET", f"{MILESTONES}?year=2020")
    assert (status, seen["years"], seen["percent"], seen["clause"]) == (
        *(200, [2019, 2020], 95),
        "AL-14",
    )
    assert seen["end_us"] == seen["at_us"] == at(2021, 12, 15, 17) // 1000
    reached = {"entities": 2, "completed": 1, "missing": 1, "completion_pct": "50.00"}
    assert seen["nation"] == {"province": "", **reached, "is_met": False}
    assert seen["provinces"] == [{"province": "42", **reached, "is_met": False}]
    assert counter.ask(hubei, "GET", f"{MILESTONES}?year=2020")[1] == seen
    elsewhere = counter.key("provincial_authority", province="13")
    assert counter.ask(elsewhere, "GET", f"{MILESTONES}?year=2020")[1]["provinces"] == []
    assert warnings(counter) == []
    said = counter.ask(ministry, "POST", MILESTONES, {"year": 2019})
    assert said == (200, {"told": ["42"]})
    assert "1 of 2 entities (50.00 %)" in warnings(counter)[0]
    status, no = counter.ask(ministry, "GET", f"{MILESTONES}?year=2025")
    assert (status, no["code"], no["clauses"]) == (409, "no_milestone", "AL-14, AL-25")


def test_a_changed_figure_is_shown_until_it_is_done(counter: Counter) -> None:
    """RG-18: ten working days; whoever has open ones is reminded, once done nobody is."""
    counter.town.year(2023, {"P1": 100, "P2": 100}, {"P1": 90, "P2": 120})
    counter.registry.monitoring.record_verified("P1", 2023, 110, VERIFIER, at(2024, 12, 2))
    counter.venue.sequencer.time_ns = at(2024, 12, 17, 0)
    page, maker = f"{ADJUSTMENTS}?year=2023", counter.key("registry_maker")
    (row,) = counter.ask(maker, "GET", page)[1]["adjustments"]
    assert (row["entity"], row["before_tonnes"], row["emissions_tonnes"]) == ("P1", 100, 110)
    assert (row["due_us"], row["done_us"]) == (at(2024, 12, 17, 0) // 1000, 0)
    assert (row["is_overdue"], row["needs_issue"]) == (True, False)
    own, other = (counter.key("compliance", counter.town.index(code)) for code in ("P1", "P2"))
    assert counter.ask(own, "GET", page)[1]["adjustments"] == [row]
    assert counter.ask(other, "GET", page)[1] == {"adjustments": []}
    said = counter.ask(maker, "POST", ADJUSTMENTS, {"year": 2023})
    assert said == (200, {"told": ["P1"]})
    assert "the new notice was due by 2024-12-16 (RG-18)" in warnings(counter)[0]
    hubei = counter.key("provincial_authority")
    assert counter.ask(hubei, "POST", ADJUSTMENTS, {"year": 2023})[0] == 403
    counter.ask(hubei, "POST", "/api/compliance/notices", {"year": 2023})
    (done,) = counter.ask(own, "GET", page)[1]["adjustments"]
    assert done["done_us"] == at(2024, 12, 17, 0) // 1000
    assert counter.ask(maker, "POST", ADJUSTMENTS, {"year": 2023})[1] == {"told": []}


def test_a_penalty_has_its_regime_and_its_limit(counter: Counter) -> None:
    """CP-60, CP-62, U20: of 2022, in 2027: by the day of the decision, or of the deadline."""
    counter.town.year(2022, {"P1": 100}, {"P1": 90})
    counter.venue.sequencer.time_ns = at(2027, 1, 15)
    hubei, limit_us = counter.key("provincial_authority"), at(2027, 3, 1, 0) // 1000
    case = {"entity": "P1", "offence": "short_surrender", "document": "d", "year": 2022}
    no = counter.ask(hubei, "POST", PENALTIES, {**case, "limit_us": 1})
    assert (no[0], no[1]["code"]) == (409, "limit_invalid")
    assert counter.ask(hubei, "POST", PENALTIES, {**case, "regime_by": "mood"})[0] == 422
    status, made = counter.ask(hubei, "POST", PENALTIES, {**case, "limit_us": limit_us})
    assert (status, made["regime"], made["limit_us"]) == (201, "code", limit_us)
    assert (made["short_tonnes"], made["missing_tonnes"], made["volume_tonnes"]) == (100, 100, 0)
    taken_back = Decision("withdrawn", made["maker"], at(2027, 1, 16), "")
    counter.registry.compliance.penalties.decide(made["number"], taken_back)
    status, again = counter.ask(hubei, "POST", PENALTIES, {**case, "regime_by": "deadline"})
    assert (status, again["regime"], again["limit_us"]) == (201, "order_19", 0)
    shown = counter.ask(hubei, "GET", PENALTIES)[1]["penalties"]
    assert [row["status"] for row in shown] == ["withdrawn", "pending"]


def test_a_posting_says_from_when_it_counts(counter: Counter) -> None:
    """RG-17: the moment of the decision, which need not be that of the writing."""
    counter.town.year(2023, {"P1": 100}, {"P1": 90})
    maker = counter.key("registry_maker")
    rows = counter.ask(maker, "GET", "/api/registry/transactions")[1]["postings"]
    told = {(row["kind"], row["booked_us"]) for row in rows if row["change"] == 90}
    assert told == {(kind, at(2024, 9, 1) // 1000) for kind in ("issue", "allocation")}
