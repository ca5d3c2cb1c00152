"""What became of opportunities and deals, as sales' word."""

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


def closed_at(*moment, won=False):
    return {"won": won, "closed": True, "closed_at": datetime(2026, 11, *moment, tzinfo=UTC), "since": JOINED}


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
    ([closed_at(3, 9)], ("lost", noon(3) - timedelta(hours=3)), "lost, at its instant"),
    ([closed_at(3, 9, won=True), closed(3)], ("won", noon(3) - timedelta(hours=3)), "won before lost in both CRMs"),
    ([closed_at(9, 1), closed(3, won=True)], ("lost", noon(9) - timedelta(hours=11)), "the latest of both CRMs"),
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


def test_a_deal_closed_late_in_the_evening_is_of_the_next_day_further_east():
    found = [outcome_words([closed_at(3, 23, 30)], zone)[0] for zone in ("UTC", "Europe/Berlin")]
    assert [one.on for one in found] == [date(2026, 11, 3), date(2026, 11, 4)]
    assert found[0].at == found[1].at


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


# deals: each speaks of several contacts of the portal


@pytest.fixture
def portal(tmp_path):
    opened = both(tmp_path, hubspot={"outcomes": {"from": "deals"}})
    opened.hub(*(record("contact", str(number)) for number in (1, 2, 3)))
    yield opened
    opened.store.close()


def deal(id_, *contacts, version=0, **values):
    told = {"won": False, "closed": False} | values
    return record("outcome", id_, version=version, parents={f"contact:{one}": one for one in contacts}, **told)


def words(world):
    world.identify()
    said = {
        row.crm_id: world.gathered(row.crm_id).sales
        for row in world.rows(tables.record)
        if row.state == "live" and row.object == "contact"
    }
    return {id_: one.word for id_, one in said.items() if one}


#: what happens to a deal on 1 and 2, whom it touches, the words afterwards, remark
DEALS = [
    ({"records": [deal("7", "1", "2")]}, set(), {"1": "accepted", "2": "accepted"}, "nothing new"),
    ({"records": [deal("7", "2", version=1)]}, {"1", "2"}, {"2": "accepted"}, "one leaves"),
    ({"records": [deal("7", version=1)]}, {"1", "2"}, {}, "both leave"),
    (
        {"records": [deal("7", "1", "3", version=1)]},
        {"1", "2", "3"},
        {"1": "accepted", "3": "accepted"},
        "another comes",
    ),
    ({"deletions": [("outcome", "7")]}, {"1", "2"}, {}, "it is gone"),
    (
        {"records": [deal("7", "1", "2", version=1, closed=True, closed_at=noon(3))]},
        {"1", "2"},
        {"1": "lost", "2": "lost"},
        "it is lost",
    ),
    (
        {"records": [deal("8", "1", "2", version=1, won=True, closed=True, closed_at=noon(3))]},
        {"1", "2"},
        {"1": "accepted", "2": "accepted"},
        "a second one is won while it is open",
    ),
]


@pytest.mark.parametrize(("told", "touched", "after", "remark"), DEALS, ids=[case[3] for case in DEALS])
def test_a_deal_is_the_word_of_all_its_contacts(portal, told, touched, after, remark):
    portal.hub(deal("7", "1", "2"))
    assert words(portal) == {"1": "accepted", "2": "accepted"}
    with portal.store.begin() as tx:
        tx.execute(update(tables.person).values(stale=False))
    more = dict(told)
    portal.hub(*more.pop("records", ()), **more)
    stale = {row.number for row in portal.rows(tables.person) if row.stale}
    assert {id_ for id_ in "123" if portal.person_of(id_) in stale} == touched, remark
    assert words(portal) == after, remark


def test_an_older_reading_of_a_deal_brings_nobody_back(portal):
    portal.hub(deal("7", "1", "2"))
    portal.hub(deal("7", "2", version=2))
    portal.hub(deal("7", "1", "2", version=1))
    assert words(portal) == {"2": "accepted"}


def test_a_deal_still_speaks_of_who_a_contact_was_merged_into(portal):
    portal.hub(deal("7", "1"))
    portal.hub(record("contact", "9", version=1, aliases=("1", "2")))
    assert words(portal) == {
        "9": "accepted",
    }
    portal.hub(deal("7", "9", version=2, won=True, closed=True, closed_at=noon(3)))
    assert words(portal) == {"9": "won"}


def test_a_deal_read_before_its_contact_waits_for_it(portal):
    portal.hub(deal("7", "5"))
    portal.hub(record("contact", "5"))
    assert words(portal) == {"5": "accepted"}


#: what became of a person's deal and of its opportunity, the word, remark
BOTH = [
    ({"closed": True, "closed_at": noon(3)}, closed(9, won=True), "won", "the opportunity closed last"),
    ({"closed": True, "closed_at": noon(9)}, closed(3, won=True), "lost", "the deal closed last"),
    ({"closed": True, "closed_at": noon(9)}, opened(), "accepted", "the opportunity is open"),
    ({}, closed(9, won=True), "accepted", "the deal is open"),
]


@pytest.mark.parametrize(("here", "there", "word", "remark"), BOTH, ids=[case[3] for case in BOTH])
def test_deals_and_opportunities_of_a_person_in_both_count_together(portal, here, there, word, remark):
    portal.org(record("contact", C1))
    portal.hub(record("contact", "1", version=1, salesforcecontactid=C1))
    portal.hub(deal("7", "1", **here))
    portal.org(outcome("o1", **{name: value for name, value in there.items() if name != "since"}))
    assert word_of(portal, "1") == word, remark
    assert portal.person_of("1") == portal.person_of(C1)


def test_another_portals_deals_speak_of_nobody_here(portal):
    portal.org(record("contact", C1), deal("7", "1"))
    assert words(portal) == {}
