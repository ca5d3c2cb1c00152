"""The calls of a pass over an org: as few as the design promises, and as many as plan and report tell.

What stands here is the design's table of calls, not what the code says of itself.
"""

from collections import Counter
from math import ceil

import pytest

from tests.acceptance import orgs

#: see test_salesforce_reconcile
STREAMS = 11
#: once an hour: the org itself, and the description of user, individual, account, lead and contact
HOURLY = 6


def kinds(seen):
    """How many requests of which kind: write, query (of an object), others by the last part of their path."""
    found = Counter()
    for entry in seen:
        path, _, query = entry.target.partition("?")
        name = query.partition("FROM+")[2].partition("+")[0] if "query" in path else path.rpartition("/")[2]
        found["write" if orgs.is_write(entry) else name] += 1
    return found


def observed(one, **options):
    """A pass: its report and its requests, of which the report must tell the number."""
    with one.requests() as seen:
        report = one.run(**options)
    assert (report.calls, report.state) == (len(seen), "planned" if options else "ok")
    return report, seen


def still(one):
    """Goes on until nothing of the past is read again, not even by the hourly sweep."""
    one.live()
    for hours in (3, 1.5):
        one.advance(hours=hours)
        assert one.run().written == 0
    one.advance(minutes=2)


def test_an_idle_pass_makes_one_call_per_mapped_stream_and_once_an_hour_looks_at_the_org(portals):
    one = portals(crms=("salesforce",), org_people=150)
    still(one)
    for _ in range(2):
        report, seen = observed(one)
        assert (report.pulled, report.scored, len(seen)) == (0, 0, STREAMS)
        assert max(kinds(seen).values()) == 1
        one.advance(minutes=2)
    one.advance(hours=1)
    assert len(observed(one)[1]) == STREAMS + HOURLY
    one.advance(days=1)
    assert len(observed(one, push=False)[1]) == STREAMS + HOURLY


@pytest.mark.parametrize(("rows", "changed"), [(0, 230), (100, 230), (200, 200)])
def test_changes_cost_a_call_per_page(portals, rows, changed):
    """A page is what the org gives: at most two thousand rows, here fewer."""
    one = portals(crms=("salesforce",), org_people=10, salesforce={"write": {"mode": "shadow"}})
    for number in range(changed):
        one.sf.org.create("Lead", {"LastName": f"N{number}", "Company": "Firm", "Status": "Open - Not Contacted"})
    one.sf.kept.keep()
    one.run()
    for hours in (3, 1.5):
        one.advance(hours=hours)
        one.run()
    one.sf.settings(page_rows=rows)
    for row in [row for row in one.sf.org.live("Lead") if row.values.get("Company") == "Firm"]:
        one.sf.org.edit("Lead", row.id, {"Country": "Chile"})
    one.sf.kept.keep()
    one.advance(seconds=30)
    with one.requests() as seen:
        assert one.run().pulled == changed
    assert len(seen) == STREAMS - 1 + (ceil(changed / rows) if rows else 1)


@pytest.mark.parametrize(("leads", "contacts"), [(1, 0), (200, 0), (201, 0), (150, 40), (230, 201)])
def test_writes_cost_a_call_per_two_hundred_of_an_object_as_the_plan_announces(portals, leads, contacts):
    one = portals(crms=("salesforce",))
    ids = []
    for object_, count in (("Lead", leads), ("Contact", contacts)):
        values = {"LastName": "Unknown", **({"Company": "Firm"} if object_ == "Lead" else {})}
        ids += [one.sf.org.create(object_, values).id for _ in range(count)]
    one.sf.kept.keep()
    expected = ceil(leads / 200) + ceil(contacts / 200)
    plan = one.sync(push=False).plans["salesforce"]
    assert plan.calls(one.runtime.connections[0].connector.push_size) == expected
    with one.requests() as seen, one.sf.writes() as writes:
        assert one.live().written == leads + contacts
    assert kinds(seen)["write"] == expected
    assert sorted(id_ for id_, _ in writes) == sorted(ids)
    # then comes the echo, in the same calls as if nothing had been written
    one.advance(minutes=1)
    report, seen = observed(one)
    users = 3  # as new as they are
    assert (len(seen), report.pulled, report.planned) == (STREAMS, leads + contacts + users, 0)


def test_both_crms_cost_what_each_costs(portals):
    """Nothing is asked of one because of the other."""
    one = portals(60, crms=("hubspot", "salesforce"), org_people=60)
    still(one)
    with one.requests() as seen:
        reports = one.sync().connections
    asked = Counter("salesforce" if orgs.is_salesforce(entry) else "hubspot" for entry in seen)
    # calls and meetings are read in Salesforce alone
    assert asked == {"salesforce": STREAMS, "hubspot": 12}
    assert {name: report.calls for name, report in reports.items()} == asked
