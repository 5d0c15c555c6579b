"""How the cases are written: a table of message, expected reports, expected bids and asks.

    message               | reports                       | bids      | asks
    a: A sells 10 @ 80.00 | accepted a rests 10           |           | 10/1@80.00
    b: B buys 12 @ 80.05  | accepted b rests 2            | 2/1@80.05 |
                          | trade a 10 @ 80.00 leaves 2/0
    B cancels b           | cancelled b 2                 |           |

Accounts are A to Z, prices yuan, quantities tonnes; ``30/2@80.00`` are 30 t in two orders, best
level first. ``a:`` names the order. ``on Y`` means the second instrument, whose levels stand behind
a ``Y``. ``as ID`` is the client's own order id, ``#99`` a plain order number. A ditto mark repeats
the cell above. ``leaves 2/0``: the incoming order still wants 2 t, of the maker's nothing is left.
A row without a message goes on with the one above.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

Side = int
BUY, SELL = 1, 2
DITTO, AS_REPORTED = '"', "*"
SECOND = "Y"
_ADD = re.compile(
    r"(?:(?P<order>\w+): )?(?P<account>[A-Z]) (?P<side>buys|sells) (?P<qty>-?\d+) @ (?P<price>\S+)"
    r"(?P<second> on Y)?(?: as (?P<client_id>\w+))?"
)
_AMEND = re.compile(
    r"(?P<account>[A-Z]) amends (?P<order>#?\w+) to (?P<qty>-?\d+) @ (?P<price>\S+)"
)
_CANCEL = re.compile(r"(?P<account>[A-Z]) cancels (?P<order>#?\w+)")


@dataclass(frozen=True)
class Market:
    """The empty market a case begins in."""

    instruments: int = 1
    accounts: int = 6
    reference_ticks: int = 8_000
    band_bp: int = 1_000
    qty_max: int = 99_999  # of one declaration (TR-11)
    open_orders_max: int = 0  # of one account; 0 = no limit
    fee_ppm: int = 0  # of a deal's value, of buyer and seller each
    means: dict[int, tuple[int, int]] = field(default_factory=dict)  # account -> (fen, tonnes)

    def cash_fen(self, account: int) -> int:
        """What an account has at the beginning."""
        return self.means.get(account, (10**12, 0))[0]

    def tonnes(self, account: int) -> int:
        """What an account holds of every instrument at the beginning."""
        return self.means.get(account, (0, 10**7))[1]

    def fee(self, value_fen: int) -> int:
        """Return what one side of a deal costs, half up to a fen (TR-130, TR-132)."""
        return (value_fen * self.fee_ppm + 500_000) // 1_000_000

    def lock(self, price_ticks: int, qty: int) -> int:
        """Return what a buyer's order freezes: amount and fee (TR-41, TR-42)."""
        return price_ticks * qty + self.fee(price_ticks * qty)

    def limits(self) -> tuple[int, int]:
        """Return the day's lowest and highest price in ticks (TR-20, TR-23)."""
        lower, upper = (
            (self.reference_ticks * (10_000 + part) + 5_000) // 10_000
            for part in (-self.band_bp, self.band_bp)
        )
        return max(1, lower), upper


@dataclass(frozen=True)
class Message:
    """One message to a book: ``verb`` is add, cancel or amend; ``order`` the case's name for it."""

    verb: str
    account: int
    order: str = ""
    instrument: int = 0
    side: Side = 0
    price_ticks: int = 0
    qty: int = 0
    client_id: str = ""


@dataclass(frozen=True)
class Step:
    """A message and what must follow."""

    text: str
    message: Message
    reports: str
    bids: str
    asks: str


