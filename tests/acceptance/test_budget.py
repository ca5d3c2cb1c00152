"""The calls of a pass: as few as the design promises, and as many as the plan announced and the report says.

What stands here is the design's table of calls, not what the code says of itself.
"""

from collections import Counter
from math import ceil

import pytest

#: the starter reads owners, companies, contacts, deals, five forms, mail events, two lists, emails, calls, meetings
STREAMS = 15


def calls(seen):
    """How many requests of which kind, by the last parts of their paths."""
    return Counter("/".join(entry.target.partition("?")[0].split("/")[-2:]) for entry in seen)


def observed(portal, **options):
    """A pass: its report and its requests, of which the report must tell the number."""
    with portal.requests() as seen:
        report = portal.run(**options)
    assert report.calls == len(seen)
    return report, seen


def still(portal):
    """Goes on until nothing of the past is read again, not even by the hourly sweep."""
    portal.live()
    for hours in (3, 1.5):
        portal.advance(hours=hours)
        assert portal.run().written == 0
    portal.advance(minutes=2)


def test_an_idle_pass_makes_one_call_per_mapped_stream(portals):
    portal = portals(250)
    still(portal)
    for _ in range(3):
        report, seen = observed(portal)
        assert (report.pulled, report.state) == (3, "ok")  # the owners, who are read each time
        assert len(seen) == STREAMS
        portal.advance(minutes=2)


def test_the_hourly_sweep_and_the_hourly_definitions_are_all_that_is_added(portals):
    portal = portals(250)
    still(portal)
    portal.advance(hours=1)
    _, seen = observed(portal)
    # account details and three descriptions are asked for again once an hour; the sweep is the same search, but longer
    assert len(seen) == STREAMS + 4
    portal.advance(minutes=5)
    assert len(observed(portal)[1]) == STREAMS


def test_a_day_later_the_archived_records_are_listed_too(portals):
    portal = portals(30)
    still(portal)
    portal.advance(days=1)
    report, seen = observed(portal, push=False)
    archived = [entry for entry in seen if "archived=True" in entry.target]
    assert len(archived) == 7  # owners, companies, contacts, deals, emails, calls, meetings
    assert report.state == "planned"


@pytest.mark.parametrize("version", ["2026-09", "legacy"])
def test_a_first_pass_lists_a_hundred_records_a_call(portals, version):
    portal = portals(450, connection={"api_version": version})
    contacts, companies = (len(list(portal.world.tables[kind].live())) for kind in ("contacts", "companies"))
    with portal.requests() as seen:
        portal.run()
    listed = Counter()
    for entry in seen:
        if entry.method == "GET" and "/objects/" in entry.target:
            path = entry.target.partition("?")[0]
            listed["contacts" if "contacts" in path else "companies" if "companies" in path else "others"] += 1
    assert (listed["contacts"], listed["companies"]) == (ceil(contacts / 100), ceil(companies / 100))


@pytest.mark.parametrize("changed", [1, 200, 201, 450])
def test_changes_cost_a_search_per_two_hundred(portals, changed):
    """Pages overlap by one row, which shows that nothing moved between them."""
    portal = portals(500, connection={"write": {"mode": "shadow"}})
    portal.run()
    for hours in (3, 1.5):
        portal.advance(hours=hours)
        portal.run()
    for contact in sorted(portal.contacts(), key=int)[:changed]:
        portal.edit(contact, country="Chile")
    portal.advance(seconds=30)
    _, seen = observed(portal)
    assert len(seen) - STREAMS == ceil(max(0, changed - 200) / 199)


@pytest.mark.parametrize("written", [1, 100, 230])
def test_writes_cost_a_call_per_hundred_as_the_plan_announces(portals, written):
    portal = portals(240)
    still(portal)
    for contact in sorted(portal.contacts(), key=int)[:written]:
        portal.edit(contact, leadmark_tier="Z9")
    portal.advance(seconds=30)
    plan = portal.sync(push=False).plans["hubspot"]
    push_size = portal.runtime.connections[0].connector.push_size
    assert plan.calls(push_size) == ceil(written / 100)

    with portal.requests() as seen:
        assert portal.live().written == written  # above a hundred the guard asks first
    assert calls(seen)["batch/update"] == ceil(written / 100)


def test_after_writes_comes_the_echo_and_nothing_else(portals):
    portal = portals(240)
    portal.live()
    portal.advance(minutes=1)
    _, seen = observed(portal)
    assert len(seen) == STREAMS + 1  # 240 contacts are two searches
    assert calls(seen)["contacts/search"] == 2
    assert calls(seen)["batch/update"] == 0


def test_an_echo_that_search_never_shows_costs_a_read_by_id_per_hundred_once(portals):
    portal = portals(240)
    portal.world.index_lag_s = 36_000
    portal.live()
    portal.advance(minutes=16)
    _, seen = observed(portal)
    assert calls(seen)["batch/read"] - _associations(seen) == ceil(240 / 100)
    portal.advance(minutes=16)
    _, seen = observed(portal)
    assert calls(seen)["batch/read"] - _associations(seen) == 0
    assert len(seen) == STREAMS + _associations(seen)


def _associations(seen):
    return sum("associations" in entry.target for entry in seen)


def test_reading_by_id_moves_no_cursor(portals):
    """A pass after it reads what changed, not everything."""
    portal = portals(120)
    portal.world.index_lag_s = 36_000
    portal.live()
    portal.advance(minutes=16)
    observed(portal)
    portal.advance(minutes=2)
    report, _ = observed(portal)
    assert report.pulled < 120
