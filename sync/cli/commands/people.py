"""The commands about one person."""

from typing import Annotated

import typer

from sync.cli.commands.typed import Config, Json, Model, Overlay, Reveal, Who, app


@app.command()
def explain(
    who: Who,
    *,
    on: Annotated[
        str | None, typer.Option("--on", metavar="DAY", help="The score of another day, such as 2026-11-03.")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="DAY", help="What the score changed by since an earlier day.")
    ] = None,
    model: Model = None,
    config: Config = None,
    overlay: Overlay = None,
    reveal: Reveal = False,
    json: Json = False,
) -> int:
    """Show why a person has this score, line by line.

    The lines add up. Facts come with the record they are from, our fields with what the CRM holds.
    """
    from sync.cli.persons import Asked, day_of  # noqa: PLC0415 - late: the help stays quick
    from sync.cli.persons import explain as run  # noqa: PLC0415 - late: the help stays quick

    asked = Asked(model=model, on=day_of("--on", on), since=day_of("--since", since))
    return run((config, overlay), who, asked, reveal=reveal, as_json=json)


@app.command()
def timeline(
    who: Who,
    *,
    model: Model = None,
    config: Config = None,
    overlay: Overlay = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many activities, newest first.")] = 100,
    all_: Annotated[bool, typer.Option("--all", help="Show every activity.")] = False,
    json: Json = False,
) -> int:
    """Show a person's activities, and how each counted.

    Newest first; what did not count says why not.
    """
    from sync.cli.persons import timeline as run  # noqa: PLC0415 - late: the help stays quick

    return run((config, overlay), who, model=model, newest=None if all_ else limit, as_json=json)
