from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
import requests
import responses
import structlog

from connectors.errors import BatchTooHeavy, ConnectorError, Fatal, QuotaSpent, Refused, Retriable
from connectors.salesforce.client import LONGEST_QUERY, Client, query_length
from connectors.salesforce.login import Credentials

URL = "http://127.0.0.1:9"
TOKEN_URL = f"{URL}/services/oauth2/token"
DATA = f"{URL}/services/data/v66.0"
NOW = datetime(2026, 11, 3, 22, 30, tzinfo=UTC)
DATE = {"Date": "Tue, 03 Nov 2026 22:40:07 GMT"}
TOKEN = "00D5g000004Xyza!AQEAQ.x_y"
VERSIONS = [{"version": "9.0"}, {"version": "65.0"}, {"version": "66.0"}, {"version": "68.0"}]
EXPIRED = [{"errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid"}]
PAGE = {"totalSize": 0, "done": True, "records": []}


class Bench:
    """A client of a mocked org, and time as the client spends it."""

    def __init__(self, mock: responses.RequestsMock) -> None:
        self.mock = mock
        self.now = NOW
        self.slept: list[float] = []
        self.seconds = 0.0
        self.stopped = False

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds

    def client(self, **options: Any) -> Client:
        return Client(
            **{
                "url": URL + "/",
                "credentials": Credentials(
                    flow="client_credentials", client_id="app", client_secret="very-secret", production=False
                ),
                "api_version": "66.0",
                "stop_when_used_percent": 80,
                "now": lambda: self.now,
                "sleep": self.sleep,
                "monotonic": lambda: self.seconds,
                "chance": lambda: 0.0,
                "stop": lambda: self.stopped,
                **options,
            }
        )


@pytest.fixture
def bench() -> Iterator[Bench]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.post(TOKEN_URL, json={"access_token": TOKEN, "instance_url": URL})
        mock.get(f"{URL}/services/data", json=VERSIONS)
        yield Bench(mock)


def _sent(bench: Bench) -> list[str]:
    return [f"{call.request.method} {call.request.path_url.partition('?')[0]}" for call in bench.mock.calls]


def _writes(bench: Bench) -> list[requests.PreparedRequest]:
    return [call.request for call in bench.mock.calls if call.request.method == "PATCH"]


def test_the_first_call_logs_in_and_sees_the_version_the_others_do_not(bench: Bench):
    bench.mock.get(f"{DATA}/query", json=PAGE)
    client = bench.client()
    assert (client.calls, _sent(bench)) == (0, [])
    client.query("SELECT Id FROM Lead")
    client.query("SELECT Id FROM Lead")
    assert _sent(bench) == [
        "POST /services/oauth2/token",
        "GET /services/data",
        "GET /services/data/v66.0/query",
        "GET /services/data/v66.0/query",
    ]
    assert client.calls == 4


def test_a_version_the_org_does_not_offer_names_the_newest(bench: Bench):
    with pytest.raises(Fatal, match=r"no version 70\.0 .* 68\.0.*api_version"):
        bench.client(api_version="70.0").organization()


@pytest.mark.parametrize("versions", [[], [{"label": "x"}], [{"version": "new"}], [None]])
def test_versions_that_cannot_be_read_are_salesforces_failure(bench: Bench, versions: Any):
    bench.mock.replace(responses.GET, f"{URL}/services/data", json=versions)
    with pytest.raises(ConnectorError, match="API versions"):
        bench.client().organization()


def test_calls_ask_what_they_say(bench: Bench):
    row = {"Id": "00D", "IsSandbox": True, "TimeZoneSidKey": "UTC"}
    bench.mock.get(f"{DATA}/query", json={**PAGE, "records": [row]})
    bench.mock.get(f"{DATA}/queryAll", json={**PAGE, "done": False, "nextRecordsUrl": "unused"})
    bench.mock.get(f"{DATA}/sobjects/Lead/describe", json={"name": "Lead"})
    bench.mock.get(f"{DATA}/query/0r8x-2000", json=PAGE)
    client = bench.client()
    assert client.organization() == row
    assert client.query("SELECT Id FROM Lead WHERE Name = 'ä+b'", all_rows=True)["done"] is False
    assert client.describe("Lead") == {"name": "Lead"}
    assert client.more("/services/data/v66.0/query/0r8x-2000") == PAGE
    asked = [call.request.params.get("q") for call in bench.mock.calls if "query" in call.request.url]
    assert asked == [
        "SELECT Id, IsSandbox, TimeZoneSidKey FROM Organization",
        "SELECT Id FROM Lead WHERE Name = 'ä+b'",
        None,
    ]


