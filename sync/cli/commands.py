"""What can be typed: every command with its arguments. Each hands over to the module that does the work.

Those modules are imported inside the commands, so that ``leadmark --help`` answers at once.
"""

from pathlib import Path
from typing import Annotated, Literal

import typer

from sync.cli.exits import USAGE, CommandError

app = typer.Typer(
    help="Scores the people in your CRM with one reviewed model and writes score, status and reasons back.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
quarantine = typer.Typer(help="What the CRM refused: list, retry, drop.", invoke_without_command=True)
app.add_typer(quarantine, name="quarantine")

Config = Annotated[
    Path | None,
    typer.Option(
        "--config", envvar="LEADMARK_CONFIG", help="The config folder; /etc/leadmark if there is one, else this folder."
    ),
]
Overlay = Annotated[
    Path | None,
    typer.Option("--overlay", envvar="LEADMARK_OVERLAY", help="A YAML file of this environment, laid over the config."),
]
Json = Annotated[bool, typer.Option("--json", help="JSON on stdout, for machines.")]
Reveal = Annotated[bool, typer.Option("--reveal", help="Show names and addresses too; on a terminal only.")]
Who = Annotated[str, typer.Argument(help="E-mail address, CRM id, connection:id, or - to read it from stdin.")]
Code = Annotated[str | None, typer.Option("--code", help="Only what the CRM refused with this code.")]
Field = Annotated[str | None, typer.Option("--field", help="Only refusals of this field.")]


@app.command()
def demo(
    people: Annotated[int, typer.Option("--people", min=250, max=100_000, help="How many made-up people.")] = 2000,
    *,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the emulator running and the folder in place, to look further.")
    ] = False,
    json: Json = False,
) -> int:
    """See the whole path against the built-in emulators of both CRMs."""
    from sync.cli.demo import run  # noqa: PLC0415 - late: the help stays quick

    return run(people=people, keep=keep, as_json=json)


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to write it; made when missing.")],
    *,
    starter: Annotated[str, typer.Option("--starter", help="Which starter.")] = "b2b-saas",
    crm: Annotated[str, typer.Option("--crm", help="Which CRMs, separated by commas.")] = "hubspot",
) -> int:
    """Write a commented starter config, in shadow mode."""
    from sync.cli.starting import init as run  # noqa: PLC0415 - late: the help stays quick

    return run(folder, starter=starter, crms=crm.split(","))


@app.command()
def check(
    folder: Annotated[Path | None, typer.Argument(metavar="[DIR]", help="The config folder, as --config.")] = None,
    *,
    config: Config = None,
    overlay: Overlay = None,
    json: Json = False,
) -> int:
    """Name every mistake in the config; needs no secret."""
    from sync.cli.starting import check as run  # noqa: PLC0415 - late: the help stays quick

    return run((folder or config, overlay), as_json=json)


@app.command()
def migrate(*, config: Config = None, overlay: Overlay = None) -> int:
    """Bring the store's schema to this version.

    Harmless to repeat; back the store up first.
    """
    from sync.cli.starting import migrate as run  # noqa: PLC0415 - late: the help stays quick

    return run((config, overlay))


@app.command()
def emulator(
    *,
    people: Annotated[int, typer.Option("--people", min=1, max=100_000, help="How many made-up people.")] = 2000,
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same people.")] = 7,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes a free one.")] = 0,
    load: Annotated[
        Path | None, typer.Option("--load", metavar="DIR", help="Serve these CSV exports instead of made-up people.")
    ] = None,
) -> int:
    """Run the emulator of both CRMs alone, until Ctrl-C."""
    from sync.cli.emulating import run  # noqa: PLC0415 - late: the help stays quick

    return run(people=people, seed=seed, port=port, exports=load)


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
def explain(
    who: Who, *, config: Config = None, overlay: Overlay = None, reveal: Reveal = False, json: Json = False
) -> int:
    """Show why a person has this score, line by line.

    The lines add up. Facts come with the record they are from, our fields with what the CRM holds.
    """
    from sync.cli.persons import explain as run  # noqa: PLC0415 - late: the help stays quick

    return run((config, overlay), who, reveal=reveal, as_json=json)


@app.command()
def timeline(
    who: Who,
    *,
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

    return run((config, overlay), who, newest=None if all_ else limit, as_json=json)


@app.command()
def status(*, config: Config = None, overlay: Overlay = None, json: Json = False) -> int:
    """Answer whether all is well.

    Last passes, streams, what waits, what was refused. Exit code 4 when something needs a person.
    """
    from sync.cli.standing import status as run  # noqa: PLC0415 - late: the help stays quick

    return run((config, overlay), as_json=json)


@quarantine.callback()
def quarantine_list_by_default(
    context: typer.Context, *, config: Config = None, overlay: Overlay = None, json: Json = False
) -> int:
    """What the CRM refused: list, retry, drop."""
    return quarantine_list(config=config, overlay=overlay, json=json) if context.invoked_subcommand is None else 0


@quarantine.command("list")
def quarantine_list(*, config: Config = None, overlay: Overlay = None, json: Json = False) -> int:
    """Show what was refused, by connection, code and field."""
    from sync.cli.standing import list_quarantine  # noqa: PLC0415 - late: the help stays quick

    return list_quarantine((config, overlay), as_json=json)


@quarantine.command("retry")
def quarantine_retry(
    *, code: Code = None, field: Field = None, config: Config = None, overlay: Overlay = None, json: Json = False
) -> int:
    """Let the next pass send it again.

    Everything, or what --code and --field name.
    """
    from sync.cli.standing import retry  # noqa: PLC0415 - late: the help stays quick

    return retry((config, overlay), code=code, field=field, as_json=json)


@quarantine.command("drop")
def quarantine_drop(
    *, code: Code = None, field: Field = None, config: Config = None, overlay: Overlay = None, json: Json = False
) -> int:
    """Stop listing it; needs --code or --field.

    It stays unsent until its value, mapping or field definition changes.
    """
    from sync.cli.standing import drop  # noqa: PLC0415 - late: the help stays quick

    if code is None and field is None:
        raise CommandError("leadmark quarantine drop: say which, --code CODE or --field FIELD", USAGE)
    return drop((config, overlay), code=code, field=field, as_json=json)
