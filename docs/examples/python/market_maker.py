"""A market maker: a listing on both sides of the price, renewed as it moves.

    python market_maker.py --instrument CEA25 --qty 50 --spread 10

It lists no more than it can pay and sell (what was bought today can be sold from tomorrow on,
TR-47), stays inside the day's price limits, and never crosses the book (TR-67). If the program
dies, the venue cancels its listings: at once after the lost line's grace, or when the dead-man's
timer, which is set again in every round, runs out.
"""

import argparse
import asyncio
import os

from gateway.client import Client, MarketData, RefusedError

TRADING = {"morning", "afternoon"}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="List on both sides of the price.")
    parser.add_argument("--url", default=os.environ.get("URL", "ws://127.0.0.1:8000"))
    parser.add_argument("--key", default=os.environ.get("KEY"))
    parser.add_argument("--secret", default=os.environ.get("SECRET"))
    parser.add_argument("--instrument", default="CEA25")
    parser.add_argument("--qty", type=int, default=50, help="tonnes on each side")
    parser.add_argument("--spread", type=int, default=10, help="ticks of 0.01 yuan to each side")
    parser.add_argument("--every", type=float, default=1.0, help="seconds between two looks")
    parser.add_argument("--rounds", type=int, default=0, help="looks before it ends, 0: for ever")
    parser.add_argument("--timer", type=int, default=600, help="dead-man's timer, venue seconds")
    return parser.parse_args()


def prices(market: MarketData, instrument: str, spread: int) -> tuple[int, int]:
    """Return where to bid and where to ask, in ticks; the own listings are out of the book."""
    quote = market.quote[instrument]
    middle = quote.last_ticks or quote.reference_ticks
    bid, ask = middle - spread, middle + spread
    if seller := market.best(instrument, "sell"):
        bid = min(bid, seller.price_ticks - 1)
    if buyer := market.best(instrument, "buy"):
        ask = max(ask, buyer.price_ticks + 1)
    return max(bid, quote.lower_limit_ticks), min(ask, quote.upper_limit_ticks)


async def can_do(client: Client, instrument: str, bid_ticks: int) -> tuple[int, int]:
    """Return how many tonnes can be bought, and how many sold."""
    now = await client.snapshot()
    held = {each.instrument: each.available_tonnes for each in now.holdings}
    money_fen = now.cash_available_fen * 99 // 100  # the rest is for fees
    return money_fen // bid_ticks, held.get(instrument, 0)


async def renew(client: Client, market: MarketData, asked: argparse.Namespace) -> None:
    """Take the old listings back and put new ones in."""
    await client.cancel_all(instrument=asked.instrument)
    bid, ask = prices(market, asked.instrument, asked.spread)
    can_buy, can_sell = await can_do(client, asked.instrument, bid)
    for side, ticks, most in (("buy", bid, can_buy), ("sell", ask, can_sell)):
        qty = min(asked.qty, most)
        if qty <= 0:
            continue
        try:
            order = await client.list(asked.instrument, side, price_ticks=ticks, qty=qty)
            print(f"{side} {qty} t at {order.price}", flush=True)
        except RefusedError as refused:  # the market was faster
            print(f"{side} at {ticks}: {refused}", flush=True)


def stands(client: Client, market: MarketData, asked: argparse.Namespace) -> bool:
    """Whether both sides are listed, untouched, and about where they should be."""
    last = market.quote[asked.instrument].last_ticks
    mine = client.open_orders
    near = all(abs(order.price_ticks - last) <= 2 * asked.spread for order in mine)
    untouched = all(order.status == "open" for order in mine)
    return len(mine) == 2 and untouched and (near or not last)


async def main(asked: argparse.Namespace) -> None:
    async with (
        Client(asked.url, asked.key, asked.secret, reconnect=True) as client,
        MarketData(asked.url, [asked.instrument], reconnect=True) as market,
    ):
        following = asyncio.create_task(follow(market))
        rounds = 0
        while not asked.rounds or rounds < asked.rounds:
            rounds += 1
            if client.phase in TRADING:
                await client.cancel_after(asked.timer * 1000)
                if not stands(client, market, asked):
                    await renew(client, market, asked)
            await asyncio.sleep(asked.every)
        following.cancel()
        await client.cancel_all()
        await client.cancel_after(0)
        print(f"{len(client.fills)} fills today", flush=True)


async def follow(market: MarketData) -> None:
    """Keep the books up to date."""
    async for _ in market:
        pass


if __name__ == "__main__":
    asyncio.run(main(arguments()))
