"""The compliance years 2019 to 2025 in their order, over REST of a running venue, step by step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.registry_desk import People, open_books, people

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_2019_and_2020(tmp_path: Path) -> None:
    """Cleared together by 17:00 of 2021-12-31; help, arrears, and Order 19 (AL-14, CP-60)."""
    open_books(tmp_path)
    async with people(tmp_path, 2021, 12, 1, 10) as desk:
        for year in (2019, 2020):
            await desk.open_year(year, {"P1": 1000, "P2": 1000}, {"P1": 1300, "P2": 900})
        page = "/api/compliance/applications"
        await desk.surrender("P1", 2019, "CEA", 1000)
        await desk.surrender("P1", 2020, "CEA", 1000)
        await desk.surrender("P2", 2019, "CEA", 1000)
        gift = {"year": 2020, "vintage": "CEA", "tonnes": 150, "entity": "P2"}
        await desk.ask("P1", page, gift, code="consent_missing")  # AL-42, E84
        helped = await desk.ask("P1", page, {**gift, "document": "consent 5"})
        assert (helped["origin"], helped["payer"]) == ("help", "P1")
        await desk.decide("surrender", helped["number"])
        desk.leap_to(2021, 12, 31, 17, 0)
        late = await desk.surrender("P2", 2020, "CEA", 800)
        assert late["late"]  # one second earlier it would have counted (CP-41)
        case = {"entity": "P2", "offence": "short_surrender", "document": "d", "year": 2020}
        fined = await desk.ask("provincial_authority", "/api/compliance/penalties", case)
        assert (fined["regime"], fined["least_fen"], fined["most_fen"]) == (
            *("order_19", 2_000_000),
            3_000_000,
        )
        assert fined["short_tonnes"] == 850  # 150 came in time


async def test_2021_and_2022(tmp_path: Path) -> None:
    """Borrowing from 2023 straight into the surrender, netted by the next issue (AL-24, AL-41)."""
    open_books(tmp_path)
    async with people(tmp_path, 2023, 9, 1, 10) as desk:
        emitted = {"P1": 1000, "P2": 1000}
        await desk.open_year(2021, emitted, {"P1": 1100, "P2": 1000})
        await desk.open_year(2022, emitted, {"P1": 800, "P2": 950})
        page, loan = "/api/compliance/borrowings", {"year": 2022, "document": "hardship 1"}
        await desk.ask("P1", page, {**loan, "tonnes": 101}, code="over_the_limit")
        await desk.ask("P2", page, {**loan, "tonnes": 10}, code="deficit_too_small")
        made = await desk.ask("P1", page, {**loan, "tonnes": 100})
        assert (made["status"], made["obligation_tonnes"]) == ("pending", 1000)
        await desk.decide("borrowing", made["number"])
        (row,) = (await desk.ask("P1", page))["borrowings"]
        assert (row["status"], row["tonnes"]) == ("approved", 100)
        (used,) = (await desk.ask("P1", "/api/compliance/applications"))["applications"]
        assert (used["origin"], used["vintage"], used["late"]) == ("borrowed", "CEA23", False)
        assert ("CEA23", "registry_available") not in await desk.holdings("P1")
        for year, vintage, tonnes in ((2021, 21, 1000), (2022, 21, 100), (2022, 22, 800)):
            await desk.surrender("P1", year, f"CEA{vintage}", tonnes)
        assert (await desk.standing("P1", 2022))["is_fulfilled"]
        (owed,) = (await desk.ask("P1", "/api/compliance/deductions"))["deductions"]
        assert (owed["grounds"], owed["from_year"], owed["remaining_tonnes"]) == (
            *("borrowed", 2023),
            100,
        )
    async with people(tmp_path, 2024, 9, 2, 10) as desk:
        late = {"year": 2022, "tonnes": 1, "document": "d"}
        await desk.ask("P2", "/api/compliance/borrowings", late, code="deadline_passed")
        await desk.open_year(2023, {"P1": 1000}, {"P1": 900})
        (owed,) = (await desk.ask("P1", "/api/compliance/deductions"))["deductions"]
        assert owed["remaining_tonnes"] == 0
        assert (await desk.holdings("P1"))["CEA23", "registry_available"] == 800


async def test_2021_and_2022_by_force(tmp_path: Path) -> None:
    """A debtor's share lies with the province: its own year first, the rest of both (AL-26)."""
    open_books(tmp_path)
    async with people(tmp_path, 2023, 9, 1, 10) as desk:
        for year in (2021, 2022):
            given = {"P1": 1000, "P3": 950}
            await desk.open_year(year, {"P1": 1000, "P3": 1000}, given, P3="debts")
        page = "/api/compliance/applications"
        earmarked = (await desk.ask("P3", "/api/compliance/earmarks"))["earmarks"]
        assert [row["left_tonnes"] for row in earmarked] == [950, 950]
        wanted = {"year": 2021, "vintage": "CEA21", "tonnes": 1}
        await desk.ask("P3", page, wanted, code="insufficient_holding")  # it is not in its hands
        await desk.by_two("force_surrender", entity="P3", document="mandate 8")
        forced = (await desk.ask("P3", page))["applications"]
        assert {row["origin"] for row in forced} == {"forced"}
        standings = [await desk.standing("P3", year) for year in (2021, 2022)]
        assert [one["missing_tonnes"] for one in standings] == [50, 50]


