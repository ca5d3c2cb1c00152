"""What hangs on a person in an org: account, campaigns, tasks, opportunities; what becomes of it when they change."""

import pytest

from sync.store import tables

FITS = {"Title": "VP Sales", "Company": "Firm", "Industry": "Technology", "NumberOfEmployees": 120}


def engagement(one, id_):
    """As leadmark explains it now."""
    return int(one.explained()[id_]["Leadmark_Engagement__c"])


def status(one, id_):
    return one.sf.ours(id_)["mql_status"]


def test_an_account_that_changes_or_is_merged_rescores_its_people_and_nobody_else(org):
    account, other = (org.sf.account(Name=name, Industry="Retail", NumberOfEmployees=3) for name in ("A", "B"))
    people = [org.sf.contact(Title="VP Sales", AccountId=account) for _ in range(3)]
    elsewhere = org.sf.contact(Title="VP Sales", AccountId=other)
    org.settle()
    org.sf.edit(account, Industry="Technology", NumberOfEmployees=120)
    assert org.reach().scored == 3
    assert {org.sf.ours(id_)["grade"] for id_ in people} == {"A"}
    assert org.sf.ours(elsewhere)["grade"] != "A"
    org.sf.edit(other, Type="Customer - Direct")
    assert org.reach().scored == 1
    assert org.sf.ours(elsewhere)["disqualified_by"] == "Already a customer"
    org.sf.merge(account, other)
    org.reach()
    assert org.sf.ours(elsewhere)["grade"] == "A"
    assert org.reach(minutes=20).scored == 0


def test_a_campaign_that_is_renamed_or_a_member_who_responds_later_counts_as_it_reads_now(org):
    lead = org.sf.lead(**FITS)
    member = org.sf.responds(lead, "Newsletter", "Other", status="Sent")
    org.settle()
    assert engagement(org, lead) == 0
    org.sf.edit(member, Status="Responded")
    org.reach()
    assert engagement(org, lead) == 0  # no rule takes it
    (campaign,) = [row.id for row in org.sf.org.live("Campaign")]
    org.sf.edit(campaign, Name="Demo request", Type="Web Form")
    org.reach()
    assert engagement(org, lead) >= 59
    assert status(org, lead) == "MQL"
    org.sf.delete(member)
    org.reach()
    assert engagement(org, lead) == 0


def test_a_task_counts_once_it_is_done_for_whom_it_is_now_and_archived_too(org):
    ann, bo = org.sf.lead(LastName="A", **FITS), org.sf.lead(LastName="B", **FITS)
    task = org.sf.calls(ann, Status="Not Started")
    org.reach()
    assert (engagement(org, ann), engagement(org, bo)) == (0, 0)
    org.sf.edit(task, Status="Completed")
    org.reach()
    once = engagement(org, ann)
    assert once >= 19
    org.sf.edit(task, WhoId=bo)
    org.reach()
    assert (engagement(org, ann), engagement(org, bo)) == (0, once)
    org.sf.edit(task, CallType="Outbound")
    org.reach()
    assert engagement(org, bo) == 0
    # an event of last year is seen by queryAll alone, and is faint by now
    old = org.sf.meets(ann, StartDateTime="2025-11-10T09:00:00Z", ActivityDateTime="2025-11-10T09:00:00Z")
    org.http("POST", "/_emulator/archive", {"object": "Task"})
    assert org.sf.org.rows["Event"][old].archived
    org.reach()
    org.sync(full=True)
    timelines = [row.record for row in org.rows(tables.timeline)]
    (row,) = org.rows(tables.record, tables.record.c.crm_id == ann)
    assert row.number in timelines


@pytest.mark.parametrize(
    ("stage", "word", "remark"),
    [
        ("Closed Won", "Won", "the latest closed one counts"),
        ("Closed Lost", "Lost", "lost holds for half a year"),
    ],
)
def test_what_becomes_of_an_opportunity_is_sales_word(org, stage, word, remark):
    contact = org.sf.contact(Title="VP Sales", AccountId=org.sf.account(Industry="Technology", NumberOfEmployees=120))
    org.sf.responds(contact)
    org.reach()
    since = org.sf.ours(contact)["mql_since"]
    assert status(org, contact) == "MQL"
    org.advance(days=1)
    deal = org.sf.deal(contact)
    org.reach()
    assert status(org, contact) == "Accepted"
    org.sf.edit(deal, StageName=stage)
    org.reach()
    assert (status(org, contact), org.sf.ours(contact)["mql_since"]) == (word, since), remark
    org.sf.delete(deal)  # and its roles with it
    org.reach()
    assert status(org, contact) != word


def test_an_old_opportunity_of_a_merged_contact_stays_sales_word_on_the_one_it_became(org):
    """Salesforce moves the role to the winner without a stamp."""
    gone, stays = org.sf.contact(LastName="A", Title="VP Sales"), org.sf.contact(LastName="B", Title="VP Sales")
    deal = org.sf.deal(gone, "Closed Won")
    (role,) = [row.id for row in org.sf.org.live("OpportunityContactRole")]
    for id_ in (deal, role):
        org.sf.edit(id_, SystemModstamp="2026-08-01T10:00:00Z", CreatedDate="2026-08-01T10:00:00Z")
    org.settle()
    assert (status(org, gone), status(org, stays) == "Won") == ("Won", False)
    org.advance(days=2)
    org.sf.merge(stays, gone)
    org.reach()
    org.reach(minutes=20)
    assert status(org, stays) == "Won"
