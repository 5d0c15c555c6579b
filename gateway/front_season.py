"""What a live season asks of a venue: an account and a line for each entity, and the market.

Accounts are opened, funded and given keys in the venue's data folder, as ``tanshi account`` does;
everything else goes over the wire like anybody's: orders, bulk offers and acceptances, movements of
allowances by the accounts' own lines, prices from the public feed. Entities are rows 0, 1, 2 …,
instruments places in the venue's list; commands and events are the engine's records with these
numbers. Calls block; a thread with an event loop does the work.

Raises everywhere: ConnectionError, the venue is not there or not any more; PermissionError, it does
not let somebody in or does not carry out what the registry was asked for.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from websockets.exceptions import WebSocketException

from engine.reasons import Reason
from engine.records import EVENT, Event, Kind, Modality, Side
from gateway.client import Client, LineLostError, MarketData, RefusedError, Told
from gateway.client.blocking import LoopThread
from gateway.folders import books_url, first_market, has_books, open_books
from gateway.keys import Key, Keys
from gateway.market import CEA
from gateway.wire import messages as m
from gateway.wire import rare_messages as r
from marketdata.messages import Notice
from registry.accounts import Directory
from registry.errors import RegistryError

AWAY_MAX_S = 5.0  # a venue that stays away longer is gone
FUNDED_WITHIN_S = 60.0
BULLETIN_WITHIN_S = 10.0
LOOK_S = 0.02
SIDES = {int(Side.BUY): "buy", int(Side.SELL): "sell"}
SIDE_OF = {"buy": Side.BUY, "sell": Side.SELL}
MODALITIES = {"listed": Modality.LISTED, "bulk": Modality.BULK, "bidding": Modality.AUCTION}
REASONS = {reason.code: int(reason) for reason in Reason}
CHANNELS = ("depth", "quote", "composite", "status", "notice")
QUOTED = ("reference_ticks", "lower_limit_ticks", "upper_limit_ticks", "last_ticks", "close_ticks")
Result = TypeVar("Result")


class SeasonVenue:
    """A venue at ``url`` whose books and keys lie in ``data_dir``; see ``sim.live.port.Venue``."""

    def __init__(self, url: str, data_dir: Path) -> None:
        self.url = url
        self._data_dir = data_dir
        self._thread = LoopThread()
        self._market = MarketData(url, channels=CHANNELS, reconnect=True)
        self._closes: dict[int, int] = {}  # of the composite, by date, as bulletins told
        self._refused: Counter[str] = Counter()
        self._codes: list[str] = []
        self._accounts: list[int] = []  # trading index by row
        self._lines: list[Client] = []
        self._ears: list[asyncio.Task[None]] = []  # which fill the next
        self._told: list[tuple[int, Told]] = []  # by row, not looked at yet
        self._following: asyncio.Task[None] | None = None
        try:
            self._wait(self._follow())
        except BaseException:
            self._thread.stop()
            raise

    # accounts

    def open_accounts(self, names: Sequence[str], cash_fen: int) -> None:
        """Open an account for each name, with money and a key, and log everybody in."""
        keys = self._keys(names, cash_fen)
        self._accounts = [key.account for key in keys]
        self._wait(self._log_in(keys, cash_fen))

    def _keys(self, names: Sequence[str], cash_fen: int) -> list[Key]:
        folder = self._data_dir
        if not has_books(folder) or first_market(folder) is not CEA:
            raise PermissionError(
                f"no venue keeps books of allowances in {folder}: name its folder with --data"
            )
        try:
            with open_books(books_url(folder)) as registry:
                with registry.database.read() as tx:
                    known = set(Directory(tx).codes)
                live = next(n for n in range(1, 10**6) if f"L{n}-{names[0]}" not in known)
                codes = [f"L{live}-{name}" for name in names]
                rows = registry.open_accounts([(code, code) for code in codes])
                registry.deposit_many([(row, cash_fen) for row in rows])
        except RegistryError as problem:
            raise PermissionError(f"the registry opens no accounts: {problem}") from problem
        wanted = [(row, code.lower()) for row, code in zip(rows, codes, strict=True)]
        return Keys(folder / "keys.json").create_many(wanted)

    async def _log_in(self, keys: Sequence[Key], cash_fen: int) -> None:
        for key in keys:
            line = Client(self.url, key.key_id, key.secret, reconnect=True, away_max_s=AWAY_MAX_S)
            await line.connect()
            self._lines.append(line)
            self._ears.append(asyncio.create_task(self._listen(len(self._ears), line)))
        try:
            async with asyncio.timeout(FUNDED_WITHIN_S):
                for line in self._lines:
                    while (await line.snapshot()).cash_available_fen < cash_fen:  # noqa: ASYNC110
                        await asyncio.sleep(LOOK_S)
        except TimeoutError:
            raise PermissionError(
                f"money paid in at {self._data_dir} does not arrive at {self.url}: is this the"
                " folder of that venue?"
            ) from None

    async def _listen(self, row: int, line: Client) -> None:
        async for told in line.reports():
            self._told.append((row, told))

    # the market

    async def _follow(self) -> None:
        await self._market.connect()

        async def follow() -> None:
            async for message in self._market:
                if isinstance(message, Notice):
                    self._closes[message.date] = message.composite_close_ticks

        self._following = asyncio.create_task(follow())

    def moment(self) -> tuple[int, str]:
        """Return the venue's time in nanoseconds since 1970 (UTC), and its phase."""
        first = self._lines[0]
        pong = self._wait(first.ping())
        return pong.time_us * 1000, first.phase

    def codes(self) -> list[str]:
        """Return the codes of all instruments, in the venue's order."""
        found = self._wait(self._lines[0].get("/api/instruments"))
        self._codes = [each["code"] for each in found["instruments"]]
        return list(self._codes)

    def quotes(self, date: int) -> list[Mapping[str, int]]:
        """Return each instrument's public figures of ``date``, in the order of ``codes``."""
        return self._wait(self._quotes(date))

    async def _quotes(self, date: int) -> list[Mapping[str, int]]:
        market = self._market
        try:
            async with asyncio.timeout(AWAY_MAX_S):
                while not self._told_of(date):  # noqa: ASYNC110 - another task reads the feed
                    await asyncio.sleep(LOOK_S)
        except TimeoutError:
            raise ConnectionError(f"{self.url} says nothing about {self._codes} any more") from None
        found: list[Mapping[str, int]] = []
        for code in self._codes:
            figures = {name: int(getattr(market.quote[code], name)) for name in QUOTED}
            for name, side in (("bid_ticks", "buy"), ("ask_ticks", "sell")):
                level = market.best(code, side)
                figures[name] = 0 if level is None else level.price_ticks
            found.append(figures)
        return found

    def _told_of(self, date: int) -> bool:
        """Whether the feed has told of a day: a moment after the lines do."""
        status, quoted = self._market.status, self._market.quote.keys()
        return status is not None and status.date >= date and set(self._codes) <= quoted

    def composite_ticks(self, date: int) -> int:
        """Return the composite close of the bulletin of ``date``, once it is there."""

        async def told() -> int:
            try:
                async with asyncio.timeout(BULLETIN_WITHIN_S):
                    while date not in self._closes:  # noqa: ASYNC110 - another task reads
                        await asyncio.sleep(LOOK_S)
            except TimeoutError:
                raise ConnectionError(f"{self.url} has no bulletin of {date}") from None
            return self._closes[date]

        return self._wait(told())

    def standings(self, rows: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """Return money (rows, 2) in fen and tonnes (rows, instruments, 3) by own snapshots."""

        async def ask() -> list[m.Snapshot]:
            return await asyncio.gather(*(self._lines[row].snapshot() for row in rows))

        snapshots = self._wait(ask())
        places = {code: place for place, code in enumerate(self._codes)}
        money = np.zeros((len(rows), 2), np.int64)
        tonnes = np.zeros((len(rows), len(self._codes), 3), np.int64)
        for row, snapshot in enumerate(snapshots):
            money[row] = snapshot.cash_available_fen, snapshot.cash_frozen_fen
            for held in snapshot.holdings:
                tonnes[row, places[held.instrument]] = (
                    held.available_tonnes,
                    held.frozen_tonnes,
                    held.bought_today_tonnes,
                )
        return money, tonnes

    # orders

    def send(self, command: np.void) -> np.ndarray:
        """Send one order from its entity's line; return what this line was told by then."""
        row = int(command["account"])
        try:
            self._wait(self._ordered(self._lines[row], command), refusals=False)
        except RefusedError as refused:
            self._refused[refused.code] += 1
            event = np.zeros(1, EVENT)
            for name in ("account", "instrument", "side", "price_ticks", "qty_tonnes"):
                event[name] = command[name]
            event["kind"], event["reason"] = Event.REFUSED, REASONS.get(refused.code, 0)
            event["time_ns"] = self.moment()[0]
            return event
        return self._events(row)

    async def _ordered(self, line: Client, command: np.void) -> None:
        price, qty = int(command["price_ticks"]), int(command["qty_tonnes"])
        number, side = int(command["ref"]), SIDES.get(int(command["side"]), "")
        code = self._codes[int(command["instrument"])]
        match Kind(int(command["kind"])):
            case Kind.LIST:
                await line.list(code, side, price_ticks=price, qty=qty)
            case Kind.TAKE_BEST:
                await line.take_best(code, side, price_ticks=price, qty=qty)
            case Kind.CANCEL:
                await line.cancel(number)
            case Kind.BULK_OFFER:
                other = self._accounts[int(command["counterparty"])]
                terms = {"price_ticks": price, "qty": qty, "counterparty": other}
                await line.bulk_offer(code, side, **terms)  # type: ignore[arg-type]
            case Kind.BULK_ACCEPT:
                await line.bulk_accept(number, price_ticks=price, qty=qty)
            case Kind.BULK_WITHDRAW:
                await line.bulk_withdraw(number)
            case other_kind:
                raise ValueError(f"a live season does not send {other_kind.name}")

    def heard(self) -> np.ndarray:
        """Return what all lines were told since they were last listened to."""
        return self._events(None)

    def _events(self, only: int | None) -> np.ndarray:
        """Return what was told, of one row or (None) of all, and forget it."""

        async def taken() -> list[tuple[int, Told]]:
            mine = [each for each in self._told if only in {None, each[0]}]
            self._told = [each for each in self._told if only not in {None, each[0]}]
            return mine

        events = [self._event(row, told) for row, told in self._wait(taken())]
        known = [event for event in events if event is not None]
        return np.concatenate(known) if known else np.empty(0, EVENT)

    def _event(self, row: int, told: Told) -> np.ndarray | None:
        """Return one owner's view of what happened; None: it means nothing to a season."""
        match told:
            case m.Filled():
                return self._deal(row, told)
            case m.Accepted():
                kind, left = Event.ACCEPTED, told.leaves_qty
            case m.Cancelled():
                kind, left = Event.CANCELLED, 0
            case m.Lapsed():
                kind, left = Event.LAPSED, 0
            case r.BulkOffered(by_you=True):
                kind, left = Event.BULK_OFFERED, told.qty_tonnes
            case _:
                return None
        event = self._blank(told)
        event["kind"], event["account"], event["order_no"] = kind, row, told.order_no
        event["side"], event["leaves_qty"] = SIDE_OF[told.side], left
        event["modality"] = Modality.BULK if kind == Event.BULK_OFFERED else Modality.LISTED
        return event

    def _deal(self, row: int, told: m.Filled) -> np.ndarray:
        event, nobody = self._blank(told), len(self._lines)
        event["kind"], event["modality"] = Event.TRADED, MODALITIES[told.modality]
        event["trade_no"], event["amount_fen"] = told.trade_no, told.amount_fen
        side = SIDE_OF[told.side]
        if told.taker:
            event["account"], event["counterparty"], event["side"] = row, nobody, side
            event["order_no"], event["leaves_qty"] = told.order_no, told.leaves_qty
            event["fee_fen"] = told.fee_fen
        else:
            event["account"], event["counterparty"], event["side"] = nobody, row, 3 - side
            event["other_order_no"], event["other_leaves_qty"] = told.order_no, told.leaves_qty
            event["other_fee_fen"] = told.fee_fen
        return event

    def _blank(self, told: m.Filled | m.Accepted | m.Cancelled | m.Lapsed | Any) -> np.ndarray:
        event = np.zeros(1, EVENT)
        event["seq"], event["time_ns"] = told.seq, told.time_us * 1000
        event["instrument"] = self._codes.index(told.instrument)
        event["price_ticks"], event["qty_tonnes"] = told.price_ticks, told.qty_tonnes
        event["counterparty"] = -1
        return event

    def refusals(self) -> Mapping[str, int]:
        """Return how many commands were refused, by code."""
        return dict(self._refused)

    # allowances

    def give(self, instrument: int, tonnes: np.ndarray) -> None:
        """Issue tonnes, shape (entities,), and let each line move its own to the trading side."""
        code = self._codes[instrument]
        wanted = [(int(row), int(tonnes[row])) for row in np.flatnonzero(tonnes > 0)]
        try:
            with open_books(books_url(self._data_dir)) as registry:
                registry.issue_many([(code, self._accounts[row], qty) for row, qty in wanted])
        except RegistryError as problem:
            raise PermissionError(f"the registry issues no {code}: {problem}") from problem
        self._move("transfer_in", code, wanted)

    def take(self, instrument: int, tonnes: np.ndarray) -> None:
        """Let each line move tonnes, shape (entities,), back to the registry side."""
        wanted = [(int(row), int(tonnes[row])) for row in np.flatnonzero(tonnes > 0)]
        self._move("transfer_out", self._codes[instrument], wanted)

    def _move(self, verb: str, code: str, wanted: Sequence[tuple[int, int]]) -> None:
        async def move() -> None:
            await asyncio.gather(
                *(getattr(self._lines[row], verb)(code, qty=qty) for row, qty in wanted)
            )

        self._wait(move())

    # ends

    def close(self) -> None:
        """Log everybody out."""

        async def leave() -> None:
            if self._following is not None:
                self._following.cancel()
            await self._market.close()
            await asyncio.gather(*(line.close() for line in self._lines), return_exceptions=True)

        with contextlib.suppress(Exception):
            self._thread.wait(leave(), AWAY_MAX_S)
        self._thread.stop()

    def _wait(self, work: Coroutine[Any, Any, Result], *, refusals: bool = True) -> Result:
        with self._sentences(refusals):
            return self._thread.wait(work)

    @contextlib.contextmanager
    def _sentences(self, refusals: bool) -> Iterator[None]:
        """Turn what a line may say into the two errors of the port."""
        try:
            yield
        except RefusedError as refused:
            if not refusals:
                raise
            raise PermissionError(f"the venue at {self.url} refuses: {refused}") from refused
        except (LineLostError, OSError, EOFError, WebSocketException) as error:
            if type(error) in {ConnectionError, PermissionError}:
                raise  # a sentence of this file
            said = str(error) or type(error).__name__
            raise ConnectionError(f"no venue answers at {self.url}: {said}") from error
