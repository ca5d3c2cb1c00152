"""simple-salesforce, set up for us: one way out with a timeout, one token for all threads, sockets that can be closed.

The library builds https addresses only, knows no timeout, and loses headers when it renews a token. So a mounted
adapter sends every request, those for tokens included, and ``session.auth`` renews.
"""

import threading
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import orjson
import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from simple_salesforce.api import Salesforce

from connectors.errors import Fatal
from connectors.sockets import Sockets

#: seconds to connect, seconds between bytes
TIMEOUT_S = (3.05, 60.0)
#: connections kept, and so the threads that share a session without opening new ones
_POOL = 32
_BEARER = "Bearer "


class Adapter(HTTPAdapter):
    """The one way out: sees every request before it goes and every answer's headers, whatever its status."""

    def __init__(
        self,
        *,
        loopback: str,
        before: Callable[[], None],
        learn: Callable[[Mapping[str, str]], None],
        sockets: Sockets,
    ) -> None:
        """``loopback``: host and port spoken to in plain http, "" for none. ``before`` may raise: nothing is sent."""
        super().__init__(pool_maxsize=_POOL, max_retries=0)
        sockets.watch(self.poolmanager)
        self._loopback = loopback
        self._before = before
        self._learn = learn

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        """The answer, whatever its status."""
        options["timeout"] = TIMEOUT_S  # the library passes none
        if self._loopback:
            address = urlsplit(str(request.url))
            request.url = urlunsplit(("http", self._loopback, address.path, address.query, ""))
        self._before()
        reply = super().send(request, *args, **options)
        self._learn(reply.headers)
        return reply


class TokenAuth(AuthBase):
    """The token of all threads, renewed once when an answer is 401; and the headers that every call carries."""

    def __init__(self, log_in: Callable[[], str]) -> None:
        """``log_in`` gives a new token; it is called by one thread at a time."""
        self._log_in = log_in
        self._lock = threading.Lock()
        self._token = ""

    def token(self, stale: str = "") -> str:
        """The token; a new one when there is none, or it is still the ``stale`` one."""
        with self._lock:
            if self._token == stale:
                self._token = self._log_in()
            return self._token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """The request with the headers that every call carries."""
        request.headers["Authorization"] = _BEARER + self.token()
        request.headers["X-PrettyPrint"] = "0"
        request.headers["Sforce-Auto-Assign"] = "FALSE"  # else a write may give a lead a new owner
        request.register_hook("response", self._renewed)  # type: ignore[no-untyped-call] # its stub has no types
        return request

    def _renewed(self, reply: requests.Response, **options: Any) -> requests.Response:
        """The answer to the same request with a new token, when this one's was not accepted."""
        if reply.status_code != 401:
            return reply
        _ = reply.content  # read to its end, so that the connection can be used again
        reply.close()
        again = reply.request.copy()
        again.headers["Authorization"] = _BEARER + self.token(reply.request.headers["Authorization"][len(_BEARER) :])
        newer: requests.Response = reply.connection.send(again, **options)  # past the hooks: once only
        newer.history.append(reply)
        newer.request = again
        return newer


class FastSalesforce(Salesforce):
    """The library's client, decoding by orjson."""

    def parse_result_to_json(self, result: requests.Response) -> Any:
        """The body's content; ValueError when it is cut or no JSON."""
        return orjson.loads(result.content)

    def call(self, method: str, path: str, **options: Any) -> Any:
        """What the org answers at the path, from the root on; raises ``SalesforceError`` from status 300 on."""
        reply = self._call_salesforce(method, f"https://{self.sf_instance}{path}", allow_redirects=False, **options)
        return self.parse_result_to_json(reply)


def open_org(
    *,
    url: str,
    api_version: str,
    log_in: Callable[[requests.Session], str],
    before: Callable[[], None],
    learn: Callable[[Mapping[str, str]], None],
    sockets: Sockets,
) -> FastSalesforce:
    """The org at this address; makes no call. ``log_in`` gets a session without a token, of the same way out.

    Raises Fatal for plain http to another machine.
    """
    address = urlsplit(url)
    local = address.scheme == "http"
    if local and address.hostname not in ("127.0.0.1", "localhost"):
        raise Fatal(f"org.url {address.scheme}://{address.hostname} would show the token to the network; use https.")
    adapter = Adapter(loopback=address.netloc if local else "", before=before, learn=learn, sockets=sockets)
    plain, session = _session(adapter), _session(adapter)
    session.auth = TokenAuth(lambda: log_in(plain))
    return FastSalesforce(
        session_id="unused",  # session.auth replaces it
        instance_url=f"https://{address.netloc}",
        session=session,
        version=api_version,
        object_pairs_hook=None,
    )


def _session(adapter: Adapter) -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # a .netrc of the machine would replace our token
    for scheme in ("https://", "http://"):
        session.mount(scheme, adapter)
    return session
