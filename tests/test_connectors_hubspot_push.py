from collections.abc import Iterator
from datetime import date, timedelta
from math import ceil, log2
from typing import Any

import pytest

from connectors.base import FieldUpdate, Receipt
from connectors.errors import Fatal, QuotaSpent, Retriable
from tests.connector_stages import HubSpotStage, hubspot_stage


@pytest.fixture(params=["2026-09", "legacy"])
def stage(request: pytest.FixtureRequest) -> Iterator[HubSpotStage]:
    with hubspot_stage(request.param) as opened:
        yield opened


@pytest.fixture
def one() -> Iterator[HubSpotStage]:
    with hubspot_stage() as opened:
        yield opened


def _updates(ids: list[str], **values: Any) -> list[FieldUpdate]:
    return [FieldUpdate(object="contact", record_id=id_, values=values or {"leadmark_score": 7}) for id_ in ids]


def _writes(stage: HubSpotStage) -> int:
    return sum("batch/update" in line for line in stage.requests())


def _refused(receipts: list[Receipt]) -> dict[str, str]:
    return {receipt.record_id: receipt.refusal.code for receipt in receipts if receipt.refusal}


def test_a_hundred_records_cost_one_call(stage: HubSpotStage):
    ids = stage.add(100)
    receipts = stage.connect().push(_updates(ids))
    assert _writes(stage) == 1
    assert [receipt.record_id for receipt in receipts] == ids


def test_values_are_written_as_the_definitions_say(stage: HubSpotStage):
    ids = stage.add(1)
    values = {"leadmark_score": 84, "leadmark_tier": "A1", "leadmark_mql_since": date(2026, 11, 3)}
    receipts = stage.connect().push(_updates(ids, **values))
    assert receipts[0].values == values
    assert receipts[0].stamp_at == stage.now()
    held = stage.world.row("contacts", ids[0]).now.properties
    assert {name: held[name] for name in values} == {
        "leadmark_score": "84",
        "leadmark_tier": "A1",
        "leadmark_mql_since": "2026-11-03",
    }


def test_a_receipt_holds_what_hubspot_made_of_the_value(stage: HubSpotStage):
    ids = stage.add(3)
    stage.rule(object="contacts", id=int(ids[0]), action="rewrite", property="leadmark_score", value="55.0")
    stage.rule(object="contacts", id=int(ids[1]), action="ignore", property="leadmark_score")
    receipts = stage.connect().push(_updates(ids))
    assert [receipt.values for receipt in receipts] == [{"leadmark_score": value} for value in (55, None, 7)]


@pytest.mark.parametrize("places", [[0], [99], [37], [0, 1], [0, 99], [10, 11, 12, 13]])
def test_each_poison_record_costs_at_most_fourteen_calls_more(stage: HubSpotStage, places: list[int]):
    ids = stage.add(100)
    for place in places:
        stage.rule(object="contacts", id=int(ids[place]), action="refuse", code="RULE", message="Not this one")
    receipts = list(stage.connect().push(_updates(ids)))
    assert _refused(receipts) == {ids[place]: "RULE" for place in places}
    assert all(receipt.values == {"leadmark_score": 7} for receipt in receipts if not receipt.refusal)
    assert _writes(stage) <= 1 + len(places) * 2 * ceil(log2(100))


def test_a_refusal_names_the_property_and_the_words(stage: HubSpotStage):
    ids = stage.add(2)
    stage.rule(
        object="contacts", id=int(ids[1]), action="refuse", property="leadmark_tier", code="RULE", message="Ask Legal"
    )
    receipts = stage.connect().push(_updates(ids, leadmark_score=1, leadmark_tier="A1"))
    refusal = receipts[1].refusal
    assert refusal is not None
    assert (refusal.code, refusal.field) == ("RULE", "leadmark_tier")
    assert "Ask Legal" in refusal.message


def test_a_record_refused_alone_costs_no_call_more(stage: HubSpotStage):
    """HubSpot may refuse single records within a 207, or within a 200 on dated paths."""
    ids = stage.add(10)
    stage.rule(object="contacts", id=int(ids[4]), action="refuse", status=207, code="RULE", message="no")
    receipts = list(stage.connect().push(_updates(ids)))
    assert _refused(receipts) == {ids[4]: "RULE"}
    assert _writes(stage) == 1


def test_when_all_are_refused_calls_are_bounded_and_the_rest_stays_unknown(one: HubSpotStage):
    ids = one.add(100)
    one.rule(object="contacts", id="*", action="refuse", code="RULE", message="none of them")
    receipts = list(one.connect().push(_updates(ids)))
    assert _writes(one) <= 1 + 64
    refused = _refused(receipts)
    assert 20 < len(refused) < 100
    unknown = [receipt for receipt in receipts if receipt.record_id not in refused]
    assert all(receipt.values is None and receipt.refusal is None for receipt in unknown)


