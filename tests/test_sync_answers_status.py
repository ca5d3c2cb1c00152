"""Status says "fine" only when nothing needs a person; quarantine keeps what was refused until it is armed again."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, select, update

from sync import quarantine
from sync.answers.status import OVERDUE, RUNNING, age, standing
from sync.store import tables
from sync.store.records import DIFFERS, EQUAL, HELD_BACK
from sync.store.store import open_store
from sync.store.values import dump, load, micros

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def tx(tmp_path):
    store = open_store(str(tmp_path))
    with store.begin() as opened:
        yield opened
    store.close()


def look(tx, *connections):
    return standing(tx, connections or ("hubspot",), NOW)


def put_pass(tx, number=1, *, ago=5 * MINUTE, took=MINUTE, connection="hubspot", **report):
    row = {"state": "ok", "reason": "", "code": "", **report}
    tx.execute(
        insert(tables.pass_).values(
            id=f"p{number}",
            started_at=micros(NOW - ago),
            ended_at=None if took is None else micros(NOW - ago + took),
            report=dump({"connections": {connection: row}}),
        )
    )


def put_record(tx, number, *, differs=EQUAL, state="live", **values):
    tx.execute(
        insert(tables.record).values(
            number=number,
            connection="hubspot",
            object="contact",
            crm_id=str(1000 + number),
            person=number,
            inputs="{}",
            stamp_at=0,
            state=state,
            differs=differs,
            **{name: dump(value) for name, value in values.items()},
        )
    )


def put_refusal(tx, record, *, field="", code="INVALID", message="no", at=NOW):
    row = {"record": record, "field": field, "code": code, "message": message, "payload": "x", "at": micros(at)}
    tx.execute(insert(tables.quarantine).values(row))


def put_stop(tx, code, *, ago=5 * MINUTE, approved=None, written=None):
    tx.execute(
        insert(tables.approval).values(
            code=code,
            connection="hubspot",
            counts=dump({"new_mql": 89}),
            digest="",
            made_at=micros(NOW - ago),
            approved_at=approved,
            written_at=written,
        )
    )


def test_before_the_first_pass_it_is_not_fine(tx):
    assert look(tx).worries() == ["no pass has run yet"]


STATE_CASES = [
    ("ok", None),
    ("planned", None),
    ("shadow", None),
    ("interrupted", None),
    ("parked", "hubspot: parked: the key is not accepted"),
    ("deferred_quota", "hubspot: quota spent: the key is not accepted"),
    ("needs_adoption", "hubspot: stopped before filled fields: the key is not accepted"),
    ("stopped_by_guard", "hubspot: stopped by the guard: the key is not accepted"),
]


@pytest.mark.parametrize(("state", "worry"), STATE_CASES, ids=[case[0] for case in STATE_CASES])
def test_the_newest_pass_decides(tx, state, worry):
    put_pass(tx, 1, ago=9 * MINUTE, state="parked" if worry is None else "ok", reason="before")
    put_pass(tx, 2, state=state, reason="the key is not accepted")
    assert look(tx).worries() == ([] if worry is None else [worry])


AGE_CASES = [
    ("just ended", {}, []),
    ("ended a day ago", {"ago": OVERDUE + MINUTE}, []),
    ("ended more than a day ago", {"ago": OVERDUE + 2 * MINUTE}, ["hubspot: the last pass ended 1 d ago"]),
    ("running", {"took": None}, []),
    ("began long ago", {"took": None, "ago": 2 * RUNNING}, ["hubspot: the pass begun 12 h ago did not end"]),
]


@pytest.mark.parametrize(("remark", "given", "worries"), AGE_CASES, ids=[case[0] for case in AGE_CASES])
def test_age_matters(tx, remark, given, worries):
    put_pass(tx, 1, **given)
    assert look(tx).worries() == worries


def test_a_running_pass_does_not_hide_what_the_one_before_said(tx):
    put_pass(tx, 1, ago=9 * MINUTE, state="parked", reason="no answer")
    put_pass(tx, 2, took=None)
    assert look(tx).worries() == ["hubspot: parked: no answer"]


def test_each_connection_is_judged_by_its_own_newest_pass(tx):
    put_pass(tx, 1, ago=9 * MINUTE, state="parked", reason="no answer")
    put_pass(tx, 2, connection="other")
    assert look(tx, "hubspot", "other").worries() == ["hubspot: parked: no answer"]
    assert look(tx, "other", "third").worries() == ["third: no pass in the last 20"]


def test_a_connection_that_is_no_longer_configured_worries_nobody(tx):
    put_pass(tx, 1, connection="gone", state="parked")
    put_pass(tx, 2)
    assert look(tx).worries() == []
    assert [one.connection for one in look(tx).passes] == ["hubspot"]


APPROVAL_CASES = [
    # remark, the stop, the newest pass's report, listed, worries
    ("stopped now", {}, {"code": "aaaa", "state": "stopped_by_guard"}, 1, 2),
    ("found by a plan", {}, {"code": "aaaa", "state": "planned"}, 1, 1),
    ("approved, not written yet", {"approved": 1}, {"code": "aaaa", "state": "stopped_by_guard"}, 1, 1),
    ("the plan is another one by now", {}, {"code": "bbbb", "state": "planned"}, 1, 0),
    ("written", {"approved": 1, "written": 2}, {}, 0, 0),
    ("older than a day", {"ago": timedelta(days=1, minutes=1)}, {}, 0, 0),
]


@pytest.mark.parametrize(
    ("remark", "stop", "report", "listed", "worries"), APPROVAL_CASES, ids=[case[0] for case in APPROVAL_CASES]
)
def test_a_plan_that_waits_for_approval_is_named(tx, remark, stop, report, listed, worries):
    put_stop(tx, "aaaa", **stop)
    put_pass(tx, 1, **report)
    found = look(tx)
    assert len(found.approvals) == listed
    assert len(found.worries()) == worries


def test_what_waits_is_counted(tx):
    for number, differs in enumerate([EQUAL, HELD_BACK, DIFFERS, DIFFERS], start=1):
        put_record(tx, number, differs=differs)
        tx.execute(insert(tables.person).values(number=number, stale=number == 1))
    put_record(tx, 9, differs=DIFFERS, state="deleted")
    found = look(tx)
    assert (found.people, found.stale, found.differing) == (4, 1, {"hubspot": (2, 1)})


def test_streams_say_when_they_were_last_read(tx):
    moved = NOW - 3 * MINUTE
    tx.execute(
        insert(tables.cursor).values(
            connection="hubspot", stream="contacts", cursor="{}", asked="", moved_at=micros(moved)
        )
    )
    (pull,) = look(tx).pulls
    assert (pull.streams, pull.complete_since) == ({"contacts": moved}, None)


def test_as_json_all_of_it_is_plain(tx):
    put_pass(tx, 1, code="aaaa")
    put_stop(tx, "aaaa")
    put_record(tx, 1)
    put_refusal(tx, 1, field="leadmark_tier")
    found = look(tx).to_json()
    assert load(dump(found)) == found
    assert found["fine"] is False
    assert found["worries"] == [
        "hubspot: a plan waits for approval: aaaa",
        "1 value in quarantine: leadmark quarantine",
    ]


def test_refusals_are_grouped_with_their_newest_words_and_ids(tx):
    for number in range(1, 6):
        put_record(tx, number)
        put_refusal(tx, number, field="leadmark_tier", message=f"no {number}", at=NOW - number * MINUTE)
    put_refusal(tx, 1, code="OTHER")
    put_record(tx, 7, state="deleted")
    put_refusal(tx, 7)

    tier, other = quarantine.groups(tx)

    assert (tier.code, tier.field, tier.count, tier.message) == ("INVALID", "leadmark_tier", 5, "no 1")
    assert tier.samples == ("contact:1001", "contact:1002", "contact:1003")
    assert tier.newest_at == NOW - MINUTE
    assert (other.code, other.field, other.count) == ("OTHER", "", 1)


WANTED_CASES = [
    ("everything", {}, 3),
    ("a code", {"code": "INVALID"}, 2),
    ("a field", {"field": "leadmark_tier"}, 2),
    ("both", {"code": "INVALID", "field": "leadmark_tier"}, 1),
    ("the record as a whole", {"field": ""}, 1),
    ("nothing like it", {"code": "invalid"}, 0),
]


@pytest.mark.parametrize(("remark", "wanted", "number"), WANTED_CASES, ids=[case[0] for case in WANTED_CASES])
@pytest.mark.parametrize("act", [quarantine.retry, quarantine.drop])
def test_code_and_field_choose(tx, act, remark, wanted, number):
    put_record(tx, 1)
    put_record(tx, 2)
    put_refusal(tx, 1, field="leadmark_tier")
    put_refusal(tx, 1, field="")
    put_refusal(tx, 2, field="leadmark_tier", code="OTHER")
    assert act(tx, **wanted) == number
    assert act(tx, **wanted) == 0
    left = [group for group in quarantine.groups(tx) if not group.dropped]
    assert sum(group.count for group in left) == 3 - number


def test_what_did_not_stick_may_be_sent_three_times_again(tx):
    sends = {"leadmark_tier": ["A1", 3, 0], "leadmark_score": [80, 1, 0]}
    put_record(tx, 1, differs=HELD_BACK, sends=sends, desired={"leadmark_tier": "A1"}, observed={})
    put_refusal(tx, 1, field="leadmark_tier", code="does_not_stick")

    assert quarantine.retry(tx) == 1

    row = tx.execute(select(tables.record)).one()
    assert (load(row.sends), row.differs) == ({"leadmark_score": [80, 1, 0]}, DIFFERS)
    assert quarantine.groups(tx) == []


def test_dropped_is_armed_again_only_when_it_is_named(tx):
    put_record(tx, 1)
    put_refusal(tx, 1)
    quarantine.drop(tx, code="INVALID")
    put_pass(tx)
    assert look(tx).worries() == []
    assert quarantine.retry(tx) == 0
    assert quarantine.retry(tx, code="dropped:INVALID") == 1


def test_a_dropped_refusal_still_holds_its_value_back(tx):
    put_record(tx, 1)
    put_refusal(tx, 1)
    tx.execute(update(tables.quarantine).values(payload="digest"))
    quarantine.drop(tx)
    assert tx.execute(select(tables.quarantine.c.payload)).scalar_one() == "digest"


def test_a_span_is_never_negative():
    assert age(timedelta(seconds=-5)) == "0 s"  # a clock that was set back
