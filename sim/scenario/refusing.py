"""How a scenario is refused: every problem at once, each with file, key, value and expectation.

``Problem.code`` is stable: ``unknown_key``, ``missing_key``, ``missing_unit``, ``wrong_type``,
``out_of_range``, ``unknown_name``, ``inconsistent_dates``, ``inconsistent_totals``. The error as a
whole has ``scenario_invalid``, or ``scenario_unknown`` (no such season or file) or
``scenario_unreadable`` (not TOML), which come alone.
"""

from __future__ import annotations

from dataclasses import dataclass

CODES = (
    "unknown_key",
    "missing_key",
    "missing_unit",
    "wrong_type",
    "out_of_range",
    "unknown_name",
    "inconsistent_dates",
    "inconsistent_totals",
)
VALUE_SHOWN_MAX = 60  # characters


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where, what stands there, what was expected there."""

    code: str
    key: str  # dotted, lists by index: "obligations.0.deadline"; "" is the whole file
    value: object  # as written; None where nothing stands
    expected: str
    file: str = ""

    def __str__(self) -> str:
        shown = "nothing" if self.value is None else _shown(self.value)
        return (
            f"{self.file}: {self.key or 'file'} = {shown}: expected {self.expected} [{self.code}]"
        )


def _shown(value: object) -> str:
    text = value.isoformat() if hasattr(value, "isoformat") else repr(value)
    return text if len(text) <= VALUE_SHOWN_MAX else text[: VALUE_SHOWN_MAX - 1] + "…"


class ScenarioError(ValueError):
    """The scenario cannot be used; ``problems`` has everything that is wrong with it.

    ``code`` is ``scenario_unknown``, ``scenario_unreadable`` or ``scenario_invalid``.
    """

    def __init__(self, code: str, file: str, problems: tuple[Problem, ...]) -> None:
        self.code = code
        self.file = file
        self.problems = problems
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        lines = "\n".join(f"  {problem}" for problem in problems)
        super().__init__(f"{file}: {count} [{code}]\n{lines}")

    def __reduce__(self) -> tuple[type[ScenarioError], tuple[str, str, tuple[Problem, ...]]]:
        return type(self), (self.code, self.file, self.problems)
