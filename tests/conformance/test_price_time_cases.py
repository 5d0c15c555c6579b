"""Every case on every book; the same commands as one batch; the page and the data of the cases."""

from __future__ import annotations

import json

import numpy as np
import pytest

from engine.exchange import Exchange
from tests.conformance.book_under_test import BrokenError, NotExpressibleError, play
from tests.conformance.price_time_books import (
    BOOKS,
    EngineBook,
    YardstickBook,
    check_faces,
)
from tests.conformance.price_time_crowds import CASES, GROUPS
from tests.conformance.price_time_language import case, read_message, write_message
from tests.conformance.price_time_table import DATA, PAGE, SMALL, data, rows_of
from tests.conformance.price_time_wrong_rules import WRONG
from tests.tapes import to_batch

PUBLISHED = rows_of(PAGE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("book", [name for name in BOOKS if name != "engine"])
def test_case(book: str, name: str) -> None:
    """TR-20, TR-40…43, TR-47…50: reports, depth, queues, ledger after every message."""
    play(CASES[name], BOOKS[book])


@pytest.mark.parametrize("name", CASES)
def test_engine(name: str) -> None:
    """The engine stands it; as one batch it causes the same events and leaves the same state."""
    book = play(CASES[name], EngineBook)
    assert isinstance(book, EngineBook)
    exchange = Exchange(instruments_max=2)
    caused = exchange.apply(to_batch(book.commands))
    assert caused.tobytes() == np.concatenate(book.events).tobytes()
    assert exchange.digest() == book.exchange.digest()


@pytest.mark.parametrize("name", CASES)
def test_yardstick(name: str) -> None:
    """The benchmarks' yardstick stands every case that it has the messages for."""
    if PUBLISHED[name][0]:
        play(CASES[name], YardstickBook)
    else:
        with pytest.raises(NotExpressibleError):
            play(CASES[name], YardstickBook)


def test_all_books_have_the_face_of_one() -> None:
    for book in check_faces():
        for verb in ("add", "cancel", "amend", "depth", "queues", "balances", "problems"):
            assert callable(getattr(book, verb))


def test_names_are_unique_and_nothing_is_missing() -> None:
    listed = [each.name for group in GROUPS.values() for each in group]
    assert len(listed) == len(set(listed)) == len(CASES) >= 40
    assert all(each.invariant.endswith(".") for each in CASES.values())


def test_a_case_says_where_it_broke() -> None:
    """A wrong row is told with its case, message and both views."""
    wrong = case("told", "No.", "a: A sells 10 @ 80.00 | accepted a rests 10 | | 9/1@80.00")
    with pytest.raises(BrokenError, match=r"told, message 1 \(a: A sells 10 @ 80.00\): shows bids"):
        play(wrong, EngineBook)
    wrong = case("told", "No.", "a: A sells 10 @ 80.00 | accepted a rests 9 | | 10/1@80.00")
    with pytest.raises(BrokenError, match="'accepted a rests 10' instead of 'accepted a rests 9'"):
        play(wrong, EngineBook)


def test_messages_are_written_as_they_are_read() -> None:
    for each in SMALL:
        for step in each.steps:
            assert read_message(write_message(step.message)) == step.message
            assert write_message(step.message) == step.text


def test_tables_are_read_row_by_row() -> None:
    """Continued rows, ditto marks; a row of another width is an error."""
    table = """
        a: A sells 10 @ 80.00 | accepted a rests 10           |           | 10/1@80.00
        B cancels a           | refused unknown_order         | "         | "
        b: B buys 12 @ 80.05  | accepted b rests 2            | 2/1@80.05 |
                              | trade a 10 @ 80.00 leaves 2/0 |           |
    """
    steps = case("read", "No.", table).steps
    assert [step.asks for step in steps] == ["10/1@80.00", "10/1@80.00", ""]
    assert steps[2].reports == "accepted b rests 2; trade a 10 @ 80.00 leaves 2/0"
    with pytest.raises(ValueError, match="four cells"):
        case("narrow", "No.", "a: A sells 10 @ 80.00 | accepted a rests 10")
    with pytest.raises(ValueError, match="no message"):
        case("unknown", "No.", "A waits | | |")


def test_page_has_every_case_and_every_wrong_book() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert list(PUBLISHED) == list(CASES)
    for each in CASES.values():
        assert f"| `{each.name}` | {len(each.steps)} | {each.invariant} |" in page
    for name, make in WRONG.items():
        assert f"| {name} | {make.__doc__} |" in page


def test_data_are_the_cases() -> None:
    """docs/reference/price-time.json holds the hand-written cases as they are."""
    assert DATA.read_text(encoding="utf-8") == data(SMALL)
    first = json.loads(DATA.read_text(encoding="utf-8"))[0]
    assert set(first) == {"name", "invariant", "market", "steps"}
    assert set(first["steps"][0]) == {"message", "reports", "bids", "asks"}
