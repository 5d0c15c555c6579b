"""The order flow of a recorded day: a venue's own folder, or what ``tanshi export`` made of it."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.load.plan import KINDS, LoadError
from gateway.export import PROBLEMS, export

FILE, JOURNAL = "commands.parquet", "journal"
COLUMNS = ("date", "time", "kind", "account", "instrument", "side", "price_ticks", "qty_tonnes")
PLAYED = ("list", "take", "take_best", "cancel")
PAUSE_NS = 60 * 1_000_000_000  # a longer silence (lunch) is left out
BAND = 0.1  # of the reference, either side (TR-23)
SIDES = {"buy": 1, "sell": 2}


@dataclass(frozen=True)
class Day:
    """Columns of one length: nanoseconds since the first order, kind, account, and its terms."""

    due_ns: np.ndarray
    kind: np.ndarray
    account: np.ndarray
    side: np.ndarray
    away: np.ndarray
    qty_tonnes: np.ndarray


def day(path: str, instrument: str) -> Day:
    """Return the first day of an export (the folder, or its ``commands.parquet``) or of a venue.

    ``instrument``: only its orders, all if "". How far a listing lies from the reference is told
    by its distance from the middle of the day's listings.

    Raises:
        LoadError: ``bad_recording``: it cannot be read, or holds no listed order.
    """
    place = Path(path)
    if not (place / JOURNAL).is_dir():
        return _exported(place / FILE if place.is_dir() else place, instrument)
    with tempfile.TemporaryDirectory(prefix="load-day-") as name:
        try:
            export(place, Path(name))
        except PROBLEMS as error:
            text = f"The journal of {place.name} cannot be read: {type(error).__name__}."
            raise LoadError("bad_recording", text) from error
        return _exported(Path(name) / FILE, instrument)


def _exported(file: Path, instrument: str) -> Day:
    try:
        table = pq.read_table(file, columns=list(COLUMNS))
    except (OSError, pa.ArrowException) as error:
        text = f"{file.name} cannot be read as an export of orders: {type(error).__name__}."
        raise LoadError("bad_recording", text) from error
    rows = table.to_pandas()
    rows = rows[rows["kind"].isin(PLAYED)]
    if instrument:  # takes and cancels name an order, and no instrument
        rows = rows[(rows["instrument"] == instrument) | rows["kind"].isin(("take", "cancel"))]
    rows = rows[rows["date"] == rows["date"].min()]
    listed = rows[rows["kind"] == "list"]
    if not len(listed):
        raise LoadError("bad_recording", f"{file.name} holds no listing.")
    middle = listed.groupby("instrument", observed=True)["price_ticks"].median()
    centre = rows["instrument"].astype(object).map(middle).to_numpy(np.float64)
    away = np.abs(rows["price_ticks"].to_numpy() / centre - 1.0) / BAND
    times = rows["time"].astype("int64").to_numpy()
    gaps = np.diff(times, prepend=times[:1])
    gaps[gaps > PAUSE_NS] = 0
    return Day(
        due_ns=np.cumsum(gaps),
        kind=rows["kind"].astype(object).map(KINDS.index).to_numpy(np.int8),
        account=rows["account"].to_numpy(),
        side=rows["side"].astype(object).map(SIDES).fillna(1).to_numpy(np.int8),
        away=np.clip(np.nan_to_num(away), 0.0, 1.0),
        qty_tonnes=np.maximum(1, rows["qty_tonnes"].to_numpy()),
    )
