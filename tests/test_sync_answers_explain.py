"""One person explained: the ledger adds up, facts name their record, activities say how they counted."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, update

from config import starters
from config.loader import load as load_config
from scoring.journey import Journey
from sync.answers.explain import explained, names_of, records_of, scoring_of
from sync.answers.happenings import VARIANT_ROWS, happenings
from sync.beginnings import FIRST_COMPLETE
from sync.people import gather
from sync.score import evaluate
from sync.store import tables, timelines
from sync.store.store import open_store, set_meta
from sync.store.values import dump, micros

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TODAY = NOW.date()
DAY = timedelta(days=1)

#: number -> kind, ids, labels; the starter's rules take all but the last
TOUCHPOINTS = {
    1: ("form_submitted", {"form": "demo-request"}, {"form": "Demo request"}),
    2: ("list_joined", {"list": "101"}, {"list": "Visited pricing"}),
    3: ("email_clicked", {"mail": "9001"}, {"mail": "Product news"}),
    4: ("email_clicked", {"mail": "9002"}, {"mail": "Webinar invitation"}),
    5: ("content_downloaded", {"form": "whitepaper"}, {"form": "White paper"}),
    6: ("list_joined", {"list": "102"}, {"list": "Visited careers"}),
    7: ("email_opened", {"mail": "9001"}, {}),
}


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    folder = tmp_path_factory.mktemp("config")
    starters.write("b2b-saas", folder / "config")
    found, problems = load_config(folder / "config")
    assert found is not None, problems
    return found


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Two persons: contact 1001 of company 77 with activities; contacts 1002 and 1003, one person, without."""
    opened = open_store(str(tmp_path_factory.mktemp("store")))
    with opened.begin() as tx:
        tx.execute(insert(tables.touchpoint), [_touchpoint(number, *of) for number, of in TOUCHPOINTS.items()])
        tx.execute(
            insert(tables.record),
            [
                _record(1, "contact", "1001", 1, {"email": "jo@acme.example", "jobtitle": "Head of Sales"}),
                _record(2, "company", "77", None, {"name": "Acme", "numberofemployees": 120}),
                _record(3, "contact", "1002", 3, {"jobtitle": "Buyer"}),
                _record(4, "contact", "1003", 3, {"email": "kim@other.example", "country": "Peru"}),
            ],
        )
        tx.execute(insert(tables.parent).values(record=1, object="company", crm_id="77"))
        set_meta(tx, FIRST_COMPLETE + "hubspot", "0")
        tx.execute(insert(tables.person), [{"number": 1, "stale": False}, {"number": 3, "stale": False}])
    yield opened
    opened.close()


def _touchpoint(number, kind, ids, labels):
    return {"number": number, "connection": "hubspot", "kind": kind, "ids": dump(ids), "labels": dump(labels)}


def _record(number, object_, crm_id, person, inputs):
    return {
        "number": number,
        "connection": "hubspot",
        "object": object_,
        "crm_id": crm_id,
        "person": person,
        "inputs": dump(inputs),
        "stamp_at": 0,
        "state": "live",
    }


def put(tx, activities):
    """Gives person 1 these (instant, touchpoint)."""
    rows = [(micros(at), touchpoint, nth + 1) for nth, (at, touchpoint) in enumerate(activities)]
    tx.execute(tables.timeline.delete())
    tx.execute(insert(tables.timeline).values(record=1, activities=timelines.pack(rows).tobytes()))


def days_ago(days):
    return NOW - days * DAY


def test_the_lines_add_up_to_the_score_exactly(store, config):
    with store.begin() as tx:
        put(tx, [(days_ago(3), 1), (days_ago(8), 2), (days_ago(1), 3)])
        found = explained(tx, 1, scoring_of(tx, config, NOW)).to_json()

    total = sum(Decimal(line["points"]) for line in found["ledger"]["lines"])
    assert total == found["ledger"]["score"] > 0


def test_each_fact_names_the_record_it_came_from(store, config):
    with store.begin() as tx:
        facts = explained(tx, 1, scoring_of(tx, config, NOW)).to_json()["facts"]

    assert facts["title"] == {"value": "Head of Sales", "hidden": False, "from": "hubspot:contact:1001"}
    assert facts["company"]["value"] == "Acme"
    assert facts["seniority"] == {"value": "director", "hidden": False, "from": None}


