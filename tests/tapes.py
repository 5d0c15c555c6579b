"""Tapes: seeded streams of commands, most of them sensible, many of them wrong.

A ``Tape`` draws its next command by looking at its own twin: references come from live orders,
prices from where the book is, amounts from what an account has. So crossings, level collisions,
self-trades, partial fills and every refusal of the contract are common with a few accounts and
narrow grids. ``Tape(seed).step()`` does one command on the twin and returns it with its events;
``record(seed, count)`` returns a whole tape at once.

The tapes avoid instruments with ladders of millions of levels, which no test machine should hold;
giant tapes are to be kept short, because turnover totals are exact up to 9.2 × 10¹⁸ fen only.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from random import Random

import numpy as np

from engine.records import COMMAND
from tests.reference import Twin
from tests.reference.orders import Order, Role
from tests.reference.trading_days import date_of, next_trading_day, number_of
from tests.reference.venue import Instrument
from tests.reference.vocabulary import (
    CASH_FEN_MAX,
    QTY_TONNES_MAX,
    EventDict,
    Kind,
    Modality,
    Mode,
    Parameter,
    Phase,
    Side,
)
from tests.tape_bidding import BiddingDraws
from tests.tape_bulk import BulkDraws
from tests.tape_control import HARMLESS, ControlDraws
from tests.tape_draws import (
    ACCOUNTS_MAX,
    BLANK,
    I1,
    I8,
    INSTRUMENTS_MAX,
    NONSENSE,
    CommandDict,
)
from tests.tape_safeguards import SafeguardDraws

__all__ = ["BLANK", "NONSENSE", "CommandDict", "Tape", "record", "to_batch", "to_rows"]
FIRST_DATES = (20210715, 20210917, 20211227, 20220125, 20230403, 20241226, 20260211)
NUMBERED = (Kind.OPEN_ACCOUNT, Kind.CASH_IN, Kind.TRANSFER_IN)
UNKNOWN_KINDS = (7, 19, 26, 29, 35, 39, 42, 49, 56, 67, 69, 83, 99, I1, -1, -I1 - 1)
NEXT_STEP: dict[Phase, tuple[Kind, int]] = {
    Phase.PRE_OPEN: (Kind.SET_PHASE, Phase.MORNING),
    Phase.MORNING: (Kind.SET_PHASE, Phase.LUNCH),
    Phase.LUNCH: (Kind.SET_PHASE, Phase.AFTERNOON),
    Phase.AFTERNOON: (Kind.CLOSE_DAY, 0),
}
MORNING_WEIGHTS: dict[str, float] = {
    "list_": 22, "take": 17, "sweep": 2, "take_best": 6, "add": 22, "amend": 10, "cancel": 9,
    "cash_in": 3.5, "cash_out": 1.5, "transfer_in": 4, "transfer_out": 1.5, "open_account": 0.3,
    "admit": 0.2, "parameter": 0.2, "unknown": 0.2, "noop": 0.3, "wrong_step": 0.6, "advance": 0.7,
    "apply_session": 5, "notice_session": 4, "reject_session": 0.6, "open_session": 4, "bid": 14,
    "cancel_bid": 3, "close_session": 3,
    "block": 2, "guard": 3, "limit": 2, "warn": 0.3, "halt": 3, "kill": 0.4, "void": 1.2,
    "court": 2, "undermine": 1, "any_kind": 1,
    "mass_cancel": 0.8, "set_timer": 1, "set_disconnect": 0.4,
}  # fmt: skip
AFTERNOON_WEIGHTS = MORNING_WEIGHTS | {
    "bulk_offer": 9, "bulk_counter": 12, "bulk_accept": 9, "bulk_confirm": 10, "bulk_decline": 2,
    "bulk_withdraw": 1, "shortchange": 2, "undermine": 5, "advance": 0.5,
}  # fmt: skip
QUIET_WEIGHTS: dict[str, float] = {
    "list_": 1, "take": 1, "take_best": 1, "add": 1, "amend": 1, "cancel": 3,
    "cash_in": 3, "cash_out": 2, "transfer_in": 3, "transfer_out": 2, "open_account": 1,
    "admit": 0.5, "parameter": 0.5, "unknown": 0.3, "noop": 0.3, "wrong_step": 3, "advance": 7,
    "apply_session": 2, "notice_session": 2, "cancel_bid": 2, "open_session": 1,
    "kill": 0.3, "void": 2, "court": 2, "halt": 2, "any_kind": 10,
    "mass_cancel": 1, "set_timer": 1, "set_disconnect": 0.5,
}  # fmt: skip
EVENING_WEIGHTS = QUIET_WEIGHTS | {"any_kind": 22}
NIGHT_WEIGHTS = QUIET_WEIGHTS | {"admit": 3, "parameter": 18, "block": 2, "limit": 2, "guard": 2}


def to_batch(commands: Sequence[CommandDict]) -> np.ndarray:
    """Return the commands as records: shape (n,), dtype COMMAND."""
    return np.array([tuple(command.values()) for command in commands], COMMAND)


def to_rows(events: Iterable[EventDict]) -> list[tuple[int, ...]]:
    """Return the twin's events as plain tuples, comparable with ``ndarray.tolist()``."""
    return [tuple(event.values()) for event in events]


