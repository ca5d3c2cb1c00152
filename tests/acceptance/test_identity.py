"""Who is who, and what leads nobody astray: merges, deletions, addresses, companies, sources that go missing."""

import json
import random
from datetime import timedelta

import pytest
from sqlalchemy import update

from sync.pull import Pulled, Reader
from sync.store import tables
from sync.store.values import load

PLACES = ("score", "fit", "engagement", "grade", "tier", "reasons", "disqualified_by")


def buyer(portal, name, **properties):
    """A contact at a company that fits, who has done nothing yet."""
    company = portal.company(name=f"Firm {name}", industry="COMPUTER_SOFTWARE", numberofemployees="120")
    told = {"email": f"{name}@firm.example", "jobtitle": "VP Sales", "associatedcompanyid": company, **properties}
    return portal.add(**{key: value for key, value in told.items() if value})


def acts(portal, contact):
    """One activity of every kind the starter reads."""
    for form in ("webinar", "whitepaper", "pricing-guide"):
        portal.happen(kind="form_submission", form=form, contact=contact)
    portal.happen(kind="email_event", type="CLICK", campaign=9001, contact=contact)
    portal.happen(kind="list_join", list=101, contact=contact)
    portal.happen(kind="email", contact=contact, properties={"hs_email_direction": "INCOMING_EMAIL"})
    portal.happen(kind="call", contact=contact, properties={"hs_call_direction": "INBOUND"})
    portal.happen(kind="meeting", contact=contact, properties={"hs_meeting_outcome": "COMPLETED"})
    portal.edit(contact, trial_started=portal.world.clock.now().isoformat())


def reach(portal, minutes=2):
    """A pass some minutes later, which must go through."""
    portal.advance(minutes=minutes)
    report = portal.run()
    assert report.state == "ok", report
    return report


def shown(portal, contact):
    held = portal.contact(contact)
    return {name: held.get(f"leadmark_{name}") for name in PLACES}


def as_if_read_anew(portal, contact):
    said = portal.explained_afresh()[str(contact)]
    return {name: said.get(f"leadmark_{name}") for name in PLACES}


# Merges


def test_a_merge_makes_one_person_whose_activities_count_once(portal):
    primary, other = buyer(portal, "ann"), buyer(portal, "ann.b")
    acts(portal, primary)
    portal.advance(days=1)
    acts(portal, other)
    reach(portal)
    persons = {portal.row(primary).person, portal.row(other).person}
    assert len(persons) == 2

    portal.advance(hours=1)
    survivor = portal.merge(primary, other)
    with portal.writes() as writes:
        reach(portal)
        portal.advance(hours=1)
        portal.run(full=True)
        reach(portal)

    assert survivor not in (primary, other)
    assert {written for written, _ in writes} <= {survivor}
    assert portal.row(survivor).person == min(persons)
    assert [portal.row(dead).state for dead in (primary, other)] == ["merged", "merged"]
    assert len(portal.rows(tables.journey)) == 1
    # both had joined the list; read anew the portal tells the earlier join only, so another portal is the measure
    assert shown(portal, survivor)["fit"] == as_if_read_anew(portal, survivor)["fit"]


@pytest.mark.parametrize("acting", ["primary", "other"])
def test_activities_of_one_side_of_a_merge_count_as_if_read_anew(portal, acting):
    primary, other = buyer(portal, "ann"), buyer(portal, "ann.b")
    acts(portal, primary if acting == "primary" else other)
    reach(portal)
    portal.advance(hours=1)
    survivor = portal.merge(primary, other)
    reach(portal)
    assert shown(portal, survivor) == as_if_read_anew(portal, survivor)
    portal.advance(hours=1)
    portal.run(full=True)
    assert reach(portal).planned == 0
    assert shown(portal, survivor) == as_if_read_anew(portal, survivor)


def test_activities_after_a_merge_find_the_survivor_by_either_address(portal):
    primary, other = buyer(portal, "ann"), buyer(portal, "ann.b")
    reach(portal)
    survivor = portal.merge(primary, other)
    reach(portal)
    portal.happen(kind="form_submission", form="demo-request", email="ANN.B@firm.example")
    portal.happen(kind="email_event", type="CLICK", campaign=9001, email="ann@firm.example")
    reach(portal)
    assert shown(portal, survivor) == as_if_read_anew(portal, survivor)
    assert int(shown(portal, survivor)["engagement"]) > 55


