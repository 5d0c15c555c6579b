"""Orders are due as the arrival says, fixed by the seed; their mix and terms are as planned."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.load.arrivals import SECOND_NS, due_ns
from benchmarks.load.market import Market, prices
from benchmarks.load.orders import BUY, LIST, planned
from benchmarks.load.plan import KINDS, LoadError, Plan

PLAN = Plan(url="ws://x", orders_per_second=5000, seconds=20, warmup_s=0, seed=5)


def seconds(**changes: object) -> np.ndarray:
    found = due_ns(dataclasses.replace(PLAN, **changes)) / SECOND_NS  # type: ignore[arg-type]
    assert (np.diff(found) >= 0).all()
    return np.asarray(found)


def test_poisson_has_the_rate_and_the_gaps_of_a_poisson_process() -> None:
    found = seconds()
    assert len(found) == pytest.approx(100_000, abs=4 * 100_000**0.5)
    gaps = np.diff(found) * 5000
    assert gaps.mean() == pytest.approx(1, rel=0.02)
    assert gaps.std() == pytest.approx(1, rel=0.02)  # a constant arrival has 0
    assert (gaps > 3).mean() == pytest.approx(np.exp(-3), rel=0.05)
    per_second = np.histogram(found, bins=2000, range=(0, 20))[0]
    assert per_second.var() / per_second.mean() == pytest.approx(1, rel=0.15)


def test_constant_has_equal_gaps() -> None:
    found = seconds(arrival="constant")
    assert len(found) == 100_000
    assert np.diff(found) == pytest.approx(1 / 5000, rel=1e-4)


def test_bursts_come_at_once_and_keep_the_rate() -> None:
    found = seconds(arrival="bursts", burst_size=500)
    moments, sizes = np.unique(found, return_counts=True)
    assert set(sizes) == {500}
    assert np.diff(moments) == pytest.approx(0.1, rel=1e-6)
    assert len(found) == 100_000


def test_a_ramp_grows_evenly() -> None:
    found = seconds(arrival="ramp", ramp_from=1000)
    counts = np.histogram(found, bins=20, range=(0, 20))[0]
    wanted = np.linspace(1100, 4900, 20)
    assert counts == pytest.approx(wanted, rel=0.15)
    falling = np.histogram(seconds(arrival="ramp", ramp_from=9000), bins=20, range=(0, 20))[0]
    assert falling == pytest.approx(np.linspace(8900, 5100, 20), rel=0.15)


def test_the_warm_up_is_of_the_same_load() -> None:
    found = seconds(warmup_s=5)
    assert (found < 5).sum() == pytest.approx(25_000, rel=0.05)
    assert found.max() == pytest.approx(25, rel=0.01)


def test_one_seed_one_plan() -> None:
    def columns(seed: int) -> list[np.ndarray]:
        orders = planned(dataclasses.replace(PLAN, seed=seed))
        return [getattr(orders, field.name) for field in dataclasses.fields(orders)]

    first, again, other = columns(5), columns(5), columns(6)
    assert all(np.array_equal(*pair) for pair in zip(first, again, strict=True))
    assert not any(np.array_equal(*pair) for pair in zip(first, other, strict=True))


def test_mix_quantities_and_prices_are_as_planned() -> None:
    plan = dataclasses.replace(PLAN, mix={"list": 3, "cancel": 1}, clients=7, qty_min=2, qty_max=9)
    orders = planned(plan)
    share = {kind: (orders.kind == number).mean() for number, kind in enumerate(KINDS)}
    assert share["list"] == pytest.approx(0.75, abs=0.01)
    assert share["cancel"] == pytest.approx(0.25, abs=0.01)
    assert set(orders.client) == set(range(7))
    assert (orders.qty_tonnes.min(), orders.qty_tonnes.max()) == (2, 9)
    market = Market("CEA25", "morning", 8820, 10780, 9800)
    found = np.array(prices(orders, market))
    buys = orders.side == BUY
    reach = plan.reach * 980
    assert found[buys].max() == 9799
    assert found[~buys].min() == 9801
    assert 9799 - reach <= found.min() < 9790
    assert 9810 < found.max() <= 9801 + reach


@pytest.mark.parametrize(
    "changes",
    [
        {"arrival": "sometimes"},
        {"encoding": "xml"},
        {"mix": {"steal": 1.0}},
        {"mix": {}},
        {"orders_per_second": 0.0},
        {"orders_per_second": float("nan")},
        {"orders_per_second": 1e9},
        {"seconds": 0.0},
        {"clients": 0},
        {"qty_min": 0},
        {"reach": 0.0},
        {"arrival": "recorded"},
    ],
)
def test_a_plan_that_cannot_be_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(LoadError, match="bad_plan"):
        dataclasses.replace(PLAN, **changes).checked()  # type: ignore[arg-type]


def export(folder: Path) -> Path:
    """A recorded day of six commands, with lunch in the middle."""
    begin = pd.Timestamp("2026-01-05 01:30", tz="UTC")
    after_s = [0, 1, 1.5, 7200, 7201, 7202]
    rows = pd.DataFrame(
        {
            "date": 20260105,
            "time": [begin + pd.Timedelta(seconds=each) for each in after_s],
            "kind": ["list", "list", "take", "cancel", "open_day", "list"],
            "account": [0, 1, 2, 1, 0, 5],
            "instrument": ["CEA25", "CEA25", None, None, None, "CEA25"],
            "side": ["buy", "sell", None, None, None, "sell"],
            "price_ticks": [9700, 9800, 0, 0, 0, 9898],
            "qty_tonnes": [5, 6, 7, 0, 0, 8],
        }
    )
    rows["time"] = rows["time"].astype("datetime64[ns, UTC]")
    file = folder / "commands.parquet"
    rows.to_parquet(file)
    return file


def test_a_recorded_day_is_played_in_its_rhythm_and_scaled(tmp_path: Path) -> None:
    file = export(tmp_path)
    plan = Plan(
        url="ws://x", arrival="recorded", recorded=str(file), clients=3, seconds=60, warmup_s=0
    )
    as_it_was = planned(dataclasses.replace(plan, orders_per_second=0))
    assert (as_it_was.due_ns / SECOND_NS).tolist() == [0, 1, 1.5, 1.5, 3.5]  # lunch is left out
    assert [KINDS[kind] for kind in as_it_was.kind] == ["list", "list", "take", "cancel", "list"]
    assert as_it_was.client.tolist() == [0, 1, 2, 1, 2]
    assert as_it_was.qty_tonnes.tolist() == [5, 6, 7, 1, 8]
    assert as_it_was.away[as_it_was.kind == LIST] == pytest.approx([1 / 9.8, 0, 0.1], rel=1e-3)
    faster = planned(dataclasses.replace(plan, orders_per_second=8))
    assert faster.due_ns / SECOND_NS == pytest.approx(np.array([0, 1, 1.5, 1.5, 3.5]) / 7)
    with pytest.raises(LoadError, match="bad_recording"):
        planned(dataclasses.replace(plan, instrument="CEA99"))
