"""The kernel on cases small enough to work out by hand. The laws are in test_scoring_laws."""

from datetime import date

import numpy as np
import pytest

from scoring.compile import Touchpoint, compile_model
from scoring.fact_values import day_number
from scoring.kernel import NEVER, Batch, score_people
from scoring.limits import calendar_bin
from scoring.model import ScoringModel
from scoring.tables import Tables

DAY_US = 86_400_000_000
TODAY = date(2026, 3, 10)  # a Tuesday
TOUCHPOINTS = [
    Touchpoint(number=1, kind="form", attributes={"form": ("F1", "Demo")}),
    Touchpoint(number=2, kind="mail", attributes={"mail": ("M1", "May")}),
    Touchpoint(number=3, kind="mail", attributes={"mail": ("M2", "June")}),
    Touchpoint(number=4, kind="jobs", attributes={}),
]


def model(rules, bounds=None, **keys):
    base = {
        "model": "m",
        "weights": {"fit": 40, "engagement": 60},
        "decays": {"month": {"linear": "30d"}, "gone": {"none": True, "expires": "45d"}, "half": {"half_life": "10d"}},
        "fit": {"size": {"weight": 100, "percent": {"1-49": 25, "50+": 100}}},
        "engagement": {
            "web": {
                "label": "Web",
                "rules": {name: {"label": name.title()} | rule for name, rule in rules.items()},
                **(bounds or {}),
            }
        },
    }
    return ScoringModel.model_validate(base | keys)


def packed(people):
    """A batch of (facts, [(date, touchpoint)]); every activity is at noon."""
    rows = [(day_number(on), number) for _, activities in people for on, number in activities]
    days = np.array([row[0] for row in rows], dtype=np.int64)
    return Batch(
        facts=[facts for facts, _ in people],
        offsets=np.cumsum([0, *(len(activities) for _, activities in people)]),
        at=days * DAY_US + DAY_US // 2,
        day=days,
        touchpoint=np.array([row[1] for row in rows], dtype=np.uint32),
    )


def score(scoring_model, *activities, facts=None, today=TODAY, **options):
    compiled = compile_model(scoring_model, TOUCHPOINTS, Tables())
    return score_people(compiled, packed([(facts or {}, activities)]), day_number(today), **options).person(0)


FORM = {"activity": "form", "points": 20}
MAIL = {"activity": "mail", "points": 3}


def test_score_grade_and_tier_come_from_the_rounded_numbers():
    found = score(model({"demo": FORM}), (TODAY, 1), (TODAY, 1), facts={"size": 80, "title": " "})
    assert (found.fit, found.engagement, found.score) == (100, 40, 64)
    assert (found.grade, found.level, found.tier) == ("A", 3, "A3")
    assert found.known_facts == {"size"}


def test_nothing_known_and_nothing_done_is_nothing():
    found = score(model({"demo": FORM}))
    assert (found.score, found.fit, found.engagement, found.tier) == (0, 0, 0, "D4")
    assert (found.newest_positive_at, found.activity_count, found.rules) == (None, 0, ())
    assert [(one.kind, one.band, one.points) for one in found.fit_results] == [("variable", "", 0)]


def test_what_is_shown_is_rounded_once_from_exact_points():
    # fit 0.5 and engagement 0.5 are shown as 1 and 1, and the score is 0.5 and shown as 1
    weak = {"size": {"weight": 100, "percent": {"1+": 0}}}
    adjust = {"half": {"if": {"size": 1}, "points": 0.5, "label": "Half"}}
    found = score(model({"demo": FORM | {"points": 0.5}}, fit=weak | {"adjust": adjust}), (TODAY, 1), facts={"size": 1})
    assert (found.fit, found.engagement, found.score) == (1, 1, 1)
    assert (found.fit_micro, found.engagement_micro) == (500_000, 500_000)
    # 0.4 and 0.4 are shown as 0, and so is the score
    adjust["half"]["points"] = 0.499999
    less = score(
        model({"demo": FORM | {"points": 0.499999}}, fit=weak | {"adjust": adjust}), (TODAY, 1), facts={"size": 1}
    )
    assert (less.fit, less.engagement, less.score) == (0, 0, 0)


def test_bands_compare_the_rounded_numbers():
    bands = {"grades": {"A": 75, "B": 50, "C": 25}, "levels": [75, 50, 25]}
    found = score(model({"demo": FORM | {"points": 74.5}}, **bands), (TODAY, 1), facts={"size": 5})
    assert (found.engagement, found.level) == (75, 1)
    below = score(model({"demo": FORM | {"points": 74.499999}}, **bands), (TODAY, 1), facts={"size": 5})
    assert (below.engagement, below.level) == (74, 2)
    assert (found.fit, found.grade) == (25, "C")


