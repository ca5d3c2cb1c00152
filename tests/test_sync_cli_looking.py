"""``catalog``, ``coverage`` and ``rank`` from the command line: what stands there, for people and for machines."""

import io
import json

import pytest
from rich.console import Console
from sqlalchemy import insert

from sync.answers.catalog import catalog, everybody
from sync.answers.coverage import coverage
from sync.beginnings import FIRST_COMPLETE
from sync.cli import run, show_catalog, show_coverage
from sync.store import tables, timelines
from sync.store.store import open_store, set_meta
from sync.store.values import dump, micros
from tests import two_crms
from tests.looking_world import HUBSPOT, MODEL, did, scorings, world
from tests.two_crms import NOW, record

TODAY = "2026-11-20"


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    """A portal and a small model, and in the store one person with two activities, one of which no rule takes."""
    folder = tmp_path_factory.mktemp("installation")
    whole = {"store": "../leadmark-store", "time_zone": "UTC", "primary": "b2b"}
    activities = {
        "form_submitted": {"from": "form_submissions", "forms": ["f-1"], "keep": {"form": "form"}},
        "list_joined": {"from": "lists", "lists": ["Pricing"], "keep": {"list": "list"}},
    }
    portal = {**two_crms.HUBSPOT, **HUBSPOT, "links": {}, "activities": activities}
    del portal["name"]
    for file, written in (
        ("leadmark", whole),
        ("connections/hubspot", portal),
        ("models/b2b", {**MODEL, "patterns": {}}),
    ):
        path = folder / "config" / f"{file}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(written))  # JSON is YAML
    store = open_store(str(folder / "leadmark-store"))
    with store.begin() as tx:
        for number, form in ((1, "Demo"), (2, "Newsletter")):
            point = {"number": number, "connection": "hubspot", "kind": "form_submitted"}
            of = {"ids": dump({"form": f"f-{number}"}), "labels": dump({"form": form})}
            tx.execute(insert(tables.touchpoint).values(**point, **of))
        row = {
            "number": 1,
            "connection": "hubspot",
            "object": "contact",
            "crm_id": "1001",
            "person": 1,
            "state": "live",
        }
        tx.execute(insert(tables.record).values(**row, inputs=dump({"email": "jo@acme.example"}), stamp_at=0))
        tx.execute(insert(tables.person).values(number=1, stale=False))
        packed = timelines.pack([(micros(NOW), 1, 1), (micros(NOW), 2, 2)])
        tx.execute(insert(tables.timeline).values(record=1, activities=packed.tobytes()))
        journey = {"status": "prospect", "since": "2026-11-03", "cause": "activity"}
        standing = {"person": 1, "model": "b2b", "status": "prospect", "score": 30, "tier": "D2", "cause": "activity"}
        tx.execute(insert(tables.journey).values(**standing, journey=dump(journey), scored_on=TODAY))
        set_meta(tx, FIRST_COMPLETE + "hubspot", "0")
    store.close()
    return folder / "config"


