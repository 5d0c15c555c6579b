"""P4, P8: a hypothesis state machine drives engine and twin and shrinks what makes them differ.

After every command: every field of every event, every balance, the engine's invariants, the
twin's conservation of tonnes and fen.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from engine.exchange import Exchange
from tests.property.agreement import play, unlike_or_unsound
from tests.reference import Twin
from tests.reference.vocabulary import Kind, Mode, Parameter, Phase, Side
from tests.tapes import BLANK, NONSENSE

ACCOUNTS = 3
REFERENCE = 50  # ticks: a band of 10 % has 11 levels
accounts = st.integers(0, ACCOUNTS - 1)
sides = st.sampled_from([Side.BUY, Side.SELL])
offsets = st.integers(-6, 6)  # one beyond the limits on either side
quantities = st.integers(1, 12)
picks = st.integers(0, 30)
fees = st.sampled_from([0, 1_234, 33_333, 100_000])
kinds = st.one_of(st.sampled_from(list(Kind)), st.integers(-128, 127))
fields = st.fixed_dictionaries(
    {},
    optional={name: st.sampled_from([0, 1, 2, *extremes]) for name, extremes in NONSENSE.items()},
)


class TwoExchanges(RuleBasedStateMachine):
    """Instrument 0 is listed, instrument 1 price–time; three accounts with little of everything."""

    def __init__(self) -> None:
        super().__init__()
        self.engine = Exchange()
        self.twin = Twin()

    def send(self, kind: int, **values: Any) -> None:
        """Do one command on both sides and compare what it caused."""
        venue = self.twin.venue
        command = BLANK | {"kind": int(kind), **values}
        command["seq"], command["time_ns"] = venue.seq + 1, venue.time_ns + 1
        difference = play(self.engine, [command], self.twin.apply(command))
        assert difference is None, difference

    @initialize(
        trading=fees,
        settlement=fees,
        t_plus=st.sampled_from([1, 1, 0]),
        levels=st.sampled_from([5, 2]),
        crossed=st.sampled_from([0, 0, 1]),
        most=st.sampled_from([0, 3]),
    )
    def open_market(
        self, trading: int, settlement: int, t_plus: int, levels: int, crossed: int, most: int
    ) -> None:
        """Rules, instruments, accounts with money and tonnes, and the morning of a day."""
        values = {
            Parameter.LISTED_BAND_BP: 1_000,
            Parameter.BULK_BAND_BP: 3_000,
            Parameter.LISTED_QTY_MAX: 30,
            Parameter.TAKE_LEVELS_MAX: levels,
            Parameter.ALLOW_CROSSED_LISTINGS: crossed,
            Parameter.GOODS_T_PLUS: t_plus,
            Parameter.OPEN_ORDERS_MAX: most,
            Parameter.LISTED_TRADING_FEE_PPM: trading,
            Parameter.LISTED_SETTLEMENT_FEE_PPM: settlement,
        }
        for number, value in values.items():
            self.send(Kind.SET_PARAMETER, ref=int(number), amount=value)
        for instrument, mode in enumerate((Mode.LISTED, Mode.PRICE_TIME)):
            self.send(
                Kind.ADMIT_INSTRUMENT, instrument=instrument, price_ticks=REFERENCE, mode=int(mode)
            )
        for account in range(ACCOUNTS):
            self.send(Kind.OPEN_ACCOUNT, account=account)
            self.send(Kind.CASH_IN, account=account, amount=2_500)
            for instrument in range(2):
                self.send(Kind.TRANSFER_IN, account=account, instrument=instrument, qty_tonnes=25)
        self.send(Kind.BEGIN_DAY, ref=20210716)
        self.send(Kind.SET_PHASE, ref=int(Phase.MORNING))

    def declare(self, kind: Kind, **values: int) -> None:
        """Send a declaration with a price relative to the reference."""
        values["price_ticks"] = REFERENCE + values.pop("offset")
        self.send(kind, **{name: int(value) for name, value in values.items()})

    def pick(self, number: int, instrument: int) -> int:
        """Number of an open order of an instrument, or of nothing."""
        orders = self.twin.venue.resting.values()
        numbers = [o.number for o in orders if o.instrument.number == instrument]
        return numbers[number % len(numbers)] if numbers else number

    @rule(account=accounts, side=sides, offset=offsets, qty_tonnes=quantities)
    def list_(self, **values: int) -> None:
        """A listing."""
        self.declare(Kind.LIST, instrument=0, **values)

    @rule(account=accounts, side=sides, offset=offsets, qty_tonnes=quantities)
    def take_best(self, **values: int) -> None:
        """The venue takes."""
        self.declare(Kind.TAKE_BEST, instrument=0, **values)

    @rule(account=accounts, side=sides, offset=offsets, qty_tonnes=quantities)
    def add(self, **values: int) -> None:
        """An order of the price–time book."""
        self.declare(Kind.ADD, instrument=1, **values)

    @rule(account=accounts, number=picks, qty=quantities, leg=st.integers(0, 3), total=quantities)
    def take(self, account: int, number: int, qty: int, leg: int, total: int) -> None:
        """A chosen listing is taken."""
        sweep = {"leg": leg, "total_qty_tonnes": total * leg}
        self.send(Kind.TAKE, account=account, ref=self.pick(number, 0), qty_tonnes=qty, **sweep)

    @rule(account=accounts, side=sides, times=st.integers(1, 4))
    def nibble(self, account: int, side: Side, times: int) -> None:
        """The best listing is taken tonne by tonne, so that every leg is rounded."""
        for _ in range(times):
            levels = self.twin.venue.instruments[0].levels(side)
            ref = next(iter(levels[0][1])) if levels else 1
            self.send(Kind.TAKE, account=account, ref=ref, qty_tonnes=1)

    @rule(number=picks, away=st.sampled_from([0, 0, 0, -2, -1, 1, 2]), total=quantities)
    def amend_own(self, number: int, away: int, total: int) -> None:
        """An owner changes an order of the price–time book."""
        order = self.twin.venue.resting.get(self.pick(number, 1))
        account, price, ref = (0, REFERENCE, number)
        if order is not None:
            account, price, ref = order.account.number, order.price, order.number
        self.send(Kind.AMEND, account=account, ref=ref, price_ticks=price + away, qty_tonnes=total)

    @rule(account=accounts, number=picks, instrument=st.integers(0, 1))
    def cancel(self, account: int, number: int, instrument: int) -> None:
        """An account cancels an order, perhaps not its own."""
        self.send(Kind.CANCEL, account=account, ref=self.pick(number, instrument))

    @rule(account=accounts, instrument=st.integers(0, 1), qty=quantities, out=st.booleans())
    def transfer(self, account: int, instrument: int, qty: int, out: bool) -> None:
        """Tonnes in or out."""
        kind = Kind.TRANSFER_OUT if out else Kind.TRANSFER_IN
        self.send(kind, account=account, instrument=instrument, qty_tonnes=qty)

    @rule(account=accounts, amount=st.integers(1, 3_000), out=st.booleans())
    def money(self, account: int, amount: int, out: bool) -> None:
        """Money in or out."""
        self.send(Kind.CASH_OUT if out else Kind.CASH_IN, account=account, amount=amount)

    @rule(kind=kinds, values=fields)
    def anything(self, kind: int, values: dict[str, int]) -> None:
        """Any kind with any fields."""
        if kind != Kind.ADMIT_INSTRUMENT or values.get("price_ticks") != 10**7 - 1:
            self.send(kind, **values)

    @rule(dispute=st.booleans(), patience=st.integers(0, 7))
    def next_step(self, dispute: bool, patience: int) -> None:
        """The day goes on, but the trading hours are long."""
        venue = self.twin.venue
        if patience and venue.phase in (Phase.MORNING, Phase.AFTERNOON):
            return
        day_after = {20210716: 20210719, 20210719: 20210720}.get(venue.date, 20220104)
        step: dict[Phase, tuple[Kind, int]] = {
            Phase.PRE_OPEN: (Kind.SET_PHASE, Phase.MORNING),
            Phase.MORNING: (Kind.SET_PHASE, Phase.LUNCH),
            Phase.LUNCH: (Kind.SET_PHASE, Phase.AFTERNOON),
            Phase.AFTERNOON: (Kind.CLOSE_DAY, 0),
            Phase.CLOSED: (Kind.DISPUTE_DAY if dispute else Kind.CONFIRM_DAY, 7),
            Phase.DISPUTED: (Kind.CONFIRM_DAY, 8),
            Phase.CONFIRMED: (Kind.POST_DAY, venue.file_tag),
            Phase.POSTED: (Kind.BEGIN_DAY, day_after),
        }
        kind, ref = step[venue.phase]
        deals = sum(not trade.void for trade in venue.trades.values())
        self.send(kind, ref=int(ref), amount=deals)

    @invariant()
    def agrees(self) -> None:
        """Same memory, sound books, tonnes and fen conserved on both sides."""
        assert self.twin.violations() == []
        problem = unlike_or_unsound(self.engine, self.twin)
        assert problem is None, problem


TestTwoExchanges = pytest.mark.timeout(600)(TwoExchanges.TestCase)  # shrinking takes minutes
TestTwoExchanges.settings = settings(stateful_step_count=100, report_multiple_bugs=False)
