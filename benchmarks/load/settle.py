"""After the load: every order's end is known, and what each account has is what its reports say.

Orders without an answer are asked for on a fresh line, after the reports that it may have missed.
Then money, holdings and open orders of every account are held against its reports, once with what
rests and, unless that is kept, once more after it was cancelled.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import msgspec

from benchmarks.load.ends import LIVE, SENT, Client
from benchmarks.load.keys import Credentials
from benchmarks.load.line import Line, LineLostError, Place, Told, log_in, snapshot_of
from benchmarks.load.loop import Lane
from benchmarks.load.orders import BULK, SELL
from benchmarks.load.outcome import Outcome
from benchmarks.load.plan import LoadError, Plan
from benchmarks.load.record import Checks
from gateway.wire.line_messages import Snapshot

AT_ONCE = 50  # requests in flight
AGAIN = 5  # snapshots until one fits the reports heard


class Settling:
    """What is done with each line once the load is over."""

    def __init__(
        self, plan: Plan, place: Place, outcome: Outcome, lanes: list[Lane], keys: list[Credentials]
    ) -> None:
        self._plan = plan
        self._place = place
        self._outcome = outcome
        self._lanes = lanes
        self._keys = keys
        self.interrupted = False
        self.ends = b""  # of every order, before what rests is taken back

    def settle(self, *, lost: bool) -> Checks:
        """Return what was checked. ``lost``: the venue was lost under load, it may be back."""
        outcome, checked = self._outcome, 0
        outcome.closed = True
        try:
            self._resolve(lost=lost)
            for lane in self._lanes:  # a listing's owner may not have read yet that it was taken
                self._catch_up(lane)
            outcome.find_loose_ends()
            checked = self._conserved()
            self.ends = bytes(outcome.end)
            if not self._plan.keep:
                live = outcome.live()
                for lane, mine in zip(self._lanes, live, strict=True):
                    self._cancel(lane, mine)
                if not outcome.found:  # else the same would be found twice
                    checked = self._conserved()
        except (LineLostError, LoadError) as error:
            if not lost:
                outcome.find(f"The venue was lost after the load, while it was asked: {error}.")
        except KeyboardInterrupt:
            self.interrupted = True
        outcome.give_up()
        self.ends = self.ends or bytes(outcome.end)
        others = len(outcome.trades)
        return Checks(
            passed=outcome.found == 0,
            orders_checked=len(outcome.end) - outcome.end.count(0),
            accounts_checked=checked,
            findings=[*outcome.findings, *_more(outcome)],
            trades_checked=outcome.trades_seen,
            trades_with_others=others,
        )

    def _resolve(self, *, lost: bool) -> None:
        """Learn what became of the orders without an answer."""
        waiting: dict[int, list[int]] = {}
        for order, state in enumerate(self._outcome.end):
            if state == SENT:
                waiting.setdefault(self._outcome.client[order], []).append(order)
        for number, lane in enumerate(self._lanes):
            if lost or number in waiting:
                self._renew(lane, self._keys[number])
                for at in range(0, len(own := waiting.get(number, [])), AT_ONCE):
                    self._ask(lane, own[at : at + AT_ONCE])

    def _renew(self, lane: Lane, key: Credentials) -> None:
        """Take a fresh line, and hear there what this one has missed."""
        lane.line.close()
        lane.line = Line(self._place, self._plan.encoding)
        client = lane.client
        welcome = log_in(lane.line, key, keep=self._plan.keep)
        if welcome["date"] != client.date:
            raise LoadError("another_day", "The trading day has ended: its reports are gone")
        resume = {"type": "resume", "date": client.date, "after": client.last}
        resumed = self._answer(lane, resume, "stream_resumed")
        self._listen(lane, partial(_has_heard, client, int(resumed["report_seq"])))

    def _ask(self, lane: Lane, orders: list[int]) -> None:
        """Ask with ``status`` for orders that still have no answer."""
        outcome = self._outcome
        asked = [order for order in orders if outcome.end[order] == SENT]
        for order in asked:
            question = {"type": "status", "client_order_id": f"{outcome.tag}{order}"}
            lane.line.send(lane.line.frame(question))
        left = len(asked)
        for message in self._heard(lane):
            if message["type"] == "status":
                outcome.asked(lane.client, message)
                left -= 1
            if not left:
                return
        if left:
            raise LineLostError(f"{left} questions about orders were not answered")

    def _cancel(self, lane: Lane, mine: list[int]) -> None:
        """Take back what the run's listings of an account left in the book, and wait for it."""
        outcome = self._outcome
        if mine and not lane.client.others:  # nobody else's order is meant
            self._answer(lane, {"type": "cancel_all", **self._named("all")}, "mass_cancelled")
            mine = [order for order in mine if outcome.end[order] in LIVE]
        for at in range(0, len(mine), AT_ONCE):
            part = mine[at : at + AT_ONCE]
            for order in part:
                bulk = outcome.kind[order] == BULK
                request = {"type": "bulk_withdraw" if bulk else "cancel", **self._named(order)}
                no = outcome.number[order]
                lane.line.send(lane.line.frame({**request, "order_no": no}))
            self._listen(lane, partial(_over, outcome, part))
        left = sum(outcome.end[order] in LIVE for order in mine)
        if left:
            outcome.find(f"{left} orders of {lane.client.name} could not be taken back.")

    def _named(self, what: object) -> dict[str, object]:
        """Return the id of a request that is none of the run's orders."""
        return {"client_order_id": f"{self._outcome.tag}x{what}"}

    def _conserved(self) -> int:
        """Hold every account against its reports; return how many."""
        total: Counter[str] = Counter()
        for lane, mine in zip(self._lanes, self._outcome.live(), strict=True):
            now = self._snapshot(lane)
            if now is None or lane.client.moved:
                total["others"] += 1
                continue
            before = lane.client.before
            assert before is not None, "asked at the login"
            for sentence in differences(self._outcome, lane.client, mine, now):
                self._outcome.find(sentence)
            total["fen"] += money(now) - money(before) + lane.client.fees_fen
            total.update({f"t {code}": q for code, q in _gained(before, now).items()})
        if not (total["others"] or self._outcome.trades):
            for what, amount in total.items():
                if amount:
                    self._outcome.find(
                        f"All accounts together gained {amount} {what}, fees counted: they traded"
                        " with each other only."
                    )
        return len(self._lanes) - total["others"]

    def _catch_up(self, lane: Lane) -> None:
        """Hear every report that the venue has for an account by now."""
        told = snapshot_of(self._answer(lane, {"type": "snapshot"}, "account"))
        self._listen(lane, partial(_has_heard, lane.client, told.report_seq))

    def _snapshot(self, lane: Lane) -> Snapshot | None:
        """Return what the account has after its last report heard; None if reports are missing."""
        for _ in range(AGAIN):
            found = snapshot_of(self._answer(lane, {"type": "snapshot"}, "account"))
            self._listen(lane, partial(_has_heard, lane.client, found.report_seq))
            if lane.client.last == found.report_seq:
                return found
        self._outcome.find(
            f"{lane.client.name} heard reports up to {lane.client.last}; the venue has told"
            f" {found.report_seq}."
        )
        return None

    def _answer(self, lane: Lane, question: dict[str, object], wanted: str) -> dict[str, Any]:
        lane.line.send(lane.line.frame(question))
        named = question.get("client_order_id", question)
        for message in self._heard(lane):
            if message["type"] == wanted:
                return message
            if message["type"] == "refused" and message.get("client_order_id") == named:
                return {}
        raise LineLostError(f"no answer to {question['type']}")

    def _listen(self, lane: Lane, done: Callable[[], bool]) -> None:
        """Hear reports until ``done``, or nothing comes for a time."""
        if done():
            return
        for _ in self._heard(lane):
            if done():
                return

    def _heard(self, lane: Lane) -> Iterator[dict[str, Any]]:
        """Yield what comes, after each report was taken in."""
        for message in lane.line.coming(self._plan.answer_within_s):
            mine = str(message.get("client_order_id", "")).startswith(f"{self._outcome.tag}x")
            if message["type"] != "status" and not (mine and message["type"] == "refused"):
                self._outcome.hear(lane.client, msgspec.convert(message, Told), 0)
            yield message


