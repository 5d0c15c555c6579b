"""The tables of docs/explanation/season-model.md and docs/reference/season.md, made from the code.

``python -m tests.unit.sim.season_tables --write`` puts them between their marks; without it they
are printed. ``--scores RUNS [--daily FILE]`` scores saved runs of the seasons, keeps the result
with the hashes of the scenarios they were made with as docs/results/season-score.json;
``--identify`` measures which parameters can be told apart (minutes) and keeps that beside it. Both
write the pages.
"""

from __future__ import annotations

import argparse
import ast
import datetime as dt
import inspect
import json
import math
import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import typer

import sim
from sim.ensemble.bounds import SHIPPED, Bound, given_of, read_bounds
from sim.ensemble.identifying import FAINT
from sim.results.run import RUN_FILE, Run
from sim.results.score import score
from sim.results.score_report import as_json
from sim.results.targets import SHIPPED as TARGETS
from sim.results.targets import read_targets
from sim.scenario.identity import scenario_hash
from sim.scenario.model import Behaviour, Scenario
from sim.scenario.reading import load, season_names
from sim.season.minds import urgency
from sim.season.news import News
from sim.season.position import Books
from sim.season.season import trading_days
from tanshi import app
from tests.unit.sim.scenario_keys import comments

ROOT = Path(__file__).parents[3]
MODEL = ROOT / "docs/explanation/season-model.md"
REFERENCE = ROOT / "docs/reference/season.md"
SCORES = ROOT / "docs/results/season-score.json"
IDENTIFIED = ROOT / "docs/results/season-identify.json"
HIDDEN = (  # parameters whose effects may be alike
    *("reluctance", "inactive_share", "theta_median_days", "urgency_width_days"),
    *("mood_sd", "price_noise"),
)
MARK = "<!-- {name}: made from the records -->\n"
END = "<!-- end -->\n"
EDGE = 0.01  # of a bound's range: a value that near to its end is called at the end
CONSTANTS_OF = (
    *("people", "position", "minds", "banking", "bargains", "desks", "news"),
    *("offsetting", "bidding"),
)
NO_CHOICE = {"SLOTS", "BULK_MIN_T", "HUNDRED_KT", "FAR_DAYS"}  # rules, and a mark for "none"
WAIT_DAYS = (120, 60, 30, 20, 14, 10, 7, 5, 3, 1, 0)
UNITS = (  # the end or the whole of a name, and what it is in
    (r"_cny_t$", "CNY/t"),
    (r"_per_cny$", "per CNY/t"),
    (r"_cny$", "CNY/t"),
    (r"_days$", "days"),
    (r"(_t|chunk_median_t)$", "t"),
    (r"^(wakes_per_day|wake_urgent)$", "a day"),
    (r"^(bid_|price_noise|mood_sd|reluctance|learning$|seller_squeeze)", "log price"),
    (r"^(.*news_share|size_discount|idle_gain)$", "log price"),
    (r"^seller_gain$", "per log price"),
    (r"^(hazard_|listed_base|sell_hazard|listed_share|offer_base|session_share)", "chance"),
    (r"^seller_(pressure|learning)|_(share|decay|part|weight|memory|rate|netting)$", "0 to 1"),
    (r"^year_end_urgency$", "0 to 1"),
)


def unit(name: str) -> str:
    """Return what a behaviour parameter is measured in; "" = a pure number."""
    return next((word for pattern, word in UNITS if re.search(pattern, name)), "")


def standing(value: float, bound: Bound | None) -> str:
    """Return a remark where a value stands at or beyond an end of its bounds."""
    if bound is None:
        return ""
    if not bound.low <= value <= bound.high:
        return " **outside**"
    place = bound.place(value)
    return " **at an end**" if min(place, 1.0 - place) < EDGE else ""


def parameters() -> str:
    """Return every behaviour parameter: value, standing, bounds, unit, meaning."""
    bounds, given = read_bounds(SHIPPED, forgiving=True), given_of()
    values, told = msgspec.structs.asdict(load("2024").behaviour), comments(Behaviour)
    rows = ["| parameter | value | unit | is | bounds | meaning |", "|---|---|---|---|---|---|"]
    for name, value in values.items():
        bound = bounds.get(name)
        ends = f"{bound.low:g} to {bound.high:g}" if bound else ""
        why = f"given: {given[name]}" if name in given else "set by hand, never searched"
        status = "calibrated" if bound else why
        meaning = told[name].replace("|", "/")
        ends += standing(value, bound)
        rows.append(f"| `{name}` | {value:g} | {unit(name)} | {status} | {ends} | {meaning} |")
    return "\n".join(rows) + "\n"