def test_fit_is_clamped_and_names_its_parts():
    adjust = {
        "plus": {"if": {"size": {"above": 10}}, "points": 15, "label": "Plus"},
        "minus": {"if": {"company": {"missing": True}}, "points": -10.5, "label": "Minus"},
        "other": {"if": {"company": "x"}, "points": 1, "label": "Other"},
    }
    scoring_model = model({"demo": FORM}, fit={"size": {"weight": 100, "percent": {"50+": 100}}, "adjust": adjust})
    found = score(scoring_model, facts={"size": 80})
    assert (found.fit, found.fit_micro) == (100, 100_000_000)
    assert [(one.kind, one.id, one.label, one.points, one.band, one.percent) for one in found.fit_results] == [
        ("variable", "size", "size", 100_000_000, "50+", 100),
        ("adjust", "plus", "Plus", 15_000_000, "", 0),
        ("adjust", "minus", "Minus", -10_500_000, "", 0),
    ]
    assert score(scoring_model, facts={"size": 5}).fit_micro == 0


def test_a_disqualifier_takes_score_grade_and_tier_and_leaves_fit_and_engagement():
    out = {"rival": {"if": {"industry": "Rival"}, "label": "Rival"}, "all": {"if": {"size": 80}, "label": "Size"}}
    found = score(model({"demo": FORM}, disqualify=out), (TODAY, 1), facts={"size": 80})
    assert (found.score, found.grade, found.tier, found.disqualified_by) == (0, "F", "F", "all")
    assert (found.fit, found.engagement, found.level) == (100, 20, 4)
    both = score(model({"demo": FORM}, disqualify=out), facts={"size": 80, "industry": "rival"})
    assert both.disqualified_by == "rival"  # the first that holds


@pytest.mark.parametrize(
    ("on", "points"),
    [
        (date(2026, 3, 10), 20_000_000),
        (date(2026, 3, 9), 19_333_333),  # 29/30
        (date(2026, 2, 9), 666_667),  # 29 days old
        (date(2026, 2, 8), 0),
        (date(2020, 1, 1), 0),
        (date(2026, 3, 11), 0),  # tomorrow does not count yet
    ],
)
def test_points_fade_by_whole_days(on, points):
    assert score(model({"demo": FORM | {"decay": "month"}}), (on, 1)).engagement_micro == points


def test_a_span_includes_its_last_day():
    fading = model({"demo": FORM | {"decay": "gone"}})
    assert score(fading, (date(2026, 1, 24), 1)).engagement == 20  # age 45
    assert score(fading, (date(2026, 1, 23), 1)).engagement == 0  # age 46


def test_activities_before_the_retention_never_count():
    oldest = day_number(date(2026, 3, 1))
    found = score(model({"demo": FORM}), (date(2026, 2, 28), 1), (date(2026, 3, 1), 1), oldest_day=oldest)
    assert (found.engagement, found.activity_count, found.rules[0].count) == (20, 1, 1)


@pytest.mark.parametrize(
    ("limit", "days", "counted"),
    [
        ("1 per day", ["2026-03-09", "2026-03-10", "2026-03-10"], 2),
        ("1 per week", ["2026-03-08", "2026-03-09", "2026-03-10"], 2),  # a week begins on Monday
        ("1 per week", ["2025-12-29", "2026-01-04", "2026-01-05"], 2),  # ISO week 1 of 2026
        ("2 per month", ["2026-02-28", "2026-03-01", "2026-03-02", "2026-03-03"], 3),
        ("1 per quarter", ["2025-12-31", "2026-01-01", "2026-03-10"], 2),
        ("1 per year", ["2024-12-31", "2025-01-01", "2025-12-31", "2026-01-01"], 3),
        ("2 per ever", ["1969-12-31", "2025-01-01", "2025-12-31"], 2),
        ("1 per month", ["1969-12-31", "1969-12-01", "1970-01-01"], 2),  # before 1970 too
    ],
)
def test_a_limit_counts_by_calendar_bin(limit, days, counted):
    limited = model({"mail": MAIL | {"limit": limit}})
    (rule,) = score(limited, *((date.fromisoformat(day), 2) for day in days)).rules
    assert (rule.count, rule.points) == (counted, counted * 3_000_000)


