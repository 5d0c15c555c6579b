"""Bulk agreement and bidding over the wire: who is told what, and nobody more (TR-70…95, U5)."""

from itertools import count
from pathlib import Path

import pytest

from engine.records import Kind, Phase
from gateway.wire.messages import Accepted, Cancelled, Filled, Lapsed, Refused
from gateway.wire.rare_messages import (
    BulkAgreed,
    BulkCountered,
    BulkDeclined,
    BulkOffered,
    SessionApplied,
    SessionClosed,
    SessionNoticed,
    SessionOpened,
    SessionRejected,
)
from tests.unit.gateway.inline_desk import Floor, order, say

QTY = 100_000
_ids = count()


@pytest.fixture
def floor(tmp_path: Path) -> Floor:
    return Floor(tmp_path)


@pytest.fixture
def pit(floor: Floor) -> Floor:
    floor.afternoon()
    return floor


def message(kind: str, **fields: object) -> dict[str, object]:
    return {"type": kind, "client_order_id": f"n{next(_ids)}", **fields}


def offer(**changes: object) -> dict[str, object]:
    fields = {"instrument": "CEA25", "side": "sell", "price": "74.00", "qty_tonnes": QTY}
    return message("bulk_offer", **{**fields, **changes})


def terms(order_no: int, price: str = "74.00", qty: int = QTY, **more: object) -> dict:
    return {"order_no": order_no, "price": price, "qty_tonnes": qty, **more}


def test_a_public_offer_is_accepted_and_traded_at_once(pit: Floor) -> None:
    """TR-70, TR-75."""
    seller, buyer, other = (pit.session(row) for row in range(3))
    asked = offer()
    (offered,) = say(seller, asked)
    assert isinstance(offered, BulkOffered)
    assert (offered.client_order_id, offered.counterparty, offered.by_you) == (
        asked["client_order_id"],
        -1,
        True,
    )
    accept = message("bulk_accept", **terms(offered.order_no))
    (bought,) = say(buyer, accept)
    assert isinstance(bought, Filled)
    assert (bought.modality, bought.side, bought.taker) == ("bulk", "buy", True)
    assert bought.client_order_id == bought.request_id == accept["client_order_id"]
    (sold,) = seller.output()
    assert (sold.client_order_id, sold.side, sold.order_no) == (
        asked["client_order_id"],
        "sell",
        offered.order_no,
    )
    assert (sold.request_id, sold.amount_fen) == ("", 7400 * QTY)
    assert other.output() == []


def test_a_negotiation_is_told_to_both_and_to_nobody_else(pit: Floor) -> None:
    """TR-72, TR-73, U5, U8."""
    seller, buyer, other = (pit.session(row) for row in range(3))
    (offered,) = say(seller, offer())
    number = offered.order_no
    (countered,) = say(buyer, message("bulk_counter", **terms(number, "73.50", 120_000)))
    assert isinstance(countered, BulkCountered)
    assert (countered.by_you, countered.counterparty, countered.frozen_fen) == (True, 0, 0)
    (heard,) = seller.output()
    assert (heard.by_you, heard.counterparty, heard.price_ticks, heard.qty_tonnes) == (
        False,
        1,
        7350,
        120_000,
    )
    assert heard.client_order_id == ""
    agree = message("bulk_accept", **terms(number, "73.50", 120_000, counterparty=1))
    (agreed,) = say(seller, agree)
    assert isinstance(agreed, BulkAgreed)
    (told,) = buyer.output()
    assert (told.by_you, told.counterparty, told.frozen_fen) == (False, 0, 0)
    confirm = message("bulk_confirm", order_no=number)
    (bought,) = say(buyer, confirm)
    assert (bought.price_ticks, bought.qty_tonnes, bought.modality) == (7350, 120_000, "bulk")
    assert bought.request_id == confirm["client_order_id"]
    (sold,) = seller.output()
    assert (sold.trade_no, sold.request_id) == (bought.trade_no, "")
    assert other.output() == []


