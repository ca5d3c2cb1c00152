"""The lines of a ledger add up to the score that people see, whatever the model and the person."""

import json
from datetime import date
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.compile import Touchpoint, compile_model
from scoring.fact_values import day_number
from scoring.journey import Journey
from scoring.kernel import NEVER, Batch, score_people
from scoring.ledger import UNITS_PER_POINT, explain
from scoring.model import ScoringModel
from scoring.tables import Tables
from scoring.wording import outputs, reasons

DAY = date(2026, 11, 14)
TODAY = day_number(DAY)
US_PER_DAY = 86_400_000_000
KINDS = ("form_submitted", "list_joined", "email_clicked")
TOUCHPOINTS = [Touchpoint(number=number, kind=kind, attributes={}) for number, kind in enumerate(KINDS, start=1)]


def rule(kind, points, label, **fields):
    return {"activity": kind, "points": points, "label": label, **fields}


RAW = {
    "model": "b2b",
    "weights": {"fit": 40, "engagement": 60},
    "decays": {"click": {"half_life": "14d"}},
    "fit": {
        "need_date": {"weight": 60, "percent": {"within 90d": 100}},
        "employees": {"weight": 40, "label": "Company size", "percent": {"1-49": 33, "50+": 100}},
        "adjust": {
            "target": {"if": {"target": True}, "points": 30, "label": "Target account"},
            "private": {"if": {"private": True}, "points": -60, "label": "Private e-mail address"},
        },
    },
    "engagement": {
        "hand": {
            "label": "Raised a hand",
            "cap": 60.5,
            "rules": {"demo": rule("form_submitted", 40, "Asked for a demo")},
        },
        "web": {
            "label": "On our site",
            "floor": -5,
            "rules": {
                "pricing": rule("list_joined", 50, "Looked at prices", limit="1 per ever"),
                "careers": rule("email_clicked", -8, "Read job offers", decay="click"),
            },
        },
    },
    "disqualify": {"competitor": {"if": {"competitor": True}, "label": "Competitor"}},
}
MODEL = ScoringModel.model_validate(RAW)


def book(facts=None, activities=(), model=MODEL, recycled=None):
    """The ledger and the evaluation of a person; activities are (kind, days ago), ``recycled`` is days ago."""
    facts = facts or {}
    days = np.array([TODAY - ago for _, ago in activities], dtype=np.int64)
    batch = Batch(
        facts=[facts],
        offsets=np.array([0, len(activities)]),
        at=days * US_PER_DAY,
        day=days,
        touchpoint=np.array([1 + KINDS.index(kind) for kind, _ in activities], dtype=np.uint32),
        recycled_at=np.array([NEVER if recycled is None else (TODAY - recycled) * US_PER_DAY]),
    )
    compiled = compile_model(model, TOUCHPOINTS, Tables())
    evaluation = score_people(compiled, batch, TODAY).person(0)
    return explain(compiled, evaluation, facts), evaluation


def shown(ledger):
    return [(line.part, line.kind, line.key, line.label, f"{line.points:f}") for line in ledger.lines]


UNKNOWN = [
    ("fit", "variable", "need_date", "Need date", "0"),
    ("fit", "variable", "employees", "Company size", "0"),
]


