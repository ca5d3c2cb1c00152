"""The one place that builds real objects: clock, store, connectors, logging, signals.

Everything below gets them as arguments.
"""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from types import FrameType

import structlog

from config.parts import web_address
from config.salesforce import SalesforceLogin
from config.secrets import SecretError, resolve
from config.settings import Connection, Settings
from connectors.base import Connector, instant
from connectors.salesforce.ids import long_id
from connectors.salesforce.login import Credentials
from sync.lease import Owner, leave, this_process
from sync.mapping import ConnectionMap, maps_of
from sync.report import Progress
from sync.runtime import Open, Runtime
from sync.store.store import StoreError, open_store

#: holds the clock still, for tests and for reproducing a day: an ISO instant
CLOCK_VARIABLE = "LEADMARK_NOW"
#: a call in flight gets this long after SIGTERM
GRACE_S = 3.0


class Stop:
    """Whether somebody asked to stop. SIGTERM and SIGINT ask; what is in flight gets ``GRACE_S``.

    After that the process ends with status 0 wherever it is: a kill at any moment is safe. A thread listens for the
    signals, as Python tells the main thread of them only between two of its own steps, not while a database waits.
    """

    def __init__(self) -> None:
        """Not asked yet."""
        self._asked = threading.Event()
        self._over = threading.Event()

    def __call__(self) -> bool:
        """True once somebody asked."""
        return self._asked.is_set()

    def wait(self, seconds: float | None = None) -> None:
        """Sleeps, at most until somebody asks; None: until then."""
        self._asked.wait(seconds)

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """SIGTERM and SIGINT ask, within this block. For the main thread."""
        told, tell = os.pipe()
        os.set_blocking(tell, False)
        listener = threading.Thread(target=self._listen, args=(told,), daemon=True)
        before = {number: signal.signal(number, _noted) for number in (signal.SIGTERM, signal.SIGINT)}
        wakeup = signal.set_wakeup_fd(tell, warn_on_full_buffer=False)
        listener.start()
        try:
            yield
        finally:
            self._over.set()
            signal.set_wakeup_fd(wakeup)
            for number, handler in before.items():
                signal.signal(number, handler)
            os.close(tell)
            listener.join()
            os.close(told)

    def _listen(self, told: int) -> None:
        if os.read(told, 1):
            self._asked.set()
            if not self._over.wait(GRACE_S):
                os._exit(0)


def _noted(*_: int | FrameType | None) -> None:
    """The signal's number is in the pipe already."""


def clock() -> Callable[[], datetime]:
    """The wall clock in UTC, or the one instant that ``LEADMARK_NOW`` names."""
    fixed = os.environ.get(CLOCK_VARIABLE)
    if fixed:
        moment = instant(fixed)
        return lambda: moment
    return lambda: datetime.now(UTC)  # noqa: TID251 - the one clock of the program


class Quiet:
    """A progress that tells nobody."""

    def phase(self, name: str, total: int | None) -> None:
        """Nothing to show."""

    def advance(self, done: int, total: int | None = None) -> None:
        """Nothing to show."""


@contextmanager
def open_runtime(
    settings: Settings,
    *,
    progress: Progress,
    now: Callable[[], datetime] | None = None,
    stop: Callable[[], bool] = lambda: False,
    sleep: Callable[[float], None] = time.sleep,
    monotonic: Callable[[], float] = time.monotonic,
    owner: Owner | None = None,
) -> Iterator[Runtime]:
    """The installation with open store and connectors, which wait by ``sleep``; closed at the end of the block.

    Raises SecretMissing, StoreError. Connections make no call before a pass does.
    """
    now, owner = now or clock(), owner or this_process()
    store = open_store(resolve(settings.store))
    maps = {map_.connection: map_ for map_ in maps_of(settings)}
    connections: list[Open] = []
    try:
        for written in settings.connections:
            map_ = maps[written.name]
            resolved, connector = _connector(written, map_, now, sleep, monotonic, stop)
            connections.append(Open(settings=resolved, map=map_, connector=connector))
        yield Runtime(
            settings=settings,
            store=store,
            connections=connections,
            owner=owner,
            now=now,
            stop=stop,
            progress=progress,
        )
    finally:
        for opened in connections:
            with suppress(OSError):
                opened.connector.close()
        with suppress(StoreError), store.begin() as tx:
            leave(tx, owner)
        store.close()


def _connector(
    settings: Connection,
    map_: ConnectionMap,
    now: Callable[[], datetime],
    sleep: Callable[[float], None],
    monotonic: Callable[[], float],
    stop: Callable[[], bool],
) -> tuple[Connection, Connector]:
    """The connection's settings with its references read, and its connector."""
    outputs = sorted(map_.outputs)
    if settings.crm == "hubspot":
        from connectors.hubspot.connection import HubSpot  # noqa: PLC0415 - the SDK takes a second to import

        portal = settings.portal.model_copy(update={"id": resolve(settings.portal.id)})
        return settings.model_copy(update={"portal": portal}), HubSpot.open(
            settings,
            token=resolve(settings.login.service_key),
            outputs=outputs,
            now=now,
            sleep=sleep,
            monotonic=monotonic,
            stop=stop,
        )
    from connectors.salesforce.connection import Salesforce  # noqa: PLC0415 - this library takes a second to import, too, and an installation may have one CRM

    org = settings.org.model_copy(
        update={
            "id": _checked(settings.org.id, long_id),
            "url": _checked(settings.org.url, web_address),
        }
    )
    return settings.model_copy(update={"org": org}), Salesforce.open(
        settings,
        url=org.url,
        credentials=_credentials(settings.login, production=org.production),
        outputs=outputs,
        now=now,
        sleep=sleep,
        monotonic=monotonic,
        stop=stop,
    )


def _checked(reference: str, check: Callable[[str], str]) -> str:
    """What the reference leads to, in the form ``check`` gives it; SecretError when it has another."""
    try:
        return check(resolve(reference))
    except ValueError as error:
        raise SecretError(f"{reference}: {error}") from None


def _credentials(login: SalesforceLogin, *, production: bool) -> Credentials:
    return Credentials(
        flow=login.flow,
        client_id=resolve(login.client_id),
        client_secret=resolve(login.client_secret) if login.client_secret else "",
        username=resolve(login.username),
        private_key=resolve(login.private_key) if login.private_key else "",
        production=production,
    )


def configure_logging(*, as_json: bool, level: int = logging.INFO) -> None:
    """Logs to stderr: JSON lines for machines, short coloured lines on a terminal. Ids and field names only."""
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
