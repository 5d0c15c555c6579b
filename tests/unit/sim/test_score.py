"""Scores: z of medians, verdicts, seasons side by side, distances, JSON and tables."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from sim.results.observed import read_daily
from sim.results.run import TABLES, Run
from sim.results.score import RunsError, ScoreTable, TargetScore, score, volume_curve
from sim.results.score_report import SCHEMA, as_json, print_score
from sim.results.targets import COLUMNS, SHIPPED, Target, TargetsFileError, target_of
from tests.unit.sim.market_tables import compliance, quotes, run

DATA = Path(__file__).parents[4] / "shared" / "data"
DAILY = DATA / "cea_daily.csv"
needs_daily = pytest.mark.skipif(not DAILY.exists(), reason=f"no ../shared/data/{DAILY.name}")
YEAR = 261  # business days


def row(
    target_id: str, value: str, tolerance: str, season: str = "2024", metric: str = "x"
) -> Target:
    cells = (target_id, season, metric, value, tolerance, "calibrate", "x", "")
    return target_of(dict(zip(COLUMNS, cells, strict=True)))


def year(season: int, seed: int, tonnes: float = 1_000.0, **columns: Any) -> Any:
    table = quotes(f"{season}-01-01", YEAR, listed_volume_t=tonnes, **columns)
    return run(str(season), seed, table)


def only(table: ScoreTable) -> TargetScore:
    (found,) = table.rows
    return found


@needs_daily
def test_the_observed_season_scores_full_marks() -> None:
    daily = read_daily(DAILY)
    runs = [
        run(str(at), 1, daily[daily["date"].dt.year == at].reset_index(drop=True))
        for at in (2021, 2022, 2024)
    ]
    table = score(runs, SHIPPED, DAILY)
    of_entities = {"PART", "DEF", "COMP", "CCER", "VOL"}
    # 2022: the daily file begins in May, the observed shares by month are of the whole year.
    whole_year = {"Q4-2022", "ND-2022", "DEC-2022"}
    for found in table.rows:
        if found.target.name not in of_entities and found.target.id not in whole_year:
            assert found.scored, found.target.id
            assert abs(found.z) < 0.2, found.target.id
    assert [each.mean_curve for each in table.distances] == [0, 0, 0]
    assert [each.days for each in table.distances] == [114, 150, 242]


def test_z_is_of_the_median_over_the_runs() -> None:
    runs = [year(2024, seed, tonnes) for seed, tonnes in enumerate((1e5, 2e5, 9e5))]
    found = only(score(runs, [row("VOL-2024", "47.2 Mt", "5 Mt")]))
    (part,) = found.parts
    assert part.simulated == pytest.approx(0.2 * YEAR)
    assert part.p10 < part.simulated < part.p90
    assert part.runs == 3
    assert found.z == pytest.approx((0.2 * YEAR - 47.2) / 5)
    assert found.within
    farther = only(score(runs, [row("VOL-2024", "45.0 Mt", "5 Mt")]))
    assert 1 < farther.z < 2
    assert not farther.within


def test_the_part_farthest_outside_decides() -> None:
    prices = np.linspace(50, 60, YEAR)
    target = row("P-2024", "50, 40", "10%", metric="close: start, end")
    found = only(score(year(2024, 1, close_cny=prices), [target]))
    assert [part.z for part in found.parts] == pytest.approx([0, 5])
    assert (found.z, found.decisive, found.within) == (pytest.approx(5), "end", False)


def test_a_part_that_cannot_be_scored_does_not_silence_the_others() -> None:
    target = row("PART-2024", "3 of 4 (75%)", "25 points")
    found = only(score(year(2024, 1), [target]))
    assert [bool(part.reason) for part in found.parts] == [True, False]
    assert found.z == pytest.approx(-1)
    assert found.within


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        (row("Q4-2025", "0.5", "0.1", "2025"), "no run of season 2025"),
        (row("Q4-2024", "high", "0.1"), "value 'high' is not understood"),
        (row("LIM-2024", "3", "2"), "the runs do not give LIM"),
        (row("JF-2024", "0.05", "0.04"), "the runs do not give JF"),
        (row("BDMED-2024", "-0.05", "0.04"), "the runs do not give BDMED"),
    ],
)
def test_what_is_not_scored_stays_with_its_reason(target: Target, reason: str) -> None:
    table = score(year(2024, 1), [target, row("DEC-2024", "0.08", "0.05")])
    assert reason in table.rows[0].reason
    assert (table.scored, table.within, table.share) == (1, 1, 1.0)
    assert len(as_json(table)["rows"]) == 2


def test_january_and_february_come_from_the_next_season() -> None:
    runs = [year(2021, 1), year(2022, 1, 3_000.0)]
    target = row("JF-2021", "0.06", "0.04", "2021")
    found = only(score(runs, [target]))
    days = {1: 21 + 20, 11: 22 + 23}  # business days of Jan-Feb 2022 and of Nov-Dec 2021
    assert found.parts[0].simulated == pytest.approx(3 * days[1] / days[11])
    late = run("2022", 1, quotes("2022-03-01", 100))
    assert "do not give JF" in only(score([runs[0], late], [target])).reason


def test_a_span_of_seasons_counts_the_days_of_both() -> None:
    flags = {"touched_upper": True, "touched_lower": False}
    runs = [year(2022, 1, **flags), year(2023, 1, **flags)]
    target = row("LIM-2223", "0", "2", "2022-05..2023-08", "limit touches")
    both = only(score(runs, [target]))
    days = pd.bdate_range("2022-05-26", "2022-12-30").size  # observed by day from 26 May
    days += pd.bdate_range("2023-01-01", "2023-08-31").size
    assert both.parts[0].simulated == days
    assert both.remark == ""
    one = only(score(runs[:1], [target]))
    assert one.remark == "only the days of 2022 are simulated"
    assert one.parts[0].simulated < days


def test_a_cycle_is_scored_on_the_season_in_which_it_ends() -> None:
    target = row("DEF-2021", "1 of 4 (25%); 0.1 Mt", "3 points; 10%", "2019-20 cycle")
    found = only(score(year(2021, 1), [target]))
    assert (found.z, found.within) == (0, True)


def test_a_season_up_to_a_day_is_scored_up_to_it() -> None:
    target = row("VOL-2026", "0.129 Mt", "1%", "2026 to Jun")
    found = only(score(year(2026, 1), [target]))
    assert found.parts[0].simulated == pytest.approx(0.129)  # 129 business days


def test_share_worst_and_groups() -> None:
    targets = [
        *(row("DEC-2024", "0.084", "0.05"), row("Q4-2024", "0.9", "0.05")),
        *(row("ND-2024", "0.9", "0.01"), row("DEC-2025", "0.1", "0.1", "2025")),
    ]
    table = score(year(2024, 1), targets)
    assert (table.scored, table.within, table.share) == (3, 1, pytest.approx(1 / 3))
    assert [each.target.id for each in table.worst(2)] == ["ND-2024", "Q4-2024"]
    assert [(g.season, g.targets, g.scored, g.within) for g in table.groups()] == [
        *(("2024", 3, 3, 1), ("2025", 1, 0, 0))
    ]


HEAD = "date,open_cny_t,high_cny_t,low_cny_t,close_cny_t,price_basis,listed_volume_t,"
HEAD += "listed_turnover_cny\n"


def test_distance_of_the_volume_curves_in_trading_days(tmp_path: Path) -> None:
    file = tmp_path / "daily.csv"
    rows = "".join(f"2024-03-{day:02d},,,,50,listed,100,5000\n" for day in (4, 5, 6, 7))
    file.write_text(HEAD + rows, encoding="utf-8")
    volumes = ([400, 0, 0, 0], [0, 0, 0, 400], [0, 0, 0, 400])
    runs = [
        run("2024", seed, quotes("2024-03-04", 4, listed_volume_t=volume))
        for seed, volume in enumerate(volumes)
    ]
    (found,) = score(runs, SHIPPED, file).distances
    # Observed 1/4, 2/4, 3/4, 1; one run has 1 at once, two have 0, 0, 0, 1; the mean is 1/3 …
    assert found.median_run == pytest.approx(1.5)
    assert found.mean_curve == pytest.approx(1 / 12 + 2 / 12 + 5 / 12)
    assert found.days == 4
    assert score(runs[0], SHIPPED).distances == ()


def test_volume_curve_of_other_days_and_of_nothing() -> None:
    from sim.results.days import days_of

    days = days_of(quotes("2024-03-04", 3, listed_volume_t=[1, 1, 2]))
    asked = np.array(["2024-03-05", "2024-03-09"], dtype="datetime64[D]")
    assert volume_curve(days, asked).tolist() == pytest.approx([1 / 3, 1])
    empty = days_of(quotes("2024-03-04", 3, listed_volume_t=0))
    assert volume_curve(empty, asked).tolist() == [0, 0]


def saved(folder: Path, made: Any) -> Path:
    tables = {name: pd.DataFrame({"entity": ["a"]}) for name in TABLES}
    tables |= {"quotes": made.quotes, "compliance": made.compliance}
    makers = {name: tables[name].copy for name in TABLES}
    Run(made.season, made.seed, "", "", 0.0, {}, makers=makers).save(folder)
    return folder


def test_folders_of_saved_runs(tmp_path: Path) -> None:
    runs = [year(2024, seed, 1e3 * (seed + 1)) for seed in range(3)]
    for made in runs:
        saved(tmp_path / "runs" / f"seed-{made.seed}", made)
    in_memory = as_json(score(runs, SHIPPED))
    assert as_json(score(tmp_path / "runs", SHIPPED)) == in_memory
    assert as_json(score(str(tmp_path), SHIPPED)) == in_memory
    several = [tmp_path / "runs" / f"seed-{seed}" for seed in range(3)]
    assert as_json(score(several, SHIPPED)) == in_memory
    assert as_json(score([several[0], *runs[1:]], SHIPPED)) == in_memory


def test_nothing_to_score_is_said(tmp_path: Path) -> None:
    with pytest.raises(RunsError, match="no saved run"):
        score(tmp_path, SHIPPED)
    with pytest.raises(RunsError, match="no run was given"):
        score([], SHIPPED)
    empty = run("2024", 1, quotes("2024-01-01", 3).assign(instrument="CEA24"))
    with pytest.raises(RunsError, match="no COMPOSITE"):
        score(empty, SHIPPED)
    with pytest.raises(TargetsFileError):
        score(year(2024, 1), tmp_path / "none.csv")


def test_runs_without_entities_still_give_prices_and_volumes() -> None:
    bare = run("2024", 1, quotes("2024-01-01", YEAR), pd.DataFrame())
    table = score(bare, SHIPPED)
    by_id = {each.target.id: each for each in table.rows}
    assert by_id["P-2024"].scored
    assert "do not give PART.share" in by_id["PART-2024"].reason


def test_json_has_the_documented_shape_and_no_nan() -> None:
    table = score([year(2024, 1), year(2024, 2)], SHIPPED)
    text = json.dumps(as_json(table), allow_nan=False)
    found = json.loads(text)
    assert found["schema"] == SCHEMA
    assert found["runs"] == {"2024": 2}
    assert (found["targets"], len(found["rows"])) == (74, 74)
    assert found["scored"] == sum(each["z"] is not None for each in found["rows"])
    assert found["within"] == sum(bool(each["within"]) for each in found["rows"])
    assert found["share"] == pytest.approx(found["within"] / found["scored"])
    assert len(found["worst"]) == 5
    sizes = [abs(each["z"]) for each in found["worst"]]
    assert sizes == sorted(sizes, reverse=True)
    for each in found["rows"]:
        assert bool(each["reason"]) == (each["z"] is None)
        zs = [part["z"] for part in each["parts"] if part["z"] is not None]
        assert not zs or abs(each["z"]) == max(map(abs, zs))


def test_tables_name_every_target_and_the_source() -> None:
    table = score(year(2024, 1, touched_upper=False, touched_lower=False), SHIPPED)
    out = io.StringIO()
    print_score(table, Console(file=out, width=220))
    text = out.getvalue()
    for each in table.rows:
        assert each.target.id in text
    assert "not scored" in text
    assert "Shanghai Environment and Energy Exchange" in text
    assert "Worst: " in text


def test_order_of_runs_does_not_matter() -> None:
    runs = [year(2024, seed, 1e3 * (seed + 1)) for seed in range(5)]
    there, back = score(runs, SHIPPED), score(runs[::-1], SHIPPED)
    assert as_json(there) == as_json(back)


def test_entities_of_several_years_are_one() -> None:
    due = compliance(entity=["a", "a", "b", "b"], traded=[True, False, False, False])
    found = only(
        score(
            run("2021", 1, quotes("2021-07-16", 100), due),
            [row("PART-2021", "50%", "1 point", "2021")],
        )
    )
    assert found.z == 0
