"""The page of results: words and pictures made from the committed figures, and from nothing else.

``tanshi bench page`` reads ``docs/results/bench/*.json`` and writes ``docs/reference/speed.md`` and
``docs/images/bench-*.svg``. Equal figures give an equal page; a test holds the committed page and
pictures to the committed figures.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks import compare, plots
from benchmarks.result_words import ABSOLUTE_NOTE, HEAD, HOW_TO_READ, ratio_words
from benchmarks.runner import QUESTIONS
from benchmarks.targets import Verdict, verdicts

Figures = Mapping[str, Any]

FOLDER, PAGE, IMAGES = Path("results/bench"), Path("reference/speed.md"), Path("images")


def read(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the figures of a folder by question, in the order of the questions.

    Raises:
        CompareError: a file does not hold the figures of the question it is named after.
    """
    found = {}
    for name in QUESTIONS:
        file = folder / f"{name}.json"
        if file.exists():
            figures = compare.read(file)
            if figures["benchmark"] != name:
                raise compare.CompareError(f"{file} holds figures of {figures['benchmark']}")
            found[name] = figures
    return found


def write(docs: Path, folder: Path) -> list[Path]:
    """Write page and pictures below ``docs`` from the figures in ``folder``; return the files.

    A picture of an earlier time that nothing is drawn from any more is removed.

    Raises:
        CompareError: a file does not hold the figures of the question it is named after.
    """
    found = read(folder)
    made = plots.pictures(found)
    images = docs / IMAGES
    images.mkdir(parents=True, exist_ok=True)
    for old in images.glob("bench-*.svg"):
        if old.name not in made:
            old.unlink()
    for name, svg in made.items():
        (images / name).write_bytes(svg)
    page_file = docs / PAGE
    page_file.parent.mkdir(parents=True, exist_ok=True)
    page_file.write_text(page(found), encoding="utf-8")
    return [page_file, *(images / name for name in made)]


def page(found: Mapping[str, Figures]) -> str:
    """Return the page of results as Markdown."""
    lines = [HEAD, *_machine(found), "", HOW_TO_READ, "", *_targets(found)]
    for name, question in QUESTIONS.items():
        lines += ["", f"## {name}", "", question.help, ""]
        if name in found:
            lines += _question(name, found[name])
        else:
            lines.append("No figures are committed.")
    return "\n".join(lines) + "\n"


def _machine(found: Mapping[str, Figures]) -> Iterator[str]:
    """Name the machines and versions; each once, with the questions that it answered."""
    by_machine: dict[str, list[str]] = {}
    for name, figures in found.items():
        by_machine.setdefault(_machine_words(figures["machine"]), []).append(name)
    for words, names in by_machine.items():
        yield f"- {words}: {', '.join(names)}"
    small = [name for name, figures in found.items() if not figures.get("full")]
    if small:
        yield ""
        yield (
            f"**Measured in a small size only, so that these figures mean little:"
            f" {', '.join(small)}.**"
        )


def _machine_words(machine: Mapping[str, Any]) -> str:
    versions = ("numpy", "numba", "sortedcontainers")
    packages = ", ".join(f"{each} {machine[each]}" for each in versions if each in machine)
    cores = f"{machine['cores']} core{'' if machine['cores'] == 1 else 's'}"
    return f"{machine['cpu']}, {cores}, {machine['system']}, Python {machine['python']}, {packages}"


def _targets(found: Mapping[str, Figures]) -> Iterator[str]:
    told = verdicts(found)
    if not told:
        return
    yield "## What is asked, and what is reached"
    yield ""
    yield "![How many times as good as asked](../images/bench-targets.svg)"
    yield ""
    yield "| question | figure | asked | measured | least to most | |"
    yield "|---|---|---|---|---|---|"
    for each in told:
        target = each.target
        bound = f"{'≥' if target.least else '≤'} {compare.number(target.asked)}{target.unit}"
        yield (
            f"| [{target.question}](#{target.question}) | {target.words} | {bound} |"
            f" {compare.number(each.value)}{target.unit} | {_span(each)} | {each.words} |"
        )


def _span(verdict: Verdict) -> str:
    if verdict.low == verdict.high:
        return ""
    return f"{compare.number(verdict.low)} to {compare.number(verdict.high)}"


def _question(name: str, figures: Figures) -> Iterator[str]:
    yield _conditions(name, figures)
    if figures["ratios"]:
        yield ""
        yield "| ratio | median | least | most | better |"
        yield "|---|---|---|---|---|"
        for key, each in figures["ratios"].items():
            cells = " | ".join(compare.number(each[part]) for part in ("value", "min", "max"))
            yield f"| {ratio_words(name, key)} | {cells} | {each['better']} |"
    absolute = compare.headlines(figures)
    if absolute:
        yield ""
        yield f"| {ABSOLUTE_NOTE} | |"
        yield "|---|---|"
        for key, value in absolute.items():
            yield f"| `{key}` | {compare.number(value)} |"
    if name == "peers":
        yield from _peers(figures)
    for series in figures["series"]:
        yield ""
        yield f"![{series['title']}](../images/{plots.file_of(name, series)})"


def _conditions(name: str, figures: Figures) -> str:
    """Say in a line how it was measured."""
    size = ", ".join(f"{key} {_value(value)}" for key, value in figures["size"].items())
    core = figures.get("core")
    pinned = "not pinned to a core" if core is None else f"pinned to core {core}"
    return (
        f"`tanshi bench {name}{'' if figures.get('full') else ' --quick'}`: {size}; {pinned};"
        f" before anything counts {figures['warmup_s']:.1f} s of warming up; at most"
        f" {figures['peak_rss_mib']:,.0f} MiB of memory."
    )


def _value(value: object) -> str:
    if isinstance(value, list):
        return " / ".join(_value(each) for each in value)
    if isinstance(value, dict):
        return str(value.get("name", value))
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return str(value)


def _peers(figures: Figures) -> Iterator[str]:
    """Say which packages played, in which version, and why one has no figure."""
    if plots.peer_bars(figures):
        yield ""
        yield "![How many times slower than our engine](../images/bench-peers.svg)"
    rows = figures.get("peers") or []
    if rows:
        yield ""
        yield "| package | version | |"
        yield "|---|---|---|"
        for row in rows:
            why = f": {row['reason']}" if row.get("reason") else ""
            yield f"| {row['package']} | {row.get('version') or ''} | {row['state']}{why} |"
