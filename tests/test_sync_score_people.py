"""Whole persons in scoring: which records are written, who is not to be profiled, what other records show."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync import people
from sync.store import tables, timelines
from sync.store.values import load, micros
from tests.desk_of_two import Desk
from tests.two_crms import HUBSPOT, NOW, both, contact_id, form, lead_id, merged, record, short, task

L1, C1, C2 = lead_id(1), contact_id(1), contact_id(2)


@pytest.fixture
def world(tmp_path):
    opened = both(tmp_path)
    yield opened
    opened.store.close()


def written(world, crm_id):
    world.identify()
    person = world.gathered(crm_id)
    return sorted(short(row.crm_id) for row in person.records if row.number in person.written)


def test_of_several_records_those_linked_to_are_written(world):
    world.hub(record("contact", "1", salesforceleadid=L1, salesforcecontactid=C1))
    world.org(record("lead", L1), record("contact", C1), record("contact", C2))
    assert written(world, "1") == ["1", "C1", "Q1"]
    world.hub(record("contact", "2", salesforcecontactid=C2), record("contact", "1", version=1, salesforceleadid=L1))
    assert written(world, "2") == ["2", "C2"]
    assert written(world, "1") == ["1", "Q1"]
    assert written(world, C1) == ["C1"]


def test_a_link_to_what_was_merged_away_is_one_to_its_heir(world):
    world.hub(record("contact", "1", salesforcecontactid=C1, salesforceleadid=L1))
    world.org(record("lead", L1), record("contact", C2), successions=[merged(C1, C2)])
    assert written(world, "1") == ["1", "C2", "Q1"]


def test_where_none_is_linked_to_the_one_whose_facts_count_first_is_written(tmp_path):
    """Links may stand on the org's side alone: its records are the linking ones."""
    theirs = {"hubspot": {"contact": "Hub_Id__c"}}
    world = both(tmp_path, hubspot={"links": {}}, salesforce={"links": theirs})
    world.hub(record("contact", "1"))
    world.org(record("lead", L1, Hub_Id__c="1"), record("contact", C1, Hub_Id__c="1"))
    assert written(world, "1") == ["1", "C1"]
    world.store.close()


def test_all_are_written_where_the_settings_say_so(tmp_path):
    theirs = {"hubspot": {"contact": "Hub_Id__c"}}
    world = both(tmp_path, hubspot={"links": {}}, salesforce={"links": theirs, "duplicates": "all"})
    world.hub(record("contact", "1"))
    world.org(record("lead", L1, Hub_Id__c="1"), record("contact", C1, Hub_Id__c="1"))
    assert written(world, "1") == ["1", "C1", "Q1"]
    world.store.close()


def test_the_latest_word_counts_of_records_and_outcomes(world):
    world.hub(record("contact", "1", salesforcecontactid=C1, hs_lead_status="BAD_TIMING"))
    world.org(record("contact", C1))
    won = {"won": True, "closed": True, "closed_on": date(2026, 11, 10)}
    world.org(record("outcome", "o1", parents={"contact": C1}, **won))
    world.identify()
    assert world.gathered("1").sales.word == "recycled"  # seen on the 20th
    world.org(record("outcome", "o1", version=1, parents={"contact": C1}, **won | {"closed_on": date(2026, 11, 21)}))
    world.identify()
    assert world.gathered("1").sales.word == "won"


def test_a_connection_without_a_map_tells_nothing_of_a_person(world):
    world.hub(record("contact", "1", jobtitle="Buyer", salesforcecontactid=C1), activities=[form("f", "1")])
    world.org(record("contact", C1, Title="Director"), activities=[task("t", C1)])
    world.identify()
    whole = world.gathered("1")
    part = world.gathered("1", maps=world.maps[1:])
    assert (len(whole.activities), whole.facts.values["title"]) == (2, "Buyer")
    assert (len(part.activities), part.facts.values["title"]) == (1, "Director")
    assert [short(row.crm_id) for row in part.records] == ["C1"]


