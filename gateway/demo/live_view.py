"""The venue in a terminal: book, tape, bulk board, figures, counters; or plain lines for a log.

``picture`` turns a ``View`` (gateway/demo/live_state.py) into a Rich renderable of a given size,
``render_svg`` into an image.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import io
import re
from collections.abc import Sequence

from rich.console import Console, RenderableType
from rich.layout import Layout
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from engine.records import Modality
from gateway.demo.live_state import View, Watcher
from marketdata.bulletin import Bulletin, percent, to_text, yuan
from marketdata.feed import Feed
from marketdata.messages import (
    LEVELS_SHOWN,
    Bidding,
    Composite,
    Level,
    Quote,
    Trade,
)

FRAME_S = 0.25
PLAIN_LINE_S = 5.0
WIDTH_MIN, HEIGHT_MIN = 100, 30
BEIJING = dt.timezone(dt.timedelta(hours=8))
UP, DOWN, STILL, QUIET = "red", "green", "white", "bright_black"  # red is up in this market
MARKS = {int(Modality.BULK): ("◆", "bulk"), int(Modality.AUCTION): ("◇", "bidding")}
PHASES = {
    "new": "before the first day",
    "pre_open": "pre-open",
    "morning": "morning, open",
    "lunch": "lunch, cancels only",
    "afternoon": "afternoon, open",
    "closed": "closed, clearing",
    "confirmed": "confirmed",
    "posted": "settled",
    "disputed": "DISPUTED",
}


def wall(time_ns: int) -> dt.datetime:
    """Return Beijing wall time."""
    return dt.datetime.fromtimestamp(time_ns // 1_000_000_000, BEIJING)


def colour(change: int) -> str:
    """Return the colour of a change."""
    return UP if change > 0 else DOWN if change < 0 else STILL


def picture(view: View, height: int = HEIGHT_MIN) -> RenderableType:
    """Return the whole screen for a terminal of ``height`` lines and at least WIDTH_MIN columns."""
    footer_lines = len(view.footer) + 1
    figures_lines = len(view.instruments) + 3
    layout = Layout()
    layout.split_column(
        Layout(_header(view), size=3),
        Layout(name="middle", minimum_size=2 * LEVELS_SHOWN + 3),
        Layout(_figures(view), size=figures_lines),
        Layout(_footer(view), size=footer_lines),
    )
    rows = height - 3 - figures_lines - footer_lines - 2
    layout["middle"].split_row(Layout(_book(view, rows), ratio=3), Layout(name="right", ratio=2))
    offers = min(max(len(view.offers), 1), rows // 2 - 1)
    layout["middle"]["right"].split_column(
        Layout(_tape(view, rows - offers - 2)), Layout(_board(view, offers), size=offers + 2)
    )
    return layout


def _header(view: View) -> Panel:
    now = wall(view.time_ns)
    line = Text(no_wrap=True)
    line.append(" 碳市 tanshi ", "bold black on cyan")
    line.append(f"  {now:%Y-%m-%d %a}  ", "bold")
    line.append(f"{now:%H:%M:%S}  ", "bold bright_white")
    open_now = view.phase in {"morning", "afternoon"}
    line.append(f"● {PHASES.get(view.phase, view.phase)}", "bold green" if open_now else "yellow")
    line.append(f"   {view.clock_label}", QUIET)
    if view.halted:
        line.append("   HALTED", "bold red")
    if view.held:
        line.append(f"   held: {view.held}", "bold red")
    title = composite_text(view.composite)
    return Panel(line, title=title, title_align="right", border_style="cyan", height=3)


def composite_text(composite: Composite | None) -> Text | None:
    """Return the composite price now and its change (TR-104, TR-105); None if there is none."""
    if composite is None:
        return None
    now = composite.close_ticks or composite.latest_ticks
    price = now or composite.prev_close_ticks
    if not price:
        return None
    text = Text(f"composite {yuan(price)}", "bold")
    if now:
        text.append(f" {percent(composite.change_bp)}", f"bold {colour(composite.change_bp)}")
    return text


def _book(view: View, rows: int) -> Panel:
    table = Table.grid(expand=True, padding=(0, 1))
    table.add_column(width=4)
    table.add_column(justify="right", width=8)
    table.add_column(justify="right", width=9)
    table.add_column(justify="right", width=3)
    table.add_column(ratio=1)
    snapshot = view.book
    if snapshot is None or snapshot.depth is None:
        return Panel("No vintage is listed yet.", title="book", height=rows + 2)
    bids, asks, quote = snapshot.depth.bids, snapshot.depth.asks, snapshot.quote
    most = max((level.qty_tonnes for level in (*bids, *asks)), default=1)
    table.add_row(*(Text(head, QUIET) for head in ("", "price", "tonnes", "n", "")))
    for place in range(LEVELS_SHOWN, 0, -1):
        table.add_row(*_level("sell", place, asks, most, quote))
    table.add_row(*_between(bids, asks, quote))
    for place in range(1, LEVELS_SHOWN + 1):
        table.add_row(*_level("buy", place, bids, most, quote))
    return Panel(table, title=f"[bold]{snapshot.instrument}[/] five best levels", height=rows + 2)


def _level(
    side: str, place: int, levels: Sequence[Level], most: int, quote: Quote | None
) -> list[Text]:
    style = DOWN if side == "sell" else UP
    name = Text(f"{side[0].upper()}{place}", style)
    if place > len(levels):
        return [name, Text("-", QUIET), Text(""), Text(""), Text("")]
    level = levels[place - 1]
    reference = quote.reference_ticks if quote else level.price_ticks
    return [
        name,
        Text(yuan(level.price_ticks), colour(level.price_ticks - reference)),
        Text(f"{level.qty_tonnes:,}"),
        Text(str(level.orders), QUIET),
        Text("█" * max(1, round(level.qty_tonnes / most * 22)), style, no_wrap=True),
    ]


def _between(bids: Sequence[Level], asks: Sequence[Level], quote: Quote | None) -> list[Text]:
    last = Text("no trade", QUIET)
    if quote is not None and quote.last_ticks:
        last = Text(yuan(quote.last_ticks), f"bold {colour(quote.change_ticks)}")
    spread = Text("")
    if bids and asks:
        spread = Text(f"spread {yuan(asks[0].price_ticks - bids[0].price_ticks)}", QUIET)
    return [Text("last", QUIET), last, Text(""), Text(""), spread]


def _tape(view: View, rows: int) -> Panel:
    table = Table.grid(expand=True, padding=(0, 1))
    table.add_column(width=8)
    table.add_column(width=5)
    table.add_column(justify="right", width=8)
    table.add_column(justify="right", ratio=1)
    table.add_row(*(Text(head, QUIET) for head in ("time", "", "price", "tonnes")))
    for trade in view.tape[: rows - 1]:
        style = UP if trade.side == "buy" else DOWN
        table.add_row(
            Text(f"{wall(trade.time_us * 1000):%H:%M:%S}", QUIET),
            trade.instrument,
            Text(yuan(trade.price_ticks), style),
            Text(f"{trade.qty_tonnes:,} {_mark(trade)}", style),
        )
    shown = {trade.modality for trade in view.tape[: rows - 1]}
    legend = [f"{mark} {name}" for code, (mark, name) in MARKS.items() if code in shown]
    subtitle = Text(", ".join(legend), QUIET) if legend else None
    return Panel(table, title="latest trades", subtitle=subtitle, height=rows + 2)


def _mark(trade: Trade) -> str:
    """Return the taker's direction, or what tells a negotiated deal from a listed one (TR-142)."""
    if trade.modality in MARKS:
        return MARKS[trade.modality][0]
    return "▲" if trade.side == "buy" else "▼"


