"""All questions one after the other, each in a process of its own, resumable, one file each.

A process of its own gives each question a fresh memory, and nothing warm from the one before. A
file appears whole or not at all, so what is there after an interrupt is there to stay.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import compare
from benchmarks.runner import QUESTIONS, CannotMeasureError, module_of, size_of

STOP_WITHIN_S = 30
PROGRAM = (sys.executable, "-m", "tanshi", "bench")
Say = Callable[[str], None]


@dataclass(frozen=True)
class Outcome:
    """How it went with one question: "measured", "kept", "failed" or "not there"."""

    name: str
    ended: str
    seconds: float = 0.0
    words: str = ""


def ask_all(
    folder: Path, quick: bool, again: bool, say: Say, program: Sequence[str] = PROGRAM
) -> tuple[list[Outcome], bool]:
    """Ask every question whose file is not in ``folder`` yet; return outcomes and if all was done.

    A file of another size is measured anew; ``again``: every file is. An interrupt ends the
    question that runs and the rest; what was measured before is kept.
    """
    folder.mkdir(parents=True, exist_ok=True)
    outcomes: list[Outcome] = []
    try:
        for at, name in enumerate(QUESTIONS, 1):
            say(f"[{at}/{len(QUESTIONS)}] {name}: {QUESTIONS[name].help}")
            file = folder / f"{name}.json"
            kept = None if again or not file.exists() else _kept(name, file, quick)
            outcomes.append(kept or _ask(name, file, quick, program))
            say(f"[{at}/{len(QUESTIONS)}] {name}: {told(outcomes[-1])}")
    except KeyboardInterrupt:
        return outcomes, False
    return outcomes, True


def told(outcome: Outcome) -> str:
    """Return an outcome in words."""
    took = f" in {outcome.seconds:.0f} s" if outcome.seconds else ""
    return f"{outcome.ended}{took}" + (f": {outcome.words}" if outcome.words else "")


def _kept(name: str, file: Path, quick: bool) -> Outcome | None:
    """Return that a file is there; None if what is there was measured in another size."""
    try:
        found = compare.read(file)
        compare.fits(found, name, asdict(size_of(name, quick)), file)
    except compare.SizeError:
        return None
    except (compare.CompareError, CannotMeasureError) as wrong:
        return Outcome(name, "failed", words=str(wrong))
    return Outcome(name, "kept", words="its file is there already (--again measures anew)")


def _ask(name: str, file: Path, quick: bool, program: Sequence[str]) -> Outcome:
    try:
        module_of(name)
    except CannotMeasureError as missing:
        return Outcome(name, "not there", words=str(missing))
    part = file.with_name(f".{file.name}.part")
    words = [*program, name, "--json", str(part), *(["--quick"] if quick else [])]
    began = time.perf_counter()
    try:
        code, said = _run(words)
        took = time.perf_counter() - began
        if code or not part.exists():
            return Outcome(name, "failed", took, said or f"it ended with {code}")
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
    return Outcome(name, "measured", took)


def _run(words: Sequence[str]) -> tuple[int, str]:
    """Run a process to its end; return its exit code and the last line that it said on stderr.

    It hears an interrupt of the terminal too, and is given time to stop what it started.
    """
    last = ""
    process = subprocess.Popen(  # noqa: S603
        words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    try:
        for line in process.stderr:
            sys.stderr.write(f"    {line}")
            last = line.strip() or last
        return process.wait(), last
    except KeyboardInterrupt:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_WITHIN_S)
        raise
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        process.stderr.close()


def show(outcomes: Sequence[Outcome], folder: Path, console: Console) -> None:
    """Print how it went, with every ratio that was measured."""
    table = Table("question", "how", "seconds", "ratios", title="All questions")
    for each in outcomes:
        file = folder / f"{each.name}.json"
        ratios = ""
        if each.ended in {"measured", "kept"}:
            found = compare.read(file)["ratios"]
            ratios = ", ".join(f"{key} {compare.number(of['value'])}" for key, of in found.items())
        took = f"{each.seconds:.0f}" if each.seconds else ""
        table.add_row(each.name, each.ended, took, ratios or each.words)
    console.print(table)
