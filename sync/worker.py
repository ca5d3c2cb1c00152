"""The worker: a pass on a schedule, until it is told to stop. Nothing that goes wrong in a pass ends it.

``Worker.tick`` is one turn and all there is to test; APScheduler merely calls it.
"""

import json
import logging
import threading
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger
from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from config.settings import Worker as Schedule
from sync.health import Answer, Pages, Pulse
from sync.identity import ambiguous
from sync.metrics import Metrics, Standing
from sync.paused import paused
from sync.quarantine import groups
from sync.reload import Current
from sync.report import RunReport
from sync.runtime import Runtime
from sync.store import tables
from sync.store.store import Store, StoreError
from sync.store.values import at, load

log = structlog.get_logger()

#: states of a connection whose pass did all it was to do
GOOD = frozenset({"ok", "planned", "shadow", "paused"})
#: the state of a connection that another process runs
ELSEWHERE = "elsewhere"
#: passes among which the last good one is looked for
LOOKED_AT = 100
#: a store that takes longer than this for one row does not answer
STORE_TIMEOUT_S = 5.0


@dataclass(kw_only=True)
class Limit:
    """Tells a pass to stop: when the process is asked to, or when the pass has run for as long as it may."""

    asked: Callable[[], bool]
    now: Callable[[], datetime]
    ends_at: datetime | None = None

    def __call__(self) -> bool:
        """True once it is to stop."""
        return self.asked() or (self.ends_at is not None and self.now() >= self.ends_at)


@dataclass(kw_only=True)
class Worker:
    """An installation that is looked after."""

    #: what runs; its runtime stops where ``limit`` says and tells ``pulse`` how far it is
    current: Current
    #: runs one pass, which is to be over at the instant given
    run: Callable[[Runtime, datetime], RunReport]
    limit: Limit
    pulse: Pulse
    metrics: Metrics
    #: connection -> the state its last pass ended with
    states: Mapping[str, str] = field(default_factory=dict)
    _began_at: datetime = field(init=False)
    _one_check: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        """Has not run a pass yet."""
        self._began_at = self.limit.now()

    @property
    def schedule(self) -> Schedule:
        """How often and for how long."""
        return self.current.runtime.settings.worker

    def tick(self) -> None:
        """One turn: takes over a changed config and runs a pass. Raises nothing: what goes wrong is logged, counted."""
        self.pulse.beat()
        try:
            self.current.follow()
            self._pass(self.current.runtime)
        except StoreError as error:
            self.metrics.count_failure(error)
            log.error("the store failed", reason=str(error))  # noqa: TRY400 - the message says it all
        except Exception as error:  # noqa: BLE001 - whatever it is, the next pass may be good
            self.metrics.count_failure(error)
            log.error("a pass failed", error=type(error).__name__, where=_where(error))  # noqa: TRY400 - see _where
        finally:
            self.limit.ends_at = None
            self.pulse.beat()

    def _pass(self, runtime: Runtime) -> None:
        ends_at = self.limit.ends_at = self.limit.now() + timedelta(seconds=self.schedule.deadline_s)
        report = self.run(runtime, ends_at)
        news = not self.states or any(mine.pulled for mine in report.connections.values())
        self.states = {name: mine.state for name, mine in report.connections.items()}
        self.metrics.count(report)
        log.info("a pass ended", id=report.pass_id, scored=report.scored, connections=self.states)
        names = [one.settings.name for one in runtime.connections]
        with runtime.store.begin() as tx:
            self.metrics.standing = self._standing(tx, names, news=news)

    def _standing(self, tx: Connection, names: Iterable[str], *, news: bool) -> Standing:
        good_at = dict.fromkeys(names, self._began_at) | _last_good(tx, names)
        waiting = [group for group in groups(tx) if not group.dropped]
        return Standing(
            good_at=good_at,
            held={name: self.states.get(name) != ELSEWHERE for name in names},
            quarantined={name: sum(group.count for group in waiting if group.connection == name) for name in names},
            duplicates=ambiguous(tx) if news else self.metrics.standing.duplicates,  # it looks at all there are
            config_ok=not self.current.problem,
            paused=paused(tx, self.limit.now()) is not None,
        )

    # health

    def pages(self) -> Pages:
        """What is served over HTTP."""
        return {"/livez": self.live, "/readyz": self.ready, "/metrics": self.metrics.page}

    def live(self) -> Answer:
        """200 while the process turns: within the longest time that a pass and the wait after it may take."""
        age_s, most_s = self.pulse.age_s(), self.schedule.deadline_s + 2 * self.schedule.every_s
        return _told(fine=age_s <= most_s, seconds_since_last_step=round(age_s))

    def ready(self) -> Answer:
        """200 while the store answers; says which connections this worker runs and for which it stands by."""
        answers = self._one_check.acquire(timeout=STORE_TIMEOUT_S)
        if answers:
            try:
                answers = _answers(self.current.runtime.store)
            finally:
                self._one_check.release()
        return _told(
            fine=answers,
            store="answers" if answers else "does not answer",
            config="the last good one is in use, see: leadmark check" if self.current.problem else "in use",
            connections={
                one.settings.name: _role(self.states.get(one.settings.name)) for one in self.current.runtime.connections
            },
        )


