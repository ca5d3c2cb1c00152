"""Who may log in to an org, and which access tokens are good."""

from collections.abc import Mapping
from typing import Any

import jwt

from connectors.emulator.salesforce.refusals import Refused
from connectors.emulator.wire import Reply

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class Tokens:
    """The External Client Apps of an org and the tokens they were given. Tokens last until they are expired."""

    def __init__(self) -> None:
        """One app, ``emulator-client`` with ``emulator-secret``."""
        #: client id -> secret
        self.secrets = {"emulator-client": "emulator-secret"}
        #: client id -> public key (PEM) its assertions are signed for
        self.public_keys: dict[str, str] = {}
        #: logins so far
        self.logins = 0
        self._good: set[str] = set()

    def expire(self) -> int:
        """Makes every token bad; how many there were."""
        count = len(self._good)
        self._good.clear()
        return count

    def check(self, authorization: str) -> None:
        """Refuses any token that was not given out or is expired."""
        scheme, _, token = authorization.partition(" ")
        if scheme not in ("Bearer", "OAuth") or token not in self._good:
            raise Refused("INVALID_SESSION_ID", "Session expired or invalid", status=401)

    def issue(self, org_id: str) -> str:
        """A new token."""
        self.logins += 1
        token = f"{org_id[:15]}!emulated.{self.logins}"
        self._good.add(token)
        return token

    def client_credentials(self, basic: tuple[str, str]) -> None:
        """Refuses an app whose id and secret do not fit."""
        client_id, secret = basic
        if self.secrets.get(client_id) != secret:
            raise BadLogin("invalid_client", "invalid client credentials")

    def username(self, assertion: str, now_s: float) -> str:
        """The user a signed assertion is for; refused when its signature, app or time is wrong."""
        try:
            unverified = jwt.decode(assertion, options={"verify_signature": False})
            key = self.public_keys[unverified["iss"]]
            # the time is the org's, not the machine's; the library of the other side writes exp as text
            options: Mapping[str, Any] = {"verify_exp": False, "verify_aud": False}
            claims = jwt.decode(assertion, key, algorithms=["RS256"], options=dict(options))
            expires_s = int(claims["exp"])
            username = str(claims["sub"])
        except (jwt.InvalidTokenError, KeyError, TypeError, ValueError) as error:
            raise BadLogin("invalid_grant", "invalid assertion") from error
        if expires_s <= now_s:
            raise BadLogin("invalid_grant", "expired assertion")
        return username


class BadLogin(Exception):
    """A login that fails, in OAuth's words."""

    def __init__(self, error: str, description: str) -> None:
        """``error`` is OAuth's code."""
        super().__init__(description)
        self.reply = Reply(status=400, body={"error": error, "error_description": description})
