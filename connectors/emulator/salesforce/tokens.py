"""Who may log in to an org, and which access tokens are good."""

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import jwt

from connectors.emulator.salesforce.refusals import Refused
from connectors.emulator.wire import Reply

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@dataclass(frozen=True, slots=True)
class LoginOrg:
    """What a login is checked against."""

    is_sandbox: bool
    now_s: float


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

    def user_of(self, form: Mapping[str, str], authorization: str, org: LoginOrg) -> str:
        """The user name a token call is for, "" for the app's own user; raises BadLogin."""
        grant = form.get("grant_type", "")
        if grant == "client_credentials":
            self._check_secret(form, authorization)
            return ""
        if grant == JWT_BEARER:
            return self._signed_for(form.get("assertion", ""), org)
        raise BadLogin("unsupported_grant_type", "grant type not supported")

    def _check_secret(self, form: Mapping[str, str], authorization: str) -> None:
        client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
        scheme, _, coded = authorization.partition(" ")
        if scheme == "Basic":
            try:
                client_id, _, secret = b64decode(coded, validate=True).decode().partition(":")
            except ValueError as error:
                raise BadLogin("invalid_client", "invalid client credentials") from error
        if client_id not in self.secrets or self.secrets[client_id] != secret:
            raise BadLogin("invalid_client", "invalid client credentials")

    def _signed_for(self, assertion: str, org: LoginOrg) -> str:
        try:
            claimed = jwt.decode(assertion, options={"verify_signature": False})
            key = self.public_keys[claimed["iss"]]
        except (jwt.InvalidTokenError, KeyError, TypeError) as error:
            raise BadLogin("invalid_client", "client identifier invalid") from error
        try:
            # its time is compared with the org's clock, not the machine's; clients write exp as a number or as text
            claims = jwt.decode(
                assertion, key, algorithms=["RS256"], options={"verify_exp": False, "verify_aud": False}
            )
            expires_s = int(claims["exp"])
        except (jwt.InvalidTokenError, KeyError, TypeError, ValueError) as error:
            raise BadLogin("invalid_grant", "invalid assertion") from error
        if expires_s <= org.now_s:
            raise BadLogin("invalid_grant", "expired authorization code")
        if urlsplit(str(claims.get("aud"))).hostname == f"{'login' if org.is_sandbox else 'test'}.salesforce.com":
            raise BadLogin("invalid_grant", "audience is invalid")
        return str(claims.get("sub", ""))


class BadLogin(Exception):
    """A login that fails, in OAuth's words."""

    def __init__(self, error: str, description: str) -> None:
        """``error`` is OAuth's code."""
        super().__init__(description)
        self.reply = Reply(status=400, body={"error": error, "error_description": description})
