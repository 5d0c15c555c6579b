"""Which market a registry serves: names and customs, never code (VM-01, VM-09, ST-01).

A profile is chosen when the books are opened for the first time and written into them; opening
them with another one is refused. Fee rates are the exchange's parameters and stay there: for the
voluntary market 6 per mille of the listed turnover from each side (VM-05).
"""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple


class Profile(NamedTuple):
    """One market's institutions and customs.

    The windows are Beijing wall times on trading days, start included, end excluded.
    """

    code: str
    unit: str  # what one tonne is called
    registry: str  # keeps the accounts
    settlement: str  # clears, and keeps the special account at the bank (ST-01, ST-02)
    exchange: str
    instrument_word: str  # what an instrument is: a vintage, or a project's batch
    cancellation_kinds: tuple[str, ...]  # RG-13, VM-10
    transfer_window: tuple[dt.time, dt.time]  # RG-08
    cash_in_window: tuple[dt.time, dt.time]  # ST-14
    cash_out_window: tuple[dt.time, dt.time]

    def first_accounts(self) -> tuple[tuple[str, str, str], ...]:
        """Return (code, name, kind) of the accounts that are there before anybody comes."""
        return (
            ("ISSUE-RESERVE", f"Issue of {self.unit} ({self.registry})", "issue_reserve"),
            ("BANK", f"Special account of {self.settlement}", "bank"),
            ("EXCHANGE-FEES", f"Trading fees of {self.exchange}", "fees"),
            ("REGISTRY-FEES", f"Settlement fees of {self.settlement}", "fees"),
            ("RISK-RESERVE", f"Settlement risk reserve of {self.settlement}", "risk_reserve"),
            ("RESERVE-BANK", f"Reserve account of {self.settlement}", "bank"),
        )


_MORNING = dt.time(9)
_TRANSFERS = (_MORNING, dt.time(15))
_CASH_IN = (_MORNING, dt.time(15, 30))

NATIONAL = Profile(
    code="national",
    unit="CEA",
    registry="the national registry",
    settlement="the national registry",
    exchange="the Shanghai exchange",
    instrument_word="vintage",
    cancellation_kinds=("voluntary",),
    transfer_window=_TRANSFERS,
    cash_in_window=_CASH_IN,
    cash_out_window=_TRANSFERS,
)
VOLUNTARY = Profile(
    code="voluntary",
    unit="CCER",
    registry="the CCER registry",
    settlement="the Beijing exchange",
    exchange="the Beijing exchange",
    instrument_word="batch",
    cancellation_kinds=("voluntary", "offset", "other"),
    transfer_window=_TRANSFERS,
    cash_in_window=_CASH_IN,
    cash_out_window=_TRANSFERS,
)
PROFILES = {profile.code: profile for profile in (NATIONAL, VOLUNTARY)}
