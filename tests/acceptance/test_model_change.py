"""A change of the model in a portal's life: it waits, shows its impact, is approved, and alerts nobody."""

from collections import Counter

from scoring.digests import model_digest
from sync.answers.simulate import side_in_force, side_of, simulate
from sync.app import Quiet
from sync.store import tables

#: who they are is enough
SOFTER = {"mql": {"needs": {"grade": "B or better", "engagement": None}, "leave_below": None}}


def approve(portal):
    """Puts the model of the folder into approvals.yaml, as its last entry."""
    digest = model_digest(portal.runtime.settings.models["b2b"])
    file = portal.folder / "approvals.yaml"
    before = file.read_text() if file.exists() else "approved:\n"
    file.write_text(f"{before}  - {{model: b2b, digest: {digest}, sales: Jo Roe, on: 2026-11-20}}\n")
    portal.reopen()


def impact(portal):
    settings, store = portal.runtime.settings, portal.runtime.store
    with store.look() as tx:
        here = side_in_force(tx, settings)
    return simulate(
        store,
        here,
        side_of(settings),
        models=["b2b"],
        limit=5,
        push_sizes={"hubspot": 100},
        now=portal.world.clock.now(),
        progress=Quiet(),
    )


def statuses(portal):
    return Counter(fields.get("leadmark_mql_status") for fields in portal.contacts().values())


def test_a_model_waits_shows_its_impact_and_once_approved_changes_statuses_by_the_cause_model(portals):
    portal = portals(250)
    portal.reopen()
    approve(portal)
    portal.settle()
    before, known = statuses(portal), len(portal.rows(tables.transition))

    portal.configure(model=SOFTER)
    report = portal.sync()
    assert report.models["b2b"].pending
    assert (report.connections["hubspot"].written, statuses(portal)) == (0, before)

    (shown,) = impact(portal).models
    assert shown.total.new_mql > 5
    assert impact(portal).writes[0].records >= shown.total.new_mql

    approve(portal)
    portal.live()
    after = statuses(portal)
    moved = [row for row in portal.rows(tables.transition) if row.number > known]
    assert after["MQL"] - before["MQL"] == shown.total.new_mql - shown.total.lost_mql
    assert len(moved) >= shown.total.new_mql
    assert {row.cause for row in moved} == {"model"}
    told = {id_: fields["leadmark_mql_status"] for id_, fields in portal.explained().items()}
    assert {id_: fields["leadmark_mql_status"] for id_, fields in portal.contacts().items()} == told
    assert portal.reach().connections["hubspot"].written == 0