def _board(view: View, rows: int) -> Panel:
    """The board of public bulk offers; what does not fit is counted."""
    table = Table.grid(expand=True, padding=(0, 1))
    table.add_column(width=4)
    table.add_column(width=5)
    table.add_column(justify="right", width=8)
    table.add_column(justify="right", ratio=1)
    for code, offer in view.offers[:rows]:
        style = DOWN if offer.side == "sell" else UP
        table.add_row(
            Text(offer.side, style), code, yuan(offer.price_ticks), f"{offer.qty_tonnes:,}"
        )
    if not view.offers:
        table.add_row(Text("none", QUIET))
    more = len(view.offers) - rows
    subtitle = Text(f"{more} more", QUIET) if more > 0 else None
    return Panel(table, title="public bulk offers", subtitle=subtitle, height=rows + 2)


def session_text(session: Bidding | None) -> str:
    """Return the bidding session in one line (TR-81…88); "" if there is none today."""
    if session is None:
        return ""
    head = f"bidding {session.session_no}: {session.instrument}"
    if session.status in {"noticed", "open"}:
        window = f"{_time_of(session.from_minute)}–{_time_of(session.until_minute)}"
        limit = "from" if session.side == "sell" else "up to"
        return (
            f"{head} {session.side} {session.qty_tonnes:,} t {limit} {yuan(session.limit_ticks)}, "
            f"{session.pricing.replace('_', '-')}, {window}, {session.status}"
        )
    if session.status == "closed":
        return (
            f"{head} {session.dealt_qty_tonnes:,} of {session.qty_tonnes:,} t dealt, "
            f"{session.winning_bids} bids, last price {yuan(session.clearing_ticks)}"
        )
    return f"{head} {session.status}"


