"""Queries find what Salesforce would find, and pages keep what was found."""

from datetime import UTC, datetime
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.emulator.clock import DAY_MS, EmulatorClock
from connectors.emulator.salesforce.org import Org
from connectors.emulator.salesforce.query import first_page, next_page
from connectors.emulator.salesforce.refusals import Refused

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def new_org():
    return Org(EmulatorClock(NOW))


@pytest.fixture(scope="module")
def org():
    """Three leads, two contacts of one account, an activity of each."""
    org = new_org()
    now_ms = org.clock.now_ms()
    owner = org.create(
        "User", {"FirstName": "Cy", "LastName": "Sands", "Email": "ada@seller.example", "IsActive": True}
    ).id
    account = org.create("Account", {"Name": "Acme", "NumberOfEmployees": 250}).id
    ada = {"LastName": "Adler", "Email": "Ada@Acme.example", "Budget__c": 10.5, "OwnerId": owner, "Status": "Working"}
    org.create("Lead", ada, created_ms=now_ms - 3 * DAY_MS)
    org.create(
        "Lead", {"LastName": "Brook", "Need_Date__c": "2026-11-20", "HasOptedOutOfEmail": True}, stamp_ms=now_ms - 5
    )
    org.create("Lead", {"LastName": "O'Brien", "Trial_Started__c": "2026-11-19T23:30:00Z", "Budget__c": 7})
    zoe = org.create("Contact", {"LastName": "Zoll", "AccountId": account}).id
    org.create("Contact", {"LastName": "Yara"})
    lead = next(iter(org.rows["Lead"]))
    org.create("Task", {"WhoId": lead, "Subject": "Call", "Status": "Completed"})
    org.create("Task", {"WhoId": zoe, "WhatId": account, "Subject": "Mail", "Status": "Not Started"})
    return org


def names(org, where="", *, object_="Lead", field="LastName", order="", **how):
    tail = (f" WHERE {where}" if where else "") + (f" ORDER BY {order}" if order else "")
    return [row[field] for row in first_page(org, f"SELECT {field} FROM {object_}{tail}", **how)["records"]]


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("LastName = 'adler'", "Adler"),  # text knows no case
        ("LastName != 'adler'", "Brook O'Brien"),
        (r"LastName = 'O\'Brien'", "O'Brien"),
        ("LastName IN ('ADLER', 'brook')", "Adler Brook"),
        ("LastName NOT IN ('ADLER', 'brook')", "O'Brien"),
        ("LastName LIKE '%B%'", "Brook O'Brien"),
        ("LastName > 'b'", "Brook O'Brien"),
        ("Email = null", "Brook O'Brien"),
        ("Email = ''", "Brook O'Brien"),
        ("Email != null", "Adler"),
        ("Email != 'x@acme.example'", "Adler Brook O'Brien"),  # an empty field differs
        ("Email IN ('ada@acme.example', null)", "Adler Brook O'Brien"),
        ("NOT Email = 'ada@acme.example'", "Brook O'Brien"),
        ("Budget__c > 7", "Adler"),
        ("Budget__c >= 7", "Adler O'Brien"),
        ("Budget__c < 100", "Adler O'Brien"),  # an empty field is not smaller
        ("Budget__c = 7.0", "O'Brien"),
        ("HasOptedOutOfEmail = false", "Adler O'Brien"),  # a checkbox is never empty
        ("HasOptedOutOfEmail != true", "Adler O'Brien"),
        ("HasOptedOutOfEmail = null", "Adler O'Brien"),
        ("Need_Date__c = 2026-11-20", "Brook"),
        ("Need_Date__c <= 2026-11-19", ""),
        ("Need_Date__c = TODAY", "Brook"),
        ("Need_Date__c != TODAY", "Adler O'Brien"),
        ("Need_Date__c > YESTERDAY", "Brook"),
        ("Trial_Started__c = YESTERDAY", "O'Brien"),
        ("Trial_Started__c < TODAY", "O'Brien"),
        ("Trial_Started__c >= LAST_N_DAYS:1", "O'Brien"),
        ("Trial_Started__c = 2026-11-20T00:30:00+01:00", "O'Brien"),
        ("CreatedDate < 2026-11-20T00:00:00Z", "Adler"),
        ("SystemModstamp < 2026-11-20T12:00:00Z", "Brook"),
        ("SystemModstamp >= 2026-11-20T12:00:00Z AND Id > '000000000000000'", "Adler O'Brien"),
        ("Owner.Email = 'ada@seller.example'", "Adler"),
        ("owner.name != null AND (lastname = 'x' OR lastname = 'adler')", "Adler"),
        ("IsDeleted = false", "Adler Brook O'Brien"),
    ],
)
def test_conditions_find_rows(org, where, found):
    assert " ".join(names(org, where)) == found


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("Who.Type = 'Lead'", ["Call"]),
        ("Who.Type = 'Contact'", ["Mail"]),
        ("Who.Name != null", ["Call", "Mail"]),
        ("What.Name = 'acme'", ["Mail"]),
        ("IsClosed = true", ["Call"]),
    ],
)
def test_activities_are_asked_by_whom_they_are_about(org, where, found):
    assert names(org, where, object_="Task", field="Subject") == found


