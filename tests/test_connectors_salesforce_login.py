import base64
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import jwt
import pytest
import requests
import responses
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from connectors.errors import ConnectorError, Fatal, Retriable
from connectors.salesforce.login import Credentials, assertion, log_in, login_failure

URL = "https://acme.my.salesforce.example"
TOKEN_URL = f"{URL}/services/oauth2/token"
NOW = datetime(2026, 11, 3, 22, 30, 0, 500_000, tzinfo=UTC)
SECRET = "very-secret"
APP = Credentials(flow="client_credentials", client_id="the-app", client_secret=SECRET, production=True)


def _pem(key: Any, password: bytes = b"") -> str:
    lock = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock).decode()


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _signer(pem: str, *, production: bool = True) -> Credentials:
    return Credentials(
        flow="jwt", client_id="the-app", username="worker@acme.example", private_key=pem, production=production
    )


def _log_in(credentials: Credentials = APP) -> str:
    with requests.Session() as session:
        session.trust_env = False
        return log_in(session, URL, credentials, now=lambda: NOW)


@responses.activate
def test_client_credentials_go_to_the_orgs_own_address():
    asked = responses.post(TOKEN_URL, json={"access_token": "T1", "instance_url": "https://elsewhere.example"})
    assert _log_in() == "T1"
    request = asked.calls[0].request
    assert request.body == "grant_type=client_credentials"
    assert request.headers["Authorization"] == "Basic " + base64.b64encode(f"the-app:{SECRET}".encode()).decode()
    assert "Sforce-Auto-Assign" not in request.headers


@responses.activate
@pytest.mark.parametrize(
    ("production", "audience"), [(True, "https://login.salesforce.com"), (False, "https://test.salesforce.com")]
)
def test_an_assertion_names_app_user_and_kind_of_org(key: rsa.RSAPrivateKey, production: bool, audience: str):  # noqa: FBT001 - a table
    asked = responses.post(TOKEN_URL, json={"access_token": "T1"})
    assert _log_in(_signer(_pem(key), production=production)) == "T1"
    form = parse_qs(str(asked.calls[0].request.body))
    assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    assert "Authorization" not in asked.calls[0].request.headers
    claims = jwt.decode(
        form["assertion"][0], key.public_key(), algorithms=["RS256"], audience=audience, options={"verify_exp": False}
    )
    assert claims == {
        "iss": "the-app",
        "sub": "worker@acme.example",
        "aud": audience,
        "exp": int(NOW.timestamp()) + 180,
    }


def test_an_assertion_is_signed(key: rsa.RSAPrivateKey):
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(assertion(_signer(_pem(other)), now=NOW), key.public_key(), algorithms=["RS256"], audience="x")


def test_a_key_that_cannot_sign_is_told(key: rsa.RSAPrivateKey):
    pems = {
        "text": "no key",
        "nothing": "",
        "cut": _pem(key)[:200],
        "a public key": key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode(),
        "locked": _pem(key, b"password"),
        "no RSA key": _pem(ec.generate_private_key(ec.SECP256R1())),
    }
    for remark, pem in pems.items():
        with pytest.raises(Fatal, match=r"login\.private_key") as raised:
            assertion(_signer(pem), now=NOW)
        assert raised.value.__suppress_context__, remark
        assert "no key" not in str(raised.value), remark


@pytest.mark.parametrize(
    ("status", "error", "description", "words", "remark"),
    [
        (400, "invalid_client", "invalid client credentials", "login.client_secret", "a wrong secret"),
        (400, "invalid_client_id", "client identifier invalid", "login.client_id", "no such app"),
        (401, "invalid_client", "", "login.client_secret", "another status"),
        (400, "invalid_grant", "authentication failure", "The user is not accepted", "no reason told"),
        (400, "invalid_grant", "user hasn't approved this consumer", "pre-authorise", "JWT: app not approved"),
        (400, "invalid_app_access", "user is not admin approved to access this app", "pre-authorise", "the same"),
        (400, "inactive_user", "user is inactive", "activate it", "a user switched off"),
        (400, "invalid_grant", "inactive user", "activate it", "told otherwise"),
        (400, "inactive_org", "org is locked", "locked", "an org switched off"),
        (400, "invalid_grant", "no client credentials user enabled", "run", "no user to run as"),
        (400, "invalid_grant", "audience is invalid", "org.production", "a sandbox taken for production"),
        (400, "invalid_grant", "ip restricted", "IP rule", "not from here"),
        (400, "invalid_grant", "invalid assertion", "login.private_key", "another certificate"),
        (400, "invalid_grant", "expired assertion", "clock", "a clock that is late"),
        (400, "invalid_grant", "request not supported on this domain", "My Domain", "login.salesforce.com"),
        (400, "unsupported_grant_type", "grant type not supported", "login.flow", "a flow not enabled"),
        (400, "something_new", "", "Check the app", "what the future brings"),
        (404, None, None, "org.url", "not Salesforce at all"),
        (302, None, None, "org.url", "the org is elsewhere"),
    ],
)
def test_refused_logins_say_what_to_do(status: int, error: str, description: str, words: str, remark: str):
    failure = login_failure(status, {"error": error, "error_description": description})
    assert isinstance(failure, Fatal), remark
    assert words in str(failure), remark
    assert error is None or error in str(failure), remark


@responses.activate
@pytest.mark.parametrize(
    ("status", "body", "remark"),
    [
        (503, "<html>", "a balancer"),
        (500, '{"error":"server_error"}', "the server"),
        (429, "", "too many logins"),
        (400, '{"error":"unknown_error","error_description":"retry your request"}', "as it says"),
        (400, '{"error":"invalid_grant","error_description":"login rate exceeded"}', "too many logins, told otherwise"),
        (200, '{"access_token":', "cut"),
        (200, "[]", "no object"),
        (200, '{"access_token":null}', "no token"),
    ],
)
def test_logins_that_may_go_through_later(status: int, body: str, remark: str):
    responses.post(TOKEN_URL, status=status, body=body)
    with pytest.raises(Retriable):
        _log_in()


@responses.activate
def test_neither_messages_nor_credentials_show_a_secret(key: rsa.RSAPrivateKey):
    shown = [repr(APP), str(_signer(_pem(key)))]
    for body in (
        {"error": "invalid_grant", "error_description": "worker@acme.example is unknown here"},
        {"error": "odd", "access_token": "00D5g000004XyzA!AQEAQ.x_y"},
    ):
        responses.post(TOKEN_URL, status=400, json=body)
        with pytest.raises(ConnectorError) as raised:
            _log_in()
        shown.append(f"{raised.value!r} {raised.value.__cause__!r}")
    said = " ".join(shown)
    for secret in (SECRET, "the-app", "worker@", "BEGIN", "AQEAQ", "@"):
        assert secret not in said


@responses.activate
def test_a_login_is_not_carried_to_another_address():
    responses.post(TOKEN_URL, status=307, headers={"Location": "https://thief.example/"})
    with pytest.raises(Fatal, match=r"org\.url"):
        _log_in()
    assert len(responses.calls) == 1
