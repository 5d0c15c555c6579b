"""What a demo trader wishes for is always something the rules allow, as far as it can know."""

from __future__ import annotations

import numpy as np
import pytest

from gateway.client import Order
from gateway.demo_traders import CANCEL_FROM, QTY_MAX, Fair, Habits, Mind, Purse, Wish
from marketdata.messages import Depth, Level, Quote

REFERENCE, UPPER, LOWER = 9740, 10714, 8766


def quote(last: int = 0, code: str = "CEA25") -> Quote:
    prices = (last, last, last, last, 0, REFERENCE, REFERENCE, UPPER, LOWER)
    return Quote(1, 0, 1, 0, code, *prices, 0, 0, 0, 0, 0)


def depth(bid: int | None, ask: int | None, code: str = "CEA25") -> Depth:
    bids = () if bid is None else (Level(bid, 500, 2, ((1, 300), (2, 200))),)
    asks = () if ask is None else (Level(ask, 700, 1, ((3, 700),)),)
    return Depth(1, 0, 1, 0, code, bids, asks)


def mind(seed: int) -> Mind:
    rng = np.random.default_rng(seed)
    return Mind(rng, Fair(rng), Habits())


def purse() -> Purse:
    return Purse(10**9, {"CEA25": 30_000})


def order(number: int, status: str = "open") -> Order:
    return Order(f"id-{number}", number, "CEA25", "buy", 9700, 10, 10, status)


@pytest.mark.parametrize(
    "shown",
    [
        depth(9730, 9745),
        depth(None, 9745),
        depth(9730, None),
        depth(UPPER, None),
        depth(9744, 9745),
    ],
)
def test_wishes_stay_inside_limits_do_not_cross_and_can_be_paid(shown: Depth) -> None:
    verbs = set()
    for seed in range(400):
        wish = mind(seed).wish({"CEA25": quote(9738)}, {"CEA25": shown}, purse(), [])
        if wish is None:
            continue
        verbs.add(wish.verb)
        assert LOWER <= wish.price_ticks <= UPPER
        assert 1 <= wish.qty <= QTY_MAX
        if wish.side == "sell":
            assert wish.qty <= 30_000
        else:
            assert wish.qty * wish.price_ticks <= 10**9
        facing = shown.asks if wish.side == "buy" else shown.bids
        if wish.verb == "list" and facing and facing[0].price_ticks not in (UPPER, LOWER):
            best = facing[0].price_ticks
            assert wish.price_ticks < best if wish.side == "buy" else wish.price_ticks > best
        if wish.verb == "take":
            leaves = dict(facing[0].listings)
            assert wish.qty <= leaves[wish.order_no]
    assert "list" in verbs
    if shown.bids and shown.asks:
        assert {"take", "take_best"} <= verbs


def test_old_orders_are_cancelled_oldest_first_and_finished_ones_are_not() -> None:
    own = [order(1, "filled"), *(order(number) for number in range(2, 2 + CANCEL_FROM))]
    wish = mind(1).wish({"CEA25": quote()}, {}, purse(), own)
    assert wish == Wish("cancel", order_no=2)
    wishes = {
        mind(seed).wish({"CEA25": quote()}, {}, purse(), [order(1, "lapsed")]).verb
        for seed in range(100)
    }
    assert "cancel" not in wishes


def test_who_has_nothing_wishes_nothing() -> None:
    for seed in range(50):
        assert mind(seed).wish({"CEA25": quote()}, {}, Purse(0, {}), []) is None
    assert mind(1).wish({}, {}, purse(), []) is None


def test_a_purse_remembers_what_was_spent() -> None:
    own = purse()
    own.spend(Wish("list", "CEA25", "sell", 1000, 9740))
    own.spend(Wish("take_best", "CEA25", "buy", 100, 9740))
    own.spend(Wish("cancel", order_no=4))
    assert own == Purse(10**9 - 974_000, {"CEA25": 29_000})


def test_the_idea_of_the_price_drifts_and_stays_inside_the_limits() -> None:
    fair = Fair(np.random.default_rng(3))
    seen = [fair.ticks(quote()) for _ in range(5000)]
    assert LOWER < min(seen) < max(seen) < UPPER
    assert max(seen) - min(seen) > 20
