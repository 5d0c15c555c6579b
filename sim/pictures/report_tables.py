"""The tables of a report: what was simulated, key figures, targets, compliance."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version

import numpy as np
import pandas as pd

from sim.pictures.facts_words import WORDINGS
from sim.pictures.page import paragraph, table
from sim.pictures.rules_words import rules_rows
from sim.pictures.sample import Observed, Sample, scenario_of
from sim.pictures.target_marks import rows_of_runs
from sim.results.facts import MT
from sim.results.score import PartScore, ScoreTable, TargetScore
from sim.scenario.model import Scenario

SCALED_UNITS = {"Mt", "bn CNY"}
PACKAGES = ("tanshi", "numpy", "numba", "pandas", "pyarrow", "matplotlib")
KEY_FACTS = (
    *("VOL", "VOL.turnover", "SPLIT.listed", "SPLIT.bulk", "SPLIT.auction", "BULK", "Q4", "DEC"),
    *("TOP10", "WPK", "NOBULK", "THIN", "P.start", "P.end", "P.low", "P.peak", "P.mean", "RUN20"),
    *("SD", "AC1", "ACABS", "BDMED", "BDVW", "LIM.upper", "LIM.lower", "PART", "PART.share"),
    *("DEF", "DEF.sum", "CCER", "CCER.users", "COMP", "COMP.rate"),
)
COUNTED = {"PART", "DEF", "CCER", "CCER.users", "COMP"}  # grow with the population


def runs_table(sample: Sample) -> str:
    """Seeds, hashes and counts: what names a run."""
    names = sorted({name for run in sample.runs for name in run.counts})
    head = ["seed", *names, "hash of the event log (SHA-256)"]
    rows = [
        [run.seed, *[f"{run.counts.get(name, 0):,}" for name in names], run.digest]
        for run in sample.runs
    ]
    return table(head, rows, numbers=range(len(names) + 1))


def population_table(scenario: Scenario | None) -> str:
    """Who there was, by sector; what was due; what old vintages were held."""
    if scenario is None:
        return paragraph(
            "The saved run does not hold its scenario, and no shipped season has its hash.", "note"
        )
    population = scenario.population
    rows = [
        (each.name, f"{each.entities:,}", f"{each.emissions_mt:,.1f}")
        for each in population.sectors
    ]
    due = [
        (
            *(each.year, ", ".join(each.sectors), f"{each.emissions_mt:,.1f}"),
            *(f"{100 * each.net_surplus_share:+.2f}", f"{100 * each.spread_share:.1f}"),
            *(", ".join(each.usable), each.deadline.isoformat()),
        )
        for each in scenario.obligations
    ]
    old = [(each.vintage, f"{each.total_mt:,.1f}") for each in population.old_holdings]
    groups = (
        f"{population.central_groups} central groups with {100 * population.central_share:.0f} % "
        f"of the entities each, {population.provincial_groups} provincial groups with "
        f"{100 * population.provincial_share:.0f} % together, the others independent."
    )
    heads = ["obligation", "owed by", "due, Mt", "net surplus, %", "spread, %", "met with", "by"]
    parts = [
        table(["sector", "entities", "emissions a year, Mt"], rows, numbers=(1, 2)),
        paragraph(groups),
        table(heads, due, numbers=(2, 3, 4)) if due else paragraph("Nothing is due."),
    ]
    if old:
        parts.append(table(["held from before", "Mt"], old, numbers=(1,)))
    return "\n".join(parts)


def rules_table(sample: Sample) -> str:
    """Rules in force on the first day, and every change during the season."""
    first, last = (pd.Timestamp(day).date() for day in sample.dates[[0, -1]])
    head = ["rule", "value", "changed on", "clauses", "certainty"]
    return table(head, rules_rows(first, last, scenario_of(sample.runs[0])))


def figures_table(sample: Sample, seen: Observed) -> str:
    """Key figures: median, 10 and 90 % over the runs, and what was observed."""
    found = sample.facts()
    many = len(found) > 1
    rows = []
    for fact in KEY_FACTS:
        said = WORDINGS[fact]
        values = np.array([each[fact] for each in found if fact in each])
        if not len(values):
            continue
        low, middle, high = (said.number(float(q)) for q in np.quantile(values, (0.1, 0.5, 0.9)))
        spread = [f"{low} to {high}"] if many else []
        rows.append([said.words, said.unit, middle, *spread, _observed(fact, seen)])
    measured = ["median", "10–90 %"] if many else ["this run"]
    head = ["figure", "unit", *measured, "observed"]
    return table(head, rows, numbers=range(2, len(head)))


def _observed(fact: str, seen: Observed) -> str:
    if fact not in seen.facts or (fact in COUNTED and seen.scale != 1.0):
        return "–"
    scale = seen.scale if WORDINGS[fact].unit in SCALED_UNITS else 1.0
    return WORDINGS[fact].number(scale * seen.facts[fact])


def refusals_table(sample: Sample) -> str:
    """Declarations that the exchange refused, by reason; medians over the runs."""
    counts = [
        run.orders.loc[run.orders["end"] == "refused", "reason"].value_counts()
        for run in sample.runs
    ]
    found = pd.DataFrame(counts).fillna(0.0).median()
    if found.empty:
        return paragraph("The exchange refused no declaration.")
    rows = sorted(((str(name), float(n)) for name, n in found.items()), key=lambda row: -row[1])
    shown = [(name, f"{number:,.0f}") for name, number in rows]
    return table(["refused for", "declarations (median)"], shown, numbers=(1,))


def targets_table(scored: ScoreTable, baselines: Mapping[str, ScoreTable]) -> str:
    """Every target of the simulated seasons: ok, outside or not scored, and why."""
    head = ["target", "verdict", "z", *[f"z, {name}" for name in baselines]]
    head += ["observed", "simulated", "10–90 %", "what", "part", "remark"]
    others = [{row.target.id: row for row in each.rows} for each in baselines.values()]
    rows: list[list[str]] = []
    classes: list[str] = []
    for row in rows_of_runs(scored):
        verdict = ("ok" if row.within else "outside") if row.scored else "not scored"
        kind = {"ok": "ok", "outside": "bad"}.get(verdict, "none")
        parts: Sequence[PartScore | None] = row.parts or [None]
        for at, part in enumerate(parts):
            lead = [row.target.id, verdict] if at == 0 else ["", ""]
            against = [_z_of(each.get(row.target.id)) if at == 0 else "" for each in others]
            z, *measured, label = _cells(part, row)
            told = [row.target.metric if at == 0 else "", label if len(parts) > 1 else ""]
            rows.append([*lead, z, *against, *measured, *told, _remark(part, row, at)])
            classes.append(kind)
    if not rows:
        return paragraph("No target is of a simulated season.")
    return table(head, rows, range(2, 6 + len(baselines)), classes)


def _z_of(row: TargetScore | None) -> str:
    return f"{row.z:+.2f}" if row and row.scored else "–"


def _cells(score: PartScore | None, row: TargetScore) -> list[str]:
    """z, observed, simulated, spread, label of a part."""
    if score is None:
        return ["", row.target.value, "", "", ""]
    part = score.part
    edges = [f"{edge:,.4g}" for edge in (part.low, part.high) if math.isfinite(edge)]
    observed = " to ".join(dict.fromkeys(edges))
    if len(edges) == 1:
        observed = f"{'at most' if math.isfinite(part.high) else 'at least'} {observed}"
    if score.reason:
        return ["", observed, "", "", part.label]
    spread = f"{score.p10:,.4g} to {score.p90:,.4g}" if score.runs > 1 else ""
    return [f"{score.z:+.2f}", observed, f"{score.simulated:,.4g}", spread, part.label]


def _remark(score: PartScore | None, row: TargetScore, at: int) -> str:
    found = [score.reason if score else row.reason, row.remark if at == 0 else ""]
    return "; ".join(filter(None, found))


def shares_table(scored: ScoreTable, baselines: Mapping[str, ScoreTable]) -> str:
    """Share within tolerance by season and use, of the runs and of each baseline."""
    rows = []
    for name, each in {"these runs": scored, **baselines}.items():
        for group in each.groups():
            if group.scored:
                share = f"{group.share:.0%}"
                numbers = (group.targets, group.scored, group.within, share)
                rows.append((name, group.season, group.use, *numbers))
    if not rows:
        return ""
    head = ["runs", "season", "use", "targets", "scored", "within", "share"]
    return table(head, rows, numbers=(3, 4, 5, 6))


SUMS = {
    "emissions_t": "due, Mt",
    "allocation_t": "allocated, Mt",
    "ccer_t": "offsets, Mt",
    "surrendered_t": "surrendered, Mt",
    "shortfall_t": "shortfall, Mt",
    "bought_t": "bought, Mt",
    "sold_t": "sold, Mt",
    "carried_t": "carried over, Mt",
    "expired_t": "expired, Mt",
}
MONEY = {
    "cost_cny": "net cost, M CNY",
    "penalty_low_cny": "fines at least, M CNY",
    "penalty_high_cny": "fines at most, M CNY",
}


def compliance_table(sample: Sample) -> str:
    """Sums by obligation and sector, medians over the runs."""
    frames = [_sums(run.compliance) for run in sample.runs]
    found = pd.concat([each for each in frames if len(each)]) if any(map(len, frames)) else None
    if found is None:
        return paragraph("Nothing was due in this season.")
    middle = found.groupby(level=[0, 1]).median()
    sectors = [f"{sector}, {year}" for year, sector in middle.index]
    rows = [
        [name, *[f"{value:,.0f}" for value in middle[name]]]
        for name in ("entities", "traded", "not in full compliance")
    ]
    for name, words in (SUMS | MONEY).items():
        rows.append([words, *[f"{value / MT:,.3f}" for value in middle[name]]])
    return table(["", *sectors], rows, numbers=range(1, 1 + len(sectors)))


def _sums(compliance: pd.DataFrame) -> pd.DataFrame:
    if "obligation" not in compliance.columns or compliance.empty:
        return pd.DataFrame()
    parts = [compliance]
    if compliance["sector"].nunique() > 1:
        parts.append(compliance.assign(sector="all"))
    whole = pd.concat(parts)
    grouped = whole.groupby(["obligation", "sector"], sort=True)
    sums = grouped[[*SUMS, *MONEY]].sum()
    sums["entities"] = grouped["entity"].nunique()
    sums["traded"] = grouped["traded"].sum()
    late = whole.assign(late=whole["late_t"] > 0).groupby(["obligation", "sector"], sort=True)
    sums["not in full compliance"] = late["late"].sum()
    return sums


def versions_table() -> str:
    """Packages that the page was made with."""
    rows = []
    for name in PACKAGES:
        try:
            rows.append((name, version(name)))
        except PackageNotFoundError:
            rows.append((name, "not installed as a package"))
    return table(["package", "version"], rows)


def behaviour_table(scenario: Scenario | None) -> str:
    """The behaviour parameters, one set for all seasons."""
    if scenario is None:
        return ""
    names = scenario.behaviour.__struct_fields__
    rows = [(name, f"{getattr(scenario.behaviour, name):g}") for name in names]
    return table(["behaviour parameter", "value"], rows, numbers=(1,))