def test_a_merge_joins_the_journeys_the_furthest_counts(portal):
    primary, other = buyer(portal, "ann"), buyer(portal, "ann.b")
    portal.happen(kind="form_submission", form="demo-request", contact=other)
    reach(portal)
    assert portal.contact(other)["leadmark_mql_status"] == "MQL"
    since = portal.contact(other)["leadmark_mql_since"]
    portal.advance(days=2)
    portal.live()

    survivor = portal.merge(primary, other)
    reach(portal)

    held = portal.contact(survivor)
    assert (held["leadmark_mql_status"], held["leadmark_mql_since"], held["leadmark_mql_count"]) == ("MQL", since, "1")
    assert held["leadmark_first_mql_on"] == since


def test_a_merge_of_a_merge_ends_in_one_person(portal):
    contacts = [buyer(portal, name) for name in ("ann", "bo", "cy")]
    for contact in contacts:
        portal.happen(kind="form_submission", form="whitepaper", contact=contact)
        portal.advance(days=8)
    portal.live()
    first = portal.merge(contacts[0], contacts[1])
    second = portal.merge(contacts[2], first)  # leadmark never sees the one in between
    reach(portal)
    assert len({row.person for row in portal.rows(tables.record, tables.record.c.object == "contact")}) == 1
    assert shown(portal, second) == as_if_read_anew(portal, second)


def test_a_merge_that_search_shows_late_writes_nothing_to_the_dead(portal):
    portal.world.index_lag_s = 600
    primary, other = buyer(portal, "ann"), buyer(portal, "bo")
    reach(portal)
    portal.advance(minutes=20)
    portal.run()
    survivor = portal.merge(primary, other)
    portal.happen(kind="form_submission", form="demo-request", email="bo@firm.example")

    with portal.writes() as writes:
        for _ in range(25):
            portal.advance(minutes=1)
            assert portal.run().state == "ok"

    merged_at = next(place for place, (written, _) in enumerate(writes) if written == survivor)
    assert {written for written, _ in writes[merged_at:]} == {survivor}
    assert shown(portal, survivor) == as_if_read_anew(portal, survivor)
    assert portal.rows(tables.quarantine) == []


@pytest.mark.parametrize("seed", range(6))
def test_any_order_of_streams_and_any_repetition_of_pages_gives_the_same_scores(portal, seed):
    chance = random.Random(seed)
    contacts = [buyer(portal, name) for name in ("ann", "bo", "cy", "di")]
    for contact in contacts:
        acts(portal, contact)
        portal.advance(hours=30)
    connector = portal.runtime.connections[0].connector
    told = {stream.name: list(connector.pull(stream.name, None)) for stream in connector.streams()}
    portal.advance(minutes=5)
    survivor = portal.merge(contacts[0], contacts[1])
    portal.archive(contacts[3])
    portal.advance(hours=25)
    for name, pages in told.items():
        pages.extend(connector.pull(name, pages[-1].next_cursor))

    def scored(order):
        portal.lose_store()
        reader = Reader(
            store=portal.runtime.store,
            map=portal.runtime.connections[0].map,
            now=portal.runtime.now,
            retention=timedelta(days=760),
            pulled=Pulled(),
        )
        for page in order:
            reader.apply(page)
        portal.run(push=False)
        return portal.explained()

    left = {name: list(pages) for name, pages in told.items()}
    mixed = []
    while any(left.values()):
        again = mixed and chance.random() < 0.4
        mixed.append(chance.choice(mixed) if again else chance.choice([one for one in left.values() if one]).pop(0))

    straight = scored(page for pages in told.values() for page in pages)
    assert set(straight) == {survivor, contacts[2]}
    assert scored(mixed) == straight


# Deletions


def test_a_deleted_contact_is_not_written_any_more(portal):
    contact, other = buyer(portal, "ann"), buyer(portal, "bo")
    reach(portal)
    portal.archive(contact)
    portal.advance(days=1)
    with portal.writes() as writes:
        reach(portal)
    assert portal.row(contact).state == "deleted"
    assert contact not in {written for written, _ in writes}
    assert portal.row(other).state == "live"


