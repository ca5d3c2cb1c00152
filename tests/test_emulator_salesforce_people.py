"""Made-up people of Salesforce: the same for the same arguments, a third of all in HubSpot too, of the same meaning."""

from collections import Counter
from datetime import UTC, datetime

import pytest

from connectors.emulator.characters import CHARACTERS
from connectors.emulator.clock import DAY_MS, EmulatorClock
from connectors.emulator.hubspot.world import OWNERS, World
from connectors.emulator.people import add_person as add_contact
from connectors.emulator.people import make_world
from connectors.emulator.salesforce.counterparts import SYNC_USER
from connectors.emulator.salesforce.people import LINK, add_person, add_twin, make_org
from connectors.emulator.salesforce.values import stored

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
PEOPLE = ("Lead", "Contact")


def pair(people=1500, seed=7):
    world = make_world(people, seed, now=NOW)
    return world, make_org(world, people, seed, now=NOW)


@pytest.fixture(scope="module")
def both():
    return pair()


@pytest.fixture
def world(both):
    return both[0]


@pytest.fixture
def org(both):
    return both[1]


def everything(org):
    return {
        kind: [(row.id, row.created_ms, row.stamp_ms, row.deleted, row.values) for row in rows.values()]
        for kind, rows in org.rows.items()
    }


def live_people(org):
    return [row for kind in PEOPLE for row in org.live(kind) if not row.values.get("IsConverted")]


def held(world):
    return [dict(row.now.properties) for row in world.tables["contacts"].live()]


def of_address(org):
    """Live leads and contacts by address."""
    found = {}
    for row in live_people(org):
        if email := row.values.get("Email"):
            found.setdefault(email, []).append(row)
    return found


def linked(world, org):
    """(HubSpot's properties, the Salesforce record its link names) of every linked contact."""
    for properties in held(world):
        for kind, name in LINK.items():
            if name in properties:
                yield properties, org.row(kind, properties[name])


def final(org, row):
    """The record that stands for another."""
    while successor := row.values.get("ConvertedContactId") or row.values.get("MasterRecordId"):
        row = org.row(org.object_of(successor), successor)
    return row


def test_the_same_arguments_give_the_same_people_and_others_give_others():
    assert everything(pair(150, 3)[1]) == everything(pair(150, 3)[1])
    assert everything(pair(150, 3)[1]) != everything(pair(150, 4)[1])


def test_the_portal_gets_links_and_is_otherwise_as_before(world):
    without = make_world(1500, now=NOW)
    for row in world.tables["contacts"].live():
        before = without.row("contacts", row.id)
        kept = {name: value for name, value in row.now.properties.items() if name not in LINK.values()}
        assert kept == before.now.properties
        assert row.now.updated_ms == before.now.updated_ms
        assert row.indexed is row.now
    assert len(world.mail.events()) == len(without.mail.events())


@pytest.mark.parametrize(("contacts", "people"), [(600, 600), (900, 300), (200, 800)])
def test_a_third_of_all_people_is_in_both(contacts, people):
    world = make_world(contacts, now=NOW)
    org = make_org(world, people, now=NOW)
    addresses = set(of_address(org))
    shared = sum(
        bool(set(LINK.values()) & set(properties)) or properties.get("email") in addresses for properties in held(world)
    )
    known = len({row.values.get("Email", row.id) for row in live_people(org)}) + sum(
        row.deleted and "MasterRecordId" not in row.values for row in org.rows["Lead"].values()
    )
    assert known == people
    wanted = min((contacts + people) / 4, people, contacts)
    assert shared == pytest.approx(wanted, abs=1)


def test_who_is_in_both_is_told_by_a_link_or_by_the_address_alone(world, org):
    by_address = of_address(org)
    links = Counter(
        next((name for name in LINK.values() if name in properties), "address")
        for properties in held(world)
        if set(LINK.values()) & set(properties) or properties.get("email") in by_address
    )
    total = sum(links.values())
    assert links["salesforcecontactid"] > 0.3 * total
    assert links["salesforceleadid"] > 0.15 * total
    assert links["address"] > 0.15 * total


