"""Campaign members, tasks and events as activities; opportunities as outcomes; children of what changed."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any

import pytest

from connectors.base import Activity, Attribute, Deletion, Page
from connectors.emulator.server import Emulator
from connectors.errors import Fatal, Missing
from tests.connector_conformance import Mirror
from tests.connector_stages import DAY_MS, SalesforceStage, salesforce_emulator, salesforce_stage

MINUTE = timedelta(minutes=1)
NOW = datetime(2026, 11, 3, 12, tzinfo=UTC)
EARLIER = NOW - timedelta(days=1)


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with salesforce_emulator() as started:
        yield started


@pytest.fixture
def stage(emulator: Emulator) -> Iterator[SalesforceStage]:
    with salesforce_stage(emulator) as opened:
        yield opened


def _pull(stage: SalesforceStage, mirror: Mirror, stream: str, connector: Any) -> list[Page]:
    pages = list(connector.pull(stream, mirror.cursors.get(stream)))
    for page in pages:
        mirror.apply(page)
    return pages


def _all(pages: list[Page]) -> tuple[list[Activity], list[Deletion]]:
    return [one for page in pages for one in page.activities], [one for page in pages for one in page.deletions]


def _row(stage: SalesforceStage, object_: str, values: dict[str, Any]) -> str:
    """A row created yesterday."""
    return stage.org.create(object_, values, created_ms=stage.org.clock.now_ms() - DAY_MS).id


CLOSED = {"Status": "Completed"}


@pytest.mark.parametrize(
    ("source", "values", "at", "remark"),
    [
        ("Task", CLOSED | {"CompletedDateTime": "2026-11-02T08:00:00.000+0000"}, "2026-11-02T08", "when it was done"),
        (
            "Task",
            CLOSED | {"CompletedDateTime": None, "ActivityDate": "2026-11-01"},
            "2026-11-01T12",
            "else its day, at noon",
        ),
        ("Task", CLOSED | {"CompletedDateTime": None}, "2026-11-02T12", "else when it was made"),
        ("Task", {"Status": "Not Started", "ActivityDate": "2026-11-01"}, None, "not done yet"),
        ("Task", CLOSED | {"WhoId": None}, None, "about nobody"),
        ("Event", {"StartDateTime": "2026-11-05T09:30:00.000+0000"}, "2026-11-05T09:30", "when it begins"),
        (
            "Event",
            {"StartDateTime": "2026-11-05T00:00:00.000+0000", "IsAllDayEvent": True},
            "2026-11-05T12",
            "a whole day, at noon",
        ),
        ("Event", {}, None, "without a date"),
        (
            "CampaignMember",
            {"Status": "Responded", "FirstRespondedDate": "2026-10-20"},
            "2026-10-20T12",
            "the day of the response, at noon",
        ),
        (
            "CampaignMember",
            {"HasResponded": True, "FirstRespondedDate": None},
            "2026-11-02T12",
            "else when it became a member",
        ),
        ("CampaignMember", {"Status": "Sent"}, None, "no response"),
    ],
)
def test_when_it_happened(stage: SalesforceStage, source: str, values: dict[str, Any], at: str | None, remark: str):
    (contact,) = stage.add(1)
    campaign = stage.org.create("Campaign", {"Name": "Expo"}).id
    where = {"CampaignId": campaign, "ContactId": contact} if source == "CampaignMember" else {"WhoId": contact}
    id_ = _row(stage, source, where | values)
    found, gone = _all(list(stage.connect().pull(source, None)))
    assert [(one.source, one.id, one.records, f"{one.at:%Y-%m-%dT%H:%M}"[: len(at or "")]) for one in found] == (
        [(source, id_, (contact,), at)] if at else []
    ), remark
    assert not gone
    assert all(one.changed_at == NOW and not one.may_have_moved for one in found)


def test_a_member_hangs_on_the_lead_and_on_the_contact_it_became(stage: SalesforceStage):
    (lead,) = stage.add(1, object_="Lead")
    campaign = stage.org.create("Campaign", {"Name": "Expo", "Type": "Webinar"}).id
    stage.org.create("CampaignMember", {"CampaignId": campaign, "LeadId": lead, "Status": "Attended"})
    contact = stage.org.convert(lead).id
    ((activity,), _) = _all(list(stage.connect().pull("CampaignMember", None)))
    assert activity.records == (lead, contact)
    assert activity.attributes == {
        "Campaign": Attribute(id=campaign, label="Expo"),
        "Campaign.Type": Attribute(id="Webinar"),
    }


@pytest.mark.parametrize("change", ["reopened", "of nobody", "deleted", "taken back"])
def test_what_did_not_happen_after_all_is_taken_back(stage: SalesforceStage, change: str):
    (contact,) = stage.add(1)
    task = stage.close_task(contact)
    connector, mirror = stage.connect(), Mirror()
    _pull(stage, mirror, "Task", connector)
    assert set(mirror.activities) == {task}
    stage.wait(5 * MINUTE)
    match change:
        case "reopened":
            stage.org.edit("Task", task, {"Status": "In Progress"})
        case "of nobody":
            stage.org.edit("Task", task, {"WhoId": None})
        case _:
            stage.org.delete("Task", task)
    found, gone = _all(_pull(stage, mirror, "Task", connector))
    assert (found, gone) == ([], [Deletion(source="Task", id=task)])
    if change == "taken back":
        stage.wait(MINUTE)
        stage.org.undelete("Task", task)
        _pull(stage, mirror, "Task", connector)
        assert set(mirror.activities) == {task}


def test_what_is_deleted_is_taken_back_even_when_all_is_read_anew(stage: SalesforceStage):
    """The store may know it from an earlier reading."""
    (contact,) = stage.add(1)
    task = stage.close_task(contact)
    stage.wait(timedelta(days=3))
    stage.org.delete("Task", task)
    stage.wait(timedelta(days=3))
    assert _all(list(stage.connect().pull("Task", None))) == ([], [Deletion(source="Task", id=task)])


def test_a_response_withdrawn_is_no_response(stage: SalesforceStage):
    (contact,) = stage.add(1)
    campaign = stage.org.create("Campaign", {"Name": "Expo"}).id
    member = _row(stage, "CampaignMember", {"CampaignId": campaign, "ContactId": contact, "Status": "Responded"})
    connector, mirror = stage.connect(), Mirror()
    _pull(stage, mirror, "CampaignMember", connector)
    stage.wait(5 * MINUTE)
    stage.org.edit("CampaignMember", member, {"Status": "Sent"})
    assert _all(_pull(stage, mirror, "CampaignMember", connector)) == (
        [],
        [Deletion(source="CampaignMember", id=member)],
    )


def test_a_task_that_moved_may_hang_elsewhere_and_a_new_one_may_not(stage: SalesforceStage):
    ids = stage.add(2)
    moved = stage.close_task(ids[0])
    connector, mirror = stage.connect(), Mirror()
    _pull(stage, mirror, "Task", connector)
    stage.wait(5 * MINUTE)
    stage.org.edit("Task", moved, {"WhoId": ids[1]})
    new = stage.close_task(ids[0])
    found, _ = _all(_pull(stage, mirror, "Task", connector))
    assert {one.id: (one.records, one.may_have_moved) for one in found} == {
        moved: ((ids[1],), True),
        new: ((ids[0],), False),
    }


def test_what_changes_while_all_is_read_for_the_first_time_may_be_known(stage: SalesforceStage):
    stage.org.page_rows = 2
    ids = stage.add(1)
    begin = stage.org.clock.now_ms() - 3 * DAY_MS
    stamps = [{"created_ms": begin + DAY_MS * nth, "stamp_ms": begin + DAY_MS * nth} for nth in range(3)]
    tasks = [stage.org.create("Task", {"WhoId": ids[0], **CLOSED}, **stamp).id for stamp in stamps]
    connector, mirror = stage.connect(), Mirror()
    assert mirror.pull(connector, "Task", pages=1) == 1
    stage.wait(MINUTE)
    stage.org.edit("Task", tasks[0], {"Status": "In Progress"})
    found, gone = _all(_pull(stage, mirror, "Task", connector))
    assert ([one.id for one in found], [one.id for one in gone]) == ([tasks[2]], [tasks[0]])


def test_archived_activities_are_read(stage: SalesforceStage):
    (contact,) = stage.add(1)
    task = stage.close_task(contact, ActivityDate="2020-01-01", CompletedDateTime="2020-01-01T10:00:00.000+0000")
    assert stage.org.archive() == 1
    found, _ = _all(list(stage.connect().pull("Task", None)))
    assert [one.id for one in found] == [task]


def test_attributes_are_the_fields_that_kinds_name(stage: SalesforceStage):
    (contact,) = stage.add(1)
    stage.close_task(contact, TaskSubtype="Call", CallDisposition=" Left message ")
    stage.close_task(contact, TaskSubtype="Email")
    stage.org.create("Event", {"WhoId": contact, "StartDateTime": "2026-11-05T00:00:00.000+0000"})
    connector = stage.connect()
    tasks, _ = _all(list(connector.pull("Task", None)))
    author = Attribute(id="ada.sands@seller.example", label="ada.sands@seller.example.invalid")
    assert [one.attributes for one in tasks] == [
        {
            "TaskSubtype": Attribute(id="Call"),
            "CallDisposition": Attribute(id="Left message"),
            "created_by": author,
        },
        {"TaskSubtype": Attribute(id="Email"), "created_by": author},
    ]
    events, _ = _all(list(connector.pull("Event", None)))
    assert [one.attributes for one in events] == [{"IsAllDayEvent": Attribute(id="false")}]


@pytest.mark.parametrize("hidden", ["CallDisposition", "Task"])
def test_a_source_that_is_not_shown_is_missing_and_the_others_are_read(stage: SalesforceStage, hidden: str):
    (contact,) = stage.add(1)
    stage.org.create("Event", {"WhoId": contact, "StartDateTime": "2026-11-05T00:00:00.000+0000"})
    if hidden == "Task":
        del stage.org.objects["Task"]
    else:
        stage.org.objects["Task"].fields[hidden].readable = False
    connector = stage.connect()
    with pytest.raises(Missing, match=hidden):
        list(connector.pull("Task", None))
    assert len(_all(list(connector.pull("Event", None)))[0]) == 1


@pytest.mark.parametrize(("object_", "field"), [("Campaign", "Type"), ("Campaign", ""), ("CampaignMember", "Status")])
@pytest.mark.parametrize("stream", ["campaigns", "CampaignMember"])
def test_what_members_need_of_their_campaign_is_named(stage: SalesforceStage, stream: str, object_: str, field: str):
    activities = {"came": {"from": "CampaignMember", "where": {"Status": "A"}, "keep": {"type": "Campaign.Type"}}}
    connector, mirror = stage.connect(activities=activities), Mirror()
    mirror.pull(connector, "campaigns")
    _campaign(stage, stage.add(1))
    stage.wait(MINUTE)
    if field:
        stage.org.objects[object_].fields[field].readable = False
    else:
        del stage.org.objects[object_]
    with pytest.raises(Missing, match=f"{field} of {object_}|no {object_}:"):
        list(connector.pull(stream, mirror.cursors.get(stream)))


def test_another_failure_is_told_as_it_is(stage: SalesforceStage):
    connector = stage.connect()
    connector.account()
    body = [{"errorCode": "MALFORMED_QUERY", "message": "odd"}]
    stage.fault({"status": 400, "body": body}, path="query", times=None)
    with pytest.raises(Fatal, match="MALFORMED_QUERY") as raised:
        list(connector.pull("Task", None))
    assert not isinstance(raised.value, Missing)


# campaigns


def _campaign(stage: SalesforceStage, people: list[str], **values: Any) -> tuple[str, list[str]]:
    campaign = stage.org.create("Campaign", {"Name": "Expo", "Type": "Webinar", **values}).id
    known = {"CampaignId": campaign, "Status": "Responded"}
    return campaign, [_row(stage, "CampaignMember", known | {"ContactId": id_}) for id_ in people]


def _labels(mirror: Mirror, members: list[str]) -> set[tuple[str, str]]:
    return {
        (mirror.activities[id_].attributes["Campaign"].label, mirror.activities[id_].attributes["Campaign.Type"].id)
        for id_ in members
    }


def test_a_changed_campaign_brings_its_members_again(stage: SalesforceStage):
    campaign, members = _campaign(stage, stage.add(5))
    _, others = _campaign(stage, stage.add(3), Name="Fair")
    connector, mirror = stage.connect(), Mirror()
    for stream in ("campaigns", "CampaignMember"):
        _pull(stage, mirror, stream, connector)
    assert stage.queries("Campaign") == 0
    stage.wait(60 * MINUTE)
    stage.org.edit("Campaign", campaign, {"Name": "Expo 26", "Type": "Conference"})
    _pull(stage, mirror, "campaigns", connector)
    assert _labels(mirror, members) == {("Expo 26", "Conference")}
    assert _labels(mirror, others) == {("Fair", "Webinar")}
    assert all(mirror.activities[id_].may_have_moved for id_ in members)


def test_a_campaign_stamped_anew_without_a_change_is_read_once(stage: SalesforceStage):
    campaign, _ = _campaign(stage, stage.add(2))
    connector, mirror = stage.connect(), Mirror()
    _pull(stage, mirror, "campaigns", connector)
    read = []
    for values in ({"Name": "New"}, {}, {"StartDate": "2026-12-01"}, {"Name": "Newer"}, {"Name": "New"}):
        stage.wait(20 * MINUTE)
        stage.org.edit("Campaign", campaign, values)
        before = stage.queries("CampaignMember")
        _pull(stage, mirror, "campaigns", connector)
        read.append(stage.queries("CampaignMember") - before)
    assert read == [1, 0, 0, 1, 1]


def test_a_campaign_deleted_takes_its_members_along(stage: SalesforceStage):
    campaign, members = _campaign(stage, stage.add(3))
    connector, mirror = stage.connect(), Mirror()
    for stream in ("campaigns", "CampaignMember"):
        _pull(stage, mirror, stream, connector)
    stage.wait(60 * MINUTE)
    stage.org.delete("Campaign", campaign)
    _, gone = _all(_pull(stage, mirror, "campaigns", connector))
    assert {one.id for one in gone} == set(members)


def test_a_kill_among_members_goes_on_where_it_was(stage: SalesforceStage):
    """Campaigns in two portions, the members of each in pages: from any cursor on, each is read once."""
    stage.org.page_rows = 40
    people = stage.add(3)
    connector, mirror = stage.connect(), Mirror()
    _pull(stage, mirror, "campaigns", connector)
    stage.wait(60 * MINUTE)
    members = [member for nth in range(70) for member in _campaign(stage, people, Name=f"C{nth}")[1]]
    begin = dict(mirror.cursors)
    total = len(_pull(stage, mirror, "campaigns", connector))
    assert total > 6
    assert set(mirror.activities) == set(members)
    for killed_after in range(1, total):
        again, seen = Mirror(cursors=dict(begin)), []
        for page in islice(connector.pull("campaigns", begin["campaigns"]), killed_after):
            again.apply(page)
            seen += [one.id for one in page.activities]
        seen += [one.id for one in _all(_pull(stage, again, "campaigns", connector))[0]]
        assert sorted(seen) == sorted(members)
        assert again.cursors["campaigns"]["last"] == mirror.cursors["campaigns"]["last"]


# outcomes


def _deal(stage: SalesforceStage, *contacts: str, **values: Any) -> tuple[str, list[str]]:
    deal = _row(stage, "Opportunity", {"Name": "Deal", "CloseDate": "2026-12-24", **values})
    return deal, [_row(stage, "OpportunityContactRole", {"OpportunityId": deal, "ContactId": id_}) for id_ in contacts]


def test_an_opportunity_is_told_of_each_contact(stage: SalesforceStage):
    ids = stage.add(3)
    _, (won,) = _deal(stage, ids[0], StageName="Closed Won")
    _, lost = _deal(stage, *ids[1:], StageName="Closed Lost", CloseDate=None)
    _, (open_,) = _deal(stage, ids[0])
    mirror = Mirror()
    mirror.pull(stage.connect(), "outcomes")
    told = {id_: (record.parents["contact"], *record.values.values()) for id_, record in mirror.records.items()}
    closing = date(2026, 12, 24)
    assert told == {
        won: (ids[0], True, True, closing),
        lost[0]: (ids[1], False, True, None),
        lost[1]: (ids[2], False, True, None),
        open_: (ids[0], False, False, closing),
    }
    record = mirror.records[won]
    assert (record.object, list(record.values), record.created_at) == (
        "outcome",
        ["won", "closed", "closed_on"],
        EARLIER,
    )


def test_an_opportunity_won_later_brings_its_roles_again(stage: SalesforceStage):
    (contact,) = stage.add(1)
    deal, (role,) = _deal(stage, contact)
    connector, mirror = stage.connect(), Mirror()
    for stream in ("opportunities", "outcomes"):
        _pull(stage, mirror, stream, connector)
    stage.wait(60 * MINUTE)
    stage.org.edit("Opportunity", deal, {"StageName": "Closed Won"})
    stage.wait(MINUTE)
    _pull(stage, mirror, "opportunities", connector)
    assert mirror.records[role].values["won"] is True
    assert mirror.records[role].stamp_at == stage.now() - MINUTE
    before = stage.queries("OpportunityContactRole")
    stage.org.edit("Opportunity", deal, {"Amount": 5000})
    _pull(stage, mirror, "opportunities", connector)
    assert stage.queries("OpportunityContactRole") == before


def test_a_role_that_is_deleted_is_no_outcome(stage: SalesforceStage):
    (contact,) = stage.add(1)
    _, (role,) = _deal(stage, contact)
    connector, mirror = stage.connect(), Mirror()
    _pull(stage, mirror, "outcomes", connector)
    stage.wait(MINUTE)
    stage.org.delete("OpportunityContactRole", role)
    _, gone = _all(_pull(stage, mirror, "outcomes", connector))
    assert gone == [Deletion(object="outcome", id=role)]


def test_other_fields_may_say_what_was_won(stage: SalesforceStage):
    (contact,) = stage.add(1)
    _, (role,) = _deal(stage, contact, StageName="Closed Lost")
    outcomes = {"from": "OpportunityContactRole", "won": "IsClosed"}
    mirror = Mirror()
    mirror.pull(stage.connect(outcomes=outcomes), "outcomes")
    assert mirror.records[role].values["won"] is True
