"""One runner for every question: asked alike, compared with kept figures, all of them resumable."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from benchmarks import compare, everything, runner
from benchmarks.machine import peak_rss_mib, ratio
from benchmarks.runner import COMMON, QUESTIONS, CannotMeasureError, Question
from tanshi import app

ROOT = Path(__file__).parents[3]
SMALL = ("bench", "matching", "--messages", "2000", "--runs", "2")
OURS = ("matching", "gateway", "fanout", "registry", "season")


def asked(*words: str) -> Result:
    return CliRunner().invoke(app, [*words], env={"COLUMNS": "200"})


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("kept") / "matching.json"
    result = asked(*SMALL, "--json", str(file))
    assert result.exit_code == 0, result.output
    return file


def changed(kept: Path, folder: Path, **new: Any) -> Path:
    """Write the kept figures with other ones among them."""
    file = folder / "changed.json"
    file.write_text(json.dumps(json.loads(kept.read_text()) | new))
    return file


def test_help_has_one_line_for_every_question() -> None:
    result = asked("bench", "--help")
    lines = result.output.splitlines()
    for name, question in QUESTIONS.items():
        (line,) = [each for each in lines if each.strip("│ ").startswith(f"{name} ")]
        assert question.help in line
    assert {"all", "page", "guard"} <= {line.strip("│ ").split(" ")[0] for line in lines}


def test_help_imports_no_question() -> None:
    code = (
        "import sys, benchmarks.cli, benchmarks.runner as r;"
        "sys.exit(str([q.module for q in r.QUESTIONS.values() if q.module in sys.modules] or ''))"
    )
    done = subprocess.run(  # a process of its own: here other tests have imported them
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stderr.strip() == "", done.stderr


@pytest.mark.parametrize("name", OURS)
def test_a_question_can_be_asked_in_two_sizes(name: str) -> None:
    module = runner.module_of(name)
    assert is_dataclass(module.FULL)
    assert type(module.FULL) is type(module.QUICK)
    assert module.FULL != module.QUICK
    with pytest.raises(AttributeError):
        setattr(module.FULL, fields(module.FULL)[0].name, 1)


def test_a_module_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(QUESTIONS, "peers", Question("benchmarks.nowhere", "."))
    result = asked("bench", "peers")
    assert (result.exit_code, result.output) == (1, "peers is not in this version\n")
    assert asked("bench", "--help").exit_code == 0


def test_a_package_that_is_missing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "needy_question.py").write_text("import nobody_has_this\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(QUESTIONS, "peers", Question("needy_question", "."))
    with pytest.raises(CannotMeasureError, match="needs the package nobody_has_this"):
        runner.size_of("peers", quick=True)


def test_figures_tell_what_every_question_tells(kept: Path) -> None:
    figures = json.loads(kept.read_text())
    assert {*COMMON} <= set(figures)
    assert figures["size"] == {"messages": 2000, "runs": 2, "seed": 1}
    assert figures["full"] is False
    assert figures["warmup_s"] > 0
    assert {"cpu", "cores", "system", "python", "numpy", "numba"} <= set(figures["machine"])
    for each in figures["ratios"].values():
        assert each["min"] <= each["value"] <= each["max"]
    for key, name in (("yardstick_ratio", "price_time"), ("listed_ratio", "listed")):
        assert figures[key] == figures["ratios"][name]["value"]


def test_books_that_disagree_give_no_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from benchmarks.yardstick import PlainBook

    play = PlainBook.play

    def forgets(self: PlainBook, messages: Any) -> None:
        play(self, messages[:-500])

    monkeypatch.setattr(PlainBook, "play", forgets)
    result = asked(*SMALL, "--json", str(tmp_path / "none.json"))
    assert result.exit_code == 1
    assert "no figure counts" in result.output
    assert not [*tmp_path.iterdir()]


def test_json_may_stand_alone(kept: Path) -> None:
    result = asked(*SMALL, "--json")
    assert set(json.loads(result.stdout)) == set(json.loads(kept.read_text()))


def test_a_change_of_a_ratio_is_told_with_its_spreads(kept: Path, tmp_path: Path) -> None:
    now = {"value": 3.0, "better": "higher", "min": 2.9, "max": 3.1}
    far = now | {"value": 1e9, "min": 1e9, "max": 1e9}
    old = changed(kept, tmp_path, ratios={"price_time": far, "gone": far})
    result = asked(*SMALL, "--compare", str(old))
    assert result.exit_code == 0, result.output
    (line,) = [each for each in result.output.splitlines() if "price_time (ratio)" in each]
    assert "-100.0%" in line
    assert "worse" in line
    assert "No longer measured: gone." in result.output
    assert "absolute: drifts between machines" in result.output
    assert "The machines differ" not in result.output


@pytest.mark.parametrize(
    ("old", "new", "better", "verdict"),
    [
        ((10, 9, 11), (12, 11.5, 13), "higher", "better"),
        ((10, 9, 11), (12, 11.5, 13), "lower", "worse"),
        ((10, 9, 11), (8, 7, 8.9), "higher", "worse"),
        ((10, 9, 11), (8, 7, 8.9), "lower", "better"),
        ((10, 9, 11), (12, 10.9, 13), "higher", ""),
        ((10, 9, 11), (10, 9, 11), "higher", ""),
    ],
)
def test_a_ratio_moved_only_outside_both_spreads(
    old: tuple[float, ...], new: tuple[float, ...], better: str, verdict: str
) -> None:
    sides = [
        {"ratios": {"r": dict(zip(("value", "min", "max"), each, strict=True), better=better)}}
        for each in (old, new)
    ]
    (change,) = compare.changes(*sides)
    assert change.verdict == verdict
    assert change.part == pytest.approx(new[0] / old[0] - 1)


def test_other_machines_are_named(kept: Path, tmp_path: Path) -> None:
    machine = json.loads(kept.read_text())["machine"] | {"cpu": "Abacus 3", "python": "2.7"}
    result = asked(*SMALL, "--compare", str(changed(kept, tmp_path, machine=machine)))
    assert "The machines differ: cpu Abacus 3 →" in result.output
    assert "python 2.7 →" in result.output
    assert "numpy" not in result.output.split("The machines differ", 1)[1]


@pytest.mark.parametrize(
    ("new", "said"),
    [
        ({"benchmark": "season"}, "holds figures of season, not of matching"),
        ({"size": {"messages": 7, "runs": 2, "seed": 1}}, "messages 7 there and 2000 here"),
        ({"size": None}, "without their size or ratios"),
        ({"ratios": {"price_time": 3}}, "without their size or ratios"),
        ({"benchmark": None}, "does not hold figures of tanshi bench"),
    ],
)
def test_figures_that_do_not_fit_are_refused_before_anything_is_measured(
    kept: Path, tmp_path: Path, new: dict[str, Any], said: str
) -> None:
    began = time.perf_counter()
    result = asked(*SMALL, "--compare", str(changed(kept, tmp_path, **new)))
    assert result.exit_code == 2
    assert said in result.output
    assert "kernels ready" not in result.output
    assert time.perf_counter() - began < 5


@pytest.mark.parametrize(
    ("text", "said"),
    [('{"benchmark": "matc', "is not JSON"), ("[]", "does not hold figures"), (None, "cannot be")],
)
def test_a_file_that_is_broken_is_refused(tmp_path: Path, text: str | None, said: str) -> None:
    file = tmp_path / "broken.json"
    if text is not None:
        file.write_text(text)
    result = asked(*SMALL, "--compare", str(file))
    assert result.exit_code == 2
    assert said in result.output


def test_a_ratio_is_the_median_with_least_and_most() -> None:
    assert ratio([3.0, 1.0, 2.0]) == {"value": 2.0, "better": "higher", "min": 1.0, "max": 3.0}
    assert ratio([1.0], "lower")["better"] == "lower"


def test_memory_of_another_process_is_its_own() -> None:
    hog = "import sys; x = bytearray(200 << 20); print(flush=True); sys.stdin.read()"
    words = [sys.executable, "-c", hog]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert 200 < peak_rss_mib(child.pid) < 300
        child.terminate()


ONE = {"matching": QUESTIONS["matching"], "absent": Question("benchmarks.absent", "Not written.")}


def quick_one(kept: Path, folder: Path) -> Path:
    """Write the kept figures as if they were of the quick size."""
    size = asdict(runner.size_of("matching", quick=True))
    return changed(kept, folder, size=size).rename(folder / "matching.json")


def test_all_keeps_what_is_there(
    kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(everything, "QUESTIONS", ONE)
    monkeypatch.setattr(runner, "QUESTIONS", ONE)
    file = quick_one(kept, tmp_path)
    before = file.read_bytes()
    said: list[str] = []
    outcomes, complete = everything.ask_all(tmp_path, True, False, said.append)
    assert complete
    assert [(each.name, each.ended) for each in outcomes] == [
        ("matching", "kept"),
        ("absent", "not there"),
    ]
    assert file.read_bytes() == before
    assert said[0].startswith("[1/2] matching: ")
    outcomes, _ = everything.ask_all(tmp_path, True, True, said.append)
    assert outcomes[0].ended == "measured"
    assert json.loads(file.read_text())["took_s"] != json.loads(before)["took_s"]
    file.write_bytes(kept.read_bytes())
    outcomes, _ = everything.ask_all(tmp_path, True, False, said.append)
    assert outcomes[0].ended == "measured", "what was there was of another size"
    file.write_text("{")
    outcomes, _ = everything.ask_all(tmp_path, True, False, said.append)
    assert outcomes[0].ended == "failed"
    assert "is not JSON" in outcomes[0].words


def test_a_question_that_fails_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(everything, "QUESTIONS", {"matching": QUESTIONS["matching"]})
    half = "import sys; open(sys.argv[3], 'w').write('{'); sys.exit('the books disagree')"
    program = (sys.executable, "-c", half)
    outcomes, complete = everything.ask_all(tmp_path, True, False, lambda _: None, program)
    assert complete
    assert (outcomes[0].ended, outcomes[0].words) == ("failed", "the books disagree")
    assert not [*tmp_path.iterdir()]


def test_an_interrupt_keeps_what_was_measured(tmp_path: Path, kept: Path) -> None:
    words = [sys.executable, "-m", "tanshi", "bench", "all", "--quick", "--json", str(tmp_path)]
    quick_one(kept, tmp_path)
    with subprocess.Popen(
        words, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        start_new_session=True,
    ) as child:  # fmt: skip
        assert child.stderr is not None
        for line in child.stderr:
            if "[2/" in line:
                break
        os.killpg(child.pid, signal.SIGINT)  # as Ctrl-C of a terminal does
        out, rest = child.communicate(timeout=60)
    assert child.returncode == 130, rest
    assert "Interrupted: what was measured is kept" in rest
    assert "matching" in out
    assert [each.name for each in tmp_path.iterdir()] == ["matching.json"]
