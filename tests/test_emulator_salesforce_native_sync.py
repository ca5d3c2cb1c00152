"""HubSpot's own sync: the same act twice, fields both ways, late ones, and links that follow the newest record."""

from datetime import UTC, datetime
from time import process_time

import pytest
import requests

from connectors.emulator.clock import DAY_MS, EmulatorClock
from connectors.emulator.hubspot.world import World
from connectors.emulator.people import make_world
from connectors.emulator.salesforce.counterparts import SYNC_USER
from connectors.emulator.salesforce.native_sync import NativeSync, Report
from connectors.emulator.salesforce.org import Org
from connectors.emulator.salesforce.people import make_org
from connectors.emulator.server import Emulator

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
QUIET = Report(tasks=0, to_salesforce=0, to_hubspot=0, links=0)
SCORES = {"leadmark_score": "Leadmark_Score__c", "leadmark_mql_since": "Leadmark_Mql_Since__c"}


@pytest.fixture
def pair():
    """A contact and its lead."""
    world = World(EmulatorClock(NOW))
    org = Org(world.clock)
    values = {"FirstName": "Ana", "LastName": "Lund", "Email": "ana@acme.example", "Company": "Acme"}
    lead = org.create("Lead", values, created_ms=org.now_ms() - DAY_MS, stamp_ms=org.now_ms() - DAY_MS)
    properties = {"firstname": "Ana", "lastname": "Lund", "email": "ana@acme.example", "salesforceleadid": lead.id}
    return world, org, world.create("contacts", properties), lead


def tasks(org):
    return [row.values for row in org.live("Task")]


def step(world):
    world.clock.advance(60)


def test_acts_become_tasks_of_the_syncs_user_once(pair):
    world, org, contact, lead = pair
    sync = NativeSync(world, org)
    now_ms = world.clock.now_ms()
    world.forms.submit("demo-request", {"email": "ana@acme.example"}, now_ms - 2 * DAY_MS)
    world.mail.add("CLICK", "ana@acme.example", 9001, now_ms - 3 * DAY_MS)
    world.mail.add("OPEN", "ana@acme.example", 9001, now_ms - 3 * DAY_MS)
    for kind in ("emails", "calls", "meetings"):
        world.log_engagement(kind, [contact.id], {}, at_ms=now_ms - 4 * DAY_MS)
    assert sync.run() == Report(tasks=5, to_salesforce=0, to_hubspot=0, links=0)
    (user,) = [row.id for row in org.live("User") if row.values["Username"] == SYNC_USER]
    assert {task["Subject"] for task in tasks(org)} == {
        "Form: Demo request",
        "Clicked: Product news",
        "Email",
        "Call",
        "Meeting",
    }
    assert {(task["WhoId"], task["CreatedById"], task["IsClosed"]) for task in tasks(org)} == {(lead.id, user, True)}
    assert {task["ActivityDate"] for task in tasks(org)} == {"2026-11-16", "2026-11-17", "2026-11-18"}
    assert {row.stamp_ms for row in org.live("Task")} == {org.now_ms()}
    assert sync.run() == QUIET
    assert NativeSync(world, org).run() == QUIET  # another one knows what was logged, too


def test_acts_before_its_time_of_the_future_and_of_the_unlinked_are_not_logged(pair):
    world, org, contact, _ = pair
    other = world.create("contacts", {"email": "bo@acme.example"})
    now_ms = world.clock.now_ms()
    world.log_engagement("meetings", [contact.id], {}, at_ms=now_ms - 31 * DAY_MS)
    world.log_engagement("meetings", [contact.id], {}, at_ms=now_ms + DAY_MS)
    world.log_engagement("meetings", [other.id], {}, at_ms=now_ms - DAY_MS)
    world.forms.submit("demo-request", {"email": "nobody@acme.example"}, now_ms - DAY_MS)
    assert NativeSync(world, org).run() == QUIET


def test_a_call_keeps_its_direction(pair):
    world, org, contact, _ = pair
    world.log_engagement("calls", [contact.id], {"hs_call_direction": "INBOUND"}, at_ms=world.clock.now_ms())
    NativeSync(world, org).run()
    assert [(task["TaskSubtype"], task["CallType"]) for task in tasks(org)] == [("Call", "Inbound")]


def test_the_first_run_takes_what_it_finds_as_agreed(pair):
    world, org, contact, lead = pair
    org.edit("Lead", lead.id, {"Title": "CEO"})
    assert NativeSync(world, org).run() == QUIET
    assert "jobtitle" not in contact.now.properties


