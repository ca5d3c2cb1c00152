"""Data Loader's files become an org; what is wrong with them is reported by file and line, all at once."""

from datetime import UTC, datetime

import pytest

from connectors.emulator.clock import to_ms
from connectors.emulator.exports import load
from connectors.emulator.salesforce.ids import whole
from connectors.emulator.salesforce.objects import org_objects
from connectors.emulator.salesforce.query import first_page

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def id_(prefix, tail="AAAA"):
    return whole(f"{prefix}5g000001{tail}")


USER, OTHER_USER = id_("005"), id_("005", "BBBB")
ACCOUNT, PARENT = id_("001"), id_("001", "BBBB")
LEAD, CONVERTED, DELETED = id_("00Q"), id_("00Q", "BBBB"), id_("00Q", "CCCC")
ANA, BO = id_("003"), id_("003", "BBBB")
CAMPAIGN, DEAL, MEMBER, CALL = id_("701"), id_("006"), id_("00v"), id_("00T")

EXPORT = {
    "User.csv": f"Id,Username,Email,IsActive\n{USER},jane@seller.example,jane@seller.example,true\n",
    "Account.csv": (
        f"ACCOUNT ID,Account Name,EMPLOYEES,ParentId\n{ACCOUNT},Acme,250,{PARENT}\n{PARENT},Acme Group,9000,\n"
    ).replace("ACCOUNT ID", "Id"),
    "Lead.csv": (
        "\ufeffID,LASTNAME,Email,STATUS,OWNERID,CREATEDDATE,SYSTEMMODSTAMP,ISCONVERTED,CONVERTEDCONTACTID,ISDELETED,"
        "Seats Wanted,Renewal Day,Newsletter__c,NumberOfEmployees\n"
        f"{LEAD[:15]},Lund,lund@acme.example,Nurture,{USER},2026-01-05T09:30:00.000Z,2026-10-01T08:00:00.000Z,false,,"
        "false,12.5,2026-12-01,TRUE,250\n"
        f"{CONVERTED},Bo,bo@acme.example,Closed - Converted,{OTHER_USER},2026-02-05 09:30:00,,true,{BO},0,3,,false,\n"
        f"{DELETED},Gone,,Nurture,{id_('00G', 'AAAA')},2026-02-05T09:30:00.000+0000,,false,,true,,2026-12-02,,\n"
    ),
    "Contact.csv": (
        f"Id,Last Name,Email,AccountId,Email Opt Out,Trial started\n"
        f'{ANA},"Lund, Jr",ana@acme.example,{ACCOUNT},1,2026-05-04T10:00:00.000+0200\n'
        f"{BO},Bo,bo@acme.example,,0,\n"
    ),
    "Campaign.csv": f"Id,Name,Type\n{CAMPAIGN},Fair 2026,Trade Show\n",
    "CampaignMember.csv": (
        "Id,CampaignId,LeadId,ContactId,Status,HasResponded,FirstRespondedDate,CreatedDate\n"
        f"{MEMBER},{CAMPAIGN},{LEAD},,Visited booth,true,2026-03-04,2026-03-01T10:00:00.000Z\n"
    ),
    "Task.csv": (
        "Id,WhoId,WhatId,Subject,Status,ActivityDate,TaskSubtype,CreatedDate,CompletedDateTime,IsArchived\n"
        f"{CALL},{ANA},{id_('500', 'AAAA')},Call,Completed,2026-03-04,Call,2026-03-04T10:00:00.000Z,"
        "2026-03-04T10:05:00.000Z,false\n"
        f"{id_('00T', 'BBBB')},{ANA},,Old,Completed,2024-03-04,Call,2024-03-04T10:00:00.000Z,,true\n"
    ),
    "Event.csv": f"WhoId,Subject,StartDateTime\n{BO},Meeting,2026-03-04 10:22\n",
    "Opportunity.csv": f"Id,Name,StageName,AccountId\n{DEAL},First,Closed Won,{ACCOUNT}\n",
    "OpportunityContactRole.csv": f"OpportunityId,ContactId,Role\n{DEAL},{ANA},Decision Maker\n",
}


def write(folder, files):
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def org(tmp_path_factory):
    world, org, problems = load(write(tmp_path_factory.mktemp("export"), EXPORT), NOW)
    assert problems == []
    assert world is None
    return org


