"""The wire: connections, spellings, credentials, limits and faults, seen by a plain HTTP client."""

import http.client
import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from connectors.emulator.limits import Limits
from connectors.emulator.people import make_world
from connectors.emulator.server import Emulator

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CONTACTS = "/crm/v3/objects/contacts"


class Ticks:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


class Caller:
    """One kept-alive connection."""

    def __init__(self, url: str) -> None:
        self.connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
        self.headers: dict[str, str] = {}

    def __call__(self, method: str, path: str, body: Any = None, token: str = "pat-x") -> tuple[int, Any]:
        raw = json.dumps(body) if body is not None and not isinstance(body, str) else body
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.connection.request(method, path, raw, headers)
        response = self.connection.getresponse()
        self.headers = dict(response.headers)
        data = response.read()
        is_json = "json" in response.headers.get("Content-Type", "")
        return response.status, json.loads(data) if data and is_json else data.decode()


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
def emulator(ticks: Ticks) -> Iterator[Emulator]:
    with Emulator.start(make_world(40, now=NOW), limits=Limits(ticks)) as running:
        yield running


@pytest.fixture
def call(emulator: Emulator) -> Iterator[Caller]:
    caller = Caller(emulator.url)
    yield caller
    caller.connection.close()


def test_it_listens_on_loopback_alone(emulator: Emulator) -> None:
    assert emulator.url.startswith("http://127.0.0.1:")


def test_one_connection_serves_many_requests(call: Caller) -> None:
    call("GET", CONTACTS)
    first = call.connection.sock
    assert call("GET", "/nowhere")[0] == 404
    assert call("POST", f"{CONTACTS}/search", "{bad json")[0] == 400
    assert call.connection.sock is first


def test_stopping_ends_open_connections_and_is_harmless_to_repeat(emulator: Emulator, call: Caller) -> None:
    call("GET", CONTACTS)
    emulator.stop()
    emulator.stop()
    with pytest.raises((http.client.HTTPException, OSError)):
        call("GET", CONTACTS)


@pytest.mark.parametrize(
    "path",
    [
        f"{CONTACTS}?properties=email,country&limit=2",
        f"{CONTACTS}?properties=email&properties=country&limit=2",
        f"{CONTACTS}/?properties=email&properties=country&limit=2&archived=False",
        "/crm/objects/2026-09/contacts?properties=email,country&limit=2&archived=false",
        "/crm/objects/2026-03/contacts/?properties=country,email,does_not_exist&limit=2",
    ],
)
def test_spellings_of_one_request_give_one_answer(call: Caller, path: str) -> None:
    status, body = call("GET", path)
    assert status == 200
    assert [set(item["properties"]) for item in body["results"]] == [
        {"email", "country", "createdate", "lastmodifieddate", "hs_object_id"}
    ] * 2


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/crm/v3/objects/contacts/7777777"),
        ("GET", "/crm/objects/2024-01/contacts"),
        ("PUT", CONTACTS),
        ("GET", "/crm/v3/properties/contacts/nonsense"),
        ("GET", "/crm/v3/lists/999/memberships/join-order"),
        ("GET", "/email/public/v1/campaigns/1"),
        ("GET", "/form-integrations/v1/submissions/forms/none"),
    ],
)
def test_what_is_not_there_is_404_in_the_envelope(call: Caller, method: str, path: str) -> None:
    status, body = call(method, path)
    assert status == 404
    assert body["status"] == "error"
    assert body["category"] == "OBJECT_NOT_FOUND"
    assert body["correlationId"] == call.headers["X-HubSpot-Correlation-Id"]


@pytest.mark.parametrize(
    ("token", "status", "category"),
    [
        ("", 401, "INVALID_AUTHENTICATION"),
        ("secret", 401, "INVALID_AUTHENTICATION"),
        ("pat-expired", 401, "EXPIRED_AUTHENTICATION"),
        ("pat-narrow", 403, "MISSING_SCOPES"),
    ],
)
def test_bad_credentials(emulator: Emulator, call: Caller, token: str, status: int, category: str) -> None:
    emulator.world.scopes["pat-narrow"] = frozenset({"crm.objects.contacts.read"})
    answered, body = call("PATCH", f"{CONTACTS}/1001", {"properties": {"leadmark_score": "1"}}, token=token)
    assert (answered, body["category"]) == (status, category)
    assert "leadmark_score" not in emulator.world.row("contacts", 1001).now.properties
    if status == 403:
        assert body["errors"][0]["context"]["requiredGranularScopes"] == ["crm.objects.contacts.write"]
        assert call("GET", f"{CONTACTS}/1001", token=token)[0] == 200


def test_the_sixth_search_of_a_second_is_throttled_without_retry_after(call: Caller, ticks: Ticks) -> None:
    statuses = [call("POST", f"{CONTACTS}/search", {})[0] for _ in range(6)]
    assert statuses == [200] * 5 + [429]
    assert "Retry-After" not in call.headers
    assert "X-HubSpot-RateLimit-Max" not in call.headers
    assert "X-HubSpot-RateLimit-Daily-Remaining" in call.headers
    assert call("GET", CONTACTS)[0] == 200  # the other bucket
    ticks.seconds += 1
    assert call("POST", f"{CONTACTS}/search", {})[0] == 200


