"""``/_emulator/`` for Salesforce: what a test or a curious person can do to an org, and read of it."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from connectors.emulator import control
from connectors.emulator.clock import EmulatorClock
from connectors.emulator.hubspot.world import World
from connectors.emulator.people import make_world
from connectors.emulator.salesforce.ids import new_id
from connectors.emulator.salesforce.org import Org
from connectors.emulator.traffic import Traffic

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def org() -> Org:
    org = Org(EmulatorClock(NOW))
    for number in range(3):
        org.create("Lead", {"LastName": f"Sands {number}", "Company": "Acme", "Emulator_Character__c": "intern"})
    return org


def ask(org: Org | None, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    raw = b"" if body is None else orjson.dumps(body)
    world = World(org.clock if org else EmulatorClock(NOW))
    reply = control.answer(world, Traffic(), method, f"/_emulator/{path}", raw, org=org)
    return reply.status, reply.body


def test_read_back_shows_whole_rows_deleted_ones_too_whatever_the_lag(org: Org) -> None:
    first, second, third = org.rows["Lead"]
    org.commit_lag_s = 600
    org.edit("Lead", first, {"Leadmark_Score__c": 9})
    org.delete("Lead", second)
    status, body = ask(org, "GET", "records/Lead?properties=Leadmark_Score__c,IsDeleted")
    assert (status, body["results"]) == (
        200,
        [
            {"Id": first, "Leadmark_Score__c": 9, "IsDeleted": False},
            {"Id": second, "Leadmark_Score__c": None, "IsDeleted": True},
            {"Id": third, "Leadmark_Score__c": None, "IsDeleted": False},
        ],
    )
    (whole,) = ask(org, "GET", f"records/Lead?limit=1&after={first}")[1]["results"]
    assert whole["Id"] == second
    assert set(whole) == set(org.objects["Lead"].fields)
    assert orjson.loads(orjson.dumps(whole)) == whole


def test_a_person_makes_and_edits_records(org: Org) -> None:
    org.clock.advance(10)
    new = {"object": "Contact", "properties": {"LastName": "Zoll", "CreatedDate": "2026-01-02T00:00:00Z"}}
    status, made = ask(org, "POST", "records", new)
    assert (status, made["updatedAt"]) == (200, "2026-11-20T12:00:10.000Z")
    edit = {"object": "Contact", "id": made["id"], "properties": {"Sales_Status__c": "Accepted", "DoNotCall": True}}
    assert ask(org, "POST", "records", edit)[1]["id"] == made["id"]
    shown = org.shown("Contact", org.row("Contact", made["id"]), ["Sales_Status__c", "DoNotCall", "CreatedDate"])
    assert list(shown.values()) == ["Accepted", True, "2026-01-02T00:00:00.000+0000"]


def test_records_are_converted_merged_deleted_and_taken_back(org: Org) -> None:
    first, second, third = org.rows["Lead"]
    contact = ask(org, "POST", "convert", {"lead": first})[1]["id"]
    assert org.row("Lead", first).values["ConvertedContactId"] == contact
    again = ask(org, "POST", "convert", {"lead": second, "contact": contact})[1]["id"]
    assert again == contact
    other = ask(org, "POST", "records", {"object": "Contact", "properties": {"LastName": "Zoll"}})[1]["id"]
    merge = {"object": "Contact", "primary": contact, "other": other}
    assert ask(org, "POST", "merge", merge)[1]["id"] == contact
    assert org.row("Contact", other).values["MasterRecordId"] == contact
    assert ask(org, "POST", "delete", {"object": "Lead", "id": third}) == (200, {})
    assert org.row("Lead", third).deleted
    assert ask(org, "POST", "undelete", {"object": "Lead", "id": third}) == (200, {})
    assert not org.row("Lead", third).deleted


def test_people_of_a_character_and_twins_of_hubspots_contacts_are_added(org: Org) -> None:
    world = make_world(40, now=NOW)
    added = [
        control.answer(world, Traffic(), "POST", "/_emulator/people", orjson.dumps(body), org=org).body["id"]
        for body in ({"object": "Lead", "character": "student"}, {"object": "Contact", "contact": "1001"})
    ]
    assert org.row("Lead", added[0]).values["Emulator_Character__c"] == "student"
    assert org.row("Contact", added[1]).values["Email"] == world.row("contacts", 1001).now.properties["email"]


def test_old_activities_are_archived(org: Org) -> None:
    org.create("Task", {"Status": "Completed", "ActivityDate": "2025-01-01"})
    assert ask(org, "POST", "archive", {"object": "Task"}) == (200, {"archived": 1})


def test_settings_are_read_and_changed(org: Org) -> None:
    changes = {
        "org_id": "00D5g000004OtherIAE",
        "is_sandbox": False,
        "time_zone": "America/New_York",
        "assigns_to": org.user_id,
        "conversion_mapping": False,
        "commit_lag_s": 90.0,
        "page_rows": 7,
        "per_day": 100,
        "used_today": 99,
        "public_keys": {"app": "a key"},
        "hidden": ["Lead.Email"],
        "readonly": ["Lead.Leadmark_Score__c", "Contact.Title"],
    }
    status, shown = ask(org, "POST", "settings", {"salesforce": changes})
    assert status == 200
    assert {name: shown["salesforce"][name] for name in changes} == changes | {
        "readonly": ["Lead.Leadmark_Score__c", "Contact.Title"]
    }
    assert (org.is_sandbox, org.allowance.used_today, org.page_rows) == (False, 99, 7)
    ask(org, "POST", "settings", {"salesforce": {"hidden": [], "readonly": ["Contact.Title"]}})
    fields = org.objects["Lead"].fields
    assert (fields["Email"].readable, fields["Leadmark_Score__c"].editable) == (True, True)
    assert not org.objects["Contact"].fields["Title"].editable


def test_tokens_are_expired(org: Org) -> None:
    org.tokens.issue(org.org_id)
    assert ask(org, "POST", "tokens/expire") == (200, {"expired": 1})


def test_rules_of_records_go_to_the_crm_of_their_object(org: Org) -> None:
    rules = [{"object": object_, "id": "*", "action": "refuse"} for object_ in ("Lead", "contacts")]
    assert ask(org, "POST", "faults", rules) == (200, {"faults": 0, "record_rules": 2})
    (rule,) = org.rules.rules
    assert (rule.object, rule.code) == ("Lead", "FIELD_CUSTOM_VALIDATION_EXCEPTION")
    assert ask(org, "DELETE", "faults") == (200, {"faults": 0, "record_rules": 0})
    assert not org.rules.rules


def test_stats_count_what_there_is(org: Org) -> None:
    (one, *_) = org.rows["Lead"]
    org.delete("Lead", one)
    stats = ask(org, "GET", "stats")[1]["salesforce"]
    assert (stats["objects"]["Lead"], stats["characters"], stats["logins"]) == (2, {"intern": 2}, 0)


WRONG = [
    ("GET", "records/Nonsense", None, 404, "does not exist"),
    ("POST", "records", {"object": "Lead", "properties": {"Nonsense": 1}}, 400, "No such column"),
    ("POST", "records", {"object": "Lead", "id": new_id("00Q", 99), "properties": {}}, 404, "not accessible"),
    ("POST", "convert", {"lead": "x"}, 400, "id value"),
    ("POST", "convert", {}, 400, "KeyError"),
    ("POST", "settings", {"salesforce": {"speed": 3}}, 400, "unknown settings"),
    ("POST", "settings", {"salesforce": {"hidden": ["Lead.Nonsense"]}}, 404, "no field"),
    ("POST", "settings", {"salesforce": {"time_zone": "Mars/North"}}, 400, "Mars"),
    ("POST", "settings", {"salesforce": {"assigns_to": "somebody"}}, 400, "id value"),
    ("POST", "delete", {"object": "contacts", "id": "1"}, 404, "does not exist"),
]


@pytest.mark.parametrize(("method", "path", "body", "status", "said"), WRONG)
def test_a_wrong_control_call_says_what_is_wrong(
    org: Org, method: str, path: str, body: Any, status: int, said: str
) -> None:
    answered, told = ask(org, method, path, body)
    assert answered == status
    assert said in orjson.dumps(told).decode()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("records", {"object": "Lead", "properties": {}}),
        ("convert", {"lead": "x"}),
        ("tokens/expire", None),
        ("settings", {"salesforce": {}}),
        ("faults", {"object": "Lead", "id": "*", "action": "refuse"}),
    ],
)
def test_without_an_org_its_calls_say_so(path: str, body: Any) -> None:
    status, told = ask(None, "POST", path, body)
    assert status == 400
    assert "no Salesforce" in told["message"]


def test_settings_and_stats_of_hubspot_alone_have_no_part_for_salesforce() -> None:
    assert "salesforce" not in ask(None, "GET", "settings")[1]
    assert "salesforce" not in ask(None, "GET", "stats")[1]
