"""Our share of a CRM's calls of the day: what stops reading, what stops writing, and how it comes back."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.parts import Calls
from connectors.base import Allowance
from connectors.errors import QuotaSpent
from sync.budget import Budget, keep_spent, spent
from sync.store import tables
from sync.store.store import open_store

NOW = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)


class Counted:
    """As much of a connector as a budget asks: calls made, and what the CRM says of all."""

    def __init__(self, made=0, used=0, allowed=1000, at=NOW):
        self.made, self.allows = made, None if used is None else Allowance(used=used, allowed=allowed, at=at)

    def calls(self):
        return self.made

    def allowance(self):
        return self.allows


def budget(connector, *, before=0, made_before=0, per_day="10%", stop="80%"):
    return Budget(
        calls=Calls(per_day=per_day, stop_when_org_used=stop),
        connector=connector,
        spent_before=before,
        made_before=made_before,
        now=lambda: NOW,
    )


def stops(one):
    """Whether reading stops, and whether writing does."""
    said = []
    for writing in (False, True):
        try:
            one.check(writing=writing)
        except QuotaSpent as error:
            said.append(NOW < error.until <= NOW + HOUR)
        else:
            said.append(False)
    return tuple(said)


#: budget, (reading stops, writing stops), remark; our share is 100 of 1000 calls
CASES = [
    (budget(Counted(made=89)), (False, False), "a call of the share is left to reading"),
    (budget(Counted(made=90)), (True, False), "a tenth of it is kept for writing"),
    (budget(Counted(made=99)), (True, False), "the last call of it"),
    (budget(Counted(made=100)), (True, True), "all of it"),
    (budget(Counted(made=10), before=80), (True, False), "calls of earlier passes count"),
    (budget(Counted(made=500), made_before=450), (False, False), "calls before this pass do not count twice"),
    (budget(Counted(used=799)), (False, False), "other apps left some"),
    (budget(Counted(used=800)), (True, True), "other apps used what all may use"),
    (budget(Counted(used=900), stop="100%"), (False, False), "all of it may be used"),
    (budget(Counted(used=1000), stop="100%"), (True, True), "nothing is left to anybody"),
    (budget(Counted(used=900, at=NOW - HOUR + SECOND)), (True, True), "what it told within the hour holds"),
    (budget(Counted(used=900, at=NOW - HOUR)), (False, False), "what it told earlier is to be asked again"),
    (budget(Counted(made=100, at=NOW - 9 * HOUR)), (True, True), "our own count is never too old"),
    (budget(Counted(made=10_000, used=None)), (False, False), "the CRM said nothing of it"),
    (budget(Counted(), per_day="0%"), (True, True), "no share is no call"),
    (budget(Counted(made=5, allowed=40)), (True, True), "the share is of what the CRM allows"),
]


@pytest.mark.parametrize(("one", "stopped", "remark"), CASES, ids=[case[2] for case in CASES])
def test_what_stops_reading_and_writing(one, stopped, remark):
    assert stops(one) == stopped, remark


def test_the_message_says_who_used_it_and_what_to_do():
    with pytest.raises(QuotaSpent, match=r"100 calls in 24 hours, its share is 10% of 1000 \(calls.per_day\)"):
        budget(Counted(made=100)).check()
    with pytest.raises(QuotaSpent, match=r"all apps together made 900 of the 1000 .* at 80% \(calls.stop_when_org"):
        budget(Counted(used=900)).check()


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    opened = open_store(str(tmp_path_factory.mktemp("budget")))
    yield opened
    opened.close()


@settings(max_examples=30)
@given(passes=st.lists(st.tuples(st.integers(0, 180), st.integers(0, 50)), max_size=12))
def test_calls_count_for_a_day_and_are_then_forgotten(store, passes):
    """Passes, each some minutes after the one before: those of the last 24 hours count, whole hours of them."""
    made, now = [], NOW
    with store.begin() as tx:
        tx.execute(tables.called.delete())
        for minutes, calls in passes:
            now += timedelta(minutes=minutes)
            keep_spent(tx, "crm", calls, now)
            keep_spent(tx, "other", 7, now)
            made.append((now.replace(minute=0), calls))
            assert spent(tx, "crm", now) == sum(calls for hour, calls in made if hour > now - 24 * HOUR)
        assert spent(tx, "crm", now + 24 * HOUR) == 0
        kept = tx.execute(tables.called.select()).all()
    assert len(kept) <= 2 * 25


def test_hours_roll_off_one_by_one(store):
    with store.begin() as tx:
        tx.execute(tables.called.delete())
        keep_spent(tx, "crm", 30, NOW)
        keep_spent(tx, "crm", 20, NOW + timedelta(minutes=10))
        keep_spent(tx, "crm", 5, NOW + 2 * HOUR)
        left = [spent(tx, "crm", NOW + hours * HOUR) for hours in (2, 23, 24, 26)]
    assert left == [55, 55, 5, 0]