def _over(outcome: Outcome, orders: list[int]) -> bool:
    return not any(outcome.end[order] in LIVE for order in orders)


def _has_heard(client: Client, report_seq: int) -> bool:
    return client.last >= report_seq


def _more(outcome: Outcome) -> list[str]:
    left = outcome.found - len(outcome.findings)
    return [f"And {left} more of such findings."] if left else []


def money(told: Snapshot) -> int:
    """Return an account's fen, free and frozen."""
    return told.cash_available_fen + told.cash_frozen_fen


def tonnes(told: Snapshot) -> Counter[str]:
    """Return an account's tonnes by instrument, whatever their state."""
    return Counter(
        {
            row.instrument: row.available_tonnes
            + row.frozen_tonnes
            + row.bought_today_tonnes
            + row.judicial_tonnes
            for row in told.holdings
        }
    )


def _gained(before: Snapshot, now: Snapshot) -> dict[str, int]:
    was, has = tonnes(before), tonnes(now)
    return {code: has[code] - was[code] for code in sorted(was.keys() | has.keys())}


def differences(outcome: Outcome, client: Client, mine: list[int], now: Snapshot) -> Iterator[str]:
    """Yield a sentence for each way in which an account is not what its reports say.

    ``mine``: the listings of the run that rest, by its reports.
    """
    before = client.before
    assert before is not None, "asked at the login"
    gained = money(now) - money(before)
    if gained != client.cash_fen:
        yield (
            f"{client.name} gained {gained} fen by its snapshots, {client.cash_fen} fen by its"
            " reports, fees counted."
        )
    for code, qty in _gained(before, now).items():
        if qty != client.tonnes[code]:
            yield (
                f"{client.name} gained {qty} t of {code} by its snapshots,"
                f" {client.tonnes[code]} t by its reports."
            )
    if client.foreign:  # what other programs' orders hold is not known here
        return
    yield from _resting(outcome, client, mine, now)
    yield from _frozen(outcome, client, mine, now)


