"""The evening of a day on which one of several deals was undone: whose fees stay."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine.records import Event, Kind, Parameter, Phase
from registry.institution import Registry
from registry.profiles import NATIONAL, VOLUNTARY, Profile
from tests.unit.registry.registry_venue import DATES, Venue

NATIONAL_RATES = {
    Parameter.LISTED_TRADING_FEE_PPM: 500,
    Parameter.LISTED_SETTLEMENT_FEE_PPM: 300,
}
VOLUNTARY_RATES = {Parameter.LISTED_TRADING_FEE_PPM: 6_000}  # VM-05
MARKETS = {
    # 4,801,000 fen; 34,300 fen; 480,100 fen: (trading, settlement) of each leg
    "national": (NATIONAL, NATIONAL_RATES, ((2_401, 1_440), (17, 10), (240, 144))),
    "voluntary": (VOLUNTARY, VOLUNTARY_RATES, ((28_806, 0), (206, 0), (2_881, 0))),
}
DEALS = ((1_000, 4_801), (7, 4_900), (100, 4_801))
CASH_FEN = 100_000_000
Fees = tuple[tuple[int, int], ...]


@pytest.fixture(params=sorted(MARKETS))
def charged(request: pytest.FixtureRequest, url: str) -> Iterator[tuple[Venue, Fees]]:
    """A market whose rates are set, on its first morning; what each of DEALS costs a side."""
    profile: Profile
    profile, rates, fees = MARKETS[request.param]
    with Registry.open(url, profile) as registry:
        venue = Venue(registry)
        for parameter, ppm in rates.items():
            venue.do(Kind.SET_PARAMETER, ref=parameter, amount=ppm)
        venue.fund(2)
        venue.open_day(DATES[0])
        yield venue, fees


def then_settled(venue: Venue, fees: Fees, standing: list[int]) -> None:
    """Then: both fee accounts, both sides' money and statements are those of these deals alone."""
    venue.sound()
    trading = sum(fees[number][0] for number in standing)
    settlement = sum(fees[number][1] for number in standing)
    value = sum(DEALS[number][0] * DEALS[number][1] for number in standing)
    registry = venue.registry
    assert registry.fees() == (2 * trading, 2 * settlement)
    assert registry.balances(0).cash_fen == CASH_FEN + value - trading - settlement
    assert registry.balances(1).cash_fen == CASH_FEN - value - trading - settlement
    sold, bought = registry.statement(0, DATES[0]), registry.statement(1, DATES[0])
    assert sold is not None
    assert bought is not None
    assert (sold.sell_amount, sold.sell_fee, sold.settlement_fee) == (value, trading, settlement)
    assert (bought.buy_amount, bought.buy_fee, bought.settlement_fee) == (
        *(value, trading),
        settlement,
    )
    for account in (0, 1):
        found = [(f.trading_fee_fen, f.settlement_fee_fen) for f in registry.trades(account)]
        assert found == [fees[number] for number in standing]


@pytest.mark.parametrize("undone", [(), (0,), (1,), (2,), (0, 2), (0, 1, 2)], ids=str)
def test_only_the_deals_that_stand_are_charged_tr_121_tr_130(
    charged: tuple[Venue, Fees], undone: tuple[int, ...]
) -> None:
    """TR-132, VM-05, ST-01: settled from the deals that stand; one undone costs nobody anything."""
    venue, fees = charged
    numbers = [int(venue.trade(0, 1, qty, price)[1]["trade_no"]) for qty, price in DEALS]
    for place, number in enumerate(undone):
        if place == 1:
            venue.close_day()
        voided = venue.do(Kind.VOID_TRADE, ref=numbers[number], operator=1, checker=2)
        assert voided[0]["kind"] == Event.TRADE_VOIDED
    if venue.phase != Phase.CLOSED:
        venue.close_day()
    assert venue.settle() == Phase.POSTED
    then_settled(venue, fees, [number for number in range(3) if number not in undone])
