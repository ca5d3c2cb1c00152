"""Records: what is stored, what is refused, what a batch does, and what merges and erasures leave."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from connectors.emulator.clock import to_ms
from connectors.emulator.faults import parse_record_rule
from connectors.emulator.hubspot.api import answer
from connectors.emulator.hubspot.merging import merge
from connectors.emulator.hubspot.world import World
from connectors.emulator.people import make_world
from connectors.emulator.wire import Reply

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CONTACTS = "/crm/v3/objects/contacts"


@pytest.fixture
def world() -> World:
    made = make_world(40, now=NOW)
    made.limits.on = False
    return made


def ask(world: World, method: str, path: str, body: Any = None) -> Reply:
    return answer(world, method, path, "Bearer pat-x", b"" if body is None else orjson.dumps(body))


def update(world: World, *inputs: tuple[int, dict[str, Any]]) -> Reply:
    items = [{"id": str(row_id), "properties": properties} for row_id, properties in inputs]
    return ask(world, "POST", f"{CONTACTS}/batch/update", {"inputs": items})


def held(world: World, row_id: int, name: str) -> str | None:
    return ask(world, "GET", f"{CONTACTS}/{row_id}?properties={name}").body["properties"][name]


STORED = [
    ("leadmark_score", "55.0", "55.0", "numbers are kept as sent"),
    ("leadmark_score", 55, "55", "a JSON number becomes text"),
    ("leadmark_score", "", None, "an empty text empties"),
    ("leadmark_mql_since", "2026-11-02", "2026-11-02", "a day"),
    ("leadmark_mql_since", str(to_ms(datetime(2026, 11, 2, tzinfo=UTC))), "2026-11-02", "midnight in ms"),
    ("trial_started", "2026-11-02T10:00:00+01:00", "2026-11-02T09:00:00.000Z", "an instant is kept in UTC"),
    ("leadmark_summary", "A1 · 84", "A1 · 84", "any text"),
    ("lifecyclestage", "customer", "customer", "an option"),
]


@pytest.mark.parametrize(("name", "value", "stored", "remark"), STORED)
def test_values_are_stored_as_text(world: World, name: str, value: Any, stored: str | None, remark: str) -> None:
    reply = update(world, (1002, {name: value}))
    assert reply.status == 200, remark
    assert reply.body["results"][0]["properties"][name] == stored
    assert held(world, 1002, name) == stored


REFUSED = [
    ("nonsense", "1", "PROPERTY_DOESNT_EXIST"),
    ("createdate", "2026-01-01", "READ_ONLY_VALUE"),
    ("hs_email_optout", "true", "READ_ONLY_VALUE"),
    ("leadmark_score", "many", "INVALID_FLOAT"),
    ("leadmark_score", "nan", "INVALID_FLOAT"),
    ("leadmark_mql_since", str(to_ms(NOW)), "INVALID_DATE"),
    ("leadmark_mql_since", "yesterday", "INVALID_DATE"),
    ("lifecyclestage", "whale", "INVALID_OPTION"),
    ("leadmark_summary", None, "INVALID_TYPE"),
    ("leadmark_reasons", "x" * 65_537, "PROPERTY_TOO_LONG"),
]


@pytest.mark.parametrize(("name", "value", "code"), REFUSED)
def test_one_bad_value_fails_the_whole_batch_and_writes_nothing(world: World, name: str, value: Any, code: str) -> None:
    before = {row.id: row.now for row in world.tables["contacts"].live()}
    reply = update(world, (1001, {"leadmark_tier": "A1"}), (1002, {name: value, "leadmark_tier": "A1"}))
    assert (reply.status, reply.body["category"]) == (400, "VALIDATION_ERROR")
    assert reply.body["errors"][0]["code"] == code
    assert reply.body["errors"][0]["context"]["propertyName"] == [name]
    assert reply.body["message"].startswith("Property values were not valid: [{")
    assert {row.id: row.now for row in world.tables["contacts"].live()} == before


BAD_BATCHES = [
    ({"inputs": [{"id": "1001", "properties": {}}] * 2}, "Duplicate"),
    ({"inputs": [{"id": str(row), "properties": {}} for row in range(101)]}, "at most 100"),
    ({"inputs": []}, "no inputs"),
    ({"inputs": [{"properties": {}}]}, "needs an id"),
    ({"inputs": [{"id": "1001"}]}, "'properties' is missing"),
    ({}, "'inputs' is missing"),
    ([], "'inputs' is missing"),
]


@pytest.mark.parametrize(("body", "said"), BAD_BATCHES)
def test_a_batch_that_is_no_batch_is_refused(world: World, body: Any, said: str) -> None:
    reply = ask(world, "POST", f"{CONTACTS}/batch/update", body)
    assert reply.status == 400
    assert said in reply.body["message"]


def test_a_missing_id_spoils_only_itself_and_results_come_in_no_promised_order(world: World) -> None:
    tier = {"leadmark_tier": "B2"}
    reply = update(world, (1001, tier), (5_000_000, tier), (1002, tier), (1003, tier))
    assert reply.status == 207
    assert reply.body["numErrors"] == 1
    assert reply.body["errors"][0]["context"] == {"ids": ["5000000"]}
    ids = [item["id"] for item in reply.body["results"]]
    assert sorted(ids) == ["1001", "1002", "1003"]
    assert ids != sorted(ids)


def test_every_write_moves_the_stamp_even_to_the_same_value(world: World) -> None:
    world.clock.advance(5)
    first = update(world, (1001, {"leadmark_tier": "B2"})).body["results"][0]["updatedAt"]
    world.clock.advance(0.25)
    second = update(world, (1001, {"leadmark_tier": "B2"})).body["results"][0]["updatedAt"]
    assert (first, second) == ("2026-11-20T12:00:05.000Z", "2026-11-20T12:00:05.250Z")


def test_a_step_back_of_the_lifecycle_stage_is_ignored_unless_it_was_emptied(world: World) -> None:
    update(world, (1002, {"lifecyclestage": "customer"}))
    reply = update(world, (1002, {"lifecyclestage": "lead"}))
    assert (reply.status, reply.body["results"][0]["properties"]["lifecyclestage"]) == (200, "customer")
    update(world, (1002, {"lifecyclestage": ""}))
    update(world, (1002, {"lifecyclestage": "lead"}))
    assert held(world, 1002, "lifecyclestage") == "lead"


def test_record_rules_refuse_ignore_and_rewrite_api_writes_but_not_a_persons(world: World) -> None:
    name = "leadmark_score"
    rules: list[dict[str, Any]] = [
        {"object": "contacts", "id": "1001", "action": "refuse", "code": "RULE", "message": "needs a reason"},
        {"object": "contacts", "id": 1002, "action": "refuse", "status": 207, "property": name},
        {"object": "contacts", "id": 1003, "action": "ignore", "property": name},
        {"object": "contacts", "id": "*", "action": "rewrite", "property": "leadmark_tier", "value": "Z9"},
    ]
    world.rules.rules += [parse_record_rule(rule) for rule in rules]
    whole = update(world, (1001, {name: "1"}), (1004, {name: "1"}))
    assert (whole.status, whole.body["errors"][0]["code"]) == (400, "RULE")
    assert held(world, 1004, name) is None
    part = update(world, (1002, {name: "1"}), (1003, {name: "1"}), (1004, {name: "1", "leadmark_tier": "A1"}))
    assert part.status == 207
    assert part.body["errors"][0]["context"] == {"ids": ["1002"]}
    assert [held(world, row_id, name) for row_id in (1002, 1003, 1004)] == [None, None, "1"]
    assert held(world, 1004, "leadmark_tier") == "Z9"
    world.edit("contacts", 1003, {name: "3"})
    assert held(world, 1003, name) == "3"


def test_create_conflicts_on_a_known_address_whatever_its_case(world: World) -> None:
    email = world.row("contacts", 1002).now.properties["email"]
    reply = ask(world, "POST", CONTACTS, {"properties": {"email": email.upper()}})
    assert (reply.status, reply.body["message"]) == (409, "Contact already exists. Existing ID: 1002")


def test_archived_records_are_listed_apart_and_found_nowhere_else(world: World) -> None:
    assert ask(world, "DELETE", f"{CONTACTS}/1001").status == 204
    assert ask(world, "GET", f"{CONTACTS}/1001").status == 404
    shown = ask(world, "GET", f"{CONTACTS}/1001?archived=True").body
    assert shown["archived"] is True
    assert shown["archivedAt"] == "2026-11-20T12:00:00.000Z"
    listed = ask(world, "GET", f"{CONTACTS}?archived=True").body["results"]
    assert [item["id"] for item in listed] == ["1001"]
    assert ask(world, "POST", f"{CONTACTS}/batch/read", {"inputs": [{"id": "1001"}]}).status == 207
    assert update(world, (1001, {"leadmark_tier": "A1"})).body["errors"][0]["context"] == {"ids": ["1001"]}
    total = ask(world, "POST", f"{CONTACTS}/search", {}).body["total"]
    assert total == sum(1 for _ in world.tables["contacts"].live())


def test_a_merge_gives_a_new_id_that_has_everything_and_to_which_both_old_ones_lead(world: World) -> None:
    table = world.tables["contacts"]
    one, two = (table.rows[world.contact_of(email) or 0] for email in list(world.addresses)[:2])
    emails = [row.now.properties["email"] for row in (one, two)]
    world.lists.join(103, two.id, to_ms(NOW))
    call = world.log_engagement("calls", [one.id, two.id], {}, at_ms=to_ms(NOW))
    world.edit("contacts", two.id, {"leadmark_score": "12"})
    world.clock.advance(60)
    merged = merge(world, "contacts", one, two)
    assert merged.id not in (one.id, two.id)
    values = merged.now.properties
    assert values["email"] == emails[0]
    assert emails[1] in values["hs_additional_emails"].split(";")
    assert set(values["hs_merged_object_ids"].split(";")) >= {str(one.id), str(two.id)}
    assert f"{two.id}:{to_ms(NOW) + 60_000}" in values["hs_calculated_merged_vids"].split(";")
    assert values["leadmark_score"] == "12"
    for old in (one.id, two.id):
        assert ask(world, "GET", f"{CONTACTS}/{old}").body["id"] == str(merged.id)
        assert table.page(after=old - 1, limit=1, archived=False)[0].id != old
    assert world.contact_of(emails[1]) == merged.id
    assert world.linked("calls", call.id, "contacts") == [merged.id]
    assert call.id in world.linked("contacts", merged.id, "calls")
    assert merged.id in {contact for _, contact in world.lists.joins(103).items()}
    assert two.id not in {contact for _, contact in world.lists.joins(103).items()}
    again = merge(world, "contacts", merged, next(table.live()))
    assert ask(world, "GET", f"{CONTACTS}/{one.id}").body["id"] == str(again.id)


def test_merged_companies_keep_their_people(world: World) -> None:
    contact = world.row("contacts", 1002)
    old = int(contact.now.properties["associatedcompanyid"])
    other = next(row for row in world.tables["companies"].live() if row.id != old)
    survivor = merge(world, "companies", world.row("companies", old), other)
    assert world.linked("contacts", 1002, "companies") == [survivor.id]
    assert 1002 in world.linked("companies", survivor.id, "contacts")


def test_an_erased_contact_leaves_nothing_and_its_address_is_blocked(world: World) -> None:
    email = world.row("contacts", 1001).now.properties["email"]
    body = {"objectId": email, "idProperty": "email"}
    assert ask(world, "POST", f"{CONTACTS}/gdpr-delete", body).status == 204
    assert ask(world, "POST", f"{CONTACTS}/gdpr-delete", body).status == 204
    assert ask(world, "GET", f"{CONTACTS}/1001").status == 404
    assert ask(world, "GET", f"{CONTACTS}/1001?archived=true").status == 404
    assert not [event for event in world.mail.events().items() if event.recipient == email]
    assert not [1 for log in world.lists.names for _, contact in world.lists.joins(log).items() if contact == 1001]
    assert all(
        1001 not in people for (_, to), links in world.links.items() if to == "contacts" for people in links.values()
    )
    assert ask(world, "POST", CONTACTS, {"properties": {"email": email}}).status == 400


def test_history_begins_with_the_value_the_record_was_created_with(world: World) -> None:
    world.clock.advance(3600)
    world.edit("contacts", 1002, {"country": "Peru"})
    update(world, (1002, {"country": ""}))
    path = f"{CONTACTS}/1002?propertiesWithHistory=country"
    history = ask(world, "GET", path).body["propertiesWithHistory"]["country"]
    assert [item["sourceType"] for item in history] == ["INTEGRATION", "CRM_UI", "IMPORT"]
    assert [item["value"] for item in history][:2] == ["", "Peru"]
    assert history[1]["timestamp"] == "2026-11-20T13:00:00.000Z"
    assert ask(world, "GET", f"{CONTACTS}?limit=51&propertiesWithHistory=country").status == 400


def test_unknown_objects_and_strange_bodies_are_400(world: World) -> None:
    assert ask(world, "GET", "/crm/v3/objects/unicorns").status == 400
    assert ask(world, "GET", f"{CONTACTS}?limit=101").status == 400
    assert ask(world, "GET", f"{CONTACTS}?after=x").status == 400
    assert ask(world, "POST", f"{CONTACTS}/merge", {"primaryObjectId": "1001", "objectIdToMerge": "1001"}).status == 400
    assert ask(world, "POST", f"{CONTACTS}/search", []).status == 400
