"""The live view from made-up data: everything is on the screen, on any size and on none."""

from __future__ import annotations

import asyncio
import datetime as dt
import io
import re

import pytest
from rich.console import Console

from engine.records import Event, Modality
from gateway.clock import beijing_ns
from gateway.demo.live_state import Watcher
from gateway.demo.live_view import fits, picture, plain_line, render_svg, show, tell
from marketdata.feed import Feed
from tests.unit.marketdata.streams import (
    RandomMarket,
    admitted,
    batch,
    day_begun,
    day_closed,
    event,
    listed_and_taken,
)

CODES = ["CEA", "CEA21", "CEA22", "CEA23", "CEA24", "CEA25"]
PRICES = [7400, 9680, 9800, 9792, 4872, 9740]


class Counted:
    """Counters that stand still."""

    sessions = 12
    subscribers = 3
    commands = 1000
    orders = 345
    trades = 67
    held = ""


def market_feed() -> Feed:
    feed = Feed(CODES.__getitem__)
    feed.absorb(batch(*admitted(PRICES, [0, 0, 0, 0, 0, 1]), *day_begun(PRICES)))
    market = RandomMarket(4, instruments=6)
    rows = [row for _ in range(500) for row in market.step()]
    feed.absorb(batch(*rows))
    feed.flush()
    return feed


def watcher(feed: Feed, counters: Counted | None = None) -> Watcher:
    now_ns = beijing_ns(dt.date(2026, 8, 20), 10 * 60 + 17)
    return Watcher(
        feed,
        counters or Counted(),
        lambda: now_ns,
        "demo clock, 75 times as fast",
        ["http://127.0.0.1:8000/docs", "log in: trader1 secret"],
        "CEA25",
    )


def screen(feed: Feed, width: int, height: int, counters: Counted | None = None) -> list[str]:
    console = Console(width=width, height=height, file=io.StringIO(), force_terminal=False)
    with console.capture() as capture:
        console.print(picture(watcher(feed, counters).view(0.0), height), height=height)
    return capture.get().splitlines()


@pytest.mark.parametrize(("width", "height"), [(100, 30), (140, 45), (220, 70)])
def test_everything_is_on_the_screen(width: int, height: int) -> None:
    feed = market_feed()
    lines = screen(feed, width, height)
    assert len(lines) == height
    text = "\n".join(lines)
    for wanted in (
        *CODES,
        "2026-08-20 Thu",
        "10:17:00",
        "demo clock",
        "S5",
        "S1",
        "B1",
        "B5",
        "latest trades",
        "turnover yuan",
        "logged in 12",
        "345 orders, 67 trades",
        "/docs",
        "trader1 secret",
    ):
        assert wanted in text, wanted
    quote = feed.snapshot("CEA25").quote
    depth = feed.snapshot("CEA25").depth
    assert f"{quote.turnover_fen // 100:,}" in text
    for level in (*depth.bids, *depth.asks):
        assert f"{level.price_ticks / 100:.2f}" in text
        assert f"{level.qty_tonnes:,}" in text


def test_trades_have_the_colour_of_their_direction() -> None:
    feed = Feed(CODES.__getitem__)
    feed.absorb(batch(*admitted(PRICES), *day_begun(PRICES)))
    feed.absorb(batch(*listed_and_taken(5, 9750, 123, 1)))
    feed.flush()
    console = Console(width=100, height=30, file=io.StringIO(), force_terminal=True)
    with console.capture() as capture:
        console.print(picture(watcher(feed).view(0.0), 30), height=30)
    assert re.search(r"\x1b\[31m\s*123 ▲", capture.get())  # a buyer took: red, upwards