@dataclass(frozen=True)
class Case:
    """A named walk from an empty book. ``look_every``: so often the whole book is compared."""

    name: str
    invariant: str
    steps: tuple[Step, ...]
    market: Market
    look_every: int = 1

    def data(self) -> dict[str, Any]:
        """Return the case for users of other engines: plain values, texts as in the tables."""
        rows = [
            {"message": s.text, "reports": s.reports, "bids": s.bids, "asks": s.asks}
            for s in self.steps
        ]
        market = {name: value for name, value in vars(self.market).items() if name != "means"}
        market["cash_fen"] = [self.market.cash_fen(row) for row in range(self.market.accounts)]
        market["tonnes"] = [self.market.tonnes(row) for row in range(self.market.accounts)]
        return {"name": self.name, "invariant": self.invariant, "market": market, "steps": rows}


def ticks(yuan: str) -> int:
    """Read a price in yuan."""
    return int(Decimal(yuan) * 100)


def read_message(text: str) -> Message:
    """Read one message as the tables write it."""
    for verb, pattern in (("add", _ADD), ("amend", _AMEND), ("cancel", _CANCEL)):
        found = pattern.fullmatch(text)
        if found is None:
            continue
        part = found.groupdict()
        return Message(
            verb,
            account=ord(part["account"]) - ord("A"),
            order=part["order"] or "",
            instrument=1 if part.get("second") else 0,
            side={"buys": BUY, "sells": SELL}.get(part.get("side", ""), 0),
            price_ticks=ticks(part.get("price", "0")),
            qty=int(part.get("qty", 0)),
            client_id=part.get("client_id") or "",
        )
    raise ValueError(f"no message: {text!r}")


def _rows(table: str) -> list[list[str]]:
    """Split a table into rows of four cells, continued ones joined."""
    rows: list[list[str]] = []
    for line in table.splitlines():
        if not line.strip():
            continue
        cells = [cell.strip() for cell in line.split("|")]
        if cells[0]:
            rows.append(cells)
            continue
        for column, (glue, cell) in enumerate(zip(("", "; ", " ", " "), cells, strict=False)):
            if cell:
                rows[-1][column] = (rows[-1][column] + glue + cell).strip()
    for row in rows:
        if len(row) != 4:
            raise ValueError(f"a row has four cells: {row}")
    return rows


def write_message(message: Message) -> str:
    """Write a message as the tables do; ``read_message`` reads it back."""
    who, price = chr(ord("A") + message.account), f"{message.price_ticks / 100:.2f}"
    if message.verb == "cancel":
        return f"{who} cancels {message.order}"
    if message.verb == "amend":
        return f"{who} amends {message.order} to {message.qty} @ {price}"
    text = f"{who} {'buys' if message.side == BUY else 'sells'} {message.qty} @ {price}"
    text = f"{message.order}: {text}" if message.order else text
    text += f" on {SECOND}" if message.instrument else ""
    return text + (f" as {message.client_id}" if message.client_id else "")


def case(name: str, invariant: str, table: str, **market: Any) -> Case:
    """Read a case from its table; further arguments are the market's."""
    steps: list[Step] = []
    for text, reports, *halves in _rows(table):
        above = (steps[-1].bids, steps[-1].asks) if steps else ("", "")
        bids, asks = (
            last if half == DITTO else half for half, last in zip(halves, above, strict=True)
        )
        steps.append(Step(text, read_message(text), reports, bids, asks))
    return Case(name, " ".join(invariant.split()), tuple(steps), Market(**market))


def crowd(name: str, invariant: str, rows: Iterable[Sequence[str]], **more: Any) -> Case:
    """Make a case of many generated rows: (message, reports, bids, asks)."""
    every = more.pop("look_every")
    steps = tuple(Step(text, read_message(text), *rest) for text, *rest in rows)
    return Case(name, " ".join(invariant.split()), steps, Market(**more), every)


def draw_levels(sides: Sequence[Sequence[tuple[int, int, int]]]) -> str:
    """Write one half of the books of all instruments as the tables do."""
    written = []
    for row, levels in enumerate(sides):
        if row and levels:
            written.append(SECOND)
        written += [f"{qty}/{orders}@{price / 100:.2f}" for price, qty, orders in levels]
    return " ".join(written)