def _resting(outcome: Outcome, client: Client, mine: list[int], now: Snapshot) -> Iterator[str]:
    live = {outcome.number[order]: outcome.leaves[order] for order in mine}
    rests = {
        row.order_no: row.leaves_qty for row in now.orders if row.order_no not in client.others
    }
    if rests == live:
        return
    wrong = sorted(no for no in rests.keys() | live.keys() if rests.get(no) != live.get(no))
    first = wrong[0]
    yield (
        f"{client.name} has {len(wrong)} open orders that are not as its reports say: order"
        f" {first} rests with {rests.get(first, 0)} t, by its reports {live.get(first, 0)} t."
    )


def _frozen(outcome: Outcome, client: Client, mine: list[int], now: Snapshot) -> Iterator[str]:
    """What is frozen is what rests: fen of listings to buy, tonnes of listings to sell (TR-42)."""
    assert client.before is not None, "asked at the login"
    fen = sum(outcome.frozen.get(order, 0) for order in mine)
    sells = sum(outcome.leaves[order] for order in mine if outcome.side[order] == SELL)
    more = now.cash_frozen_fen - client.before.cash_frozen_fen
    if more != fen:
        yield (
            f"{client.name} has {more} fen more frozen than before; its listings hold {fen} fen."
        )
    held = sum(row.frozen_tonnes for row in now.holdings)
    held -= sum(row.frozen_tonnes for row in client.before.holdings)
    if held != sells:
        yield f"{client.name} has {held} t more frozen than before; its listings hold {sells} t."
