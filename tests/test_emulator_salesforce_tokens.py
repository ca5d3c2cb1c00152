"""Logins: a token for an app's secret or its signed assertion, and nothing for anything else."""

from base64 import b64encode
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from connectors.emulator.clock import EmulatorClock
from connectors.emulator.salesforce.api import answer
from connectors.emulator.salesforce.org import Org
from connectors.emulator.salesforce.tokens import JWT_BEARER

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
NOW_S = int(NOW.timestamp())
USER = "leadmark.integration@seller.example"


@cache
def key(number: int) -> tuple[str, str]:
    """A private key and its public one, in PEM form."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    plain = serialization.NoEncryption()
    pem = private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return pem.decode(), public.decode()


@pytest.fixture
def org() -> Org:
    org = Org(EmulatorClock(NOW))
    org.tokens.public_keys["app"] = key(1)[1]
    return org


def log_in(org: Org, form: dict[str, str], basic: str = "") -> tuple[int, Any]:
    headers = {"host": "127.0.0.1:8080"}
    if basic:
        headers["authorization"] = f"Basic {b64encode(basic.encode()).decode()}"
    reply = answer(org, "POST", "/services/oauth2/token", headers, urlencode(form).encode())
    return reply.status, reply.body


def signed(number: int = 1, **changes: Any) -> dict[str, str]:
    claims = {"iss": "app", "sub": USER, "aud": "https://test.salesforce.com", "exp": NOW_S + 180, **changes}
    # the library writes exp as text, which PyJWT's own check of types would refuse
    assertion = jwt.api_jws.encode(jwt.api_jwt.json.dumps(claims).encode(), key(number)[0], algorithm="RS256")
    return {"grant_type": JWT_BEARER, "assertion": assertion}


def limits(org: Org, token: str) -> tuple[int, Any]:
    reply = answer(org, "GET", "/services/data/v66.0/limits", {"authorization": f"Bearer {token}"}, b"")
    return reply.status, reply.body


def test_an_apps_id_and_secret_give_a_token_until_it_is_expired(org: Org) -> None:
    status, body = log_in(org, {"grant_type": "client_credentials"}, "emulator-client:emulator-secret")
    assert status == 200
    assert body | {"instance_url": "http://127.0.0.1:8080", "token_type": "Bearer", "scope": "api"} == body
    assert limits(org, body["access_token"])[0] == 200
    in_form = {"grant_type": "client_credentials", "client_id": "emulator-client", "client_secret": "emulator-secret"}
    other = log_in(org, in_form)[1]["access_token"]
    assert other != body["access_token"]
    assert org.tokens.expire() == 2
    for token in (other, body["access_token"], "made-up", ""):
        assert limits(org, token) == (
            401,
            [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}],
        )
    assert org.tokens.logins == 2


@pytest.mark.parametrize("exp", [NOW_S + 180, str(NOW_S + 180)])
def test_a_signed_assertion_gives_a_token_for_its_user(org: Org, exp: int | str) -> None:
    status, body = log_in(org, signed(exp=exp))
    assert status == 200
    assert body["id"].endswith(org.user_id)
    assert limits(org, body["access_token"])[0] == 200


WRONG = [
    ({"grant_type": "client_credentials"}, "emulator-client:wrong", "invalid_client", ""),
    ({"grant_type": "client_credentials"}, "nobody:emulator-secret", "invalid_client", ""),
    ({"grant_type": "client_credentials"}, "", "invalid_client", ""),
    ({"grant_type": "password"}, "", "unsupported_grant_type", ""),
    ({}, "", "unsupported_grant_type", ""),
    ({"grant_type": JWT_BEARER, "assertion": "x.y.z"}, "", "invalid_client", ""),
    (signed(iss="other"), "", "invalid_client", ""),
    (signed(2), "", "invalid_grant", "invalid assertion"),
    (signed(exp=NOW_S), "", "invalid_grant", "expired"),
    (signed(exp="soon"), "", "invalid_grant", "invalid assertion"),
    (signed(aud="https://login.salesforce.com"), "", "invalid_grant", "audience"),
    (signed(sub="nobody@seller.example"), "", "invalid_grant", "approved"),
    (signed(sub="bo.okafor@seller.example"), "", "invalid_grant", "inactive user"),
]


@pytest.mark.parametrize(("form", "basic", "error", "said"), WRONG)
def test_any_other_login_is_refused(org: Org, form: dict[str, str], basic: str, error: str, said: str) -> None:
    last = list(org.live("User"))[-1]
    org.edit("User", last.id, {"IsActive": False})
    status, body = log_in(org, form, basic)
    assert (status, body["error"]) == (400, error)
    assert said in body["error_description"]
    assert org.tokens.logins == 0


def test_a_basic_header_that_is_none_is_refused(org: Org) -> None:
    form = urlencode({"grant_type": "client_credentials"}).encode()
    reply = answer(org, "POST", "/services/oauth2/token", {"authorization": "Basic ###"}, form)
    assert (reply.status, reply.body["error"]) == (400, "invalid_client")
