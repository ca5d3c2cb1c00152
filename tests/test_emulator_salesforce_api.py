"""Salesforce on the wire, beside HubSpot on one port: headers, versions, limits, changes, faults, the real library."""

import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import orjson
import pytest
import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import SalesforceMalformedRequest
from simple_salesforce.login import token_login

from connectors.emulator.clock import EmulatorClock
from connectors.emulator.hubspot.world import World
from connectors.emulator.salesforce.org import Org
from connectors.emulator.server import Emulator

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DATA = "/services/data/v66.0"


class Caller:
    """A client of the emulator that logs in when it begins."""

    def __init__(self, emulator: Emulator) -> None:
        self.url, self.http = emulator.url, requests.Session()
        self.http.trust_env = False
        self.log_in()

    def log_in(self) -> None:
        form, basic = {"grant_type": "client_credentials"}, ("emulator-client", "emulator-secret")
        token = self.http.post(f"{self.url}/services/oauth2/token", data=form, auth=basic).json()["access_token"]
        self.http.headers["Authorization"] = f"Bearer {token}"

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        path = path if path.startswith(("/services", "/_emulator", "/crm")) else f"{DATA}/{path}"
        return self.http.request(method, f"{self.url}{path}", json=body, headers=headers, timeout=10)


@pytest.fixture
def org() -> Org:
    org = Org(EmulatorClock(NOW))
    for number in range(5):
        org.create("Lead", {"LastName": f"Sands {number}", "Company": "Acme"})
    return org


@pytest.fixture
def emulator(org: Org) -> Iterator[Emulator]:
    with Emulator.start(World(EmulatorClock(NOW)), org=org) as running:
        yield running


@pytest.fixture
def call(emulator: Emulator) -> Iterator[Caller]:
    caller = Caller(emulator)
    yield caller
    caller.http.close()


def test_both_crms_share_port_clock_and_log(emulator: Emulator, call: Caller, org: Org) -> None:
    assert org.clock is emulator.world.clock
    call("POST", "/_emulator/clock", {"advance_s": 90})
    ours = call("GET", "limits")
    theirs = call("GET", "/crm/v3/owners", Authorization="Bearer pat-x")
    assert ours.headers["Date"] == "Fri, 20 Nov 2026 12:01:30 GMT"
    assert ours.headers["Content-Type"] == "application/json;charset=UTF-8"
    assert "X-HubSpot-Correlation-Id" not in ours.headers
    assert (theirs.status_code, "X-HubSpot-Correlation-Id" in theirs.headers) == (200, True)
    assert "Sforce-Limit-Info" not in theirs.headers
    paths = [entry["path"] for entry in call("GET", "/_emulator/log").json()["requests"]]
    assert paths == ["/services/oauth2/token", f"{DATA}/limits", "/crm/v3/owners"]


def test_without_an_org_its_paths_are_hubspots() -> None:
    with Emulator.start(World(EmulatorClock(NOW))) as emulator:
        reply = requests.get(f"{emulator.url}{DATA}/limits", headers={"Authorization": "Bearer pat-x"}, timeout=10)
    assert (reply.status_code, reply.json()["category"]) == (404, "OBJECT_NOT_FOUND")


def test_every_answer_counts_a_call_and_says_so(call: Caller, org: Org) -> None:
    org.allowance.per_day = 4
    replies = [call("GET", path) for path in ("limits", "sobjects/Nonsense/describe", "nowhere", "query?q=SELECT")]
    assert [(reply.status_code, reply.headers["Sforce-Limit-Info"]) for reply in replies] == [
        (200, "api-usage=1/4"),
        (404, "api-usage=2/4"),
        (404, "api-usage=3/4"),
        (400, "api-usage=4/4"),
    ]
    spent = call("GET", "limits")
    assert (spent.status_code, spent.json()) == (
        403,
        [{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}],
    )
    org.clock.advance(86_400)
    assert call("GET", "limits").json()["DailyApiRequests"] == {"Max": 4, "Remaining": 3}


def test_a_slash_at_the_end_changes_nothing(call: Caller) -> None:
    for path in ("limits", "sobjects", "sobjects/Lead/describe", "query"):
        for spelling in (path, f"{path}/"):
            assert call("GET", f"{spelling}?q=SELECT+Id+FROM+Lead").status_code == 200, spelling