def constants() -> str:
    """Return the numbers that the files of behaviour write at their top, with their comments."""
    rows = ["| constant | value | in | meaning |", "|---|---|---|---|"]
    for module in CONSTANTS_OF:
        text = (ROOT / f"sim/season/{module}.py").read_text(encoding="utf-8")
        lines = text.splitlines()
        for node in ast.parse(text).body:
            if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
                continue
            value = node.value.value if isinstance(node.value, ast.Constant) else None
            name = node.targets[0].id
            if isinstance(value, int | float) and name not in NO_CHOICE:
                meaning = lines[node.lineno - 1].partition("#")[2].strip(" …,")
                rows.append(f"| `{name}` | {value:,} | `{module}` | {meaning} |")
    return "\n".join(rows) + "\n"


def urgency_table() -> str:
    """Return what an entity with the median theta does, by calendar days to its date."""
    behaviour = load("2024").behaviour
    rows = [
        "| days to the date | urgency | looks a day | acts: bulk | acts: listed (small need) |",
        "|---|---|---|---|---|",
    ]
    for days in WAIT_DAYS:
        theta, width = behaviour.theta_median_days, behaviour.urgency_width_days
        pressing = float(urgency(np.array(float(days)), np.array(theta), width))
        looks = behaviour.wakes_per_day + behaviour.wake_urgent * pressing
        urgent = behaviour.hazard_urgent * pressing
        chances = (behaviour.hazard_base + urgent, behaviour.listed_base + urgent)
        bulk, listed = (1.0 - math.exp(looks * math.log1p(-min(h, 0.999))) for h in chances)
        rows.append(f"| {days} | {pressing:.3f} | {looks:.2f} | {bulk:.2%} | {listed:.2%} |")
    return "\n".join(rows) + "\n"


def targets_table() -> str:
    """Return how many targets each season has, by what they are used for."""
    counts: dict[tuple[str, str], list[str]] = {}
    for each in read_targets(TARGETS):
        counts.setdefault((each.season, each.use), []).append(each.id.partition("-")[0])
    rows = ["| season | use | targets | which |", "|---|---|---|---|"]
    rows += [
        f"| {season} | {use} | {len(names)} | {', '.join(names)} |"
        for (season, use), names in counts.items()
    ]
    return "\n".join(rows) + "\n"


def horizon_table() -> str:
    """Return on how many days of each season no deadline lies within a year, or is published."""
    rows = [
        "| season | trading days | no deadline within a year | no deadline published |",
        "|---|---|---|---|",
    ]
    for name in season_names():
        scenario = load(name)
        days = trading_days(scenario.first_day, scenario.last_day)
        far = sum(_horizon(scenario, day) < 1.0 for day in days)
        silent = sum(
            not any(
                each.deadline_published <= day <= each.deadline for each in scenario.obligations
            )
            for day in days
        )
        rows.append(f"| {name} | {len(days)} | {far} | {silent} |")
    return "\n".join(rows) + "\n"


def _horizon(scenario: Scenario, day: dt.date) -> float:
    """Return the factor on hazards of a day, as the season's own news would give it."""
    settled = [each.deadline < day for each in scenario.obligations]
    news = News.__new__(News)  # its horizon needs the scenario alone, no population
    news.scenario, news.behaviour = scenario, scenario.behaviour
    none = np.zeros((len(settled), 0), np.int64)
    return news.horizon(day, Books(none, none, settled))


def scores() -> str:
    """Return the committed score, or how to make it while there is none."""
    if not SCORES.exists():
        return (
            "No score is committed. `tanshi season SEASON --seeds 1..30 --out runs` for 2021, 2022 "
            "and 2024, then\n`python -m tests.unit.sim.season_tables --scores runs`.\n"
        )
    return score_text(json.loads(SCORES.read_text(encoding="utf-8")))


def score_text(document: Mapping[str, Any]) -> str:
    """Return the tables of a score document (``tanshi score --json``, with scenario hashes)."""
    runs = ", ".join(f"{year}: {count}" for year, count in document["runs"].items())
    lines = [f"Median of the runs ({runs}). {_whose(document.get('scenarios', {}))}", ""]
    lines += ["| season | use | targets | scored | within | share |", "|---|---|---|---|---|---|"]
    for group in document["groups"]:
        if group["scored"]:
            cells = (group[key] for key in ("season", "use", "targets", "scored", "within"))
            lines.append(f"| {' | '.join(map(str, cells))} | {group['share']:.0%} |")
    for each in document["wasserstein"]:
        lines.append(
            f"\nCumulative volume of {each['season']}: {each['mean_curve']:.1f} trading days from "
            f"the observed curve, of {each['days']}."
        )
    head = "| target | use | part | observed | simulated | 10–90 % | z | |"
    lines += ["", head, "|---|---|---|---|---|---|---|---|"]
    for row in document["rows"]:
        lines += [_score_row(row, part) for part in row["parts"] if part["z"] is not None]
    left = [f"`{row['id']}` ({row['reason']})" for row in document["rows"] if row["reason"]]
    lines += ["", f"Not scored: {'; '.join(left) or 'none'}."]
    return "\n".join(lines) + "\n"