@pytest.mark.parametrize(
    ("facts", "activities", "lines", "score"),
    [
        ({}, [], UNKNOWN, 0),  # nothing known, nothing done: variables alone, and they say that they are unknown
        (
            # a fact of each variable, an adjustment, and fit over its top
            {"need_date": date(2027, 1, 1), "employees": 120, "target": True},
            [],
            [
                ("fit", "variable", "need_date", "Need date", "24"),
                ("fit", "variable", "employees", "Company size", "16"),
                ("fit", "adjust", "target", "Target account", "12"),
                ("fit", "clamp", "fit", "Fit: never above 100", "-12"),
            ],
            40,
        ),
        (
            # fit below its bottom, and the rounding of what remains
            {"employees": 12, "private": True},
            [],
            [
                ("fit", "variable", "need_date", "Need date", "0"),
                ("fit", "variable", "employees", "Company size", "5.28"),
                ("fit", "adjust", "private", "Private e-mail address", "-24"),
                ("fit", "clamp", "fit", "Fit: never below 0", "18.72"),
            ],
            0,
        ),
        (
            {"employees": 12},
            [],
            [
                ("fit", "variable", "need_date", "Need date", "0"),
                ("fit", "variable", "employees", "Company size", "5.28"),
                ("score", "rounding", "rounding", "Rounding", "-0.28"),
            ],
            5,
        ),
        (
            # a cap, a rule that gives nothing any more, engagement over its top
            {},
            [("form_submitted", 3), ("form_submitted", 1), ("list_joined", 2), ("email_clicked", 700)],
            [
                *UNKNOWN,
                ("engagement", "rule", "demo", "Asked for a demo", "48"),
                ("engagement", "cap", "hand", "Raised a hand: never above 60.5", "-11.7"),
                ("engagement", "rule", "pricing", "Looked at prices", "30"),
                ("engagement", "rule", "careers", "Read job offers", "0"),
                ("engagement", "clamp", "engagement", "Engagement: never above 100", "-6.3"),
            ],
            60,
        ),
        (
            # a floor, and engagement below its bottom
            {},
            [("email_clicked", 0)],
            [
                *UNKNOWN,
                ("engagement", "rule", "careers", "Read job offers", "-4.8"),
                ("engagement", "floor", "web", "On our site: never below -5", "1.8"),
                ("engagement", "clamp", "engagement", "Engagement: never below 0", "3"),
            ],
            0,
        ),
        (
            # a disqualifier takes it all, the rounding included
            {"employees": 12, "competitor": True},
            [],
            [
                ("fit", "variable", "need_date", "Need date", "0"),
                ("fit", "variable", "employees", "Company size", "5.28"),
                ("score", "rounding", "rounding", "Rounding", "-0.28"),
                ("score", "disqualified", "competitor", "Disqualified: competitor", "-5"),
            ],
            0,
        ),
        (
            {"competitor": True},
            [],
            [*UNKNOWN, ("score", "disqualified", "competitor", "Disqualified: competitor", "0")],
            0,
        ),
    ],
)
def test_every_part_of_the_score_has_its_line(facts, activities, lines, score):
    ledger, evaluation = book(facts, activities)
    assert shown(ledger) == lines
    assert sum(line.points for line in ledger.lines) == ledger.score == evaluation.score == score


AFTER = ScoringModel.model_validate(
    RAW
    | {
        "patterns": {
            "keen": {"all": [{"at_least": 2, "rule": "demo", "within": "7d"}], "points": 20, "label": "Asked twice"},
            "shy": {"all": [{"at_least": 1, "activity": "email_clicked"}], "points": -6, "label": "Only clicks"},
        },
        "silence": {"after": "30d", "take": 5, "every": "7d", "at_most": 30},
        "mql": {"recycle": {"keep_at_most": 25}},
    }
)


@pytest.mark.parametrize(
    ("activities", "recycled", "lines", "score"),
    [
        (
            [("form_submitted", 6), ("form_submitted", 1)],
            None,
            [
                ("engagement", "rule", "demo", "Asked for a demo", "48"),
                ("engagement", "cap", "hand", "Raised a hand: never above 60.5", "-11.7"),
                ("engagement", "pattern", "keen", "Asked twice", "12"),
                ("score", "rounding", "rounding", "Rounding", "-0.3"),
            ],
            48,
        ),
        (
            # a silence of 40 days has taken twice, and reaches over the bottom together with a pattern
            [("email_clicked", 2), ("list_joined", 40)],
            None,
            [
                ("engagement", "rule", "pricing", "Looked at prices", "30"),
                ("engagement", "rule", "careers", "Read job offers", "-4.3474734"),
                ("engagement", "pattern", "shy", "Only clicks", "-3.6"),
                ("engagement", "silence", "silence", "Silent since 5 Oct", "-6"),
                ("score", "rounding", "rounding", "Rounding", "-0.0525266"),
            ],
            16,
        ),
        (
            # 400 days are another year; the clamp of what was reached stands before the limit and the silence
            [("form_submitted", 400), ("form_submitted", 401), ("list_joined", 402)],
            390,
            [
                ("engagement", "rule", "demo", "Asked for a demo", "48"),
                ("engagement", "cap", "hand", "Raised a hand: never above 60.5", "-11.7"),
                ("engagement", "rule", "pricing", "Looked at prices", "30"),
                ("engagement", "clamp", "engagement", "Engagement: never above 100", "-6.3"),
                ("engagement", "recycle", "recycle", "Handed back by sales: at most 25 from before", "-45"),
                ("engagement", "silence", "silence", "Silent since 10 Oct 2025", "-18"),
                ("engagement", "clamp", "engagement", "Engagement: never below 0", "3"),
            ],
            0,
        ),
    ],
)
def test_patterns_silence_and_the_limit_after_a_recycle_have_their_lines(activities, recycled, lines, score):
    ledger, evaluation = book({}, activities, AFTER, recycled)
    assert shown(ledger) == [*UNKNOWN, *lines]
    assert sum(line.points for line in ledger.lines) == ledger.score == evaluation.score == score


