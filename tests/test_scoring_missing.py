"""What is missing to be an MQL, right to the letter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring import qualifying
from scoring.missing import FACT_WORDS, missing, points_to_mql
from scoring.values import MICRO
from tests.scoring_journeys import DAY, ago, at, model, person, said, step, was, was_mql

DEMO_C = {"instant": {"demo": {"grade": "C or better", "lasts": "30d"}}}
TWO_OF = {"any": 2, "of": ["demo", "prices", "target"]}


def shown(**numbers):
    """An evaluation with these numbers, exact to the point, and the score that follows from 40 : 60."""
    fit, engagement = numbers.get("fit", 0), numbers.get("engagement", 0)
    grade = "A" if fit >= 75 else "B" if fit >= 50 else "C" if fit >= 25 else "D"
    plain = {
        "score": (40 * fit + 60 * engagement + 50) // 100,
        "fit_micro": fit * MICRO,
        "engagement_micro": engagement * MICRO,
        "grade": grade,
    }
    return person(**(plain | numbers))


def said_of(evaluation, needs=None, *, mql=None, journey=None, **fields):
    return missing(model(needs, mql=mql, **fields), journey or was("prospect"), evaluation, DAY)


@pytest.mark.parametrize(
    ("needs", "mql", "numbers", "expected"),
    [
        # the example of the design
        (
            {"engagement": 25, "facts": ["phone"]},
            {"instant": {"demo": {}}},
            {"engagement": 18},
            "7 points of engagement and a phone number; or “Asked for a demo”",
        ),
        ({"score": 60}, {}, {"engagement": 98}, "1 point of score"),
        ({"score": 60}, {}, {"engagement": 50}, "30 points of score"),
        ({"fit": 50}, {}, {"fit": 49}, "1 point of fit"),
        (
            {"fit": 50, "engagement": 25},
            {},
            {"fit": 48, "engagement": 20},
            "2 points of fit and 5 points of engagement",
        ),
        # 50 of fit and 40 of engagement make 44, and so bring a score of 40 but none of 60
        ({"score": 40, "fit": 50, "engagement": 40}, {}, {}, "50 points of fit and 40 points of engagement"),
        (
            {"score": 60, "fit": 50, "engagement": 40},
            {},
            {},
            "50 points of fit, 40 points of engagement and 60 points of score",
        ),
        # 49.5 of fit and 39.5 of engagement show as those, and make 43.5, which shows as 44 and not as 45
        ({"score": 44, "fit": 50, "engagement": 40}, {}, {}, "50 points of fit and 40 points of engagement"),
        (
            {"score": 45, "fit": 50, "engagement": 40},
            {},
            {},
            "50 points of fit, 40 points of engagement and 45 points of score",
        ),
        ({"fit": 50, "engagement": 25}, {}, {"fit": 50, "engagement": 20}, "5 points of engagement"),  # fit is reached
        ({"grade": "B or better"}, {}, {"fit": 30}, "grade B or better"),
        ({"grade": "A or better"}, {}, {"fit": 30}, "grade A"),
        ({"score": 30, "grade": "A or better"}, {}, {"fit": 74}, "grade A"),  # which brings the score of 30
        ({"facts": ["company", "phone"]}, {}, {"known": ("company",)}, "a phone number"),
        ({"facts": ["company", "phone", "title"]}, {}, {}, "a company, a phone number and a job title"),
        ({"facts": ["team_size"]}, {}, {}, "the team size"),  # no word and no label for it
        # N of M: by name when none can be left out
        ({"rules": TWO_OF}, {}, {}, "2 of “Asked for a demo”, “Looked at prices” or “Target country”"),
        ({"rules": TWO_OF}, {}, {"met": ("demo",)}, "1 of “Looked at prices” or “Target country”"),
        (
            {"rules": {"any": 2, "of": ["demo", "prices"]}},
            {},
            {"met": ("demo",)},
            "“Looked at prices”",
        ),
        ({"rules": {"any": 2, "of": ["demo", "call"]}}, {}, {}, "“Asked for a demo” and “Called us”"),
        ({"score": 60, "rules": TWO_OF}, {}, {"met": ("demo", "target"), "score": 50}, "10 points of score"),
        # instant rules: the activity, the grade, or both
        (None, DEMO_C, {"fit": 30}, "“Asked for a demo”"),
        (None, DEMO_C, {"fit": 20}, "grade C or better and “Asked for a demo”"),
        (None, DEMO_C, {"fit": 20, "asked": {"demo": at(DAY)}}, "grade C or better"),
        (None, DEMO_C, {"fit": 30, "asked": {"demo": at(ago(31))}}, "“Asked for a demo” again"),
        (None, {"instant": {"demo": {}, "call": {}}}, {}, "“Asked for a demo”; or “Called us”"),
        ({"rules": {"any": 1, "of": ["demo"]}}, {"instant": {"demo": {}}}, {}, "“Asked for a demo”"),  # once
        (None, {}, {}, ""),  # nobody qualifies
    ],
)
def test_what_is_missing_reads_as_one_says_it(needs, mql, numbers, expected):
    assert said_of(shown(**numbers), needs, mql=mql) == expected


def test_a_fact_is_named_by_the_label_of_its_variable():
    fit = {"team": {"weight": 100, "label": "Size of the team", "percent": {"1+": 100}}}
    assert said_of(shown(), {"facts": ["team"]}, fit=fit) == "the size of the team"
    unlabelled = {"team": {"weight": 100, "percent": {"1+": 100}}}
    assert said_of(shown(), {"facts": ["team"]}, fit=unlabelled) == "the team"


def test_patterns_are_named_by_their_labels():
    line = {"at_least": 3, "activity": "list_joined", "within": "7d"}
    patterns = {"often": {"all": [line], "points": 5, "label": "Three visits in a week"}}
    needs = {"rules": {"any": 2, "of": ["often", "demo"]}}
    assert said_of(shown(met=("demo",)), needs, patterns=patterns) == "“Three visits in a week”"


@pytest.mark.parametrize("fact", FACT_WORDS)
def test_every_fact_with_a_word_is_asked_for_by_it(fact):
    assert said_of(shown(), {"facts": [fact]}) == FACT_WORDS[fact]


def recycled(word="recycled"):
    sales = said(word, ago(5))
    return was("recycled", sales=word, sales_at=sales.at)


@pytest.mark.parametrize("word", ["recycled", "lost"])
@pytest.mark.parametrize(
    ("evaluation", "expected", "remark"),
    [
        (shown(fit=100, engagement=100), "something new", "the definition holds, and waits for it"),
        (shown(fit=100, engagement=100, newest=at(ago(5))), "something new", "no later than sales' word"),
        (shown(engagement=90, newest=at(ago(4))), "6 points of score", "there is something new"),
        (shown(engagement=90), "something new and 6 points of score", ""),
    ],
)
def test_whom_sales_handed_back_needs_something_new(evaluation, expected, remark, word):
    """A lapsed loss reads as a recycle."""
    assert said_of(evaluation, {"score": 60}, journey=recycled(word)) == expected, remark


def test_whom_sales_handed_back_asks_again():
    evaluation = shown(fit=30, asked={"demo": at(ago(6))}, newest=at(ago(6)))
    assert said_of(evaluation, mql=DEMO_C, journey=recycled()) == "“Asked for a demo” again"
    assert said_of(evaluation, mql=DEMO_C) == "", "without sales' word the old one holds"


@pytest.mark.parametrize("status", ["qualifying", "accepted", "won", "lost", "disqualified", "mql"])
def test_nothing_is_missing_where_sales_or_a_disqualifier_has_decided_or_of_an_mql(status):
    assert said_of(shown(), {"score": 60}, mql=DEMO_C, journey=was(status)) == ""


@pytest.mark.parametrize(
    ("needs", "numbers", "points", "remark"),
    [
        ({"score": 60}, {"engagement": 88}, 7, "60 less 53"),
        ({"engagement": 25}, {"engagement": 15}, 6, "9.5 of engagement bring it, which weighs 60 percent: 5.7"),
        ({"fit": 50}, {"fit": 40}, 4, "9.5 of fit are 3.8"),
        ({"fit": 50}, {"fit": 47}, 1, "49.5 shows as 50, and 2.5 of fit are just 1"),
        ({"grade": "B or better"}, {"fit": 40}, 4, "the band begins at 50"),
        ({"grade": "D or better", "score": 10}, {"fit": 0}, 10, "D begins at 0"),
        ({"fit": 50, "engagement": 25}, {"fit": 40, "engagement": 15}, 10, "both: 3.8 and 5.7"),
        ({"score": 60, "fit": 50}, {"fit": 40, "engagement": 60}, 8, "60 less 52 is more than 4"),
        ({"score": 46, "fit": 90}, {"fit": 0, "engagement": 70}, 36, "36 is more than 46 less 42"),
        ({"fit": 100, "engagement": 100}, {}, 100, "99.5 of both"),
        ({"facts": ["phone"]}, {}, 0, "no points are missing"),
        ({"score": 60}, {"engagement": 100, "fit": 100}, 0, ""),
        (None, {}, None, "no minimum"),
    ],
)
def test_points_to_mql_is_the_points_of_the_score_by_which_the_minimums_are_missed(needs, numbers, points, remark):
    assert points_to_mql(model(needs), was("prospect"), shown(**numbers)) == points, remark


@pytest.mark.parametrize("status", ["qualifying", "accepted", "won", "lost", "disqualified"])
def test_there_are_no_points_to_mql_where_something_else_has_decided(status):
    assert points_to_mql(model({"score": 60}), was(status), shown()) is None


def test_an_mql_has_no_points_to_go():
    assert points_to_mql(model({"score": 60}), was_mql(), shown(engagement=85)) == 0
    assert points_to_mql(model(), was_mql(), shown()) == 0


MODELS = [
    model({"score": 60}),
    model({"score": 30, "fit": 50, "engagement": 20, "grade": "C or better", "facts": ["phone"]}),
    model({"rules": TWO_OF}, mql=DEMO_C),
    model(mql=DEMO_C),
]


@given(
    st.sampled_from(MODELS),
    st.integers(0, 100),
    st.integers(0, 100),
    st.sets(st.sampled_from(["demo", "target"])),
    st.sets(st.sampled_from(["phone"])),
    st.sampled_from([None, at(DAY), at(ago(40))]),
    st.sampled_from([None, said("recycled", ago(3)), said("lost", ago(200))]),
)
def test_something_is_missing_of_whom_the_journey_keeps_open_and_of_nobody_else(
    chosen, fit, engagement, met, known, demo, sales
):
    """What the words ask for is what the transition table waits for."""
    asked = {} if demo is None else {"demo": demo}
    evaluation = shown(fit=fit, engagement=engagement, met=met, known=known, asked=asked, newest=demo)
    journey, _ = step(None, evaluation, sales, model=chosen)
    text = missing(chosen, journey, evaluation, DAY)
    assert (text != "") == (journey.status != "mql")
    if qualifying.holds(chosen, evaluation):
        assert points_to_mql(chosen, journey, evaluation) == 0