async def test_2023_and_2024_and_what_is_carried_over(tmp_path: Path) -> None:
    """A court's freeze, both years met, carry-over in its window (RG-15, AL-38, AL-50 … AL-57)."""
    open_books(tmp_path)
    async with people(tmp_path, 2024, 9, 2, 10) as desk:
        await desk.open_year(2023, {"P1": 1000, "P2": 1000}, {"P1": 1300, "P2": 900})
        await desk.ask("P1", "/api/compliance/borrowings", LOAN, code="no_borrowing")  # AL-37
        order = {"account": 0, "vintage": "CEA23", "qty_tonnes": 400, "side": "registry"}
        await desk.by_two("freeze", **order, document="court 1")
        assert (await desk.holdings("P1"))["CEA23", "judicial"] == 400
        wanted = {"year": 2023, "vintage": "CEA23", "tonnes": 1000}
        await desk.ask("P1", "/api/compliance/applications", wanted, code="insufficient_holding")
        await desk.by_two("release", **order, document="court 2")
        await desk.surrender("P1", 2023, "CEA23", 1000)
        await desk.surrender("P2", 2023, "CEA23", 900)
    async with people(tmp_path, 2025, 1, 6, 10) as desk:  # Order 775: by price (CP-61, CP-63)
        case = {"entity": "P2", "offence": "short_surrender", "document": "d", "year": 2023}
        page = "/api/compliance/penalties"
        await desk.ask("provincial_authority", page, case, code="no_average_price")  # no trades
    async with people(tmp_path, 2025, 9, 1, 10) as desk:
        await desk.open_year(2024, {"P1": 1000}, {"P1": 1000})
        await desk.surrender("P1", 2024, "CEA24", 1000)
    async with people(tmp_path, 2026, 1, 20, 10) as desk:
        limit = await desk.ask("ministry", "/api/compliance/carry-notices", {})
        assert limit == {"notified": ["P1"], "limit_tonnes": 300}
        await carry_over(desk)
        year = await desk.ask("ministry", "/api/compliance/disclosures", {"year": 2023})
        annual = year["content"]["annual"]
        assert (annual["due_tonnes"], annual["fulfilled_tonnes"]) == (2000, 1900)


LOAN = {"year": 2023, "tonnes": 1, "document": "d"}


async def carry_over(desk: People) -> None:
    page, wanted = "/api/compliance/carry-over", {"vintage": "CEA23", "tonnes": 200}
    made = await desk.ask("P1", page, wanted)
    assert made["due"] == 20260327
    await desk.ask("P1", page, {**wanted, "tonnes": 101}, code="over_the_limit")
    await desk.ask("P2", page, wanted, code="no_notice")
    await desk.decide("carry_over", made["number"])
    held = await desk.holdings("P1")
    assert (held["CEA23", "recovered"], held["CEA25", "registry_available"]) == (200, 200)
    (row,) = (await desk.ask("P1", "/api/compliance/carry-limits"))["limits"]
    assert (row["limit_tonnes"], row["open_tonnes"]) == (300, 100)


