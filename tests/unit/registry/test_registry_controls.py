"""What happens when something is not as it should be (ST-05, ST-06, ST-08, ST-10…12; E53)."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import delete, insert

from engine.reasons import Reason
from engine.records import Block, Event, Kind, Phase, Side
from registry.errors import RefusalError, StopError
from registry.institution import Registry
from registry.offices import CASH_IN_BLOCK
from registry.schema import FEN, statements
from tests.unit.registry.registry_venue import DATES, NOW_NS, REFERENCE_TICKS, Venue

HOUR = 3600 * 10**9
OPENS_MONDAY_NS = NOW_NS + 3 * 24 * HOUR - HOUR // 2  # 2021-07-19 09:30


def refused(code: str) -> pytest.RaisesExc[RefusalError]:
    return pytest.raises(RefusalError, match=rf"\[{code}\]$")


def reason(events: Any) -> Reason:
    assert events[0]["kind"] == Event.REFUSED
    return Reason(int(events[0]["reason"]))


# Objections


def test_objections_end_when_the_next_day_opens_st_06_e53(venue: Venue) -> None:
    registry = venue.registry
    with refused("day_not_posted"):
        registry.object(0, DATES[0], "too early", NOW_NS)
    venue.trade(0, 1, 10)
    venue.close_day()
    venue.settle()
    assert registry.statement_status(0, DATES[0], OPENS_MONDAY_NS - 1) == "open"
    registry.object(0, DATES[0], "I sold nine.", OPENS_MONDAY_NS - 1)
    registry.object(0, DATES[0], "Or eight.", OPENS_MONDAY_NS - 1)
    with refused("objection_late"):
        registry.object(1, DATES[0], "I bought nine.", OPENS_MONDAY_NS)
    assert [(one.account, one.wording) for one in registry.objections(DATES[0])] == [
        (0, "I sold nine."),
        (0, "Or eight."),
    ]
    assert registry.statement_status(0, DATES[0], OPENS_MONDAY_NS) == "objected"
    assert registry.statement_status(1, DATES[0], OPENS_MONDAY_NS) == "accepted"  # silence
    assert [notice.kind for notice in registry.notices(0)] == ["objection"] * 2


def test_objections_that_say_nothing(venue: Venue) -> None:
    venue.close_day()
    venue.settle()
    for account, date, wording, at_ns, code in (
        (9, DATES[0], "w", NOW_NS, "unknown_account"),
        (0, 20210799, "w", NOW_NS, "date_invalid"),
        (0, DATES[1], "w", NOW_NS, "day_not_posted"),
        (0, DATES[0], " ", NOW_NS, "wording_invalid"),
        (0, DATES[0], "w" * 2_001, NOW_NS, "wording_invalid"),
        (0, DATES[0], "w", -1, "time_invalid"),
    ):
        with refused(code):
            venue.registry.object(account, date, wording, at_ns)
    assert venue.registry.objections(DATES[0]) == []


# Statements that cannot be written


def in_the_way(venue: Venue) -> dict[str, int]:
    """A row where a statement should go: the writing of all of them fails."""
    venue.registry.clear(venue.close_day())
    zeros = [column.name for column in statements.c if not column.primary_key]
    row = {**dict.fromkeys(zeros, 0), "date": DATES[0], "account": 7}
    with venue.registry.database.write() as tx:
        tx.execute(insert(statements), row)
    return row


def test_late_statements_are_told_and_money_waits_st_05(venue: Venue) -> None:
    registry = venue.registry
    venue.trade(0, 1, 100)
    in_the_way(venue)
    assert venue.settle() == Phase.POSTED  # the day is posted all the same
    assert registry.statement(0, DATES[0]) is None
    assert registry.balances(0).cash_fen == 100_480_000
    assert [notice.kind for notice in registry.notices()] == ["statements_missing"]
    with refused("statements_due"):
        registry.deposit(0, 5)
    venue.open_day(DATES[1])
    venue.instruct()
    assert reason(venue.do(Kind.CASH_OUT, account=0, amount=1)) == Reason.ACCOUNT_RESTRICTED
    venue.trade(0, 1, 10)  # trading goes on
    assert registry.write_statements(DATES[0]) is False
    with registry.database.write() as tx:
        tx.execute(delete(statements))
    venue.close_day()
    assert venue.settle() == Phase.POSTED
    assert registry.statement(2, DATES[1]) is None  # it would rest on the one that is missing
    assert registry.write_statements(DATES[0]) is True
    assert registry.write_statements(DATES[0]) is True
    told, later = registry.statement(0, DATES[0]), registry.statement(0, DATES[1])
    assert told is not None
    assert later is not None
    assert (told.sell_amount, told.available_funds) == (480_000, 100_480_000)
    assert (later.opening_funds, later.sell_amount) == (100_480_000, 48_000)
    assert told.holdings[0].closing_tonnes == later.holdings[0].opening_tonnes == 9_900
    venue.open_day(DATES[2])
    venue.instruct()
    registry.deposit(0, 5)
    assert venue.do(Kind.CASH_OUT, account=0, amount=1)[0]["kind"] == Event.CASH_MOVED_OUT
    assert [notice.kind for notice in registry.notices()] == [
        "statements_missing",
        "statements_written",
    ]
    with refused("day_not_posted"):
        registry.write_statements(DATES[3])


def test_statements_are_exported_with_every_field_st_05(venue: Venue) -> None:
    venue.trade(0, 1, 100)
    venue.close_day()
    venue.settle()
    rows = venue.registry.export_statements(DATES[0])
    assert len(rows) == 4
    assert list(rows[1]) == [
        *("date", "customer_no", "name", "trading_account", "registry_account"),
        *("opening_funds", "available_funds", "buy_amount", "buy_fee", "cash_in"),
        *("sell_amount", "sell_fee", "cash_out", "settlement_fee", "holdings", "modalities"),
    ]
    assert (rows[1]["customer_no"], rows[1]["buy_amount"]) == ("K0001", 480_000)
    assert rows[1]["holdings"][0]["bought_tonnes"] == 100
    assert rows[1]["modalities"][0]["modality"] == 10
    assert venue.registry.export_statements(DATES[1]) == []


# Restrictions


def test_a_restricted_account_is_restricted_on_both_sides_st_10_st_12_rg_05(venue: Venue) -> None:
    registry = venue.registry
    bits = int(Block.SELL | Block.CASH_OUT | Block.TRANSFER_IN) | CASH_IN_BLOCK
    venue.do(Kind.BLOCK_ACCOUNT, account=0, amount=int(Block.BUY))  # the exchange's own
    done = venue.hand("restrict", account=0, bits=bits, grounds="grave suspicion")
    assert done.outcome == "done"  # the exchange was informed and has confirmed
    sold: dict[str, Any] = {
        "instrument": 0,
        "side": Side.SELL,
        "price_ticks": REFERENCE_TICKS,
        "qty_tonnes": 1,
    }
    for events in (
        venue.do(Kind.LIST, account=0, **sold),
        venue.do(Kind.LIST, account=0, **{**sold, "side": Side.BUY}),
        venue.do(Kind.CASH_OUT, account=0, amount=1),
    ):
        assert reason(events) == Reason.ACCOUNT_RESTRICTED
    with refused("account_restricted"):
        registry.transfer_in(0, "CEA", 1)
    with refused("account_restricted"):
        registry.deposit(0, 1)
    registry.deposit(1, 1)
    assert registry.notices(0)[-1].sentence == "Your account was restricted: grave suspicion."
    venue.hand("lift", account=0, bits=CASH_IN_BLOCK, grounds="the fee may be paid in")
    with refused("account_restricted"):
        registry.transfer_in(0, "CEA", 1)
    venue.hand("lift", account=0, bits=bits, grounds="nothing found")
    assert int(venue.state.accounts[0]["blocks"]) == Block.BUY
    registry.transfer_in(0, "CEA", 1)
    registry.deposit(0, 1)
    venue.hand("restrict", account=0, bits=CASH_IN_BLOCK, grounds="here only")
    assert venue.registry.approvals.all()[-1].directive is None
    venue.instruct()
    venue.sound()


# Default and reserve


def debit(venue: Venue, amount_fen: int, account: int = 1) -> None:
    due = NOW_NS + HOUR
    what: dict[str, Any] = {"document": "bank 4", "limit_at_ns": due, "account": account}
    venue.hand("bank_debit", amount_fen=amount_fen, **what)


def test_the_special_account_is_the_sum_of_the_sub_ledgers_st_02(venue: Venue) -> None:
    """I3: every subject's money has a sub-ledger of its own, and together they are all there is."""
    venue.do(Kind.CASH_OUT, account=2, amount=7)
    venue.registry.deposit(3, 9)
    venue.trade(0, 1, 100)
    venue.close_day()
    venue.settle()
    with venue.registry.database.read() as tx:
        query = "SELECT balance FROM buckets WHERE kind = 'bank' AND account = 2"
        special = -tx.exec_driver_sql(query).scalar_one()
    held = [venue.registry.balances(account) for account in range(4)]
    assert special == sum(one.cash_fen + one.cash_in_transit_fen for one in held)
    assert special == 400_000_000 - 7 + 9
    assert [one.cash_fen for one in held] == [100_480_000, 99_520_000, 99_999_993, 100_000_000]


