"""The worker over a day, beside another one, without its CRM, with another config, and told to end.

Turns are called one by one on the emulator's clock, so that a day takes no day. Signals, kills and health over HTTP are
tested with real processes.
"""

import gc
import json
import socket
import tracemalloc
import urllib.error
import urllib.request
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from signal import SIGINT, SIGKILL, SIGTERM
from threading import Barrier, Thread
from threading import enumerate as threads_alive
from time import monotonic

import pytest
import yaml
from sqlalchemy import func, select

from config.loader import load
from connectors.emulator.people import make_world
from sync.app import open_runtime
from sync.health import Pulse
from sync.lease import TTL, Owner
from sync.metrics import Metrics
from sync.paused import pause, resume
from sync.reload import Current, Watched
from sync.run import run_pass
from sync.runtime import Options
from sync.store import tables
from sync.worker import Limit, Worker
from tests.acceptance.conftest import nothing_but_our_fields
from tests.acceptance.orgs import nothing_but_our_fields as nothing_but_theirs
from tests.acceptance.processes import NOW, WRITE, Installation, Moment, ended
from tests.postgresql_server import new_database

pytestmark = pytest.mark.slow

EVERY = timedelta(minutes=5)


@dataclass
class Desk:
    """A worker on a portal's config and clock; ``on_step`` is called at every step of its passes."""

    portal: object
    owner: Owner
    on_step: object = lambda: None
    reports: list = field(default_factory=list)

    def __post_init__(self):
        clock = self.portal.world.clock.now
        limit = Limit(asked=lambda: False, now=clock)

        def opened(settings):
            waiting = self.portal.waiting
            return open_runtime(
                settings,
                progress=self,
                now=clock,
                stop=limit,
                sleep=waiting.sleep,
                monotonic=waiting.monotonic,
                owner=self.owner,
            )

        folder = self.portal.folder
        self.current = Current(config=Watched(folder=folder, overlay=None, settings=load(folder)[0]), open=opened)
        self.current.begin()
        self.worker = Worker(
            current=self.current,
            run=self.run,
            limit=limit,
            pulse=Pulse(monotonic=self.portal.waiting.monotonic),
            metrics=Metrics(now=clock),
        )

    def run(self, runtime, ends_at):
        self.reports.append(run_pass(runtime, Options(until=ends_at)))
        return self.reports[-1]

    def phase(self, name, total):
        self.on_step()

    def advance(self, done, total=None):
        self.on_step()

    def tick(self):
        """One turn; what it did at the portal."""
        before = len(self.reports)
        self.worker.tick()
        assert len(self.reports) == before + 1, "the pass failed"
        return self.reports[-1].connections["hubspot"]

    def metric(self, name):
        lines = self.worker.metrics.page().body.decode().splitlines()
        return next(float(line.split()[-1]) for line in lines if line.startswith(f"leadmark_{name} "))


@pytest.fixture
def desks():
    """Makes workers, each as if on a machine of its own."""
    made = []

    def desk(portal, host="a", **terms):
        made.append(Desk(portal, Owner(host=host, pid=1, nonce=f"n{len(made)}", **terms)))
        return made[-1]

    yield desk
    for one in made:
        one.current.close()


def on_postgresql(portal, monkeypatch):
    """The same installation with its store there."""
    monkeypatch.setenv("LEADMARK_STORE", new_database())
    portal.configure(installation={"store": "env:LEADMARK_STORE"})


STORES = pytest.mark.parametrize("postgresql", [False, True], ids=["sqlite", "postgresql"])


# a day


def open_files():
    """How often this process has each file open; sockets and pipes by their kind."""
    names = []
    for number in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the listing's own
            names.append(str(number.readlink()))
    return Counter(name.partition(":[")[0] for name in names)


def resident_kb():
    fields = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in fields if line.startswith("VmRSS"))


def settled():
    """Threads, open files and memory once nothing is in the air."""
    gc.collect()
    return sorted(thread.name for thread in threads_alive()), open_files(), resident_kb()


