"""The definition of an MQL, leaving, instant rules and how long a loss rules, sentence by sentence."""

from datetime import timedelta

import numpy as np
import pytest

from scoring import qualifying
from scoring.compile import Touchpoint, compile_model
from scoring.fact_values import day_number
from scoring.kernel import Batch, score_people
from scoring.model import ScoringModel
from scoring.sales import recycled_at
from scoring.tables import Tables
from tests.scoring_cases import evaluate, raw_model, rule
from tests.scoring_journeys import DAY, NO_NEEDS, ago, at, model, person, said, status_of, step, was, was_mql

DEMO, CALL, PRICES = 1, 2, 3  # touchpoints
TWO_OF = {"any": 2, "of": ["demo", "prices", "target"]}

# ---- the definition


@pytest.mark.parametrize(
    ("needs", "enough", "short"),
    [
        ({"score": 60}, {"score": 60}, {"score": 59}),
        ({"fit": 60}, {"fit": 60}, {"fit": 59}),
        ({"engagement": 60}, {"engagement": 60}, {"engagement": 59}),
        ({"grade": "B or better"}, {"grade": "B"}, {"grade": "C"}),
        ({"grade": "B or better"}, {"grade": "A"}, {"grade": "F"}),
        ({"facts": ["company", "phone"]}, {"known": ("phone", "company", "title")}, {"known": ("company",)}),
        ({"score": 60, "fit": 50}, {"score": 60, "fit": 50}, {"score": 60, "fit": 49}),  # all of them
        ({"score": 60, "grade": "C or better"}, {"score": 60, "grade": "C"}, {"score": 60, "grade": "D"}),
        ({"score": 60, "facts": ["company"]}, {"score": 60, "known": ("company",)}, {"score": 60}),
        # with thirds "B or better" begins at B-
        ({"grade": "B or better"}, {"grade": "B-"}, {"grade": "C+"}),
        # N of M, adjust and engagement rules alike
        ({"rules": TWO_OF}, {"met": ("demo", "target")}, {"met": ("target", "call")}),
        ({"rules": TWO_OF}, {"met": ("demo", "target", "prices")}, {"met": ("demo",)}),
        ({"score": 60, "rules": TWO_OF}, {"score": 60, "met": TWO_OF["of"]}, {"score": 60}),
    ],
)
def test_definition_is_minimums_on_score_fit_engagement_grade_facts_that_must_be_known_and_n_of_m(needs, enough, short):
    assert status_of(None, person(**enough), model=model(needs)) == "mql"
    assert status_of(None, person(**short), model=model(needs)) == "suspect"


@pytest.mark.parametrize(
    ("needs", "stays", "leaves"),
    [
        # "score, fit and engagement 10 lower by default"
        ({"score": 60}, {"score": 50}, {"score": 49}),
        ({"fit": 60}, {"fit": 50}, {"fit": 49}),
        ({"engagement": 60}, {"engagement": 50}, {"engagement": 49}),
        # "a grade its band's lower bound in fit 10 lower"
        ({"grade": "B or better"}, {"grade": "C", "fit": 40}, {"grade": "C", "fit": 39}),
        ({"grade": "A or better"}, {"grade": "B", "fit": 65}, {"grade": "B", "fit": 64}),
        # "facts and rules bind on entry only"
        ({"score": 60, "facts": ["company"]}, {"score": 60}, {"score": 49, "known": ("company",)}),
        ({"score": 60, "rules": TWO_OF}, {"score": 60}, {"score": 49, "met": TWO_OF["of"]}),
        # "no minimum is below its leave_below": one is enough to leave
        ({"score": 60, "fit": 60}, {"score": 50, "fit": 50}, {"score": 100, "fit": 49}),
        # "a definition without minimums: it still holds"
        ({"facts": ["company"]}, {"known": ("company",)}, {"score": 100}),
        ({"rules": TWO_OF}, {"met": ("demo", "prices")}, {"met": ("demo",), "score": 100}),
    ],
)
def test_an_mql_leaves_when_a_value_is_under_its_bound(needs, stays, leaves):
    assert status_of(was_mql(), person(**stays), model=model(needs)) == "mql"
    assert status_of(was_mql(), person(**leaves), model=model(needs)) == "prospect"


def test_the_bands_of_the_model_decide_when_a_grade_leaves():
    strict = model({"grade": "B or better"}, grades={"A": 90, "B": 70, "C": 30})
    assert status_of(was_mql(), person(grade="C", fit=60), model=strict) == "mql"
    assert status_of(was_mql(), person(grade="C", fit=59), model=strict) == "prospect"


