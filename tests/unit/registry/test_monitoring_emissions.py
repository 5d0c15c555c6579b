"""Emissions from parameters, and the plausibility checks (CP-02, CP-07, CP-09, U17, U27)."""

from __future__ import annotations

from fractions import Fraction

import pytest

from registry.allocation.cells import CellError
from registry.monitoring import parameters, plausibility
from registry.monitoring.emissions import emissions_t, text_of, whole_tonnes
from registry.monitoring.parameters import SETS, Given, parse
from registry.monitoring.plausibility import Month

# A month that is plausible in every respect, per set: what each test below bends.
GOOD: dict[str, dict[str, str]] = {
    "power_coal": {
        "fuel": "100000",
        "ncv": "20",
        "carbon_content": "0.026",
        "oxidation": "99",
        "generated": "210000",
        "supplied": "198000",
        "heat": "50000",
        "load": "58",
        "heat_ratio": "3",
        "hours": "720",
    },
    "power_gas": {
        "fuel": "2000",
        "ncv": "389",
        "carbon_content": "0.0153",
        "oxidation": "99.5",
        "generated": "100000",
        "supplied": "98000",
    },
    "steel": {
        "fuel": "100000",
        "ncv": "28",
        "carbon_content": "0.0294",
        "oxidation": "98",
        "limestone": "1000",
        "dolomite": "2000",
        "electrodes": "10",
        "crude_steel": "150000",
        "iron": "140000",
        "pig_iron_sold": "100",
        "ironmaking_emissions": "170000",
        "sintering_emissions": "30000",
    },
    "cement": {
        "fuel": "14000",
        "ncv": "24",
        "carbon_content": "0.0262",
        "oxidation": "98",
        "clinker": "100000",
        "cao": "65.5",
        "mgo": "1.5",
        "cao_other": "0.5",
    },
    "aluminium": {
        "aluminium": "40000",
        "anode": "16400",
        "anode_sulphur": "1.9",
        "anode_ash": "0.5",
        "cf4": "1000",
        "c2f6": "100",
    },
}


def values(set_name: str, **bent: str) -> dict[str, Given]:
    units = parameters.parameters(set_name)
    given = {**GOOD[set_name], **bent}
    return {name: parse(set_name, name, text, units[name].unit) for name, text in given.items()}


def month(set_name: str, capacity_mw: int | None = 500, **bent: str) -> Month:
    held = values(set_name, **bent)
    capacity = Fraction(capacity_mw) if capacity_mw else None
    return Month(set_name, 202511, held, emissions_t(set_name, held, 2025), capacity)


def codes(set_name: str, **bent: str) -> list[tuple[str, str]]:
    return [(one.rule, one.parameter) for one in plausibility.check(month(set_name, **bent))]


@pytest.mark.parametrize(
    ("set_name", "exact"),
    [
        # 100,000 t x 20 GJ/t x 0.026 tC/GJ x 99 % x 44/12
        ("power_coal", Fraction(188_760)),
        # 2,000 x 389 x 0.0153 x 99.5 % x 44/12, in 10^4 m3
        ("power_gas", Fraction(778_000 * 153 * 995 * 44, 10_000 * 1_000 * 12)),
        # fuel 100,000 x 28 x 0.0294 x 98 % x 44/12 = 295,803.2; flux 440 + 942; electrodes 36.63;
        # less steel 150,000 x 0.0154 = 2,310 and pig iron 17.2
        ("steel", Fraction(29_580_320 + 44_000 + 94_200 + 3_663 - 231_000 - 1_720, 100)),
        # fuel 14,000 x 24 x 0.0262 x 98 % x 44/12; clinker x (65 % x 44/56 + 1.5 % x 44/40)
        (
            "cement",
            Fraction(336_000 * 262 * 98 * 44, 10_000 * 100 * 12)
            + 100_000
            * (Fraction(65, 100) * Fraction(44, 56) + Fraction(15, 1000) * Fraction(11, 10)),
        ),
        # 16,400 x 97.6 % x 44/12 + (1,000 kg x 6,630 + 100 kg x 11,100) / 1,000
        ("aluminium", Fraction(164 * 976 * 44, 10 * 12) + 6_630 + 1_110),
    ],
)
def test_emissions_are_exact_cp_02(set_name: str, exact: Fraction) -> None:
    assert emissions_t(set_name, values(set_name), 2025) == exact


