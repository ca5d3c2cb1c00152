"""One owner at a time, on both databases; who was overtaken keeps nothing; who is gone is not waited for."""

import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from sync.lease import TTL, LeaseLost, Owner, acquire, leave, this_process
from sync.store import tables
from sync.store.store import get_meta, open_store, set_meta
from tests.postgresql_server import new_database

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
A = Owner(host="a", pid=1, nonce="n1")
B = Owner(host="b", pid=1, nonce="n2")


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request, tmp_path):
    opened = open_store(str(tmp_path) if request.param == "sqlite" else new_database())
    yield opened
    opened.close()


def take(store, owner, now=NOW, connection="hubspot"):
    with store.begin() as tx:
        return acquire(tx, connection, owner, now)


def test_one_has_it_until_it_is_given_back(store):
    held = take(store, A)
    assert held.epoch == 1
    assert take(store, B) is None
    with store.begin() as tx:
        held.release(tx, NOW)
    assert take(store, B).epoch == 2


def test_each_connection_has_its_own(store):
    assert take(store, A, connection="hubspot")
    assert take(store, B, connection="salesforce")


@pytest.mark.parametrize(
    ("after", "taken", "remark"),
    [(TTL - SECOND, False, "it still holds"), (TTL, True, "nobody renewed it")],
)
def test_it_expires(store, after, taken, remark):
    take(store, A)
    assert (take(store, B, NOW + after) is not None) == taken, remark


def test_renewing_makes_it_hold_longer(store):
    held = take(store, A)
    with store.begin() as tx:
        held.renew(tx, NOW + TTL)
    assert take(store, B, NOW + 2 * TTL - SECOND) is None
    assert take(store, B, NOW + 2 * TTL)


def test_one_that_expired_and_that_nobody_took_still_counts(store):
    held = take(store, A)
    with store.begin() as tx:
        held.renew(tx, NOW + 3 * TTL)


def test_what_the_overtaken_does_is_rolled_back(store):
    old = take(store, A)
    new = take(store, B, NOW + TTL)

    def page():
        with store.begin() as tx:
            set_meta(tx, "page", "of the old one")
            old.renew(tx, NOW + TTL)

    with pytest.raises(LeaseLost, match="hubspot"):
        page()
    with store.begin() as tx:
        assert get_meta(tx, "page") is None
        old.release(tx, NOW + TTL)  # harmless: it is no longer its own
        new.renew(tx, NOW + TTL)


def test_an_owner_takes_its_own_again_and_its_earlier_hold_is_over(store):
    first = take(store, A)
    assert take(store, A).epoch == 2
    with pytest.raises(LeaseLost), store.begin() as tx:
        first.renew(tx, NOW)


@pytest.mark.parametrize(
    ("waited", "taken", "remark"),
    [
        (299 * SECOND, False, "the one that gave it back may come again"),
        (300 * SECOND, True, "it missed its turn"),
    ],
)
def test_one_that_stands_by_waits_until_the_other_missed_its_turn(store, waited, taken, remark):
    held = take(store, A)
    with store.begin() as tx:
        held.release(tx, NOW)
    patient = replace(B, patience=timedelta(minutes=5))
    assert (take(store, patient, NOW + waited) is not None) == taken, remark


def test_nobody_waits_for_an_owner_that_left(store):
    take(store, A)
    with store.begin() as tx:
        leave(tx, A)
        leave(tx, A)
    assert take(store, replace(B, patience=timedelta(days=1)))


def ended_process():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@pytest.mark.parametrize(
    ("other", "taken", "remark"),
    [
        (Owner(host="a", pid=os.getpid(), nonce="old"), True, "a restarted container counts from 1 again"),
        (Owner(host="a", pid=ended_process(), nonce="old"), True, "a process that was killed"),
        (Owner(host="a", pid=os.getppid(), nonce="old"), False, "a process that runs"),
        (Owner(host="a:b", pid=ended_process(), nonce="old"), False, "a process of another machine"),
    ],
)
def test_a_dead_process_of_this_host_is_not_waited_for(store, other, taken, remark):
    me = Owner(host="a", pid=os.getpid(), nonce="new", patience=timedelta(hours=1))
    assert take(store, other)
    assert (take(store, me) is not None) == taken, remark


def test_a_process_of_another_user_runs(monkeypatch):
    def refuse(pid, signal):
        raise PermissionError

    monkeypatch.setattr(os, "kill", refuse)
    assert not A.outlives("a:2:n")


def test_this_process_is_told_from_itself_after_a_restart():
    one, other = this_process(), this_process()
    assert one.pid == os.getpid()
    assert one.outlives(str(other))
    assert not one.outlives(str(one))


def test_of_many_that_try_at_once_one_has_it(store):
    """Also for a connection that has no row yet."""
    owners = [Owner(host=f"h{number}", pid=1, nonce="n") for number in range(8)]
    ready, taken = Barrier(len(owners)), []

    def run(owner):
        ready.wait()
        held = [take(store, owner, connection=f"c{number}") for number in range(5)]
        taken.extend((one.connection, one.epoch) for one in held if one)

    threads = [Thread(target=run, args=(owner,)) for owner in owners]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [(f"c{number}", 1) for number in range(5)]


STEPS = st.lists(
    st.tuples(st.sampled_from([A, B]), st.sampled_from(["take", "commit", "release"]), st.integers(0, 400)),
    max_size=25,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_law_only_the_newest_holder_ever_commits(tmp_path_factory, steps):
    """Whatever the clocks say: a commit goes through exactly for who took the lease last; epochs only grow."""
    store = open_store(str(tmp_path_factory.mktemp("law")))
    holds, newest, epochs = {}, None, [0]
    try:
        for owner, step, second in steps:
            now = NOW + second * SECOND  # clocks jump both ways
            if step == "take":
                held = take(store, owner, now)
                if held is not None:
                    holds[owner.host], newest = held, held
                    epochs.append(held.epoch)
            elif owner.host in holds:
                held = holds[owner.host]
                with store.begin() as tx:
                    before = tx.execute(select(tables.lease)).one()
                    if step == "release":
                        held.release(tx, now)
                    elif held is newest:
                        held.renew(tx, now)
                    else:
                        with pytest.raises(LeaseLost):
                            held.renew(tx, now)
                    if held is not newest:
                        assert tx.execute(select(tables.lease)).one() == before
    finally:
        store.close()
    assert epochs == list(range(len(epochs)))
