"""The commands that look at all people: what there is, what no model sees, whom to call."""

from typing import Annotated

import typer

from sync.cli.commands.typed import Config, Json, Overlay, Reveal, app
from sync.cli.exits import USAGE, CommandError


@app.command()
def catalog(
    *,
    config: Config = None,
    overlay: Overlay = None,
    kind: Annotated[str | None, typer.Option("--kind", help="One kind of activity, with every value it has.")] = None,
    json: Json = False,
) -> int:
    """Show what there is to score, and which rule takes it.

    Activities by kind, form, campaign, list or mail, and facts by value, each with counts.
    """
    from sync.cli.looking import catalog as run  # noqa: PLC0415 - late: the help stays quick

    return run((config, overlay), kind=kind, as_json=json)


@app.command()
def coverage(
    *,
    config: Config = None,
    overlay: Overlay = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many of each finding.")] = 10,
    json: Json = False,
) -> int:
    """Show what the models do not see, and what to do about it.

    Activities no rule scores, rules that never fire, facts too empty to use, people no model scores.
    """
    from sync.cli.looking import coverage as run  # noqa: PLC0415 - late: the help stays quick

    return run((config, overlay), limit=limit, as_json=json)


@app.command()
def rank(
    *,
    config: Config = None,
    overlay: Overlay = None,
    owner: Annotated[str | None, typer.Option("--owner", help="Only people of this owner: CRM id or address.")] = None,
    status: Annotated[str | None, typer.Option("--status", help="Only people of this MQL status.")] = None,
    model: Annotated[
        str | None, typer.Option("--model", help="By this model; the primary one if none is named.")
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="How many people; 50 if not said.")] = None,
    all_: Annotated[
        bool, typer.Option("--all", help="Everybody, also those sales has in hand or is done with.")
    ] = False,
    csv: Annotated[bool, typer.Option("--csv", help="CSV with a header on stdout, for a spreadsheet.")] = False,
    json: Json = False,
    reveal: Reveal = False,
) -> int:
    """Show whom to call, the most ready first.

    MQLs, then those in telemarketing, handed back, active and new; by score, then the newest sharp rise.
    """
    from sync.cli.looking import Asked  # noqa: PLC0415 - late: the help stays quick
    from sync.cli.looking import rank as run  # noqa: PLC0415 - late: the help stays quick

    if csv and json:
        raise CommandError("leadmark rank: --csv or --json, not both", USAGE)
    asked = Asked(model=model, status=status, owner=owner, limit=limit, everybody=all_)
    return run((config, overlay), asked, form="csv" if csv else "json" if json else "text", reveal=reveal)