def test_an_org_that_does_not_tell_itself_is_salesforces_failure(bench: Bench):
    bench.mock.get(f"{DATA}/query", json=PAGE)
    with pytest.raises(ConnectorError, match="Organization"):
        bench.client().organization()


@pytest.mark.parametrize(
    "url", ["http://thief.example/services/data/v66.0/query/x", "//thief.example/services/data/v66.0/query/x"]
)
def test_the_next_page_is_the_same_orgs(bench: Bench, url: str):
    bench.mock.get(f"{DATA}/query/x", json=PAGE)
    assert bench.client().more(url) == PAGE


def test_a_query_longer_than_an_address_holds_is_not_sent(bench: Bench):
    bench.mock.get(f"{DATA}/query", json=PAGE)
    client = bench.client()
    room = LONGEST_QUERY - query_length("SELECT Id FROM Lead WHERE Id IN ('')")
    client.query(f"SELECT Id FROM Lead WHERE Id IN ('{'x' * room}')")
    with pytest.raises(ValueError, match="12001"):
        client.query(f"SELECT Id FROM Lead WHERE Id IN ('{'x' * (room + 1)}')")
    longest = max(len(call.request.path_url) for call in bench.mock.calls)
    assert longest == len("/services/data/v66.0/query?q=") + LONGEST_QUERY


def test_a_write_carries_what_it_must(bench: Bench):
    records = [{"attributes": {"type": "Lead"}, "id": "00Q1", "Leadmark_Score__c": 81.5, "Leadmark_Tier__c": None}]
    bench.mock.patch(f"{DATA}/composite/sobjects", json=[{"id": "00Q1", "success": True, "errors": []}])
    told, _ = bench.client().update(records)
    assert told == [{"id": "00Q1", "success": True, "errors": []}]
    (request,) = _writes(bench)
    assert orjson.loads(request.body) == {"allOrNone": False, "records": records}
    assert request.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("first", "remark"),
    [
        ({"status": 401, "json": EXPIRED}, "the token expired"),
        ({"status": 503, "body": "<html>"}, "a balancer is busy"),
        ({"status": 500, "json": [{"errorCode": "UNKNOWN_EXCEPTION", "message": "x"}]}, "the server stumbled"),
        ({"status": 200, "body": '[{"id":'}, "cut"),
        ({"status": 200, "body": "{}"}, "no list"),
        ({"body": requests.ConnectionError("gone")}, "dropped, perhaps after the write"),
        ({"body": requests.ReadTimeout("slow")}, "too slow, perhaps after the write"),
        ({"body": requests.exceptions.ChunkedEncodingError("cut")}, "dropped within the answer"),
    ],
)
def test_a_write_made_again_is_the_same_and_never_assigns_owners(bench: Bench, first: dict[str, Any], remark: str):
    bench.mock.patch(f"{DATA}/composite/sobjects", **first)
    bench.mock.patch(f"{DATA}/composite/sobjects", json=[{"success": True}])
    assert bench.client().update([{"id": "00Q1"}])[0] == [{"success": True}], remark
    one, other = _writes(bench)
    assert one.body == other.body, remark
    for request in (one, other):
        assert request.headers["Sforce-Auto-Assign"] == "FALSE", remark
        assert request.headers["Content-Type"] == "application/json", remark


@pytest.mark.parametrize(
    ("spent", "sleeps", "expected", "remark"),
    [
        (0.0, False, "22:40:06", "a second for the header's whole seconds"),
        (0.2, False, "22:40:05", "a part of a second counts whole"),
        (3.0, False, "22:40:03", "begun three seconds before"),
        (1.0, True, "22:40:03", "from the first attempt on, waiting 0.25 s: it may have written"),
    ],
)
def test_a_receipt_is_not_after_the_write(bench: Bench, spent: float, sleeps: bool, expected: str, remark: str):  # noqa: FBT001 - a table
    def answer(_: Any) -> Any:
        bench.seconds += spent
        if sleeps and not bench.slept:
            return 503, {}, "<html>"
        return 200, DATE, '[{"success":true}]'

    bench.mock.add_callback(responses.PATCH, f"{DATA}/composite/sobjects", callback=answer)
    _, at = bench.client().update([{"id": "00Q1"}])
    assert at == datetime.fromisoformat(f"2026-11-03T{expected}Z"), remark


@pytest.mark.parametrize("body", [[], [{"success": True}], [{"success": True}] * 3, [{"success": True}, None]])
def test_results_that_do_not_fit_the_rows_confirm_nothing(bench: Bench, body: Any):
    bench.mock.patch(f"{DATA}/composite/sobjects", json=body)
    with pytest.raises(ConnectorError, match="update"):
        bench.client().update([{"id": "00Q1"}, {"id": "00Q2"}])
    assert len(_writes(bench)) == 1


