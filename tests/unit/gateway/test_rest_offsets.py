"""The registry of voluntary reductions over REST: project, batch, cancellation, proof, by two."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from registry.profiles import VOLUNTARY
from tests.unit.gateway.test_rest_compliance import Counter

PROJECT = {
    "code": "SEA",
    "name": "Sea wind",
    "type": "offshore wind",
    "owner": "P1",
    "methodology": "CCER-01-002-V01",
    "installation": "sea farm 1",
    "document": "filing 7",
}
BATCH = {
    "code": "SEA26",
    "project": "SEA",
    "registered": 20260301,
    "period_first": 20240201,
    "period_last": 20251231,
    "tonnes": 100,
    "document": "registration 3",
}


@pytest.fixture
def reductions(tmp_path: Path) -> Iterator[Counter]:
    """The books of the voluntary market, where P1, P2 and S1 have accounts."""
    made = Counter(tmp_path, VOLUNTARY)
    yield made
    made.registry.close()


def enter(counter: Counter, page: str, content: dict[str, Any], approve: bool = True) -> Any:
    """Ask as the maker and decide as the checker; return the decided request."""
    maker, checker = counter.key("registry_maker"), counter.key("registry_checker")
    status, asked = counter.ask(maker, "POST", page, content)
    assert (status, asked["status"]) == (201, "open"), asked
    decision = {"number": asked["number"], "approve": approve}
    decision |= {"sha256": asked["sha256"]} if approve else {"note": "no filing"}
    status, done = counter.ask(checker, "POST", "/api/registry/decisions", decision)
    assert status == 200, done
    return done


def test_a_project_and_its_batch_are_entered_by_two_people(reductions: Counter) -> None:
    """Nothing is there before the checker has approved, by the hash (VM-06, VM-10, ST-07)."""
    maker = reductions.key("registry_maker")
    assert reductions.ask(maker, "POST", "/api/offsets/projects", PROJECT)[0] == 201
    assert reductions.ask(None, "GET", "/api/offsets/projects")[1] == {"projects": []}
    done = enter(reductions, "/api/offsets/projects", PROJECT)
    assert (done["status"], done["outcome"]) == ("approved", "done")
    (project,) = reductions.ask(None, "GET", "/api/offsets/projects")[1]["projects"]
    assert (project["code"], project["owner"], project["covered"]) == ("SEA", "P1", False)
    enter(reductions, "/api/offsets/batches", BATCH)
    (batch,) = reductions.ask(None, "GET", "/api/offsets/batches")[1]["batches"]
    assert (batch["registered_tonnes"], batch["held_tonnes"]) == (100, 100)
    owner = reductions.key("registry", reductions.town.index("P1"))
    (held,) = reductions.ask(owner, "GET", "/api/registry/holdings")[1]["holdings"]
    assert (held["vintage"], held["tonnes"]) == ("SEA26", 100)
    assert reductions.registry.violations() == []


def test_who_asks_does_not_decide(reductions: Counter) -> None:
    both = reductions.keys.create_office("registry_maker")
    _, asked = reductions.ask(both, "POST", "/api/offsets/projects", PROJECT)
    decision = {"number": asked["number"], "approve": True, "sha256": asked["sha256"]}
    assert reductions.ask(both, "POST", "/api/registry/decisions", decision)[0] == 403
    checker = reductions.key("registry_checker")
    wrong = {**decision, "sha256": "0" * 64}
    assert reductions.ask(checker, "POST", "/api/registry/decisions", wrong)[0] == 409
    assert reductions.ask(None, "GET", "/api/offsets/projects")[1] == {"projects": []}


@pytest.mark.parametrize(
    ("page", "content", "code"),
    [
        ("projects", {**PROJECT, "owner": "XX"}, "unknown_account"),
        ("projects", {**PROJECT, "covered": "no"}, "invalid_request"),
        ("batches", {**BATCH, "project": "NO"}, "unknown_project"),
        ("batches", {**BATCH, "tonnes": 0}, "invalid_request"),
        ("batches", {**BATCH, "days": 1}, "invalid_request"),
    ],
)
def test_what_cannot_be_is_refused_at_once(
    reductions: Counter, page: str, content: dict[str, Any], code: str
) -> None:
    maker = reductions.key("registry_maker")
    if "project" in content and content["project"] == "SEA":
        enter(reductions, "/api/offsets/projects", PROJECT)
    status, said = reductions.ask(maker, "POST", f"/api/offsets/{page}", content)
    assert (status, said["code"]) == (422 if code == "invalid_request" else 404, code)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"registered": 20200101}, "registration_invalid"),
        ({"period_last": 20270101}, "period_invalid"),
        ({"registered": 20261301}, "date_invalid"),
        ({"code": "SEA-26"}, "batch_invalid"),
    ],
)
def test_a_batch_that_may_not_be_is_refused_at_the_approval(
    reductions: Counter, change: dict[str, Any], code: str
) -> None:
    """Between 2017 and 2024 nothing was registered (VM-02, CP-37); nothing is issued."""
    enter(reductions, "/api/offsets/projects", PROJECT)
    maker, checker = reductions.key("registry_maker"), reductions.key("registry_checker")
    _, asked = reductions.ask(maker, "POST", "/api/offsets/batches", {**BATCH, **change})
    decision = {"number": asked["number"], "approve": True, "sha256": asked["sha256"]}
    status, said = reductions.ask(checker, "POST", "/api/registry/decisions", decision)
    assert (status, said["code"]) == (409, code)
    assert reductions.ask(None, "GET", "/api/offsets/batches")[1] == {"batches": []}


@pytest.mark.parametrize("kind", ["offset", "voluntary", "other"])
def test_every_kind_of_cancellation_is_proved(reductions: Counter, kind: str) -> None:
    """The proof names kind, batch and, of an offset, whose obligation (VM-10, RG-12)."""
    enter(reductions, "/api/offsets/projects", PROJECT)
    enter(reductions, "/api/offsets/batches", BATCH)
    owner = reductions.key("registry", reductions.town.index("P1"))
    wanted = {"batch": "SEA26", "tonnes": 5, "kind": kind, "purpose": "p", "document": "d"}
    if kind == "offset":
        wanted |= {"beneficiary": "P2", "obligation_year": 2025}
    status, made = reductions.ask(owner, "POST", "/api/offsets/cancellations", wanted)
    assert status == 201, made
    decision = {"number": made["number"], "approve": True, "sha256": made["sha256"]}
    checker = reductions.key("registry_checker")
    _, done = reductions.ask(checker, "POST", "/api/offsets/decisions", decision)
    _, proof = reductions.ask(owner, "GET", f"/api/offsets/proofs/{done['proof']}")
    assert f'"{kind}"' in proof["content"]
    (batch,) = reductions.ask(None, "GET", "/api/offsets/batches")[1]["batches"]
    assert (batch["held_tonnes"], batch[f"{kind}_tonnes"]) == (95, 5)


def test_projects_are_of_the_other_market(tmp_path: Path) -> None:
    counter = Counter(tmp_path)
    maker = counter.key("registry_maker")
    status, said = counter.ask(maker, "POST", "/api/offsets/projects", PROJECT)
    assert (status, said["code"]) == (409, "market_invalid")
    values = {**PROJECT, "owner": 0, "covered": False}
    wanted = {"action": "register_project", "values": values}
    _, asked = counter.ask(maker, "POST", "/api/registry/requests", wanted)
    decision = {"number": asked["number"], "approve": True, "sha256": asked["sha256"]}
    checker = counter.key("registry_checker")
    status, said = counter.ask(checker, "POST", "/api/registry/decisions", decision)
    assert (status, said["code"]) == (409, "market_invalid")
    counter.registry.close()
