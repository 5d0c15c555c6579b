"""Where calibration may look: a lower and an upper end per behaviour parameter, from a TOML file.

A table per parameter: ``low``, ``high``, ``scale`` ("log" or "linear"), ``why``. The table
``given`` names parameters that are left alone, each with the reason.
"""

from __future__ import annotations

import difflib
import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from sim.scenario.model import Behaviour

SHIPPED = Path(__file__).with_name("bounds.toml")
SCALES = ("linear", "log")


class BoundsError(ValueError):
    """Bounds are refused: which file, which parameter, what was expected."""


@dataclass(frozen=True, slots=True)
class Bound:
    """Both ends belong to the range; ``log``: equal steps are equal ratios."""

    low: float
    high: float
    log: bool = False
    why: str = ""

    def place(self, value: float) -> float:
        """Return where ``value`` lies, 0 at ``low`` and 1 at ``high``, on the bound's scale."""
        low, high, at = self._scaled(self.low), self._scaled(self.high), self._scaled(value)
        return (at - low) / (high - low)

    def value(self, place: float) -> float:
        """Return the value at a ``place`` from 0 to 1; outside is cut."""
        place = min(max(place, 0.0), 1.0)
        low, high = self._scaled(self.low), self._scaled(self.high)
        at = low + place * (high - low)
        return min(max(math.exp(at) if self.log else at, self.low), self.high)

    def clip(self, value: float) -> float:
        """Return the value of the range that is nearest."""
        return min(max(value, self.low), self.high)

    def _scaled(self, value: float) -> float:
        return math.log(value) if self.log else value


Bounds = dict[str, Bound]


def bounds_of(
    given: str | Path | Mapping[str, Bound | tuple[float, float]] | None = None,
    only: Sequence[str] = (),
) -> Bounds:
    """Return the bounds of a file, of a mapping, or the product's; ``only`` picks some of them.

    Raises:
        BoundsError: what is there cannot be bounds of behaviour parameters.
    """
    if isinstance(given, Mapping):
        found = {name: _bound(name, each, "bounds") for name, each in given.items()}
    else:
        found = read_bounds(SHIPPED, forgiving=True) if given is None else read_bounds(Path(given))
    for name in only:
        _known(name, list(found), "only")
    chosen = {name: bound for name, bound in found.items() if not only or name in only}
    if not chosen:
        raise BoundsError("bounds: at least one parameter to calibrate was expected")
    return chosen


def read_bounds(file: Path, forgiving: bool = False) -> Bounds:
    """Return the bounds of a TOML file. Raises BoundsError.

    ``forgiving``: a parameter that the model no longer has is passed over.
    """
    try:
        data = tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise BoundsError(f"{file}: a readable TOML file was expected ({error})") from None
    names = [each.name for each in msgspec.structs.fields(Behaviour)]
    for name in () if forgiving else data.get("given", {}):
        _known(name, names, f"{file}: given")
    found = {}
    for name, table in data.items():
        if name == "given" or (forgiving and name not in names):
            continue
        _known(name, names, str(file))
        found[name] = _table(name, table, str(file))
    return found


def given_of(file: Path = SHIPPED) -> dict[str, str]:
    """Return the parameters that a file leaves alone, with the reason."""
    return {str(k): str(v) for k, v in tomllib.loads(file.read_text("utf-8"))["given"].items()}


def _known(name: str, names: Sequence[str], where: str) -> None:
    if name not in names:
        close = difflib.get_close_matches(name, names, 1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise BoundsError(f"{where}: {name} is no parameter that can be calibrated{hint}")


def _table(name: str, table: object, where: str) -> Bound:
    if not isinstance(table, Mapping) or not {"low", "high"} <= set(table):
        raise BoundsError(f"{where}: {name}: a table with low and high was expected")
    unknown = set(table) - {"low", "high", "scale", "why"}
    if unknown:
        raise BoundsError(f"{where}: {name}: unknown keys {', '.join(sorted(unknown))}")
    scale = table.get("scale", "linear")
    if scale not in SCALES:
        raise BoundsError(f"{where}: {name}: scale {scale!r}, one of {SCALES} was expected")
    ends = (table["low"], table["high"])
    if any(isinstance(end, bool) or not isinstance(end, int | float) for end in ends):
        raise BoundsError(f"{where}: {name}: numbers were expected as low and high, not {ends}")
    bound = Bound(float(ends[0]), float(ends[1]), scale == "log", str(table.get("why", "")))
    return _bound(name, bound, where)


def _bound(name: str, bound: Bound | tuple[float, float], where: str) -> Bound:
    _known(name, [each.name for each in msgspec.structs.fields(Behaviour)], where)
    bound = bound if isinstance(bound, Bound) else Bound(float(bound[0]), float(bound[1]))
    finite = math.isfinite(bound.low) and math.isfinite(bound.high)
    if not finite or bound.low >= bound.high:
        raise BoundsError(f"{where}: {name}: low {bound.low} below high {bound.high} was expected")
    if bound.log and bound.low <= 0:
        raise BoundsError(f"{where}: {name}: a log scale needs low above 0, not {bound.low}")
    return bound
