"""SIGTERM: nothing more is sent, the call in flight gets three seconds, and the process ends with 0 within five.

The signal comes while the emulator holds a request back, so it is always in flight then.
"""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from signal import SIGTERM
from threading import Timer
from time import monotonic

import pytest

from connectors.emulator.people import make_world
from tests.acceptance.processes import NOW, WRITE, Installation, Moment, ended

pytestmark = pytest.mark.slow

#: people of the push tests, and those of one batch
PEOPLE, BATCH = 300, 100
WITHIN_S = 5.0
#: what the server does with the call in flight
ANSWERS, HANGS = {"delay_s": 0.7}, {"delay_s": 60}


@dataclass
class Counted:
    """Counts requests as they come, those that are never answered too."""

    came: int = 0
    do = ANSWERS

    def strikes(self, method, target):
        self.came += 1
        return False


@dataclass
class Stopped:
    """A process that was told to stop."""

    code: int
    took_s: float
    #: requests that came after the signal
    sent: int
    state: str
    err: str


def stop_at(one, *words, n, do, path="", signal_after_s=0.0, before_signal: Callable[[], object] = lambda: None):
    """Runs ``sync`` and sends SIGTERM at a request."""
    counted = Counted()
    one.emulator.traffic.faults.append(counted)
    told_at = []

    def tell():
        told_at.append((monotonic(), counted.came))
        process.send_signal(SIGTERM)

    def then():
        before_signal()
        if signal_after_s:
            Timer(signal_after_s, tell).start()
        else:
            tell()

    process = one.start("sync", "--json", *words)
    moment = one.at(Moment(n=n, path=path, then=then, do=do))
    done = ended(process, timeout_s=40)
    ended_at = monotonic()
    assert moment.reached.is_set(), done
    one.emulator.traffic.faults.clear()
    at, came = told_at[0]
    return Stopped(done.code, ended_at - at, counted.came - came, done.report()["state"] if done.out else "", done.err)


def assert_ended_well(stopped):
    assert (stopped.code, stopped.sent) == (0, 0), stopped
    assert stopped.took_s < WITHIN_S, stopped
    assert "Traceback" not in stopped.err


@pytest.fixture(scope="module")
def untouched(tmp_path_factory):
    """A hundred people, few enough for the guard, and no pass yet."""
    with Installation.make(make_world(100, 21, now=NOW), tmp_path_factory.mktemp("pull")) as one:
        yield one


@pytest.fixture(scope="module")
def finished(untouched, tmp_path_factory):
    """What the portal holds after a pass nobody stops, and the number of requests before its first write."""
    with untouched.twin(tmp_path_factory.mktemp("twin") / "twin") as twin:
        twin.live()
        return twin.held(), [WRITE in entry.target for entry in twin.requests()].index(True)


@pytest.fixture
def one(untouched, tmp_path):
    with untouched.twin(tmp_path / "one") as one:
        yield one


def test_at_the_first_call(one):
    assert_ended_well(stop_at(one, n=0, do=ANSWERS))


def test_during_pull_the_call_in_flight_is_the_last(one, finished):
    stopped = stop_at(one, n=25, do=ANSWERS)
    assert_ended_well(stopped)
    assert stopped.state == "interrupted"
    assert one.run("sync").code == 0
    assert one.held() == finished[0]


def test_during_pull_a_server_that_hangs_is_not_waited_for(one, finished):
    stopped = stop_at(one, n=12, do=HANGS)
    assert_ended_well(stopped)
    assert stopped.took_s > 2, "the call in flight got its time"
    assert one.run("sync").code == 0
    assert one.held() == finished[0]


def test_a_wait_the_crm_asked_for_ends_at_once(one, finished):
    stopped = stop_at(one, n=8, do={"status": 429, "headers": {"Retry-After": "30"}}, signal_after_s=0.3)
    assert_ended_well(stopped)
    assert stopped.took_s < 2
    assert one.run("sync").code == 0
    assert one.held() == finished[0]


def test_during_score_nothing_is_written(one, finished):
    expected, before_writes = finished
    stopped = stop_at(one, n=before_writes - 1, do={}, signal_after_s=0.01)
    assert_ended_well(stopped)
    assert not one.writes()
    assert one.run("sync").code == 0
    assert one.held() == expected


def test_while_another_process_holds_the_store(one, finished):
    """SQLite waits in C, where Python runs no signal handler."""
    held = []

    def hold():
        held.append(sqlite3.connect(one.store / "leadmark.sqlite3", check_same_thread=False, isolation_level=None))
        held[0].execute("BEGIN IMMEDIATE")

    stopped = stop_at(one, n=3, do={"delay_s": 0.1}, before_signal=hold, signal_after_s=0.5)
    held[0].close()
    assert_ended_well(stopped)
    assert one.run("sync").code == 0
    assert one.held() == finished[0]


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """More people than two batches, pulled and scored; the guard asks. (installation, code, the portal afterwards)"""
    with Installation.make(make_world(PEOPLE, 22, now=NOW), tmp_path_factory.mktemp("push")) as one:
        done = one.run("sync", "--json")
        assert done.code == 3, done
        code = done.report()["code"]
        with one.twin(tmp_path_factory.mktemp("twin") / "twin") as twin:
            assert twin.run("sync", "--approve", code).code == 0
            expected = twin.held()
        yield one, code, expected


@pytest.mark.parametrize(
    ("do", "kept", "remark"),
    [
        (ANSWERS, 2, "the answer of the second batch is kept"),
        (HANGS, 1, "the second batch is sent again by the next pass"),
    ],
)
def test_during_push_no_further_batch_goes_out(asked, tmp_path, do, kept, remark):
    before, code, expected = asked
    with before.twin(tmp_path / "one") as one:
        stopped = stop_at(one, "--approve", code, n=1, path=WRITE, do=do)
        assert_ended_well(stopped)
        report = one.run("sync", "--json").report()
        assert report["written"] == PEOPLE - kept * BATCH, remark
        assert one.held() == expected
