"""The test of the suite: every wrong book is caught, and every case catches at least one."""

from __future__ import annotations

import pytest

from tests.conformance.price_time_crowds import CASES
from tests.conformance.price_time_table import PAGE, caught_by, rows_of
from tests.conformance.price_time_wrong_rules import WRONG

PUBLISHED = rows_of(PAGE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_book_is_caught(name: str) -> None:
    """By the cases that the page says, and by one at least."""
    caught = caught_by(name)
    assert caught
    assert caught == [case for case, (_, wrong) in PUBLISHED.items() if name in wrong]


def test_every_case_catches_a_wrong_book() -> None:
    """A case that nothing fails would hold nothing."""
    assert [case for case in CASES if not PUBLISHED[case][1]] == []
