"""Nobody acts on what is not published yet: events, plans, deadlines, forecasts (5.2, 5.3, 10)."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from sim.scenario.model import Scenario
from sim.scenario.reading import changed
from sim.season.news import FAR_DAYS, News
from sim.season.people import people_of
from sim.season.position import Books, expected_due
from sim.season.season import Season
from sim.season.streams import Array
from tests.unit.sim.small_seasons import small

DAY = dt.timedelta(days=1)


def season_2024(**more: object) -> Scenario:
    return small("2024", 0.05, **more)


def log_before(scenario: Scenario, end: dt.date) -> Array:
    """Return the log of a season up to the evening before a day."""
    season = Season(scenario, 1)
    for date in season.days:
        if date >= end:
            break
        season.live_day(date)
    return season.floor.events()


def first_difference(one: Scenario, other: Scenario, end: dt.date) -> dt.date | None:
    """Return the first day on which two seasons differ, before ``end``."""
    a, b = log_before(one, end), log_before(other, end)
    for date in np.unique(np.concatenate([a["date"], b["date"]])):
        if not np.array_equal(a[a["date"] == date], b[b["date"] == date]):
            return dt.date(int(date) // 10_000, int(date) // 100 % 100, int(date) % 100)
    return None


def place_of(scenario: Scenario, category: str) -> int:
    """Return the place of the last event of a category that is news in the season."""
    found = [n for n, each in enumerate(scenario.events) if each.category == category]
    return [n for n in found if not scenario.events[n].history][-1]


@pytest.mark.parametrize("category", ["regulation", "banking", "allocation"])
def test_a_season_is_the_same_until_the_day_of_an_event_that_moves(category: str) -> None:
    base = season_2024()
    place = place_of(base, category)
    event = base.events[place]
    assert event.price_sign or event.pulse
    later = changed(base, {f"events.{place}.date": event.date + 2 * DAY})  # also from a Sunday
    assert [each.title for each in later.events] == [each.title for each in base.events]
    found = first_difference(base, later, event.date + 60 * DAY)
    assert found is not None
    assert event.date <= found <= event.date + 59 * DAY


def test_an_event_that_is_taken_away_changes_nothing_before_its_day() -> None:
    base = season_2024()
    place = place_of(base, "regulation")
    other = changed(base, {f"events.{place}.price_sign": 0})
    found = first_difference(base, other, base.events[place].date + 20 * DAY)
    assert found is not None
    assert found >= base.events[place].date


def test_a_deadline_is_unknown_before_it_is_published() -> None:
    base = season_2024()
    news = News(base, people_of(base, 1), 1)
    published, deadline = base.obligations[0].deadline_published, base.obligations[0].deadline
    assert news.days_to(published - DAY, 0, milestones=False) == FAR_DAYS
    assert news.days_to(published, 0, milestones=False) == (deadline - published).days
    assert news.days_to(deadline, 0, milestones=False) == 0
    assert news.days_to(deadline + DAY, 0, milestones=False) == FAR_DAYS


def test_another_deadline_changes_nothing_before_it_is_published() -> None:
    base = season_2024()
    due = base.obligations[0]
    sooner = changed(base, {"obligations.0.deadline": due.deadline - 5 * DAY})
    found = first_difference(base, sooner, due.deadline)
    assert found is not None
    assert found >= due.deadline_published


def test_a_milestone_binds_from_its_publication_on() -> None:
    base = small("2021")
    (milestone,) = base.obligations[0].milestones
    news = News(base, people_of(base, 1), 1)
    before, after = milestone.published - DAY, milestone.published
    assert news.days_to(after, 0, milestones=True) == (milestone.date - after).days
    assert news.days_to(milestone.date + DAY, 0, milestones=True) == news.days_to(
        milestone.date + DAY, 0, milestones=False
    )
    assert news.days_to(before, 0, milestones=True) == news.days_to(before, 0, milestones=False)


def test_a_banking_rule_changes_nothing_before_its_draft() -> None:
    base = season_2024()
    assert base.banking is not None
    other = changed(base, {"banking.sales_multiple": 0.1})
    assert first_difference(base, other, base.banking.published) is None


def test_forecasts_are_wrong_until_emissions_are_verified_and_the_plan_is_known() -> None:
    base = season_2024()
    people = people_of(base, 1)
    due = base.obligations[0]
    assert due.verified < due.plan_published
    truth = people.due_t[0]
    early = np.abs(expected_due(base, people, 0, due.verified - DAY) / truth - 1)
    late = np.abs(expected_due(base, people, 0, due.plan_published - DAY) / truth - 1)
    share = base.behaviour.forecast_error_share
    assert early.mean() == pytest.approx(share * np.abs(people.forecast).mean(), rel=1e-3)
    assert late.mean() == pytest.approx(early.mean() / 2, rel=1e-3)
    assert np.array_equal(expected_due(base, people, 0, due.plan_published), truth)


def test_news_reach_the_attentive_on_the_day_and_everybody_once() -> None:
    base = season_2024(**{"behaviour.attention_share": 0.4})
    season = Season(base, 1)
    event = base.events[place_of(base, "regulation")]
    mind, news = season.mind, News(base, season.people, 1)
    start = mind["memory"].copy()
    news.spread(mind, event.date - DAY, 5)
    earlier = [
        each for each in base.events if not each.history and each.price_sign and each is not event
    ]
    own = [each for each in earlier if each.date < event.date]
    heard = np.zeros(len(mind), bool)
    for number in range(6, 60):
        news.spread(mind, event.date, number)
        if number == 6:
            heard = mind["memory"] - start > 0.5 * base.behaviour.news_share
            assert 0.2 < heard.mean() < 0.6
    steps = base.behaviour.news_share * event.price_sign
    steps += sum(base.behaviour.minor_news_share * each.price_sign for each in own)
    assert np.allclose(mind["memory"] - start, steps)
    assert Books.of(season.people).settled == [False]
