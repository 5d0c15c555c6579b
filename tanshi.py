"""The front door: one command line for the venue, the official days, the benchmarks, the doctor.

Commands import their rooms only when they run, so that ``tanshi --help`` answers at once.
"""

from __future__ import annotations

import sys
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from benchmarks.cli import JsonOption, bench_app, write_json
from benchmarks.load.cli import load
from registry.cli import registry_app
from sim.cli import add_season_commands

if TYPE_CHECKING:
    from sim.live.port import Venue

app = typer.Typer(
    name="tanshi",
    help=(
        "[bold]tanshi[/bold] (碳市): a trading-system simulator of China's national carbon"
        " market.\n\n"
        "Start a venue and trade on it, replay official trading days through the same exchange,"
        " measure how fast it is."
    ),
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,
)
app.add_typer(bench_app, name="bench")
app.command("load")(load)
app.add_typer(registry_app, name="registry")


def live_venue(url: str, data: Path) -> Venue:
    """Connect a live season to the venue at ``url``, whose data folder is ``data``."""
    from gateway.front_season import SeasonVenue

    return SeasonVenue(url, data)


add_season_commands(app, live_venue)

DataOption = Annotated[
    Path, typer.Option("--data", help="Where the venue keeps its journal and registry.")
]
DEFAULT_DATA = Path("var/venue")
DEMO_DATA = Path("var/demo")


class ClockName(StrEnum):
    """Which time the venue lives in."""

    BEIJING = "beijing"
    DEMO = "demo"
    MANUAL = "manual"


class MarketName(StrEnum):
    """Which markets a venue may serve."""

    CEA = "cea"
    CCER = "ccer"


OneMarketOption = Annotated[
    MarketName | None,
    typer.Option(help="One of the markets served from there (default: the first one)."),
]

ClockOption = Annotated[ClockName, typer.Option(help="Whose time; POST /api/clock moves manual.")]
FromOption = Annotated[
    datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="A new venue's first day.")
]
HostOption = Annotated[str, typer.Option(help="Address to listen on.")]
PortOption = Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")]
ServedOption = Annotated[
    Path | None,
    typer.Option("--data", help="Journal, keys, registry (default var/demo or var/venue)."),
]
RegistryOption = Annotated[
    str | None, typer.Option(help="Registry database URL (PostgreSQL); default: SQLite.")
]
MarketsOption = Annotated[
    list[MarketName] | None, typer.Option(help="A market to serve (default cea); repeatable.")
]
LimitOption = Annotated[
    list[str] | None,
    typer.Option(help="A bound, e.g. orders_per_second=1000 (0: none).", metavar="NAME=VALUE"),
]
OriginOption = Annotated[
    list[str] | None, typer.Option(help="A web page's origin that may connect; repeatable.")
]
TlsOption = Annotated[
    tuple[Path, Path] | None,
    typer.Option(help="Speak https and wss only.", metavar="CERTIFICATE KEY"),
]
LogOption = Annotated[str, typer.Option(help="text or json, one line each.")]


@app.command()
def serve(
    clock: ClockOption = ClockName.BEIJING,
    first: FromOption = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="Demo entities trade, shown live, on the demo clock.")
    ] = False,
    host: HostOption = "127.0.0.1",
    port: PortOption = 8000,
    data: ServedOption = None,
    registry: RegistryOption = None,
    market: MarketsOption = None,
    speed: Annotated[
        float | None, typer.Option(min=0.1, help="Demo clock: venue seconds per second.")
    ] = None,
    entities: Annotated[int | None, typer.Option(min=0, help="Demo entities.")] = None,
    orders_per_second: Annotated[
        float | None, typer.Option(min=0, help="Demo traders' rate; 0 leaves the market to you.")
    ] = None,
    limit: LimitOption = None,
    origin: OriginOption = None,
    tls: TlsOption = None,
    log_format: LogOption = "text",
) -> None:
    """Start the venue. Ctrl-C stops it; the next start goes on where it was."""
    from gateway import front

    chosen = front.Choices(
        clock=clock.value,
        first_day=first and first.date(),
        demo=demo,
        host=host,
        port=port,
        data_dir=data or (DEMO_DATA if demo else DEFAULT_DATA),
        registry_url=registry,
        speed=speed,
        markets=tuple(name.value for name in market or [MarketName.CEA]),
        entities=entities,
        orders_per_s=orders_per_second,
        limits=tuple(limit or ()),
        origins=tuple(origin or ()),
        tls=tls,
        log_format=log_format,
    )
    problem = front.serve(chosen, Console())
    if problem:
        Console(stderr=True).print(problem, style="red", markup=False, soft_wrap=True)
        raise typer.Exit(2)


