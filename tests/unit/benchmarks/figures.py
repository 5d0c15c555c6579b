"""What the figures of every question must look like."""

from __future__ import annotations

import json
from typing import Any


def well_formed(figures: dict[str, Any]) -> None:
    """Ratios and series as every question states them; all of it can be written as JSON."""
    json.dumps(figures, allow_nan=False)
    for name, one in figures["ratios"].items():
        assert set(one) == {"value", "better", "min", "max"}, name
        assert one["better"] in ("higher", "lower")
        assert 0 < one["min"] <= one["value"] <= one["max"], name
    for plot in figures["series"]:
        columns = [plot[axis] for axis in ("x", "y", "low", "high")]
        assert len({len(column) for column in columns}) == 1, plot["name"]
        assert all(0 < low <= y <= high for _, y, low, high in zip(*columns, strict=True))
        assert plot["x"] == sorted(plot["x"])
        assert {"name", "title", "x_label", "y_label", "log_x"} <= set(plot)
    names = [plot["name"] for plot in figures["series"]]
    assert len(set(names)) == len(names)
    common = {"benchmark", "warmup_s", "runs", "core", "peak_rss_mib", "machine", "seed"}
    assert common <= set(figures)