def test_silence_is_told_as_a_reason_by_its_date():
    ledger, _ = book({}, [("list_joined", 40)], AFTER)
    assert reasons(ledger, DAY) == "Looked at prices (5 Oct) +30; Silent since 5 Oct -6"


def test_a_rule_has_its_count_and_newest_date_and_a_variable_its_value_and_percent():
    ledger, _ = book({"employees": 12}, [("form_submitted", 3), ("form_submitted", 1), ("list_joined", 9)])
    by_key = {line.key: line for line in ledger.lines}
    assert (by_key["demo"].count, by_key["demo"].newest) == (2, date(2026, 11, 13))
    assert (by_key["pricing"].count, by_key["pricing"].newest) == (1, date(2026, 11, 5))
    assert (by_key["employees"].value, by_key["employees"].percent) == (12, 33)
    assert (by_key["need_date"].value, by_key["need_date"].percent) == (None, 0)


def test_the_totals_are_those_of_the_evaluation():
    ledger, evaluation = book({"employees": 120}, [("form_submitted", 0)])
    assert (ledger.score, ledger.fit, ledger.engagement) == (40, 40, 40)
    assert (ledger.grade, ledger.tier) == (evaluation.grade, evaluation.tier) == ("C", "C3")
    assert ledger.disqualified_by is None


def test_a_disqualified_person_keeps_fit_and_engagement_as_computed():
    ledger, _ = book({"employees": 120, "competitor": True}, [("form_submitted", 0)])
    assert (ledger.score, ledger.fit, ledger.engagement) == (0, 40, 40)
    assert (ledger.grade, ledger.tier, ledger.disqualified_by) == ("F", "F", "Competitor")


def test_the_json_has_stable_keys_and_exact_values():
    ledger, _ = book({"employees": 12, "need_date": date(2027, 1, 1)}, [("form_submitted", 1)])
    whole = json.loads(json.dumps(ledger.to_json()))
    assert list(whole) == ["score", "fit", "engagement", "grade", "tier", "disqualified_by", "lines"]
    assert whole["lines"][0]["value"] == "2027-01-01"
    assert whole["lines"][1] == {
        "part": "fit",
        "kind": "variable",
        "key": "employees",
        "label": "Company size",
        "group": None,
        "points": "5.28",
        "count": 0,
        "newest": None,
        "value": 12,
        "percent": 33,
    }
    assert (whole["lines"][2]["points"], whole["lines"][2]["newest"]) == ("24", "2026-11-13")
    assert sum(Decimal(line["points"]) for line in whole["lines"]) == whole["score"]


# ---- laws

points = st.integers(-60_000_000, 60_000_000).map(lambda micro: micro / 1_000_000)
LABELS = st.sampled_from(["Asked for a demo", "Looked at prices", "IT", "Read job offers"])


@st.composite
def rules(draw, prefix, cap):
    most = 1_000 if cap is None else cap
    return {
        f"{prefix}{number}": {
            "activity": draw(st.sampled_from(KINDS)),
            "points": min(draw(points), most),
            "label": draw(LABELS),
            **draw(st.sampled_from([{}, {"decay": "half"}, {"decay": "line"}, {"limit": "2 per week"}])),
        }
        for number in range(draw(st.integers(1, 3)))
    }