@app.command()
def rulebook(json_file: JsonOption = None) -> None:
    """Show which clause of the rulebook the code implements and which test cites it."""
    sys.path.insert(0, str(Path(__file__).resolve().parent))  # a checkout's tests lie beside this
    try:
        from tests.clauses.scan import main as scan
    except ModuleNotFoundError:
        Console(stderr=True).print("the coverage table is made from a checkout with its tests")
        raise typer.Exit(2) from None
    raise typer.Exit(scan(json_file))


@app.command()
def account(
    name: Annotated[str, typer.Argument(help="A name for the account, e.g. a company's code.")],
    cash: Annotated[str, typer.Option(help="Money to deposit, in yuan, e.g. 1000000.00.")] = "0",
    holding: Annotated[
        list[str] | None, typer.Option(help="Allowances to issue, e.g. CEA25=10000; repeatable.")
    ] = None,
    data: DataOption = DEFAULT_DATA,
    registry: Annotated[str | None, typer.Option(help="Registry database URL.")] = None,
    market: OneMarketOption = None,
    existing: Annotated[
        bool, typer.Option("--existing", help="Only a key, for an account that is there.")
    ] = False,
) -> None:
    """Open an account at the registry and print a key for it; the venue may be running."""
    from gateway import front

    chosen = market and market.value
    try:
        if existing:
            key = front.open_key(data, registry, name, chosen)
        else:
            key = front.open_account(data, registry, name, cash, holding or [], chosen)
    except ValueError as error:
        Console(stderr=True).print(str(error), style="red", markup=False, soft_wrap=True)
        raise typer.Exit(2) from None
    line = f"account {key.account}  key {key.key_id}  secret {key.secret}"
    Console().print(line, markup=False, soft_wrap=True)


@app.command()
def office(
    role: Annotated[
        str,
        typer.Argument(
            help="exchange_operator, registry_maker, registry_checker, supervisor,"
            " provincial_authority, verifier or ministry.",
        ),
    ],
    name: Annotated[str, typer.Argument(help="Whose key it is.")],
    province: Annotated[
        str, typer.Option(help="Of a provincial authority: two digits, e.g. 11 (GB/T 2260).")
    ] = "",
    data: DataOption = DEFAULT_DATA,
    market: OneMarketOption = None,
) -> None:
    """Make a key for somebody of the institutions, and print it."""
    from gateway import front

    try:
        key = front.open_office(data, role, name, market and market.value, province)
    except ValueError as error:
        Console(stderr=True).print(str(error), style="red", markup=False, soft_wrap=True)
        raise typer.Exit(2) from None
    Console().print(f"{role}  key {key.key_id}  secret {key.secret}", markup=False, soft_wrap=True)


@app.command()
def doctor(
    data: DataOption = DEFAULT_DATA,
    registry: Annotated[str | None, typer.Option(help="Registry database URL.")] = None,
    json_file: JsonOption = None,
) -> None:
    """Verify and replay every market's journal, check conservation, print the digests.

    Exit code 0: conserved; 1: something is not; 2: the data cannot be read.
    """
    from gateway import front
    from gateway.doctor import figures, show

    reports = front.examine(data, registry)
    if isinstance(reports, str):
        Console(stderr=True).print(reports, style="red", markup=False, soft_wrap=True)
        raise typer.Exit(2)
    for report in reports:
        show(report, Console())
    write_json(json_file, figures(reports))
    raise typer.Exit(0 if all(report.conserved for report in reports) else 1)


