"""Golden cases: what they say is read, and every mistake in them is found where it stands."""

import shutil
from datetime import date, datetime
from pathlib import Path

import pytest

from config.loader import load

GOOD = Path(__file__).parent / "data" / "config" / "good"
CASE = """asks:
  model: b2b
  on: 2026-11-22
  facts: {title: VP Sales, employees: 120, seniority: vp, country: {in_days: 3}}
  did:
    - {activity: form_submitted, form: Demo request, days_ago: 2}
    - {activity: email_clicked, mail: 12, at: "2026-11-03 10:00:03", times: 3}
  said: {word: recycled, in_days: 5}
  was: {status: mql, on: 2026-11-01, furthest: won}
  expect: {score: {between: [60, 70]}, grade: A, any: [{mql_since: 2026-11-22}, {scored: false}]}
  later: {90d: {mql_status: {not_in: [MQL]}}, 30d: {tier: [A1, F]}}
"""
# what stood there, what was typed, where it shows, words of the message
MISTAKES = [
    ("model: b2b", "model: b2c", "2:10", 'there is no model "b2c", did you mean "b2b"?'),
    ("  on: 2026-11-22\n", "", "1:1", '"on" is missing in "asks"'),
    ("on: 2026-11-22", "on: 22.11.2026", "3:7", "write year-month-day"),
    ("  expect:", "  expects:", "10:3", 'unknown key "expects", did you mean "expect"?'),
    ("asks:", "No one:", "1:1", "a case's name begins with a small letter"),
    ("employees:", "employes:", "4:28", 'no connection maps the fact "employes", did you mean "employees"?'),
    ("employees:", "hand_off:", "4:28", "hand_off is sales' word; write it under said"),
    ("employees: 120", "employees:", "4:38", "an empty value is unknown; leave the fact out"),
    ("employees: 120", "employees: [120]", "4:39", "a fact is text, a number, true, false, a date, or"),
    ("{in_days: 3}", "{in_days: soon}", "4:59", "or {in_days: 30} or {days_ago: 30}"),
    ("{in_days: 3}", "{in_days: 3, days_ago: 3}", "4:59", "or {in_days: 30} or {days_ago: 30}"),
    ("form_submitted", "form_sent", "6:18", 'no connection delivers the activity "form_sent"'),
    ("form: Demo", "from: Demo", "6:34", 'does not keep the attribute "from", did you mean "form"?'),
    (", days_ago: 2}", "}", "6:7", "no day stands here; write one of days_ago, in_days, on, at"),
    ("days_ago: 2}", "days_ago: 2, on: 2026-11-20}", "6:7", "days_ago and on stand together; write one of"),
    ("days_ago: 2}", "days_ago: -2}", "6:64", '"days_ago" must be at least 0, not -2'),
    ("days_ago: 2}", "days_ago: 2d}", "6:64", '"days_ago" must be a whole number'),
    ('"2026-11-03 10:00:03"', "2026-11-03", "7:47", 'an instant is written "2026-11-03 10:00:03"'),
    ('"2026-11-03 10:00:03"', '"2026-11-03 10:00:03+01:00"', "7:47", "in the zone of leadmark.yaml"),
    ('"2026-11-03 10:00:03"', '"yesterday at ten o clock"', "7:47", 'an instant is written "2026-11-03 10:00:03"'),
    ("times: 3", "times: 0", "7:77", '"times" must be at least 1, not 0'),
    ("word: recycled", "word: recicled", "8:16", 'did you mean "recycled"?'),
    ("word: recycled", "word: new", "8:16", '"word" must be one of qualifying, accepted, recycled, won, lost'),
    ("status: mql", "status: warm", "9:17", '"status" must be one of suspect, prospect, mql'),
    ("between:", "betwen:", "10:28", "did you mean 'between'?"),
    ("score: {between: [60, 70]}", "scor: 60", "10:12", 'there is no output "scor", did you mean "score"?'),
    ("{between: [60, 70]}", "{contains: '6'}", "10:20", 'score is a number, for which "contains" never holds'),
    ("{between: [60, 70]}", "'60'", "10:19", 'score is a number, not the text "60"'),
    ("grade: A", "grade: E", "10:47", 'grade is never the text "E"; write one of A, A+, A-, B,'),
    ("grade: A", "summary: 12", "10:49", "summary is text, not 12; put it in quotes"),
    ("grade: A", "summary: {in_list: x}", "10:59", 'there is no list "x"'),
    ("mql_since: 2026-11-22", "mql_since: soon", "10:68", "mql_since is a date such as 2026-11-03, not the text"),
    ("scored: false", "scored: no", "10:90", "scored is true or false, not the text"),
    ("scored: false", "scored: {missing: true}", "10:91", 'scored is true or false, for which "missing" never holds'),
    ("90d:", "90:", "11:11", "write whole days such as"),
    ("[MQL]", "[MLQ]", "11:39", 'mql_status is never the text "MLQ", did you mean "MQL"?'),
    ("[A1, F]", "[A1, A5]", "11:64", 'tier is never the text "A5"'),
]


