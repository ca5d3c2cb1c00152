"""The org: its ids, its objects, and what becomes of records."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.salesforce import SalesforceOutputFields
from connectors.emulator.clock import DAY_MS, EmulatorClock, to_ms
from connectors.emulator.salesforce.ids import new_id, normalised, whole
from connectors.emulator.salesforce.objects import org_objects, read_field
from connectors.emulator.salesforce.org import Org, Row
from connectors.emulator.salesforce.refusals import Refused
from scoring.wording import OUTPUT_TYPES

NOW = datetime(2026, 11, 20, 12, 0, 0, 700_000, tzinfo=UTC)
STAMP = to_ms(NOW) // 1000 * 1000


@pytest.fixture
def org() -> Org:
    return Org(EmulatorClock(NOW))


def lead(org: Org, **values: object) -> Row:
    return org.create("Lead", {"FirstName": "Ada", "LastName": "Sands", "Company": "Acme", **values})


def refused(code: str):
    return pytest.raises(Refused, check=lambda refusal: refusal.code == code)


@given(st.text("ABCXYZabcxyz0189", min_size=15, max_size=15))
def test_an_id_of_15_and_its_18_are_the_same_record(short: str) -> None:
    assert normalised(short) == whole(short) == normalised(whole(short))
    assert whole(short)[:15] == short


@given(st.integers(1, 10**9), st.integers(1, 10**9))
def test_ids_grow_as_text_does(one: int, other: int) -> None:
    assert (new_id("00Q", one)[:15] < new_id("00Q", other)[:15]) == (one < other)


@pytest.mark.parametrize("text", ["", "00Q", "00Q5g0000000001EAB", "00Q5g0000000001-", None, 17])
def test_what_is_no_id_is_malformed(text: object) -> None:
    with refused("MALFORMED_ID"):
        normalised(text)


def test_our_output_fields_are_on_leads_and_contacts_with_the_type_each_output_needs(org: Org) -> None:
    fields = SalesforceOutputFields(outputs=tuple(OUTPUT_TYPES))
    types = {"number": ("double",), "date": ("date",), "option": ("string",), "text": ("string", "textarea")}
    for object_ in ("Lead", "Contact"):
        known = org.objects[object_].fields
        for output, type_ in OUTPUT_TYPES.items():
            assert known[fields.field(output)].type in types[type_], output
        assert (known["Leadmark_Score__c"].precision, known["Leadmark_Score__c"].scale) == (5, 2)


def test_every_relationship_leads_to_an_object_of_the_org() -> None:
    objects = org_objects()
    for about in objects.values():
        for field in about.fields.values():
            assert set(field.refers_to) <= set(objects), f"{about.name}.{field.name}"
            assert (field.type == "reference") == bool(field.relationship)
    assert objects["Contact"].fields["MasterRecordId"].refers_to == ("Contact",)


def test_a_field_line_without_a_known_type_is_refused() -> None:
    with pytest.raises(ValueError, match="the type is not"):
        read_field("Score__c | Score | number, two decimals")


def test_describe_shows_what_the_connections_user_may_see(org: Org) -> None:
    fields = org.objects["Lead"].fields
    fields["Email"].readable = False
    fields["Leadmark_Score__c"].editable = False
    shown = {field["name"]: field for field in org.objects["Lead"].describe()["fields"]}
    assert "Email" not in shown
    assert shown["Leadmark_Score__c"]["updateable"] is False
    assert shown["Leadmark_Fit__c"]["updateable"] is True
    assert shown["IsConverted"]["updateable"] is False
    assert [value["value"] for value in shown["Rating"]["picklistValues"]] == ["Hot", "Warm", "Cold"]
    assert (shown["OwnerId"]["referenceTo"], shown["OwnerId"]["relationshipName"]) == (["User"], "Owner")


def test_a_new_org_has_a_sandbox_organization_and_three_users(org: Org) -> None:
    row = org.row("Organization", org.org_id)
    assert org.shown("Organization", row, ["Id", "IsSandbox"]) == {"Id": "00D5g000004XyzAEAS", "IsSandbox": True}
    assert [row.values["Name"] for row in org.live("User")] == ["Leadmark Integration", "Ada Sands", "Bo Okafor"]
    org.org_id, org.is_sandbox, org.time_zone = "00D5g000004Other", False, "UTC"
    assert [row.id for row in org.live("Organization")] == ["00D5g000004Other"]
    assert (org.is_sandbox, org.time_zone) == (False, "UTC")


def test_stamps_are_whole_seconds_and_may_be_given(org: Org) -> None:
    assert (lead(org).created_ms, lead(org).stamp_ms) == (STAMP, STAMP)
    old = org.create("Lead", {"LastName": "Old"}, created_ms=5_000, stamp_ms=7_000)
    assert org.shown("Lead", old, ["CreatedDate", "SystemModstamp", "IsConverted", "Email"]) == {
        "CreatedDate": "1970-01-01T00:00:05.000+0000",
        "SystemModstamp": "1970-01-01T00:00:07.000+0000",
        "IsConverted": False,
        "Email": None,
    }


def test_an_id_may_be_given_and_is_not_made_again(org: Org) -> None:
    taken = org.create("Lead", {"Id": new_id("00Q", 1), "LastName": "Given"})
    assert taken.id == new_id("00Q", 1)
    assert lead(org).id == new_id("00Q", 2)
    assert org.row("Lead", taken.id[:15]) is taken


def test_a_persons_edit_may_set_system_fields_and_moves_the_stamp(org: Org) -> None:
    row = lead(org)
    org.clock.advance(60)
    org.edit("Lead", row.id, {"EmailBouncedDate": "2026-11-19T10:00:00Z", "Status": "Working - Contacted"})
    assert row.stamp_ms == STAMP + 60_000
    assert row.values["EmailBouncedDate"] == "2026-11-19T10:00:00.000+0000"
    assert row.values["LastModifiedById"] == org.person_id
    org.edit("Lead", row.id, {"SystemModstamp": "2026-01-01T00:00:00Z"})
    assert row.stamp_ms == to_ms(datetime(2026, 1, 1, tzinfo=UTC))
    with refused("INVALID_FIELD"):
        org.edit("Lead", row.id, {"Nonsense": 1})
    with refused("NOT_FOUND"):
        org.edit("Lead", new_id("00Q", 999), {})


DERIVED = [
    ("Lead", {"FirstName": "Ada", "LastName": "Sands"}, {"Name": "Ada Sands"}, "a name of two"),
    ("Lead", {"LastName": "Sands"}, {"Name": "Sands"}, "a name of one"),
    ("Contact", {"LastName": "S", "EmailBouncedDate": "2026-11-19T10:00:00.000+0000"}, {"IsEmailBounced": True}, ""),
    ("Task", {"Status": "Completed"}, {"IsClosed": True, "CompletedDateTime": "2026-11-20T12:00:00.000+0000"}, ""),
    ("Task", {}, {"IsClosed": False, "CompletedDateTime": None, "Status": "Not Started"}, "a task still to do"),
    ("Event", {"StartDateTime": "2026-11-18T09:00:00.000+0000"}, {"ActivityDate": "2026-11-18"}, "an event's day"),
    ("CampaignMember", {"LeadId": "L", "Status": "Attended"}, {"HasResponded": True, "Type": "Lead"}, "a response"),
    ("CampaignMember", {"ContactId": "C"}, {"HasResponded": False, "Type": "Contact", "Status": "Sent"}, "none"),
    ("CampaignMember", {"HasResponded": True}, {"HasResponded": True}, "what is given stays"),
    ("Opportunity", {"StageName": "Closed Won"}, {"IsClosed": True, "IsWon": True}, "won"),
    ("Opportunity", {"StageName": "Closed Lost"}, {"IsClosed": True, "IsWon": False}, "lost"),
]


@pytest.mark.parametrize(("object_", "values", "follows", "remark"), DERIVED)
def test_some_fields_follow_from_others(org: Org, object_: str, values: dict, follows: dict, remark: str) -> None:
    row = org.create(object_, values)
    assert row.values | follows == row.values, remark


def test_a_deleted_record_takes_its_activities_and_members_along_and_brings_them_back(org: Org) -> None:
    row, other = lead(org), lead(org)
    task = org.create("Task", {"WhoId": row.id})
    member = org.create("CampaignMember", {"LeadId": row.id, "CampaignId": "c"})
    before = org.create("Task", {"WhoId": row.id})
    org.delete("Task", before.id)
    others = org.create("Task", {"WhoId": other.id})
    org.clock.advance(5)
    org.delete("Lead", row.id)
    assert [item.deleted for item in (row, task, member, before, others)] == [True, True, True, True, False]
    assert row.stamp_ms == task.stamp_ms == STAMP + 5_000
    with refused("ENTITY_IS_DELETED"):
        org.delete("Lead", row.id)
    org.undelete("Lead", row.id)
    assert [item.deleted for item in (row, task, member, before)] == [False, False, False, True]
    with refused("UNDELETE_FAILED"):
        org.undelete("Lead", row.id)


def test_a_deleted_account_takes_contacts_and_what_hangs_on_them_along(org: Org) -> None:
    account = org.create("Account", {"Name": "Acme"})
    contact = org.create("Contact", {"LastName": "Sands", "AccountId": account.id})
    task = org.create("Task", {"WhoId": contact.id})
    org.delete("Account", account.id)
    assert contact.deleted
    assert task.deleted
    org.undelete("Account", account.id)
    assert not contact.deleted
    assert not task.deleted


def test_a_merge_moves_what_hung_on_the_loser_and_stamps_the_winner_alone(org: Org) -> None:
    account = org.create("Account", {"Name": "Acme"})
    master, loser = (org.create("Contact", {"LastName": name, "AccountId": account.id}) for name in "AB")
    task = org.create("Task", {"WhoId": loser.id})
    role = org.create("OpportunityContactRole", {"ContactId": loser.id, "OpportunityId": "o"})
    kept, moved, twice = (
        org.create("CampaignMember", {"ContactId": who.id, "CampaignId": campaign})
        for who, campaign in ((master, "c1"), (loser, "c2"), (loser, "c1"))
    )
    org.clock.advance(5)
    assert org.merge("Contact", master.id, loser.id) is master
    assert (loser.deleted, loser.values["MasterRecordId"], loser.stamp_ms) == (True, master.id, STAMP + 5_000)
    assert master.stamp_ms == STAMP + 5_000
    assert {task.values["WhoId"], role.values["ContactId"], moved.values["LeadOrContactId"]} == {master.id}
    assert task.stamp_ms == STAMP, "a moved activity keeps its stamp"
    assert (kept.deleted, twice.deleted) == (False, True), "one member of a campaign for one person"


@pytest.mark.parametrize(
    ("object_", "case", "code"),
    [
        ("Task", "two", "INVALID_OPERATION"),
        ("Lead", "one", "INVALID_ID_FIELD"),
        ("Lead", "deleted", "INVALID_ID_FIELD"),
        ("Lead", "converted", "INVALID_OPERATION"),
    ],
)
def test_some_merges_are_refused(org: Org, object_: str, case: str, code: str) -> None:
    first, second = (org.create(object_, {"LastName": "Sands"}) for _ in range(2))
    if case == "deleted":
        org.delete(object_, second.id)
    if case == "converted":
        org.convert(first.id)
    with refused(code):
        org.merge(object_, first.id, first.id if case == "one" else second.id)


@pytest.mark.parametrize("mapping", [True, False])
def test_a_converted_lead_stays_and_becomes_a_contact_with_an_account(org: Org, mapping) -> None:
    org.conversion_mapping = mapping
    row = lead(org, Email="ada@acme.example", DoNotCall=True, Leadmark_Score__c=81.237, Country="Norway")
    task = org.create("Task", {"WhoId": row.id})
    member = org.create("CampaignMember", {"LeadId": row.id, "CampaignId": "c"})
    org.clock.advance(5)
    contact = org.convert(row.id)
    account = org.row("Account", contact.values["AccountId"])
    assert (account.values["Name"], contact.values["Email"], contact.values["DoNotCall"]) == (
        "Acme",
        "ada@acme.example",
        True,
    )
    assert contact.values["Name"] == "Ada Sands"
    assert contact.values.get("Leadmark_Score__c") == (81.237 if mapping else None)
    assert (
        row.values
        | {
            "IsConverted": True,
            "ConvertedDate": "2026-11-20",
            "ConvertedContactId": contact.id,
            "ConvertedAccountId": account.id,
        }
        == row.values
    )
    assert not row.deleted
    assert row.stamp_ms == contact.stamp_ms == STAMP + 5_000
    assert (task.values["WhoId"], task.stamp_ms) == (contact.id, STAMP)
    assert (member.values["LeadId"], member.values["ContactId"]) == (row.id, contact.id)
    with refused("CANNOT_UPDATE_CONVERTED_LEAD"):
        org.convert(row.id)


def test_a_lead_may_become_a_contact_that_is_there_whose_values_stay(org: Org) -> None:
    account = org.create("Account", {"Name": "Acme"})
    contact = org.create("Contact", {"LastName": "Known", "Email": "known@acme.example", "AccountId": account.id})
    row = lead(org, Email="ada@acme.example", Title="CTO")
    assert org.convert(row.id, contact=contact.id) is contact
    assert (contact.values["Email"], contact.values["Title"]) == ("known@acme.example", "CTO")
    assert row.values["ConvertedAccountId"] == account.id
    elsewhere = org.create("Account", {"Name": "Other"})
    assert org.convert(lead(org).id, account=elsewhere.id).values["AccountId"] == elsewhere.id


STEPS = st.lists(
    st.tuples(
        st.sampled_from(("work", "delete", "undelete", "merge", "convert")), st.integers(0, 3), st.integers(0, 3)
    ),
    max_size=25,
)


@given(STEPS)
def test_no_live_activity_hangs_on_a_dead_person_whatever_happens(steps: list[tuple[str, int, int]]) -> None:
    org = Org(EmulatorClock(NOW))
    people = [("Lead", lead(org)) for _ in range(4)]
    for step, first, second in steps:
        (object_, row), (_, other) = people[first], people[second]
        org.clock.advance(1)
        with suppress(Refused):
            match step:
                case "work" if not row.deleted and not row.values.get("IsConverted"):
                    org.create("Task", {"WhoId": row.id})
                    org.create("CampaignMember", {f"{object_}Id": row.id, "CampaignId": "c"})
                case "delete":
                    org.delete(object_, row.id)
                case "undelete":
                    org.undelete(object_, row.id)
                case "merge":
                    org.merge(object_, row.id, other.id)
                case "convert":
                    people[first] = ("Contact", org.convert(row.id))
    for task in org.live("Task"):
        assert not org.row(org.object_of(task.values["WhoId"]), task.values["WhoId"]).deleted
    for member in org.live("CampaignMember"):
        assert not org.row(member.values["Type"], member.values["LeadOrContactId"]).deleted


def test_old_events_and_old_closed_tasks_are_archived(org: Org) -> None:
    def day(days: int) -> str:
        return (NOW - timedelta(days=days)).date().isoformat()

    items = {
        "old event": org.create("Event", {"StartDateTime": f"{day(365)}T10:00:00.000+0000"}),
        "young event": org.create("Event", {"StartDateTime": f"{day(364)}T10:00:00.000+0000"}),
        "old closed": org.create("Task", {"Status": "Completed", "ActivityDate": day(400)}),
        "old open": org.create("Task", {"ActivityDate": day(400)}),
        "old, undated": org.create("Task", {"Status": "Completed"}, created_ms=STAMP - 365 * DAY_MS),
        "young, undated": org.create("Task", {"Status": "Completed"}),
    }
    assert org.archive() == 3
    assert [name for name, row in items.items() if row.archived] == ["old event", "old closed", "old, undated"]
    assert org.archive() == 0


def test_a_change_is_seen_after_the_commit_lag_with_its_older_stamp(org: Org) -> None:
    row = lead(org)
    org.commit_lag_s = 60
    org.edit("Lead", row.id, {"Rating": "Hot"})
    new = lead(org)
    now_ms = org.clock.now_ms()
    seen = row.seen(now_ms)
    assert seen is not None
    assert (seen.values.get("Rating"), row.values["Rating"]) == (None, "Hot")
    assert new.seen(now_ms) is None
    org.edit("Lead", row.id, {"Rating": "Warm"})
    assert row.seen(now_ms) == seen, "the second change hides with the first"
    assert row.seen(now_ms + 60_000) is row
    assert new.seen(now_ms + 60_000) is new
    assert row.stamp_ms == STAMP


def test_an_id_tells_its_object(org: Org) -> None:
    assert [org.object_of(text) for text in (lead(org).id, org.user_id, "00G000000000001")] == ["Lead", "User", ""]
