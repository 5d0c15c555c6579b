"""What an entity does at a moment: the compiled part of behaviours 1, 2, 3 and 5.

Ten-minute slots; in each of them an entity wakes with a fixed chance, looks at its position, and
mostly goes back to other work. Who acts either takes the best price on the other side, if that is
worth it to the entity, or lists a price of its own; large quantities are left to the bulk desk
(sim/season/bargains.py). Agents see public quotes only: limits, last prices, the best levels.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from engine.records import Kind, Mode, Side
from sim.season.jit import inlined, kernel, part
from sim.season.streams import Array, Purpose, bell, unit

SLOTS = 24  # ten minutes each: twelve in the morning, twelve in the afternoon (TR-30)
BULK_MIN_T = 100_000  # TR-12
LIST, CANCEL, TAKE_BEST = int(Kind.LIST), int(Kind.CANCEL), int(Kind.TAKE_BEST)
ADD, PRICE_TIME = int(Kind.ADD), int(Mode.PRICE_TIME)
BUY, SELL = int(Side.BUY), int(Side.SELL)
NO_BULK, BULK_WANTED = 0, 1
HALF_WAY = 0.05  # must-sell share at which a seller gives half of its way
RELAXED = 0.02  # urgency below which nothing presses
OPINION_DAYS = 10  # trading days an entity keeps its own opinion of the price

WAKE, ACT, PRICE = Purpose.WAKE, Purpose.ACT, Purpose.PRICE
QUANTITY, VINTAGE, LARGE = Purpose.QUANTITY, Purpose.VINTAGE, Purpose.LARGE


MIND = np.dtype(  # one row an entity: what it is like, wants, remembers and has open
    [
        ("keys", "<u8"),  # of its random streams
        ("theta_days", "<f8"),
        ("reluctance", "<f8"),
        ("must_sell_share", "<f8"),  # of what is for sale, what banking forces out
        ("memory", "<f8"),  # log price
        ("premium", "<f8"),  # what days without deals taught, log
        ("wake_chance", "<f8"),  # at a slot of today
        ("pressing", "<f8"),  # urgency of the next binding date today, 0 to 1
        ("hurry", "<f8"),  # the same, or that of a budget that ends with the year
        ("wanted_t", "<i8"),  # tonnes to buy (> 0) or to sell (< 0)
        ("forward_t", "<i8"),  # tonnes of next year's need, bought early if somebody offers
        ("open_no", "<i8"),  # number of the resting listing, 0 = none
        ("open_t", "<i8"),  # what of it is open
        ("open_ticks", "<i8"),
        ("bought_t", "<i8"),  # of the season
        ("sold_t", "<i8"),
        ("open_side", "<i4"),
        ("tried", "<i4"),  # side listed or taken today, 0 = none
        ("bulk", "<i4"),  # wants a bulk deal today
        ("idle", "<i4"),  # 1 = a surplus holder who does nothing this season
        ("dealt", "<i4"),  # 1 = something was filled today
    ]
)


class Market(NamedTuple):
    """What an entity can look at: its own holdings and the public quotes (engine.state.Arrays)."""

    instruments: Array
    books: Array
    holdings: Array
    stride: int
    width: int
    floor_ticks: int  # of a price collar
    ceiling_ticks: int


class Day(NamedTuple):
    """What is the same for everybody on a day."""

    number: int  # of the trading day in the season, from 0
    deadline_days: float  # calendar days to the next deadline that is known, 1e9 = none
    pulse: float  # factor on unhurried hazards: news, activity, no deadline within a year
    activity: float  # factor on urgent ones: everybody's activity alone
    squeeze: float  # what sellers ask more of buyers at full urgency, log
    mood: float  # common to all: log distance of what allowances are worth
    usable: Array  # bool, (instruments,): may be surrendered for the obligation
    instruments: int


class Habits(NamedTuple):
    """The behaviour parameters that kernels read (sim.scenario.model.Behaviour)."""

    hazard_base: float
    listed_base: float
    hazard_urgent: float
    small_cost_t: float
    small_days: float
    anchor_memory: float
    bid_discount: float
    bid_urgency: float
    relaxed_step_cny: float
    price_noise: float
    seller_pressure: float
    sell_hazard: float
    seller_rush: float
    idle_gain: float
    seller_gain: float
    stock_share: float
    listed_share: float
    banking_gain: float
    chunk_median_t: float
    chunk_sigma: float


def urgency(days: Array, theta_days: Array, width_days: float) -> Array:
    """Return how pressing a date is: 0 far away, 1/2 at theta, 1 when it is past (5.3, 1)."""
    return np.asarray(1.0 / (1.0 + np.exp(np.minimum((days - theta_days) / width_days, 50.0))))


@part
def best_ticks(a: Market, instrument: int, side: int) -> int:
    """Return the best listed price of a side, 0 if there is none. ``a``: engine.state.Arrays."""
    book = a.books[instrument * 2 + side - 1]
    rank = book["best_rank"]
    if rank >= a.width:
        return 0
    row = a.instruments[instrument]
    if side == SELL:
        return int(row["lower_limit_ticks"] + rank)
    return int(row["upper_limit_ticks"] - rank)


@part
def last_ticks(a: Market, instrument: int) -> int:
    """Return the last listed price today, or the reference while nothing traded."""
    row = a.instruments[instrument]
    return int(row["last_ticks"]) if row["last_ticks"] > 0 else int(row["reference_ticks"])


@part
def value_of(mind: Array, habits: Habits, a: Market, i: int, instrument: int) -> float:
    """Return the log price an entity anchors on: memory, the last price, what it has learnt."""
    last = np.log(float(last_ticks(a, instrument)))
    memory = habits.anchor_memory
    return float(memory * mind[i]["memory"] + (1.0 - memory) * last + mind[i]["premium"])


@part
def within(a: Market, instrument: int, ticks: int) -> int:
    """Return the price, or the limit of the day it lies beyond: who meets a limit waits there."""
    row = a.instruments[instrument]
    lower, upper = row["lower_limit_ticks"], row["upper_limit_ticks"]
    most = max(min(upper, a.ceiling_ticks), lower)  # a collar, where there is one
    return int(min(max(ticks, min(max(lower, a.floor_ticks), upper)), most))


@part
def vintage_to_buy(mind: Array, day: Day, a: Market, i: int, moment: int) -> int:
    """Return the usable vintage with the lowest ask, or any if nobody asks; -1 = none (5.3, 5)."""
    best, best_price, seen = -1, 0, 0
    for instrument in range(day.instruments):
        if day.usable[instrument]:
            seen += 1
            ask = best_ticks(a, instrument, SELL)
            if ask > 0 and (best < 0 or ask < best_price):
                best, best_price = instrument, ask
    if best >= 0 or seen == 0:
        return best
    chosen = int(unit(mind[i]["keys"], VINTAGE, moment) * seen)
    for instrument in range(day.instruments):
        if day.usable[instrument]:
            if chosen == 0:
                return instrument
            chosen -= 1
    return -1


@part
def vintage_to_sell(mind: Array, day: Day, a: Market, i: int, moment: int) -> int:
    """Return a vintage the entity can sell, in proportion to what it has; -1 = none."""
    total = 0
    for instrument in range(day.instruments):
        total += a.holdings[i * a.stride + instrument]["available_tonnes"]
    if total <= 0:
        return -1
    place = int(unit(mind[i]["keys"], VINTAGE, moment) * total)
    for instrument in range(day.instruments):
        place -= a.holdings[i * a.stride + instrument]["available_tonnes"]
        if place < 0:
            return instrument
    return -1


@part
def chunk_t(mind: Array, habits: Habits, i: int, moment: int, least: int, most: int) -> int:
    """Return the tonnes of a listed order: lognormal, from ``least`` to ``most`` (TR-11)."""
    drawn = habits.chunk_median_t * np.exp(
        habits.chunk_sigma * bell(mind[i]["keys"], QUANTITY, moment)
    )
    return int(max(1.0, min(max(drawn, float(least)), float(min(most, BULK_MIN_T - 1)))))


@inlined
def put(
    row: Any, kind: int, account: int, instrument: int, side: int, ticks: int, qty: int
) -> None:
    """Fill in a command."""
    row["kind"] = kind
    row["account"] = account
    row["instrument"] = instrument
    row["side"] = side
    row["price_ticks"] = ticks
    row["qty_tonnes"] = qty
    row["ref"] = 0


@part
def quote(
    mind: Array,
    a: Market,
    out: Array,
    n: int,
    i: int,
    instrument: int,
    side: int,
    ticks: int,
    qty: int,
) -> int:
    """Take what is worth it, else list; a resting listing of one's own is replaced. Return n."""
    other = SELL if side == BUY else BUY
    if mind[i]["open_no"] != 0:
        if mind[i]["open_side"] == side and abs(mind[i]["open_ticks"] - ticks) * 200 < ticks:
            return n  # within half a percent: it may stay
        put(out[n], CANCEL, i, instrument, side, 0, 0)
        out[n]["ref"] = mind[i]["open_no"]
        n += 1
        mind[i]["open_no"] = 0
        mind[i]["open_t"] = 0
        return n  # what it froze comes back first; the new price is for the next moment
    best = best_ticks(a, instrument, other)
    worth = best > 0 and ((side == BUY and best <= ticks) or (side == SELL and best >= ticks))
    mind[i]["tried"] = side
    kind = TAKE_BEST if worth else LIST
    if a.instruments[instrument]["mode"] == PRICE_TIME:
        kind = ADD  # the exchange matches it
    put(out[n], kind, i, instrument, side, ticks, qty)
    return n + 1


