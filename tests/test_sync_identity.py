"""Persons and their journeys over time: whatever happened in whatever order, they end as read from nothing."""

from contextlib import suppress
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, update

from scoring.journey import RANK, Journey, join
from sync import identity
from sync.identity import News, ambiguous, identify_some, mark_fresh
from sync.retention import purge
from sync.store import tables
from sync.store.values import dump, load, micros
from tests.two_crms import NOW, both, contact_id, converted, lead_id, merged, record

DAY = timedelta(days=1)
L1, L2, C1, C2, C3 = lead_id(1), lead_id(2), contact_id(1), contact_id(2), contact_id(3)


@pytest.fixture
def world(tmp_path):
    opened = both(tmp_path)
    yield opened
    opened.store.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A store for many examples, each of which begins with ``wiped``."""
    opened = both(tmp_path_factory.mktemp("shared"))
    yield opened
    opened.store.close()


def wiped(world):
    with world.store.begin() as tx:
        for table in (tables.transition, tables.journey, tables.person, tables.waiting, tables.alias, tables.record):
            tx.execute(delete(table))
    return world


# What happens: per record in its own order, records among each other in any.

HUB = ["1", "2", "3"]
LEADS, CONTACTS = [lead_id(n) for n in range(1, 4)], [contact_id(n) for n in range(1, 4)]
emails = st.lists(st.sampled_from(["x", "y"]), unique=True, max_size=2)


@st.composite
def contact_of_portal(draw, id_):
    """(connection, page) by page: versions of one contact, and whether it is gone at the end."""
    steps = []
    for version in range(1, draw(st.integers(2, 4))):
        links = {
            name: draw(st.sampled_from([None, None, *ids]))
            for name, ids in (("salesforceleadid", LEADS), ("salesforcecontactid", CONTACTS))
        }
        steps.append({"records": [record("contact", id_, version=version, emails=draw(emails), **links)]})
        if draw(st.integers(0, 4)) == 0:
            steps.append({"deletions": [("contact", id_)]})
    return [("hubspot", step) for step in steps]


@st.composite
def record_of_org(draw, object_, id_):
    """The same of a lead or contact; a lead may be converted, both may be merged away at the end."""
    steps, heirs, told = [], LEADS if object_ == "lead" else CONTACTS, ()
    for version in range(1, draw(st.integers(2, 4))):
        if object_ == "lead" and not told and draw(st.integers(0, 3)) == 0:
            told = (converted(id_, draw(st.sampled_from(CONTACTS))),)
        steps.append({"records": [record(object_, id_, version=version, emails=draw(emails))], "successions": told})
        if draw(st.integers(0, 4)) == 0:
            steps.append({"deletions": [(object_, id_)]})
    later = [heir for heir in heirs if heir > id_]
    if later and not told and draw(st.integers(0, 2)) == 0:
        read_before = draw(st.booleans())
        steps = [*(steps if read_before else ()), {"successions": [merged(id_, draw(st.sampled_from(later)), object_)]}]
    return [("salesforce", step) for step in steps]


@st.composite
def histories(draw):
    ids = draw(
        st.lists(
            st.sampled_from(
                [
                    *(("c", id_) for id_ in HUB),
                    *(("lead", id_) for id_ in LEADS),
                    *(("contact", id_) for id_ in CONTACTS),
                ]
            ),
            unique=True,
            min_size=2,
            max_size=6,
        )
    )
    return [draw(contact_of_portal(id_) if of == "c" else record_of_org(of, id_)) for of, id_ in ids]


def interleaved(data, histories_):
    """All steps in one order that keeps each record's own."""
    left = [list(steps) for steps in histories_]
    order = []
    while any(left):
        steps = data.draw(st.sampled_from([steps for steps in left if steps]))
        order.append(steps.pop(0))
    return order


def apply(world, step):
    connection, told = step
    told = dict(told)
    more = told.pop("records", [])
    (world.hub if connection == "hubspot" else world.org)(*more, **told)


def at_the_end(history):
    """What is left of a record's story: its last version, and its end."""
    return history[-2:] if history[-1][1].get("deletions") else history[-1:]


@settings(max_examples=40)
@given(told=histories(), data=st.data())
def test_any_order_and_any_passes_give_the_persons_of_an_empty_store(shared, told, data):
    wiped(shared)
    for step in interleaved(data, told):
        apply(shared, step)
        if data.draw(st.integers(0, 2)) == 0:
            shared.identify()
    shared.identify()
    found = shared.persons()
    wiped(shared)
    for history in told:
        for step in at_the_end(history):
            apply(shared, step)
    shared.identify()
    assert found == shared.persons()


# What one change does.


def test_an_address_filled_in_later_joins_and_one_that_becomes_ambiguous_parts(world):
    world.hub(record("contact", "1", emails="x"))
    world.org(record("contact", C1))
    world.identify()
    assert world.persons() == [["1"], ["C1"]]
    world.org(record("contact", C1, version=1, emails="x"))
    world.identify()
    assert world.persons() == [["1", "C1"]]
    world.org(record("contact", C2, emails="x"))
    world.identify()
    assert world.persons() == [["1"], ["C1"], ["C2"]]
    with world.store.begin() as tx:
        assert ambiguous(tx) == 1
    world.org(deletions=[("contact", C2)])
    world.identify()
    assert world.persons() == [["1", "C1"]]
    world.org(record("contact", C2, version=1, emails="x"))  # restored
    world.identify()
    assert world.persons() == [["1"], ["C1"], ["C2"]]


