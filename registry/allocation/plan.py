"""What an allocation plan says, as typed facts: every number with the clause it comes from.

A plan is a TOML file (``registry/allocation/plans``); ``plan_file.load`` reads and checks it. The
classes here only hold what it says. Nothing in them is a binary fraction: numbers are ``Decimal``
as written in the file.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Generic, TypeVar

T = TypeVar("T")

UNIT_CLASSES = ("I", "II", "III", "IV")  # AL-03
GAS = UNIT_CLASSES.index("IV")
POWER = "power"
INDUSTRY = "industry"

EMISSIONS = "emissions"  # quota = verified emissions (AL-65, AL-80, AL-85)
OUT_OF_SCOPE = "out_of_scope"  # neither quota nor obligation (AL-04, AL-86)


@dataclass(frozen=True)
class Cited(Generic[T]):
    """One value of a plan, the clause that states it, and how sure we are of it."""

    value: T
    clause: str
    certainty: str = "certain"


@dataclass(frozen=True)
class Benchmark:
    """Of a unit class in a year: t/MWh of electricity, t/GJ of heat (blank where unpublished)."""

    electricity: Decimal
    heat: Decimal | None
    clause: str
    certainty: str = "certain"


@dataclass(frozen=True)
class ClassRules:
    """How a unit gets its class (AL-03)."""

    split_mw: Cited[Decimal]
    unconventional_over_pct: Cited[Decimal]
    gas_other_fuel_max_pct: Cited[Decimal]


@dataclass(frozen=True)
class LoadStep:
    """One step of the load factor Ff: from ``from_pct`` up to the step above it.

    ``form`` is ``constant`` (at), ``linear`` (at + slope (pivot - F)), ``power``
    (base^(exponent - exponent_slope F / 100)) or ``exponentials``
    (at - sum of weight (1 - e^(-F / scale))), F in per cent.
    """

    from_pct: Decimal
    form: str
    clause: str
    certainty: str
    numbers: Mapping[str, Decimal]
    weights: tuple[Decimal, ...] = ()
    scales_pct: tuple[Decimal, ...] = ()


@dataclass(frozen=True)
class LoadFactor:
    """Ff: for which classes and units, rounded half up to how many decimals, step by step."""

    classes: tuple[int, ...]
    condensing_only: Cited[bool]
    decimals: Cited[int]
    steps: tuple[LoadStep, ...]


@dataclass(frozen=True)
class Cooling:
    """Fl: the factors of water and air cooling, and for which classes."""

    classes: tuple[int, ...]
    water: Cited[Decimal]
    air: Cited[Decimal]


@dataclass(frozen=True)
class PreAllocation:
    """The early share of a year's allocation and what it is a share of."""

    share: Cited[Decimal]
    of_output: Cited[bool]  # True: of base-year output x benchmarks; False: of verified emissions
    base_year: Cited[int]


@dataclass(frozen=True)
class Relief:
    """One exemption or cap; a plan applies them in the order in which it lists them.

    ``step`` is ``gas_units`` or ``entity_cap`` (with ``share``), ``side`` is ``allocation`` (the
    allocation is raised) or ``obligation`` (the obligation is lowered).
    """

    step: str
    side: str
    clause: str
    certainty: str
    share: Decimal | None = None


@dataclass(frozen=True)
class Special:
    """Units that the formula does not cover: ``emissions`` or ``out_of_scope``."""

    code: str
    title: str
    treatment: str
    years: tuple[int, ...]
    sectors: tuple[str, ...]
    clause: str
    certainty: str


@dataclass(frozen=True)
class Threshold:
    """Entities below so many tonnes get what they emitted (AL-65)."""

    tonnes: Cited[int]
    years: tuple[int, ...]


@dataclass(frozen=True)
class Differentiated:
    """For which reasons the whole allocation goes to the provincial account, at the end."""

    reasons: tuple[str, ...]
    clause: str
    certainty: str


@dataclass(frozen=True)
class Borrowing:
    """Borrowing from the next plan: least deficit ratio, largest share of the deficit (AL-24)."""

    deficit_min: Cited[Decimal]
    share: Cited[Decimal]


@dataclass(frozen=True)
class CarryOver:
    """The limit of carrying over: base + multiple x net sales (AL-51, AL-58)."""

    base_tonnes: Cited[int]
    net_sales_multiple: Cited[Decimal]
    trades_from: Cited[dt.date]
    trades_to: Cited[dt.date]


@dataclass(frozen=True)
class PowerRules:
    """What only a plan of the power sector says."""

    supplied: Cited[bool]  # True: per MWh supplied; False: per MWh generated
    classes: ClassRules
    benchmarks: Mapping[int, tuple[Benchmark, ...]]  # by year; in the order of UNIT_CLASSES
    balance_values: Mapping[int, tuple[Benchmark, ...]]
    cooling: Cooling | None
    heat_supply: Mapping[int, Cited[Decimal]]  # by class: the slope of Fr
    load: LoadFactor | None


@dataclass(frozen=True)
class Balance:
    """The formula with the balance value: alpha = slope x X within +-bound (AL-81)."""

    slope: Cited[Decimal]
    bound: Cited[Decimal]
    alpha_max: Cited[Decimal]


@dataclass(frozen=True)
class IndustryRules:
    """What only a plan of steel, cement and aluminium says."""

    quota: Cited[str]  # "emissions" (AL-80) or "balance" (AL-81)
    balance: Balance | None
    key_process: Mapping[str, Cited[bool]]  # by sector: intensity of the key process (AL-83)
    published: Mapping[tuple[int, str], Cited[Decimal]]  # balance values, where they are known


@dataclass(frozen=True)
class Plan:
    """One allocation plan. Exactly one of ``power`` and ``industry`` is there."""

    name: str
    title: str
    version: str
    years: tuple[int, ...]
    sectors: tuple[str, ...]
    rounding: Cited[str]  # "part": electricity and heat are rounded down each; "unit": their sum
    true_up: Cited[str]  # the difference to the pre-allocation is issued or taken back
    power: PowerRules | None
    industry: IndustryRules | None
    pre_allocation: Mapping[int, PreAllocation]
    relief: tuple[Relief, ...]
    special: tuple[Special, ...]
    threshold: Threshold | None
    differentiated: Differentiated | None
    deductions: Cited[bool] | None
    borrowing: Borrowing | None
    carry_over: CarryOver | None
    dates: Mapping[tuple[int, str], Cited[dt.date]]

    @property
    def kinds(self) -> tuple[str, ...]:
        """What ``Units.kind`` counts: the unit classes, or the sectors."""
        return UNIT_CLASSES if self.power else self.sectors