def test_the_initiator_counters_the_responder_accepts_the_initiator_confirms(pit: Floor) -> None:
    """TR-73: what the acceptor has frozen is told to the acceptor only."""
    seller, buyer = pit.session(0), pit.session(1)
    (offered,) = say(seller, offer())
    number = offered.order_no
    say(buyer, message("bulk_counter", **terms(number, "73.00")))
    say(seller, message("bulk_counter", **terms(number, "73.60", counterparty=1)))
    buyer.output()
    accept = message("bulk_accept", **terms(number, "73.60"))
    (agreed,) = say(buyer, accept)
    assert agreed.frozen_fen == 7360 * QTY
    (heard,) = seller.output()
    assert (heard.by_you, heard.frozen_fen, heard.counterparty) == (False, 0, 1)
    confirm = message("bulk_confirm", order_no=number, counterparty=1)
    (sold,) = say(seller, confirm)
    assert isinstance(sold, Filled)
    assert (sold.request_id, sold.taker) == (confirm["client_order_id"], False)
    (bought,) = buyer.output()
    assert (bought.client_order_id, bought.request_id) == (accept["client_order_id"], "")


def test_a_directed_offer_is_told_to_its_counterparty_and_hidden_from_others(pit: Floor) -> None:
    """TR-75."""
    seller, buyer, other = (pit.session(row) for row in range(3))
    (offered,) = say(seller, offer(counterparty=1))
    (told,) = buyer.output()
    assert isinstance(told, BulkOffered)
    assert (told.counterparty, told.by_you, told.frozen_fen) == (0, False, 0)
    assert other.output() == []
    (refused,) = say(other, message("bulk_accept", **terms(offered.order_no)))
    (unknown,) = say(other, message("bulk_accept", **terms(4711)))
    assert (refused.code, refused.reason) == (unknown.code, unknown.reason)
    (declined,) = say(buyer, message("bulk_decline", order_no=offered.order_no))
    assert isinstance(declined, BulkDeclined)
    ended, gone = seller.output()
    assert isinstance(ended, BulkDeclined)
    assert isinstance(gone, Cancelled)
    assert (gone.code, gone.request_id) == ("declined", "")


def test_withdrawing_ends_every_negotiation_of_the_offer(pit: Floor) -> None:
    """TR-72: exits."""
    seller, buyer, other = (pit.session(row) for row in range(3))
    (offered,) = say(seller, offer())
    for session in (buyer, other):
        say(session, message("bulk_counter", **terms(offered.order_no, "73.00")))
    seller.output()
    withdraw = message("bulk_withdraw", order_no=offered.order_no)
    gone, *ends = say(seller, withdraw)
    assert (gone.request_id, gone.code) == (withdraw["client_order_id"], "by_owner")
    assert sorted(each.counterparty for each in ends) == [1, 2]
    for session in (buyer, other):
        (told,) = session.output()
        assert (told.counterparty, told.code, told.by_you) == (0, "offer_gone", False)
        assert told.client_order_id == ""


def test_an_offer_lapses_with_the_day(pit: Floor) -> None:
    """TR-72, E36."""
    seller, buyer = pit.session(0), pit.session(1)
    asked = offer()
    (offered,) = say(seller, asked)
    say(buyer, message("bulk_counter", **terms(offered.order_no, "73.00")))
    seller.output()
    pit.cycle(Kind.CLOSE_DAY, 0)
    lapsed, ended, closed = seller.output()
    assert isinstance(lapsed, Lapsed)
    assert lapsed.client_order_id == asked["client_order_id"]
    assert (ended.code, closed.phase) == ("end_of_day", "closed")


BAD = [
    (offer(qty_tonnes=99_999), "qty_below_min", True),
    (offer(price="1.00"), "price_out_of_band", True),
    (offer(side="neither"), "side_invalid", True),
    (offer(instrument="CEA99"), "unknown_instrument", False),
    (offer(counterparty=0), "self_trade", True),
    (offer(counterparty=77), "unknown_counterparty", True),
    (offer(counterparty=-5), "out_of_range", False),
    (offer(price=None), "missing_field", False),
    (offer(price_ticks=7400), "conflicting_fields", False),
    (offer(price="74.005"), "price_off_tick", False),
    (offer(account=1), "unknown_field", False),
    (message("bulk_accept", **terms(99)), "unknown_order", True),
    (message("bulk_counter", **terms(99)), "unknown_order", True),
    (message("bulk_confirm", order_no=99), "unknown_order", True),
    (message("bulk_decline", order_no=99), "unknown_order", True),
    (message("bulk_withdraw", order_no=99), "unknown_order", True),
    (message("bulk_withdraw"), "missing_field", False),
    (message("bid", session_no=1, price="74.00", qty_tonnes=5), "unknown_session", True),
    (message("cancel_bid", order_no=1), "unknown_order", True),
    (
        message("apply_session", instrument="CEA25", price="74.63", qty_tonnes=80_000),
        "qty_below_min",
        True,
    ),
    (
        message(
            "apply_session", instrument="CEA25", price="74.63", qty_tonnes=QTY, pricing="dutch"
        ),
        "mode_invalid",
        True,
    ),
    (
        message("apply_session", instrument="CEA25", price="74.62", qty_tonnes=QTY),
        "price_out_of_band",
        True,
    ),
    (
        message("apply_session", instrument="CEA25", price="74.63", qty_tonnes=QTY, side="buy"),
        "side_invalid",
        True,
    ),
]