def test_an_address_that_becomes_unique_joins_those_that_still_answer_to_it(world):
    world.hub(record("contact", "1", emails="x"), record("contact", "2", emails="x"))
    world.org(record("lead", L1, emails="x"))
    world.identify()
    world.hub(record("contact", "1", version=1, emails="y"))
    world.identify()
    assert world.persons() == [["1"], ["2", "Q1"]]


def test_a_merge_of_two_that_were_never_read_joins_those_that_link_to_them(world):
    world.hub(record("contact", "1", salesforceleadid=L1), record("contact", "2", salesforceleadid=L2))
    world.identify()
    world.org(successions=[merged(L1, L2, "lead")])
    world.identify()
    assert world.persons() == [["1", "2"]]


def test_the_number_of_a_person_is_its_lowest_record_number_after_each_join_and_split(world):
    world.org(record("contact", C1), record("contact", C2))
    world.hub(record("contact", "1", version=1, salesforcecontactid=C2))
    world.identify()
    lowest = world.row(C2).number
    assert world.person_of("1") == world.person_of(C2) == lowest
    world.hub(record("contact", "1", version=2, salesforcecontactid=C1))
    world.identify()
    assert world.person_of("1") == world.person_of(C1) == world.row(C1).number
    world.hub(record("contact", "1", version=3))
    world.identify()
    assert world.person_of("1") == world.row("1").number


def test_settling_again_changes_nothing(world):
    world.hub(record("contact", "1", emails="x", salesforceleadid=L1), record("contact", "2", emails="y"))
    world.org(record("lead", L1), record("contact", C1, emails="y"), successions=[converted(L1, C1)])
    world.identify()
    before = world.rows(tables.record), world.rows(tables.person)
    with world.store.begin() as tx:
        tx.execute(update(tables.record).where(tables.record.c.person.is_not(None)).values(identify=True))
        tx.execute(update(tables.person).values(stale=False))
    world.identify()
    after = world.rows(tables.record), world.rows(tables.person)
    assert after[0] == before[0]
    assert not any(row.stale for row in after[1])


# Journeys.

days = st.dates(date(2026, 1, 1), date(2026, 6, 1))
journeys = st.builds(
    Journey,
    status=st.sampled_from([status for status in RANK if status != "disqualified"]),
    since=days,
    cause=st.just("activity"),
    furthest=st.sampled_from(list(RANK)),
    mql_since=st.none() | days,
    first_mql_on=st.none() | days,
    mql_count=st.integers(0, 3),
    recycled_on=st.none() | days,
)


def put_journeys(world, by_id):
    with world.store.begin() as tx:
        for id_, journey in by_id.items():
            row = {"model": "b2b", "score": 1, "tier": "B", "cause": journey.cause, "scored_on": "2026-11-01"}
            number = tx.execute(select(tables.record.c.person).where(tables.record.c.crm_id == id_)).scalar_one()
            tx.execute(
                insert(tables.journey).values(
                    person=number, journey=dump(journey.to_dict()), status=journey.status, **row
                )
            )


def journeys_of(world):
    """Record id -> its person's journey."""
    standing = {row.person: row for row in world.rows(tables.journey)}
    found = {}
    for row in world.rows(tables.record):
        if row.person in standing:
            held = standing[row.person]
            found[row.crm_id] = Journey.from_dict(load(held.journey))
            assert held.status == found[row.crm_id].status
    return found


@settings(max_examples=25)
@given(a=journeys, b=journeys)
def test_journeys_join_by_the_rule_and_split_into_copies_and_joining_again_ends_the_same(shared, a, b):
    world = wiped(shared)
    world.hub(record("contact", "1"))
    world.org(record("contact", C1))
    world.identify()
    put_journeys(world, {"1": a, C1: b})
    whole = join(a, b)
    for version, link, expected in ((1, C1, {whole}), (2, None, {whole}), (3, C1, {whole}), (4, C1, {whole})):
        world.hub(record("contact", "1", version=version, salesforcecontactid=link))
        world.identify()
        assert set(journeys_of(world).values()) == expected
        assert len(world.rows(tables.journey)) == len(world.persons()) == (1 if link else 2)
    assert (whole.mql_count, RANK[whole.status]) == (max(a.mql_count, b.mql_count), max(RANK[a.status], RANK[b.status]))
    assert whole.since == min(one.since for one in (a, b) if one.status == whole.status)
    assert whole.first_mql_on == min((on for on in (a.first_mql_on, b.first_mql_on) if on), default=None)


