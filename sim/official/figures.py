"""The figures of one day that are compared: as published, and as the venue's bulletin has them.

Amounts of the negotiated modalities and totals may be left out of a file; what is not published is
not compared.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from marketdata.bulletin import Bulletin
from sim.official.days import COMPOSITE, Row
from sim.official.realise import QTY_PER_DAY_MAX, Contradiction, Target, target_of, yuan

_FEN = Decimal(100)


class Figures(NamedTuple):
    """A day's figures in ticks, tonnes and fen; None = not published.

    ``qty_tonnes`` and ``turnover_fen`` are listed trades alone (TR-107). ``closes_ticks``: (code,
    close) of the vintages whose closes are known beside the day's price line.
    """

    open_ticks: int | None
    high_ticks: int | None
    low_ticks: int | None
    close_ticks: int | None
    qty_tonnes: int
    turnover_fen: int
    bulk_qty_tonnes: int | None = None
    bulk_turnover_fen: int | None = None
    auction_qty_tonnes: int | None = None
    auction_turnover_fen: int | None = None
    total_qty_tonnes: int | None = None
    total_turnover_fen: int | None = None
    closes_ticks: tuple[tuple[str, int], ...] = ()

    @property
    def target(self) -> Target:
        """The price line with the listed volume and turnover."""
        return Target(*self[:6])


BULK = ("bulk_qty_tonnes", "bulk_turnover_fen")
AUCTION = ("auction_qty_tonnes", "auction_turnover_fen")
TOTAL = ("total_qty_tonnes", "total_turnover_fen")


class Excuse(NamedTuple):
    """Why some of a row's figures cannot be the venue's: the rule they break, and their names."""

    why: Contradiction
    names: tuple[str, ...]


def published(row: Row, closes: tuple[tuple[str, int], ...] = ()) -> Figures | Contradiction:
    """Convert a row to ticks, tonnes and fen, exactly; numbers off the grid are contradictions."""
    target = target_of(row)
    if isinstance(target, Contradiction):
        return target
    amounts: dict[str, tuple[int | None, int | None]] = {}
    for name in ("bulk", "auction", "total"):
        qty: Decimal | None = getattr(row, f"{name}_qty")
        turnover: Decimal | None = getattr(row, f"{name}_turnover")
        fen = None if turnover is None else turnover * _FEN
        if qty is not None and (qty % 1 or qty > QTY_PER_DAY_MAX):
            limit = f"no whole number of tonnes up to {QTY_PER_DAY_MAX}"
            return Contradiction("TR-10", f"{name} volume {qty} is {limit}")
        if fen is not None and fen % 1:
            return Contradiction("ST-15", f"{name} turnover {turnover} is not whole fen")
        amounts[name] = (None if qty is None else int(qty), None if fen is None else int(fen))
    bulk, auction, total = amounts["bulk"], amounts["auction"], amounts["total"]
    return Figures(*target, *bulk, *auction, *total, closes)


def wrong_totals(figures: Figures) -> list[Excuse]:
    """Return an excuse for every published total that its published parts do not add up to."""
    found = []
    for part, total in (("qty_tonnes", TOTAL[0]), ("turnover_fen", TOTAL[1])):
        parts = [getattr(figures, name) for name in (part, f"bulk_{part}", f"auction_{part}")]
        stated = getattr(figures, total)
        if stated is not None and None not in parts and sum(parts) != stated:
            words = f"total {part.partition('_')[0]} is not that of listed, bulk and bidding added"
            found.append(Excuse(Contradiction("TR-107", words), (total,)))
    return found


def lived(row: Row, bulletin: Bulletin, closes: tuple[tuple[str, int], ...] = ()) -> Figures:
    """Return the figures of the venue's bulletin that stand against the row's.

    The price line is the composite's, the named vintage's, or that of the only instrument; closes
    are given for the vintages in ``closes``.
    """
    lines = {line.instrument: line for line in bulletin.vintages}
    if row.basis == COMPOSITE:
        price = bulletin.composite
    else:
        price = lines[row.vintage or bulletin.vintages[0].instrument].price
    listed, bulk, auction, total = (
        (part.day_qty_tonnes, part.day_turnover_fen)
        for part in (bulletin.listed, bulletin.bulk, bulletin.auction, bulletin.total)
    )
    known = tuple((code, lines[code].price.close_ticks) for code, _ in closes if code in lines)
    return Figures(
        price.open_ticks,
        price.high_ticks,
        price.low_ticks,
        price.close_ticks,
        *listed,
        *bulk,
        *auction,
        *total,
        closes_ticks=known,
    )


def differences(theirs: Figures, ours: Figures) -> dict[str, str]:
    """Return a sentence for every published figure the venue does not have, by the field's name."""
    found = {}
    for name in Figures._fields[:-1]:
        stated, own = getattr(theirs, name), getattr(ours, name)
        if stated is None or stated == own:
            continue
        if name == "open_ticks" and not stated and not theirs.qty_tonnes:
            continue  # an idle day's open may be left out as 0.00; the venue shows TR-101
        write = str if name.endswith("tonnes") else yuan
        words = name.rpartition("_")[0].replace("_", " ")
        found[name] = f"{words}: published {write(stated)}, venue {write(own)}"
    known = dict(ours.closes_ticks)
    for code, close in theirs.closes_ticks:
        if known.get(code) != close:
            venue = yuan(known[code]) if code in known else "none"
            found[code] = f"close of {code}: published {yuan(close)}, venue {venue}"
    return found