def test_a_default_is_covered_by_the_reserve_and_claimed_first_st_08_st_09_st_11(
    venue: Venue,
) -> None:
    registry = venue.registry
    venue.hand("reserve_in", amount_fen=90_000_000, document="own funds")
    debit(venue, 80_000_000)
    assert [notice.kind for notice in registry.notices(1)] == ["default", "restriction"]
    assert reason(venue.do(Kind.CASH_OUT, account=1, amount=1)) == Reason.ACCOUNT_RESTRICTED
    venue.sound()
    venue.trade(0, 1, 10_000)  # 48,000,000 fen that are no longer there
    file = venue.close_day()
    assert venue.settle() == Phase.DISPUTED
    assert "too little cash" in registry.report(file.date)[0]
    cover = venue.ask("cover_default", default=1)
    assert [notice.kind for notice in registry.notices()] == ["unconfirmed"]  # ST-09
    with refused("limit_not_reached"):
        venue.approve(cover)
    registry.deposit(1, 10_000_000)  # topped up in part, and not enough
    assert venue.settle() == Phase.DISPUTED
    venue.approve(cover, at_ns=NOW_NS + HOUR)
    assert venue.settle() == Phase.POSTED
    assert registry.reserve_fen() == 20_000_000
    [default] = registry.defaults()
    assert (default.topped_up_fen, default.covered_fen) == (10_000_000, 70_000_000)
    assert (default.missing_fen, default.claim_fen) == (0, 70_000_000)
    venue.sound()
    registry.deposit(1, 30_000_000)
    registry.deposit_many([(0, 7), (1, 50_000_000)])
    venue.instruct()
    assert registry.reserve_fen() == 90_000_000
    assert registry.defaults()[0].claim_fen == 0
    assert registry.balances(1).cash_fen == 100_000_000 - 48_000_000 + 10_000_000
    assert [notice.kind for notice in registry.notices(1)][2:] == [
        "covered",
        "recovered",
        "recovered",
    ]
    with refused("nothing_missing"):
        venue.hand("cover_default", default=1)
    venue.sound()


