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
from tests.reference.endings import DAY_MINUTES, minute_of_day
from tests.reference.orders import Role
from tests.reference.vocabulary import Cause, Kind, Mode, Parameter, Phase, SessionStatus, Side
from tests.tapes import BLANK, NONSENSE

ACCOUNTS = 3
REFERENCE = 50  # ticks: a band of 10 % has 11 levels
accounts = st.integers(0, ACCOUNTS - 1)
sides = st.sampled_from([Side.BUY, Side.SELL])
offsets = st.integers(-6, 6)  # one beyond the limits on either side
quantities = st.integers(1, 12)
picks = st.integers(0, 30)
sane = st.sampled_from([True, True, True, False])
talking = st.sampled_from(
    [
        *(Kind.BULK_COUNTER, Kind.BULK_COUNTER, Kind.BULK_ACCEPT, Kind.BULK_ACCEPT),
        *(Kind.BULK_CONFIRM, Kind.BULK_CONFIRM, Kind.BULK_DECLINE, Kind.BULK_WITHDRAW),
    ]
)
SESSION_STEPS = {
    Kind.NOTICE_SESSION: SessionStatus.APPLIED,
    Kind.OPEN_SESSION: SessionStatus.NOTICED,
    Kind.CLOSE_SESSION: SessionStatus.OPEN,
    Kind.REJECT_SESSION: SessionStatus.NOTICED,
}
MEASURES = [
    *(Kind.BLOCK_ACCOUNT, Kind.GUARD_HOLDING, Kind.LIMIT_HOLDING),
    *(Kind.HALT_INSTRUMENT, Kind.RESUME_INSTRUMENT, Kind.RESUME_INSTRUMENT),
    *(Kind.HALT_MARKET, Kind.RESUME_MARKET, Kind.RESUME_MARKET),
]
timers = st.sampled_from([0, 1, 1_000, 1_000, 60_000, 86_400_001])
fees = st.sampled_from([0, 1_234, 33_333, 100_000])
kinds = st.one_of(st.sampled_from(list(Kind)), st.integers(-128, 127))
fields = st.fixed_dictionaries(
    {},
    optional={name: st.sampled_from([0, 1, 2, *extremes]) for name, extremes in NONSENSE.items()},
)


def choose(numbers: list[int], number: int) -> int:
    """One of the numbers, or the number itself if there are none."""
    return numbers[number % len(numbers)] if numbers else number