async def test_2025_watched_and_guarded(tmp_path: Path) -> None:
    """Who will fall short is told, what must not be sold is guarded (CP-40, TR-116)."""
    open_books(tmp_path)
    async with people(tmp_path, 2026, 9, 1, 10) as desk:
        await desk.open_year(2025, {"P1": 1000, "P2": 1000}, {"P1": 1200, "P2": 700})
        watched = await desk.ask("ministry", "/api/compliance/warnings", {"price_fen": 8000})
        assert (watched["open"], watched["at_risk"]) == (2, 1)
        said = await desk.ask("provincial_authority", "/api/compliance/warnings")
        (warned,) = said["warnings"]
        assert (warned["entity"], warned["short_tonnes"], warned["cost_fen"]) == (
            *("P2", 300),
            2_400_000,
        )
        assert (await desk.ask("exchange_operator", "/api/compliance/guards"))["guards"] == []
        await desk.surrender("P1", 2025, "CEA25", 1000)
        (paper,) = (await desk.ask("P1", "/api/compliance/certificates"))["certificates"]
        shown = await desk.ask("P1", f"/api/compliance/certificates/{paper['number']}")
        assert (shown["tonnes"], shown["late"]) == (1000, False)


APPLY, PENALTY = "/api/compliance/applications", "/api/compliance/penalties"
OWN: dict[str, Any] = {"year": 2025, "vintage": "CEA25", "tonnes": 1}
HANDOVER = {
    "plan": "power-2025-2026",
    "year": 2025,
    "stage": "final",
    "document": "d",
    "rows": [{"entity": "P1", "tonnes": 1}],
}
OUT_OF_ORDER: list[tuple[str, str, dict[str, Any], str, str]] = [
    ("P1", APPLY, OWN, "no_notice", "CP-32"),
    ("P1", APPLY, {**OWN, "year": 2018}, "no_notice", "CP-32"),
    ("P1", "/api/compliance/offsets", {"year": 2025, "proof": "P1", "sha256": "x"},
     "no_offset_registry", "RG-12"),
    ("P1", "/api/compliance/borrowings", {**LOAN, "year": 2025}, "no_borrowing", "AL-24"),
    ("P1", "/api/compliance/borrowings", {**LOAN, "year": 2022}, "no_notice", "CP-32"),
    ("P1", "/api/compliance/carry-over", {"vintage": "CEA24", "tonnes": 1},
     "no_notice", "AL-50, AL-54"),
    ("ministry", "/api/compliance/carry-notices", {}, "carry_over_closed", "AL-54"),
    ("ministry", "/api/compliance/disclosures", {"year": 2025}, "no_notice", "CP-32"),
    ("provincial_authority", "/api/compliance/notices", {"year": 2025, "entities": ["P1"]},
     "not_verified", "CP-30"),
    ("provincial_authority", PENALTY,
     {"entity": "P1", "offence": "short_surrender", "document": "d", "year": 2025},
     "not_due", "CP-62"),
    ("registry_maker", "/api/compliance/handovers", {**HANDOVER, "year": 2023},
     "year_not_in_plan", "AL-01"),
    ("registry_maker", "/api/compliance/handovers", {**HANDOVER, "plan": "power-2023-2024",
     "year": 2024, "stage": "early"}, "invalid_request", ""),
    ("P1", "/api/monitoring/deposits", {"facility": "U1", "month": 202701, "reported": {}},
     "unknown_facility", "CP-09"),
    ("P1", "/api/monitoring/reports", {"year": 2026}, "too_early", "CP-09, CP-10"),
    ("P1", "/api/monitoring/rechecks", {"year": 2025, "words": "w"}, "not_fed_back", "CP-11"),
    ("P1", "/api/compliance/withdrawals", {"number": 1}, "unknown_application", ""),
    ("provincial_authority", "/api/compliance/decisions", {"numbers": [1], "approve": True},
     "unknown_application", ""),
]  # fmt: skip


async def test_what_is_out_of_order_is_refused_with_its_clause(tmp_path: Path) -> None:
    """A table of steps before the one they follow; nothing of them is in the books."""
    open_books(tmp_path)
    async with people(tmp_path, 2026, 9, 1, 10) as desk:
        wrong = []
        for who, page, content, code, clause in OUT_OF_ORDER:
            _, said = await desk.send(who, page, content)
            told = said.get("code"), said.get("clauses", "")
            if told != (code, clause):
                wrong.append((page, content, told, code, clause))
        assert not wrong, "\n".join(map(str, wrong))
        rows = (await desk.ask("registry_maker", "/api/compliance/handovers", HANDOVER))["refused"]
        assert [(row["code"], "(AL-" in row["reason"]) for row in rows] == [
            ("pre_allocation_missing", True)
        ]
        held = await desk.ask("registry_maker", "/api/registry/holdings")
        assert held == {"holdings": []}