def test_of_very_many_activities_the_newest_count(world, monkeypatch):
    """Sums of a million times a thousand points are exact, and no more is ever summed up."""
    assert people.MOST_ACTIVITIES * 1_000 * 1_000_000 < 2**53
    monkeypatch.setattr(people, "MOST_ACTIVITIES", 2)
    sent = [form(f"f{days}", "1", days=days) for days in (9, 3, 5)]
    world.hub(record("contact", "1"), activities=sent)
    world.identify()
    newest = world.gathered("1").activities
    assert newest["at"].tolist() == [micros(one.at) for one in (sent[2], sent[1])]


def test_the_oldest_record_dates_the_person(world):
    world.hub(record("contact", "1", salesforcecontactid=C1))
    world.org(record("contact", C1, created_at=NOW - timedelta(days=900)))
    world.identify()
    assert world.gathered("1").created_in == "salesforce"


# Not to be profiled.


@pytest.fixture
def desk(tmp_path):
    """One person in both CRMs, scored and written; the org knows an individual of hers."""
    opened = Desk(tmp_path)
    opened.hub.put(record("contact", "1", jobtitle="Director", emails="x"))
    opened.org.put(record("individual", "I1"))
    opened.org.put(record("contact", C1, emails="x", parents={"individual": "I1"}))
    opened.hub.act("forms", form("f", "1"))
    opened.org.act("Task", task("t", C1))
    opened.run()
    assert opened.shown(opened.hub, "contact", "1") is not None
    assert opened.shown(opened.org, "contact", C1, "tier") is not None
    yield opened
    opened.close()


def refuse(desk, *, wish=True, version=1):
    desk.org.put(record("individual", "I1", version=version, HasOptedOutProfiling=wish))


def shown(desk):
    """All that we have written of the person."""
    held = (desk.hub.held("contact", "1").values, desk.org.held("contact", C1).values)
    return [value for values in held for name, value in values.items() if name.casefold().startswith("leadmark_")]


def test_who_is_not_to_be_profiled_loses_our_fields_journey_and_activities_once(desk):
    refuse(desk)
    reports = desk.run()
    assert shown(desk) == [None] * 6
    assert [(one.written, one.counts["cleared"]) for one in reports.values()] == [(1, 0), (1, 0)]
    assert desk.rows(tables.journey) == []
    assert desk.rows(tables.timeline) == []
    assert [one.written for one in desk.run().values()] == [0, 0]


def test_what_they_do_later_is_not_kept(desk):
    refuse(desk)
    desk.run()
    desk.hub.act("forms", form("g", "1"))
    reports = desk.run()
    assert desk.rows(tables.timeline) == []
    assert [one.planned for one in reports.values()] == [0, 0]


def test_the_guard_lets_any_number_of_such_wishes_through(tmp_path):
    opened = Desk(tmp_path, hubspot={"write": HUBSPOT["write"] | {"guard": {"cleared": 0}}})
    opened.hub.put(record("contact", "1", jobtitle="Director", salesforcecontactid=C1))
    opened.org.put(record("individual", "I1"))
    opened.org.put(record("contact", C1, parents={"individual": "I1"}))
    opened.run()
    refuse(opened)
    assert opened.run()["hubspot"].state == "ok"
    assert opened.shown(opened.hub, "contact", "1") is None
    opened.close()


def test_one_who_takes_the_wish_back_is_scored_anew(desk):
    refuse(desk)
    desk.run()
    refuse(desk, wish=False, version=2)
    desk.run()
    assert desk.shown(desk.hub, "contact", "1") is not None
    assert len(desk.rows(tables.journey)) == 1


def test_one_who_joins_with_such_a_person_is_not_profiled_either(desk):
    desk.hub.put(record("contact", "2", jobtitle="Buyer"))
    desk.run()
    refuse(desk)
    desk.change(desk.hub, "contact", "2", salesforcecontactid=C1)
    desk.run()
    assert desk.shown(desk.hub, "contact", "2") is None
    assert desk.rows(tables.journey) == []


# What another record of the person shows.


def test_a_new_record_of_a_person_shows_their_score_in_the_same_pass(desk):
    score = desk.shown(desk.hub, "contact", "1")
    desk.org.put(record("lead", L1))
    desk.change(desk.hub, "contact", "1", salesforceleadid=L1)
    desk.run()
    assert desk.shown(desk.org, "lead", L1) == score


