"""The venue in a terminal: book, tape, the day's figures, counters; or plain lines for a log.

``View`` is everything a picture shows, made from the feed and the counters of the same process;
``picture`` turns one into a Rich renderable of a given size, ``render_svg`` into an image.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from rich.console import Console, RenderableType
from rich.layout import Layout
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from marketdata.bulletin import Bulletin, percent, to_text, yuan
from marketdata.feed import Feed
from marketdata.messages import LEVELS_SHOWN, Level, Quote, Snapshot, Trade

FRAME_S = 0.25
PLAIN_LINE_S = 5.0
WIDTH_MIN, HEIGHT_MIN = 100, 30
BEIJING = dt.timezone(dt.timedelta(hours=8))
UP, DOWN, STILL, QUIET = "red", "green", "white", "bright_black"  # red is up in this market
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


class Counters(Protocol):
    """What the gateway counts; any object with these will do."""

    @property
    def sessions(self) -> int:
        """Connections that are logged in."""
        ...

    @property
    def subscribers(self) -> int:
        """Connections that read market data."""
        ...

    @property
    def commands(self) -> int:
        """Commands in the journal."""
        ...

    @property
    def orders(self) -> int:
        """Orders accepted today."""
        ...

    @property
    def trades(self) -> int:
        """Trades made today."""
        ...

    @property
    def held(self) -> str:
        """Why the next day cannot open; "" if it can."""
        ...


@dataclass(frozen=True)
class View:
    """One moment of the venue."""

    time_ns: int
    clock_label: str
    date: int
    phase: str
    instruments: tuple[Snapshot, ...]
    selected: str
    sessions: int = 0
    subscribers: int = 0
    commands: int = 0
    commands_per_s: float = 0.0
    orders: int = 0
    trades: int = 0
    held: str = ""
    footer: tuple[str, ...] = ()

    @property
    def book(self) -> Snapshot | None:
        """The instrument whose book is shown."""
        return next((each for each in self.instruments if each.instrument == self.selected), None)

    @property
    def tape(self) -> list[Trade]:
        """The latest trades of all instruments, newest first."""
        trades = [trade for each in self.instruments for trade in each.trades]
        return sorted(trades, key=lambda trade: trade.trade_no, reverse=True)


class Watcher:
    """Makes views of a running venue: ``feed`` and ``counters`` are read, never changed."""

    def __init__(
        self,
        feed: Feed,
        counters: Counters,
        now_ns: Callable[[], int],
        clock_label: str,
        footer: Sequence[str] = (),
        selected: str = "",
    ) -> None:
        self.selected = selected
        self._feed = feed
        self._counters = counters
        self._now_ns = now_ns
        self._clock_label = clock_label
        self._footer = tuple(footer)
        self._rate = 0.0
        self._counted: tuple[float, int] | None = None

    def select(self, key: str) -> None:
        """Show another book: keys 1 … 9 are the instruments in their order."""
        codes = self._feed.codes
        if key.isdecimal() and 1 <= int(key) <= len(codes):
            self.selected = codes[int(key) - 1]

    def view(self, real_s: float) -> View:
        """Return the moment; ``real_s`` is any steady clock, for the throughput."""
        feed, counters = self._feed, self._counters
        if self._counted is None:
            self._counted = (real_s, counters.commands)
        elif real_s - self._counted[0] >= 1.0:
            since_s, before = self._counted
            self._rate = (counters.commands - before) / (real_s - since_s)
            self._counted = (real_s, counters.commands)
        if self.selected not in feed.codes:
            self.selected = feed.codes[-1] if feed.codes else ""
        return View(
            time_ns=self._now_ns(),
            clock_label=self._clock_label,
            date=feed.date,
            phase=feed.phase.name.lower(),
            instruments=tuple(feed.snapshot(code) for code in feed.codes),
            selected=self.selected,
            sessions=counters.sessions,
            subscribers=counters.subscribers,
            commands=counters.commands,
            commands_per_s=self._rate,
            orders=counters.orders,
            trades=counters.trades,
            held=counters.held,
            footer=self._footer,
        )


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
    layout["middle"].split_row(
        Layout(_book(view, rows), ratio=3), Layout(_tape(view, rows), ratio=2)
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
    if view.held:
        line.append(f"   held: {view.held}", "bold red")
    return Panel(line, border_style="cyan", height=3)


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
            Text(f"{trade.qty_tonnes:,} {'▲' if trade.side == 'buy' else '▼'}", style),
        )
    return Panel(table, title="latest trades", height=rows + 2)


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
            table.add_row(*_figure_cells(number, snapshot.quote, view.selected))
    date = f"{view.date // 10_000}-{view.date // 100 % 100:02d}-{view.date % 100:02d}"
    return Panel(table, title=f"figures of {date if view.date else 'the day'}")


def _figure_cells(number: int, quote: Quote, selected: str) -> list[Text]:
    chosen = "bold reverse" if quote.instrument == selected else "bold"
    name = Text(f"{number} ", QUIET) + Text(quote.instrument, chosen)
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
    parts.append(f"{view.orders:,} orders, {view.trades:,} trades today")
    parts.append(f"{view.sessions} traders, {view.commands_per_s:.0f} commands/s")
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
