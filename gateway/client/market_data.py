"""Market data for programs: books, price lines and the tape, kept whole over gaps.

    async with MarketData("ws://127.0.0.1:8000", instruments=["CEA25"]) as md:
        async for message in md:
            best = md.depth["CEA25"].bids

A missed fact (trade, offer, session, halt, status, notice) shows in its ``prev``; the client then
asks for a replay by itself and ``gaps`` counts how often. Depth, quote and composite are whole
pictures, where the newest one is enough. Where the replay would be too long the venue answers with
snapshots: then the books hold what these say, and nothing that may have ended meanwhile. With
``reconnect=True`` a lost line is such a gap too.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from types import TracebackType
from typing import Any, Self

import msgpack
import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from gateway.client.errors import RefusedError
from gateway.client.link import CONNECT_WITHIN_S, pauses_s
from gateway.client.wire import MSGPACK, endpoint
from gateway.market_messages import Heartbeat, Message, Replay, Replayed, Subscribe, Subscribed
from gateway.messages import Bye, Error, Inbound, Ping, Pong
from marketdata.messages import (
    Bar,
    Bidding,
    BulkOffer,
    Composite,
    Depth,
    Fact,
    Halt,
    Level,
    Offer,
    OpenBar,
    Quote,
    Snapshot,
    Status,
    Trade,
    TradeVoided,
)

TAPE_MAX = 1000
SILENT_MAX_S = 15.0  # three heartbeats

Received = Message | Error | Bye | Pong


class MarketData:
    """One market-data connection.

    ``depth``, ``quote`` by code, ``tape`` of trades that stand (after missing some of an instrument
    only those of its snapshot, the older ones may have been voided), ``status``, ``composite``;
    ``offers`` is the board of public bulk offers by order number, ``sessions`` the bidding sessions
    of the day by number, ``halted`` the codes of halted instruments. ``bars`` has the newest bar by
    code (or ``composite``) and interval, if a channel of bars was named.
    """

    def __init__(
        self,
        url: str,
        instruments: Sequence[str] | None = None,
        channels: Sequence[str] | None = None,
        *,
        reconnect: bool = False,
    ) -> None:
        self.url = url
        self.reconnects = 0
        self.depth: dict[str, Depth] = {}
        self.quote: dict[str, Quote] = {}
        self.tape: deque[Trade] = deque(maxlen=TAPE_MAX)
        self.status: Status | None = None
        self.composite: Composite | None = None
        self.offers: dict[int, Offer] = {}
        self.sessions: dict[int, Bidding] = {}
        self.halted: set[str] = set()
        self.bars: dict[tuple[str, str], Bar | OpenBar] = {}
        self.epoch = 0
        self.gaps = 0
        self._wanted = Subscribe(
            instruments=None if instruments is None else [*instruments],
            channels=None if channels is None else [*channels],
        )
        self._last: dict[tuple[str, str], int] = {}  # number of the channel's last fact
        self._shown: dict[str, set[int]] = {}  # numbers of ``offers`` by instrument
        self._recovering = -1  # after which number all was asked for; -1: nothing is missing
        self._received = 0  # facts of this connection
        self._sure = 0  # no number up to this one is missing
        self._again = False  # something was lost while it was asked what followed
        self._reconnect = reconnect
        self._closed = False
        self._line: ClientConnection | None = None
        self._ready: deque[Received] = deque()

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def connect(self) -> None:
        """Connect and subscribe; after the first time, go on after the last number.

        Returns once the books are filled.

        Raises:
            RefusedError: an instrument or a channel that does not exist.
        """
        self._line = await connect(
            endpoint(self.url, "/ws/md", "ws"),
            subprotocols=[MSGPACK],
            compression=None,
            max_size=None,
        )
        wanted, self._received = self._wanted, 0
        if self.epoch:
            after = self._recovering if self._recovering >= 0 else self._sure
            wanted = msgspec.structs.replace(wanted, epoch=self.epoch, after=after)
            self._recovering = after
        await self._send(wanted)
        filled = False
        while not filled:
            for message in await self._frame():
                if isinstance(message, Error):
                    await self._line.close()
                    raise RefusedError(message.code, message.reason)
                filled = filled or isinstance(message, Snapshot | Replayed)
                if await self._take_in(message) and not isinstance(message, Subscribed):
                    self._ready.append(message)

    async def __aiter__(self) -> AsyncIterator[Received]:
        """Yield each message after the books have taken it in; ends with the connection.

        With ``reconnect`` it goes on over lost lines, with the facts that were missed.
        """
        while True:
            try:
                while True:
                    while self._ready:
                        yield self._ready.popleft()
                    for message in await self._frame():
                        if await self._take_in(message):
                            self._ready.append(message)
            except (ConnectionClosed, TimeoutError):
                if not self._reconnect or self._closed:
                    return
                await self._come_back()

    async def close(self) -> None:
        """End the connection."""
        self._closed = True
        if self._line is not None:
            await self._line.close()

    def best(self, instrument: str, side: str) -> Level | None:
        """Return the best level that bids ("buy") or asks ("sell"), None where there is none."""
        depth = self.depth.get(instrument)
        levels = () if depth is None else depth.bids if side == "buy" else depth.asks
        return levels[0] if levels else None

    async def _come_back(self) -> None:
        """Connect again, however long it takes, and go on after the last number."""
        for pause_s in pauses_s():
            await asyncio.sleep(pause_s)
            try:
                async with asyncio.timeout(CONNECT_WITHIN_S):
                    await self.connect()
            except (OSError, EOFError, TimeoutError, InvalidHandshake, ConnectionClosed):
                continue
            self.reconnects += 1
            return

    async def ping(self, ref: int = 0) -> None:
        """Ask for a pong, which has the venue's time."""
        await self._send(Ping(ref=ref))

    async def wait_for(self, kind: type, within_s: float = 5.0) -> Any:
        """Return the next message of ``kind``.

        Raises:
            TimeoutError: none came.
        """
        async with asyncio.timeout(within_s):
            async for message in self:
                if isinstance(message, kind):
                    return message
        raise TimeoutError("the connection ended")

    async def _frame(self) -> list[Received]:
        assert self._line is not None, "connect first"
        async with asyncio.timeout(SILENT_MAX_S if self._reconnect else None):
            content = msgpack.unpackb(await self._line.recv())
        found = [content] if isinstance(content, dict) else content
        return [msgspec.convert(each, Received) for each in found]

    async def _send(self, message: Inbound) -> None:
        assert self._line is not None, "connect first"
        plain = {k: v for k, v in msgspec.to_builtins(message).items() if v is not None}
        await self._line.send(msgpack.packb(plain))

    async def _take_in(self, message: Received) -> bool:
        """Bring the books up to date; False for what was known or has to be sent again."""
        match message:
            case Depth():
                self.depth[message.instrument] = message
            case Quote():
                self.quote[message.instrument] = message
            case Composite():
                self.composite = message
            case Snapshot():
                self._snapshot(message)
            case OpenBar():
                self.bars[message.instrument, message.interval] = message
            case Subscribed():
                self._sure = self._sure if self.epoch else message.seq
                self.epoch = message.epoch
            case Replayed():
                self.epoch, self._recovering = message.epoch, -1
                if self._again:
                    self._again = False
                    await self._recover(self._sure)
            case Heartbeat():
                await self._count(message)
            case _ if isinstance(message, Fact):
                return await self._fact(message)
        return True

    async def _fact(self, message: Fact) -> bool:
        self._received += 1
        channel = (message.channel, getattr(message, "instrument", ""))
        last = self._last.get(channel, 0)
        if message.seq <= last:
            return False
        if message.prev != last:
            await self._recover(last)
            return False
        self._last[channel] = message.seq
        self._note(message)
        return True

    async def _count(self, beat: Heartbeat) -> None:
        """Compare what was sent with what came; if something is missing, ask from the last time."""
        if beat.sent != self._received:
            self._received = beat.sent
            self._again = self._recovering >= 0
            await self._recover(self._sure)
        elif self._recovering < 0:
            self._sure = self._known()

    def _known(self) -> int:
        """Return the largest number known; facts come in order, so all before it are known too."""
        return max(self._last.values(), default=0)

    async def _recover(self, after: int) -> None:
        """Ask for what followed a number, unless that was asked already."""
        if self._recovering < 0:
            self._recovering = after
            self.gaps += 1
            await self._send(Replay(epoch=self.epoch, after=after))

    def _note(self, message: Fact) -> None:
        """Bring the pictures that facts make up to date."""
        match message:
            case Trade():
                self.tape.append(message)
            case TradeVoided():
                standing = [each for each in self.tape if each.trade_no != message.trade_no]
                self.tape = deque(standing, maxlen=TAPE_MAX)
            case Status():
                self._enter(message)
            case BulkOffer(status="gone"):
                self.offers.pop(message.order_no, None)
                self._shown.get(message.instrument, set()).discard(message.order_no)
            case BulkOffer():
                terms = (message.side, message.price_ticks, message.qty_tonnes)
                self.offers[message.order_no] = Offer(message.order_no, *terms)
                self._shown.setdefault(message.instrument, set()).add(message.order_no)
            case Bar():
                self._end_bar(message)
            case Bidding():
                self.sessions[message.session_no] = message
            case Halt(halted=True):
                self.halted.add(message.instrument)
            case Halt():
                self.halted.discard(message.instrument)

    def _end_bar(self, bar: Bar) -> None:
        """Note an ended bar, or one that was restated while it is the newest."""
        newest = self.bars.get((bar.instrument, bar.interval))
        if newest is None or newest.start_us <= bar.start_us:
            self.bars[bar.instrument, bar.interval] = bar

    def _enter(self, status: Status) -> None:
        """Note a phase; sessions are those of the day, so a new day begins without any."""
        if self.status is not None and self.status.date != status.date:
            of_day = {no: each for no, each in self.sessions.items() if each.seq > status.seq}
            self.sessions = of_day  # a status that was missed may come after them
        self.status = status

    def _snapshot(self, message: Snapshot) -> None:
        """Let everything about the instrument be as the snapshot says."""
        code = message.instrument
        if message.depth is not None:
            self.depth[code] = message.depth
        if message.quote is not None:
            self.quote[code] = message.quote
        if message.status is not None:
            self._enter(message.status)
        self.composite = message.composite or self.composite
        if message.trade_seq > self._last.get(("trade", code), 0):
            others = [trade for trade in self.tape if trade.instrument != code]
            told = sorted([*others, *message.trades], key=lambda trade: trade.seq)
            self.tape = deque(told, maxlen=TAPE_MAX)
        for number in self._shown.get(code, ()):
            self.offers.pop(number, None)
        self.offers |= {offer.order_no: offer for offer in message.offers}
        self._shown[code] = {offer.order_no for offer in message.offers}
        kept = {no: each for no, each in self.sessions.items() if each.instrument != code}
        self.sessions = kept | {session.session_no: session for session in message.sessions}
        (self.halted.add if message.halted else self.halted.discard)(code)
        self._last["trade", code] = message.trade_seq
        self._last["status", ""] = message.status_seq
        self._last["notice", ""] = message.notice_seq
        self._last["bulk_offer", code] = message.bulk_offer_seq
        self._last["bidding", code] = message.bidding_seq
        self._last["halt", code] = message.halt_seq
        for channel, seq in message.bar_seqs.items():
            self._last[channel, code] = seq
        self.bars = {
            key: bar
            for key, bar in self.bars.items()
            if key[0] != code or not isinstance(bar, OpenBar)
        } | {(code, bar.interval): bar for bar in message.bars}