@app.command()
def replay(
    data: Annotated[Path, typer.Argument(help="A venue's data folder.")] = DEFAULT_DATA,
    to: Annotated[
        int | None, typer.Option("--to", min=1, help="Stop after this command.", metavar="SEQ")
    ] = None,
    from_snapshot: Annotated[
        bool, typer.Option("--from-snapshot", help="Begin with the newest snapshot.")
    ] = False,
    json_file: JsonOption = None,
) -> None:
    """Verify a journal and play it through a fresh exchange; compare with every snapshot.

    Exit code 0: bit-identical; 1: something differs; 2: the journal must not be believed or cannot
    be read; 130: interrupted, what was done so far is printed.
    """
    from gateway.journal import replay_command

    code = replay_command.replay(
        data, to, from_snapshot, Console(), lambda f: write_json(json_file, f)
    )
    raise typer.Exit(code)


@app.command()
def quarantine(
    seq: Annotated[int, typer.Argument(min=1, help="Number of the command that stops the venue.")],
    why: Annotated[str, typer.Option(help="Why, for the record.")],
    key: Annotated[str, typer.Option(help="Id of an exchange operator's key; it signs.")],
    data: DataOption = DEFAULT_DATA,
) -> None:
    """Turn a command that no start survives into a refusal; it stays in the journal for ever.

    Asks for the key's secret and for a confirmation. Exit code 0: written; 2: refused, nothing was.
    """
    from gateway.journal import replay_command

    raise typer.Exit(replay_command.quarantine(data, seq, key, why, Console()))


@app.command()
def export(
    data: Annotated[Path, typer.Argument(help="A market's data folder.")] = DEFAULT_DATA,
    out: Annotated[Path, typer.Option("--out", help="Where the files go.")] = Path("export"),
    date: Annotated[
        datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help="One day only.")
    ] = None,
) -> None:
    """Write commands, events, trades, bars and daily quotes of a journal as Parquet files."""
    from gateway.export import run

    day = int(date.strftime("%Y%m%d")) if date else None
    raise typer.Exit(run(data, out, day, Console()))


@app.command()
def day(
    file: Annotated[Path, typer.Argument(help="Official daily rows (CSV).", metavar="FILE")],
    first: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day played.")
    ] = None,
    last: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day played.")
    ] = None,
    weekly: Annotated[
        Path | None, typer.Option(help="Weekly bulletins: references where days are missing.")
    ] = None,
    vintages: Annotated[
        Path | None, typer.Option(help="Closes per vintage, where several trade (2024).")
    ] = None,
    keep: Annotated[
        Path | None, typer.Option(help="Keep databases and commands in this new folder.")
    ] = None,
    json_file: JsonOption = None,
) -> None:
    """Realise official trading days through the exchange; compare its bulletins, to the fen."""
    from sim.official.day import run
    from sim.official.days import OfficialFileError

    try:
        summary = run(
            file,
            first.date() if first else None,
            last.date() if last else None,
            weekly=weekly,
            vintages=vintages,
            keep=keep,
            json_file=json_file,
        )
    except OfficialFileError as error:
        Console(stderr=True).print(str(error), style="red", markup=False)
        raise typer.Exit(2) from None
    raise typer.Exit(summary.exit_code)


@app.command()
def allocate(
    plan: Annotated[
        str, typer.Argument(help="A plan's name (power-2023-2024) or TOML file.", metavar="PLAN")
    ],
    units: Annotated[Path, typer.Argument(help="The units (CSV).", metavar="UNITS.csv")],
    year: Annotated[int | None, typer.Option(help="Compute this data year only.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write the results.", metavar="FILE.csv")
    ] = None,
    explain: Annotated[
        str | None, typer.Option(help="Show each step of this unit or entity, or of all.")
    ] = None,
    balance: Annotated[
        list[str] | None,
        typer.Option(help="A balance value, e.g. cement=0.85; repeatable.", metavar="SECTOR=T/T"),
    ] = None,
    json_file: JsonOption = None,
) -> None:
    """Try an allocation plan on a table of units: tonnes per unit and entity, and why.

    `--json -` prints the document. Exit code 0: every row was computed; 1: rows were refused, the
    rest was computed; 2: the plan or the file cannot be used.
    """
    from registry.allocation import calculator

    asked = calculator.Choices(plan, units, year, out, explain, json_file, tuple(balance or ()))
    errors = Console(stderr=True)
    raise typer.Exit(calculator.run(asked, Console(), errors, lambda f: write_json(json_file, f)))


def main() -> None:
    """Run the command line; a bug stops with its traceback, Ctrl-C without one."""
    app()


if __name__ == "__main__":
    main()