@pytest.mark.parametrize(("sent", "code", "sequenced"), BAD, ids=lambda each: str(each)[:40])
def test_bad_messages_are_refused_and_change_nothing(
    pit: Floor, sent: dict, code: str, sequenced: bool
) -> None:
    session, other = pit.session(0), pit.session(1)
    state = pit.exchange.state
    before = [each.tobytes() for each in (state.orders, state.accounts, state.sessions)]
    plain = {name: value for name, value in sent.items() if value is not None}
    (said,) = say(session, plain)
    assert isinstance(said, Refused)
    assert (said.code, said.sequenced) == (code, sequenced)
    assert said.client_order_id == sent["client_order_id"]
    assert before == [each.tobytes() for each in (state.orders, state.accounts, state.sessions)]
    assert other.output() == []


def test_bulk_is_refused_in_the_morning(floor: Floor) -> None:
    """E32, TR-31."""
    (said,) = say(floor.session(0), offer())
    assert said.code == "phase_closed"


def test_a_repeated_request_is_answered_again(pit: Floor) -> None:
    seller, buyer = pit.session(0), pit.session(1)
    asked = offer()
    (first,) = say(seller, asked)
    (again,) = say(seller, asked)
    assert again.repeated
    assert again.order_no == first.order_no
    accept = message("bulk_accept", **terms(first.order_no))
    (fill,) = say(buyer, accept)
    (same,) = say(buyer, accept)
    assert (same.trade_no, same.repeated) == (fill.trade_no, True)
    (status,) = say(buyer, {"type": "status", "client_order_id": accept["client_order_id"]})
    assert (status.outcome, status.order_status) == ("accepted", "filled")


# bidding


def session_open(floor: Floor, pricing: str = "uniform") -> tuple:
    """Applicant, two bidders, an operator, and a session that takes bids."""
    seller, one, two = (floor.session(row) for row in range(3))
    operator = floor.office("exchange_operator")
    applied_by = message(
        "apply_session", instrument="CEA25", price="74.63", qty_tonnes=QTY, pricing=pricing
    )
    (applied,) = say(seller, applied_by)
    assert isinstance(applied, SessionApplied)
    assert applied.client_order_id == applied_by["client_order_id"]
    window = {"opens": "10:00", "closes": "10:30"}
    notice = message("notice_session", session_no=applied.session_no, **window)
    (published,) = say(operator, notice)
    assert isinstance(published, SessionNoticed)
    assert published.client_order_id == notice["client_order_id"]
    (noticed,) = seller.output()
    assert (noticed.opens, noticed.closes, noticed.pricing) == ("10:00", "10:30", pricing)
    assert noticed.client_order_id == ""
    floor.cycle(Kind.OPEN_SESSION, applied.session_no)
    (opened,) = seller.output()
    assert isinstance(opened, SessionOpened)
    return seller, one, two, operator, applied.session_no, applied_by["client_order_id"]


def bid(session_no: int, price: str, qty: int) -> dict[str, object]:
    return message("bid", session_no=session_no, price=price, qty_tonnes=qty)


def test_bids_are_sealed_until_the_session_closes(floor: Floor) -> None:
    """TR-84, TR-87, TR-89: a bidder hears of its own bid only, the applicant of none."""
    seller, one, two, operator, number, applied_id = session_open(floor)
    (first,) = say(one, bid(number, "75.00", 60_000))
    (second,) = say(two, bid(number, "74.80", 60_000))
    (third,) = say(two, bid(number, "74.70", 5))
    assert isinstance(first, Accepted)
    assert (first.side, first.frozen_fen) == ("buy", 7500 * 60_000)
    assert seller.output() == operator.output() == one.output() == []
    (back,) = say(two, message("cancel_bid", order_no=third.order_no))
    assert isinstance(back, Cancelled)
    floor.cycle(Kind.CLOSE_SESSION, number)
    (won,) = one.output()
    assert (won.price_ticks, won.qty_tonnes, won.modality) == (7480, 60_000, "bidding")
    part, cut = two.output()
    assert (part.qty_tonnes, part.order_no, cut.code, cut.qty_tonnes) == (
        40_000,
        second.order_no,
        "bid_cut",
        20_000,
    )
    closed, *sold = seller.output()
    assert isinstance(closed, SessionClosed)
    assert (closed.price_ticks, closed.qty_tonnes, closed.leaves_qty) == (7480, QTY, 0)
    assert {each.client_order_id for each in sold} == {applied_id}
    assert [each.qty_tonnes for each in sold] == [60_000, 40_000]


