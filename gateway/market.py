"""The markets a venue can be: the same engine with other rules and institutions (VM-01…12).

A market is a configuration, never a fork: its name and path, the rules of a day, who settles, and
whether the rulebook lists the instruments or an operator does.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace

from engine.rulebook import Rulebook, Rules
from registry.profiles import NATIONAL, VOLUNTARY, Profile

CCER_FEE_PPM = 6_000  # 6 per mille of the turnover, from each side (VM-05)


@dataclass(frozen=True)
class Market:
    """``path`` comes before every address of the market, e.g. ``/ccer/ws/trade``; "" is none.

    ``rules`` gives the parameters of a day. ``lists_vintages``: the rulebook says which instruments
    there are; else an operator admits them, and no day begins before there is one.
    """

    name: str
    path: str
    rules: Callable[[dt.date], Rules]
    profile: Profile
    lists_vintages: bool = True


def ccer_rules(date: dt.date) -> Rules:
    """Return the voluntary market's rules of a day: listed agreement only (VM-03, VM-05…09).

    Band, sizes, hours and T+1 mirror the national market; a batch's first day has no band.
    """
    return replace(
        Rulebook.on(date),
        vintages=(),
        composite_weights=(),
        modalities=("listed",),
        listed_trading_fee_ppm=CCER_FEE_PPM,
        free_first_day=1,
    )


CEA = Market("cea", "", Rulebook.on, NATIONAL)
CCER = Market("ccer", "/ccer", ccer_rules, VOLUNTARY, lists_vintages=False)
MARKETS = {market.name: market for market in (CEA, CCER)}