def test_ids_of_fifteen_characters_are_ids_too(org):
    lead = next(iter(org.rows["Lead"]))
    for written in (lead, lead[:15]):
        assert names(org, f"Id = '{written}'") == ["Adler"]
        assert names(org, f"Id IN ('{written}')") == ["Adler"]
        assert names(org, f"WhoId = '{written}'", object_="Task", field="Subject") == ["Call"]
        assert names(org, f"Id > '{written}'") == ["Brook", "O'Brien"]


@pytest.mark.parametrize(
    ("order", "found"),
    [
        ("LastName DESC", ["O'Brien", "Brook", "Adler"]),
        ("Budget__c", ["Brook", "O'Brien", "Adler"]),
        ("Budget__c NULLS LAST", ["O'Brien", "Adler", "Brook"]),
        ("Budget__c DESC", ["Brook", "Adler", "O'Brien"]),
        ("Budget__c DESC NULLS LAST", ["Adler", "O'Brien", "Brook"]),
        ("SystemModstamp, Id", ["Brook", "Adler", "O'Brien"]),
        ("SystemModstamp, Id DESC", ["Brook", "O'Brien", "Adler"]),
        ("HasOptedOutOfEmail, LastName DESC", ["O'Brien", "Adler", "Brook"]),
    ],
)
def test_rows_come_in_the_order_asked_for(org, order, found):
    assert names(org, order=order) == found


def test_a_limit_takes_the_first(org):
    page = first_page(org, "SELECT LastName FROM Lead ORDER BY LastName LIMIT 2")
    assert [row["LastName"] for row in page["records"]] == ["Adler", "Brook"]
    assert (page["totalSize"], page["done"]) == (2, True)


def test_count_counts_and_shows_nothing(org):
    assert first_page(org, "SELECT COUNT() FROM Lead WHERE Email = null") == {
        "totalSize": 2,
        "done": True,
        "records": [],
    }


def test_a_record_is_shown_as_salesforce_shows_it():
    org = new_org()
    owner = org.create("User", {"FirstName": "Cy", "LastName": "Sands", "Email": "ada@seller.example"}).id
    account = org.create("Account", {"Name": "Acme", "OwnerId": owner}).id
    values = {"LastName": "Zoll", "AccountId": account, "Trial_Started__c": "2026-11-19T23:30:00Z"}
    contact = org.create("Contact", values).id
    soql = (
        "SELECT id, LASTNAME, account.name, Email, Account.Owner.Email, HasOptedOutOfEmail, Trial_Started__c, "
        "Need_Date__c, SystemModstamp, ReportsTo.Name FROM contact"
    )
    base = "/services/data/v61.0/sobjects"
    assert first_page(org, soql, version="61.0") == {
        "totalSize": 1,
        "done": True,
        "records": [
            {
                "attributes": {"type": "Contact", "url": f"{base}/Contact/{contact}"},
                "Id": contact,
                "LastName": "Zoll",
                "Account": {
                    "attributes": {"type": "Account", "url": f"{base}/Account/{account}"},
                    "Name": "Acme",
                    "Owner": {
                        "attributes": {"type": "User", "url": f"{base}/User/{owner}"},
                        "Email": "ada@seller.example",
                    },
                },
                "Email": None,
                "HasOptedOutOfEmail": False,
                "Trial_Started__c": "2026-11-19T23:30:00.000+0000",
                "Need_Date__c": None,
                "SystemModstamp": "2026-11-20T12:00:00.000+0000",
                "ReportsTo": None,
            }
        ],
    }


