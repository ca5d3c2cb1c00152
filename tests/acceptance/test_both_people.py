"""Many people, a third of them in both CRMs: one person is one person, and shows the same in both."""

from collections import Counter

import pytest

from sync.store import tables
from tests.acceptance import orgs
from tests.acceptance.conftest import BOTH


@pytest.mark.parametrize(
    "people",
    [1_350, pytest.param(13_350, marks=[pytest.mark.exhaustive, pytest.mark.timeout(900)])],
    ids=["2 000 persons", "20 000 persons"],
)
def test_after_the_first_pass_every_field_of_every_record_is_what_is_explained(portals, people):
    one = portals(people, crms=BOTH, org_people=people)
    with one.requests() as seen:
        stopped = one.sync().connections
    assert {report.state for report in stopped.values()} == {"stopped_by_guard"}
    for report in stopped.values():
        assert one.approve(report.code)
    with one.requests() as seen:
        written = one.sync()
    reports = written.connections
    assert [(report.state, report.rejected) for report in reports.values()] == [("ok", 0)] * 2
    # calls as announced: a hundred contacts of HubSpot in one, two hundred rows of an object of Salesforce
    sizes = {open_.settings.name: open_.connector.push_size for open_ in one.runtime.connections}
    asked = Counter("salesforce" if orgs.is_write(entry) else "hubspot" for entry in seen if _writes(entry))
    assert asked == {name: plan.calls(sizes[name]) for name, plan in written.plans.items()}

    said = {crm: one.explained(crm) for crm in BOTH}
    held = {"hubspot": one.contacts(), "salesforce": one.sf.shown()}
    assert len(said["hubspot"]) == len(list(one.world.tables["contacts"].live()))
    for crm in BOTH:
        assert said[crm].keys() == held[crm].keys()
        others = unwritten(one, crm)
        assert not any(held[crm][id_] for id_ in others)
        assert {id_: fields for id_, fields in held[crm].items() if id_ not in others} == {
            id_: fields for id_, fields in said[crm].items() if id_ not in others
        }

    rows = one.rows(tables.record, tables.record.c.person.is_not(None), tables.record.c.state == "live")
    crms: dict[int, set[str]] = {}
    for row in rows:
        crms.setdefault(row.person, set()).add(row.connection)
    shared = sum(len(of) == 2 for of in crms.values())
    assert 0.28 < shared / len(crms) < 0.36

    for minutes in (2, 20):
        one.advance(minutes=minutes)
        with one.writes() as here, one.sf.writes() as there:
            again = one.sync().connections
        assert (here, there) == ([], [])
        assert [(report.state, report.scored, report.planned) for report in again.values()] == [("ok", 0, 0)] * 2


def _writes(entry):
    return orgs.is_write(entry) or entry.target.endswith("/batch/update")


def unwritten(one, crm):
    """Ids of records of people who have several here, and that no other CRM links to while another one is."""
    if crm == "hubspot":
        return set()
    live = {row.number for row in one.rows(tables.record, tables.record.c.state == "live")}
    linked = {row.crm_id for row in one.rows(tables.link) if row.record in live}
    linked |= {row.into_id for row in one.rows(tables.alias) if row.crm_id in linked}
    of: dict[int, list[str]] = {}
    people = tables.record.c.person.is_not(None)
    for row in one.rows(tables.record, people, tables.record.c.connection == crm, tables.record.c.state == "live"):
        of.setdefault(row.person, []).append(row.crm_id)
    found = set()
    for ids in of.values():
        named = [id_ for id_ in ids if id_ in linked]
        if len(ids) > 1:
            found |= set(ids) - set(named or [min(ids, key=lambda id_: (id_.startswith("00Q"), id_))])
    return found
