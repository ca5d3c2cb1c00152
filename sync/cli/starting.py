"""Before the first pass: a starter config, its check, and the store's schema."""

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from config import starters
from config.loader import documents_of
from config.problems import Problem, in_order
from config.secrets import SecretError, resolve
from config.settings import Settings
from sync.answers.fullness import sampled_facts
from sync.answers.often_empty import often_empty
from sync.app import clock
from sync.cli.exits import FAILED, OK
from sync.cli.opening import Where, checked, count, folder_of, print_json, settings_of, stdout
from sync.days import score_day
from sync.store.store import StoreError, migrate_store, open_store
from sync.store.values import day_number

#: a store that others are busy with is not worth a longer wait
PATIENCE_MS = 2_000


def init(folder: Path, *, starter: str, crms: Sequence[str]) -> int:
    """Writes the starter; says what to type next."""
    written = starters.write(starter, folder, [crm.strip() for crm in crms])
    out = stdout()
    out.print(f"{folder}: {count(len(written), 'file')} written, every connection in mode shadow")
    for path in written:
        out.print(f"  {path}")
    out.print()
    out.print("Next, name each account and its key (connections/*.yaml says where), then:")
    for command, what in (
        ("check", "names every mistake in these files"),
        ("plan", "pulls and scores, shows what would be written, writes nothing"),
        ("sync", "one pass; in mode shadow it writes nothing either"),
    ):
        out.print(f"  leadmark {command} --config {folder}")
        out.print(f"      {what}")
    return OK


def check(where: Where, *, as_json: bool) -> int:
    """Prints every problem; FAILED while an error stands. Where a store is there, a look at it adds warnings."""
    settings, problems = checked(where)
    if settings is not None:
        problems = in_order([*problems, *_seen_in_the_store(settings, where)])
    if as_json:
        print_json(
            {
                "fine": settings is not None,
                "problems": [
                    {
                        "path": problem.path,
                        "line": problem.line,
                        "column": problem.column,
                        "severity": problem.severity,
                        "message": problem.message,
                    }
                    for problem in problems
                ],
            }
        )
        return FAILED if settings is None else OK
    out = stdout()
    for problem in problems:
        out.print(str(problem))
    if settings is None:
        errors = sum(problem.severity == "error" for problem in problems)
        out.print(f"{folder_of(where[0])}: {count(errors, 'error')}; nothing runs until they are mended")
        return FAILED
    out.print(f"fine: {count(len(settings.connections), 'connection')}, {count(len(settings.models), 'model')}")
    return OK


def _seen_in_the_store(settings: Settings, where: Where) -> list[Problem]:
    """Warnings that take a look at the people in the store; none where there is no store that can be read now."""
    try:
        store = open_store(resolve(settings.store), create=False, patience_ms=PATIENCE_MS)
    except (SecretError, StoreError, SQLAlchemyError, OSError):
        return []
    try:
        with store.begin() as tx:
            people = sampled_facts(tx, settings)
    except StoreError:
        return []
    finally:
        store.close()
    day = day_number(score_day(clock()(), settings.time_zone))
    return often_empty(settings, documents_of(folder_of(where[0]), where[1]), people, day)


def migrate(where: Where) -> int:
    """Migrates the store; says from which schema to which."""
    before, after = migrate_store(resolve(settings_of(where).store))
    if before == after:
        stdout().print(f"the store has schema {after} already")
    elif before is None:
        stdout().print(f"a new store with schema {after}")
    else:
        stdout().print(f"the store's schema went from {before} to {after}")
    return OK
