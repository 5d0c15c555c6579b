"""Seeds and hypothesis profiles.

``TANSHI_SEED`` shifts every seeded test (default 1); a failure prints the seed it ran with.
``HYPOTHESIS_PROFILE=nightly`` looks for new examples instead of repeating the same ones.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, Phase, settings

SEED = int(os.environ.get("TANSHI_SEED", "1"))

_SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
_BASE = settings(deadline=None, print_blob=True, suppress_health_check=_SLOW)
settings.register_profile("default", _BASE, max_examples=120, derandomize=True)
settings.register_profile("nightly", _BASE, max_examples=2_000)
settings.register_profile("quick", _BASE, max_examples=5, phases=[Phase.generate])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def pytest_report_header(config: pytest.Config) -> str:
    """Name the seed, so that a red run can be repeated."""
    return f"seed: TANSHI_SEED={SEED}"


@pytest.fixture(scope="session")
def base_seed() -> int:
    """The number that every seeded test adds its own to."""
    return SEED
