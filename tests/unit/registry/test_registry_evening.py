"""The evening between two institutions: ST-03, ST-04, ST-16, ST-17 and edge cases E44-E49."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine.deals import deal_file
from engine.reasons import Reason
from engine.records import Event, Kind, Phase, Side
from registry.errors import RefusalError, StopError
from registry.evening import next_command
from registry.institution import Holding
from tests.unit.registry.registry_venue import DATES, Venue, without_last_deal

DATE = DATES[0]


def test_a_day_is_settled_and_the_next_may_begin_st_16_rg_10(venue: Venue) -> None:
    venue.trade(seller=0, buyer=1, qty=100, price=4900)
    venue.close_day()
    assert venue.settle() == Phase.POSTED
    venue.sound()
    assert venue.registry.balances(0).cash_fen == 100_000_000 + 490_000
    assert venue.registry.balances(1).cash_fen == 100_000_000 - 490_000
    assert venue.registry.balances(0).holdings["CEA"] == Holding(10_000, 0, 9_900)
    assert venue.registry.balances(1).holdings["CEA"] == Holding(10_000, 0, 10_100)
    assert venue.do(Kind.BEGIN_DAY, ref=DATES[1])[0]["kind"] == Event.PHASE_CHANGED


def test_a_day_without_a_trade_is_settled_too(venue: Venue) -> None:
    venue.close_day()
    assert venue.settle() == Phase.POSTED
    found = venue.registry.day(DATE)
    assert found is not None
    assert (found.status, found.deals) == ("posted", 0)
    venue.sound()


def test_fees_go_to_the_two_fee_accounts_tr_130(venue: Venue) -> None:
    venue.close_day()
    venue.settle()
    for parameter, ppm in ((9, 500), (10, 300)):
        venue.do(Kind.SET_PARAMETER, ref=parameter, amount=ppm)
    venue.open_day(DATES[1])
    venue.trade(seller=0, buyer=1, qty=1_000, price=4_801)  # 4,801,000 fen: fees 2,400.5 + 1,440.3
    venue.close_day()
    assert venue.settle() == Phase.POSTED
    venue.sound()
    fill = venue.registry.trades(1)[0]
    assert (fill.trading_fee_fen, fill.settlement_fee_fen) == (2_401, 1_440)
    assert venue.registry.balances(1).cash_fen == 100_000_000 - 4_801_000 - 2_401 - 1_440
    statement = venue.registry.statement(0, DATES[1])
    assert statement is not None
    assert (statement.sell_fee, statement.settlement_fee) == (2_401, 1_440)
    assert venue.registry.fees() == (2 * 2_401, 2 * 1_440)


def test_settlement_and_questions_are_idempotent(venue: Venue) -> None:
    venue.trade(0, 1, 100)
    file = venue.close_day()
    first = venue.registry.clear(file)
    assert venue.registry.clear(file) == first
    venue.registry.post(DATE, file.tag)
    before = venue.registry.balances(1)
    assert venue.registry.post(DATE, file.tag).status == "posted"
    assert venue.registry.clear(file).status == "posted"
    assert venue.registry.balances(1) == before
    assert venue.settle() == Phase.POSTED
    venue.sound()


def test_the_same_date_with_other_bytes_stops_f32(venue: Venue) -> None:
    venue.trade(0, 1, 100)
    file = venue.close_day()
    venue.registry.clear(file)
    altered = replace(file, cash=file.cash[:-1])
    for status in ("cleared", "posted"):
        with pytest.raises(StopError, match=status) as caught:
            venue.registry.clear(altered)
        assert caught.value.code == "file_differs"
        venue.registry.post(DATE, file.tag)
    venue.settle()
    venue.sound()


def test_only_the_confirmed_tag_is_posted_st_04(venue: Venue) -> None:
    venue.trade(0, 1, 100)
    file = venue.close_day()
    for tag in (file.tag, 0):
        with pytest.raises(StopError) as caught:
            venue.registry.post(DATE, tag)
        assert caught.value.code == "day_not_cleared"
    venue.registry.clear(file)
    with pytest.raises(StopError) as caught:
        venue.registry.post(DATE, file.tag + 1)
    assert caught.value.code == "file_differs"
    assert venue.registry.balances(1).cash_fen == 100_000_000


def test_a_confirmation_the_registry_never_gave_stops(venue: Venue) -> None:
    venue.trade(0, 1, 100)
    file = venue.close_day()
    venue.do(Kind.CONFIRM_DAY, ref=file.tag, amount=len(file.deals))
    with pytest.raises(StopError) as caught:
        next_command(venue.registry, venue.state)
    assert caught.value.code == "day_not_cleared"


def test_e44_registry_side_tonnes_cannot_be_listed(venue: Venue) -> None:
    venue.registry.issue("CEA22", 0, 500)
    asked: dict[str, Any] = {"account": 0, "side": Side.SELL, "price_ticks": 4800}
    refused = venue.do(Kind.LIST, instrument=0, qty_tonnes=10_001, **asked)
    assert refused[0]["reason"] == Reason.INSUFFICIENT_HOLDING
    venue.registry.transfer_in(0, "CEA", 1)
    venue.instruct()
    accepted = venue.do(Kind.LIST, instrument=0, qty_tonnes=10_001, **asked)
    assert accepted[0]["kind"] == Event.ACCEPTED
    venue.sound()


def test_e45_trading_side_tonnes_are_not_available_at_the_registry(venue: Venue) -> None:
    with pytest.raises(RefusalError) as caught:
        venue.registry.transfer_in(0, "CEA", 10_001)  # 10,000 are here, 10,000 over there
    assert caught.value.code == "insufficient_holding"
    venue.do(Kind.TRANSFER_OUT, account=0, instrument=0, qty_tonnes=1)
    venue.registry.transfer_in(0, "CEA", 10_001)
    venue.sound()


def test_e46_locked_tonnes_cannot_be_moved_out(venue: Venue) -> None:
    listing: dict[str, Any] = {
        "instrument": 0,
        "side": Side.SELL,
        "price_ticks": 4800,
        "qty_tonnes": 6_000,
    }
    venue.do(Kind.LIST, account=0, **listing)
    refused = venue.do(Kind.TRANSFER_OUT, account=0, instrument=0, qty_tonnes=4_001)
    assert refused[0]["reason"] == Reason.INSUFFICIENT_HOLDING
    venue.do(Kind.TRANSFER_OUT, account=0, instrument=0, qty_tonnes=4_000)
    assert venue.registry.balances(0).holdings["CEA"] == Holding(14_000, 0, 6_000)
    venue.sound()


def test_e47_what_was_bought_today_moves_out_after_settlement(venue: Venue) -> None:
    venue.trade(seller=0, buyer=1, qty=100)
    move: dict[str, Any] = {"account": 1, "instrument": 0, "qty_tonnes": 10_100}
    assert venue.do(Kind.TRANSFER_OUT, **move)[0]["reason"] == Reason.HOLDING_BOUGHT_TODAY
    venue.close_day()
    venue.settle()
    venue.open_day(DATES[1])
    assert venue.do(Kind.TRANSFER_OUT, **move)[0]["kind"] == Event.HOLDING_MOVED_OUT
    assert venue.registry.balances(1).holdings["CEA"] == Holding(20_100, 0, 0)
    venue.sound()


def test_e48_there_and_back_is_two_gross_settlements_st_03(venue: Venue) -> None:
    venue.trade(seller=0, buyer=1, qty=10, price=4800)
    venue.trade(seller=1, buyer=0, qty=10, price=4900)  # old stock
    venue.close_day()
    assert venue.settle() == Phase.POSTED
    statement = venue.registry.statement(0, DATE)
    assert statement is not None
    assert (statement.buy_amount, statement.sell_amount) == (49_000, 48_000)
    line = statement.holdings[0]
    assert (line.bought_tonnes, line.sold_tonnes, line.closing_tonnes) == (10, 10, 10_000)
    assert [fill.side for fill in venue.registry.trades(0, DATE)] == ["sell", "buy"]
    venue.sound()


def test_e49_a_file_that_lacks_one_trade_posts_nothing_st_17(venue: Venue) -> None:
    venue.trade(0, 1, 10)
    venue.trade(2, 3, 20, instrument=1)
    file = venue.close_day()
    before = [venue.registry.balances(account) for account in range(4)]
    day = venue.registry.clear(without_last_deal(file))
    assert not day.sound
    assert len(day.report) == 4  # two holdings and two cash accounts, nobody else's
    assert any("CEA21" in line and "K0003" in line and "10,020 t" in line for line in day.report)
    with pytest.raises(StopError):
        venue.registry.post(DATE, day.tag)
    assert [venue.registry.balances(account) for account in range(4)] == before
    assert venue.registry.report(DATE) == list(day.report)
    assert venue.registry.clear(file).attempts == 2  # the right file: cleared after all
    assert venue.settle() == Phase.POSTED
    venue.sound()


def test_e49_books_that_differ_dispute_the_day_and_block_the_next(venue: Venue) -> None:
    venue.trade(0, 1, 10)
    venue.do(Kind.TRANSFER_OUT, heard=False, account=2, instrument=0, qty_tonnes=70)
    unheard = venue.tape[-1]
    venue.close_day()
    assert venue.settle() == Phase.DISPUTED
    assert venue.do(Kind.BEGIN_DAY, ref=DATES[1])[0]["reason"] == Reason.DAY_UNCONFIRMED
    report = venue.registry.report(DATE)
    assert len(report) == 1
    assert "CEA of account K0002" in report[0]
    assert "10,000 t" in report[0]
    assert "9,930 t" in report[0]
    assert next_command(venue.registry, venue.state) is None  # still
    assert venue.registry.day(DATE).attempts == 1  # type: ignore[union-attr]
    venue.registry.absorb(*unheard, venue.codes)  # the cause is mended
    assert venue.settle() == Phase.POSTED
    assert venue.registry.report(DATE) == []
    venue.sound()


def test_the_trading_side_is_frozen_between_clearing_and_posting_st_16(venue: Venue) -> None:
    file = venue.close_day()
    venue.registry.clear(file)
    with pytest.raises(StopError) as caught:
        venue.registry.receive_out(10**6, Kind.CASH_OUT, 0, None, 5)
    assert caught.value.code == "trading_frozen"
    venue.registry.deposit(0, 5)  # in transit is not the trading side
    assert len(venue.registry.pending_commands(venue.state)) == 0  # and it waits
    venue.settle()
    assert len(venue.registry.pending_commands(venue.state)) == 1
    venue.sound()


def test_arrivals_nobody_has_told_of_are_counted_in_the_evening(venue: Venue) -> None:
    venue.registry.deposit(0, 55)
    venue.registry.transfer_in(1, "CEA", 5)
    venue.submit(venue.registry.pending_commands(venue.state), heard=False)
    venue.close_day()
    assert venue.settle() == Phase.POSTED
    assert venue.registry.balances(0).cash_fen == 100_000_055
    assert venue.registry.balances(1).holdings["CEA"] == Holding(9_995, 0, 10_005)
    venue.sound()


def test_days_are_settled_in_order(venue: Venue) -> None:
    file = venue.close_day()
    venue.registry.clear(file)
    with pytest.raises(StopError) as caught:
        venue.registry.clear(replace(file, date=DATES[1]))
    assert caught.value.code == "date_order"
    venue.registry.post(DATE, file.tag)
    with pytest.raises(StopError) as caught:
        venue.registry.clear(replace(file, date=DATE - 1))
    assert caught.value.code == "date_order"


def test_goods_t_plus_0_is_followed(venue: Venue) -> None:
    venue.close_day()
    venue.settle()
    venue.do(Kind.SET_PARAMETER, ref=7, amount=0)
    venue.open_day(DATES[1])
    venue.trade(seller=0, buyer=1, qty=5_000)
    venue.trade(seller=1, buyer=2, qty=15_000)  # 5,000 of them bought today
    file = venue.close_day()
    assert not venue.registry.clear(file, goods_t_plus=1).sound
    assert "Trade 2 is not covered" in venue.registry.report(DATES[1])[0]
    assert venue.registry.clear(deal_file(venue.state), goods_t_plus=1).attempts == 1
    assert venue.registry.clear(replace(file, cash=file.cash[:0]), goods_t_plus=0).attempts == 2
    assert venue.settle() == Phase.POSTED
    venue.sound()
