"""Who sees and does what of the compliance year over REST: every page times every role."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import httpx
import numpy as np
import pytest
from fastapi import APIRouter, FastAPI
from sqlalchemy import select

from gateway.authority import ACCOUNT_ROLES, PERMITTED, ROLES
from gateway.keys import Key, Keys, request_signature
from gateway.rest.answers import ProblemError, answer
from gateway.rest.bodies import Bodies
from gateway.rest.books import book_routes
from gateway.rest.bulk import bulk_routes
from gateway.rest.bulk_compliance import bulk_compliance_routes
from gateway.rest.compliance import compliance_routes
from gateway.rest.disclosure import disclosure_routes
from gateway.rest.later import later_routes
from gateway.rest.monitoring import monitoring_routes
from gateway.rest.offsets import offset_routes
from gateway.rest.registry import registry_routes
from gateway.rest.reporting import reporting_routes
from gateway.rest.surrender import surrender_routes
from gateway.rest.terms import term_routes
from gateway.rest.uploads import Uploads
from registry.compliance.schema import applications
from registry.institution import Registry
from registry.monitoring.entities import Facility
from registry.offsets.registering import NewBatch, NewProject, Paper
from registry.profiles import NATIONAL, VOLUNTARY, Profile
from tests.unit.registry.compliance_town import PROVINCE, Town, at

NOW_NS = at(2026, 10, 12)
ADDED = (compliance_routes, surrender_routes, monitoring_routes, reporting_routes)
ADDED += (later_routes, disclosure_routes, offset_routes, bulk_routes, bulk_compliance_routes)
ADDED += (book_routes, registry_routes, term_routes)
ROOMS = ("/api/compliance/", "/api/monitoring/", "/api/offsets/", "/api/registry/")
PAGES = [name for name in PERMITTED if any(room in name for room in ROOMS)]
OF_YEAR = ("roster", "reports", "findings", "rechecks")  # their path ends with the year


class Counter:
    """The pages over a small country: P1 and P2 in Hubei (42), S1 in Hebei (13)."""

    def __init__(self, folder: Path, profile: Profile = NATIONAL) -> None:
        self.registry = Registry.open(f"sqlite:///{folder / 'registry.db'}", profile)
        self.town = Town(self.registry)
        self.keys = Keys(folder / "keys.json")
        state = SimpleNamespace(
            market=np.array([(3, 0)], [("accounts", "<i8"), ("instruments", "<i8")]),
            accounts=np.zeros(3, [("cash_available_fen", "<i8"), ("cash_frozen_fen", "<i8")]),
            holdings=np.zeros((3, 1), [("frozen_tonnes", "<i8")]),
            instruments=np.zeros(1, [("code", "S16")]),
        )
        self.venue: Any = SimpleNamespace(
            registry=self.registry,
            market=SimpleNamespace(path=""),
            keys=self.keys,
            exchange=SimpleNamespace(state=state),
            sequencer=SimpleNamespace(time_ns=NOW_NS, stamp=lambda: None),
        )
        app, router = FastAPI(), APIRouter()
        self.app, self.uploads = app, Uploads([self.venue])
        app.add_middleware(Bodies, uploads=self.uploads)
        for add in ADDED:
            add(router, self.venue)
        app.include_router(router)

        @app.exception_handler(ProblemError)
        async def problem(_request: object, error: ProblemError) -> Any:
            return answer(error.problem, error.status)

        self._transport = httpx.ASGITransport(app)

    def key(self, role: str, account: int = 0, province: str = "42") -> Key:
        """Make a key in one role."""
        if role in ACCOUNT_ROLES:
            return self.keys.create(account, None, (role,))
        return self.keys.create_office(
            role, province=province if role == "provincial_authority" else ""
        )

    def ask(
        self, key: Key | None, method: str, target: str, content: Any = None
    ) -> tuple[int, Any]:
        """Return status and content of a page."""
        body = b"" if content is None else json.dumps(content).encode()
        found = self.send(key, method, target, body)
        return found.status_code, found.json()

    def send(
        self, key: Key | None, method: str, target: str, body: bytes = b"", **said: str
    ) -> httpx.Response:
        """Return the answer to these bytes; ``said``: headers, with _ for -."""
        headers = {"content-type": "application/json"}
        headers |= {name.replace("_", "-"): value for name, value in said.items()}
        headers |= {} if key is None else signed(key, method, target, body)

        async def go() -> httpx.Response:
            async with httpx.AsyncClient(transport=self._transport, base_url="http://venue") as web:
                return await web.request(method, target, content=body, headers=headers)

        return anyio.run(go)


def signed(key: Key, method: str, target: str, body: bytes) -> dict[str, str]:
    now_us = time.time_ns() // 1000
    signature = request_signature(key.secret, now_us, method, target, body)
    return {
        "X-Tanshi-Key": key.key_id,
        "X-Tanshi-Time": str(now_us),
        "X-Tanshi-Signature": signature,
    }


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[Counter]:
    made = Counter(tmp_path)
    yield made
    made.registry.close()


@pytest.fixture
def owing(counter: Counter) -> Counter:
    """P1 has 120 t of CEA25 and owes 100, P2 has 90 and owes 100; both have their notices."""
    counter.town.year(2025, {"P1": 100, "P2": 100}, {"P1": 120, "P2": 90})
    return counter


def target_of(page: str) -> tuple[str, str]:
    method, path = page.split()
    if method == "GET" and path.endswith(OF_YEAR):
        path += "/2025"
    if path.endswith("/proofs"):
        path += "/P00000001"
    if path.endswith(("/tables/allocations", "/tables/units", "/tables/notices")):
        path += "?year=2025&plan=power-2025-2026&stage=final"
    return method, path + ("?year=2025" if path.endswith("/obligations") else "")


@pytest.mark.parametrize("page", PAGES)
def test_every_page_asks_for_its_roles(counter: Counter, page: str) -> None:
    """Who may not hears not_permitted, whoever is unsigned bad_credentials; nothing is written."""
    method, target = target_of(page)
    content = {} if method == "POST" else None
    assert counter.ask(None, method, target, content)[0] == 401
    if page.endswith("/carry-notices"):  # it takes no body: within its window it does something
        counter.venue.sequencer.time_ns = at(2026, 2, 2)
    for role in ROLES:
        status, said = counter.ask(counter.key(role), method, target, content)
        if role in PERMITTED[page]:
            assert status in {200, 201, 404, 422}, (role, said)
        else:
            assert (status, said["code"]) == (403, "not_permitted"), role


def test_everybody_sees_what_is_his_own(owing: Counter) -> None:
    def entities_of(key: Key, page: str, field: str) -> list[str]:
        status, said = owing.ask(key, "GET", page)
        assert status == 200
        return [row.get("entity") or row["code"] for row in said[field]]

    own = owing.key("compliance", owing.town.index("P1"))
    hubei, hebei = owing.key("provincial_authority"), owing.key("provincial_authority", 0, "13")
    for page, field in (
        ("/api/compliance/obligations?year=2025", "obligations"),
        ("/api/compliance/allocations?year=2025", "allocations"),
    ):
        assert set(entities_of(own, page, field)) == {"P1"}
        assert set(entities_of(hubei, page, field)) == {"P1", "P2"}
        assert entities_of(hebei, page, field) == []
        assert set(entities_of(owing.key("ministry"), page, field)) == {"P1", "P2"}
    page = "/api/monitoring/entities"
    assert entities_of(own, page, "entities") == ["P1"]
    assert entities_of(hebei, page, "entities") == ["S1"]
    assert entities_of(owing.key("verifier"), page, "entities") == ["P1", "P2", "S1"]


def test_an_obligation_as_it_is_shown(owing: Counter) -> None:
    own = owing.key("compliance", owing.town.index("P2"))
    _, said = owing.ask(own, "GET", "/api/compliance/obligations?year=2025")
    (row,) = said["obligations"]
    assert row["deadline_us"] == at(2027, 1, 1, 0) // 1000
    del row["deadline_us"]
    assert row == {
        "entity": "P2", "year": 2025, "version": 1, "tonnes": 100, "ccer_max_tonnes": 5,
        "surrendered_tonnes": 0, "offset_tonnes": 0, "pending_tonnes": 0,
        "pending_offset_tonnes": 0, "in_time_tonnes": 0, "missing_tonnes": 100,
        "open_tonnes": 100, "is_fulfilled": False, "is_met_in_time": False,
    }  # fmt: skip


def test_apply_decide_and_the_certificate(owing: Counter) -> None:
    own, hubei = owing.key("compliance", owing.town.index("P1")), owing.key("provincial_authority")
    wanted = {"year": 2025, "vintage": "CEA25", "tonnes": 100}
    status, made = owing.ask(own, "POST", "/api/compliance/applications", wanted)
    assert (status, made["status"], made["maker"], made["payer"]) == (
        *(201, "pending", own.person),
        "P1",
    )
    verdict = {"numbers": [made["number"]], "approve": True}
    status, said = owing.ask(hubei, "POST", "/api/compliance/decisions", verdict)
    assert (status, said) == (200, {"paper": "surrender", "status": "approved", "decided": 1})
    _, said = owing.ask(own, "GET", "/api/compliance/certificates")
    (certificate,) = said["certificates"]
    assert (certificate["surrendered_tonnes"], certificate["late"]) == (100, False)
    status, said = owing.ask(hubei, "POST", "/api/compliance/decisions", verdict)
    assert (status, said["code"]) == (409, "decided_before")


def statuses(counter: Counter) -> list[str]:
    with counter.registry.database.read() as tx:
        return list(tx.execute(select(applications.c.status)).scalars())


def test_foreign_numbers_are_like_numbers_that_there_are_not(owing: Counter) -> None:
    """Another entity, another province: the same words, and nothing has changed."""
    first, second = (owing.key("compliance", owing.town.index(code)) for code in ("P1", "P2"))
    wanted = {"year": 2025, "vintage": "CEA25", "tonnes": 60}
    _, made = owing.ask(first, "POST", "/api/compliance/applications", wanted)
    hebei = owing.key("provincial_authority", 0, "13")
    for key, page, content in (
        (second, "/api/compliance/withdrawals", lambda n: {"number": n}),
        (hebei, "/api/compliance/decisions", lambda n: {"numbers": [n], "approve": True}),
        (hebei, "/api/compliance/decisions", lambda n: {"numbers": [n], "approve": False}),
    ):
        said = [owing.ask(key, "POST", page, content(n)) for n in (made["number"], 4711)]
        sentences = [(status, each["code"], each["reason"][:-6]) for status, each in said]
        assert sentences[0][:2] == (404, "unknown_application")
        assert said[0][1]["reason"].replace(str(made["number"]), "4711") == said[1][1]["reason"]
    assert statuses(owing) == ["pending"]
    status, _ = owing.ask(first, "POST", "/api/compliance/withdrawals", {"number": made["number"]})
    assert (status, statuses(owing)) == (200, ["withdrawn"])


def test_a_foreign_entity_is_like_one_that_there_is_not(owing: Counter) -> None:
    hebei = owing.key("provincial_authority", 0, "13")
    for page, content in (
        ("/api/compliance/notices", lambda e: {"year": 2025, "entities": [e]}),
        ("/api/monitoring/feedbacks", lambda e: {"year": 2025, "entities": [e]}),
        (
            "/api/monitoring/roster",
            lambda e: {"year": 2025, "document": "d", "listings": [{"entity": e}]},
        ),
        (
            "/api/compliance/penalties",
            lambda e: {"entity": e, "offence": "short_surrender", "document": "d"},
        ),
    ):
        foreign, nobody = (owing.ask(hebei, "POST", page, content(e)) for e in ("P1", "XX"))
        assert foreign[0] == nobody[0] == 404
        assert foreign[1]["code"] == "unknown_entity"
        assert foreign[1]["reason"].replace("P1", "XX") == nobody[1]["reason"]


def test_who_helps_learns_nothing_of_what_others_owe(owing: Counter) -> None:
    owing.registry.issue("CEA25", owing.town.index("S1"), 50)
    helper = owing.key("compliance", owing.town.index("S1"))

    def give(entity: str, tonnes: int) -> tuple[int, Any]:
        content = {"year": 2025, "vintage": "CEA25", "tonnes": tonnes, "entity": entity}
        consent = {"document": "consent of the province"}
        return owing.ask(helper, "POST", "/api/compliance/applications", content | consent)

    too_much, nobody = give("P2", 101), give("XX", 101)
    assert too_much[0] == nobody[0] == 404
    assert too_much[1]["reason"].replace("P2", "XX") == nobody[1]["reason"]
    status, made = give("P2", 10)
    assert (status, made["origin"], made["payer"]) == (201, "help", "S1")
    _, said = owing.ask(helper, "GET", "/api/compliance/applications")
    assert [row["number"] for row in said["applications"]] == [made["number"]]
    assert owing.ask(helper, "GET", "/api/compliance/obligations?year=2025")[1] == {
        "obligations": []
    }


@pytest.mark.parametrize(
    "content",
    [
        {"year": 2025, "vintage": "CEA25", "tonnes": 1, "more": 1},
        {"year": 2025, "vintage": "CEA25"},
        {"year": 2025, "vintage": "CEA25", "tonnes": 0},
        {"year": 2025, "vintage": "CEA25", "tonnes": 2**60},
        {"year": 2025, "vintage": "CEA\x0025", "tonnes": 1},
        {"year": "2025", "vintage": "CEA25", "tonnes": 1},
        {"year": 2025, "vintage": "CEA25", "tonnes": 1, "document": "a\nb"},
    ],
)
def test_a_body_that_makes_no_sense_is_refused(owing: Counter, content: Any) -> None:
    own = owing.key("compliance", owing.town.index("P1"))
    status, said = owing.ask(own, "POST", "/api/compliance/applications", content)
    assert (status, said["code"]) == (422, "invalid_request")
    assert statuses(owing) == []


def test_rows_of_an_allocation_by_two_people(counter: Counter) -> None:
    """Bad rows are named by number, the rest waits for a checker with a hash (7.3, ST-07)."""
    counter.town.verified(2024, P1=1000, P2=2000)
    maker = counter.key("registry_maker")
    rows = [
        {"entity": "P1", "tonnes": 500},
        {"entity": "P1", "tonnes": 500},
        {"entity": "P2", "tonnes": 1001},
        {"entity": "S1", "tonnes": 1},
    ]
    order = {"plan": "power-2025-2026", "year": 2025, "stage": "pre", "document": "d"}
    page = "/api/compliance/handovers"
    status, said = counter.ask(maker, "POST", page, {**order, "rows": rows})
    assert (status, said["request"]) == (201, None)
    assert [(row["row"], row["code"]) for row in said["refused"]] == [
        (2, "duplicate_entity"),
        (4, "sector_not_in_plan"),
    ]
    assert said["mismatches"] == [
        {"entity": "P2", "field": "tonnes", "platform": 1001, "registry": 1000}
    ]
    status, said = counter.ask(maker, "POST", page, {**order, "rows": rows, "strict": False})
    request = said["request"]
    assert (said["entities"], said["tonnes"], request["status"]) == (1, 500, "open")
    approvals = counter.registry.approvals
    approvals.approve(request["number"], PROVINCE, request["sha256"], NOW_NS)
    assert counter.town.has("P1", "CEA25") == 500


def test_from_deposit_to_feedback_each_in_his_role(counter: Counter) -> None:
    monitoring = counter.registry.monitoring
    monitoring.add_facilities([Facility("P1", "U1", "unit", "I", "500", "coal", 20251201)])
    hubei, own = counter.key("provincial_authority"), counter.key("compliance")
    listing = {"entity": "P1", "emissions_tonnes": 30_000}
    order = {"year": 2025, "document": "notice 17", "listings": [listing]}
    status, said = counter.ask(hubei, "POST", "/api/monitoring/roster", order)
    assert (status, said["listed"]) == (200, 1)
    plan = {"year": 2025, "content": {"meters": "two belt scales"}}
    assert counter.ask(own, "POST", "/api/monitoring/plans", plan)[0] == 201
    units = {"fuel": "t", "ncv": "GJ/t", "carbon_content": "tC/GJ", "oxidation": "%"}
    units |= {"generated": "MWh", "supplied": "MWh", "hours": "h"}
    numbers = ("100000", "20", "0.026", "99", "210000", "198000", "720")
    cells = {name: [n, unit] for n, (name, unit) in zip(numbers, units.items(), strict=True)}
    deposit = {"facility": "U1", "month": 202512, "reported": cells}
    status, said = counter.ask(own, "POST", "/api/monitoring/deposits", deposit)
    assert (status, said["emissions_t"], said["is_late"]) == (201, "188760", True)
    wrong = {**deposit, "reported": {**cells, "fuel": ["100000", "kg"]}}
    status, said = counter.ask(own, "POST", "/api/monitoring/deposits", wrong)
    assert (status, said["code"]) == (409, "wrong_unit")
    status, said = counter.ask(own, "POST", "/api/monitoring/reports", {"year": 2025})
    assert (status, said["emissions_tonnes"]) == (201, 188_760)
    looked = {"year": 2025, "words": "site visit"}
    verifier = counter.key("verifier")
    status, said = counter.ask(verifier, "POST", "/api/monitoring/verifications", looked)
    assert (status, [row["entity"] for row in said["verified"]]) == (200, ["P1"])
    told = counter.ask(hubei, "POST", "/api/monitoring/feedbacks", {"year": 2025})[1]
    assert told["told"] == ["P1"]
    doubt = {"year": 2025, "words": "the scales were wrong"}
    status, said = counter.ask(own, "POST", "/api/monitoring/rechecks", doubt)
    assert (status, said["outcome"]) == (201, "")
    hebei = counter.key("provincial_authority", 0, "13")
    words = {"number": said["number"], "words": "they were right"}
    page = "/api/monitoring/recheck-answers"
    assert counter.ask(hebei, "POST", page, words)[1]["code"] == "unknown_recheck"
    status, said = counter.ask(hubei, "POST", page, words)
    assert (status, said["outcome"]) == (200, "upheld")
    assert (
        counter.ask(own, "GET", "/api/monitoring/reports/2025")[1]["reports"][0]["verified_tonnes"]
        == 188_760
    )


def test_what_is_published_anybody_may_read(owing: Counter) -> None:
    ministry = owing.key("ministry")
    status, made = owing.ask(ministry, "POST", "/api/compliance/disclosures", {"year": 2025})
    assert (status, made["content"]["annual"]["due_tonnes"]) == (201, 200)
    listed = owing.ask(None, "GET", "/api/disclosures")[1]["disclosures"]
    assert [(row["year"], row["sha256"]) for row in listed] == [(2025, made["sha256"])]
    assert owing.ask(None, "GET", f"/api/disclosures/{made['number']}") == (200, made)
    assert owing.ask(None, "GET", "/api/disclosures/9")[1]["code"] == "unknown_disclosure"


def test_the_province_is_warned_and_sees_only_its_own(owing: Counter) -> None:
    status, said = owing.ask(
        owing.key("ministry"), "POST", "/api/compliance/warnings", {"price_fen": 8000}
    )
    assert (status, said) == (201, {"open": 2, "at_risk": 1, "guards": 0})
    hubei, hebei = owing.key("provincial_authority"), owing.key("provincial_authority", 0, "13")
    (warned,) = owing.ask(hubei, "GET", "/api/compliance/warnings")[1]["warnings"]
    assert (warned["entity"], warned["short_tonnes"], warned["cost_fen"]) == ("P2", 10, 80_000)
    assert owing.ask(hebei, "GET", "/api/compliance/warnings")[1] == {"warnings": []}


def test_a_penalty_is_proposed_and_decided_by_two_of_the_province(owing: Counter) -> None:
    maker, checker = (owing.key("provincial_authority") for _ in range(2))
    case = {"entity": "P1", "offence": "reporting", "document": "d", "fine_fen": 5_000_000}
    status, made = owing.ask(maker, "POST", "/api/compliance/penalties", case)
    assert (status, made["regime"], made["status"]) == (201, "order_775", "pending")
    verdict = {"numbers": [made["number"]], "approve": True, "paper": "penalty"}
    page = "/api/compliance/decisions"
    assert owing.ask(maker, "POST", page, verdict)[1]["code"] == "maker_is_checker"
    assert owing.ask(checker, "POST", page, verdict)[0] == 200
    own = owing.key("compliance", owing.town.index("P1"))
    (fined,) = owing.ask(own, "GET", "/api/compliance/penalties")[1]["penalties"]
    assert (fined["status"], fined["fine_fen"]) == ("approved", 5_000_000)
    other = owing.key("compliance", owing.town.index("P2"))
    assert owing.ask(other, "GET", "/api/compliance/penalties")[1] == {"penalties": []}


def test_reductions_lie_in_other_books(counter: Counter) -> None:
    holder = counter.key("registry")
    wanted = {"batch": "B1", "tonnes": 1, "kind": "voluntary", "purpose": "p", "document": "d"}
    status, said = counter.ask(holder, "POST", "/api/offsets/cancellations", wanted)
    assert (status, said["code"]) == (409, "market_invalid")
    own = counter.key("compliance")
    proof = {"year": 2025, "proof": "P00000001", "sha256": "x"}
    status, said = counter.ask(own, "POST", "/api/compliance/offsets", proof)
    assert (status, said["code"]) == (409, "no_offset_registry")


def test_who_borrows_and_when_is_ruled(owing: Counter) -> None:
    own = owing.key("compliance", owing.town.index("P1"))
    loan = {"year": 2025, "tonnes": 1, "document": "d"}
    status, said = owing.ask(own, "POST", "/api/compliance/borrowings", loan)
    assert (status, said["code"]) == (409, "no_borrowing")
    wanted = {"vintage": "CEA24", "tonnes": 1}
    status, said = owing.ask(own, "POST", "/api/compliance/carry-over", wanted)
    assert (status, said["code"]) == (409, "no_notice")


def test_what_is_left_of_old_vintages_is_carried_over(counter: Counter) -> None:
    """50 t of 2023 are left: applied for by the entity, decided by its province (AL-54, AL-55)."""
    town = counter.town
    for year, allocated in ((2023, 150), (2024, 100)):
        town.year(year, {"P1": 100}, {"P1": allocated})
        town.surrender("P1", year, f"CEA{year - 2000}", 100, at(year + 1, 10, 5))
    counter.registry.compliance.carry_over.give_notices(at(2026, 1, 20))
    counter.venue.sequencer.time_ns = at(2026, 2, 2)
    own, hubei = counter.key("compliance"), counter.key("provincial_authority")
    page = "/api/compliance/carry-over"
    status, made = counter.ask(own, "POST", page, {"vintage": "CEA23", "tonnes": 50})
    assert (status, made["status"], made["due"]) == (201, "pending", 20260327)
    verdict = {"numbers": [made["number"]], "approve": True, "paper": "carry_over"}
    hebei = counter.key("provincial_authority", 0, "13")
    assert counter.ask(hebei, "POST", "/api/compliance/decisions", verdict)[0] == 404
    assert counter.ask(hebei, "GET", page)[1] == {"limits": [], "applications": []}
    assert counter.ask(hubei, "POST", "/api/compliance/decisions", verdict)[0] == 200
    (limit,) = counter.ask(own, "GET", page)[1]["limits"]
    assert (limit["limit_tonnes"], limit["carried_tonnes"], limit["open_tonnes"]) == (50, 50, 0)
    assert (town.has("P1", "CEA25"), town.has("P1", "CEA23", "recovered")) == (50, 50)


def test_reductions_are_cancelled_by_two_and_proved_to_their_owner(tmp_path: Path) -> None:
    """Another's cancellation and proof are like ones that there are not (VM-10, RG-12)."""
    counter = Counter(tmp_path, VOLUNTARY)
    offsets, owner = counter.registry.offsets, counter.town.index("P1")
    paper = Paper(11, 12, NOW_NS, "d")
    offsets.register_project(NewProject("SEA", "Sea", "wind", owner, "M1", "sea"), paper)
    offsets.register_batch(NewBatch("SEA1", "SEA", 20260101, 20240201, 20251231, 100), paper)
    own, other = (counter.key("registry", counter.town.index(code)) for code in ("P1", "P2"))
    wanted = {"batch": "SEA1", "tonnes": 5, "kind": "voluntary", "purpose": "p", "document": "d"}
    status, made = counter.ask(own, "POST", "/api/offsets/cancellations", wanted)
    assert (status, made["status"]) == (201, "pending")
    for number in (made["number"], 4711):
        back = {"number": number, "note": "n"}
        status, said = counter.ask(other, "POST", "/api/offsets/withdrawals", back)
        assert (status, said["reason"]) == (404, f"There is no cancellation {number}.")
    decision = {"number": made["number"], "approve": True, "sha256": made["sha256"]}
    checker = counter.key("registry_checker")
    status, done = counter.ask(checker, "POST", "/api/offsets/decisions", decision)
    assert (status, done["status"]) == (200, "approved")
    proof = f"/api/offsets/proofs/{done['proof']}"
    assert counter.ask(own, "GET", proof)[1]["number"] == done["proof"]
    foreign, nobody = (counter.ask(other, "GET", f"{proof[:-1]}{n}") for n in "19")
    assert foreign[0] == nobody[0] == 404
    assert foreign[1]["reason"].replace("P00000001", "P00000009") == nobody[1]["reason"]
    assert counter.ask(other, "GET", "/api/offsets/cancellations")[1] == {"cancellations": []}
    (batch,) = counter.ask(None, "GET", "/api/offsets/reductions")[1]["batches"]
    assert (batch["held_tonnes"], batch["voluntary_tonnes"]) == (95, 5)
    counter.registry.close()