class Tape(BulkDraws, BiddingDraws, ControlDraws, SafeguardDraws):
    """One seeded stream.

    ``flavour``: "plain"; "giant" uses the largest numbers the door lets in; "wide" fills the room
    for instruments, with thousands of price levels each.
    """

    def __init__(self, seed: int, flavour: str = "plain") -> None:
        self.random = Random(seed)
        self.twin = Twin()
        self.giant = flavour == "giant"
        self.wide = flavour == "wide"
        self.pending: deque[CommandDict] = deque()
        self.morning = self._weights(MORNING_WEIGHTS)
        self.afternoon = self._weights(AFTERNOON_WEIGHTS)
        self.quiet = self._weights(QUIET_WEIGHTS)
        self.evening = self._weights(EVENING_WEIGHTS)
        self.night = self._weights(NIGHT_WEIGHTS)
        self.known_phases = {Phase.NEW}
        self._set_up()

    def step(self) -> tuple[CommandDict, list[EventDict]]:
        """Draw one command, do it on the twin, return both it and its events."""
        venue = self.twin.venue
        if venue.phase not in self.known_phases:
            self.known_phases.add(venue.phase)
            self.pending += map(self.of_kind, self.random.sample(HARMLESS, k=20))
        if self.pending:
            command = self.pending.popleft()
        else:
            draws, cumulated = self._draws()
            command = self.random.choices(draws, cum_weights=cumulated)[0]()
            if venue.halted and self.random.random() < 0.1:
                command = self._command(Kind.RESUME_MARKET)
            elif self.random.random() < 0.02:
                command = self.set_free()
            if self.random.random() < 0.05:
                self._spoil(command)
        self._keep_within_bounds(command)
        command["seq"] = venue.seq + 1
        command["time_ns"] = venue.time_ns + self.pause_ns(command)
        return command, self.twin.apply(command)

    # ---- what to draw ------------------------------------------------------------------------

    def list_(self) -> CommandDict:
        """A listing, mostly one that does not cross."""
        return self._declare(Kind.LIST, Mode.LISTED, crossing=0.1)

    def add(self) -> CommandDict:
        """An order of a price–time book, often one that trades."""
        return self._declare(Kind.ADD, Mode.PRICE_TIME, crossing=0.45)

    def take_best(self) -> CommandDict:
        """A take by the venue, mostly with a limit that reaches something."""
        return self._declare(Kind.TAKE_BEST, Mode.LISTED, crossing=0.8)

    def take(self) -> CommandDict:
        """A take of a chosen listing: mostly of the best level, sometimes not a good idea."""
        order = self._a_listing()
        if order is None:
            return self._command(Kind.TAKE, account=self._account(), ref=1, qty_tonnes=1)
        more = self.random.random() < 0.06
        qty = order.leaves + 1 if more else self.random.randint(1, min(order.leaves, 40))
        if self.random.random() < 0.25:
            qty = order.leaves
        return self._command(
            Kind.TAKE, account=self._account(), ref=order.number, qty_tonnes=qty,
            side=self.random.choice((0, 1, 2)), instrument=self.random.choice((-1, 0)),
        )  # fmt: skip

    def sweep(self) -> CommandDict:
        """Several legs in one instruction, each a command (TR-66)."""
        account = self._account()
        instrument = self._instrument(Mode.LISTED)
        if instrument is None:
            return self.noop()
        side = self.random.choice((Side.BUY, Side.SELL))
        levels = instrument.levels(side)[: self.random.randint(1, 7)]
        orders = [order for _, level in levels for order in level.values()][:6]
        own = self.random.random() < 0.2
        orders = [o for o in orders if own or o.account.number != account]
        total = sum(order.leaves for order in orders)
        for leg, order in enumerate(orders, 1):
            qty = order.leaves
            self._queue(
                Kind.TAKE, account=account, ref=order.number, qty_tonnes=qty,
                total_qty_tonnes=total, leg=leg, legs=len(orders),
            )  # fmt: skip
        return self.pending.popleft() if self.pending else self.noop()

    def cancel(self) -> CommandDict:
        """A cancel, mostly of an open order by its owner."""
        return self._about_order(Kind.CANCEL, None)

    def amend(self) -> CommandDict:
        """A change of price or quantity, mostly of the sender's own open order."""
        command = self._about_order(Kind.AMEND, Mode.PRICE_TIME)
        order = self.twin.venue.resting.get(command["ref"])
        if order is None:
            command["price_ticks"], command["qty_tonnes"] = self._small(), self._small()
            return command
        totals = (order.qty, order.qty - 1, order.filled + 1, order.qty, order.qty + 1)
        total = self.random.choice((*totals, order.qty + self._small()))
        if order.side is Side.SELL and self.random.random() < 0.1:
            row = order.account.holdings[order.instrument.number]
            total += row.available + self.random.randint(0, row.bought_today)
        if self.random.random() < 0.1:
            total = order.filled
        command["qty_tonnes"] = total
        command["price_ticks"] = order.price
        if self.random.random() < 0.6:
            command["price_ticks"] = self._price(order.instrument, order.side, 0.4)
        return command

    def cash_in(self) -> CommandDict:
        """Money in, usually little, sometimes to the bound."""
        amount = self.random.choice((1, self._small() * 100, 50_000, 300_000))
        account = self._account()
        if self.giant or self.random.random() < 0.02:
            room = CASH_FEN_MAX - sum(self.twin.cash(account)[:2]) if self._known(account) else 1
            amount = room + self.random.choice((0, 1, -(10**9)))
        return self._command(
            Kind.CASH_IN, account=account, amount=amount, ref=self._instruction_no()
        )

    def cash_out(self) -> CommandDict:
        """Money out, around what is available and what is settled."""
        account, amount = self._account(), self._small()
        if self._known(account):
            available, _, proceeds = self.twin.cash(account)
            settled = max(available - proceeds, 0)
            near = (available, available + 1, settled + 1, settled, settled // 2, amount)
            amount = self.random.choice(near)
        return self._command(Kind.CASH_OUT, account=account, amount=amount)

    def transfer_in(self) -> CommandDict:
        """Tonnes in, usually few, sometimes to the bound."""
        command = self._transfer(Kind.TRANSFER_IN)
        command["ref"] = self._instruction_no()
        command["qty_tonnes"] = self.random.choice((1, 5, 40, 200, 500))
        if self.giant or self.random.random() < 0.02:
            held = 0
            if self._known(command["account"]):
                held = self.twin.holding(command["account"], command["instrument"]).total
            command["qty_tonnes"] = QTY_TONNES_MAX - held + self.random.choice((0, 1))
        return command

    def transfer_out(self) -> CommandDict:
        """Tonnes out, around what is available and what was bought today."""
        command = self._transfer(Kind.TRANSFER_OUT)
        command["qty_tonnes"] = self._small()
        if self._known(command["account"]):
            row = self.twin.holding(command["account"], command["instrument"])
            both = row.available + row.bought_today
            near = (row.available // 4, row.available + 1, both, both + 1, command["qty_tonnes"])
            command["qty_tonnes"] = self.random.choice(near)
        return command

    def open_account(self) -> CommandDict:
        """An account more, or one that exists."""
        rows = len(self.twin.venue.accounts)
        number = rows if rows < ACCOUNTS_MAX and self.random.random() < 0.5 else rows - 1
        number = self.random.choice((number, number, 0, rows + 1))
        return self._command(Kind.OPEN_ACCOUNT, account=number, ref=self._instruction_no())

    def admit(self) -> CommandDict:
        """A new vintage: with a reference, or at the composite close (TR-24)."""
        rows = len(self.twin.venue.instruments)
        number = rows if rows < INSTRUMENTS_MAX and self.random.random() < 0.5 else rows - 1
        price = self.random.choice((0, 0, 0, -1, 10**7, 35, 120, 8_000))
        if self.giant:
            price = 9_990_000
        return self._admission(number, price, self.random.choice((0, 1, 0, 1, 2, -1)))

    def parameter(self) -> CommandDict:
        """A rule change: mostly a useful value, sometimes one just outside the bounds."""
        useful = self._useful_values()
        number = self.random.choice(list(useful))
        value = self.random.choice(useful[number])
        if self.random.random() < 0.15:
            value = self.random.choice((-1, 0, 10**6 + 1, 10**10, I8, -I8))
        if self.random.random() < 0.08:
            number = self.random.choice((0, -1, 24, 99, 101, I8))
        rows = len(self.twin.venue.instruments)
        weighted = self.random.choice((*range(rows), rows, 99))
        return self._command(Kind.SET_PARAMETER, ref=number, amount=value, instrument=weighted)

    def unknown(self) -> CommandDict:
        """A kind that does not exist."""
        return self._command(self.random.choice(UNKNOWN_KINDS), account=self._account())

    def wrong_step(self) -> CommandDict:
        """A step of the day that probably is not due."""
        kinds = (
            Kind.BEGIN_DAY, Kind.SET_PHASE, Kind.CONFIRM_DAY, Kind.POST_DAY, Kind.DISPUTE_DAY,
            Kind.BEGIN_DAY, Kind.SET_PHASE,
        )  # fmt: skip
        kind = self.random.choice(kinds)
        venue = self.twin.venue
        if self.random.random() < (0.1 if venue.phase is Phase.AFTERNOON else 0.25):
            kind = Kind.CLOSE_DAY
        dates = (venue.date, venue.date + 1, 20210715, 20220404, 20260925, 20261301, 20241012, 0)
        ref = self.random.choice((*range(10), -1, I8))
        return self._command(kind, ref=self.random.choice(dates) if kind == 20 else ref)

    def advance(self) -> CommandDict:
        """The step of the day that is due; the evening may take a detour over a dispute."""
        venue, chance = self.twin.venue, self.random.random()
        if venue.phase in NEXT_STEP:
            kind, ref = NEXT_STEP[venue.phase]
            return self._command(kind, ref=ref)
        if venue.phase == Phase.CLOSED and chance < 0.3:
            return self._command(Kind.DISPUTE_DAY)
        if venue.phase in (Phase.CLOSED, Phase.DISPUTED):
            deals = sum(not trade.void for trade in venue.trades.values())
            deals += chance > 0.9
            tag = self.random.choice((0, 1, 77, I8, -5))
            return self._command(Kind.CONFIRM_DAY, ref=tag, amount=deals)
        if venue.phase == Phase.CONFIRMED:
            return self._command(Kind.POST_DAY, ref=venue.file_tag ^ (chance < 0.3))
        return self._command(Kind.BEGIN_DAY, ref=self._next_date())

    # ---- how to draw it ----------------------------------------------------------------------

    def _draws(self) -> tuple[list[Callable[[], CommandDict]], list[float]]:
        phase = self.twin.venue.phase
        if phase is Phase.MORNING:
            return self.morning
        if phase is Phase.AFTERNOON:
            return self.afternoon
        if phase in (Phase.CLOSED, Phase.CONFIRMED, Phase.DISPUTED):
            return self.evening
        return self.night if phase in (Phase.NEW, Phase.POSTED) else self.quiet

    def _weights(
        self, table: dict[str, float]
    ) -> tuple[list[Callable[[], CommandDict]], list[float]]:
        cumulated: list[float] = []
        draws: list[Callable[[], CommandDict]] = []
        for name, weight in table.items():
            cumulated.append(weight + (cumulated[-1] if cumulated else 0))
            draws.append(getattr(self, name))
        return draws, cumulated

    def _spoil(self, command: CommandDict) -> None:
        """Put nonsense into one field."""
        field = self.random.choice(list(NONSENSE))
        command[field] = self.random.choice(NONSENSE[field])

    def _keep_within_bounds(self, command: CommandDict) -> None:
        """No ladder of millions of levels, and no instruction number that spends them all."""
        kind = command["kind"]
        if kind in NUMBERED and command["ref"] == I8:
            command["ref"] = 1
        if kind == Kind.ADMIT_INSTRUMENT and not self.giant and command["price_ticks"] > 10**4:
            command["price_ticks"] = 10**7

    def _set_up(self) -> None:
        """Queue what a market needs before its first day."""
        accounts, instruments = self.random.randint(4, 7), self.random.randint(2, 4)
        if self.wide:
            accounts, instruments = ACCOUNTS_MAX, INSTRUMENTS_MAX
        useful = self._useful_values()
        for number in sorted(useful)[:-1]:
            value = self.random.choice(useful[number])
            self._queue(Kind.SET_PARAMETER, ref=number, amount=value)
        for number in range(instruments):
            price = 9_990_000 if self.giant else self.random.choice((30, 45, 60, 120, 8_000))
            price = 8_000 if self.wide else price
            mode = number % 2 if number < 2 else self.random.randint(0, 1)
            self.pending.append(self._admission(number, price, mode))
            weight = self.random.choice((0, 1, 1, 3))
            self._queue(Kind.SET_PARAMETER, ref=100, amount=weight, instrument=number)
        for account in range(accounts):
            self._queue(Kind.OPEN_ACCOUNT, account=account, ref=account + 1)
            cash = 9 * 10**17 if self.giant else self.random.choice((2_000, 20_000, 300_000))
            cash = 10**8 if self.wide else cash
            self._queue(Kind.CASH_IN, account=account, amount=cash)
            for instrument in range(instruments):
                qty = QTY_TONNES_MAX if self.giant else self.random.choice((20, 100, 400))
                fields = {"account": account, "instrument": instrument, "qty_tonnes": qty}
                self._queue(Kind.TRANSFER_IN, **fields)
        for kind in self.random.sample(list(Kind), k=25):  # mostly out of place in phase NEW
            self._queue(kind, account=0)
        if self.random.random() < 0.5:  # some of it meets an exchange that lacks the rest
            for _ in range(6):
                self.pending.rotate(self.random.randint(0, 3))

    def _useful_values(self) -> dict[int, tuple[int, ...]]:
        fees: tuple[int, ...] = (0, 0, 300, 1_234, 33_333, 100_000)
        values: dict[int, tuple[int, ...]] = {
            Parameter.LISTED_BAND_BP: (1_000, 1_000, 1_000, 500, 3_000),
            Parameter.BULK_BAND_BP: (3_000, 9_999, 1),
            Parameter.LISTED_QTY_MAX: (99_999, 99_999, 60, 1_000),
            Parameter.BULK_QTY_MIN: (100_000, 1, 5, 10, 10),
            Parameter.TAKE_LEVELS_MAX: (5, 5, 5, 2, 1, 1_000),
            Parameter.ALLOW_CROSSED_LISTINGS: (0, 0, 1),
            Parameter.GOODS_T_PLUS: (1, 1, 1, 0),
            Parameter.OPEN_ORDERS_MAX: (0, 0, 2, 4),
            Parameter.AUCTION_BAND_BP: (1_000, 1_000, 2_000),
            Parameter.AUCTION_QTY_MIN: (1, 5, 5, 100_000),
            Parameter.AUCTION_BID_QTY_MIN: (1, 1, 3),
            Parameter.AUCTION_BUYER_INITIATED: (0, 1, 1),
            Parameter.LARGE_HOLDER_TONNES: (0, 500, 2_000, 1),
            Parameter.FREE_FIRST_DAY: (0, 0, 1),
            Parameter.FIRST_DAY_UPPER_TICKS: (200, 9_000, 100),
            Parameter.BULK_ENABLED: (1, 1, 1, 1, 1, 1, 0),
            Parameter.AUCTION_ENABLED: (1, 1, 1, 1, 1, 1, 0),
            Parameter.COMPOSITE_WEIGHT: (0, 1, 3, 1_000_000),
        }
        if self.giant:
            values[Parameter.LISTED_BAND_BP] = (1, 2)
            values[Parameter.LISTED_QTY_MAX] = (QTY_TONNES_MAX,)
            values[Parameter.BULK_BAND_BP] = values[Parameter.AUCTION_BAND_BP] = (1, 2)
            values[Parameter.FREE_FIRST_DAY] = (0,)
            fees = (100_000, 99_999)
        if self.wide:
            values[Parameter.LISTED_BAND_BP] = (3_000, 6_000)
        return values | dict.fromkeys(range(9, 15), fees)

    def _admission(self, number: int, price: int, mode: int) -> CommandDict:
        code = b"CEA%d" % number
        return self._command(
            Kind.ADMIT_INSTRUMENT, instrument=number, price_ticks=price, mode=mode,
            client_order_id=code,
        )  # fmt: skip

    def _instruction_no(self) -> int:
        done = self.twin.venue.instruction_no
        return self.random.choice((0, 0, 0, done + 1, done + 2, done, 1, -1))

    def _transfer(self, kind: Kind) -> CommandDict:
        rows = max(1, len(self.twin.venue.instruments))
        instrument = self.random.randrange(rows)
        return self._command(kind, account=self._account(), instrument=instrument)

    def _instrument(self, mode: Mode) -> Instrument | None:
        """An instrument of that mode, with a small chance of the other."""
        rows = self.twin.venue.instruments
        fitting = [row for row in rows if row.mode == mode] or rows
        if self.random.random() < 0.03:
            fitting = rows
        return self.random.choice(fitting) if fitting else None

    def _declare(self, kind: Kind, mode: Mode, crossing: float) -> CommandDict:
        side = self.random.choice((Side.BUY, Side.SELL))
        instrument, account = self._instrument(mode), self._account()
        command = self._command(kind, account=account, side=int(side), qty_tonnes=self._small())
        if instrument is not None:
            command["instrument"] = instrument.number
            command["price_ticks"] = price = self._price(instrument, side, crossing)
            if self._known(account):
                command["qty_tonnes"] = self._qty(instrument, account, side, price)
        return command

    def _price(self, instrument: Instrument, side: Side, crossing: float) -> int:
        """A price near the book; ``crossing`` is the chance to meet the other side's best."""
        chance = self.random.random()
        lower, upper = (
            instrument.limits[Modality.LISTED].lower,
            instrument.limits[Modality.LISTED].upper,
        )
        if chance < 0.06:
            return self.random.choice((lower, upper, lower - 1, upper + 1))
        if chance < 0.14:
            return self.random.randint(lower, max(lower, upper))
        middle = instrument.last or instrument.reference
        opposite = instrument.best(side.other)
        away = -1 if side is Side.BUY else 1
        if self.random.random() < crossing:
            base = middle if opposite is None else opposite
            return base - away * self.random.choice((0, 0, 1, 2, 4))
        base = middle if opposite is None else opposite
        return base + away * self.random.choice((1, 1, 2, 3, 4, 6, 8))

    def _qty(self, instrument: Instrument, account: int, side: Side, price: int) -> int:
        chance = self.random.random()
        if self.giant:
            return self.random.choice((QTY_TONNES_MAX, 10**8, 7, 10**9 + 7))
        if chance < 0.04:
            most = self.twin.venue.parameters[Parameter.LISTED_QTY_MAX]
            return self.random.choice((most, most + 1, most - 1))
        if chance < 0.12 and side is Side.SELL:
            row = self.twin.holding(account, instrument.number)
            both = row.available + row.bought_today
            return max(1, self.random.choice((row.available, row.available + 1, both, both + 1)))
        if chance < 0.12:
            able = self.twin.cash(account)[0] // max(1, price)
            return max(1, able + self.random.choice((-1, 0, 0, 1)))
        return self._small() if chance < 0.9 else self.random.randint(1, 90)

    def _a_listing(self) -> Order | None:
        """An order to take: mostly of the best level of a listed book."""
        chance, resting = self.random.random(), self._in_books()
        if not resting:
            return None
        instrument = self._instrument(Mode.LISTED)
        side = self.random.choice((Side.BUY, Side.SELL))
        if instrument is not None and instrument.book[side] and chance < 0.9:
            levels = instrument.levels(side)
            near = levels[:2] if chance < 0.75 else levels
            return self.random.choice(list(self.random.choice(near)[1].values()))
        orders = resting
        if chance < 0.95:
            orders = [order for order in orders if order.instrument.mode == Mode.LISTED] or orders
        return self.random.choice(orders)

    def _in_books(self) -> list[Order]:
        return [o for o in self.twin.venue.resting.values() if o.role is Role.BOOK]

    def _about_order(self, kind: Kind, mode: Mode | None) -> CommandDict:
        venue, chance = self.twin.venue, self.random.random()
        orders = self._in_books() if chance < 0.9 else list(venue.resting.values())
        if mode is not None and chance < 0.96:
            orders = [order for order in orders if order.instrument.mode == mode] or orders
        if not orders or chance < 0.05:
            ref = self.random.choice((venue.order_no, venue.order_no + 1, 1, 0))
            return self._command(kind, account=self._account(), ref=ref)
        order = self.random.choice(orders)
        owner = order.account.number if chance < 0.93 else self._account()
        return self._command(kind, account=owner, ref=order.number)

    def _next_date(self) -> int:
        """Mostly the next trading day, sometimes a later one, sometimes none at all."""
        today = self.twin.venue.date or self.random.choice(FIRST_DATES)
        day = date_of(today)
        assert day is not None
        if self.random.random() < 0.15:
            return today + self.random.choice((0, 0, 1, 2, 3, -1))
        following = next_trading_day(day)
        if self.random.random() < 0.03:
            following = next_trading_day(following.replace(month=12, day=28))
        return number_of(following)


def record(seed: int, count: int, flavour: str = "plain") -> tuple[np.ndarray, list[EventDict]]:
    """Return a tape's first ``count`` commands, shape (count,), and the twin's events of them."""
    tape = Tape(seed, flavour)
    commands, events = [], []
    for _ in range(count):
        command, caused = tape.step()
        commands.append(command)
        events += caused
    return to_batch(commands), events
