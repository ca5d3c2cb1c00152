"""The application, and the arguments and options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="Scores the people in your CRM with one reviewed model and writes score, status and reasons back.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

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
Model = Annotated[
    str | None, typer.Option("--model", metavar="NAME", help="By which model; without it by the primary one.")
]
Who = Annotated[str, typer.Argument(help="E-mail address, CRM id, connection:id, or - to read it from stdin.")]
