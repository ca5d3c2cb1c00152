"""Models score by approved rules: new ones wait while the last approved ones go on, and no hand-off is told as news."""

import json
from datetime import date

import pytest

from config.approvals import Approved, with_entry
from config.loader import load
from scoring.digests import model_digest
from scoring.model import ScoringModel
from sync.answers.simulate import side_in_force, side_of, simulate
from sync.answers.status import standing
from sync.app import Quiet
from sync.approving import NotApprovedError, in_force, model_in_force, reported
from sync.cli import run as typed
from sync.run import run_pass
from sync.runtime import Options
from sync.store import tables
from tests.desk_of_two import Desk
from tests.two_crms import MODEL, form, record, write_config

#: buyers become MQL too; who asked does so at once
NEW = {**MODEL, "mql": {"needs": {"score": 20}}}
SECOND = {**MODEL, "model": "partners", "weights": {"fit": 100, "engagement": 0}}
BOTH = {"b2b": {"outputs": ["score", "mql_status"]}, "partners": {"prefix": "partner_", "outputs": ["score"]}}


def yes(raw):
    """An approval of a model as written."""
    digest = model_digest(ScoringModel.model_validate(raw))
    return Approved(model=raw["model"], digest=digest, sales="Jo Roe", on=date(2026, 11, 22))


def configure(desk, *models, approved):
    """The folder now holds these models, of which these were approved."""
    desk.settings = desk.settings.model_copy(
        update={
            "models": {raw["model"]: ScoringModel.model_validate(raw) for raw in models},
            "model_texts": {raw["model"]: json.dumps(raw) for raw in models},
            "approved": None if approved is None else tuple(yes(raw) for raw in approved),
        }
    )


def desk_of(folder, *models, approved, **more):
    desk = Desk(folder, models={raw["model"]: raw for raw in models}, **more)
    configure(desk, *models, approved=approved)
    return desk


@pytest.fixture
def desk(tmp_path):
    """A director and a buyer, scored by the approved model."""
    opened = desk_of(tmp_path, MODEL, approved=[MODEL])
    opened.hub.put(record("contact", "1", jobtitle="Director"))
    opened.hub.put(record("contact", "2", jobtitle="Buyer"))
    opened.run()
    yield opened
    opened.close()


def statuses(desk):
    return [desk.shown(desk.hub, "contact", id_, "mql_status") for id_ in ("1", "2")]


def impact(desk):
    with desk.store.look() as tx:
        here = side_in_force(tx, desk.settings)
    sizes = {"hubspot": 100, "salesforce": 200}
    there = side_of(desk.settings)
    return simulate(
        desk.store, here, there, models=list(there.models), limit=5, push_sizes=sizes, now=desk.now, progress=Quiet()
    )


def test_a_change_of_the_model_from_pending_to_approved(desk):
    """The whole life of it: waits, its impact is shown, is approved, everybody is rescored, and nobody is alerted."""
    assert statuses(desk) == ["MQL", "Suspect"]
    configure(desk, NEW, approved=[MODEL])
    desk.later(minutes=5)
    desk.hub.put(record("contact", "3", jobtitle="Buyer", created_at=desk.now))
    desk.hub.act("forms", form("f", "2"))
    report = run_pass(desk.runtime(), Options())
    old, new = (model_digest(ScoringModel.model_validate(raw)) for raw in (MODEL, NEW))
    assert report.to_json()["models"] == {"b2b": {"digest": old, "pending": new}}
    assert statuses(desk) == ["MQL", "MQL"], "20 of fit and 30 of engagement reach the 50 of the approved rules"
    assert desk.shown(desk.hub, "contact", "3", "mql_status") == "Suspect"
    told = len(desk.rows(tables.transition))
    (found,) = impact(desk).models
    assert (found.rules, found.total.new_mql, found.total.lost_mql) == ((old, new), 1, 0)
    assert [one.records for one in found.new_mql] == [("hubspot:contact:3",)]
    assert len(desk.rows(tables.transition)) == told

    configure(desk, NEW, approved=[MODEL, NEW])
    desk.later(minutes=5)
    report = run_pass(desk.runtime(), Options())
    assert report.to_json()["models"] == {"b2b": {"digest": new, "pending": None}}
    assert desk.shown(desk.hub, "contact", "3", "mql_status") == "MQL"
    moved = desk.rows(tables.transition)[told:]
    assert [(row.to_status, row.cause) for row in moved] == [("mql", "model")]
    assert {row.digest for row in desk.rows(tables.model_text)} == {old, new}


