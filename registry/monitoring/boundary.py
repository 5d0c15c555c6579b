"""Which plants a sector means: industry codes of GB/T 4754 and processes (CP-06).

What nobody has told is not judged: an empty code or process passes.
"""

from __future__ import annotations

from typing import NamedTuple

from registry.errors import RefusalError


class Boundary(NamedTuple):
    """A sector's industry codes, the processes inside, and those outside, by name."""

    codes: tuple[str, ...]
    inside: tuple[str, ...]
    outside: tuple[str, ...]


BOUNDARIES = {
    "power": Boundary(("4411", "4412"), ("public", "captive"), ("heat_only",)),
    "steel": Boundary(
        ("3110", "3120"), ("long_route",), ("electric_arc", "rolling", "foundry_iron")
    ),
    "cement": Boundary(("3011",), ("clinker", "other_clinker"), ("grinding",)),
    "aluminium": Boundary(("3216",), ("electrolysis",), ("alumina", "recycled")),
}
CAPTIVE = "captive"  # a power plant of a firm whose own code is another


def refuse_outside(sector: str, industry: str, process: str) -> None:
    """Raise RefusalError outside_boundary or process_invalid (CP-06)."""
    found = BOUNDARIES[sector]
    if process in found.outside:
        raise RefusalError("outside_boundary", f"{process} is no part of {sector} (CP-06).")
    if process and process not in found.inside:
        known = ", ".join(found.inside + found.outside)
        raise RefusalError("process_invalid", f"{process!r} is none of {known} (CP-06).")
    if industry and industry not in found.codes and process != CAPTIVE:
        codes = ", ".join(found.codes)
        raise RefusalError(
            "outside_boundary", f"{sector} has the industry codes {codes}, not {industry} (CP-06)."
        )
