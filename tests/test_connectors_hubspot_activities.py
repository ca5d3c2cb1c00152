"""Forms, mail events, lists, and one-to-one mails, calls and meetings."""

from collections.abc import Iterator
from datetime import timedelta
from math import ceil
from typing import Any

import pytest

from connectors.base import Attribute
from connectors.errors import Fatal
from tests.connector_conformance import Mirror
from tests.connector_stages import DAY_MS, FORM, HubSpotStage, hubspot_stage

MINUTE = timedelta(minutes=1)
LIST = "list:Visited pricing"
FORMS = f"form:{FORM}"


@pytest.fixture
def stage() -> Iterator[HubSpotStage]:
    with hubspot_stage() as opened:
        yield opened


def _calls(connector: Any, mirror: Mirror, stream: str) -> int:
    before = connector.calls()
    mirror.pull(connector, stream)
    return connector.calls() - before


def _submit(stage: HubSpotStage, count: int, *, apart_ms: int = 60_000) -> None:
    end = stage.world.clock.now_ms()
    for number in range(count):
        values = {"email": f"q{number}@x.example"}
        stage.world.forms.submit(FORM, values, end - apart_ms * (count - 1 - number))


def _kinds(stage: HubSpotStage, **kinds: dict[str, Any]) -> Any:
    return stage.connect(activities=kinds)


# forms


def test_a_submission_keeps_form_and_page_without_the_query(stage: HubSpotStage):
    stage.act("Ann@X.example")
    activity = next(stage.connect().pull(FORMS, None)).activities[0]
    assert activity.source == "form_submissions"
    assert activity.email == "ann@x.example"
    assert activity.at == activity.changed_at == stage.now()
    assert activity.attributes == {
        "form": Attribute(id=FORM, label="Demo request"),
        "page": Attribute(id="https://x.example/demo"),
    }


@pytest.mark.parametrize("written", ["demo-request", "Demo request", "demo REQUEST "])
def test_a_form_is_found_by_id_or_name(stage: HubSpotStage, written: str):
    stage.act("a@x.example")
    connector = _kinds(stage, demo={"from": "form_submissions", "forms": [written]})
    page = next(connector.pull(f"form:{written}", None))
    assert page.activities[0].attributes["form"] == Attribute(id=FORM, label="Demo request")


def test_a_form_nobody_knows_says_what_to_do(stage: HubSpotStage):
    connector = _kinds(stage, demo={"from": "form_submissions", "forms": ["Demo"]})
    with pytest.raises(Fatal, match="no form “Demo”"):
        list(connector.pull("form:Demo", None))


def test_two_forms_of_one_name_are_not_guessed(stage: HubSpotStage):
    stage.world.forms.names["other"] = "Demo request"
    connector = _kinds(stage, demo={"from": "form_submissions", "forms": ["Demo request"]})
    with pytest.raises(Fatal, match="2 forms"):
        list(connector.pull("form:Demo request", None))


def test_new_submissions_cost_a_call_per_fifty(stage: HubSpotStage):
    _submit(stage, 260)
    stage.wait(timedelta(hours=2))
    mirror, connector = Mirror(), stage.connect()
    assert _calls(connector, mirror, FORMS) == 1 + 6  # the form's name is asked for once a day
    for new, calls in ((0, 1), (3, 1), (40, 1), (0, 1), (110, 3)):
        stage.wait(timedelta(hours=2))
        _submit(stage, new, apart_ms=1)
        # what came just before the pull before is read once more
        assert _calls(connector, mirror, FORMS) == calls
    assert len(mirror.activities) == 260 + 3 + 40 + 110


def test_submissions_during_a_broken_run_are_read_after_it(stage: HubSpotStage):
    _submit(stage, 180)
    mirror = Mirror()
    mirror.pull(stage.connect(), FORMS, pages=2)
    stage.wait(timedelta(days=2))
    _submit(stage, 70, apart_ms=1)
    mirror.pull(stage.connect(), FORMS)
    assert len(mirror.activities) == 250


