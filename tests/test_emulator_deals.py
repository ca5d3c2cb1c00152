"""Deals in the emulator: what HubSpot works out, whom they hang on, and what people and merges do to them."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from connectors.emulator.clock import EmulatorClock, iso, parse_ms
from connectors.emulator.hubspot.api import answer
from connectors.emulator.hubspot.deals import open_deal
from connectors.emulator.hubspot.happenings import happen
from connectors.emulator.hubspot.merging import erase, merge
from connectors.emulator.hubspot.world import World
from connectors.emulator.people import make_world

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def world() -> World:
    made = World(EmulatorClock(NOW))
    made.limits.on = False
    for number in range(3):
        made.create("contacts", {"email": f"p{number}@x.example"})
    return made


def ask(world: World, method: str, path: str, body: Any = None) -> Any:
    reply = answer(world, method, path, "Bearer pat-x", b"" if body is None else orjson.dumps(body))
    assert reply.status < 300, reply.body
    return reply.body


def held(world: World, deal: int) -> dict[str, str]:
    return dict(world.row("deals", deal).now.properties)


def contacts(world: World, deal: int) -> list[int]:
    return sorted(world.linked("deals", deal, "contacts"))


#: written on a deal in its first stage, closed, won, the close date, remark
STAGES = [
    ({"dealstage": "contractsent"}, "false", "false", None, "still open"),
    ({"dealstage": "closedwon"}, "true", "true", iso(int(NOW.timestamp() * 1000)), "won now"),
    ({"dealstage": "closedlost"}, "true", "false", iso(int(NOW.timestamp() * 1000)), "lost now"),
    ({"dealstage": "closedlost", "closedate": "2026-11-01"}, "true", "false", "2026-11-01T00:00:00.000Z", "lost then"),
]


@pytest.mark.parametrize(("written", "closed", "won", "closes", "remark"), STAGES, ids=[case[4] for case in STAGES])
def test_the_stage_says_whether_a_deal_is_closed_and_won(
    world: World, written: dict[str, str], closed: str, won: str, closes: str | None, remark: str
) -> None:
    deal = open_deal(world, [1001], {}).id
    ask(world, "PATCH", f"/crm/v3/objects/deals/{deal}", {"properties": written})
    found = held(world, deal)
    assert (found["hs_is_closed"], found["hs_is_closed_won"], found.get("closedate")) == (closed, won, closes), remark
    assert found["pipeline"] == "default"


def test_a_closed_deal_keeps_its_date_and_one_opened_again_is_open(world: World) -> None:
    deal = open_deal(world, [1001], {"dealstage": "closedwon", "closedate": "2026-11-01"}).id
    world.edit("deals", deal, {"amount": "5"})
    assert held(world, deal)["closedate"] == "2026-11-01T00:00:00.000Z"
    world.edit("deals", deal, {"dealstage": "contractsent"})
    assert (held(world, deal)["hs_is_closed"], held(world, deal)["hs_is_closed_won"]) == ("false", "false")


@pytest.mark.parametrize("path", ["/crm/v4/associations/deals/contacts", "/crm/associations/2026-09/deals/contacts"])
def test_deals_are_found_read_and_tied_to_contacts_by_either_path(world: World, path: str) -> None:
    deal = open_deal(world, [1001, 1002], {"dealname": "First order"}).id
    search = {"filterGroups": [{"filters": [{"propertyName": "dealname", "operator": "EQ", "value": "first order"}]}]}
    assert [row["id"] for row in ask(world, "POST", "/crm/v3/objects/deals/search", search)["results"]] == [str(deal)]
    read = {"inputs": [{"id": str(deal)}], "properties": ["num_associated_contacts"]}
    (row,) = ask(world, "POST", "/crm/objects/2026-09/deals/batch/read", read)["results"]
    assert row["properties"]["num_associated_contacts"] == "2"
    assert row["properties"]["createdate"] == row["createdAt"]
    (result,) = ask(world, "POST", f"{path}/batch/read", {"inputs": [{"id": str(deal)}]})["results"]
    assert [str(to["toObjectId"]) for to in result["to"]] == ["1001", "1002"]
    assert result["to"][0]["associationTypes"][0]["typeId"] == 3
    (one,) = ask(world, "GET", "/crm/v3/objects/deals?associations=contacts")["results"]
    assert one["associations"]["contacts"]["results"][0] == {"id": "1001", "type": "deal_to_contact"}


@pytest.mark.parametrize("path", ["/crm/v3/pipelines/deals", "/crm/pipelines/2026-09/deals"])
def test_pipelines_have_ids_and_labels(world: World, path: str) -> None:
    found = ask(world, "GET", path)["results"]
    assert {one["id"]: one["label"] for one in found} == {"default": "Sales pipeline", "74201": "Renewals"}
    assert ask(world, "GET", "/crm/v3/pipelines/contacts") == {"results": []}


def test_a_deal_in_the_recycle_bin_is_listed_there_alone(world: World) -> None:
    deal = open_deal(world, [1001], {}).id
    ask(world, "DELETE", f"/crm/v3/objects/deals/{deal}")
    assert ask(world, "GET", "/crm/v3/objects/deals")["results"] == []
    assert [row["id"] for row in ask(world, "GET", "/crm/v3/objects/deals?archived=true")["results"]] == [str(deal)]


def test_joining_and_leaving_move_the_stamp_of_a_deal(world: World) -> None:
    deal = int(happen(world, {"kind": "deal", "email": "p0@x.example", "properties": {"dealname": "First order"}}))
    for step, who, left in (("join", "1002", [1001, 1002]), ("leave", "1001", [1002])):
        world.clock.advance(60)
        happen(world, {"kind": f"deal_{step}", "deal": deal, "contact": who})
        assert contacts(world, deal) == left
        assert held(world, deal)["num_associated_contacts"] == str(len(left))
        assert world.row("deals", deal).now.updated_ms == world.clock.now_ms()
    happen(world, {"kind": "deal_join", "deal": deal, "contact": "1002"})
    assert contacts(world, deal) == [1002]
    with pytest.raises(ValueError):
        happen(world, {"kind": "deal_leave", "deal": deal, "contact": "1003"})


def test_a_merge_of_contacts_moves_their_deals_without_a_stamp(world: World) -> None:
    deal = open_deal(world, [1001, 1002], {}).id
    stamp = world.row("deals", deal).now.updated_ms
    world.clock.advance(60)
    survivor = merge(world, "contacts", world.row("contacts", 1001), world.row("contacts", 1002))
    assert contacts(world, deal) == [survivor.id]
    assert world.linked("contacts", survivor.id, "deals") == [deal]
    assert world.row("deals", deal).now.updated_ms == stamp


def test_a_merge_of_deals_gives_a_new_one_on_the_contacts_of_both(world: World) -> None:
    deals = [open_deal(world, [1001, 1002], {}), open_deal(world, [1002, 1003], {})]
    survivor = merge(world, "deals", *deals)
    assert contacts(world, survivor.id) == [1001, 1002, 1003]
    assert [world.linked("contacts", 1000 + number, "deals") for number in (1, 2, 3)] == [[survivor.id]] * 3
    found = held(world, survivor.id)
    assert found["hs_merged_object_ids"] == ";".join(str(deal.id) for deal in deals)
    assert found["num_associated_contacts"] == "3"


def test_an_erased_contact_takes_part_in_nothing(world: World) -> None:
    deal = open_deal(world, [1001, 1002], {}).id
    erase(world, world.row("contacts", 1001))
    assert contacts(world, deal) == [1002]


def test_a_token_needs_the_scope_of_deals(world: World) -> None:
    world.scopes["pat-x"] = frozenset({"crm.objects.contacts.read"})
    reply = answer(world, "GET", "/crm/v3/objects/deals", "Bearer pat-x", b"")
    assert reply.status == 403
    assert reply.body["errors"][0]["context"]["requiredGranularScopes"] == ["crm.objects.deals.read"]


def test_customers_have_won_deals_some_accepted_people_open_ones_and_few_quiet_ones_lost_ones() -> None:
    world = make_world(2000, now=NOW)
    found: Counter[tuple[str, str]] = Counter()
    now_ms = world.clock.now_ms()
    for deal in world.tables["deals"].live():
        (contact,) = world.linked("deals", deal.id, "contacts")
        character = world.row("contacts", contact).now.properties["emulator_character"]
        properties = deal.now.properties
        found[character, properties["dealstage"]] += 1
        closed = properties["hs_is_closed"] == "true"
        assert closed is (parse_ms(properties["closedate"]) < now_ms)
        assert deal.created_ms <= deal.now.updated_ms < now_ms
    assert set(found) == {("customer", "closedwon"), ("accepted", "contractsent"), ("gone_quiet", "closedlost")}
    assert min(found.values()) > 10


def test_deals_are_the_same_for_the_same_arguments() -> None:
    def deals(now: datetime) -> list[Any]:
        return [row.now.properties["amount"] for row in make_world(200, now=now).tables["deals"].live()]

    assert deals(NOW) == deals(NOW + timedelta(days=1))
