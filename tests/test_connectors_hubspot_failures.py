from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from connectors.errors import ConnectorError, Fatal, QuotaSpent, Refused, Retriable
from connectors.hubspot.failures import failure

NOW = datetime(2026, 11, 3, 22, 30, tzinfo=UTC)
SEARCH = {"status": "error", "message": "You have reached your secondly limit.", "category": "RATE_LIMITS"}
BURST = {"message": "You have reached your ten_secondly_rolling limit.", "policyName": "TEN_SECONDLY_ROLLING"}
DAILY = {"message": "You have reached your daily limit.", "policyName": "DAILY"}
SCOPES = {
    "category": "MISSING_SCOPES",
    "errors": [{"context": {"requiredGranularScopes": ["crm.objects.contacts.write"]}}],
}
INVALID = {
    "category": "VALIDATION_ERROR",
    "message": 'Property values were not valid: [{"isValid":false,"message":"\\"many\\" was not a number",'
    '"error":"INVALID_INTEGER","name":"lead_score"}]',
}


def _failure(status: int, body: Any, headers: dict[str, str] | None = None, **more: Any) -> ConnectorError:
    raw = body if isinstance(body, str) else orjson.dumps(body)
    return failure("contacts search", status, headers or {}, raw, now=NOW, **more)


@pytest.mark.parametrize(
    ("status", "body", "headers", "after_s", "remark"),
    [
        (429, SEARCH, {}, 1.0, "search: a second"),
        (429, BURST, {}, 10.0, "burst: the window"),
        (429, "error code: 1015", {}, 10.0, "the edge speaks plain text"),
        (429, BURST, {"Retry-After": "3"}, 3.0, "HubSpot's word goes first"),
        (429, BURST, {"Retry-After": "Tue, 03 Nov 2026 22:30:07 GMT"}, 7.0, "as a date"),
        (429, BURST, {"Retry-After": "Tue, 03 Nov 2026 22:20:00 GMT"}, 0.0, "a date gone by"),
        (429, BURST, {"Retry-After": "soon"}, 10.0, "unreadable"),
        (423, {"message": "locked"}, {}, 2.0, "a locked record"),
        (477, "", {"Retry-After": "7200"}, 7200.0, "the portal moves to another data centre"),
        (500, "<html>", {}, None, "the server"),
        (502, "<html>", {}, None, "a balancer"),
        (521, "", {}, None, "the edge"),
        (0, "", {}, None, "no answer that could be read"),
    ],
)
def test_what_may_go_through_later(status: int, body: Any, headers: dict[str, str], after_s: float | None, remark: str):
    error = _failure(status, body, headers)
    assert isinstance(error, Retriable), remark
    assert error.after_s == after_s, remark


@pytest.mark.parametrize(
    ("zone", "until"),
    [
        ("UTC", datetime(2026, 11, 4, 0, 0, tzinfo=UTC)),
        ("US/Eastern", datetime(2026, 11, 4, 5, 0, tzinfo=UTC)),
        ("Australia/Sydney", datetime(2026, 11, 4, 13, 0, tzinfo=UTC)),
        (None, None),
    ],
)
def test_a_day_of_calls_used_up_waits_for_the_portals_midnight(zone: str | None, until: datetime | None):
    error = _failure(429, DAILY, time_zone=zone)
    assert isinstance(error, QuotaSpent)
    assert error.until == until


def test_midnight_on_a_day_of_twenty_five_hours():
    error = failure("x", 429, {}, orjson.dumps(DAILY), now=datetime(2026, 11, 1, 5, tzinfo=UTC), time_zone="US/Eastern")
    assert isinstance(error, QuotaSpent)
    assert error.until == datetime(2026, 11, 2, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "body", "scope", "words"),
    [
        (401, {"category": "INVALID_AUTHENTICATION"}, "", "login.service_key"),
        (403, SCOPES, "", "scope crm.objects.contacts.write"),
        (403, {"category": "MISSING_SCOPES", "errors": [{"context": {}}]}, "content", "scope content"),
        (403, "<html>", "", "no reason given"),
        (403, {"category": "BANNED", "message": "This portal is closed"}, "", "This portal is closed"),
    ],
)
def test_what_somebody_must_mend(status: int, body: Any, scope: str, words: str):
    error = _failure(status, body, scope=scope)
    assert isinstance(error, Fatal)
    assert words in str(error)


@pytest.mark.parametrize(
    ("status", "body", "code", "field", "words"),
    [
        (400, INVALID, "INVALID_INTEGER", "lead_score", "was not a number"),
        (
            400,
            {"message": "Property values were not valid: [cut", "category": "VALIDATION_ERROR"},
            "VALIDATION_ERROR",
            "",
            "Property values",
        ),
        (
            400,
            {"category": "VALIDATION_ERROR", "errors": [{"message": "a"}, {"message": "b"}]},
            "VALIDATION_ERROR",
            "",
            "a; b",
        ),
        (
            400,
            {"errors": [{"code": "RULE", "message": "m", "context": {"propertyName": "tier"}}]},
            "RULE",
            "tier",
            "m",
        ),
        (404, {"category": "OBJECT_NOT_FOUND", "message": "resource not found"}, "OBJECT_NOT_FOUND", "", "not found"),
        (409, {"category": "CONFLICT", "message": "Contact already exists. Existing ID: 1"}, "CONFLICT", "", "exists"),
        (414, "", "414", "", "no reason given"),
        (400, "[1]", "400", "", "no reason given"),
    ],
)
def test_what_is_refused(status: int, body: Any, code: str, field: str, words: str):
    error = _failure(status, body)
    assert isinstance(error, Refused)
    assert (error.code, error.field, error.status) == (code, field, status)
    assert words in str(error)
    assert "contacts search" in str(error)


def test_no_address_is_repeated():
    told = {"message": 'the address "ann@example.com" (ann+b@mail.example.org) is taken', "category": "CONFLICT"}
    error = _failure(409, told)
    assert "@" not in str(error)
    assert "is taken" in str(error)