def test_whom_an_activity_is_about_has_a_type(org):
    rows = first_page(org, "SELECT Who.Type, Who.Id FROM Task")["records"]
    assert [row["Who"]["Type"] for row in rows] == ["Lead", "Contact"]
    assert rows[0]["Who"]["attributes"]["type"] == "Name"


UNKNOWN = (
    "If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. "
    "Please reference your WSDL or the describe call for the appropriate names."
)


@pytest.mark.parametrize(
    ("soql", "code", "said"),
    [
        (
            "SELECT BAD FROM Lead",
            "INVALID_FIELD",
            "\nSELECT BAD FROM Lead\n       ^\nERROR at Row:1:Column:8\nNo such column 'BAD' on entity 'Lead'. "
            + UNKNOWN,
        ),
        ("SELECT Id FROM Lead WHERE Bad = 1", "INVALID_FIELD", "Column:27\nNo such column 'Bad' on entity 'Lead'."),
        ("SELECT Id FROM Lead ORDER BY Bad", "INVALID_FIELD", "Column:30\nNo such column 'Bad' on entity 'Lead'."),
        ("SELECT Owner.Bad FROM Contact", "INVALID_FIELD", "No such column 'Bad' on entity 'User'."),
        ("SELECT Account.Name FROM Lead", "INVALID_FIELD", "Didn't understand relationship 'Account' in field path."),
        ("SELECT Who.Company FROM Task", "INVALID_FIELD", "No such column 'Company' on entity 'Name'."),
        ("SELECT Who.Account.Name FROM Task", "INVALID_FIELD", "Didn't understand relationship 'Account'"),
        ("SELECT Id FROM Leads", "INVALID_TYPE", "Column:16\nsObject type 'Leads' is not supported."),
        ("SELECT Id, id FROM Lead", "INVALID_FIELD", "duplicate field selected: Id"),
        (
            "SELECT Id FROM Lead WHERE SystemModstamp > '2026-11-20T10:00:00Z'",
            "INVALID_FIELD",
            "criterion for field 'SystemModstamp' must be of type dateTime and should not be enclosed in quotes",
        ),
        ("SELECT Id FROM Lead WHERE SystemModstamp > 2026-11-20", "INVALID_FIELD", "must be of type dateTime"),
        (
            "SELECT Id FROM Lead WHERE Need_Date__c > '2026-11-20'",
            "INVALID_FIELD",
            "must be of type date and should not",
        ),
        ("SELECT Id FROM Lead WHERE LastName = 5", "INVALID_FIELD", "must be of type string and should be enclosed in"),
        ("SELECT Id FROM Lead WHERE LastName = TODAY", "INVALID_FIELD", "must not be a date"),
        ("SELECT Id FROM Lead WHERE Budget__c = '5'", "INVALID_FIELD", "must be of type double"),
        ("SELECT Id FROM Lead WHERE NumberOfEmployees IN (5, 'x')", "INVALID_FIELD", "must be of type int"),
        ("SELECT Id FROM Lead WHERE IsDeleted = 'false'", "INVALID_FIELD", "must be of type boolean"),
        (
            "SELECT Id FROM Lead WHERE IsDeleted > true",
            "INVALID_QUERY_FILTER_OPERATOR",
            "invalid operator on boolean field",
        ),
        ("SELECT Id FROM Lead WHERE Id LIKE '00Q%'", "INVALID_QUERY_FILTER_OPERATOR", "invalid operator on id field"),
        ("SELECT Id FROM Lead WHERE OwnerId = 'jane'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: jane"),
        (
            "SELECT Id FROM Lead WHERE Leadmark_Reasons__c != null",
            "INVALID_FIELD",
            "can not be filtered in a query call",
        ),
        ("SELECT Id FROM Lead ORDER BY Leadmark_Reasons__c", "INVALID_FIELD", "can not be sorted in a query call"),
        ("SELECT Id FROM Lead OFFSET 2000", "MALFORMED_QUERY", "unexpected token: 'OFFSET'"),
    ],
)
def test_what_cannot_be_asked_is_refused(org, soql, code, said):
    with pytest.raises(Refused) as refused:
        first_page(org, soql)
    assert refused.value.code == code
    assert said in refused.value.message