def test_a_contact_deleted_before_its_write_spoils_nothing(portal):
    contacts = [buyer(portal, name) for name in ("ann", "bo", "cy")]
    reach(portal)
    for contact in contacts:
        portal.happen(kind="form_submission", form="demo-request", contact=contact)
    portal.archive(contacts[1])  # the daily list of what was archived is not due yet

    report = reach(portal)

    assert (report.written, report.rejected) == (2, 0)
    assert [portal.row(contact).state for contact in contacts] == ["live", "deleted", "live"]
    assert portal.rows(tables.quarantine) == []
    portal.advance(minutes=1)
    with portal.writes() as writes:
        portal.run()
    assert writes == []


def test_a_restored_contact_is_scored_and_written_again_with_its_history(portal):
    contact = buyer(portal, "ann")
    portal.happen(kind="form_submission", form="demo-request", contact=contact)
    reach(portal)
    since = portal.contact(contact)["leadmark_mql_since"]
    portal.archive(contact)
    portal.advance(days=1)
    reach(portal)
    assert portal.row(contact).state == "deleted"

    portal.advance(days=1)
    _restore(portal, contact)
    portal.edit(contact, leadmark_score="1")
    reach(portal)

    held = portal.contact(contact)
    assert (held["leadmark_mql_status"], held["leadmark_mql_since"]) == ("MQL", since)
    assert int(held["leadmark_score"]) > 50
    reach(portal)
    portal.advance(days=1)
    portal.live()
    assert portal.row(contact).state == "live"


def _restore(portal, contact):
    """Takes a contact out of the recycle bin."""
    table = portal.world.tables["contacts"]
    row = table.find(int(contact))
    properties, history = dict(row.now.properties), row.history
    table.remove(row)
    portal.world.create("contacts", properties, created_ms=row.created_ms, row_id=row.id).history = history


# Addresses


def test_an_address_filled_in_later_claims_what_it_did_before(portal):
    contact = buyer(portal, "ann", email="")
    portal.happen(kind="form_submission", form="demo-request", email="Late.Ann@Firm.example")
    portal.happen(kind="email_event", type="CLICK", campaign=9001, email="late.ann@firm.example")
    reach(portal)
    assert portal.contact(contact)["leadmark_engagement"] == "0"
    for _ in range(3):  # until the streams do not tell it again
        reach(portal, minutes=61)

    portal.edit(contact, email="late.ann@FIRM.example")
    assert reach(portal).scored == 1

    assert int(portal.contact(contact)["leadmark_engagement"]) > 55
    assert shown(portal, contact) == as_if_read_anew(portal, contact)


def test_addresses_are_one_whatever_their_case(portal):
    contact = buyer(portal, "ann", email="Ann.Marie@Firm.Example")
    portal.happen(kind="form_submission", form="demo-request", email="ANN.MARIE@firm.example")
    reach(portal)
    assert int(portal.contact(contact)["leadmark_engagement"]) > 55


# Companies


def test_a_company_that_changes_rescores_its_people_and_nobody_else(portals):
    portal = portals(80)
    portal.settle()
    companies = {}
    for row in portal.world.tables["contacts"].live():
        companies.setdefault(row.now.properties.get("associatedcompanyid"), []).append(str(row.id))
    companies.pop(None, None)
    company, people = max(companies.items(), key=lambda pair: len(pair[1]))
    was = portal.explained()

    portal.edit_company(company, numberofemployees="99999", industry="FOOD_BEVERAGES")
    report = reach(portal)

    assert report.scored == len(people) > 1
    now = portal.explained()
    changed = {id_ for id_ in now if now[id_]["leadmark_fit"] != was[id_]["leadmark_fit"]}
    assert changed
    assert changed <= set(people)


def test_a_contact_that_moves_to_another_company_is_scored_by_it(portal):
    contact = buyer(portal, "ann")
    reach(portal)
    fit = int(portal.contact(contact)["leadmark_fit"])
    small = portal.company(name="Tiny", industry="FOOD_BEVERAGES", numberofemployees="3")
    portal.edit(contact, associatedcompanyid=small)
    reach(portal)
    assert int(portal.contact(contact)["leadmark_fit"]) < fit - 20


