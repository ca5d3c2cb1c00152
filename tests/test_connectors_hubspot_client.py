import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import responses
import structlog
from hubspot.crm.objects import ApiException
from requests.adapters import HTTPAdapter

from connectors.errors import ConnectorError, Fatal, Refused, Retriable
from connectors.hubspot.client import Client, _sent
from connectors.hubspot.sdk import dated
from tests.connector_stages import START, HubSpotStage, hubspot_stage

TOKEN = "pat-very-secret"
URL = "http://127.0.0.1:9"


@pytest.fixture(params=["2026-09", "legacy"])
def stage(request: pytest.FixtureRequest) -> Iterator[HubSpotStage]:
    with hubspot_stage(request.param) as opened:
        yield opened


def _client(url: str = URL, sleeps: list[float] | None = None, version: str = "2026-09") -> Client:
    waited = [] if sleeps is None else sleeps
    return Client(
        url=url,
        api_version=version,
        token=TOKEN,
        now=lambda: START,
        sleep=waited.append,
        monotonic=lambda: sum(waited),
        chance=lambda: 0.0,
    )


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/crm/v3/objects/{objectType}/batch/update", "/crm/objects/2026-09/{objectType}/batch/update"),
        ("/crm/v3/properties/{objectType}", "/crm/properties/2026-09/{objectType}"),
        ("/crm/v3/lists/{listId}/memberships/join-order", "/crm/lists/2026-09/{listId}/memberships/join-order"),
        ("/crm/v3/owners/", "/crm/owners/2026-09"),
        ("/crm/v4/associations/{a}/{b}/batch/read", "/crm/associations/2026-09/{a}/{b}/batch/read"),
        ("/account-info/v3/details", "/account-info/2026-09/details"),
        ("/marketing/v3/forms/", "/marketing/v3/forms/"),
        ("/email/public/v1/events", "/email/public/v1/events"),
    ],
)
def test_paths_with_a_date(path: str, expected: str):
    assert dated(path, "2026-09") == expected
    assert dated(path, "legacy") == path


def test_every_call_of_a_pull_uses_the_paths_of_its_version(stage: HubSpotStage):
    stage.add(2)
    connector = stage.connect()
    connector.account()
    connector.describe()
    for stream in connector.streams():
        list(connector.pull(stream.name, None))
    crm = [line for line in stage.requests() if "/crm/" in line or "/account-info/" in line]
    assert len(crm) >= 10
    assert all(("2026-09" in line) == (stage.version == "2026-09") for line in crm)


def test_calls_are_counted_with_those_made_again(stage: HubSpotStage):
    stage.fault({"status": 502, "body": "<html>"}, times=2)
    connector = stage.connect()
    connector.account()
    assert connector.calls() == len(stage.requests()) == 3


@pytest.mark.parametrize(
    "do",
    [
        {"status": 429, "body": {"message": "You have reached your secondly limit."}},
        {"html": 502},
        {"html": 526},
        {"status": 423, "body": {"message": "locked"}},
        {"status": 500, "body": "no JSON"},
        {"status": 200, "body": '{"results": [{"id":'},
        {"status": 200, "body": "[]"},
        {"drop": "before"},
        {"drop": "after_apply"},
    ],
    ids=str,
)
def test_what_stumbles_is_called_again(stage: HubSpotStage, do: dict[str, Any]):
    ids = stage.add(3)
    stage.fault(do, path="objects")
    pages = list(stage.connect().pull("contacts", None))
    assert [record.id for page in pages for record in page.records] == ids


def test_what_keeps_stumbling_is_given_up(stage: HubSpotStage):
    stage.fault({"html": 503}, times=None)
    connector = stage.connect()
    with pytest.raises(Retriable, match="account details"):
        connector.account()
    assert connector.calls() == 5
    assert sum(stage.sleeps) <= 60


def test_a_move_of_hours_is_told_at_once(stage: HubSpotStage):
    stage.fault({"status": 477, "headers": {"Retry-After": "7200"}}, times=None)
    connector = stage.connect()
    with pytest.raises(Retriable) as raised:
        connector.account()
    assert (connector.calls(), raised.value.after_s) == (1, 7200.0)


def test_a_refusal_is_not_repeated(stage: HubSpotStage):
    stage.fault({"status": 400, "body": {"category": "VALIDATION_ERROR", "message": "no"}})
    connector = stage.connect()
    with pytest.raises(Refused, match="contacts list"):
        list(connector.pull("contacts", None))
    assert len(stage.requests()) == 1


def test_a_key_that_is_not_accepted_says_what_to_check(stage: HubSpotStage):
    connector = stage.connect(token="pat-expired")
    with pytest.raises(Fatal, match=r"login\.service_key"):
        connector.account()


def test_a_missing_scope_is_named(stage: HubSpotStage):
    stage.world.scopes = {"pat-test": frozenset({"crm.objects.contacts.read"})}
    connector = stage.connect()
    with pytest.raises(Fatal, match=r"crm\.schemas\.contacts\.read"):
        connector.describe()
    with pytest.raises(Fatal, match="scope content"):
        list(connector.pull("email_events", None))
    with pytest.raises(Fatal, match="scope forms"):
        list(connector.pull("form:demo-request", None))


