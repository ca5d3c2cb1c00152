"""Momentum and surges: the same function on earlier days, with facts, model and sales' word as of now."""

from datetime import date, timedelta

import numpy as np
import pytest

from scoring.compile import compile_model
from scoring.fact_values import EPOCH
from scoring.kernel import NEVER, Batch, score_people
from scoring.model import ScoringModel
from scoring.tables import Tables
from scoring.trend import look_back, momentum, score_with_trend, surged_on
from tests.scoring_cases import DAY_US, TODAY, TOUCHPOINTS, noon, raw_model, rule
from tests.scoring_journeys import DAY, ago, model, person, step

FADING = {"form": rule("form", 60, decay="month")}  # two points a day


def trend(raw, *activities, facts=None, recycled=NEVER, kept_days=None, day=TODAY):
    """The evaluation with its earlier scores; activities are (days ago, touchpoint) at noon."""
    days = np.array([TODAY - ago_ for ago_, _ in activities], dtype=np.int64)
    batch = Batch(
        facts=[facts or {}],
        offsets=np.array([0, len(activities)]),
        at=days * DAY_US + DAY_US // 2,
        day=days,
        touchpoint=np.array([TOUCHPOINTS[name].number for _, name in activities], dtype=np.uint32),
        recycled_at=np.array([noon(recycled)]),
    )
    compiled = compile_model(ScoringModel.model_validate(raw), list(TOUCHPOINTS.values()), Tables())
    return score_with_trend(compiled, batch, day, kept_days=kept_days).person(0)


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (40, 50, "rising"),
        (40, 49, "steady"),
        (40, 40, "steady"),
        (49, 40, "steady"),
        (50, 40, "fading"),
    ],
)
def test_momentum_is_ten_points_in_seven_days(before, now, expected):
    assert momentum(person(score=now, earlier={7: before})) == expected


def test_the_disqualified_have_no_momentum():
    assert momentum(person(score=0, earlier={7: 50}, disqualified_by="student", grade="F", tier="F")) is None


def test_an_earlier_day_sees_its_own_ages_and_nothing_that_came_later():
    found = trend(raw_model(FADING), (0, "demo"), (10, "news"))
    assert (found.score, found.earlier) == (100, {7: 54})  # 60 + 40 today; 60 - 6 of the older one a week before


def test_an_earlier_day_has_the_retention_of_that_day():
    kept = {"kept_days": 5}
    assert trend(raw_model({"form": rule("form", 60)}), (10, "demo"), **kept).score == 0
    assert trend(raw_model({"form": rule("form", 60)}), (10, "demo"), **kept).earlier == {7: 60}


def test_an_earlier_day_has_its_own_windows_and_dates():
    keen = {"keen": {"all": [{"at_least": 2, "activity": "form", "within": "3d"}], "points": 30, "label": "Keen"}}
    found = trend(raw_model({"form": rule("form", 1)}, patterns=keen), (7, "demo"), (8, "news"))
    assert (found.score, found.earlier) == (2, {7: 32})


def test_facts_and_sales_word_are_those_of_now_also_when_said_after_that_day():
    raw = raw_model({"form": rule("form", 60)}, mql={"recycle": {"keep_at_most": 20}})
    found = trend(raw, (30, "demo"), recycled=1)
    assert (found.score, found.earlier) == (20, {7: 20})


def test_a_date_in_fit_is_compared_with_the_earlier_day():
    raw = raw_model({"form": rule("form", 1)}) | {
        "weights": {"fit": 100, "engagement": 0},
        "fit": {"need": {"weight": 100, "percent": {"within 30d": 100, "within 90d": 50}}},
    }
    needed = date.fromordinal(EPOCH + TODAY) + timedelta(days=27)
    found = trend(raw, facts={"need": needed})
    assert (found.score, found.earlier) == (100, {7: 50})


def test_the_score_of_the_day_is_that_of_one_day_alone():
    raw = raw_model(FADING, surge={"rise": 20, "within": "30d"})
    compiled = compile_model(ScoringModel.model_validate(raw), list(TOUCHPOINTS.values()), Tables())
    day = np.array([TODAY - 3])
    batch = Batch(
        facts=[{}], offsets=np.array([0, 1]), at=day * DAY_US, day=day, touchpoint=np.array([1], dtype=np.uint32)
    )
    alone = score_people(compiled, batch, TODAY).person(0)
    whole = score_with_trend(compiled, batch, TODAY).person(0)
    assert whole.earlier.keys() == {7, 30}
    assert {**vars(whole), "earlier": {}} == vars(alone)


def test_a_surge_of_a_week_needs_no_day_of_its_own():
    assert look_back(model(surge={"rise": 20, "within": "7d"})) == (7,)
    assert look_back(model()) == (7,)


SURGE = model(surge={"rise": 20, "within": "14d"})


@pytest.mark.parametrize(
    ("score", "before", "last", "expected"),
    [
        (60, 40, None, DAY),
        (59, 40, None, None),
        (60, 40, ago(15), DAY),
        (60, 40, ago(14), ago(14)),  # not more than the span ago
        (30, 40, ago(100), ago(100)),
    ],
)
def test_a_surge_is_a_rise_within_the_span_that_was_not_told_yet(score, before, last, expected):
    assert surged_on(SURGE, person(score=score, earlier={7: 0, 14: before}), last, DAY) == expected


def test_a_surge_rests_while_somebody_is_disqualified_or_the_model_names_none():
    risen = {"score": 60, "earlier": {7: 0, 14: 0}}
    lost = person(**risen, disqualified_by="student")
    assert surged_on(SURGE, lost, None, DAY) is None
    assert surged_on(SURGE, lost, ago(100), DAY) == ago(100)
    assert surged_on(model(), person(**risen), None, DAY) is None


def test_the_journey_keeps_the_day_of_the_surge():
    journey, _ = step(None, person(score=60, earlier={7: 60, 14: 0}), model=SURGE)
    assert journey.surged_on == DAY