def test_rules_approved_once_may_come_back(desk):
    configure(desk, NEW, approved=[MODEL, NEW])
    desk.run()
    assert statuses(desk) == ["MQL", "MQL"]
    configure(desk, MODEL, approved=[MODEL, NEW])
    desk.run()
    assert statuses(desk) == ["MQL", "Prospect"]
    assert reported(desk.settings)["b2b"].pending is None


def test_rules_approved_again_are_those_that_score_while_the_next_wait(desk):
    configure(desk, {**MODEL, "mql": {"needs": {"score": 90}}}, approved=[MODEL, NEW, MODEL])
    desk.run()
    assert reported(desk.settings)["b2b"].digest == yes(MODEL).digest
    assert statuses(desk) == ["MQL", "Suspect"]


def test_without_approvals_every_model_scores_as_it_stands(desk):
    configure(desk, NEW, approved=None)
    desk.run()
    assert statuses(desk) == ["MQL", "MQL"]
    assert reported(desk.settings)["b2b"].pending is None


def test_while_nothing_is_approved_a_pass_pulls_and_stops_before_scoring(tmp_path):
    desk = desk_of(tmp_path, MODEL, approved=[])
    desk.hub.put(record("contact", "1", jobtitle="Director"))
    report = desk.run()
    assert {one.state for one in report.values()} == {"needs_approval"}
    assert "leadmark approve" in report["hubspot"].reason
    assert (report["hubspot"].pulled, report["hubspot"].scored) == (1, 0)
    assert (desk.rows(tables.journey), desk.rows(tables.history)) == ([], [])
    (found,) = impact(desk).models
    assert (found.rules[0], found.scored, found.entering) == (None, (0, 1), 1)
    with desk.store.look() as tx:
        (worry, _) = standing(tx, ["hubspot", "salesforce"], desk.now).worries()
    assert worry.startswith("hubspot: stopped, no approved model can score")
    configure(desk, MODEL, approved=[MODEL])
    assert desk.run()["hubspot"].state == "ok"
    assert desk.shown(desk.hub, "contact", "1") == 50
    desk.close()


READS_PLANET = {**MODEL, "disqualify": {"far": {"if": {"planet": "Mars"}, "label": "From Mars"}}}
READS_LIST = {**MODEL, "disqualify": {"rival": {"if": {"title": {"in_list": "rivals"}}, "label": "Rival"}}}


@pytest.mark.parametrize(
    ("text", "says", "remark"),
    [
        (None, "never scored on this store", "not kept"),
        (json.dumps(READS_LIST), 'there is no list "rivals"', "a list is gone"),
        (json.dumps({**MODEL, "grade_curve": 1}), "unknown key", "a version that knew other keys wrote it"),
        ("model: [", "do not fit this config any more", "not even YAML"),
        (json.dumps(READS_PLANET), 'no connection maps the fact "planet"', "a fact is gone"),
        (json.dumps(MODEL).replace("form_submitted", "shaken"), "no connection delivers", "activities are gone"),
    ],
)  # fmt: skip
def test_approved_rules_that_cannot_be_had_stop_the_pass_and_say_what_to_do(desk, text, says, remark):
    desk.change(desk.hub, "contact", "1", jobtitle="Buyer")
    with desk.store.begin() as tx:
        table = tables.model_text
        tx.execute(table.delete() if text is None else table.update().values(text=text))
    configure(desk, NEW, approved=[MODEL])
    before = desk.rows(tables.journey)
    report = desk.run()["hubspot"]
    assert (report.state, report.pulled > 0) == ("needs_approval", True)
    assert says in report.reason
    assert "approve the file as it is (leadmark approve), or put the approved one back" in report.reason
    assert (desk.rows(tables.journey), statuses(desk)) == (before, ["MQL", "Suspect"])


def test_a_model_nobody_ever_approved_scores_nobody_and_leaves_the_others_alone(tmp_path):
    write = {"write": {"mode": "live", "fields": BOTH}}
    none = {"write": {"mode": "shadow", "fields": {}}}
    desk = desk_of(tmp_path, MODEL, SECOND, approved=[MODEL], hubspot=write, salesforce=none)
    desk.hub.put(record("contact", "1", jobtitle="Director"))

    def score():
        return desk.hub.held("contact", "1").values.get("partner_score")

    assert desk.run()["hubspot"].state == "ok"
    assert ({row.model for row in desk.rows(tables.journey)}, score()) == ({"b2b"}, None)
    with desk.store.look() as tx, pytest.raises(NotApprovedError, match="nobody approved the model"):
        model_in_force(tx, desk.settings, "partners")
    configure(desk, MODEL, SECOND, approved=[MODEL, SECOND])
    desk.run()
    assert score() == 100
    configure(desk, MODEL, SECOND, approved=[MODEL])
    assert (desk.run()["hubspot"].planned, score()) == (0, 100), "taken back: what stands there stays"
    desk.close()


