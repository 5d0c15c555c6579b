"""Whatever is done in whatever order: no tonne is lost or made, nothing ineligible surrendered."""

from __future__ import annotations

from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from registry.compliance import eligibility
from registry.compliance.deciding import Decision
from registry.compliance.offsetting import Proof
from registry.compliance.rows import AllocationRow
from registry.errors import RefusalError
from registry.institution import Registry
from registry.schema import buckets, units
from tests.unit.registry.compliance_town import (
    DOCUMENT,
    ENTITY,
    PLANS,
    PLATFORM,
    PROVINCE,
    REGISTRAR,
    VERIFIER,
    Town,
    at,
)

YEARS = (2021, 2022, 2023, 2024, 2025)
FIRST_DAY, LAST_DAY = at(2022, 1, 5), at(2027, 6, 30)
SOURCES = ("issued", "bank")


class Counting:
    """A CCER registry that knows every proof it is asked for."""

    def proof(self, number: str) -> Proof | None:
        entity, year, tonnes, registered = number.split("|")
        return Proof(number, number, entity, int(year), "B", int(tonnes), int(registered), False)


entity = st.sampled_from(("P1", "P2"))
year = st.sampled_from(YEARS)
tonnes = st.integers(0, 300)
vintage = st.sampled_from([eligibility.vintage_of(one) for one in (*YEARS, 2026)])
number = st.integers(1, 12)
step = st.one_of(
    st.tuples(st.just("verify"), year, entity, tonnes),
    st.tuples(
        st.just("issue"),
        year,
        entity,
        tonnes,
        st.sampled_from(("pre", "final", "final", "additional")),
        st.sampled_from(("", "", "court_freeze")),
    ),
    st.tuples(st.just("deduct"), year, entity, tonnes),
    st.tuples(st.just("notify"), year),
    st.tuples(st.just("apply"), year, entity, tonnes, vintage, st.booleans()),
    st.tuples(st.just("decide"), number, st.sampled_from(("approved", "rejected", "withdrawn"))),
    st.tuples(st.just("offset"), year, entity, tonnes, st.sampled_from((20160101, 20240601))),
    st.tuples(st.just("decide_offset"), number),
    st.tuples(st.just("force"), entity),
    st.tuples(st.just("all"), year),
    st.tuples(st.just("trade"), entity, vintage, tonnes),
)


def do(town: Town, what: tuple[object, ...], now: int) -> None:
    """Carry one step out; the rules may refuse it."""
    door, word, rest = town.compliance, what[0], what[1:]
    match (word, *rest):
        case ("verify", int(y), str(e), int(t)):
            town.registry.monitoring.record_verified_many([(e, y, t)], VERIFIER, now)
        case ("issue", int(y), str(e), int(t), str(stage), str(reason)):
            row = AllocationRow(e, t, reason if stage != "pre" else "")
            door.issue(PLANS[y], y, stage, [row], PLATFORM, REGISTRAR, now, DOCUMENT)
        case ("deduct", int(y), str(e), int(t)):
            door.deduct(e, y, "correction", t, DOCUMENT, PLATFORM, REGISTRAR, now)
        case ("notify", int(y)):
            door.notify(y, now)
        case ("apply", int(y), str(e), int(t), str(v), bool(helped)):
            helper = ("P1" if e == "P2" else "P2") if helped else ""
            door.apply(e, y, v, t, ENTITY, now, helper, DOCUMENT if helped else "")
        case ("decide", int(n), "approved"):
            door.approve(n, PROVINCE, now)
        case ("decide", int(n), "rejected"):
            door.reject(n, PROVINCE, "no", now)
        case ("decide", int(n), _):
            door.withdraw(n, ENTITY, now)
        case ("offset", int(y), str(e), int(t), int(registered)):
            proof = f"{e}|{y}|{t}|{registered}"
            door.offset(e, y, proof, proof, ENTITY, now)
        case ("decide_offset", int(n)):
            door.decide_offset(n, Decision("approved", PROVINCE, now))
        case ("force", str(e)):
            door.force(e, DOCUMENT, PLATFORM, REGISTRAR, now)
        case ("all", int(y)):
            door.surrender_all(y, ENTITY, PROVINCE, now)
        case ("trade", str(e), str(v), int(t)):
            town.registry.transfer_in(town.index(e), v, t)
        case _:
            raise AssertionError(what)


def sums(town: Town) -> dict[str, int]:
    """Return what all buckets of a vintage and its source add up to: 0."""
    with town.registry.database.read() as tx:
        query = select(units.c.code, func.sum(buckets.c.balance))
        query = query.join(buckets, buckets.c.unit == units.c.id).group_by(units.c.code)
        return {str(code): int(total) for code, total in tx.execute(query)}


@settings(
    max_examples=15,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    steps=st.lists(step, min_size=5, max_size=40),
    pace=st.lists(st.integers(0, 90 * 86_400), min_size=40, max_size=40),
)
def test_tonnes_are_conserved_and_only_eligible_vintages_surrendered(
    steps: list[tuple[object, ...]], pace: list[int]
) -> None:
    """I1, I12: after every step, whether it was done or refused."""
    with Registry.open("sqlite://") as registry:
        town = Town(registry)
        town.compliance.proofs = Counting()
        now, met = FIRST_DAY, Counter[str]()
        for y in YEARS[:3]:  # otherwise most steps would only be refused
            town.verified(y, P1=100, P2=200)
            for stage, share in (("pre", 0), ("final", 1)):
                town.issue(y, stage, {"P1": 120 * share, "P2": 150 * share}, now)
            town.compliance.notify(y, now)
        for what, seconds in zip(steps, pace, strict=False):
            now = min(now + seconds * 10**9, LAST_DAY)
            try:
                do(town, what, now)
                met["done"] += 1
            except RefusalError as refusal:
                met[refusal.code] += 1
            assert set(sums(town).values()) <= {0}
        assert registry.violations() == []
        for one in town.compliance.applications(status="approved"):
            assert eligibility.is_eligible(one.vintage, one.year, one.applied_ns)
            late = one.applied_ns >= eligibility.deadline_ns(one.year)
            assert bool(one.late) == late
        assert registry.approvals.all("open") == []