def test_two_records_of_a_person_do_not_show_two_scores_for_long(desk):
    """Somebody's edit by one point is no reason to write; that the portal shows the score is."""
    desk.change(desk.org, "contact", C1, Leadmark_Score__c=desk.fields(C1).desired["Leadmark_Score__c"] - 1)
    desk.run()
    assert desk.shown(desk.org, "contact", C1) == desk.fields(C1).desired["Leadmark_Score__c"]


def test_where_no_record_shows_the_score_a_small_change_waits_everywhere(desk):
    for crm, id_, name in ((desk.hub, "1", "leadmark_score"), (desk.org, C1, "Leadmark_Score__c")):
        desk.change(crm, "contact", id_, **{name: desk.fields(id_).desired[name] - 1})
    reports = desk.run()
    assert [(one.written, one.suppressed) for one in reports.values()] == [(0, 1), (0, 1)]


# Records that die.


def dead_untouched(desk, crm, object_, id_):
    """What stands in a record, before and after a pass."""
    before = crm.held(object_, id_)
    desk.later(hours=1)
    desk.run()
    return crm.held(object_, id_) == before


def test_a_converted_lead_is_written_no_more_and_its_contact_takes_over(tmp_path):
    desk = Desk(tmp_path)
    desk.org.put(record("lead", L1, Title="Director"))
    desk.hub.put(record("contact", "1", salesforceleadid=L1))
    desk.hub.act("forms", form("f", "1"))
    desk.run()
    assert desk.shown(desk.org, "lead", L1) == desk.shown(desk.hub, "contact", "1") is not None
    (before,) = desk.rows(tables.journey)
    desk.later(hours=1)
    desk.org.convert("lead", L1, record("contact", C1))
    assert dead_untouched(desk, desk.org, "lead", L1)
    assert desk.shown(desk.org, "contact", C1) == desk.shown(desk.hub, "contact", "1")
    (after,) = desk.rows(tables.journey)
    assert (before.status, after.status, before.person) == ("mql", "accepted", after.person)
    assert load(after.journey)["first_mql_on"] == load(before.journey)["first_mql_on"] is not None
    desk.close()


def test_a_deleted_contact_is_not_written_and_one_restored_goes_on(desk):
    gone = desk.org.held("contact", C1)
    (before,) = desk.rows(tables.journey)
    desk.org.delete("contact", C1)
    desk.change(desk.hub, "contact", "1", jobtitle="Buyer")
    desk.later(hours=1)
    assert desk.run()["salesforce"].planned == 0
    desk.later(hours=1)
    desk.org.put(replace(gone, stamp_at=desk.now))
    desk.run()
    assert desk.shown(desk.org, "contact", C1) == desk.shown(desk.hub, "contact", "1") is not None
    (after,) = desk.rows(tables.journey)
    assert after.person == before.person
    assert load(after.journey)["first_mql_on"] == load(before.journey)["first_mql_on"]


def test_two_contacts_that_are_merged_keep_the_furthest_and_only_one_is_written(desk):
    desk.hub.put(record("contact", "2", jobtitle="Buyer"))
    desk.run()
    assert len(desk.rows(tables.journey)) == 2
    desk.later(hours=1)
    desk.hub.merge("contact", "2", "1")
    desk.later(hours=1)
    desk.run()
    (journey,) = desk.rows(tables.journey)
    assert load(journey.journey)["mql_count"] == 1
    assert desk.shown(desk.hub, "contact", "2") == desk.shown(desk.org, "contact", C1) is not None


# The same thing told by both.


@settings(max_examples=40)
@given(data=st.data())
def test_what_several_records_hold_counts_once_whatever_their_order(data):
    rows = [(at, touchpoint, at * 10 + touchpoint) for at in range(4) for touchpoint in (1, 2)]
    parts = data.draw(st.lists(st.lists(st.sampled_from(rows), min_size=1, max_size=8), min_size=1, max_size=3))
    packed = [timelines.pack(part) for part in parts]
    whole = timelines.NOTHING
    for part in packed:
        whole = timelines.merge(whole, part)
    assert [row[2] for row in timelines.distinct(whole).tolist()] == sorted({row[2] for part in parts for row in part})
