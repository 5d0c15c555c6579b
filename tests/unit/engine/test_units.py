"""Money and prices: one place multiplies, one function rounds (TR-10, TR-23, TR-132)."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.records import PRICE_TICKS_MAX, QTY_TONNES_MAX
from engine.units import PPM, half_up, price_limits, rate_fen, value_fen


def exact_half_up(value: Fraction) -> int:
    return (value + Fraction(1, 2)).__floor__()


@given(st.integers(0, 10**20), st.integers(1, 10**9))
def test_half_up_is_exact(numerator: int, denominator: int) -> None:
    assert half_up(numerator, denominator) == exact_half_up(Fraction(numerator, denominator))


@given(st.integers(0, PRICE_TICKS_MAX * QTY_TONNES_MAX), st.integers(0, 100_000))
def test_a_rate_of_any_legal_value_is_exact(value: int, ppm: int) -> None:
    assert rate_fen(value, ppm) == exact_half_up(Fraction(value * ppm, PPM))
    assert value // PPM * ppm < 2**63
    assert 2 * (value % PPM * ppm) + PPM < 2**63


# Observed limits of the real market (TR-23): each edge is half up.
@pytest.mark.parametrize(
    ("reference", "band_bp", "lower", "upper"),
    [
        (5552, 1000, 4997, 6107),  # E09: 61.072 rounds to 61.07
        (4562, 1000, 4106, 5018),  # E11: 41.058 rounds to 41.06; 50.182 to 50.18
        (7872, 3000, 5510, 10234),  # bulk at 55.10 where 70 % is 55.104
        (4316, 3000, 3021, 5611),  # bulk at 30.21 where 70 % is 30.212
        (7133, 3000, 4993, 9273),  # bulk at 49.93 where 70 % is 49.931
        (4872, 1000, 4385, 5359),  # E38: the cap of the session is 53.59
        (5, 1000, 5, 6),  # 4.5 and 5.5 ticks round up
        (1, 9999, 1, 2),  # never below one tick
    ],
)
def test_price_limits(reference: int, band_bp: int, lower: int, upper: int) -> None:
    assert price_limits(reference, band_bp) == (lower, upper)


def test_the_upper_limit_stays_a_legal_price() -> None:
    assert price_limits(PRICE_TICKS_MAX, 1000)[1] == PRICE_TICKS_MAX


def test_value_is_exact() -> None:
    assert value_fen(8001, 99_999) == 800_091_999
