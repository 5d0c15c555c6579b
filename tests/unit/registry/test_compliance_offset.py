"""Voluntary reductions for an obligation, in the language of the rules (RG-12, CP-35 … CP-37)."""

from __future__ import annotations

import pytest

from registry.compliance.deciding import Decision
from registry.compliance.eligibility import ccer_max_tonnes, refuse_ineligible_offset
from registry.compliance.offsetting import Proof
from registry.errors import RefusalError
from registry.institution import Registry
from tests.unit.registry.compliance_town import ENTITY, PROVINCE, Town, at

IN_TIME = at(2024, 12, 20)
NEW, OLD = 20240601, 20160105


class Counter:
    """A CCER registry that knows some proofs."""

    def __init__(self) -> None:
        self.known: dict[str, Proof] = {}

    def proof(self, number: str) -> Proof | None:
        return self.known.get(number)

    def give(self, number: str, tonnes: int, **other: object) -> Proof:
        made = Proof(number, f"hash of {number}", "P1", 2023, "B1", tonnes, NEW, False)
        self.known[number] = made._replace(**other)  # type: ignore[arg-type]
        return self.known[number]


@pytest.fixture
def town(registry: Registry) -> Town:
    """P1 owes 1,000,010 t for 2023 and has all but the 50,000 that reductions may fulfil."""
    made = Town(registry)
    made.year(2023, {"P1": 1_000_010, "P2": 100}, {"P1": 950_010, "P2": 100})
    return made


@pytest.fixture
def counter(town: Town) -> Counter:
    found = Counter()
    town.compliance.proofs = found
    return found


def use(town: Town, proof: Proof, at_ns: int = IN_TIME) -> int:
    return town.compliance.offset("P1", 2023, proof.number, proof.sha256, ENTITY, at_ns)


def approve(town: Town, number: int, province: str | None = None) -> None:
    town.compliance.decide_offset(number, Decision("approved", PROVINCE, IN_TIME, "", province))


def test_reductions_fulfil_at_most_five_percent_rounded_down(town: Town, counter: Counter) -> None:
    """E78, CP-35: obligation 1,000,010, at most 50,000."""
    assert ccer_max_tonnes(1_000_010) == 50_000
    assert ccer_max_tonnes(19) == 0
    with pytest.raises(RefusalError, match=r"CP-35.*ccer_cap"):
        use(town, counter.give("A", 50_001))
    first = use(town, counter.give("B", 50_000))
    with pytest.raises(RefusalError, match="ccer_cap"):
        use(town, counter.give("C", 1))
    approve(town, first, "42")
    town.surrender("P1", 2023, "CEA23", 950_010, IN_TIME)
    proof = town.compliance.certificates("P1")[0]
    assert (proof.surrendered_tonnes, proof.offset_tonnes, proof.late) == (950_010, 50_000, 0)
    assert town.registry.violations() == []


def test_a_proof_counts_once_and_for_whom_it_was_given(town: Town, counter: Counter) -> None:
    """RG-12: cancelled there, proof here, checked, recorded."""
    good = counter.give("A", 10)
    first = use(town, good)
    with pytest.raises(RefusalError, match=r"RG-12.*proof_used"):
        use(town, good)
    town.compliance.decide_offset(first, Decision("withdrawn", ENTITY, IN_TIME))
    approve(town, use(town, good))
    with pytest.raises(RefusalError, match="proof_used"):
        use(town, good)
    with pytest.raises(RefusalError, match="proof_differs"):
        use(town, counter.give("B", 10, sha256="x")._replace(sha256="y"))
    for other in ({"entity": "P2"}, {"year": 2024}, {"year": 0}):
        with pytest.raises(RefusalError, match="proof_differs"):
            use(town, counter.give("C", 10, **other))
    with pytest.raises(RefusalError, match="unknown_proof"):
        use(town, good._replace(number="Z"))
    with pytest.raises(RefusalError, match=r"CP-36.*covered_installation"):
        use(town, counter.give("D", 10, covered=True))
    assert town.compliance.standing("P1", 2023).offset_tonnes == 10
    assert town.registry.violations() == []


def test_without_a_ccer_registry_nothing_is_offset(town: Town) -> None:
    with pytest.raises(RefusalError, match="no_offset_registry"):
        town.compliance.offset("P1", 2023, "A", "", ENTITY, IN_TIME)


def test_the_province_decides_and_nobody_on_his_own(town: Town, counter: Counter) -> None:
    """CP-32, CP-33, ST-07."""
    number = use(town, counter.give("A", 10))
    for decision, code in (
        (Decision("approved", ENTITY, IN_TIME), "maker_is_checker"),
        (Decision("withdrawn", PROVINCE, IN_TIME), "not_the_maker"),
        (Decision("approved", PROVINCE, IN_TIME, "", "13"), "other_province"),
    ):
        with pytest.raises(RefusalError, match=code):
            town.compliance.decide_offset(number, decision)
    town.compliance.decide_offset(number, Decision("rejected", PROVINCE, IN_TIME, "illegible"))
    with pytest.raises(RefusalError, match="decided_before"):
        approve(town, number)
    with pytest.raises(RefusalError, match="unknown_offset"):
        approve(town, 9)
    assert town.compliance.offsets("P1")[0].note == "illegible"
    assert town.compliance.standing("P1", 2023).offset_tonnes == 0


@pytest.mark.parametrize(
    ("year", "registered", "when", "counts"),
    [
        (2021, OLD, at(2023, 12, 1), True),
        (2021, 20170314, at(2023, 12, 1), False),
        (2022, NEW, at(2024, 12, 1), False),
        (2023, OLD, at(2024, 12, 31, 23), True),
        (2023, NEW, at(2024, 12, 31, 23), True),
        (2023, OLD, at(2025, 1, 1, 0), False),
        (2023, NEW, at(2025, 1, 1, 0), True),
        (2024, OLD, at(2024, 12, 1), False),
        (2024, 20240121, at(2025, 12, 1), False),
        (2024, 20240122, at(2025, 12, 1), True),
        (2021, NEW, at(2025, 12, 1), True),
        (2025, NEW, at(2026, 12, 1), True),
    ],
)
def test_which_reductions_count(year: int, registered: int, when: int, counts: bool) -> None:
    """CP-37, VM-11: filed before 2017-03-14 until 2024, of the restarted market since."""
    if counts:
        refuse_ineligible_offset(year, registered, when)
    else:
        with pytest.raises(RefusalError, match="CP-37"):
            refuse_ineligible_offset(year, registered, when)
