"""The commands about golden cases: run them, make one of a person."""

from typing import Annotated

import typer

from sync.cli.commands.typed import Config, Json, Model, Overlay, Who, app

golden = typer.Typer(help="Golden cases: make one of a person.", no_args_is_help=True)
app.add_typer(golden, name="golden")


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


@golden.command("add")
def golden_add(
    who: Who,
    *,
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="The file's name; else tier and status.")
    ] = None,
    model: Model = None,
    config: Config = None,
    overlay: Overlay = None,
    json: Json = False,
) -> int:
    """Make a case of a person, as they are scored today and without personal data.

    Writes golden/NAME.yaml, and never over a file that is there.
    """
    from sync.cli.golden import add as run  # noqa: PLC0415 - late: the help stays quick

    return run((config, overlay), who, name=name, model=model, as_json=json)
