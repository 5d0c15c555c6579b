"""Experiments: files, arms, paired differences, resuming, what is written, the command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from sim.ensemble.sweeping import arms_of
from sim.experiments.pairing import interval, paired, verdict
from sim.experiments.picture import picture
from sim.experiments.read_outs import WORDS, read_outs
from sim.experiments.reading import (
    BASE,
    ExperimentError,
    arms_made,
    experiment_names,
    experiment_of,
    parse,
)
from sim.experiments.running import RESULT_FILE, Outcome, run_experiment
from sim.experiments.telling import as_json, as_markdown, number
from sim.results.run import Run
from sim.scenario.reading import load
from sim.simulation import simulate
from tanshi import app
from tests.unit.sim.small_seasons import short

TEXT = """
name = "limits"
title = "Limits, for a test"
question = "What do narrow limits do in the last weeks?"
season = "2021"
read_outs = ["move_max", "VOL", "limit_days"]
set = { first_day = 2021-12-13, events = [], offsets = [] }

[[arms]]
label = "2 %"
set = { rule_changes = [{ since = 2021-07-16, parameter = "listed_band_bp", value = 200 }] }

[[arms]]
label = "20 %"
against = "2 %"
set = { rule_changes = [{ since = 2021-07-16, parameter = "listed_band_bp", value = 2000 }] }

