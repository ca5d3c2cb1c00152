"""What the org will not take or no longer shows, and what leadmark makes of it."""

import pytest

from sync.store import tables
from tests.acceptance import orgs

CONCURRENT = "ConcurrentRequests (Concurrent API Requests) Limit exceeded."
TOTAL = "TotalRequests Limit exceeded."
UPDATE = {"method": "PATCH", "path": orgs.WRITE}


def limit(message, times=1, **match):
    """The fault: too many calls, in these words."""
    body = [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": message}]
    return {"match": {"path": "/services/data", **match}, "times": times, "do": {"status": 403, "body": body}}


def crowd(one, count):
    """So many leads of one company."""
    found = [
        one.sf.org.create("Lead", {"LastName": f"N{n}", "Company": "Firm", "Country": "Norway"}).id
        for n in range(count)
    ]
    one.sf.kept.keep()
    return found


def empty(one):
    """The people who hold none of our fields."""
    return sorted(id_ for id_, fields in one.sf.shown().items() if not fields)


def refuse(one, id_, code, message="", **more):
    rule = {"object": "Lead", "id": id_, "action": "refuse", "code": code, "message": message or code, **more}
    one.sf.org.rules.rules.append(orgs.rule(**rule))


def quarantined(one):
    numbers = {row.number: row.crm_id for row in one.rows(tables.record)}
    return {(numbers[entry.record], entry.code) for entry in one.rows(tables.quarantine)}


# Rows


def test_refused_rows_do_not_stop_the_others_and_go_out_again_when_they_change(org):
    leads = crowd(org, 60)
    refuse(org, leads[41], "FIELD_CUSTOM_VALIDATION_EXCEPTION", "Leads of this region are frozen until March")
    tier = org.sf.org.objects["Lead"].fields["Leadmark_Tier__c"]
    refuse(org, leads[42], "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", property=tier.name)
    report = org.run()
    assert (report.state, report.planned, report.written, report.rejected) == ("ok", 60, 58, 2)
    assert empty(org) == leads[41:43]
    assert quarantined(org) == {
        (leads[41], "FIELD_CUSTOM_VALIDATION_EXCEPTION"),
        (leads[42], "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
    }
    (message,) = [entry.message for entry in org.rows(tables.quarantine) if entry.code.startswith("FIELD")]
    assert "frozen until March" in message

    # what was blamed is not sent again; what was not goes out without it
    with org.sf.writes() as writes:
        for _ in range(3):
            org.reach()
    assert [(id_, tier.name in fields) for id_, fields in writes] == [(leads[42], False)]
    org.no_faults()
    org.sf.org.rules.rules.clear()
    with org.sf.writes() as writes:
        org.reach()
        org.sf.edit(leads[41], Title="Student")
        org.sf.edit(leads[42], Title="Student")
        org.reach()
    assert sorted(id_ for id_, _ in writes) == leads[41:43]
    assert (quarantined(org), empty(org)) == (set(), [])


def test_a_picklist_that_lacks_our_words_blames_nobody_and_costs_a_call_a_pass(org):
    """The admin made a restricted picklist of the tier and forgot a value."""
    leads = crowd(org, 100)
    for object_ in orgs.PREFIXES:
        field = org.sf.org.objects[object_].fields["Leadmark_Tier__c"]
        field.type, field.restricted, field.values, field.length = "picklist", True, ("A1", "F"), 255
    with org.sf.writes() as writes:
        reports = [org.run()]
        for _ in range(3):
            org.advance(minutes=2)
            reports.append(org.run())
    assert {report.state for report in reports} == {"parked"}
    assert "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST" in reports[-1].reason
    assert (quarantined(org), len(writes)) == (set(), 4 * len(leads))


@pytest.mark.parametrize(("times", "written"), [(1, 30), (3, 30), (None, 29)])
def test_a_locked_row_is_tried_again_and_left_for_the_next_pass(org, times, written):
    leads = crowd(org, 30)
    words = "unable to obtain exclusive access to this record"
    refuse(org, leads[7], "UNABLE_TO_LOCK_ROW", words, times=times)
    with org.sf.writes() as writes:
        report = org.run()
    assert (report.state, report.written, report.rejected) == ("ok", written, 0)
    assert len(writes) == 30 + min(times or 3, 3)
    assert org.waiting.at_s > 0.4 * min(times or 3, 3)
    assert quarantined(org) == set()
    org.sf.org.rules.rules.clear()
    assert org.reach().connections["salesforce"].written == 30 - written
    assert empty(org) == []


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("CANNOT_EXECUTE_FLOW_TRIGGER", "Apex CPU time limit exceeded"),
        ("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "System.LimitException: Too many SOQL queries: 101"),
    ],
)
@pytest.mark.parametrize("bears", [150, 70, 12])
def test_a_flow_that_bears_few_rows_gets_fewer_and_only_the_guilty_row_is_blamed(org, code, message, bears):
    leads = crowd(org, 200)
    refuse(org, "*", code, message, above=bears)
    refuse(org, leads[13], code, "the flow fails over this lead alone")
    with org.requests() as seen:
        report = org.approved()["salesforce"]
    assert (report.state, report.written, report.rejected) == ("ok", 199, 1)
    assert (quarantined(org), empty(org)) == ({(leads[13], code)}, [leads[13]])
    assert sum(orgs.is_write(entry) for entry in seen) < 2 * 200 / (bears / 2) + 2 * 8
    # the size that works is remembered, once no row failed alone
    org.sf.org.rules.rules.pop()
    for title in ("Student", "Engineer"):
        for lead in leads:
            org.sf.org.edit("Lead", lead, {"Title": title})
        org.sf.kept.keep()
        org.advance(minutes=2)
        with org.requests() as seen:
            assert org.live().written == 200
    rows = [len(orgs.rows_of(entry)) for entry in seen if orgs.is_write(entry)]
    assert max(rows) <= bears
    assert len(rows) <= 200 / (bears / 2) + 1


def test_what_a_fifth_of_a_batch_shares_blames_our_fields_and_quarantines_nobody(org):
    leads = crowd(org, 100)
    for lead in leads[:21]:
        refuse(org, lead, "FIELD_FILTER_VALIDATION_EXCEPTION", "A lookup filter does not match")
    for _ in range(2):
        org.advance(minutes=2)
        report = org.run()
        assert (report.state, quarantined(org)) == ("parked", set())
        assert "20 %" in report.reason
        assert "FIELD_FILTER_VALIDATION_EXCEPTION" in report.reason
    assert len(empty(org)) == 21
    org.sf.org.rules.rules.clear()
    assert org.reach().connections["salesforce"].written == 21


# Fields and rights


def test_what_is_optional_and_hidden_is_reported_and_unknown(portals):
    one = portals(crms=("salesforce",))
    one.sf.settings(hidden=["Lead.HasOptedOutOfEmail", "Contact.Sales_Status__c"])
    lead = one.sf.lead(Title="VP Sales", HasOptedOutOfEmail=True)
    report = one.run()
    assert (report.state, report.written) == ("ok", 1)
    assert report.hidden == {"lead": ["HasOptedOutOfEmail"], "contact": ["Sales_Status__c"]}
    assert "disqualified_by" not in one.sf.ours(lead)


@pytest.mark.parametrize("name", ["Lead.Title", "Lead.HasOptedOutOfEmail", "Account.NumberOfEmployees"])
def test_an_input_that_vanishes_parks_and_rescores_nobody_optional_or_not(org, name):
    lead = org.sf.lead(Title="VP Sales", NumberOfEmployees=120, HasOptedOutOfEmail=True)
    org.settle()
    was = org.sf.shown()
    org.sf.settings(hidden=[name])
    org.sf.edit(lead, Country="Chile")
    with org.sf.writes() as writes:
        for minutes in (90, 24 * 60):
            org.advance(minutes=minutes)
            report = org.run()
            assert (report.state, report.scored, report.planned) == ("parked", 0, 0)
            assert name.partition(".")[2] in report.reason
    assert (writes, org.sf.shown()) == ([], was)
    org.sf.settings(hidden=[])
    org.advance(minutes=61)
    assert org.live().scored == 1


@pytest.mark.parametrize("how", ["gone", "readonly"])
def test_an_output_that_cannot_be_written_parks_and_quarantines_nobody(org, how):
    crowd(org, 3)
    org.reach()
    if how == "gone":
        for object_ in orgs.PREFIXES:
            del org.sf.org.objects[object_].fields["Leadmark_Tier__c"]
    else:
        org.sf.settings(readonly=["Lead.Leadmark_Tier__c"])
    org.advance(minutes=3)
    late = org.sf.lead(Title="Student")
    org.advance(minutes=2)
    report = org.run()
    assert (report.state, report.written) == ("parked", 0)
    assert "Leadmark_Tier__c" in report.reason
    assert quarantined(org) == set()
    assert org.sf.ours(late) == {}


# The org as a whole


@pytest.mark.parametrize(
    ("settings", "reason"),
    [({"id": "00D000000000001EAA"}, "00D5g000004XyzAEAS"), ({"production": True}, "test")],
    ids=["another org", "a sandbox where a production org is named"],
)
def test_another_org_is_refused_before_anything_is_read(portals, settings, reason):
    one = portals(crms=("salesforce",), org_people=5, salesforce={"org": settings})
    with one.requests() as seen:
        report = one.run()
    assert report.state == "parked"
    assert reason in report.reason
    assert [entry for entry in seen if "FROM" in entry.target and "Organization" not in entry.target] == []
    assert one.rows(tables.record) == []


@pytest.mark.parametrize("at", ["query", orgs.WRITE])
def test_a_token_that_expires_in_mid_pass_is_renewed_once(portals, at):
    one = portals(crms=("salesforce",), org_people=60)
    one.run(push=False)
    before = one.sf.org.tokens.logins
    expired = _Once(at, one.sf.org.tokens.expire)
    one.emulator.traffic.faults.append(expired)
    one.advance(minutes=2)
    report = one.live()
    assert (expired.struck, report.state, one.sf.org.tokens.logins) == (True, "ok", before + 1)
    assert one.explained() == one.sf.shown()


class _Once:
    """A fault that does something as a request arrives, and lets it pass."""

    def __init__(self, path, then):
        self.do: dict[str, str] = {}
        self.path, self.then, self.struck = path, then, False

    def strikes(self, method, target):
        if self.path in target and not self.struck:
            self.struck = True
            self.then()
        return False


def test_too_many_calls_at_once_are_waited_for(portals):
    one = portals(crms=("salesforce",), org_people=40)
    one.faults(limit(CONCURRENT, times=2), limit(CONCURRENT, times=2, method="PATCH"))
    assert one.live().state == "ok"
    assert one.waiting.at_s >= 10
    assert one.explained() == one.sf.shown()


@pytest.mark.parametrize("match", [{}, {"path": "Task"}, UPDATE], ids=["from the start", "while reading", "writing"])
def test_when_the_calls_of_the_day_are_used_up_the_connection_waits(portals, match):
    one = portals(crms=("salesforce",), org_people=40)
    one.faults(limit(TOTAL, times=None, **match))
    with one.requests() as seen:
        report = one.run()
    assert (report.state, report.written) == ("deferred_quota", 0)
    assert sum(entry.status == 403 for entry in seen) == 1
    assert "2026-11-20T11:00" in report.reason
    one.no_faults()
    one.advance(minutes=61)
    assert one.live().written == len(one.sf.shown()) - len(empty(one))


def test_our_own_share_of_the_calls_is_kept_and_what_others_use_counts(org):
    crowd(org, 5)
    org.reach()
    org.sf.org.allowance.per_day = 500  # our tenth: fifty
    passes = 0
    while (report := org.run()).state == "ok":
        org.advance(minutes=2)
        passes += 1
    assert report.state == "deferred_quota"
    assert passes <= 5
    made = sum(orgs.is_salesforce(entry) for entry in org.emulator.traffic.since(0))
    assert made <= 50 + 11
    org.advance(hours=25)
    org.sf.org.allowance.per_day = 100_000
    org.reach()
    org.sf.org.allowance.used_today = 80_000
    with org.requests() as seen:
        org.run()
        org.advance(minutes=2)
        report = org.run()
    assert (report.state, report.written) == ("deferred_quota", 0)
    assert len(seen) <= 3