def test_negotiated_deals_are_marked_on_the_tape() -> None:
    """TR-142: a bulk deal far from the listed prices must not look like one of them."""
    feed = Feed(CODES.__getitem__)
    feed.absorb(batch(*admitted(PRICES), *day_begun(PRICES)))
    feed.absorb(batch(*listed_and_taken(5, 9750, 123, 1)))
    feed.flush()
    assert "◆" not in "\n".join(screen(feed, 100, 30))
    deal = {"side": 1, "instrument": 5, "price_ticks": 9400, "trade_no": 2}
    deal |= {"amount_fen": 9400 * 150_000, "qty_tonnes": 150_000}
    feed.absorb(batch(event(Event.TRADED, **deal, modality=Modality.BULK)))
    feed.flush()
    lines = screen(feed, 100, 30)
    assert any("94.00" in line and "150,000 ◆" in line for line in lines)
    assert any("97.50" in line and "123 ▲" in line for line in lines)
    assert any("◆ bulk" in line and "◇" not in line for line in lines)


def test_an_empty_venue_and_a_held_one_can_be_drawn() -> None:
    assert "No vintage is listed yet" in "\n".join(screen(Feed(), 100, 30))
    held = Counted()
    held.held = "Day 20260820 is disputed"
    assert "held: Day 20260820" in "\n".join(screen(market_feed(), 140, 30, held))
    assert "HELD" in plain_line(watcher(market_feed(), held).view(0.0))


def test_keys_choose_the_book() -> None:
    seen = watcher(market_feed())
    for key, selected in (("1", "CEA"), ("9", "CEA"), ("x", "CEA"), ("4", "CEA23"), ("0", "CEA23")):
        seen.select(key)
        assert seen.view(0.0).selected == selected


def test_throughput_is_counted_over_real_seconds() -> None:
    counters = Counted()
    seen = watcher(market_feed(), counters)
    assert seen.view(10.0).commands_per_s == 0
    counters.commands += 50
    assert seen.view(10.5).commands_per_s == 0  # too soon to tell
    assert seen.view(12.0).commands_per_s == 25


def test_the_svg_is_an_image_that_loads_nothing() -> None:
    svg = render_svg(watcher(market_feed()).view(0.0))
    assert svg.startswith("<svg")
    assert "CEA25" in svg
    assert "@font-face" not in svg
    assert "url(http" not in svg


def test_a_terminal_gets_the_picture_until_it_is_cancelled() -> None:
    feed, out = market_feed(), io.StringIO()
    console = Console(width=100, height=30, file=out, force_terminal=True)
    assert fits(console)

    async def main() -> None:
        showing = asyncio.create_task(show(watcher(feed), console))
        await asyncio.sleep(0.7)
        showing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await showing

    asyncio.run(main())
    assert out.getvalue().count("latest trades") >= 2
    assert out.getvalue().rstrip().endswith("\x1b[?25h") or "\x1b[?1049l" in out.getvalue()


def test_no_terminal_gets_lines_and_each_bulletin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.demo.live_view.PLAIN_LINE_S", 0.05)
    feed, out = market_feed(), io.StringIO()
    console = Console(width=80, file=out)
    assert not fits(console)

    async def main() -> None:
        telling = asyncio.create_task(tell(watcher(feed), feed, console))
        await asyncio.sleep(0.12)
        feed.absorb(batch(*day_closed(PRICES, 9740)))
        feed.flush()
        await asyncio.sleep(0.12)
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)

    asyncio.run(main())
    text = out.getvalue()
    assert text.count("Daily bulletin of the national carbon market") == 1
    lines = [line for line in text.splitlines() if line.startswith("2026-08-20 10:17:00")]
    assert len(lines) >= 3
    assert "CEA25" in lines[0]
    assert "\x1b" not in text


def test_after_the_close_the_close_stands_beside_its_change() -> None:
    feed = Feed(CODES.__getitem__)
    feed.absorb(batch(*admitted(PRICES), *day_begun(PRICES)))
    feed.absorb(batch(*listed_and_taken(5, 9700, 10, 1), *listed_and_taken(5, 9800, 30, 3)))
    feed.flush()
    assert "CEA25 98.00 +0.62%" in plain_line(watcher(feed).view(0.0))
    feed.absorb(batch(*day_closed([*PRICES[:5], 9775], 9775)))
    feed.flush()
    assert "CEA25 97.75 +0.36%" in plain_line(watcher(feed).view(0.0))
    lines = screen(feed, 100, 30)
    assert any("close" in line and "turnover" in line for line in lines)
    assert any("97.75" in line and "+0.36%" in line for line in lines)


