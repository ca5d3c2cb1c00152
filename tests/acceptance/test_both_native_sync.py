"""HubSpot's own Salesforce sync beside leadmark: what it logs counts once, what it copies of ours sets nothing off.

Its switch is the emulator's; it works as ``hubspot.sync@acme.example`` when it is run.
"""

import pytest

from tests.acceptance.conftest import BOTH

SYNC_USER = "hubspot.sync@acme.example"
#: our fields, as an admin may have mapped them in that sync against advice
MAPPED = {f"leadmark_{name}": f"Leadmark_{name.title()}__c" for name in ("score", "tier", "mql_status")}
#: a kind of activity read from Salesforce's tasks, where reps log what leads write to them, and that sync logs again
NOTED = {"from": "Task", "where": {"Type": ["Email", "Other"]}, "not_created_by": [SYNC_USER]}
RULE = {"activity": "noted", "points": 25, "label": "Noted by a rep"}


def pair(both, **values):
    """A buyer as contact of HubSpot and lead of Salesforce, linked."""
    company = both.company(name="Firm", industry="COMPUTER_SOFTWARE", numberofemployees="120")
    lead = both.sf.lead(Email="ann@firm.example", Title="VP Sales", Company="Firm", NumberOfEmployees=120, **values)
    contact = both.add(
        email="ann@firm.example", jobtitle="VP Sales", associatedcompanyid=company, salesforceleadid=lead
    )
    return contact, lead


def native_sync(both, **how):
    """One run of it."""
    return both.http("POST", "/_emulator/native-sync", how)


def engagement(both, contact):
    return both.explained("hubspot")[contact].get("leadmark_engagement")


@pytest.mark.parametrize("left_out", [True, False], ids=["its tasks left out", "its tasks taken for a rep's"])
def test_a_click_that_it_logs_in_salesforce_counts_once(portals, left_out):
    noted = NOTED if left_out else {**NOTED, "not_created_by": []}
    both = portals(crms=BOTH, salesforce={"activities": {"noted": noted}})
    both.configure(model={"engagement": {"talks": {"rules": {"noted": RULE}}}})
    contact, lead = pair(both)
    native_sync(both)
    for _ in range(2):
        both.happen(kind="email_event", type="CLICK", campaign=9001, contact=contact)
        both.happen(kind="form_submission", form="whitepaper", contact=contact)
    both.reach()
    once = int(engagement(both, contact))
    assert once > 0
    assert native_sync(both)["tasks"] == 4
    both.reach()
    if left_out:
        assert int(engagement(both, contact)) == once
        for _ in range(3):
            both.advance(minutes=2)
            native_sync(both)
            assert [one.scored for one in both.reach().connections.values()] == [0, 0]
        # what a person logs by hand counts
        both.sf.add("Task", WhoId=lead, Type="Email", Status="Completed", Priority="Normal", ActivityDate="2026-11-20")
        both.reach()
    assert int(engagement(both, contact)) >= once + 20


def test_a_call_that_both_crms_know_is_read_from_one_of_them(both):
    """The starter for both reads calls in Salesforce, so that one logged in HubSpot counts through the sync, once."""
    contact, _ = pair(both)
    native_sync(both)
    both.happen(kind="call", contact=contact, properties={"hs_call_direction": "INBOUND"})
    both.reach()
    assert engagement(both, contact) == "0"
    native_sync(both)
    both.reach()
    once = int(engagement(both, contact))
    assert once >= 19
    native_sync(both)
    both.reach()
    assert int(engagement(both, contact)) == once


def shown(both, contact, lead):
    """Our mapped fields on both sides."""
    here, there = both.contact(contact), both.sf.held(lead)
    return {name: here.get(name) for name in MAPPED}, {name: _text(there.get(field)) for name, field in MAPPED.items()}


def _text(value):
    return None if value is None else f"{value:g}" if isinstance(value, float | int) else str(value)


@pytest.mark.parametrize(
    ("policy", "late", "remark"),
    [
        ("overwrite", False, "the copy is what stands there already"),
        ("keep", False, "the same"),
        ("overwrite", True, "the copy is our value before"),
        ("keep", True, "our own value before is nobody's edit"),
    ],
)
def test_an_echo_of_our_fields_is_no_edit_and_ends_after_one_pass(portals, policy, late, remark):
    """Both CRMs are written, and the sync carries what is written there to the other, at once or a run late."""
    policies = {"write": {"fields": {"b2b": {"policy": dict.fromkeys(("score", "tier", "mql_status"), policy)}}}}
    both = portals(crms=BOTH, connection=policies, salesforce=policies)
    contact, lead = pair(both)
    native_sync(both, **{"late_fields" if late else "fields": MAPPED})
    both.reach()
    copied = 0
    for title in (
        "Student",
        "Sales Director",
        "VP Sales",
        "Student",
        "Sales Director",
    ):  # none has the one's before last
        both.edit(contact, jobtitle=title)
        both.reach()
        said = {name: both.explained("hubspot")[contact].get(name) for name in MAPPED}
        assert shown(both, contact, lead) == (said, said), (title, remark)
        report = native_sync(both)
        copied += report["to_hubspot"] + report["to_salesforce"]
    assert bool(copied) == late, "a copy was stale when it arrived"
    both.reach(minutes=20)  # the one pass in which what was copied is mended
    native_sync(both)
    both.reach(minutes=20)
    native_sync(both)
    both.reach(minutes=20)
    with both.writes() as here, both.sf.writes() as there:
        for _ in range(4):
            report = native_sync(both)
            both.reach(minutes=20)
            assert report["to_hubspot"] + report["to_salesforce"] == 0
    assert (here, there) == ([], [])
    said = {name: both.explained("hubspot")[contact].get(name) for name in MAPPED}
    assert shown(both, contact, lead) == (said, said)


@pytest.mark.parametrize("policy", ["overwrite", "keep"])
def test_what_is_written_to_one_crm_only_is_carried_by_it(portals, policy):
    """The other way that is advised: leadmark writes to HubSpot, the sync takes it on to Salesforce."""
    policies = {"write": {"fields": {"b2b": {"policy": dict.fromkeys(("score", "tier", "mql_status"), policy)}}}}
    both = portals(crms=BOTH, connection=policies, salesforce={"write": {"mode": "shadow"}})
    contact, lead = pair(both)
    native_sync(both, fields=MAPPED)
    for title in ("VP Sales", "Student", "CEO"):
        both.edit(contact, jobtitle=title)
        with both.sf.writes() as there:
            for _ in range(3):
                both.advance(minutes=20)
                assert both.sync().connections["hubspot"].state == "ok"
                native_sync(both)
        assert there == []
        here, carried = shown(both, contact, lead)
        assert here == carried
        assert (here["leadmark_tier"] == "F") == (title == "Student")
    with both.writes() as here:
        for _ in range(3):
            both.advance(minutes=20)
            both.sync()
            assert native_sync(both)["to_salesforce"] == 0
    assert here == []
