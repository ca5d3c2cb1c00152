"""What the scoring core is told of touchpoints: kind, names, and whether the CRM knows more than the day."""

import pytest

from connectors.base import Activity, Attribute
from scoring.engagement import Bots
from scoring.tables import Tables
from sync.people import touchpoints
from sync.score import compiled_for
from tests.two_crms import NOW, both

SOURCES = [
    # the connection, the map of the kind, whether every activity has a time
    ("hubspot", {"from": "form_submissions"}, True),
    ("hubspot", {"from": "email_events", "type": "CLICK"}, True),
    ("hubspot", {"from": "calls"}, True),
    ("hubspot", {"from": "date_property", "property": "trial_on"}, False),
    ("salesforce", {"from": "CampaignMember"}, False),  # the day of the first response
    ("salesforce", {"from": "Task"}, False),  # the day it was due
    ("salesforce", {"from": "Event"}, False),  # all-day events
    ("salesforce", {"from": "date_field", "field": "Trial_On__c"}, False),
]


@pytest.mark.parametrize(("connection", "source", "exact"), SOURCES, ids=[row[1]["from"] for row in SOURCES])
def test_a_touchpoint_is_exact_where_its_source_knows_the_time_of_day(tmp_path, connection, source, exact):
    world = both(tmp_path, **{connection: {"activities": {"email_clicked": source}}})
    named = {"property": "trial_on", "field": "Trial_On__c", "type": "CLICK"}
    attributes = {name: Attribute(id=id_) for name, id_ in named.items()}
    found = Activity(source=source["from"], id="a", at=NOW, records=("1",), attributes=attributes)
    (world.hub if connection == "hubspot" else world.org)(activities=[found])
    with world.store.begin() as tx:
        (point,) = touchpoints(tx, world.maps)
        (unasked,) = touchpoints(tx)
    world.store.close()
    assert (point.kind, point.exact, unasked.exact) == ("email_clicked", exact, True)


@pytest.mark.parametrize(("connection", "source"), [("hubspot", "email_events"), ("salesforce", "Task")])
def test_clicks_of_which_the_day_alone_is_known_are_nobodys(tmp_path, connection, source):
    """Noon of one day is no sign of a bot."""
    kinds = {"email_clicked": {"from": source, "keep": {"mail": "campaign"}}}
    world = both(tmp_path, **{connection: {"activities": kinds}})
    attributes = {"campaign": Attribute(id="M1"), "type": Attribute(id="CLICK")}
    found = Activity(source=source, id="a", at=NOW, records=("1",), attributes=attributes)
    (world.hub if connection == "hubspot" else world.org)(activities=[found])
    model = world.settings.models["b2b"].model_copy(update={"bots": Bots(clicks_closer_than="2s")})
    with world.store.begin() as tx:
        compiled, _ = compiled_for(tx, model, Tables(), "UTC", world.maps)
    world.store.close()
    assert compiled.bots.mails == (connection == "hubspot")
