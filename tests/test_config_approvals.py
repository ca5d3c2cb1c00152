"""Approvals of models: the file as read, what is wrong in it, and which model waits."""

import pytest

from config.approvals import ApprovalsFile, check_approvals, waiting
from config.loader import load
from config.reading import read
from config.validating import validate
from scoring.digests import model_digest
from scoring.model import ScoringModel
from tests.two_crms import MODEL, write_config

GIVEN = "0123456789abcdef"
MODELS = {"b2b": ScoringModel.model_validate(MODEL)}
DIGEST = model_digest(MODELS["b2b"])


def entry(**keys):
    written = {"model": "b2b", "digest": GIVEN, "sales": "Jo Roe", "on": "2026-11-22"} | keys
    return "  - {" + ", ".join(f"{key}: {value}" for key, value in written.items() if value is not None) + "}\n"


def found(text):
    """The approvals of a file, None when it is wrong, and everything said of it."""
    document, problems = read("approvals.yaml", text)
    file, wrong = validate(document, ApprovalsFile)
    problems = [*problems, *wrong, *check_approvals(document, MODELS)]
    return file and file.approved, [str(problem) for problem in problems]


@pytest.mark.parametrize(
    ("text", "waits", "remark"),
    [
        (None, {}, "without the file nobody is asked"),
        ("approved: []", {"b2b": DIGEST}, "nothing is approved yet"),
        ("approved:\n" + entry(), {"b2b": DIGEST}, "other rules were approved"),
        ("approved:\n" + entry(digest=DIGEST), {}, "these were"),
        ("approved:\n" + entry(digest=DIGEST) + entry(), {}, "these were, and others later"),
        ("approved:\n" + entry(digest=DIGEST, model="b2c"), {"b2b": DIGEST}, "those of another model"),
    ],
)
def test_a_model_waits_until_its_digest_stands_there(text, waits, remark):
    assert waiting(MODELS, None if text is None else found(text)[0]) == waits


def test_a_digest_of_plain_digits_is_text():
    approved, problems = found("approved:\n" + entry(digest="0123456789012345"))
    assert approved[0].digest == "0123456789012345"
    (waits,) = problems
    assert waits.startswith("approvals.yaml:1:1: warning: the rules in models/b2b.yaml wait for approval")
    assert found("approved:\n" + entry(digest=DIGEST))[1] == []


@pytest.mark.parametrize(
    ("text", "says", "remark"),
    [
        ("", "1:1: a config file holds keys with values", "an empty file is no yes to anything"),
        ("approve: []\n", 'unknown key "approve", did you mean "approved"?', ""),
        ("approved:\n" + entry(digest="0123"), "2:26: a digest is 16 digits", "too short"),
        ("approved:\n" + entry(digest="0123456789ABCDEF"), "2:26: a digest is 16 digits", "capitals"),
        ("approved:\n" + entry(sales=None), "2:5: nobody approves this", "no name"),
        ("approved:\n" + entry(sales='" "'), "2:5: nobody approves this", "a blank name"),
        ("approved:\n" + entry(on=None), '"on" is missing', "no day"),
        ("approved:\n" + entry(on="yesterday"), "2:", "no date"),
        ("approved:\n" + entry(by="Jo"), 'unknown key "by"', ""),
    ],
)
def test_a_mistake_is_named_where_it_stands(text, says, remark):
    approved, problems = found(text)
    assert approved is None
    assert [problem for problem in problems if says in problem and "warning" not in problem], problems


@pytest.mark.parametrize(
    ("entries", "twice", "remark"),
    [
        ([entry(), entry()], True, "nothing is between them"),
        ([entry(), entry(model="b2c"), entry()], True, "another model is"),
        ([entry(), entry(digest=DIGEST), entry()], False, "other rules are: these came back"),
        ([entry(), entry(model="b2c")], False, "each model has its own"),
    ],
)
def test_rules_are_approved_again_only_after_others(entries, twice, remark):
    _, problems = found("approved:\n" + "".join(entries))
    assert [one for one in problems if "warning" not in one] == [
        f"approvals.yaml:{len(entries) + 1}:26: {GIVEN} is what was approved last of b2b; remove this entry"
    ] * twice


def test_rules_that_came_back_are_told_which_ones_wait_behind_them():
    back = "approved:\n" + entry(digest=DIGEST) + entry()
    (behind,) = found(back)[1]
    assert behind.startswith("approvals.yaml:1:1: warning: the rules in models/b2b.yaml were approved before others")
    assert f"once the file changes those score, {GIVEN}" in behind
    assert behind.endswith(f"leadmark approve {DIGEST[:8]}")
    assert found(back + entry(digest=DIGEST))[1] == []


def test_an_approval_is_of_one_model():
    _, (gone, unapproved) = found("approved:\n" + entry(model="b2c", digest=DIGEST))
    assert 'there is no model "b2c"' in gone
    assert 'nobody approved the model "b2b" yet' in unapproved


def test_a_model_that_is_not_there_and_one_nobody_approved_are_warnings():
    _, problems = found("# ours\napproved:\n" + entry(model="b2c"))
    gone, unapproved = problems
    assert gone.startswith('approvals.yaml:3:13: warning: there is no model "b2c", did you mean "b2b"?')
    assert unapproved.startswith('approvals.yaml:2:1: warning: nobody approved the model "b2b" yet')
    assert unapproved.endswith(f"leadmark approve {DIGEST[:8]}")


def test_the_folder_is_read_with_its_approvals_and_no_overlay_changes_them(tmp_path):
    write_config(tmp_path)
    assert load(tmp_path)[0].approved is None
    (tmp_path / "approvals.yaml").write_text("approved:\n" + entry())
    (approved,) = load(tmp_path)[0].approved
    assert (approved.model, approved.digest, approved.sales) == ("b2b", GIVEN, "Jo Roe")
    above = tmp_path / "overlays" / "test.yaml"
    above.parent.mkdir()
    above.write_text("approvals: {approved: []}\n")
    settings, problems = load(tmp_path, above)
    assert settings is None
    (problem,) = [str(one) for one in problems if one.severity == "error"]
    assert 'there is no file "approvals" to overlay' in problem
