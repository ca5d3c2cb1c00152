"""What HubSpot's refusals mean to us, translated here and nowhere else.

Nothing is assumed of a body: it may be HubSpot's envelope, plain text or the HTML of a balancer. Messages carry the
CRM's words without addresses.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from connectors.errors import ConnectorError, Fatal, QuotaSpent, Refused, Retriable
from connectors.masking import without_addresses
from connectors.retry import asked_wait_s

_INVALID = re.compile(r"Property values were not valid: (\[.*\])", re.DOTALL)


def failure(  # noqa: PLR0911 - one return per kind of refusal
    call: str,
    status: int,
    headers: Mapping[str, str],
    body: bytes | str,
    *,
    now: datetime,
    time_zone: str | None = None,
    scope: str = "",
) -> ConnectorError:
    """The error for an answer that is not 2xx.

    ``call`` names the call in the message; ``scope`` is what it needs, for a 403 that does not say; ``time_zone`` is
    the portal's, in which its day ends.
    """
    told = _envelope(body)
    words = _words(told)
    where = f"HubSpot refused “{call}” ({status})"
    match status:
        case 401:
            return Fatal(
                f"{where}: the service key is not accepted. Check that login.service_key is valid for this portal."
            )
        case 403:
            return Fatal(f"{where}: {_missing(told, scope)}")
        case 429:
            return _throttled(call, headers, told, words, now, time_zone)
        case 423:
            return Retriable(f"{where}: the record is locked.", after_s=asked_wait_s(headers, now) or 2.0)
        case 408 | 425 | 477:
            return Retriable(f"{where}: not now.", after_s=asked_wait_s(headers, now))
    if status == 0 or status >= 500:
        return Retriable(f"{where}: the server stumbled.", after_s=asked_wait_s(headers, now))
    code, field, message = blame(told)
    return Refused(
        f"{where}: {message or words or 'no reason given'}", code=code or str(status), field=field, status=status
    )


@contextmanager
def well_formed(what: str) -> Iterator[None]:
    """Within it, an answer that lacks what every such answer has is HubSpot's failure, not ours: ConnectorError."""
    try:
        yield
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ConnectorError(
            f"HubSpot's answer for {what} has not the expected form ({type(error).__name__})."
        ) from error


def blame(told: Mapping[str, Any]) -> tuple[str, str, str]:
    """(code, property, message) of an error envelope, "" where it does not say; of several the first, all messages.

    >>> blame({"category": "VALIDATION_ERROR", "message": "no", "errors": [
    ...     {"code": "INVALID_INTEGER", "message": "x was not a number", "context": {"propertyName": ["lead_score"]}}]})
    ('INVALID_INTEGER', 'lead_score', 'x was not a number')
    """
    invalid = _INVALID.search(str(told.get("message") or ""))
    if invalid:
        try:
            found = [item for item in orjson.loads(invalid.group(1)) if isinstance(item, dict)]
        except orjson.JSONDecodeError:
            found = []
        if found:
            return str(found[0].get("error") or ""), str(found[0].get("name") or ""), _joined(found)
    errors = [item for item in told.get("errors") or () if isinstance(item, dict)]
    category = str(told.get("category") or "")
    if errors:
        context = errors[0].get("context") or {}
        named = context.get("propertyName") or context.get("name") or ()
        field = named if isinstance(named, str) else next(iter(named), "")
        return str(errors[0].get("code") or category), str(field), _joined(errors)
    return category, "", _words(told)


def _envelope(body: bytes | str) -> Mapping[str, Any]:
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return told if isinstance(told, dict) else {}


def _words(told: Mapping[str, Any]) -> str:
    return without_addresses(str(told.get("message") or ""))


def _joined(items: Sequence[Mapping[str, Any]]) -> str:
    return without_addresses("; ".join(str(item["message"]) for item in items if item.get("message")))


def _missing(told: Mapping[str, Any], scope: str) -> str:
    scopes: list[str] = []
    for item in told.get("errors") or ():
        context = item.get("context") if isinstance(item, dict) else None
        for key in ("requiredGranularScopes", "requiredScopes"):
            scopes += (context or {}).get(key) or ()
    named = ", ".join(dict.fromkeys(scopes)) or scope
    if named:
        return f"the service key lacks the scope {named}. Grant it, or take what needs it out of the connection's file."
    return f"{_words(told) or 'no reason given'}. Check the rights of the service key."


def _throttled(
    call: str,
    headers: Mapping[str, str],
    told: Mapping[str, Any],
    words: str,
    now: datetime,
    time_zone: str | None,
) -> ConnectorError:
    asked = asked_wait_s(headers, now)
    policy = str(told.get("policyName") or "")
    if policy == "DAILY" or "daily" in words:
        until = _midnight(now, time_zone) if time_zone else None
        return QuotaSpent(
            f"HubSpot's daily calls are used up (at “{call}”). The connection waits for the reset.", until=until
        )
    usual_s = 1.0 if "secondly limit" in words and "ten_secondly" not in words else 10.0
    return Retriable(f"HubSpot throttled “{call}” (429).", after_s=asked if asked is not None else usual_s)


def _midnight(now: datetime, time_zone: str) -> datetime:
    """The next midnight of the zone."""
    local = now.astimezone(ZoneInfo(time_zone))
    return datetime.combine(local.date() + timedelta(days=1), datetime.min.time(), local.tzinfo).astimezone(UTC)
