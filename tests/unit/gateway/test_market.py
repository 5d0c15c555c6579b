"""The voluntary market is a configuration of the same venue (VM-01…09)."""

import asyncio
import datetime as dt
from pathlib import Path

from engine.records import RULES, Phase
from engine.rulebook import Rulebook
from gateway.daycycle import nanoseconds
from gateway.market import CCER, CEA, MARKETS, ccer_rules
from gateway.venue import Venue
from registry.profiles import VOLUNTARY
from tests.unit.gateway.test_sequencer import StandingClock

DAY = dt.date(2026, 1, 5)
DIFFERENT = {"listed_trading_fee_ppm": 6_000, "free_first_day": 1}


def test_only_what_the_voluntary_market_does_differently_differs() -> None:
    """VM-03, VM-05, VM-07, VM-08, VM-09."""
    national, voluntary = Rulebook.on(DAY), ccer_rules(DAY)
    for name in RULES.names or ():
        if name in {"bulk_enabled", "auction_enabled"}:
            assert (getattr(national, name), getattr(voluntary, name)) == (1, 0)
        else:
            expected = DIFFERENT.get(name, getattr(national, name))
            assert getattr(voluntary, name) == expected, name
    assert voluntary.listed_windows == national.listed_windows
    assert voluntary.vintages == ()


def test_the_markets_have_names_paths_and_institutions_of_their_own() -> None:
    assert MARKETS == {"cea": CEA, "ccer": CCER}
    assert (CEA.path, CCER.path) == ("", "/ccer")
    assert CCER.profile is VOLUNTARY
    assert CCER.profile.settlement == CCER.profile.exchange, "the exchange itself settles (VM-01)"


def test_no_day_begins_before_a_batch_is_admitted(tmp_path: Path) -> None:
    """VM-06: there is nothing to trade yet; the parameters are in force nevertheless."""

    async def main() -> tuple[int, int]:
        venue = Venue.recover(tmp_path, market=CCER)
        await venue.start(StandingClock(nanoseconds(dt.datetime(2026, 1, 5, 10))))
        await asyncio.sleep(0.4)
        state = venue.exchange.state
        found = int(state.market[0]["phase"]), int(state.rules[0]["listed_trading_fee_ppm"])
        await venue.close()
        return found

    assert asyncio.run(main()) == (Phase.NEW, 6_000)
