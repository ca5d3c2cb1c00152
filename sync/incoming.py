"""The first phase of a turn: is it the right account with every field, and what is new there."""

from collections.abc import Callable
from datetime import timedelta

from connectors.base import Page
from sync.definitions import (
    check_account,
    check_fields,
    check_store,
    keep_definitions,
    kept_definitions,
    read_otherwise,
)
from sync.pull import Pulled, Reader, forget_cursors, pull
from sync.runtime import Runtime
from sync.scope import scoped
from sync.turn import Turn, guarded

#: the CRM's definitions are read again after this long
DEFINITIONS_FOR = timedelta(hours=1)


def prepare(runtime: Runtime, turn: Turn) -> bool:
    """Whether it is the right account with every mapped field; asked again after ``DEFINITIONS_FOR``."""
    one = turn.one

    def check() -> None:
        turn.budget.check()
        if one.read_at is not None and runtime.now() - one.read_at < DEFINITIONS_FOR:
            return
        account = one.connector.account()
        check_account(account, one.settings)
        with runtime.store.begin() as tx:
            check_store(tx, account, turn.name)
            before = kept_definitions(tx, turn.name)
        definitions = one.connector.describe()
        check_fields(definitions, one.map, before)
        one.definitions, one.read_at = definitions, runtime.now()
        anew = read_otherwise(definitions, one.map, before)
        streams = [stream.name for stream in one.connector.streams() if stream.object in anew] if anew else []
        with runtime.store.begin() as tx:
            keep_definitions(tx, turn.name, definitions)
            forget_cursors(tx, turn.name, streams)
        turn.budget.check()

    return guarded(runtime, turn, check)


def pull_all(runtime: Runtime, turn: Turn, *, full: bool, stop: Callable[[], bool]) -> bool:
    """Whether every stream was read to its end; what was read before is kept."""
    reader = Reader(
        store=runtime.store,
        map=turn.one.map,
        now=runtime.now,
        retention=timedelta(days=runtime.settings.kept_days),
        in_scope=scoped(turn.one.map, runtime.settings, runtime.now()),
        renew=turn.renew,
        pulled=Pulled(),
    )
    runtime.progress.phase(f"pull {turn.name}", None)

    def on_page(page: Page) -> None:
        runtime.progress.advance(len(page.records) + len(page.activities), page.expected)
        turn.budget.check()

    done = guarded(runtime, turn, lambda: pull(reader, turn.one.connector, full=full, on_page=on_page, stop=stop))
    turn.report.pulled, turn.report.activities = reader.pulled.records, reader.pulled.activities
    if not done and turn.report.state == "ok":
        turn.report.state = "interrupted"
        turn.report.reason = "its time in this pass was over; the next pass goes on from here"
    return done