def test_names_and_addresses_are_hidden_unless_asked_for(store, config):
    with store.begin() as tx:
        found = explained(tx, 1, scoring_of(tx, config, NOW))

    assert "jo@acme.example" not in str(found.to_json())
    assert found.to_json()["facts"]["email"] == {"value": None, "hidden": True, "from": "hubspot:contact:1001"}
    assert found.to_json(reveal=True)["facts"]["email"]["value"] == "jo@acme.example"


def test_each_field_of_each_record_has_its_three_values(store, config):
    with store.begin() as tx:
        held = {"leadmark_score": 40, "leadmark_mql_since": date(2026, 11, 3)}
        tx.execute(
            update(tables.record)
            .where(tables.record.c.number == 4)
            .values(desired=dump({**held, "leadmark_score": 44}), observed=dump(held), confirmed=dump({}))
        )
        records = explained(tx, 3, scoring_of(tx, config, NOW)).to_json()["records"]

    assert [record["id"] for record in records] == ["1002", "1003"]
    fields = records[1]["fields"]
    assert fields["leadmark_score"] == {"output": "score", "desired": 44, "observed": 40, "confirmed": None}
    assert fields["leadmark_mql_since"]["observed"] == "2026-11-03"
    assert set(fields) == {f"leadmark_{name}" for name in config.connections[0].write.fields["b2b"].outputs}


def test_a_person_no_pass_scored_has_no_journey_and_no_outputs(store, config):
    with store.begin() as tx:
        found = explained(tx, 1, scoring_of(tx, config, NOW)).to_json()

    assert (found["journey"], found["outputs"], found["scored_on"], found["steps"]) == (None, {}, None, [])


def test_the_journey_and_its_steps_are_those_of_the_store(store, config):
    journey = Journey(status="mql", since=date(2026, 11, 3), cause="activity", mql_since=date(2026, 11, 3), mql_count=1)
    row = {"person": 3, "model": "b2b", "score": 62, "cause": "activity"}
    step = {"digest": "", "day_on": "2026-11-03", "fit": 1, "engagement": 1, "facts": "{}", "points": "{}"}
    with store.begin() as tx:
        standing = {"journey": dump(journey.to_dict()), "status": "mql", "tier": "B1", "scored_on": "2026-11-21"}
        tx.execute(insert(tables.journey).values(**row, **standing))
        tx.execute(insert(tables.transition).values(**row, **step, from_status="prospect", to_status="mql"))
        found = explained(tx, 3, scoring_of(tx, config, NOW)).to_json()

    assert found["journey"]["status"] == "mql"
    assert found["scored_on"] == "2026-11-21"
    assert found["steps"] == [{"on": "2026-11-03", "from": "prospect", "to": "mql", "cause": "activity", "score": 62}]
    assert "MQL since 3 Nov" in found["outputs"]["summary"]


def test_a_persons_records_are_named_by_connection_object_and_id(store):
    with store.begin() as tx:
        assert records_of(tx, [1, 3, 99]) == {
            1: ["hubspot:contact:1001"],
            3: ["hubspot:contact:1002", "hubspot:contact:1003"],
            99: [],
        }


def test_a_name_is_the_address_where_no_name_is_mapped(store, config):
    with store.begin() as tx:
        scoring = scoring_of(tx, config, NOW)
        assert names_of(tx, [1, 3], scoring.maps, "UTC") == {1: "jo@acme.example", 3: "kim@other.example"}


HOW_CASES = [
    # remark, activities (days ago, touchpoint), how each counted, newest first
    ("one that a rule takes", [(3, 1)], ["counted"]),
    ("of two in a quarter the newer one counts", [(3, 1), (9, 1)], ["counted", "limit"]),
    ("other mails have a limit of their own", [(3, 3), (3.001, 4)], ["counted", "counted"]),
    ("two clicks on one mail in a day are one", [(3, 3), (3.001, 3)], ["counted", "limit"]),
    ("a kind no rule names", [(3, 7)], ["no rule"]),
    ("dated tomorrow", [(-1, 1)], ["future"]),
    ("dated tomorrow, it takes nothing from the limit", [(-1, 1), (3, 1)], ["future", "counted"]),
    ("older than what is kept", [(761, 1)], ["too old"]),
    ("the oldest that is kept", [(760, 7)], ["no rule"]),
    ("faded to nothing", [(700, 3)], ["faded"]),
    ("negative points count", [(2, 6)], ["counted"]),
]