def test_ids_stamps_and_values_are_kept(org):
    lead = org.row("Lead", LEAD)
    assert (lead.id, lead.created_ms) == (LEAD, to_ms(datetime(2026, 1, 5, 9, 30, tzinfo=UTC)))
    assert lead.stamp_ms == to_ms(datetime(2026, 10, 1, 8, tzinfo=UTC))
    assert lead.values["Email"] == "lund@acme.example"
    assert org.row("Contact", ANA).values["Name"] == "Lund, Jr"
    assert org.row("Contact", ANA).values["HasOptedOutOfEmail"] is True
    assert org.row("Contact", BO).values["HasOptedOutOfEmail"] is False
    assert org.row("Contact", ANA).values["Trial_Started__c"] == "2026-05-04T08:00:00.000+0000"
    assert org.row("Lead", CONVERTED).created_ms == to_ms(datetime(2026, 2, 5, 9, 30, tzinfo=UTC))


def test_unknown_columns_become_custom_fields_of_the_narrowest_type(org):
    fields = org.objects["Lead"].fields
    assert {name: fields[name].type for name in ("Seats_Wanted__c", "Renewal_Day__c", "Newsletter__c")} == {
        "Seats_Wanted__c": "double",
        "Renewal_Day__c": "date",
        "Newsletter__c": "boolean",
    }
    assert (fields["Seats_Wanted__c"].scale, fields["Seats_Wanted__c"].custom) == (1, True)
    assert org.row("Lead", LEAD).values["Seats_Wanted__c"] == 12.5


def test_our_output_fields_are_always_there(org):
    ours = {name for name in org_objects()["Lead"].fields if name.startswith("Leadmark_")}
    assert ours
    assert ours <= set(org.objects["Lead"].fields) & set(org.objects["Contact"].fields)


def test_the_orgs_own_picklist_values_are_values(org):
    assert "Nurture" in org.objects["Lead"].fields["Status"].values
    assert org.row("Lead", LEAD).values["Status"] == "Nurture"


def test_what_refers_to_what_is_kept(org):
    asked = "SELECT Account.Parent.Name, Owner.Email FROM Contact WHERE LastName LIKE 'Lund%'"
    (row,) = first_page(org, asked)["records"]
    assert row["Account"]["Parent"]["Name"] == "Acme Group"
    asked = "SELECT ConvertedContact.LastName, Owner.Email FROM Lead WHERE IsConverted = true"
    (row,) = first_page(org, asked)["records"]
    assert row["ConvertedContact"]["LastName"] == "Bo"
    assert row["Owner"]["Email"] == "user-1@owner.example"  # User.csv does not have this one
    (row,) = first_page(org, "SELECT Lead.LastName, Campaign.Type FROM CampaignMember")["records"]
    assert (row["Lead"]["LastName"], row["Campaign"]["Type"]) == ("Lund", "Trade Show")
    (row,) = first_page(org, "SELECT Contact.LastName, Opportunity.IsWon FROM OpportunityContactRole")["records"]
    assert row["Opportunity"]["IsWon"] is True


def test_a_queue_or_a_case_is_left_out_without_a_word(org):
    assert org.row("Lead", DELETED).values["OwnerId"] == org.person_id
    assert "WhatId" not in org.row("Task", CALL).values


def test_deleted_and_archived_rows_stay_so(org):
    assert org.row("Lead", DELETED).deleted
    found = first_page(org, "SELECT Subject FROM Task")["records"]
    assert [row["Subject"] for row in found] == ["Call"]
    assert first_page(org, "SELECT COUNT() FROM Task", all_rows=True)["totalSize"] == 2


def test_what_follows_from_values_follows_unless_the_file_says_it(org):
    member = org.row("CampaignMember", MEMBER).values
    assert (member["HasResponded"], member["FirstRespondedDate"], member["Type"]) == (True, "2026-03-04", "Lead")
    (event,) = org.live("Event")
    assert event.values["ActivityDate"] == "2026-03-04"


