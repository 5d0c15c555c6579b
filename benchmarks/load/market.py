"""What is traded at the venue under load, and between which prices: its public pages."""

from __future__ import annotations

import http.client
from typing import Any, NamedTuple

import msgspec
import numpy as np

from benchmarks.load.line import WITHIN_S, Place, no_way
from benchmarks.load.orders import BUY, Orders
from benchmarks.load.plan import LoadError

OPEN = ("morning", "afternoon")
LISTED = "listed"


class Market(NamedTuple):
    """An instrument; listings of the run lie within the limits and around ``centre_ticks``."""

    instrument: str
    phase: str
    lower_ticks: int
    upper_ticks: int
    centre_ticks: int


def page(place: Place, path: str) -> Any:
    """Return a public page of the venue.

    Raises:
        LoadError: ``unreachable``, ``tls``, ``no_venue``.
    """
    secure = place.tls is not None
    link = (
        http.client.HTTPSConnection(place.host, place.port, timeout=WITHIN_S, context=place.tls)
        if secure
        else http.client.HTTPConnection(place.host, place.port, timeout=WITHIN_S)
    )
    try:
        link.request("GET", place.path + path)
        answer = link.getresponse()
        content = answer.read()
        if answer.status != http.client.OK:
            text = f"{place.name} answers {answer.status} to {path}: it is no venue of this kind."
            raise LoadError("no_venue", text)
        return msgspec.json.decode(content)
    except OSError as error:
        raise no_way(place, error) from error
    except (http.client.HTTPException, msgspec.MsgspecError) as error:
        raise LoadError("no_venue", f"{place.name} is no venue: {type(error).__name__}.") from error
    finally:
        link.close()


def market_of(place: Place, instrument: str) -> Market:
    """Return the instrument of this code, or the venue's newest one in listed trading.

    Raises:
        LoadError: ``unknown_instrument``, ``market_closed``, and as ``page``.
    """
    told = page(place, "/api/instruments")
    try:
        rows = {row["code"]: row for row in told["instruments"] if row["mode"] == LISTED}
        phase = str(told["phase"])
    except (KeyError, TypeError) as error:
        raise LoadError("no_venue", f"{place.name} lists instruments in another way.") from error
    if phase not in OPEN:
        raise LoadError("market_closed", f"The market is closed: the phase is {phase}.")
    code = instrument or (max(rows) if rows else "")
    if code not in rows:
        known = ", ".join(sorted(rows)) or "none"
        text = f"No instrument {code or 'at all'} in listed trading; there are: {known}."
        raise LoadError("unknown_instrument", text)
    row = rows[code]
    depth = page(place, f"/api/depth/{code}").get("depth") or {}
    centre = _centre(depth, int(row["reference_ticks"]))
    return Market(code, phase, int(row["lower_limit_ticks"]), int(row["upper_limit_ticks"]), centre)


def _centre(depth: dict[str, Any], reference: int) -> int:
    """Listings must not cross what stands in the book already (TR-67)."""
    bids = [int(level["price_ticks"]) for level in depth.get("bids", ())]
    asks = [int(level["price_ticks"]) for level in depth.get("asks", ())]
    low, high = max(bids, default=0), min(asks, default=0)
    if low and reference <= low:
        return low + 1 if not high or high > low + 1 else low
    if high and reference >= high:
        return high - 1
    return reference


def prices(orders: Orders, market: Market) -> list[int]:
    """Return each order's price, were it a listing: buyers below the centre, sellers above."""
    below = max(1, market.centre_ticks - market.lower_ticks)
    above = max(1, market.upper_ticks - market.centre_ticks)
    buys = orders.side == BUY
    down = market.centre_ticks - 1 - (orders.away * (below - 1)).astype(np.int64)
    up = market.centre_ticks + 1 + (orders.away * (above - 1)).astype(np.int64)
    found: list[int] = np.where(buys, down, up).tolist()
    return found
