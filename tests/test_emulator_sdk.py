"""The real SDK against every endpoint of the emulator that the connector uses, on legacy and dated paths."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from hubspot import HubSpot
from hubspot.discovery.discovery_base import DiscoveryBase

from connectors.emulator.limits import Limits
from connectors.emulator.people import make_world
from connectors.emulator.server import Emulator

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
RULES = (
    (r"^/crm/v3/(objects|properties|lists|owners|limits)\b", r"/crm/\1/{v}"),
    (r"^/crm/v4/(objects|associations)\b", r"/crm/\1/{v}"),
    (r"^/account-info/v3\b", "/account-info/{v}"),
)


def dated(path: str, version: str | None) -> str:
    for old, new in RULES if version else ():
        path, hit = re.subn(old, new.format(v=version), path)
        if hit:
            return path.rstrip("/")
    return path


def factory(version: str | None) -> Callable[..., Any]:
    made: dict[Any, Any] = {}
    lock = threading.Lock()

    def make(package: Any, api_name: str, config: Any) -> Any:
        with lock:
            if (package.__name__, api_name) not in made:
                api = DiscoveryBase._default_api_factory(package, api_name, config)
                send = api.api_client.call_api
                api.api_client.call_api = lambda path, *a, **k: send(dated(path, version), *a, **k)
                made[package.__name__, api_name] = api
            return made[package.__name__, api_name]

    make.made = made
    return make


@pytest.fixture(scope="module", params=[None, "2026-09", "2026-03"], ids=["legacy", "2026-09", "2026-03"])
def portal(request) -> Iterator[SimpleNamespace]:
    world = make_world(60, now=NOW)
    with Emulator.start(world, limits=Limits(lambda: 0.0, on=False)) as emulator:
        make = factory(request.param)
        options = {"host": emulator.url, "base_url": emulator.url, "retry": False, "connection_pool_maxsize": 4}
        client = HubSpot(access_token="pat-local", api_factory=make, **options)
        yield SimpleNamespace(world=world, client=client, version=request.param, url=emulator.url)
        for api in make.made.values():
            api.api_client.rest_client.pool_manager.clear()


def raw(call: Callable[..., Any], *args: Any, **kwargs: Any) -> tuple[int, dict[str, Any]]:
    response = call(*args, **kwargs, _preload_content=False, _request_timeout=(3, 10))
    return response.status, json.loads(response.data) if response.data else {}


def test_list_pages_bring_every_contact_once_in_id_order(portal) -> None:
    basic, ids, after = portal.client.crm.contacts.basic_api, [], None
    while True:
        page = basic.get_page(limit=25, after=after, properties=["email", "nonsense"], archived=False)
        ids += [int(item.id) for item in page.results]
        if page.paging is None:
            break
        after = page.paging.next.after
    assert ids == [row.id for row in portal.world.tables["contacts"].live()]


def test_models_and_raw_json_show_the_same_record(portal) -> None:
    basic = portal.client.crm.contacts.basic_api
    options = {"contact_id": "1001", "properties": ["email", "budget"], "associations": ["emails", "companies"]}
    model = basic.get_by_id(**options)
    _, shown = raw(basic.get_by_id, **options)
    assert model.properties == shown["properties"]
    assert model.updated_at.isoformat(timespec="milliseconds") == shown["updatedAt"].replace("Z", "+00:00")
    assert set(model.associations) == set(shown["associations"]) >= {"companies"}


def test_history_is_newest_first(portal) -> None:
    recycled = next(
        row for row in portal.world.tables["contacts"].live() if row.now.properties["emulator_character"] == "recycled"
    )
    model = portal.client.crm.contacts.basic_api.get_by_id(
        str(recycled.id), properties_with_history=["hs_lead_status", "country"]
    )
    history = model.properties_with_history
    assert [item.value for item in history["hs_lead_status"]] == ["BAD_TIMING", "NEW"]
    assert len(history["country"]) == 1
    assert history["hs_lead_status"][0].timestamp > history["hs_lead_status"][1].timestamp


def test_search_filters_sorts_and_pages(portal) -> None:
    search = portal.client.crm.contacts.search_api
    body: dict[str, Any] = {
        "filterGroups": [{"filters": [{"propertyName": "lastmodifieddate", "operator": "GTE", "value": "1"}]}],
        "sorts": [{"propertyName": "lastmodifieddate", "direction": "ASCENDING"}],
        "properties": ["email"],
        "limit": 40,
    }
    first = search.do_search(public_object_search_request=body)
    second = search.do_search(public_object_search_request={**body, "after": first.paging.next.after})
    stamps = [item.updated_at for item in first.results + second.results]
    assert first.total == len(stamps) == sum(1 for _ in portal.world.tables["contacts"].live())
    assert stamps == sorted(stamps)
    assert second.paging is None


def test_batch_read_and_update_meet_and_name_what_is_missing(portal) -> None:
    batch = portal.client.crm.contacts.batch_api
    inputs = [{"id": "1002", "properties": {"leadmark_score": "55.0"}}, {"id": "99999", "properties": {}}]
    status, updated = raw(batch.update, batch_input_simple_public_object_batch_input={"inputs": inputs})
    assert status == (200 if portal.version else 207)
    assert [item["id"] for item in updated["results"]] == ["1002"]
    assert updated["errors"][0]["context"]["ids"] == ["99999"]
    read = batch.read(
        batch_read_input_simple_public_object_id={"inputs": [{"id": "1002"}], "properties": ["leadmark_score"]}
    )
    assert read.results[0].properties["leadmark_score"] == "55.0"
    by_email = {"inputs": [{"id": portal.world.row("contacts", 1002).now.properties["email"]}], "idProperty": "email"}
    assert batch.read(batch_read_input_simple_public_object_id=by_email).results[0].id == "1002"


@pytest.mark.parametrize("kind", ["emails", "calls", "meetings"])
def test_engagements_list_search_and_hang_on_contacts(portal, kind: str) -> None:
    objects = getattr(portal.client.crm.objects, kind)
    listed = objects.basic_api.get_page(limit=100, properties=["hs_timestamp"]).results
    body = {"filterGroups": [], "sorts": [{"propertyName": "hs_lastmodifieddate", "direction": "ASCENDING"}]}
    found = objects.search_api.do_search(public_object_search_request={**body, "properties": ["hs_timestamp"]})
    assert found.total >= len(listed) > 0
    links = portal.client.crm.associations.v4.batch_api
    status, there = raw(
        links.get_page,
        kind,
        "contacts",
        batch_input_public_fetch_associations_batch_request={"inputs": [{"id": item.id} for item in listed]},
    )
    assert status == 200
    assert {item["from"]["id"] for item in there["results"]} == {item.id for item in listed}
    contact = there["results"][0]["to"][0]["toObjectId"]
    assert isinstance(contact, str if portal.version else int)
    _, back = raw(
        links.get_page,
        "contacts",
        kind,
        batch_input_public_fetch_associations_batch_request={"inputs": [{"id": str(contact)}]},
    )
    assert there["results"][0]["from"]["id"] in {str(item["toObjectId"]) for item in back["results"][0]["to"]}


def test_primary_company_is_an_association_of_type_1(portal) -> None:
    links = portal.client.crm.associations.v4.batch_api
    _, body = raw(
        links.get_page,
        "contacts",
        "companies",
        batch_input_public_fetch_associations_batch_request={"inputs": [{"id": "1001"}, {"id": "424242"}]},
    )
    assert len(body["results"]) == 1
    link = body["results"][0]["to"][0]
    assert [kind["typeId"] for kind in link["associationTypes"]] == [1, 279]
    assert str(link["toObjectId"]) == portal.world.row("contacts", 1001).now.properties["associatedcompanyid"]


def test_properties_list_get_create_and_conflict(portal) -> None:
    core = portal.client.crm.properties.core_api
    names = {item.name: item for item in core.get_all("contacts").results}
    assert names["leadmark_score"].type == "number"
    assert names["hs_object_id"].modification_metadata.read_only_value is True
    assert [option.value for option in names["lifecyclestage"].options][:2] == ["subscriber", "lead"]
    assert core.get_by_name("companies", "industry").type == "enumeration"
    new = {"groupName": "g", "name": "made_here", "label": "Made", "type": "string", "fieldType": "text"}
    assert core.create("contacts", property_create=new).name == "made_here"
    with pytest.raises(Exception, match="already exists") as refused:
        core.create("contacts", property_create=new)
    assert refused.value.status == 409


def test_merge_archive_and_erase(portal) -> None:
    contacts = portal.client.crm.contacts
    pair = [portal.world.create("contacts", {"email": f"{name}@merge.example"}) for name in ("one", "two")]
    merged = contacts.basic_api.merge(
        public_merge_input={"primaryObjectId": str(pair[0].id), "objectIdToMerge": str(pair[1].id)}
    )
    assert merged.id not in {str(row.id) for row in pair}
    assert contacts.basic_api.get_by_id(str(pair[1].id)).id == merged.id
    contacts.basic_api.archive(merged.id)
    with pytest.raises(Exception, match="resource not found") as gone:
        contacts.basic_api.get_by_id(merged.id)
    assert gone.value.status == 404
    assert merged.id in {item.id for item in contacts.basic_api.get_page(archived=True).results}
    erased = portal.world.create("contacts", {"email": "erase@merge.example"})
    contacts.basic_api.purge(public_gdpr_delete_input={"objectId": "erase@merge.example", "idProperty": "email"})
    assert portal.world.tables["contacts"].find(erased.id) is None


def test_forms_owners_and_lists(portal) -> None:
    forms = portal.client.marketing.forms.forms_api.get_page().results
    assert {form.id: form.name for form in forms}["demo-request"] == "Demo request"
    owners = portal.client.crm.owners.owners_api.get_page().results
    assert [owner.id for owner in owners] == ["301", "302", "303"]
    lists = portal.client.crm.lists.lists_api.do_search(list_search_request={"query": "pricing"}).lists
    assert [(item.list_id, item.name) for item in lists] == [("101", "Visited pricing")]
    members = portal.client.crm.lists.memberships_api
    page = members.get_page_ordered_by_added_to_list_date("101", limit=5)
    stamps = [item.membership_timestamp for item in page.results]
    assert stamps == sorted(stamps)
    assert page.total == len(portal.world.lists.joins(101))
    later = members.get_page_ordered_by_added_to_list_date("101", limit=5, after=page.paging.next.after)
    assert later.results[0].membership_timestamp >= stamps[-1]


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/account-info/v3/details", "portalId"),
        ("/account-info/v3/api-usage/daily/private-apps", "results"),
        ("/crm/v3/limits/custom-properties", "byObjectType"),
        ("/email/public/v1/events", "events"),
        ("/email/public/v1/campaigns/9001", "name"),
        ("/form-integrations/v1/submissions/forms/webinar", "results"),
    ],
)
def test_what_has_no_model_answers_api_request(portal, path: str, key: str) -> None:
    response = portal.client.api_request({"path": dated(path, portal.version)})
    assert response.status_code == 200
    assert key in response.json()


def test_sixteen_threads_share_one_held_client(portal) -> None:
    search, totals = portal.client.crm.contacts.search_api, []

    def ask() -> None:
        totals.extend(search.do_search(public_object_search_request={"limit": 1}).total for _ in range(5))

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(totals) == 80
    assert len(set(totals)) == 1
