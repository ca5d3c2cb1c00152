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

from config.hubspot import HubSpotConnection
from config.secrets import resolve
from config.settings import Settings
from connectors.base import Connector, instant
from sync.mapping import map_of
from sync.run import Open, Progress, Runtime
from sync.store.store import open_store

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
) -> Iterator[Runtime]:
    """The installation with open store and connectors, which wait by ``sleep``; closed at the end of the block.

    Raises SecretMissing, StoreError. Connections make no call before a pass does.
    """
    now = now or clock()
    store = open_store(resolve(settings.store))
    connections: list[Open] = []
    try:
        for connection in settings.connections:
            connector = _connector(connection, now, sleep, monotonic, stop)
            connections.append(_open(connection, connector))
        yield Runtime(settings=settings, store=store, connections=connections, now=now, stop=stop, progress=progress)
    finally:
        for one in connections:
            with suppress(OSError):
                one.connector.close()
        store.close()


def _open(settings: HubSpotConnection, connector: Connector) -> Open:
    portal = settings.portal.model_copy(update={"id": resolve(settings.portal.id)})
    return Open(settings=settings.model_copy(update={"portal": portal}), map=map_of(settings), connector=connector)


def _connector(
    settings: HubSpotConnection,
    now: Callable[[], datetime],
    sleep: Callable[[float], None],
    monotonic: Callable[[], float],
    stop: Callable[[], bool],
) -> Connector:
    from connectors.hubspot.connection import HubSpot  # noqa: PLC0415 - the SDK takes a second to import

    return HubSpot.open(
        settings,
        token=resolve(settings.login.service_key),
        outputs=sorted(map_of(settings).outputs),
        now=now,
        sleep=sleep,
        monotonic=monotonic,
        stop=stop,
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
