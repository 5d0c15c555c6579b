"""The timetable of the day (TR-30…34) in Beijing wall time."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from engine.records import Kind, Phase
from engine.rulebook import Rulebook
from engine.rulebook_data import Window
from engine.schedule import Step, next_step

at = dt.datetime.fromisoformat


def test_steps_of_one_day_in_order() -> None:
    before = at("2021-07-16T08:00")
    assert next_step(Phase.NEW, 0, before) == Step(Kind.BEGIN_DAY, 20210716, at("2021-07-16T09:00"))
    assert next_step(Phase.PRE_OPEN, 20210716, before) == Step(
        Kind.SET_PHASE, Phase.MORNING, at("2021-07-16T09:30")
    )
    assert next_step(Phase.MORNING, 20210716, before) == Step(
        Kind.SET_PHASE, Phase.LUNCH, at("2021-07-16T11:30")
    )
    assert next_step(Phase.LUNCH, 20210716, before) == Step(
        Kind.SET_PHASE, Phase.AFTERNOON, at("2021-07-16T13:00")
    )
    assert next_step(Phase.AFTERNOON, 20210716, before) == Step(
        Kind.CLOSE_DAY, 0, at("2021-07-16T15:00")
    )


@pytest.mark.parametrize("phase", [Phase.CLOSED, Phase.CONFIRMED, Phase.DISPUTED])
def test_evening_has_no_step(phase: Phase) -> None:
    assert next_step(phase, 20210716, at("2021-07-17T12:00")) is None


def test_posted_evening_waits_for_the_next_trading_day() -> None:
    # Friday evening -> Monday; the eve of a holiday -> the day after it (CA-04).
    assert next_step(Phase.POSTED, 20210716, at("2021-07-16T16:00")) == Step(
        Kind.BEGIN_DAY, 20210719, at("2021-07-19T09:00")
    )
    assert next_step(Phase.POSTED, 20230404, at("2023-04-04T17:00")) == Step(
        Kind.BEGIN_DAY, 20230406, at("2023-04-06T09:00")
    )


def test_posted_early_on_an_accelerated_clock_never_repeats_the_day() -> None:
    step = next_step(Phase.POSTED, 20210719, at("2021-07-19T14:00"))
    assert step == Step(Kind.BEGIN_DAY, 20210720, at("2021-07-20T09:00"))
    # Also when the wall clock stands before the exchange's date.
    step = next_step(Phase.POSTED, 20210719, at("2021-07-01T14:00"))
    assert step == Step(Kind.BEGIN_DAY, 20210720, at("2021-07-20T09:00"))


def test_late_start_catches_up_step_by_step() -> None:
    now = at("2021-07-20T14:10")
    phase, date, sent = int(Phase.NEW), 0, []
    while (step := next_step(phase, date, now)) is not None and step.due_local <= now:
        sent.append((step.kind, step.ref))
        if step.kind == Kind.BEGIN_DAY:
            phase, date = Phase.PRE_OPEN, step.ref
        else:
            phase = step.ref
    assert sent == [
        (Kind.BEGIN_DAY, 20210720),
        (Kind.SET_PHASE, Phase.MORNING),
        (Kind.SET_PHASE, Phase.LUNCH),
        (Kind.SET_PHASE, Phase.AFTERNOON),
    ]
    assert step == Step(Kind.CLOSE_DAY, 0, at("2021-07-20T15:00"))


def test_day_nobody_began_is_skipped_once_it_is_over() -> None:
    assert next_step(Phase.POSTED, 20210716, at("2021-07-21T14:59:59")) == Step(
        Kind.BEGIN_DAY, 20210721, at("2021-07-21T09:00")
    )
    assert next_step(Phase.POSTED, 20210716, at("2021-07-21T15:00")) == Step(
        Kind.BEGIN_DAY, 20210722, at("2021-07-22T09:00")
    )
    saturday = next_step(Phase.NEW, 0, at("2021-07-24T10:00"))
    assert saturday == Step(Kind.BEGIN_DAY, 20210726, at("2021-07-26T09:00"))


def test_day_left_open_is_closed_first() -> None:
    step = next_step(Phase.MORNING, 20210716, at("2021-07-20T10:00"))
    assert step == Step(Kind.SET_PHASE, Phase.LUNCH, at("2021-07-16T11:30"))
    step = next_step(Phase.AFTERNOON, 20210716, at("2021-07-20T10:00"))
    assert step == Step(Kind.CLOSE_DAY, 0, at("2021-07-16T15:00"))


def test_session_times_come_from_the_rules() -> None:
    rules = dataclasses.replace(
        Rulebook.on(dt.date(2022, 6, 1)),
        day_begins_minute=480,
        listed_windows=(Window(600, 660), Window(840, 870)),
    )
    now = at("2022-06-01T07:00")
    begin = next_step(Phase.POSTED, 20220531, now, rules)
    close = next_step(Phase.AFTERNOON, 20220601, now, rules)
    assert begin == Step(Kind.BEGIN_DAY, 20220601, at("2022-06-01T08:00"))
    assert close == Step(Kind.CLOSE_DAY, 0, at("2022-06-01T14:30"))


def test_time_zones_and_impossible_states_are_refused() -> None:
    with pytest.raises(ValueError, match="without a time zone"):
        next_step(Phase.NEW, 0, dt.datetime(2021, 7, 16, tzinfo=dt.UTC))
    with pytest.raises(ValueError, match="MORNING with the date 0"):
        next_step(Phase.MORNING, 0, at("2021-07-16T10:00"))