@pytest.mark.parametrize(
    ("year", "more"),
    [(2019, "610.1"), (2020, "610.1"), (2021, "581"), (2022, "570.3"), (2023, "0"), (2026, "0")],
)
@pytest.mark.parametrize("set_name", ["power_coal", "power_gas"])
def test_bought_electricity_counts_for_power_until_2022_cp_07_cp_30(
    set_name: str, year: int, more: str
) -> None:
    direct = emissions_t(set_name, values(set_name), year)
    assert direct == emissions_t(set_name, values(set_name), 2025)
    bought = values(set_name, bought_electricity="1000")
    assert emissions_t(set_name, bought, year) - direct == Fraction(more)


def test_nobody_else_reports_bought_electricity_cp_07() -> None:
    for set_name in ("steel", "cement", "aluminium"):
        assert "bought_electricity" not in parameters.parameters(set_name)


def test_a_whole_year_is_held_to_the_bounds_of_a_year_cp_10() -> None:
    """What twelve months may have together a year may have; what they may not is found."""
    year = {"fuel": "1200000", "generated": "2500000", "supplied": "2350000"}
    year |= {"hours": "8760", "load": "57"}
    assert plausibility.check(month("power_coal", **year)._replace(month=202100)) == []
    over = {**year, "fuel": "12000001", "hours": "8929"}
    found = plausibility.check(month("power_coal", **over)._replace(month=202100))
    extremes = {one.parameter: one.high for one in found if one.rule == "PC-01"}
    assert extremes == {"fuel": "12000000", "hours": "8928"}
    # 500 MW x 8,784 hours x 1.05 in a leap year, 8,760 in another
    busy = {**year, "generated": "4600000", "supplied": "4400000", "fuel": "2700000"}
    busy |= {"hours": "8784", "load": "100"}
    for name, expected in ((202000, []), (202100, ["PC-13"])):
        of_year = month("power_coal", **busy)._replace(month=name)
        assert [one.rule for one in plausibility.check(of_year)] == expected


@pytest.mark.parametrize(
    ("parameter", "rule", "dear"),
    [("carbon_content", "PC-24", "0.0312"), ("ncv", "PC-25", "30")],
)
def test_nobody_gains_by_not_measuring(parameter: str, rule: str, dear: str) -> None:
    unit = parameters.parameters("power_coal")[parameter].unit
    default = parse("power_coal", parameter, "", unit, "default")
    now = month("power_coal")
    now = now._replace(values={**now.values, parameter: default})

    def found(before: str, basis: str = "measured") -> list[tuple[str, str, str]]:
        then = month("power_coal", **{parameter: before}) if basis == "measured" else now
        rows = plausibility.check(now, then)
        return [(one.severity, one.value, one.low) for one in rows if one.rule == rule]

    assert found(dear) == [("error", text_of(default.value), text_of(Fraction(dear)))]
    assert found(default.text) == []  # what was measured is no more than the standard
    assert found("", "default") == []
    assert not [one for one in plausibility.check(now) if one.rule == rule]  # no month before
    measured = month("power_coal", **{parameter: default.text})
    then = month("power_coal", **{parameter: dear})
    assert not [one for one in plausibility.check(measured, then) if one.rule == rule]


def test_the_gases_of_the_anode_effect_have_their_potentials_u17() -> None:
    assert parameters.constants("gwp") == {"cf4": 6_630, "c2f6": 11_100}