def test_submissions_without_an_address_or_a_date_are_left_out(stage: HubSpotStage):
    rows = [
        {"conversionId": "1", "submittedAt": 1_793_707_000_000, "values": [{"name": "email", "value": "a@x.example"}]},
        {"conversionId": "2", "submittedAt": 1_793_707_000_000, "values": [{"name": "phone", "value": "1"}]},
        {"conversionId": "3", "values": [{"name": "email", "value": "b@x.example"}]},
        {"conversionId": "4", "submittedAt": 1_793_706_000_000, "values": None},
        {"submittedAt": 1_793_705_000_000, "values": [{"name": "email", "value": "c@x.example"}]},
    ]
    stage.fault({"status": 200, "body": {"results": rows}}, path="submissions")
    page = next(stage.connect().pull(FORMS, None))
    assert [activity.id for activity in page.activities] == [f"{FORM}:1", f"{FORM}:1793705000000:c@x.example"]


def test_an_expired_place_to_go_on_from_begins_anew(stage: HubSpotStage):
    _submit(stage, 120)
    mirror = Mirror()
    mirror.pull(stage.connect(), FORMS, pages=1)
    cursor = dict(mirror.cursors[FORMS])
    cursor["run"] = {**cursor["run"], "after": "long-gone"}
    mirror.cursors[FORMS] = cursor
    mirror.pull(stage.connect(), FORMS)
    assert len(mirror.activities) == 120


# mail events


def _click(stage: HubSpotStage, ago_ms: int, **more: Any) -> None:
    at_ms = stage.world.clock.now_ms() - ago_ms
    stage.world.mail.add(more.pop("type", "CLICK"), "Ann@x.example", more.pop("campaign", 9001), at_ms, **more)


def test_a_mail_event_keeps_mail_type_and_link(stage: HubSpotStage):
    _click(stage, 0, url="https://x.example/pricing?email=ann%40x.example#top")
    pages = list(stage.connect().pull("email_events", None))
    activity = pages[-1].activities[0]
    assert (activity.source, activity.email, activity.at) == ("email_events", "ann@x.example", stage.now())
    assert activity.id.endswith(f":{stage.world.clock.now_ms()}")
    assert activity.attributes == {
        "type": Attribute(id="CLICK"),
        "campaign": Attribute(id="9001", label="Product news"),
        "link": Attribute(id="https://x.example/pricing"),
    }


def test_only_mapped_types_come_and_none_from_bots(stage: HubSpotStage):
    for type_ in ("SENT", "OPEN", "CLICK", "BOUNCE"):
        _click(stage, 1_000, type=type_)
    _click(stage, 500, filtered=True)
    connector = _kinds(
        stage, a={"from": "email_events", "type": ["CLICK"]}, b={"from": "email_events", "type": ["BOUNCE"]}
    )
    types = [
        activity.attributes["type"].id for page in connector.pull("email_events", None) for activity in page.activities
    ]
    assert sorted(types) == ["BOUNCE", "CLICK"]


def test_a_long_history_is_read_once_and_whole(stage: HubSpotStage):
    for days in range(0, 1_500, 3):
        _click(stage, days * DAY_MS)
    mirror, connector = Mirror(), stage.connect()
    assert _calls(connector, mirror, "email_events") <= 12
    assert len(mirror.activities) == 500
    for _ in range(3):
        stage.wait(30 * MINUTE)
        assert _calls(connector, mirror, "email_events") == 1


def test_events_cost_a_call_per_thousand(stage: HubSpotStage):
    mirror, connector = Mirror(), stage.connect()
    mirror.pull(connector, "email_events")
    stage.wait(timedelta(hours=3))
    for number in range(2_500):
        _click(stage, number)
    assert _calls(connector, mirror, "email_events") == 3 + 1  # one for the name of the mail
    assert len(mirror.activities) == 2_500


