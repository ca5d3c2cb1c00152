"""``worker``, ``pause`` and ``resume``: passes on a schedule, and holding back what they write."""

import sys
import time
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog

from config.settings import Settings
from sync.app import Stop, clock, configure_logging, open_runtime
from sync.cli import exits
from sync.cli.exits import CommandError
from sync.cli.opening import Where, folder_of, print_json, settings_of, stdout, store_of, typed
from sync.health import Pulse, serve
from sync.lease import this_process
from sync.metrics import Metrics
from sync.paused import pause as hold
from sync.paused import resume as go_on
from sync.reload import Current, Watched
from sync.run import run_pass
from sync.runtime import Options, Runtime
from sync.worker import Limit, Worker, run_on_schedule

log = structlog.get_logger()


def worker(where: Where) -> int:
    """Runs passes until SIGTERM or SIGINT."""
    settings, stop, now = settings_of(where), Stop(), clock()
    configure_logging(as_json=not sys.stderr.isatty())
    owner, pulse, limit = this_process(), Pulse(monotonic=time.monotonic), Limit(asked=stop, now=now)

    def opened(settings: Settings) -> AbstractContextManager[Runtime]:
        patient = replace(owner, patience=timedelta(seconds=settings.worker.every_s))
        return open_runtime(settings, progress=pulse, now=now, stop=limit, sleep=stop.wait, owner=patient)

    current = Current(config=Watched(folder=folder_of(where[0]), overlay=where[1], settings=settings), open=opened)
    one = Worker(
        current=current,
        run=lambda runtime, ends_at: run_pass(runtime, Options(until=ends_at)),
        limit=limit,
        pulse=pulse,
        metrics=Metrics(now=now),
    )
    with stop.on_signals(), ExitStack() as opening:
        opening.callback(current.close)
        current.begin()
        port = _serve(opening, one)
        names = [connection.name for connection in settings.connections]
        log.info("the worker began", connections=names, every=settings.worker.every, port=port)
        run_on_schedule(one, stop.wait)
    log.info("the worker ended")
    return exits.OK


def _serve(opening: ExitStack, one: Worker) -> int:
    host, port = one.schedule.host, one.schedule.port
    try:
        return opening.enter_context(serve(host, port, one.pages()))
    except OSError as error:
        raise CommandError(
            f"health cannot be served on {host} port {port}: {error.strerror}; change worker.port in leadmark.yaml"
        ) from error


def pause(where: Where, *, until: str | None, why: str, as_json: bool) -> int:
    """Holds back all writes; says until when."""
    settings, now = settings_of(where), clock()()
    ends = _instant(until, settings.time_zone) if until is not None else None
    if ends is not None and ends <= now:
        raise CommandError(f"leadmark pause: {until} is over; name an instant to come", exits.USAGE)
    with store_of(settings) as store, store.begin() as tx:
        made = hold(tx, now=now, until=ends, why=why)
    if as_json:
        print_json({"paused": True, "since": made.since, "until": made.until, "why": made.why})
    else:
        stdout().print(f"{made}; nothing is written from the next batch on")
        stdout().print(f"To go on: {typed('resume', where)}")
    return exits.OK


def resume(where: Where, *, as_json: bool) -> int:
    """Lets writes go on; harmless when they do."""
    with store_of(settings_of(where)) as store, store.begin() as tx:
        was = go_on(tx)
    if as_json:
        print_json({"paused": False, "was_paused": was})
    else:
        stdout().print("the next pass writes again" if was else "it was not paused")
    return exits.OK


def _instant(text: str, zone: str) -> datetime:
    """The instant; without an offset it is in the installation's zone."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(
            f'leadmark pause: "{text}" is no instant; write it like 2026-12-01T08:00', exits.USAGE
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=ZoneInfo(zone))
