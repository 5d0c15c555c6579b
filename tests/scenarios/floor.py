"""The language of the scenarios: accounts and books as tables, deeds as sentences.

    floor = market('''
        account | cash      | CEA25
        Anhui   |           | 50,000
        Baowu   | 4,000,000 |
    ''')
    floor.book('''
        buy     | price | sell
                | 80.00 | Anhui 50,000
    ''')
    floor.when("Baowu").takes(20_000, of="Anhui", at="80.00").trades("20,000 @ 80.00 Anhui")
    floor.then_book('''
        buy     | price | sell
                | 80.00 | Anhui 30,000
    ''')

Money and prices are in yuan, quantities in tonnes; a blank cell of an account is 0. Every command
is followed by the invariants, every refusal by a look whether anything has changed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from engine.reasons import Reason
from engine.records import (
    Cause,
    Event,
    Kind,
    Mode,
    OrderStatus,
    Parameter,
    Phase,
    Pricing,
    Side,
)
from tests.scenarios.venues import (
    EngineVenue,
    Fields,
    OpenOrder,
    TwinVenue,
    Venue,
    open_orders,
    order_status,
    sides_of,
)
from tests.tapes import BLANK

NATIONAL_RULES: dict[Parameter, int] = {  # rules.md, section 1
    Parameter.LISTED_BAND_BP: 1_000,
    Parameter.BULK_BAND_BP: 3_000,
    Parameter.LISTED_QTY_MAX: 99_999,
    Parameter.BULK_QTY_MIN: 100_000,
    Parameter.TAKE_LEVELS_MAX: 5,
    Parameter.GOODS_T_PLUS: 1,
    Parameter.AUCTION_BAND_BP: 1_000,
    Parameter.AUCTION_QTY_MIN: 100_000,
    Parameter.AUCTION_BID_QTY_MIN: 1,
    Parameter.BULK_ENABLED: 1,
    Parameter.AUCTION_ENABLED: 1,
}
MONDAY = 20260105
UNCHANGED_BY_REFUSALS = "seq, time"  # the one entry of the state that a refusal may change


def ticks(yuan: str) -> int:
    """Read a price or an amount in yuan; a fraction of a tick is an error of the scenario."""
    value = Decimal(yuan.replace(",", "")) * 100
    assert value == value.to_integral_value(), f"{yuan} is no number of ticks"
    return int(value)


def tonnes(text: str) -> int:
    """Read a quantity such as 20,000."""
    return int(text.replace(",", "") or 0)


def table(text: str) -> list[list[str]]:
    """Split a drawn table into cells; blank lines do not count."""
    lines = [line for line in text.splitlines() if line.strip()]
    return [[cell.strip() for cell in line.split("|")] for line in lines]


class Outcome:
    """What one command caused; each look asserts and returns the outcome itself."""

    def __init__(self, floor: Floor, events: list[Fields], unchanged: bool) -> None:
        self.floor = floor
        self.events = events
        self.unchanged = unchanged

    @property
    def kinds(self) -> list[Event]:
        """Kinds of the events, in order."""
        return [Event(event["kind"]) for event in self.events]

    @property
    def order_no(self) -> int:
        """Number of the order that was accepted."""
        return self.done().event(Event.ACCEPTED)["order_no"]

    @property
    def offer_no(self) -> int:
        """Number of the bulk offer that was made."""
        return self.done().event(Event.BULK_OFFERED)["order_no"]

    @property
    def session_no(self) -> int:
        """Number of the bidding session that was applied for."""
        return self.done().event(Event.SESSION_APPLIED)["order_no"]

    def happened(self, *kinds: Event) -> Outcome:
        """It caused exactly events of these kinds, in order."""
        assert [kind.name for kind in self.kinds] == [kind.name for kind in kinds]
        return self

    def refused(self, reason: Reason) -> Outcome:
        """It was refused for this reason, with one event, and nothing has changed."""
        assert self.kinds == [Event.REFUSED], self.kinds
        assert Reason(self.events[0]["reason"]).name == reason.name
        assert self.unchanged, "a refused command has changed something"
        return self

    def done(self) -> Outcome:
        """It was not refused."""
        assert Event.REFUSED not in self.kinds, Reason(self.events[0]["reason"]).name
        return self

    def trades(self, *lines: str) -> Outcome:
        """It caused exactly these trades, in order: ``quantity @ price counterparty``."""
        self.done()
        names = self.floor.names
        drawn = [
            f"{e['qty_tonnes']:,} @ {e['price_ticks'] / 100:.2f} {names[e['counterparty']]}"
            for e in self.events
            if e["kind"] == Event.TRADED
        ]
        assert drawn == list(lines)
        return self

    def event(self, kind: Event, number: int = 0) -> Fields:
        """The first, second … event of a kind."""
        return [event for event in self.events if event["kind"] == kind][number]

    def tells(self, kind: Event, number: int = 0, **fields: int) -> Outcome:
        """An event of the kind has these fields."""
        event = self.event(kind, number)
        assert {name: event[name] for name in fields} == fields
        return self


class Deed:
    """What one account does next."""

    def __init__(self, floor: Floor, account: int) -> None:
        self.floor = floor
        self.account = account

    def _send(self, kind: Kind, **fields: int) -> Outcome:
        return self.floor.send(kind, account=self.account, **fields)

    def _declare(self, kind: Kind, side: Side, qty: int, at: str, vintage: str) -> Outcome:
        return self._send(
            kind,
            side=int(side),
            qty_tonnes=qty,
            price_ticks=ticks(at),
            instrument=self.floor.vintage(vintage),
        )

    def lists(self, side: Side, qty: int, at: str, vintage: str = "") -> Outcome:
        """Post a listing (TR-60)."""
        return self._declare(Kind.LIST, side, qty, at, vintage)

    def adds(self, side: Side, qty: int, at: str, vintage: str = "") -> Outcome:
        """Send an order to a price–time book."""
        return self._declare(Kind.ADD, side, qty, at, vintage)

    def takes_best(self, side: Side, qty: int, up_to: str, vintage: str = "") -> Outcome:
        """Let the venue take up to a limit."""
        return self._declare(Kind.TAKE_BEST, side, qty, up_to, vintage)

    def takes(self, qty: int, of: str, at: str, total: int = 0, leg: int = 0) -> Outcome:
        """Deal with the listing that an account has at a price (TR-61…66)."""
        ref = self.floor.find(of, at).number
        return self._send(Kind.TAKE, ref=ref, qty_tonnes=qty, total_qty_tonnes=total, leg=leg)

    def cancels(self, at: str, of: str = "") -> Outcome:
        """Cancel the order at a price, the account's own unless another owner is named."""
        owner = of or self.floor.names[self.account]
        return self._send(Kind.CANCEL, ref=self.floor.find(owner, at).number)

    def cancels_number(self, number: int) -> Outcome:
        """Cancel by order number."""
        return self._send(Kind.CANCEL, ref=number)

    def amends(self, at: str, to_qty: int, to: str) -> Outcome:
        """Give the order at a price a new total quantity and price."""
        ref = self.floor.find(self.floor.names[self.account], at).number
        return self._send(Kind.AMEND, ref=ref, qty_tonnes=to_qty, price_ticks=ticks(to))

    def offers(self, side: Side, qty: int, at: str, to: str = "", vintage: str = "") -> Outcome:
        """Make a bulk offer to everybody or to one account (TR-70, TR-75)."""
        towards = self.floor.names.index(to) if to else -1
        return self._send(
            Kind.BULK_OFFER,
            side=int(side),
            qty_tonnes=qty,
            price_ticks=ticks(at),
            instrument=self.floor.vintage(vintage),
            counterparty=towards,
        )

    def _talks(self, kind: Kind, offer: int, of: str, **fields: int) -> Outcome:
        towards = self.floor.names.index(of) if of else -1
        return self._send(kind, ref=offer, counterparty=towards, **fields)

    def counters(self, offer: int, qty: int, at: str, of: str = "") -> Outcome:
        """Name new terms; an initiator says with whom it talks (TR-72)."""
        terms = {"qty_tonnes": qty, "price_ticks": ticks(at)}
        return self._talks(Kind.BULK_COUNTER, offer, of, **terms)

    def accepts(self, offer: int, qty: int, at: str, of: str = "") -> Outcome:
        """Accept terms, naming them."""
        terms = {"qty_tonnes": qty, "price_ticks": ticks(at)}
        return self._talks(Kind.BULK_ACCEPT, offer, of, **terms)

    def confirms(self, offer: int, of: str = "") -> Outcome:
        """Confirm what was agreed: the trade."""
        return self._talks(Kind.BULK_CONFIRM, offer, of)

    def declines(self, offer: int, of: str = "") -> Outcome:
        """End a negotiation."""
        return self._talks(Kind.BULK_DECLINE, offer, of)

    def withdraws_offer(self, offer: int) -> Outcome:
        """Take a bulk offer back."""
        return self._send(Kind.BULK_WITHDRAW, ref=offer)

    def applies(
        self, qty: int, floor_price: str, mode: Pricing = Pricing.UNIFORM, side: Side = Side.SELL
    ) -> Outcome:
        """Apply for a bidding session of the first vintage (TR-81)."""
        return self._send(
            Kind.APPLY_SESSION,
            side=int(side),
            qty_tonnes=qty,
            price_ticks=ticks(floor_price),
            instrument=0,
            mode=int(mode),
        )

    def bids(self, session: int, qty: int, at: str) -> Outcome:
        """Bid in a session (TR-89)."""
        return self._send(Kind.BID, ref=session, qty_tonnes=qty, price_ticks=ticks(at))

    def cancels_bid(self, number: int) -> Outcome:
        """Take a bid back."""
        return self._send(Kind.CANCEL_BID, ref=number)

    def cancels_all(
        self, side: Side = Side.NONE, vintage: str = "", cause: Cause = Cause.OWNER
    ) -> Outcome:
        """Take back everything, or a side, or a vintage (TR-43); the venue may do it for one."""
        instrument = self.floor.vintage(vintage) if vintage else -1
        return self._send(Kind.MASS_CANCEL, side=int(side), instrument=instrument, mode=int(cause))

    def sets_timer(self, ms: int) -> Outcome:
        """Have everything cancelled so much later, unless it is set anew; 0 switches it off."""
        return self._send(Kind.SET_TIMER, amount=ms)

    def cancels_on_disconnect(self, wanted: int = 1) -> Outcome:
        """Have everything cancelled once the last line is lost."""
        return self._send(Kind.SET_DISCONNECT, amount=wanted)

    def pays_in(self, yuan: str) -> Outcome:
        """Cash in."""
        return self._send(Kind.CASH_IN, amount=ticks(yuan))

    def withdraws(self, yuan: str) -> Outcome:
        """Cash out."""
        return self._send(Kind.CASH_OUT, amount=ticks(yuan))

    def transfers_in(self, qty: int, vintage: str = "") -> Outcome:
        """Tonnes from the registry side."""
        instrument = self.floor.vintage(vintage)
        return self._send(Kind.TRANSFER_IN, qty_tonnes=qty, instrument=instrument)

    def transfers_out(self, qty: int, vintage: str = "") -> Outcome:
        """Tonnes to the registry side."""
        instrument = self.floor.vintage(vintage)
        return self._send(Kind.TRANSFER_OUT, qty_tonnes=qty, instrument=instrument)