def negotiated_rows() -> list[dict[str, object]]:
    """Seven public bulk offers, one directed one, and a published bidding session."""
    offers = [
        event(
            Event.BULK_OFFERED,
            order_no=9000 + number,
            account=number,
            counterparty=3 if number == 7 else -1,
            instrument=(5, 5, 4, 5, 2, 5, 5, 5)[number],
            side=1 + number % 2,
            price_ticks=9740 + number,
            qty_tonnes=100_000 * (number + 1),
            modality=Modality.BULK,
        )
        for number in range(8)
    ]
    window = {"from_minute": 600, "until_minute": 630, "modality": Modality.AUCTION}
    seller = {"order_no": 3, "account": 2, "instrument": 4, "side": 2, "price_ticks": 4872}
    noticed = event(Event.SESSION_NOTICED, **seller, qty_tonnes=100_000, **window)
    return [*offers, noticed]


def test_the_board_the_session_and_the_composite_fit_on_the_smallest_screen() -> None:
    """TR-75, TR-81, TR-104: best price first, the chosen book's offers first, the rest counted."""
    feed = market_feed()
    feed.absorb(batch(*negotiated_rows()))
    feed.flush()
    lines = screen(feed, 100, 30)
    assert len(lines) == 30
    text = "\n".join(lines)
    composite = feed.snapshot("CEA25").composite
    assert f"composite {composite.latest_ticks / 100:.2f} " in lines[0]
    assert "10:00–10:30" in text
    assert "CEA24 sell 100,000 t from 48.72, uniform" in text
    board = [line for line in lines if "CEA25" in line and "00,000" in line]
    assert [line.split("CEA25")[1].split()[0] for line in board] == [
        *("97.46", "97.40"),
        *("97.41", "97.43", "97.45"),
    ]
    assert "2 more" in text
    assert "800,000" not in text  # directed at one account
    large = "\n".join(screen(feed, 140, 45))
    assert "more ─" not in large
    line = plain_line(watcher(feed).view(0.0))
    assert "7 bulk offers" in line
    assert "bidding 3: CEA24" in line


def test_a_sessions_result_and_halts_are_shown() -> None:
    feed = market_feed()
    feed.absorb(batch(*negotiated_rows()))
    fields = {"order_no": 3, "instrument": 4, "side": 2, "modality": Modality.AUCTION}
    closed = {"price_ticks": 4900, "qty_tonnes": 1000, "leaves_qty": 99_000}
    won = fields | {"order_no": 9, "other_order_no": 3, "side": 1, "trade_no": 1}
    won |= {"price_ticks": 4900, "qty_tonnes": 1000, "amount_fen": 4_900_000}
    feed.absorb(
        batch(
            event(Event.SESSION_CLOSED, **fields, **closed),
            event(Event.TRADED, **won),
            event(Event.INSTRUMENT_HALTED_NOW, instrument=2),
            event(Event.MARKET_HALTED_NOW),
        )
    )
    feed.flush()
    lines = screen(feed, 100, 30)
    assert any("bidding 3: CEA24 1,000 of 100,000 t dealt" in line for line in lines)
    assert "HALTED" in lines[1]
    assert any("CEA22 halted" in line for line in lines)
    assert "HALTED" in plain_line(watcher(feed).view(0.0))
    fields["order_no"] = 4
    feed.absorb(batch(event(Event.SESSION_NOTICED, **fields, price_ticks=1, qty_tonnes=2)))
    feed.absorb(batch(event(Event.SESSION_REJECTED, **fields)))
    feed.flush()
    assert any("bidding 4: CEA24 rejected" in line for line in screen(feed, 100, 30))
