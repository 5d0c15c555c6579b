"""The registry's command line; each command imports its own room only when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from registry.commands.app import add_steps

registry_app = typer.Typer(no_args_is_help=True, help="The registry's books, step by step.")


add_steps(registry_app)


@registry_app.command("migrate")
def migrate(
    data: Annotated[
        Path, typer.Argument(help="A venue's data directory, with registry.db of each market.")
    ],
    url: Annotated[
        str | None, typer.Option("--registry", help="These books instead: a database URL.")
    ] = None,
) -> None:
    """Bring books of an older format to this program's; what is up to date stays as it is."""
    from registry.errors import RegistryError
    from registry.migrations.books import migrate as bring

    console, failed = Console(), False
    found = sorted({data / "registry.db", *data.glob("*/registry.db")}) if url is None else []
    books = {str(file): f"sqlite:///{file}" for file in found if file.is_file()}
    if url is not None:
        books = {"registry": url}
    if not books:
        Console(stderr=True).print(f"No registry.db in {data}.", style="red", markup=False)
        raise typer.Exit(2)
    for name, each in books.items():
        try:
            done = bring(each)
        except RegistryError as error:
            Console(stderr=True).print(f"{name}: {error}", style="red", markup=False)
            failed = True
        else:
            change = f"format {done.before} -> {done.after}"
            word = change if done.before != done.after else f"format {done.after}, nothing to do"
            console.print(f"{name}: {done.market}, {word}", markup=False, soft_wrap=True)
    if failed:
        raise typer.Exit(2)
