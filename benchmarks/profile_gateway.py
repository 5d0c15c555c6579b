"""Where the microseconds of an order go: the venue under load, sampled, as tables and a picture.

    tanshi bench profile --out flame.svg

The venue of the gateway benchmark runs on a core of its own and is driven by the benchmark's
client, with one order per frame and then with 100. Meanwhile py-spy looks at its stacks from
outside. A sample is a thread at work; waiting threads are left out.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.gateway import Load, cancels, connected_lines, mixed, play_venue
from benchmarks.gateway_figures import FULL, QUICK, Case, Size, Sum
from benchmarks.gateway_line import WrongAnswerError
from benchmarks.gateway_servers import ServerError, cores, journal_folder, pinned, server
from benchmarks.profile_flame import flame_svg
from benchmarks.profile_stacks import SYNC, FormatError, Stacks, by_function, by_stage, read

SAMPLES_PER_S = 200
SECONDS, QUICK_SECONDS = 20.0, 1.0  # per way of sending
FUNCTIONS = 12  # shown per case
END_WITHIN_S = 30.0
TITLE = "An order's way through the gateway"
CAPTIONS = {"single": "One order per frame", "batch100": "100 orders per frame"}
INSTALL = "py-spy is not installed: pip install 'tanshi[profile]'"


class ProfileError(Exception):
    """No profile; its text is one sentence for people."""


PROBLEMS = (ProfileError, ServerError, WrongAnswerError, OSError)


@dataclass(frozen=True)
class Profile:
    """What the samples of a case came to. ``cpu_us``: of the server, per order."""

    stacks: Stacks
    waiting: int
    cpu_us: float
    orders: int

    @property
    def samples(self) -> int:
        """How often a thread was seen at work."""
        return sum(self.stacks.values())


def sampler() -> str:
    """Return the path of py-spy, beside this Python or anywhere.

    Raises:
        ProfileError: it is not installed.
    """
    beside = str(Path(sys.executable).parent)
    found = shutil.which("py-spy", path=os.pathsep.join((beside, os.environ.get("PATH", ""))))
    if found is None:
        raise ProfileError(INSTALL)
    return found


@contextlib.contextmanager
def sampled(pid: int, file: Path) -> Iterator[None]:
    """Sample the threads of a process into ``file`` while the block lasts.

    Raises:
        ProfileError: the sampler may not, or it failed.
    """
    command = [sampler(), "record", "--pid", str(pid), "--format", "raw", "--output", str(file)]
    command += ["--rate", str(SAMPLES_PER_S), "--duration", "86400", "--threads", "--nolineno"]
    process = subprocess.Popen(  # noqa: S603
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    try:
        yield
    finally:
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=END_WITHIN_S)
    if process.returncode or not file.exists():
        last = said.strip().splitlines()[-1:] or ["no reason given"]
        raise ProfileError(f"py-spy could not look at the server: {last[0]}")


def profiled(load: Load, case: Case, seconds: float, file: Path) -> Profile:
    """Play listings, cancels and both mixed for ``seconds``, sampling the server.

    Raises:
        WrongAnswerError: an order was not answered as it should be.
        ProfileError: there are no samples.
    """
    total = Sum()
    until_s = time.perf_counter() + seconds
    with sampled(load.venue.process.pid, file):
        while time.perf_counter() < until_s or not total.orders:
            resting = play_venue(load, case, load.listings(), total)
            both = mixed(cancels(resting), load.listings())
            answers = play_venue(load, case, both, total)
            play_venue(load, case, cancels([own[1::2] for own in answers]), total)
    try:
        stacks, waiting = read(file.read_text(encoding="utf-8").splitlines())
    except FormatError as wrong:
        raise ProfileError(f"py-spy wrote what cannot be read: {wrong}") from None
    if not stacks:
        raise ProfileError("py-spy saw nothing of the server at work")
    return Profile(stacks, waiting, total.cpu_us, total.orders)


def measure(size: Size, seconds: float, say: Callable[[str], None]) -> dict[str, Profile]:
    """Return a profile per case of ``size``, which also says how many connections there are."""
    server_core, client_core = cores()
    core = [] if server_core is None else [server_core]
    found: dict[str, Profile] = {}
    with (
        journal_folder(None) as folder,
        pinned(client_core),
        server("benchmarks.profiled_server", folder, size.connections, *core) as venue,
    ):
        load = Load(venue, venue, connected_lines(venue), [], size)
        for case in size.cases:
            say(f"{CAPTIONS[case.name].lower()}: {seconds:g} seconds ...")
            file = folder / f"{case.name}.txt"
            found[case.name] = profiled(load, case, seconds, file)
        for line in load.lines:
            line.close()
    return found


def show(name: str, profile: Profile, console: Console) -> None:
    """Print what each stage and each function took of a case."""
    samples, stages = profile.samples, by_stage(profile.stacks)
    on_cpu = samples - stages[SYNC]
    console.print(
        f"{CAPTIONS[name]}: {profile.cpu_us:.2f} us CPU per order, {profile.orders:,} orders,"
        f" {samples:,} samples",
        style="bold",
    )
    table = Table()
    for head in ("stage", "share", "us/order"):
        table.add_column(head, justify="left" if head == "stage" else "right")
    for stage, count in stages.items():
        us = "" if stage == SYNC else f"{count / on_cpu * profile.cpu_us:.2f}"
        table.add_row(stage, f"{count / samples:.1%}", us)
    console.print(table)
    table = Table()
    for head in ("function, dearest in itself first", "self", "cumulative"):
        table.add_column(head, justify="left" if head.startswith("function") else "right")
    for row in by_function(profile.stacks)[:FUNCTIONS]:
        table.add_row(row.name, f"{row.own / samples:.1%}", f"{row.total / samples:.1%}")
    console.print(table)


def run(
    out: Path, seconds: float, quick: bool, console: Console, say: Callable[[str], None]
) -> None:
    """Profile both ways of sending, print the tables, write the flame graph.

    seconds: how long each is sampled. quick: a few connections only.

    Raises:
        PROBLEMS: there is no profile; nothing is written.
    """
    sampler()
    found = measure(QUICK if quick else FULL, seconds, say)
    for name, profile in found.items():
        show(name, profile, console)
    panels = {
        f"{CAPTIONS[name]}: {profile.cpu_us:.1f} us CPU per order": profile.stacks
        for name, profile in found.items()
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(flame_svg(panels, TITLE), encoding="utf-8")
    console.print(f"flame graph: {out.name}", highlight=False)