def test_a_rejected_session_tells_bidders_nothing_of_the_operators_request(floor: Floor) -> None:
    seller, one, _, operator, number, _ = session_open(floor)
    (placed,) = say(one, bid(number, "75.00", 10))
    floor.cycle(Kind.CLOSE_SESSION, number)
    one.output(), seller.output()
    applied = say(
        seller,
        message("apply_session", instrument="CEA25", price="74.63", qty_tonnes=QTY),
    )[0]
    reject = message("reject_session", session_no=applied.session_no)
    (done,) = say(operator, reject)
    assert isinstance(done, SessionRejected)
    assert done.client_order_id == reject["client_order_id"]
    (told,) = seller.output()
    assert (told.session_no, told.client_order_id) == (applied.session_no, "")
    assert placed.order_no


def test_a_published_session_ends_with_the_day_under_the_applicants_own_id(floor: Floor) -> None:
    """TR-86, ST-16: nobody hears the id of an operator's request."""
    seller, one, _, _, number, applied_id = session_open(floor)
    (placed,) = say(one, bid(number, "75.00", 10))
    floor.afternoon()
    seller.output(), one.output()
    floor.cycle(Kind.CLOSE_DAY, 0)
    lapsed = [each for each in seller.output() if isinstance(each, Lapsed | SessionRejected)]
    assert {each.client_order_id for each in lapsed} <= {applied_id, ""}
    assert isinstance(lapsed[-1], SessionRejected)
    assert lapsed[-1].code == "end_of_day"
    (mine,) = [each for each in one.output() if isinstance(each, Lapsed)]
    assert mine.order_no == placed.order_no


def test_racing_commands_resolve_by_sequence(floor: Floor) -> None:
    """TR-69: bid and close, counter and accept in one batch: the second hears what is true then."""
    _, one, _, _, number, _ = session_open(floor)
    floor.sequencer.hold = True
    say(one, bid(number, "75.00", 10))
    floor.cycle(Kind.CLOSE_SESSION, number)
    say(one, bid(number, "75.00", 10))
    floor.sequencer.hold = False
    floor.sequencer.flush()
    accepted, filled, refused = one.output()
    assert isinstance(accepted, Accepted)
    assert isinstance(filled, Filled)
    assert refused.code == "unknown_session"
    floor.phase(Phase.LUNCH)
    floor.phase(Phase.AFTERNOON)
    seller, buyer = floor.session(0), floor.session(2)
    (offered,) = say(seller, offer(price="73.00"))
    say(buyer, message("bulk_counter", **terms(offered.order_no, "72.00")))
    seller.output()
    floor.sequencer.hold = True
    say(buyer, message("bulk_counter", **terms(offered.order_no, "72.50")))
    say(seller, message("bulk_accept", **terms(offered.order_no, "72.00", counterparty=2)))
    floor.sequencer.hold = False
    floor.sequencer.flush()
    countered, refused = seller.output()
    assert (countered.price_ticks, refused.code) == (7250, "terms_changed")


def test_a_cancel_and_a_take_resolve_by_sequence(floor: Floor) -> None:
    """E18, TR-69: whichever is numbered first wins, never both."""
    for first in ("cancel", "take"):
        lister, taker = floor.session(0), floor.session(1)
        (listed,) = say(lister, order(f"race-{first}"))
        taker.output()
        floor.sequencer.hold = True
        cancel = message("cancel", order_no=listed.order_no)
        take = message("take", order_no=listed.order_no, qty_tonnes=10)
        for kind in (first, "take" if first == "cancel" else "cancel"):
            say(*((lister, cancel) if kind == "cancel" else (taker, take)))
        floor.sequencer.hold = False
        floor.sequencer.flush()
        mine, theirs = lister.output(), taker.output()
        if first == "cancel":
            assert [type(each) for each in mine] == [Cancelled]
            assert [each.code for each in theirs] == ["unknown_order"]
        else:
            assert [type(each) for each in mine] == [Filled, Refused]
            assert [type(each) for each in theirs] == [Accepted, Filled]
        lister.drop()
        taker.drop()
