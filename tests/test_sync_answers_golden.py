"""Golden cases run by the real core; `test` tells what was expected and what is."""

import io
import json
import re
import shutil
from datetime import date
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from config.loader import load
from config.reading import read
from sync.answers.golden import run_cases
from sync.answers.golden_text import flow
from sync.cli import golden, run

DOCS = Path(__file__).parents[1] / "docs"
GOOD = Path(__file__).parent / "data" / "config" / "good"
DEMO = "{activity: form_submitted, form: Demo request, days_ago: %d}"
VP = "{title: VP Sales, company: Acme, employees: 120, country: SE}"


@pytest.fixture
def folder(tmp_path):
    """The good config: MQL from a score of 50 and grade B on, until the score is below 40."""
    copied = Path(shutil.copytree(GOOD, tmp_path / "config"))
    (copied / "golden").mkdir()
    return copied


def remodel(folder, **keys):
    file = folder / "models" / "b2b.yaml"
    file.write_text(file.read_text() + "".join(f"{key}: {flow(value)}\n" for key, value in keys.items()))


def put(folder, text, name="people"):
    (folder / "golden" / f"{name}.yaml").write_text(text, encoding="utf-8")


def ran(folder, **keys):
    """One case, run: its keys as YAML text."""
    keys = {"on": "2026-11-22", "expect": "{scored: true}"} | keys
    put(folder, "one:\n" + "".join(f"  {key}: {text}\n" for key, text in keys.items()))
    settings, problems = load(folder)
    assert settings is not None, "\n".join(map(str, problems))
    (found,) = run_cases(settings, settings.golden)
    return found


def outputs(folder, days=0, **keys):
    return ran(folder, **keys).seen[days].outputs


def test_a_case_is_scored_as_its_facts_and_activities_say(folder):
    found = outputs(folder, facts=VP, did=f"[{DEMO % 0}]")
    assert (found["fit"], found["engagement"], found["score"]) == (100, 40, 64)
    assert (found["mql_status"], found["mql_cause"], found["mql_since"]) == ("MQL", "activity", date(2026, 11, 22))


def test_what_is_older_than_retention_does_not_count(folder):
    did = "[{activity: call_received, days_ago: 760}]"
    found = ran(folder, facts=VP, did=did, later="{1d: {scored: true}}")
    assert [seen.outputs["engagement"] for seen in found.seen.values()] == [20, 0]


def test_a_derived_fact_can_be_given_and_wins(folder):
    assert outputs(folder, facts="{title: Buyer, seniority: vp, company: Acme, country: SE}")["fit"] == 60


def test_times_are_so_many_activities(folder):
    keys = {"facts": VP, "did": "[{activity: email_clicked, mail: May news, days_ago: 0, times: 3}]"}
    assert outputs(folder, **keys)["engagement"] == 3, "one a day of each mail"
    keys["did"] = "[{activity: call_received, days_ago: 0, times: 3}]"
    assert outputs(folder, **keys)["engagement"] == 60


@pytest.mark.parametrize(
    ("at", "points", "remark"),
    [
        ('at: "2026-11-21 22:59:00"', 3, "the day before in UTC, that day in Berlin"),
        ('at: "2026-11-22 00:30:00"', 3, "the day before in UTC"),
        ('at: "2026-11-23 00:30:00"', 0, "that day in UTC, the next one in Berlin"),
        ("in_days: 1", 0, "not yet"),
        ("on: 2026-11-22", 3, "a date"),
    ],
)
def test_instants_are_of_the_installations_zone(folder, at, points, remark):
    did = f"[{{activity: email_clicked, mail: May news, {at}}}]"
    assert outputs(folder, facts=VP, did=did)["engagement"] == points, remark


def test_dates_of_facts_may_be_relative(folder):
    model = folder / "models" / "b2b.yaml"
    connection = folder / "connections" / "hubspot.yaml"
    connection.write_text(connection.read_text().replace("  country: country", "  country: country\n  need: need"))
    model.write_text(model.read_text().replace("employees: {weight: 40, percent: {1-49: 20, 50+: 100}}",
        "need: {weight: 40, percent: {within 30d: 100, within 60d: 50}}"))  # fmt: skip
    for need, fit in (("{in_days: 30}", 40), ("{in_days: 31}", 20), ("{days_ago: 1}", 0), ("2026-12-01", 40)):
        assert outputs(folder, facts=f"{{need: {need}, company: Acme, country: SE}}")["fit"] == fit, need


