"""Reading what only a plan of the power sector says: classes, benchmarks, factors (4.2 to 4.7)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from registry.allocation.exact import scaled
from registry.allocation.plan import (
    UNIT_CLASSES,
    Benchmark,
    Cited,
    ClassRules,
    Cooling,
    PowerRules,
)
from registry.allocation.plan_load import classes_of, load_factor, years_of
from registry.allocation.toml_table import TomlTable, refuse

BENCHMARK_DECIMALS = 10**6
SLOPE_DECIMALS = 10**4


def rules(table: TomlTable, formula: TomlTable, years: tuple[int, ...]) -> PowerRules:
    """Take the power sector's tables; refused with ``plan_invalid``."""
    benchmarks = _benchmarks(table.table("benchmarks"), years, published_only=False)
    for year in years:
        if year not in benchmarks:
            refuse(f"benchmarks.{year}", "is missing")
    balance = table.optional("balance_values")
    return PowerRules(
        supplied=formula.cited_flag("output", "supplied", "generated"),
        classes=_classes(table.table("classes")),
        benchmarks=benchmarks,
        balance_values=_benchmarks(balance, years, published_only=True) if balance else {},
        cooling=_cooling(table.optional("cooling")),
        heat_supply=_heat_supply(table.optional("heat_supply")),
        load=load_factor(table.optional("load")),
    )


def _classes(row: TomlTable) -> ClassRules:
    found = ClassRules(
        row.cited_number("split_mw"),
        row.cited_number("unconventional_over_pct", 0, 100),
        row.cited_number("gas_other_fuel_max_pct", 0, 100),
    )
    row.finish()
    return found


def _benchmarks(
    by_year: TomlTable, years: tuple[int, ...], published_only: bool
) -> dict[int, tuple[Benchmark, ...]]:
    found = {}
    for year in years_of(by_year, years):
        row = by_year.table(str(year))
        found[year] = tuple(_benchmark(row.table(name), published_only) for name in UNIT_CLASSES)
        row.finish()
    return found


def _benchmark(row: TomlTable, published_only: bool) -> Benchmark:
    electricity = row.number("electricity", Decimal("1e-6"), 10)
    scaled(electricity, BENCHMARK_DECIMALS, row.at("electricity"))
    heat = None
    if row.has("heat") or not published_only:
        heat = row.number("heat", 0, 10)
        scaled(heat, BENCHMARK_DECIMALS, row.at("heat"))
    found = Benchmark(electricity, heat, *row.source())
    row.finish()
    return found


def _cooling(row: TomlTable | None) -> Cooling | None:
    if row is None:
        return None
    found = Cooling(classes_of(row), row.cited_number("water", 0, 2), row.cited_number("air", 0, 2))
    for number in (found.water, found.air):
        scaled(number.value, BENCHMARK_DECIMALS, row.place)
    row.finish()
    return found


def _heat_supply(row: TomlTable | None) -> Mapping[int, Cited[Decimal]]:
    if row is None:
        return {}
    found = {}
    for name in row.key_names():
        if name not in UNIT_CLASSES:
            refuse(row.at(name), f"is no unit class; there are {', '.join(UNIT_CLASSES)}")
        slope = row.cited_number(name, 0, 1)
        scaled(slope.value, SLOPE_DECIMALS, row.at(name))
        found[UNIT_CLASSES.index(name)] = slope
    return found