def test_an_id_in_neither_results_nor_errors_is_unknown(one: HubSpotStage):
    ids = one.add(2)
    row = {"id": ids[0], "properties": {"leadmark_score": "7"}, "updatedAt": "2026-11-03T12:00:00Z"}
    one.fault({"status": 200, "body": {"status": "COMPLETE", "results": [row]}}, path="batch/update")
    known, unknown = one.connect().push(_updates(ids))
    assert known.values == {"leadmark_score": 7}
    assert unknown == Receipt(object="contact", record_id=ids[1])


@pytest.mark.parametrize("body", [{}, {"results": None}, {"results": [], "errors": [{"message": "no ids"}]}])
def test_an_answer_that_says_nothing_confirms_nothing(one: HubSpotStage, body: dict[str, Any]):
    ids = one.add(2)
    one.fault({"status": 200, "body": body}, path="batch/update")
    assert one.connect().push(_updates(ids)) == [Receipt(object="contact", record_id=id_) for id_ in ids]


def test_a_whole_call_not_found_means_its_record_is_gone(one: HubSpotStage):
    ids = one.add(1)
    one.fault({"status": 404, "body": {"category": "OBJECT_NOT_FOUND", "message": "no"}}, path="batch/update")
    receipts = one.connect().push(_updates(ids))
    assert receipts[0].refusal is not None
    assert receipts[0].refusal.gone


@pytest.mark.parametrize("lost", ["missing", "read only", "missing since"])
def test_an_output_property_that_cannot_be_written_stops_the_connection(one: HubSpotStage, lost: str):
    ids = one.add(100)
    connector = one.connect()
    definitions = one.world.definitions["contacts"]
    if lost == "missing since":
        connector.describe()
    if lost == "read only":
        one.fault(
            {
                "status": 400,
                "body": {
                    "category": "VALIDATION_ERROR",
                    "errors": [{"code": "READ_ONLY_VALUE", "context": {"propertyName": ["leadmark_score"]}}],
                },
            },
            path="batch/update",
        )
    else:
        del definitions["leadmark_score"]
    with pytest.raises(Fatal, match="leadmark_score"):
        connector.push(_updates(ids))
    assert _writes(one) <= 1


def test_an_output_property_created_meanwhile_is_found(one: HubSpotStage):
    ids = one.add(1)
    kept = one.world.definitions["contacts"].pop("leadmark_score")
    connector = one.connect()
    with pytest.raises(Fatal):
        connector.push(_updates(ids))
    one.world.definitions["contacts"]["leadmark_score"] = kept
    one.wait(timedelta(minutes=2))
    assert connector.push(_updates(ids))[0].values == {"leadmark_score": 7}


@pytest.mark.parametrize(
    "do",
    [{"html": 502}, {"status": 429, "body": "error code: 1015"}, {"drop": "before"}, {"drop": "after_apply"}],
    ids=str,
)
def test_a_write_whose_answer_is_lost_is_sent_again(stage: HubSpotStage, do: dict[str, Any]):
    ids = stage.add(5)
    stage.fault(do, path="batch/update")
    receipts = stage.connect().push(_updates(ids))
    assert all(receipt.values == {"leadmark_score": 7} for receipt in receipts)
    assert stage.held(ids[0])["leadmark_score"] == 7
    assert _writes(stage) == 2


def test_a_write_that_never_gets_through_is_told(one: HubSpotStage):
    ids = one.add(5)
    one.fault({"drop": "after_apply"}, path="batch/update", times=None)
    with pytest.raises(Retriable):
        one.connect().push(_updates(ids))


def test_the_days_calls_used_up_parks_the_connection(one: HubSpotStage):
    ids = one.add(1)
    connector = one.connect()
    connector.account()
    body = {"message": "You have reached your daily limit.", "policyName": "DAILY"}
    one.fault({"status": 429, "body": body}, path="batch/update")
    with pytest.raises(QuotaSpent) as raised:
        connector.push(_updates(ids))
    assert raised.value.until == one.now() + timedelta(hours=12)


@pytest.mark.parametrize(
    "update",
    [
        FieldUpdate(object="contact", record_id="1", values={"lifecyclestage": "lead"}),
        FieldUpdate(object="contact", record_id="1", values={"leadmark_score": 1, "email": "a@b.example"}),
        FieldUpdate(object="company", record_id="1", values={"leadmark_score": 1}),
        FieldUpdate(object="contact", record_id="1", values={}),
    ],
    ids=["another property", "one among ours", "another object", "nothing"],
)
def test_nothing_else_leaves_the_house(one: HubSpotStage, update: FieldUpdate):
    connector = one.connect()
    with pytest.raises(ValueError):
        connector.push([update])
    assert connector.calls() == 0


def test_nothing_to_push_costs_nothing(one: HubSpotStage):
    connector = one.connect()
    assert connector.push([]) == []
    assert connector.calls() == 0
