"""The daily bulletin in the exchange's own content (TR-141, TR-142): a struct, its JSON, its text.

Writing it anywhere is the gateway's business; nothing here touches a disk.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from engine.records import MODALITIES, Modality
from marketdata.figures import Figures, Vintage, change_bp

MODALITY_NAMES = {
    Modality.LISTED: "Listed",
    Modality.BULK: "Bulk",
    Modality.AUCTION: "Auction",
}


class Volumes(msgspec.Struct, frozen=True):
    """Volume in tonnes and turnover in fen: of the day, of the year so far, since the launch."""

    day_qty_tonnes: int = 0
    day_turnover_fen: int = 0
    year_qty_tonnes: int = 0
    year_turnover_fen: int = 0
    all_qty_tonnes: int = 0
    all_turnover_fen: int = 0


class PriceLine(msgspec.Struct, frozen=True):
    """Prices of the day in ticks (TR-100…105).

    ``high``, ``low`` and ``latest`` are 0 without a trade on the listed market; open and close are
    then the previous close. ``prev_close`` is 0 on a first day, the change then is measured
    from the first reference (TR-24, TR-103). ``change_bp``: basis points, half away from zero.
    """

    open_ticks: int
    high_ticks: int
    low_ticks: int
    latest_ticks: int
    close_ticks: int
    prev_close_ticks: int
    change_ticks: int
    change_bp: int


class VintageLine(msgspec.Struct, frozen=True):
    """One vintage: its price line, its volumes per modality code 10, 20, 21 (TR-142)."""

    instrument: str
    reference_ticks: int
    price: PriceLine
    listed: Volumes
    bulk: Volumes
    auction: Volumes


class Bulletin(msgspec.Struct, frozen=True):
    """The day as the exchange publishes it (TR-141).

    ``composite`` is all 0 while no vintage has a weight. ``bidding_sessions`` were held (TR-80), of
    them ``bidding_sessions_failed`` without a valid bid (TR-88). ``voided_trades`` of the day were
    undone and are in no figure (TR-121).
    """

    date: int
    traded: bool
    composite: PriceLine
    listed: Volumes
    bulk: Volumes
    auction: Volumes
    total: Volumes
    vintages: tuple[VintageLine, ...]
    bidding_sessions: int = 0
    bidding_sessions_failed: int = 0
    voided_trades: int = 0


def _sum(volumes: Iterable[Volumes]) -> Volumes:
    rows = [msgspec.structs.astuple(one) for one in volumes]
    return Volumes(*(sum(column) for column in zip(*rows, strict=True)))


def _vintage_line(code: str, vintage: Vintage) -> VintageLine:
    close = vintage.close or vintage.reference
    price = PriceLine(
        open_ticks=vintage.open or vintage.reference,
        high_ticks=vintage.high,
        low_ticks=vintage.low,
        latest_ticks=vintage.last,
        close_ticks=close,
        prev_close_ticks=vintage.prev_close,
        change_ticks=close - vintage.reference,
        change_bp=change_bp(close, vintage.reference),
    )
    volumes = [Volumes(*totals.row()) for totals in vintage.totals]
    return VintageLine(code, vintage.reference, price, *volumes)


def _composite_line(figures: Figures) -> PriceLine:
    price = figures.composite
    change = price.close - price.before if price.close and price.before else 0
    return PriceLine(
        open_ticks=price.open,
        high_ticks=price.high,
        low_ticks=price.low,
        latest_ticks=price.latest,
        close_ticks=price.close,
        prev_close_ticks=price.prev_close,
        change_ticks=change,
        change_bp=change_bp(price.close, price.before),
    )


def make_bulletin(figures: Figures, codes: Sequence[str]) -> Bulletin:
    """Return the bulletin of the day that was just closed: ``codes`` by instrument row."""
    vintages = tuple(
        _vintage_line(code, vintage) for code, vintage in zip(codes, figures.vintages, strict=True)
    )
    modalities = [
        _sum(volumes)
        for volumes in (
            [line.listed for line in vintages],
            [line.bulk for line in vintages],
            [line.auction for line in vintages],
        )
    ]
    total = _sum(modalities)
    return Bulletin(
        date=figures.date,
        traded=total.day_qty_tonnes > 0,
        composite=_composite_line(figures),
        listed=modalities[0],
        bulk=modalities[1],
        auction=modalities[2],
        total=total,
        vintages=vintages,
        bidding_sessions=figures.biddings,
        bidding_sessions_failed=figures.biddings_failed,
        voided_trades=figures.voided,
    )


def to_json(bulletin: Bulletin) -> bytes:
    """Return the bulletin as JSON, units in the names of its fields."""
    return msgspec.json.encode(bulletin)


def from_json(text: bytes) -> Bulletin:
    """Return the bulletin written by ``to_json``.

    Raises:
        msgspec.ValidationError: a field is missing or of another type.
    """
    return msgspec.json.decode(text, type=Bulletin)


def yuan(fen_or_ticks: int) -> str:
    """Return an amount of fen, or a price of ticks, in yuan with two decimals: 7,400 -> 74.00."""
    sign = "-" if fen_or_ticks < 0 else ""
    whole, rest = divmod(abs(fen_or_ticks), 100)
    return f"{sign}{whole:,}.{rest:02d}"


def percent(change: int) -> str:
    """Return basis points as a signed percentage: 123 -> +1.23%."""
    sign = "-" if change < 0 else "+" if change > 0 else ""
    whole, rest = divmod(abs(change), 100)
    return f"{sign}{whole}.{rest:02d}%"


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = cells
    padded = [first.ljust(widths[0])]
    padded += [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
    return "  ".join(padded).rstrip()


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [_row(row, widths) for row in rows]
    return [lines[0], "-" * (sum(widths) + 2 * (len(widths) - 1)), *lines[1:]]


def _price_cells(line: PriceLine) -> list[str]:
    return [
        yuan(line.open_ticks),
        yuan(line.high_ticks),
        yuan(line.low_ticks),
        yuan(line.close_ticks),
        yuan(line.prev_close_ticks) if line.prev_close_ticks else "-",
        percent(line.change_bp),
    ]


def _volume_cells(volumes: Volumes) -> list[str]:
    values = msgspec.structs.astuple(volumes)
    return [f"{value:,}" if column % 2 == 0 else yuan(value) for column, value in enumerate(values)]


def _price_table(bulletin: Bulletin) -> list[str]:
    rows = [["Price (yuan/t)", "open", "high", "low", "close", "prev close", "change"]]
    if bulletin.composite.close_ticks:
        rows.append(["Composite", *_price_cells(bulletin.composite)])
    rows += [[line.instrument, *_price_cells(line.price)] for line in bulletin.vintages]
    return _table(rows)


VOLUME_HEADS = ("day t", "day yuan", "year t", "year yuan", "total t", "total yuan")


def _volume_tables(bulletin: Bulletin) -> list[str]:
    rows = [["All vintages", *VOLUME_HEADS]]
    names = [f"{MODALITY_NAMES[modality]} ({modality})" for modality in MODALITIES]
    for name, volumes in zip(
        [*names, "Total"],
        (bulletin.listed, bulletin.bulk, bulletin.auction, bulletin.total),
        strict=True,
    ):
        rows.append([name, *_volume_cells(volumes)])
    lines = _table(rows)
    rows = [["Vintage, modality", *VOLUME_HEADS]]
    for line in bulletin.vintages:
        for name, volumes in zip(names, (line.listed, line.bulk, line.auction), strict=True):
            rows.append([f"{line.instrument} {name}", *_volume_cells(volumes)])
    return [*lines, "", *_table(rows)]


def _headline(bulletin: Bulletin) -> str:
    if not bulletin.traded:
        return "No trades were made in any vintage on this day."
    composite, total = bulletin.composite, bulletin.total
    moved = (
        f"{total.day_qty_tonnes:,} t changed hands for {yuan(total.day_turnover_fen)} yuan, "
        f"{bulletin.listed.day_qty_tonnes:,} t of them on the listed market."
    )
    if not composite.close_ticks:
        return moved
    close = f"{yuan(composite.close_ticks)} yuan/t ({percent(composite.change_bp)})"
    return f"The composite price closed at {close}. {moved}"


def _remarks(bulletin: Bulletin) -> list[str]:
    """Sentences about what is rare: bidding sessions (TR-80), voided trades (TR-121)."""
    found = []
    if bulletin.bidding_sessions:
        failed = bulletin.bidding_sessions_failed
        found.append(
            f"One-way bidding sessions held: {bulletin.bidding_sessions}"
            + (f", {failed} of them without a valid bid." if failed else ".")
        )
    if bulletin.voided_trades:
        found.append(
            f"Trades undone by the exchange and in none of the figures: {bulletin.voided_trades}."
        )
    return found


def to_text(bulletin: Bulletin) -> str:
    """Return the bulletin for people: headline, price lines, volumes; ends with a line feed."""
    date = f"{bulletin.date:08d}"
    lines = [
        "全国碳市场每日行情 Daily bulletin of the national carbon market",
        f"{date[:4]}-{date[4:6]}-{date[6:]}",
        "",
        _headline(bulletin),
        *_remarks(bulletin),
        "",
        *_price_table(bulletin),
        "",
        *_volume_tables(bulletin),
    ]
    return "\n".join(lines) + "\n"
