"""Random walks of thousands of messages: engine, market data and model say and show the same."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from engine.exchange import Exchange
from tests.conformance.book_under_test import Session
from tests.conformance.price_time_books import EngineBook, TwinBook
from tests.conformance.price_time_language import Market, Message
from tests.conformance.price_time_model import FifoBook
from tests.conformance.price_time_walk import (
    BOOKS,
    COSTLY,
    MARKETS,
    NARROW,
    WIDE,
    difference,
    main,
    shortest,
    table,
    walk,
)
from tests.conformance.price_time_wrong_rules import WRONG
from tests.tapes import to_batch

COUNT = 2_500


def explain(seed: int, messages: list[Message], market: Market) -> str:
    """The seed, and the shortest walk on which the books differ, as a table."""
    short = shortest(messages, market)
    return f"seed {seed}\n{table(short, market)}\n{difference(short, market)}"


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", MARKETS)
def test_walk(name: str, seed: int) -> None:
    """P8: priority, prices, money and refusals of the engine are those of a book of one page."""
    market = MARKETS[name]
    messages = walk(seed, COUNT, market)
    problem = difference(messages, market, look_every=25)
    assert problem is None, explain(seed, messages, market)


def test_the_twin_walks_along() -> None:
    messages = walk(11, 1_000, COSTLY)
    assert difference(messages, COSTLY, (FifoBook, TwinBook), look_every=25) is None


def test_a_walk_as_one_batch() -> None:
    """One batch of a thousand messages and more causes what batches of one do."""
    session = Session(NARROW, book := EngineBook(NARROW))
    for message in walk(5, COUNT, NARROW):
        session.send(message)
    exchange = Exchange(instruments_max=2)
    caused = exchange.apply(to_batch(book.commands))
    assert caused.tobytes() == np.concatenate(book.events).tobytes()
    assert exchange.digest() == book.exchange.digest()


def test_a_walk_goes_everywhere() -> None:
    """Every kind of report and every refusal of the mode comes up, and most of them often."""
    seen: Counter[str] = Counter()
    for seed in range(3):
        session = Session(NARROW, FifoBook(NARROW))
        for message in walk(seed, COUNT, NARROW):
            seen.update(report.reason or report.kind for report in session.send(message))
    often = {"accepted", "trade", "cancelled", "stopped", "amended", "unknown_order"}
    assert {name for name, times in seen.items() if times >= 100} >= often
    assert set(seen) == often | {
        *("price_invalid", "price_out_of_band", "qty_invalid", "qty_above_max"),
        *("qty_below_filled", "too_many_open_orders", "insufficient_funds"),
        *("insufficient_holding", "holding_bought_today"),
    }


@pytest.mark.parametrize(
    ("wrong", "longest"),
    [("a partly filled maker queues anew", 6), ("reduce loses the place", 6), ("taker's price", 2)],
)
def test_a_failing_walk_is_made_short(wrong: str, longest: int) -> None:
    """What is left is a case one can read: nothing of it can be left out."""
    makers = (FifoBook, WRONG[wrong])
    messages = walk(1, 400, WIDE)
    assert difference(messages, WIDE, makers) is not None
    short = shortest(messages, WIDE, makers)
    assert len(short) <= longest
    assert difference(short, WIDE, makers) is not None
    assert len(table(short, WIDE).splitlines()) == len(short)


def test_the_command_says_that_nothing_differs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["3", "200"]) == 0
    assert capsys.readouterr().out.count("no difference") == len(MARKETS)
    assert len(BOOKS) == 3
