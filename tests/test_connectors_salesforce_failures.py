from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.base import Refusal
from connectors.errors import BatchTooHeavy, ConnectorError, Fatal, QuotaSpent, Refused, Retriable
from connectors.salesforce.failures import failure, verdict, well_formed

NOW = datetime(2026, 11, 3, 22, 30, tzinfo=UTC)
HTML = "<html><body>Service Unavailable</body></html>"
LOCKED = "unable to obtain exclusive access to this record or 3 records: 00Q5g0000000001EAA"
CONCURRENT = "ConcurrentRequests (Concurrent API Requests) Limit exceeded."
NO_COLUMN = "\nSELECT BAD FROM Lead\n       ^\nERROR at Row:1:Column:8\nNo such column 'BAD' on entity 'Lead'."


def _failure(status: int, told: Any, headers: dict[str, str] | None = None) -> ConnectorError:
    return failure("Lead query", status, headers or {}, told, now=NOW)


def _told(code: str, message: str = "so it is", **more: Any) -> list[dict[str, Any]]:
    return [{"errorCode": code, "message": message, **more}]


def _row(code: str, message: str = "so it is", *fields: str) -> dict[str, Any]:
    return {"statusCode": code, "message": message, "fields": list(fields)}


@pytest.mark.parametrize(
    ("status", "told", "headers", "after_s", "remark"),
    [
        (503, HTML, {}, None, "a balancer speaks HTML"),
        (503, HTML, {"Retry-After": "7"}, 7.0, "and may say when"),
        (503, HTML, {"Retry-After": "Tue, 03 Nov 2026 22:30:09 GMT"}, 9.0, "as a date"),
        (503, HTML, {"Retry-After": "Tue, 03 Nov 2026 22:20:00 GMT"}, 0.0, "a date gone by"),
        (503, HTML, {"Retry-After": "soon"}, None, "unreadable"),
        (503, _told("SERVER_UNAVAILABLE"), {}, None, "the server says so"),
        (500, _told("UNKNOWN_EXCEPTION", "An unexpected error occurred. ErrorId: 12-34"), {}, None, "it stumbled"),
        (502, "", {}, None, "no words at all"),
        (429, "", {}, None, "an edge that throttles"),
        (408, "", {}, None, "the request came too slowly"),
        (400, _told("REQUEST_RUNNING_TOO_LONG"), {}, None, "whatever the status"),
        (400, _told("UNABLE_TO_LOCK_ROW", LOCKED), {}, None, "somebody else writes"),
        (403, _told("REQUEST_LIMIT_EXCEEDED", CONCURRENT), {}, 5.0, "too many at once is no day's end"),
    ],
)
def test_calls_that_may_go_through_later(
    status: int, told: Any, headers: dict[str, str], after_s: float | None, remark: str
):
    error = _failure(status, told, headers)
    assert isinstance(error, Retriable), remark
    assert error.after_s == after_s, remark


@pytest.mark.parametrize("message", ["TotalRequests Limit exceeded.", "", "API calls are over"])
def test_calls_of_a_day_used_up_wait_an_hour(message: str):
    """They are counted over any 24 hours, so some return soon; words not known are taken for this, the safe one."""
    error = _failure(403, _told("REQUEST_LIMIT_EXCEEDED", message))
    assert isinstance(error, QuotaSpent)
    assert error.until == NOW + timedelta(hours=1)


@pytest.mark.parametrize(
    ("status", "told", "words", "remark"),
    [
        (400, _told("INVALID_FIELD", NO_COLUMN), "No such column 'BAD'", "a field missing or hidden"),
        (400, _told("INVALID_FIELD_FOR_INSERT_UPDATE"), "grant it by the permission set", "a field not writable"),
        (400, _told("INVALID_TYPE", "sObject type 'X' is not supported."), "sObject type", "an object not there"),
        (400, _told("MALFORMED_QUERY"), "check fields and scope", "a query not understood"),
        (403, _told("INSUFFICIENT_ACCESS_OR_READONLY"), "permission set", "rights"),
        (403, _told("INSUFFICIENT_ACCESS"), "permission set", "rights"),
        (403, _told("API_DISABLED_FOR_ORG"), "no API", "an edition without"),
        (403, "Forbidden", "permission set", "plain text"),
        (410, _told("GONE"), "api_version", "a version retired"),
        (404, _told("UNSUPPORTED_API_VERSION"), "api_version", "the same, told otherwise"),
        (401, _told("INVALID_SESSION_ID"), "policies", "after a new token"),
        (401, HTML, "policies", "whoever says it"),
        (301, "", "My Domain", "the org was renamed"),
    ],
)
def test_calls_that_somebody_must_mend(status: int, told: Any, words: str, remark: str):
    error = _failure(status, told)
    assert isinstance(error, Fatal), remark
    assert words in str(error), remark
    assert "Lead query" in str(error), remark
    assert "\n" not in str(error), remark


