from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from connectors.base import FieldUpdate, Receipt, Value
from connectors.emulator.server import Emulator
from connectors.errors import Fatal, QuotaSpent, Retriable
from tests.connector_stages import SalesforceStage, salesforce_emulator, salesforce_stage

FLOW = {"code": "CANNOT_EXECUTE_FLOW_TRIGGER", "message": "System.LimitException: Too many SOQL queries: 101"}
VALUES: dict[str, Value] = {"Leadmark_Score__c": 7}


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with salesforce_emulator() as started:
        yield started


@pytest.fixture
def stage(emulator: Emulator) -> Iterator[SalesforceStage]:
    with salesforce_stage(emulator) as opened:
        yield opened


def _updates(ids: list[str], object_: str = "contact", **values: Any) -> list[FieldUpdate]:
    return [FieldUpdate(object=object_, record_id=id_, values=values or VALUES) for id_ in ids]


def _writes(stage: SalesforceStage) -> int:
    return sum(entry.method == "PATCH" for entry in stage.emulator.traffic.since(0))


def _refused(receipts: list[Receipt]) -> dict[str, str]:
    return {receipt.record_id: receipt.refusal.code for receipt in receipts if receipt.refusal}


def _written(receipts: list[Receipt]) -> set[str]:
    return {receipt.record_id for receipt in receipts if receipt.values is not None}


def _push(stage: SalesforceStage, updates: list[FieldUpdate], connector: Any = None) -> list[Receipt]:
    receipts = list((connector or stage.connect()).push(updates))
    assert [receipt.record_id for receipt in receipts] == [update.record_id for update in updates]
    return receipts


def test_two_hundred_leads_and_contacts_cost_one_call(stage: SalesforceStage):
    leads, contacts = stage.add(100, object_="Lead"), stage.add(100)
    mixed = [update for pair in zip(_updates(leads, "lead"), _updates(contacts), strict=True) for update in pair]
    receipts = _push(stage, mixed)
    assert _writes(stage) == 1
    assert _written(receipts) == {*leads, *contacts}
    assert {stage.held(id_)["Leadmark_Score__c"] for id_ in (*leads, *contacts)} == {7}


@pytest.mark.parametrize(
    ("name", "value", "held", "remark"),
    [
        ("Leadmark_Score__c", 84.456, 84.46, "Salesforce would keep all decimals, and each reading differ"),
        ("Leadmark_Score__c", 84.0, 84, "whole"),
        ("Leadmark_Score__c", None, None, "emptied"),
        ("Leadmark_Tier__c", " A1\r\n ", "A1", "trimmed"),
        ("Leadmark_Tier__c", "x" * 300, "x" * 255, "cut at the field's length"),
        ("Leadmark_Tier__c", None, None, "emptied"),
        ("Leadmark_Mql_Since__c", date(2026, 11, 3), "2026-11-03", "a day"),
        ("Leadmark_Mql_Since__c", datetime(2026, 11, 3, 9, tzinfo=UTC), "2026-11-03", "the day of an instant"),
        ("Leadmark_Mql_Since__c", None, None, "emptied"),
    ],
)
def test_values_are_written_as_the_fields_hold_them(
    stage: SalesforceStage, name: str, value: Value, held: Any, remark: str
):
    """The receipt says what the next pull will read."""
    ids = stage.add(1)
    stage.org.edit("Contact", ids[0], {"Leadmark_Score__c": 1, "Leadmark_Tier__c": "Z", "Leadmark_Mql_Since__c": None})
    connector = stage.connect()
    (receipt,) = _push(stage, _updates(ids, **{name: value}), connector)
    assert stage.held(ids[0])[name] == held, remark
    (page,) = connector.pull("contacts", None)
    assert receipt.values == {name: page.records[0].values[name]}
    assert receipt.stamp_at is not None
    assert timedelta(0) <= page.records[0].stamp_at - receipt.stamp_at <= timedelta(seconds=2)


def test_no_owner_changes_under_an_active_assignment_rule(stage: SalesforceStage):
    leads = stage.add(3, object_="Lead")
    before = [dict(stage.held(id_)) for id_ in leads]
    stage.org.assigns_to = next(row.id for row in stage.org.live("User") if row.id != before[0]["OwnerId"])
    _push(stage, _updates(leads, "lead"))
    beside = {"Leadmark_Score__c": 7, "LastModifiedById": stage.org.user_id}
    assert [stage.held(id_) for id_ in leads] == [values | beside for values in before]


@pytest.mark.parametrize("places", [[0], [199], [37], [0, 1, 2, 3, 4, 100]])
def test_a_refused_row_costs_no_call_more(stage: SalesforceStage, places: list[int]):
    ids = stage.add(200)
    for place in places:
        stage.refuse(ids[place])
    receipts = _push(stage, _updates(ids))
    assert _refused(receipts) == {ids[place]: "FIELD_CUSTOM_VALIDATION_EXCEPTION" for place in places}
    assert _written(receipts) == set(ids) - set(_refused(receipts))
    assert _writes(stage) == 1