BROKEN = {
    "Lead.csv": (
        "Id,LastName,OwnerId,NumberOfEmployees,CreatedDate,Budget__c,HasOptedOutOfEmail\n"
        f"{LEAD},A,{USER},5,,,\n"
        f"{LEAD[:15]},B,,,,,\n"  # 3
        "00Qnonsense,C,,,,,\n"  # 4
        f"{ANA},D,,,,,\n"  # 5
        f"{CONVERTED},E,,many,,,\n"  # 6
        f"{DELETED},F,,,yesterday,,\n"  # 7
        f"{id_('00Q', 'DDDD')},G\n"  # 8
        f"{id_('00Q', 'EEEE')},{'x' * 81},,,,,\n"  # 9
        f"{id_('00Q', 'FFFF')},H,,,,1e99,\n"  # 10
        f"{id_('00Q', 'GGGG')},I,,,,,perhaps\n"  # 11
    ),
    "Contact.csv": f"Id,LastName,AccountId\n{ANA},A,{ACCOUNT}\n{BO},B,\n",
    "Task.csv": (
        "WhoId,Subject\n"
        f"{BO},fine\n"
        f"{id_('003', 'DDDD')},nobody\n"  # 3
        f"{CONVERTED},of a lead that was left out\n"  # 4
    ),
    "CampaignMember.csv": f"LeadId\n{LEAD}\n",
    "Event.csv": f"WhoId,StartDateTime\n{BO},noon\n",
    "Deals.csv": "Id\n1\n",
}
SAID = [
    ("Lead.csv:3: its Id stands there twice", "in 15 characters the second time"),
    ("Lead.csv:4: Id does not hold an id of 15 or 18 characters", ""),
    ("Lead.csv:5: Id is no id of this object; those begin with 00Q", "a contact's"),
    ("Lead.csv:6: NumberOfEmployees does not hold a whole number", ""),
    ("Lead.csv:7: CreatedDate does not hold a time", ""),
    ("Lead.csv:8: the row has 2 cells and the header 7", ""),
    ("Lead.csv:9: LastName is longer than 80 characters", ""),
    ("Lead.csv:10: Budget__c does not hold a number within its range", ""),
    ("Lead.csv:11: HasOptedOutOfEmail does not hold true or false", ""),
    ("Contact.csv:1: AccountId refers to records of Account.csv, which is not there", "once for the column"),
    ("Task.csv:3: WhoId names a record that Contact.csv lacks", ""),
    ("Task.csv:4: WhoId names a record that Lead.csv lacks or that was left out", ""),
    ("CampaignMember.csv:2: CampaignId is empty", ""),
    ("Event.csv:2: StartDateTime does not hold a time", ""),
    ("Deals.csv:1: the emulator does not know this file", ""),
]


def test_every_bad_row_is_reported_once_with_its_line_and_the_good_ones_are_served(tmp_path):
    _, org, problems = load(write(tmp_path, BROKEN), NOW)
    for start, remark in SAID:
        assert sum(problem.startswith(start) for problem in problems) == 1, (start, remark, problems)
    assert len(problems) == len(SAID), problems
    assert [row.id for row in org.live("Lead")] == [LEAD]
    assert [row.id for row in org.live("Contact")] == [ANA, BO]
    assert "AccountId" not in org.row("Contact", ANA).values
    assert [row.values["Subject"] for row in org.live("Task")] == ["fine"]
    assert not any("xxx" in problem or "nobody" in problem for problem in problems)


def test_a_folder_may_hold_files_of_both(tmp_path):
    write(tmp_path, EXPORT | {"contacts.csv": "email,salesforcecontactid\nana@acme.example," + ANA + "\n"})
    world, org, problems = load(tmp_path, NOW)
    assert problems == []
    assert world.clock is org.clock
    (contact,) = world.tables["contacts"].live()
    assert org.row("Contact", contact.now.properties["salesforcecontactid"]).values["Email"] == "ana@acme.example"


def test_a_folder_of_hubspots_files_has_no_org(tmp_path):
    world, org, problems = load(write(tmp_path, {"contacts.csv": "email\nana@acme.example\n"}), NOW)
    assert (org, problems) == (None, [])
    assert world is not None


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, ["contacts.csv:1: the file is missing"]),
        ({"Task.csv": "Subject\nCall\n"}, ["Lead.csv:1: neither this file nor Contact.csv is there"]),
        ({"Lead.csv": ""}, ["Lead.csv:1: the file has no header"]),
        ({"Lead.csv": "Id,ID\n"}, ["Lead.csv:1: the columns Id stand there twice"]),
    ],
)
def test_without_usable_people_there_is_nothing(tmp_path, files, said):
    world, org, problems = load(write(tmp_path, files), NOW)
    assert (world, org) == (None, None)
    assert [problem[: len(start)] for problem, start in zip(problems, said, strict=True)] == said


def test_leads_without_ids_get_some(tmp_path):
    _, org, problems = load(write(tmp_path, {"Lead.csv": "LastName\nAdler\nBrook\n"}), NOW)
    assert problems == []
    assert [row.id[:3] for row in org.live("Lead")] == ["00Q", "00Q"]
    assert {row.created_ms for row in org.live("Lead")} == {to_ms(NOW)}
