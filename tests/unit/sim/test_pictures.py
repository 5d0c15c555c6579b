"""Pictures show the tables' numbers: axes, labels, lines, bars, marks, and what is empty."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from sim.pictures.bulk import bulk_discount, trade_discounts
from sim.pictures.completion import completion
from sim.pictures.gallery import PICTURES
from sim.pictures.holdings import holdings_by_vintage
from sim.pictures.limits import limit_days
from sim.pictures.partners import group_internal, matrix, who_traded_with_whom
from sim.pictures.prices import monthly_volume, price_and_volume
from sim.pictures.returns import autocorrelation, returns
from sim.pictures.sample import (
    CLASSES,
    PictureError,
    class_names,
    classes_of,
    observed_of,
    sample_of,
)
from sim.pictures.style import day_number, families, marks_of, svg_of
from sim.pictures.volumes import cumulative_volume
from sim.results.facts import facts
from sim.results.observed import monthly
from sim.results.run import Run
from sim.scenario.reading import load
from tests.unit.sim.picture_runs import (
    dead,
    small_run,
    small_runs,
    with_tables,
    without_bulk,
)


def panel(figure: Figure, start: str) -> Axes:
    """The panel whose title begins with ``start``."""
    found = [axes for axes in figure.axes if axes.get_title("left").startswith(start)]
    assert len(found) == 1, [axes.get_title("left") for axes in figure.axes]
    return found[0]


def line(axes: Axes, label: str) -> Any:
    (found,) = [each for each in axes.lines if each.get_label() == label]
    return found


def bars(axes: Axes, label: str) -> list[float]:
    """Heights (or lengths) of the bars of a legend entry."""
    (found,) = [each for each in axes.containers if each.get_label() == label]
    return [float(patch.get_height()) for patch in found.patches]


def texts(figure: Figure) -> str:
    words = [str(each.get_text()) for axes in figure.axes for each in axes.texts]
    return "\n".join(words)


def composite(run: Run, column: str) -> np.ndarray[Any, Any]:
    table = run.quotes[run.quotes["instrument"] == "COMPOSITE"]
    return table[column].to_numpy(dtype=float)


def volume(run: Run) -> np.ndarray[Any, Any]:
    names = ("listed_volume_t", "bulk_volume_t", "auction_volume_t")
    return sum(composite(run, name) for name in names)  # type: ignore[return-value]


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("seeds", [(1,), (1, 2, 3)])
def test_every_picture_says_what_it_shows(name: str, seeds: tuple[int, ...]) -> None:
    figure = PICTURES[name].draw(small_runs(seeds=seeds), None)
    assert "2021" in figure.get_suptitle()
    source = figure.get_supxlabel()
    assert "Simulated: tanshi, season 2021" in source
    assert small_run("2021", 1).scenario_hash[:12] in source
    assert ("seed 1" if seeds == (1,) else "seeds 1–3") in source
    shown = [axes for axes in figure.axes if axes.axison]
    assert shown
    for axes in shown:
        assert axes.get_title("left")
        assert axes.has_data()


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("of", [without_bulk, dead])
def test_every_picture_can_be_drawn_of_a_season_where_nothing_happens(name: str, of: Any) -> None:
    runs = [of(run) for run in small_runs(seeds=(1, 2))]
    assert svg_of(PICTURES[name].draw(runs, None)).startswith(b"<?xml")
    assert svg_of(PICTURES[name].draw(runs[0], None)).startswith(b"<?xml")


def test_price_is_the_composite_close_and_volume_is_by_week() -> None:
    run = small_run("2021", 1)
    figure = price_and_volume(run)
    price = panel(figure, "Composite close, CNY/t")
    drawn = line(price, "simulated close").get_ydata()
    assert drawn == pytest.approx(composite(run, "close_cny"))
    assert price.get_ylabel() == "CNY/t"
    weeks = panel(figure, "Volume a week, Mt")
    total = sum(bars(weeks, "listed")) + sum(bars(weeks, "bulk agreement"))
    assert total == pytest.approx(volume(run).sum() / 1e6)
    day = pd.Series(volume(run), index=pd.to_datetime(run.quotes["date"].unique()))
    by_week = day.groupby(day.index.to_period("W")).sum().to_numpy() / 1e6
    both = np.add(bars(weeks, "listed"), bars(weeks, "bulk agreement"))
    assert both == pytest.approx(by_week)


def test_several_seeds_are_a_median_and_a_band() -> None:
    runs = small_runs()
    price = panel(price_and_volume(runs), "Composite close")
    closes = np.array([composite(run, "close_cny") for run in runs])
    drawn = line(price, "simulated close, median").get_ydata()
    assert drawn == pytest.approx(np.median(closes, axis=0))
    (band,) = [each for each in price.collections if "10–90 %" in str(each.get_label())]
    heights = band.get_paths()[0].vertices[:, 1]
    assert heights.max() == pytest.approx(np.quantile(closes, 0.9, axis=0).max())
    assert heights.min() == pytest.approx(np.quantile(closes, 0.1, axis=0).min())


def test_observed_monthly_means_are_turnover_over_volume() -> None:
    price = panel(price_and_volume(small_run("2021", 1)), "Composite close")
    drawn = line(price, "observed monthly mean of listed trades")
    rows = monthly()
    july = rows[rows["month"] == "2021-07"].iloc[0]
    assert len(drawn.get_ydata()) == 6
    assert drawn.get_ydata()[0] == pytest.approx(
        july["listed_turnover_cny"] / july["listed_volume_t"]
    )
    # July 2021 has trading days from the 16th on only: the mark stands among them.
    assert day_number("2021-07-16") < drawn.get_xdata()[0] < day_number("2021-08-01")


def test_events_are_numbered_told_and_do_not_cover_each_other() -> None:
    run = small_run("2024", 1)
    crowd = pd.DataFrame(
        {
            "date": pd.to_datetime(["2023-10-19", *[f"2024-10-{day}" for day in range(10, 31, 2)]]),
            "title": ["before the first day", *[f"event {at} of many" for at in range(11)]],
        }
    )
    run = with_tables(run, events=crowd)
    figure = price_and_volume(run)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    badges = [
        each for each in panel(figure, "Composite").texts if (each.get_gid() or "")[:5] == "event"
    ]
    assert [each.get_text() for each in badges] == [str(at) for at in range(1, 12)]
    boxes = [each.get_window_extent(canvas.get_renderer()) for each in badges]
    patches = [each.get_bbox_patch() for each in badges]
    round_ones = [patch.get_window_extent(canvas.get_renderer()) for patch in patches if patch]
    for at, box in enumerate(round_ones):
        assert not any(box.overlaps(other) for other in round_ones[at + 1 :])
    assert len(boxes) == len(round_ones)
    assert "before the first day" not in texts(figure)
    assert "11  2024-10-30  event 10 of many" in texts(figure)


def test_near_events_stand_on_different_levels() -> None:
    dates = np.arange("2024-01-01", "2024-12-31", dtype="datetime64[D]")
    days = pd.to_datetime(["2024-03-01", "2024-03-02", "2024-03-03", "2024-06-01"])
    marks = marks_of(pd.DataFrame({"date": days, "title": "x"}), dates)
    assert [mark.level for mark in marks] == [0, 1, 2, 0]


def test_chinese_titles_have_their_glyphs() -> None:
    # A letter without a glyph is a warning of matplotlib, and warnings are errors here.
    events = pd.DataFrame({"date": pd.to_datetime(["2021-10-01"]), "title": ["全国碳市场履约通知"]})
    if len(families()) < 2:
        pytest.skip("no font with Chinese letters is installed")
    figure = price_and_volume(with_tables(small_run("2021", 1), events=events))
    assert "全国碳市场履约通知" in texts(figure)
    assert svg_of(figure)


def test_monthly_bars_are_the_months_of_the_quotes() -> None:
    run = small_run("2021", 1)
    figure = monthly_volume(run)
    bulk = panel(figure, "Bulk agreement, Mt a month")
    table = run.quotes[run.quotes["instrument"] == "COMPOSITE"]
    sums = table.groupby(table["date"].dt.month)["bulk_volume_t"].sum() / 1e6
    assert bars(bulk, "simulated") == pytest.approx(sums.to_list())
    assert bulk.get_xticklabels()[0].get_text() == "Jul\n2021"


def test_observed_tonnes_are_scaled_to_a_smaller_population_and_say_so() -> None:
    run = small_run("2021", 1)
    share = run.counts["entities"] / 2011
    bulk = panel(monthly_volume(run), "Bulk agreement")
    december = monthly().set_index("month").loc["2021-12", "bulk_volume_t"] / 1e6
    assert bars(bulk, f"observed × {share:.3g}")[-1] == pytest.approx(share * december)
    whole = with_tables(run)
    whole.counts["entities"] = 2011
    full = panel(monthly_volume(whole), "Bulk agreement")
    assert bars(full, "observed")[-1] == pytest.approx(december)


def test_cumulative_volume_ends_at_the_total_and_at_all_of_it() -> None:
    run = small_run("2021", 2)
    figure = cumulative_volume(run)
    tonnes = line(panel(figure, "Volume up to the day, Mt"), "simulated").get_ydata()
    assert tonnes == pytest.approx(np.cumsum(volume(run)) / 1e6)
    right = panel(figure, "Share of the season's volume, %")
    assert line(right, "simulated").get_ydata()[-1] == pytest.approx(100)
    seen = line(right, "observed, month ends").get_ydata()
    total = facts(run.quotes)
    assert seen[-1] == pytest.approx(100)
    assert 100 - seen[2] == pytest.approx(90.1, abs=0.1)  # Q4 of 2021 (targets.csv)
    assert total["VOL"] == pytest.approx(tonnes[-1])


def test_bulk_bars_are_all_of_the_volume_and_the_median_is_that_of_the_facts() -> None:
    run = small_run("2021", 1)
    figure = bulk_discount(run)
    right = panel(figure, "Bulk trades")
    shares = sum(bars(right, "between groups")) + sum(bars(right, "within a group"))
    assert shares == pytest.approx(100)
    trades = run.trades[run.trades["modality"] == "bulk"]
    inside = trades.loc[trades["same_group"], "qty_tonnes"].sum() / trades["qty_tonnes"].sum()
    assert sum(bars(right, "within a group")) == pytest.approx(100 * inside)
    assert len(trade_discounts(run)) == len(trades)
    left = panel(figure, "Days with both legs")
    words = [str(each.get_label()) for each in left.lines]
    assert f"simulated median {100 * facts(run.quotes)['BDMED']:+.1f} %" in words
    assert "observed median -4.5 %" in words


def test_a_season_without_bulk_or_limits_says_so() -> None:
    run = without_bulk(small_run("2021", 1))
    assert "no bulk trade" in texts(bulk_discount(run))
    assert "no day with both bulk\nand listed trades" in texts(bulk_discount(run))
    assert "no listed trade at a limit" in texts(limit_days(run))
    assert "no trade" in texts(who_traded_with_whom(dead(run)))
    assert "too few returns" in texts(returns(dead(run)))


def test_autocorrelation_at_lag_one_is_that_of_the_facts() -> None:
    run = small_run("2021", 1)
    found = facts(run.quotes)
    figure = returns(run)
    plain = line(panel(figure, "Autocorrelation of returns"), "simulated").get_ydata()
    absolute = line(panel(figure, "Autocorrelation of |returns|"), "simulated").get_ydata()
    assert plain[0] == pytest.approx(found["AC1"])
    assert absolute[0] == pytest.approx(found["ACABS"])
    law = panel(figure, "Distribution of returns")
    words = [each.get_text() for each in law.get_legend().get_texts()]  # type: ignore[union-attr]
    assert f"simulated, sd {100 * found['SD']:.2f} %" in words
    assert "observed, sd 2.60 %" in words
    assert autocorrelation(np.array([1.0, -1.0] * 20))[:2] == pytest.approx([-1, 1])


def test_holdings_are_stacked_to_what_is_held() -> None:
    run = small_run("2024", 1)
    before = run.holdings[run.holdings["date"] < pd.Timestamp("2024-12-01")]
    figure = holdings_by_vintage(with_tables(run, holdings=before))
    codes = sorted(before["instrument"].unique())
    assert [axes.get_title("left") for axes in figure.axes[: len(codes)]] == codes
    for code, axes in zip(codes, figure.axes, strict=False):
        heights = [[patch.get_height() for patch in each.patches] for each in axes.containers]
        table = before[before["instrument"] == code]
        dates = sorted(before["date"].unique())
        held = table.groupby("date")["tonnes"].sum().reindex(dates, fill_value=0) / 1e6
        assert np.sum(heights, axis=0) == pytest.approx(held.to_numpy())
        tops = [patch.get_y() + patch.get_height() for patch in axes.containers[-1].patches]
        assert tops == pytest.approx(held.to_numpy())  # each class stands on the one before


def test_holdings_after_surrender_stand_beside_those_of_the_same_day() -> None:
    run = small_run("2021", 1)
    names = run.compliance["entity"].to_list()
    day = pd.Timestamp("2021-12-31")

    def held(entity: int, code: str, tonnes: float, moment: str) -> tuple[object, ...]:
        return day, moment, names[entity], code, tonnes

    rows = [
        held(0, "CEA", 4e6, "month end"),
        held(0, "CEA21", 1e6, "month end"),
        held(2, "CEA", 8e6, "month end"),
        held(2, "CEA", 2e6, "after surrender"),
    ]
    table = pd.DataFrame(rows, columns=["date", "moment", "entity", "instrument", "tonnes"])
    axes = holdings_by_vintage(with_tables(run, holdings=table)).axes[0]
    heights = [[patch.get_height() for patch in each.patches] for each in axes.containers]
    assert np.sum(heights, axis=0) == pytest.approx([12, 2])
    assert [each.get_text() for each in axes.get_xticklabels()] == ["Dec\n2021", "\nafter"]


def test_classes_are_ownership_of_power_and_sectors_of_others() -> None:
    run = small_run("2021", 1)
    table = run.compliance.copy()
    table.loc[table.index[:3], "group"] = ["G04", "G05", ""]
    table.loc[table.index[3], "sector"] = "steel"
    found = classes_of(with_tables(run, compliance=table))
    assert found.iloc[:4].to_list() == [*CLASSES, "steel"]
    assert class_names([found]) == [*CLASSES, "steel"]


def test_matrix_has_sellers_down_and_buyers_across() -> None:
    run = small_run("2021", 1)
    classes = pd.Series({"a": CLASSES[0], "b": CLASSES[1]}, dtype=object)
    trades = run.trades.iloc[:2].assign(
        modality="bulk", seller=["a", "a"], buyer=["b", "nobody"], qty_tonnes=[2e6, 5e5]
    )
    found = matrix(with_tables(run, trades=trades), "bulk", [*CLASSES[:2], "others"], classes)
    assert found.tolist() == [[0, 2, 0.5], [0, 0, 0], [0, 0, 0]]
    figure = who_traded_with_whom(run)
    bulk = panel(figure, "Bulk agreement")
    total = run.trades.loc[run.trades["modality"] == "bulk", "qty_tonnes"].sum() / 1e6
    assert bulk.get_title("left") == f"Bulk agreement: {total:.3g} Mt\nMt (% of it)"
    assert bulk.images[0].get_array().sum() == pytest.approx(1)  # type: ignore[union-attr]
    assert (bulk.get_xlabel(), figure.axes[0].get_ylabel()) == ("buyer", "seller")


def test_share_within_groups_is_that_of_the_trades() -> None:
    run = small_run("2021", 1)
    figure = group_internal(run)
    bulk = run.trades[run.trades["modality"] == "bulk"]
    inside = bulk.loc[bulk["same_group"], "qty_tonnes"].sum()
    top = panel(figure, "Bulk agreement, Mt a month")
    assert sum(bars(top, "within a group")) == pytest.approx(inside / 1e6)
    season = 100 * inside / bulk["qty_tonnes"].sum()
    bottom = panel(figure, "Share of the volume traded within a group, %")
    assert f"bulk agreement {season:.0f} %" in bottom.get_title("left")


def test_limit_days_are_counted_by_vintage() -> None:
    run = small_run("2024", 1)
    quotes = run.quotes.copy()
    quotes[["touched_upper", "touched_lower"]] = False
    rows = quotes.index[quotes["instrument"] == "CEA22"][:3]
    quotes.loc[rows, "touched_upper"] = True
    days = quotes.loc[rows, "date"]
    whole = (quotes["instrument"] == "COMPOSITE") & quotes["date"].isin(days)
    quotes.loc[whole, "touched_upper"] = True
    axes = panel(limit_days(with_tables(run, quotes=quotes)), "Number of days by vintage")
    names = [tick.get_text() for tick in axes.get_yticklabels()]
    (found,) = [each for each in axes.containers if each.get_label() == "upper limit"]
    counts = dict(zip(names, (patch.get_width() for patch in found.patches), strict=True))
    assert counts == {"CEA": 0, "CEA21": 0, "CEA22": 3, "CEA23": 0, "any vintage": 3}


def test_completion_shows_rate_entities_and_tonnes_by_sector() -> None:
    run = small_run("2021", 1)
    table = run.compliance.copy()
    table[["shortfall_t", "late_t"]] = 0
    table.loc[table.index[:2], ["shortfall_t", "late_t"]] = 1_500
    table.loc[table.index[1:3], "sector"] = "steel"
    figure = completion(with_tables(run, compliance=table))
    assert [tick.get_text() for tick in figure.axes[0].get_yticklabels()] == [
        *("power", "steel", "all")
    ]
    widths = [
        [float(patch.get_width()) for patch in axes.containers[0].patches] for axes in figure.axes
    ]
    assert widths[1] == [1, 1, 2]
    assert widths[2] == [1.5, 1.5, 3.0]
    assert widths[0][2] == pytest.approx(100 * (1 - 3_000 / table["emissions_t"].sum()))
    empty = completion(with_tables(run, compliance=table.iloc[:0]))
    assert texts(empty).count("nothing was due") == 3


def test_seasons_kept_aside_have_nothing_observed() -> None:
    for season in ("2023", "2025", "2026"):
        run = small_run("2024", 1)
        shift = pd.Timestamp(load(season).first_day) - run.quotes["date"].min()
        moved = run.quotes.assign(date=run.quotes["date"] + shift)
        sample = sample_of(with_tables(run, quotes=moved))
        seen = observed_of(sample, None)
        assert (seen.any, seen.facts) == (False, {})
        # Not even a daily file is opened for such a season.
        assert not observed_of(sample, "no-such-file.csv").any
        assert "No observed values" in seen.source()
        assert not any("observed" in str(each.get_label()) for each in lines_of(sample))


def lines_of(sample: Any) -> list[Any]:
    return [
        each
        for draw in (cumulative_volume, returns, price_and_volume)
        for axes in draw(sample).axes
        for each in axes.lines
    ]


def test_runs_that_do_not_belong_together_are_refused() -> None:
    with pytest.raises(PictureError, match="no run was given"):
        sample_of([])
    with pytest.raises(PictureError, match="2021, 2024"):
        sample_of([small_run("2021", 1), small_run("2024", 1)])
    run = small_run("2021", 1)
    with pytest.raises(PictureError, match="no quotes"):
        sample_of(with_tables(run, quotes=run.quotes.iloc[:0]))
    shorter = with_tables(small_run("2021", 2), quotes=small_run("2021", 2).quotes.iloc[4:])
    with pytest.raises(PictureError, match="other trading days"):
        sample_of([run, shorter])


def test_month_ticks_do_not_cover_each_other() -> None:
    for season in ("2021", "2024"):
        figure = cumulative_volume(small_run(season, 1))
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        for axes in figure.axes[:2]:
            boxes = [
                each.get_window_extent(canvas.get_renderer()) for each in axes.get_xticklabels()
            ]
            for left, right in pairwise(boxes):
                assert left.x1 < right.x0