def test_only_activities_with_times_can_be_a_bots(folder):
    remodel(folder, bots={"clicks_closer_than": "5s"})
    clicks = [f'{{activity: email_clicked, mail: {mail}, at: "2026-11-2{day} 10:00:0{second}"}}'
              for day, mail, second in ((1, "May", 0), (1, "May", 3), (2, "June", 0), (2, "June", 6))]  # fmt: skip
    assert outputs(folder, facts=VP, did=f"[{', '.join(clicks)}]")["engagement"] == 3
    plain = "{activity: email_clicked, mail: May, days_ago: 1}"
    assert outputs(folder, facts=VP, did=f"[{plain}, {plain}]")["engagement"] == 3, "at the same noon, without a time"
    timed = '{activity: email_clicked, mail: May, at: "2026-11-21 10:00:00", times: 2}'
    assert outputs(folder, facts=VP, did=f"[{timed}]")["engagement"] == 3, "a minute apart"


def test_later_days_live_through_the_days_between(folder):
    """On day 200 the score is below 50: an MQL of old stays one until it is below 40, nobody else becomes one."""
    keys = {"facts": VP, "did": f"[{DEMO % 0}]", "later": "{45d: {score: 54}, 200d: {score: 42}, 365d: {scored: true}}"}
    found = ran(folder, **keys)
    assert not found.misses
    said = {days: (seen.outputs["mql_status"], seen.outputs["mql_since"]) for days, seen in found.seen.items()}
    assert said == dict.fromkeys((0, 45, 200, 365), ("MQL", date(2026, 11, 22)))
    alone = outputs(folder, **(keys | {"on": "2027-06-10", "did": f"[{DEMO % 200}]"}))
    assert (alone["score"], alone["mql_status"]) == (42, "Prospect")


def test_what_happens_on_a_later_day_is_new_then(folder):
    found = ran(
        folder,
        facts=VP,
        did="[{activity: form_submitted, form: demo, in_days: 20}]",
        later="{19d: {mql_status: Suspect}, 20d: {mql_status: MQL, mql_cause: activity}, "
        "40d: {mql_status: MQL, mql_since: 2026-12-12}}",
    )
    assert not found.misses


def test_old_activities_are_no_news(folder):
    found = outputs(folder, facts=VP, did=f"[{DEMO % 5}]", was="{status: suspect, days_ago: 90}")
    assert (found["mql_status"], found["mql_cause"]) == ("MQL", "decay")


def test_sales_word_rules_from_its_day_on(folder):
    found = ran(
        folder,
        facts=VP,
        did=f"[{DEMO % 0}]",
        said="{word: recycled, in_days: 3}",
        later="{2d: {mql_status: MQL}, 3d: {mql_status: Recycled, recycled_on: 2026-11-25}}",
    )
    assert not found.misses


WERE = [
    ("", "Prospect", "nobody knows them, and 45 is below 50"),
    ("{status: mql, days_ago: 30}", "MQL", "an MQL stays while the score is not below 40"),
    ("{status: won, days_ago: 30}", "Prospect", "sales says nothing any more"),
    ("{status: disqualified, days_ago: 30, furthest: mql}", "Prospect", "no disqualifier holds"),
]


@pytest.mark.parametrize(("was", "status", "remark"), WERE)
def test_where_they_stood_before_decides_as_in_the_store(folder, was, status, remark):
    keys = {"facts": VP, "did": f"[{DEMO % 150}]"} | ({"was": was} if was else {})
    assert outputs(folder, **keys)["score"] == 44
    assert outputs(folder, **keys)["mql_status"] == status, remark


def test_a_word_said_before_the_status_is_known_to_it(folder):
    keys = {"facts": VP, "did": f"[{DEMO % 150}, {{activity: email_clicked, mail: a, days_ago: 10}}]"}
    known = keys | {"said": "{word: recycled, days_ago: 20}", "was": "{status: mql, days_ago: 20}"}
    newer = keys | {"said": "{word: recycled, days_ago: 19}", "was": "{status: mql, days_ago: 20}"}
    assert [outputs(folder, **each)["mql_status"] for each in (known, newer)] == ["MQL", "Recycled"]