# Sources that go missing


@pytest.mark.parametrize("hours", [0.1, 2, 26])
def test_a_mapped_property_that_is_gone_parks_the_connection_and_rescores_nobody(portals, hours):
    portal = portals(40)
    portal.settle()
    was = portal.contacts()
    definition = portal.world.definitions["contacts"].pop("jobtitle")
    portal.advance(hours=hours)
    contact = next(iter(was))
    portal.edit(contact, country="Chile")
    portal.advance(minutes=2)

    with portal.writes() as writes:
        for _ in range(2):
            report = portal.run()
            assert (report.state, report.scored, report.planned) == ("parked", 0, 0)
            assert "jobtitle" in report.reason
    assert writes == []
    assert portal.contacts() == was

    portal.world.definitions["contacts"]["jobtitle"] = definition
    portal.advance(hours=1.1)
    assert portal.live().scored > 0
    assert load(portal.row(contact).inputs)["country"] == "Chile"


def test_another_portal_is_refused_before_anything_is_read(portals):
    portal = portals(5, connection={"portal": {"id": "999"}})
    with portal.requests() as seen:
        report = portal.run()
    assert report.state == "parked"
    assert "4242" in report.reason
    assert "999" in report.reason
    assert [entry.target for entry in seen] == ["/account-info/2026-09/details"]
    assert portal.rows(tables.record) == []


def test_a_production_portal_where_a_test_portal_is_named_is_refused(portals):
    portal = portals(5)
    portal.world.account_type = "STANDARD"
    with portal.requests() as seen:
        assert portal.run().state == "parked"
    assert len(seen) == 1


def cursors(portal):
    return {row.stream: row.cursor for row in portal.rows(tables.cursor)}


def _refusal(status, **words):
    return {"do": {"status": status, "body": json.dumps({"status": "error", **words})}, "times": None}


UNAUTHORISED = _refusal(401, category="INVALID_AUTHENTICATION")
SPENT = _refusal(429, errorType="RATE_LIMIT", policyName="DAILY", message="You have reached your daily limit.")


@pytest.mark.parametrize(
    ("fault", "state"), [(UNAUTHORISED, "parked"), (SPENT, "deferred_quota")], ids=["401", "429 of the day"]
)
@pytest.mark.parametrize("at", ["contacts/search", "email/public", "lists", "meetings/search", "batch/update"])
def test_a_portal_that_stops_answering_parks_the_connection_with_its_cursors_kept(portals, fault, state, at):
    portal = portals(30)
    portal.settle()
    kept = cursors(portal)
    contact = next(iter(portal.contacts()))
    portal.edit(contact, jobtitle="Student")
    portal.advance(minutes=2)
    portal.faults({**fault, "match": {"path": at}})

    report = portal.run()

    assert report.state == state
    assert report.written == 0
    if state == "deferred_quota":
        assert "2026-11-21T00:00:00" in report.reason  # the portal's midnight
    moved = cursors(portal)
    streams = list(moved)
    assert set(streams) == set(kept)
    portal.no_faults()
    assert reach(portal).written == 1
    assert portal.contact(contact)["leadmark_tier"] == "F"


def test_a_stream_that_failed_keeps_its_cursor(portals):
    portal = portals(30)
    portal.settle()
    kept = cursors(portal)
    portal.advance(minutes=30)
    portal.faults({**UNAUTHORISED, "match": {"path": "calls/search"}})
    portal.run()
    moved = cursors(portal)
    assert moved["contacts"] != kept["contacts"]
    assert moved["calls"] == kept["calls"]
    assert moved["meetings"] == kept["meetings"]


def test_a_cursor_from_a_clock_that_ran_ahead_goes_on_and_loses_nothing_later(portals):
    portal = portals(20)
    portal.settle()
    portal.execute(update(tables.person).values(stale=False))
    contact = next(iter(portal.contacts()))
    portal.advance(minutes=-10)
    assert portal.run().written == 0
    portal.advance(minutes=25)
    portal.edit(contact, jobtitle="Student")
    reach(portal)
    assert portal.contact(contact)["leadmark_tier"] == "F"
