"""Every scenario is played twice: on the exchange and on its slow twin."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from tests.scenarios.floor import Floor, open_floor

Market = Callable[..., Floor]


@pytest.fixture(params=["engine", "twin"])
def market(request: pytest.FixtureRequest) -> Market:
    """Opens a floor: ``market(accounts_table, vintages=…, rules=…, mode=…, day=…)``."""
    return partial(open_floor, request.param)