@pytest.mark.parametrize(("remark", "activities", "expected"), HOW_CASES, ids=[case[0] for case in HOW_CASES])
def test_an_activity_says_how_it_counted(store, config, remark, activities, expected):
    with store.begin() as tx:
        put(tx, [(days_ago(days), touchpoint) for days, touchpoint in activities])
        found = happenings(tx, 1, scoring_of(tx, config, NOW))

    assert [one.how for one in found] == expected


def test_an_activity_has_its_day_kind_labels_and_points(store, config):
    with store.begin() as tx:
        put(tx, [(days_ago(0), 1), (days_ago(1), 7)])
        today, before = [one.to_json() for one in happenings(tx, 1, scoring_of(tx, config, NOW))]

    assert today["on"] == TODAY.isoformat()
    assert (today["kind"], today["attributes"]) == ("form_submitted", {"form": "Demo request"})
    assert today["rules"] == [{"rule": "demo", "label": "Asked for a demo", "how": "counted", "points": 60.0}]
    assert before["attributes"] == {"mail": "9001"}  # no label: the id
    assert before["rules"] == []


def test_days_are_those_of_the_installation(store, config):
    with store.begin() as tx:
        put(tx, [(datetime(2026, 11, 20, 23, 30, tzinfo=UTC), 1)])
        scoring = scoring_of(tx, config.model_copy(update={"time_zone": "Europe/Berlin"}), NOW)
        (found,) = happenings(tx, 1, scoring)

    assert found.on == date(2026, 11, 21)


def test_the_newest_say_the_same_when_the_older_are_left_out(store, config):
    with store.begin() as tx:
        put(tx, [(days_ago(days), 1 + days % 6) for days in range(40)])
        scoring = scoring_of(tx, config, NOW)
        assert happenings(tx, 1, scoring, 7) == happenings(tx, 1, scoring)[:7]


def test_many_activities_are_told_in_portions_alike(store, config, monkeypatch):
    with store.begin() as tx:
        put(tx, [(days_ago(days), 1 + days % 6) for days in range(60)])
        scoring = scoring_of(tx, config, NOW)
        whole = happenings(tx, 1, scoring)
        monkeypatch.setattr("sync.answers.happenings.VARIANT_ROWS", 100)
        assert happenings(tx, 1, scoring) == whole
    assert VARIANT_ROWS > 100


@settings(max_examples=40)
@given(
    activities=st.lists(
        st.tuples(st.integers(-3, 800), st.integers(0, 86_399), st.sampled_from(sorted(TOUCHPOINTS))), max_size=40
    )
)
def test_what_activities_counted_adds_up_to_what_the_kernel_says_of_each_rule(store, config, activities):
    with store.begin() as tx:
        put(tx, [(days_ago(days) + timedelta(seconds=seconds), of) for days, seconds, of in activities])
        scoring = scoring_of(tx, config, NOW)
        (person,) = gather(tx, [1], scoring.maps, scoring.zone)
        (scored,) = evaluate([person], scoring)
        found = happenings(tx, 1, scoring)

    told = [one for each in found for one in each.rules]
    for rule in {one.rule for one in told} | {result.rule.id for result in scored.evaluation.rules}:
        points = {result.rule.id: result.points for result in scored.evaluation.rules}
        counts = {result.rule.id: result.count for result in scored.evaluation.rules}
        mine = [one for one in told if one.rule == rule]
        assert sum(round(one.points * 1_000_000) for one in mine) == points.get(rule, 0)
        assert sum(one.how in {"counted", "faded"} for one in mine) == counts.get(rule, 0)
    assert len(found) == len(person.activities)
    assert [one.at for one in found] == sorted((one.at for one in found), reverse=True)