@pytest.mark.parametrize(
    ("exact", "tonnes", "text"),
    [
        (Fraction(1, 2), 1, "0.5"),
        (Fraction(1, 3), 0, "0.333333"),
        (Fraction(2, 3), 1, "0.666667"),
        (Fraction(2_499_999, 1_000_000), 2, "2.499999"),
        (Fraction(-1, 4), 0, "-0.25"),
        (Fraction(7), 7, "7"),
    ],
)
def test_rounding_is_half_up_and_once_u27(exact: Fraction, tonnes: int, text: str) -> None:
    assert (whole_tonnes(exact), text_of(exact)) == (tonnes, text)


@pytest.mark.parametrize(
    ("args", "field", "code"),
    [
        (("steam", "1", "t"), "parameter", "unknown_parameter"),
        (("fuel", "1", ""), "unit", "missing_unit"),
        (("fuel", "1", "kg"), "unit", "wrong_unit"),
        (("fuel", "1", "t", "guessed"), "basis", "basis_invalid"),
        (("fuel", "", "t", "default"), "basis", "no_default"),
        (("ncv", "26", "GJ/t", "default"), "value", "not_the_default"),
        (("fuel", "", "t"), "value", "missing_value"),
        (("fuel", "-1", "t"), "value", "negative"),
        (("fuel", "−1.5", "t"), "value", "negative"),
        (("fuel", "1e5", "t"), "value", "not_a_number"),
        (("fuel", "1,000", "t"), "value", "not_a_number"),
        (("fuel", "nan", "t"), "value", "not_a_number"),
        (("fuel", "0.123456789", "t"), "value", "not_a_number"),
    ],
)
def test_a_bad_value_is_refused_with_its_field(
    args: tuple[str, ...], field: str, code: str
) -> None:
    with pytest.raises(CellError) as found:
        parse("power_coal", *args)
    assert (found.value.field, found.value.code) == (field, code)


def test_a_default_is_the_standard_value_and_gas_has_its_own_units() -> None:
    assert parse("power_coal", "ncv", "", "GJ/t", "default").value == Fraction(267, 10)
    assert parse("power_coal", "ncv", "26.70", "GJ/t", "default").value == Fraction(267, 10)
    assert parameters.set_of("power", "gas") == "power_gas"
    assert parameters.set_of("power", "coal") == "power_coal"
    assert parameters.set_of("cement", "gas") == "cement"
    with pytest.raises(CellError, match=r"in 10\^4 m3, not in t"):
        parse("power_gas", "fuel", "1", "t")


@pytest.mark.parametrize("set_name", SETS)
def test_a_plausible_month_has_no_findings(set_name: str) -> None:
    assert codes(set_name) == []


@pytest.mark.parametrize(
    ("set_name", "bent", "found"),
    [
        ("power_coal", {"carbon_content": "0.0229"}, ("PC-01", "carbon_content")),
        ("power_coal", {"carbon_content": "0.0321"}, ("PC-01", "carbon_content")),
        ("power_gas", {"hours": "745"}, ("PC-01", "hours")),
        ("power_coal", {"carbon_content": "0.03085"}, ("PC-02", "carbon_content")),
        ("power_coal", {"supplied": "210001"}, ("PC-11", "supplied")),
        ("power_coal", {"supplied": "150000"}, ("PC-12", "supplied")),
        ("power_gas", {"generated": "378001", "fuel": "8000"}, ("PC-13", "generated")),
        ("power_coal", {"load": "64"}, ("PC-14", "load")),
        ("power_coal", {"fuel": "10000"}, ("PC-15", "fuel")),
        ("power_coal", {"generated": "120000", "supplied": "110000"}, ("PC-16", "fuel")),
        ("power_gas", {"fuel": "4500"}, ("PC-17", "fuel")),
        ("power_coal", {"heat": "2000001"}, ("PC-18", "heat")),
        ("power_coal", {"heat_ratio": "0"}, ("PC-19", "heat_ratio")),
        ("power_gas", {"generated": "0", "supplied": "0"}, ("PC-20", "generated")),
        ("steel", {"ironmaking_emissions": "264895"}, ("PC-31", "ironmaking_emissions")),
        ("steel", {"iron": "20000"}, ("PC-32", "iron")),
        ("cement", {"cao_other": "65.6"}, ("PC-41", "cao_other")),
        ("cement", {"mgo_other": "1.6"}, ("PC-42", "mgo_other")),
        ("cement", {"clinker": "10000"}, ("PC-43", "clinker")),
        ("aluminium", {"c2f6": "251"}, ("PC-51", "c2f6")),
        ("aluminium", {"anode": "22001"}, ("PC-52", "anode")),
        ("aluminium", {"cf4": "20000"}, ("PC-53", "aluminium")),
    ],
)
def test_every_check_names_the_parameter(
    set_name: str, bent: dict[str, str], found: tuple[str, str]
) -> None:
    assert found in codes(set_name, **bent)


