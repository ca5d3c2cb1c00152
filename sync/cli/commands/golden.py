"""The commands about golden cases."""

from typing import Annotated

import typer

from sync.cli.commands.typed import Config, Json, Overlay, app


@app.command("test")
def golden_test(
    cases: Annotated[
        list[str] | None, typer.Argument(metavar="[CASE]...", help="Which: file/case, a case, or a whole file.")
    ] = None,
    *,
    model: Annotated[str | None, typer.Option("--model", metavar="NAME", help="Only the cases of this model.")] = None,
    config: Config = None,
    overlay: Overlay = None,
    json: Json = False,
) -> int:
    """Run the golden cases: made-up contacts with what their score must be.

    Needs no secret and no store. Exit code 1 when one fails.
    """
    from sync.cli.golden import run  # noqa: PLC0415 - late: the help stays quick

    return run((config, overlay), cases or [], model=model, as_json=json)
