"""HubSpot's calls as plain functions: JSON in, JSON out, errors as ``connectors.errors``.

Every call has a timeout, is counted, kept under the rate, and made again when it may go through later. Reads and
writes are raw JSON: building the SDK's model objects costs many times as much. What the SDK lacks (forms, mail events,
account) goes through a ``requests`` session.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
import requests
import urllib3

from connectors.base import Allowance
from connectors.errors import ConnectorError, Retriable
from connectors.hubspot.failures import failure
from connectors.hubspot.sdk import dated, open_sdk
from connectors.retry import RetryPolicy, retrying
from connectors.sockets import Sockets
from connectors.throttle import Throttle

Json = dict[str, Any]
#: seconds to connect, seconds between bytes
_TIMEOUT_S = (3.05, 30.0)
#: an answer: status, headers, body
_Answer = tuple[int, Mapping[str, str], bytes]

#: characters of an address that property names may take; HubSpot answers 414 somewhere above
_LONGEST = 6_000

LIST_ROWS = 100
SEARCH_ROWS = 200
#: HubSpot answers 400 when a search is paged past this
SEARCH_LIMIT = 10_000
BATCH_ROWS = 100
ASSOCIATION_IDS = 1_000
FORMS = 100
FORM_ROWS = 50
EVENT_ROWS = 1_000
MEMBER_ROWS = 250


class Client:
    """One portal's API. Not for several threads at once, but ``close`` may come from another."""

    def __init__(
        self,
        *,
        url: str,
        api_version: str,
        token: str,
        now: Callable[[], datetime],
        sleep: Callable[[float], None],
        monotonic: Callable[[], float],
        chance: Callable[[], float],
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        """``api_version``: a dated version, or ``legacy``. ``token`` is kept by the two HTTP libraries only.

        Once ``stop()`` holds no call goes out; the one in flight is answered.
        """
        self._url = url.rstrip("/")
        self._version = api_version
        self._now = now
        self._sockets = Sockets()
        self._sdk = open_sdk(url=self._url, token=token, version=api_version, sockets=self._sockets)
        self._session = _session(token, self._sockets)
        self._retrying = retrying(RetryPolicy(), sleep=sleep, chance=chance)
        # below the smallest portal's 100 per 10 s until a header says how many there are; search has 5 per s to itself
        self._general = Throttle(limit=90, window_s=10.0, monotonic=monotonic, sleep=sleep)
        self._search = Throttle(limit=4, window_s=1.0, monotonic=monotonic, sleep=sleep)
        self._calls = 0
        self._closed = False
        self._stop = stop
        self._time_zone: str | None = None
        #: the portal's calls of its day, as the newest answer told
        self.allowance: Allowance | None = None

    @property
    def calls(self) -> int:
        """Requests sent so far."""
        return self._calls

    def close(self) -> None:
        """Closes the sockets; a call in flight ends with an error, and none goes out any more."""
        self._closed = True
        self._sockets.close()
        self._session.close()

    def account(self) -> Json:
        """The portal's details; the client keeps its time zone for the end of the portal's day."""
        told = self._get("account details", dated("/account-info/v3/details", self._version), {})
        self._time_zone = told.get("timeZone")
        return told

    def properties(self, kind: str) -> Json:
        """All property definitions of a kind of object (``contacts``, ``companies``, ``deals``)."""
        api = self._sdk.crm.properties.core_api
        return self._sdk_call(f"{kind} properties", lambda **raw: api.get_all(kind, **raw))

    def page(self, kind: str, properties: Sequence[str], *, after: str | None = None, archived: bool = False) -> Json:
        """One page of the objects in id order, without index lag; or of the archived ones.

        With more properties than an address holds, their values are read by a second call.
        """
        if sum(len(name) + len("&properties=") for name in properties) > _LONGEST:
            told = self.page(kind, (), after=after, archived=archived)
            ids = [str(row["id"]) for row in told.get("results") or ()]
            return {**told, "results": self.batch_read(kind, ids, properties).get("results") if ids else []}
        api = self._sdk.crm.objects.basic_api
        asked = {"limit": LIST_ROWS, "after": after, "archived": archived or None, "properties": list(properties)}
        given = {name: value for name, value in asked.items() if value}
        return self._sdk_call(f"{kind} list", lambda **raw: api.get_page(kind, **given, **raw))

    def search(
        self, kind: str, properties: Sequence[str], *, filters: Sequence[Json], sort: str, offset: int = 0
    ) -> Json:
        """One page of the objects that pass every filter, ascending by ``sort``; the index may lag."""
        api = self._sdk.crm.objects.search_api
        body = {
            "filterGroups": [{"filters": list(filters)}],
            "sorts": [{"propertyName": sort, "direction": "ASCENDING"}],
            "properties": list(properties),
            "limit": SEARCH_ROWS,
            "after": str(offset),
        }
        return self._sdk_call(
            f"{kind} search",
            lambda **raw: api.do_search(kind, public_object_search_request=body, **raw),
            lane=self._search,
        )

    def batch_read(self, kind: str, ids: Sequence[str], properties: Sequence[str]) -> Json:
        """The objects by id, at most 100."""
        api = self._sdk.crm.objects.batch_api
        body = {"inputs": [{"id": id_} for id_ in ids], "properties": list(properties), "propertiesWithHistory": []}
        return self._sdk_call(
            f"{kind} batch read", lambda **raw: api.read(kind, batch_read_input_simple_public_object_id=body, **raw)
        )

    def batch_update(self, kind: str, inputs: Sequence[Json]) -> Json:
        """What HubSpot made of the updates, at most 100. The only call that writes."""
        api = self._sdk.crm.objects.batch_api
        body = {"inputs": list(inputs)}
        return self._sdk_call(
            f"{kind} batch update",
            lambda **raw: api.update(kind, batch_input_simple_public_object_batch_input=body, **raw),
        )

    def associations(self, kind: str, to: str, inputs: Sequence[Json]) -> Json:
        """The ids of kind ``to`` that the objects hang on, at most 1,000 objects."""
        api = self._sdk.crm.associations.v4.batch_api
        body = {"inputs": list(inputs)}
        return self._sdk_call(
            f"{kind} associations",
            lambda **raw: api.get_page(kind, to, batch_input_public_fetch_associations_batch_request=body, **raw),
        )

    def owners(self, *, after: str | None = None, archived: bool = False) -> Json:
        """One page of owners; or of the archived ones."""
        api = self._sdk.crm.owners.owners_api
        asked = {"limit": LIST_ROWS, "after": after, "archived": archived or None}
        given = {name: value for name, value in asked.items() if value}
        return self._sdk_call("owners list", lambda **raw: api.get_page(**given, **raw))

    def pipelines(self, kind: str) -> Json:
        """All pipelines of a kind of object."""
        api = self._sdk.crm.pipelines.pipelines_api
        return self._sdk_call(f"{kind} pipelines", lambda **raw: api.get_all(kind, **raw))

    def find_lists(self, body: Json) -> Json:
        """One page of the lists that a search finds."""
        api = self._sdk.crm.lists.lists_api
        return self._sdk_call("lists search", lambda **raw: api.do_search(list_search_request=body, **raw))

    def members(self, list_id: str, *, after: str | None = None) -> Json:
        """One page of a list's members, the earliest joined first."""
        api = self._sdk.crm.lists.memberships_api
        given = {"limit": MEMBER_ROWS, **({"after": after} if after else {})}
        return self._sdk_call(
            f"list {list_id} members",
            lambda **raw: api.get_page_ordered_by_added_to_list_date(list_id, **given, **raw),
        )

    def forms(self, *, after: str | None = None) -> Json:
        """One page of the forms there are."""
        api = self._sdk.marketing.forms.forms_api
        given = {"limit": FORMS, **({"after": after} if after else {})}
        return self._sdk_call("forms list", lambda **raw: api.get_page(**given, **raw), scope="forms")

    def submissions(self, form: str, *, after: str | None = None) -> Json:
        """One page of a form's submissions, newest first."""
        asked = {"limit": FORM_ROWS, "after": after}
        return self._get(f"form {form}", f"/form-integrations/v1/submissions/forms/{form}", asked, scope="forms")

    def mail_events(self, asked: Mapping[str, Any]) -> Json:
        """One page of marketing mail events, newest first."""
        given = {"limit": EVENT_ROWS, "excludeFilteredEvents": "true", **asked}
        return self._get("mail events", "/email/public/v1/events", given, scope="content")

    def campaign(self, campaign: str, *, app: str) -> Json:
        """One marketing mail."""
        return self._get(f"mail {campaign}", f"/email/public/v1/campaigns/{campaign}", {"appId": app}, scope="content")

    def _get(self, call: str, path: str, asked: Mapping[str, Any], *, scope: str = "") -> Json:
        def send() -> _Answer:
            answer = self._session.get(self._url + path, params=asked, timeout=_TIMEOUT_S, allow_redirects=False)
            return answer.status_code, answer.headers, answer.content

        return self._call(call, send, self._general, scope)

    def _sdk_call(
        self, call: str, method: Callable[..., Any], *, lane: Throttle | None = None, scope: str = ""
    ) -> Json:
        def send() -> _Answer:
            answer = method(_preload_content=False, _request_timeout=_TIMEOUT_S)
            return answer.status, answer.headers, answer.data

        return self._call(call, send, lane or self._general, scope)

    def _call(self, call: str, send: Callable[[], _Answer], lane: Throttle, scope: str) -> Json:
        def attempt() -> Json:
            self._refuse_when_over(call)
            lane.take()
            self._refuse_when_over(call)
            self._calls += 1
            try:
                status, headers, body = _sent(send)
            except (urllib3.exceptions.HTTPError, requests.RequestException, OSError) as error:
                self._refuse_when_closed(call)
                raise Retriable(f"No whole answer from HubSpot to “{call}”: {type(error).__name__}.") from None
            self._learn(headers)
            if not 200 <= status <= 299:
                raise failure(call, status, headers, body, now=self._now(), time_zone=self._time_zone, scope=scope)
            return _decoded(call, body)

        return self._retrying(attempt)

    def _refuse_when_closed(self, call: str) -> None:
        if self._closed:
            raise ConnectorError(f"The connection to HubSpot was closed before “{call}” was answered.")

    def _refuse_when_over(self, call: str) -> None:
        self._refuse_when_closed(call)
        if self._stop():
            raise ConnectorError(f"Told to stop before “{call}” went out; the next pass goes on from here.")

    def _learn(self, headers: Mapping[str, str]) -> None:
        allowed = headers.get("X-HubSpot-RateLimit-Max", "")
        if allowed.isdigit() and headers.get("X-HubSpot-RateLimit-Interval-Milliseconds", "10000") == "10000":
            self._general.set_limit(int(allowed) * 9 // 10)
        daily, left = (headers.get(f"X-HubSpot-RateLimit-Daily{end}", "") for end in ("", "-Remaining"))
        if daily.isdigit() and left.isdigit():
            self.allowance = Allowance(used=int(daily) - int(left), allowed=int(daily), at=self._now())


def _session(token: str, sockets: Sockets) -> requests.Session:
    def bearer(request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {token}"
        return request

    session = requests.Session()
    session.auth = bearer
    session.trust_env = False  # a proxy or .netrc of the machine would hold for this library only, not for the SDK
    for scheme in ("http://", "https://"):
        adapter = requests.adapters.HTTPAdapter(max_retries=0)
        sockets.watch(adapter.poolmanager)
        session.mount(scheme, adapter)
    return session


def _sent(send: Callable[[], _Answer]) -> _Answer:
    """The answer, whatever its status. The SDK raises on those outside 2xx, from 61 classes without a shared base."""
    try:
        return send()
    except UnicodeDecodeError as error:  # the SDK trips over an error page that is not UTF-8
        refused: Any = error.__context__
        if not hasattr(refused, "status"):
            raise
    except Exception as error:  # the 61 share no base; whatever is none of them is raised again
        refused = error
        if not (hasattr(refused, "status") and hasattr(refused, "body")):
            raise
    return refused.status or 0, refused.headers or {}, refused.body or b""


def _decoded(call: str, body: bytes) -> Json:
    try:
        told = orjson.loads(body) if body else {}
    except orjson.JSONDecodeError:
        raise Retriable(f"HubSpot's answer to “{call}” is cut or no JSON.") from None
    if not isinstance(told, dict):
        raise Retriable(f"HubSpot's answer to “{call}” is not an object.")
    return told
