"""The commands about what a CRM refused."""

from typing import Annotated

import typer

from sync.cli.commands.typed import Config, Json, Overlay, app
from sync.cli.exits import USAGE, CommandError

quarantine = typer.Typer(help="What the CRM refused: list, retry, drop.", invoke_without_command=True)
app.add_typer(quarantine, name="quarantine")

Code = Annotated[str | None, typer.Option("--code", help="Only what the CRM refused with this code.")]
Field = Annotated[str | None, typer.Option("--field", help="Only refusals of this field.")]


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
