"""In which states an order can be, whose accounts they are, and a trade as one side tells it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from benchmarks.load.line import Told
from benchmarks.load.orders import BUY, SELL
from gateway.wire.line_messages import Snapshot

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
    foreign: bool = False  # there were reports of such orders: what they freeze is not known
    moved: str = ""  # the report of something that is no order, e.g. a deposit

    @property
    def name(self) -> str:
        """How findings call it."""
        return f"account {self.account} (key {self.key_id})"


class Trade:
    """A trade as its first reporter was told of it."""

    __slots__ = ("client", "order", "price_ticks", "qty_tonnes", "side", "taker")

    def __init__(self, client: Client, order: int, told: Told) -> None:
        self.client, self.order = client, order
        self.qty_tonnes, self.price_ticks = told.qty_tonnes, told.price_ticks
        self.side, self.taker = told.side, told.taker

    def fits(self, told: Told) -> bool:
        """Whether the other side was told of the same trade."""
        same = told.qty_tonnes == self.qty_tonnes and told.price_ticks == self.price_ticks
        return same and told.side != self.side and told.taker != self.taker
