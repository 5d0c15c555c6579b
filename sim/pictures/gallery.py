"""Every picture of a season under its name, and all of them into a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from matplotlib.figure import Figure

from sim.pictures.bulk import bulk_discount
from sim.pictures.completion import completion
from sim.pictures.holdings import holdings_by_vintage
from sim.pictures.limits import limit_days
from sim.pictures.partners import group_internal, who_traded_with_whom
from sim.pictures.prices import monthly_volume, price_and_volume
from sim.pictures.returns import returns
from sim.pictures.sample import Runs, Seen, observed_of, sample_of
from sim.pictures.style import write
from sim.pictures.target_marks import rows_of_runs, targets
from sim.pictures.volumes import cumulative_volume
from sim.results.score import ScoreTable, score
from sim.results.targets import SHIPPED, Target

TARGETS = "targets"


class Picture(NamedTuple):
    """``draw(runs, observed)``; ``told``: one sentence that says how it is read."""

    draw: Callable[[Runs, Seen], Figure]
    told: str


PICTURES = {
    "price_and_volume": Picture(
        price_and_volume,
        "The composite close of each day and the volume of each week by modality; numbered lines "
        "are the policy events listed below.",
    ),
    "monthly_volume": Picture(
        monthly_volume, "Tonnes a month by modality, simulated beside observed where it is known."
    ),
    "cumulative_volume": Picture(
        cumulative_volume,
        "How the season's volume adds up: the steeper, the busier. Left in tonnes, right as a "
        "share of the whole season.",
    ),
    "bulk_discount": Picture(
        bulk_discount,
        "Left of zero bulk trades are cheaper than listed ones. Transfers within a group may lie "
        "near the lower limit.",
    ),
    "returns": Picture(
        returns,
        "Daily changes of the composite close: when they were large, how they are distributed and "
        "whether one day tells of the next.",
    ),
    "holdings_by_vintage": Picture(
        holdings_by_vintage,
        "Who holds how much of each vintage at the end of each month, and after the surrender.",
    ),
    "who_traded_with_whom": Picture(
        who_traded_with_whom,
        "Tonnes by kind of seller (rows) and buyer (columns); the darker, the larger the share of "
        "the modality.",
    ),
    "group_internal": Picture(
        group_internal, "How much of the volume moved between members of one group."
    ),
    "limit_days": Picture(
        limit_days, "Days on which a listed trade was made at the day's upper or lower limit."
    ),
    "completion": Picture(
        completion,
        "How much of the obligation was met at the deadline, and by how many it was not.",
    ),
}
TARGETS_TOLD = "How far each target is from what was observed, counted in tolerances."


def draw_all(
    runs: Runs, observed: Seen = None, table: ScoreTable | None = None
) -> Iterator[tuple[str, Figure]]:
    """Every picture with its name, one at a time; that of the targets if ``table`` has any."""
    sample = sample_of(runs)
    seen = observed_of(sample, observed)
    for name, picture in PICTURES.items():
        yield name, picture.draw(sample, seen)
    if table is not None and rows_of_runs(table):
        yield TARGETS, targets(table)


def save_all(
    runs: Runs,
    folder: str | Path,
    observed: Seen = None,
    targets_file: str | Path | Sequence[Target] = SHIPPED,
) -> list[Path]:
    """Write every picture as PNG and SVG into ``folder``; return the files.

    ``observed``: path of the exchange's daily file. ``targets_file``: what the runs are scored
    against. Raises PictureError, ObservedFileError, TargetsFileError.
    """
    sample = sample_of(runs)
    table = score(list(sample.runs), targets_file)
    files: list[Path] = []
    for name, figure in draw_all(sample, observed, table):
        files += write(figure, Path(folder), name)
    return files