def test_neither_messages_nor_logs_hold_the_token_or_an_address():
    heard: list[Any] = []
    processors = structlog.get_config()["processors"]
    structlog.configure(processors=[lambda _, __, event: heard.append(str(event)) or "said"])
    body = {"category": "CONFLICT", "message": "ann@x.example with pat-very-secret? no"}
    try:
        with hubspot_stage() as stage:
            stage.fault({"html": 502}, times=1)
            stage.fault({"status": 409, "body": {**body, "message": "ann@x.example is taken"}})
            connector = stage.connect(token=TOKEN)
            with pytest.raises(Refused) as raised:
                connector.account()
    finally:
        structlog.configure(processors=processors)
    said = " ".join([*heard, str(raised.value), repr(raised.value)])
    assert "call_repeated" in said
    assert TOKEN not in said
    assert "@" not in said
    # nor does a traceback show the library's error, whose text has the body
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__ or raised.value.__context__ is None


def test_every_request_has_a_timeout(monkeypatch: pytest.MonkeyPatch):
    given: list[Any] = []
    send = HTTPAdapter.send

    def spy(self: HTTPAdapter, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        given.append(options["timeout"])
        return send(self, request, **options)

    monkeypatch.setattr(HTTPAdapter, "send", spy)
    with hubspot_stage() as stage:
        connector = stage.connect()
        connector.account()
        list(connector.pull("email_events", None))
        list(connector.pull("form:demo-request", None))
    assert given
    assert set(given) == {(3.05, 30.0)}


def test_a_slow_answer_ends_with_a_timeout(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("connectors.hubspot.client._TIMEOUT_S", (0.2, 0.2))
    with hubspot_stage() as stage:
        ids = stage.add(1)
        stage.fault({"delay_s": 1.0}, path="objects", times=1)
        connector = stage.connect()
        pages = list(connector.pull("contacts", None))
        assert [record.id for page in pages for record in page.records] == ids
        assert connector.calls() >= 2


@pytest.mark.parametrize("call", ["account", "describe"])
def test_a_call_in_flight_ends_when_the_connection_is_closed(call: str):
    """Through either HTTP library."""
    with hubspot_stage() as stage:
        stage.fault({"delay_s": 20.0}, times=None)
        connector = stage.connect()
        ended: list[ConnectorError] = []

        def run() -> None:
            try:
                getattr(connector, call)()
            except ConnectorError as error:
                ended.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        while not any(connection.sock for connection in connector._client._sockets._connections):
            thread.join(0.005)
        thread.join(0.1)
        connector.close()
        thread.join(timeout=5)
        assert not thread.is_alive()
        assert [type(error) for error in ended] == [ConnectorError]


def test_an_error_page_that_is_no_utf_8_keeps_its_status():
    """The SDK fails on it with a UnicodeDecodeError."""

    def refuse() -> None:
        raise ApiException(status=502)

    def send() -> Any:
        try:
            refuse()
        except ApiException:
            return b"\xff".decode()

    assert _sent(send)[0] == 502


def test_the_portals_own_rate_is_learnt():
    with hubspot_stage() as stage:
        client = _client(stage.emulator.url)
        assert client._general.limit == 90
        client.account()
        assert client._general.limit == 171
        client.close()


def test_calls_stay_below_the_portals_rate():
    """Neither lane is refused, with the emulator's limits on and time as the connector sleeps it."""
    with hubspot_stage() as stage:
        stage.add(150)
        stage.world.limits._monotonic = lambda: stage.waited_s
        stage.world.limits.on = True
        connector = stage.connect()
        for _ in range(70):
            cursor: Any = None
            for _ in range(3):
                for page in connector.pull("contacts", cursor):
                    cursor = page.next_cursor
        assert {entry.status for entry in stage.emulator.traffic.since(0)} == {200}
        assert stage.waited_s > 30


@responses.activate
@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (429, "error code: 1015", Retriable),
        (404, "", Refused),
        (302, "", Refused),
        (403, "Forbidden", Fatal),
    ],
)
def test_forms_may_answer_anything(status: int, body: str, error: type[ConnectorError]):
    path = f"{URL}/form-integrations/v1/submissions/forms/F7"
    responses.get(path, status=status, body=body, headers={"Location": "http://elsewhere.example/"})
    client = _client()
    with pytest.raises(error):
        client.submissions("F7")
    client.close()


@responses.activate
def test_mail_events_leave_out_those_hubspot_takes_for_bots():
    found = responses.get(f"{URL}/email/public/v1/events", json={"events": [], "hasMore": False})
    client = _client()
    client.mail_events({"eventType": "CLICK", "startTimestamp": 1000})
    client.close()
    asked = found.calls[0].request.params
    assert asked == {"limit": "1000", "excludeFilteredEvents": "true", "eventType": "CLICK", "startTimestamp": "1000"}
    assert found.calls[0].request.headers["Authorization"] == f"Bearer {TOKEN}"


def test_a_proxy_of_the_machine_changes_nothing(monkeypatch: pytest.MonkeyPatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with hubspot_stage() as stage:
        assert stage.connect().account().id == "4242"


def test_answers_come_compressed_and_connections_are_kept(monkeypatch: pytest.MonkeyPatch):
    with hubspot_stage() as stage:
        client = _client(stage.emulator.url)
        for _ in range(5):
            client.page("contacts", ["email"])
            client.search("contacts", ["email"], filters=[], sort="lastmodifieddate")
        assert len(stage.emulator.sockets) == 2  # one pool for each of the two APIs
        api = client._sdk.crm.objects.basic_api
        assert api is client._sdk.crm.objects.basic_api
        assert api.api_client.default_headers["Accept-Encoding"] == "gzip"
        client.close()
