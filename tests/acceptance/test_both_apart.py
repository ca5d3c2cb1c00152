"""What befalls one CRM leaves the other alone; and what leadmark leaves alone in the org."""

import pytest

from connectors.salesforce import session
from sync.store import tables
from tests.acceptance import orgs
from tests.acceptance.conftest import BOTH, made_up

#: requests to one of the two
PATHS = {"hubspot": "^/(?!services/|_emulator/)", "salesforce": "^/services/"}
UNREACHABLE = {"drop": "before"}
MAINTENANCE = {"html": 503}


@pytest.mark.parametrize("down", BOTH)
@pytest.mark.parametrize("how", [UNREACHABLE, MAINTENANCE], ids=["unreachable", "in maintenance"])
def test_while_one_crm_is_down_the_other_goes_on_and_it_recovers(portals, down, how):
    one = portals(30, crms=BOTH, org_people=30)
    (up,) = set(BOTH) - {down}
    one.settle()
    contact, lead = (
        one.add(email="new@firm.example", jobtitle="Student"),
        one.sf.lead(Title="Student", Email="l@x.example"),
    )
    moved = {row.stream for row in one.rows(tables.cursor, tables.cursor.c.connection == down)}
    before = {row.stream: row.cursor for row in one.rows(tables.cursor, tables.cursor.c.connection == down)}
    one.faults({"match": {"path": PATHS[down]}, "times": None, "do": how})
    for _ in range(2):
        one.advance(minutes=2)
        reports = one.sync().connections
        assert (reports[down].state, reports[up].state) == ("parked", "ok")
        assert reports[down].reason
        assert reports[down].written == 0
    shown = {"hubspot": one.contact(contact).get("leadmark_tier"), "salesforce": one.sf.ours(lead).get("tier")}
    assert shown == {up: "F", down: None}
    after = {row.stream: row.cursor for row in one.rows(tables.cursor, tables.cursor.c.connection == down)}
    assert (set(after), after) == (moved, before)
    one.no_faults()
    one.reach()
    assert (one.contact(contact)["leadmark_tier"], one.sf.ours(lead)["tier"]) == ("F", "F")
    assert one.explained("salesforce") == one.sf.shown()


def test_a_crm_that_was_never_read_whole_counts_for_nobody_until_it_is(portals):
    """Half a portal would be half of what people did: who is in the org is scored by the org alone at first."""
    worlds = made_up(30, 30)
    alone = portals(crms=BOTH, crm=orgs.copied(*worlds))
    alone.faults({"match": {"path": PATHS["hubspot"]}, "times": None, "do": UNREACHABLE})
    alone.sync()
    one = portals(crms=BOTH, crm=worlds)
    one.faults({"match": {"path": "/lists"}, "times": None, "do": UNREACHABLE})
    reports = one.sync().connections
    assert (reports["hubspot"].state, reports["salesforce"].state) == ("parked", "ok")
    assert all(not fields for fields in one.contacts().values())
    before = one.sf.shown()
    assert one.explained("salesforce") == before
    assert alone.sf.shown() == before
    one.no_faults()
    one.live_everywhere()
    assert one.explained("hubspot") == one.contacts()
    assert one.sf.shown() != before


def test_an_org_whose_rows_are_refused_does_not_hold_up_the_portal(portals):
    one = portals(30, crms=BOTH, org_people=30)
    for object_ in orgs.PREFIXES:
        one.sf.org.rules.rules.append(
            orgs.rule(object=object_, id="*", action="refuse", code="FIELD_CUSTOM_VALIDATION_EXCEPTION", message="no")
        )
    reports = one.sync().connections
    assert (reports["hubspot"].state, reports["salesforce"].state) == ("ok", "parked")
    assert one.rows(tables.quarantine) == []
    assert one.explained("hubspot") == one.contacts()


# A lost store


def test_an_empty_store_that_finds_our_fields_filled_asks_and_restored_goes_on(both):
    lead = both.sf.lead(Email="ann@firm.example", Title="VP Sales", Company="Firm")
    company = both.company(name="Firm", industry="COMPUTER_SOFTWARE", numberofemployees="120")
    contact = both.add(email="ann@firm.example", jobtitle="VP Sales", associatedcompanyid=company)
    both.happen(kind="form_submission", form="demo-request", contact=contact)
    both.reach()
    was = both.sf.ours(lead)
    both.advance(days=3)
    both.live_everywhere()
    both.lose_store()
    with both.requests() as seen:
        asked = both.sync().connections
    assert {report.state for report in asked.values()} == {"needs_adoption"}
    assert not [entry for entry in seen if orgs.is_write(entry) or entry.target.endswith("/batch/update")]
    both.sync(adoption="restored")
    both.reach()
    now = both.sf.ours(lead)
    kept = ("mql_status", "mql_since", "first_mql_on")
    assert {name: now[name] for name in kept} == {name: was[name] for name in kept}
    assert both.contact(contact)["leadmark_mql_since"] == was["mql_since"]


# Owners


def test_no_lead_gets_another_owner_by_our_writes(portals):
    one = portals(crms=("salesforce",), org_people=40)
    assigned = one.sf.add("User", LastName="Next", Username="next.owner@seller.example")
    one.sf.settings(assigns_to=assigned)
    owners = {row.id: row.values["OwnerId"] for row in one.sf.org.live("Lead")}
    one.live()
    assert {row.id: row.values["OwnerId"] for row in one.sf.org.live("Lead")} == owners
    assert assigned not in owners.values()


def test_without_the_header_the_emulated_org_would_give_them_one(portals, monkeypatch):
    """So that the test above can fail."""
    one = portals(crms=("salesforce",), org_people=40)
    assigned = one.sf.add("User", LastName="Next", Username="next.owner@seller.example")
    one.sf.settings(assigns_to=assigned)
    send = session.Adapter.send

    def without(self, request, *args, **options):
        request.headers.pop("Sforce-Auto-Assign", None)
        return send(self, request, *args, **options)

    monkeypatch.setattr(session.Adapter, "send", without)
    one.live()
    written = {row.id for row in one.sf.org.live("Lead") if row.values.get("Leadmark_Score__c") is not None}
    assert written
    assert {row.values["OwnerId"] for row in one.sf.org.live("Lead") if row.id in written} == {assigned}
    with pytest.raises(AssertionError):
        orgs.nothing_but_our_fields(one.sf)
    changed = one.sf.kept.changed()
    assert {name for _, _, name, _, _ in changed} == {"OwnerId"}
    one.emulator.traffic.log.clear()
    one.sf.kept.keep()
