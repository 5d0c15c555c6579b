"""Long tapes at engine speed: days of random orders, which the exchange itself settles.

``python -m tests.recovery.long_tape FOLDER COMMANDS SEED`` writes one into FOLDER/journal and,
before each day, a snapshot into FOLDER/snapshots, as a venue would have.
"""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from engine.deals import deal_file
from engine.exchange import Exchange
from engine.records import Kind, Mode, Phase, Side, commands
from engine.rulebook import Rulebook, parameter_commands
from gateway.journal.journal import Journal
from gateway.journal.snapshots import Snapshot, Snapshots

ACCOUNTS, INSTRUMENTS = 24, 3
DAYS = (20260105, 20260106, 20260107, 20260108, 20260109, 20260112, 20260113, 20260114)
REFERENCE_TICKS = 8_000
LISTED = ((Kind.LIST, Kind.TAKE, Kind.TAKE_BEST, Kind.CANCEL), (0.46, 0.12, 0.2, 0.22))
PRICE_TIME = ((Kind.ADD, Kind.AMEND, Kind.CANCEL), (0.6, 0.1, 0.3))
BATCH = 4_096
START_NS = 1_767_578_400 * 10**9


class LongTape:
    """Draws batches against an exchange of its own, so that its days can be settled."""

    def __init__(self, seed: int, count: int) -> None:
        self.exchange = Exchange()
        self._chance = np.random.default_rng(seed)
        self._left = count
        self._day_commands = max(1, count // len(DAYS) - 8)

    def batches(self) -> Iterator[np.ndarray]:
        """Yield batches of COMMAND rows, numbered; all of them were applied to ``exchange``."""
        yield self._applied(self._set_up())
        state = self.exchange.state
        rules = Rulebook.on(dt.date(2026, 1, 5))
        yield self._applied(parameter_commands(rules, state.rules, state.instruments[:INSTRUMENTS]))
        for date in DAYS:
            yield from self.day(date)

    def day(self, date: int) -> Iterator[np.ndarray]:
        """Yield one day."""
        yield self._step(Kind.BEGIN_DAY, ref=date)
        for phase in (Phase.MORNING, Phase.LUNCH, Phase.AFTERNOON):
            yield self._step(Kind.SET_PHASE, ref=phase)
            if phase != Phase.LUNCH:
                left = self._day_commands // 2
                while left > 0:
                    yield self._applied(self._orders(min(BATCH, left)))
                    left -= BATCH
        yield self._step(Kind.CLOSE_DAY)
        file = deal_file(self.exchange.state)
        yield self._step(Kind.CONFIRM_DAY, ref=file.tag, amount=len(file.deals))
        yield self._step(Kind.POST_DAY, ref=file.tag)
        assert int(self.exchange.state.market[0]["phase"]) == Phase.POSTED

    def _applied(self, batch: np.ndarray) -> np.ndarray:
        batch["seq"] = np.arange(self.exchange.seq + 1, self.exchange.seq + 1 + len(batch))
        batch["time_ns"] = START_NS + batch["seq"] * 1_000
        self.exchange.apply(batch)
        return batch

    def _step(self, kind: Kind, **fields: int) -> np.ndarray:
        batch = commands(1)
        batch["kind"] = kind
        for name, value in fields.items():
            batch[name] = value
        return self._applied(batch)

    def _set_up(self) -> np.ndarray:
        batch = commands(INSTRUMENTS + ACCOUNTS * (2 + INSTRUMENTS))
        row, instruction = 0, 0
        for instrument in range(INSTRUMENTS):
            batch[row]["kind"], batch[row]["instrument"] = Kind.ADMIT_INSTRUMENT, instrument
            batch[row]["price_ticks"] = REFERENCE_TICKS
            batch[row]["client_order_id"] = f"CEA{23 + instrument}".encode()
            batch[row]["mode"] = Mode.PRICE_TIME if instrument == 2 else Mode.LISTED
            row += 1
        for account in range(ACCOUNTS):
            for kind in (Kind.OPEN_ACCOUNT, Kind.CASH_IN, *[Kind.TRANSFER_IN] * INSTRUMENTS):
                instruction += 1
                batch[row]["kind"], batch[row]["account"] = kind, account
                batch[row]["ref"] = instruction
                batch[row]["amount"] = 10**14 if kind == Kind.CASH_IN else 0
                if kind == Kind.TRANSFER_IN:
                    batch[row]["instrument"] = (instruction - 3) % (2 + INSTRUMENTS)
                    batch[row]["qty_tonnes"] = 10**9
                row += 1
        return batch

    def _orders(self, count: int) -> np.ndarray:
        """Draw orders: many meet, most cancels find an open order of their owner."""
        chance, market = self._chance, self.exchange.state.market[0]
        batch = commands(count)
        batch["instrument"] = chance.integers(0, INSTRUMENTS, count)
        listed = batch["instrument"] != INSTRUMENTS - 1
        for (kinds, shares), where in ((LISTED, listed), (PRICE_TIME, ~listed)):
            batch["kind"][where] = chance.choice(np.array(kinds), int(where.sum()), p=shares)
        batch["account"] = chance.integers(0, ACCOUNTS, count)
        batch["side"] = chance.choice(np.array([Side.BUY, Side.SELL]), count)
        away = chance.integers(np.where(listed, 1, -2), 12, count)
        buys, takes = batch["side"] == Side.BUY, batch["kind"] == Kind.TAKE_BEST
        batch["price_ticks"] = REFERENCE_TICKS + np.where(buys ^ takes, -away, away)
        batch["qty_tonnes"] = batch["total_qty_tonnes"] = chance.integers(1, 60, count)
        self._name_orders(batch, int(market["orders"]))
        batch["client_order_id"] = chance.integers(1, 10**9, count).astype("S32")
        return batch

    def _name_orders(self, batch: np.ndarray, rows: int) -> None:
        """Let cancels, amends and takes name one of the latest orders, cancels their own."""
        orders, base = self.exchange.state.orders, int(self.exchange.state.market[0]["order_base"])
        chosen = np.maximum(1, rows - self._chance.integers(1, 3_000, len(batch)))
        own = (batch["kind"] == Kind.CANCEL) | (batch["kind"] == Kind.AMEND)
        batch["ref"] = np.where(own | (batch["kind"] == Kind.TAKE), base + chosen, 0)
        for name in ("account", "instrument"):
            batch[name] = np.where(own & (rows > 1), orders[name][chosen], batch[name])


def write(folder: Path, count: int, seed: int) -> Exchange:
    """Write a long tape as a venue's data and return the exchange at its end."""
    tape = LongTape(seed, count)
    snapshots = Snapshots(folder / "snapshots")
    folder.mkdir(parents=True, exist_ok=True)
    journal = Journal(folder / "journal")
    list(journal.replay())
    before = tape.exchange.state.copy()
    for batch in tape.batches():
        if int(batch["kind"][0]) == Kind.BEGIN_DAY:
            mark = journal.mark(int(before.market[0]["seq"]))
            assert mark is not None
            snapshots.keep(Snapshot(mark, before))
        journal.append(batch.tobytes(), int(batch["seq"][0]))
        before = tape.exchange.state.copy() if len(batch) < BATCH else before
    journal.close()
    return tape.exchange


if __name__ == "__main__":
    write(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