def test_two_hundred_passes_of_a_day_grow_nothing(portals, desks):
    """In both CRMs. Somebody edits something before every fifth pass, and at midnight everybody is scored anew."""
    portal = portals(40, crms=("hubspot", "salesforce"), org_people=40)
    desk = desks(portal)
    contacts = sorted(portal.contacts())
    leads = sorted(row.id for row in portal.sf.org.live("Lead") if not row.values.get("IsConverted"))
    states, written = Counter(), Counter()
    span = timedelta(days=1) / 200

    def day_part(first, last):
        nonlocal written
        for number in range(first, last):
            if number % 5 == 0:
                portal.edit(contacts[number % len(contacts)], jobtitle=("CEO", "Intern")[number % 2])
                portal.sf.edit(leads[number % len(leads)], Title=("CEO", "Intern")[number % 2])
                portal.sf.kept.keep()
            desk.tick()
            for name, report in desk.reports[-1].connections.items():
                states[name, report.state] += 1
                written[name] += report.written
            desk.reports.clear()
            portal.advance(seconds=span.total_seconds())
        nothing_but_our_fields(portal)
        nothing_but_theirs(portal.sf)
        portal.emulator.traffic.log.clear()

    day_part(0, 60)  # caches fill
    threads, files, kb = settled()
    day_part(60, 150)
    gc.collect()
    tracemalloc.start()
    day_part(150, 200)
    gc.collect()
    kept = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert states == {("hubspot", "ok"): 200, ("salesforce", "ok"): 200}
    assert min(written.values()) > 40
    after = settled()
    assert after[:2] == (threads, files)
    assert kept < 50 * 20_000, "bytes that 50 passes left behind, the emulator's among them"
    assert after[2] - kb < 15_000, "kB"
    assert desk.metric('passes_total{connection="hubspot",state="ok"}') == 200


# two workers


@STORES
def test_while_one_runs_a_connection_the_other_does_nothing_there(portals, desks, monkeypatch, postgresql):
    portal = portals(40)
    if postgresql:
        on_postgresql(portal, monkeypatch)
    one, other = desks(portal, "a"), desks(portal, "b")
    tried = []

    def try_it():
        with portal.requests() as sent:
            tried.append(other.tick().state)
        assert not sent

    one.on_step = try_it
    assert one.tick().state == "ok"
    assert len(tried) > 10
    assert set(tried) == {"elsewhere"}
    one.on_step = lambda: None
    assert other.tick().state == "ok", "it was given back"
    assert portal.contacts() == portal.explained()