def test_d_or_better_is_never_left():
    assert status_of(was_mql(), person(grade="D", fit=0), model=model({"grade": "D or better"})) == "mql"


B_AND_60 = {"score": 60, "fit": 50, "engagement": 40, "grade": "B or better"}
WELL = {"score": 60, "fit": 50, "engagement": 40, "grade": "B"}


@pytest.mark.parametrize(
    ("leave_below", "stays", "leaves", "remark"),
    [
        ({"score": 55}, {"score": 55}, {"score": 54}, "the key named overrides its default"),
        ({"fit": 45}, {"fit": 45}, {"fit": 44}, ""),
        ({"engagement": 5}, {"engagement": 5}, {"engagement": 4}, ""),
        ({"score": 55}, {"fit": 40, "grade": "C"}, {"fit": 39}, "the others keep theirs"),
        ({"score": 60}, {"score": 60}, {"score": 59}, "no hysteresis at all"),
        ({"grade": "B", "fit": "never"}, {"fit": 50, "grade": "B"}, {"fit": 49, "grade": "C"}, "the band's own bound"),
        ({"grade": "C", "fit": "never"}, {"fit": 25, "grade": "C"}, {"fit": 24, "grade": "D"}, "of the letter named"),
        ({"grade": "D", "fit": "never"}, {"fit": 0, "grade": "D"}, {"score": 49}, "no fit is below D"),
        ({"score": "never"}, {"score": 0}, {"engagement": 29}, "never for one key: it no longer binds"),
        ({"fit": "never", "grade": "never"}, {"fit": 0, "grade": "D"}, {"score": 49}, ""),
        ({"grade": "never"}, {"fit": 40, "grade": "C"}, {"fit": 39}, "fit has a minimum of its own"),
    ],
)
def test_the_keys_of_leave_below_override_their_defaults(leave_below, stays, leaves, remark):
    chosen = model(B_AND_60, mql={"leave_below": leave_below})
    assert status_of(was_mql(), person(**(WELL | stays)), model=chosen) == "mql", remark
    assert status_of(was_mql(), person(**(WELL | leaves)), model=chosen) == "prospect", remark


def test_leave_below_is_for_leaving_only():
    lax = model({"score": 60}, mql={"leave_below": {"score": 20}})
    assert status_of(was("prospect"), person(score=59), model=lax) == "prospect"


def test_never_for_every_minimum_leaves_nothing_to_fall_below():
    chosen = model({"score": 60, "facts": ["company"]}, mql={"leave_below": {"score": "never"}})
    assert status_of(was_mql(), person(), model=chosen) == "mql"


@pytest.mark.parametrize("needs", [{"score": 60}, {"facts": ["company"]}, {"rules": TWO_OF}, None])
def test_leave_below_never_an_mql_stays_until_sales_decides(needs):
    stays = model(needs, mql={"leave_below": "never", "instant": {"demo": {}}})
    assert status_of(was_mql(), person(), model=stays) == "mql"
    assert status_of(was("prospect"), person(), model=stays) == "prospect"
    assert status_of(was_mql(), person(), said("accepted"), model=stays) == "accepted"
    assert status_of(was_mql(), person(newest=at(DAY)), said("recycled", ago(1)), model=stays) == "recycled"
    assert status_of(was_mql(), person(disqualified_by="student"), model=stays) == "disqualified"


def test_the_bands_of_the_model_decide_a_letter_in_leave_below():
    strict = model({"grade": "B or better"}, grades={"A": 90, "B": 70, "C": 30}, mql={"leave_below": {"grade": "C"}})
    assert status_of(was_mql(), person(grade="C", fit=30), model=strict) == "mql"
    assert status_of(was_mql(), person(grade="D", fit=29), model=strict) == "prospect"


# ---- instant rules


