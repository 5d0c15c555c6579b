"""Market data for programs: books, price lines and the tape, kept whole over gaps.

    async with MarketData("ws://127.0.0.1:8000", instruments=["CEA25"]) as md:
        async for message in md:
            best = md.depth["CEA25"].bids

A missed fact (trade, offer, session, halt, status, notice) shows in its ``prev``; the client then
asks for a replay by itself and ``gaps`` counts how often. Depth, quote and composite are whole
pictures, where the newest one is enough. Where the replay would be too long the venue answers with
snapshots: then the books hold what these say, and nothing that may have ended meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Sequence
from types import TracebackType
from typing import Any, Self

import msgpack
import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from gateway.client import endpoint
from gateway.client_orders import RefusedError
from gateway.market_messages import Message, Replay, Replayed, Subscribe, Subscribed
from gateway.messages import Bye, Error, Inbound, Pong
from marketdata.messages import (
    Bidding,
    BulkOffer,
    Composite,
    Depth,
    Fact,
    Halt,
    Offer,
    Quote,
    Snapshot,
    Status,
    Trade,
    TradeVoided,
)

TAPE_MAX = 1000

Received = Message | Error | Bye | Pong


class MarketData:
    """One market-data connection.

    ``depth``, ``quote`` by code, ``tape`` of trades that stand (after missing some of an instrument
    only those of its snapshot, the older ones may have been voided), ``status``, ``composite``;
    ``offers`` is the board of public bulk offers by order number, ``sessions`` the bidding sessions
    of the day by number, ``halted`` the codes of halted instruments.
    """

    def __init__(
        self,
        url: str,
        instruments: Sequence[str] | None = None,
        channels: Sequence[str] | None = None,
    ) -> None:
        self.url = url
        self.depth: dict[str, Depth] = {}
        self.quote: dict[str, Quote] = {}
        self.tape: deque[Trade] = deque(maxlen=TAPE_MAX)
        self.status: Status | None = None
        self.composite: Composite | None = None
        self.offers: dict[int, Offer] = {}
        self.sessions: dict[int, Bidding] = {}
        self.halted: set[str] = set()
        self.epoch = 0
        self.gaps = 0
        self._wanted = Subscribe(
            instruments=None if instruments is None else [*instruments],
            channels=None if channels is None else [*channels],
        )
        self._last: dict[tuple[str, str], int] = {}  # number of the channel's last fact
        self._shown: dict[str, set[int]] = {}  # numbers of ``offers`` by instrument
        self._recovering = False
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
        if self._line is not None:
            await self._line.close()

    async def connect(self) -> None:
        """Connect and subscribe.

        Raises:
            RefusedError: an instrument or a channel that does not exist.
        """
        self._line = await connect(
            endpoint(self.url, "/ws/md", "ws"),
            subprotocols=[Subprotocol("msgpack.v1")],
            compression=None,
            max_size=None,
        )
        await self._send(self._wanted)
        async for message in self:
            if isinstance(message, Subscribed):
                return
            if isinstance(message, Error):
                await self._line.close()
                raise RefusedError(message.code, message.reason)

    async def __aiter__(self) -> AsyncIterator[Received]:
        """Yield each message after the books have taken it in; ends with the connection."""
        with contextlib.suppress(ConnectionClosed):
            while True:
                while self._ready:
                    yield self._ready.popleft()
                for message in await self._frame():
                    if await self._take_in(message):
                        self._ready.append(message)

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
            case Subscribed():
                self.epoch = message.epoch
            case Replayed():
                self._recovering = False
            case _ if isinstance(message, Fact):
                return await self._fact(message)
        return True

    async def _fact(self, message: Fact) -> bool:
        channel = (message.channel, getattr(message, "instrument", ""))
        last = self._last.get(channel, 0)
        if message.seq <= last:
            return False
        if message.prev != last:
            if not self._recovering:
                self._recovering = True
                self.gaps += 1
                await self._send(Replay(epoch=self.epoch, after=last))
            return False
        self._last[channel] = message.seq
        self._note(message)
        return True

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
            case Bidding():
                self.sessions[message.session_no] = message
            case Halt(halted=True):
                self.halted.add(message.instrument)
            case Halt():
                self.halted.discard(message.instrument)

    def _enter(self, status: Status) -> None:
        """Note a phase; sessions are those of the day, so a new day begins without any."""
        if self.status is not None and self.status.date != status.date:
            self.sessions.clear()
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
