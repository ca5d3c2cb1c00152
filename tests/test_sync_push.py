"""Push against a CRM in memory: receipts, refusals, tombstones, and what is kept of each."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, select

from connectors.base import FieldDefinition, Record, Refusal, Stream
from connectors.errors import Fatal
from connectors.memory import Memory
from sync.differences import differing
from sync.mapping import Output
from sync.plan import WriteRules, make_plan
from sync.push import Pushed, Pusher
from sync.store import tables
from sync.store.store import open_store
from sync.store.values import dump, load, micros

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
OUTPUTS = {
    "score": Output(field="score", model="b2b", output="score", policy="overwrite"),
    "tier": Output(field="tier", model="b2b", output="tier", policy="overwrite"),
}
RULES = WriteRules(outputs=OUTPUTS, definitions={}, min_change=5, refresh_after_days=30, now=micros(NOW))


class Desk:
    """A store with contacts 1..n that differ, and the CRM that holds them."""

    def __init__(self, folder, contacts):
        self.store = open_store(str(folder))
        self.crm = Memory(
            now=lambda: NOW,
            definitions={
                "contact": {
                    "score": FieldDefinition(name="score", type="number"),
                    "tier": FieldDefinition(name="tier", type="text"),
                }
            },
            streams=[Stream(name="contacts", object="contact")],
            outputs={"score", "tier"},
        )
        for number in range(1, contacts + 1):
            self.crm.put(Record(object="contact", id=str(number), values={}, stamp_at=NOW - timedelta(days=1)))
        with self.store.begin() as tx:
            people = [{"number": number, "stale": False} for number in range(1, contacts + 1)]
            tx.execute(insert(tables.person), people)
            tx.execute(
                insert(tables.record),
                [
                    {
                        "connection": "crm",
                        "object": "contact",
                        "crm_id": str(number),
                        "person": number,
                        "inputs": "{}",
                        "stamp_at": 0,
                        "state": "live",
                        "observed": dump({"tier": "C1"}),
                        "desired": dump({"score": number, "tier": "A1"}),
                        "differs": 2,
                    }
                    for number in range(1, contacts + 1)
                ],
            )

    def plan(self):
        with self.store.begin() as tx:
            return make_plan("crm", differing(tx, "crm", {"crm": OUTPUTS}, micros(NOW)), RULES, basis="b")

    def push(self, stop=lambda: False):
        done = Pushed()
        pusher = Pusher(
            store=self.store, connector=self.crm, rules=RULES, digest="d", pass_id="p", now=lambda: NOW, approved=False
        )
        pusher.push(self.plan(), stop=stop, on_batch=lambda _: None, done=done)
        return done

    def rows(self, table):
        with self.store.begin() as tx:
            return tx.execute(select(table)).all()


@pytest.fixture
def desk(tmp_path):
    def build(contacts):
        return Desk(tmp_path, contacts)

    return build


def test_what_the_crm_acknowledged_is_confirmed_and_observed_and_no_difference_any_more(desk):
    here = desk(3)
    assert here.push() == Pushed(written=3)
    for row in here.rows(tables.record):
        assert load(row.confirmed) == load(row.observed) == load(row.desired)
        assert (row.differs, row.receipt_at) == (0, micros(NOW))
    assert not here.plan().changes


def test_history_keeps_old_and_new_of_every_field_and_the_value_before_us_is_saved_once(desk):
    here = desk(1)
    here.push()
    kept = {row.field: (load(row.old), load(row.new)) for row in here.rows(tables.history)}
    assert kept == {"score": (None, 1), "tier": ("C1", "A1")}
    assert [(row.field, load(row.value)) for row in here.rows(tables.adopted)] == [("tier", "C1")]


def test_one_refused_record_is_quarantined_in_the_crms_words_and_the_others_are_written(desk):
    here = desk(100)
    here.crm.refuse("7", Refusal(code="VALIDATION", message="Budget must be approved"))
    assert here.push() == Pushed(written=99, rejected=1)
    (row,) = here.rows(tables.quarantine)
    assert (row.record, row.field, row.code, row.message) == (7, "", "VALIDATION", "Budget must be approved")


def test_a_refusal_that_a_fifth_of_the_batch_shares_blames_no_record(desk):
    here = desk(100)
    for number in range(1, 22):
        here.crm.refuse(str(number), Refusal(code="FORBIDDEN", message="no right to this field"))
    with pytest.raises(Fatal, match="over 20 % of a batch with FORBIDDEN: no right to this field"):
        here.push()
    assert not here.rows(tables.quarantine)
    assert len(here.rows(tables.history)) == 79 * 2, "those the CRM took are kept"


def test_a_twentieth_does_not_yet_blame_the_field(desk):
    here = desk(100)
    for number in range(1, 21):
        here.crm.refuse(str(number), Refusal(code="FORBIDDEN", message="no"))
    assert here.push() == Pushed(written=80, rejected=20)
    assert len(here.rows(tables.quarantine)) == 20


def test_a_record_gone_from_the_crm_becomes_a_tombstone_and_is_sent_no_more(desk):
    here = desk(2)
    here.crm.delete("contact", "2")
    assert here.push() == Pushed(written=1, gone=1)
    assert {row.crm_id: row.state for row in here.rows(tables.record)} == {"1": "live", "2": "deleted"}
    assert not here.rows(tables.quarantine)
    assert not here.plan().changes


def test_a_stop_lets_no_further_batch_out(desk):
    here = desk(250)
    asked = iter([False, True])
    assert here.push(stop=lambda: next(asked)) == Pushed(written=100, stopped=True)
    assert here.push() == Pushed(written=150)


def test_what_is_written_without_approval_is_remembered_for_the_guard(desk):
    here = desk(150)
    here.push()
    counts = [load(row.counts)["changed"] for row in here.rows(tables.unapproved)]
    assert counts == [100, 50]
