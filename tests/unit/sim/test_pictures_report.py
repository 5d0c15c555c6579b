"""The report page, the folder of pictures, the picture of targets and the tornado."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from sim.pictures.__main__ import main
from sim.pictures.gallery import PICTURES, save_all
from sim.pictures.report import report
from sim.pictures.report_tables import compliance_table, figures_table, targets_table
from sim.pictures.rules_words import rules_rows
from sim.pictures.sample import PictureError, observed_of, sample_of
from sim.pictures.sensitivity import effects, sensitivity, sensitivity_table, table_of_sweep
from sim.pictures.target_marks import rows_of_runs, targets
from sim.results.facts import facts
from sim.results.run import SCENARIO_FILE, Run
from sim.results.score import ScoreTable, score
from sim.results.targets import COLUMNS, SHIPPED, Target, target_of
from sim.scenario.model import RuleChange
from sim.scenario.reading import load
from tests.unit.sim.picture_runs import small_run, small_runs, with_tables, without_bulk

SECTIONS = {
    *("figures", "targets-table", "pictures", "compliance", "refused", "simulated", "reproduce"),
}
FETCHING = {"script", "link", "iframe", "object", "embed", "audio", "video", "base", "form"}
DAILY = Path(__file__).parents[4] / "shared" / "data" / "cea_daily.csv"


class Reader(HTMLParser):
    """Collects what a page has: tags, ids, links, pictures, words."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        given = dict(attrs)
        if given.get("id"):
            self.ids.append(str(given["id"]))
        self.links += [str(given[name]) for name in ("src", "href", "action") if given.get(name)]
        if tag not in {"meta", "img"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def svgs(self) -> list[str]:
        data = [link.partition("base64,")[2] for link in self.links if link.startswith("data:")]
        return [base64.b64decode(each).decode() for each in data]


def read(runs: Run | list[Run], tmp_path: Path, **options: object) -> Reader:
    path = report(runs, tmp_path / "report.html", **options)  # type: ignore[arg-type]
    return Reader(path.read_text(encoding="utf-8"))


def row(target_id: str, value: str, tolerance: str, season: str = "2021") -> Target:
    cells = (target_id, season, target_id.partition("-")[0], value, tolerance, "calibrate", "", "")
    return target_of(dict(zip(COLUMNS, cells, strict=True)))


def test_report_holds_every_part_and_every_picture(tmp_path: Path) -> None:
    page = read(small_runs(), tmp_path)
    assert not page.open
    assert set(page.ids) >= SECTIONS | set(PICTURES) | {"targets"}
    assert len(page.ids) == len(set(page.ids))
    assert len(page.svgs()) == len(PICTURES) + 1
    assert {link[1:] for link in page.links if link.startswith("#")} == SECTIONS
    run = small_run("2021", 1)
    for words in (run.scenario_hash, *(each.digest for each in small_runs()), "seeds 1–3"):
        assert words in page.text
    for words in ("TR-20", "TR-104", "CP-60", "central groups", "numpy", "hazard_base"):
        assert words in page.text


def test_report_asks_nothing_of_the_network(tmp_path: Path) -> None:
    page = read(small_run("2021", 1), tmp_path)
    assert not FETCHING & set(page.tags)
    assert all(link.startswith(("#", "data:image/svg+xml;base64,")) for link in page.links)
    raw = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "default-src 'none'" in raw
    assert not re.search(r"https?://|url\(|@import", raw)
    for svg in page.svgs():
        assert not re.search(r'href="(?!#|data:)|url\((?!#)|@import|<script', svg)
        found = set(re.findall(r"https?://[^\s\"'<>]+", svg))
        named = ("http://www.w3.org/", "http://purl.org/", "http://creativecommons.org/")
        assert all(each.startswith(named) for each in found)  # names of formats, never fetched


def test_same_runs_give_the_same_bytes(tmp_path: Path) -> None:
    first = report(small_runs(seeds=(1, 2)), tmp_path / "a.html").read_bytes()
    second = report(small_runs(seeds=(2, 1)), tmp_path / "b.html").read_bytes()
    assert first == second


def test_words_of_a_scenario_are_only_words(tmp_path: Path) -> None:
    run = small_run("2021", 1)
    nasty = with_tables(run)
    object.__setattr__(nasty, "season", "<script>alert(1)</script>")
    page = read(nasty, tmp_path)
    assert "script" not in page.tags
    assert "<script>alert(1)</script>" in page.text
    assert "SCENARIO.toml" in page.text  # it is no season that ships


def test_targets_are_told_whether_met_missed_or_not_scored(tmp_path: Path) -> None:
    run = small_run("2021", 1)
    found = facts(run.quotes)
    rows = [
        row("Q4-2021", f"{found['Q4']:.4f}", "0.05"),
        row("DEC-2021", f"{found['DEC'] - 0.3:.4f}", "0.1"),
        row("BULK-2021", "high", "0.05"),
        row("Q4-2024", "0.7", "0.05", season="2024"),
    ]
    page = read(run, tmp_path, targets=rows)
    assert "1 of 2 scored targets within tolerance" in page.text
    assert re.search(r"DEC-2021 outside \+3\.00", page.text)
    assert re.search(r"BULK-2021 not scored.*value 'high' is not understood", page.text)
    assert re.search(r"Q4-2021 ok [+-]0\.00", page.text)
    assert "Q4-2024" not in page.text
    assert "1 targets of other seasons are not listed" in page.text


def test_baselines_stand_in_the_same_table(tmp_path: Path) -> None:
    page = read(small_run("2021", 1), tmp_path, baselines={"no groups": small_run("2021", 2)})
    assert "z, no groups" in page.text
    table = score(small_run("2021", 2), SHIPPED)
    (q4,) = [each for each in table.rows if each.target.id == "Q4-2021"]
    own = score(small_run("2021", 1), SHIPPED)
    shown = Reader(targets_table(own, {"no groups": table})).text
    (mine,) = [each for each in own.rows if each.target.id == "Q4-2021"]
    assert f"Q4-2021 {'ok' if mine.within else 'outside'} {mine.z:+.2f} {q4.z:+.2f}" in shown


def test_key_figures_are_medians_with_their_range() -> None:
    sample = sample_of(small_runs())
    words = Reader(figures_table(sample, observed_of(sample))).text
    volumes = sorted(each["VOL"] for each in sample.facts())
    low, high = np.quantile(volumes, (0.1, 0.9))
    assert f"Volume Mt {volumes[1]:.1f} {low:.1f} to {high:.1f}" in words
    scale = small_run("2021", 1).counts["entities"] / 2011
    assert f"to {high:.1f} {scale * 178.789:.1f} " in words  # observed, for so few entities
    assert "Standard deviation of daily returns %" in words


def test_compliance_is_told_by_obligation_and_sector() -> None:
    run = small_run("2021", 1)
    table = run.compliance.copy()
    table.loc[table.index[:10], "sector"] = "steel"
    words = Reader(compliance_table(sample_of(with_tables(run, compliance=table)))).text
    count, due = len(table), table["emissions_t"]
    assert "all, 2019-2020 power, 2019-2020 steel, 2019-2020" in words
    assert f"entities {count} {count - 10} 10" in words
    steel = due.iloc[:10].sum() / 1e6
    assert f"due, Mt {due.sum() / 1e6:,.3f} {due.iloc[10:].sum() / 1e6:,.3f} {steel:,.3f}" in words
    none = Reader(compliance_table(sample_of(with_tables(run, compliance=table.iloc[:0])))).text
    assert "Nothing was due" in none


def test_rules_are_those_of_the_first_day_and_every_change() -> None:
    scenario = load("2024")
    first, last = scenario.first_day, scenario.last_day
    rows = rules_rows(first, last, scenario)
    assert ("Price limit, listed", "±10 %", "") in [each[:3] for each in rows]
    changed = {(each[0], each[2]) for each in rows if each[2]}
    assert changed == {
        ("Vintages", "2024-10-28"),
        ("Weights of the vintages in the composite", "2024-10-28"),
        ("Fine for a shortfall", "2024-05-01"),
    }
    change = RuleChange(since=first, parameter="listed_band_bp", value=500)
    own = load(
        "2024", {"rule_changes": [{"since": first, "parameter": "listed_band_bp", "value": 500}]}
    )
    assert own.rule_changes == (change,)
    assert rules_rows(first, last, own)[-1][:3] == ("listed_band_bp", "±5 %", first.isoformat())


def test_saved_runs_of_an_unknown_scenario_say_what_is_missing(tmp_path: Path) -> None:
    folder = small_run("2021", 1).save(tmp_path / "run")
    (folder / SCENARIO_FILE).unlink()  # as runs were saved before
    saved = Run.load(folder)
    page = read(saved, tmp_path)
    assert "The saved run does not hold its scenario" in page.text
    assert "is not the season 2021 as it ships" in page.text
    assert saved.digest in page.text


def test_folder_has_every_picture_twice_and_always_the_same(tmp_path: Path) -> None:
    run = small_run("2021", 1)
    files = save_all(run, tmp_path / "a")
    again = save_all(run, tmp_path / "b")
    assert {each.name for each in files} == {
        f"{name}.{kind}" for name in (*PICTURES, "targets") for kind in ("png", "svg")
    }
    for one, other in zip(files, again, strict=True):
        assert one.read_bytes() == other.read_bytes()
    assert all(each.read_bytes()[:4] == b"\x89PNG" for each in files if each.suffix == ".png")
    assert not [each for each in files if b"dc:date" in each.read_bytes()]


def test_saved_runs_are_drawn_by_a_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small_run("2021", 1).save(tmp_path / "runs" / "1")
    assert main([str(tmp_path / "runs"), str(tmp_path / "out")]) == 0
    assert str(tmp_path / "out" / "completion.svg") in capsys.readouterr().out
    assert main([]) == 2
    assert "RUNS FOLDER" in capsys.readouterr().err


@pytest.mark.skipif(not DAILY.exists(), reason=f"no ../shared/data/{DAILY.name}")
def test_daily_file_adds_the_observed_days(tmp_path: Path) -> None:
    seen = observed_of(sample_of(small_run("2021", 1)), DAILY)
    assert seen.daily is not None
    assert len(seen.daily.dates) == 114
    page = read(small_run("2021", 1), tmp_path, observed=DAILY)
    assert "trading days from the observed curve" in page.text


def scored_rows(table: ScoreTable) -> dict[str, float]:
    return {each.target.id: each.z for each in table.rows if each.scored}


def test_target_marks_stand_at_z_and_far_ones_at_the_edge() -> None:
    run = small_run("2021", 1)
    found = facts(run.quotes)
    rows = [
        row("Q4-2021", f"{found['Q4'] - 0.02:.4f}", "0.04"),
        row("DEC-2021", f"{found['DEC'] + 0.9:.4f}", "0.1"),
        row("BULK-2021", "high", "0.05"),
    ]
    table = score(run, rows)
    figure = targets(table)
    assert figure.get_suptitle() == "Targets: 1 of 2 scored ones within tolerance"
    (axes,) = figure.axes
    marks = {int(each.get_ydata()[0]): each for each in axes.lines if each.get_marker() != "None"}
    assert marks[0].get_xdata()[0] == pytest.approx(scored_rows(table)["Q4-2021"])
    assert (marks[1].get_xdata()[0], marks[1].get_marker()) == (-4, "<")
    words = [each.get_text() for each in axes.texts]
    assert "-9.00" in words
    assert any("not scored: value 'high'" in each for each in words)
    assert [each.target.id for each in rows_of_runs(table)] == [each.id for each in rows]


def sweep() -> pd.DataFrame:
    """Two seeds; raising ``reluctance`` lowers VOL, raising ``buffer_share`` hardly raises it."""
    rows = []
    for seed, base in ((1, 100.0), (2, 120.0)):
        rows.append({"parameter": "", "value": np.nan, "seed": seed, "VOL": base, "SD": 0.02})
        for name, value, change in (
            ("buffer_share", 0.0, -1.0),
            ("buffer_share", 0.1, 2.0),
            ("reluctance", 0.01, 10.0),
            ("reluctance", 0.05, -20.0),
        ):
            fact = {"VOL": base + change * seed, "SD": 0.02}
            rows.append({"parameter": name, "value": value, "seed": seed} | fact)
    return pd.DataFrame(rows)


def test_changes_are_paired_by_seed() -> None:
    found = effects(sweep(), ["VOL"]).set_index(["parameter", "value"])
    assert found.loc[("reluctance", 0.05), "median"] == pytest.approx(-30)  # of -20 and -40
    assert found.loc[("reluctance", 0.05), "low"] == pytest.approx(-38)
    assert found.loc[("buffer_share", 0.1), "seeds"] == 2


def test_tornado_has_the_strongest_parameter_first() -> None:
    figure = sensitivity(sweep(), ["VOL", "SD"])
    volume = figure.axes[0]
    assert volume.get_title("left") == "Volume"
    assert volume.get_xlabel() == "change, Mt"
    names = [each.get_text() for each in volume.get_yticklabels()]
    assert names == ["reluctance\n0.01 / 0.05", "buffer_share\n0 / 0.1"]
    widths = [float(each.patches[0].get_width()) for each in volume.containers]
    assert widths == pytest.approx([15, -30, -1.5, 3])
    assert figure.axes[1].get_xlabel() == "change, percentage points"


def test_sweep_tables_that_cannot_be_drawn_are_refused() -> None:
    with pytest.raises(PictureError, match="lacks the columns seed"):
        sensitivity(sweep().drop(columns="seed"))
    with pytest.raises(PictureError, match="no base run"):
        sensitivity(sweep().query("parameter != ''"), ["VOL"])
    only_base = sweep().query("parameter == ''")
    assert "nothing was changed" in [
        each.get_text() for each in sensitivity(only_base).axes[0].texts
    ]


def test_sweep_table_is_made_of_runs() -> None:
    base, other = small_run("2021", 1), without_bulk(small_run("2021", 1))
    table = sensitivity_table([base], {("bulk", 0.0): [other]})
    assert table["BULK"].to_list() == [facts(base.quotes)["BULK"], 0.0]
    assert sensitivity(table, ["BULK"]).axes[0].get_title("left") == "Bulk share of the volume"


def test_sweep_on_disk_becomes_the_same_table(tmp_path: Path) -> None:
    base, other = small_run("2021", 1), without_bulk(small_run("2021", 1))
    swept = [
        SimpleNamespace(folder=base.save(tmp_path / "base"), seed=1, overrides={}),
        SimpleNamespace(folder=other.save(tmp_path / "arm"), seed=1, overrides={"bulk": 0}),
    ]
    table = table_of_sweep(swept)
    expected = sensitivity_table([base], {("bulk", 0.0): [other]})
    pd.testing.assert_frame_equal(table, expected)
    swept[1].overrides["more"] = 1
    with pytest.raises(PictureError, match="one changed number"):
        table_of_sweep(swept)
