"""``report(runs, path)``: one page of HTML that tells a season and needs nothing but itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from sim.pictures.gallery import PICTURES, TARGETS, TARGETS_TOLD, draw_all
from sim.pictures.page import page, paragraph, picture, section, text
from sim.pictures.report_tables import (
    behaviour_table,
    compliance_table,
    figures_table,
    population_table,
    refusals_table,
    rules_table,
    runs_table,
    shares_table,
    targets_table,
    versions_table,
)
from sim.pictures.sample import (
    Observed,
    Runs,
    Sample,
    Seen,
    is_own,
    observed_of,
    sample_of,
    scenario_of,
)
from sim.pictures.style import svg_of
from sim.results.score import ScoreTable, score
from sim.results.targets import SHIPPED, Target

Baselines = Mapping[str, Runs]
Sections = list[tuple[str, str, str]]


def report(
    runs: Runs,
    path: str | Path,
    observed: Seen = None,
    targets: str | Path | Sequence[Target] = SHIPPED,
    baselines: Baselines | None = None,
) -> Path:
    """Write the page of one or several runs of a season; return its path.

    ``observed``: the exchange's daily file. ``targets``: a targets file to score against.
    ``baselines``: runs of other models by name, scored in the same table. The same input gives the
    same bytes. Raises PictureError, ObservedFileError, TargetsFileError, OSError.
    """
    sample = sample_of(runs)
    seen = observed_of(sample, observed)
    daily = observed if isinstance(observed, str | Path) else None
    scored = score(list(sample.runs), targets, daily)
    others = {
        name: score(list(sample_of(each).runs), targets, daily)
        for name, each in (baselines or {}).items()
    }
    sections: Sections = []

    def add(name: str, title: str, *parts: str) -> None:
        sections.append((name, title, section(name, title, *parts)))

    add("figures", "Key figures", figures_table(sample, seen), _hint(seen))
    add("targets-table", "Targets", *_targets(scored, others))
    add("pictures", "Pictures", *_pictures(sample, seen, scored))
    add("compliance", "Compliance by sector", compliance_table(sample), _medians(sample))
    add("refused", "Refused declarations", refusals_table(sample))
    add("simulated", "What was simulated", *_simulated(sample))
    add("reproduce", "How to reproduce", *_reproduce(sample))
    title = f"Season {sample.runs[0].season}, {sample.seeds()}"
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(page(title, _lead(sample, scored), sections), encoding="utf-8")
    return target


def _lead(sample: Sample, scored: ScoreTable) -> str:
    scenario = scenario_of(sample.runs[0])
    days = f"{sample.dates[0]} to {sample.dates[-1]}, {len(sample.dates)} trading days"
    many = len(sample.runs)
    told = "one run" if many == 1 else f"{many} runs: medians, and the band from 10 to 90 %"
    words = f"{scenario.title}. " if scenario else ""
    verdict = (
        f" {scored.within} of {scored.scored} scored targets within tolerance."
        if scored.scored
        else " No target could be scored."
    )
    return paragraph(f"{words}Simulated from {days}; {told}.{verdict}")


def _hint(seen: Observed) -> str:
    return paragraph(seen.source().strip(), "note")


def _medians(sample: Sample) -> str:
    return paragraph("Medians over the runs.", "note") if len(sample.runs) > 1 else ""


def _targets(scored: ScoreTable, others: Mapping[str, ScoreTable]) -> list[str]:
    shown = [row for row in scored.rows if any(year in scored.runs for year in row.target.years)]
    left = len(scored.rows) - len(shown)
    parts = [
        paragraph(
            "z = (median over the runs - observed) / tolerance; a target is met where |z| is at "
            "most 1. Of several parts the one farthest away decides. Targets that fail and those "
            "that could not be scored are listed as well."
        ),
        shares_table(scored, others),
        targets_table(scored, others),
    ]
    parts += [
        paragraph(
            f"Cumulative volume {each.year}: {each.mean_curve:.1f} trading days from the observed "
            f"curve (mean of the runs), {each.median_run:.1f} (median run), of {each.days}."
        )
        for each in scored.distances
    ]
    if left:
        parts.append(paragraph(f"{left} targets of other seasons are not listed.", "note"))
    return parts


def _pictures(sample: Sample, seen: Observed, scored: ScoreTable) -> list[str]:
    parts = []
    for name, figure in draw_all(sample, seen, scored):
        told = TARGETS_TOLD if name == TARGETS else PICTURES[name].told
        title = figure.get_suptitle()
        parts.append(picture(svg_of(figure), name, title, told))
    return parts


def _simulated(sample: Sample) -> list[str]:
    run = sample.runs[0]
    scenario = scenario_of(run)
    hashes = sorted({each.scenario_hash for each in sample.runs})
    parts = [
        f"<p>Season {text(run.season)}; hash of the scenario: "
        + ", ".join(f"<code>{text(each)}</code>" for each in hashes)
        + "</p>",
        runs_table(sample),
        "<h3>Population</h3>",
        population_table(scenario),
        "<h3>Rules in force on the first day, and their changes</h3>",
        rules_table(sample),
    ]
    if scenario is not None:
        parts += ["<h3>Behaviour</h3>", behaviour_table(scenario)]
    return parts


def _reproduce(sample: Sample) -> list[str]:
    """Commands and Python, for the shipped season or for a scenario of the user's own."""
    run = sample.runs[0]
    own = is_own(run)
    name = "SCENARIO.toml" if own else run.season
    seeds = [each.seed for each in sample.runs]
    in_a_row = seeds == list(range(seeds[0], seeds[0] + len(seeds)))
    commands = (
        [f"tanshi season {name} --seeds {seeds[0]}..{seeds[-1]} --report report.html"]
        if in_a_row and len(seeds) > 1
        else [f"tanshi season {name} --seed {seed} --report report.html" for seed in seeds]
    )
    python = (
        "from sim.scenario.reading import load\n"
        "from sim.simulation import simulate\n"
        f'run = simulate(load("{name}"), seed={run.seed})\n'
        f'assert run.digest == "{run.digest}"\n'
    )
    told = "The same scenario and seed give the same hash on any machine."
    if own:
        told += (
            f" The scenario of these runs is not the season {run.season} as it ships: it has a"
            " file of its own, or values were changed, or the shipped one is of another version."
            " SCENARIO.toml stands for it; the hash of the scenario tells whether it is the same."
        )
    return [
        f"<pre>{text(chr(10).join(commands))}</pre>",
        f"<pre>{text(python)}</pre>",
        paragraph(told),
        paragraph("This page was made with:", "note"),
        versions_table(),
    ]