@pytest.mark.parametrize(
    ("instant", "evaluation", "holds", "remark"),
    [
        ({"demo": {}}, {"asked": {"demo": at(DAY)}}, True, ""),
        ({"demo": {}}, {}, False, "nothing of it"),
        ({"demo": {}}, {"asked": {"call": at(DAY)}}, False, "another rule"),
        ({"demo": {}}, {"asked": {"demo": at(ago(30))}}, True, "lasts 30 days by default, the 30th included"),
        ({"demo": {}}, {"asked": {"demo": at(ago(31))}}, False, ""),
        ({"demo": {"lasts": "1d"}}, {"asked": {"demo": at(ago(1))}}, True, ""),
        ({"demo": {"lasts": "1d"}}, {"asked": {"demo": at(ago(2))}}, False, ""),
        ({"demo": {"grade": "C or better"}}, {"grade": "C", "asked": {"demo": at(DAY)}}, True, "the grade suffices"),
        ({"demo": {"grade": "C or better"}}, {"grade": "D", "asked": {"demo": at(DAY)}}, False, "it does not"),
        ({"demo": {"grade": "C or better"}}, {"grade": "C-", "asked": {"demo": at(DAY)}}, True, "of thirds"),
        ({"demo": {}}, {"grade": "D", "asked": {"demo": at(DAY)}}, True, "without a grade any suffices"),
        ({"demo": {}, "call": {}}, {"asked": {"call": at(DAY)}}, True, "one of several"),
        ({"demo": {"grade": "A or better"}, "call": {}}, {"asked": {"demo": at(DAY)}}, False, "each by its own grade"),
    ],
)
@pytest.mark.parametrize("needs", [None, {"score": 60}])
def test_an_instant_rule_holds_while_its_newest_counted_activity_is_young_enough(
    needs, instant, evaluation, holds, remark
):
    """It qualifies by itself, and without ``needs`` only it does."""
    chosen = model(needs, mql={"instant": instant})
    assert status_of(None, person(**evaluation), model=chosen) == ("mql" if holds else "suspect"), remark
    assert status_of(was_mql(), person(**evaluation), model=chosen) == ("mql" if holds else "prospect"), remark


@pytest.mark.parametrize(
    ("asked", "holds"),
    [(at(ago(5)) - 1, False), (at(ago(5)), False), (at(ago(5)) + 1, True)],
)
@pytest.mark.parametrize("word", ["recycled", "lost"])
def test_if_sales_said_recycled_an_instant_rule_holds_through_what_is_later_only(word, asked, holds):
    """A lapsed loss reads as recycled; something else that is positive is newer than both."""
    chosen = model(mql={"instant": {"demo": {}}, "lost_for": "1d"})
    got = status_of(was("lost"), person(newest=at(DAY), asked={"demo": asked}), said(word, ago(5)), model=chosen)
    assert got == ("mql" if holds else "recycled")


def test_grade_f_suffices_for_no_instant_rule():
    chosen = model(mql={"instant": {"demo": {}}})
    assert qualifying.instants(chosen, person(grade="F", asked={"demo": at(DAY)}), DAY) == ()


def test_the_instant_rules_that_hold_are_in_the_order_of_the_model():
    chosen = model(mql={"instant": {"call": {}, "demo": {}, "prices": {}}})
    evaluation = person(asked={"demo": at(DAY), "call": at(DAY)})
    assert qualifying.instants(chosen, evaluation, DAY) == ("call", "demo")


# ---- without needs


def test_no_needs_has_no_minimum():
    assert qualifying.minimums(NO_NEEDS, person(score=60)) == {}


def test_no_needs_nobody_qualifies_and_no_mql_stays():
    best = person(score=100, fit=100, engagement=100, grade="A", known=("company",))
    assert status_of(None, best, model=NO_NEEDS) == "suspect"
    assert status_of(was_mql(), best, model=NO_NEEDS) == "prospect"


# ---- how long a loss rules


@pytest.mark.parametrize(
    ("age", "newest", "expected"),
    [
        (0, None, "lost"),
        (180, 10, "lost"),  # "lost_for: 180d through age 180", whatever is new
        (181, None, "recycled"),  # "then reads as recycled"
        (181, 181, "recycled"),  # "at the same sales_at": not later
        (181, 10, "mql"),  # and something new counts from there
    ],
)
def test_lost_rules_for_180_days_then_reads_as_recycled_at_the_same_sales_at(age, newest, expected):
    lost = said("lost", DAY - timedelta(days=age))
    evaluation = person(score=60, newest=None if newest is None else at(DAY - timedelta(days=newest)))
    now, _ = step(was("lost", sales="lost", sales_at=lost.at), evaluation, lost)
    assert now.status == expected
    assert (now.sales, now.sales_at) == ("lost", lost.at)  # "raw: lost, not what it lapses to"


@pytest.mark.parametrize(
    ("lost_for", "age", "expected"),
    [("30d", 30, "lost"), ("30d", 31, "recycled"), ("ever", 181, "lost"), ("ever", 20_000, "lost")],
)
def test_lost_for_says_how_long_a_loss_rules(lost_for, age, expected):
    chosen = model({"score": 60}, mql={"lost_for": lost_for})
    assert status_of(was("lost"), person(score=60), said("lost", ago(age)), model=chosen) == expected


