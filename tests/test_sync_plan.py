"""The plan is the difference of desired and observed, the quiet-write rule decides when, the guard decides whether."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.mapping import Output
from sync.observe import SENDS, Fields, Send, receive
from sync.plan import (
    Approval,
    Change,
    Counts,
    Plan,
    Planned,
    WriteRules,
    as_json,
    changed_bound,
    judge,
    make_plan,
    payload,
)
from sync.store.values import DAY_US

NOW = 1_800_000_000_000_000
KINDS = ("score", "tier", "grade", "mql_status", "mql_since", "summary", "fit", "scored_on")
OUTPUTS = {f"lm_{kind}": Output(field=f"lm_{kind}", model="b2b", output=kind, policy="overwrite") for kind in KINDS}
RULES = WriteRules(
    outputs=OUTPUTS,
    definitions={("contact", name): "d1" for name in OUTPUTS},
    min_change=5,
    refresh_after_days=30,
    now=NOW,
)
STANDS = {
    "lm_score": 50,
    "lm_tier": "B2",
    "lm_grade": "B",
    "lm_mql_status": "Prospect",
    "lm_mql_since": date(2026, 1, 1),
    "lm_summary": "as it was",
    "lm_fit": 40,
    "lm_scored_on": date(2026, 1, 1),
}


def record(desired=None, observed=None, *, number=7, **fields):
    """A record we wrote an hour ago, whose desired values are those that stand there but for the given ones."""
    observed = STANDS | (observed or {})
    fields = {"confirmed": observed, "receipt_at": NOW - DAY_US // 24} | fields
    refused = fields.pop("refused", {})
    return Planned(
        number=number,
        object="contact",
        crm_id=str(number),
        person=number,
        fields=Fields(observed=observed, desired=STANDS | (desired or {}), **fields),
        refused=refused,
    )


def plan(*records, rules=RULES):
    return make_plan("hubspot", records, rules, basis="basis")


#: desired, observed, further values of the record, written, remark
QUIET = [
    ({}, {}, {}, False, "nothing differs"),
    ({"lm_score": 54}, {}, {}, False, "four points up are not enough"),
    ({"lm_score": 46}, {}, {}, False, "four points down are not enough"),
    ({"lm_score": 55}, {}, {}, True, "five points up"),
    ({"lm_score": 45}, {}, {}, True, "five points down"),
    ({"lm_score": 100}, {"lm_score": 98}, {}, True, "reached 100"),
    ({"lm_score": 0}, {"lm_score": 2}, {}, True, "reached 0"),
    ({"lm_score": 98}, {"lm_score": 100}, {}, False, "left 100 by two points"),
    ({"lm_score": 52}, {"lm_score": 47}, {}, True, "counted from what stands there, not from what we wrote last"),
    ({"lm_score": 52}, {}, {"confirmed": STANDS | {"lm_score": 20}}, False, "the same, the other way round"),
    ({"lm_tier": "B1"}, {}, {}, True, "the tier changed"),
    ({"lm_grade": "A"}, {}, {}, True, "the grade changed"),
    ({"lm_mql_status": "MQL"}, {}, {}, True, "the status changed"),
    ({"lm_mql_since": date(2026, 2, 2)}, {}, {}, True, "the MQL date changed"),
    ({"lm_mql_since": None}, {}, {}, True, "the MQL date goes"),
    ({"lm_summary": "new words"}, {}, {}, False, "words alone never cause a write"),
    ({"lm_fit": 99}, {}, {}, False, "part scores alone never cause a write"),
    ({"lm_scored_on": date(2026, 1, 2)}, {}, {}, False, "the day of scoring alone never causes a write"),
    ({}, {"lm_summary": None}, {}, True, "a field is empty that should not be"),
    ({"lm_summary": None}, {"lm_summary": None}, {}, False, "a field is empty as it should be"),
    ({"lm_score": 51}, {}, {"receipt_at": None}, True, "never written by us"),
    ({"lm_summary": "x"}, {}, {"receipt_at": NOW - 29 * DAY_US}, False, "29 days after the last write"),
    ({"lm_summary": "x"}, {}, {"receipt_at": NOW - 30 * DAY_US, "number": 14}, True, "30 days after the last write"),
    ({"lm_summary": "x"}, {}, {"receipt_at": NOW - 30 * DAY_US, "number": 16}, False, "its turn comes two days later"),
    ({"lm_summary": "x"}, {}, {"receipt_at": NOW - 32 * DAY_US, "number": 16}, True, "its turn has come"),
]


@pytest.mark.parametrize(("desired", "observed", "others", "written", "remark"), QUIET, ids=[row[4] for row in QUIET])
def test_a_record_is_written_when_somebody_would_see_it(desired, observed, others, written, remark):
    one = record(desired, observed, **others)
    made = plan(one)
    assert bool(made.changes) is written
    differs = any(one.fields.observed.get(name) != value for name, value in one.fields.desired.items())
    assert bool(made.held_back) is (differs and not written)


def test_what_differs_rides_along_with_what_is_due():
    made = plan(record({"lm_score": 60, "lm_summary": "new words", "lm_scored_on": date(2026, 1, 2)}))
    assert made.changes[0].new == {"lm_score": 60, "lm_summary": "new words", "lm_scored_on": date(2026, 1, 2)}
    assert made.changes[0].old == {"lm_score": 50, "lm_summary": "as it was", "lm_scored_on": date(2026, 1, 1)}


def test_fields_that_are_no_output_any_more_are_left_alone():
    few = {"lm_score": OUTPUTS["lm_score"]}
    made = plan(record({"lm_score": 60, "lm_tier": "A1"}), rules=replace(RULES, outputs=few))
    assert made.changes[0].new == {"lm_score": 60}


#: policy, desired, observed, confirmed, written, remark
POLICIES = [
    ("overwrite", 60, 90, 50, True, "somebody's edit is replaced"),
    ("keep", 60, 90, 50, False, "somebody's edit stays"),
    ("keep", 60, 50, 50, True, "nobody edited: ours goes out"),
    ("keep", 60, None, 50, False, "somebody emptied it: that is an edit too"),
    ("keep", 60, 90, None, True, "no confirmed value: adopted"),
    ("raise_only", 60, 90, 50, False, "the edit is higher and stays"),
    ("raise_only", 95, 90, 50, True, "ours is higher"),
    ("raise_only", 90, 90, 50, False, "equal"),
    ("raise_only", 60, None, 50, True, "anything is more than nothing"),
    ("raise_only", None, 90, 50, False, "nothing is no more than anything"),
    ("raise_only", 60, 54.5, 50, True, "somebody entered a fraction, and ours is higher"),
    ("raise_only", 60, 61.5, 50, False, "somebody entered a fraction, and ours is lower"),
    ("raise_only", 40, 50, 50, True, "nobody edited: ours goes out, lower too"),
    ("raise_only", date(2026, 2, 2), date(2026, 1, 1), date(2025, 1, 1), True, "a later date is higher"),
    ("raise_only", date(2026, 1, 1), date(2026, 2, 2), date(2025, 1, 1), False, "an earlier date is not"),
    ("raise_only", "B", "A", "C", False, "text has no higher and lower"),
]


@pytest.mark.parametrize(
    ("policy", "desired", "observed", "confirmed", "written", "remark"), POLICIES, ids=[row[5] for row in POLICIES]
)
def test_the_policy_decides_on_somebody_elses_edit(policy, desired, observed, confirmed, written, remark):
    rules = replace(RULES, outputs=OUTPUTS | {"lm_score": replace(OUTPUTS["lm_score"], policy=policy)})
    held = {} if confirmed is None else {"lm_score": confirmed}
    made = plan(record({"lm_score": desired}, {"lm_score": observed}, confirmed=held), rules=rules)
    assert bool(made.changes) is written


@pytest.mark.parametrize("field", ["", "lm_score"])
def test_what_the_crm_refused_stays_out_while_it_would_be_the_same(field):
    one = record({"lm_score": 60})
    refused = replace(one, refused={field: payload(one, field, RULES)})
    made = plan(refused)
    assert (made.changes, made.held_back, made.left_out) == ((), (), 1)
    other_value = record({"lm_score": 61}, refused=refused.refused)
    assert plan(other_value).changes
    other_definition = replace(RULES, definitions=RULES.definitions | {("contact", "lm_score"): "d2"})
    assert plan(refused, rules=other_definition).changes


def test_a_new_day_does_not_arm_a_refused_record_again():
    one = record({"lm_score": 60})
    refused = {"": payload(one, "", RULES)}
    assert not plan(record({"lm_score": 60, "lm_scored_on": date(2026, 1, 2)}, refused=refused)).changes


def test_a_refused_field_does_not_hold_back_the_others():
    one = record({"lm_score": 60, "lm_tier": "A1"})
    made = plan(replace(one, refused={"lm_score": payload(one, "lm_score", RULES)}))
    assert made.changes[0].new == {"lm_tier": "A1"}


def test_a_field_that_does_not_stick_is_named_and_left_out():
    one = record(
        {"lm_score": 60, "lm_tier": "A1"}, sends={"lm_score": Send(value=60, count=SENDS, first_at=NOW - DAY_US)}
    )
    made = plan(one)
    assert made.stuck == ((7, "lm_score"),)
    assert made.changes[0].new == {"lm_tier": "A1"}


def test_canary_lets_only_the_chosen_records_through():
    made = plan(
        record({"lm_score": 60}), record({"lm_score": 60}, number=8), rules=replace(RULES, allowed=frozenset([8]))
    )
    assert [change.record for change in made.changes] == [8]
    assert made.left_out == 1


def test_the_guard_counts_persons_for_mql_and_records_for_the_rest():
    """Two records of one person become MQL, one of another loses it, and a third record is emptied."""
    made = plan(
        replace(record({"lm_mql_status": "MQL"}, number=1), person=1),
        replace(record({"lm_mql_status": "MQL"}, number=2), person=1),
        record({"lm_mql_status": "Recycled"}, {"lm_mql_status": "MQL"}, number=3),
        record({"lm_score": None, "lm_tier": None}, number=4),
    )
    assert made.counts == Counts(new_mql=1, lost_mql=1, cleared=1, changed=4)


def test_filling_an_empty_field_is_not_clearing_it():
    made = plan(record({"lm_score": None, "lm_tier": "A1"}, {"lm_score": None, "lm_tier": None}))
    assert made.counts == Counts(changed=1)


BOUNDS = {"new_mql": 10, "lost_mql": 10, "cleared": 5, "changed": 100}


def planned_counts(**counts):
    change = Change(record=1, person=1, object="contact", crm_id="1", new={}, old={}, cause="")
    return Plan(
        connection="hubspot",
        changes=(change,),
        held_back=(),
        stuck=(),
        left_out=0,
        counts=Counts(**counts),
        basis="basis",
    )


def approval(*, basis="basis", **counts):
    return Approval(code="c0de", counts=Counts(**counts), basis=basis)


#: counts of the plan, written within 24 hours, approvals, verdict, remark
VERDICTS = [
    ({"changed": 100}, {}, [], "go", "at the bound"),
    ({"changed": 101}, {}, [], "stop", "one above the bound"),
    ({"changed": 60}, {"changed": 41}, [], "stop", "with what was written in 24 hours one above"),
    ({"changed": 60}, {"changed": 40}, [], "go", "with what was written in 24 hours at the bound"),
    ({"new_mql": 11}, {}, [], "stop", "too many new MQLs"),
    ({"lost_mql": 11}, {}, [], "stop", "too many lost MQLs"),
    ({"cleared": 6}, {}, [], "stop", "too many emptied"),
    ({"changed": 200}, {}, [approval(changed=200)], "approved", "approved as it is"),
    ({"changed": 210}, {}, [approval(changed=200)], "approved", "grown by five percent"),
    ({"changed": 211}, {}, [approval(changed=200)], "stop", "grown by more than five percent"),
    ({"changed": 120}, {}, [approval(changed=200)], "approved", "the rest of an approved plan after a crash"),
    ({"changed": 200, "cleared": 1}, {}, [approval(changed=200)], "stop", "a kind of change nobody approved"),
    ({"changed": 200}, {}, [approval(changed=200, basis="older")], "stop", "approved for another model or field map"),
    ({"changed": 200}, {}, [approval(changed=90), approval(changed=200)], "approved", "any approval will do"),
    (
        {"changed": 200},
        {"changed": 90},
        [approval(changed=200)],
        "approved",
        "an approval covers the plan, not the day",
    ),
]


@pytest.mark.parametrize(
    ("counts", "written", "approvals", "verdict", "remark"), VERDICTS, ids=[row[4] for row in VERDICTS]
)
def test_the_guard_lets_through_what_is_small_or_approved(counts, written, approvals, verdict, remark):
    said = judge(planned_counts(**counts), bounds=BOUNDS, written=Counts(**written), approvals=approvals)
    assert said.verdict == verdict
    assert bool(said.exceeded) is (verdict != "go")


def test_an_empty_plan_is_never_stopped():
    nothing = replace(planned_counts(), changes=())
    assert judge(nothing, bounds=BOUNDS, written=Counts(changed=5000), approvals=[]).verdict == "go"


def test_the_guard_says_how_much_and_how_much_is_allowed():
    said = judge(planned_counts(changed=90), bounds=BOUNDS, written=Counts(changed=20), approvals=[])
    assert said.exceeded == {"changed": (110, 100)}


@pytest.mark.parametrize(
    ("percent", "confirmed", "bound", "remark"),
    [
        (20, 0, 100, "first run"),
        (20, 500, 100, "20 % are 100"),
        (20, 501, 100, "rounded down"),
        (20, 5000, 1000, "more"),
    ],
)
def test_the_bound_of_changed_records_grows_with_the_portal(percent, confirmed, bound, remark):
    assert changed_bound(percent, confirmed) == bound, remark


def test_the_code_stands_for_connection_models_fields_and_counts():
    made = plan(record({"lm_score": 60}))
    same = plan(record({"lm_score": 61}, number=8))
    assert made.code == same.code
    others = [
        replace(made, connection="other"),
        replace(made, basis="other"),
        replace(made, counts=Counts(changed=2)),
        replace(made, counts=Counts(cleared=1)),
    ]
    assert len({made.code, *(other.code for other in others)}) == 5


def test_calls_are_batches_by_object():
    changes = plan(*(record({"lm_score": 60}, number=number) for number in range(201))).changes
    made = replace(plan(), changes=(*changes, replace(changes[0], object="lead")))
    assert made.calls(100) == 4
    assert plan().calls(100) == 0


def test_the_plan_as_json_names_ids_and_values_only():
    told = as_json(plan(record({"lm_mql_since": date(2026, 2, 2)})))
    assert told["changes"] == [
        {"object": "contact", "id": "7", "fields": {"lm_mql_since": ["2026-01-01", "2026-02-02"]}}
    ]


values = st.dictionaries(st.sampled_from(sorted(OUTPUTS)), st.none() | st.integers(0, 100), max_size=8)
policies = st.sampled_from(["overwrite", "keep", "raise_only"])
many = st.lists(
    st.builds(
        lambda number, observed, confirmed, desired, receipt_days: Planned(
            number=number,
            object="contact",
            crm_id=str(number),
            person=number,
            fields=Fields(
                observed={name: value for name, value in observed.items() if value is not None},
                confirmed=confirmed,
                desired=desired,
                receipt_at=None if receipt_days is None else NOW - receipt_days * DAY_US,
            ),
            refused={},
        ),
        number=st.integers(1, 50),
        observed=values,
        confirmed=values,
        desired=values,
        receipt_days=st.none() | st.integers(0, 60),
    ),
    max_size=6,
)


@st.composite
def rules_with_policies(draw):
    outputs = {name: replace(output, policy=draw(policies)) for name, output in OUTPUTS.items()}
    return replace(RULES, outputs=outputs, min_change=draw(st.integers(0, 100)))


@given(many, rules_with_policies())
def test_a_plan_holds_only_differences_and_each_record_once_or_not(records, rules):
    made = plan(*records, rules=rules)
    by_place = iter(records)
    for change in made.changes:
        one = next(
            one
            for one in by_place
            if str(one.number) == change.crm_id and one.fields.desired.items() >= change.new.items()
        )
        for name, value in change.new.items():
            assert one.fields.desired[name] == value
            assert one.fields.observed.get(name) == change.old[name] != value
    assert made.counts.changed == len(made.changes)


@given(many, rules_with_policies())
def test_after_a_plan_is_written_the_next_one_is_empty(records, rules):
    """What was held back stays held back; nothing that was written is written again."""
    after = []
    for one in records:
        made = plan(one, rules=rules)
        fields = one.fields
        for change in made.changes:
            fields = receive(fields, change.new, {}, stamp=NOW, now=NOW)
        after.append(replace(one, fields=fields))
    assert plan(*after, rules=rules).changes == ()


@given(many, rules_with_policies())
def test_overwrite_and_due_leave_no_difference(records, rules):
    outputs = {name: replace(output, policy="overwrite") for name, output in rules.outputs.items()}
    rules = replace(rules, outputs=outputs)
    for one in records:
        for change in plan(one, rules=rules).changes:
            fields = receive(one.fields, change.new, {}, stamp=NOW, now=NOW)
            assert all(fields.observed.get(name) == value for name, value in fields.desired.items())