@pytest.mark.parametrize(
    ("status", "told", "code", "field", "words", "remark"),
    [
        (404, _told("NOT_FOUND", "The requested resource does not exist"), "NOT_FOUND", "", "not exist", "no object"),
        (400, _told("INVALID_QUERY_LOCATOR"), "INVALID_QUERY_LOCATOR", "", "so it is", "a page forgotten"),
        (400, _told("JSON_PARSER_ERROR", fields=["A__c"]), "JSON_PARSER_ERROR", "A__c", "so it is", "a value"),
        (400, {"errorCode": "ALONE", "message": "no list"}, "ALONE", "", "no list", "an error without a list"),
        (414, "", "414", "", "no reason given", "too long an address"),
        (400, [], "400", "", "no reason given", "an empty list"),
        (400, ["x"], "400", "", "no reason given", "no errors in it"),
        (400, None, "400", "", "no reason given", "null"),
    ],
)
def test_calls_that_are_refused(status: int, told: Any, code: str, field: str, words: str, remark: str):
    error = _failure(status, told)
    assert type(error) is Refused, remark
    assert (error.code, error.field, error.status) == (code, field, status), remark
    assert words in str(error), remark


@pytest.mark.parametrize(
    ("status", "told", "remark"),
    [
        (400, _told("EXCEEDED_ID_LIMIT"), "too many rows"),
        (400, _told("QUERY_TIMEOUT", "Your query request was running for too long."), "ask for less at once"),
        (500, _told("APEX_ERROR", "System.LimitException: Too many SOQL queries: 101"), "a limit, though a 500"),
    ],
)
def test_calls_that_ask_too_much_at_once(status: int, told: Any, remark: str):
    assert isinstance(_failure(status, told), BatchTooHeavy), remark


@pytest.mark.parametrize(
    ("code", "message", "remark"),
    [
        ("UNABLE_TO_LOCK_ROW", LOCKED, "somebody else writes it"),
        ("REQUEST_RUNNING_TOO_LONG", "so it is", "the server was slow"),
        ("SERVER_UNAVAILABLE", "so it is", "or away"),
        ("UNKNOWN_EXCEPTION", "so it is", "or stumbled"),
        ("ALL_OR_NONE_OPERATION_ROLLED_BACK", "so it is", "another row was to blame"),
        ("PROCESSING_HALTED", "so it is", "as well"),
        (
            "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
            "LeadTrigger: execution of AfterUpdate caused by: " + "x" * 500 + " UNABLE_TO_LOCK_ROW, " + LOCKED,
            "a trigger met the lock, as it says late",
        ),
    ],
)
def test_rows_that_go_out_again(code: str, message: str, remark: str):
    assert isinstance(verdict([_row(code, message)]), Retriable), remark


@pytest.mark.parametrize(
    ("code", "remark"),
    [
        ("ENTITY_IS_DELETED", "in the recycle bin"),
        ("INVALID_CROSS_REFERENCE_KEY", "gone from it too, or not shared"),
        ("MALFORMED_ID", "no id"),
        ("NOT_FOUND", "as a single record says it"),
        ("CANNOT_UPDATE_CONVERTED_LEAD", "its contact is written instead"),
    ],
)
def test_rows_that_are_not_written_again(code: str, remark: str):
    said = verdict([_row(code)])
    assert said == Refusal(code=code, message="so it is", gone=True), remark


