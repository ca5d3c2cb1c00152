"""A token from the org's own address, by a client's secret or by a signed assertion for a user.

No message holds a secret, a token, or whom the org names.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

import jwt
import orjson
import requests

from connectors.errors import ConnectorError, Fatal, Retriable
from connectors.masking import without_addresses

#: how long an assertion may be used; Salesforce takes no more than this
_VALID = timedelta(minutes=3)

_CREDENTIALS = "Check login.client_id and login.client_secret; a new app is known after ten minutes."
_USER = "The user is inactive: activate it, or name another."
_APP = "The app is not approved for the user: in its policies, pre-authorise a permission set that the user has."
_SIGNED = "Check that the app holds the certificate of login.private_key, login.username, and this machine's clock."
_DOMAIN = "Set org.url to the org's My Domain: Setup, My Domain shows it."
#: words of the org's error or its description, in lower case -> what to do; the first that fits
_ADVICE = {
    "hasn't approved": _APP,
    "admin approved": _APP,
    "invalid_app_access": _APP,
    "no client credentials user": "Set the user the app runs as, in its policies, under client credentials.",
    "inactive_user": _USER,
    "inactive user": _USER,
    "user is inactive": _USER,
    "inactive_org": "The org is locked, closed or being suspended: see in Salesforce.",
    "audience": "The assertion is for the other kind of org: check org.production.",
    "ip restricted": "The org does not let this machine's address in: relax the app's IP rule, or allow the address.",
    "not supported on this domain": _DOMAIN,
    "invalid_client": _CREDENTIALS,
    "assertion": _SIGNED,
    "expired": _SIGNED,
    "unsupported_grant_type": "Enable the flow that login.flow names in the app's settings.",
    "invalid_grant": "The user is not accepted. Check that it is active, and which user the app runs as. " + _SIGNED,
}
#: what passes by itself
_LATER = ("unknown_error", "server_error", "temporarily_unavailable", "rate_limit_exceeded", "login rate exceeded")


@dataclass(frozen=True, kw_only=True, slots=True)
class Credentials:
    """Who logs in, secrets resolved; not shown when printed."""

    flow: Literal["client_credentials", "jwt"]
    #: the app's consumer key
    client_id: str = field(repr=False)
    #: with flow client_credentials
    client_secret: str = field(default="", repr=False)
    #: with flow jwt, the user
    username: str = field(default="", repr=False)
    #: with flow jwt, a key in PEM form whose certificate the app holds
    private_key: str = field(default="", repr=False)
    #: False for a sandbox org
    production: bool


def log_in(session: requests.Session, url: str, credentials: Credentials, *, now: Callable[[], datetime]) -> str:
    """A new token. ``session`` carries none; ``url`` is the org's, without a slash at its end.

    Raises Fatal for what somebody must mend, Retriable for what may go through later, and what ``requests`` raises
    when no answer comes.
    """
    basic = None
    if credentials.flow == "client_credentials":
        form = {"grant_type": "client_credentials"}
        basic = (credentials.client_id, credentials.client_secret)
    else:
        form = {
            "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
            "assertion": assertion(credentials, now=now()),
        }
    reply = session.post(f"{url}/services/oauth2/token", data=form, auth=basic, allow_redirects=False)
    told = _object(reply.content)
    token = told.get("access_token")
    if reply.status_code == 200 and isinstance(token, str) and token:
        return token
    raise login_failure(reply.status_code, told)


def assertion(credentials: Credentials, *, now: datetime) -> str:
    """The signed word that the app speaks for the user, good for three minutes; Fatal when the key cannot sign."""
    claims = {
        "iss": credentials.client_id,
        "sub": credentials.username,
        "aud": f"https://{'login' if credentials.production else 'test'}.salesforce.com",
        "exp": int((now + _VALID).timestamp()),
    }
    try:
        return jwt.encode(claims, credentials.private_key, algorithm="RS256")
    except (jwt.InvalidKeyError, ValueError, TypeError, AttributeError):  # the last two: locked; a public key
        raise Fatal("login.private_key cannot sign: it must be an RSA key in PEM form without a password.") from None


def login_failure(status: int, told: Mapping[str, Any]) -> ConnectorError:
    """The error for an answer that brings no token.

    >>> str(login_failure(404, {}))
    "Salesforce refused the login (404). Set org.url to the org's My Domain: Setup, My Domain shows it."
    """
    code = without_addresses(str(told.get("error") or ""))
    words = without_addresses(str(told.get("error_description") or ""))
    said = f"{code}: {words}".lower()
    if status == 200 or status in (408, 425, 429) or status >= 500 or any(later in said for later in _LATER):
        return Retriable(f"Salesforce gave no token ({status}{f' {code}' if code else ''}): not now.")
    where = f"Salesforce refused the login ({status}{f' {code}' if code else ''}{f', “{words}”' if words else ''})."
    if not code:
        return Fatal(f"{where} {_DOMAIN}")
    advice = next(
        (advice for sign, advice in _ADVICE.items() if sign in said), "Check the app and the user in Salesforce."
    )
    return Fatal(f"{where} {advice}")


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return told if isinstance(told, dict) else {}