def test_the_first_people_of_the_portal_are_in_both(world, org):
    """One of each character, so that small worlds have them all."""
    addresses = set(of_address(org))
    for properties in held(world)[: len(CHARACTERS)]:
        assert set(LINK.values()) & set(properties) or properties["email"] in addresses


def test_links_lead_to_people_of_the_same_address_and_character(world, org):
    gone = 0
    for properties, row in linked(world, org):
        person = final(org, row)
        gone += person.deleted
        assert person.values.get("Email") == properties.get("email")
        assert person.values["Emulator_Character__c"] == properties["emulator_character"]
        assert person.values["LastName"] == properties["lastname"]
    assert gone > 0  # somebody was deleted in Salesforce only


def test_stories_of_records_are_all_there(world, org):
    leads, contacts = org.rows["Lead"].values(), org.rows["Contact"].values()
    converted = [row for row in leads if row.values.get("IsConverted")]
    merged = [row for rows in (leads, contacts) for row in rows if row.values.get("MasterRecordId")]
    assert len(converted) > 30
    assert all(org.row("Contact", row.values["ConvertedContactId"]).values["AccountId"] for row in converted)
    assert len(merged) > 20
    assert all(row.deleted and not final(org, row).deleted for row in merged)
    assert any(row.deleted and not row.values.get("MasterRecordId") for row in leads)
    double = {email: rows for email, rows in of_address(org).items() if len(rows) > 1}
    assert 10 < len(double) < 80
    stale = [row for _, row in linked(world, org) if row.values.get("IsConverted") or row.values.get("MasterRecordId")]
    assert len(stale) > 10
    assert len({row.values.get("HasOptedOutProfiling") for row in org.live("Individual")}) == 2


def test_characters_mean_the_same_in_both(org):
    by_character = {}
    for row in live_people(org):
        by_character.setdefault(row.values["Emulator_Character__c"], []).append(row)
    assert set(by_character) == {character.name for character in CHARACTERS}

    def say(name, *fields):
        return {tuple(row.values.get(field) for field in fields) for row in by_character[name]}

    assert say("unsubscribed", "HasOptedOutOfEmail") == {(True,)}
    assert None not in {date for (date,) in say("hard_bounce", "EmailBouncedDate")}
    assert say("accepted", "Sales_Status__c") == {("Accepted",)} or say("accepted", "Sales_Status__c") == {
        ("Accepted",),
        (None,),  # the other lead of an address
    }
    assert say("recycled", "Status", "Sales_Status__c") == {
        ("Closed - Not Converted", None),
        (None, "Recycled"),
    }
    assert say("no_email", "Email") == {(None,)}
    assert {row.id[:3] for row in by_character["customer"] if row.values.get("Sales_Status__c")} == {"003"}
    assert all(row.values["Email"].endswith(".example") for row in by_character["competitor"])
    asked = {
        row.values["LeadOrContactId"]
        for row in org.live("CampaignMember")
        if org.row("Campaign", row.values["CampaignId"]).values["Name"] == "Demo request" and row.values["HasResponded"]
    }
    buyers = by_character["ready_buyer"]
    assert sum(row.id in asked for row in buyers) > 0.9 * len(buyers)
    assert not any(row.id in asked for row in by_character["student"])
    busy = {row.values["WhoId"] for kind in ("Task", "Event") for row in org.live(kind)}
    assert not any(row.id in busy for row in by_character["quiet_executive"])


def test_the_same_acts_are_seen_in_both(world, org):
    """A meeting of a person in both CRMs is in both, at the same second."""
    held_at = {(row.values["WhoId"], row.values["StartDateTime"][:19]) for row in org.live("Event")}
    compared = 0
    for row in world.tables["contacts"].live():
        link = row.now.properties.get("salesforcecontactid")
        if link and not (person := final(org, org.row("Contact", link))).deleted:
            for meeting in world.linked("contacts", row.id, "meetings"):
                at = world.tables["meetings"].rows[meeting].now.properties["hs_timestamp"]
                assert (person.id, at[:19]) in held_at
                compared += 1
    assert compared > 50


