"""The command that says a model in plain language."""

from pathlib import Path
from typing import Annotated

import typer

from sync.cli.commands.typed import Config, Overlay, app


@app.command()
def handbook(
    *,
    config: Config = None,
    overlay: Overlay = None,
    model: Annotated[
        str | None, typer.Option("--model", metavar="NAME", help="Which model; without it the primary one.")
    ] = None,
    html: Annotated[bool, typer.Option("--html", help="As one HTML page, not as Markdown.")] = False,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write it there, not to stdout.")] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="DIGEST", help="Only what changed since the model had this digest."),
    ] = None,
) -> int:
    """Say in plain language how a model scores, for sales and marketing.

    With its digest and date.
    """
    from sync.cli.handbook import handbook as run  # noqa: PLC0415 - late: the help stays quick

    return run((config, overlay), model=model, as_html=html, out=out, since=since)
