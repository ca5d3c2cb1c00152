"""A worker's turns: whatever a pass does, the next one comes; what is known of them is served."""

import json
import sqlite3
from datetime import UTC, datetime, timedelta
from itertools import count
from threading import Event, Thread

import pytest
from sqlalchemy import insert
from structlog.testing import capture_logs

from config import starters
from config.loader import load
from sync.app import open_runtime
from sync.health import Pulse
from sync.metrics import Metrics
from sync.paused import pause
from sync.reload import Current, Watched
from sync.report import ConnectionReport, RunReport
from sync.store import tables
from sync.store.store import StoreError
from sync.store.values import dump, micros
from sync.worker import Limit, Worker, run_on_schedule

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Desk:
    """A worker whose clocks stand still and whose passes do what a test says."""

    def __init__(self, folder):
        self.folder = folder
        self.now, self.at_s, self.asked = NOW, 0.0, False
        #: what the next passes do, the last one again and again; they get (runtime, the instant it ends at)
        self.passes = [self.report("ok")]
        self.ran = []
        self.numbers = count()
        pulse, limit = Pulse(monotonic=lambda: self.at_s), Limit(asked=lambda: self.asked, now=lambda: self.now)

        def opened(settings):
            return open_runtime(settings, progress=pulse, now=lambda: self.now, stop=limit)

        config = Watched(folder=folder, overlay=None, settings=load(folder)[0])
        self.current = Current(config=config, open=opened)
        self.current.begin()
        self.worker = Worker(
            current=self.current, run=self.run, limit=limit, pulse=pulse, metrics=Metrics(now=lambda: self.now)
        )

    def report(self, state, **counts):
        def run(runtime, ends_at):
            self.keep(state)
            mine = ConnectionReport(state=state, **counts)
            return RunReport(pass_id="p", started_at=self.now, ended_at=self.now, connections={"hubspot": mine})

        return run

    def run(self, runtime, ends_at):
        self.ran.append((runtime, ends_at))
        return (self.passes.pop(0) if len(self.passes) > 1 else self.passes[0])(runtime, ends_at)

    def keep(self, state, *, ended=True):
        """A pass in the store, as any process keeps it."""
        row = {
            "id": f"p{next(self.numbers)}",
            "started_at": micros(self.now),
            "ended_at": micros(self.now) if ended else None,
            "report": dump({"connections": {"hubspot": {"state": state}}}),
        }
        self.execute(insert(tables.pass_).values(row))

    def execute(self, statement):
        with self.current.runtime.store.begin() as tx:
            tx.execute(statement)

    def tick(self):
        with capture_logs() as logged:
            self.worker.tick()
        return logged

    def metric(self, name):
        lines = self.worker.metrics.page().body.decode().splitlines()
        return next((float(line.split()[-1]) for line in lines if line.startswith(f"leadmark_{name} ")), None)

    def ready(self):
        answer = self.worker.ready()
        return answer.status, json.loads(answer.body)

    def set(self, **schedule):
        file = self.folder / "leadmark.yaml"
        file.write_text(file.read_text() + f"worker: {json.dumps(schedule)}\n")


@pytest.fixture
def desk(tmp_path, monkeypatch):
    monkeypatch.setenv("HS_TOKEN", "pat-none")
    monkeypatch.setenv("HS_PORTAL", "1")
    starters.write("b2b-saas", tmp_path / "config", ["hubspot"])
    one = Desk(tmp_path / "config")
    yield one
    one.current.close()


AGE = 'last_good_pass_age_seconds{connection="hubspot"}'


def test_a_turn_runs_one_pass_and_counts_it(desk):
    desk.passes = [desk.report("ok", written=3, rejected=1, calls=7)]
    desk.tick()
    assert len(desk.ran) == 1
    assert desk.metric('passes_total{connection="hubspot",state="ok"}') == 1
    assert desk.metric('records_written_total{connection="hubspot"}') == 3
    assert desk.metric('lease_held{connection="hubspot"}') == 1
    assert desk.ready()[1]["connections"] == {"hubspot": "runs"}


def test_a_pass_may_take_as_long_as_the_deadline_says(desk):
    desk.set(deadline="10m")
    held = []

    def run(runtime, ends_at):
        desk.now = ends_at - timedelta(microseconds=1)
        held.append(runtime.stop())
        desk.now = ends_at
        held.append(runtime.stop())
        return desk.report("interrupted")(runtime, ends_at)

    desk.passes = [run]
    desk.tick()
    assert desk.ran[0][1] == NOW + 10 * MINUTE
    assert held == [False, True]
    assert not desk.worker.limit(), "the next pass has its own time"