class TwoExchanges(RuleBasedStateMachine):
    """Instrument 0 is listed, instrument 1 price–time; three accounts with little of everything."""

    def __init__(self) -> None:
        super().__init__()
        self.engine = Exchange()
        self.twin = Twin()

    def send(self, kind: int, wait_ns: int = 1, **values: Any) -> None:
        """Do one command on both sides, so much later, and compare what it caused."""
        venue = self.twin.venue
        command = BLANK | {"kind": int(kind), **values}
        command["seq"], command["time_ns"] = venue.seq + 1, venue.time_ns + wait_ns
        difference = play(self.engine, [command], self.twin.apply(command))
        assert difference is None, difference

    @initialize(
        trading=fees,
        settlement=fees,
        t_plus=st.sampled_from([1, 1, 0]),
        levels=st.sampled_from([5, 2]),
        crossed=st.sampled_from([0, 0, 1]),
        most=st.sampled_from([0, 0, 3]),
        mirror=st.integers(0, 1),
        afternoon=st.booleans(),
    )
    def open_market(
        self,
        trading: int,
        settlement: int,
        t_plus: int,
        levels: int,
        crossed: int,
        most: int,
        mirror: int,
        afternoon: bool,
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
            Parameter.BULK_TRADING_FEE_PPM: settlement,
            Parameter.AUCTION_TRADING_FEE_PPM: trading,
            Parameter.AUCTION_SETTLEMENT_FEE_PPM: settlement,
            Parameter.BULK_QTY_MIN: 3,
            Parameter.AUCTION_BAND_BP: 1_000,
            Parameter.AUCTION_QTY_MIN: 3,
            Parameter.AUCTION_BID_QTY_MIN: 1,
            Parameter.AUCTION_BUYER_INITIATED: mirror,
            Parameter.BULK_ENABLED: 1,
            Parameter.AUCTION_ENABLED: 1,
            Parameter.LARGE_HOLDER_TONNES: 30,
        }
        for number, value in values.items():
            self.send(Kind.SET_PARAMETER, ref=int(number), amount=value)
        for instrument, mode in enumerate((Mode.LISTED, Mode.PRICE_TIME)):
            self.send(
                Kind.ADMIT_INSTRUMENT, instrument=instrument, price_ticks=REFERENCE, mode=int(mode)
            )
            self.send(Kind.SET_PARAMETER, ref=100, amount=1, instrument=instrument)
        for account in range(ACCOUNTS):
            self.send(Kind.OPEN_ACCOUNT, account=account)
            self.send(Kind.CASH_IN, account=account, amount=2_500)
            for instrument in range(2):
                self.send(Kind.TRANSFER_IN, account=account, instrument=instrument, qty_tonnes=25)
        self.send(Kind.BEGIN_DAY, ref=20210716)
        for phase in (Phase.MORNING, Phase.LUNCH, Phase.AFTERNOON)[: 3 if afternoon else 1]:
            self.send(Kind.SET_PHASE, ref=int(phase))

    def declare(self, kind: Kind, **values: int) -> None:
        """Send a declaration with a price relative to the reference."""
        values["price_ticks"] = REFERENCE + values.pop("offset")
        self.send(kind, **{name: int(value) for name, value in values.items()})

    def pick(self, number: int, instrument: int) -> int:
        """Number of an open order of an instrument, or of nothing."""
        books = [o for o in self.twin.venue.resting.values() if o.role is Role.BOOK]
        return choose([o.number for o in books if o.instrument.number == instrument], number)

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

    @rule(account=accounts, side=sides, away=offsets, qty=quantities, to=st.integers(-1, 2))
    def bulk_offer(self, account: int, side: Side, away: int, qty: int, to: int) -> None:
        """A bulk offer, public or directed."""
        terms = {"price_ticks": REFERENCE + 3 * away, "qty_tonnes": qty, "counterparty": to}
        self.send(Kind.BULK_OFFER, account=account, instrument=qty % 2, side=int(side), **terms)

    @rule(kind=talking, account=accounts, other=accounts, number=picks, away=offsets, sane=sane)
    def bulk_answer(
        self, kind: Kind, account: int, other: int, number: int, away: int, sane: bool
    ) -> None:
        """Something about an offer, mostly by whose turn it is and on the latest terms."""
        venue = self.twin.venue
        offers = [o for o in venue.resting.values() if o.role is Role.OFFER]
        talks = [t for t in venue.negotiations if t.is_open]
        ref, price, qty = number, REFERENCE + away, 1 + number
        if offers:
            offer = offers[number % len(offers)]
            ref, price, qty = offer.number, offer.price, offer.qty
        if talks and sane:
            talk = talks[number % len(talks)]
            ref, price, qty = talk.offer.number, talk.price, talk.qty
            initiator, responder = talk.offer.account, talk.responder
            waiting = responder if talk.proposer is initiator else initiator
            actor = talk.proposer if kind is Kind.BULK_CONFIRM else waiting
            account, other = actor.number, responder.number
        if kind is Kind.BULK_COUNTER:
            price, qty = price + away, qty + number % 3
        terms = {"price_ticks": price, "qty_tonnes": qty}
        self.send(kind, account=account, ref=ref, counterparty=other, **terms)

    @rule(side=sides, account=accounts, other=accounts, qty=quantities)
    def agree(self, side: Side, account: int, other: int, qty: int) -> None:
        """An offer, a counter and its acceptance, one after the other."""
        terms = {"price_ticks": REFERENCE, "qty_tonnes": qty}
        self.send(
            Kind.BULK_OFFER, account=account, instrument=1, side=int(side), counterparty=-1, **terms
        )
        ref = self.twin.venue.order_no
        self.send(Kind.BULK_COUNTER, account=other, ref=ref, **terms)
        self.send(Kind.BULK_ACCEPT, account=account, ref=ref, counterparty=other, **terms)

    @rule(account=accounts, side=sides, qty=quantities, edge=st.integers(-1, 1), bidder=accounts)
    def whole_session(self, account: int, side: Side, qty: int, edge: int, bidder: int) -> None:
        """A session is applied for, noticed, opened; somebody bids."""
        self.apply_session(account=account, side=side, edge=edge, qty=qty)
        ref = self.twin.venue.session_no
        self.send(Kind.NOTICE_SESSION, ref=ref, from_minute=0, until_minute=DAY_MINUTES)
        self.send(Kind.OPEN_SESSION, ref=ref)
        bid = {"price_ticks": REFERENCE + 5 * edge, "qty_tonnes": 1 + qty // 2}
        self.send(Kind.BID, account=bidder, ref=ref, **bid)

    @rule(account=accounts, side=sides, edge=st.integers(-1, 1), qty=quantities)
    def apply_session(self, account: int, side: Side, edge: int, qty: int) -> None:
        """An application for a bidding session."""
        terms = {"price_ticks": REFERENCE + 5 * edge, "qty_tonnes": qty, "mode": qty % 2}
        self.send(Kind.APPLY_SESSION, account=account, instrument=0, side=int(side), **terms)

    @rule(kind=st.sampled_from(list(SESSION_STEPS)), number=picks, minutes=st.integers(-1, 90))
    def session_step(self, kind: Kind, number: int, minutes: int) -> None:
        """A bidding session goes on, or ends."""
        venue = self.twin.venue
        ready = [s.number for s in venue.sessions.values() if s.status is SESSION_STEPS[kind]]
        begin = minute_of_day(venue.time_ns)
        window = {"from_minute": begin, "until_minute": begin + minutes}
        self.send(kind, ref=choose(ready, number), **window)

    @rule(account=accounts, number=picks, away=offsets, qty=quantities)
    def bid(self, account: int, number: int, away: int, qty: int) -> None:
        """A bid in an open session."""
        sessions = self.twin.venue.sessions.values()
        ref = choose([s.number for s in sessions if s.status is SessionStatus.OPEN], number)
        self.send(Kind.BID, account=account, ref=ref, price_ticks=REFERENCE + away, qty_tonnes=qty)

    @rule(account=accounts, number=picks)
    def cancel_bid(self, account: int, number: int) -> None:
        """A bid is taken back, perhaps by somebody else."""
        orders = self.twin.venue.resting.values()
        ref = choose([o.number for o in orders if o.role is Role.BID], number)
        self.send(Kind.CANCEL_BID, account=account, ref=ref)

    @rule(
        kind=st.sampled_from(MEASURES), account=accounts, instrument=st.integers(0, 1), more=picks
    )
    def measure(self, kind: Kind, account: int, instrument: int, more: int) -> None:
        """The exchange or the registry interferes; half of the time it sets free."""
        values = (
            {"amount": 0, "qty_tonnes": 0} if more % 2 else {"amount": more, "qty_tonnes": more}
        )
        people = {"operator": 1, "checker": 2}
        self.send(kind, account=account, instrument=instrument, **values, **people)

    @rule(number=picks, account=st.integers(-1, ACCOUNTS - 1), instrument=st.integers(-1, 1))
    def kill(self, number: int, account: int, instrument: int) -> None:
        """The kill switch, now and then; what it stops goes on at once."""
        if number % 3:
            return
        self.send(Kind.KILL, account=account, instrument=instrument, amount=number % 4)
        for kind in (Kind.RESUME_MARKET, Kind.RESUME_INSTRUMENT, Kind.BLOCK_ACCOUNT):
            self.send(kind, account=account, instrument=instrument)

    @rule(number=picks, account=accounts, instrument=st.integers(-1, 1), side=st.integers(0, 2))
    def mass_cancel(self, number: int, account: int, instrument: int, side: int) -> None:
        """An account takes back what it has, now and then; its line may be lost for it."""
        target = {"account": account, "instrument": instrument, "side": side}
        self.send(Kind.SET_DISCONNECT, account=account, amount=number % 2)
        if number % 3 == 0:
            cause = Cause.DISCONNECT if number % 2 else Cause.OWNER
            self.send(Kind.MASS_CANCEL, mode=int(cause), **target)

    @rule(account=accounts, side=st.integers(0, 2), amount=timers, away_ns=st.integers(-1, 1))
    def timer(self, account: int, side: int, amount: int, away_ns: int) -> None:
        """A timer is set and asked just before, just when or just after it runs out."""
        self.send(Kind.SET_TIMER, account=account, amount=amount)
        venue = self.twin.venue
        left = max(1, venue.accounts[account].cancel_at_ns - venue.time_ns + away_ns)
        due = {"account": account, "side": side, "mode": int(Cause.TIMER)}
        self.send(Kind.MASS_CANCEL, wait_ns=left, **due)

    @rule(account=accounts, qty=quantities, out=st.booleans(), stage=st.integers(0, 5))
    def court(self, account: int, qty: int, out: bool, stage: int) -> None:
        """A court freezes tonnes and lets go of some of them, or takes them."""
        target = {"account": account, "instrument": 0, "operator": 1, "checker": 2}
        self.send(Kind.FREEZE_HOLDING, qty_tonnes=qty, **target)
        kind = Kind.DEDUCT_HOLDING if out else Kind.RELEASE_HOLDING
        self.send(kind, qty_tonnes=1 + qty // 2, **target)
        self.send(Kind.WARN_ACCOUNT, account=account, amount=stage)

    @rule(number=picks)
    def void(self, number: int) -> None:
        """A trade of today is undone."""
        ref = choose(list(self.twin.venue.trades), number)
        self.send(Kind.VOID_TRADE, ref=ref, operator=1, checker=2)

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