def test_whom_the_model_does_not_score_has_no_outputs(folder):
    remodel(folder, audience={"country": {"not_in": ["DE"]}})
    found = ran(folder, facts="{country: DE}", expect="{scored: false, score: {missing: true}, grade: A}")
    assert [miss.wanted for miss in found.misses] == [{"grade": "A"}]
    assert found.seen[0].ledger is None
    assert not ran(folder, facts="{country: SE}", expect="{scored: true, score: {present: true}}").misses


def test_who_is_not_to_be_profiled_is_not_scored(folder):
    file = folder / "connections" / "hubspot.yaml"
    file.write_text(file.read_text().replace("  country: country", "  country: country\n  do_not_profile: dnp"))
    assert not ran(folder, facts="{do_not_profile: true}", expect="{scored: false}").misses
    assert not ran(folder, facts="{do_not_profile: false}", expect="{scored: true}").misses


MISSES = [
    ("{score: 64, grade: A}", [], "both hold"),
    ("{score: {above: 64, below: 70}, grade: A}", [({"score": {"above": 64, "below": 70}}, {"score": 64})], "one"),
    ("{score: 1, grade: B}", [({"score": 1}, {"score": 64}), ({"grade": "B"}, {"grade": "A"})], "each by itself"),
    (
        "{any: [{score: 1}, {tier: B2}]}",
        [({"any": [{"score": 1}, {"tier": "B2"}]}, {"score": 64, "tier": "A3"})],
        "what is nested is one, with all it reads",
    ),
    ("{mql_status: mql, mql_since: 2026-11-22}", [], "capitals do not count, a text may write a date"),
    ("{disqualified_by: {missing: true}, interest: {not_in: [x]}}", [], "nothing to say is unknown"),
    ("{momentum: fading}", [({"momentum": "fading"}, {"momentum": "rising"})], "an output of the earlier days"),
]


@pytest.mark.parametrize(("expect", "misses", "remark"), MISSES)
def test_each_expectation_is_told_with_what_is(folder, expect, misses, remark):
    found = ran(folder, facts=VP, did=f"[{DEMO % 0}]", expect=expect)
    assert [(miss.wanted, miss.found) for miss in found.misses] == misses, remark


def test_cases_run_together_are_as_each_alone(folder):
    put(folder, "".join(
        f"c{n}:\n  on: 2026-11-{10 + n}\n  facts: {VP}\n  did: [{DEMO % (n * 20)}]\n"
        f"  expect: {{scored: true}}\n  later: {{{n + 1}d: {{scored: true}}}}\n"
        for n in range(6)
    ))  # fmt: skip
    settings, _ = load(folder)
    together = run_cases(settings, settings.golden)
    assert [one.name for one in together] == [f"people/c{n}" for n in range(6)]
    for one in together:
        (alone,) = run_cases(settings, {one.name: settings.golden[one.name]})
        assert alone == one


# The guide


def test_the_cases_of_the_guide_pass(tmp_path):
    for page in ("config.md", "golden.md"):
        text = (DOCS / page).read_text(encoding="utf-8")
        for path, block in re.findall(r"```\w+\n# (\S+)\n(.*?)```", text, re.DOTALL):
            (tmp_path / path).parent.mkdir(exist_ok=True)
            (tmp_path / path).write_text(block, encoding="utf-8")
    settings, problems = load(tmp_path)
    assert not problems
    assert {name.partition("/")[0] for name in settings.golden} == {"people", "never", "fading"}
    for one in run_cases(settings, settings.golden):
        assert not one.misses, one.name


# The command


@pytest.fixture
def two(folder):
    put(folder, f"good:\n  on: 2026-11-22\n  facts: {VP}\n  expect: {{grade: A}}\n")
    put(folder, f"bad:\n  on: 2026-11-22\n  facts: {VP}\n  expect: {{grade: B}}\n", "others")
    return folder


def leadmark(capsys, *arguments):
    code = run([*map(str, arguments)])
    return code, *capsys.readouterr()


