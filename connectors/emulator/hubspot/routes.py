"""HubSpot's API as one table: method, path, scope, handler. Dated paths are read as the legacy ones they stand for."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from connectors.emulator.hubspot import associations, marketing, objects, portal
from connectors.emulator.hubspot.world import World
from connectors.emulator.wire import Reply, Request

Handler = Callable[[World, Request], Reply]
DATED_VERSIONS = ("2025-09", "2026-03", "2026-09")
_DATED = (
    (
        re.compile(rf"^/crm/(objects|properties|lists|owners|limits|pipelines)/({'|'.join(DATED_VERSIONS)})(?=/|$)"),
        r"/crm/v3/\1",
    ),
    (re.compile(rf"^/crm/associations/({'|'.join(DATED_VERSIONS)})(?=/|$)"), "/crm/v4/associations"),
    (re.compile(rf"^/account-info/({'|'.join(DATED_VERSIONS)})(?=/|$)"), "/account-info/v3"),
)


@dataclass(frozen=True, slots=True)
class Route:
    """One row of the table."""

    method: str
    path: re.Pattern[str]
    #: the scope it needs; ``{kind}`` is the object in the path
    scope: str
    handler: Handler
    #: counted in the search bucket
    search: bool = False
    #: changes records; the log keeps its body
    writes: bool = False


def _route(line: str, scope: str, handler: Handler, *, search: bool = False, writes: bool = False) -> Route:
    method, path = line.split()
    pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)
    return Route(method, re.compile(pattern), scope, handler, search, writes)


_READ, _WRITE = "crm.objects.{kind}.read", "crm.objects.{kind}.write"
ROUTES = (
    _route("POST /crm/v3/objects/{kind}/search", _READ, objects.search_page, search=True),
    _route("POST /crm/v3/objects/{kind}/batch/read", _READ, objects.batch_read),
    _route("POST /crm/v3/objects/{kind}/batch/update", _WRITE, objects.batch_update, writes=True),
    _route("POST /crm/v3/objects/{kind}/merge", _WRITE, objects.merge_two, writes=True),
    _route("POST /crm/v3/objects/contacts/gdpr-delete", "crm.objects.contacts.write", objects.gdpr_delete, writes=True),
    _route("GET /crm/v3/objects/{kind}", _READ, objects.list_page),
    _route("POST /crm/v3/objects/{kind}", _WRITE, objects.create, writes=True),
    _route("GET /crm/v3/objects/{kind}/{id}", _READ, objects.read_one),
    _route("PATCH /crm/v3/objects/{kind}/{id}", _WRITE, objects.update_one, writes=True),
    _route("DELETE /crm/v3/objects/{kind}/{id}", _WRITE, objects.archive, writes=True),
    _route("POST /crm/v4/associations/{kind}/{to}/batch/read", _READ, associations.batch_read),
    _route("GET /crm/v3/properties/{kind}", "crm.schemas.{kind}.read", portal.properties),
    _route("POST /crm/v3/properties/{kind}", "crm.schemas.{kind}.write", portal.create_property, writes=True),
    _route("GET /crm/v3/properties/{kind}/{name}", "crm.schemas.{kind}.read", portal.one_property),
    _route("GET /crm/v3/pipelines/{kind}", _READ, portal.pipelines),
    _route("POST /crm/v3/lists/search", "crm.lists.read", marketing.lists),
    _route("GET /crm/v3/lists/{id}/memberships/join-order", "crm.lists.read", marketing.joins),
    _route("GET /marketing/v3/forms", "forms", marketing.forms),
    _route("GET /form-integrations/v1/submissions/forms/{guid}", "forms", marketing.submissions),
    _route("GET /email/public/v1/events", "content", marketing.mail_events),
    _route("GET /email/public/v1/campaigns/{id}", "content", marketing.campaign),
    _route("GET /crm/v3/owners", "crm.objects.owners.read", portal.owners),
    _route("GET /crm/v3/limits/custom-properties", "", portal.property_limits),
    _route("GET /account-info/v3/details", "", portal.account),
    _route("GET /account-info/v3/api-usage/daily/private-apps", "", portal.usage),
)


def legacy(path: str) -> tuple[str, bool]:
    """The legacy spelling of a path without its trailing slash, and whether it was dated.

    >>> legacy("/crm/objects/2026-09/contacts/search")
    ('/crm/v3/objects/contacts/search', True)
    """
    path = path.rstrip("/")
    for dated, spelling in _DATED:
        path, hit = dated.subn(spelling, path)
        if hit:
            return path, True
    return path, False


def find(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """The route of a legacy path and what its pattern took from it; None when there is none."""
    for route in ROUTES:
        match = route.path.fullmatch(path) if route.method == method else None
        if match:
            return route, match.groupdict()
    return None
