"""No token, name or address in anything leadmark says or logs, whatever the CRM says to it, nor in what it keeps of it.

The pairs of names, every address and the token are looked for as written, as JSON writes them and as URLs write them.
"""

import json
import logging
import sqlite3
from collections.abc import Iterator
from urllib.parse import quote

import pytest
import structlog

from config.loader import load
from connectors.emulator.faults import parse_fault, parse_record_rule
from connectors.emulator.hubspot.happenings import happen
from connectors.emulator.hubspot.merging import merge
from connectors.emulator.people import make_world
from connectors.hubspot.failures import without_addresses
from sync.app import Quiet, configure_logging, open_runtime
from sync.run import run_pass
from sync.runtime import Options
from tests.acceptance.processes import NOW, TOKEN, WRITE, Installation

pytestmark = pytest.mark.slow


def spellings(secret: str) -> set[str]:
    """The secret as it may stand in a text, in small letters."""
    return {form.casefold() for form in (secret, json.dumps(secret)[1:-1], quote(secret), quote(secret, safe="@"))}


def secrets_of(one: Installation) -> set[str]:
    """What must never be said of this portal."""
    people = [row.now.properties for row in one.world.tables["contacts"].live()]
    pairs = {f"{of['firstname']} {of['lastname']}" for of in people if of.get("firstname") and of.get("lastname")}
    addresses = {of["email"] for of in people if of.get("email")}
    owners = {value for owner in one.world.owners.values() for value in _texts(owner) if "@" in value}
    assert len(pairs) > 40
    assert len(addresses) > 40
    return {form for secret in {TOKEN, *pairs, *addresses, *owners} for form in spellings(secret)}


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple | list):
        for one in value:
            yield from _texts(one)


def assert_silent(said: str, one: Installation) -> None:
    """None of it stands there."""
    text = said.casefold()
    assert [secret for secret in sorted(secrets_of(one)) if secret in text] == []
    assert [word for word in text.split() if "@" in word] == []


def refuse(one: Installation, row, status: int) -> str:
    """From now on the portal refuses writes of this contact, and quotes it."""
    address, name = row.now.properties["email"], row.now.properties["firstname"]
    rule = {
        "object": "contacts",
        "id": row.id,
        "action": "refuse",
        "status": status,
        "code": "CONFLICT",
        "message": f"<{address}>, (mailto:{address}) or '{quote(address)}' is taken; ask Dr.{name}@x.example",
    }
    one.emulator.world.rules.rules.append(parse_record_rule(rule))
    return address


def fault(one: Installation, *, path: str = "", times: int | None = 1, skip: int = 0, **do) -> None:
    """The next request on this path goes wrong."""
    one.emulator.traffic.faults.append(parse_fault({"match": {"path": path}, "times": times, "skip": skip, "do": do}))


@pytest.fixture(scope="module")
def portal(tmp_path_factory):
    """Sixty people, few enough for the guard; two of them refused, two merged."""
    with Installation.make(make_world(60, 41, now=NOW), tmp_path_factory.mktemp("privacy")) as one:
        yield one