@STORES
def test_passes_of_two_that_begin_at_once_never_overlap(portals, desks, monkeypatch, postgresql):
    portal = portals(40)
    if postgresql:
        on_postgresql(portal, monkeypatch)
    both, steps, ready, rounds = [desks(portal, "a"), desks(portal, "b")], [], Barrier(2), 8

    def run(desk):
        desk.on_step = lambda: steps.append((desk.owner.host, len(desk.reports)))
        for _ in range(rounds):
            ready.wait()
            desk.tick()

    threads = [Thread(target=run, args=(desk,)) for desk in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    runs = [step for place, step in enumerate(steps) if step != steps[place - 1] or not place]
    assert len(runs) == len(set(runs)), "the steps of one pass stand together"
    states = Counter(report.connections["hubspot"].state for desk in both for report in desk.reports)
    assert states.keys() == {"ok", "elsewhere"}
    assert states["ok"] >= rounds
    assert portal.contacts() == portal.explained()


def test_one_that_stands_by_goes_on_when_the_other_missed_its_turn(portals, desks):
    portal = portals(20)
    one, other = desks(portal, "a", patience=EVERY), desks(portal, "b", patience=EVERY)
    for _ in range(3):
        assert one.tick().state == "ok"
        portal.advance(minutes=2)
        assert other.tick().state == "elsewhere"
        portal.advance(minutes=3)
    portal.advance(minutes=2)  # the first one is gone
    assert other.tick().state == "ok"
    portal.advance(minutes=3)
    assert one.tick().state == "elsewhere", "it comes back, and now it is the one that stands by"


def test_one_that_ends_in_order_is_not_waited_for(portals, desks):
    portal = portals(20)
    one, other = desks(portal, "a", patience=EVERY), desks(portal, "b", patience=EVERY)
    one.tick()
    assert other.tick().state == "elsewhere"
    one.current.close()
    assert other.tick().state == "ok"


def written(portal):
    """How often leadmark wrote each contact."""
    bodies = [json.loads(entry.body) for entry in portal.emulator.traffic.since(0) if WRITE in entry.target]
    return Counter(item["id"] for body in bodies for item in body["inputs"])


@STORES
@pytest.mark.parametrize("place", ["pull", "score", "push"])
def test_one_that_is_overtaken_keeps_nothing_more_and_nothing_is_lost(portals, desks, monkeypatch, postgresql, place):
    """It hangs for longer than its lease holds, at a step of each phase; the other one does the pass meanwhile."""
    portal = portals(120, connection={"write": {"guard": {"new_mql": 1000}}})
    if postgresql:
        on_postgresql(portal, monkeypatch)
    one, other = desks(portal, "a"), desks(portal, "b")
    stopped = one.tick()
    assert stopped.state == "stopped_by_guard"
    assert portal.approve(stopped.code)
    portal.edit(min(portal.contacts()), jobtitle="CEO")
    portal.advance(minutes=20)  # what was edited is in the index now
    steps = []

    def step():
        """Counted from the phase before, as the first step of a phase comes before its transaction."""
        if one.at.startswith(place):
            steps.append(1)
            if len(steps) == 2:
                portal.advance(minutes=6)
                assert timedelta(minutes=6) > TTL
                assert other.tick().state == "ok"

    def phase(name, total):
        one.at = name
        step()

    one.at, one.on_step, one.phase = "", step, phase
    last = one.tick()
    assert len(steps) >= 2
    assert last.state == ("elsewhere" if place != "score" else last.state)
    assert set(written(portal).values()) == {1}, "each contact was written by one of them"
    with one.current.runtime.store.begin() as tx:
        history = tables.history
        twice = select(history.c.record).group_by(history.c.record, history.c.field).having(func.count() > 1)
        assert not tx.execute(twice).all()
    assert portal.contacts() == portal.explained()
    for desk in (one, other):
        one.on_step = lambda: None
        report = desk.tick()
        assert (report.state, report.written) == ("ok", 0)


# a CRM that is down


def test_one_crm_goes_on_while_the_other_is_parked(portals, desks):
    portal = portals(30, crms=("hubspot", "salesforce"), org_people=30)
    desk = desks(portal)
    desk.tick()
    contact = min(portal.contacts())
    portal.faults({"times": None, "match": {"path": "/services/"}, "do": {"drop": "before"}})
    portal.edit(contact, jobtitle="CEO")
    portal.advance(minutes=30)
    assert desk.tick().state == "ok"
    report = desk.reports[-1]
    assert report.connections["salesforce"].state == "parked"
    assert (report.scored, report.connections["hubspot"].written) == (1, 1)
    portal.no_faults()
    desk.tick()
    assert desk.reports[-1].connections["salesforce"].state == "ok"
    assert portal.contacts() == portal.explained()


def test_an_unreachable_crm_is_parked_and_recovers(portals, desks):
    portal = portals(30)
    desk = desks(portal)
    desk.tick()
    portal.edit(min(portal.contacts()), jobtitle="CEO")
    portal.faults({"times": None, "do": {"drop": "before"}})
    for _ in range(3):
        portal.advance(minutes=30)
        report = desk.tick()
        assert (report.state, report.written) == ("parked", 0)
        assert "acceptance" not in report.reason
    assert desk.metric('last_good_pass_age_seconds{connection="hubspot"}') == 90 * 60
    assert desk.metric('passes_total{connection="hubspot",state="parked"}') == 3
    assert (desk.worker.live().status, desk.worker.ready().status) == (200, 200), "a restart mends no CRM"
    portal.no_faults()
    report = desk.tick()
    assert report.state == "ok"
    assert desk.metric('last_good_pass_age_seconds{connection="hubspot"}') == 0
    assert portal.contacts() == portal.explained()


# a pause


def test_a_pause_holds_back_the_next_batch_of_every_worker_and_ends(portals, desks):
    portal = portals(120, connection={"write": {"guard": {"new_mql": 1000}}})
    one, other = desks(portal, "a"), desks(portal, "b")
    assert portal.approve(one.tick().code)

    def between_batches():
        if any(written(portal)):
            one.on_step = lambda: None
            with portal.runtime.store.begin() as tx:
                pause(tx, now=portal.world.clock.now(), until=portal.world.clock.now() + EVERY, why="a fair")

    one.on_step = between_batches
    report = one.tick()
    assert (report.state, report.written) == ("paused", 100)
    assert "a fair" in report.reason
    report = other.tick()
    assert (report.state, report.written, report.planned) == ("paused", 0, 20)
    assert other.metric("paused") == 1
    portal.advance(minutes=5)
    report = other.tick()
    assert (report.state, report.written) == ("ok", 20)
    with portal.runtime.store.begin() as tx:
        assert resume(tx)
    assert portal.contacts() == portal.explained()


# another config


def test_a_good_config_is_taken_over_before_the_next_pass(portals, desks):
    portal = portals(30)
    desk = desks(portal)
    desk.tick()
    file = portal.folder / "models/b2b.yaml"
    file.write_text(file.read_text().replace("fit: 40", "fit: 90").replace("engagement: 60", "engagement: 10"))
    report = desk.tick()
    assert (report.state, desk.reports[-1].scored) == ("ok", 30)
    assert report.written > 10
    assert desk.tick().written == 0


def test_with_a_bad_config_passes_go_on_with_the_last_good_one(portals, desks):
    portal = portals(30)
    desk = desks(portal)
    desk.tick()
    file = portal.folder / "models/b2b.yaml"
    good = file.read_text()
    file.write_text(good.replace("fit: 40", "fit: 400"))
    portal.edit(min(portal.contacts()), jobtitle="CEO")
    portal.advance(minutes=20)
    report = desk.tick()
    assert (report.state, desk.reports[-1].scored) == ("ok", 1)
    assert desk.metric("config_ok") == 0
    assert b"last good" in desk.worker.ready().body
    assert portal.contacts() == portal.explained(), "as the config says that was good"
    file.write_text(good)
    desk.tick()
    assert desk.metric("config_ok") == 1


# real processes


@dataclass
class Running:
    """``leadmark worker`` as a process, its log and its health."""

    process: object
    log: list
    port: int

    @classmethod
    def start(cls, one):
        """Returns once it is served; the first pass has begun, or is about to."""
        process = one.start("worker")
        log = []
        for line in process.stderr:
            log.append(json.loads(line))
            if log[-1]["event"] == "the worker began":
                return cls(process, log, log[-1]["port"])
        raise AssertionError(ended(process))

    def until(self, event):
        """Reads on to a line of the log."""
        for line in self.process.stderr:
            self.log.append(json.loads(line))
            if self.log[-1]["event"] == event:
                return self.log[-1]
        raise AssertionError(self.log)

    def get(self, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def end(self, signal):
        """(exit code, how long it took)"""
        told = monotonic()
        self.process.send_signal(signal)
        done = ended(self.process)
        assert "Traceback" not in done.err
        return done.code, monotonic() - told


@pytest.fixture
def installed(tmp_path):
    """Few enough people for the guard; health on a free port of this machine."""
    with Installation.make(make_world(60, 21, now=NOW), tmp_path / "one") as one:
        file = one.folder / "leadmark.yaml"
        schedule = {"every": "1s", "host": "127.0.0.1", "port": 0}
        file.write_text(yaml.safe_dump({**yaml.safe_load(file.read_text()), "worker": schedule}))
        yield one


def test_a_process_runs_passes_serves_its_health_and_ends_by_sigterm(installed):
    worker = Running.start(installed)
    assert worker.until("a pass ended")["connections"]["hubspot"] == "ok"
    worker.until("a pass ended")
    assert worker.get("/livez")[0] == 200
    status, body = worker.get("/readyz")
    assert (status, json.loads(body)["connections"]) == (200, {"hubspot": "runs"})
    status, body = worker.get("/metrics")
    assert 'leadmark_records_written_total{connection="hubspot"} 60.0' in body
    assert worker.get("/")[0] == 404
    code, took_s = worker.end(SIGTERM)
    assert (code, took_s < 5) == (0, True)
    assert not any("@" in json.dumps(line) for line in worker.log)


@pytest.mark.parametrize(
    ("signal", "do"), [(SIGTERM, {"delay_s": 0.7}), (SIGTERM, {"delay_s": 60}), (SIGINT, {"delay_s": 0.7})]
)
def test_a_signal_in_mid_pass_ends_it_with_0_and_the_next_one_goes_on(installed, signal, do):
    """The call in flight gets its three seconds, also where the CRM hangs."""
    reached = installed.at(Moment(n=20, then=lambda: None, do=do)).reached
    worker = Running.start(installed)
    assert reached.wait(30)
    sent = len(installed.requests())
    code, took_s = worker.end(signal)
    assert (code, took_s < 5) == (0, True)
    assert len(installed.requests()) <= sent + 1, "nothing goes out after it"
    assert installed.live()["written"] == 60


def test_a_second_process_stands_by_and_goes_on_when_the_first_is_killed(installed):
    reached = installed.at(Moment(n=20, then=lambda: None, do={"delay_s": 60})).reached
    first = Running.start(installed)
    assert reached.wait(30)
    sent = len(installed.requests())
    second = Running.start(installed)
    second.until("a pass ended")
    assert json.loads(second.get("/readyz")[1])["connections"] == {"hubspot": "stands by"}
    assert len(installed.requests()) == sent
    assert first.end(SIGKILL)[0] == -SIGKILL
    while second.until("a pass ended")["connections"]["hubspot"] == "elsewhere":
        pass
    assert len(installed.writes()) == 1
    assert second.end(SIGTERM)[0] == 0
    assert installed.run("sync", "--json").report()["written"] == 0


def test_a_port_that_is_taken_is_said_in_one_line(installed):
    file = installed.folder / "leadmark.yaml"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        file.write_text(file.read_text().replace("port: 0", f"port: {taken.getsockname()[1]}"))
        done = installed.run("worker")
    assert (done.code, done.err.count("\n")) == (1, 1)
    assert "worker.port" in done.err
