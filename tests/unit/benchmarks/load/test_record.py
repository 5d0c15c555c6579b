"""A record is read back as it was written; what is none is refused with a sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.load.plan import LoadError
from benchmarks.load.record import Record, decoded, encoded, histogram, latency, read, write


def test_a_record_is_read_as_it_was_written(sample: Record, tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    write(sample, file)
    assert read(file) == sample
    assert [each.name for each in tmp_path.iterdir()] == ["run.json"]


def test_percentiles_come_out_of_the_histogram_as_they_went_in() -> None:
    values_ns = np.arange(1, 100_001) * 1000  # 1 µs … 100 ms
    found = latency(decoded(encoded(histogram(values_ns))))
    for percent, value in ((50, found.p50), (99, found.p99), (99.9, found.p999)):
        assert value == pytest.approx(percent * 1000, rel=0.001)
    assert found.max == pytest.approx(100_000, rel=0.001)
    assert found.mean == pytest.approx(50_000, rel=0.001)


def test_times_beyond_the_histogram_count_at_its_ends() -> None:
    found = histogram([0, 10**13])
    assert found.get_total_count() == 2
    assert latency(found).max == pytest.approx(3.6e9, rel=0.001)


def test_what_is_no_record_is_refused(sample: Record, tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    with pytest.raises(LoadError, match="no_record"):
        read(file)
    file.write_text('{"load": 1}')
    with pytest.raises(LoadError, match="bad_record"):
        read(file)
    sample.load = 2
    write(sample, file)
    with pytest.raises(LoadError, match="version 2"):
        read(file)
