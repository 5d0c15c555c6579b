"""The sessions of one-way bidding that are known are held again, on a real exchange (TR-94)."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict

import numpy as np
import pytest

from engine.calendar import number_of
from engine.exchange import Exchange
from engine.invariants import violations
from engine.reasons import Reason
from engine.records import Event, Kind, Modality, Phase, Pricing, Side
from engine.rulebook import Rulebook, admission_commands, parameter_commands
from engine.state import Array
from sim.official.dealing import command, hold_session
from sim.official.realise import Contradiction
from sim.official.sessions import KNOWN, Bid, Field, Known, Session, field_of, find_sessions

SELLER, BIDDERS, ACCOUNTS = 0, [1, 2, 3], 4
STOCK, CASH = 1_000_000, 10**12


def open_exchange(date: dt.date, codes: dict[str, int]) -> Exchange:
    """An exchange in its morning: these instruments at these references, four funded accounts."""
    exchange = Exchange()
    rules = Rulebook.on(date)
    submit(exchange, admission_commands(list(codes.items()), 0))
    state = exchange.state
    submit(exchange, parameter_commands(rules, state.rules, state.instruments))
    for account in range(ACCOUNTS):
        submit(exchange, command(Kind.OPEN_ACCOUNT, account=account))
        submit(exchange, command(Kind.CASH_IN, account=account, amount=CASH))
        for row in range(len(codes)):
            submit(
                exchange,
                command(Kind.TRANSFER_IN, account=account, instrument=row, qty_tonnes=STOCK),
            )
    submit(exchange, command(Kind.BEGIN_DAY, ref=number_of(date)))
    submit(exchange, command(Kind.SET_PHASE, ref=Phase.MORNING))
    return exchange


def submit(exchange: Exchange, batch: Array) -> Array:
    batch["seq"] = exchange.seq + 1 + np.arange(len(batch))
    batch["time_ns"] = batch["seq"]
    events = exchange.apply(batch)
    refused = events[events["kind"] == Event.REFUSED]
    assert not len(refused), refused
    return np.asarray(events)


def only(found: tuple[Session, ...] | Contradiction) -> Session:
    """Return the one session that was found."""
    assert not isinstance(found, Contradiction)
    (session,) = found
    return session


def hold(exchange: Exchange, session: Session) -> Array:
    """Hold a session; return its trades."""
    now = int(exchange.state.market[0]["time_ns"])
    events = hold_session(lambda batch: submit(exchange, batch), session, SELLER, BIDDERS, now)
    assert not violations(exchange.state)
    return np.asarray(events[events["kind"] == Event.TRADED])


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: f"{known.date}-{known.code}")
def test_known_session_clears_at_the_published_result_tr_94(known: Known) -> None:
    exchange = open_exchange(known.date, {known.code: known.reference_ticks})
    rules = Rulebook.on(known.date)
    field = field_of(0, known.reference_ticks, rules.auction_band_bp)
    found = find_sessions(known.qty_tonnes, known.turnover_fen, [field], rules.auction_qty_min)
    session = only(found)
    trades = hold(exchange, session)
    assert int(trades["qty_tonnes"].sum()) == known.qty_tonnes
    assert int((trades["price_ticks"].astype(np.int64) * trades["qty_tonnes"]).sum()) == (
        known.turnover_fen
    )
    assert set(trades["modality"].tolist()) == {Modality.AUCTION}
    assert len(trades) == session.winners
    total = exchange.state.totals[0, 2]
    assert (int(total["day_qty_tonnes"]), int(total["day_turnover_fen"])) == (
        known.qty_tonnes,
        known.turnover_fen,
    )
    # What was offered and not sold is the seller's again (TR-86), its price line is untouched.
    held = exchange.state.holdings[SELLER, 0]
    assert int(held["available_tonnes"]) == STOCK - known.qty_tonnes
    assert int(held["frozen_tonnes"]) == 0
    submit(exchange, command(Kind.SET_PHASE, ref=Phase.LUNCH))
    submit(exchange, command(Kind.SET_PHASE, ref=Phase.AFTERNOON))
    submit(exchange, command(Kind.CLOSE_DAY))
    assert int(exchange.state.instruments[0]["close_ticks"]) == known.reference_ticks  # TR-93


def test_facts_are_those_of_the_rulebook_tr_94() -> None:
    averages = {
        (f"{known.date}", known.code): known.turnover_fen / known.qty_tonnes / 100
        for known in KNOWN
    }
    assert averages == pytest.approx(
        {
            ("2025-07-16", "CEA23"): 74.522,
            ("2025-07-16", "CEA24"): 77.31,
            ("2025-08-28", "CEA24"): 69.78,
            ("2025-09-05", "CEA23"): 67.30,
            ("2025-10-30", "CEA24"): 44.75,
            ("2025-11-04", "CEA24"): 48.9485,
            ("2026-05-22", "CEA25"): 80.43,
        }
    )
    by_day: dict[dt.date, int] = defaultdict(int)
    for known in KNOWN:
        by_day[known.date] += known.turnover_fen
    assert by_day[dt.date(2025, 7, 16)] == 977_150_000
    assert sum(known.qty_tonnes for known in KNOWN) == 338_000


def test_both_sessions_of_one_day() -> None:
    first, second = KNOWN[:2]
    codes = {first.code: first.reference_ticks, second.code: second.reference_ticks}
    exchange = open_exchange(first.date, codes)
    for row, known in enumerate((first, second)):
        field = field_of(row, known.reference_ticks, 1000)
        found = find_sessions(known.qty_tonnes, known.turnover_fen, [field], 100_000)
        assert not isinstance(found, Contradiction)
        for session in found:
            hold(exchange, session)
    sold = exchange.state.totals[:2, 2]
    assert sold["day_qty_tonnes"].tolist() == [100_000, 30_000]
    assert int(sold["day_turnover_fen"].sum()) == 977_150_000


def refusal(exchange: Exchange, batch: Array) -> Reason:
    """Send a command that is refused; return why."""
    batch["seq"] = batch["time_ns"] = exchange.seq + 1
    (event,) = exchange.apply(batch)
    assert event["kind"] == Event.REFUSED
    return Reason(int(event["reason"]))


def test_locks_of_seller_and_bidders_tr_85_90_91() -> None:
    exchange = open_exchange(dt.date(2025, 11, 4), {"CEA24": 4872})
    applied = {"account": SELLER, "instrument": 0, "side": Side.SELL, "mode": Pricing.UNIFORM}
    state = exchange.state
    for price, qty, reason in (
        (4872, 80_000, Reason.QTY_BELOW_MIN),  # E37
        (4871, 100_000, Reason.PRICE_OUT_OF_BAND),  # the floor is the close, or 10 % below
    ):
        application = command(Kind.APPLY_SESSION, price_ticks=price, qty_tonnes=qty, **applied)
        assert refusal(exchange, application) == reason
    application = command(Kind.APPLY_SESSION, price_ticks=4872, qty_tonnes=100_000, **applied)
    number = int(submit(exchange, application)[0]["order_no"])
    assert int(state.holdings[SELLER, 0]["frozen_tonnes"]) == 0
    submit(exchange, command(Kind.NOTICE_SESSION, ref=number, until_minute=1440))
    assert int(state.holdings[SELLER, 0]["frozen_tonnes"]) == 100_000  # from the approval on
    submit(exchange, command(Kind.OPEN_SESSION, ref=number))
    for price in (4871, 5360):  # E38: 48.72 to 53.59
        bid = command(Kind.BID, account=1, ref=number, price_ticks=price, qty_tonnes=1)
        assert refusal(exchange, bid) == Reason.PRICE_OUT_OF_BAND
    for account, price in ((1, 5359), (2, 4872)):
        bid = command(Kind.BID, account=account, ref=number, price_ticks=price, qty_tonnes=50_000)
        submit(exchange, bid)
        assert int(state.accounts[account]["cash_frozen_fen"]) == 50_000 * price  # its own price
    submit(exchange, command(Kind.CLOSE_SESSION, ref=number))
    # Uniform: both pay 48.72, and what the first had frozen beyond that is its own again.
    for account in (1, 2):
        assert int(state.accounts[account]["cash_frozen_fen"]) == 0
        assert int(state.accounts[account]["cash_available_fen"]) == CASH - 50_000 * 4872
    assert int(state.holdings[SELLER, 0]["frozen_tonnes"]) == 0


def test_bids_have_any_tick_and_size_and_no_deposit_tr_92() -> None:
    exchange = open_exchange(dt.date(2026, 5, 22), {"CEA25": 8043})
    bids = tuple(Bid(8043 + step, 1) for step in (804, 7, 1, 0))
    trades = hold(exchange, Session(0, 8043, 100_000, Pricing.PAY_AS_BID, bids))
    assert trades["price_ticks"].tolist() == [bid.price_ticks for bid in bids]
    cash = exchange.state.accounts[:ACCOUNTS]["cash_available_fen"].astype(np.int64)
    assert int(cash.sum()) == ACCOUNTS * CASH
    assert int(cash[SELLER]) == CASH + sum(bid.price_ticks for bid in bids)


FIELD = Field(4, 5000, 4500, 5500)


def test_average_between_ticks_is_pay_as_bid_tr_83() -> None:
    session = only(find_sessions(1_000, 5_000_250, [FIELD], 100_000))
    assert session == Session(
        4, 5000, 100_000, Pricing.PAY_AS_BID, (Bid(5001, 250), Bid(5000, 750))
    )
    assert session.winners == 2


def test_whole_tick_is_uniform_with_a_cut_and_a_losing_bid_tr_87() -> None:
    session = only(find_sessions(100_000, 510_000_000, [FIELD], 100_000))
    assert (session.pricing, session.floor_ticks, session.winners) == (Pricing.UNIFORM, 5000, 2)
    assert [bid.price_ticks for bid in session.bids] == [5101, 5100, 5099]
    assert sum(bid.qty_tonnes for bid in session.bids[:2]) > session.offered_tonnes


def test_price_below_the_reference_takes_the_lower_floor_tr_22() -> None:
    session = only(find_sessions(1, 4_500, [FIELD], 100_000))
    assert (session.floor_ticks, session.bids) == (4500, (Bid(4500, 1),))


@pytest.mark.parametrize(
    ("qty", "fen", "clauses"),
    [(0, 1, "ST-15"), (1, 4_499, "TR-22, TR-23"), (2, 11_001, "TR-22, TR-23")],
)
def test_contradictions_name_the_rule(qty: int, fen: int, clauses: str) -> None:
    found = find_sessions(qty, fen, [FIELD], 100_000)
    assert isinstance(found, Contradiction)
    assert found.clauses == clauses
    assert find_sessions(0, 0, [FIELD], 100_000) == ()
