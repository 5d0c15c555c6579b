"""Random draws by key: uniform, normal, independent of each other, the same for ever (ADR 0005)."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from sim.season.streams import Array, Purpose, bell, bells, entity_keys, unit, units

COUNT = 4_000
NAMES = [f"PW{number:05d}" for number in range(1, COUNT + 1)]
KEYS = entity_keys(1, "2024", NAMES)
KEY_1 = 15292464679104144040
KEY_2 = 13349658775411323385
UNIT = 0.9904884662200654
UNIT_BEFORE = 0.87026031841334
BELL = -1.1803725820237345
PURPOSES = [value for name, value in vars(Purpose).items() if name.isupper()]


def test_purposes_never_share_a_number() -> None:
    assert len(PURPOSES) > 15
    assert len(set(PURPOSES)) == len(PURPOSES)


def distance(draws: Array) -> float:
    """Return Kolmogorov and Smirnov's distance from the uniform law."""
    steps = np.arange(1, len(draws) + 1) / len(draws)
    return float(np.abs(np.sort(draws) - steps).max())


@pytest.mark.parametrize("purpose", PURPOSES)
def test_uniform_over_entities_and_over_moments(purpose: int) -> None:
    bound = 2.2 / COUNT**0.5  # exceeded once in 8,000 times by chance; the draws are fixed
    over_entities = units(KEYS, purpose, 7)
    assert distance(over_entities) < bound
    over_moments = np.array([unit(KEYS[0], purpose, moment) for moment in range(COUNT)])
    assert distance(over_moments) < bound
    assert over_entities.min() >= 0.0
    assert over_entities.max() < 1.0


@pytest.mark.parametrize("purpose", [Purpose.PRICE, Purpose.SURPLUS])
def test_bells_are_standard_normal(purpose: int) -> None:
    draws = np.concatenate([bells(KEYS, purpose, moment) for moment in range(20)])
    count = len(draws)
    assert abs(draws.mean()) < 4 / count**0.5
    assert abs(draws.var() - 1) < 4 * (2 / count) ** 0.5
    assert abs((draws**3).mean()) < 4 * (15 / count) ** 0.5
    assert abs((draws**4).mean() - 3) < 4 * (96 / count) ** 0.5


def test_independent_across_purposes_moments_and_neighbours() -> None:
    draws = {
        (purpose, moment): units(KEYS, purpose, moment)
        for purpose in PURPOSES
        for moment in (0, 1, 2, 24)
    }
    bound = 5 / COUNT**0.5
    for (_, one), (_, other) in itertools.combinations(draws.items(), 2):
        assert abs(np.corrcoef(one, other)[0, 1]) < bound
    for one in draws.values():
        assert abs(np.corrcoef(one[:-1], one[1:])[0, 1]) < bound
    every = np.concatenate(list(draws.values()))
    assert len(np.unique(every)) == len(every)


def test_seeds_are_independent_too() -> None:
    other = units(entity_keys(2, "2024", NAMES), Purpose.WAKE, 0)
    later = units(entity_keys(1, "2025", NAMES), Purpose.WAKE, 0)
    here = units(KEYS, Purpose.WAKE, 0)
    for each in (other, later):
        assert abs(np.corrcoef(here, each)[0, 1]) < 5 / COUNT**0.5


def test_numbers_stay_what_they_are() -> None:
    """A change of any of them changes every season that was ever published."""
    keys = entity_keys(1, "2024", ["PW00001", "market"])
    assert [int(key) for key in keys] == [KEY_1, KEY_2]
    assert unit(keys[0], Purpose.WAKE, 0) == UNIT
    assert unit(keys[1], Purpose.SESSION, -75) == UNIT_BEFORE
    assert bell(keys[0], Purpose.PRICE, 3) == pytest.approx(BELL, rel=1e-14)


def test_arrays_and_single_draws_are_the_same() -> None:
    for moment in (-3, 0, 5_000):
        singly = [unit(key, Purpose.ACT, moment) for key in KEYS[:50]]
        assert units(KEYS[:50], Purpose.ACT, moment).tolist() == singly
        normal = [bell(key, Purpose.ACT, moment) for key in KEYS[:50]]
        assert np.allclose(bells(KEYS[:50], Purpose.ACT, moment), normal, rtol=1e-14)
