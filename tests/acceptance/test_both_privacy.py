"""No token, name or address of either CRM in anything leadmark says, whatever the org says, nor in what it keeps."""

import re
import sqlite3

import pytest

from connectors.emulator.faults import parse_fault
from tests.acceptance import orgs
from tests.acceptance.conftest import BOTH, made_up
from tests.acceptance.processes import SECRET, WRITES, Installation
from tests.acceptance.test_privacy import secrets_of, spellings

pytestmark = pytest.mark.slow

#: an access token, in small letters
TOKEN = re.compile(r"00d\w{12,15}!")


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    """Few enough people for the guard."""
    world, org = made_up(55, 55, seed=43)
    with Installation.make(world, tmp_path_factory.mktemp("privacy"), org=org, crms=BOTH) as one:
        yield one


def secrets(one):
    """What must never be said of portal and org."""
    org = one.emulator.org
    people = [row.values for object_ in (*orgs.PREFIXES, "Individual") for row in org.rows[object_].values()]
    pairs = {f"{of['FirstName']} {of['LastName']}" for of in people if of.get("FirstName")}
    addresses = {of["Email"] for of in people if of.get("Email")}
    users = {row.values[name] for row in org.live("User") for name in ("Username", "Email") if row.values.get(name)}
    assert min(len(pairs), len(addresses), len(users)) > 3
    return secrets_of(one) | {form for each in {SECRET, *pairs, *addresses, *users} for form in spellings(each)}


def assert_silent(said, one):
    text = said.casefold()
    assert [secret for secret in sorted(secrets(one)) if secret in text] == []
    assert [word for word in text.split() if "@" in word or TOKEN.search(word)] == []


def fault(one, path, times=1, skip=0, **do):
    one.emulator.traffic.faults.append(parse_fault({"match": {"path": path}, "times": times, "skip": skip, "do": do}))


def errors(code, message):
    return [{"errorCode": code, "message": message}]


@pytest.fixture(scope="module")
def said(one):
    """Everything that was said, by what was done."""
    org, everything = one.emulator.org, {}
    lead = next(row for row in org.live("Lead") if row.values.get("Email") and not row.values.get("IsConverted"))
    address, name = lead.values["Email"], lead.values["Name"]
    hurt = f"no luck with {address} and Bearer 00D5g000004XyzAEAS!abc.def"

    def done(what, *words, code):
        ended = one.run(*words)
        assert ended.code == code, (what, ended)
        everything[what] = ended.out + ended.err

    done("check", "check", code=0)
    org.rules.rules.append(
        orgs.rule(
            object="Lead",
            id=lead.id,
            action="refuse",
            code="DUPLICATES_DETECTED",
            message=f"Use <{address}> (mailto:{address}) instead",
        )
    )
    fault(one, "/services/data/.*query", status=500, body=errors("UNKNOWN_EXCEPTION", hurt))
    fault(one, "/services/.*Task", html=503)
    fault(one, WRITES["salesforce"], drop="after_apply")
    fault(one, WRITES["salesforce"], skip=1, status=503, body=hurt)
    done("sync with refusals and stumbles", "sync", "--json", code=4)
    one.emulator.traffic.faults.clear()
    for words in (["status"], ["status", "--json"], ["quarantine"], ["quarantine", "--json"]):
        done(" ".join(words), *words, code=0 if words[0] == "quarantine" else 4)
    done("explain by address", "explain", address, code=0)
    done("explain by id", "explain", lead.id, code=0)
    done("timeline by address", "timeline", address, code=0)
    for number, code in ((400, "MALFORMED_QUERY"), (401, "INVALID_SESSION_ID"), (403, "FORBIDDEN"), (404, "NOT_FOUND")):
        fault(one, "/services/data", times=None, status=number, body=errors(code, hurt))
        done(f"sync and a {number}", "sync", code=4)
        one.emulator.traffic.faults.clear()
    fault(one, "/oauth2/token", times=None, status=400, body={"error": "invalid_client", "error_description": hurt})
    done("sync with an app that is not accepted", "sync", "--json", code=4)
    one.emulator.traffic.faults.clear()
    org.merge("Lead", *[row.id for row in org.live("Lead") if not row.values.get("IsConverted")][1:3])
    done("sync of everything anew", "sync", "--full", "--json", code=0)
    assert name.split()[0]
    return everything


def test_nothing_leadmark_says_names_anybody(one, said):
    for what, text in said.items():
        assert text, what
        assert_silent(text, one)


@pytest.mark.parametrize("table", ["history", "quarantine", "pass", "transition", "touchpoint", "model_text", "cursor"])
def test_what_is_kept_for_long_names_nobody(one, said, table):
    with sqlite3.connect(one.store / "leadmark.sqlite3") as store:
        rows = store.execute(f"SELECT * FROM {table}").fetchall()
    store.close()
    assert rows
    assert_silent("\n".join(str(row) for row in rows), one)
