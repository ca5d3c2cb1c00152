"""One call of HubSpot's API from first byte to reply: credentials, limits, route, scope, JSON, handler."""

from urllib.parse import parse_qs, urlsplit

import orjson

from connectors.emulator.hubspot.routes import Route, find, legacy
from connectors.emulator.hubspot.world import World
from connectors.emulator.wire import Refusal, Reply, Request, invalid, not_found

EXPIRED = "pat-expired"


def answer(world: World, method: str, target: str, authorization: str, raw: bytes) -> Reply:
    """The reply to one request; every refusal is one too."""
    sent: dict[str, str] = {}
    try:
        token = _token(authorization)
        with world.lock:
            reply = _handled(world, method, target, token, raw, sent)
    except Refusal as refusal:
        return Reply(status=refusal.status, body=refusal.body, headers=sent)
    except (AttributeError, KeyError, TypeError, ValueError) as error:  # a body or id of another shape than expected
        return Reply(status=400, body=invalid(f"Invalid input: {type(error).__name__}: {error}").body, headers=sent)
    return Reply(status=reply.status, body=reply.body, headers=sent)


def _handled(world: World, method: str, target: str, token: str, raw: bytes, sent: dict[str, str]) -> Reply:
    """The handler's reply; ``sent`` takes the headers that go with it or with its refusal."""
    split = urlsplit(target)
    path, dated = legacy(split.path)
    found = find(method, path)
    search = found is not None and found[0].search
    headers, throttled = world.limits.take(search=search, now=world.clock.now(), zone=world.time_zone)
    sent |= headers
    if throttled:
        raise throttled
    if found is None:
        raise not_found()
    route, parts = found
    _check_scope(world, token, route, parts.get("kind", ""))
    query = parse_qs(split.query, keep_blank_values=True)
    return route.handler(
        world, Request(method=method, path=path, parts=parts, query=query, body=_json(raw), dated=dated)
    )


def writes(method: str, target: str) -> bool:
    """True for calls that change records; reads by POST are none."""
    found = find(method, legacy(urlsplit(target).path)[0])
    return found is not None and found[0].writes


def _token(authorization: str) -> str:
    scheme, _, token = authorization.partition(" ")
    if scheme != "Bearer" or not token.startswith("pat-"):
        raise Refusal(
            401,
            "INVALID_AUTHENTICATION",
            "Authentication credentials not found. This API supports OAuth 2.0 authentication. The emulator takes any"
            " bearer token that begins with pat-.",
        )
    if token == EXPIRED:
        raise Refusal(401, "EXPIRED_AUTHENTICATION", "The OAuth token used to make this call expired 60 second(s) ago.")
    return token


def _check_scope(world: World, token: str, route: Route, kind: str) -> None:
    granted = world.scopes.get(token)
    if granted is None or not route.scope:
        return
    # engagements are read with the right to read contacts
    needed = route.scope.replace("{kind}", kind if kind in ("companies", "deals") else "contacts")
    if needed not in granted:
        message = "This app hasn't been granted all required scopes to make this call."
        context = {"requiredGranularScopes": [needed]}
        raise Refusal(403, "MISSING_SCOPES", message, errors=[{"message": message, "context": context}])


def _json(raw: bytes) -> object:
    if not raw:
        return None
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise invalid("Invalid input JSON: the body cannot be read") from error