def test_activities_are_of_every_sort(org):
    tasks = Counter((row.values["TaskSubtype"], row.values["IsClosed"]) for row in org.live("Task"))
    assert {("Call", True), ("Email", True), ("Task", False)} == set(tasks)
    now = NOW.isoformat()[:19]
    assert {row.values["StartDateTime"] < now for row in org.live("Event")} == {True, False}
    members = Counter((row.values["Status"], row.values["HasResponded"]) for row in org.live("CampaignMember"))
    assert {("Sent", False), ("Responded", True), ("Attended", True), ("Registered", True), ("No Show", False)} == set(
        members
    )
    assert len(
        {(row.values["CampaignId"], row.values["LeadOrContactId"]) for row in org.live("CampaignMember")}
    ) == sum(members.values())
    deals = {(row.values["IsClosed"], row.values["IsWon"]) for row in org.live("Opportunity")}
    assert deals == {(False, False), (True, False), (True, True)}
    assert {row.values["ContactId"][:3] for row in org.live("OpportunityContactRole")} == {"003"}


def test_users_are_the_portals_owners_and_the_sync(org):
    names = [row.values["Username"] for row in org.live("User")]
    assert len(names) == len(set(names))
    assert {email for _, _, email in OWNERS.values()} | {SYNC_USER} <= set(names)
    assert all(row.values["Email"] == f"{row.values['Username']}.invalid" for row in org.live("User"))


def test_values_are_what_the_api_would_store_and_references_lead_somewhere(org):
    for kind, rows in org.rows.items():
        known = org.objects[kind].fields
        for row in rows.values():
            for name, value in row.values.items():
                if value in (None, ""):
                    continue
                assert stored(known[name], value) == value, (kind, name)
                if known[name].type == "reference":
                    assert value in org.rows[org.object_of(value)], (kind, name)


def test_nothing_was_changed_later_than_now_or_before_it_was_made(org):
    now_ms = org.clock.now_ms()
    for kind in (*PEOPLE, "Account", "Task", "Event", "CampaignMember", "Opportunity", "OpportunityContactRole"):
        assert all(row.created_ms <= row.stamp_ms <= now_ms for row in org.rows[kind].values()), kind
        assert all(row.stamp_ms % 1000 == 0 for row in org.rows[kind].values()), kind
        assert max(row.stamp_ms for row in org.rows[kind].values()) < now_ms, f"{kind}: stories lie in the past"


def test_an_org_needs_no_portal():
    org = make_org(None, 200, now=NOW)
    people = live_people(org)
    assert 190 <= len(people) <= 200
    assert {row.values["Emulator_Character__c"] for row in people} == {character.name for character in CHARACTERS}
    assert everything(org) == everything(make_org(None, 200, now=NOW))


def test_org_and_portal_share_a_clock(world, org):
    assert org.clock is world.clock


@pytest.mark.parametrize("object_", PEOPLE)
@pytest.mark.parametrize("linked", [True, False])
def test_a_contact_can_get_a_twin_later(object_, linked):
    world, org = pair(40)
    contact = add_contact(world, 4000, character="ready_buyer")
    before_ms = contact.now.updated_ms
    org.clock.advance(600)
    twin = add_twin(org, world, contact, object_=object_, linked=linked)
    assert twin.values["Email"] == contact.now.properties["email"]
    assert contact.now.properties.get(LINK[object_]) == (twin.id if linked else None)
    assert twin.stamp_ms == org.now_ms()
    assert contact.now.updated_ms == (org.clock.now_ms() if linked else before_ms)
    assert any(row.values["LeadOrContactId"] == twin.id for row in org.live("CampaignMember"))


def test_one_more_person_of_a_character_can_be_added():
    _, org = pair(40)
    row = add_person(org, 4000, character="recycled", object_="Contact")
    assert (row.values["Sales_Status__c"], row.stamp_ms) == ("Recycled", org.now_ms())


def test_an_empty_portal_has_nobody_in_both():
    org = make_org(World(EmulatorClock(NOW)), 30, now=NOW)
    assert len(live_people(org)) <= 30
    assert min(row.created_ms for row in org.live("Lead")) > org.clock.now_ms() - 400 * DAY_MS