def test_a_case_that_fails_shows_what_was_expected_what_is_and_why(two, capsys):
    code, out, _ = leadmark(capsys, "test", "--config", two)
    assert code == 1
    assert [line.split()[:2] for line in out.splitlines()[1:3]] == [["failed", "others/bad"], ["ok", "people/good"]]
    assert "  grade: B  A\n" in out
    assert re.search(r"Seniority +vice president: 100 % +\+24.00\n", out)
    assert out.endswith("2 cases, 1 failed\n")


LONG = "somebody-who-asked-twice-and-then-went-silent-for-a-whole-quarter"


@pytest.mark.parametrize(
    ("width", "name", "lines", "remark"),
    [
        (80, "short", 2, "all on a line, below the head"),
        (80, LONG, 2, "the outcome below its name"),
        (140, LONG, 2, "all on a line again"),
        (40, "short", 3, "an outcome longer than a line goes on"),
    ],
)
def test_what_a_case_comes_to_is_told_whole_in_any_width(folder, width, name, lines, remark):
    put(folder, f"{name}:\n  on: 2026-11-22\n  facts: {VP}\n  did: [{DEMO % 2}]\n  expect: {{grade: A}}\n")
    out = Console(
        file=io.StringIO(), width=width, force_terminal=True, color_system=None, highlight=False, markup=False,
        emoji=False, soft_wrap=True,
    )  # fmt: skip
    settings, _ = load(folder)
    tested = run_cases(settings, settings.golden)
    golden.show_tested(out, tested)
    told = out.file.getvalue().split("\n\n")[0].splitlines()
    assert (len(told), max(map(len, told)) <= width) == (lines, True)
    assert f"people/{name} {tested[0].seen[0].outputs['summary']}" in " ".join("\n".join(told).split())


@pytest.mark.parametrize("named", [["good"], ["people"], ["people/good"], ["people.yaml"], ["golden/people.yaml"]])
def test_cases_are_chosen_by_what_they_are_called(two, capsys, named):
    code, out, _ = leadmark(capsys, "test", *named, "--config", two)
    assert code == 0
    assert out.endswith("1 case, all as expected\n")


def test_wrong_names_are_told_with_the_nearest(two, capsys):
    for words, said in (
        (["goood"], 'there is no golden case "goood", did you mean "good"?\n'),
        (["--model", "b2c"], 'there is no model "b2c", did you mean "b2b"?\n'),
    ):
        assert leadmark(capsys, "test", *words, "--config", two) == (1, "", said)


def test_no_case_at_all_is_fine_and_says_how_to_begin(folder, capsys):
    code, out, err = leadmark(capsys, "test", "--config", folder)
    assert (code, out) == (0, "")
    assert "no golden case in" in err


def test_the_cases_of_one_model(two, capsys):
    second = (two / "models" / "b2b.yaml").read_text().replace("model: b2b", "model: second")
    (two / "models" / "second.yaml").write_text(second)
    put(two, "third:\n  model: second\n  on: 2026-11-22\n  expect: {grade: F}\n", "thirds")
    code, out, _ = leadmark(capsys, "test", "--model", "second", "--config", two, "--json")
    found = json.loads(out)
    assert (code, found["failed"], [one["case"] for one in found["cases"]]) == (0, 0, ["thirds/third"])


def test_json_has_outputs_ledger_and_misses(two, capsys):
    _, out, _ = leadmark(capsys, "test", "bad", "--config", two, "--json")
    (one,) = json.loads(out)["cases"]
    assert (one["passed"], one["model"]) == (False, "b2b")
    assert one["misses"] == [{"days": 0, "wanted": {"grade": "B"}, "found": {"grade": "A"}}]
    (seen,) = one["days"]
    assert (seen["days"], seen["on"], seen["scored"], seen["outputs"]["grade"]) == (0, "2026-11-22", True, "A")
    assert seen["ledger"]["score"] == seen["outputs"]["score"] == 40


# YAML on one line

VALUES = st.recursive(
    st.text(max_size=20) | st.integers(-(10**14), 10**14) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(VALUES)
def test_what_is_written_on_one_line_is_read_back_as_it_was(value):
    document, problems = read("x.yaml", f"a: {flow(value)}")
    assert not problems
    assert document.value["a"] == value
    assert yaml.safe_load(f"a: {flow(value)}")
