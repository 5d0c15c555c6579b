"""The score as JSON for programs and as tables for people.

JSON (``as_json``): ``schema``; ``runs`` {season: count}; ``targets``, ``scored``, ``within``,
``share`` (of those scored); ``worst`` [{id, z, part}], the worst first; ``groups`` [{season, use,
targets, scored, within, share}]; ``wasserstein`` [{season, days, mean_curve, median_run}], trading
days, empty without an observed daily file; ``rows``, one per target in the order of the file: id,
season, use, metric, value, tolerance (as written), z, within, part (the one whose z it is), reason
(why not scored, else ""), remark, and ``parts`` [{label, fact, observed_low, observed_high,
tolerance_below, tolerance_above, first_day, last_day, simulated, p10, p90, runs, z, reason}].
Numbers that do not exist, or are infinite, are null. Shares are fractions, volumes Mt, prices
CNY/t.
"""

from __future__ import annotations

import math
from typing import Any

from rich.console import Console
from rich.table import Table

from sim.results.observed import SOURCE
from sim.results.score import PartScore, ScoreTable, TargetScore

SCHEMA = "tanshi-score-1"


def as_json(table: ScoreTable) -> dict[str, Any]:
    """The score as plain values for ``json.dumps``; the shape stands at the head of this module."""
    return {
        "schema": SCHEMA,
        "runs": {str(year): count for year, count in table.runs.items()},
        "targets": len(table.rows),
        "scored": table.scored,
        "within": table.within,
        "share": _number(table.share),
        "worst": [
            {"id": row.target.id, "z": _number(row.z), "part": row.decisive}
            for row in table.worst()
        ],
        "groups": [
            {
                "season": group.season,
                "use": group.use,
                "targets": group.targets,
                "scored": group.scored,
                "within": group.within,
                "share": _number(group.share),
            }
            for group in table.groups()
        ],
        "wasserstein": [
            {
                "season": str(each.year),
                "days": each.days,
                "mean_curve": each.mean_curve,
                "median_run": each.median_run,
            }
            for each in table.distances
        ],
        "rows": [_row(row) for row in table.rows],
    }


def _row(row: TargetScore) -> dict[str, Any]:
    target = row.target
    return {
        "id": target.id,
        "season": target.season,
        "use": target.use,
        "metric": target.metric,
        "value": target.value,
        "tolerance": target.tolerance,
        "z": _number(row.z),
        "within": row.within if row.scored else None,
        "part": row.decisive,
        "reason": row.reason,
        "remark": row.remark,
        "parts": [_part(part) for part in row.parts],
    }


def _part(score: PartScore) -> dict[str, Any]:
    part = score.part
    first, last = part.window or (None, None)
    return {
        "label": part.label,
        "fact": part.fact,
        "observed_low": _number(part.low),
        "observed_high": _number(part.high),
        "tolerance_below": _number(part.below),
        "tolerance_above": _number(part.above),
        "first_day": None if first is None else str(first),
        "last_day": None if last is None else str(last),
        "simulated": _number(score.simulated),
        "p10": _number(score.p10),
        "p90": _number(score.p90),
        "runs": score.runs,
        "z": _number(score.z),
        "reason": score.reason,
    }


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def print_score(table: ScoreTable, console: Console) -> None:
    """Write the table of targets, the summary by season and use, the worst, the distances."""
    console.print(rows_table(table))
    console.print(groups_table(table))
    worst = ", ".join(f"{row.target.id} (z {row.z:+.1f})" for row in table.worst())
    console.print(f"Worst: {worst or 'none scored'}", highlight=False)
    for each in table.distances:
        console.print(
            f"Cumulative volume {each.year}: {each.mean_curve:.1f} trading days from the observed "
            f"curve (mean of the runs), {each.median_run:.1f} (median run), of {each.days}",
            highlight=False,
        )
    console.print(f"Observed: {SOURCE}; targets as named in the file.", highlight=False)


def rows_table(table: ScoreTable) -> Table:
    """One line a part: what was observed, what was simulated, z; the target's verdict in front."""
    runs = ", ".join(f"{year}: {count}" for year, count in table.runs.items())
    shown = Table(title=f"Targets (median of the runs; runs {runs})", title_justify="left")
    for name in ("target", "", "part", "observed", "simulated", "10-90 %", "z", "remark"):
        shown.add_column(name, justify="right" if name in {"simulated", "z"} else "left")
    for row in table.rows:
        verdict = ("ok" if row.within else "outside") if row.scored else "not scored"
        if not row.parts:
            shown.add_row(row.target.id, verdict, "", row.target.value, "", "", "", row.reason)
        for at, part in enumerate(row.parts):
            first = (row.target.id, verdict) if at == 0 else ("", "")
            remark = "; ".join(filter(None, [part.reason, row.remark if at == 0 else ""]))
            shown.add_row(*first, *_cells(part), remark)
    return shown


def _cells(score: PartScore) -> tuple[str, str, str, str, str]:
    part = score.part
    edges = [edge for edge in dict.fromkeys((part.low, part.high)) if math.isfinite(edge)]
    observed = " to ".join(_short(edge) for edge in edges)
    if len(edges) == 1 and part.low != part.high:
        observed = f"{'at most' if part.high == edges[0] else 'at least'} {observed}"
    if score.reason:
        return part.label, observed, "", "", ""
    spread = f"{_short(score.p10)} to {_short(score.p90)}"
    return part.label, observed, _short(score.simulated), spread, f"{score.z:+.2f}"


def _short(value: float) -> str:
    return f"{value:.4g}" if abs(value) < 1000 else f"{value:,.0f}"


def groups_table(table: ScoreTable) -> Table:
    """Share within tolerance by season and use."""
    shown = Table(title="Within tolerance", title_justify="left")
    for name in ("season", "use", "targets", "scored", "within", "share"):
        shown.add_column(name, justify="left" if name in {"season", "use"} else "right")
    for group in table.groups():
        share = f"{group.share:.0%}" if group.scored else "-"
        counts = (str(group.targets), str(group.scored), str(group.within))
        shown.add_row(group.season, group.use, *counts, share)
    total = f"{table.share:.0%}" if table.scored else "-"
    shown.add_section()
    shown.add_row("all", "", str(len(table.rows)), str(table.scored), str(table.within), total)
    return shown