def test_the_newest_of_a_bin_count_and_lend_it_their_points():
    limited = model({"mail": MAIL | {"points": 30, "decay": "month", "limit": "2 per month"}})
    (rule,) = score(limited, *((date(2026, 3, day), 2) for day in (5, 8, 7, 6))).rules
    assert (rule.count, rule.points, rule.newest) == (2, 28_000_000 + 27_000_000, day_number(date(2026, 3, 8)))


def test_a_limit_for_each_value_counts_them_apart():
    activities = [(TODAY, number) for number in (2, 2, 3, 3, 3)]
    assert score(model({"mail": MAIL | {"limit": "1 per day each mail"}}), *activities).engagement == 6
    assert score(model({"mail": MAIL | {"limit": "1 per day"}}), *activities).engagement == 3


def test_values_and_bins_are_not_mixed_up():
    activities = [(date(2026, 3, 8 + i), number) for i in range(3) for number in (2, 3)]
    (rule,) = score(model({"mail": MAIL | {"limit": "1 per day each mail"}}), *activities).rules
    assert rule.count == 6


def test_a_future_activity_uses_up_no_limit():
    limited = model({"mail": MAIL | {"limit": "1 per week"}})
    assert score(limited, (TODAY, 2), (date(2026, 3, 11), 2)).engagement == 3


def test_rules_that_match_one_touchpoint_all_count():
    both = model({"first": MAIL, "second": MAIL | {"where": {"mail": "May"}, "points": 4}})
    assert score(both, (TODAY, 2), (TODAY, 3)).engagement == 3 + 3 + 4


@pytest.mark.parametrize(
    ("bounds", "counts", "points"),
    [
        ({}, (6, 1), 110),
        ({"cap": 40}, (6, 0), 40),
        ({"cap": 40}, (6, 8), 40),  # the cap is on the net sum: 120 - 80
        ({"cap": 40}, (6, 9), 30),
        ({"floor": -15}, (0, 4), -15),
        ({"floor": 0}, (1, 4), 0),
    ],
)
def test_cap_and_floor_hold_the_net_sum(bounds, counts, points):
    found = score(
        model({"demo": FORM, "jobs": {"activity": "jobs", "points": -10}}, bounds),
        *[(TODAY, 1)] * counts[0],
        *[(TODAY, 4)] * counts[1],
    )
    (group,) = found.groups
    assert (group.group.id, group.points) == ("web", points * 1_000_000)
    assert group.before == (20 * counts[0] - 10 * counts[1]) * 1_000_000
    assert found.engagement == min(max(points, 0), 100)


def test_the_newest_positive_activity_is_one_that_a_positive_rule_takes():
    scoring_model = model({"demo": FORM | {"decay": "gone"}, "jobs": {"activity": "jobs", "points": -10}})
    old = date(2025, 1, 1)  # long expired: it counts all the same
    found = score(scoring_model, (old, 1), (TODAY, 4), (TODAY, 2))
    assert found.newest_positive_at == day_number(old) * DAY_US + DAY_US // 2
    assert found.activity_count == 3  # matched or not
    assert {one.rule.id: (one.count, one.points) for one in found.rules} == {"demo": (1, 0), "jobs": (1, -10_000_000)}


def test_a_rule_of_no_points_makes_no_activity_positive():
    found = score(model({"demo": FORM | {"points": 0}}), (TODAY, 1))
    assert found.newest_positive_at is None
    assert found.rules[0].count == 1


def test_unknown_touchpoints_and_a_model_that_matches_none_count_nothing():
    assert score(model({"demo": FORM}), (TODAY, 77)).engagement == 0
    nothing = score(model({"demo": FORM | {"activity": "fax"}}), (TODAY, 1))
    assert (nothing.engagement, nothing.activity_count) == (0, 1)