@pytest.fixture
def leadmark(config, capsys, monkeypatch):
    """Runs a command on that day: exit code, stdout, stderr."""
    monkeypatch.setenv("LEADMARK_NOW", NOW.isoformat())
    capsys.readouterr()

    def command(*words):
        code = run([*words, "--config", str(config)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return command


def test_catalog_says_what_takes_each_form(leadmark):
    code, out, _ = leadmark("catalog")
    rows = [line.split() for line in out.splitlines()]

    assert code == 0
    assert ["Demo", "f-1", "1", "1", TODAY, "Demo"] in rows
    assert ["(of", "one", "person)", "1", "1", TODAY, "nothing"] in rows
    assert "email_type" in out
    assert "jo@acme" not in out


def test_catalog_of_one_kind_is_that_kind_alone(leadmark):
    code, out, _ = leadmark("catalog", "--kind", "form_submitted", "--json")
    found = json.loads(out)

    assert code == 0
    assert [one["kind"] for one in found["kinds"]] == ["form_submitted"]
    assert found["facts"] == []
    assert found["kinds"][0]["values"]["form"][0]["takers"]["b2b"][0] == "demo"


def test_catalog_names_the_kind_that_was_meant(leadmark):
    code, out, err = leadmark("catalog", "--kind", "form_submited")

    assert (code, out) == (1, "")
    assert "did you mean 'form_submitted'?" in err


def test_coverage_says_what_nobody_takes_and_ends_well(leadmark):
    code, out, _ = leadmark("coverage", "--limit", "1")

    assert code == 0
    assert "1 person by the model b2b" in out
    row = ["form", "submitted", "(of", "one", "person)", "1", "1", TODAY]
    assert row in [line.split() for line in out.splitlines()]
    assert "more: --limit" in out


def test_coverage_for_machines_has_keys_and_rows(leadmark):
    _, out, _ = leadmark("coverage", "--json")
    found = {one["key"]: one for one in json.loads(out)["findings"]}

    assert found["activities_not_scored"]["rows"][0]["with"] == "(of one person)"
    assert found["activities_not_scored"]["total"] == 1


def test_rank_shows_whom_to_call_in_each_form(leadmark):
    code, out, _ = leadmark("rank")
    sheet = leadmark("rank", "--csv")[1].splitlines()
    (person,) = json.loads(leadmark("rank", "--json")[1])["people"]

    assert code == 0
    assert "demo" in out
    assert "hubspot:1001" in out
    assert sheet[0].startswith("hubspot,score,tier,status,since")
    assert sheet[1].startswith("1001,")
    assert (person["records"], person["reason"]) == (["hubspot:contact:1001"], "demo")


def test_rank_of_a_status_nobody_has_is_empty(leadmark):
    assert leadmark("rank", "--status", "Won", "--csv")[1].count("\n") == 1
    assert leadmark("rank", "--status", "mql")[:2] == (0, "nobody waits for a call\n")
    assert "hubspot:1001" in leadmark("rank", "--all")[1]


def test_names_never_leave_the_terminal(leadmark):
    _, out, err = leadmark("rank", "--reveal", "--csv")

    assert "jo@acme.example" not in out
    assert "on a terminal only" in err


USAGE_CASES = [
    ("a status there is not", ["--status", "mqls"], "did you mean 'mql'?"),
    ("a model there is not", ["--model", "b2c"], "did you mean 'b2b'?"),
    ("two forms", ["--csv", "--json"], "--csv or --json, not both"),
]


@pytest.mark.parametrize(("remark", "words", "says"), USAGE_CASES, ids=[case[0] for case in USAGE_CASES])
def test_rank_says_what_was_typed_wrongly(leadmark, remark, words, says):
    code, out, err = leadmark("rank", *words)

    assert (code, out) == (64, "")
    assert says in err


def test_before_a_connection_was_read_as_a_whole_there_is_nothing_to_look_at(tmp_path, capsys):
    run(["init", str(tmp_path / "config")])
    open_store(str(tmp_path / "leadmark-store")).close()

    assert run(["coverage", "--config", str(tmp_path / "config")]) == 1
    assert "leadmark plan" in capsys.readouterr().err


# as people read it


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """Two models, a form with a long name, and eleven mails."""
    found = world(tmp_path_factory.mktemp("town"), MODEL, {**MODEL, "model": "south", "audience": {"country": "Peru"}})
    found.hub(
        record("contact", "1", country="Norway"),
        record("contact", "2", country="Chad"),
        activities=[
            *(
                did("form_submissions", id_, id_, form="The great survey of everything that anybody ever asked us for")
                for id_ in "12"
            ),
            *(did("email_events", str(nth), "1", mail=f"Mail {nth}") for nth in range(11)),
        ],
    )
    found.identify()
    yield found
    found.store.close()


def terminal(width):
    return Console(
        file=io.StringIO(), width=width, force_terminal=True, color_system=None, highlight=False, markup=False,
        emoji=False, soft_wrap=True,
    )  # fmt: skip


@pytest.mark.parametrize("width", [80, 140])
def test_what_is_there_fits_the_terminal(town, width):
    of, out = scorings(town), terminal(width)
    show_catalog.catalog(out, catalog(town.store, of, everybody(town.store, of)), every=False)
    text = out.file.getvalue()

    assert max(map(len, text.splitlines())) <= width
    assert "b2b: Often" in text  # with several models each is named
    assert "and 1 more: leadmark catalog --kind email_opened" in text
    assert ("the great survey" in text) == (width == 140)  # the id


@pytest.mark.parametrize("width", [80, 140])
def test_what_is_not_seen_fits_the_terminal(town, width):
    of, out = scorings(town), terminal(width)
    show_coverage.coverage(out, coverage(town.store, of, everybody(town.store, of), 10), of[0].day)
    text = out.file.getvalue()

    assert max(map(len, text.splitlines())) <= width
    assert "2 people by the models b2b, south, 2026-11-20" in text
    assert "Compare with the values in leadmark catalog" in text


def test_every_finding_has_a_title_and_an_advice():
    assert show_coverage.TITLES.keys() == show_coverage.ADVICE.keys()


def test_where_all_is_seen_that_is_said(tmp_path):
    town = world(tmp_path)
    of, out = scorings(town), terminal(80)
    show_coverage.coverage(out, coverage(town.store, of, everybody(town.store, of), 10), of[0].day)

    assert "every activity, rule, band and fact is put to use" in out.file.getvalue()
    town.store.close()
