"""The commands that run: one pass, many, none; and whether all is well."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from sync.cli.commands.typed import Config, Json, Overlay, Reveal, app
from sync.cli.exits import USAGE, CommandError


@app.command()
def plan(
    *,
    config: Config = None,
    overlay: Overlay = None,
    only: Annotated[str | None, typer.Option("--only", metavar="NAME", help="Only this connection.")] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Pull nothing: use the store as it is.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=0, help="How many records to show.")] = 20,
    all_: Annotated[bool, typer.Option("--all", help="Show every record.")] = False,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write the whole plan there, as JSON.")
    ] = None,
    reveal: Reveal = False,
    json: Json = False,
) -> int:
    """Show what a sync would write, and write nothing.

    Pulls and scores first. Exit code 2 when there is something to write.
    """
    from sync.cli.passes import plan as run  # noqa: PLC0415 - late: the help stays quick

    return run(
        (config, overlay),
        only=only,
        offline=offline,
        shown=None if all_ else limit,
        out=out,
        reveal=reveal,
        as_json=json,
    )


@app.command()
def sync(
    *,
    config: Config = None,
    overlay: Overlay = None,
    only: Annotated[str | None, typer.Option("--only", metavar="NAME", help="Only this connection.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Pull everything again, from the beginning.")] = False,
    approve: Annotated[
        str | None, typer.Option("--approve", metavar="CODE", help="Let the plan through that the guard stopped.")
    ] = None,
    adopt: Annotated[
        bool, typer.Option("--adopt", help="Our fields hold another tool's values: save them, then replace them.")
    ] = False,
    restored: Annotated[
        bool, typer.Option("--restored", help="Our fields hold our own values: the store was lost or restored.")
    ] = False,
    json: Json = False,
) -> int:
    """Run one pass: pull, score, plan, write.

    Enough for a cron job.
    """
    from sync.cli.passes import sync as run  # noqa: PLC0415 - late: the help stays quick

    if adopt and restored:
        raise CommandError("leadmark sync: say --adopt or --restored, not both", USAGE)
    adoption: Literal["ask", "adopt", "restored"] = "adopt" if adopt else "restored" if restored else "ask"
    return run((config, overlay), only=only, full=full, code=approve, adoption=adoption, as_json=json)


@app.command()
def worker(*, config: Config = None, overlay: Overlay = None) -> int:
    """Run passes on a schedule until told to stop: the container's command.

    Serves /livez, /readyz and /metrics. A changed config is taken over; a bad one keeps the last good one.
    """
    from sync.cli.worker import worker as run  # noqa: PLC0415 - late: the help stays quick

    return run((config, overlay))


@app.command()
def pause(
    *,
    until: Annotated[
        str | None, typer.Option("--until", metavar="WHEN", help="An instant; in the config's zone without an offset.")
    ] = None,
    why: Annotated[str, typer.Option("--why", help="Words for those who see it.")] = "",
    config: Config = None,
    overlay: Overlay = None,
    json: Json = False,
) -> int:
    """Hold back all writes; passes go on pulling, scoring and planning."""
    from sync.cli.worker import pause as run  # noqa: PLC0415 - late: the help stays quick

    return run((config, overlay), until=until, why=why, as_json=json)


@app.command()
def resume(*, config: Config = None, overlay: Overlay = None, json: Json = False) -> int:
    """Let writes go on after a pause."""
    from sync.cli.worker import resume as run  # noqa: PLC0415 - late: the help stays quick

    return run((config, overlay), as_json=json)


@app.command()
def status(*, config: Config = None, overlay: Overlay = None, json: Json = False) -> int:
    """Answer whether all is well.

    Last passes, streams, what waits, what was refused. Exit code 4 when something needs a person.
    """
    from sync.cli.standing import status as run  # noqa: PLC0415 - late: the help stays quick

    return run((config, overlay), as_json=json)