@pytest.mark.parametrize(
    "soql",
    [
        "SELECT Budget__c FROM Lead",
        "SELECT Id FROM Lead WHERE Budget__c = 1",
        "SELECT Id FROM Lead ORDER BY Budget__c",
    ],
)
def test_a_hidden_field_is_refused_as_if_it_were_not_there(soql):
    org = new_org()
    assert first_page(org, soql)["done"]
    org.objects["Lead"].fields["Budget__c"].readable = False
    with pytest.raises(Refused) as hidden:
        first_page(org, soql)
    del org.objects["Lead"].fields["Budget__c"]
    with pytest.raises(Refused) as missing:
        first_page(org, soql)
    assert hidden.value.message == missing.value.message
    assert hidden.value.code == missing.value.code == "INVALID_FIELD"


def test_deleted_and_archived_rows_are_for_query_all():
    org = new_org()
    gone = org.create("Lead", {"LastName": "Gone"})
    org.create("Lead", {"LastName": "Here"})
    org.delete("Lead", gone.id)
    assert names(org) == ["Here"]
    assert names(org, all_rows=True) == ["Gone", "Here"]
    assert names(org, "IsDeleted = true") == []
    assert names(org, "IsDeleted = true", all_rows=True) == ["Gone"]
    old = org.create("Task", {"Subject": "Old", "Status": "Completed", "ActivityDate": "2025-01-02"})
    old.archived = True
    assert names(org, object_="Task", field="Subject") == []
    assert names(org, "IsDeleted = false", object_="Task", field="Subject", all_rows=True) == ["Old"]


def test_a_change_is_seen_when_its_commit_lag_is_over():
    org = new_org()
    lead = org.create("Lead", {"LastName": "Before"})
    org.commit_lag_s = 90
    org.clock.advance(60)
    org.edit("Lead", lead.id, {"LastName": "After"})
    org.create("Lead", {"LastName": "New"})
    now = "2026-11-20T12:01:00Z"
    assert names(org) == ["Before"]
    assert names(org, f"SystemModstamp >= {now}") == []
    org.clock.advance(89)
    assert names(org) == ["Before"]
    org.clock.advance(1)
    assert names(org, f"SystemModstamp = {now}") == ["After", "New"]  # an older stamp has appeared


def test_a_parent_in_the_recycle_bin_is_for_query_all():
    org = new_org()
    owner = org.create("Campaign", {"Name": "Fair"})
    member = org.create("CampaignMember", {"CampaignId": owner.id})
    org.change("Campaign", owner, {}, deleted=True)
    soql = f"SELECT Campaign.Name FROM CampaignMember WHERE Id = '{member.id}'"
    assert first_page(org, soql)["records"][0]["Campaign"] is None
    assert first_page(org, soql, all_rows=True)["records"][0]["Campaign"]["Name"] == "Fair"


