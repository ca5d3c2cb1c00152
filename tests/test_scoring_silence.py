"""Silence and the limit after a recycle, on cases worked out by hand."""

import pytest

from scoring.kernel import NEVER
from tests.scoring_cases import TODAY, evaluate, evaluate_all, raw_model, rule

SILENCE = {"after": "30d", "take": 5, "every": "7d", "at_most": 12.5, "ignore": ["email_clicked"]}
RULES = {
    "form": rule("form", 40, limit="1 per ever"),
    "click": rule("email_clicked", 3),
    "jobs": rule("jobs", -4),
}


@pytest.mark.parametrize(
    ("age", "taken"),
    [(0, 0), (29, 0), (30, 5), (36, 5), (37, 10), (43, 10), (44, 12.5), (3_000, 12.5)],
)
def test_silence_takes_more_every_so_many_days_up_to_its_most(age, taken):
    found = evaluate(raw_model(RULES, silence=SILENCE), (age, "demo"))
    assert found.silence_micro == taken * 1_000_000
    assert found.engagement_micro == 40_000_000 - found.silence_micro
    assert found.silent_since == (TODAY - age if taken else None)


def test_who_was_never_active_is_not_silent_however_soon_a_silence_begins():
    found = evaluate(raw_model(RULES, silence=SILENCE | {"after": "1d"}), (1, "click"))
    assert (found.silence_micro, found.silent_since, found.engagement) == (0, None, 3)


@pytest.mark.parametrize(
    ("activities", "age"),
    [
        ([], None),  # never active is not silent
        ([(50, "jobs")], None),  # nothing positive either
        ([(50, "click")], None),  # only what is ignored
        ([(40, "demo"), (1, "jobs")], 40),  # a loss does not break a silence
        ([(40, "demo"), (1, "click")], 40),  # nor does what is ignored
        ([(50, "demo"), (40, "news")], 40),  # what a limit leaves out does
        ([(40, "demo"), (-1, "news")], 40),  # the future does not yet
    ],
)
def test_silence_lasts_from_the_last_positive_activity_of_a_kind_not_ignored(activities, age):
    found = evaluate(raw_model(RULES, silence=SILENCE), *activities)
    assert found.silent_since == (None if age is None else TODAY - age)
    assert (found.silence_micro > 0) == (age is not None)


def test_what_is_positive_does_not_ask_for_dates_decay_or_the_first_match():
    rules = {
        "jobs": rule("form", -1, where={"form": "demo"}),
        "form": rule("form", 40, decay="month", until="2020-01-01"),
    }
    raw = raw_model(rules, {"match": "first"}, silence=SILENCE)
    found = evaluate(raw, (100, "news"), (40, "demo"))
    assert (found.silent_since, found.newest_positive_at is not None) == (TODAY - 40, True)


def test_a_click_of_a_bot_breaks_no_silence():
    raw = raw_model(RULES, silence=SILENCE | {"ignore": []}, bots={"clicks_closer_than": "2s"})
    assert evaluate(raw, (40, "demo"), (1, "click", 0), (1, "click", 1)).silent_since == TODAY - 40
    assert evaluate(raw, (40, "demo"), (1, "click", 0), (1, "click", 2)).silent_since is None


def test_silence_is_taken_from_the_hundred_points_and_leaves_nothing_below_zero():
    many = raw_model({"form": rule("form", 500)}, silence=SILENCE)
    assert evaluate(many, (30, "demo")).engagement == 95
    few = raw_model({"form": rule("form", 2)}, silence=SILENCE)
    assert evaluate(few, (30, "demo")).engagement == 0


def test_the_first_activity_that_is_heard_may_begin_a_silence():
    """Where "another positive activity never lowers a score" ends: never active is not silent."""
    raw = raw_model(RULES, silence=SILENCE)
    assert evaluate(raw, (1, "click"), (2, "click")).engagement == 6
    assert evaluate(raw, (1, "click"), (2, "click"), (29, "demo")).engagement == 46
    begun = raw_model(RULES | {"form": rule("form", 2)}, silence=SILENCE)
    assert evaluate(begun, (1, "click"), (2, "click"), (30, "demo")).engagement == 6 + 2 - 5


def test_retention_that_takes_what_began_a_silence_ends_it():
    """Where "engagement never rises from day to day" ends when something is purged; a look-back is longer than that."""
    raw = raw_model(RULES | {"form": rule("form", 2)}, silence=SILENCE)
    found = [evaluate(raw, (1, "click"), (40, "demo"), kept_days=40, day=TODAY + more) for more in (0, 1)]
    assert [(each.engagement, each.silent_since) for each in found] == [(0, TODAY - 40), (3, None)]


RECYCLE = {"recycle": {"keep_at_most": 25}}
WORTH = {"form": rule("form", 20), "jobs": rule("jobs", -4)}


