"""Which records count, and two portals in one installation."""

import yaml

from connectors.emulator.clock import EmulatorClock
from connectors.emulator.hubspot.world import World
from connectors.emulator.server import Emulator
from tests.acceptance.conftest import NOW


def score_of(org, lead):
    return org.sf.org.row("Lead", lead).values.get("Leadmark_Score__c")


def test_only_what_is_in_the_scope_is_scored_and_what_leaves_it_is_left_alone(portals):
    org = portals(crms=("salesforce",), salesforce={"scope": {"lead": {"LeadSource": "Web"}}})
    inside = org.sf.lead(LastName="In", Title="CEO", LeadSource="Web", Email="in@x.example")
    outside = org.sf.lead(LastName="Out", Title="CEO", LeadSource="Other", Email="out@x.example")
    org.settle()
    assert score_of(org, inside) > 0
    assert score_of(org, outside) is None
    before = score_of(org, inside)
    org.sf.edit(inside, LeadSource="Other", Title="Intern")
    org.sf.edit(outside, LeadSource="Web")
    org.reach()
    assert score_of(org, inside) == before, "it left: nothing is written there"
    assert score_of(org, outside) > 0, "it came in"
    org.sf.edit(inside, LeadSource="Web")
    org.advance(minutes=20)
    org.reach()
    assert score_of(org, inside) < before, "it came back, as it is now"


def test_two_portals_are_two_connections_with_stores_of_their_own_ids(portals, monkeypatch):
    """The same id in both is another person, but for one address."""
    portal = portals()
    other = World(EmulatorClock(NOW), portal_id=5151)
    other.clock, other.limits.on = portal.world.clock, False
    with Emulator.start(other) as emulator:
        monkeypatch.setenv("HS_OTHER", "pat-other")
        here = portal.folder / "connections" / "hubspot.yaml"
        there = yaml.safe_load(here.read_text())
        there |= {"url": emulator.url, "portal": {"id": "5151", "production": False}, "activities": {}}
        there["login"] = {"service_key": "env:HS_OTHER"}
        (here.parent / "second.yaml").write_text(yaml.safe_dump(there))
        ann = portal.add(email="ann@x.example", jobtitle="CEO")
        same = str(other.create("contacts", {"email": "bob@x.example", "jobtitle": "Intern"}).id)
        twin = str(other.create("contacts", {"email": "ann@x.example"}).id)
        assert ann == same
        portal.reopen()
        report = portal.sync()
        assert {name: mine.state for name, mine in report.connections.items()} == {"hubspot": "ok", "second": "ok"}
        held = {row.id: row.now.properties.get("leadmark_score") for row in other.tables["contacts"].live()}
        assert held[int(twin)] == portal.contact(ann)["leadmark_score"], "one person by the address"
        assert held[int(same)] != held[int(twin)]
        again = portal.sync()
        assert {mine.written for mine in again.connections.values()} == {0}