def test_a_million_activities_sum_up_exactly():
    activities = 1_000_000
    scoring_model = model({"demo": FORM | {"points": 999.999999}, "jobs": {"activity": "jobs", "points": -999.999998}})
    compiled = compile_model(scoring_model, TOUCHPOINTS, Tables())
    days = np.full(activities, day_number(TODAY))
    batch = Batch(
        facts=[{}],
        offsets=np.array([0, activities]),
        at=days * DAY_US,
        day=days,
        touchpoint=np.tile(np.array([1, 4], dtype=np.uint32), activities // 2),
    )
    scores = score_people(compiled, batch, day_number(TODAY))
    assert scores.rule_points.tolist() == [[499_999_999_500_000, -499_999_999_000_000]]
    assert scores.engagement_micro.tolist() == [500_000]


def test_nobody_gives_empty_arrays():
    compiled = compile_model(model({"demo": FORM}), TOUCHPOINTS, Tables())
    scores = score_people(compiled, packed([]), day_number(TODAY))
    assert scores.score.shape == (0,)
    assert scores.rule_points.shape == (0, 1)
    assert scores.fit_points.shape == (0, 1)


def test_scores_are_arrays_by_person_and_rule():
    compiled = compile_model(model({"demo": FORM, "mail": MAIL}), TOUCHPOINTS, Tables())
    people = [({}, []), ({"size": 80}, [(TODAY, 1), (date(2026, 3, 1), 2)])]
    scores = score_people(compiled, packed(people), day_number(TODAY))
    assert scores.rule_count.tolist() == [[0, 0], [1, 1]]
    assert scores.rule_newest.tolist() == [[NEVER, NEVER], [day_number(TODAY), day_number(date(2026, 3, 1))]]
    assert (scores.grade.dtype, scores.level.dtype) == (np.int8, np.int8)
    assert scores.newest_positive_at[0] == NEVER
    wide = ("score", "fit", "rule_points", "rule_count", "rule_newest", "group_points", "activity_count", "fit_points")
    assert all(getattr(scores, name).dtype == np.int64 for name in wide)


@pytest.mark.parametrize("per", ["day", "week", "month", "quarter", "year", "ever"])
def test_calendar_bins_are_those_of_the_calendar(per):
    first = date(1965, 1, 1).toordinal()
    days = [date.fromordinal(first + i) for i in range(0, 30_000, 3)]
    names = {
        "day": lambda on: on,
        "week": lambda on: on.isocalendar()[:2],
        "month": lambda on: (on.year, on.month),
        "quarter": lambda on: (on.year, (on.month + 2) // 3),
        "year": lambda on: on.year,
        "ever": lambda _: "ever",
    }
    bins = calendar_bin(np.array([day_number(on) for on in days]), per).tolist()
    assert len(set(zip(bins, map(names[per], days), strict=True))) == len(set(bins)) == len(set(map(names[per], days)))


def test_of_a_group_the_first_rule_that_matches_counts():
    rules = {"demo": FORM | {"where": {"form": "demo"}, "limit": "1 per ever"}, "form": FORM | {"points": 1}}
    twice = [(TODAY, 1), (TODAY, 1)]
    assert score(model(rules), *twice).engagement == 22
    first = score(model(rules, {"match": "first"}), *twice)
    assert (first.engagement, [one.rule.id for one in first.rules]) == (20, ["demo"])  # its limit does not fall through
    gone = model({"demo": rules["demo"] | {"until": "2026-03-09"}, "form": rules["form"]}, {"match": "first"})
    assert score(gone, *twice).engagement == 0  # nor do its dates


def test_another_group_takes_what_the_first_match_took():
    raw = {"web": {"label": "W", "match": "first", "rules": {"a": FORM | {"label": "A"}}}}
    raw["all"] = {"label": "O", "rules": {"b": FORM | {"label": "B", "points": 1}}}
    assert score(model({"x": FORM}, engagement=raw), (TODAY, 1)).engagement == 21


@pytest.mark.parametrize(("on", "points"), [(1, 0), (2, 20), (5, 20), (6, 0)])
def test_an_offer_counts_from_its_first_to_its_last_day(on, points):
    offer = model({"demo": FORM | {"from": date(2026, 3, 2), "until": "2026-03-05"}})
    assert score(offer, (date(2026, 3, on), 1)).engagement == points


def test_what_is_outside_its_dates_uses_up_no_limit():
    offer = model({"demo": FORM | {"until": "2026-03-05", "limit": "1 per month"}})
    assert score(offer, (date(2026, 3, 4), 1), (date(2026, 3, 8), 1)).engagement == 20


@pytest.mark.parametrize(
    ("points", "met"), [(0.5, True), (0.499999, False), (-0.5, True), (-0.499999, False), (60, True)]
)
def test_a_rule_is_met_by_half_a_point_in_size_before_caps(points, met):
    rules = {"demo": FORM | {"points": points}, "jobs": {"activity": "jobs", "points": 1}}
    found = score(model(rules, {"cap": 60, "floor": 0}), (TODAY, 1))
    assert found.met == ({"demo"} if met else set())


def test_a_rule_is_met_with_its_limit_and_its_decay():
    fading = model({"demo": FORM | {"points": 10, "decay": "month", "limit": "1 per ever"}})
    old = date(2026, 2, 9)  # age 29: a third of a point is left of each
    assert score(fading, (old, 1), (old, 1)).met == set()


def test_an_adjustment_is_met_when_its_condition_holds_even_without_points():
    adjust = {"big": {"if": {"size": {"above": 10}}, "points": 0, "label": "Big"}}
    adjust["small"] = {"if": {"size": {"below": 10}}, "points": 5, "label": "Small"}
    fit = {"size": {"weight": 100, "percent": {"1+": 100}}, "adjust": adjust}
    assert score(model({"demo": FORM}, fit=fit), facts={"size": 80}).met == {"big"}


def test_an_instant_rule_gives_the_newest_activity_it_counts():
    rules = {
        "demo": FORM | {"until": "2026-03-08", "decay": "month"},
        "mail": MAIL,
        "jobs": {"activity": "jobs", "points": 1},
    }
    instant = model(rules, mql={"instant": {"demo": {}, "jobs": {"lasts": "3d"}}})
    found = score(instant, (date(2025, 1, 1), 1), (date(2026, 3, 7), 1), (TODAY, 1), (TODAY, 2))
    assert found.instants == {"demo": day_number(date(2026, 3, 7)) * DAY_US + DAY_US // 2, "jobs": None}
    faded = score(instant, (date(2025, 1, 1), 1))
    assert faded.instants["demo"] == day_number(date(2025, 1, 1)) * DAY_US + DAY_US // 2  # whatever it has left


def test_an_instant_rule_counts_what_it_takes_after_the_first_match_of_its_group():
    rules = {"demo": FORM | {"where": {"form": "demo"}}, "form": FORM | {"points": 1}}
    instant = model(rules, {"match": "first"}, mql={"instant": {"form": {}}})
    assert score(instant, (TODAY, 1)).instants == {"form": None}
    assert score(model(rules, mql={"instant": {"form": {}}}), (TODAY, 1)).instants["form"] is not None


@pytest.mark.parametrize(
    ("activities", "interest"),
    [
        ([], ""),
        ([(TODAY, 1)], "prices"),
        ([(TODAY, 1), (TODAY, 2), (TODAY, 2)], "prices"),  # 20 each, and prices are written first
        ([(TODAY, 1), (TODAY, 2), (TODAY, 2), (TODAY, 3)], "analytics"),  # two rules add up
        ([(TODAY, 4)], ""),  # less than nothing is no interest
    ],
)
def test_the_interest_is_that_with_most_points(activities, interest):
    rules = {
        "demo": FORM | {"interest": "prices"},
        "may": MAIL | {"points": 10, "where": {"mail": "may"}, "interest": "analytics"},
        "june": MAIL | {"points": 10, "where": {"mail": "june"}, "interest": "analytics"},
        "jobs": {"activity": "jobs", "points": -1, "interest": "jobs"},
        "none": {"activity": "jobs", "points": 50},
    }
    assert score(model(rules, {"cap": 60}), *activities).interest == interest


def test_the_interest_is_that_of_today():
    rules = {
        "demo": FORM | {"interest": "prices", "decay": "month"},
        "mail": MAIL | {"points": 10, "interest": "analytics"},
    }
    first = (date(2026, 3, 9), 1), (date(2026, 3, 9), 2)
    assert score(model(rules), *first).interest == "prices"
    assert score(model(rules), *first, today=date(2026, 3, 30)).interest == "analytics"  # 6 of 20 are left


@pytest.mark.parametrize(
    ("fit", "grade"),
    [
        (100, "A+"), (92, "A+"), (91, "A"), (84, "A"), (83, "A-"), (75, "A-"),
        (74, "B+"), (67, "B+"), (66, "B"), (59, "B"), (58, "B-"), (50, "B-"),
        (49, "C+"), (25, "C-"), (24, "D+"), (17, "D+"), (16, "D"), (9, "D"), (8, "D-"), (0, "D-"),
    ],
)  # fmt: skip
def test_thirds_split_each_band_in_three(fit, grade):
    keys = {"fit": {"size": {"weight": 100, "percent": {"1+": fit}}}, "thirds": True}
    found = score(model({"demo": FORM}, **keys), (TODAY, 1), facts={"size": 5})
    assert (found.grade, found.tier, found.level) == (grade, f"{grade[0]}4", 4)


def test_thirds_of_a_band_of_one_number_are_its_best_and_f_has_none():
    keys = {"grades": {"A": 100, "B": 99, "C": 1}, "thirds": True}
    assert score(model({"demo": FORM}, **keys), facts={"size": 80}).grade == "A+"
    lost = model({"demo": FORM}, **keys, disqualify={"out": {"if": {"size": 80}, "label": "Out"}})
    assert score(lost, facts={"size": 80}).grade == "F"
