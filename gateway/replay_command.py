"""``tanshi replay`` and ``tanshi quarantine``: what they print and how they end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.prompt import Confirm, Prompt

from engine.codes import Kind
from gateway.journal import JournalDamageError, JournalFormatError
from gateway.quarantine import NO_KIND
from gateway.replay import Player, Poison, Replayed, find_poison
from gateway.replay import quarantine as write_record

DIFFERS, UNREADABLE, INTERRUPTED = 1, 2, 130
PROBLEMS = (JournalDamageError, JournalFormatError, OSError, ValueError)


def replay(
    data_dir: Path,
    to: int | None,
    from_snapshot: bool,
    console: Console,
    keep: Callable[[dict[str, Any]], None],
) -> int:
    """Play a venue's journal, print what was found, hand the figures to ``keep``; exit code."""
    try:
        result = _played(Player(data_dir, to=to, from_snapshot=from_snapshot), console)
    except PROBLEMS as problem:
        return _refused(console, f"{data_dir} cannot be replayed: {problem}")
    except Exception as error:
        return _refused(console, _stopped(data_dir, error))
    _print(result, console)
    keep(result.figures())
    if result.interrupted:
        return INTERRUPTED
    return 0 if result.identical else DIFFERS


def _refused(console: Console, text: str) -> int:
    console.print(text, style="red", markup=False, soft_wrap=True)
    return UNREADABLE


def _stopped(data_dir: Path, error: Exception) -> str:
    poison = find_poison(data_dir)
    at = "the exchange stopped" if poison is None else f"command {poison.seq} stops the exchange"
    return f"{at} ({error!r}): see `tanshi quarantine`"


def _played(player: Player, console: Console) -> Replayed:
    columns = (
        *(TextColumn("replaying"), BarColumn(), TextColumn("{task.percentage:>3.0f} %")),
        *(TextColumn("{task.fields[commands]:,} commands"), TimeRemainingColumn()),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None, commands=0)

        def show(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, commands=player.result.commands)

        return player.play(show)


def _print(result: Replayed, console: Console) -> None:
    def say(text: str, style: str = "") -> None:
        console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)

    say(
        f"commands {result.commands:,} from {result.first_seq:,} to {result.seq:,}, "
        f"events {result.events:,}, day {result.date}, {result.phase}"
    )
    say(f"{result.commands_per_second:,.0f} commands/s in {result.seconds:.2f} s")
    say(f"digest of the state   {result.digest}")
    say(f"digest of all events  {result.events_sha256}")
    say(f"chain of the journal  {result.chain}")
    compared = ", ".join(map(str, result.snapshots_compared)) or "none on the way"
    say(f"compared with snapshots after commands: {compared}")
    if result.quarantined:
        say(f"quarantined commands: {', '.join(map(str, result.quarantined))}", style="yellow")
    for finding in result.findings:
        say(finding, style="red")
    if result.interrupted:
        say("interrupted", style="yellow")
    say("identical" if result.identical else "NOT identical", style="bold")


def quarantine(data_dir: Path, seq: int, key_id: str, why: str, console: Console) -> int:
    """Ask for the secret and a confirmation, write the record; exit code."""
    try:
        poison = find_poison(data_dir)
        if poison is None or poison.seq != seq:
            found = "no command does" if poison is None else f"command {poison.seq} does"
            return _refused(console, f"command {seq} does not stop the exchange; {found}")
        _describe(poison, console)
        secret = Prompt.ask("secret of the key", console=console, password=True)
        if not Confirm.ask(f"Refuse command {seq} in every replay from now on?", console=console):
            return _refused(console, "nothing was written")
        record = write_record(data_dir, poison, key_id, secret, why)
    except PROBLEMS as problem:
        return _refused(console, f"nothing was written: {problem}")
    console.print(f"command {record.seq} is quarantined, signed by {record.key_id}", markup=False)
    return 0


def _describe(poison: Poison, console: Console) -> None:
    kind = int(poison.command["kind"])
    name = Kind(kind).name.lower() if kind != NO_KIND and kind in set(Kind) else str(kind)
    console.print(
        f"command {poison.seq}: {name} of account {poison.command['account']}, "
        f"instrument {poison.command['instrument']}: {poison.error}",
        markup=False,
    )
