"""What became of opportunities, as sales' word."""

from datetime import UTC, date, datetime, timedelta
from itertools import permutations

import pytest
from sqlalchemy import update

from sync.outcomes import outcome_words
from sync.store import tables
from tests.two_crms import NOW, both, contact_id, record

C1, C2 = contact_id(1), contact_id(2)
JOINED = datetime(2026, 10, 1, 9, tzinfo=UTC)


def opened(days=0):
    return {"won": False, "closed": False, "since": JOINED + timedelta(days=days)}


def closed(on, *, won=False):
    return {"won": won, "closed": True, "closed_on": date(2026, 11, on), "since": JOINED}


def noon(day):
    return datetime(2026, 11, day, 12, tzinfo=UTC)


#: outcomes, the word and its instant, remark
CASES = [
    ([], None, "none"),
    ([closed(3, won=True)], ("won", noon(3)), "won, on its close date"),
    ([closed(3)], ("lost", noon(3)), "lost"),
    ([closed(3, won=True), closed(9)], ("lost", noon(9)), "the latest closed one counts"),
    ([closed(3), closed(3, won=True)], ("won", noon(3)), "won before lost on one day"),
    ([opened(), closed(9, won=True)], ("accepted", JOINED), "an open one beats all closed ones"),
    ([opened(), opened(days=2)], ("accepted", JOINED + timedelta(days=2)), "of open ones the latest"),
    ([{"won": False, "closed": True}], None, "closed without a date is no word"),
    ([{"closed_on": date(2026, 11, 3), "since": JOINED}], ("accepted", JOINED), "nothing known of its end: open"),
]


@pytest.mark.parametrize(("outcomes", "word", "remark"), CASES, ids=[case[2] for case in CASES])
def test_the_word_of_outcomes(outcomes, word, remark):
    for order in permutations(outcomes):
        said = outcome_words(order, "UTC")
        assert [(one.word, one.at) for one in said] == (
            [(word[0], int(word[1].timestamp() * 1_000_000))] if word else []
        ), remark


def test_the_day_is_that_of_the_zone():
    (said,) = outcome_words([closed(3)], "Pacific/Kiritimati")
    assert said.on == date(2026, 11, 4)


@pytest.fixture
def world(tmp_path):
    opened = both(tmp_path)
    opened.org(record("contact", C1), record("contact", C2))
    yield opened
    opened.store.close()


def outcome(id_, version=0, contact=C1, **values):
    made = NOW - timedelta(days=30)
    return record("outcome", id_, version=version, parents={"contact": contact}, created_at=made, **values)


def word_of(world, id_):
    world.identify()
    said = world.gathered(id_).sales
    return said and said.word


def test_a_persons_word_follows_its_opportunities(world):
    world.org(outcome("o1", won=False, closed=False))
    assert word_of(world, C1) == "accepted"
    world.org(outcome("o1", version=1, won=True, closed=True, closed_on=date(2026, 11, 3)))
    assert word_of(world, C1) == "won"
    world.org(outcome("o2", won=False, closed=True, closed_on=date(2026, 11, 9)))
    assert word_of(world, C1) == "lost"
    world.org(deletions=[("outcome", "o2")])
    assert word_of(world, C1) == "won"


def touched_by(world, step):
    """The contacts whose persons a step marks for scoring."""
    world.identify()
    with world.store.begin() as tx:
        tx.execute(update(tables.person).values(stale=False))
    step()
    stale = {row.number for row in world.rows(tables.person) if row.stale}
    return {id_ for id_ in (C1, C2) if world.person_of(id_) in stale}


#: what happens to an open opportunity of the first contact, whom it touches, remark
STEPS = [
    ({"records": [outcome("o1", version=1, won=False, closed=True)]}, {C1}, "it is closed"),
    ({"records": [outcome("o1", version=1, contact=C2, won=False, closed=False)]}, {C1, C2}, "it is another's"),
    ({"records": [outcome("o2", contact=C2, won=False, closed=False)]}, {C2}, "a second one"),
    ({"deletions": [("outcome", "o1")]}, {C1}, "it is gone"),
    ({"records": [outcome("o1", won=False, closed=False)]}, set(), "nothing new"),
]


@pytest.mark.parametrize(("told", "touched", "remark"), STEPS, ids=["closed", "moved", "second", "gone", "same"])
def test_whom_a_change_of_an_opportunity_touches(world, told, touched, remark):
    world.org(outcome("o1", won=False, closed=False))
    more = dict(told)
    assert touched_by(world, lambda: world.org(*more.pop("records", ()), **more)) == touched, remark


def test_an_opportunity_that_moves_to_another_contact_is_that_ones(world):
    world.org(outcome("o1", won=False, closed=False))
    world.org(outcome("o1", version=1, contact=C2, won=False, closed=False))
    assert (word_of(world, C1), word_of(world, C2)) == (None, "accepted")


def test_an_outcome_read_before_its_contact_waits_for_it(world):
    later = contact_id(3)
    world.org(outcome("o1", contact=later, won=True, closed=True, closed_on=date(2026, 11, 3)))
    world.org(record("contact", later))
    assert word_of(world, later) == "won"