def test_a_pass_ends_when_the_process_is_to(desk):
    def run(runtime, ends_at):
        desk.asked = True
        assert runtime.stop()
        return desk.report("interrupted")(runtime, ends_at)

    desk.passes = [run]
    desk.tick()
    assert desk.metric('passes_total{connection="hubspot",state="interrupted"}') == 1


def raising(error):
    def run(runtime, ends_at):
        raise error

    return run


def test_whatever_is_raised_is_told_by_its_type_and_place_and_the_next_pass_runs(desk):
    desk.passes = [raising(KeyError("ann@acme.example")), desk.report("ok")]
    (logged,) = desk.tick()
    assert (logged["log_level"], logged["error"]) == ("error", "KeyError")
    assert "worker.py:" in logged["where"]
    assert "ann" not in str(logged)
    assert desk.metric('failures_total{type="KeyError"}') == 1
    desk.tick()
    assert desk.metric('passes_total{connection="hubspot",state="ok"}') == 1


def test_a_store_that_fails_is_told_in_its_own_words(desk):
    desk.passes = [raising(StoreError("the store sqlite:// failed: disk full"))]
    (logged,) = desk.tick()
    assert logged["reason"].endswith("disk full")
    assert desk.metric('failures_total{type="StoreError"}') == 1


def test_a_pass_that_fails_has_no_deadline_left_behind(desk):
    desk.passes = [raising(ValueError())]
    desk.tick()
    desk.now += timedelta(days=1)
    assert not desk.worker.limit()


# the age of the last good pass


@pytest.mark.parametrize(
    ("state", "good"),
    [
        ("ok", True),
        ("shadow", True),
        ("paused", True),
        ("parked", False),
        ("deferred_quota", False),
        ("interrupted", False),
        ("stopped_by_guard", False),
        ("needs_adoption", False),
        ("elsewhere", False),
    ],
)
def test_which_passes_are_good(desk, state, good):
    desk.now += 7 * MINUTE
    desk.passes = [desk.report(state)]
    desk.tick()
    assert desk.metric(AGE) == (0 if good else 7 * 60), "before the first good one, since the worker began"


def test_the_age_outlives_the_process_and_knows_what_other_processes_did(desk):
    desk.keep("ok")
    desk.now += 20 * MINUTE
    desk.passes = [desk.report("parked")]
    desk.tick()
    assert desk.metric(AGE) == 20 * 60
    desk.keep("ok", ended=False)
    desk.tick()
    assert desk.metric(AGE) == 20 * 60, "one that has not ended is not good yet"
    desk.now += MINUTE
    desk.keep("ok")
    desk.tick()
    assert desk.metric(AGE) == 0


def test_a_pause_and_quarantine_show(desk):
    with desk.current.runtime.store.begin() as tx:
        pause(tx, now=NOW)
        row = {"connection": "hubspot", "object": "contact", "inputs": "{}", "stamp_at": 0, "state": "live"}
        tx.execute(insert(tables.record), [{**row, "crm_id": str(number), "number": number} for number in (1, 2, 3)])
        refused = {"field": "", "message": "no", "payload": "x", "at": 0}
        codes = {1: "BAD", 2: "WORSE", 3: "dropped:BAD"}
        tx.execute(insert(tables.quarantine), [{**refused, "record": one, "code": codes[one]} for one in codes])
    desk.tick()
    assert desk.metric("paused") == 1
    assert desk.metric('quarantined{connection="hubspot"}') == 2, "dropped ones ask for nobody's attention"


def test_addresses_of_several_persons_are_counted_anew_when_records_came(desk):
    row = {"connection": "hubspot", "object": "contact", "inputs": "{}", "stamp_at": 0, "state": "live"}
    with desk.current.runtime.store.begin() as tx:
        for number in (1, 2, 3):
            tx.execute(insert(tables.record).values(**row, crm_id=str(number), number=number, person=number))

    def shared(email):
        rows = [{"connection": "hubspot", "email": email, "record": number} for number in (1, 2)]
        with desk.current.runtime.store.begin() as tx:
            tx.execute(insert(tables.address), rows)

    shared("a@acme.example")
    desk.passes = [desk.report("ok"), desk.report("ok"), desk.report("ok", pulled=1)]
    desk.tick()
    assert desk.metric("duplicates") == 1, "a worker that begins counts them"
    shared("b@acme.example")
    desk.tick()
    assert desk.metric("duplicates") == 1
    desk.tick()
    assert desk.metric("duplicates") == 2


# health


def test_it_is_alive_while_it_turns(desk):
    """A pass may take 30 minutes, and two turns of 5 may be missed."""
    desk.tick()
    for after_s, status in ((2400, 200), (2401, 503)):
        desk.at_s = after_s
        assert desk.worker.live().status == status
    desk.tick()
    assert desk.worker.live().status == 200