def test_a_default_topped_up_in_time_needs_no_reserve_st_11(venue: Venue) -> None:
    debit(venue, 5_000)
    venue.close_day()
    assert venue.settle() == Phase.DISPUTED
    venue.registry.deposit(1, 6_000)
    assert venue.settle() == Phase.POSTED
    venue.instruct()
    assert venue.registry.balances(1).cash_fen == 100_001_000
    assert venue.registry.defaults()[0].claim_fen == 0
    venue.sound()


def test_defaults_that_cannot_be(venue: Venue) -> None:
    with refused("insufficient_funds"):
        debit(venue, 100_000_001)
    with refused("unknown_default"):
        venue.hand("cover_default", default=1)
    asked = venue.ask(
        "bank_debit", account=1, amount_fen=1, document="d", limit_at_ns=NOW_NS + HOUR
    )
    with refused("limit_invalid"):
        venue.approve(asked, at_ns=NOW_NS + HOUR)
    debit(venue, 50)
    debit(venue, 60, account=2)
    cover = venue.ask("cover_default", default=2)
    with refused("insufficient_funds"):  # an empty reserve
        venue.approve(cover, at_ns=NOW_NS + HOUR)
    venue.hand("reserve_in", amount_fen=100, document="own funds")
    venue.approve(cover, at_ns=NOW_NS + HOUR)
    assert [one.missing_fen for one in venue.registry.defaults()] == [50, 0]
    venue.sound()


def test_a_bank_debit_between_clearing_and_posting_waits_st_16(venue: Venue) -> None:
    asked = venue.ask(
        "bank_debit", account=1, amount_fen=1, document="d", limit_at_ns=NOW_NS + HOUR
    )
    venue.registry.clear(venue.close_day())
    with pytest.raises(StopError, match="trading_frozen"):
        venue.approve(asked)
    assert venue.settle() == Phase.POSTED
    venue.approve(asked)
    assert venue.registry.balances(1).cash_fen == 99_999_999


def test_the_reserve_lies_apart_st_08(registry: Registry) -> None:
    venue = Venue(registry)
    venue.fund(1)
    venue.hand("reserve_in", amount_fen=100, document="own funds")
    with registry.database.read() as tx:
        query = "SELECT account, balance FROM buckets WHERE kind = 'bank' ORDER BY account"
        assert tx.exec_driver_sql(query).all() == [(2, -100_000_000), (6, -100)]
    assert registry.balances(0).cash_fen == 100_000_000
    with registry.database.write() as tx:
        tx.exec_driver_sql("UPDATE buckets SET balance = 99 WHERE kind = 'reserve'")
    assert any("bank account" in sentence for sentence in registry.violations())
    assert FEN == 0
