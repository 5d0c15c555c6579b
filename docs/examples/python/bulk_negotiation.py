"""A bulk negotiation from both sides: offer, counter-offer, acceptance, confirmation (TR-70…75).

    python bulk_negotiation.py --price 98.00 --counter 97.50

Two accounts: the seller's key is KEY and SECRET, the buyer's KEY2 and SECRET2. The seller directs
an offer at the buyer, who names a lower price; the seller accepts it; the buyer, whose terms they
are, confirms: the deal. Bulk deals are made in the afternoon (TR-31), of 100,000 t or more (TR-12).
"""

import argparse
import os
import sys
from collections.abc import Iterator
from typing import TypeVar

from gateway.client import BlockingClient, BlockingMarketData, RefusedError, Told
from gateway.wire import rare_messages as reports

Report = TypeVar("Report")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Negotiate a bulk deal between two accounts.")
    parser.add_argument("--url", default=os.environ.get("URL", "ws://127.0.0.1:8000"))
    parser.add_argument("--key", default=os.environ.get("KEY"), help="the seller's")
    parser.add_argument("--secret", default=os.environ.get("SECRET"))
    parser.add_argument("--key2", default=os.environ.get("KEY2"), help="the buyer's")
    parser.add_argument("--secret2", default=os.environ.get("SECRET2"))
    parser.add_argument("--instrument", default="CEA25")
    parser.add_argument("--qty", type=int, default=100_000)
    parser.add_argument("--price", required=True, help="what the seller asks, in yuan")
    parser.add_argument("--counter", required=True, help="what the buyer would pay")
    return parser.parse_args()


def next_of(kind: type[Report], told: Iterator[Told]) -> Report:
    """Return the next report of this kind."""
    return next(report for report in told if isinstance(report, kind))


def negotiate(seller: BlockingClient, buyer: BlockingClient, asked: argparse.Namespace) -> None:
    to_seller, to_buyer = seller.reports(within_s=30), buyer.reports(within_s=30)
    assert seller.welcome is not None
    assert buyer.welcome is not None
    both = {"seller": seller.welcome.account, "buyer": buyer.welcome.account}

    offer = seller.bulk_offer(
        asked.instrument, "sell", price=asked.price, qty=asked.qty, counterparty=both["buyer"]
    )
    print(f"seller: offer {offer.order_no}, {asked.qty} t at {asked.price}", flush=True)

    heard = next_of(reports.BulkOffered, to_buyer)
    print(f"buyer:  hears of offer {heard.order_no} by account {heard.counterparty}", flush=True)
    buyer.bulk_counter(heard.order_no, price=asked.counter, qty=asked.qty)
    print(f"buyer:  counters with {asked.counter}", flush=True)

    terms = next_of(reports.BulkCountered, to_seller)
    seller.bulk_accept(
        terms.order_no,
        price_ticks=terms.price_ticks,
        qty=terms.qty_tonnes,
        counterparty=terms.counterparty,
    )
    print("seller: accepts exactly these terms", flush=True)

    next_of(reports.BulkAgreed, to_buyer)
    deal = buyer.bulk_confirm(offer.order_no)
    print(
        f"buyer:  confirms: {deal.qty_tonnes} t at {deal.price_ticks / 100:.2f}, "
        f"trade {deal.trade_no}, fee {deal.fee_fen / 100:.2f} yuan",
        flush=True,
    )


def main() -> int:
    asked = arguments()
    with (
        BlockingClient(asked.url, asked.key, asked.secret, reconnect=True) as seller,
        BlockingClient(asked.url, asked.key2, asked.secret2, reconnect=True) as buyer,
        BlockingMarketData(asked.url, [asked.instrument], reconnect=True) as market,
    ):
        print("waiting for the afternoon", flush=True)
        market.wait_until(lambda books: books.status and books.status.phase == "afternoon")
        try:
            negotiate(seller, buyer, asked)
        except RefusedError as refused:
            print(f"refused: {refused}", flush=True)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
