"""What becomes of each order, by the venue's own reports: exactly one end, nothing twice.

Every report is held against what was sent and what was told before. What does not fit is a finding,
a sentence. A report that comes twice is not booked twice.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from typing import Any

from benchmarks.load.ends import (
    CANCELLED,
    DONE,
    FILLED,
    LIVE,
    PART,
    QUIET,
    REFUSED,
    RESTING,
    SENT,
    SIDE_WORDS,
    TAKEN,
    UNCOUNTED,
    UNKNOWN,
    UNSENT,
    Client,
    Trade,
)
from benchmarks.load.line import Told
from benchmarks.load.orders import BUY, LIST, RESTS, TAKE, Orders
from benchmarks.load.plan import KINDS
from benchmarks.load.targets import Targets

FINDINGS_MAX = 50
NEVER_ARRIVED = "never_arrived"


class Outcome:
    """The state of a run's orders; columns are by number of order."""

    def __init__(self, orders: Orders, price: list[int], clients: list[Client], tag: str) -> None:
        count = len(orders)
        self.tag = tag
        self.clients = clients
        self.price = price
        self.due: list[int] = orders.due_ns.tolist()
        self.kind = bytearray(orders.kind.astype("u1").tobytes())
        self.client: list[int] = orders.client.tolist()
        self.side: list[int] = orders.side.tolist()
        self.leaves = array("q", orders.qty_tonnes.tolist())
        self.end = bytearray(count)
        self.ending = bytearray(count)  # listings whose cancel was sent
        self.sent = array("q", bytes(8 * count))
        self.answered = array("q", bytes(8 * count))
        self.refused_as: dict[int, str] = {}
        self.frozen: dict[int, int] = {}  # fen that a resting buy listing holds
        self.aim: dict[int, int] = {}  # what a cancel or take was aimed at
        self.offers: dict[int, int] = {}  # by client: its bulk offer that stands
        self.by_no: dict[int, int] = {}
        self.number: dict[int, int] = {}  # and the venue's number of an order
        self.trades: dict[int, Trade] = {}
        self.targets = Targets(len(clients), self.client, self.side, price)
        self.findings: list[str] = []
        self.found = 0
        self.waiting = 0  # sent and unanswered
        self.trades_seen = 0
        self.closed = False  # answers no longer count as in time
        self.bye = ""
        self.phase = ""
        self.fresh = array("q")  # latencies of the second that runs, ns
        self.refused_now = 0
        self._hear: dict[str, Callable[[Client, Told, int], None]] = {
            "accepted": self._accepted,
            "bulk_offered": self._accepted,
            "refused": self._refused,
            "filled": self._filled,
            "cancelled": self._ended,
            "lapsed": self._ended,
            "pong": self._pong,
            "phase_changed": self._phase,
            "error": self._error,
            "bye": self._bye,
        }

    def find(self, sentence: str) -> None:
        """Keep a finding; beyond the first ones they are only counted."""
        self.found += 1
        if self.found <= FINDINGS_MAX:
            self.findings.append(sentence)

    def hear(self, client: Client, told: Told, now_ns: int) -> None:
        """Take in one message of the venue, heard at ``now_ns`` since the run's begin."""
        kind = told.type
        if told.report_seq and kind not in UNCOUNTED and not self._in_order(client, told):
            return
        handler = self._hear.get(kind)
        if handler is not None:
            handler(client, told, now_ns)
        elif kind not in QUIET and told.report_seq:
            client.moved = kind

    def _in_order(self, client: Client, told: Told) -> bool:
        number, expected = told.report_seq, client.last + 1
        if number == expected:
            client.last = number
            return True
        if number < expected:
            if not (self.closed and told.repeated):
                self.find(f"Report {number} of {client.name} came twice ({told.type}).")
            return False
        self.find(
            f"Reports {expected} to {number - 1} of {client.name} never came; after"
            f" {client.last} came {number} ({told.type})."
        )
        client.last = number
        return True

    def order_of(self, identity: str) -> int:
        """Return the number of the order with this client order id, or -1."""
        number = identity[len(self.tag) :]
        if identity.startswith(self.tag) and number.isdigit() and int(number) < len(self.end):
            return int(number)
        return -1

    def _answer(self, client: Client, told: Told, order: int, now_ns: int) -> bool:
        """Note that an order has its answer; False if it had one, or it is nobody's."""
        if order < 0 or self.client[order] != client.number or self.end[order] == UNSENT:
            self.find(
                f"{client.name} was told '{told.type}' of"
                f" {told.client_order_id or told.order_no}, which nobody sent on this line."
            )
            return False
        if self.end[order] != SENT:
            self.find(
                f"Order {self.tag}{order} of {client.name} was answered a second time"
                f" ({told.type})."
            )
            return False
        self.waiting -= 1
        if not self.closed:
            self.answered[order] = now_ns
            self.fresh.append(now_ns - self.due[order])
        return True

    def _accepted(self, client: Client, told: Told, now_ns: int) -> None:
        order = self.order_of(told.client_order_id)
        if order < 0:
            self._of_others(client, told)
            return
        if not self._answer(client, told, order, now_ns):
            return
        self.by_no[told.order_no] = order
        self.number[order] = told.order_no
        if self.kind[order] not in RESTS:
            self.end[order] = TAKEN
            return
        self.end[order] = RESTING
        price, qty, side = self.price[order], self.leaves[order], self.side[order]
        leaves = told.leaves_qty or told.qty_tonnes  # a bulk offer is told without
        terms = (told.price_ticks, told.qty_tonnes, leaves, told.side)
        if terms != (price, qty, qty, SIDE_WORDS[side]):
            self.find(f"Listing {told.client_order_id} was accepted with other terms: {terms}.")
        if side == BUY:
            self.frozen[order] = told.frozen_fen
            if told.frozen_fen < price * qty:
                self.find(f"Listing {told.client_order_id} froze {told.frozen_fen} fen, too few.")
        if self.kind[order] == LIST:
            self.targets.add(order)
        else:
            self.offers[client.number] = order

    def _refused(self, client: Client, told: Told, now_ns: int) -> None:
        order = self.order_of(told.client_order_id)
        if not self._answer(client, told, order, now_ns):
            return
        self.refuse(order, told.code)
        self.refused_now += 1

    def refuse(self, order: int, code: str) -> None:
        """An order was refused, or has never arrived: what it was aimed at is free again."""
        self.end[order] = REFUSED
        self.refused_as[order] = code
        if self.kind[order] in RESTS:
            self.clients[self.client[order]].open_orders -= 1
        target = self.aim.pop(order, -1)
        if target >= 0 and self.kind[order] == TAKE and self.end[target] in LIVE:
            self._offer(target)

    def _offer(self, listing: int) -> None:
        """Let a listing that still rests be aimed at again, unless it is being cancelled."""
        if not self.targets.free[listing] and not self.ending[listing]:
            self.targets.back(listing)

    def _filled(self, client: Client, told: Told, now_ns: int) -> None:
        del now_ns
        self._book(client, told)
        order = self.by_no.get(told.order_no, -1)
        if order < 0:
            self._of_others(client, told)
            return
        if self.client[order] != client.number:
            self.find(f"{client.name} was told a fill of order {told.order_no}, another's.")
            return
        self._meet(client, told, order)
        listed = self.kind[order] in RESTS
        if self.end[order] not in (LIVE if listed else (TAKEN,)):
            self.find(f"Order {self.tag}{order} was filled though it was over.")
            return
        left = self.leaves[order] - told.qty_tonnes
        if left != told.leaves_qty or left < 0:
            self.find(
                f"Order {self.tag}{order}: a fill of {told.qty_tonnes} t leaves {left} t, the"
                f" venue says {told.leaves_qty} t."
            )
        self.leaves[order] = left
        self._reprice(told, order)
        if listed:
            self._shrink(client, told, order)
        elif left <= 0:
            self.end[order] = FILLED

    def _shrink(self, client: Client, told: Told, order: int) -> None:
        """A listing was taken, in part or whole."""
        if order in self.frozen:
            self.frozen[order] -= told.amount_fen + told.fee_fen
        if self.leaves[order] > 0:
            self.end[order] = PART
            self._offer(order)
            return
        self.end[order] = FILLED
        self.targets.free[order] = 0
        self.frozen.pop(order, None)
        client.open_orders -= 1

    def _reprice(self, told: Told, order: int) -> None:
        listing = order if self.kind[order] in RESTS else self.aim.get(order, -1)
        if listing >= 0 and told.price_ticks != self.price[listing]:
            self.find(
                f"Order {self.tag}{order} was filled at {told.price_ticks} ticks; the listing"
                f" says {self.price[listing]}."
            )

    def _book(self, client: Client, told: Told) -> None:
        """Money and tonnes of a fill, as its owner was told (TR-48, TR-130)."""
        if told.amount_fen != told.price_ticks * told.qty_tonnes:
            self.find(
                f"Trade {told.trade_no}: {told.qty_tonnes} t at {told.price_ticks} ticks are not"
                f" {told.amount_fen} fen."
            )
        sign = 1 if told.side == "buy" else -1
        client.cash_fen -= sign * told.amount_fen + told.fee_fen
        client.fees_fen += told.fee_fen
        client.tonnes[told.instrument] += sign * told.qty_tonnes

    def _meet(self, client: Client, told: Told, order: int) -> None:
        """Hold both sides' reports of a trade against each other."""
        other = self.trades.pop(told.trade_no, None)
        if other is None:
            self.trades[told.trade_no] = Trade(client, order, told)
            return
        self.trades_seen += 1
        if not other.fits(told):
            self.find(
                f"Trade {told.trade_no}: {client.name} was told {told.side} {told.qty_tonnes} t"
                f" at {told.price_ticks}, {other.client.name} {other.side} {other.qty_tonnes} t at"
                f" {other.price_ticks}."
            )

    def _ended(self, client: Client, told: Told, now_ns: int) -> None:
        """An order was cancelled, or lapsed at the close (TR-43)."""
        if told.request_id:
            request = self.order_of(told.request_id)
            if request >= 0 and self._answer(client, told, request, now_ns):
                self.end[request] = DONE
                self.aim.pop(request, None)
        order = self.by_no.get(told.order_no, -1)
        if order < 0:
            self._of_others(client, told)
            return
        listed = self.kind[order] in RESTS
        if self.end[order] not in (LIVE if listed else (TAKEN,)):
            self.find(f"Order {self.tag}{order} was cancelled though it was over.")
            return
        self.end[order] = CANCELLED
        if not listed:
            return
        self.targets.free[order] = 0
        if self.offers.get(client.number) == order:
            del self.offers[client.number]
        client.open_orders -= 1
        held = self.frozen.pop(order, 0)
        terms = (told.qty_tonnes, told.released_fen)
        if terms != (self.leaves[order], held):
            self.find(
                f"Order {self.tag}{order} was cancelled with {terms[0]} t and {terms[1]} fen"
                f" released; {self.leaves[order]} t and {held} fen were open."
            )

    def _pong(self, client: Client, told: Told, now_ns: int) -> None:
        if told.ref and self._answer(client, told, told.ref - 1, now_ns):
            self.end[told.ref - 1] = DONE

    def _phase(self, client: Client, told: Told, now_ns: int) -> None:
        del client, now_ns
        self.phase = told.phase

    def _error(self, client: Client, told: Told, now_ns: int) -> None:
        del now_ns
        self.bye = f"{told.reason} [{told.code}]"
        if told.code in {"malformed_frame", "unknown_message", "wrong_type", "internal_error"}:
            self.find(f"{client.name} was told an error: {self.bye}.")

    def _bye(self, client: Client, told: Told, now_ns: int) -> None:
        del client, now_ns
        self.bye = f"{told.reason} [{told.code}]"

    def _of_others(self, client: Client, told: Told) -> None:
        """A report about an order that this run did not send: another program uses the account."""
        client.foreign = True
        if told.order_no in client.others:
            return
        client.others.add(told.order_no)
        self.find(
            f"{client.name} was told '{told.type}' of order {told.order_no}"
            f" ({told.client_order_id}), which this run did not send: a report for nobody, or"
            " somebody else uses the account."
        )

    def asked(self, client: Client, status: dict[str, Any]) -> None:
        """The venue was asked what became of an order that has no answer."""
        order = self.order_of(str(status.get("client_order_id", "")))
        if order < 0 or self.end[order] != SENT:
            return
        self.waiting -= 1
        word = str(status.get("outcome"))
        if word in {"unknown", "turned_away"}:
            self.refuse(order, str(status.get("code") or NEVER_ARRIVED))
            return
        self.end[order] = UNKNOWN
        self.find(
            f"Order {self.tag}{order} of {client.name} was never answered; asked for it, the venue"
            f" says {word}, and its reports do not tell so."
        )

    def live(self) -> list[list[int]]:
        """Return each client's listings that rest."""
        found: list[list[int]] = [[] for _ in self.clients]
        for order, state in enumerate(self.end):
            if state in LIVE:
                found[self.client[order]].append(order)
        return found

    def find_loose_ends(self) -> None:
        """Once everything was heard: orders in no end, trades that one side was not told of."""
        for order, state in enumerate(self.end):
            if state == TAKEN:
                self.find(
                    f"Order {self.tag}{order} ({self.kind_word(order)}) was accepted; it was"
                    " neither filled nor cancelled since."
                )
                self.end[order] = UNKNOWN
        for number, trade in list(self.trades.items()):
            target = self.aim.get(trade.order, -1)
            if trade.taker and target >= 0 and self.kind[trade.order] == TAKE:
                lister = self.clients[self.client[target]]
                self.find(
                    f"Trade {number}: {trade.client.name} was told that it took"
                    f" {trade.qty_tonnes} t; {lister.name}, whose listing it was, was not told."
                )
                del self.trades[number]

    def give_up(self) -> None:
        """What has no answer by now stays unknown."""
        for order, state in enumerate(self.end):
            if state in {SENT, TAKEN}:
                self.end[order] = UNKNOWN

    def kind_word(self, order: int) -> str:
        """What was sent in the end: a cancel without anything to cancel becomes a listing."""
        return KINDS[self.kind[order]]
