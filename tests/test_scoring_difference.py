"""The difference of two days: it adds up, and each line says how it came about."""

from datetime import date

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from scoring.compile import compile_model
from scoring.difference import shifts
from scoring.fact_values import EPOCH
from scoring.kernel import Batch, score_people
from scoring.ledger import UNITS_PER_POINT, explain
from scoring.model import ScoringModel
from scoring.tables import Tables
from tests.scoring_cases import DAY_US, TODAY, TOUCHPOINTS, noon, raw_model, rule

SILENCE = {"after": "5d", "take": 5, "every": "3d", "at_most": 20}
KEEN = {"all": [{"at_least": 2, "activity": "form", "within": "3d"}], "points": 15, "label": "Keen"}
RAW = raw_model(
    {
        "form": rule("form", 40, decay="month", limit="2 per month"),
        "click": rule("email_clicked", 30),
        "jobs": rule("jobs", -20, decay="month"),
    },
    {"cap": 70, "floor": -10},
    patterns={"keen": KEEN},
    silence=SILENCE,
    mql={"recycle": {"keep_at_most": 20}},
) | {
    "weights": {"fit": 30, "engagement": 70},
    "fit": {
        "need": {"weight": 100, "percent": {"within 5d": 100, "within 20d": 50}},
        "adjust": {"late": {"if": {"need": {"past": "9d"}}, "points": -7, "label": "Too late"}},
    },
    "disqualify": {"gone": {"if": {"need": {"past": "100d"}}, "label": "Long gone"}},
}
COMPILED = compile_model(ScoringModel.model_validate(RAW), list(TOUCHPOINTS.values()), Tables())


def ledger(activities, day, need=None, recycled=None):
    """The ledger on so many days ago, of (days ago, touchpoint) at noon."""
    days = np.array([TODAY - ago for ago, _ in activities], dtype=np.int64)
    facts = {} if need is None else {"need": date.fromordinal(EPOCH + TODAY + need)}
    batch = Batch(
        facts=[facts],
        offsets=np.array([0, len(activities)]),
        at=days * DAY_US + DAY_US // 2,
        day=days,
        touchpoint=np.array([TOUCHPOINTS[name].number for _, name in activities], dtype=np.uint32),
        recycled_at=None if recycled is None else np.array([noon(recycled)]),
    )
    return explain(COMPILED, score_people(COMPILED, batch, TODAY - day).person(0), facts)


def three(activities, earlier, later=0, **more):
    """The ledgers of the earlier day, of the later one with nothing done in between, and of the later one."""
    before = [one for one in activities if one[0] >= earlier]
    return ledger(before, earlier, **more), ledger(before, later, **more), ledger(activities, later, **more)


def told(activities, earlier, **more):
    return {(shift.why, shift.key): float(shift.points) for shift in shifts(*three(activities, earlier, **more))}


names = st.sampled_from(["demo", "news", "click", "june", "jobs"])
timelines = st.lists(st.tuples(st.integers(-2, 40), names), max_size=12)


@given(
    timelines, st.integers(1, 30), st.integers(0, 20), st.integers(-150, 60) | st.none(), st.none() | st.integers(0, 40)
)
def test_the_lines_add_up_to_the_difference_of_the_scores(activities, span, later, need, recycled):
    before, aged, now = three(activities, later + span, later, need=need, recycled=recycled)
    assert sum(shift.units for shift in shifts(before, aged, now)) == (now.score - before.score) * UNITS_PER_POINT
    assert all(shift.units for shift in shifts(before, aged, now))


@given(timelines, st.integers(0, 20), st.integers(-150, 60) | st.none())
def test_a_day_differs_from_itself_in_nothing(activities, day, need):
    one = ledger([each for each in activities if each[0] >= day], day, need=need)
    assert shifts(one, one, one) == ()


def test_what_was_done_and_what_faded_are_told_apart():
    found = told([(4, "demo"), (1, "news")], 2)
    # 40 points a form, a thirtieth less a day, 70 percent of the score
    assert round(found["decay", "form"], 5) == round(-40 * 2 / 30 * 0.7, 5)
    assert round(found["activity", "form"], 5) == round(40 * 29 / 30 * 0.7, 5)


def test_a_newer_one_that_takes_the_place_of_an_older_one_brings_the_difference():
    found = told([(9, "demo"), (8, "news"), (0, "demo")], 5)
    assert round(found["activity", "form"], 5) == round(40 * 9 / 30 * 0.7, 5)


def test_a_window_that_closes_is_a_matter_of_time():
    found = told([(3, "demo"), (3, "news")], 2)
    assert found["time", "keen"] == -10.5
    found = told([(2, "demo"), (1, "news")], 2)
    assert found["activity", "keen"] == 10.5


def test_silence_begins_and_ends():
    assert told([(7, "click")], 5)["silence", "silence"] == -3.5
    assert told([(9, "click"), (0, "june")], 3)["silence", "silence"] == 3.5


def test_a_date_in_fit_a_bound_and_a_disqualifier_have_their_lines():
    assert told([], 2, need=4) == {("time", "need"): 15.0}
    assert told([(9, "click"), (9, "click"), (1, "click")], 2)["bound", "web"] == -14.0
    assert ("disqualified", "gone") in told([(110, "click")], 110, need=-1)


def test_each_line_says_whose_it_is():
    (shift,) = shifts(*three([], 2, need=4))
    assert (shift.label, shift.units) == ("Need", 15 * UNITS_PER_POINT)
