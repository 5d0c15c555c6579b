"""People and seasons: official days replayed, seasons simulated, both through the exchange.

``load`` a scenario, ``simulate`` it to a ``Run``, ``sweep`` what-ifs and seeds, ``score`` runs,
``calibrate`` behaviour. Everything is imported when it is first used: ``import sim`` is cheap.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.ensemble.calibrating import calibrate
    from sim.ensemble.identifying import identify
    from sim.ensemble.loading import load
    from sim.ensemble.screening import screen
    from sim.ensemble.sweeping import sweep
    from sim.results.run import Run
    from sim.results.score import score
    from sim.scenario.model import Scenario
    from sim.simulation import simulate

__all__ = [
    "Run",
    "Scenario",
    "calibrate",
    "identify",
    "load",
    "score",
    "screen",
    "simulate",
    "sweep",
]

_ROOMS = {
    "Run": "sim.results.run",
    "Scenario": "sim.scenario.model",
    "calibrate": "sim.ensemble.calibrating",
    "identify": "sim.ensemble.identifying",
    "load": "sim.ensemble.loading",
    "score": "sim.results.score",
    "screen": "sim.ensemble.screening",
    "simulate": "sim.simulation",
    "sweep": "sim.ensemble.sweeping",
}


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_ROOMS[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