def _time_of(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def price_now(quote: Quote) -> int:
    """Return what the change is of: the close once it is set, before it the latest price."""
    return quote.close_ticks or quote.last_ticks


FIGURE_HEADS = ("", "prev", "open", "high", "low", "last", "change", "tonnes", "turnover yuan")


def _figures(view: View) -> Panel:
    table = Table.grid(expand=True, padding=(0, 1))
    for head in FIGURE_HEADS:
        table.add_column(justify="right" if head else "left", no_wrap=True)
    closed = any(each.quote is not None and each.quote.close_ticks for each in view.instruments)
    heads = ["close" if closed and head == "last" else head for head in FIGURE_HEADS]
    table.add_row(*(Text(head, QUIET) for head in heads))
    for number, snapshot in enumerate(view.instruments, 1):
        if snapshot.quote is not None:
            table.add_row(*_figure_cells(number, snapshot.quote, view.selected, snapshot.halted))
    date = f"{view.date // 10_000}-{view.date // 100 % 100:02d}-{view.date % 100:02d}"
    session = session_text(view.session)
    subtitle = Text(session, "bold cyan") if session else None
    return Panel(table, title=f"figures of {date if view.date else 'the day'}", subtitle=subtitle)


def _figure_cells(number: int, quote: Quote, selected: str, halted: bool) -> list[Text]:
    chosen = "bold reverse" if quote.instrument == selected else "bold"
    name = Text(f"{number} ", QUIET) + Text(quote.instrument, chosen)
    if halted:
        name.append(" halted", "bold red")
    before = Text(yuan(quote.prev_close_ticks or quote.reference_ticks), QUIET)
    if not quote.trades:
        nothing = [Text("-", QUIET)] * 5
        return [name, before, *nothing, Text("0", QUIET), Text("0.00", QUIET)]
    base = quote.reference_ticks
    prices = [
        Text(yuan(ticks), colour(ticks - base))
        for ticks in (quote.open_ticks, quote.high_ticks, quote.low_ticks, price_now(quote))
    ]
    change = Text(percent(quote.change_bp), colour(quote.change_bp))
    volume = [Text(f"{quote.qty_tonnes:,}"), Text(yuan(quote.turnover_fen))]
    return [name, before, *prices, change, *volume]


def _footer(view: View) -> Text:
    text = Text(
        f" logged in {view.sessions} · readers {view.subscribers} · today {view.orders:,} orders, "
        f"{view.trades:,} trades · {view.commands_per_s:.0f} commands/s · "
        "1-9: book, Ctrl-C: stop",
        no_wrap=True,
        overflow="ellipsis",
    )
    for line in view.footer:
        text.append(f"\n {line}", QUIET)
    return text


def plain_line(view: View) -> str:
    """Return the moment in one line, for logs and pipes."""
    parts = [f"{wall(view.time_ns):%Y-%m-%d %H:%M:%S} {view.phase}"]
    snapshot = view.book
    if snapshot is not None and snapshot.quote is not None:
        quote = snapshot.quote
        price = yuan(price_now(quote)) if quote.trades else "no trade"
        parts.append(f"{quote.instrument} {price} {percent(quote.change_bp)}")
        parts.append(f"{quote.qty_tonnes:,} t")
    composite = composite_text(view.composite)
    if composite is not None:
        parts.append(composite.plain)
    if view.offers:
        parts.append(f"{len(view.offers)} bulk offers")
    if session_text(view.session):
        parts.append(session_text(view.session))
    parts.append(f"{view.orders:,} orders, {view.trades:,} trades today")
    parts.append(f"{view.sessions} traders, {view.commands_per_s:.0f} commands/s")
    if view.halted:
        parts.append("HALTED")
    if view.held:
        parts.append(f"HELD: {view.held}")
    return " | ".join(parts)


FONT_FACES = re.compile(r"@font-face\s*\{.*?\}\s*", re.DOTALL)


def render_svg(view: View, width: int = WIDTH_MIN, height: int = HEIGHT_MIN) -> str:
    """Return the screen as an SVG image of that many columns and lines; it loads nothing."""
    console = Console(
        record=True, width=width, height=height, file=io.StringIO(), force_terminal=True
    )
    console.print(picture(view, height), height=height)
    svg = console.export_svg(title="tanshi serve --clock demo --demo")
    return FONT_FACES.sub("", svg)


def fits(console: Console) -> bool:
    """Whether the console is a terminal large enough for the picture."""
    return console.is_terminal and console.width >= WIDTH_MIN and console.height >= HEIGHT_MIN


async def show(watcher: Watcher, console: Console) -> None:
    """Show the venue on a terminal until cancelled; a small one gets what fits."""
    clock = asyncio.get_running_loop().time
    with Live(console=console, screen=True, auto_refresh=False, transient=True) as live:
        while True:
            live.update(picture(watcher.view(clock()), console.height), refresh=True)
            await asyncio.sleep(FRAME_S)


async def tell(watcher: Watcher, feed: Feed, console: Console) -> None:
    """Print a line every few seconds and each bulletin until cancelled."""
    clock = asyncio.get_running_loop().time
    known = set(feed.bulletins)
    while True:
        for bulletin in _fresh(feed, known):
            console.print(to_text(bulletin), markup=False, highlight=False, soft_wrap=True)
        line = plain_line(watcher.view(clock()))
        console.print(line, markup=False, highlight=False, soft_wrap=True)
        await asyncio.sleep(PLAIN_LINE_S)


def _fresh(feed: Feed, known: set[int]) -> list[Bulletin]:
    dates = sorted(set(feed.bulletins) - known)
    known.update(dates)
    return [feed.bulletins[date] for date in dates]
