"""A pass that dies at any transaction and is begun again ends as one that never died, with all that several models do.

Two models, an audience that somebody leaves and somebody enters, a hold, a recycle, a sharp rise, an outcome.
"""

from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from sync.store import tables
from tests.desk_of_two import Desk
from tests.two_crms import HUBSPOT, MODEL, contact_id, form, record

FADING = {
    "decays": {"week": {"linear": "10d"}},
    "engagement": {
        "asked": {
            "label": "Asked",
            "rules": {"form": {"activity": "form_submitted", "points": 60, "decay": "week", "label": "Form"}},
        }
    },
    "surge": {"rise": 20, "within": "7d"},
}
MODELS = {
    "b2b": MODEL | FADING | {"mql": {"needs": {"score": 60}, "recycle": {"keep_at_most": 10}}},
    "partners": MODEL | FADING | {"model": "partners", "audience": {"country": "AT"}},
}
SAID = ["score", "tier", "mql_status", "mql_cause", "momentum", "surged_on", "summary"]
WRITE = {
    "mode": "live",
    "fields": {
        "b2b": {"outputs": SAID, "policy": {"score": "keep", "tier": "keep"}},
        "partners": {"prefix": "partner_", "outputs": ["score", "mql_status"]},
    },
}
PEOPLE = ("1", "2", "3", "4")
LIVED = (tables.journey, tables.person)


class Died(Exception):
    """The process is gone."""


class Dying:
    """A store that dies before its nth commit, and is dead from then on."""

    def __init__(self, store, commits):
        self.store, self.left, self.engine = store, commits, store.engine

    @contextmanager
    def begin(self):
        if self.left < 1:
            raise Died
        with self.store.begin() as tx:
            yield tx
            self.left -= 1
            if self.left < 1:
                raise Died

    def look(self):
        return self.store.look()

    def close(self):
        self.store.close()


def lived_until_the_day(folder):
    """People of both CRMs, scored and written; then a day on which much happens to them."""
    facts = HUBSPOT["facts"] | {"hold": "on_hold"}
    folder.mkdir()
    desk = Desk(folder, hubspot={"facts": facts, "write": WRITE}, models=MODELS)
    for id_, country in zip(PEOPLE, ("AT", "DE", "AT", "DE"), strict=True):
        linked = {"salesforcecontactid": contact_id(4)} if id_ == "4" else {}
        desk.hub.put(record("contact", id_, jobtitle="Director", country=country, **linked))
    desk.org.put(record("contact", contact_id(4)))
    desk.hub.act("forms", form("f1", "1", days=3))
    desk.run()
    desk.later(days=1)
    desk.change(desk.hub, "contact", "1", country="DE", hs_lead_status="BAD_TIMING")
    desk.change(desk.hub, "contact", "2", country="AT")
    desk.change(desk.hub, "contact", "3", on_hold=True, jobtitle="Buyer")
    desk.hub.act("forms", replace(form("f2", "2"), at=desk.now))
    won = {"won": True, "closed": True, "closed_on": desk.now.date() - timedelta(days=1)}
    desk.org.put(record("outcome", "o1", version=1_000, parents={"contact": contact_id(4)}, **won))
    desk.later(minutes=5)
    return desk


def settle(desk):
    """A pass at the same instant, and one that reads back what was written."""
    desk.run()
    desk.later(minutes=20)
    desk.run()


def what_is(desk):
    """All that a pass leaves behind for the next one, and for people."""
    with desk.store.begin() as tx:
        lived = [tuple(row) for table in LIVED for row in tx.execute(select(table).order_by(*table.primary_key))]
        told = select(tables.transition).order_by(tables.transition.c.person, tables.transition.c.number)
        steps = sorted(
            (row.person, row.model, row.from_status or "", row.to_status, row.cause) for row in tx.execute(told)
        )
        record_ = tables.record
        kept = [record_.c.number, record_.c.desired, record_.c.confirmed, record_.c.observed, record_.c.differs]
        records = [tuple(row) for row in tx.execute(select(*kept).order_by(record_.c.number))]
    shown = [desk.hub.held("contact", id_).values for id_ in PEOPLE]
    return lived, steps, records, shown, desk.org.held("contact", contact_id(4)).values


@pytest.fixture(scope="module")
def never_died(tmp_path_factory):
    """What is after the day and two more passes, and how many commits its pass makes."""
    desk = lived_until_the_day(tmp_path_factory.mktemp("whole") / "store")
    counted = Dying(desk.store, 10_000)
    desk.store, whole = counted, desk.store
    desk.run()
    desk.store = whole
    settle(desk)
    found = what_is(desk)
    assert desk.run()["hubspot"].planned == 0
    desk.close()
    return found, 10_000 - counted.left


def test_the_day_is_eventful(never_died):
    (_, steps, _, _, _), commits = never_died
    assert commits > 20
    causes = {cause for _, _, _, _, cause in steps}
    assert causes >= {"first", "activity", "sales"}
    assert {to for _, _, _, to, _ in steps} >= {"mql", "recycled", "won"}


@pytest.mark.parametrize("third", range(3))
def test_a_pass_that_dies_at_any_commit_and_is_begun_again_ends_as_one_that_never_died(never_died, tmp_path, third):
    expected, commits = never_died
    for commit in range(1 + third, commits + 1, 3):
        desk = lived_until_the_day(tmp_path / str(commit))
        whole = desk.store
        desk.store = Dying(whole, commit)
        with pytest.raises(Died):
            desk.run()
        desk.store = whole
        settle(desk)
        assert what_is(desk) == expected, f"died at commit {commit} of {commits}"
        desk.close()