@pytest.fixture(scope="module")
def said(portal):
    """Everything that was said, by what was done."""
    one, everything = portal, {}
    people = [row for row in one.world.tables["contacts"].live() if row.now.properties.get("email")]
    somebody = people[5].now.properties["email"]

    def done(what, *words, code):
        ended = one.run(*words)
        assert ended.code == code, (what, ended)
        everything[what] = ended.out + ended.err

    done("check", "check", code=0)
    done("plan", "plan", "--all", code=2)
    done("plan as JSON", "plan", "--offline", "--json", code=2)
    refuse(one, people[0], 400)
    refuse(one, people[1], 207)
    hurt = f"no luck with {somebody} and {TOKEN}"
    fault(one, path="/search", status=500, body={"message": hurt})
    fault(one, path="/form", status=429, headers={"Retry-After": "0"}, body={"message": hurt})
    fault(one, path="/email/", html=502)
    fault(one, path=WRITE, drop="after_apply")
    fault(one, path=WRITE, skip=1, status=503, body=hurt)
    done("sync with refusals and stumbles", "sync", code=4)
    merge(one.world, "contacts", people[7], people[8])
    happen(one.world, {"kind": "form_submission", "form": "demo-request", "email": somebody})
    done("sync after a merge", "sync", "--json", code=0)
    done("status", "status", code=4)
    done("status as JSON", "status", "--json", code=4)
    done("quarantine", "quarantine", code=0)
    done("quarantine as JSON", "quarantine", "--json", code=0)
    done("explain by address", "explain", somebody, code=0)
    done("timeline by address", "timeline", somebody, code=0)
    for number in (400, 401, 403, 409):
        fault(one, path="/search", times=None, status=number, body={"status": "error", "message": hurt})
        done(f"sync and a {number} to a search", "sync", code=4)
        one.emulator.traffic.faults.clear()
    fault(one, path="/account-info", times=None, status=401, body={"message": f"{TOKEN} expired"})
    done("sync with a key that is not accepted", "sync", code=4)
    one.emulator.traffic.faults.clear()
    done("retry", "quarantine", "retry", code=0)
    done("sync of everything anew", "sync", "--full", code=4)
    return everything


def test_nothing_leadmark_says_names_anybody(portal, said):
    for what, text in said.items():
        assert text, what
        assert_silent(text, portal)


def test_refusals_are_kept_without_addresses(portal, said):
    """The CRM's words stay readable: what was refused and why, not whom."""
    with sqlite3.connect(portal.store / "leadmark.sqlite3") as store:
        messages = [message for (message,) in store.execute("SELECT message FROM quarantine")]
    store.close()
    assert len(messages) == 2
    assert all("is taken; ask" in message for message in messages)
    for message in messages:
        assert_silent(message, portal)


@pytest.mark.parametrize(
    "table", ["history", "quarantine", "pass", "approval", "transition", "touchpoint", "model_text"]
)
def test_what_is_kept_for_long_names_nobody(portal, said, table):
    with sqlite3.connect(portal.store / "leadmark.sqlite3") as store:
        rows = store.execute(f"SELECT * FROM {table}").fetchall()
    store.close()
    assert rows or table == "approval"
    assert_silent("\n".join(str(row) for row in rows), portal)


@pytest.fixture
def logging_restored():
    """What one test says of logging ends with it."""
    yield
    structlog.reset_defaults()


def test_logs_name_nobody_at_debug_level(portal, said, capsys, caplog, monkeypatch, logging_restored):
    """Those of the libraries too, should somebody turn them on."""
    monkeypatch.setenv("HS_TOKEN", TOKEN)
    monkeypatch.setenv("HS_PORTAL", str(portal.world.portal_id))
    settings, _ = load(portal.folder)
    configure_logging(as_json=True, level=logging.DEBUG)
    fault(portal, path="/search", status=500, body={"message": TOKEN})
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="urllib3.connectionpool")  # the SDK silences the one above it
    with open_runtime(settings, progress=Quiet(), now=lambda: NOW) as runtime:
        run_pass(runtime, Options(full=True))
    logged = capsys.readouterr()
    assert "call_repeated" in logged.err
    assert "urllib3" in caplog.text
    assert_silent(logged.out + logged.err + caplog.text, portal)


@pytest.mark.parametrize(
    "address",
    [
        "ann@x.example",
        "Ann.Lee+news@sub.firm.example",
        "jürgen@müller.example",
        "o'brien@x.example",
        "ann%40x.example",
        "ANN@X.EXAMPLE",
        TOKEN,
    ],
)
def test_addresses_in_the_words_of_a_crm_are_left_out(address):
    for frame in ("{} is taken", "(<{}>) is taken", '"{}" is taken', "mailto:{}, is taken", "id={}; is taken"):
        kept = without_addresses(frame.format(address))
        assert "is taken" in kept
        assert address not in kept
        assert "@" not in kept
        assert "%40" not in kept
