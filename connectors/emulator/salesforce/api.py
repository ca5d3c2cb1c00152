"""One call of Salesforce's API from first byte to reply: version, token, allowance, route, JSON, handler."""

import re
from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

import orjson

from connectors.emulator.salesforce.administration import OLDEST_VERSION, versions
from connectors.emulator.salesforce.login import log_in
from connectors.emulator.salesforce.org import Org
from connectors.emulator.salesforce.refusals import Refused, not_there
from connectors.emulator.salesforce.routes import find
from connectors.emulator.wire import Reply, Request

PREFIX = "/services/"
TOKEN_PATH = "/services/oauth2/token"  # noqa: S105 - a path
#: headers worth a place in the log, in small letters
LOGGED = ("sforce-auto-assign", "sforce-query-options")
#: characters of a path with its query
LONGEST_TARGET = 16_000
_VERSIONED = re.compile(r"/services/data/v(\d+)\.\d(?:/|$)")


def answer(org: Org, method: str, target: str, headers: Mapping[str, str], raw: bytes) -> Reply:
    """The reply to one request, ``headers`` by name in small letters; every refusal is one too."""
    with org.lock:
        split = urlsplit(target)
        path = split.path.rstrip("/")
        if (method, path) == ("POST", TOKEN_PATH):
            address = f"http://{headers.get('host', '127.0.0.1')}"
            return log_in(org, raw.decode(errors="replace"), headers.get("authorization", ""), address)
        counted: dict[str, str] = {}
        try:
            reply = _handled(org, method, path, split.query, headers, raw, counted)
        except Refused as refusal:
            reply = Reply(status=refusal.status, body=refusal.body)
        except (AttributeError, KeyError, TypeError, ValueError) as error:  # a body of another shape than expected
            reply = Reply(status=400, body=Refused("JSON_PARSER_ERROR", f"{type(error).__name__}: {error}").body)
        return Reply(status=reply.status, body=reply.body, headers=counted)


def _handled(
    org: Org, method: str, path: str, query: str, headers: Mapping[str, str], raw: bytes, counted: dict[str, str]
) -> Reply:
    """The handler's reply; ``counted`` takes the header that goes with it or with its refusal."""
    if (method, path) == ("GET", "/services/data"):
        return versions()
    version = _VERSIONED.match(path)
    if version and int(version[1]) < OLDEST_VERSION:
        raise Refused("GONE", "The requested API version is retired.", status=410)
    if len(path) + len(query) > LONGEST_TARGET:
        raise Refused("URI_TOO_LONG", "URI Too Long", status=414)
    org.tokens.check(headers.get("authorization", ""))
    spent = org.allowance.take(org.clock.now())
    counted |= org.allowance.header()
    if spent:
        raise spent
    found = find(method, path)
    if found is None:
        raise not_there()
    route, parts = found
    asked = parse_qs(query, keep_blank_values=True)
    return route.handler(
        org, Request(method=method, path=path, parts=parts, query=asked, body=_json(raw), headers=headers)
    )


def writes(method: str, target: str) -> bool:
    """True for calls that change records; reads by POST are none."""
    found = find(method, urlsplit(target).path)
    return found is not None and found[0].writes


def _json(raw: bytes) -> object:
    if not raw:
        return None
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Refused("JSON_PARSER_ERROR", "Unexpected character in the body: it is no JSON") from error