@pytest.mark.parametrize("word", ["won", "accepted", "qualifying"])
def test_no_other_word_lapses(word):
    assert status_of(was(word), person(score=100), said(word, DAY - timedelta(days=2_000))) == word


@pytest.mark.parametrize(
    ("sales", "expected"),
    [
        (None, None),
        (said("accepted"), None),
        (said("recycled"), at(DAY)),
        (said("lost", ago(180)), None),
        (said("lost", ago(181)), at(ago(181))),
    ],
)
def test_the_instant_of_a_recycle_is_that_of_sales_word_a_lapsed_loss_among_them(sales, expected):
    assert recycled_at(NO_NEEDS, sales, DAY) == expected


def test_a_loss_that_lapses_is_no_new_word_of_sales():
    lost = said("lost", DAY - timedelta(days=181))
    transition = step(was("lost", sales="lost", sales_at=lost.at), person(), lost)[1]
    assert (transition.to, transition.cause) == ("recycled", "decay")


def test_an_mql_after_a_lapsed_loss_stays_by_row_4():
    lost = said("lost", DAY - timedelta(days=200))
    first, entry = step(was("lost", sales="lost", sales_at=lost.at), person(score=60, newest=at(DAY)), lost)
    later, transition = step(first, person(score=50, newest=at(DAY)), lost, day=DAY + timedelta(days=1))
    assert (entry.to, later.status, transition) == ("mql", "mql", None)


# ---- with what the kernel gives


@pytest.mark.parametrize(
    ("activities", "expected", "remark"),
    [
        ([(ago(30), DEMO)], "mql", "the instant rule holds"),
        ([(ago(31), DEMO)], "prospect", "no longer"),
        ([(ago(31), DEMO), (ago(2), PRICES)], "prospect", "another rule's activity does not hold it"),
        ([(ago(90), DEMO), (ago(3), DEMO)], "mql", "the newest counts"),
        ([(ago(5), PRICES), (ago(4), CALL)], "mql", "two of three rules are met"),
        ([(ago(5), PRICES)], "prospect", "one of them"),
        ([], "suspect", "nothing at all"),
    ],
)
def test_the_kernels_evaluation_decides_the_status(activities, expected, remark):
    """The ids that are met and the instants that count are those the kernel finds."""
    chosen = model({"rules": {"any": 2, "of": ["prices", "call", "target"]}}, mql={"instant": {"demo": {}}})
    kinds = {DEMO: "form_submitted", CALL: "call_received", PRICES: "list_joined"}
    touchpoints = [Touchpoint(number=number, kind=kind, attributes={}) for number, kind in kinds.items()]
    batch = Batch(
        facts=[{}],
        offsets=np.array([0, len(activities)]),
        at=np.array([at(day) for day, _ in activities], dtype=np.int64),
        day=np.array([day_number(day) for day, _ in activities], dtype=np.int64),
        touchpoint=np.array([number for _, number in activities], dtype=np.uint32),
    )
    evaluation = score_people(compile_model(chosen, touchpoints, Tables()), batch, day_number(DAY)).person(0)
    assert status_of(None, evaluation, model=chosen) == expected, remark


@pytest.mark.parametrize(("points", "expected"), [(59.5, "mql"), (59.499999, "prospect")])
def test_what_is_shown_decides_a_minimum(points, expected):
    """59.5 is shown as 60."""
    raw = raw_model({"form": rule("form", points)}, mql={"needs": {"engagement": 60}})
    assert status_of(None, evaluate(raw, (0, "demo")), model=ScoringModel.model_validate(raw)) == expected


def test_of_n_of_m_a_pattern_an_adjustment_and_a_rule_count_alike():
    patterns = {"twice": {"all": [{"at_least": 2, "activity": "form"}], "points": 0, "label": "Twice"}}
    raw = raw_model({"jobs": rule("jobs", -1)}, patterns=patterns)
    raw["fit"]["adjust"] = {"big": {"if": {"size": {"above": 50}}, "points": 5, "label": "Big"}}
    raw["mql"] = {"needs": {"rules": {"any": 2, "of": ["twice", "big", "jobs"]}}}
    chosen = ScoringModel.model_validate(raw)

    def status(*activities, **facts):
        return status_of(None, evaluate(raw, *activities, facts=facts), model=chosen)

    assert status((0, "demo"), (1, "demo")) == "suspect"
    assert status((0, "demo"), (1, "demo"), size=60) == "mql"
    assert status((0, "demo"), (1, "demo"), (1, "jobs")) == "mql"
    assert status((1, "jobs"), size=60) == "mql"