def run_on_schedule(worker: Worker, wait: Callable[[], None]) -> None:
    """Ticks at once and then by the schedule until ``wait`` returns; a pass under way then is waited for."""
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # it warns of each turn that a long pass takes up
    every_s = worker.schedule.every_s

    def turn() -> None:
        nonlocal every_s
        worker.tick()
        if worker.schedule.every_s != every_s:
            every_s = worker.schedule.every_s
            job.reschedule(IntervalTrigger(seconds=every_s, timezone=UTC))

    scheduler = BackgroundScheduler(
        timezone=UTC,
        executors={"default": ThreadPoolExecutor(1)},
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
    )
    trigger = IntervalTrigger(seconds=every_s, timezone=UTC)
    job = scheduler.add_job(turn, trigger, next_run_time=trigger.start_date - trigger.interval)
    scheduler.start()
    try:
        wait()
    finally:
        scheduler.shutdown()


def _last_good(tx: Connection, names: Iterable[str]) -> dict[str, datetime]:
    """When the last good pass of each connection began, by whichever process; without those that had none lately."""
    table = tables.pass_
    rows = tx.execute(
        select(table.c.started_at, table.c.report)
        .where(table.c.ended_at.is_not(None))
        .order_by(table.c.started_at.desc())
        .limit(LOOKED_AT)
    )
    found: dict[str, datetime] = {}
    for row in rows:
        for name, report in load(row.report)["connections"].items():
            if report["state"] in GOOD and name in names:
                found.setdefault(name, at(row.started_at))
    return found


def _answers(store: Store) -> bool:
    """Whether the store gives a row, without waiting for a transaction that is under way."""
    driver = store.engine.dialect.loaded_dbapi.Error
    try:
        connection = store.engine.raw_connection()  # SQLAlchemy's own begins a transaction, and waits its turn
        try:
            connection.cursor().execute("SELECT count(*) FROM lease").fetchone()
        finally:
            connection.close()
    except (SQLAlchemyError, driver, OSError):
        return False
    return True


def _role(state: str | None) -> str:
    if state is None:
        return "no pass yet"
    return "stands by" if state == ELSEWHERE else "runs"


def _told(*, fine: bool, **said: object) -> Answer:
    return Answer(status=200 if fine else 503, body=json.dumps({"fine": fine, **said}).encode())


def _where(error: BaseException) -> str:
    """The places an error passed through; its message may hold a value of somebody's record."""
    frames = traceback.extract_tb(error.__traceback__)
    return " > ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames)