def test_versions_are_listed_without_a_token_and_retired_ones_are_gone(call: Caller) -> None:
    listed = requests.get(f"{call.url}/services/data", timeout=10).json()
    assert {"label": "Spring '26", "url": DATA, "version": "66.0"} in listed
    for version, status in (("30.0", 410), ("31.0", 200), ("59.0", 200)):
        assert call("GET", f"/services/data/v{version}/limits").status_code == status
    assert call("GET", "/services/data/v21.0/limits").json()[0]["errorCode"] == "GONE"


def test_an_address_that_is_too_long_is_refused(call: Caller) -> None:
    assert call("GET", f"query?q={'x' * 17_000}").status_code == 414


def test_a_body_that_is_no_json_is_refused(call: Caller) -> None:
    reply = call.http.patch(f"{call.url}{DATA}/composite/sobjects", data=b"{bad", timeout=10)
    assert (reply.status_code, reply.json()[0]["errorCode"]) == (400, "JSON_PARSER_ERROR")


def test_queries_page_by_what_is_asked_for_or_set(call: Caller, org: Org) -> None:
    soql = quote("SELECT Id FROM Lead ORDER BY Id")
    assert call("GET", f"query?q={soql}").json()["done"] is True
    org.page_rows = 2
    page = call("GET", f"query?q={soql}").json()
    found = list(page["records"])
    while not page["done"]:
        page = call("GET", page["nextRecordsUrl"]).json()
        found += page["records"]
    assert [record["Id"] for record in found] == list(org.rows["Lead"])
    org.page_rows = 0
    for number in range(300):
        org.create("Lead", {"LastName": str(number)})
    asked = call("GET", f"query?q={soql}", **{"Sforce-Query-Options": "batchSize=200"}).json()
    assert len(asked["records"]) == 200
    (one, *_) = org.rows["Lead"]
    org.delete("Lead", one)
    assert [call("GET", f"{path}?q={soql}").json()["totalSize"] for path in ("query", "queryAll")] == [304, 305]
    wrong = call("GET", "query/0r8000000000000000-2000")
    assert (wrong.status_code, wrong.json()[0]["errorCode"]) == (400, "INVALID_QUERY_LOCATOR")


def window(start: str, end: str) -> str:
    return f"?start={quote(f'2026-11-20T{start}+00:00')}&end={quote(f'2026-11-20T{end}+00:00')}"


def test_updated_and_deleted_tell_what_changed_in_a_window(call: Caller, org: Org) -> None:
    first, second, *_ = org.rows["Lead"]
    call("POST", "/_emulator/clock", {"advance_s": 600})
    org.edit("Lead", first, {"Rating": "Hot"})
    org.delete("Lead", second)
    call("POST", "/_emulator/clock", {"advance_s": 600})
    asked = window("12:05:00", "12:20:59")
    assert call("GET", f"sobjects/Lead/updated/{asked}").json() == {
        "ids": [first],
        "latestDateCovered": "2026-11-20T12:20:00.000+0000",
    }
    assert call("GET", f"sobjects/Lead/deleted/{asked}").json() == {
        "deletedRecords": [{"id": second, "deletedDate": "2026-11-20T12:10:00.000+0000"}],
        "earliestDateAvailable": "2026-11-05T12:20:00.000+0000",
        "latestDateCovered": "2026-11-20T12:20:00.000+0000",
    }
    assert len(call("GET", f"sobjects/Lead/updated/{window('12:00:00', '12:01:00')}").json()["ids"]) == 3


def test_updated_covers_no_more_than_the_oldest_change_that_is_not_committed(call: Caller, org: Org) -> None:
    (one, *_) = org.rows["Lead"]
    org.commit_lag_s = 120
    org.edit("Lead", one, {"Rating": "Hot"})
    call("POST", "/_emulator/clock", {"advance_s": 60})
    path = f"sobjects/Lead/updated/{window('11:00:00', '12:01:00')}"
    assert call("GET", path).json()["latestDateCovered"] == "2026-11-20T12:00:00.000+0000"
    call("POST", "/_emulator/clock", {"advance_s": 60})
    assert call("GET", path).json()["latestDateCovered"] == "2026-11-20T12:01:00.000+0000"


