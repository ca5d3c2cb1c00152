"""hubspot-api-client, set up for us: dated paths, one held object per API, sockets that can be closed.

The newest release speaks only the numbered paths; its ``api_factory`` hook lets us rewrite them and keep the objects,
which would otherwise be built, with a new connection, at each access.
"""

import re
from typing import Any

from hubspot import HubSpot as Sdk
from hubspot.discovery.discovery_base import DiscoveryBase

from connectors.sockets import Sockets

#: numbered path -> dated path; what has no dated twin stays as it is
_RULES = (
    (re.compile(r"^/crm/v3/(objects|properties|lists|owners|pipelines)\b"), r"/crm/\1/{v}"),
    (re.compile(r"^/crm/v4/associations\b"), "/crm/associations/{v}"),
    (re.compile(r"^/account-info/v3\b"), "/account-info/{v}"),
)


def dated(path: str, version: str) -> str:
    """The path of the version, ``legacy`` being the path as it is.

    >>> dated("/crm/v3/objects/contacts/search", "2026-09")
    '/crm/objects/2026-09/contacts/search'
    >>> dated("/crm/v3/owners/", "legacy")
    '/crm/v3/owners/'
    """
    if version == "legacy":
        return path
    for numbered, with_date in _RULES:
        new, hit = numbered.subn(with_date.format(v=version), path)
        if hit:
            return new.rstrip("/")
    return path


def open_sdk(*, url: str, token: str, version: str, sockets: Sockets) -> Any:
    """The SDK's client: every API object built once, without hidden retries, gzip on, paths of the version."""
    held: dict[tuple[str, str], Any] = {}

    def factory(package: Any, name: str, config: Any) -> Any:
        key = (package.__name__, name)
        if key not in held:
            api = DiscoveryBase._default_api_factory(package, name, config)  # noqa: SLF001 - the hook has no other way to the default
            send = api.api_client.call_api
            api.api_client.call_api = lambda path, *args, **options: send(dated(path, version), *args, **options)
            api.api_client.set_default_header("Accept-Encoding", "gzip")
            sockets.watch(api.api_client.rest_client.pool_manager)
            held[key] = api
        return held[key]

    return Sdk(access_token=token, host=url, base_url=url, retry=False, api_factory=factory)
