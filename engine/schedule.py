"""The day as a timetable: which day-cycle command is due next, and when (TR-30…34).

Pure: the caller says what time it is. ``next_step`` looks at the exchange's phase and date and
at Beijing wall time and returns the one next step with the moment it is due. The caller:

    step = next_step(phase, date, now_local)
    if step is None:               # CLOSED, CONFIRMED, DISPUTED: the evening is at work,
        wait for the next event    # POSTED brings the next step
    elif step.due_local > now_local:
        sleep until step.due_local, then ask again
    else:
        submit one command with step.kind and step.ref, then ask again

One step at a time: a venue that starts at 14:00 gets BEGIN_DAY, MORNING, LUNCH and AFTERNOON one
after the other, each long due, and is then in step. A day that nobody began is skipped once it is
over; a day left open by a crash is closed first. Rules are made (SET_PARAMETER, ADMIT_INSTRUMENT)
by the caller before it submits a BEGIN_DAY: only then the market rests. The demo clock passes its
own accelerated wall time; nothing here assumes that time is real.
"""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from engine.calendar import date_of, is_trading_day, next_trading_day, number_of
from engine.records import Kind, Phase
from engine.rulebook import Rulebook, Rules


class Step(NamedTuple):
    """One day-cycle command: its kind, its ``ref`` (date, phase or 0), Beijing time it is due."""

    kind: Kind
    ref: int
    due_local: dt.datetime


def next_step(
    phase: int, date: int, now_local: dt.datetime, rules: Rules | None = None
) -> Step | None:
    """Return the next step of the day cycle, or None while the evening has to end first.

    Args:
        phase: the exchange's phase now (``market["phase"]``).
        date: its last or present trading day as YYYYMMDD (``market["date"]``), 0 before the first.
        now_local: Beijing wall time, without a time zone.
        rules: session times; None takes the rulebook of the day the step belongs to.

    Returns:
        the step; ``due_local`` may lie in the past (catch up at once) or ahead (wait).

    Raises:
        ValueError: ``now_local`` has a time zone, or ``date`` is no date though a day is open.
    """
    if now_local.tzinfo is not None:
        raise ValueError("next_step takes Beijing wall time without a time zone")
    if phase in (Phase.NEW, Phase.POSTED):
        return _begin(date_of(date), now_local, rules)
    if phase in (Phase.CLOSED, Phase.CONFIRMED, Phase.DISPUTED):
        return None
    day = date_of(date)
    if day is None:
        raise ValueError(f"phase {Phase(phase).name} with the date {date}")
    morning, afternoon = (rules or Rulebook.on(day)).listed_windows
    if phase == Phase.PRE_OPEN:
        return _phase(Phase.MORNING, day, morning.opens_minute)
    if phase == Phase.MORNING:
        return _phase(Phase.LUNCH, day, morning.closes_minute)
    if phase == Phase.LUNCH:
        return _phase(Phase.AFTERNOON, day, afternoon.opens_minute)
    return Step(Kind.CLOSE_DAY, 0, _at(day, afternoon.closes_minute))


def _begin(last: dt.date | None, now_local: dt.datetime, rules: Rules | None) -> Step:
    """BEGIN_DAY of today while today is not over, else of the next trading day."""
    day = now_local.date()
    if last is not None and day <= last:
        day = next_trading_day(last)
    elif not is_trading_day(day):
        day = next_trading_day(day)
    of_day = rules or Rulebook.on(day)
    if now_local >= _at(day, of_day.listed_windows[-1].closes_minute):
        day = next_trading_day(day)
        of_day = rules or Rulebook.on(day)
    return Step(Kind.BEGIN_DAY, number_of(day), _at(day, of_day.day_begins_minute))


def _phase(phase: Phase, day: dt.date, minute: int) -> Step:
    return Step(Kind.SET_PHASE, int(phase), _at(day, minute))


def _at(day: dt.date, minute: int) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(minute // 60, minute % 60))
