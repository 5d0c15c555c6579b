"""The trading hours by the clock: the timetable of the rulebook moves the day, declarations try."""

from __future__ import annotations

import datetime as dt

from engine.reasons import Reason
from engine.records import Kind, Parameter, Phase, Side
from engine.schedule import next_step
from tests.scenarios.conftest import Market
from tests.scenarios.floor import MONDAY, Floor

ROOM = """
    account | cash      | CEA25
    Anhui   | 5,000,000 | 50,000
"""
TAKEN, CLOSED = "taken", "closed"


def moved_to(floor: Floor, clock: str) -> None:
    """Do every step of the timetable that is due by then."""
    now = dt.datetime.combine(dt.date(2026, 1, 5), dt.time.fromisoformat(clock))
    while True:
        date, phase = floor.venue.state()["date, phase"]
        step = next_step(phase, date, now)
        if step is None or step.due_local > now:
            return
        floor.send(step.kind, ref=step.ref).done()


def found(floor: Floor) -> tuple[str, str, str]:
    """What a listing, a bulk offer and a cancel are told now; all of it is taken back if it can."""
    anhui = floor.when("Anhui")
    told = []
    for declared in (anhui.lists(Side.SELL, 10, at="80.00"), anhui.offers(Side.SELL, 10, "80.00")):
        refused = declared.events[0]["reason"]
        assert refused in (Reason.NONE, Reason.PHASE_CLOSED)
        told.append(CLOSED if refused else TAKEN)
    cancelled = anhui.cancels_number(0).events[0]["reason"]
    assert cancelled in (Reason.UNKNOWN_ORDER, Reason.PHASE_CLOSED)
    told.append(CLOSED if cancelled == Reason.PHASE_CLOSED else TAKEN)
    if floor.venue.state()["date, phase"][1] in (Phase.MORNING, Phase.LUNCH, Phase.AFTERNOON):
        floor.control(Kind.KILL, "Anhui", amount=0).done()
    return told[0], told[1], told[2]


def test_tr30_tr31_each_way_of_trading_has_its_hours(market: Market) -> None:
    """TR-30, TR-31, TR-33, TR-34: 09:30-11:30 and 13:00-15:00, bulk 13:00-15:00, the end excluded.

    Cancels are taken from the open to the close, lunch included.
    """
    floor = market(ROOM, rules={Parameter.BULK_QTY_MIN: 10}, day=0)
    shut, listed, both = (CLOSED, CLOSED), (TAKEN, CLOSED), (TAKEN, TAKEN)
    hours = {
        "08:59": (*shut, CLOSED),
        "09:00": (*shut, CLOSED),
        "09:29": (*shut, CLOSED),
        "09:30": (*listed, TAKEN),
        "11:29": (*listed, TAKEN),
        "11:30": (*shut, TAKEN),
        "12:59": (*shut, TAKEN),
        "13:00": (*both, TAKEN),
        "14:59": (*both, TAKEN),
        "15:00": (*shut, CLOSED),
        "15:30": (*shut, CLOSED),
    }
    for clock, expected in hours.items():
        moved_to(floor, clock)
        assert found(floor) == expected, clock
    assert floor.venue.state()["date, phase"] == (MONDAY, Phase.CLOSED)
