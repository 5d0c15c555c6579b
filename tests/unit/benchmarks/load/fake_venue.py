"""A small venue in a thread that speaks as a real one does, and lies or fails where it is told to.

It exists to be wrong on purpose; that a true venue passes the same checks is shown end to end.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import Server, ServerConnection, serve

from benchmarks.load.keys import Credentials

CASH_FEN, TONNES = 10**10, 10**6
DATE = 20260105
CODE = "CEA25"
FEE_PPM = 100
Message = dict[str, Any]


@dataclass
class Account:
    number: int
    cash_fen: int = CASH_FEN
    tonnes: int = TONNES
    told: list[Message] = field(default_factory=list)
    lines: list[ServerConnection] = field(default_factory=list)

    @property
    def reports(self) -> int:
        return len(self.told)


@dataclass
class Listing:
    owner: int
    identity: str
    side: str
    price: int
    leaves: int
    frozen: int


@dataclass
class FakeVenue:
    """``lie``: what it does wrong; ``at``: after so many orders.

    ``serve_s``: how long it takes over each message, one after the other.
    """

    lie: str = ""
    at: int = 20
    stall_s: float = 0.0
    serve_s: float = 0.0
    phase: str = "morning"
    orders_per_second: int = 0
    port: int = 0
    heard: int = 0  # orders
    next_no: int = 0
    next_trade: int = 0
    accounts: dict[int, Account] = field(default_factory=dict)
    book: dict[int, Listing] = field(default_factory=dict)
    done: dict[str, Message] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
    server: Server | None = None

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def keys(self, count: int) -> list[Credentials]:
        return [Credentials(f"fake-{number}", "5ec2e7") for number in range(count)]

    def page(self, line: ServerConnection, request: Request) -> Response | None:
        del line
        row = {"code": CODE, "mode": "listed", "reference_ticks": 9800}
        limits = {"lower_limit_ticks": 8820, "upper_limit_ticks": 10780}
        told: Message = {"date": DATE, "phase": self.phase, "instruments": [{**row, **limits}]}
        if request.path.startswith("/api/depth"):
            told = {"depth": {"bids": [], "asks": []}}
        elif request.path == "/ws/trade":
            return None
        content = json.dumps(told).encode()
        headers = Headers([("Content-Length", str(len(content))), ("Connection", "close")])
        return Response(HTTPStatus.OK, "OK", headers, content)

    def converse(self, line: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            line.send(json.dumps({"type": "challenge", "nonce": "00", "time_us": 0}))
            login = json.loads(line.recv())
            if self.lie == "refuses_login":
                self.say(line, type="error", code="bad_credentials", reason="Not right.")
                return
            number = int(login["key_id"].split("-")[1])
            with self.lock:
                account = self.accounts.setdefault(number, Account(number))
                account.lines = [line]
            base = {"account": number, "date": DATE, "phase": self.phase, "seq": 1}
            self.say(line, type="welcome", **base, report_seq=account.reports, time_us=0)
            for frame in line:
                message = json.loads(frame)
                self.maybe_fail(line)
                with self.lock:
                    time.sleep(self.serve_s)
                    getattr(self, f"on_{message['type']}")(account, message)

    def maybe_fail(self, line: ServerConnection) -> None:
        if self.heard < self.at:
            return
        if self.stall_s:
            stall_s, self.stall_s = self.stall_s, 0.0
            with self.lock:
                time.sleep(stall_s)
        if self.lie == "dies":
            threading.Thread(target=self.stop).start()
            line.socket.shutdown(socket.SHUT_RDWR)
        elif self.lie == "throws_out":
            self.lie = ""
            self.say(line, type="error", code="rate_abused", reason="Too much.", closes=True)
            self.say(line, type="bye", code="rate_abused", reason="Too much.")
            line.close(4029)

    def stop(self) -> None:
        assert self.server is not None
        self.server.shutdown()

    def say(self, line: ServerConnection, **message: Any) -> None:
        with contextlib.suppress(ConnectionClosed):
            line.send(json.dumps(message))

    def tell(self, account: Account, **message: Any) -> None:
        account.told.append(message)
        lies = self.heard >= self.at
        for line in account.lines:
            self.say(line, report_seq=account.reports, **message)
            if lies and self.lie == "double" and message["type"] == "accepted":
                self.lie = ""
                self.say(line, report_seq=account.reports, **message)

    def caught(self, *words: str) -> bool:
        """Whether it is time for one of these lies; it is told once."""
        if self.lie in words and self.heard >= self.at:
            self.lie = ""
            return True
        return False

    def refuse(self, account: Account, message: Message, code: str) -> None:
        identity = message["client_order_id"]
        self.done[identity] = {"outcome": "refused", "code": code}
        self.tell(account, type="refused", client_order_id=identity, code=code, reason=code)

    def accept(self, account: Account, message: Message, **more: Any) -> int:
        self.next_no += 1
        identity = message["client_order_id"]
        self.done[identity] = {"outcome": "accepted"}
        report = {"type": "accepted", "client_order_id": identity, "order_no": self.next_no}
        self.tell(account, **report, **more)
        return self.next_no

    def on_list(self, account: Account, message: Message) -> None:
        self.heard += 1
        if self.caught("swallows"):
            return
        if self.caught("limits_rate"):
            self.lie = "limits_rate"
            self.say(
                account.lines[0],
                type="refused",
                code="rate_limited",
                reason="Too many.",
                client_order_id=message["client_order_id"],
            )
            return
        price, qty, side = message["price_ticks"], message["qty_tonnes"], message["side"]
        frozen = price * qty + price * qty * FEE_PPM // 10**6 if side == "buy" else 0
        shown = price + 1 if self.caught("wrong_terms") else price
        terms = {"instrument": CODE, "side": side, "price_ticks": shown, "qty_tonnes": qty}
        number = self.accept(account, message, **terms, leaves_qty=qty, frozen_fen=frozen)
        identity = message["client_order_id"]
        self.book[number] = Listing(account.number, identity, side, price, qty, frozen)
        if self.caught("stranger"):
            self.tell(
                account,
                type="cancelled",
                client_order_id="zz-1",
                order_no=10**6,
                qty_tonnes=1,
                released_fen=0,
            )

    def on_cancel(self, account: Account, message: Message) -> None:
        self.heard += 1
        listing = self.book.pop(message["order_no"], None)
        if listing is None:
            self.refuse(account, message, "unknown_order")
            return
        self.cancelled(account, message["order_no"], listing, message["client_order_id"])

    def cancelled(self, account: Account, no: int, listing: Listing, request_id: str) -> None:
        self.done[request_id] = {"outcome": "accepted"}
        released = listing.frozen - (1 if self.caught("keeps_a_fen") else 0)
        self.tell(
            account,
            type="cancelled",
            client_order_id=listing.identity,
            order_no=no,
            qty_tonnes=listing.leaves,
            released_fen=released,
            request_id=request_id,
        )

    def on_cancel_all(self, account: Account, message: Message) -> None:
        for no, listing in list(self.book.items()):
            if listing.owner == account.number:
                del self.book[no]
                self.cancelled(account, no, listing, message["client_order_id"])
        self.tell(account, type="mass_cancelled", client_order_id=message["client_order_id"])

    def on_take(self, account: Account, message: Message) -> None:
        self.heard += 1
        listing = self.book.get(message["order_no"])
        qty = message["qty_tonnes"]
        if listing is None or qty > listing.leaves:
            self.refuse(account, message, "unknown_order")
            return
        own = self.accept(account, message, side="", leaves_qty=0)
        self.next_trade += 1
        amount = listing.price * qty
        fee = amount * FEE_PPM // 10**6
        lister = self.accounts[listing.owner]
        listing.leaves -= qty
        if listing.side == "buy":
            listing.frozen -= amount + fee
        if not listing.leaves:
            del self.book[message["order_no"]]
        taken = "sell" if listing.side == "buy" else "buy"
        trade = {
            "type": "filled",
            "trade_no": self.next_trade,
            "instrument": CODE,
            "price_ticks": listing.price,
            "qty_tonnes": qty,
            "amount_fen": amount,
            "fee_fen": fee,
        }
        self.move(account, taken, qty, amount, fee)
        self.move(lister, listing.side, qty, amount, fee)
        if not self.caught("no_fill_for_taker"):
            self.tell(
                account,
                **trade,
                client_order_id=message["client_order_id"],
                order_no=own,
                side=taken,
                leaves_qty=0,
                taker=True,
            )
        if not self.caught("no_fill_for_lister"):
            wrong = 1 if self.caught("wrong_leaves") else 0
            self.tell(
                lister,
                **trade,
                client_order_id=listing.identity,
                side=listing.side,
                order_no=message["order_no"],
                leaves_qty=listing.leaves + wrong,
            )

    def move(self, account: Account, side: str, qty: int, amount: int, fee: int) -> None:
        sign = 1 if side == "buy" else -1
        account.cash_fen -= sign * amount + fee
        account.tonnes += sign * qty

    def on_ping(self, account: Account, message: Message) -> None:
        self.say(account.lines[0], type="pong", ref=message["ref"], report_seq=account.reports)

    def on_limits(self, account: Account, message: Message) -> None:
        del message
        limits = {"open_orders_max": 1000, "orders_per_second": self.orders_per_second}
        self.say(account.lines[0], type="limits", **limits)

    def on_status(self, account: Account, message: Message) -> None:
        found = self.done.get(message["client_order_id"], {"outcome": "unknown"})
        identity = message["client_order_id"]
        self.say(account.lines[0], type="status", client_order_id=identity, **found)

    def on_resume(self, account: Account, message: Message) -> None:
        told = {"date": DATE, "after": message["after"], "report_seq": account.reports}
        self.say(account.lines[0], type="stream_resumed", **told, complete=True)
        for number, report in enumerate(account.told, 1):
            if number > message["after"]:
                self.say(account.lines[0], report_seq=number, **report, repeated=True)

    def on_snapshot(self, account: Account, message: Message) -> None:
        del message
        mine = {no: row for no, row in self.book.items() if row.owner == account.number}
        fen = sum(row.frozen for row in mine.values())
        held = sum(row.leaves for row in mine.values() if row.side == "sell")
        stolen = 7 if self.lie == "steals_money" and self.heard >= self.at else 0
        lost = 3 if self.lie == "loses_tonnes" and self.heard >= self.at else 0
        if self.lie == "drops_an_order" and self.heard >= self.at:
            mine.pop(next(iter(mine), 0), None)
        holding = {
            "instrument": CODE,
            "available_tonnes": account.tonnes - held - lost,
            "frozen_tonnes": held,
            "bought_today_tonnes": 0,
            "judicial_tonnes": 0,
        }
        self.say(
            account.lines[0],
            type="account",
            account=account.number,
            date=DATE,
            phase=self.phase,
            seq=1,
            report_seq=account.reports,
            time_us=0,
            cash_available_fen=account.cash_fen - fen - stolen,
            cash_frozen_fen=fen,
            cancel_on_disconnect=True,
            cancel_at_us=0,
            holdings=[holding],
            orders=[self.shown(no, row) for no, row in mine.items()],
        )

    def shown(self, no: int, row: Listing) -> Message:
        terms = {"side": row.side, "price_ticks": row.price, "qty_tonnes": row.leaves}
        head = {"order_no": no, "client_order_id": row.identity, "kind": "list"}
        return {**head, "instrument": CODE, **terms, "leaves_qty": row.leaves}

    def on_logout(self, account: Account, message: Message) -> None:
        del message
        self.say(account.lines[0], type="bye", code="logout", reason="Good bye.")


@contextlib.contextmanager
def served(venue: FakeVenue) -> Iterator[FakeVenue]:
    """Serve the venue on a free port of 127.0.0.1 until the block ends."""
    listening = socket.create_server(("127.0.0.1", 0))
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    venue.port = listening.getsockname()[1]
    with serve(
        venue.converse,
        sock=listening,
        process_request=venue.page,
        subprotocols=["json.v1"],  # type: ignore[list-item]
        compression=None,
        max_queue=1,
        close_timeout=0.2,
    ) as server:
        venue.server = server
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield venue
        server.shutdown()
        thread.join(5)
