import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests
import responses
from simple_salesforce.exceptions import SalesforceError, SalesforceExpiredSession

from connectors.errors import ConnectorError, Fatal
from connectors.salesforce.session import TIMEOUT_S, FastSalesforce, open_org
from connectors.sockets import Sockets

URL = "http://127.0.0.1:9"
PATH = "/services/data/v66.0/limits"
EXPIRED = [{"errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid"}]


def _open(
    url: str = URL,
    *,
    log_in: Callable[[requests.Session], str] | None = None,
    before: Callable[[], None] = lambda: None,
    learn: Callable[[Mapping[str, str]], None] = lambda _: None,
    sockets: Sockets | None = None,
) -> FastSalesforce:
    tokens = iter(["T1", "T2", "T3", "T4"])
    return open_org(
        url=url,
        api_version="66.0",
        log_in=log_in or (lambda _: next(tokens)),
        before=before,
        learn=learn,
        sockets=sockets or Sockets(),
    )


class _Server(ThreadingHTTPServer):
    """Answers 401 to every token but the newest."""

    daemon_threads = True
    request_queue_size = 32  # else the seventh thread waits a second
    #: refused requests wait for each other, so that all threads find the token stale at once
    stale: threading.Barrier
    token = "T1"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        good = self.headers["Authorization"] == f"Bearer {self.server.token}"
        try:
            if not good:
                self.server.stale.wait(timeout=20)
        except threading.BrokenBarrierError:  # the test is over
            self.close_connection = True
            return
        body = b'{"ok":true}' if good else b"<html>"
        self.send_response(200 if good else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def server() -> Iterator[_Server]:
    with _Server(("127.0.0.1", 0), _Handler) as opened:
        thread = threading.Thread(target=opened.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield opened
        opened.shutdown()
        thread.join()


def test_sixteen_threads_log_in_once_and_once_more_at_expiry(server: _Server):
    server.stale = threading.Barrier(16)
    logins: list[str] = []
    second = threading.Barrier(2)

    def log_in(_: requests.Session) -> str:
        logins.append(f"T{len(logins) + 1}")
        with suppress(threading.BrokenBarrierError):  # a second thread in here would end the wait
            second.wait(timeout=0.05)
        second.reset()
        return logins[-1]

    org = _open(f"http://127.0.0.1:{server.server_port}", log_in=log_in)
    for newest in (["T1"], ["T1", "T2"]):
        server.token = newest[-1]
        told: list[Any] = []
        threads = [threading.Thread(target=lambda: told.append(org.call("GET", PATH))) for _ in range(16)]  # noqa: B023 - joined before the next round
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=30)
        assert told == [{"ok": True}] * 16
        assert logins == newest
    org.session.close()


@responses.activate
def test_a_renewed_token_goes_out_with_the_same_request():
    responses.patch(URL + PATH, status=401, json=EXPIRED)
    responses.patch(URL + PATH, json={"ok": True})
    org = _open()
    headers = {"Sforce-Query-Options": "batchSize=500"}
    assert org.call("PATCH", PATH, params={"q": "a b"}, data=b'{"x":1}', headers=headers) == {"ok": True}
    first, second = (call.request for call in responses.calls)
    assert first.headers["Authorization"] == "Bearer T1"
    assert second.headers["Authorization"] == "Bearer T2"
    for request in (first, second):
        assert (request.url, request.body) == (f"{URL}{PATH}?q=a+b", b'{"x":1}')
        assert request.headers["Sforce-Query-Options"] == "batchSize=500"
        assert request.headers["Sforce-Auto-Assign"] == "FALSE"
        assert request.headers["X-PrettyPrint"] == "0"


@responses.activate
@pytest.mark.parametrize("body", ["<html>", '[{"errorCode":"INVALID_SESSION_ID"}]', ""])
def test_a_token_that_stays_refused_is_renewed_once(body: str):
    responses.get(URL + PATH, status=401, body=body)
    with pytest.raises(SalesforceExpiredSession):
        _open().call("GET", PATH)
    assert [call.request.headers["Authorization"] for call in responses.calls] == ["Bearer T1", "Bearer T2"]


@responses.activate
def test_the_next_call_goes_on_with_the_renewed_token():
    responses.get(URL + PATH, status=401, json=EXPIRED)
    responses.get(URL + PATH, json={})
    org = _open()
    org.call("GET", PATH)
    org.call("GET", PATH)
    assert [call.request.headers["Authorization"] for call in responses.calls] == [
        "Bearer T1",
        "Bearer T2",
        "Bearer T2",
    ]


@responses.activate
def test_every_request_is_announced_and_every_answer_heard():
    """Those for tokens too, those that are refused too."""
    responses.post(URL + "/token", json={}, headers={"X-Mark": "login"})
    responses.get(URL + PATH, status=401, json=EXPIRED, headers={"X-Mark": "stale"})
    responses.get(URL + PATH, status=503, body="<html>", headers={"X-Mark": "busy"})
    announced: list[int] = []
    heard: list[str] = []

    def log_in(session: requests.Session) -> str:
        session.post(URL + "/token")
        return f"T{len(heard)}"

    org = _open(
        log_in=log_in,
        before=lambda: announced.append(len(heard)),
        learn=lambda headers: heard.append(headers["X-Mark"]),
    )
    with pytest.raises(SalesforceError):
        org.call("GET", PATH)
    assert heard == ["login", "stale", "login", "busy"]
    assert announced == [0, 1, 2, 3]


@responses.activate
def test_what_is_not_let_out_is_not_sent():
    def refuse() -> None:
        raise ConnectorError("no")

    with pytest.raises(ConnectorError, match="no"):
        _open(before=refuse).call("GET", PATH)
    assert len(responses.calls) == 0


@responses.activate
def test_every_request_has_a_timeout_and_none_is_redirected():
    responses.get(URL + PATH, status=302, headers={"Location": "http://thief.example/"})
    with pytest.raises(SalesforceError):
        _open().call("GET", PATH)
    assert [call.request.req_kwargs["timeout"] for call in responses.calls] == [(3.05, 60.0)] == [TIMEOUT_S]


@responses.activate
def test_loopback_is_spoken_to_in_plain_http_others_are_not():
    responses.get(URL + PATH, json={"from": "here"})
    responses.get("https://acme.my.salesforce.example" + PATH, json={"from": "there"})
    assert _open().call("GET", PATH) == {"from": "here"}
    assert _open("https://acme.my.salesforce.example").call("GET", PATH) == {"from": "there"}
    with pytest.raises(Fatal, match=r"acme\.my\.salesforce\.example.*https"):
        _open("http://acme.my.salesforce.example")


@responses.activate
def test_nothing_of_the_machine_changes_a_call(monkeypatch: pytest.MonkeyPatch, tmp_path: Any):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
    responses.get(URL + PATH, json={})
    _open().call("GET", PATH)
    request = responses.calls[0].request
    assert request.headers["Authorization"] == "Bearer T1"
    assert not request.req_kwargs["proxies"]
    assert request.req_kwargs["verify"] is True


def test_a_call_in_flight_ends_when_the_sockets_are_closed(server: _Server):
    server.stale = threading.Barrier(2)
    server.token = "another"
    sockets = Sockets()
    org = _open(f"http://127.0.0.1:{server.server_port}", sockets=sockets)
    ended: list[Exception] = []

    def run() -> None:
        try:
            org.call("GET", PATH)
        except requests.RequestException as error:
            ended.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    while server.stale.n_waiting == 0:  # the request has arrived, and waits for one that never comes
        thread.join(0.005)
    sockets.close()
    thread.join(timeout=10)
    assert not thread.is_alive()
    assert [type(error) for error in ended] == [requests.ConnectionError]
    server.stale.abort()
    org.session.close()
