"""Salesforce's API as one table: method, path below the version, handler."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from connectors.emulator.salesforce import administration, changes, records
from connectors.emulator.salesforce.org import Org
from connectors.emulator.salesforce.query import first_page, next_page
from connectors.emulator.wire import Reply, Request

Handler = Callable[[Org, Request], Reply]
_BATCH_SIZE = re.compile(r"batchSize\s*=\s*(\d+)")


def _query(org: Org, request: Request) -> Reply:
    return _found(org, request, all_rows=False)


def _query_all(org: Org, request: Request) -> Reply:
    return _found(org, request, all_rows=True)


def _found(org: Org, request: Request, *, all_rows: bool) -> Reply:
    asked = _BATCH_SIZE.search(request.headers.get("sforce-query-options", ""))
    size = int(asked[1]) if asked else 2_000
    version = request.parts["version"]
    return Reply(body=first_page(org, request.text("q"), all_rows=all_rows, batch_size=size, version=version))


def _more(org: Org, request: Request) -> Reply:
    return Reply(body=next_page(org, request.parts["locator"], version=request.parts["version"]))


@dataclass(frozen=True, slots=True)
class Route:
    """One row of the table."""

    method: str
    path: re.Pattern[str]
    handler: Handler
    #: changes records; the log keeps its body
    writes: bool = False


def _route(line: str, handler: Handler, *, writes: bool = False) -> Route:
    method, path = line.split()
    pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)
    return Route(method, re.compile(rf"/services/data/v(?P<version>\d+\.\d)/{pattern}"), handler, writes)


ROUTES = (
    _route("GET query", _query),
    _route("GET queryAll", _query_all),
    _route("GET query/{locator}", _more),
    _route("GET queryAll/{locator}", _more),
    _route("PATCH composite/sobjects", records.update_many, writes=True),
    _route("POST composite/sobjects", records.create_many, writes=True),
    _route("POST composite/sobjects/{object}", records.read_many),
    _route("GET limits", administration.limits),
    _route("GET sobjects", administration.describe_all),
    _route("GET sobjects/{object}/describe", administration.describe),
    _route("GET sobjects/{object}/updated", changes.updated),
    _route("GET sobjects/{object}/deleted", changes.deleted),
    _route("POST sobjects/FieldPermissions", administration.grant_field, writes=True),
    _route("POST tooling/sobjects/CustomField", administration.create_field, writes=True),
    _route("POST sobjects/{object}", records.create_one, writes=True),
    _route("GET sobjects/{object}/{id}", records.read_one),
    _route("PATCH sobjects/{object}/{id}", records.update_one, writes=True),
    _route("DELETE sobjects/{object}/{id}", records.delete_one, writes=True),
)


def find(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """The route of a path and what its pattern took from it; None when there is none."""
    for route in ROUTES:
        match = route.path.fullmatch(path.rstrip("/")) if route.method == method else None
        if match:
            return route, match.groupdict()
    return None