def test_a_mails_name_is_asked_for_once_and_may_be_unknown(stage: HubSpotStage):
    for _ in range(3):
        _click(stage, 10)
    stage.fault({"status": 404, "body": {"category": "OBJECT_NOT_FOUND"}}, path="campaigns", times=None)
    connector = stage.connect()
    for _ in range(2):
        pages = list(connector.pull("email_events", None))
        assert {activity.attributes["campaign"] for activity in pages[-1].activities} == {Attribute(id="9001")}
    assert sum("campaigns" in line for line in stage.requests()) == 1


def test_a_mails_name_nobody_keeps_is_not_asked_for(stage: HubSpotStage):
    _click(stage, 10)
    list(_kinds(stage, a={"from": "email_events", "type": ["CLICK"]}).pull("email_events", None))
    assert not any("campaigns" in line for line in stage.requests())


def test_a_kill_in_the_middle_of_a_span_loses_nothing(stage: HubSpotStage):
    for number in range(3_300):
        _click(stage, number * 1_000_000)
    whole = Mirror()
    pages = whole.pull(stage.connect(), "email_events")
    assert pages > 5
    for killed in range(pages):
        mirror = Mirror()
        mirror.pull(stage.connect(), "email_events", pages=killed)
        mirror.pull(stage.connect(), "email_events")
        assert mirror.activities.keys() == whole.activities.keys()


# lists


def _join(stage: HubSpotStage, ids: list[str], *, apart_ms: int = 1_000) -> None:
    end = stage.world.clock.now_ms()
    for number, id_ in enumerate(ids):
        stage.world.lists.join(101, int(id_), end - apart_ms * (len(ids) - 1 - number))


def test_a_join_names_contact_list_and_instant(stage: HubSpotStage):
    ids = stage.add(1)
    _join(stage, ids)
    page = next(stage.connect().pull(LIST, None))
    activity = page.activities[0]
    assert (activity.source, activity.records, activity.at) == ("lists", (ids[0],), stage.now())
    assert activity.attributes == {"list": Attribute(id="101", label="Visited pricing")}
    assert activity.id == f"101:{ids[0]}:{stage.world.clock.now_ms()}"


def test_joins_cost_a_call_per_page_of_new_ones(stage: HubSpotStage):
    ids = stage.add(1_300)
    _join(stage, ids[:900])
    mirror, connector = Mirror(), stage.connect()
    assert _calls(connector, mirror, LIST) == 1 + ceil(900 / 250)
    stage.wait(timedelta(hours=3))
    assert _calls(connector, mirror, LIST) == 1
    _join(stage, ids[900:], apart_ms=1)
    assert _calls(connector, mirror, LIST) <= 1 + ceil(400 / 250)
    assert {activity.records[0] for activity in mirror.activities.values()} == set(ids)


def test_who_leaves_and_joins_again_joined_twice(stage: HubSpotStage):
    ids = stage.add(3)
    _join(stage, ids)
    mirror, connector = Mirror(), stage.connect()
    mirror.pull(connector, LIST)
    stage.wait(timedelta(days=2))
    stage.world.lists.leave(101, int(ids[1]))
    mirror.pull(connector, LIST)
    assert len(mirror.activities) == 3
    _join(stage, [ids[1]])
    mirror.pull(connector, LIST)
    assert sorted(activity.records[0] for activity in mirror.activities.values()) == [ids[0], ids[1], ids[1], ids[2]]


