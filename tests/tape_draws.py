"""What every draw of a tape needs: its chance, its twin, ways to write a command."""

from __future__ import annotations

from collections import deque
from random import Random
from typing import Any

from engine.records import COMMAND
from tests.reference import Twin
from tests.reference.venue import Account, Instrument
from tests.reference.vocabulary import QTY_TONNES_MAX, Kind, Side

CommandDict = dict[str, Any]
BLANK: CommandDict = dict.fromkeys(COMMAND.names or (), 0) | {
    "account": -1,
    "counterparty": -1,
    "instrument": -1,
    "client_order_id": b"",
}
ACCOUNTS_MAX = 11
INSTRUMENTS_MAX = 6
I8, I4, I2, I1 = 2**63 - 1, 2**31 - 1, 2**15 - 1, 2**7 - 1
NONSENSE: dict[str, tuple[int, ...]] = {
    "account": (-1, 99, I4, -I4 - 1),
    "instrument": (-1, 99, I2, -I2 - 1),
    "side": (0, 3, -1, I1, -I1 - 1),
    "price_ticks": (0, -1, 10**7, 10**7 - 1, I4, -I4 - 1),
    "qty_tonnes": (0, -1, 10**10, 10**10 - 1, I8, -I8 - 1),
    "ref": (0, -1, I8, -I8 - 1),
    "total_qty_tonnes": (-1, 10**10, I8, -I8 - 1),
    "leg": (1, I1, -I1 - 1),
    "amount": (0, -1, 10**18, I8, -I8 - 1),
    "mode": (1, 2, -1, I1),
    "counterparty": (-1, -2, 99, I4, -I4 - 1),
    "from_minute": (0, -1, 1440, I2, -I2 - 1),
    "until_minute": (0, -1, 1440, 1441, I2, -I2 - 1),
    "operator": (0, -1, 1, I4, -I4 - 1),
    "checker": (0, -1, 1, I4, -I4 - 1),
}


class Draws:
    """The part that the draws of all ways of trading share."""

    random: Random
    twin: Twin
    giant: bool
    pending: deque[CommandDict]

    def noop(self) -> CommandDict:
        """Time passes."""
        return self._command(Kind.NOOP)

    def _command(self, kind: int, **fields: Any) -> CommandDict:
        command = BLANK.copy()
        command["kind"] = int(kind)
        command.update(fields)
        return command

    def _queue(self, kind: Kind, **fields: Any) -> None:
        self.pending.append(self._command(kind, **fields))

    def _known(self, account: int) -> bool:
        return 0 <= account < len(self.twin.venue.accounts)

    def _account(self) -> int:
        return self.random.randrange(max(1, len(self.twin.venue.accounts)))

    def _small(self) -> int:
        return self.random.choice((1, 2, 3, 5, 8, 12, 30))

    def _chance(self, part: float) -> bool:
        """True in that part of the cases."""
        return self.random.random() < part

    def _wrong_account(self) -> int:
        """Mostly an account, sometimes none."""
        return self.random.choice((-1, 99)) if self._chance(0.06) else self._account()

    def _any_instrument(self) -> Instrument | None:
        """One of the vintages, whatever its mode."""
        rows = self.twin.venue.instruments
        return self.random.choice(rows) if rows else None

    def _amount_near(self, account: Account, instrument: Instrument, side: Side, price: int) -> int:
        """A quantity around what the account can cover, or a small one."""
        if self.giant:
            return self.random.choice((QTY_TONNES_MAX, 10**8, 7, 10**9 + 7))
        row = account.holdings[instrument.number]
        if side is Side.BUY:
            able = account.cash_available // max(1, price)
            near = (able, able + 1, able - 1, able // 2, able // 4)
        else:
            both = row.available + row.bought_today
            near = (row.available, row.available + 1, both, both + 1, row.available // 2)
        if self._chance(0.75):
            return self._small()
        return max(1, self.random.choice(near))

    def _two_people(self) -> dict[str, int]:
        """Maker and checker, nearly always two."""
        pairs = ((1, 2),) * 12 + ((3, 3), (0, 2), (1, 0), (-1, 2), (5, -2))
        operator, checker = self.random.choice(pairs)
        return {"operator": operator, "checker": checker}
