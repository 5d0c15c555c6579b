"""What becomes of each order, by the venue's own reports: exactly one end, nothing twice.

Every report is held against what was sent and what was told before. What does not fit is a finding,
a sentence. A report that comes twice is not booked twice.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.load.line import Told
from benchmarks.load.orders import BUY, CANCEL, LIST, SELL, TAKE, Orders
from benchmarks.load.plan import KINDS
from benchmarks.load.targets import Targets
from gateway.wire.line_messages import Snapshot

FINDINGS_MAX = 50
UNSENT, SENT, TAKEN, RESTING, PART, FILLED, CANCELLED, REFUSED, DONE, UNKNOWN = range(10)
ENDS = {
    RESTING: "resting",
    PART: "part_filled",  # and resting
    FILLED: "filled",
    CANCELLED: "cancelled",
    REFUSED: "refused",
    DONE: "done",  # a cancel or a ping that was obeyed
    UNKNOWN: "unknown",
}
LIVE = (RESTING, PART)
SIDE_WORDS = {BUY: "buy", SELL: "sell"}
UNCOUNTED = {"welcome", "heartbeat", "pong", "stream_resumed", "account", "status"}
QUIET = UNCOUNTED | {"limits", "phase_changed", "mass_cancelled", "challenge"}
NEVER_ARRIVED = "never_arrived"


@dataclass
class Client:
    """A connection's account: its last report, what its reports say it gained, what was before."""

    number: int
    key_id: str
    account: int = -1
    date: int = 0
    last: int = 0
    cash_fen: int = 0
    fees_fen: int = 0
    tonnes: Counter[str] = field(default_factory=Counter)
    open_orders: int = 0
    before: Snapshot | None = None
    others: set[int] = field(default_factory=set)  # orders of this account that are not the run's
    moved: str = ""  # the report of something that is no order, e.g. a deposit

    @property
    def name(self) -> str:
        """How findings call it."""
        return f"account {self.account} (key {self.key_id})"


class Trade:
    """A trade as its first reporter was told of it."""

    __slots__ = ("client", "order", "qty_tonnes", "price_ticks", "side", "taker")

    def __init__(self, client: Client, order: int, told: Told) -> None:
        self.client, self.order = client, order
        self.qty_tonnes, self.price_ticks = told.qty_tonnes, told.price_ticks
        self.side, self.taker = told.side, told.taker

    def fits(self, told: Told) -> bool:
        """Whether the other side was told of the same trade."""
        same = told.qty_tonnes == self.qty_tonnes and told.price_ticks == self.price_ticks
        return same and told.side != self.side and told.taker != self.taker


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
        self.sent = array("q", bytes(8 * count))
        self.answered = array("q", bytes(8 * count))
        self.refused_as: dict[int, str] = {}
        self.frozen: dict[int, int] = {}  # fen that a resting buy listing holds
        self.aim: dict[int, int] = {}  # what a cancel or take was aimed at
        self.by_no: dict[int, int] = {}
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
        if self.kind[order] != LIST:
            self.end[order] = TAKEN
            return
        self.end[order] = RESTING
        price, qty, side = self.price[order], self.leaves[order], self.side[order]
        terms = (told.price_ticks, told.qty_tonnes, told.leaves_qty, told.side)
        if terms != (price, qty, qty, SIDE_WORDS[side]):
            self.find(f"Listing {told.client_order_id} was accepted with other terms: {terms}.")
        if side == BUY:
            self.frozen[order] = told.frozen_fen
            if told.frozen_fen < price * qty:
                self.find(f"Listing {told.client_order_id} froze {told.frozen_fen} fen, too few.")
        self.targets.add(order)

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
        if self.kind[order] == LIST:
            self.clients[self.client[order]].open_orders -= 1
        target = self.aim.pop(order, -1)
        if target >= 0 and self.kind[order] == TAKE and self.end[target] in LIVE:
            self.targets.back(target)

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
        listed = self.kind[order] == LIST
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
            return
        self.end[order] = FILLED
        self.targets.free[order] = 0
        self.frozen.pop(order, None)
        client.open_orders -= 1

    def _reprice(self, told: Told, order: int) -> None:
        listing = order if self.kind[order] == LIST else self.aim.get(order, -1)
        if listing >= 0 and told.price_ticks != self.price[listing]:
            self.find(
                f"Order {self.tag}{order} was filled at {told.price_ticks} ticks; the listing"
                f" says {self.price[listing]}."
            )
        target = self.aim.get(order, -1)
        if target >= 0 and self.end[target] in LIVE and self.leaves[target] > 0:
            self._offer_again(order, target)

    def _offer_again(self, order: int, target: int) -> None:
        """The taker may hear of the trade before the lister does: what rests then is certain."""
        if self.leaves[target] > 0 and not self.targets.free[target]:
            del self.aim[order]
            self.targets.back(target)

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
        listed = self.kind[order] == LIST
        if self.end[order] not in (LIVE if listed else (TAKEN,)):
            self.find(f"Order {self.tag}{order} was cancelled though it was over.")
            return
        self.end[order] = CANCELLED
        if not listed:
            return
        self.targets.free[order] = 0
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
        if told.order_no in client.others:
            return
        client.others.add(told.order_no)
        self.find(
            f"{client.name} was told '{told.type}' of order {told.order_no}"
            f" ({told.client_order_id}), which this run did not send: a report for nobody, or"
            " somebody else uses the account."
        )

    def kind_word(self, order: int) -> str:
        """What was sent in the end: a cancel without anything to cancel becomes a listing."""
        return KINDS[self.kind[order]]

    def is_cancel(self, order: int) -> bool:
        """Whether the order is a cancel."""
        return self.kind[order] == CANCEL