[[expect]]
arm = "2 %"
read_out = "move_max"
sign = "-"
why = "a day cannot move more"
"""
SEEDS = (1, 2, 3)


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> tuple[Outcome, Path]:
    folder = tmp_path_factory.mktemp("limits")
    return run_experiment(parse(TEXT, "t.toml"), SEEDS, folder, share=0.05, jobs=1), folder


@pytest.mark.parametrize("name", experiment_names())
def test_every_experiment_can_be_made(name: str) -> None:
    found = experiment_of(name)
    assert found.name == name
    assert len(found.read_outs) == 6
    assert found.expect
    for share in (1.0, 0.1):
        arms = arms_made(found, share)
        made = arms_of(found.season, [arm.overrides for arm in arms], Path("nowhere"))
        assert len(made) == len(arms), "two arms are the same scenario"
        if share == 1.0:
            assert made[0].scenario == load(found.season, arms[0].overrides)


def test_all_levers_of_the_plan_are_there() -> None:
    wanted = {
        *("banking-multiplier", "deadline-design", "auction-share", "limit-width", "price-collar"),
        *("ccer-cap", "stability-reserve", "sector-expansion", "surplus-cap", "t-plus-one"),
        *("market-makers", "institutions", "matching", "bulk-limit", "composite-rule"),
    }
    dropped = {
        *("procrastination", "milestones", "groups", "banking", "reluctance", "vintages", "limits"),
    }
    assert wanted | {f"ablation-{each}" for each in dropped} == set(experiment_names())


def test_totals_shrink_with_the_population() -> None:
    tenth = {arm.label: arm.overrides for arm in arms_made(experiment_of("stability-reserve"), 0.1)}
    assert tenth["intake 24 %"]["extras.reserve.upper_mt"] == pytest.approx(10.0)
    assert tenth[BASE]["population.sectors.0.entities"] == 220
    more = {arm.label: arm.overrides for arm in arms_made(experiment_of("sector-expansion"), 0.1)}
    added = load("2025", more["six more, even"]).population.sectors[-1]
    assert (added.name, added.entities) == ("six more", 185)
    assert len(load("2025", more["power alone"]).population.sectors) == 1


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('season = "2021"', 'saison = "2021"', "saison"),
        ('"move_max", "VOL"', '"move_maxx", "VOL"', "did you mean move_max?"),
        ('against = "2 %"', 'against = "3 %"', "arms.against '3 %'"),
        ('label = "20 %"', 'label = "2 %"', "each label only once"),
        ('label = "20 %"', 'label = "base"', "none 'base'"),
        ('sign = "-"', 'sign = "down"', "expect.sign 'down'"),
        ('arm = "2 %"', 'arm = "base"', "expect.arm 'base'"),
    ],
)
def test_a_broken_file_is_refused_by_name(old: str, new: str, said: str) -> None:
    assert old in TEXT
    with pytest.raises(ExperimentError, match=r"mine\.toml") as caught:
        parse(TEXT.replace(old, new, 1), "mine.toml")
    assert said in str(caught.value)


def test_an_unknown_experiment_is_refused_with_the_likeliest() -> None:
    with pytest.raises(ExperimentError, match="did you mean market-makers"):
        experiment_of("market-maker")


def test_two_arms_that_are_the_same_are_refused(tmp_path: Path) -> None:
    same = TEXT.replace("value = 2000", "value = 200")
    with pytest.raises(ExperimentError, match="same scenario"):
        run_experiment(parse(same, "t.toml"), SEEDS, tmp_path, share=0.05, jobs=1)


def test_pairs_are_of_the_same_seed() -> None:
    rows = [("base", seed, "VOL", float(10 * seed)) for seed in (1, 2, 3, 4)]
    rows += [("arm", seed, "VOL", 10.0 * seed + 1.0) for seed in (4, 3, 2)]  # seed 1 is missing
    table = pd.DataFrame(rows, columns=["arm", "seed", "read_out", "value"])
    (row,) = paired(table, {"arm": "base"}).to_dict("records")
    assert (row["seeds"], row["difference"], row["low"], row["high"]) == (3, 1.0, 1.0, 1.0)
    assert (row["base_median"], row["median"], row["more_share"]) == (30.0, 31.0, 1.0)


def test_the_interval_holds_the_mean_of_normal_draws_as_often_as_it_says() -> None:
    draws = np.random.default_rng(7).normal(0.3, 1.0, (200, 40))
    hits = 0
    for row in draws:
        low, high = interval(row)
        hits += low <= 0.3 <= high
    assert 0.88 <= hits / 200 <= 0.99
    assert interval(draws[0]) == interval(draws[0])


@pytest.mark.parametrize(
    ("low", "high", "sign", "said"),
    [
        (0.1, 0.2, 1, "yes"),
        (-0.2, -0.1, 1, "opposite"),
        (-0.1, 0.2, 1, "undecided"),
        (-0.1, 0.2, 0, "yes"),
        (0.1, 0.2, 0, "no"),
        (0.0, 0.0, 0, "yes"),
        (0.0, 0.0, -1, "no"),
        (float("nan"), float("nan"), 1, "undecided"),
    ],
)
def test_a_verdict_follows_the_interval(low: float, high: float, sign: int, said: str) -> None:
    assert verdict(low, high, sign) == said


def test_read_outs_are_what_the_tables_say() -> None:
    run = simulate(short(0.1), 1)
    found = read_outs(run)
    assert found.keys() <= WORDS.keys()
    trades, table = run.trades, run.compliance
    assert found["VOL"] == pytest.approx(trades["qty_tonnes"].sum() / 1e6)
    mean = trades["value_cny"].sum() / trades["qty_tonnes"].sum()
    assert found["price_mean"] == pytest.approx(mean)
    assert found["late_entities"] == (table["late_t"] > 0).sum()
    outlay = table["cost_cny"].sum()
    assert found["cost"] == pytest.approx(outlay / 1e6)
    small = table[table["emissions_t"] < 100_000]
    assert found["cost_small"] == pytest.approx(
        small["cost_cny"].sum() / small["emissions_t"].sum()
    )
    assert found["sellers"] == trades["seller"].nunique()
    assert found["price_p05"] <= found["price_p50"] <= found["price_p95"]


def test_an_experiment_pairs_each_arm(outcome: tuple[Outcome, Path]) -> None:
    found, folder = outcome
    assert (found.finished, found.total, found.interrupted) == (9, 9, False)
    table = pd.read_parquet(folder / RESULT_FILE)
    assert list(table.columns) == ["experiment", "arm", "seed", "read_out", "unit", "value"]
    assert list(table["arm"].unique()) == [BASE, "2 %", "20 %"]
    assert set(table["seed"]) == set(SEEDS)
    moves = table[table["read_out"] == "move_max"].pivot_table(
        index="seed", columns="arm", values="value"
    )
    assert (moves["2 %"] <= -np.log(0.9799)).all()  # TR-20, TR-23: nothing passes the limit
    rows = found.pairs.to_dict("records")
    row = next(each for each in rows if (each["arm"], each["read_out"]) == ("20 %", "move_max"))
    assert row["against"] == "2 %"
    assert row["difference"] == pytest.approx((moves["20 %"] - moves["2 %"]).mean())
    assert found.verdicts[0].occurred == "yes"


def test_an_arm_is_the_scenario_it_says(outcome: tuple[Outcome, Path]) -> None:
    found, folder = outcome
    arm = next(each for each in found.arms if each.label == "2 %")
    run = simulate(load("2021", arm.overrides), 2)
    saved = [Run.load(each.parent) for each in folder.rglob("run.json")]
    assert run.digest in {each.digest for each in saved if each.seed == 2}


def test_going_on_simulates_nothing_anew(outcome: tuple[Outcome, Path]) -> None:
    found, folder = outcome
    files = {each: each.stat().st_mtime_ns for each in folder.rglob("run.json")}
    assert len(files) == 9
    again = run_experiment(parse(TEXT, "t.toml"), SEEDS, folder, share=0.05, jobs=1)
    assert {each: each.stat().st_mtime_ns for each in folder.rglob("run.json")} == files
    pd.testing.assert_frame_equal(again.table, found.table)
    pd.testing.assert_frame_equal(again.pairs, found.pairs)


def test_what_is_half_done_is_paired_as_far_as_it_goes(
    outcome: tuple[Outcome, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Ctrl-C in the middle: the finished runs are read out, the rest comes with the same call."""
    seen: list[int] = []

    def stop(done: int, total: int, arm: str, seed: int) -> None:
        seen.append(done)
        if done == 5:
            raise KeyboardInterrupt

    asked = parse(TEXT, "t.toml")
    half = run_experiment(asked, SEEDS, tmp_path, share=0.05, jobs=1, progress=stop)
    assert half.interrupted
    assert 5 <= half.finished < half.total == 9
    assert set(half.table["arm"]) >= {BASE}
    whole = run_experiment(asked, SEEDS, tmp_path, share=0.05, jobs=1)
    assert not whole.interrupted
    pd.testing.assert_frame_equal(whole.table, outcome[0].table)