@pytest.mark.parametrize(
    "asked", ["", window("12:00:00", "12:00:59"), window("12:00:00", "11:00:00"), "?start=2026-09-01T00:00:00Z&end=now"]
)
def test_a_window_that_is_none_is_refused(call: Caller, asked: str) -> None:
    for path in ("updated", "deleted"):
        reply = call("GET", f"sobjects/Lead/{path}/{asked}")
        assert (reply.status_code, reply.json()[0]["errorCode"]) == (400, "INVALID_REPLICATION_DATE")


def test_deletions_are_told_for_fifteen_days_updates_for_thirty(call: Caller) -> None:
    asked = f"?start={quote('2026-11-01T00:00:00Z')}&end={quote('2026-11-20T00:00:00Z')}"
    assert [call("GET", f"sobjects/Lead/{path}/{asked}").status_code for path in ("updated", "deleted")] == [200, 400]


def test_a_new_field_is_hidden_until_it_is_granted(call: Caller) -> None:
    new = {
        "FullName": "Lead.Other_Score__c",
        "Metadata": {"label": "Score", "type": "Number", "precision": 5, "scale": 2},
    }
    made = call("POST", "tooling/sobjects/CustomField", new)
    assert (made.status_code, made.json()["success"]) == (201, True)
    assert call("POST", "tooling/sobjects/CustomField", new).json()[0]["errorCode"] == "DUPLICATE_DEVELOPER_NAME"
    bad = {"FullName": "Lead.Two__Words__c", "Metadata": {"type": "Number"}}
    assert call("POST", "tooling/sobjects/CustomField", bad).json()[0]["errorCode"] == "FIELD_INTEGRITY_EXCEPTION"

    def seen() -> list[bool]:
        fields = call("GET", "sobjects/Lead/describe").json()["fields"]
        return [field["updateable"] for field in fields if field["name"] == "Other_Score__c"]

    states = [seen()]
    for edit in (False, True):
        grant = {"ParentId": "0PS", "SobjectType": "Lead", "Field": "Lead.Other_Score__c", "PermissionsRead": True}
        assert call("POST", "sobjects/FieldPermissions", {**grant, "PermissionsEdit": edit}).status_code == 201
        states.append(seen())
    assert states == [[], [False], [True]]
    unknown = call("POST", "sobjects/FieldPermissions", {"Field": "Lead.Nonsense__c", "PermissionsRead": True})
    assert unknown.status_code == 404


def test_the_log_keeps_writes_with_the_headers_that_matter_and_no_secret(call: Caller, org: Org) -> None:
    (one, *_) = org.rows["Lead"]
    body = {"records": [{"attributes": {"type": "Lead"}, "id": one, "Leadmark_Score__c": 5}]}
    call("PATCH", "composite/sobjects", body, **{"Sforce-Auto-Assign": "FALSE"})
    call("PATCH", "composite/sobjects", body)
    call("POST", "composite/sobjects/Lead", {"ids": [one], "fields": ["Id"]})
    whole = call("GET", "/_emulator/log").json()["requests"]
    assert [entry.get("body") for entry in whole] == [None, body, body, None]
    assert [entry.get("headers") for entry in whole] == [None, {"sforce-auto-assign": "FALSE"}, None, None]
    text = orjson.dumps(whole).decode()
    assert "emulated." not in text
    assert "emulator-secret" not in text


def test_faults_strike_salesforce_by_path(call: Caller, org: Org) -> None:
    busy = [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "ConcurrentRequests (Concurrent API Requests)"}]
    faults = [
        {"match": {"path": "/services/.*limits"}, "do": {"status": 403, "body": busy}},
        {"match": {"path": "/services/.*limits"}, "do": {"html": 503}},
        {"match": {"path": "composite/sobjects"}, "do": {"drop": "after_apply"}},
    ]
    call("POST", "/_emulator/faults", faults)
    first, second, third = (call("GET", "limits") for _ in range(3))
    assert (first.status_code, first.json()) == (403, busy)
    assert (second.status_code, second.headers["Content-Type"]) == (503, "text/html")
    assert third.status_code == 200
    (one, *_) = org.rows["Lead"]
    with pytest.raises(requests.ConnectionError):
        call("PATCH", "composite/sobjects", {"records": [{"attributes": {"type": "Lead"}, "id": one, "Rating": "Hot"}]})
    assert org.row("Lead", one).values["Rating"] == "Hot"