@st.composite
def models(draw):
    weight, share = draw(st.integers(0, 100)), draw(st.integers(0, 100))
    groups = {}
    for name in ("one", "two"):
        cap = draw(st.none() | st.integers(0, 90))
        found = draw(rules(name, cap))
        each = [rule["points"] for rule in found.values()]
        floor = draw(
            st.none() | st.integers(-90, 0).map(lambda low, each=each: low if max(each) > 0 else min(low, *each))
        )
        bounds = {key: value for key, value in (("cap", cap), ("floor", floor)) if value is not None}
        groups[name] = {"label": f"Group {name}", "rules": found, **bounds}
    return ScoringModel.model_validate(
        {
            "model": "any",
            "weights": {"fit": weight, "engagement": 100 - weight},
            "decays": {"half": {"half_life": "9d"}, "line": {"linear": "35d"}},
            "fit": {
                "employees": {"weight": share, "percent": {"1-49": draw(st.integers(0, 100)), "other": 7}},
                "industry": {"weight": 100 - share, "percent": {"Software": draw(st.integers(0, 100))}},
                "adjust": {
                    "target": {"if": {"target": True}, "points": draw(points), "label": "Target account"},
                    "private": {"if": {"private": True}, "points": draw(points), "label": "Private address"},
                },
            },
            "engagement": groups,
            "disqualify": RAW["disqualify"],
            "patterns": {
                name: {"all": [line], "points": draw(points), "label": draw(LABELS)}
                for name, line in LINES.items()
                if draw(st.booleans())
            },
            **draw(st.sampled_from([{}, {"silence": {"after": "5d", "take": 4.5, "every": "3d", "at_most": 40}}])),
            "mql": draw(st.sampled_from([{}, {"recycle": {"keep_at_most": 15}}])),
        }
    )


LINES = {
    "many": {"at_least": 2, "activity": "form_submitted", "within": "20d"},
    "none": {"at_most": 0, "activity": "email_clicked"},
}


people = st.fixed_dictionaries(
    {},
    optional={
        "employees": st.integers(0, 99),
        "industry": st.sampled_from(["software", "Retail"]),
        "target": st.booleans(),
        "private": st.booleans(),
        "competitor": st.sampled_from([False, False, True]),
    },
)
timelines = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(-3, 60)), max_size=12)
recycles = st.none() | st.integers(-1, 40)


@given(models(), people, timelines, recycles)
def test_lines_add_up_to_the_score_to_its_parts_and_as_effects(model, facts, activities, recycled):
    ledger, evaluation = book(facts, activities, model, recycled)
    assert sum(line.units for line in ledger.lines) == evaluation.score * UNITS_PER_POINT
    assert sum(line.points for line in ledger.lines) == evaluation.score
    fit = sum(line.units for line in ledger.lines if line.part == "fit")
    engagement = sum(line.units for line in ledger.lines if line.part == "engagement")
    assert fit == model.weights.fit * evaluation.fit_micro
    assert engagement == model.weights.engagement * evaluation.engagement_micro
    # what counts of the reasons is the score before rounding, and each counts in its own direction
    effects = ledger.effects
    assert sum(effect for _, effect in effects) == fit + engagement
    assert all(0 <= effect <= line.units or line.units <= effect <= 0 for line, effect in effects)
    # bounds and rounding have a line only where they do something
    weights = {"fit": model.weights.fit, "engagement": model.weights.engagement, "score": 1}
    assert all(
        line.units != 0 or weights[line.part] == 0
        for line in ledger.lines
        if line.kind in {"cap", "floor", "clamp", "rounding"}
    )
    assert all(abs(line.units) <= UNITS_PER_POINT // 2 for line in ledger.lines if line.kind == "rounding")


@given(models(), people, timelines, recycles, st.integers(0, 120))
def test_reasons_fit_their_field_and_end_with_a_whole_word(model, facts, activities, recycled, length):
    ledger, evaluation = book(facts, activities, model, recycled)
    status = "disqualified" if evaluation.disqualified_by else "prospect"
    journey = Journey(status=status, since=DAY, cause="first")
    whole = reasons(ledger, DAY)
    cut = outputs(model, journey, ledger, DAY, {"reasons": length}, evaluation=evaluation)["reasons"] or ""
    assert len(cut) <= length
    if len(whole) <= length:
        assert cut == whole
    elif length > len("Disqualified:"):
        kept = cut.removesuffix("…").split()
        words = whole.split()[: len(kept)]
        assert [word.rstrip(";:,") for word in kept] == [word.rstrip(";:,") for word in words]


def test_only_a_disqualified_persons_grade_is_f():
    graded = [book({"employees": 12, "competitor": competitor})[0].tier for competitor in (False, True)]
    assert graded == ["D4", "F"]
