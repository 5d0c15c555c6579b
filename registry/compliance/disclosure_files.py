"""A year's disclosure as files: one CSV or Parquet file a part (CP-39)."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from registry.compliance.disclosure import PARTS, Disclosure
from registry.errors import RefusalError

FORMATS = ("csv", "parquet")


def write(found: Disclosure, folder: Path, form: str) -> list[Path]:
    """Write ``annual``, ``provinces``, ``sectors``, ``entities`` into a folder; return the files.

    A file gets its name once it is whole. RefusalError format_invalid.
    """
    if form not in FORMATS:
        raise RefusalError("format_invalid", f"{form!r} is none of {', '.join(FORMATS)}.")
    folder.mkdir(parents=True, exist_ok=True)
    year = found.annual.year
    files = []
    for part in PARTS:
        file = folder / f"disclosure-{year}-{part}.{form}"
        unfinished = file.with_suffix(f".{form}.part")
        (_csv if form == "csv" else _parquet)(unfinished, found.rows(part))
        files.append(unfinished.replace(file))
    return files


def _csv(file: Path, rows: list[dict[str, Any]]) -> None:
    with file.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _parquet(file: Path, rows: list[dict[str, Any]]) -> None:
    import pyarrow as pa  # takes its time, and few ask for a year's disclosure
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pylist(rows), file, compression="zstd")
