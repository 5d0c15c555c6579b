"""Voluntary reductions: projects, batches, cancellations, proofs, figures (VM-06 … VM-12)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import insert, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from engine.records import Kind, Parameter, Phase
from registry.errors import RefusalError, StopError
from registry.institution import Registry
from registry.ledger import Bucket, Move, book
from registry.offsets import proof
from registry.offsets.cancelling import Cancellation, NewCancellation
from registry.offsets.counter import Counter, as_offset
from registry.offsets.figures import PUBLISHED
from registry.offsets.offsets import Offsets
from registry.offsets.proof import Facts
from registry.offsets.registering import NewBatch, NewProject, Paper
from registry.offsets.schema import batches, cancellations, projects, proofs
from registry.profiles import VOLUNTARY
from tests.unit.registry.registry_venue import Venue

NOW_NS = 1_771_000_000_000_000_000  # 2026-02-14 in Beijing
MAKER, CHECKER = 7, 8
PAPER = Paper(MAKER, CHECKER, NOW_NS, "register 12")
WIND = NewProject("W1", "Wind off the coast", "offshore wind", 0, "CCER-01-002", "Bay 3")
BOILER = NewProject("B1", "A boiler's heat", "waste heat", 0, "CM-001", "Plant 1", covered=True)
NEW = NewBatch("CCER0001B001", "W1", 20250306, 20200922, 20231231, 1_000_000)
OLD = NewBatch("CCER0001B000", "W1", 20161201, 20150101, 20151231, 500_000)
COVERED = NewBatch("CCER0002B001", "B1", 20250306, 20210101, 20211231, 10_000)
OFFSET = NewCancellation(0, NEW.code, 600, "offset", "obligation of 2025", "91110000P1", 2025)


@pytest.fixture
def opened(url: str) -> Iterator[Registry]:
    """Books of the voluntary market: two subjects, two projects, three batches."""
    with Registry.open(url, VOLUNTARY) as registry:
        registry.open_accounts([("O1", "Owner"), ("O2", "Buyer")], "other")
        for project in (WIND, BOILER):
            registry.offsets.register_project(project, PAPER)
        for batch in (NEW, OLD, COVERED):
            registry.offsets.register_batch(batch, PAPER)
        yield registry


@pytest.fixture
def books(opened: Registry) -> Iterator[Registry]:
    """The same, and they stay sound."""
    yield opened
    assert opened.violations() == []


@pytest.fixture
def offsets(books: Registry) -> Offsets:
    return books.offsets


def asked(offsets: Offsets, new: NewCancellation = OFFSET) -> Cancellation:
    return offsets.apply(new, MAKER, NOW_NS, "letter 1")


def approved(offsets: Offsets, new: NewCancellation = OFFSET) -> Cancellation:
    waits = asked(offsets, new)
    return offsets.approve(waits.number, CHECKER, waits.sha256, NOW_NS + 1)


def refused(code: str, call: Any, *given: Any) -> None:
    with pytest.raises(RefusalError) as caught:
        call(*given)
    assert caught.value.code == code


def test_a_batch_is_a_unit_and_issued_to_the_owner_vm_06(books: Registry) -> None:
    assert books.vintages() == [NEW.code, OLD.code, COVERED.code]
    assert books.balances(0).holdings[NEW.code].registry_available == 1_000_000
    found = books.offsets.batches("W1")
    assert list(found) == [OLD.code, NEW.code]  # in the order of registration
    assert [found[code].era for code in found] == ["old", "new"]
    assert found[NEW.code].period_last == 20231231
    assert books.offsets.project("B1").covered
    assert books.offsets.project("W1").owner == "O1"
    assert books.offsets.violations() == []


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("project_exists", {"code": "W1"}),
        ("project_invalid", {"code": "W 1"}),
        ("project_invalid", {"covered": 1}),
        ("text_invalid", {"methodology": " "}),
        ("unknown_account", {"owner": 9}),
    ],
)
def test_projects_that_make_no_sense_are_refused(
    offsets: Offsets, code: str, change: dict[str, Any]
) -> None:
    refused(code, offsets.register_project, WIND._replace(**{"code": "W9", **change}), PAPER)
    assert list(offsets.projects()) == ["B1", "W1"]


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("unknown_project", {"project": "X"}),
        ("batch_exists", {"code": NEW.code}),
        ("batch_exists", {"code": OLD.code}),
        ("batch_invalid", {"code": "B-1"}),
        ("batch_invalid", {"code": "B" * 17}),
        ("qty_invalid", {"tonnes": 0}),
        ("qty_invalid", {"tonnes": 1.5}),
        ("date_invalid", {"registered": 20250230}),
        ("registration_invalid", {"registered": 20170314, "period_last": 20161231}),
        ("registration_invalid", {"registered": 20240121}),
        ("registration_invalid", {"registered": 20260215}),
        ("period_invalid", {"period_first": 20240101}),
        ("period_invalid", {"period_last": 20250307}),
    ],
)
def test_batches_that_make_no_sense_are_refused(
    books: Registry, code: str, change: dict[str, Any]
) -> None:
    new = NEW._replace(**{"code": "CCER9", **change})
    refused(code, books.offsets.register_batch, new, PAPER)
    assert len(books.vintages()) == 3


def test_the_edges_of_old_and_new_cp_37(offsets: Offsets) -> None:
    last = NewBatch("LAST", "W1", 20170313, 20160101, 20161231, 1)
    assert offsets.register_batch(last, PAPER).era == "old"
    first = NewBatch("FIRST", "W1", 20240122, 20210101, 20211231, 1)
    assert offsets.register_batch(first, PAPER).era == "new"


def test_two_people_register_st_07(offsets: Offsets) -> None:
    alone = PAPER._replace(checker=MAKER)
    refused("maker_is_checker", offsets.register_project, WIND._replace(code="W2"), alone)
    refused("maker_is_checker", offsets.register_batch, NEW._replace(code="X"), alone)
    refused("person_invalid", offsets.register_batch, NEW, PAPER._replace(maker=0))
    refused("text_invalid", offsets.register_batch, NEW, PAPER._replace(document=""))
    refused("time_invalid", offsets.register_batch, NEW, PAPER._replace(at_ns=-1))


def test_reductions_lie_in_the_voluntary_market_s_books_vm_01(registry: Registry) -> None:
    refused("market_invalid", registry.offsets.register_project, WIND, PAPER)
    refused("market_invalid", registry.offsets.register_batch, NEW, PAPER)
    refused("market_invalid", registry.offsets.apply, OFFSET, MAKER, NOW_NS, "d")


def test_a_cancellation_waits_and_is_for_ever_vm_10_rg_13(books: Registry) -> None:
    offsets = books.offsets
    waits = asked(offsets)
    assert (waits.status, waits.proof) == ("pending", "")
    held = books.balances(0).holdings[NEW.code]
    assert (held.registry_available, held.pending) == (999_400, 600)
    assert books.offsets.violations() == []
    done = offsets.approve(waits.number, CHECKER, waits.sha256, NOW_NS)
    assert (done.status, done.proof, done.checker) == ("approved", "P00000001", CHECKER)
    held = books.balances(0).holdings[NEW.code]
    assert (held.registry_available, held.pending, held.cancelled) == (999_400, 0, 600)
    assert held.position == 999_400
    with books.database.read() as tx:
        unit = tx.execute(batches.select()).first()
        assert unit is not None
    back = Move(Bucket(7, unit.unit, "cancelled"), Bucket(7, unit.unit, "registry_available"), 1)
    with pytest.raises(IntegrityError), books.database.write() as tx:
        book(tx, "correction", "no", [back], NOW_NS)
    assert "600 t of CCER0001B001 were cancelled (offset)" in books.notices()[-1].sentence
    assert "P00000001" in books.notices(0)[-1].sentence


def test_what_was_rejected_or_withdrawn_comes_back(books: Registry) -> None:
    offsets = books.offsets
    one, two = asked(offsets), asked(offsets)
    refused("text_invalid", offsets.reject, one.number, CHECKER, " ", NOW_NS)
    assert offsets.reject(one.number, CHECKER, "No.", NOW_NS).status == "rejected"
    assert offsets.withdraw(two.number, MAKER, "Changed.", NOW_NS).status == "withdrawn"
    held = books.balances(0).holdings[NEW.code]
    assert (held.registry_available, held.pending, held.cancelled) == (1_000_000, 0, 0)
    for number in (one.number, two.number):
        refused("decided_before", offsets.approve, number, CHECKER, one.sha256, NOW_NS)
        refused("decided_before", offsets.withdraw, number, MAKER, "x", NOW_NS)
    assert [one.status for one in offsets.cancellations()] == ["rejected", "withdrawn"]
    assert offsets.cancellations(status="approved") == []
    assert offsets.violations() == []


def test_two_people_cancel_and_the_checker_quotes_the_hash_st_07(offsets: Offsets) -> None:
    waits, other = asked(offsets), asked(offsets)
    number = waits.number
    refused("maker_is_checker", offsets.approve, number, MAKER, waits.sha256, NOW_NS)
    refused("maker_is_checker", offsets.reject, number, MAKER, "no", NOW_NS)
    refused("values_differ", offsets.approve, number, CHECKER, other.sha256, NOW_NS)
    refused("not_the_maker", offsets.withdraw, number, CHECKER, "no", NOW_NS)
    refused("unknown_cancellation", offsets.approve, 99, CHECKER, waits.sha256, NOW_NS)
    refused("unknown_cancellation", offsets.cancellation, True)
    assert offsets.cancellation(number).status == "pending"


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("kind_invalid", {"kind": "pleasure"}),
        ("qty_invalid", {"tonnes": -1}),
        ("insufficient_holding", {"tonnes": 1_000_001}),
        ("insufficient_holding", {"account": 1}),
        ("unknown_account", {"account": 2}),
        ("unknown_batch", {"batch": "CEA"}),
        ("text_invalid", {"purpose": ""}),
        ("beneficiary_missing", {"beneficiary": ""}),
        ("beneficiary_missing", {"obligation_year": None}),
        ("beneficiary_invalid", {"beneficiary": "two words"}),
        ("year_invalid", {"obligation_year": 1999}),
        ("year_invalid", {"kind": "voluntary"}),
        ("covered_installation", {"batch": COVERED.code}),  # CP-36
    ],
)
def test_cancellations_that_make_no_sense_are_refused(
    books: Registry, code: str, change: dict[str, Any]
) -> None:
    refused(code, asked, books.offsets, OFFSET._replace(**change))
    assert books.balances(0).holdings[NEW.code].registry_available == 1_000_000
    assert books.offsets.cancellations() == []


def test_reductions_of_covered_installations_may_be_cancelled_for_others_cp_36(
    offsets: Offsets,
) -> None:
    for kind in ("voluntary", "other"):
        new = NewCancellation(0, COVERED.code, 5, kind, "a conference")
        facts = proof.check(offsets.proof(approved(offsets, new).proof))
        assert (facts.kind, facts.covered, facts.obligation_year) == (kind, True, 0)


def test_a_proof_is_checked_offline_and_looked_up_rg_12(books: Registry) -> None:
    offsets = books.offsets
    done = approved(offsets)
    shown = offsets.proof(done.proof)
    facts = proof.check(shown)
    assert facts == offsets.confirm(shown)
    assert facts[:8] == ("P00000001", "offset", NEW.code, 600, "91110000P1", 2025, *facts[6:8])
    assert (facts.owner, facts.project, facts.era, facts.registered) == (
        "O1",
        "W1",
        "new",
        20250306,
    )
    assert (facts.covered, facts.period_first, facts.cancelled_ns) == (False, 20200922, NOW_NS + 1)
    altered = shown._replace(content=shown.content.replace("600", "900"))
    refused("proof_altered", proof.check, altered)
    refused("proof_invalid", proof.check, shown._replace(number="P00000002"))
    refused("proof_invalid", proof.check, shown._replace(content=None))
    forged = proof.write(facts._replace(tonnes=900))  # sound in itself, but never issued
    assert proof.check(forged).tonnes == 900
    refused("proof_differs", offsets.confirm, forged)
    refused("unknown_proof", offsets.confirm, proof.write(facts._replace(number="P00000009")))
    for number in ("", "P1", "P00000000", "P-0000001", "X00000001", "P٠٠٠٠٠٠٠١", 1):
        refused("unknown_proof", offsets.proof, number)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"number":"P00000001"}', "NaN"])
def test_records_that_are_none_are_refused(content: str) -> None:
    record = proof.Proof("P00000001", content, proof.checks.sha256(content))
    refused("proof_invalid", proof.check, record)


@pytest.mark.parametrize("change", [{"tonnes": True}, {"tonnes": 0}, {"kind": "x"}, {"covered": 1}])
def test_records_of_impossible_facts_are_refused(offsets: Offsets, change: dict[str, Any]) -> None:
    facts = proof.check(offsets.proof(approved(offsets).proof))
    refused("proof_invalid", proof.check, proof.write(facts._replace(**change)))


def test_the_allowance_registry_gets_what_it_has_to_know_rg_12(offsets: Offsets) -> None:
    old = OFFSET._replace(batch=OLD.code, obligation_year=2022, tonnes=9)
    number = approved(offsets, old).proof
    told = Counter(offsets).proof(number)
    assert told is not None
    assert told == as_offset(offsets.proof(number))
    assert told[:1] + told[2:] == (number, "91110000P1", 2022, OLD.code, 9, 20161201, False)
    assert told.sha256 == offsets.proof(number).sha256
    assert Counter(offsets).proof("P00000009") is None
    free = NewCancellation(0, NEW.code, 5, "voluntary", "a conference", "91110000P1")
    other = Counter(offsets).proof(approved(offsets, free).proof)
    assert other is not None
    assert other.year == 0  # nobody's obligation


def test_the_database_keeps_what_is_decided(books: Registry) -> None:
    approved(books.offsets)
    for table in (projects, batches, proofs):
        for statement in (table.delete(), update(table).values({table.c[0].name: table.c[0]})):
            with pytest.raises(DBAPIError, match="append only"), books.database.write() as tx:
                tx.execute(statement)
    for change in ({"checker": MAKER}, {"kind": "voluntary"}, {"tonnes": 0}):
        with pytest.raises(IntegrityError), books.database.write() as tx:
            tx.execute(update(cancellations).values(**change))
    with books.database.read() as tx:
        again = {**tx.execute(proofs.select()).one()._asdict(), "id": 2}
    with pytest.raises(IntegrityError), books.database.write() as tx:
        tx.execute(insert(proofs), again)  # one proof a cancellation


def test_an_application_that_was_altered_stops(books: Registry) -> None:
    waits = asked(books.offsets)
    with books.database.write() as tx:
        tx.execute(update(cancellations).values(beneficiary="SOMEBODY"))
    with pytest.raises(StopError, match="cancellation_altered"):
        books.offsets.approve(waits.number, CHECKER, waits.sha256, NOW_NS)
    assert books.balances(0).holdings[NEW.code].pending == 600


def test_registered_batches_are_not_moved_by_other_hands(books: Registry) -> None:
    """What would break registered = held + market + cancelled is refused (VM-06, VM-10)."""
    approvals = books.approvals
    goods = {"account": 0, "vintage": NEW.code, "qty_tonnes": 5, "document": "d"}
    for action, values, code in (
        ("issue", goods, "batch_registered"),
        ("cancel_voluntarily", {**goods, "purpose": "other"}, "batch_registered"),
        ("correct", {"transaction": 1, "evidence": "e"}, "not_correctable"),
    ):
        request = approvals.request(1, action, values, NOW_NS)
        refused(code, approvals.approve, request.number, 2, request.sha256, NOW_NS)
    assert books.offsets.violations() == []


def test_the_audit_finds_what_does_not_hold_vm_10(opened: Registry) -> None:
    approved(opened.offsets)
    assert opened.violations() == []
    opened.issue(NEW.code, 1, 5)  # the set-up's door knows no batches
    for found in (opened.offsets.violations(), opened.violations()):
        assert found == [
            "Batch CCER0001B001: 1,000,000 t are registered, 1,000,005 issued, 1,000,005 held, "
            "in the market or cancelled."
        ]
    with opened.database.write() as tx:
        tx.execute(update(cancellations).values(tonnes=601))
    for found in (opened.offsets.violations(), opened.violations()):
        assert len(found) == 3  # the bucket, and the proof


def test_reductions_trade_and_the_figures_follow_vm_05_vm_12(url: str) -> None:
    with Registry.open(url, VOLUNTARY) as registry:
        registry.open_accounts([("O1", "Owner"), ("O2", "Buyer")], "other")
        registry.offsets.register_project(WIND, PAPER)
        registry.offsets.register_batch(NEW, PAPER)
        venue = Venue(registry, (NEW.code,))
        venue.do(Kind.SET_PARAMETER, ref=Parameter.LISTED_TRADING_FEE_PPM, amount=6_000)
        registry.deposit(1, 100_000_000)
        registry.transfer_in(0, NEW.code, 10_000)
        venue.instruct()
        venue.open_day(20260302)
        venue.trade(0, 1, 1_000, price=5_001)
        venue.close_day()
        assert venue.settle() == Phase.POSTED
        approved(registry.offsets)
        approved(registry.offsets, OFFSET._replace(kind="other", obligation_year=None, tonnes=50))
        asked(registry.offsets, OFFSET._replace(tonnes=7))
        figures = registry.offsets.summary()
        assert figures[:3] == (1, 1, 1_000_000)
        assert (figures.held_tonnes, figures.market_tonnes) == (989_350, 10_000)
        assert figures.cancelled_tonnes == {"offset": 600, "voluntary": 0, "other": 50}
        assert [one[:4] for one in figures.traded] == [(2026, 1, 1_000, 5_001_000)]
        assert figures.traded[0].mean_fen == 5_001
        (standing,) = registry.offsets.standings("W1")
        parts = (standing.held_tonnes, standing.market_tonnes, standing.cancelled_tonnes)
        assert sum(parts) == standing.registered_tonnes
        assert registry.offsets.holdings(0)[NEW.code] == {
            "registry_available": 989_343,
            "pending": 7,
            "cancelled": 650,
            "trading_available": 9_000,
        }
        steps = registry.offsets.history(NEW.code)
        assert [one.kind for one in steps] == [
            *("issue", "transfer_in", "arrival", "settlement", "apply", "cancellation"),
            *("apply", "cancellation", "apply"),
        ]
        assert steps[3][3:] == ("O1", "trading_available", "O2", "trading_available", 1_000)
        assert registry.offsets.violations() == []
        venue.sound()


def test_published_figures_are_plausible_vm_12() -> None:
    """What was published of the market holds together, to the rounding it was published with."""
    of = {one.what: one.amount for one in PUBLISHED}
    assert abs(of["turnover in 2025"] / of["traded in 2025"] - of["mean price of 2025"]) < 10
    assert of["traded in 2025"] < of["traded"] < of["registered"]
    assert of["cancelled, at least"] < of["registered"]
    assert 7_000 < of["turnover"] / of["traded"] < 9_000
    assert of["registered"] // of["projects"] < 1_000_000


def test_a_market_of_the_published_size_is_counted_vm_10_vm_12() -> None:
    """41 projects, 24.23 Mt registered, 0.4 Mt cancelled: the page shows just that."""
    of = {one.what: one.amount for one in PUBLISHED}
    with Registry.open("sqlite://", VOLUNTARY) as registry:
        registry.open_account("O1", "Owner")
        each, rest = divmod(of["registered"], of["projects"])
        for number in range(of["projects"]):
            project = WIND._replace(code=f"W{number}")
            registry.offsets.register_project(project, PAPER)
            tonnes = each + (rest if number == 0 else 0)
            batch = NEW._replace(code=f"B{number}", project=project.code, tonnes=tonnes)
            registry.offsets.register_batch(batch, PAPER)
        for number in range(10):
            new = OFFSET._replace(batch=f"B{number}", tonnes=of["cancelled, at least"] // 10)
            approved(registry.offsets, new)
        figures = registry.offsets.summary()
        assert (figures.projects, figures.registered_tonnes) == (41, 24_230_000)
        assert sum(figures.cancelled_tonnes.values()) == 400_000
        assert figures.held_tonnes == 23_830_000
        assert registry.offsets.violations() == []


def test_old_proofs_read_the_same_for_ever() -> None:
    """The record's wording is a contract with other registries: number, content and hash."""
    facts = Facts(
        *("P00000001", "offset", "CCER1", 5, "E1", 2025, "p", "O1", "W1", "wind", "M", "Bay 3"),
        *(False, 20250306, 20200922, 20231231, 7, 4),
    )
    assert proof.write(facts).sha256 == (
        "548d212a72e5a7abd764bad81d8b8101c8f0a101b29bbea6cc429b02868e185f"
    )