def _whose(hashes: Mapping[str, str]) -> str:
    """Say whether a score was made with the scenarios and parameters that are shipped now."""
    if not hashes:
        return "With which parameters is not recorded."
    other = [name for name, digest in hashes.items() if digest != scenario_hash(load(name))]
    if other:
        return (
            f"**Made with other scenarios or parameters than those shipped: {', '.join(other)}.**"
        )
    return "Made with the scenarios and parameters shipped."


def _score_row(row: Mapping[str, Any], part: Mapping[str, Any]) -> str:
    low, high = part["observed_low"], part["observed_high"]
    edges = [_short(edge) for edge in dict.fromkeys((low, high)) if edge is not None]
    spread = f"{_short(part['p10'])} to {_short(part['p90'])}"
    verdict = "" if abs(part["z"]) <= 1 else "outside"
    cells = (row["id"], row["use"], part["label"], " to ".join(edges), _short(part["simulated"]))
    return f"| {' | '.join(cells)} | {spread} | {part['z']:+.2f} | {verdict} |"


def _short(value: float) -> str:
    return f"{value:.4g}" if abs(value) < 1000 else f"{value:,.0f}"


def identified() -> str:
    """Return the committed identification, or how to make it while there is none."""
    if not IDENTIFIED.exists():
        return "Not measured yet: `python -m tests.unit.sim.season_tables --identify`.\n"
    return identified_text(json.loads(IDENTIFIED.read_text(encoding="utf-8")))


def identified_text(document: Mapping[str, Any]) -> str:
    """Return the tables of an identification document (``identification``)."""
    own = document["behaviour"] == msgspec.structs.asdict(load("2024").behaviour)
    whose = "" if own else " **With other parameters than those shipped.**"
    lines = [
        f"Measured with {document['share']:g} of the entities of 2021 and 2024, "
        f"{document['trials']} trials.{whose} `trace`: the largest change of a fact, in its own "
        "spread over seeds, when the parameter moves by a tenth of its bounds; below 1 it is lost "
        "in chance. `error`: found less true, as a share of the bounds.",
        "",
        "| parameter | true | found | error | trace |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| `{each['name']}` | {each['true']:.3g} | {each['found']:.3g} | {each['error']:+.0%} "
        f"| {each['trace']:.1f} |"
        for each in document["parameters"]
    ]
    faint = [f"`{each['name']}`" for each in document["parameters"] if each["trace"] < FAINT]
    lines += ["", f"Lost in chance: {', '.join(faint) or 'none'}."]
    for key, words in (("alike", "Parallel effects (cosine)"), ("tied", "Go together (rank)")):
        found = [f"`{a}` and `{b}` {value:+.2f}" for a, b, value in document[key]]
        lines += ["", f"{words}: {', '.join(found) or 'none at 0.9 or above'}."]
    return "\n".join(lines) + "\n"


def identification(names: Sequence[str] = HIDDEN, trials: int = 20, share: float = 0.1) -> Any:
    """Return what ``sim.identify`` finds, with the parameters that it was made with."""
    found = sim.identify(names, trials=trials, share=share, jobs=1)
    return {
        "behaviour": msgspec.structs.asdict(load("2024").behaviour),
        "share": share,
        "trials": found.trials,
        "loss": found.loss,
        "loss_true": found.loss_true,
        "parameters": [asdict(each) for each in found.parameters],
        "alike": found.alike,
        "tied": found.tied,
    }


def options() -> str:
    """Return every argument and option of the commands that are about seasons."""
    commands: Mapping[str, Any] = vars(typer.main.get_command(app))["commands"]
    own = {k: v for k, v in commands.items() if _module(v).startswith("sim.commands.")}
    parts = []
    for name, command in own.items():
        rows = ["| option | default | meaning |", "|---|---|---|"]
        rows += [_option(each) for each in command.params if each.name != "help"]
        about = str(command.help).split("\n\n")[0].replace("\n", " ")
        parts.append("\n".join([f"### `tanshi {name}`", "", about, "", *rows]))
    return "\n\n".join(parts) + "\n"


def _module(command: Any) -> str:
    return str(getattr(command.callback, "__module__", ""))  # a group of commands has none


