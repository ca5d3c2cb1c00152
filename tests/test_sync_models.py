"""Several models beside each other: audiences, fields of their own, journeys that rest; and people whom a rep holds."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import insert, select

from sync import identity
from sync.answers.explain import explained, scoring_of
from sync.people import find
from sync.store import tables, timelines
from sync.store.values import load
from tests.desk_of_two import Desk
from tests.two_crms import HUBSPOT, MODEL, NOW, form, record

FACTS = {"facts": HUBSPOT["facts"] | {"hold": "on_hold", "note": "note"}}
PARTNERS = {
    **MODEL,
    "model": "partners",
    "audience": {"country": ["AT", "CH"]},
    "weights": {"fit": 100, "engagement": 0},
}
OURS = {
    "b2b": {"outputs": ["score", "mql_status"]},
    "partners": {"prefix": "partner_", "outputs": ["score", "tier", "mql_status"]},
}


def desk_of(folder, partners=PARTNERS, models=("b2b", "partners"), **model):
    """A portal whose fields two models write; the org is empty."""
    known = {"b2b": MODEL | model, "partners": partners}
    write = {"mode": "live", "fields": {name: OURS[name] for name in models}}
    return Desk(
        folder,
        hubspot=FACTS | {"write": write},
        salesforce={"write": {"mode": "shadow", "fields": {}}},
        models={name: known[name] for name in models},
    )


@pytest.fixture
def desk(tmp_path):
    opened = desk_of(tmp_path)
    opened.hub.put(record("contact", "1", jobtitle="Director", country="AT"))
    opened.hub.put(record("contact", "2", jobtitle="Director", country="DE"))
    opened.run()
    yield opened
    opened.close()


def held(desk, id_):
    """What stands in our fields of a contact, but for those that are empty."""
    values = desk.hub.held("contact", id_).values
    return {
        name.removeprefix("leadmark_"): value
        for name, value in values.items()
        if name.startswith(("leadmark_", "partner_")) and value is not None
    }


def journeys(desk, person=1):
    return {row.model: row for row in desk.rows(tables.journey) if row.person == person}


def causes(desk, model="partners"):
    return [row.cause for row in desk.rows(tables.transition) if row.model == model]


def test_each_model_writes_its_own_fields_for_its_own_audience(desk):
    both = {"score": 50, "mql_status": "MQL", "partner_score": 100, "partner_tier": "A4", "partner_mql_status": "MQL"}
    assert held(desk, "1") == both
    assert held(desk, "2") == {"score": 50, "mql_status": "MQL"}
    assert journeys(desk).keys() == {"b2b", "partners"}
    assert journeys(desk, 2).keys() == {"b2b"}
    assert desk.run()["hubspot"].planned == 0


def test_who_leaves_the_audience_has_the_fields_emptied_and_the_journey_rests(desk):
    before = journeys(desk)["partners"]
    desk.change(desk.hub, "contact", "1", country="DE")
    desk.run()
    assert held(desk, "1") == {"score": 50, "mql_status": "MQL"}
    after = journeys(desk)["partners"]
    assert (before.resting, after.resting) == (False, True)
    assert (before.journey, before.status, before.scored_on) == (after.journey, after.status, after.scored_on)
    assert {load(row.new) for row in desk.rows(tables.history) if row.cause == "audience"} == {None}
    assert causes(desk) == ["first"]
    assert desk.run()["hubspot"].planned == 0


def test_whoever_comes_back_goes_on_from_where_they_were(desk):
    desk.change(desk.hub, "contact", "1", country="DE")
    desk.run()
    desk.later(days=3)
    desk.change(desk.hub, "contact", "1", country="CH")
    desk.run()
    assert held(desk, "1")["partner_score"] == 100
    assert (journeys(desk)["partners"].resting, causes(desk)) == (False, ["first"])


def test_leaving_counts_for_the_guard(tmp_path):
    guard = {"guard": {"cleared": 1}}
    desk = desk_of(tmp_path)
    for number in (1, 2):
        desk.hub.put(record("contact", str(number), jobtitle="Director", country="AT"))
    desk.run()
    written = desk.open[0].settings.write
    desk.open[0].settings = desk.open[0].settings.model_copy(
        update={"write": written.model_copy(update={"guard": written.guard.model_copy(update=guard["guard"])})}
    )
    for number in (1, 2):
        desk.change(desk.hub, "contact", str(number), country="DE")
    report = desk.run()["hubspot"]
    assert (report.state, report.counts["cleared"]) == ("stopped_by_guard", 2)
    desk.close()


def test_a_model_may_keep_what_stands_there_when_somebody_leaves(tmp_path):
    desk = desk_of(tmp_path, PARTNERS | {"on_leave": "keep"})
    desk.hub.put(record("contact", "1", jobtitle="Director", country="AT"))
    desk.run()
    before = held(desk, "1")
    desk.change(desk.hub, "contact", "1", country="DE", jobtitle="Buyer")
    desk.run()
    after = held(desk, "1")
    assert after["score"] == 20
    assert {name: value for name, value in after.items() if name.startswith("partner_")} == {
        name: value for name, value in before.items() if name.startswith("partner_")
    }
    assert desk.run()["hubspot"].planned == 0
    desk.close()


def test_explain_says_that_somebody_is_outside_the_audience(desk):
    with desk.store.begin() as tx:
        (number,) = find(tx, "hubspot:2")
        found = explained(tx, number, scoring_of(tx, desk.settings, NOW, "partners")).to_json()
    assert (found["in_audience"], found["ledger"], found["outputs"]) == (False, None, {})


def test_a_model_that_is_new_finds_nobody_new(tmp_path):
    """Who came after the first pull is no news to a model that comes later still."""
    desk = desk_of(tmp_path, models=("b2b",))
    desk.hub.put(record("contact", "1", jobtitle="Director", country="AT"))
    desk.run()
    desk.later(days=1)
    desk.hub.put(record("contact", "2", jobtitle="Director", country="AT", created_at=desk.now))
    desk.hub.act("forms", form("f", "2"))
    desk.run()
    assert [row.cause for row in desk.rows(tables.transition)] == ["first", "activity"]
    desk.later(days=1)
    desk.close()
    again = desk_of(tmp_path)
    again.now = desk.now
    for number in ("1", "2"):
        again.hub.put(desk.hub.held("contact", number))
    again.run()
    assert causes(again) == ["first", "first"]
    again.later(days=1)
    again.hub.put(record("contact", "3", jobtitle="Director", country="AT", created_at=again.now))
    again.run()
    assert causes(again) == ["first", "first", "facts"]
    again.close()


def test_a_fact_no_model_reads_is_no_cause(tmp_path):
    desk = desk_of(
        tmp_path,
        models=("b2b",),
        decays={"week": {"linear": "7d"}},
        engagement={
            "asked": {
                "label": "Asked",
                "rules": {"form": {"activity": "form_submitted", "points": 100, "decay": "week", "label": "Form"}},
            }
        },
        mql={"needs": {"engagement": 60}},
    )
    desk.hub.put(record("contact", "1", jobtitle="Director"))
    desk.hub.act("forms", form("f", "1", days=0))
    desk.run()
    assert journeys(desk)["b2b"].status == "mql"
    desk.later(days=5)
    desk.change(desk.hub, "contact", "1", note="seen")
    desk.run()
    assert (journeys(desk)["b2b"].status, causes(desk, "b2b")[-1]) == ("prospect", "decay")
    desk.close()


def test_nothing_is_written_of_whom_a_rep_holds_and_all_of_it_afterwards(desk):
    desk.change(desk.hub, "contact", "1", on_hold=True, jobtitle="Buyer")
    desk.run()
    assert held(desk, "1")["score"] == 50
    assert journeys(desk)["b2b"].score == 20
    with desk.store.begin() as tx:
        assert explained(tx, 1, scoring_of(tx, desk.settings, NOW)).held
        assert tx.execute(select(tables.person.c.write).where(tables.person.c.number == 1)).scalar() == "nothing"
    assert desk.run()["hubspot"].planned == 0
    desk.change(desk.hub, "contact", "1", on_hold=False)
    desk.run()
    assert (held(desk, "1")["score"], held(desk, "1")["partner_score"]) == (20, 40)


def test_a_hold_stays_with_whom_they_turn_out_to_be(desk):
    """Two contacts are merged while another process scores: nothing is written before the scores are anew."""
    desk.change(desk.hub, "contact", "2", on_hold=True, jobtitle="Buyer")
    desk.run()
    before = held(desk, "2")
    with desk.store.begin() as tx:
        row = tx.execute(select(tables.record).where(tables.record.c.crm_id == "1")).one()
        tx.execute(insert(tables.link).values(record=row.number, connection="hubspot", object="contact", crm_id="2"))
        identity.mark_unidentified(tx, [row.number])
    with desk.store.begin() as tx:
        while identity.identify_some(tx):
            pass
        assert [row.write for row in tx.execute(select(tables.person.c.write))] == ["nothing"]
    assert held(desk, "2") == before


@pytest.mark.parametrize("fact", ["hold", "do_not_profile"])
def test_what_stops_writing_is_read_from_a_checkbox(tmp_path, fact):
    """A text that says yes is no yes: the connection waits instead of guessing."""
    desk = Desk(tmp_path, hubspot={"facts": HUBSPOT["facts"] | {fact: "please_stop"}})
    desk.hub.put(record("contact", "1", jobtitle="Director", please_stop="Yes"))
    report = desk.run()["hubspot"]
    assert report.state == "parked"
    assert f"contact.please_stop is of type text, and {fact} is either true or false" in report.reason
    desk.close()


def test_a_field_that_becomes_a_checkbox_is_read_again(tmp_path):
    """Otherwise the text of before would stand there as neither yes nor no."""
    facts = {"facts": HUBSPOT["facts"] | {"wish": "please_stop"}}
    desk = Desk(tmp_path, hubspot=facts)
    desk.hub.put(record("contact", "1", jobtitle="Director", please_stop="true"))
    desk.run()
    desk.later(days=1)
    definitions, told = desk.hub._definitions["contact"], desk.hub._log["contacts"]
    definitions["please_stop"] = replace(definitions["please_stop"], type="bool")
    # the same versions of the contact, told otherwise
    told[:] = [replace(one, values={**one.values, "please_stop": True}) for one in told]
    desk.run()
    (row,) = [row for row in desk.rows(tables.record) if row.crm_id == "1"]
    assert load(row.inputs)["please_stop"] is True
    desk.close()


def test_what_sales_says_afterwards_is_kept_with_every_change_of_status(tmp_path):
    """No model reads it; it is there to learn from."""
    facts = {"facts": HUBSPOT["facts"] | {"feedback": "feedback"}}
    desk = Desk(tmp_path, hubspot=facts)
    desk.hub.put(record("contact", "1", jobtitle="Director", feedback="too early"))
    desk.run()
    (row,) = desk.rows(tables.transition)
    assert load(row.facts) == {"title": "Director", "feedback": "too early"}
    desk.close()


def test_the_purge_leaves_what_an_earlier_day_still_counts(tmp_path):
    """A week before the score day an activity was not too old yet."""
    desk = desk_of(tmp_path, models=("b2b",))
    kept = desk.settings.retention.activities_days
    desk.hub.put(record("contact", "1"))
    for days in (3, 9):
        desk.hub.act("forms", form(f"f{days}", "1", days=kept + days))
    desk.run()
    desk.later(days=1)
    desk.run()
    with desk.store.begin() as tx:
        found = explained(tx, 1, scoring_of(tx, desk.settings, desk.now))
    assert (found.ledger.score, found.outputs["model"]) == (0, "b2b")
    (row,) = desk.rows(tables.timeline)
    assert len(timelines.unpack(row.activities)) == 1


def test_only_the_first_pass_of_a_day_looks_at_everybody(desk):
    assert desk.run()["hubspot"].scored == 0
    desk.later(days=1)
    assert desk.run()["hubspot"].scored == 2
    desk.later(hours=1)
    assert desk.run()["hubspot"].scored == 0


def test_momentum_takes_the_audience_as_of_now(tmp_path):
    """A week ago the audience did not have them yet; the score of then is known all the same."""
    facts = {"facts": HUBSPOT["facts"] | {"trial_on": "trial_on"}}
    desk = Desk(tmp_path, hubspot=facts, models={"b2b": MODEL | {"audience": {"trial_on": {"past": "3d"}}}})
    desk.hub.put(record("contact", "1", jobtitle="Director", trial_on=NOW.date() - timedelta(days=2)))
    desk.hub.act("forms", form("f", "1", days=1))
    desk.run()
    with desk.store.begin() as tx:
        found = explained(tx, 1, scoring_of(tx, desk.settings, NOW))
    assert (found.ledger.score, found.outputs["momentum"]) == (80, "rising")
    desk.close()
