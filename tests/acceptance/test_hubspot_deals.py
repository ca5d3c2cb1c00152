"""Deals of a portal as sales' word on their contacts, alone and beside the opportunities of an org."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.acceptance.conftest import BOTH

DEALS = {"outcomes": {"from": "deals"}}


@pytest.fixture
def portal(portals):
    return portals(connection=DEALS)


def buyer(portal, name, **properties):
    """A contact whom sales has said nothing of."""
    told = {"email": f"{name}@firm.example", "jobtitle": "VP Sales", **properties}
    return portal.add(**told)


def opened(portal, contact, **properties):
    """A deal's id."""
    return portal.happen(kind="deal", contact=contact, properties={"dealname": "First order", **properties})


def moved(portal, deal, **properties):
    """Somebody moves the deal on."""
    portal.http("POST", "/_emulator/records", {"object": "deals", "id": deal, "properties": properties})


def status(portal, contact):
    return portal.contact(contact).get("leadmark_mql_status")


def test_a_contacts_status_follows_its_deal_from_the_first_day_to_the_last(portal):
    contact, other = buyer(portal, "ann"), buyer(portal, "bo")
    portal.live()
    assert (status(portal, contact), status(portal, other)) == ("Suspect", "Suspect")

    deal = opened(portal, contact)
    portal.reach()
    assert status(portal, contact) == "Accepted"
    for stage, word in (("closedlost", "Lost"), ("contractsent", "Accepted"), ("closedwon", "Won")):
        portal.advance(days=1)
        moved(portal, deal, dealstage=stage)
        portal.reach()
        assert status(portal, contact) == word
        with portal.writes() as writes:
            portal.reach()
        assert writes == []

    portal.http("POST", "/_emulator/archive", {"object": "deals", "id": deal})
    portal.reach(hours=25)
    # the word is withdrawn; who came further than a suspect is a prospect
    assert (status(portal, contact), status(portal, other)) == ("Prospect", "Suspect")
    with portal.writes() as writes:
        portal.reach(minutes=20)
    assert writes == []


def test_a_deal_is_the_word_on_whom_it_hangs_on_and_on_nobody_else(portal):
    contacts = [buyer(portal, name) for name in ("ann", "bo")]
    portal.live()
    deal = opened(portal, contacts[0])
    portal.happen(kind="deal_join", deal=deal, contact=contacts[1])
    portal.reach()
    assert [status(portal, one) for one in contacts] == ["Accepted"] * 2
    portal.advance(hours=1)
    portal.happen(kind="deal_leave", deal=deal, contact=contacts[0])
    portal.reach()
    assert [status(portal, one) == "Accepted" for one in contacts] == [False, True]


def test_an_old_deal_of_a_merged_contact_stays_sales_word_on_the_one_it_became(portal):
    """HubSpot moves the deal to the survivor without a stamp."""
    gone, stays = buyer(portal, "ann"), buyer(portal, "bo")
    opened(portal, gone, dealstage="closedwon", closedate="2026-11-01T09:00:00Z")
    portal.settle()
    assert status(portal, gone) == "Won"
    portal.advance(days=2)
    survivor = portal.merge(stays, gone)
    portal.reach()
    portal.reach(minutes=20)
    assert status(portal, survivor) == "Won"


def test_other_pipelines_count_once_the_connection_names_them(portal):
    portal.configure(connection={"outcomes": {"pipelines": ["Renewals"]}})
    contact = buyer(portal, "ann")
    opened(portal, contact)
    portal.live()
    assert status(portal, contact) != "Accepted"
    portal.configure(connection={"outcomes": {"pipelines": ["Renewals", "Sales pipeline"]}})
    portal.reach()
    assert status(portal, contact) == "Accepted"


def test_a_property_of_deals_that_is_gone_parks_the_connection(portal):
    contact = buyer(portal, "ann")
    deal = opened(portal, contact)
    portal.live()
    kept = portal.world.definitions["deals"].pop("hs_is_closed")
    portal.advance(hours=2)
    moved(portal, deal, amount="7")
    report = portal.run()
    assert report.state == "parked"
    assert "deal.hs_is_closed" in report.reason
    assert status(portal, contact) == "Accepted"
    portal.world.definitions["deals"]["hs_is_closed"] = kept
    portal.reach(hours=2)
    assert status(portal, contact) == "Accepted"


def test_deals_are_read_again_once_their_close_date_is_a_date(portal):
    """No deal changes then, and what was read of it before is a text."""
    known, contact = portal.world.definitions["deals"], buyer(portal, "ann")
    date = known["closedate"]
    known["closedate"] = replace(date, type="string")
    opened(portal, contact, dealstage="closedlost", closedate="2026-11-01")
    portal.settle()
    for days in (3, 3):
        portal.reach(days=days)  # far behind what is read twice anyway
    assert status(portal, contact) != "Lost"
    known["closedate"] = date
    portal.reach(hours=2)
    assert status(portal, contact) == "Lost"


def test_deals_and_opportunities_of_one_person_count_together(portals):
    one = portals(crms=BOTH, connection=DEALS, salesforce={"outcomes": {"from": "OpportunityContactRole"}})
    there = one.sf.contact(LastName="Sands", Title="VP Sales", Email="ann@firm.example")
    here = buyer(one, "ann", salesforcecontactid=there)
    one.sf.deal(there, "Closed Won")
    deal = opened(one, here)
    one.live_everywhere()
    assert (status(one, here), one.sf.ours(there)["mql_status"]) == ("Accepted", "Accepted")
    moved(one, deal, dealstage="closedlost", closedate=(one.world.clock.now() - timedelta(days=9)).isoformat())
    one.reach()
    assert (status(one, here), one.sf.ours(there)["mql_status"]) == ("Won", "Won")  # it closed last
    moved(one, deal, closedate=(one.world.clock.now() + timedelta(days=1)).isoformat())
    one.reach(days=2)
    assert (status(one, here), one.sf.ours(there)["mql_status"]) == ("Lost", "Lost")
    with one.writes() as here_, one.sf.writes() as there_:
        one.reach(minutes=20)
    assert (here_, there_) == ([], [])
