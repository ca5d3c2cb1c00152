"""Salesforce's calls as plain functions: JSON in, JSON out, errors as ``connectors.errors``.

Every call goes through simple-salesforce's session with our own timeout, is counted, and made again when it may go
through later. Raw JSON only.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import quote_plus, urlsplit

import orjson
import requests
import urllib3
from simple_salesforce.exceptions import SalesforceError

from connectors.errors import ConnectorError, Fatal, QuotaSpent, Retriable
from connectors.retry import RetryPolicy, retrying
from connectors.salesforce.failures import QUOTA_PAUSE, failure, well_formed
from connectors.salesforce.login import Credentials, log_in
from connectors.salesforce.session import open_org
from connectors.sockets import Sockets

Json = dict[str, Any]
_T = TypeVar("_T", Json, list[Any])

#: records one ``update`` takes
UPDATE_ROWS = 200
#: characters of a query as an address holds it (``query_length``); Salesforce answers 414 or 431 somewhere above
LONGEST_QUERY = 12_000
_USAGE = re.compile(r"(?<![-\w])api-usage=(\d+)/(\d+)")
_FROM = re.compile(r"\bFROM\s+(\w+)", re.IGNORECASE)


def query_length(soql: str) -> int:
    """Characters of a query as an address holds it.

    >>> query_length("Id IN ('a')")
    19
    """
    return len(quote_plus(soql))


class Client:
    """One org's API. Not for several threads at once, but ``close`` may come from another."""

    def __init__(
        self,
        *,
        url: str,
        credentials: Credentials,
        api_version: str,
        stop_when_used_percent: int,
        now: Callable[[], datetime],
        sleep: Callable[[float], None],
        monotonic: Callable[[], float],
        chance: Callable[[], float],
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        """``url``: the org's My Domain; ``stop_when_used_percent``: of the org's calls in 24 hours, by all apps.

        Makes no call; the first one logs in, and sees that the org offers the version. Once ``stop()`` holds no call
        goes out; the one in flight is answered. Raises Fatal for plain http to another machine.
        """
        self._version = api_version
        self._version_offered = False
        self._stop_percent = stop_when_used_percent
        self._now = now
        self._monotonic = monotonic
        self._stop = stop
        self._retrying = retrying(RetryPolicy(), sleep=sleep, chance=chance)
        self._sockets = Sockets()
        self._calls = 0
        self._closed = False
        #: what messages name
        self._call = "login"
        #: the newest answer's
        self._headers: Mapping[str, str] = {}
        self._allowance: tuple[int, int] | None = None
        self._allowance_at = now()
        self._server_time: datetime | None = None
        url = url.rstrip("/")
        self._org = open_org(
            url=url,
            api_version=api_version,
            log_in=lambda session: log_in(session, url, credentials, now=now),
            before=self._before,
            learn=self._learn,
            sockets=self._sockets,
        )

    @property
    def calls(self) -> int:
        """Requests sent so far, those for tokens included."""
        return self._calls

    @property
    def allowance(self) -> tuple[int, int] | None:
        """(used, allowed) of the org's calls in 24 hours as the newest answer said; None before one did."""
        return self._allowance

    @property
    def allowance_at(self) -> datetime:
        """When the answer came that told the allowance."""
        return self._allowance_at

    def close(self) -> None:
        """Closes the sockets; a call in flight ends with an error, and none goes out any more."""
        self._closed = True
        self._sockets.close()
        self._org.session.close()

    def server_time(self) -> datetime:
        """The org's clock as its newest answer said (the ``Date`` header); ours before one did."""
        return self._server_time or self._now()

    def organization(self) -> Json:
        """The org's row: Id, IsSandbox, TimeZoneSidKey."""
        told = self.query("SELECT Id, IsSandbox, TimeZoneSidKey FROM Organization")
        with well_formed("Organization"):
            row: Json = told["records"][0]
            return row

    def describe(self, object_: str) -> Json:
        """What the org says of one object, by its API name; Refused with status 404 when there is none, or hidden."""
        return self._asked(f"{object_} describe", dict, "GET", self._path(f"sobjects/{object_}/describe"))

    def query(self, soql: str, *, all_rows: bool = False) -> Json:
        """The first page of a query; ``all_rows``: deleted and archived ones too (queryAll).

        Raises ValueError for one longer than ``LONGEST_QUERY``, BatchTooHeavy for one that takes the org too long.
        """
        if query_length(soql) > LONGEST_QUERY:
            raise ValueError(f"a query of {query_length(soql)} characters in an address; {LONGEST_QUERY} at most")
        path = self._path("queryAll" if all_rows else "query")
        return self._asked(_query_name(soql), dict, "GET", path, params={"q": soql})

    def more(self, url: str) -> Json:
        """The next page, by the ``nextRecordsUrl`` of the one before; Refused once the org has forgotten it."""
        address = urlsplit(url)
        path = f"/{address.path.lstrip('/')}" + (f"?{address.query}" if address.query else "")
        return self._asked("next page", dict, "GET", path)

    def update(self, records: Sequence[Json]) -> tuple[list[Json], datetime]:
        """What Salesforce made of at most 200 updates, in their order, and an instant not after the write.

        The only call that writes; it carries ``Sforce-Auto-Assign: FALSE``. The instant is by the org's clock.
        """
        if not 0 < len(records) <= UPDATE_ROWS:
            raise ValueError(f"{len(records)} updates in one call; 1 to {UPDATE_ROWS}")
        body = orjson.dumps({"allOrNone": False, "records": list(records)})
        begun_s = self._monotonic()
        told = self._asked("update", list, "PATCH", self._path("composite/sobjects"), data=body)
        # from the first attempt on: it may have written, and its answer been lost
        took_s = math.ceil(self._monotonic() - begun_s)
        with well_formed("update"):
            if len(told) != len(records) or not all(isinstance(row, dict) for row in told):
                raise ValueError(f"{len(told)} results of {len(records)}")
        return told, self.server_time() - timedelta(seconds=took_s + 1)

    def _path(self, path: str) -> str:
        return f"/services/data/v{self._version}/{path}"

    def _asked(self, call: str, form: type[_T], method: str, path: str, **options: Any) -> _T:
        if not self._version_offered:
            self._see_version()
        return self._attempted(call, form, method, path, **options)

    def _see_version(self) -> None:
        told = self._attempted("API versions", list, "GET", "/services/data")
        with well_formed("API versions"):
            offered = [str(one["version"]) for one in told]
            newest = max(offered, key=float)
        if self._version not in offered:
            raise Fatal(
                f"The org offers no version {self._version} of its API; its newest is {newest}: set api_version."
            )
        self._version_offered = True

    def _attempted(self, call: str, form: type[_T], method: str, path: str, **options: Any) -> _T:
        def attempt() -> _T:
            self._call = call
            try:
                told = self._org.call(method, path, **options)
            except SalesforceError as refused:
                raise failure(call, refused.status, self._headers, refused.content, now=self._now()) from None
            except orjson.JSONDecodeError:
                raise Retriable(f"Salesforce's answer to “{call}” is cut or no JSON.") from None
            except (urllib3.exceptions.HTTPError, requests.RequestException, OSError) as error:
                self._refuse_when_closed()
                raise Retriable(f"No whole answer from Salesforce to “{call}”: {type(error).__name__}.") from None
            if not isinstance(told, form):
                raise Retriable(f"Salesforce's answer to “{call}” is not of the expected form.")
            return told

        return self._retrying(attempt)

    def _before(self) -> None:
        """Called before every request, those for tokens included; raises when none may go out."""
        self._refuse_when_closed()
        if self._stop():
            raise ConnectorError(f"Told to stop before “{self._call}” went out; the next pass goes on from here.")
        self._refuse_when_spent()
        self._calls += 1

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise ConnectorError(f"The connection to Salesforce was closed before “{self._call}” was answered.")

    def _refuse_when_spent(self) -> None:
        """For an hour after the org said so; then a call asks it again."""
        until = self._allowance_at + QUOTA_PAUSE
        if self._allowance is None or self._now() >= until:
            return
        used, allowed = self._allowance
        if allowed and used * 100 >= allowed * self._stop_percent:
            raise QuotaSpent(
                f"The org has used {used} of its {allowed} calls of 24 hours, so “{self._call}” did not go out "
                f"(calls.stop_when_org_used is {self._stop_percent}%). The connection waits.",
                until=until,
            )

    def _learn(self, headers: Mapping[str, str]) -> None:
        """Called with every answer's headers, whatever its status."""
        self._headers = headers
        usage = _USAGE.search(headers.get("Sforce-Limit-Info", ""))
        if usage:
            self._allowance = int(usage[1]), int(usage[2])
            self._allowance_at = self._now()
        try:
            told = parsedate_to_datetime(headers.get("Date", ""))
        except ValueError:
            return
        self._server_time = told.astimezone(UTC) if told.tzinfo else told.replace(tzinfo=UTC)


def _query_name(soql: str) -> str:
    found = _FROM.search(soql)
    return f"{found[1]} query" if found else "query"
