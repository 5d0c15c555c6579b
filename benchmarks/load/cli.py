"""``tanshi load``: its options and their words; the work is done in ``command.py``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.load.plan import Plan

RATE, CLIENTS = 100.0, 4  # within the limits of a venue that nobody has set up for load
OWN_RATE, OWN_CLIENTS = 1_000.0, 10
RUN, KNEE, SHOWN, LIMITS = "The run", "The knee", "What is shown and kept", "The venue"


class Arrival(StrEnum):
    """When orders are due."""

    POISSON = "poisson"
    CONSTANT = "constant"
    BURSTS = "bursts"
    RAMP = "ramp"
    RECORDED = "recorded"


class Encoding(StrEnum):
    """How messages are written."""

    MSGPACK = "msgpack"
    JSON = "json"


def _option(panel: str, *names: str, told: str, **more: Any) -> Any:
    return typer.Option(*names, help=told, rich_help_panel=panel, **more)


Where = Annotated[
    str | None,
    typer.Argument(
        metavar="URL|RECORD",
        help="A venue's address (ws, wss, http, https), or an earlier run's record to show again.",
    ),
]
Own = Annotated[bool, _option(LIMITS, "--own", told="Start a funded venue here, and load that.")]
Keys = Annotated[
    Path | None,
    _option(LIMITS, "--keys", told="The venue's keys.json or a list of keys.", metavar="FILE"),
]
Instrument = Annotated[
    str, _option(LIMITS, "--instrument", told="E.g. CEA25 (default: the first that trades).")
]
Market = Annotated[str, _option(LIMITS, "--market", told="One of its markets, e.g. ccer.")]
Ca = Annotated[
    Path | None, _option(LIMITS, "--ca", told="Trust this certificate (PEM).", metavar="FILE")
]
Insecure = Annotated[bool, _option(LIMITS, "--insecure", told="Trust any certificate.")]
Rate = Annotated[
    float | None,
    _option(
        RUN, "--rate", told=f"Orders/s over all clients (default {RATE:g}; own venue {OWN_RATE:g})."
    ),
]
Seconds = Annotated[float, _option(RUN, "--seconds", told="Measured time, in seconds.")]
WarmUp = Annotated[float, _option(RUN, "--warm-up", told="Seconds before, not measured.")]
Clients = Annotated[
    int | None,
    _option(RUN, "--clients", told=f"Connections (default {CLIENTS}; own venue {OWN_CLIENTS})."),
]
ArrivalOption = Annotated[
    Arrival,
    _option(RUN, "--arrival", told=f"When orders are due: {', '.join(Arrival)}.", metavar="KIND"),
]
RampTo = Annotated[
    float | None, _option(RUN, "--ramp-to", told="Orders/s at the end of a ramp from --rate.")
]
Burst = Annotated[int | None, _option(RUN, "--burst", told="Orders of a burst (default 100).")]
Day = Annotated[
    Path | None,
    _option(RUN, "--day", told="A recorded day: a venue's folder or its export.", metavar="FILE"),
]
Mix = Annotated[
    str | None,
    _option(RUN, "--mix", told="Shares, e.g. list=50,take=20,cancel=30.", metavar="KIND=SHARE,…"),
]
Tonnes = Annotated[str, _option(RUN, "--tonnes", told="Of a listing, t.", metavar="A..B")]
Reach = Annotated[
    float, _option(RUN, "--reach", told="How far from the reference price, share of the band.")
]
EncodingOption = Annotated[
    Encoding, _option(RUN, "--encoding", told="Of messages: msgpack or json.", metavar="KIND")
]
Seed = Annotated[int, _option(RUN, "--seed", told="Of arrivals and orders.", min=0)]
StopOption = Annotated[
    list[str] | None,
    _option(
        RUN,
        "--stop",
        told="End early, e.g. 'p99>50ms for 3s', 'refused>5%', backlog>1000; repeatable.",
        metavar="CONDITION",
    ),
]
AnswerWithin = Annotated[
    float, _option(RUN, "--answer-within", told="Seconds to wait for the last answers.")
]
Keep = Annotated[bool, _option(RUN, "--keep", told="Leave what rests at the end in the book.")]
FindKnee = Annotated[
    bool, _option(KNEE, "--find-knee", told="Find the highest rate with p99 within --bound.")
]
Bound = Annotated[str, _option(KNEE, "--bound", told="Of p99: us, ms or s.", metavar="TIME")]
JsonFile = Annotated[Path | None, _option(SHOWN, "--json", told="Save the record.", metavar="FILE")]
ReportFile = Annotated[
    Path | None, _option(SHOWN, "--report", told="Write a page of it.", metavar="FILE.html")
]
CompareFile = Annotated[
    Path | None, _option(SHOWN, "--compare", told="Hold it against an older record.", metavar="OLD")
]
Quiet = Annotated[bool, _option(SHOWN, "--quiet", told="One plain line a second, no live view.")]


def load(
    where: Where = None,
    own: Own = False,
    keys: Keys = None,
    instrument: Instrument = "",
    market: Market = "",
    ca: Ca = None,
    insecure: Insecure = False,
    rate: Rate = None,
    seconds: Seconds = 10.0,
    warm_up: WarmUp = 2.0,
    clients: Clients = None,
    arrival: ArrivalOption = Arrival.POISSON,
    ramp_to: RampTo = None,
    burst: Burst = None,
    day: Day = None,
    mix: Mix = None,
    tonnes: Tonnes = "1..20",
    reach: Reach = 0.02,
    encoding: EncodingOption = Encoding.MSGPACK,
    seed: Seed = 1,
    stop: StopOption = None,
    answer_within: AnswerWithin = Plan.answer_within_s,
    keep: Keep = False,
    find_knee: FindKnee = False,
    bound: Bound = "10ms",
    json_file: JsonFile = None,
    report: ReportFile = None,
    compare: CompareFile = None,
    quiet: Quiet = False,
) -> None:
    """Load a venue at a rate of your own, and check every answer. First try: tanshi load --own

    Orders are due at their moments whether or not the venue keeps up; latency counts from there.
    Every order must end in one known state, money and tonnes must add up. Exit code 0: nothing
    wrong; 1: the venue was not reached, refused, or was lost; 2: cannot be done as asked; 3: found
    wrong; 4: a stop condition was met; 130: Ctrl-C. What was measured is kept in all these cases.
    """
    given = dict(locals())
    from benchmarks.load import command

    raise typer.Exit(command.run(command.Asked(**given)))
