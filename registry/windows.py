"""When subjects may ask: windows of the day, and the moment at which silence is acceptance.

Pure. Times are nanoseconds since 1970 (UTC), as in the journal; the registry has no clock of its
own, whoever calls says when it is.
"""

from __future__ import annotations

import datetime as dt

from engine.calendar import date_of, is_trading_day, next_trading_day
from registry.errors import RefusalError
from registry.profiles import Profile

BEIJING = dt.timezone(dt.timedelta(hours=8))
MARKET_OPENS = dt.time(9, 30)  # TR-30
NS = 10**9
TIME_NS_MAX = 2**62


def moment(at_ns: int) -> dt.datetime:
    """Return Beijing wall time of ``at_ns``; RefusalError time_invalid if that is no time."""
    whole = isinstance(at_ns, int) and not isinstance(at_ns, bool)
    if not whole or not 0 <= at_ns <= TIME_NS_MAX:
        raise RefusalError("time_invalid", f"{at_ns!r} is no time in nanoseconds since 1970.")
    return dt.datetime.fromtimestamp(at_ns // NS, BEIJING)


def nanoseconds(date: dt.date, time: dt.time) -> int:
    """Return the nanoseconds since 1970 of a Beijing wall time."""
    return int(dt.datetime.combine(date, time, BEIJING).timestamp()) * NS


def window(profile: Profile, operation: str) -> tuple[dt.time, dt.time]:
    """Return the window of transfer_in, transfer_out, cash_in or cash_out (RG-08, ST-14)."""
    windows = {
        "transfer_in": profile.transfer_window,
        "transfer_out": profile.transfer_window,
        "cash_in": profile.cash_in_window,
        "cash_out": profile.cash_out_window,
    }
    if operation not in windows:
        raise RefusalError("operation_invalid", f"There is no window for {operation!r}.")
    return windows[operation]


def is_open(profile: Profile, operation: str, at_ns: int) -> bool:
    """Whether subjects may ask for the operation at that moment (RG-08, ST-14, CA-01)."""
    now = moment(at_ns)
    first, end = window(profile, operation)
    return is_trading_day(now.date()) and first <= now.time() < end


def refuse_closed(profile: Profile, operation: str, at_ns: int | None) -> None:
    """Raise RefusalError window_closed; without a time the institution acts itself (set-up)."""
    if at_ns is None or is_open(profile, operation, at_ns):
        return
    first, end = window(profile, operation)
    raise RefusalError(
        "window_closed",
        f"{operation} is possible from {first:%H:%M} to {end:%H:%M} on trading days; it is "
        f"{moment(at_ns):%Y-%m-%d %H:%M}.",
    )


def last_ns(date: int) -> int:
    """Return the last nanosecond of a day YYYYMMDD; RefusalError date_invalid."""
    day = date_of(date)
    if day is None:
        raise RefusalError("date_invalid", f"{date} is no date.")
    return nanoseconds(day + dt.timedelta(days=1), dt.time(0)) - 1


def next_open_ns(date: int) -> int:
    """Return when the trading day after ``date`` (YYYYMMDD) opens: the end of objections."""
    day = date_of(date)
    if day is None:
        raise RefusalError("date_invalid", f"{date} is no date.")
    return nanoseconds(next_trading_day(day), MARKET_OPENS)
