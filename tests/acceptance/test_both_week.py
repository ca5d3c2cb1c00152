"""A week of people, sales and HubSpot's own sync in both CRMs: what stands there in the end, what was left alone."""

import pytest

from sync.store import tables
from tests.acceptance.conftest import BOTH
from tests.acceptance.test_both_people import unwritten
from tests.acceptance.test_reconcile import Week
from tests.acceptance.test_salesforce_reconcile import Weeks

#: a change of these is never held back
LOUD = ("grade", "tier", "mql_status", "mql_since", "first_mql_on")


def dead(both):
    """Ids of people's records that leadmark knows to be deleted, merged away or converted."""
    gone = tables.record.c.state.in_(("deleted", "merged", "converted"))
    return {row.crm_id for row in both.rows(tables.record, gone, tables.record.c.person.is_not(None))}


@pytest.mark.parametrize("seed", [5, 6, 15])
def test_after_a_week_in_both_fields_are_what_is_explained_and_the_dead_are_left_alone(portals, seed):
    both = portals(60, crms=BOTH, org_people=60, seed=seed)
    both.live_everywhere()
    both.http("POST", "/_emulator/native-sync", {})
    here, there = Week(both, seed), Weeks(both, seed)

    def work():
        known = dead(both)
        with both.writes() as to_hubspot, both.sf.writes() as to_org:
            both.live_everywhere()
        assert not known & dead(both) & {id_ for id_, _ in [*to_hubspot, *to_org]}

    for _ in range(7):
        for _ in range(5):
            both.advance(seconds=here.chance.randrange(60, 1400))
            here.something()
            there.something()
        both.http("POST", "/_emulator/native-sync", {})
        both.advance(seconds=60)
        work()
        both.advance(hours=20)
    work()
    both.advance(hours=3)
    work()

    said = {crm: both.explained(crm) for crm in BOTH}
    held = {"hubspot": both.contacts(), "salesforce": both.sf.shown()}
    for crm in BOTH:
        assert said[crm].keys() == held[crm].keys()
        names = [f"leadmark_{name}" if crm == "hubspot" else f"Leadmark_{name.title()}__c" for name in LOUD]
        others = unwritten(both, crm)
        astray = {
            id_: (held[crm][id_], said[crm][id_])
            for id_ in said[crm].keys() - others
            if any(held[crm][id_].get(name) != said[crm][id_].get(name) for name in names)
        }
        assert astray == {}
        assert len(others) <= len(said[crm]) // 5
    with both.writes() as to_hubspot, both.sf.writes() as to_org:
        both.sync(full=True)
        both.reach()
    # of whom a merge joined to one who was not to be profiled, more is read anew than was kept
    person = {row.crm_id: row.person for row in both.rows(tables.record) if row.person is not None}
    merged = {person[id_] for id_ in there.merged & person.keys()}
    assert {id_ for id_, _ in [*to_hubspot, *to_org] if person[id_] not in merged} == set()
    # read anew, the same persons and the same scores
    afresh = both.explained_afresh("salesforce")
    assert afresh.keys() == said["salesforce"].keys()
    different = [
        (id_, name, said["salesforce"][id_].get(name), afresh[id_].get(name))
        for id_ in afresh
        if person[id_] not in merged
        for name in ("Leadmark_Fit__c", "Leadmark_Grade__c", "Leadmark_Disqualified_By__c")
        if said["salesforce"][id_].get(name) != afresh[id_].get(name)
    ]
    assert not different, different