@pytest.mark.parametrize(
    ("activities", "recycled", "engagement"),
    [
        ([(9, "demo"), (8, "demo")], NEVER, 40),  # sales did not say recycled
        ([(9, "demo"), (8, "demo")], 9, 25 + 15),  # 20 of before and 20 of since: under the limit it is all 40
        ([(9, "demo"), (8, "demo")], 8, 25),  # up to and including the instant of the word
        ([(9, "demo"), (8, "demo"), (1, "demo")], 8, 45),  # what came since counts in full
        ([(9, "demo"), (8, "demo"), (1, "jobs")], 8, 21),  # and so does a loss
        ([(9, "demo")] * 7 + [(1, "demo")], 8, 25),  # 100 of before and since: X of all is at its most too
        ([(1, "demo")], 8, 20),
        ([], 8, 0),
    ],
)
def test_of_what_came_before_a_recycle_the_limit_is_kept(activities, recycled, engagement):
    found = evaluate(raw_model(WORTH, mql=RECYCLE), *activities, recycled=recycled)
    assert found.engagement == engagement
    assert found.recycle_micro == min(found.groups[0].points, 100_000_000) - engagement * 1_000_000


def test_the_limit_is_for_those_whom_sales_handed_back():
    people = [[(9, "demo")] * 2] * 3
    found = evaluate_all(raw_model(WORTH, mql=RECYCLE), people, recycled=[NEVER, 8, NEVER])
    assert [each.engagement for each in found] == [40, 25, 40]


def test_without_a_limit_all_of_before_counts():
    assert evaluate(raw_model(WORTH), (9, "demo"), (9, "demo"), recycled=8).engagement == 40
    assert evaluate(raw_model(WORTH, mql=RECYCLE), (9, "demo"), (9, "demo")).engagement == 40


def test_nothing_is_frozen_what_is_kept_fades_with_its_model():
    raw = raw_model({"form": rule("form", 60, decay="month")}, mql=RECYCLE)
    found = [evaluate(raw, (0, "demo"), recycled=0, day=TODAY + days).engagement for days in (0, 15, 24, 30)]
    assert found == [25, 25, 12, 0]


def test_patterns_before_a_recycle_see_only_what_was_before():
    patterns = {"twice": {"all": [{"at_least": 2, "activity": "form"}], "points": 30, "label": "P"}}
    raw = raw_model({"form": rule("form", 10)}, patterns=patterns, mql=RECYCLE)
    assert evaluate(raw, (9, "demo"), (9, "demo"), recycled=8).engagement == 25  # 50 of before
    assert evaluate(raw, (9, "demo"), (1, "demo"), recycled=8).engagement == 50  # 10 of before, 40 more by the second


def test_clicks_of_bots_are_gone_once_before_old_and_new_are_told_apart():
    raw = raw_model({"click": rule("email_clicked", 60)}, bots={"clicks_closer_than": "2s"}, mql=RECYCLE)
    found = evaluate(raw, (8, "click", 0), (8, "click", 1), recycled=8)  # the word came between the two
    assert (found.engagement, found.activity_count) == (0, 0)


def test_silence_after_a_recycle_is_that_of_all_activities():
    raw = raw_model({"form": rule("form", 60)}, silence=SILENCE, mql=RECYCLE)
    found = evaluate(raw, (60, "demo"), (31, "demo"), recycled=50)
    assert (found.recycle_micro, found.silence_micro) == (35_000_000, 5_000_000)
    assert found.engagement == 25 + 40 - 5  # X of all is at most 100


def test_a_rule_is_met_over_all_activities_recycled_or_not():
    raw = raw_model({"form": rule("form", 60)}, mql=RECYCLE)
    assert evaluate(raw, (9, "demo"), recycled=8).met == {"form"}


def test_more_from_before_a_recycle_may_lower_what_counts_beside_it():
    """Where "another positive activity never lowers a score" ends: X of all is held at 100, and more of it is old."""
    raw = raw_model({"form": rule("form", 40)}, mql=RECYCLE)
    new = [(1, "demo")] * 2
    assert evaluate(raw, (9, "demo"), *new, recycled=8).engagement == 25 + 60
    assert evaluate(raw, (9, "demo"), (9, "demo"), *new, recycled=8).engagement == 25 + 20


def test_engagement_after_a_recycle_may_rise_while_the_old_fades():
    """Where "engagement never rises from day to day" ends, for the same reason."""
    raw = raw_model({"form": rule("form", 60, decay="month"), "click": rule("email_clicked", 100)}, mql=RECYCLE)
    found = [evaluate(raw, (5, "demo"), (1, "click"), recycled=4, day=TODAY + days).engagement for days in (0, 5)]
    assert found == [25 + 100 - 50, 25 + 100 - 40]
