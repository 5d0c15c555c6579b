"""Reading the load factor Ff of a plan, with its steps and check values (AL-10, AL-32, AL-61)."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from registry.allocation.exact import MICRO, scaled
from registry.allocation.factors import curve, precisely
from registry.allocation.plan import UNIT_CLASSES, LoadFactor, LoadStep
from registry.allocation.toml_table import TomlTable, refuse

FORMS: dict[str, tuple[str, ...]] = {
    "constant": ("at",),
    "linear": ("at", "slope", "pivot_pct"),
    "power": ("base", "exponent", "exponent_slope"),
    "exponentials": ("at",),
}
FACTOR_MAX = 10  # what the exact rounding of factors is proven for
FULL_LOAD_PCT = Decimal(100)


def years_of(table: TomlTable, years: tuple[int, ...]) -> list[int]:
    """Return the years that a table has keys for; refused unless all are years of the plan."""
    for key in table.key_names():
        if key not in {str(year) for year in years}:
            refuse(table.at(key), "is no year of the plan")
    return [int(key) for key in table.key_names()]


def classes_of(table: TomlTable) -> tuple[int, ...]:
    """Take ``classes = ["I", "II"]`` as indices into UNIT_CLASSES."""
    return tuple(UNIT_CLASSES.index(name) for name in table.texts("classes", UNIT_CLASSES))


def load_factor(table: TomlTable | None) -> LoadFactor | None:
    """Return what the table ``load`` says; None where the plan has no load factor."""
    if table is None:
        return None
    decimals = table.cited_whole("decimals", 0, 12)
    found = LoadFactor(
        classes_of(table),
        table.cited_flag("units", "condensing", "all"),
        decimals,
        tuple(_step(row) for row in table.tables("steps")),
    )
    _ordered(found, table.at("steps"))
    for row in table.tables("checks"):
        _check(found, row)
    table.finish()
    return found


def _step(row: TomlTable) -> LoadStep:
    form = row.text("form", tuple(FORMS))
    from_pct = row.number("from_pct", 0, 100)
    scaled(from_pct, MICRO, row.at("from_pct"))
    numbers = {name: row.number(name, 0, 1000) for name in FORMS[form]}
    weights: tuple[Decimal, ...] = ()
    scales: tuple[Decimal, ...] = ()
    if form == "exponentials":
        weights, scales = row.numbers("weights"), row.numbers("scales_pct")
        if len(weights) != len(scales) or min(scales) <= 0 or min(weights) < 0:
            refuse(row.place, "needs as many weights as scales, none negative, no scale zero")
    if form == "power" and numbers["base"] < 1:
        refuse(row.at("base"), "must be at least 1: the factor must not rise with the load")
    clause, certainty = row.source()
    row.finish()
    return LoadStep(from_pct, form, clause, certainty, numbers, weights, scales)


def _ordered(factor: LoadFactor, place: str) -> None:
    """Refuse steps that are not in falling order down to 0, or a factor that rises with load."""
    if not factor.steps or factor.steps[-1].from_pct != 0:
        refuse(place, "must end with a step from_pct = 0")
    upper, above = FULL_LOAD_PCT, Decimal(0)
    for i, step in enumerate(factor.steps, 1):
        if step.from_pct >= upper:
            refuse(place, f"must fall: step {i} begins at {step.from_pct} %, not below {upper} %")
        low, high = curve(step, upper), curve(step, step.from_pct)
        if not 0 <= above <= low <= high:
            refuse(
                place,
                f"are not monotone: in step {i} the factor is {high:.6f} at {step.from_pct} %,"
                f" {low:.6f} at {upper} % and {above:.6f} above it; it must not rise with the load",
            )
        if high > FACTOR_MAX:
            refuse(place, f"give {high:.6f} at {step.from_pct} %; at most {FACTOR_MAX} is possible")
        upper, above = step.from_pct, high


def _check(factor: LoadFactor, row: TomlTable) -> None:
    """Refuse the plan unless its curve gives the check value, in the decimals it is written in."""
    load_pct, given = row.number("load_pct", 0, 100), row.number("factor", 0, FACTOR_MAX)
    row.source()
    row.finish()
    step = next(step for step in factor.steps if load_pct >= step.from_pct)
    decimals = factor.decimals.value
    found = Decimal(precisely(step, decimals, scaled(load_pct, MICRO, row.place)))
    found = (found / 10**decimals).quantize(given, ROUND_HALF_UP)
    if found != given:
        refuse(row.place, f"says {given} at {load_pct} %, but the curve gives {found}")