@pytest.fixture
def folder(tmp_path):
    copied = Path(shutil.copytree(GOOD, tmp_path / "config"))
    (copied / "golden").mkdir()
    return copied


def put(folder, text, name="people"):
    (folder / "golden" / f"{name}.yaml").write_text(text, encoding="utf-8")


def test_a_case_is_read_as_it_is_written(folder):
    put(folder, CASE)
    settings, problems = load(folder)
    assert not problems
    (name,) = settings.golden
    case = settings.golden[name]
    assert name == "people/asks"
    assert case.known_facts == {
        "title": "VP Sales",
        "employees": 120,
        "seniority": "vp",
        "country": date(2026, 11, 25),
    }
    assert [did.attributes for did in case.did] == [{"form": "Demo request"}, {"mail": "12"}]
    assert [did.moment(case.on) for did in case.did] == [
        datetime(2026, 11, 20, 12),  # noqa: DTZ001 - of the installation's zone
        datetime(2026, 11, 3, 10, 0, 3),  # noqa: DTZ001 - of the installation's zone
    ]
    assert case.said.moment(case.on).date() == date(2026, 11, 27)
    assert case.was.moment(case.on).date() == date(2026, 11, 1)
    assert list(case.expected) == [0, 30, 90]


@pytest.mark.parametrize(("stood", "typed", "where", "words"), MISTAKES, ids=lambda each: each[:30])
def test_a_mistake_is_found_where_it_stands(folder, stood, typed, where, words):
    assert CASE.count(stood) == 1 or stood == "form_submitted"
    put(folder, CASE.replace(stood, typed, 1))
    settings, problems = load(folder)
    assert settings is None
    assert any(str(one).startswith(f"golden/people.yaml:{where}: ") and words in str(one) for one in problems), (
        "\n".join(map(str, problems))
    )


def test_every_mistake_of_all_files_is_told_at_once(folder):
    put(folder, CASE.replace("word: recycled", "word: x").replace("employees:", "x:"))
    put(folder, CASE.replace("score:", "x:"), "others")
    assert [(one.path, one.line) for one in load(folder)[1]] == [
        ("golden/others.yaml", 10),
        ("golden/people.yaml", 4),
        ("golden/people.yaml", 8),
    ]


def test_cases_of_several_files_may_have_one_name(folder):
    put(folder, CASE)
    put(folder, CASE, "others")
    assert set(load(folder)[0].golden) == {"people/asks", "others/asks"}


def test_facts_are_not_judged_while_a_connection_cannot_be_read(folder):
    put(folder, CASE.replace("employees:", "employes:"))
    (folder / "connections" / "hubspot.yaml").write_text("crm: {", encoding="utf-8")
    assert not [one for one in load(folder)[1] if one.path.startswith("golden")]


def test_cases_are_the_same_in_every_environment(folder):
    put(folder, CASE)
    (folder / "overlays").mkdir()
    overlay = folder / "overlays" / "test.yaml"
    overlay.write_text("golden/people: {asks: {on: 2026-11-23}}", encoding="utf-8")
    assert ['there is no file "golden/people" to overlay' in str(one) for one in load(folder, overlay)[1]] == [True]