@pytest.mark.parametrize("tokens", ["as the emulator's", "row numbers"])
def test_people_who_leave_hide_nobody_who_joins(stage: HubSpotStage, tokens: str, monkeypatch: pytest.MonkeyPatch):
    """Whether HubSpot's place to go on from is a member or a row number is not documented; rows shift in the latter."""
    if tokens == "row numbers":
        _number_members(stage, monkeypatch)
    ids = stage.add(1_200)
    _join(stage, ids[:600])
    mirror = Mirror()
    mirror.pull(stage.connect(), LIST)
    for begin in range(600, 1_200, 100):
        stage.wait(10 * MINUTE)
        for id_ in ids[begin - 600 : begin - 420]:
            stage.world.lists.leave(101, int(id_))
        _join(stage, ids[begin : begin + 100], apart_ms=1)
        mirror.pull(stage.connect(), LIST)
    assert {activity.records[0] for activity in mirror.activities.values()} == set(ids)


def _number_members(stage: HubSpotStage, monkeypatch: pytest.MonkeyPatch) -> None:
    connect = stage.connect

    def connect_numbered(**settings: Any) -> Any:
        connector = connect(**settings)

        def members(list_id: str, *, after: str | None = None) -> dict[str, Any]:
            start = int(after or 0)
            rows = [
                {"recordId": str(id_), "membershipTimestamp": str(at)}
                for at, id_ in stage.world.lists.joins(int(list_id)).items()
            ]
            more = {"paging": {"next": {"after": str(start + 250)}}} if start + 250 < len(rows) else {}
            return {"results": rows[start : start + 250], **more}

        monkeypatch.setattr(connector._client, "members", members)
        return connector

    monkeypatch.setattr(stage, "connect", connect_numbered)


@pytest.mark.parametrize("written", ["101", "Visited pricing", "visited PRICING"])
def test_a_list_is_found_by_id_or_name(stage: HubSpotStage, written: str):
    stage.world.lists.names[102] = "Visited pricing twice"
    connector = _kinds(stage, pricing={"from": "lists", "lists": [written]})
    page = next(connector.pull(f"list:{written}", None))
    assert (page.next_cursor["id"], page.next_cursor["name"]) == ("101", "Visited pricing")


def test_a_list_nobody_knows_says_what_to_do(stage: HubSpotStage):
    connector = _kinds(stage, pricing={"from": "lists", "lists": ["Visited"]})
    with pytest.raises(Fatal, match="no list “Visited”"):
        list(connector.pull("list:Visited", None))


def test_a_renamed_list_is_found_by_its_id_within_a_day(stage: HubSpotStage):
    stage.add(1)
    connector = _kinds(stage, pricing={"from": "lists", "lists": ["101"]})
    mirror = Mirror()
    mirror.pull(connector, "list:101")
    stage.world.lists.names[101] = "Looked at prices"
    stage.wait(timedelta(hours=25))
    mirror.pull(connector, "list:101")
    assert mirror.cursors["list:101"]["name"] == "Looked at prices"


# one-to-one mails, calls, meetings


def _log(stage: HubSpotStage, kind: str, contacts: list[str], **properties: str) -> int:
    now_ms = stage.world.clock.now_ms()
    return stage.world.log_engagement(kind, [int(id_) for id_ in contacts], properties, at_ms=now_ms).id


def test_an_engagement_hangs_on_all_its_contacts(stage: HubSpotStage):
    ids = stage.add(3)
    number = _log(stage, "emails", ids[:2], hs_email_direction="INCOMING_EMAIL")
    page = next(stage.connect().pull("emails", None))
    activity = page.activities[0]
    assert (activity.source, activity.id) == ("emails", str(number))
    assert set(activity.records) == set(ids[:2])
    assert activity.attributes == {"direction": Attribute(id="INCOMING_EMAIL")}
    assert (activity.at, activity.changed_at, activity.may_have_moved) == (stage.now(), stage.now(), False)


def test_a_meeting_is_at_its_start_not_when_it_was_logged(stage: HubSpotStage):
    ids = stage.add(1)
    _log(stage, "meetings", ids, hs_meeting_start_time="2026-11-10T09:00:00Z", hs_meeting_outcome="SCHEDULED")
    activity = next(stage.connect().pull("meetings", None)).activities[0]
    assert activity.at.isoformat() == "2026-11-10T09:00:00+00:00"
    assert activity.attributes == {"outcome": Attribute(id="SCHEDULED")}


