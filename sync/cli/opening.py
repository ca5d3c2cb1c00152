"""From what was typed to settings, an open store, and the two consoles."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console

from config.loader import load
from config.problems import Problem, listed, nearest
from config.secrets import resolve
from config.settings import Settings
from sync.cli.exits import USAGE, CommandError
from sync.store.store import Store, StoreError, open_store

#: where an image keeps the admin's config
INSTALLED = Path("/etc/leadmark")
#: --config and --overlay as typed
Where = tuple[Path | None, Path | None]


def folder_of(config: Path | None) -> Path:
    """The config folder: the one named, else /etc/leadmark if there is one, else the current one."""
    if config is not None:
        return config
    return INSTALLED if INSTALLED.is_dir() else Path()


def checked(where: Where) -> tuple[Settings | None, list[Problem]]:
    """The settings of the folder, None while an error stands, and every problem."""
    config, overlay = where
    return load(folder_of(config), overlay)


def settings_of(where: Where) -> Settings:
    """The settings of the folder; a CommandError with every problem while an error stands. Warnings go to ``check``."""
    settings, problems = checked(where)
    if settings is None:
        errors = [str(problem) for problem in problems if problem.severity == "error"]
        raise CommandError(
            "\n".join([*errors, f"{folder_of(where[0])}: {count(len(errors), 'error')}; nothing was run"])
        )
    return settings


@contextmanager
def store_of(settings: Settings) -> Iterator[Store]:
    """The store of the settings, which must be there already; closed at the end of the block."""
    try:
        store = open_store(resolve(settings.store), create=False)
    except StoreError as error:
        if not error.command:
            raise
        where = (None if settings.folder == folder_of(None) else settings.folder, None)
        raise StoreError(f"{error.why}: {typed(error.command, where)}") from error
    try:
        yield store
    finally:
        store.close()


def model_of(settings: Settings, name: str | None) -> str:
    """The model named, else the primary one; a CommandError when there is no such model."""
    if name is not None and name not in settings.models:
        close = nearest(name, settings.models)
        raise CommandError(f'there is no model "{name}"{close or f"; models here: {listed(settings.models)}"}', USAGE)
    return name or settings.primary


def typed(command: str, where: Where) -> str:
    """A command line to type next, with the config folder when it was named as an option."""
    named = where[0] is not None and os.environ.get("LEADMARK_CONFIG") != str(where[0])
    return f"leadmark {command} --config {where[0]}" if named else f"leadmark {command}"


def revealing(*, asked: bool) -> bool:
    """Whether names may be shown: where they were asked for, and only on a terminal, which keeps nothing."""
    if asked and not sys.stdout.isatty():
        stderr().print("--reveal shows names on a terminal only; they stay hidden")
    return asked and sys.stdout.isatty()


def count(number: int, noun: str) -> str:
    """The number with its noun.

    >>> count(1, "error"), count(2, "error")
    ('1 error', '2 errors')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def stdout() -> Console:
    """Where results go, plain when it is no terminal. Lines are never wrapped: ``show`` cuts what may be cut."""
    return Console(highlight=False, markup=False, emoji=False, soft_wrap=True)


def stderr() -> Console:
    """Where progress and remarks go."""
    return Console(stderr=True, highlight=False, markup=False, emoji=False)


def print_json(value: Any) -> None:
    """A JSON document on stdout, indented, dates as ISO text."""
    print(json.dumps(value, indent=2, ensure_ascii=False, default=str))  # noqa: T201 - the result