def filled(people):
    org = new_org()
    now_ms = org.clock.now_ms()
    for number in range(people):
        # ten rows share a stamp
        values = {"LastName": f"Person {number}", "Email": f"p{number}@acme.example", "Status": "Open"}
        org.create("Lead", values, created_ms=now_ms - DAY_MS, stamp_ms=now_ms - 10_000_000 + number // 10 * 1000)
    return org


def pages(org, soql, **how):
    page = first_page(org, soql, **how)
    found = [page]
    while not page["done"]:
        page = next_page(org, page["nextRecordsUrl"].rpartition("/")[2])
        found.append(page)
    return found


@given(st.integers(0, 1300), st.integers(1, 2500))
def test_pages_together_are_the_whole(people, asked):
    org = ORG_OF_1300
    got = pages(
        org,
        f"SELECT Id FROM Lead ORDER BY Id LIMIT {people}" if people else "SELECT Id FROM Campaign",
        batch_size=asked,
    )
    ids = [row["Id"] for page in got for row in page["records"]]
    assert ids == list(org.rows["Lead"])[:people]
    rows = min(max(asked, 200), 2000)
    assert [len(page["records"]) for page in got[:-1]] == [rows] * (len(got) - 1)
    assert {page["totalSize"] for page in got} == {people}


ORG_OF_1300 = filled(1300)


def test_short_pages_are_the_orgs_choice():
    org = filled(20)
    org.page_rows = 7
    got = pages(org, "SELECT Id FROM Lead", batch_size=2000)
    assert [len(page["records"]) for page in got] == [7, 7, 6]
    assert got[0]["nextRecordsUrl"].startswith("/services/data/v66.0/query/0r8")
    locator = got[0]["nextRecordsUrl"].rpartition("/")[2]
    assert len(locator.rpartition("-")[0]) == 18
    assert next_page(org, locator) == got[1]


def test_later_pages_show_what_was_found_first():
    org = filled(5)
    org.page_rows = 3
    first = first_page(org, "SELECT LastName, IsDeleted FROM Lead ORDER BY LastName")
    rows = list(org.rows["Lead"].values())
    org.edit("Lead", rows[4].id, {"LastName": "Aardvark"})
    org.delete("Lead", rows[3].id)
    org.create("Lead", {"LastName": "Abel"})
    second = next_page(org, first["nextRecordsUrl"].rpartition("/")[2])
    assert [(row["LastName"], row["IsDeleted"]) for row in second["records"]] == [
        ("Person 3", False),
        ("Person 4", False),
    ]


@pytest.mark.parametrize(
    "locator", ["", "0r85g0000000001EAA-200", "nonsense", "{0}", "{0}-", "{0}-x", "{0}-0", "{0}-99"]
)
def test_a_bad_locator_is_refused(locator):
    org = filled(5)
    org.page_rows = 3
    good = first_page(org, "SELECT Id FROM Lead")["nextRecordsUrl"].rpartition("/")[2].partition("-")[0]
    locator = "0r8AAAAAAAAAAAAAAA-3" if locator.startswith("0r8") else locator.format(good)
    with pytest.raises(Refused, match="invalid query locator") as refused:
        next_page(org, locator)
    assert refused.value.code == "INVALID_QUERY_LOCATOR"


def test_a_locator_lives_two_days():
    org = filled(5)
    org.page_rows = 3
    locator = first_page(org, "SELECT Id FROM Lead")["nextRecordsUrl"].rpartition("/")[2]
    org.clock.advance(2 * 86400)
    assert next_page(org, locator)["done"]
    org.clock.advance(1)
    with pytest.raises(Refused, match="invalid query locator"):
        next_page(org, locator)


def test_a_page_of_many_is_quick():
    """Generous for a slow machine: about 60 ms here."""
    org = filled(20_000)
    soql = (
        "SELECT Id, LastName, Email, Status, Budget__c, CreatedDate, SystemModstamp FROM Lead WHERE "
        "SystemModstamp >= 2026-11-20T09:15:00Z ORDER BY SystemModstamp, Id"
    )
    started = process_time()
    page = first_page(org, soql)
    took = process_time() - started
    assert page["totalSize"] == 19_000
    assert took < 1
