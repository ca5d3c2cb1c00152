"""Patterns, on cases worked out by hand; the laws are in test_scoring_laws."""

import pytest

from tests.scoring_cases import evaluate, raw_model, rule

RULES = {
    "demo": rule("form", 10, where={"form": {"contains": "demo"}}, limit="1 per ever"),
    "form": rule("form", 1, **{"from": "2026-03-05", "until": "2026-03-09"}),
    "click": rule("email_clicked", 1),
}


MAILS = [{"at_least": 5, "activity": "email_delivered"}, {"at_most": 0, "activity": "email_opened"}]
PAPERS = [{"at_least": 3, "activity": "form", "distinct": True}, {"at_most": 0, "activity": "jobs"}]


def holds(lines, *activities, **options):
    patterns = {"p": {"all": lines, "points": 30, "label": "P"}}
    raw = raw_model(RULES, {"cap": 10, **options.pop("bounds", {})}, patterns=patterns, **options)
    found = evaluate(raw, *activities)
    assert ("p" in found.met) == bool(found.patterns)
    assert found.engagement_micro == sum(each.points for each in found.groups) + 30_000_000 * bool(found.patterns)
    return bool(found.patterns)


@pytest.mark.parametrize(
    ("line", "activities", "expected"),
    [
        # a window of 7 days is the score day and the 6 before it
        ({"at_least": 2, "activity": "form", "within": "7d"}, [(0, "demo"), (6, "news")], True),
        ({"at_least": 2, "activity": "form", "within": "7d"}, [(0, "demo"), (7, "news")], False),
        ({"at_least": 1, "activity": "form", "within": "1d"}, [(0, "demo")], True),
        ({"at_least": 1, "activity": "form", "within": "1d"}, [(1, "demo")], False),
        ({"at_least": 1, "activity": "form", "within": "1d"}, [(-1, "demo")], False),  # the future does not count yet
        ({"at_least": 1, "activity": "form"}, [(3_000, "demo")], True),  # without a window the whole timeline
        ({"at_most": 1, "activity": "form"}, [(0, "demo"), (1, "news")], False),
        ({"at_most": 1, "activity": "form"}, [(0, "demo")], True),
        ({"at_most": 0, "activity": "form"}, [], True),  # none, also of one who never did anything
        ({"at_most": 0, "activity": "form"}, [(0, "demo")], False),
        ({"at_least": 1, "activity": "jobs"}, [(0, "jobs")], True),  # a kind that no rule takes
        ({"at_least": 1, "activity": "form", "where": {"form": "news"}}, [(0, "demo")], False),
        ({"at_least": 1, "activity": "form", "where": {"form": "news"}}, [(0, "news")], True),
        # a rule counts what it takes, before its limit
        ({"at_least": 3, "rule": "demo"}, [(0, "demo"), (0, "demo"), (0, "demo")], True),
        ({"at_least": 1, "rule": "demo"}, [(0, "news")], False),
        ({"at_least": 2, "rule": "demo", "within": "2d"}, [(0, "demo"), (2, "demo")], False),
        ({"at_least": 1, "rule": "demo", "where": {"form": "old demo"}}, [(0, "demo")], False),
        ({"at_least": 1, "rule": "demo", "where": {"form": "old demo"}}, [(0, "renamed")], True),
        # and after its dates, both included
        ({"at_least": 2, "rule": "form"}, [(1, "news"), (5, "news")], True),
        ({"at_least": 1, "rule": "form"}, [(0, "news"), (6, "news")], False),
        # each touchpoint once
        ({"at_least": 2, "activity": "form", "distinct": True}, [(0, "demo"), (1, "demo")], False),
        ({"at_least": 2, "activity": "form", "distinct": True}, [(0, "demo"), (0, "renamed")], True),
        ({"at_most": 1, "activity": "form", "distinct": True}, [(0, "demo"), (1, "demo")], True),
        # each known value once: two touchpoints of one form are one, and a form without a name is none
        ({"at_least": 2, "activity": "form", "distinct": "form"}, [(0, "demo"), (0, "renamed")], False),
        ({"at_least": 2, "activity": "form", "distinct": "form"}, [(0, "demo"), (0, "news")], True),
        ({"at_least": 2, "activity": "form", "distinct": "form"}, [(0, "demo"), (0, "blank")], False),
        ({"at_least": 1, "activity": "form", "distinct": "topic"}, [(0, "demo")], False),
    ],
)
def test_a_line_holds_by_what_it_counts(line, activities, expected):
    assert holds([line], *activities) is expected


@pytest.mark.parametrize(
    ("lines", "activities", "expected", "remark"),
    [
        (
            [{"at_least": 3, "activity": "form", "within": "7d"}],
            [(0, "demo"), (3, "news"), (6, "news")],
            True,
            "visits",
        ),
        ([{"at_least": 3, "activity": "form", "within": "7d"}], [(0, "demo"), (3, "news"), (7, "news")], False, ""),
        (MAILS, [(n, "delivered") for n in range(5)], True, "five mails delivered and none opened"),
        (MAILS, [(n, "delivered") for n in range(4)], False, "four"),
        (MAILS, [(0, "opened"), *((n, "delivered") for n in range(5))], False, "one opened"),
        (PAPERS, [(0, "demo"), (9, "news"), (5, "blank")], True, "every paper, and no prices"),
        (PAPERS, [(0, "demo"), (9, "demo"), (5, "blank")], False, "one paper twice"),
        (PAPERS, [(0, "demo"), (9, "news"), (5, "blank"), (2, "jobs")], False, "prices too"),
    ],
)
def test_what_patterns_are_for(lines, activities, expected, remark):
    assert holds(lines, *activities) is expected, remark


def test_all_lines_must_hold():
    lines = [{"at_least": 1, "activity": "form"}, {"at_most": 0, "activity": "email_clicked"}]
    assert holds(lines, (0, "demo"))
    assert not holds(lines, (0, "demo"), (0, "click"))
    assert not holds(lines)


def test_points_come_once_however_often_it_happened_and_do_not_fade():
    raw = raw_model(RULES, patterns={"p": {"all": [{"at_least": 1, "activity": "jobs"}], "points": 7, "label": "P"}})
    for activities in ([(0, "jobs")], [(400, "jobs")], [(0, "jobs")] * 5):
        assert evaluate(raw, *activities).engagement == 7


def test_a_rule_counts_after_the_first_match_of_its_group():
    rules = {"demo": RULES["demo"], "rest": rule("form", 1)}
    line = {"at_least": 1, "rule": "rest"}
    raw = raw_model(rules, {"match": "first"}, patterns={"p": {"all": [line], "points": 5, "label": "P"}})
    assert not evaluate(raw, (0, "demo")).patterns
    assert evaluate(raw, (0, "news")).patterns


def test_clicks_of_bots_are_gone_before_patterns_count():
    line = {"at_least": 1, "activity": "email_clicked"}
    assert holds([line], (0, "click", 0), (0, "click", 1))
    assert not holds([line], (0, "click", 0), (0, "click", 1), bots={"clicks_closer_than": "2s"})


def test_patterns_count_toward_the_hundred_points_with_the_groups():
    patterns = {"p": {"all": [{"at_least": 1, "activity": "form"}], "points": -8, "label": "P"}}
    raw = raw_model({"demo": rule("form", 200)}, patterns=patterns)
    assert evaluate(raw, (0, "demo")).engagement == 100  # 200 - 8, then at most 100
    less = raw_model({"demo": rule("form", 5)}, patterns=patterns)
    assert evaluate(less, (0, "demo")).engagement == 0