def test_the_impact_is_not_guessed_where_the_rules_that_score_cannot_be_had(desk):
    configure(desk, MODEL, SECOND, approved=[MODEL, {**SECOND, "weights": {"fit": 50, "engagement": 50}}])
    with pytest.raises(NotApprovedError, match=r"models/partners.yaml waits .* never scored on this store"):
        impact(desk)


def test_a_plan_stopped_under_other_rules_is_not_let_through_by_their_approval(desk):
    """The code of a plan is that of the rules in force."""
    configure(desk, NEW, approved=[MODEL])
    waiting = run_pass(desk.runtime(), Options(push=False, pull=False)).plans["hubspot"].basis
    configure(desk, MODEL, approved=None)
    assert run_pass(desk.runtime(), Options(push=False, pull=False)).plans["hubspot"].basis == waiting
    configure(desk, NEW, approved=[MODEL, NEW])
    assert run_pass(desk.runtime(), Options(push=False, pull=False)).plans["hubspot"].basis != waiting


def test_what_scores_stands_with_the_primary_model_first(desk):
    configure(desk, {**MODEL, "model": "a"}, NEW, approved=[MODEL, {**MODEL, "model": "a"}])
    with desk.store.look() as tx:
        found = in_force(tx, desk.settings)
    assert list(found) == ["b2b", "a"]
    assert (found["b2b"].model.mql.needs.score, found["b2b"].pending is None) == (50, False)


# the file


@pytest.mark.parametrize(
    ("text", "remark"),
    [
        ("approved:\n  - {model: b2b, digest: 0123456789abcdef, sales: Jo, on: 2026-11-22}\n", "a line each"),
        ("approved:\n- model: b2b\n  digest: 0123456789abcdef\n  sales: Jo\n  on: 2026-11-22\n# the end\n", "remarks"),
        ("approved:\n    -   {model: b2b, digest: 0123456789abcdef, sales: Jo, on: 2026-11-22}", "no end of line"),
        ("approved:\r\n  - {model: b2b, digest: 0123456789abcdef, sales: Jo, on: 2026-11-22}\r\n", "Windows"),
    ],
)  # fmt: skip
def test_an_entry_is_added_at_the_end(text, remark):
    first = yes(NEW).model_copy(update={"why": 'Sales: "more" # of it', "marketing": "Zoë: ja"})
    once = with_entry(text, first)
    twice = with_entry(once, yes(MODEL))
    assert once.startswith(text)
    assert twice.startswith(once)
    assert ("\r\n" in text) == (twice.count("\n") == twice.count("\r\n"))


@pytest.mark.parametrize(
    ("text", "begun"),
    [
        ("approved: []\n", "approved:\n"),
        ("# ours\r\napproved: [ ]  # none yet\r\n# the end", "# ours\r\napproved:  # none yet\r\n# the end\r\n"),
        ("approved: [\n]\n", "approved:\n"),
    ],
)
def test_the_first_entry_opens_an_empty_list(text, begun):
    added = with_entry(text, yes(NEW))
    assert added.startswith(begun + "  - model:")
    assert with_entry(added, yes(MODEL)).startswith(added)


@pytest.mark.parametrize(
    "text", ["approved: [{model: b2b, digest: 0123456789abcdef, sales: A, on: 2026-11-22}]\n", "x: [", "approve: []\n"]
)  # fmt: skip
def test_no_entry_is_added_where_the_list_does_not_end_the_file(text):
    assert with_entry(text, yes(NEW)) is None


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("LEADMARK_NOW", "2026-11-22T10:00:00+00:00")
    return write_config(tmp_path)


def approving(folder, *words):
    return typed(["approve", *words, "--config", str(folder)])