class Loopback(HTTPAdapter):
    """Sends what the library addresses to https to the emulator, with a timeout."""

    def __init__(self, host: str) -> None:
        self.host = host
        super().__init__(pool_maxsize=8)

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        address = urlsplit(request.url)
        request.url = urlunsplit(("http", self.host, address.path, address.query, ""))
        return super().send(request, **{**options, "timeout": 10, "proxies": {}})


class Token(AuthBase):
    """Logs in when there is no token or it is refused."""

    def __init__(self, log_in: Any) -> None:
        self.log_in, self.lock, self.token, self.used = log_in, threading.Lock(), "", ""

    def current(self, stale: str = "") -> str:
        with self.lock:
            if self.token == stale:
                self.token = self.log_in()[0]
            return self.token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self.current()}"
        request.headers["Sforce-Auto-Assign"] = "FALSE"
        request.register_hook("response", self.again)
        return request

    def again(self, reply: requests.Response, **options: Any) -> requests.Response:
        self.used = reply.headers.get("Sforce-Limit-Info", self.used)
        if reply.status_code != 401:
            return reply
        assert reply.content
        request = reply.request.copy()
        stale = str(reply.request.headers["Authorization"]).removeprefix("Bearer ")
        request.headers["Authorization"] = f"Bearer {self.current(stale)}"
        return reply.connection.send(request, **options)


@pytest.fixture
def library(emulator: Emulator) -> Iterator[Salesforce]:
    """The real library, mounted on the emulator."""
    host = urlsplit(emulator.url).netloc
    plain, session = requests.Session(), requests.Session()
    for one in (plain, session):
        one.trust_env = False
        one.mount("https://", Loopback(host))
        one.mount("http://", Loopback(host))
    form = {"grant_type": "client_credentials", "client_id": "emulator-client", "client_secret": "emulator-secret"}
    url = f"{emulator.url}/services/oauth2/token"
    session.auth = Token(lambda: token_login(url, form, "", "emulator-client", {}, None, plain))
    yield Salesforce(session_id="unused", session=session, version="66.0", instance_url=f"https://{host}")
    session.close()
    plain.close()


def test_the_real_library_reads_writes_and_outlives_its_token(emulator: Emulator, library: Any, org: Org) -> None:
    org.assigns_to = org.user_id
    org.page_rows = 2
    owners = {row.values["OwnerId"] for row in org.live("Lead")}
    found = library.query_all("SELECT Id, Name, Owner.Email FROM Lead ORDER BY Id")["records"]
    assert [record["Name"] for record in found] == [f"Sands {number}" for number in range(5)]
    assert found[0]["Owner"]["Email"] == "ada.sands@seller.example.invalid"
    org.tokens.expire()
    rows = [{"attributes": {"type": "Lead"}, "id": record["Id"], "Leadmark_Score__c": 81.237} for record in found]
    results = library.restful("composite/sobjects", method="PATCH", json={"allOrNone": False, "records": rows})
    assert [result["success"] for result in results] == [True] * 5
    assert {row.values["Leadmark_Score__c"] for row in org.live("Lead")} == {81.237}
    assert {row.values["OwnerId"] for row in org.live("Lead")} == owners
    assert org.tokens.logins == 2
    assert re.fullmatch(r"api-usage=\d+/100000", library.session.auth.used)
    assert library.Lead.update(found[0]["Id"], {"Rating": "Hot"}) == 204
    assert library.Lead.get(found[0]["Id"])["Rating"] == "Hot"
    assert library.Lead.describe()["keyPrefix"] == "00Q"
    end = datetime(2026, 11, 20, 12, 5, tzinfo=UTC)
    assert len(library.Lead.updated(datetime(2026, 11, 20, 11, tzinfo=UTC), end)["ids"]) == 5
    assert library.limits()["DailyApiRequests"]["Max"] == 100_000
    with pytest.raises(SalesforceMalformedRequest, match="No such column"):
        library.query("SELECT Nonsense FROM Lead")
    assert emulator.traffic.log[-1].status == 400