def test_a_refusal_names_the_field_and_the_words(stage: SalesforceStage):
    ids = stage.add(2)
    stage.rule(
        object="Contact", id=ids[1], action="refuse", property="Leadmark_Tier__c", code="RULE", message="Ask Legal"
    )
    receipts = _push(stage, _updates(ids, Leadmark_Score__c=1, Leadmark_Tier__c="A1"))
    refusal = receipts[1].refusal
    assert refusal is not None
    assert (refusal.code, refusal.field, refusal.message, refusal.gone) == (
        "RULE",
        "Leadmark_Tier__c",
        "Ask Legal",
        False,
    )


def test_the_dead_are_told_to_be_gone(stage: SalesforceStage):
    leads, contacts = stage.add(2, object_="Lead"), stage.add(4)
    stage.delete(contacts[0])
    stage.merge(contacts[1], contacts[2])
    stage.org.convert(leads[0])
    receipts = _push(stage, [*_updates(contacts), *_updates(leads, "lead")])
    assert {receipt.record_id: receipt.refusal.gone for receipt in receipts if receipt.refusal} == {
        contacts[0]: True,
        contacts[2]: True,
        leads[0]: True,
    }
    assert _written(receipts) == {contacts[1], contacts[3], leads[1]}


# rows that were locked


@pytest.mark.parametrize(("times", "sleeps"), [(1, [0.75]), (3, [0.75, 1.5, 3.0])])
def test_a_locked_row_goes_out_again_a_little_later(stage: SalesforceStage, times: int, sleeps: list[float]):
    ids = stage.add(20)
    stage.rule(object="Contact", id=ids[3], action="refuse", code="UNABLE_TO_LOCK_ROW", message="locked", times=times)
    assert _written(_push(stage, _updates(ids))) == set(ids)
    assert stage.sleeps == sleeps
    assert _writes(stage) == 1 + times


def test_a_row_that_stays_locked_stays_unknown(stage: SalesforceStage):
    ids = stage.add(20)
    stage.rule(object="Contact", id=ids[3], action="refuse", code="UNABLE_TO_LOCK_ROW", message="locked")
    receipts = _push(stage, _updates(ids))
    assert receipts[3] == Receipt(object="contact", record_id=ids[3])
    assert len(_written(receipts)) == 19
    assert _writes(stage) == 4


# limits of triggers and flows


