"""A bidding session from both sides: application, notice, bid, result (TR-80…95).

    python bidding_session.py --above 50

Two accounts: the seller's key is KEY and SECRET, the bidder's KEY2 and SECRET2. The seller applies
with 100,000 t or more (TR-13); the floor is the reference price of the day. The exchange publishes
the session with a window of the day; the demo's operator does that by itself, elsewhere a person
of the exchange does (``OfficeClient.notice_session``). While it is open bids are sealed; at its end
it is cleared.
"""

import argparse
import os
import sys

from gateway.client import BlockingClient, BlockingMarketData, MarketData, RefusedError
from gateway.wire.rare_messages import SessionNoticed, SessionRejected
from marketdata.messages import Bidding

OVER = {"closed", "failed", "rejected"}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Sell by bidding session, and bid in it.")
    parser.add_argument("--url", default=os.environ.get("URL", "ws://127.0.0.1:8000"))
    parser.add_argument("--key", default=os.environ.get("KEY"), help="the seller's")
    parser.add_argument("--secret", default=os.environ.get("SECRET"))
    parser.add_argument("--key2", default=os.environ.get("KEY2"), help="the bidder's")
    parser.add_argument("--secret2", default=os.environ.get("SECRET2"))
    parser.add_argument("--instrument", default="CEA25")
    parser.add_argument("--qty", type=int, default=100_000, help="tonnes to sell")
    parser.add_argument("--above", type=int, default=50, help="ticks that are bid above the floor")
    parser.add_argument("--bid-qty", type=int, default=1_000)
    return parser.parse_args()


def session_in(market: BlockingMarketData, number: int, statuses: set[str]) -> Bidding:
    """Wait until a session is in one of these states."""

    def found(books: MarketData) -> Bidding | None:
        session = books.sessions.get(number)
        return session if session is not None and session.status in statuses else None

    return market.wait_until(found)


def hold(
    seller: BlockingClient,
    bidder: BlockingClient,
    market: BlockingMarketData,
    asked: argparse.Namespace,
) -> bool:
    """Return whether the session was cleared."""
    told = seller.reports()
    floor_ticks = market.wait_until(lambda books: books.quote[asked.instrument].reference_ticks)
    applied = seller.apply_session(asked.instrument, price_ticks=floor_ticks, qty=asked.qty)
    number = applied.session_no
    print(f"seller: applied for session {number}", flush=True)
    answer = next(each for each in told if isinstance(each, SessionNoticed | SessionRejected))
    if isinstance(answer, SessionRejected):
        print("exchange: rejected, no window of today is left", flush=True)
        return False
    print(f"exchange: open from {answer.opens} to {answer.closes}", flush=True)
    session = session_in(market, number, {"open", *OVER})
    if session.status == "open":
        bid = bidder.bid(number, price_ticks=floor_ticks + asked.above, qty=asked.bid_qty)
        print(f"bidder: {bid.qty_tonnes} t at {bid.price}, sealed", flush=True)
        session = session_in(market, number, OVER)
    print(
        f"public: {session.status}, {session.dealt_qty_tonnes} t at "
        f"{session.clearing_ticks / 100:.2f}, {session.winning_bids} winning",
        flush=True,
    )
    bidder.ping()  # whatever was told before has come by now
    won = sum(fill.qty_tonnes for fill in bidder.fills if fill.modality == "bidding")
    print(f"bidder: won {won} t", flush=True)
    return session.status == "closed"


def main() -> int:
    asked = arguments()
    with (
        BlockingClient(asked.url, asked.key, asked.secret, reconnect=True) as seller,
        BlockingClient(asked.url, asked.key2, asked.secret2, reconnect=True) as bidder,
        BlockingMarketData(asked.url, [asked.instrument], reconnect=True) as market,
    ):
        print("waiting for a morning", flush=True)
        market.wait_until(lambda books: books.status and books.status.phase == "morning")
        try:
            return 0 if hold(seller, bidder, market, asked) else 1
        except RefusedError as refused:
            print(f"refused: {refused}", flush=True)
            return 1


if __name__ == "__main__":
    sys.exit(main())