def _option(each: Any) -> str:
    option = each.param_type_name == "option"
    named = str(each.opts[0] if option else each.metavar or each.name).replace("|", " or ")
    usual = each.default
    if isinstance(usual, bool):
        usual = "on" if usual else "off"
    empty = usual is None or callable(usual) or usual in ((), "")
    default = "needed" if each.required else ("" if empty else f"`{usual}`")
    meaning = str(getattr(each, "help", "") or "").replace("|", "/").replace("\n", " ")
    return f"| `{named}` | {default} | {meaning} |"


def interface() -> str:
    """Return the signature and the first paragraph of everything that ``sim`` offers."""
    parts = []
    for name in sorted(sim.__all__):
        item = getattr(sim, name)
        about = (inspect.getdoc(item) or "").split("\n\n")[0].replace("``", "`")
        where = f"{item.__module__}.{item.__name__}"
        shown = f"class {name}" if inspect.isclass(item) else f"def {name}{_signature(item)}"
        parts.append(f"**`sim.{name}`** (`{where}`)\n\n```py\n{shown}\n```\n\n{about}")
    return "\n\n".join(parts) + "\n"


def _signature(item: Callable[..., Any]) -> str:
    """Return a signature on several lines, types and defaults as the source has them."""
    node = ast.parse(textwrap.dedent(inspect.getsource(item))).body[0]
    assert isinstance(node, ast.FunctionDef)
    assert node.returns is not None
    given = node.args
    plain = [None] * (len(given.args) - len(given.defaults)) + list(given.defaults)
    named = [_argument(*each) for each in zip(given.args, plain, strict=True)]
    named += ["*"] if given.kwonlyargs else []
    named += [_argument(*each) for each in zip(given.kwonlyargs, given.kw_defaults, strict=True)]
    named += [f"**{_argument(given.kwarg, None)}"] if given.kwarg else []
    lines = [f"    {each}," for each in named]
    return "\n".join(["(", *lines, f") -> {ast.unparse(node.returns)}"])


def _argument(each: ast.arg, default: ast.expr | None) -> str:
    assert each.annotation is not None
    said = f"{each.arg}: {ast.unparse(each.annotation)}"
    return said if default is None else f"{said} = {ast.unparse(default)}"


TABLES: dict[Path, dict[str, Callable[[], str]]] = {
    MODEL: {
        "parameters": parameters,
        "constants": constants,
        "urgency": urgency_table,
        "targets": targets_table,
        "horizon": horizon_table,
        "identified": identified,
        "scores": scores,
    },
    REFERENCE: {"options": options, "interface": interface},
}


def shown(name: str, page: str) -> str:
    """Return what a page has between the marks of a table."""
    return page.split(MARK.format(name=name), 1)[1].split(END, 1)[0]


def renewed(page: str, tables: Mapping[str, Callable[[], str]]) -> str:
    """Return a page with every table made anew."""
    for name, made in tables.items():
        before, mark, rest = page.partition(MARK.format(name=name))
        assert mark, f"the page has no mark of {name}"
        page = before + mark + made() + END + rest.partition(END)[2]
    return page


def write_pages() -> None:
    """Write every table of both pages."""
    for page, tables in TABLES.items():
        page.write_text(renewed(page.read_text(encoding="utf-8"), tables), encoding="utf-8")


def scored(runs: Path, daily: Path | None) -> dict[str, Any]:
    """Return the score document of saved runs, with the hash of each season's scenario."""
    hashes: dict[str, set[str]] = {}
    for file in sorted(runs.rglob(RUN_FILE)):
        run = Run.load(file.parent)
        hashes.setdefault(run.season, set()).add(run.scenario_hash)
    several = [name for name, found in hashes.items() if len(found) > 1]
    if several:
        raise SystemExit(f"{runs}: runs of more than one scenario of {', '.join(several)}")
    document = as_json(score(runs, TARGETS, daily))
    return document | {"scenarios": {name: found.pop() for name, found in hashes.items()}}


def keep(file: Path, document: Any) -> None:
    """Write a document into docs/results."""
    file.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(document, indent=1, ensure_ascii=False)
    file.write_text(text + "\n", encoding="utf-8")


def main() -> None:
    """Print or write the tables."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--write", action="store_true", help="write the pages")
    asked.add_argument("--scores", type=Path, metavar="RUNS", help="score saved runs and keep it")
    asked.add_argument("--identify", action="store_true", help="measure what can be told apart")
    asked.add_argument("--daily", type=Path, help="the exchange's daily file")
    chosen = asked.parse_args()
    if chosen.scores:
        keep(SCORES, scored(chosen.scores, chosen.daily))
    if chosen.identify:
        keep(IDENTIFIED, identification())
    if chosen.scores or chosen.identify or chosen.write:
        write_pages()
    else:
        for tables in TABLES.values():
            for name, made in tables.items():
                print(f"## {name}", made(), sep="\n")


if __name__ == "__main__":
    main()