def test_the_page_and_the_document_say_what_was_found(outcome: tuple[Outcome, Path]) -> None:
    found, _ = outcome
    page, document = as_markdown(found), as_json(found)
    assert "# Limits, for a test" in page
    assert "| 2 % | largest daily move, log | less |" in page
    assert "9 of 9 runs" in page
    json.dumps(document, allow_nan=False)
    row = next(each for each in document["pairs"] if each["read_out"] == "VOL")
    assert row["seeds"] == 3
    assert document["expectations"][0]["occurred"] == "yes"
    assert number(1234.5) == "1,234"
    assert number(-0.01234, True) == "-0.0123"
    assert number(-1e-9, True) == "0"


def test_the_picture_has_a_dot_a_seed(outcome: tuple[Outcome, Path]) -> None:
    figure = picture(outcome[0])
    panels = [axes for axes in figure.axes if axes.get_title(loc="left")]
    assert len(panels) == 3
    dots = [line for line in panels[0].lines if line.get_marker() == "."]
    assert [len(np.asarray(line.get_xdata())) for line in dots] == [len(SEEDS)] * 2


def test_the_command_writes_everything(tmp_path: Path) -> None:
    file, out = tmp_path / "mine.toml", tmp_path / "out"
    file.write_text(TEXT, encoding="utf-8")
    asked = ["experiment", str(file), "--seeds", "1..2", "--share", "0.05", "--jobs", "1"]
    result = CliRunner().invoke(app, [*asked, "--out", str(out), "--json"])
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["finished"] == document["total"] == 6
    names = {each.name for each in out.iterdir()}
    assert {RESULT_FILE, "summary.md", "summary.json", "paired.png", "paired.svg"} <= names
    assert not list(out.rglob("orders.parquet"))
    assert json.loads((out / "summary.json").read_text(encoding="utf-8")) == document


def test_the_command_lists_and_refuses(tmp_path: Path) -> None:
    listed = CliRunner().invoke(app, ["experiment", "--json"])
    names = [each["name"] for each in json.loads(listed.stdout)["experiments"]]
    assert names == experiment_names()
    assert CliRunner().invoke(app, ["experiment", "matching"]).exit_code == 2
    refused = CliRunner().invoke(app, ["experiment", "nothing", "--out", str(tmp_path)])
    assert refused.exit_code == 2
    refused = CliRunner().invoke(
        app, ["experiment", "matching", "--out", str(tmp_path), "--share", "2"]
    )
    assert refused.exit_code == 2