def test_a_calls_result_has_the_name_people_know(stage: HubSpotStage):
    definition = stage.world.definitions["calls"]["hs_call_disposition"]
    ids = stage.add(1)
    value = definition.options[0][0] if definition.options else "f240bbac-87c9-4f6e-bf70-924b57d47db7"
    _log(stage, "calls", ids, hs_call_disposition=value)
    activity = next(stage.connect().pull("calls", None)).activities[0]
    assert activity.attributes["disposition"].id == value
    assert bool(activity.attributes["disposition"].label) == bool(definition.options)


def test_engagements_cost_a_call_for_the_links_of_a_thousand(stage: HubSpotStage):
    ids = stage.add(1)
    for _ in range(1_050):
        _log(stage, "emails", ids)
        stage.world.clock.advance(0.01)
    stage.wait(timedelta(hours=3))
    mirror, connector = Mirror(), stage.connect()
    assert _calls(connector, mirror, "emails") == ceil(1_050 / 100) + 2
    assert len(mirror.activities) == 1_050
    stage.wait(timedelta(hours=3))
    assert _calls(connector, mirror, "emails") == 1


def test_a_changed_engagement_comes_again_and_may_have_moved(stage: HubSpotStage):
    ids = stage.add(2)
    number = _log(stage, "meetings", ids[:1], hs_meeting_outcome="SCHEDULED")
    mirror, connector = Mirror(), stage.connect()
    mirror.pull(connector, "meetings")
    stage.wait(20 * MINUTE)
    stage.world.links["meetings", "contacts"][number] = [int(ids[1])]
    stage.world.edit("meetings", number, {"hs_meeting_outcome": "COMPLETED"})
    new = _log(stage, "meetings", ids[:1])
    mirror.pull(connector, "meetings")
    moved = mirror.activities[str(number)]
    assert (moved.records, moved.may_have_moved) == ((ids[1],), True)
    assert moved.attributes == {"outcome": Attribute(id="COMPLETED")}
    assert not mirror.activities[str(new)].may_have_moved


def test_an_engagement_that_hangs_on_nobody_any_more_is_taken_away(stage: HubSpotStage):
    ids = stage.add(1)
    number = _log(stage, "calls", ids)
    lonely = _log(stage, "calls", [])
    mirror, connector = Mirror(), stage.connect()
    mirror.pull(connector, "calls")
    assert set(mirror.activities) == {str(number)}
    stage.wait(20 * MINUTE)
    stage.world.links["calls", "contacts"][number] = []
    stage.world.edit("calls", number, {"hs_call_status": "COMPLETED"})
    stage.world.links["calls", "contacts"][lonely] = [int(ids[0])]
    stage.world.edit("calls", lonely, {"hs_call_status": "COMPLETED"})
    mirror.pull(connector, "calls")
    assert set(mirror.activities) == {str(lonely)}


def test_an_archived_engagement_is_taken_away_within_a_day(stage: HubSpotStage):
    ids = stage.add(1)
    numbers = [_log(stage, "calls", ids) for _ in range(3)]
    mirror, connector = Mirror(), stage.connect()
    mirror.pull(connector, "calls")
    stage.world.archive("calls", stage.world.row("calls", numbers[1]))
    stage.wait(timedelta(hours=25))
    mirror.pull(connector, "calls")
    assert set(mirror.activities) == {str(numbers[0]), str(numbers[2])}


def test_an_engagement_without_a_date_is_left_out(stage: HubSpotStage):
    ids = stage.add(1)
    number = _log(stage, "calls", ids)
    stage.world.edit("calls", number, {"hs_timestamp": ""})
    assert not next(stage.connect().pull("calls", None)).activities
