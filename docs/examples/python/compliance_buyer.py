"""A compliance buyer: so many tonnes until a date, never above a price, whenever they are offered.

    python compliance_buyer.py 500 --until 2026-12-31 --limit 100.00

Plain blocking code: no asyncio. It waits until somebody sells at the limit or below, lets the venue
take the best listings, and ends with the tonnes, with the date, or with the money.
"""

import argparse
import datetime as dt
import os
import sys

from gateway.client import BlockingClient, BlockingMarketData, MarketData, RefusedError

TRADING = {"morning", "afternoon"}
ORDER_MAX = 99_999  # TR-11
AGAIN = {"nothing_to_take", "phase_closed", "market_halted", "instrument_halted"}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Buy allowances until a date.")
    parser.add_argument("tonnes", type=int)
    parser.add_argument("--until", type=dt.date.fromisoformat, required=True, help="YYYY-MM-DD")
    parser.add_argument("--limit", required=True, help="highest price in yuan, e.g. 98.50")
    parser.add_argument("--instrument", default="CEA25")
    parser.add_argument("--url", default=os.environ.get("URL", "ws://127.0.0.1:8000"))
    parser.add_argument("--key", default=os.environ.get("KEY"))
    parser.add_argument("--secret", default=os.environ.get("SECRET"))
    return parser.parse_args()


def on_offer(market: MarketData, instrument: str, limit_ticks: int, until: int) -> int:
    """Return how many tonnes are listed at the limit or below; -1: the date is over."""
    if market.status is None:
        return 0
    if market.status.date > until:
        return -1
    depth = market.depth.get(instrument)
    if depth is None or market.status.phase not in TRADING:
        return 0
    return sum(each.qty_tonnes for each in depth.asks if each.price_ticks <= limit_ticks)


def buy(client: BlockingClient, market: BlockingMarketData, asked: argparse.Namespace) -> int:
    """Return how many tonnes were bought in the end."""
    until = int(f"{asked.until:%Y%m%d}")
    limit_ticks = round(float(asked.limit) * 100)
    bought = 0
    while bought < asked.tonnes:
        offered = market.wait_until(
            lambda books: on_offer(books, asked.instrument, limit_ticks, until)
        )
        if offered < 0:
            break
        qty = min(asked.tonnes - bought, offered, ORDER_MAX)
        try:
            order = client.take_best(asked.instrument, "buy", price=asked.limit, qty=qty)
        except RefusedError as refused:
            if refused.code in AGAIN:  # somebody was faster
                continue
            print(f"no more: {refused}", flush=True)
            break
        bought += order.filled_qty
        for fill in order.fills:
            print(f"{fill.qty_tonnes} t at {fill.price_ticks / 100:.2f} yuan", flush=True)
    return bought


def main() -> int:
    asked = arguments()
    with (
        BlockingClient(asked.url, asked.key, asked.secret, reconnect=True) as client,
        BlockingMarketData(asked.url, [asked.instrument], reconnect=True) as market,
    ):
        bought = buy(client, market, asked)
        paid_fen = sum(fill.amount_fen + fill.fee_fen for fill in client.fills)
        print(f"{bought} of {asked.tonnes} t; paid today: {paid_fen / 100:,.2f} yuan", flush=True)
    return 0 if bought == asked.tonnes else 1


if __name__ == "__main__":
    sys.exit(main())