def test_mapped_fields_are_copied_both_ways_and_set_nothing_off(pair):
    world, org, contact, lead = pair
    sync = NativeSync(world, org)
    sync.run()
    step(world)
    org.edit("Lead", lead.id, {"Title": "CEO"})
    world.edit("contacts", contact.id, {"lastname": "Lund-Holm"})
    step(world)
    assert sync.run() == Report(tasks=0, to_salesforce=1, to_hubspot=1, links=0)
    assert contact.now.properties["jobtitle"] == "CEO"
    assert contact.history["jobtitle"][-1].source == "SALESFORCE"
    assert lead.values["LastName"] == "Lund-Holm"
    assert lead.stamp_ms == org.now_ms()
    assert org.row("User", lead.values["LastModifiedById"]).values["Username"] == SYNC_USER
    step(world)
    assert sync.run() == QUIET


def test_what_salesforce_says_counts_where_both_changed(pair):
    world, org, contact, lead = pair
    sync = NativeSync(world, org)
    sync.run()
    org.edit("Lead", lead.id, {"Title": "CEO"})
    world.edit("contacts", contact.id, {"jobtitle": "CTO"})
    assert sync.run() == Report(tasks=0, to_salesforce=0, to_hubspot=1, links=0)
    assert (contact.now.properties["jobtitle"], lead.values["Title"]) == ("CEO", "CEO")


def test_an_emptied_field_is_emptied_on_the_other_side(pair):
    world, org, contact, lead = pair
    sync = NativeSync(world, org)
    sync.run()
    world.edit("contacts", contact.id, {"firstname": ""})
    sync.run()
    assert lead.values["FirstName"] is None
    org.edit("Lead", lead.id, {"LastName": "Holm", "FirstName": "Ann"})
    sync.run()
    org.edit("Lead", lead.id, {"FirstName": None})
    sync.run()
    assert "firstname" not in contact.now.properties


def test_what_is_not_mapped_moves_nothing(pair):
    world, org, contact, lead = pair
    sync = NativeSync(world, org)
    sync.run()
    org.edit("Lead", lead.id, {"Leadmark_Score__c": 55})
    world.edit("contacts", contact.id, {"budget": "5000"})
    assert sync.run() == QUIET


def test_a_value_the_other_side_does_not_take_stays_where_it_is(pair):
    world, org, contact, lead = pair
    sync = NativeSync(world, org, fields={"lastname": "LastName", "budget": "Status"})
    sync.run()
    world.edit("contacts", contact.id, {"lastname": "x" * 81, "budget": "5000"})
    assert sync.run() == QUIET
    assert lead.values["LastName"] == "Lund"


def test_a_field_only_one_object_has_is_skipped_on_the_other(pair):
    world, org, contact, lead = pair
    person = org.convert(lead.id)
    sync = NativeSync(world, org)
    sync.run()
    world.edit("contacts", contact.id, {"company": "Acme Group", "firstname": "Anna"})
    assert sync.run().to_salesforce == 1
    assert person.values["FirstName"] == "Anna"
    assert lead.values["FirstName"] == "Ana"  # a converted lead is never written


def test_our_scores_are_carried_by_it_alone_to_the_other_crm(pair):
    """We write one CRM only and let it carry: the other has the value, of its own type, and all is quiet."""
    world, org, contact, lead = pair
    sync = NativeSync(world, org, fields=SCORES)
    sync.run()
    world.edit("contacts", contact.id, {"leadmark_score": "55", "leadmark_mql_since": "2026-11-20"})
    assert sync.run().to_salesforce == 2
    assert (lead.values["Leadmark_Score__c"], lead.values["Leadmark_Mql_Since__c"]) == (55, "2026-11-20")
    org.edit("Lead", lead.id, {"Leadmark_Score__c": 60.0})
    assert sync.run().to_hubspot == 1
    assert contact.now.properties["leadmark_score"] == "60"
    assert sync.run() == QUIET


def test_a_late_field_writes_an_old_value_over_a_new_one_and_then_ends(pair):
    """Both CRMs get 40, then 55, from us; it still brings 40, and 55 after that: twice wrong for one run only."""
    world, org, contact, lead = pair

    def write_both(score):
        world.write("contacts", contact, {"leadmark_score": str(score)})
        org.write("Lead", lead, {"Leadmark_Score__c": score})

    sync = NativeSync(world, org, fields={}, late_fields=SCORES)
    sync.run()
    write_both(40)
    assert sync.run() == QUIET  # seen, and on its way
    write_both(55)
    assert sync.run() == Report(tasks=0, to_salesforce=1, to_hubspot=1, links=0)
    assert (contact.now.properties["leadmark_score"], lead.values["Leadmark_Score__c"]) == ("40", 40)
    write_both(55)
    assert sync.run() == QUIET  # what was on its way is there already
    assert sync.run() == QUIET
    assert (contact.now.properties["leadmark_score"], lead.values["Leadmark_Score__c"]) == ("55", 55)


