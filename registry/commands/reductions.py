"""Steps in the registry of voluntary reductions: projects, batches, cancellations, proofs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from registry.commands.shared import (
    AtOption,
    CheckerOption,
    DocumentOption,
    MakerOption,
    UrlOption,
    step,
)

CcerOption = Annotated[
    Path, typer.Option("--data", help="The voluntary market's directory, where registry.db lies.")
]
CCER = Path("var/venue/ccer")
OwnerArgument = Annotated[str, typer.Argument(help="Customer number of the owner's account.")]


def project(
    code: Annotated[str, typer.Argument(help="1 to 32 of A-Z a-z 0-9 . _ -")],
    owner: OwnerArgument,
    name: Annotated[str, typer.Option(help="How it is called.")],
    kind: Annotated[str, typer.Option("--type", help="E.g. offshore wind.")],
    methodology: Annotated[str, typer.Option(help="By which it is counted.")],
    installation: Annotated[str, typer.Option(help="Where the reduction happens.")],
    document: DocumentOption,
    maker: MakerOption,
    checker: CheckerOption,
    covered: Annotated[
        bool, typer.Option("--covered", help="It is under the allowance system (CP-36).")
    ] = False,
    at: AtOption = "",
    data: CcerOption = CCER,
    url: UrlOption = None,
) -> None:
    """Enter a project; its owner gets an account if he has none (VM-06)."""
    from registry.commands.shared import account_of
    from registry.offsets.registering import NewProject, Paper

    with step(data, url, at, market="ccer", new=True) as the:
        account = account_of(the.registry, owner, name)
        new = NewProject(code, name, kind, account, methodology, installation, covered)
        paper = Paper(maker, checker, the.at_ns, document)
        made = the.registry.offsets.register_project(new, paper)
        the.say(f"project {made.code} of {made.owner}: {made.type}, {made.methodology}")


def batch(
    code: Annotated[str, typer.Argument(help="1 to 16 letters and digits.")],
    project: Annotated[str, typer.Argument(help="Code of the project.")],
    tonnes: Annotated[int, typer.Argument(min=1, help="How much.")],
    registered: Annotated[int, typer.Option(help="Day of registration, YYYYMMDD.")],
    first: Annotated[int, typer.Option(help="First day of the reduction, YYYYMMDD.")],
    last: Annotated[int, typer.Option(help="Its last day, YYYYMMDD.")],
    document: DocumentOption,
    maker: MakerOption,
    checker: CheckerOption,
    at: AtOption = "",
    data: CcerOption = CCER,
    url: UrlOption = None,
) -> None:
    """Register a batch of reductions and issue it to the project's owner (VM-06)."""
    from registry.offsets.registering import NewBatch, Paper

    with step(data, url, at, market="ccer") as the:
        new = NewBatch(code, project, registered, first, last, tonnes)
        paper = Paper(maker, checker, the.at_ns, document)
        made = the.registry.offsets.register_batch(new, paper)
        the.say(f"batch {made.code} of {made.project}: {made.tonnes:,} t")


def cancel(
    owner: OwnerArgument,
    batch: Annotated[str, typer.Argument(help="Code of the batch.")],
    tonnes: Annotated[int, typer.Argument(min=1, help="How much.")],
    kind: Annotated[str, typer.Argument(help="offset, voluntary or other.")],
    purpose: Annotated[str, typer.Option(help="What for, in words.")],
    document: DocumentOption,
    maker: MakerOption,
    checker: CheckerOption,
    entity: Annotated[str, typer.Option(help="Of an offset: whose obligation.")] = "",
    year: Annotated[int | None, typer.Option(help="Of an offset: of which year.")] = None,
    at: AtOption = "",
    data: CcerOption = CCER,
    url: UrlOption = None,
) -> None:
    """Cancel reductions for ever, by two people, and print the proof (VM-10, RG-12)."""
    from registry.commands.shared import account_of
    from registry.offsets.cancelling import NewCancellation

    with step(data, url, at, market="ccer") as the:
        offsets, account = the.registry.offsets, account_of(the.registry, owner)
        new = NewCancellation(account, batch, tonnes, kind, purpose, entity, year)
        asked = offsets.apply(new, maker, the.at_ns, document)
        done = offsets.approve(asked.number, checker, asked.sha256, the.at_ns)
        record = offsets.proof(done.proof)
        the.say(f"cancellation {done.number}: {done.tonnes:,} t of {done.batch}, {done.kind}")
        the.say(f"proof {record.number} sha256 {record.sha256}")


def prove(
    number: Annotated[str, typer.Argument(help="Number of the proof, e.g. P00000001.")],
    data: CcerOption = CCER,
    url: UrlOption = None,
) -> None:
    """Print the record of a proof, as another registry may check it (RG-12)."""
    with step(data, url, market="ccer") as the:
        record = the.registry.offsets.proof(number)
        the.say(record.content)
        the.say(f"sha256 {record.sha256}")