@pytest.mark.parametrize("limit", [199, 120, 100, 70, 12, 5])
def test_a_flow_limit_refuses_nobody_and_is_remembered(stage: SalesforceStage, limit: int):
    ids = stage.add(200)
    stage.rule(object="Contact", id="*", action="refuse", above=limit, **FLOW)
    connector = stage.connect()
    assert _written(_push(stage, _updates(ids), connector)) == set(ids)
    first = _writes(stage)
    assert _written(_push(stage, _updates(ids, Leadmark_Score__c=8), connector)) == set(ids)
    again = _writes(stage) - first
    assert again < first
    assert again <= 2 * -(-200 // limit)


def test_the_limit_of_one_object_does_not_slow_the_other(stage: SalesforceStage):
    leads, contacts = stage.add(100, object_="Lead"), stage.add(100)
    stage.rule(object="Lead", id="*", action="refuse", above=25, **FLOW)
    connector = stage.connect()
    both = [*_updates(leads, "lead"), *_updates(contacts)]
    assert _written(_push(stage, both, connector)) == {*leads, *contacts}
    before = _writes(stage)
    assert _written(_push(stage, both, connector)) == {*leads, *contacts}
    assert _writes(stage) - before == 4 + 1


def test_a_call_that_both_objects_share_may_be_too_much(stage: SalesforceStage):
    """What each bears alone is not known from a call of both."""
    leads, contacts = stage.add(1, object_="Lead"), stage.add(60)
    both = [*_updates(leads, "lead"), *_updates(contacts)]
    body = [{"success": False, "errors": [{"statusCode": FLOW["code"], "message": FLOW["message"]}]}] * 61
    stage.fault({"status": 200, "body": body}, path="composite")
    connector = stage.connect()
    for calls in (3, 2, 2):
        before = _writes(stage)
        assert _written(_push(stage, both, connector)) == {*leads, *contacts}
        assert _writes(stage) - before == calls


def test_one_row_blamed_among_many_lowers_no_size(stage: SalesforceStage):
    ids = stage.add(200)
    results = [{"id": id_, "success": True, "errors": []} for id_ in ids]
    results[7] = {"success": False, "errors": [{"statusCode": FLOW["code"], "message": FLOW["message"]}]}
    stage.fault({"status": 200, "body": results}, path="composite")
    connector = stage.connect()
    assert _written(_push(stage, _updates(ids), connector)) == set(ids)
    before = _writes(stage)
    _push(stage, _updates(ids), connector)
    assert _writes(stage) - before == 1


@pytest.mark.parametrize("places", [[0], [199], [37], [10, 150]])
def test_a_row_that_fails_alone_is_to_blame(stage: SalesforceStage, places: list[int]):
    """A trigger that trips over one row fails all it goes with; the rest is written, in whole batches from then on."""
    ids = stage.add(200)
    for place in places:
        stage.rule(object="Contact", id=ids[place], action="refuse", **FLOW)
    poison = {ids[place] for place in places}
    connector = stage.connect()
    receipts = _push(stage, _updates(ids), connector)
    assert set(_refused(receipts)) == poison
    assert _written(receipts) == set(ids) - poison
    before = _writes(stage)
    assert _written(_push(stage, _updates(sorted(set(ids) - poison)), connector)) == set(ids) - poison
    assert _writes(stage) - before == 1


def test_when_every_row_fails_alone_nobody_is_refused_and_calls_are_bounded(stage: SalesforceStage):
    ids = stage.add(200)
    stage.rule(object="Contact", id="*", action="refuse", **FLOW)
    receipts = _push(stage, _updates(ids))
    assert all(receipt == Receipt(object="contact", record_id=receipt.record_id) for receipt in receipts)
    assert _writes(stage) <= 1 + 64


def test_a_few_rows_that_all_fail_alone_are_refused(stage: SalesforceStage):
    ids = stage.add(2)
    stage.rule(object="Contact", id="*", action="refuse", **FLOW)
    assert set(_refused(_push(stage, _updates(ids)))) == set(ids)


# fields


@pytest.mark.parametrize("lost", ["missing", "hidden", "read only", "hidden since", "read only since"])
def test_an_output_field_that_cannot_be_written_stops_the_connection(stage: SalesforceStage, lost: str):
    ids = stage.add(3)
    connector = stage.connect()
    if lost.endswith("since"):
        connector.describe()
    fields = stage.org.objects["Contact"].fields
    match lost.removesuffix(" since"):
        case "missing":
            del fields["Leadmark_Score__c"]
        case "hidden":
            fields["Leadmark_Score__c"].readable = False
        case _:
            fields["Leadmark_Score__c"].editable = False
    with pytest.raises(Fatal, match=r"Leadmark_Score__c of Contact .* permission set"):
        connector.push(_updates(ids))
    assert stage.held(ids[0])["Leadmark_Score__c"] is None


def test_an_output_field_of_another_type_stops_the_connection(stage: SalesforceStage):
    ids = stage.add(1)
    with pytest.raises(Fatal, match="Leadmark_Score__c of Contact is of type number"):
        stage.connect().push(_updates(ids, Leadmark_Score__c=date(2026, 11, 3)))
    assert _writes(stage) == 0


def test_an_output_field_created_meanwhile_is_found(stage: SalesforceStage):
    ids = stage.add(1)
    kept = stage.org.objects["Contact"].fields.pop("Leadmark_Score__c")
    connector = stage.connect()
    with pytest.raises(Fatal):
        connector.push(_updates(ids))
    stage.org.objects["Contact"].fields["Leadmark_Score__c"] = kept
    stage.wait(timedelta(minutes=2))
    assert _written(_push(stage, _updates(ids), connector)) == set(ids)


# calls


@pytest.mark.parametrize("do", [{"html": 503}, {"drop": "before"}, {"drop": "after_apply"}], ids=str)
def test_a_write_whose_answer_is_lost_is_sent_again(stage: SalesforceStage, do: dict[str, Any]):
    ids = stage.add(5)
    connector = stage.connect()
    connector.describe()
    stage.fault(do, path="composite")
    assert _written(_push(stage, _updates(ids), connector)) == set(ids)
    assert _writes(stage) == 2


def test_a_write_that_never_gets_through_is_told(stage: SalesforceStage):
    ids = stage.add(5)
    stage.fault({"drop": "after_apply"}, path="composite", times=None)
    with pytest.raises(Retriable):
        stage.connect().push(_updates(ids))


def test_the_days_calls_used_up_parks_the_connection(stage: SalesforceStage):
    ids = stage.add(1)
    body = [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}]
    stage.fault({"status": 403, "body": body}, path="composite")
    with pytest.raises(QuotaSpent):
        stage.connect().push(_updates(ids))


@pytest.mark.parametrize(
    "update",
    [
        FieldUpdate(object="contact", record_id="1", values={"Title": "Chief"}),
        FieldUpdate(object="contact", record_id="1", values={"Leadmark_Score__c": 1, "OwnerId": "005"}),
        FieldUpdate(object="account", record_id="1", values=VALUES),
        FieldUpdate(object="contact", record_id="1", values={}),
    ],
    ids=["another field", "one among ours", "another object", "nothing"],
)
def test_nothing_else_leaves_the_house(stage: SalesforceStage, update: FieldUpdate):
    connector = stage.connect()
    with pytest.raises(ValueError):
        connector.push([update])
    assert connector.calls() == 0


def test_nothing_to_push_costs_nothing(stage: SalesforceStage):
    connector = stage.connect()
    assert connector.push([]) == []
    assert connector.calls() == 0