def test_the_link_follows_the_record_of_the_address_that_changed_last(pair):
    world, org, contact, lead = pair
    double = org.create("Contact", {"LastName": "Lund", "Email": "Ana@Acme.example"})
    sync = NativeSync(world, org, fields=SCORES)
    assert sync.run() == QUIET  # nothing mapped changed
    step(world)
    org.edit("Contact", double.id, {"Leadmark_Score__c": 55})
    assert sync.run().links == 1
    assert contact.now.properties["salesforcecontactid"] == double.id
    assert "salesforceleadid" not in contact.now.properties
    step(world)
    org.edit("Lead", lead.id, {"Leadmark_Score__c": 56})
    assert sync.run().links == 1
    assert contact.now.properties["salesforceleadid"] == lead.id
    assert "salesforcecontactid" not in contact.now.properties
    assert sync.run() == QUIET


def test_a_new_contact_is_linked_by_its_address(pair):
    world, org, _, _ = pair
    bo = org.create("Contact", {"LastName": "Bo", "Email": "bo@acme.example"})
    sync = NativeSync(world, org)
    sync.run()
    contact = world.create("contacts", {"email": "bo@acme.example", "lastname": "Other"})
    assert sync.run() == Report(tasks=0, to_salesforce=0, to_hubspot=0, links=1)
    assert contact.now.properties["salesforcecontactid"] == bo.id
    assert bo.values["LastName"] == "Bo"


def test_links_lead_through_conversions_and_merges(pair):
    world, org, contact, lead = pair
    sync = NativeSync(world, org)
    person = org.convert(lead.id)
    assert sync.partner(contact) is person
    winner = org.create("Contact", {"LastName": "Lund"})
    org.merge("Contact", winner.id, person.id)
    assert sync.partner(contact) is winner
    org.delete("Contact", winner.id)
    assert sync.partner(contact) is None
    assert sync.run() == QUIET


def test_made_up_people_are_synced_the_same_each_time():
    def played():
        world = make_world(300, now=NOW)
        org = make_org(world, 300, now=NOW)
        sync = NativeSync(world, org, late_fields=SCORES)
        first = sync.run()
        for row in list(world.tables["contacts"].live())[:50]:
            world.edit("contacts", row.id, {"leadmark_score": "50"})
        return [first, sync.run(), sync.run(), sync.run()], [row.values for row in org.rows["Task"].values()]

    reports, logged = played()
    assert (reports, logged) == played()
    assert reports[0].tasks > 50
    assert reports[2].to_salesforce > 20
    assert reports[3] == QUIET


def test_a_large_pair_is_run_in_little_time():
    """Generous for a slow machine: about 0.1 s of this machine."""
    world = make_world(2000, now=NOW)
    sync = NativeSync(world, make_org(world, 2000, now=NOW), fields=SCORES)
    sync.run()
    for row in list(world.tables["contacts"].live()):
        world.edit("contacts", row.id, {"leadmark_score": "50"})
    started = process_time()
    sync.run()
    assert process_time() - started < 2


def test_what_is_not_there_cannot_be_mapped(pair):
    world, org, _, _ = pair
    with pytest.raises(ValueError, match=r"\['Nickname__c', 'nickname'\]"):
        NativeSync(world, org, fields={"nickname": "Nickname__c"})


def test_it_is_run_and_switched_by_control_calls(pair):
    world, org, contact, lead = pair
    with Emulator.start(world, org=org) as emulator:

        def call(method, body=None):
            reply = requests.request(method, f"{emulator.url}/_emulator/native-sync", json=body, timeout=10)
            return reply.status_code, reply.json()

        quiet = {"tasks": 0, "to_salesforce": 0, "to_hubspot": 0, "links": 0}
        assert call("POST", {"fields": SCORES, "days": 7}) == (200, quiet)
        world.edit("contacts", contact.id, {"leadmark_score": "55"})
        assert call("POST") == (200, quiet | {"to_salesforce": 1})
        assert lead.values["Leadmark_Score__c"] == 55
        assert call("DELETE") == (200, {})
        world.edit("contacts", contact.id, {"leadmark_score": "60"})
        assert call("POST") == (200, quiet)  # on again, by what it finds then
        assert call("POST", {"field": SCORES})[0] == 400
        assert call("POST", {"fields": {"nickname": "Title"}})[0] == 400