@pytest.mark.parametrize(
    ("set_name", "bent", "absent"),
    [
        ("power_coal", {"carbon_content": "0.0230"}, "PC-01"),
        ("power_coal", {"supplied": "210000"}, "PC-11"),
        ("power_gas", {"generated": "378000", "fuel": "8000"}, "PC-13"),
        ("power_coal", {"oxidation": "99"}, "PC-02"),
        ("cement", {"cao_other": "65.5"}, "PC-41"),
        ("aluminium", {"c2f6": "250"}, "PC-51"),
    ],
)
def test_a_bound_itself_is_plausible(set_name: str, bent: dict[str, str], absent: str) -> None:
    assert absent not in [code for code, _ in codes(set_name, **bent)]


def test_a_default_is_found_with_its_value() -> None:
    held = month("power_coal").values | {
        "carbon_content": parse("power_coal", "carbon_content", "", "tC/GJ", "default"),
        "oxidation": parse("power_coal", "oxidation", "", "%", "default"),
    }
    found = plausibility.check(Month("power_coal", 202511, held, Fraction(223_971), Fraction(500)))
    assert [(one.rule, one.parameter, one.value) for one in found] == [
        ("PC-03", "carbon_content", "0.03085")  # of the oxidation nobody expects a measurement
    ]


@pytest.mark.parametrize(
    ("set_name", "bent", "found"),
    [
        ("power_coal", {"ncv": "24.1"}, [("PC-21", "ncv")]),
        ("power_coal", {"ncv": "24"}, []),
        ("power_coal", {"carbon_content": "0.0287"}, [("PC-22", "carbon_content")]),
        ("power_coal", {"fuel": "130000"}, [("PC-23", "fuel")]),
        ("aluminium", {"cf4": "4000"}, [("PC-23", "aluminium")]),
    ],
)
def test_jumps_from_month_to_month(
    set_name: str, bent: dict[str, str], found: list[tuple[str, str]]
) -> None:
    now = month(set_name, None, **bent)
    seen = [
        (one.rule, one.parameter)
        for one in plausibility.check(now, month(set_name, None))
        if one.rule in {"PC-21", "PC-22", "PC-23"}
    ]
    assert seen == found
    assert all(one.rule[:4] != "PC-2" for one in plausibility.check(now, None))


def test_a_finding_states_value_and_bounds() -> None:
    found = plausibility.check(month("power_coal", supplied="210001"))
    assert found[0] == ("PC-11", "error", "supplied", "210001", "", "210000")
    found = plausibility.check(month("power_coal", carbon_content="0.0229"))
    assert found[0] == ("PC-01", "error", "carbon_content", "0.0229", "0.023", "0.032")


def test_every_rule_names_what_there_is() -> None:
    kinds = {*plausibility.CHECKS, "jump", "default_below", "months", "year_jump"}
    for rule in plausibility.rules().values():
        assert rule.kind in kinds
        assert rule.severity in {"error", "warning"}
        assert set(rule.sets) <= set(SETS)
        for name in filter(None, (rule.quantity, rule.than)):
            for set_name in rule.sets:
                known = {*parameters.parameters(set_name), *plausibility.DERIVED}
                assert name in known, (rule.code, name)
        if rule.kind == "within":
            assert rule.low is not None
            assert rule.high is not None