@part
def buy(
    mind: Array, day: Day, habits: Habits, a: Market, out: Array, n: int, i: int, moment: int
) -> int:
    """Let an entity in need act: bulk for large needs, else a listed order (5.3, 1 and 2)."""
    pressing = mind[i]["pressing"]
    urgent = habits.hazard_urgent * mind[i]["hurry"] * day.activity
    need = mind[i]["wanted_t"]
    draw = unit(mind[i]["keys"], ACT, moment)
    if need >= BULK_MIN_T and draw < habits.hazard_base * day.pulse + urgent:
        mind[i]["bulk"] = BULK_WANTED
    chance = habits.listed_base * day.pulse + urgent
    if need >= BULK_MIN_T:
        chance *= habits.listed_share
    elif need < habits.small_cost_t and day.deadline_days > habits.small_days:
        chance *= 0.05  # a fixed cost of trading: small needs wait (simulation.md 4.4)
    if unit(mind[i]["keys"], LARGE, moment) >= chance:
        return n
    instrument = vintage_to_buy(mind, day, a, i, moment)
    if instrument < 0:
        return n
    noise = habits.price_noise * bell(mind[i]["keys"], PRICE, day.number // OPINION_DAYS)
    lift = habits.bid_urgency * pressing - habits.bid_discount * (1.0 - pressing)
    log_price = value_of(mind, habits, a, i, instrument) + day.mood + lift + noise
    step = quote_step(habits, pressing)
    ticks = within(a, instrument, int(np.exp(log_price) / step) * step)
    qty = chunk_t(mind, habits, i, moment, int(pressing * need), need)
    return quote(mind, a, out, n, i, instrument, BUY, ticks, qty)


@part
def quote_step(habits: Habits, haste: float) -> int:
    """Return the step of quotes in ticks: round numbers while there is time."""
    return max(10, int(habits.relaxed_step_cny * 100.0)) if haste < RELAXED else 10


@part
def asked_premium(mind: Array, i: int, squeeze: float, relief: float) -> float:
    """Return what a seller asks above what it thinks the price is, log (5.3, 3 and 4).

    It knows that buyers are pressed; who has to sell for the sake of carry-over gives way.
    """
    forced = mind[i]["must_sell_share"]
    gives_way = relief * forced / (forced + HALF_WAY)
    return float((mind[i]["reluctance"] + squeeze * mind[i]["pressing"]) * (1.0 - gives_way))


@part
def sell(
    mind: Array, day: Day, habits: Habits, a: Market, out: Array, n: int, i: int, moment: int
) -> int:
    """Let a holder of a surplus act: reluctant, less so under pressure (5.3, 3 and 4)."""
    pressing = mind[i]["pressing"]
    forced = mind[i]["must_sell_share"]
    instrument = vintage_to_sell(mind, day, a, i, moment)
    if instrument < 0:
        return n
    gain = np.log(float(last_ticks(a, instrument))) - mind[i]["memory"]  # a good price wakes
    if mind[i]["idle"] and gain < habits.idle_gain and not woken_by_banking(mind, i):
        return n
    calm = 1.0 + habits.banking_gain * forced + habits.seller_gain * max(gain, 0.0)
    rush = calm * day.pulse + habits.seller_rush * mind[i]["hurry"] * day.activity
    if unit(mind[i]["keys"], ACT, moment) >= habits.sell_hazard * rush:
        return n
    surplus = -mind[i]["wanted_t"]
    if surplus >= BULK_MIN_T:
        mind[i]["bulk"] = BULK_WANTED  # and lists as well: whoever comes first
    have = a.holdings[i * a.stride + instrument]["available_tonnes"]
    noise = habits.price_noise * bell(mind[i]["keys"], PRICE, day.number // OPINION_DAYS)
    premium = asked_premium(mind, i, day.squeeze, habits.seller_pressure)
    log_price = value_of(mind, habits, a, i, instrument) + day.mood + premium + noise
    step = quote_step(habits, max(pressing, forced))
    ticks = within(a, instrument, int(np.exp(log_price) / step + 1.0) * step)
    most = min(surplus, have)
    qty = chunk_t(mind, habits, i, moment, int(max(habits.stock_share, pressing) * surplus), most)
    return quote(mind, a, out, n, i, instrument, SELL, ticks, qty)


@part
def woken_by_banking(mind: Array, i: int) -> bool:
    """Whether a limit on carrying over makes an idle holder sell: worth a bulk deal at least."""
    return bool(mind[i]["must_sell_share"] * -mind[i]["wanted_t"] >= 0.5 * BULK_MIN_T)


@kernel
def decide(
    mind: Array, day: Day, habits: Habits, a: Market, out: Array, slot: int
) -> tuple[int, int]:
    """Let everybody who wakes in a slot decide; return commands written to ``out`` and decisions.

    ``out``: shape (2n,), dtype COMMAND; the caller numbers and times what was written.
    """
    n = decisions = 0
    moment = day.number * SLOTS + slot
    for i in range(len(mind)):
        if unit(mind[i]["keys"], WAKE, moment) >= mind[i]["wake_chance"]:
            continue
        decisions += 1
        if mind[i]["wanted_t"] > 0:
            n = buy(mind, day, habits, a, out, n, i, moment)
        elif mind[i]["wanted_t"] < 0:
            n = sell(mind, day, habits, a, out, n, i, moment)
    return n, decisions