@pytest.mark.parametrize(
    ("code", "message", "remark"),
    [
        ("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "LeadTrigger: execution of AfterUpdate", "a trigger"),
        ("CANNOT_EXECUTE_FLOW_TRIGGER", "We can't save this record because a process failed.", "a flow"),
        ("UNHANDLED", "System.LimitException: Too many DML rows: 10001", "a limit by name"),
        ("FIELD_CUSTOM_VALIDATION_EXCEPTION", "Apex CPU time limit exceeded", "whatever the code"),
        ("UNHANDLED", "Apex heap size too large: 7000000", "memory"),
        ("UNHANDLED", "Too many SOQL queries: 101", "without the exception's name"),
    ],
)
def test_rows_whose_batch_is_to_blame(code: str, message: str, remark: str):
    said = verdict([_row(code, message)])
    assert isinstance(said, BatchTooHeavy), remark
    assert said.code == code, remark


@pytest.mark.parametrize(
    ("code", "message", "remark"),
    [
        ("FIELD_CUSTOM_VALIDATION_EXCEPTION", "Fill in the budget first", "a validation rule"),
        ("FIELD_FILTER_VALIDATION_EXCEPTION", "so it is", "a lookup filter"),
        ("REQUIRED_FIELD_MISSING", "so it is", "somebody else's field"),
        ("STRING_TOO_LONG", "so it is", "a text"),
        ("NUMBER_OUTSIDE_VALID_RANGE", "so it is", "a number"),
        ("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "so it is", "a value of no list"),
        ("DUPLICATES_DETECTED", "Use one of these records?", "a rule on duplicates"),
        ("ENTITY_IS_LOCKED", "so it is", "under approval"),
        ("STORAGE_LIMIT_EXCEEDED", "storage limit exceeded", "no limit of a batch"),
        ("INVALID_FIELD_FOR_INSERT_UPDATE", "so it is", "our set-up: the same for every row"),
        ("INVALID_FIELD", "so it is", "as well"),
        ("INSUFFICIENT_ACCESS_OR_READONLY", "so it is", "as well"),
        ("NEVER_HEARD_OF", "so it is", "what the future brings"),
    ],
)
def test_rows_that_are_refused(code: str, message: str, remark: str):
    said = verdict([_row(code, message, "Leadmark_Tier__c", "Other__c")])
    assert said == Refusal(code=code, message=message, field="Leadmark_Tier__c"), remark


@pytest.mark.parametrize(
    ("errors", "expected", "remark"),
    [
        ([_row("A", "one"), _row("B", "two", "F__c")], Refusal(code="A", message="one; two", field="F__c"), "all told"),
        (
            [_row("STRING_TOO_LONG", "one"), _row("ENTITY_IS_DELETED", "two")],
            Refusal(code="ENTITY_IS_DELETED", message="one; two", gone=True),
            "gone goes first",
        ),
        ([], Refusal(code="UNKNOWN", message="no reason given"), "none told"),
        (None, Refusal(code="UNKNOWN", message="no reason given"), "not even a list"),
        ([{"statusCode": None, "fields": None}], Refusal(code="UNKNOWN", message="no reason given"), "nulls"),
    ],
)
def test_rows_with_several_errors_or_none(errors: Any, expected: Refusal, remark: str):
    assert verdict(errors) == expected, remark


def test_a_lock_among_several_errors_is_tried_again_before_the_batch_is_split():
    assert isinstance(verdict([_row("CANNOT_EXECUTE_FLOW_TRIGGER"), _row("UNABLE_TO_LOCK_ROW")]), Retriable)


@pytest.mark.parametrize(
    "code", ["FIELD_CUSTOM_VALIDATION_EXCEPTION", "UNABLE_TO_LOCK_ROW", "CANNOT_EXECUTE_FLOW_TRIGGER"]
)
def test_no_address_and_no_token_is_repeated(code: str):
    message = "ann@example.com asked with 00D5g000004XyzA!AQEAQ.x_y for this"
    for said in (verdict([_row(code, message)]), _failure(400, _told(code, message))):
        text = f"{said!r} {said}"
        assert "asked with … for this" in text
        assert "@" not in text
        assert "AQEAQ" not in text


def test_an_answer_of_another_form_is_salesforces_failure():
    with pytest.raises(ConnectorError, match=r"Lead describe.*KeyError"), well_formed("Lead describe"):
        {}["fields"]
