"""rules.md 0.4 and the parameters of section 1, as data."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from engine.records import INSTRUMENT, RULES, Kind, Parameter
from engine.rulebook import (
    PARAMETERS,
    Rulebook,
    Rules,
    admission_commands,
    admissions,
    parameter_commands,
)
from engine.rulebook_data import ENTRIES, Window

REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "rulebook.md"


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def codes(date: str) -> list[str]:
    return [vintage.code for vintage in Rulebook.on(day(date)).vintages]


def test_launch_day() -> None:
    rules = Rulebook.on(day("2021-07-16"))
    assert codes("2021-07-16") == ["CEA"]
    assert rules.composite_weights == (1,)
    assert rules.modalities == ("listed", "bulk")
    assert rules.penalty_regime == "order_19"
    assert rules.sectors == ("power",)
    assert (rules.listed_band_bp, rules.bulk_band_bp) == (1000, 3000)
    assert (rules.listed_qty_max, rules.bulk_qty_min) == (99_999, 100_000)
    assert rules.take_levels_max == 5
    assert rules.allow_crossed_listings == 0
    assert rules.goods_t_plus == 1
    assert rules.open_orders_max == 1000
    assert rules.listed_windows == (Window(570, 690), Window(780, 900))
    assert rules.bulk_windows == (Window(780, 900),)
    assert all(getattr(rules, name) == 0 for name in PARAMETERS if name.endswith("_fee_ppm"))


@pytest.mark.parametrize(
    ("first", "before", "after"),
    [
        ("2023-08-28", ["CEA"], ["CEA", "CEA21", "CEA22"]),
        ("2024-10-28", ["CEA", "CEA21", "CEA22"], ["CEA", "CEA21", "CEA22", "CEA23"]),
    ],
)
def test_vintages_enter_on_their_day_tr_04(first: str, before: list[str], after: list[str]) -> None:
    eve = (day(first) - dt.timedelta(days=1)).isoformat()
    assert codes(eve) == before
    assert codes(first) == after


def test_last_two_vintages_tr_04() -> None:
    assert "CEA24" not in codes("2025-04-28")
    assert codes("2025-04-29")[-1] == "CEA24"
    assert "CEA25" not in codes("2026-01-04")
    assert codes("2026-01-05") == ["CEA", "CEA21", "CEA22", "CEA23", "CEA24", "CEA25"]


def test_composite_weights_tr_104() -> None:
    def share(date: str) -> list[Fraction]:
        weights = Rulebook.on(day(date)).composite_weights
        return [Fraction(weight, sum(weights)) for weight in weights]

    assert share("2023-08-27") == [1]
    assert share("2023-08-28") == [Fraction(1, 3)] * 3
    assert share("2024-10-28") == [Fraction(1, 4)] * 4
    assert share("2025-12-31") == [Fraction(1, 5)] * 5
    assert share("2026-01-05") == [0, 0, 0, 0, 0, 1]
    for entry in ENTRIES:
        rules = Rulebook.on(entry.since)
        assert len(rules.composite_weights) == len(rules.vintages)


def test_regimes_and_modalities() -> None:
    assert Rulebook.on(day("2024-04-30")).penalty_regime == "order_19"
    assert Rulebook.on(day("2024-05-01")).penalty_regime == "order_775"
    assert Rulebook.on(day("2026-08-14")).penalty_regime == "order_775"
    assert Rulebook.on(day("2026-08-15")).penalty_regime == "order_775_amended"
    assert "auction" not in Rulebook.on(day("2025-06-30")).modalities
    assert "auction" in Rulebook.on(day("2025-07-16")).modalities
    assert Rulebook.on(day("2025-04-29")).sectors == ("power", "steel", "cement", "aluminium")


def test_clauses_and_history() -> None:
    rules = Rulebook.on(day("2024-06-03"))
    assert rules.clauses("listed_band_bp") == ("TR-20", "TR-23", "TR-27")
    assert rules.clauses("penalty_regime") == ("CP-61",)
    assert [entry.value for entry in Rulebook.history("penalty_regime")] == [
        "order_19",
        "order_775",
        "order_775_amended",
    ]
    assert [entry.since.isoformat() for entry in Rulebook.history("vintages")] == [
        "2021-07-16",
        "2023-08-28",
        "2024-10-28",
        "2025-04-29",
        "2026-01-05",
    ]
    with pytest.raises(KeyError, match="no parameter 'speed'"):
        rules.clauses("speed")
    with pytest.raises(KeyError, match="no parameter 'speed'"):
        Rulebook.history("speed")


def test_every_parameter_has_a_launch_value_a_clause_and_a_tag() -> None:
    rules = Rulebook.on(day("2021-07-16"))
    for name in PARAMETERS:
        entry = rules.entry(name)
        assert entry.clauses
        assert all(re.fullmatch(r"(TR|ST|RG|CP|VM)-\d\d\d?", clause) for clause in entry.clauses)
        assert entry.certainty in {"certain", "likely", "choice"}
        assert getattr(rules, name) == entry.value
    assert {entry.name for entry in ENTRIES} == set(PARAMETERS)
    derived = {"bulk_enabled", "auction_enabled"}
    assert set(RULES.names or ()) - derived <= set(PARAMETERS)
    assert derived <= {name for name in vars(Rules) if isinstance(vars(Rules)[name], property)}


@pytest.mark.parametrize(
    ("modalities", "bulk", "auction"),
    [(("listed",), 0, 0), (("listed", "bulk"), 1, 0), (("listed", "bulk", "auction"), 1, 1)],
)
def test_modalities_switch_the_ways_of_trading_vm_03(
    modalities: tuple[str, ...], bulk: int, auction: int
) -> None:
    rules = dataclasses.replace(Rulebook.on(day("2021-07-16")), modalities=modalities)
    assert (rules.bulk_enabled, rules.auction_enabled) == (bulk, auction)


def test_auction_is_switched_on_in_july_2025_tr_94() -> None:
    before, since = Rulebook.on(day("2025-06-30")), Rulebook.on(day("2025-07-16"))
    state_rules, instruments = np.zeros(1, RULES), np.zeros(0, INSTRUMENT)
    for name in RULES.names or ():
        state_rules[0][name] = getattr(before, name)
    (switch,) = parameter_commands(since, state_rules, instruments)
    assert (switch["ref"], switch["amount"]) == (Parameter.AUCTION_ENABLED, 1)


def test_nothing_before_the_launch_and_nothing_mutable() -> None:
    with pytest.raises(ValueError, match="no rules on 2021-07-15"):
        Rulebook.on(day("2021-07-15"))
    rules = Rulebook.on(day("2021-07-16"))
    with pytest.raises(dataclasses.FrozenInstanceError):
        rules.listed_band_bp = 1  # type: ignore[misc]
    assert hash(rules) == hash(Rulebook.on(day("2021-07-16")))
    assert dataclasses.replace(rules, listed_band_bp=2000).listed_band_bp == 2000


def test_parameter_commands_say_only_differences() -> None:
    rules = Rulebook.on(day("2021-07-16"))
    state_rules = np.zeros(1, RULES)
    instruments = np.zeros(3, INSTRUMENT)
    instruments[0]["code"] = b"CEA"
    instruments[1]["code"] = b"WHATIF"
    instruments[1]["weight"] = 7
    batch = parameter_commands(rules, state_rules, instruments)
    assert (batch["kind"] == Kind.SET_PARAMETER).all()
    assert (batch["seq"] == 0).all()
    sent = {(int(c["ref"]), int(c["instrument"])): int(c["amount"]) for c in batch}
    assert sent == {
        (Parameter.LISTED_BAND_BP, -1): 1000,
        (Parameter.BULK_BAND_BP, -1): 3000,
        (Parameter.LISTED_QTY_MAX, -1): 99_999,
        (Parameter.BULK_QTY_MIN, -1): 100_000,
        (Parameter.TAKE_LEVELS_MAX, -1): 5,
        (Parameter.GOODS_T_PLUS, -1): 1,
        (Parameter.OPEN_ORDERS_MAX, -1): 1000,
        (Parameter.AUCTION_BAND_BP, -1): 1000,
        (Parameter.AUCTION_QTY_MIN, -1): 100_000,
        (Parameter.AUCTION_BID_QTY_MIN, -1): 1,
        (Parameter.FIRST_DAY_UPPER_TICKS, -1): 50_000,
        (Parameter.BULK_ENABLED, -1): 1,
        (Parameter.COMPOSITE_WEIGHT, 0): 1,
    }
    for name in RULES.names or ():
        state_rules[0][name] = getattr(rules, name)
    instruments[0]["weight"] = 1
    assert len(parameter_commands(rules, state_rules, instruments)) == 0
    # The row itself is as good as the array; a lowered value is a difference too.
    state_rules[0]["allow_crossed_listings"] = 1
    (back,) = parameter_commands(rules, state_rules[0], instruments)
    assert (back["ref"], back["amount"]) == (Parameter.ALLOW_CROSSED_LISTINGS, 0)


def test_weights_move_when_vintages_come() -> None:
    instruments = np.zeros(6, INSTRUMENT)
    for row, code in enumerate((b"CEA", b"CEA21", b"CEA22", b"CEA23", b"CEA24", b"CEA25")):
        instruments[row]["code"] = code
        instruments[row]["weight"] = 1 if row < 5 else 0
    rules = Rulebook.on(day("2026-01-05"))
    state_rules = np.zeros(1, RULES)
    for name in RULES.names or ():
        state_rules[0][name] = getattr(rules, name)
    batch = parameter_commands(rules, state_rules, instruments)
    assert batch["instrument"].tolist() == [0, 1, 2, 3, 4, 5]
    assert batch["amount"].tolist() == [0, 0, 0, 0, 0, 1]


def test_admissions_tr_24() -> None:
    launch = Rulebook.on(day("2021-07-16"))
    assert admissions(launch, []) == [("CEA", 4800)]
    assert admissions(launch, ["CEA"]) == []
    later = Rulebook.on(day("2023-08-28"))
    assert admissions(later, ["CEA"]) == [("CEA21", 0), ("CEA22", 0)]
    batch = admission_commands(admissions(later, ["CEA"]), 1)
    assert batch["instrument"].tolist() == [1, 2]
    assert batch["client_order_id"].tolist() == [b"CEA21", b"CEA22"]
    assert batch["price_ticks"].tolist() == [0, 0]
    assert (batch["kind"] == Kind.ADMIT_INSTRUMENT).all()
    assert len(admission_commands([], 3)) == 0


def test_first_references_are_the_four_known_cases_tr_24() -> None:
    vintages = Rulebook.on(day("2026-01-05")).vintages
    assert [vintage.first_reference_ticks for vintage in vintages] == [
        4800,
        7306,
        7306,
        10425,
        7317,
        7463,
    ]


def test_reference_page_names_every_entry() -> None:
    lines = REFERENCE.read_text(encoding="utf-8").splitlines()
    for entry in ENTRIES:
        matching = [
            line
            for line in lines
            if line.startswith(f"| `{entry.name}` | {entry.since.isoformat()} |")
            and ", ".join(entry.clauses) in line
            and entry.certainty in line
        ]
        assert matching, f"docs/reference/rulebook.md lacks {entry.name} since {entry.since}"


def test_vintages_are_never_delisted_tr_05() -> None:
    history = [entry.value for entry in Rulebook.history("vintages")]
    for before, after in pairwise(history):
        assert isinstance(before, tuple)
        assert isinstance(after, tuple)
        assert after[: len(before)] == before


@pytest.mark.parametrize(
    "name",
    [
        "amend_allowed",  # TR-45: cancel and enter again
        "auction_buyer_initiated",  # TR-82: the mirror
        "holding_max_tonnes",  # TR-111
        "large_holder_tonnes",  # TR-112
        "circuit_breaker_bp",  # TR-119
    ],
)
def test_what_is_off_until_somebody_sets_it(name: str) -> None:
    assert [entry.value for entry in Rulebook.history(name)] == [0]


def test_every_day_has_price_limits_and_a_change_is_a_command_tr_14_27_110() -> None:
    for entry in ENTRIES:
        rules = Rulebook.on(entry.since)
        assert (rules.listed_band_bp, rules.bulk_band_bp, rules.auction_band_bp) == (
            1_000,
            3_000,
            1_000,
        )
    changed = dataclasses.replace(
        Rulebook.on(day("2026-01-05")), listed_band_bp=500, bulk_qty_min=50_000
    )
    state_rules, instruments = np.zeros(1, RULES), np.zeros(0, INSTRUMENT)
    for name in RULES.names or ():
        state_rules[0][name] = getattr(Rulebook.on(day("2026-01-05")), name)
    sent = parameter_commands(changed, state_rules, instruments)
    assert list(zip(sent["ref"].tolist(), sent["amount"].tolist(), strict=True)) == [
        (Parameter.LISTED_BAND_BP, 500),
        (Parameter.BULK_QTY_MIN, 50_000),
    ]
