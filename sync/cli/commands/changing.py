"""The commands about rules that change: what they would do, and the yes to them."""

from pathlib import Path
from typing import Annotated

import typer

from sync.cli.commands.typed import Config, Json, Overlay, app


@app.command()
def simulate(
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="[DIR]", help="Another config; without it this one's models beside those that score."),
    ] = None,
    *,
    config: Config = None,
    overlay: Overlay = None,
    against: Annotated[
        str | None,
        typer.Option("--against", metavar="FIELD", help="Compare our score with a fact, or with connection:field."),
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", metavar="NAME", help="Only this model; else those that change.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=0, help="How many people and owners a list shows.")] = 10,
    json: Json = False,
) -> int:
    """Show what another config, or rules that wait for approval, would change.

    Who moves and why, statuses in and out, by owner and segment, and what a push would write. Writes nothing anywhere.
    """
    from sync.cli.changing import simulate as run  # noqa: PLC0415 - late: the help stays quick

    return run((config, overlay), folder, against=against, model=model, limit=limit, as_json=json)


@app.command()
def approve(
    digest: Annotated[
        str | None,
        typer.Argument(help="The digest, or its beginning. Without it: what waits, with its impact."),
    ] = None,
    *,
    config: Config = None,
    overlay: Overlay = None,
    sales: Annotated[str, typer.Option("--sales", metavar="NAME", help="Who says yes for sales.")] = "",
    marketing: Annotated[str, typer.Option("--marketing", metavar="NAME", help="Who says yes for marketing.")] = "",
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="What changes and for what reason.")] = "",
    begin: Annotated[bool, typer.Option("--begin", help="Keep approvals from now on: write approvals.yaml.")] = False,
    json: Json = False,
) -> int:
    """Show which rules wait for approval, or approve some.

    Adds an entry to approvals.yaml, in a git work tree only: an approval is reviewed like every other change.
    """
    from sync.cli import changing  # noqa: PLC0415 - late: the help stays quick

    where = (config, overlay)
    if digest is None:
        return changing.waits(where, as_json=json)
    return changing.approve(where, digest, sales=sales, marketing=marketing, why=why, begin=begin, as_json=json)
