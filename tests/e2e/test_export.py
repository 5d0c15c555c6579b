"""`tanshi export`: the files say what the engine says, column by column, whole or not at all."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from engine.codes import Kind
from engine.records import COMMAND, Event, Phase, commands
from gateway import export as exporting
from gateway.export_schema import SCHEMAS
from gateway.journal.journal import Journal
from tanshi import app
from tests.unit.marketdata.trading_floor import CODES, DATES, Floor

PAGE = Path(__file__).parents[2] / "docs/reference/export.md"
NAMES = ("commands", "events", "trades", "bars", "daily_quotes")


class Recorded(Floor):
    """A floor whose commands go into a journal."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.journal = Journal(folder / "journal", segment_bytes=1 << 17)
        list(self.journal.replay())
        super().__init__(seed)

    def send(self, *rows: dict) -> np.ndarray:
        batch = commands(len(rows))
        first = self.exchange.seq + 1
        for row, fields in zip(batch, rows, strict=True):
            for name, value in fields.items():
                row[name] = value
        events = super().send(*rows)
        batch["seq"] = np.arange(first, first + len(rows))
        batch["time_ns"] = [events["time_ns"][events["seq"] == seq][0] for seq in batch["seq"]]
        self.journal.append(batch.tobytes(), first)
        return events


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Recorded]:
    """A data folder of two days with all ways of trading, voids among them."""
    folder = tmp_path_factory.mktemp("venue")
    floor = Recorded(folder, 5)
    for phase in (Phase.MORNING, Phase.AFTERNOON) * 2:
        while floor.phase != phase:
            floor.next_phase()
        floor.steps(120)
    floor.next_phase()
    floor.journal.close()
    return folder, floor


