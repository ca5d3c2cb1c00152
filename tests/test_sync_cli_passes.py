"""plan, sync and what one sees afterwards, over HTTP against the emulator, as a person or a cron job types it."""

import json
import re
import sys
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import structlog

from connectors.emulator.people import make_world
from connectors.emulator.server import Emulator
from sync.app import clock
from sync.cli import run
from sync.cli.demo import SEED, configured
from sync.cli.emulating import started
from tests.acceptance.starter import score_everybody

PEOPLE = 160
SCRIPT = Path(sys.executable).with_name("leadmark")


@dataclass
class Place:
    """A portal, and a config that leads to it."""

    emulator: Emulator
    config: Path
    capsys: pytest.CaptureFixture[str]

    def type(self, line):
        """Exit code, stdout and stderr of one command."""
        self.capsys.readouterr()
        code = run([*line.split(), "--config", str(self.config)])
        said = self.capsys.readouterr()
        return code, said.out, said.err

    def json(self, line):
        code, out, _ = self.type(f"{line} --json")
        return code, json.loads(out)

    def control(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(f"{self.emulator.url}/_emulator/{path}", data) as reply:
            return json.load(reply)

    def contacts(self):
        """Our fields of every contact as the portal holds them, by id."""
        rows = self.control("records/contacts")["results"]
        return {
            row["id"]: {name: value for name, value in row["properties"].items() if name.startswith("leadmark_")}
            for row in rows
        }

    def writes(self):
        return [one for one in self.control("log")["requests"] if "batch/update" in one["path"]]

    def change(self, before, after):
        file = self.config / "connections" / "hubspot.yaml"
        text = file.read_text()
        assert before in text
        file.write_text(text.replace(before, after))

    def go_live(self):
        """Two passes: the guard's stop, and the writing of what it stopped."""
        _, report = self.json("sync")
        code, _ = self.json(f"sync --approve {report['connections']['hubspot']['code']}")
        assert code == 0


@contextmanager
def opened(folder, capsys):
    now = clock()()
    with started(make_world(PEOPLE, SEED, now=now), now, limits=False) as emulator:
        config = configured(folder, emulator)
        score_everybody(config)
        yield Place(emulator, config, capsys)
    structlog.reset_defaults()  # it writes to this test's stderr


@pytest.fixture
def place(tmp_path, capsys):
    with opened(tmp_path, capsys) as found:
        yield found


def test_from_a_first_plan_to_a_quiet_pass(place):
    code, out, _ = place.type("plan")
    assert code == 2
    assert f"{PEOPLE} records in 2 calls" in out
    assert re.search(rf"records written +{PEOPLE} +100\n", out)
    assert len(re.findall(r"^  contact \d+", out, re.MULTILINE)) == 20
    assert f"and {PEOPLE - 20} more records" in out
    planned = re.search(r"leadmark sync --approve (\w+)", out).group(1)
    assert place.writes() == []

    code, out, _ = place.type("sync")
    assert code == 3
    assert f"leadmark sync --approve {planned}" in out  # the same plan has the same code
    assert place.writes() == []

    code, report = place.json(f"sync --approve {planned}")
    mine = report["connections"]["hubspot"]
    assert (code, mine["state"], mine["written"], mine["rejected"]) == (0, "ok", PEOPLE, 0)
    assert len(place.writes()) == 2

    code, report = place.json("sync")
    mine = report["connections"]["hubspot"]
    assert (code, report["scored"], mine["planned"], mine["written"]) == (0, 0, 0, 0)
    assert place.type("plan")[0] == 0
    assert len(place.writes()) == 2


def test_a_plan_has_every_change_as_json_in_a_file_too(place, tmp_path):
    file = tmp_path / "plan.json"
    code, found = place.json(f"plan --out {file}")
    assert code == 2
    mine = found["connections"]["hubspot"]
    assert json.loads(file.read_text()) == found
    assert len(mine["changes"]) == mine["planned"] == PEOPLE
    assert mine["calls_to_push"] == 2
    assert mine["guard"]["stops"] is True
    assert mine["guard"]["exceeded"]["changed"] == [PEOPLE, 100]
    assert all(change["fields"]["leadmark_tier"][0] is None for change in mine["changes"])


def test_a_plan_from_the_store_alone_asks_the_crm_nothing(place):
    place.type("plan")
    before = place.control("calls")["calls"]
    code, found = place.json("plan --offline")
    assert (code, found["scored"], found["connections"]["hubspot"]["planned"]) == (2, 0, PEOPLE)
    assert place.control("calls")["calls"] == before


def test_what_is_shown_of_a_plan_is_limited_unless_all_is_asked_for(place):
    for line, shown in (("plan --limit 3", 3), ("plan --limit 0", 0), ("plan --all", PEOPLE)):
        assert len(re.findall(r"^  contact \d+", place.type(line)[1], re.MULTILINE)) == shown


def test_in_shadow_nothing_is_written_and_nothing_is_to_be_approved(place):
    place.change("  mode: live", "  mode: shadow")
    code, out, _ = place.type("sync")
    assert code == 0
    assert "nothing written (shadow)" in out
    code, out, _ = place.type("plan")
    assert code == 2
    assert "Nothing is written while write.mode in connections/hubspot.yaml is shadow" in out
    assert "--approve" not in out
    assert place.writes() == []
    assert place.type("status")[0] == 0


def test_an_unknown_code_is_said_and_no_pass_runs(place):
    code, out, err = place.type("sync --approve 00000000")
    assert (code, out) == (1, "")
    assert "no stopped plan has the code 00000000" in err
    assert place.control("calls")["calls"] == 0


def test_an_unknown_connection_is_wrong_usage(place):
    code, _, err = place.type("sync --only hubspott")
    assert code == 64
    assert 'did you mean "hubspot"?' in err


def test_another_portal_parks_the_connection_and_status_says_so(place):
    place.change('"4242"', '"4243"')
    code, out, err = place.type("sync")
    assert code == 4
    assert "parked" in out
    assert "the credentials reach portal 4242" in out
    assert json.loads(err.splitlines()[0])["event"] == "connection parked"  # no terminal: JSON
    code, out, _ = place.type("status")
    assert code == 4
    assert out.splitlines()[0] == "not fine: 1 thing to look at"
    assert place.type("plan")[0] == 4


def test_filled_fields_and_an_empty_store_ask_first(place):
    place.control("records", {"object": "contacts", "id": "1001", "properties": {"leadmark_score": "77"}})
    code, out, _ = place.type("sync")
    assert code == 3
    assert "leadmark sync --adopt" in out
    assert place.type("sync --adopt")[0] == 3  # answered; now the guard stops
    assert place.writes() == []


def test_what_explain_says_stands_in_the_portal(place):
    place.go_live()
    held = place.contacts()
    for crm_id in sorted(held)[:8]:
        code, found = place.json(f"explain {crm_id}")
        (record,) = found["records"]
        assert (code, record["id"]) == (0, crm_id)
        desired = {name: _spelled(field["desired"]) for name, field in record["fields"].items()}
        assert desired == {name: held[crm_id].get(name) or "" for name in desired}
        assert desired["leadmark_score"] == str(found["ledger"]["score"])


def _spelled(value):
    return "" if value is None else str(value)


def test_explain_finds_by_address_without_naming_it(place, monkeypatch):
    place.type("plan")
    email = place.control("records/contacts?properties=email&limit=1")["results"][0]["properties"]["email"]
    code, out, _ = place.type(f"explain {email.upper()}")
    assert code == 0
    assert out.startswith("hubspot:contact:1001\n")
    assert email not in out
    assert place.type("explain hubspot:1001")[1] == out

    monkeypatch.setattr("sys.stdin", iter_of(f"{email}\n"))
    assert place.type("explain -")[1] == out


def iter_of(text):
    import io

    return io.StringIO(text)


@pytest.mark.parametrize("command", ["explain", "timeline"])
def test_nobody_is_said_without_repeating_what_was_typed(place, command):
    place.type("plan")
    code, out, err = place.type(f"{command} nobody@acme.example")
    assert (code, out) == (1, "")
    assert "nobody has this address or id" in err
    assert "acme.example" not in err


def test_several_persons_are_named_by_their_records(place):
    from sqlalchemy import insert

    from sync.store import tables
    from sync.store.store import open_store

    place.type("plan")
    store = open_store(str(place.config.parent / "leadmark-store"), create=False)
    with store.begin() as tx:
        numbers = tx.execute(tables.record.select().where(tables.record.c.object == "contact").limit(2)).all()
        shared = [{"connection": "hubspot", "email": "both@acme.example", "record": row.number} for row in numbers]
        tx.execute(insert(tables.address), shared)
    store.close()

    code, out, err = place.type("explain both@acme.example")
    assert (code, out) == (1, "")
    assert err.splitlines()[1:] == [f"  hubspot:{row.crm_id}" for row in numbers]


def test_the_ledger_shown_adds_up_to_the_score_shown(place):
    place.type("plan")
    for crm_id in sorted(place.contacts())[:25]:
        _, out, _ = place.type(f"explain {crm_id}")
        lines = out.split("Why ")[1].split("\nStatus")[0].splitlines()
        numbers = [float(found.group()) for line in lines[2:] if (found := re.search(r"[-+]?[\d.]+$", line))]
        *parts, total = numbers
        assert round(sum(parts), 2) == total == float(lines[0].split()[0])


def test_a_timeline_tells_its_newest_first(place):
    place.type("plan")
    code, found = place.json("timeline 1001")
    assert code == 0
    when = [one["at"] for one in found["activities"]]
    assert when == sorted(when, reverse=True)
    assert found["records"] == ["hubspot:contact:1001"]
    _, cut = place.json("timeline 1001 --limit 2")
    assert cut["activities"] == found["activities"][:2]
    _, out, _ = place.type("timeline 1001 --limit 2")
    assert "--all shows older ones" in out
    assert len(re.findall(r"^  \d{4}-\d\d-\d\d", out, re.MULTILINE)) == 2


def test_a_refusal_is_listed_in_the_crms_words_and_armed_again(place):
    rule = {"object": "contacts", "id": "1002", "action": "refuse", "property": "leadmark_tier", "status": 207}
    place.control("faults", {**rule, "message": "owner jo@acme.example forbids it"})
    _, report = place.json("sync")
    code, report = place.json(f"sync --approve {report['connections']['hubspot']['code']}")
    mine = report["connections"]["hubspot"]
    assert (code, mine["written"], mine["rejected"]) == (4, PEOPLE - 1, 1)

    code, out, _ = place.type("quarantine")
    assert code == 0
    assert "VALIDATION_RULE  hubspot" in out
    assert "the CRM said: owner … forbids it" in out
    assert "for example: contact:1002" in out
    assert place.type("quarantine list")[1] == out
    code, found = place.json("status")
    assert (code, found["fine"]) == (4, False)
    assert place.json("sync")[1]["connections"]["hubspot"]["planned"] == 0

    urllib.request.urlopen(urllib.request.Request(f"{place.emulator.url}/_emulator/faults", method="DELETE")).close()
    assert place.type("quarantine retry --code OTHER")[1].startswith("0 values")
    assert place.type("quarantine retry --code VALIDATION_RULE")[1].startswith("1 value armed again")
    code, report = place.json("sync")
    assert (code, report["connections"]["hubspot"]["written"]) == (0, 1)
    assert place.type("quarantine")[1] == "nothing is in quarantine\n"
    assert place.type("status")[0] == 0


def test_a_dropped_refusal_stays_unsent_and_no_longer_worries(place):
    place.control("faults", {"object": "contacts", "id": "1002", "action": "refuse", "status": 207})
    _, report = place.json("sync")
    place.json(f"sync --approve {report['connections']['hubspot']['code']}")
    assert place.json("quarantine drop --code VALIDATION_RULE")[1] == {"changed": 1}
    assert place.json("quarantine")[1]["groups"][0]["dropped"] is True
    assert place.type("status")[0] == 0
    assert place.json("sync")[1]["connections"]["hubspot"]["planned"] == 0


def test_nothing_that_is_said_holds_a_name_or_an_address(place):
    rows = place.control("records/contacts?properties=email,lastname")["results"]
    emails = {row["properties"].get("email") for row in rows} - {None}
    names = {row["properties"]["lastname"] for row in rows if len(row["properties"]["lastname"]) > 4}
    said = ""
    for line in ("plan --all --reveal", "plan --json", "sync", "status", "status --json", "explain 1001 --reveal"):
        code, out, err = place.type(line)
        assert code in {0, 2, 3, 4}
        said += out + err
    for line in ("explain 1001 --json", "timeline 1001", "timeline 1001 --json"):
        said += "".join(place.type(line)[1:])
    assert not [email for email in emails if email in said]
    assert not [name for name in names if re.search(rf"\b{name}\b", said)]
    assert "--reveal shows names on a terminal only" in said
