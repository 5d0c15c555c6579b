"""The page of a load run says what the record says, loads nothing, and stands what goes wrong."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import msgspec
import pytest

from benchmarks.load.charts import latency, linear, nines
from benchmarks.load.drawn import percentile_points
from benchmarks.load.record import Record, decoded, read, write
from benchmarks.load.report import html_of, report
from benchmarks.load.words import duration
from tests.unit.benchmarks.load.samples import (
    FINDING,
    URL,
    a_record,
    interrupted,
    nothing,
    with_knee,
    wrong,
)

SVG = "{http://www.w3.org/2000/svg}"
CHARTS = ["percentiles", "throughput", "latencies", "backlog"]


class Tables(HTMLParser):
    """Rows of all tables by section, and every address that the page would load."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: dict[str, list[list[str]]] = {}
        self.loads: list[str] = []
        self.open: list[str] = []
        self._section = ""
        self._cell = False
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.loads += [f"{tag} {name}" for name in ("src", "srcset", "data") if name in found]
        if tag in {"link", "script", "iframe"}:
            self.loads.append(tag)
        if tag == "section":
            self._section = found["id"] or ""
        if tag == "tr":
            self.rows.setdefault(self._section, []).append([])
        self._cell = tag in {"td", "th"}
        if self._cell:
            self.rows[self._section][-1].append("")

    def handle_data(self, data: str) -> None:
        if self._cell:
            self.rows[self._section][-1][-1] += data

    def handle_endtag(self, tag: str) -> None:
        self._cell = False


def tables(record: Record, old: Record | None = None) -> dict[str, list[list[str]]]:
    return Tables(html_of(record, old)).rows


def charts(page: str) -> dict[str, ElementTree.Element]:
    """The charts of a page by name; each must be sound XML."""
    found = [ElementTree.fromstring(each) for each in re.findall(r"<svg.*?</svg>", page, re.S)]
    return {each.attrib["id"].removeprefix("chart-"): each for each in found}


def line(chart: ElementTree.Element, name: str) -> list[tuple[float, float]]:
    """The points of one line of a chart, as they are drawn."""
    (found,) = [each for each in chart.iter(f"{SVG}polyline") if each.get("data-name") == name]
    pairs = [each.split(",") for each in (found.get("points") or "").split()]
    return [(float(x), float(y)) for x, y in pairs]


def tips(chart: ElementTree.Element) -> list[str]:
    return [rect.findtext(f"{SVG}title") or "" for rect in chart.iter(f"{SVG}rect")]


def test_the_summary_is_that_of_the_record() -> None:
    record = a_record()
    rows = tables(record)["summary"]
    assert ["unanswered", "0", "0.00 %"] in rows
    assert ["refused", "20", "0.11 %"] in rows
    assert ["orders due", f"{record.orders.intended:,}", ""] in rows
    due, service = record.latency_us, record.service_us
    assert ["p99.99", duration(due.p9999), duration(service.p9999)] in rows
    assert ["p50", duration(due.p50), duration(service.p50)] in rows
    assert duration(due.p9999) != duration(service.p9999)


def test_ends_refusals_plan_and_machine_stand_in_their_sections() -> None:
    rows = tables(a_record(seed=5))
    assert ["insufficient_cash", "16", "0.08 %"] in rows["ends"]
    assert rows["ends"].index(["insufficient_cash", "16", "0.08 %"]) < rows["ends"].index(
        ["price_limit", "4", "0.02 %"]
    )
    assert ["mix", "list 50.0%, take 20.0%, cancel 30.0%"] in rows["plan"]
    assert ["seed", "5"] in rows["plan"]
    assert ["load tester's core busy", "41%"] in rows["machine"]
    assert ["cpu", "AMD EPYC"] in rows["machine"]


def test_percentile_lines_are_the_histograms() -> None:
    record = a_record()
    points = percentile_points(record.histograms["latency"])
    found = decoded(record.histograms["latency"])
    for nines_of, percent in ((0, 0), (1, 90), (2, 99), (3, 99.9)):
        (value,) = [y for x, y in points if x == nines_of]
        assert value == found.get_value_at_percentile(percent)
    assert points[-1][1] == found.get_max_value()


def test_what_is_hidden_by_the_actual_send_is_seen_in_the_plot() -> None:
    record = a_record()
    chart = charts(html_of(record))["percentiles"]
    due, service = line(chart, "from when it was due"), line(chart, "from the actual send")
    assert [x for x, _ in due] == [x for x, _ in service]
    assert due[-1][1] < service[-1][1] - 50  # y grows downwards
    assert abs(due[20][1] - service[20][1]) < 5  # below the median they are the same
    assert "99 %" in [each.text for each in chart.iter(f"{SVG}text")]
    told = f": 99 %\nfrom when it was due: {duration(record.latency_us.p99)}\n"
    assert any(told in each for each in tips(chart))


def test_a_stall_is_seen_in_the_lines_over_time() -> None:
    found = charts(html_of(a_record(stalled_at=8)))
    assert [*found] == CHARTS
    highest = min(line(found["latencies"], "p99"), key=lambda point: point[1])
    assert line(found["latencies"], "p99").index(highest) == 7
    assert (
        line(found["backlog"], "due and unanswered").index(
            min(line(found["backlog"], "due and unanswered"), key=lambda point: point[1])
        )
        == 7
    )
    assert "seconds since the run began: 8\ndue and unanswered: 40" in tips(found["backlog"])


def test_nothing_is_loaded_and_nothing_is_executed() -> None:
    page = html_of(wrong(with_knee(a_record())), a_record(seed=2))
    assert Tables(page).loads == []
    assert "default-src 'none'" in page
    assert not re.findall(r"url\(|@import|http://(?!www\.w3\.org/2000/svg)", page)


