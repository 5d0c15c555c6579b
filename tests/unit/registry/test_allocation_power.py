"""Power: units, then entities, in the order of each plan; the edge cases E55 to E61 and E67."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest

from registry.allocation.report import entities, nation, provinces, units
from tests.unit.registry.allocation_tables import UNIT, allocated, entity_of, read, unit_of

P19, P21 = "power-2019-2020", "power-2021-2022"
P23, P25 = "power-2023-2024", "power-2025-2026"


def coal(mwh: str = "1000000", load: str = "80", name: str = "I", **cells: str) -> dict[str, str]:
    return {
        "class": name,
        "generated_mwh": mwh,
        "supplied_mwh": mwh,
        "load_factor_pct": load,
        "cooling": "water",
        **cells,
    }


def gas(mwh: str, **cells: str) -> dict[str, str]:
    return coal(mwh, "", "IV", **cells)


def quota(plan: str, year: int, **cells: str) -> int | str:
    return unit_of(plan, year, **cells)["quota_t"]


def test_al10_cooling_heat_and_load() -> None:
    assert quota(P19, 2019, **coal(load="70")) == 903_507  # 0.877 x 1.030225 x 10^6 = ….325
    assert quota(P19, 2019, **coal(load="85", cooling="air")) == 920_850  # 0.877 x 1.05
    with_heat = coal(load="", heat_gj="1000000", heat_ratio_pct="20")
    assert quota(P19, 2020, **with_heat) == 838_412 + 126_000  # 0.877 x (1 - 0.22 x 0.2)
    assert quota(P21, 2021, **{**with_heat, "load_factor_pct": "85"}) == 785_640 + 111_100
    turbine = gas("1000000", heat_gj="1000000", heat_ratio_pct="50")
    assert quota(P19, 2019, **turbine) == 274_400 + 59_000  # 0.392 x (1 - 0.6 x 0.5)


def test_al30_no_cooling_and_heat_factors_from_2023() -> None:
    row = coal(load="70", cooling="air", heat_gj="1000000", heat_ratio_pct="50")
    assert quota(P23, 2024, **row) == 791_000 + 103_300
    # Per MWh supplied before, per MWh generated from then on.
    row |= {"supplied_mwh": "900000"}
    assert quota(P23, 2024, **row) == 791_000 + 103_300
    assert quota(P19, 2019, **coal(load="85", supplied_mwh="900000")) == 789_300


def test_e55_peak_shaving_factor() -> None:
    below, at = unit_of(P23, 2024, **coal(load="64.9")), unit_of(P23, 2024, **coal(load="65.0"))
    assert Decimal(str(below["load_factor"])).quantize(Decimal("1.0000")) == Decimal("1.0460")
    assert (at["load_factor"], at["quota_t"]) == ("1", 791_000)
    assert below["quota_t"] == 827_377  # 0.7910 x 1.045989795… x 10^6


def test_e57_class_iii_never_has_a_load_factor() -> None:
    for plan, year in ((P19, 2019), (P21, 2022), (P23, 2024), (P25, 2025)):
        found = unit_of(plan, year, **coal(load="40", name="III"))
        assert found["load_factor"] == "1"


@pytest.mark.parametrize(
    ("cells", "name"),
    [
        ({"fuel": "coal", "capacity_mw": "350"}, "II"),  # E58
        ({"fuel": "coal", "capacity_mw": "399.999"}, "II"),
        ({"fuel": "coal", "capacity_mw": "400"}, "I"),
        ({"fuel": "coal", "capacity_mw": "1000", "unconventional_pct": "50"}, "I"),
        ({"fuel": "coal", "capacity_mw": "1000", "unconventional_pct": "50.1"}, "III"),
        ({"fuel": "gas", "other_fuel_pct": "10"}, "IV"),
        # Units that report merged take the least favourable class.
        ({"fuel": "coal", "capacity_mw": "330+600"}, "I"),
        ({"class": "II+III"}, "II"),
        ({"class": "III + II+ I"}, "I"),
    ],
)
def test_al03_classes(cells: dict[str, str], name: str) -> None:
    row = {**coal(), "class": "", **cells}
    assert unit_of(P23, 2024, **row)["kind"] == name


def test_e59_gas_units_are_raised_to_their_emissions() -> None:
    short = unit_of(P23, 2024, **gas("273.73", emissions_t="100"))
    assert (short["quota_t"], short["gas_top_up_t"], short["approved_t"]) == (90, 10, 100)
    rich = unit_of(P23, 2024, **gas("334.56", emissions_t="100"))
    assert (rich["quota_t"], rich["gas_top_up_t"], rich["approved_t"]) == (110, 0, 110)


def test_e60_cap_on_the_allocation_side() -> None:
    found = entity_of(P23, 2024, coal("84.92", name="III", emissions_t="100"))
    assert (found["quota_t"], found["cap_top_up_t"], found["approved_t"]) == (70, 10, 80)
    assert (found["obligation_t"], found["shortfall_t"]) == (100, 20)
    assert found["shortfall_pct"] == "20.00"


def test_e61_cap_on_the_obligation_side() -> None:
    found = entity_of(P19, 2019, coal("61.09", name="III", emissions_t="100"))
    assert (found["quota_t"], found["cap_top_up_t"], found["approved_t"]) == (70, 0, 70)
    assert (found["obligation_t"], found["waived_t"]) == (90, 10)


def test_al13_a_gas_unit_owes_at_most_its_allocation() -> None:
    found = entity_of(P19, 2019, gas("200000", emissions_t="100000"))
    assert (found["approved_t"], found["obligation_t"]) == (78_400, 78_400)
    rich = entity_of(P19, 2019, gas("300000", emissions_t="100000"))
    assert (rich["approved_t"], rich["obligation_t"]) == (117_600, 100_000)


def test_al13_gas_obligation_first_then_the_cap() -> None:
    rows = (
        gas("200000", unit="g", emissions_t="100000"),  # 78,400 t: 21,600 t waived
        coal("500000", name="III", unit="c", emissions_t="900000"),  # 573,000 t
    )
    found = entity_of(P19, 2019, *rows)
    assert found["approved_t"] == 651_400
    assert found["obligation_t"] == 851_400  # 978,400 after the waiver; then 651,400 + 200,000


def test_al36_gas_exemption_first_then_the_cap() -> None:
    rows = (
        gas("100000", unit="g", emissions_t="500000"),  # 32,880 t raised to 500,000 t
        coal("100000", name="III", unit="c", emissions_t="500000"),  # 82,440 t
    )
    found = entity_of(P23, 2024, *rows)
    assert (found["quota_t"], found["gas_top_up_t"]) == (115_320, 467_120)
    assert (found["cap_top_up_t"], found["approved_t"]) == (217_560, 800_000)
    # A surplus elsewhere does not take the exemption back: unit by unit, before the cap.
    rich = (rows[0], coal("1000000", name="III", unit="c", emissions_t="500000"))
    assert entity_of(P23, 2024, *rich)["approved_t"] == 500_000 + 824_400


def test_rounding_of_parts_and_of_units() -> None:
    row = coal("1000.9", "60", heat_gj="1000.9", emissions_t="30000")
    # 2024: 0.7910 x 1000.9 x 1.06136… + 0.1033 x 1000.9 = 840.2899… + 103.3929… = 943.68…
    assert quota(P23, 2024, **row) == 943
    # AL-62: 2025 rounds each part down: 0.7902 x 1000.9 = 790.91…, 0.1027 x 1000.9 = 102.79…
    found = unit_of(P25, 2025, **row)
    assert (found["electricity_quota_t"], found["heat_quota_t"]) == ("790", "102")
    assert found["quota_t"] == 892


def test_al12_pre_allocation_of_base_year_output() -> None:
    row = coal(load="85", base_electricity_mwh="2000000", base_heat_gj="0")
    assert unit_of(P19, 2019, **row)["pre_allocation_t"] == 1_227_800  # 0.7 x 0.877 x 2 x 10^6


@pytest.mark.parametrize(
    ("plan", "year", "early"), [(P21, 2021, 700_000), (P23, 2024, 700_000), (P25, 2025, 500_000)]
)
def test_pre_allocation_and_true_up(plan: str, year: int, early: int) -> None:
    row = coal(load="85", base_emissions_t="1000001", emissions_t="800000")
    found = entity_of(plan, year, row)
    assert found["pre_issued_t"] == early
    assert found["final_issue_t"] == int(found["approved_t"]) - early
    low = coal("100000", load="85", base_emissions_t="1000001", emissions_t="80000")
    found = entity_of(plan, year, low)  # AL-34: too much early is taken back
    assert (found["final_issue_t"], found["take_back_t"]) == (0, early - int(found["approved_t"]))


def test_al63_the_province_may_grant_less() -> None:
    row = coal(load="85", base_emissions_t="1000000", pre_allocated_t="300000")
    assert entity_of(P25, 2025, row)["pre_issued_t"] == 300_000


@pytest.mark.parametrize(
    ("approved", "early", "owed", "expected"),
    [
        # The annex: pre 50 kt, approved 30 kt, deduction 70 kt.
        (30_000, 50_000, 70_000, (0, 30_000, 40_000, 20_000, 0, 0)),
        # Enough for all of it; the early part pays first.
        (100_000, 50_000, 20_000, (30_000, 20_000, 0, 0, 50_000, 0)),
        (100_000, 50_000, 70_000, (0, 70_000, 0, 0, 30_000, 0)),
        (30_000, 50_000, 10_000, (40_000, 10_000, 0, 0, 0, 20_000)),
        (30_000, 50_000, 0, (50_000, 0, 0, 0, 0, 20_000)),
    ],
)
def test_al67_deductions(approved: int, early: int, owed: int, expected: tuple[int, ...]) -> None:
    row = {
        **coal(special="biomass", emissions_t=str(approved)),
        "pre_allocated_t": str(early),
        "deduction_t": str(owed),
    }
    found = entity_of(P25, 2025, row)
    fields = (
        *("pre_issued_t", "deducted_t", "deduction_left_t", "credited_back_t"),
        *("final_issue_t", "take_back_t"),
    )
    assert tuple(found[field] for field in fields) == expected
    issued = expected[0] + expected[4] - expected[5]
    assert issued + expected[1] == approved  # what is approved is issued or deducted
    assert expected[1] + expected[2] == owed


def test_al66_example_and_e67() -> None:
    row = coal("1500000", load="85", differentiated="unpaid", base_emissions_t="900000")
    # 2024: 1,186,500 t approved for 1,000,000 t of emissions
    found = entity_of(P23, 2024, row)
    assert (found["pre_issued_t"], found["final_issue_t"]) == (0, 1_186_500)
    assert (found["forced_surrender_t"], found["released_t"]) == (1_000_000, 186_500)
    assert (found["still_owed_t"], found["differentiated"]) == (0, "unpaid")
    short = {**row, "generated_mwh": "1012400"}  # 800,808 t
    found = entity_of(P23, 2024, short)
    assert (found["forced_surrender_t"], found["released_t"]) == (800_808, 0)
    assert found["still_owed_t"] == 199_192


def test_al66_the_plans_own_example() -> None:
    """Approved 1.2 Mt, owed 1.0 Mt: 0.2 Mt released; approved 0.8 Mt: 0.2 Mt still owed."""
    rich = coal("1518602.89", load="85", differentiated="closed")  # x 0.7902 = 1,200,000.003…
    found = entity_of(P25, 2025, rich)
    assert (found["final_issue_t"], found["released_t"]) == (1_200_000, 200_000)
    assert (found["forced_surrender_t"], found["still_owed_t"]) == (1_000_000, 0)
    poor = coal("1000", load="85", differentiated="closed")  # raised to 80 % (AL-64)
    found = entity_of(P25, 2025, poor)
    assert (found["final_issue_t"], found["released_t"]) == (800_000, 0)
    assert (found["forced_surrender_t"], found["still_owed_t"]) == (800_000, 200_000)


def test_al24_borrowing() -> None:
    short = coal("1000000", load="85", emissions_t="913111")  # 821,800 t: 9.99 % short
    assert entity_of(P21, 2021, short)["borrow_max_t"] == 0
    short["emissions_t"] = "913112"  # 91,312 t are 10.0001 %
    assert entity_of(P21, 2021, short)["borrow_max_t"] == 45_656
    exactly = coal("1095156.98", load="85")  # 900,000 t of 1,000,000 t
    assert entity_of(P21, 2021, exactly)["borrow_max_t"] == 50_000
    assert entity_of(P23, 2023, short)["borrow_max_t"] == 0  # AL-37


def test_al65_quota_equals_emissions() -> None:
    found = unit_of(P25, 2025, special="coal_to_gas", emissions_t="123456")
    assert (found["quota_t"], found["approved_t"], found["load_factor"]) == (123_456, 123_456, "")
    small = coal("100", load="85", emissions_t="25999")
    found = unit_of(P25, 2026, **small)
    assert (found["quota_t"], found["special"]) == (25_999, "below_threshold")
    assert unit_of(P25, 2026, **{**small, "emissions_t": "26000"})["special"] == ""
    # The threshold is the entity's: two units of 13,000 t are not below it.
    two = [{**small, "unit": name, "emissions_t": "13000"} for name in "ab"]
    assert {row["special"] for row in units(allocated(P25, 2025, *two))} == {""}
    assert unit_of(P23, 2024, **small)["quota_t"] == 79  # no threshold before 2025


def test_al04_out_of_scope_units_count_nowhere() -> None:
    rows = (coal("1000000", load="85", unit="a"), {"unit": "b", "special": "new"})
    found = entity_of(P23, 2024, *rows)
    assert (found["units"], found["emissions_t"]) == (1, 1_000_000)
    assert unit_of(P23, 2024, **rows[1])["in_scope"] == "no"


def test_al02_sums_of_provinces_and_nation() -> None:
    rows = [
        coal("1000000", load="85", entity="A", province="Hubei"),
        coal("2000000", load="85", entity="B", province="Hubei", emissions_t="1500000"),
        coal("3000000", load="85", entity="C", province="Anhui", emissions_t="2400000"),
    ]
    of = allocated(P23, 2024, *rows)
    total, parts, each = nation(of), provinces(of), entities(of)
    assert [row["province"] for row in parts] == ["Anhui", "Hubei"]
    for field in ("approved_t", "obligation_t", "shortfall_t", "surplus_t", "final_issue_t"):
        assert total[field] == sum(int(row[field]) for row in each)
        assert total[field] == sum(int(row[field]) for row in parts)
    assert total["approved_t"] == (791_000 + 9_000) + 1_582_000 + 2_373_000
    assert (total["net_deficit_t"], total["net_deficit_pct"]) == (145_000, "2.96")


def test_real_figures_of_2023() -> None:
    """Issued 5.22 Gt, due 5.24 Gt, deficit 0.55 %: the printed figures go together."""
    due = 5_240_000_000
    issued = due - 29_000_000
    mwh = Decimal(issued) / Decimal("0.7950")
    rows = [
        coal(str((mwh / 2200).quantize(Decimal("0.001"))), "85", entity=f"E{i}")
        for i in range(2200)
    ]
    emitted = str(due // 2200)
    total = nation(allocated(P23, 2023, *({**row, "emissions_t": emitted} for row in rows)))
    share = Decimal(int(total["net_deficit_t"])) / Decimal(int(total["obligation_t"]))
    assert share.quantize(Decimal("0.0001"), ROUND_HALF_UP) == Decimal("0.0055")
    assert total["net_deficit_pct"] == "0.55"


def test_facts_of_an_entity_stand_in_any_row() -> None:
    rows = (coal(unit="a"), coal(unit="b", deduction_t="5"), coal(unit="c", deduction_t="5"))
    assert entity_of(P23, 2024, *rows)["deducted_t"] == 5
    reading = read(P23, *rows, coal(unit="d", deduction_t="6"), year=2024)
    assert [(r.row, r.field, r.code) for r in reading.refused] == [
        (5, "deduction_t", "entity_conflict")
    ]
    assert UNIT["entity"] == reading.units[2024].entities.names[0]