class Floor:
    """A venue with names for its accounts and vintages."""

    def __init__(
        self,
        venue: Venue,
        accounts: str,
        vintages: Mapping[str, str],
        rules: Mapping[Parameter, int],
        mode: Mode,
        day: int,
    ) -> None:
        self.venue = venue
        self.names: list[str] = []
        self.vintages: list[str] = []
        self.seq = 0
        self.waited_ns = 0  # on top of a nanosecond a command
        for parameter, value in {**NATIONAL_RULES, **rules}.items():
            if parameter is Parameter.TAKE_LEVELS_MAX and not value:
                continue  # 0 is no value one may set: the rule stays unset
            self.send(Kind.SET_PARAMETER, ref=int(parameter), amount=value).done()
        for code, reference in vintages.items():
            self.admits(code, reference, mode).done()
        self.open_accounts(accounts)
        if day:
            self.begins(day)
            self.enters(Phase.MORNING)

    def open_accounts(self, drawn: str) -> None:
        """Given: these accounts hold this money and these tonnes."""
        header, *rows = table(drawn)
        columns = header[1:]
        for name, *cells in rows:
            self.names.append(name)
            who = self.when(name)
            self.send(Kind.OPEN_ACCOUNT, account=who.account).done()
            for column, cell in zip(columns, cells, strict=True):
                if not cell:
                    continue
                if column == "cash":
                    who.pays_in(cell).done()
                else:
                    who.transfers_in(tonnes(cell), column).done()

    def send(self, kind: Kind, **fields: Any) -> Outcome:
        """Send one command; look at the invariants; note whether anything has changed."""
        self.seq += 1
        command = BLANK | {"kind": int(kind), **fields, "seq": self.seq}
        command["time_ns"] = self.seq + self.waited_ns
        before = self._remembered()
        events = self.venue.send(command)
        assert self.venue.problems() == []
        return Outcome(self, events, before == self._remembered())

    def _remembered(self) -> dict[str, Any]:
        return {k: v for k, v in self.venue.state().items() if k != UNCHANGED_BY_REFUSALS}

    def vintage(self, code: str) -> int:
        """Row of a vintage; the first one if none is named."""
        return self.vintages.index(code) if code else 0

    def when(self, name: str) -> Deed:
        """Let an account do something."""
        return Deed(self, self.names.index(name))

    def find(self, name: str, at: str) -> OpenOrder:
        """The open order that an account has at a price."""
        account, price = self.names.index(name), ticks(at)
        found = [
            order
            for order in open_orders(self.venue)
            if order.account == account and order.price_ticks == price
        ]
        assert len(found) == 1, f"{name} has {len(found)} open orders at {at}"
        return found[0]

    # ---- books -------------------------------------------------------------------------------

    def book(self, drawn: str, vintage: str = "") -> None:
        """Given: everybody lists what the table shows; left before right within a cell."""
        mode = self.venue.state()["instruments"][self.vintage(vintage)][-1]
        kind = Kind.ADD if mode == Mode.PRICE_TIME else Kind.LIST
        for buys, price, sells in table(drawn)[1:]:
            for side, cell in ((Side.BUY, buys), (Side.SELL, sells)):
                for name, qty in re.findall(r"(\w+) ([\d,]+)", cell):
                    who = self.when(name)
                    who._declare(kind, side, tonnes(qty), price, vintage).done()
        self.then_book(drawn, vintage)

    def then_book(self, drawn: str, vintage: str = "") -> None:
        """Then: the book looks like this, best prices in the middle, older orders further left."""
        rows = table(drawn)
        assert rows[0] == ["buy", "price", "sell"]
        sides = sides_of(open_orders(self.venue), self.vintage(vintage))
        prices = sorted({*sides[Side.BUY], *sides[Side.SELL]}, reverse=True)
        seen = [
            [self._cell(sides[Side.BUY], p), f"{p / 100:.2f}", self._cell(sides[Side.SELL], p)]
            for p in prices
        ]
        assert seen == rows[1:]

    def _cell(self, levels: dict[int, list[OpenOrder]], price: int) -> str:
        orders = levels.get(price, [])
        return ", ".join(f"{self.names[o.account]} {o.leaves_qty:,}" for o in orders)

    def then_accounts(self, drawn: str) -> None:
        """Then: accounts hold this.

        Columns: ``cash``, ``cash frozen``, a vintage's code (available), the code with ``frozen``,
        ``bought`` or ``judicial`` behind it.
        """
        header, *rows = table(drawn)
        for row in rows:
            for column, cell in zip(header[1:], row[1:], strict=True):
                have = self._amount(self.names.index(row[0]), column)
                wanted = ticks(cell or "0") if column.startswith("cash") else tonnes(cell)
                assert have == wanted, f"{row[0]}, {column}: {have} instead of {wanted}"

    def _amount(self, account: int, column: str) -> int:
        state = self.venue.state()
        name, _, part = column.partition(" ")
        if name == "cash":
            return int(state["cash"][account][("", "frozen", "proceeds").index(part)])
        row = state["holdings"][account][self.vintage(name)]
        return int(row[("", "frozen", "bought", "sold", "guarded", "judicial").index(part)])

    def then_order(self, number: int, status: OrderStatus) -> None:
        """Then: an order of today is in this state (TR-44)."""
        assert order_status(self.venue, number) is status

    def waits(self, seconds: int, less_ns: int = 0) -> None:
        """Let time pass: the next command comes so much after the last one."""
        self.waited_ns += seconds * 10**9 - 1 - less_ns

    # ---- the day -----------------------------------------------------------------------------

    def admits(self, code: str, reference: str, mode: Mode = Mode.LISTED) -> Outcome:
        """List a vintage; an empty reference means the composite close (TR-24)."""
        price = ticks(reference) if reference else 0
        outcome = self.send(
            Kind.ADMIT_INSTRUMENT,
            instrument=len(self.vintages),
            price_ticks=price,
            mode=int(mode),
            client_order_id=code.encode(),
        )
        self.vintages.append(code)
        return outcome

    def rule(self, parameter: Parameter, value: int, vintage: str = "") -> Outcome:
        """Change a parameter while the market rests."""
        instrument = self.vintage(vintage) if vintage else -1
        return self.send(
            Kind.SET_PARAMETER, ref=int(parameter), amount=value, instrument=instrument
        )

    def begins(self, day: int) -> Outcome:
        """Begin a day."""
        return self.send(Kind.BEGIN_DAY, ref=day)

    def enters(self, phase: Phase) -> Outcome:
        """Go one step on in the day."""
        return self.send(Kind.SET_PHASE, ref=int(phase))

    def closes(self) -> Outcome:
        """Go on to 15:00 from wherever the day is, and close."""
        for phase in (Phase.MORNING, Phase.LUNCH, Phase.AFTERNOON):
            if self.venue.state()["date, phase"][1] < phase:
                self.enters(phase).done()
        return self.send(Kind.CLOSE_DAY).done()

    def confirms(self, tag: int = 7) -> Outcome:
        """Both institutions confirm the deal file, which counts the trades that stand (ST-04)."""
        deals = sum(not trade[-1] for trade in self.venue.state()["trades"])
        return self.send(Kind.CONFIRM_DAY, ref=tag, amount=deals)

    def deal(self, qty: int, at: str, vintage: str = "") -> Outcome:
        """The first account lists for sale, the second takes it."""
        self.when(self.names[0]).lists(Side.SELL, qty, at, vintage).done()
        return self.when(self.names[1]).takes(qty, of=self.names[0], at=at).done()

    def session(self, kind: Kind, number: int) -> Outcome:
        """Let the exchange notice, open, reject or close a bidding session."""
        window = {"from_minute": 480, "until_minute": 510}  # the floor's clock stands near 08:00
        return self.send(kind, ref=number, **(window if kind is Kind.NOTICE_SESSION else {}))

    def opened_session(self, applicant: str, qty: int, at: str, **more: Any) -> int:
        """A session that takes bids: applied for, noticed, opened; return its number."""
        number = self.when(applicant).applies(qty, at, **more).session_no
        self.session(Kind.NOTICE_SESSION, number).done()
        self.session(Kind.OPEN_SESSION, number).done()
        return number

    def control(self, kind: Kind, name: str = "", vintage: str = "", **fields: int) -> Outcome:
        """A measure of the exchange or the registry about an account or a vintage, or neither."""
        account = self.names.index(name) if name else -1
        instrument = self.vintages.index(vintage) if vintage else -1
        people = {"operator": 1, "checker": 2}
        return self.send(kind, account=account, instrument=instrument, **(people | fields))

    def settles(self, tag: int = 7) -> None:
        """Both institutions confirm; the registry posts (ST-04, ST-16)."""
        self.confirms(tag).done()
        self.send(Kind.POST_DAY, ref=tag).done()

    def next_day(self, day: int) -> None:
        """Close, settle, and open the morning of another day."""
        self.closes()
        self.settles()
        self.begins(day).done()
        self.enters(Phase.MORNING).done()

    def then_figures(self, vintage: str = "", **yuan: str) -> None:
        """Then: reference, lower_limit, upper_limit, open, high, low, last, close … in yuan."""
        names = (
            *("reference", "lower_limit", "upper_limit", "bulk_lower_limit", "bulk_upper_limit"),
            *("auction_lower_limit", "auction_upper_limit"),
            *("open", "high", "low", "last", "close"),
        )
        row = self.venue.state()["instruments"][self.vintage(vintage)]
        seen = {name: f"{value / 100:.2f}" for name, value in zip(names, row, strict=False)}
        assert {name: seen[name] for name in yuan} == yuan


def open_floor(
    venue: str,
    accounts: str,
    vintages: Mapping[str, str] | None = None,
    rules: Mapping[Parameter, int] | None = None,
    mode: Mode = Mode.LISTED,
    day: int = MONDAY,
) -> Floor:
    """A floor on the morning of a day; ``day=0`` leaves the exchange before its first day."""
    built: Venue = EngineVenue() if venue == "engine" else TwinVenue()
    return Floor(built, accounts, vintages or {"CEA25": "80.00"}, rules or {}, mode, day)