def test_the_burst_limit_rolls_over_ten_seconds(emulator: Emulator, call: Caller, ticks: Ticks) -> None:
    emulator.world.limits.per_10s = 2
    call("GET", CONTACTS)
    assert call.headers["X-HubSpot-RateLimit-Remaining"] == "1"
    ticks.seconds += 6
    call("GET", CONTACTS)
    status, body = call("GET", CONTACTS)
    assert (status, body["policyName"], body["errorType"]) == (429, "TEN_SECONDLY_ROLLING", "RATE_LIMIT")
    ticks.seconds += 4
    assert [call("GET", CONTACTS)[0] for _ in range(2)] == [200, 429]


def test_the_day_ends_at_the_portals_midnight(emulator: Emulator, call: Caller) -> None:
    emulator.world.time_zone = "America/New_York"
    emulator.world.limits.per_day = 1
    call("GET", CONTACTS)
    status, body = call("GET", CONTACTS)
    assert (status, body["policyName"]) == (429, "DAILY")
    emulator.world.clock.set(datetime(2026, 11, 21, 4, 59, tzinfo=UTC))
    assert call("GET", CONTACTS)[0] == 429
    emulator.world.clock.advance(60)
    assert call("GET", CONTACTS)[0] == 200


FAULTS = [
    ({"status": 423}, 423, "record locked"),
    ({"status": 477, "headers": {"Retry-After": "5"}}, 477, "moves to another data centre, with a header"),
    ({"status": 429, "body": {"status": "error", "policyName": "DAILY"}}, 429, "a JSON body"),
    ({"html": 502}, 502, "an HTML page"),
    ({"status": 503, "body": "error code: 1015"}, 503, "plain text"),
]


@pytest.mark.parametrize(("do", "status", "remark"), FAULTS)
def test_a_fault_strikes_the_requests_it_names_and_applies_nothing(
    emulator: Emulator, call: Caller, do: dict[str, Any], status: int, remark: str
) -> None:
    fault = {"match": {"method": "PATCH", "path": "contacts/1001$"}, "skip": 1, "times": 1, "do": do}
    assert call("POST", "/_emulator/faults", fault)[0] == 200
    answers = [
        call("PATCH", f"{CONTACTS}/{row}", {"properties": {"leadmark_score": str(value)}})[0]
        for value, row in enumerate((1001, 1002, 1001, 1001))
    ]
    assert answers == [200, 200, status, 200], remark
    assert [entry.status for entry in emulator.traffic.log] == answers
    assert emulator.world.row("contacts", 1001).now.properties["leadmark_score"] == "3"


def test_headers_and_html_of_a_fault_arrive(call: Caller) -> None:
    call("POST", "/_emulator/faults", [{"do": {"status": 477, "headers": {"Retry-After": "5"}}}, {"do": {"html": 502}}])
    call("GET", CONTACTS)
    assert call.headers["Retry-After"] == "5"
    status, page = call("GET", CONTACTS)
    assert (status, page[:6]) == (502, "<html>")


@pytest.mark.parametrize(("when", "applied"), [("before", None), ("after_apply", "7")])
def test_a_dropped_connection_has_or_has_not_applied_the_write(
    emulator: Emulator, call: Caller, when: str, applied: str | None
) -> None:
    call("POST", "/_emulator/faults", {"match": {"method": "PATCH"}, "do": {"drop": when}})
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        call("PATCH", f"{CONTACTS}/1001", {"properties": {"leadmark_score": "7"}})
    assert emulator.world.row("contacts", 1001).now.properties.get("leadmark_score") == applied
    assert emulator.traffic.log[-1].status == 0
    call.connection.close()
    assert call("GET", CONTACTS)[0] == 200


def test_a_delay_outlasts_the_callers_patience_and_ends_with_the_server(emulator: Emulator, call: Caller) -> None:
    call("POST", "/_emulator/faults", {"do": {"delay_s": 600}})
    call.connection.timeout = 0.1
    call.connection.close()
    with pytest.raises(socket.timeout):
        call("GET", CONTACTS)
    emulator.stop()


def test_the_log_holds_every_call_and_no_token(emulator: Emulator, call: Caller) -> None:
    call("GET", f"{CONTACTS}?limit=1", token="pat-very-secret")
    call("POST", f"{CONTACTS}/batch/update", {"inputs": [{"id": "1001", "properties": {"leadmark_tier": "A1"}}]})
    call("POST", f"{CONTACTS}/search", {"limit": 1})
    _, log = call("GET", "/_emulator/log?since=1")
    assert [(item["n"], item["method"]) for item in log["requests"]] == [(2, "POST"), (3, "POST")]
    assert log["requests"][0]["body"]["inputs"][0]["properties"] == {"leadmark_tier": "A1"}
    assert "body" not in log["requests"][1]
    assert "very-secret" not in json.dumps(call("GET", "/_emulator/log")[1])
    assert call("GET", "/_emulator/calls")[1] == {"calls": 3}
    call("DELETE", "/_emulator/log")
    assert call("GET", "/_emulator/log")[1] == {"requests": []}


def test_the_clock_is_read_set_and_moved_over_http(emulator: Emulator, call: Caller) -> None:
    assert call("GET", "/_emulator/clock")[1] == {"now": "2026-11-20T12:00:00.000Z"}
    assert call("POST", "/_emulator/clock", {"advance_s": 90})[1] == {"now": "2026-11-20T12:01:30.000Z"}
    call("POST", "/_emulator/clock", {"now": "2026-12-01T00:00:00Z"})
    assert emulator.world.clock.now() - NOW == timedelta(days=10, hours=12)