@pytest.mark.parametrize("rows", [0, 201])
def test_a_write_takes_one_to_two_hundred_rows(bench: Bench, rows: int):
    with pytest.raises(ValueError, match=f"{rows} updates"):
        bench.client().update([{"id": "00Q1"}] * rows)
    assert _sent(bench) == []


@pytest.mark.parametrize(
    ("answer", "error", "tries"),
    [
        ({"status": 503, "body": "<html>"}, Retriable, 5),
        ({"status": 200, "body": '{"records":['}, Retriable, 5),
        ({"status": 200, "body": "[]"}, Retriable, 5),
        ({"body": requests.ConnectTimeout("no")}, Retriable, 5),
        (
            {
                "status": 403,
                "json": [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "ConcurrentRequests exceeded"}],
            },
            Retriable,
            5,
        ),
        (
            {"status": 403, "json": [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests exceeded"}]},
            QuotaSpent,
            1,
        ),
        ({"status": 400, "json": [{"errorCode": "INVALID_FIELD", "message": "x"}]}, Fatal, 1),
        ({"status": 400, "json": [{"errorCode": "QUERY_TIMEOUT", "message": "x"}]}, BatchTooHeavy, 1),
        ({"status": 400, "json": [{"errorCode": "INVALID_QUERY_LOCATOR", "message": "x"}]}, Refused, 1),
        ({"status": 401, "json": EXPIRED}, Fatal, 2),
        ({"status": 302, "headers": {"Location": "http://thief.example/"}}, Fatal, 1),
    ],
)
def test_what_stumbles_is_called_again_what_is_refused_is_not(
    bench: Bench, answer: dict[str, Any], error: type[ConnectorError], tries: int
):
    bench.mock.get(f"{DATA}/query", **answer)
    with pytest.raises(error, match="Lead query") as raised:
        bench.client().query("SELECT Id\nfrom Lead")
    assert _sent(bench).count("GET /services/data/v66.0/query") == tries
    assert sum(bench.slept) <= 60
    shown = raised.value
    assert shown.__suppress_context__ or shown.__context__ is None  # the library's error has the body


def test_a_login_that_stumbles_is_made_again_and_counted(bench: Bench):
    bench.mock.replace(responses.POST, TOKEN_URL, status=503, body="<html>")
    bench.mock.post(TOKEN_URL, body=requests.ConnectionError("gone"))
    bench.mock.post(TOKEN_URL, json={"access_token": TOKEN})
    bench.mock.get(f"{DATA}/query", json=PAGE)
    client = bench.client()
    client.query("SELECT Id FROM Lead")
    assert client.calls == len(bench.mock.calls) == 5


def test_a_login_refused_is_not_repeated(bench: Bench):
    bench.mock.replace(responses.POST, TOKEN_URL, status=400, json={"error": "invalid_client"})
    with pytest.raises(Fatal, match=r"login\.client_secret"):
        bench.client().describe("Lead")
    assert len(bench.mock.calls) == 1


@pytest.mark.parametrize(
    ("header", "expected", "remark"),
    [
        ("api-usage=18/100000", (18, 100000), "plain"),
        ("api-usage=25/5000; per-app-api-usage=17/250(appName=x)", (25, 5000), "with the app's"),
        ("per-app-api-usage=17/250(appName=x); api-usage=25/5000", (25, 5000), "the other way round"),
        ("per-app-api-usage=17/250(appName=x)", None, "the app's alone"),
        ("nonsense", None, "unreadable"),
        ("", None, "empty"),
    ],
)
@pytest.mark.parametrize("status", [200, 404])
def test_the_allowance_is_read_from_every_answer(
    bench: Bench, header: str, expected: tuple[int, int] | None, remark: str, status: int
):
    bench.mock.get(f"{DATA}/sobjects/X/describe", status=status, json={}, headers={"Sforce-Limit-Info": header})
    client = bench.client()
    assert client.allowance is None
    try:
        client.describe("X")
    except Refused:
        assert status == 404
    assert client.allowance == expected, remark


def test_nothing_goes_out_for_an_hour_once_the_org_has_used_enough(bench: Bench):
    used = bench.mock.get(f"{DATA}/query", json=PAGE, headers={"Sforce-Limit-Info": "api-usage=79999/100000"})
    client = bench.client()
    client.query("SELECT Id FROM Lead")
    used.headers["Sforce-Limit-Info"] = "api-usage=80000/100000"
    client.query("SELECT Id FROM Lead")
    sent = client.calls
    bench.now = NOW + timedelta(minutes=59)
    with pytest.raises(QuotaSpent, match=r"80000 of its 100000.*stop_when_org_used is 80%") as raised:
        client.query("SELECT Id FROM Lead")
    assert raised.value.until == NOW + timedelta(hours=1)
    assert client.calls == sent == len(bench.mock.calls)
    bench.now = NOW + timedelta(hours=1)
    used.headers["Sforce-Limit-Info"] = "api-usage=20/100000"
    client.query("SELECT Id FROM Lead")
    client.query("SELECT Id FROM Lead")
    assert client.calls == sent + 2


def test_an_allowance_of_nothing_stops_nothing(bench: Bench):
    """Some orgs of trial tell 0/0."""
    bench.mock.get(f"{DATA}/query", json=PAGE, headers={"Sforce-Limit-Info": "api-usage=0/0"})
    client = bench.client()
    client.query("SELECT Id FROM Lead")
    client.query("SELECT Id FROM Lead")


def test_the_orgs_clock_is_that_of_its_newest_answer(bench: Bench):
    answer = bench.mock.get(f"{DATA}/query", json=PAGE, headers=dict(DATE))
    client = bench.client()
    assert client.server_time() == NOW
    client.query("SELECT Id FROM Lead")
    assert client.server_time() == datetime(2026, 11, 3, 22, 40, 7, tzinfo=UTC)
    answer.headers["Date"] = "some day"
    client.query("SELECT Id FROM Lead")
    assert client.server_time() == datetime(2026, 11, 3, 22, 40, 7, tzinfo=UTC)


def test_told_to_stop_nothing_goes_out_any_more(bench: Bench):
    bench.mock.get(f"{DATA}/query", status=503, body="<html>")

    def sleep(_: float) -> None:
        bench.stopped = True

    client = bench.client(sleep=sleep)
    with pytest.raises(ConnectorError, match="Told to stop before “Lead query” went out"):
        client.query("SELECT Id FROM Lead")
    assert client.calls == len(bench.mock.calls) == 3
    with pytest.raises(ConnectorError, match="Told to stop"):
        client.update([{"id": "00Q1"}])
    assert _writes(bench) == []


def test_a_stop_between_a_stale_token_and_its_renewal_ends_the_call(bench: Bench):
    def answer(_: Any) -> Any:
        bench.stopped = True
        return 401, {}, orjson.dumps(EXPIRED)

    bench.mock.add_callback(responses.GET, f"{DATA}/query", callback=answer)
    with pytest.raises(ConnectorError, match="Told to stop"):
        bench.client().query("SELECT Id FROM Lead")
    assert len(bench.mock.calls) == 3


def test_closed_nothing_goes_out_any_more(bench: Bench):
    client = bench.client()
    client.close()
    with pytest.raises(ConnectorError, match="Salesforce was closed before") as raised:
        client.describe("Lead")
    assert type(raised.value) is ConnectorError
    assert client.calls == len(bench.mock.calls) == 0


def test_closed_in_mid_call_it_is_not_made_again(bench: Bench):
    def answer(_: Any) -> Any:
        client.close()
        raise requests.ConnectionError("closed")

    bench.mock.add_callback(responses.GET, f"{DATA}/query", callback=answer)
    client = bench.client()
    with pytest.raises(ConnectorError, match="closed before “Lead query” was answered") as raised:
        client.query("SELECT Id FROM Lead")
    assert type(raised.value) is ConnectorError
    assert bench.slept == []


def test_neither_messages_nor_logs_hold_a_token_or_an_address(bench: Bench):
    heard: list[str] = []
    processors = structlog.get_config()["processors"]
    hear: Callable[..., str] = lambda _, __, event: heard.append(str(event)) or "said"  # noqa: E731 - one line of a test
    structlog.configure(processors=[hear])
    bench.mock.get(f"{DATA}/query", status=500, json=[{"errorCode": "X", "message": f"ann@x.example {TOKEN}"}])
    bench.mock.get(f"{DATA}/query", body=requests.ConnectionError(f"{TOKEN} ann@x.example"))
    bench.mock.get(f"{DATA}/query", status=400, json=[{"errorCode": "X", "message": f"ann@x.example {TOKEN}"}])
    try:
        with pytest.raises(Refused) as raised:
            bench.client().query("SELECT Id FROM Lead")
    finally:
        structlog.configure(processors=processors)
    said = " ".join([*heard, str(raised.value), repr(raised.value)])
    assert said.count("call_repeated") == 2
    for secret in (TOKEN, "AQEAQ", "@", "very-secret"):
        assert secret not in said