def test_approving_begins_the_file_and_adds_to_it_in_git_only(folder, capsys):
    digest = yes(MODEL).digest
    assert approving(folder, digest[:6], "--sales", "Jo", "--begin") == 1
    assert "is in no git work tree" in capsys.readouterr().err
    (folder / ".git").mkdir()
    assert approving(folder, digest[:6], "--sales", "Jo") == 1
    assert "--begin writes the file" in capsys.readouterr().err
    assert not (folder / "approvals.yaml").exists()
    assert approving(folder, digest[:6], "--sales", "Jo", "--why", "Begin: now", "--begin") == 0
    begun = (folder / "approvals.yaml").read_text()
    assert begun.splitlines()[2:] == [
        "approved:", '  - model: "b2b"', f'    digest: "{digest}"', '    sales: "Jo"', "    on: 2026-11-22",
        '    why: "Begin: now"',
    ]  # fmt: skip
    assert approving(folder, digest, "--sales", "Jo") == 1
    assert "approved already" in capsys.readouterr().err
    (folder / "models/b2b.yaml").write_text(json.dumps(NEW))
    capsys.readouterr()
    assert approving(folder) == 0
    said = capsys.readouterr().out
    assert yes(NEW).digest in said
    assert "Their impact is not known: there is no store in" in said
    assert approving(folder, yes(NEW).digest, "--marketing", "Zoë") == 0
    assert (folder / "approvals.yaml").read_text().startswith(begun)
    capsys.readouterr()
    assert approving(folder) == 0
    assert "nothing waits" in capsys.readouterr().out
    (folder / "models/b2b.yaml").write_text(json.dumps(MODEL))
    assert approving(folder, digest, "--sales", "Jo") == 0
    assert approving(folder, digest, "--sales", "Jo") == 1
    assert "approved already" in capsys.readouterr().err
    approved = load(folder)[0].approved
    assert [one.digest for one in approved] == [digest, yes(NEW).digest, digest]


def test_the_first_yes_may_follow_a_file_that_holds_none(folder):
    (folder / ".git").mkdir()
    (folder / "approvals.yaml").write_text("# ours\napproved: []\n")
    assert approving(folder, yes(MODEL).digest, "--sales", "Jo") == 0
    assert [one.digest for one in load(folder)[0].approved] == [yes(MODEL).digest]
    assert (folder / "approvals.yaml").read_text().startswith("# ours\napproved:\n")


def test_a_file_saved_with_a_byte_order_mark_keeps_it(folder):
    (folder / ".git").mkdir()
    (folder / "approvals.yaml").write_bytes(b"\xef\xbb\xbfapproved: []\r\n")
    assert approving(folder, yes(MODEL).digest, "--sales", "Jo") == 0
    assert (folder / "approvals.yaml").read_bytes().startswith(b"\xef\xbb\xbfapproved:\r\n")
    assert [one.digest for one in load(folder)[0].approved] == [yes(MODEL).digest]
    assert not [path.name for path in folder.iterdir() if path.name.endswith(".new")]


def test_without_approvals_is_said_how_to_begin_with_a_command_that_can_be_copied(folder, capsys):
    assert approving(folder) == 0
    command = "leadmark approve {} --begin --sales NAME --marketing NAME --config " + str(folder)
    assert capsys.readouterr().out.splitlines() == [
        "Approvals are not kept here, as there is no approvals.yaml.",
        "Every valid model scores as it stands:",
        f"  b2b  {yes(MODEL).digest}",
        "To keep approvals from now on:",
        f"  {command.format(yes(MODEL).digest[:8])}",
    ]
    (folder / "models/partners.yaml").write_text(json.dumps(SECOND))
    assert approving(folder) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"  {command.format('DIGEST')}"


def test_the_command_that_approves_is_never_cut(folder, capsys, monkeypatch):
    (folder / "approvals.yaml").write_text("approved: []\n")
    monkeypatch.setenv("FORCE_COLOR", "1")  # a terminal, to rich
    monkeypatch.setenv("COLUMNS", "80")
    assert approving(folder) == 0
    end = f"--sales NAME --marketing NAME --why TEXT --config {folder}\n"
    assert capsys.readouterr().out.endswith(f"\n  leadmark approve {yes(MODEL).digest[:8]} {end}")


@pytest.mark.parametrize(
    ("words", "code", "says", "remark"),
    [
        (["0123456789abcdef", "--sales", "Jo"], 64, "names the rules of no model", "of no model"),
        ([yes(MODEL).digest[:5], "--sales", "Jo"], 64, "at least 6 digits", "too short"),
        ([yes(MODEL).digest], 64, "say who approves", "by nobody"),
    ],
)
def test_what_cannot_be_approved_is_refused(folder, capsys, words, code, says, remark):
    (folder / ".git").mkdir()
    assert approving(folder, *words, "--begin") == code
    assert says in capsys.readouterr().err
    assert not (folder / "approvals.yaml").exists()


def test_a_model_that_waits_is_named_and_is_no_worry(desk):
    configure(desk, NEW, approved=[MODEL])
    desk.run()
    with desk.store.look() as tx:
        found = standing(tx, ["hubspot", "salesforce"], desk.now, reported(desk.settings))
    assert (found.worries(), found.to_json()["models"]["b2b"]["pending"]) == ([], yes(NEW).digest)
