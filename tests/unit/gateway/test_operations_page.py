"""docs/reference/operations.md says what the code says: limits, bounds, figures, exit codes."""

import re
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import pytest

from gateway import connection, http_lines, serve
from gateway.connection import Door
from gateway.desk import people
from gateway.journal import sequencer
from gateway.limits import Limits
from gateway.metrics import GAUGES, Counts, Metrics
from gateway.rest import bodies, uploads
from gateway.wire import message_base, messages

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "reference/operations.md").read_text(encoding="utf-8")
BOUNDS_IN = (messages, message_base, serve, http_lines, bodies, uploads, connection, people)


def rows(title: str) -> list[list[str]]:
    """The cells of the rows of a section's tables whose first one is code or a number."""
    section = PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]
    found = re.findall(r"^\| (`?[A-Za-z0-9_]+`?) \| (.*) \|$", section, re.MULTILINE)
    return [[first, *rest.split(" | ")] for first, rest in found]


def test_every_limit_is_shown_with_its_default() -> None:
    shown = {
        name.strip("`"): value for name, value, _ in rows("Limits") if name.strip("`").islower()
    }
    shown.pop("limit", None)
    shown.pop("bound", None)
    assert shown == {name: str(value) for name, value in asdict(Limits()).items()}


def test_every_fixed_bound_is_the_codes() -> None:
    shown = {
        name.strip("`"): value for name, value, _ in rows("Limits") if name.strip("`").isupper()
    }
    assert len(shown) >= 10
    for name, value in shown.items():
        (found,) = {getattr(module, name) for module in BOUNDS_IN if hasattr(module, name)}
        assert str(found) == value, name


def test_every_figure_is_shown_with_its_kind_and_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, (text, _) in GAUGES.items():
        monkeypatch.setitem(GAUGES, name, (text, lambda _: 0))
    venue = SimpleNamespace(
        listeners=[],
        market=SimpleNamespace(name="cea"),
        desk=SimpleNamespace(refusals={"rate_limited": 1}),
    )
    metrics = Metrics([venue], Door((), Limits()))
    counts: Counts = metrics._counts[0]
    counts.kinds[1] = counts.reasons[1] = 1
    found = {
        family.name: [
            family.type,
            " ".join(f"`{name}`" for name in family.samples[0].labels if name != "le"),
        ]
        for family in metrics.collect()
    }
    shown = {name.strip("`"): [kind, labels] for name, kind, labels, _ in rows("Figures")[1:]}
    assert shown == found


def test_exit_codes_are_the_sequencers() -> None:
    shown = {int(code) for code, _ in rows("Exit codes") if code.isdigit()}
    own = {sequencer.EXIT_JOURNAL, sequencer.EXIT_ASSERTION, sequencer.EXIT_STALLED}
    assert shown == own | {0, 2}


def test_its_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)", PAGE):
        assert (DOCS / "reference" / target).exists(), target