def test_a_pass_that_gets_on_is_alive_however_long_it_takes(desk):
    def run(runtime, ends_at):
        for _ in range(10):
            desk.at_s += 2000
            assert desk.worker.live().status == 200
            runtime.progress.advance(100)
        return desk.report("ok")(runtime, ends_at)

    desk.passes = [run]
    desk.tick()
    assert desk.metric('passes_total{connection="hubspot",state="ok"}') == 1


def test_it_is_ready_as_soon_as_the_store_answers(desk):
    status, body = desk.ready()
    assert status == 200
    assert body == {"fine": True, "store": "answers", "config": "in use", "connections": {"hubspot": "no pass yet"}}


def test_one_that_stands_by_is_ready_and_says_so(desk):
    desk.passes = [desk.report("elsewhere")]
    desk.tick()
    assert desk.ready() == (
        200,
        {"fine": True, "store": "answers", "config": "in use", "connections": {"hubspot": "stands by"}},
    )
    assert desk.metric('lease_held{connection="hubspot"}') == 0


def test_without_its_store_it_is_not_ready(desk):
    desk.current.runtime.store.close()
    (desk.folder.parent / "leadmark-store" / "leadmark.sqlite3").write_bytes(b"not a database at all" * 100)
    status, body = desk.ready()
    assert (status, body["store"]) == (503, "does not answer")
    (logged,) = desk.tick()
    assert logged["event"] == "the store failed"
    assert desk.worker.live().status == 200, "a restart mends no store"


def test_readiness_waits_for_no_transaction(desk):
    """A pass holds SQLite's one writing lock for as long as a chunk takes."""
    other = sqlite3.connect(desk.folder.parent / "leadmark-store" / "leadmark.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert desk.ready()[0] == 200
    other.close()


def test_a_store_that_hangs_is_asked_once(desk, monkeypatch):
    monkeypatch.setattr("sync.worker.STORE_TIMEOUT_S", 0.01)
    with desk.worker._one_check:
        assert desk.ready()[0] == 503


def test_a_bad_config_is_ready_and_says_so(desk):
    desk.set(every="soon")
    desk.tick()
    status, body = desk.ready()
    assert (status, body["config"]) == (200, "the last good one is in use, see: leadmark check")
    assert desk.metric("config_ok") == 0
    assert len(desk.ran) == 1


def test_nothing_of_anybody_is_served(desk):
    desk.folder.joinpath("leadmark.yaml").write_text("store: jane@acme.example\n")
    with desk.current.runtime.store.begin() as tx:
        pause(tx, now=NOW, why="ask jane@acme.example")
    desk.passes = [desk.report("parked", reason="ann@acme.example")]
    desk.tick()
    for page in desk.worker.pages().values():
        assert b"acme" not in page().body


# the schedule


def scheduled(worker):
    """Runs the schedule in a thread; gives how to end it."""
    over = Event()
    thread = Thread(target=run_on_schedule, args=(worker, over.wait))
    thread.start()

    def end():
        over.set()
        thread.join()

    return end


def test_the_first_pass_begins_at_once(desk):
    begun = Event()
    desk.passes = [lambda *_: begun.set() or desk.report("ok")(*_)]
    end = scheduled(desk.worker)
    assert begun.wait(10)
    end()
    assert len(desk.ran) == 1


def test_passes_follow_one_another_and_never_overlap_and_the_schedule_changes_with_the_config(desk):
    """From every five minutes to every second; the second pass takes longer than that."""
    running, most, enough = [], [0], Event()

    def run(runtime, ends_at):
        running.append(1)
        most[0] = max(most[0], len(running))
        if len(desk.ran) == 1:
            desk.set(every="1s")
        else:
            Event().wait(1.2 if len(desk.ran) == 2 else 0)
        if len(desk.ran) == 4:
            enough.set()
        running.pop()
        return desk.report("ok")(runtime, ends_at)

    desk.passes = [run]
    desk.worker.tick()
    end = scheduled(desk.worker)
    assert enough.wait(20)
    end()
    assert most == [1]


def test_the_end_waits_for_the_pass_under_way(desk):
    begun, may_end = Event(), Event()

    def run(runtime, ends_at):
        begun.set()
        may_end.wait(10)
        return desk.report("ok")(runtime, ends_at)

    desk.passes = [run]
    end = scheduled(desk.worker)
    assert begun.wait(10)
    Thread(target=may_end.set).start()
    end()
    assert desk.metric('passes_total{connection="hubspot",state="ok"}') == 1