def test_findings_are_told_in_full_and_nothing_is_called_right() -> None:
    page = html_of(wrong(a_record()))
    assert f"<li>{FINDING}</li>" in page
    assert "more than at the beginning &lt;b&gt;" in page
    assert "Found wrong: 2 findings. No figure of this run counts." in page
    assert "Nothing wrong was found" not in page
    assert "Nothing wrong was found: 19,031 orders and 10 accounts checked." in html_of(a_record())


def test_a_run_that_broke_off_says_why_and_shows_what_there_is() -> None:
    page = html_of(interrupted(a_record()))
    told = "Ended early (server lost: the line was closed (1006)): what was measured until then"
    assert told in page
    assert "11 of 19 seconds" in page
    found = charts(page)
    assert len(line(found["throughput"], "answered")) == 12
    assert "ended early" in [each.text for each in found["throughput"].iter(f"{SVG}text")]
    assert "ended early" not in html_of(a_record())


def test_a_run_without_an_answer_has_a_page() -> None:
    page = html_of(nothing())
    assert charts(page) == {}
    assert page.count("Nothing was measured.") == 2
    assert "No order was answered." in page
    assert "Nothing wrong was found" not in page
    assert ["p99", "–", "–"] in tables(nothing())["summary"]


def test_the_knee_has_its_steps_and_its_bound() -> None:
    record = with_knee(a_record())
    rows = tables(record)["knee"]
    assert ["3,000", "3,000", "6.10 ms", "kept"] in rows
    assert ["4,000", "3,400", "48.0 ms", "not kept"] in rows
    chart = charts(html_of(record))["knee"]
    texts = [each.text for each in chart.iter(f"{SVG}text")]
    assert {"bound 10.0 ms", "the knee"} <= {*texts}
    assert [len(line(chart, name)) for name in ("kept the bound", "did not")] == [3, 2]
    assert "knee" not in tables(a_record())


def test_a_limit_of_the_client_is_said_before_its_figures_are_believed() -> None:
    record = a_record()
    assert ["load tester was the limit", "no"] in tables(record)["machine"]
    record.client.is_the_limit = True
    record.advice = ["This load tester was the limit & more."]
    page = html_of(record)
    assert page.index("was the limit &amp; more.") < page.index('<section id="summary">')
    assert ["load tester was the limit", "yes"] in tables(record)["machine"]


def test_a_last_part_of_a_second_is_no_drop_in_the_rate() -> None:
    record = a_record()
    assert len(line(charts(html_of(record))["throughput"], "answered")) == 20
    rest = msgspec.structs.replace(record.seconds[-1], t=20.1, answered=100, intended=0)
    late = msgspec.structs.replace(record.seconds[-1], t=22.1, answered=2 * 1005)
    record.seconds += [rest, late]
    points = line(charts(html_of(record))["throughput"], "answered")
    assert len(points) == 21
    assert abs(points[-1][1] - points[-2][1]) < 1  # the same rate over two seconds
    assert len(line(charts(html_of(record))["latencies"], "p99")) == 21


def test_a_comparison_has_both_runs_in_one_plot() -> None:
    old, new = a_record(), a_record(seed=2, slower=1.4, stalled_at=0)
    rows = tables(new, old)["compared"]
    assert ["a second: p99", "2.05 ms", "2.86 ms", "+39.7 %", "worse, beyond it"] in rows
    chart = charts(html_of(new, old))["two-percentiles"]
    assert line(chart, "this run")[40][1] < line(chart, "older run")[40][1]
    assert "compared" not in tables(new)


def test_the_page_comes_from_the_saved_record_alone(tmp_path: Path) -> None:
    record = with_knee(interrupted(a_record()))
    write(record, tmp_path / "run.json")
    report(read(tmp_path / "run.json"), tmp_path / "deep" / "run.html")
    page = (tmp_path / "deep" / "run.html").read_text(encoding="utf-8")
    assert page == html_of(record)
    assert f"<title>Load test of {URL}</title>" in page


@pytest.mark.parametrize(
    ("values", "low", "high", "first"),
    [
        ([830.0, 3_100.0], 500.0, 5_000.0, "500 µs"),
        ([1.0, 4e7], 1.0, 1e8, "1 µs"),
        ([1_000.0, 1_000.0], 1_000.0, 2_000.0, "1 ms"),
        ([None, 0.0], 100.0, 10_000.0, "100 µs"),
    ],
)
def test_a_log_axis_holds_its_values(
    values: list[float | None], low: float, high: float, first: str
) -> None:
    axis = latency("p99", values)
    assert (axis.low, axis.high, axis.ticks[0][1]) == (low, high, first)
    assert all(0 <= axis.share(value) <= 1 for value in values if value)


def test_each_decade_of_a_log_axis_is_as_wide_as_the_next() -> None:
    axis = latency("p99", [100.0, 1e6])
    assert [round(axis.share(10.0**n), 6) for n in range(2, 7)] == [0.0, 0.25, 0.5, 0.75, 1.0]


def test_a_linear_axis_has_round_ticks_and_its_largest_value() -> None:
    axis = linear("orders", [0.0, 1_017.0])
    assert [words for _, words in axis.ticks] == ["0", "500", "1,000", "1,500"]
    assert linear("orders", [0.0]).high > 0


@pytest.mark.parametrize(("count", "last"), [(1, "99 %"), (1_000, "99.9 %"), (10**9, "99.99999 %")])
def test_percentiles_go_as_far_as_the_orders_tell(count: int, last: str) -> None:
    assert nines("percentile", count).ticks[-1][1] == last
