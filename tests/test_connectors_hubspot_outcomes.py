"""What became of deals: whom they are told of, what is told, and at what cost."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from connectors.base import Deletion, instant
from connectors.emulator.hubspot.deals import join_deal, leave_deal
from connectors.emulator.hubspot.definitions import Definition
from connectors.emulator.hubspot.merging import merge
from connectors.errors import Fatal, Missing
from tests.connector_conformance import Mirror
from tests.connector_stages import HubSpotStage, hubspot_stage

MINUTE = timedelta(minutes=1)


@pytest.fixture
def stage() -> Iterator[HubSpotStage]:
    with hubspot_stage() as opened:
        yield opened


def _told(mirror: Mirror, deal: str) -> set[str]:
    """The contacts the deal speaks of."""
    return set(mirror.records[deal].parents.values())


def _pull(stage: HubSpotStage, mirror: Mirror, **outcomes: Any) -> list[Deletion]:
    """What the stream says is gone."""
    connector = stage.connect(outcomes={"from": "deals", **outcomes})
    pages = list(connector.pull("deals", mirror.cursors.get("deals")))
    for page in pages:
        mirror.apply(page)
    return [one for page in pages for one in page.deletions]


#: properties of a deal, what is told, remark
CASES = [
    ({}, (False, False, None), "just begun"),
    ({"closedate": "2026-12-24T10:00:00Z"}, (False, False, "2026-12-24T10:00:00Z"), "expected to close"),
    ({"dealstage": "closedwon"}, (True, True, "2026-11-03T12:00:00Z"), "HubSpot dates what closes now"),
    ({"dealstage": "closedlost", "closedate": "2026-11-01T23:30:00Z"}, (False, True, "2026-11-01T23:30:00Z"), "lost"),
    ({"dealstage": "closedlost", "closedate": ""}, (False, True, None), "lost on an unknown day"),
]


@pytest.mark.parametrize(("held", "told", "remark"), CASES, ids=[case[2] for case in CASES])
def test_a_deal_says_whether_it_is_won_and_over_and_when(stage: HubSpotStage, held: Any, told: Any, remark: str):
    deal, mirror = stage.deal(*stage.add(1), **held), Mirror()
    _pull(stage, mirror)
    record = mirror.records[deal]
    assert record.values == {
        "won": told[0],
        "closed": told[1],
        "closed_at": told[2] and instant(told[2]),
    }, remark
    assert (record.object, record.created_at, record.stamp_at) == ("outcome", stage.now(), stage.now())


def test_contacts_join_and_leave_a_deal(stage: HubSpotStage):
    ids, mirror = stage.add(2), Mirror()
    deal = stage.deal(ids[0])
    _pull(stage, mirror)
    for change, contact, left in ((join_deal, ids[1], set(ids)), (leave_deal, ids[0], {ids[1]})):
        stage.wait(MINUTE)
        change(stage.world, int(deal), int(contact))
        _pull(stage, mirror)
        assert _told(mirror, deal) == left
    stage.wait(MINUTE)
    leave_deal(stage.world, int(deal), int(ids[1]))
    assert _pull(stage, mirror) == []
    assert _told(mirror, deal) == set()


def test_a_deal_of_hundreds_is_told_of_all(stage: HubSpotStage):
    ids, mirror = stage.add(501), Mirror()
    deal = stage.deal(*ids)
    _pull(stage, mirror)
    assert _told(mirror, deal) == set(ids)


def test_the_contact_others_were_merged_into_is_told(stage: HubSpotStage):
    ids, mirror = stage.add(2), Mirror()
    deal = stage.deal(*ids)
    survivor = stage.merge(*ids)
    _pull(stage, mirror)
    assert _told(mirror, deal) == {survivor}


def test_two_merged_deals_are_one_with_the_contacts_of_both(stage: HubSpotStage):
    ids, mirror = stage.add(2), Mirror()
    deals = [stage.deal(ids[0]), stage.deal(ids[1])]
    _pull(stage, mirror)
    stage.wait(30 * MINUTE)
    rows = [stage.world.row("deals", deal) for deal in deals]
    survivor = str(merge(stage.world, "deals", *rows).id)
    assert {one.id for one in _pull(stage, mirror)} == set(deals)
    assert mirror.records.keys() == {survivor}
    assert _told(mirror, survivor) == set(ids)


@pytest.mark.parametrize("wanted", ["74201", "Renewals", "renewals "])
def test_only_deals_of_the_pipelines_named_speak_of_somebody(stage: HubSpotStage, wanted: str):
    ids, mirror = stage.add(2), Mirror()
    here, there = stage.deal(ids[0], pipeline="74201"), stage.deal(ids[1])
    _pull(stage, mirror, pipelines=wanted)
    assert (_told(mirror, here), _told(mirror, there)) == ({ids[0]}, set())
    stage.wait(MINUTE)
    stage.world.edit("deals", here, {"pipeline": "default"})
    stage.world.edit("deals", there, {"pipeline": "74201"})
    _pull(stage, mirror, pipelines=wanted)
    assert (_told(mirror, here), _told(mirror, there)) == (set(), {ids[1]})


def test_pipelines_are_asked_for_once_a_day(stage: HubSpotStage):
    mirror = Mirror()
    asked = []
    for hours in (0, 1, 22, 2):
        stage.wait(timedelta(hours=hours))
        before = stage.requests().count("GET /crm/pipelines/2026-09/deals")
        _pull(stage, mirror, pipelines="Renewals")
        asked.append(stage.requests().count("GET /crm/pipelines/2026-09/deals") - before)
    assert asked == [1, 0, 0, 1]


def test_a_pipeline_that_is_not_there_is_named(stage: HubSpotStage):
    with pytest.raises(Missing, match="no deal pipeline “Partners”"):
        _pull(stage, Mirror(), pipelines=["Renewals", "Partners"])


def test_other_properties_may_say_what_was_won(stage: HubSpotStage):
    signed = Definition(name="signed", label="Signed", type="bool", field_type="booleancheckbox", options=("true",))
    stage.world.definitions["deals"]["signed"] = signed
    deal, mirror = stage.deal(*stage.add(1), signed="true"), Mirror()
    _pull(stage, mirror, won="signed")
    assert (mirror.records[deal].values["won"], mirror.records[deal].values["closed"]) == (True, False)


def test_a_property_that_disappears_stops_the_stream_and_is_not_described(stage: HubSpotStage):
    deal, mirror = stage.deal(*stage.add(1)), Mirror()
    connector = stage.connect()
    mirror.pull(connector, "deals")
    stage.wait(10 * MINUTE)
    stage.win(deal)
    del stage.world.definitions["deals"]["hs_is_closed"]
    with pytest.raises(Fatal, match="no deal property hs_is_closed"):
        mirror.pull(connector, "deals")
    assert "hs_is_closed" not in connector.describe()["deal"]
    assert mirror.records[deal].values["won"] is False


def test_a_key_without_the_scope_says_which_one(stage: HubSpotStage):
    stage.world.scopes["pat-narrow"] = frozenset({"crm.objects.contacts.read"})
    connector = stage.connect("pat-narrow")
    with pytest.raises(Fatal, match=r"crm\.objects\.deals\.read"):
        list(connector.pull("deals", None))


@pytest.mark.parametrize(("deals", "calls"), [(0, 1), (100, 1 + 1), (1_000, 10 + 1), (1_001, 11 + 2)])
def test_a_first_load_costs_a_call_per_hundred_deals_and_one_per_thousand(stage: HubSpotStage, deals: int, calls: int):
    (contact,) = stage.add(1)
    for _ in range(deals):
        stage.deal(contact)
    connector = stage.connect()
    connector.describe()
    before = connector.calls()
    list(connector.pull("deals", None))
    assert connector.calls() - before == calls


@pytest.mark.parametrize(("changed", "calls"), [(0, 1), (1, 1 + 1), (200, 1 + 1), (201, 2 + 1)])
def test_later_only_what_changed_costs(stage: HubSpotStage, changed: int, calls: int):
    (contact,) = stage.add(1)
    deals = [stage.deal(contact) for _ in range(300)]
    connector, mirror = stage.connect(), Mirror()
    mirror.pull(connector, "deals")
    stage.wait(timedelta(hours=3))
    mirror.pull(connector, "deals")
    stage.wait(timedelta(hours=2))
    for deal in deals[:changed]:
        stage.win(deal)
        stage.world.clock.advance(0.003)
    connector.describe()
    before = connector.calls()
    mirror.pull(connector, "deals")
    assert connector.calls() - before == calls