def test_one_who_was_never_scored_joins_without_a_journey_and_leaves_with_a_copy(world):
    world.hub(record("contact", "1"))
    world.identify()
    kept = Journey(status="mql", since=date(2026, 3, 1), cause="activity", furthest="mql", mql_count=1)
    put_journeys(world, {"1": kept})
    world.org(record("contact", C1))
    world.hub(record("contact", "1", version=1, salesforcecontactid=C1))
    world.identify()
    world.hub(record("contact", "1", version=2))
    world.identify()
    assert journeys_of(world) == {"1": kept, C1: kept}


def transitions_of(world, id_):
    return [row.to_status for row in world.rows(tables.transition) if row.person == world.person_of(id_)]


def test_transitions_stay_reachable_from_a_person(world):
    world.hub(record("contact", "1"))
    world.org(record("contact", C1))
    world.identify()
    with world.store.begin() as tx:
        for id_, status in (("1", "mql"), (C1, "won")):
            number = tx.execute(select(tables.record.c.person).where(tables.record.c.crm_id == id_)).scalar_one()
            row = {"person": number, "to_status": status, "model": "b2b", "digest": "", "day_on": "2026-03-01"}
            rest = {"cause": "first", "score": 1, "fit": 1, "engagement": 1, "facts": "{}", "points": "{}"}
            tx.execute(insert(tables.transition).values(row | rest))
    world.hub(record("contact", "1", version=1, salesforcecontactid=C1))
    world.identify()
    assert transitions_of(world, C1) == ["mql", "won"]
    world.hub(record("contact", "1", version=2))
    world.identify()
    persons = {row.number for row in world.rows(tables.person)}
    assert {row.person for row in world.rows(tables.transition)} <= persons


def test_what_is_new_of_a_person_is_not_forgotten_by_a_join_or_a_split(world):
    world.hub(record("contact", "1"))
    world.org(record("contact", C1))
    world.identify()
    with world.store.begin() as tx:
        tx.execute(update(tables.person).values(stale=False, fresh_at=None))
    fresh = world.row(C1).number
    with world.store.begin() as tx:
        mark_fresh(tx, {fresh: News(at=7_000, instants=frozenset({6_000, 7_000}))}, 8_000)
    for version, link in ((1, C1), (2, None)):
        world.hub(record("contact", "1", version=version, salesforcecontactid=link))
        world.identify()
        marks = {row.number: row for row in world.rows(tables.person)}
        assert marks[world.person_of(C1)].fresh_at == 7_000
        assert marks[world.person_of(C1)].fresh == "[6000,7000]"
        assert all(mark.stale for mark in marks.values())


def test_a_crash_between_chunks_loses_nothing(world, monkeypatch):
    monkeypatch.setattr(identity, "CHUNK_RECORDS", 1)
    world.hub(*(record("contact", str(n), emails=f"e{n}") for n in range(4)))
    world.org(*(record("contact", contact_id(n), emails=f"e{n}") for n in range(4)))

    class Crash(Exception):
        pass

    def settle_one_and_crash_in_the_next():
        with world.store.begin() as tx:
            identify_some(tx)
        with world.store.begin() as tx:
            identify_some(tx)
            raise Crash

    while any(row.identify for row in world.rows(tables.record)):
        with suppress(Crash):
            settle_one_and_crash_in_the_next()
    assert world.persons() == [[str(n), f"C{n}"] for n in range(4)]


def forget(world):
    """What a pass does much later with what deleted records left behind."""
    with world.store.begin() as tx:
        purge(tx, now=micros(NOW + 100 * DAY), activities=1000 * DAY, gone=90 * DAY)
    world.identify()


def test_a_new_person_has_no_journey_of_one_who_was_forgotten(world):
    world.hub(record("contact", "1"), record("contact", "2"))
    world.identify()
    put_journeys(world, {"2": Journey(status="won", since=date(2026, 3, 1), cause="sales")})
    world.hub(deletions=[("contact", "2")])
    world.identify()
    forget(world)
    world.hub(record("contact", "3"))
    world.identify()
    assert "3" not in journeys_of(world)
    forget(world)
    assert "3" not in journeys_of(world)


def test_a_person_outlives_its_lowest_record(world):
    world.hub(record("contact", "1"))
    world.org(record("contact", C1))
    world.hub(record("contact", "1", version=1, salesforcecontactid=C1))
    world.identify()
    kept = Journey(status="won", since=date(2026, 3, 1), cause="sales")
    put_journeys(world, {"1": kept})
    world.hub(deletions=[("contact", "1")])
    world.identify()
    forget(world)
    assert world.person_of(C1) == world.row(C1).number
    assert journeys_of(world) == {C1: kept}
    assert [row.number for row in world.rows(tables.person)] == [world.row(C1).number]


def test_a_deleted_and_restored_record_brings_no_strangers_journey_along(world):
    world.org(record("contact", C1, emails="x"), record("contact", C2, emails="x"))
    world.hub(record("contact", "1", salesforcecontactid=C2))
    world.identify()
    put_journeys(world, {C1: Journey(status="won", since=date(2026, 3, 1), cause="sales")})
    world.org(deletions=[("contact", C2)])
    world.identify()
    world.org(record("contact", C2, version=1, emails="x"))
    world.identify()
    assert world.persons() == [["1", "C2"], ["C1"]]
    assert set(journeys_of(world)) == {C1}
