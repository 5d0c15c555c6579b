"""The units of one year as arrays: what an allocation is computed from.

Row ``i`` of every array of ``Units`` is one unit, line, process or enterprise; row ``j`` of every
array of ``Entities`` one key emitting entity. Quantities are exact: ``int64`` in millionths of
their unit where decimals are possible (``_micro``, ``_micropct``), whole tonnes elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass

from registry.allocation.exact import Bools, Ints

NOT_GIVEN = -1


@dataclass(frozen=True)
class Entities:
    """Key emitting entities, arrays of shape (m,)."""

    names: tuple[str, ...]
    provinces: tuple[str, ...]
    deduction_t: Ints  # owed from earlier years (AL-41, AL-67)
    pre_allocated_t: Ints  # issued early by the province's decision; NOT_GIVEN: the plan's share
    differentiated: Ints  # index into the plan's reasons; NOT_GIVEN: an ordinary allocation
    complete: Bools  # False: a row of this entity was refused, so its sums lack that unit


@dataclass(frozen=True)
class PowerInputs:
    """What the power formula needs, arrays of shape (n,); 0 where a unit does not need it."""

    electricity_micro: Ints  # MWh supplied or generated, as the plan says
    heat_micro: Ints  # GJ
    load_micropct: Ints
    heat_ratio_micropct: Ints
    air_cooled: Bools
    base_electricity_micro: Ints  # of the base year of the pre-allocation (AL-12)
    base_heat_micro: Ints


@dataclass(frozen=True)
class LineInputs:
    """What the industry formula needs, arrays of shape (n,) (AL-83)."""

    key_emissions_micro: Ints  # t: of the key process (steel), of the line (others)
    output_micro: Ints  # t of hot metal, clinker or liquid aluminium


@dataclass(frozen=True)
class Units:
    """The units of one data year, arrays of shape (n,); exactly one of the two inputs is there."""

    year: int
    entities: Entities
    names: tuple[str, ...]
    rows: tuple[int, ...]  # line of the file, the header being line 1
    entity: Ints  # index into ``entities``
    kind: Ints  # index into ``Plan.kinds``: the unit class, or the sector
    emissions_t: Ints  # verified
    base_emissions_t: Ints  # verified, of the base year of the pre-allocation
    special: Ints  # index into ``Plan.special``; NOT_GIVEN: the formula applies
    power: PowerInputs | None
    lines: LineInputs | None

    def __len__(self) -> int:
        return len(self.names)
