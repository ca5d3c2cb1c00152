"""What Salesforce's refusals mean to us, translated here and nowhere else: of a whole call, and of one row of a write.

Nothing is assumed of a body: it may be a list of errors, one, plain text or the HTML of a balancer. Messages carry the
CRM's words without addresses and tokens.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from connectors.base import Refusal
from connectors.errors import BatchTooHeavy, ConnectorError, Fatal, QuotaSpent, Refused, Retriable
from connectors.masking import without_addresses
from connectors.retry import asked_wait_s

#: the allowance is of any 24 hours, so some of it returns within this
QUOTA_PAUSE = timedelta(hours=1)

#: may go through later, as it is
_LATER = frozenset(
    {
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        "PROCESSING_HALTED",
        "REQUEST_RUNNING_TOO_LONG",
        "SERVER_UNAVAILABLE",
        "UNABLE_TO_LOCK_ROW",
        "UNKNOWN_EXCEPTION",
    }
)
#: this id is not to be written again: deleted, merged away, hidden, or converted (its contact is written instead)
_GONE = frozenset(
    {
        "CANNOT_UPDATE_CONVERTED_LEAD",
        "ENTITY_IS_DELETED",
        "INVALID_CROSS_REFERENCE_KEY",
        "MALFORMED_ID",
        "NOT_FOUND",
    }
)
#: a trigger or flow failed over all rows of the write, or too much was asked for at once
_BATCH = frozenset(
    {"CANNOT_EXECUTE_FLOW_TRIGGER", "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "EXCEEDED_ID_LIMIT", "QUERY_TIMEOUT"}
)
_LIMIT = re.compile(
    r"LimitException|(?:CPU time|heap size)\D*(?:limit|exceeded|too large)|Too many [\w ]+:", re.IGNORECASE
)

_RIGHTS = "Give the connection's user the right to it, by the permission set."
_VERSION = "This version of the API is retired: set api_version to a newer one."
_FIELD = (
    "A field is not there, or hidden from the connection's user: create it, grant it by the permission set, or take it "
    "out of the connection's file."
)
#: what somebody must mend -> how
_SET_UP = {
    "API_CURRENTLY_DISABLED": "The org's API is switched off: see in Salesforce.",
    "API_DISABLED_FOR_ORG": "The org's edition has no API, or it is switched off: ask Salesforce.",
    "FORBIDDEN": _RIGHTS,
    "INSUFFICIENT_ACCESS": _RIGHTS,
    "INSUFFICIENT_ACCESS_OR_READONLY": _RIGHTS,
    "INVALID_FIELD": _FIELD,
    "INVALID_FIELD_FOR_INSERT_UPDATE": _FIELD,
    "INVALID_TYPE": "An object is not there, or hidden from the connection's user: grant it by the permission set.",
    "MALFORMED_QUERY": "The settings name something the org's query language does not take: check fields and scope.",
    "UNSUPPORTED_API_VERSION": _VERSION,
}
_BY_STATUS = {
    **dict.fromkeys((301, 302, 303, 307, 308), "The org is elsewhere: set org.url to its My Domain."),
    401: "A token just given is not accepted: check the app's policies, its scope (api), and the allowed addresses.",
    403: _RIGHTS,
    410: _VERSION,
}


def failure(  # noqa: PLR0911 - one return per kind of refusal
    call: str, status: int, headers: Mapping[str, str], told: Any, *, now: datetime
) -> ConnectorError:
    """The error for an answer that is not 2xx. ``call`` names the call; ``told`` is the body, decoded where it can be.

    A 401 comes here after the token was renewed.
    """
    errors = _listed(told)
    code, field, words = blame(errors)
    where = f"Salesforce refused “{call}” ({status}{f' {code}' if code else ''})"
    why = words.rstrip(".") or "no reason given"
    if code == "REQUEST_LIMIT_EXCEEDED" and "concurrent" not in words.lower():
        return QuotaSpent(
            f"{where}: the org's calls of 24 hours are used up. The connection waits.", until=now + QUOTA_PAUSE
        )
    if code == "REQUEST_LIMIT_EXCEEDED":
        return Retriable(f"{where}: too many calls at the same time.", after_s=asked_wait_s(headers, now) or 5.0)
    if _may_pass(code, errors):
        return Retriable(f"{where}: {why}", after_s=asked_wait_s(headers, now))
    if _blames_batch(code, errors):
        return BatchTooHeavy(f"{where}: {why}", code=code or str(status), field=field, status=status)
    if status >= 500 or status in (408, 425, 429):
        return Retriable(f"{where}: the server stumbled, or not now.", after_s=asked_wait_s(headers, now))
    advice = _SET_UP.get(code) or _BY_STATUS.get(status)
    if advice:
        return Fatal(f"{where}: {why}. {advice}")
    return Refused(f"{where}: {why}", code=code or str(status), field=field, status=status)


def verdict(errors: Any) -> Refusal | Retriable | BatchTooHeavy:
    """What the errors of one row that was not written ask for.

    * ``Refusal``: this record, as it is; with ``gone``, its id is not to be written again (a converted lead's too).
    * ``Retriable``: the same once more, a little later.
    * ``BatchTooHeavy``: the rows it went with; fewer at once, and a record is to blame only when it fails alone.

    >>> verdict([{"statusCode": "ENTITY_IS_DELETED", "message": "entity is deleted", "fields": []}])
    Refusal(code='ENTITY_IS_DELETED', message='entity is deleted', field='', gone=True)
    """
    found = _listed(errors)
    code, field, words = blame(found)
    codes = [_code(error) for error in found]
    for gone in codes:
        if gone in _GONE:
            return Refusal(code=gone, message=words, field=field, gone=True)
    if any(_may_pass(one, found) for one in codes):
        return Retriable(f"Salesforce did not write a record ({code}): {words}")
    for heavy in codes:
        if _blames_batch(heavy, found):
            return BatchTooHeavy(words or heavy, code=heavy, field=field)
    return Refusal(code=code or "UNKNOWN", message=words or "no reason given", field=field)


def blame(errors: Sequence[Mapping[str, Any]]) -> tuple[str, str, str]:
    """(code, field, message) of errors, "" where they do not say; of several the first, and all messages.

    >>> blame([{"statusCode": "STRING_TOO_LONG", "message": "too long", "fields": ["Tier__c"]}, {"message": "b"}])
    ('STRING_TOO_LONG', 'Tier__c', 'too long; b')
    """
    messages = (" ".join(str(error.get("message") or "").split()) for error in errors)
    words = without_addresses("; ".join(message for message in messages if message))
    field = next((str(name) for error in errors for name in error.get("fields") or ()), "")
    return next((code for error in errors if (code := _code(error))), ""), field, words


@contextmanager
def well_formed(what: str) -> Iterator[None]:
    """Within it, an answer that lacks what every such answer has is Salesforce's failure, not ours: ConnectorError."""
    try:
        yield
    except (KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
        raise ConnectorError(
            f"Salesforce's answer for {what} has not the expected form ({type(error).__name__})."
        ) from error


def _listed(told: Any) -> list[Mapping[str, Any]]:
    return [item for item in (told if isinstance(told, list) else [told]) if isinstance(item, dict)]


def _code(error: Mapping[str, Any]) -> str:
    """``errorCode`` of a whole call, ``statusCode`` of a row."""
    return str(error.get("statusCode") or error.get("errorCode") or "")


def _may_pass(code: str, errors: Sequence[Mapping[str, Any]]) -> bool:
    """A trigger's failure tells the lock it met in its words only."""
    return code in _LATER or any("UNABLE_TO_LOCK_ROW" in str(error.get("message")) for error in errors)


def _blames_batch(code: str, errors: Sequence[Mapping[str, Any]]) -> bool:
    return code in _BATCH or any(_LIMIT.search(str(error.get("message"))) for error in errors)
