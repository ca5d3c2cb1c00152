"""The first commands: see it work, write a config, check it, bring the store up to date."""

from pathlib import Path
from typing import Annotated

import typer

from sync.cli.commands.typed import Config, Json, Overlay, app


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