@pytest.fixture(scope="module")
def frames(
    venue: tuple[Path, Recorded], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, pd.DataFrame]:
    out = tmp_path_factory.mktemp("out")
    result = CliRunner().invoke(app, ["export", str(venue[0]), "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert {each.name for each in out.iterdir()} == {f"{name}.parquet" for name in NAMES}
    return {name: pd.read_parquet(out / f"{name}.parquet") for name in NAMES}


def test_every_command_and_event_is_there(
    venue: tuple[Path, Recorded], frames: dict[str, pd.DataFrame]
) -> None:
    floor = venue[1]
    events = np.concatenate(floor.events)
    assert frames["commands"]["seq"].tolist() == list(range(1, floor.exchange.seq + 1))
    table = frames["events"]
    assert len(table) == len(events)
    for name, column in (
        ("qty_tonnes", "qty_tonnes"),
        ("leaves_qty", "leaves_qty_tonnes"),
        ("amount_fen", "amount_fen"),
        ("fee_fen", "fee_fen"),
        ("account", "account"),
        ("trade_no", "trade_no"),
        ("date", "date"),
    ):
        assert table[column].tolist() == events[name].tolist()
    assert table["time"].astype("int64").tolist() == events["time_ns"].tolist()
    kinds = [Event(int(kind)).name.lower() for kind in events["kind"]]
    assert table["kind"].tolist() == kinds
    traded = table[table["kind"] == "traded"]
    assert set(traded["modality"]) == {"listed", "bulk", "auction"}
    assert set(traded["side"]) == {"buy", "sell"}
    refused = table[table["kind"] == "refused"]
    assert refused["reason"].notna().all()
    assert "none" not in set(refused["reason"])
    assert table["instrument"].isna().tolist() == (events["instrument"] < 0).tolist()


def test_commands_carry_the_day_they_belong_to(frames: dict[str, pd.DataFrame]) -> None:
    table = frames["commands"]
    begins = table[table["kind"] == "begin_day"]
    assert begins["date"].tolist() == list(DATES[:2])
    assert table["date"].tolist() == sorted(table["date"])
    assert table["date"].iloc[0] == 0
    assert set(table["kind"]) <= {kind.name.lower() for kind in Kind}
    admitted = table[table["kind"] == "admit_instrument"]
    assert admitted["client_order_id"].tolist() == list(CODES)


def test_totals_are_those_of_the_engine(
    venue: tuple[Path, Recorded], frames: dict[str, pd.DataFrame]
) -> None:
    """TR-107, TR-142: tonnes and fen by instrument and modality, since the launch."""
    totals = venue[1].exchange.state.totals
    standing = frames["trades"][~frames["trades"]["void"]]
    assert frames["trades"]["void"].any()
    sums = standing.groupby(["instrument", "modality"], observed=True)[
        ["qty_tonnes", "turnover_fen"]
    ].sum()
    bars = frames["bars"]
    for row, code in enumerate(CODES):
        for column, modality in enumerate(("listed", "bulk", "auction")):
            total = totals[row, column]
            expected = (int(total["all_qty_tonnes"]), int(total["all_turnover_fen"]))
            found = tuple(sums.loc[code, modality]) if (code, modality) in sums.index else (0, 0)
            assert found == expected
            for interval in ("1m", "5m", "1d"):
                mine = bars[(bars["instrument"] == code) & (bars["interval"] == interval)]
                assert mine[f"{modality}_qty_tonnes"].sum() == expected[0]
                assert mine[f"{modality}_turnover_fen"].sum() == expected[1]


def test_daily_quotes_are_the_closes_of_the_engine(
    venue: tuple[Path, Recorded], frames: dict[str, pd.DataFrame]
) -> None:
    """TR-100, TR-104."""
    state, quotes = venue[1].exchange.state, frames["daily_quotes"]
    last = quotes[quotes["date"] == DATES[1]].set_index("instrument")
    assert set(quotes["date"]) == set(DATES[:2])
    for row, code in enumerate(CODES):
        assert last.loc[code, "close_ticks"] == int(state.instruments[row]["close_ticks"])
    composite = int(state.market[0]["composite_close_ticks"])
    assert last.loc["composite", "close_ticks"] == composite
    bars = frames["bars"]
    days = bars[(bars["interval"] == "1d") & (bars["date"] == DATES[1])].set_index("instrument")
    for name in ("open_ticks", "high_ticks", "low_ticks", "close_ticks"):
        assert days[name].to_dict() == last[name].to_dict()


def test_one_day_is_that_part_of_all(
    venue: tuple[Path, Recorded], frames: dict[str, pd.DataFrame], tmp_path: Path
) -> None:
    rows = exporting.export(venue[0], tmp_path, DATES[0])
    for name in NAMES:
        part = pd.read_parquet(tmp_path / f"{name}.parquet")
        whole = frames[name][frames[name]["date"] == DATES[0]].reset_index(drop=True)
        assert len(part) == rows[name] > 0
        for column in part.columns:
            assert part[column].astype(str).tolist() == whole[column].astype(str).tolist()


@pytest.mark.parametrize("stop", [KeyboardInterrupt, OSError])
def test_what_is_interrupted_leaves_the_files_as_they_were(
    venue: tuple[Path, Recorded], tmp_path: Path, stop: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    exporting.export(venue[0], tmp_path)
    before = {each.name: each.read_bytes() for each in tmp_path.iterdir()}

    def broken(*_: object) -> None:
        raise stop("no room")

    monkeypatch.setattr(exporting.Exporter, "finish", broken)
    with pytest.raises(stop):
        exporting.export(venue[0], tmp_path)
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == before


def test_what_cannot_be_exported_is_a_sentence(
    venue: tuple[Path, Recorded], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    for arguments, word in (
        ([str(tmp_path / "nothing"), "--out", str(out)], "holds no journal"),
        ([str(venue[0]), "--out", str(out), "--date", "2020-01-01"], "no trading day 20200101"),
        ([str(venue[0]), "--out", str(venue[0])], "somewhere else"),
    ):
        result = CliRunner().invoke(app, ["export", *arguments])
        assert result.exit_code == 2
        assert word in result.output.replace("\n", " ")
    assert not out.exists() or not list(out.iterdir())


def test_every_column_is_described() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for name, schema in SCHEMAS.items():
        section = page.split(f"\n## `{name}.parquet`\n")[1].split("\n## ")[0]
        rows = re.findall(r"^\| ((?:`[a-z_]+`[, ]*)+)\|", section, re.MULTILINE)
        described = [column for row in rows for column in re.findall(r"`([a-z_]+)`", row)]
        assert described == schema.names


def test_every_field_of_a_command_is_exported() -> None:
    left_out = {"tail", "spare", "time_ns"}
    assert set(COMMAND.names) - left_out <= set(SCHEMAS["commands"].names)
