"""The handbook says all that a model says, in words, and what changed between two of them."""

import copy
from datetime import date
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from pydantic import BaseModel

from scoring import qualifying
from scoring.compile import compile_model
from scoring.condition_words import attribute_name, fact_name, heading, in_words
from scoring.conditions import parse_condition, parse_where
from scoring.handbook import handbook
from scoring.handbook_changes import changes
from scoring.kernel import Batch, score_people
from scoring.model import ScoringModel
from scoring.operands import OPERANDS
from scoring.tables import Tables
from tests.scoring_journeys import model as small_model
from tests.scoring_journeys import person
from tests.test_scoring_laws import models

DAY = date(2026, 11, 22)
EVERY_KEY = Path(__file__).parent / "data" / "handbook" / "every_key.yaml"


def raw_model():
    """The model with every key in use; dates and percents are texts, as the config's reader gives them."""
    raw = yaml.safe_load(EVERY_KEY.read_text(encoding="utf-8"))
    raw["fit"]["works_council"]["percent"] = {"true": 100, "false": 50}
    return raw


def changed(path, value):
    """The model with one key of another value; None takes it out."""
    raw = raw_model()
    here = raw
    for key in path[:-1]:
        here = here[key]
    if value is None:
        del here[path[-1]]
    else:
        here[path[-1]] = copy.deepcopy(value)
    return ScoringModel.model_validate(raw)


def lines(document):
    """All that a document says, one text a title, paragraph or item."""
    found = [document.title, *document.text]
    for section in document.sections:
        found += _lines(section)
    return found


def _lines(section):
    found = [section.title, *section.text]
    found += [f"{line.label}: {line.text}" if line.label else line.text for line in section.items]
    for inner in section.sections:
        found += _lines(inner)
    return found


def said(model):
    return lines(handbook(model, DAY))


def sections(document):
    found = list(document.sections)
    for section in found:
        found += section.sections
    return {section.title: section for section in found}


BASE = ScoringModel.model_validate(raw_model())
BASE_SAYS = said(BASE)

# Every key of a model

DEMO = ("engagement", "conversion", "rules", "demo")
FAIR = ("engagement", "events", "rules", "spring_fair")
STUDENT = ("patterns", "student")
#: class and field -> another value of it in the model, and what the handbook says then and did not say before
KEYS = {
    "ScoringModel.model": (("model",), "other", "How “other” scores people"),
    "ScoringModel.audience": (("audience",), {"relationship": "customer"}, "the relationship with us is customer"),
    "ScoringModel.on_leave": (("on_leave",), "empty", "the fields with score and status are emptied"),
    "ScoringModel.weights": (("weights",), {"fit": 10, "engagement": 90}, "10 % of the score"),
    "ScoringModel.decays": (("decays", "content"), {"none": True}, "does not fade; speaks"),
    "ScoringModel.fit": (("fit", "seniority", "percent", "vp"), 99, "Vice president: 34.65 points"),
    "ScoringModel.engagement": (("engagement", "web", "rules", "careers"), None, None),
    "ScoringModel.patterns": (("patterns", "reader"), None, None),
    "ScoringModel.silence": (("silence",), None, None),
    "ScoringModel.bots": (("bots",), None, None),
    "ScoringModel.grades": (("grades", "A"), 75, "A-: fit of 75 to 83"),
    "ScoringModel.levels": (("levels",), [71, 50, 25], "1: engagement of 71 or more"),
    "ScoringModel.thirds": (("thirds",), False, "A: fit of 80 or more"),
    "ScoringModel.disqualify": (("disqualify", "opted_out"), None, None),
    "ScoringModel.mql": (("mql",), {}, "By this model nobody becomes an MQL."),
    "ScoringModel.surge": (("surge",), None, None),
    "Weights.fit": (("weights",), {"fit": 50, "engagement": 50}, "who they are; 50 % of the score"),
    "Weights.engagement": (("weights",), {"fit": 50, "engagement": 50}, "what they do; 50 % of the score"),
    "Decay.half_life": (("decays", "hand_raise"), {"half_life": "1d"}, "half is left after 1 day"),
    "Decay.linear": (("decays", "content"), {"linear": "9d"}, "fades evenly to nothing in 9 days"),
    "Decay.steps": (("decays", "click"), {"steps": {"1d": "90%"}}, "90 % up to 1 day, then nothing"),
    "Decay.none": (("decays", "hand_raise"), {"none": True}, "does not fade; at most once a quarter"),
    "Decay.expires": (("decays", "fair"), {"none": True, "expires": "1d"}, "counts for 1 day, then no more"),
    "Fit.adjust": (("fit", "adjust", "private_mail"), None, None),
    "Variable.weight": (
        ("fit", "works_council"),
        {"weight": 1, "percent": {"true": 90, "false": 50}},
        "Up to 0.9 points of fit.",
    ),
    "Variable.percent": (("fit", "industry", "percent", "Manufacturing"), 100, "Manufacturing: 19 points"),
    "Variable.label": (("fit", "works_council", "label"), "With a works council", "With a works council"),
    "Adjust.if_": (
        ("fit", "adjust", "private_mail", "if"),
        {"employees": 5},
        "10 points off; if the company size is 5",
    ),
    "Adjust.points": (
        ("fit", "adjust", "private_mail", "points"),
        1,
        "1 point; if the kind of e-mail address is private",
    ),
    "Adjust.label": (("fit", "adjust", "private_mail", "label"), "Private", "Private: 10 points off"),
    "Group.label": (("engagement", "web", "label"), "On the web", "On the web"),
    "Group.cap": (("engagement", "conversion", "cap"), 50, "Together never above 50 points."),
    "Group.floor": (("engagement", "events", "floor"), -1, "Together never more than 1 point off."),
    "Group.match": (
        ("engagement", "web", "match"),
        "first",
        "Of these lines only the first that fits an activity counts for it.",
    ),
    "Group.rules": (("engagement", "web", "rules", "careers"), None, None),
    "Rule.activity": ((*DEMO, "activity"), "badge_lost", "when “badge lost” is recorded, and the form"),
    "Rule.where": ((*DEMO, "where"), {"form": 12}, "when they send in a form, and the form is 12;"),
    "Rule.points": ((*DEMO, "points"), 41.25, "Asked for a demo: 41.25 points; when"),
    "Rule.decay": ((*DEMO, "decay"), "content", "fades evenly to nothing in 90 days; at most once a quarter"),
    "Rule.limit": ((*DEMO, "limit"), "2 per ever", "at most 2 times in all"),
    "Rule.from_": ((*FAIR, "from"), "2026-02-28", "only from 28 Feb 2026 to 31 Mar 2026"),
    "Rule.until": ((*FAIR, "until"), None, "only from 1 Mar 2026 on"),
    "Rule.interest": ((*DEMO, "interest"), "price_lists", "speaks of an interest in “price lists”"),
    "Rule.label": ((*DEMO, "label"), "Wants a demo", "Wants a demo: 40 points"),
    "Pattern.all": ((*STUDENT, "all", 1), None, None),
    "Pattern.points": ((*STUDENT, "points"), -21, "21 points off; while"),
    "Pattern.label": ((*STUDENT, "label"), "Student", "Student: 20 points off"),
    "PatternLine.at_least": (
        (*STUDENT, "all", 0, "at_least"),
        1,
        "they download something at least once within the last 60 days",
    ),
    "PatternLine.at_most": (
        (*STUDENT, "all", 1, "at_most"),
        2,
        "“Looked at prices” at most 2 times within the last",
    ),
    "PatternLine.activity": (
        (*STUDENT, "all", 0, "activity"),
        "email_opened",
        "they open a mail at least 4 times within",
    ),
    "PatternLine.rule": (
        (*STUDENT, "all", 1, "rule"),
        "click",
        "“Clicked in a mail” not once within the last 60 days",
    ),
    "PatternLine.where": (
        (*STUDENT, "all", 0, "where"),
        {"form": "x"},
        "they download something, and the form is x: at least 4 times",
    ),
    "PatternLine.within": (
        (*STUDENT, "all", 0, "within"),
        None,
        "they download something at least 4 times so far; and",
    ),
    "PatternLine.distinct": ((*STUDENT, "all", 0, "distinct"), True, "60 days, each form, page or mail counted once"),
    "Silence.after": (("silence", "after"), "1d", "After 1 day without anything that gives points, 5 points"),
    "Silence.take": (("silence", "take"), 1, "1 point of engagement goes, and as many again"),
    "Silence.every": (("silence", "every"), "1d", "and as many again every 1 day, together"),
    "Silence.at_most": (("silence", "at_most"), 5, "together at most 5 points."),
    "Silence.ignore": (("silence", "ignore"), ["list_joined"], "A silence goes on even when they join a list."),
    "Bots.clicks_closer_than": (
        ("bots",),
        {"clicks_closer_than": "1s"},
        "those that come less than 1 second apart in the same mail.",
    ),
    "Bots.after_delivery": (("bots",), {"after_delivery": "9s"}, "those that come less than 9 seconds after the mail."),
    "Disqualifier.if_": (("disqualify", "opted_out", "if"), {"opted_out": False}, "if they did not opt out of e-mail"),
    "Disqualifier.label": (("disqualify", "opted_out", "label"), "Gone", "Gone: if they opted out of e-mail"),
    "Mql.needs": (("mql", "needs"), {"fit": 45, "engagement": 40, "score": 60, "grade": "A or better"}, "grade A"),
    "Mql.instant": (("mql", "instant", "pricing"), None, None),
    "Mql.leave_below": (("mql", "leave_below"), "never", "Whoever is an MQL stays one until sales decides."),
    "Mql.recycle": (("mql", "recycle"), None, "all that came before counts on"),
    "Mql.lost_for": (("mql", "lost_for"), "1d", "Lost: the lead stays lost for 1 day, then counts"),
    "Needs.score": (("mql", "needs", "score"), 61, "score of 61 or more"),
    "Needs.fit": (("mql", "needs", "fit"), 46, "fit falls below 36"),
    "Needs.engagement": (("mql", "needs", "engagement"), 41, "engagement of 41 or more"),
    "Needs.grade": (("mql", "needs", "grade"), "A or better", "grade A"),
    "Needs.facts": (("mql", "needs", "facts"), ["seniority"], "the seniority is known"),
    "Needs.rules": (("mql", "needs", "rules"), None, None),
    "SeveralRules.any": (("mql", "needs", "rules", "any"), 4, "all of: “Asked for a demo”, “Attended a webinar”"),
    "SeveralRules.of": (
        ("mql", "needs", "rules", "of"),
        ["demo", "careers"],
        "all of: “Asked for a demo”, “Read job offers”",
    ),
    "Instant.grade": (
        ("mql", "instant", "demo", "grade"),
        None,
        "while it is at most 20 days old; with any grade but F",
    ),
    "Instant.lasts": (
        ("mql", "instant", "demo", "lasts"),
        "1d",
        "while it is at most 1 day old; with grade C or better",
    ),
    "LeaveBelow.score": (("mql", "leave_below", "score"), None, "score falls below 50"),
    "LeaveBelow.fit": (("mql", "leave_below", "fit"), 44, "fit falls below 44"),
    "LeaveBelow.engagement": (("mql", "leave_below", "engagement"), 31, "engagement falls below 31"),
    "LeaveBelow.grade": (("mql", "leave_below", "grade"), None, "fit, which makes the grade, falls below 45"),
    "Recycle.keep_at_most": (("mql", "recycle", "keep_at_most"), 1, "at most 1 point of engagement counts"),
    "Surge.rise": (("surge", "rise"), 1, "the score is 1 point or more above that of 7 days before"),
    "Surge.within": (("surge", "within"), "1d", "that of 1 day before; said at most once in 1 day"),
}


def parts(kind, found):
    """Every class a model is made of."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        if kind in found:
            return found
        found.add(kind)
        annotations = [field.annotation for field in kind.model_fields.values()]
        if kind.model_config.get("extra") == "allow":
            annotations.append(kind.__annotations__["__pydantic_extra__"])
        for annotation in annotations:
            parts(annotation, found)
    for inner in get_args(kind):
        parts(inner, found)
    return found


def test_every_key_of_a_model_stands_in_the_table_below():
    keys = {f"{part.__name__}.{name}" for part in parts(ScoringModel, set()) for name in part.model_fields}
    assert set(KEYS) == keys


@pytest.mark.parametrize("key", KEYS)
def test_every_key_of_a_model_is_said(key):
    """Another value gives other words; a key taken out takes its words along."""
    path, value, words = KEYS[key]
    before, after = BASE_SAYS, said(changed(path, value))
    if words is None:
        assert set(before) - set(after) - {before[1]}
        return
    assert sum(words in line for line in after) > sum(words in line for line in before)


# Conditions

TESTS = [
    ("a bare value", {"country": "DE"}, "the country is DE", "the country is not DE"),
    ("a bare list", {"country": ["DE", "AT"]}, "the country is DE or AT", "the country is neither DE nor AT"),
    (
        "an address",
        {"website": "a_b.example"},
        "the website is “a_b.example”",
        "the website is not “a_b.example”",
    ),
    ("more than a word", {"city": "New York"}, "the city is “New York”", "the city is not “New York”"),
    ("an option's name", {"type": "TRADE_SHOW"}, "the type is “Trade show”", "the type is not “Trade show”"),
    (
        "a word of ours",
        {"email_type": "role"},
        "the kind of e-mail address is shared",
        "the kind of e-mail address is not shared",
    ),
    ("is a number", {"size": {"is": 5.0}}, "the size is 5", "the size is not 5"),
    ("is a large number", {"size": 10000}, "the size is 10,000", "the size is not 10,000"),
    ("is half a number", {"size": {"is": 2.5}}, "the size is 2.5", "the size is not 2.5"),
    ("a flag", {"opted_out": True}, "they opted out of e-mail", "they did not opt out of e-mail, as far as is known"),
    ("no flag", {"opted_out": False}, "they did not opt out of e-mail", "they opted out of e-mail, as far as is known"),
    ("an own flag", {"vip_guest": {"is": True}}, "the vip guest is yes", "the vip guest is not yes"),
    (
        "a flag known",
        {"hold": {"present": True}},
        "whether somebody put them on hold is known",
        "whether somebody put them on hold is unknown",
    ),
    (
        "no choice",
        {"hold": {"in": [True, False]}},
        "whether somebody put them on hold is yes or no",
        "whether somebody put them on hold is neither yes nor no",
    ),
    ("in", {"seniority": {"in": ["vp"]}}, "the seniority is “vice president”", "the seniority is not “vice president”"),
    ("not_in", {"country": {"not_in": ["DE"]}}, "the country is not DE", "the country is DE"),
    (
        "in_list",
        {"email_domain": {"in_list": "target_accounts"}},
        "the domain of the e-mail address is on the list “target accounts”",
        "the domain of the e-mail address is not on the list “target accounts”",
    ),
    (
        "in lists",
        {"country": {"in_list": ["a", "b"]}},
        "the country is on the list “a” or “b”",
        "the country is on none of the lists “a” and “b”",
    ),
    (
        "contains",
        {"title": {"contains": "a_b"}},
        "the job title contains “a_b”",
        "the job title does not contain “a_b”",
    ),
    (
        "contains an option",
        {"x": {"contains": "BIG_ONE"}},
        "the x contains “Big one”",
        "the x does not contain “Big one”",
    ),
    (
        "contains one of",
        {"title": {"contains": ["a", "b", "c"]}},
        "the job title contains “a”, “b” or “c”",
        "the job title contains none of “a”, “b” and “c”",
    ),
    ("starts_with", {"x": {"starts_with": "a"}}, "the x starts with “a”", "the x does not start with “a”"),
    (
        "ends_with",
        {"x": {"ends_with": ["a", "b"]}},
        "the x ends with “a” or “b”",
        "the x ends with none of “a” and “b”",
    ),
    ("matches", {"x": {"matches": "^a"}}, "the x fits the pattern “^a”", "the x does not fit the pattern “^a”"),
    ("above", {"budget": {"above": 5}}, "the budget is above 5", "the budget is not above 5"),
    ("at_least", {"budget": {"at_least": 5}}, "the budget is at least 5", "the budget is not at least 5"),
    ("at_most", {"budget": {"at_most": 5}}, "the budget is at most 5", "the budget is not at most 5"),
    ("below", {"budget": {"below": 0.5}}, "the budget is below 0.5", "the budget is not below 0.5"),
    ("between", {"budget": {"between": [1, 9]}}, "the budget is from 1 to 9", "the budget is not from 1 to 9"),
    (
        "between dates",
        {"x": {"between": ["2026-01-01", "2026-01-31"]}},
        "the x is from 1 Jan 2026 to 31 Jan 2026",
        "the x is not from 1 Jan 2026 to 31 Jan 2026",
    ),
    ("before", {"x": {"before": "2026-01-31"}}, "the x is before 31 Jan 2026", "the x is not before 31 Jan 2026"),
    ("after", {"x": {"after": "2026-01-31"}}, "the x is after 31 Jan 2026", "the x is not after 31 Jan 2026"),
    (
        "within",
        {"need_date": {"within": "90d"}},
        "the buying timeline is within the next 90 days",
        "the buying timeline is not within the next 90 days",
    ),
    ("past", {"x": {"past": "1d"}}, "the x is within the last day", "the x is not within the last day"),
    ("missing", {"phone": {"missing": True}}, "the phone number is unknown", "the phone number is known"),
    ("not missing", {"phone": {"missing": False}}, "the phone number is known", "the phone number is unknown"),
    ("present", {"company": {"present": True}}, "the company is known", "the company is unknown"),
    ("not present", {"company": {"present": False}}, "the company is unknown", "the company is known"),
]


@pytest.mark.parametrize(("remark", "raw", "holds", "fails"), TESTS, ids=[case[0] for case in TESTS])
def test_a_condition_and_its_contrary_in_words(remark, raw, holds, fails):
    assert in_words(parse_condition(raw), fact_name) == holds
    assert in_words(parse_condition({"not": raw}), fact_name) == fails
    assert in_words(parse_condition({"not": {"not": raw}}), fact_name) == holds


def test_every_operator_has_words():
    written = [raw for _, raw, _, _ in TESTS]
    tested = {test.op for raw in written for test in parse_condition(raw).tests()}
    assert tested == set(OPERANDS)


NESTED = [
    ("side by side", {"a": 1, "b": 2}, "the a is 1, and the b is 2"),
    ("any", {"any": [{"a": 1}, {"b": 2}]}, "the a is 1, or the b is 2"),
    ("any in all", {"a": 1, "any": [{"b": 2}, {"c": 3}]}, "the a is 1, and (the b is 2, or the c is 3)"),
    ("all in all", {"all": [{"a": 1}, {"b": 2, "c": 3}]}, "the a is 1, and the b is 2, and the c is 3"),
    ("all in any", {"any": [{"a": 1}, {"b": 2, "c": 3}]}, "the a is 1, or (the b is 2, and the c is 3)"),
    ("neither", {"not": {"any": [{"a": 1}, {"b": 2}]}}, "the a is not 1, and the b is not 2"),
    ("not both", {"not": {"a": 1, "b": 2}}, "the a is not 1, or the b is not 2"),
    ("not both, in all", {"c": 3, "not": {"a": 1, "b": 2}}, "the c is 3, and (the a is not 1, or the b is not 2)"),
    ("a choice of one", {"c": 3, "any": [{"a": 1}]}, "the c is 3, and the a is 1"),
]


@pytest.mark.parametrize(("remark", "raw", "words"), NESTED, ids=[case[0] for case in NESTED])
def test_nested_conditions_in_words(remark, raw, words):
    assert in_words(parse_where(raw), attribute_name) == words


def test_a_condition_after_the_beginning_of_a_sentence_stays_one_thing():
    either = parse_where({"any": [{"a": 1}, {"b": 2}]})
    assert in_words(either, attribute_name, after="they come") == "they come, and (the a is 1, or the b is 2)"


# Bounds


@pytest.mark.parametrize("bounds", [(75, 50, 25), (80, 55, 26), (100, 99, 1), (3, 2, 1)], ids=str)
@pytest.mark.parametrize("thirds", [False, True])
def test_the_bounds_of_grades_and_levels_are_those_of_the_score(bounds, thirds):
    raw = {
        "model": "m",
        "weights": {"fit": 50, "engagement": 50},
        "fit": {"number": {"weight": 100, "percent": {str(i): i for i in range(101)}}},
        "engagement": {"g": {"label": "G", "rules": {"r": {"activity": "a", "points": 1, "label": "R"}}}},
        "grades": dict(zip("ABC", bounds, strict=True)),
        "thirds": thirds,
    }
    model = ScoringModel.model_validate(raw)
    batch = Batch(
        facts=[{"number": i} for i in range(101)],
        offsets=np.zeros(102, dtype=np.int64),
        at=np.array([], dtype=np.int64),
        day=np.array([], dtype=np.int64),
        touchpoint=np.array([], dtype=np.uint32),
    )
    scores = score_people(compile_model(model, [], Tables()), batch, 20_000)
    by_grade = {}
    for i in range(101):
        evaluation = scores.person(i)
        by_grade.setdefault(evaluation.grade, []).append(evaluation.fit)
    shown = sections(handbook(model, DAY))["Grades, from who they are"].items
    assert {line.label: line.text for line in shown} == {
        grade: f"fit of {min(fits)} or more"
        if min(fits) < max(fits) == 100
        else f"fit of {min(fits)} to {max(fits)}"
        if min(fits) < max(fits)
        else f"fit of {min(fits)}"
        for grade, fits in by_grade.items()
    }


LEAVING = [
    ("by default", {"score": 60}, None, ["score falls below 50"]),
    ("named", {"score": 60}, {"score": 55}, ["score falls below 55"]),
    ("never by one", {"score": 60, "fit": 50}, {"score": "never"}, ["fit falls below 40"]),
    ("never by any", {"score": 60}, {"score": "never"}, "Whoever is an MQL stays one until sales decides."),
    ("never", {"score": 60}, "never", "Whoever is an MQL stays one until sales decides."),
    ("a bound nobody is under", {"score": 10}, None, "Whoever is an MQL stays one until sales decides."),
    ("a grade", {"grade": "B or better"}, None, ["fit, which makes the grade, falls below 40"]),
    ("a grade by its letter", {"grade": "B or better"}, {"grade": "B"}, ["fit, which makes the grade, falls below 50"]),
    ("a grade never", {"grade": "B or better", "fit": 30}, {"grade": "never"}, ["fit falls below 20"]),
    ("grade D", {"grade": "D or better"}, None, "Whoever is an MQL stays one until sales decides."),
    (
        "facts alone",
        {"facts": ["company"]},
        None,
        "An MQL stops being one when not all of the conditions hold any more.",
    ),
]


@pytest.mark.parametrize(("remark", "needs", "bounds", "words"), LEAVING, ids=[case[0] for case in LEAVING])
def test_the_bounds_for_leaving_are_those_that_hold(remark, needs, bounds, words):
    model = small_model(needs, mql={} if bounds is None else {"leave_below": bounds})
    shown = sections(handbook(model, DAY))["How an MQL stops being one"]
    if isinstance(words, str):
        assert (shown.text, shown.items) == ((words,), ())
        return
    assert [line.text for line in shown.items] == words
    for line in shown.items:
        name, least = line.text.replace(",", " ").split()[0], int(line.text.split()[-1])
        high = {"score": 100, "fit": 100, "engagement": 100, "grade": "A"}
        assert qualifying.still_holds(model, person(**{**high, name: least}))
        assert not qualifying.still_holds(model, person(**{**high, name: least - 1}))


def test_who_qualifies_at_once_only_leaves_when_that_is_over():
    shown = sections(handbook(small_model(mql={"instant": {"demo": {}}}), DAY))["How an MQL stops being one"]
    assert shown.text == ("An MQL stops being one when none of what makes a lead an MQL at once holds any more.",)


def test_a_lost_lead_may_stay_lost_for_ever():
    shown = sections(handbook(small_model(mql={"lost_for": "ever"}), DAY))["What sales can say"]
    assert [line.text for line in shown.items if line.label == "Lost"] == ["the lead stays lost"]


def test_facts_count_on_entry_only_and_that_is_said():
    shown = sections(handbook(BASE, DAY))["How an MQL stops being one"]
    assert shown.text[0].startswith("What must be known or done matters only when a lead becomes an MQL. An MQL stops")


# Any model


def labels(model):
    yield from (variable.label for variable in model.fit.variables.values())
    yield from (adjust.label for adjust in model.fit.adjust.values())
    yield from (group.label for group in model.engagement.values())
    yield from (rule.label for _, _, rule in model.rules())
    yield from (pattern.label for pattern in model.patterns.values())
    yield from (disqualifier.label for disqualifier in model.disqualify.values())


@settings(deadline=None, max_examples=20)
@given(models())
def test_any_model_has_a_handbook_with_every_label_and_no_inner_name(raw):
    model = ScoringModel.model_validate(raw)
    text = "\n".join(said(model))
    assert all(label in text for label in labels(model))
    assert "_" not in text
    assert changes(model, model, first_on=DAY, day=DAY).sections == ()
    assert changes(BASE, model, first_on=DAY, day=DAY).sections
    assert changes(model, BASE, first_on=DAY, day=DAY).sections


# What changed

DECAY_AND_LIMIT = (
    "Asked for a demo: no longer: half is left after 60 days; new: fades evenly to nothing in 90 days; "
    "at most once -> 3 times a quarter"
)
CHANGES = [
    ("points", (*DEMO, "points"), 60, ["Raised a hand", "Asked for a demo: 40 -> 60 points"]),
    ("points become a loss", (*DEMO, "points"), -5, ["Asked for a demo: 40 points -> 5 points off"]),
    ("a decay", ("decays", "hand_raise"), {"half_life": "30d"}, ["Asked for a demo: half is left after 60 -> 30 days"]),
    (
        "another limit",
        (*DEMO, "limit"),
        "3 per quarter",
        ["Asked for a demo: at most once -> 3 times a quarter"],
    ),
    ("no limit", (*DEMO, "limit"), None, ["Asked for a demo: no longer: at most once a quarter"]),
    ("an interest", (*DEMO, "interest"), "x", ["Asked for a demo: new: speaks of an interest in “x”"]),
    (
        "a longer condition",
        (*DEMO, "where"),
        {"form": {"contains": "demo"}, "not": {"form": {"ends_with": ["test", "internal"]}}, "page": 1},
        ["Asked for a demo: no longer: when they send in a form, and the form contains “demo”, and the form ends with"],
    ),
    (
        "another decay and limit",
        DEMO,
        {**raw_model()["engagement"]["conversion"]["rules"]["demo"], "decay": "content", "limit": "3 per quarter"},
        [DECAY_AND_LIMIT],
    ),
    ("a rule gone", ("engagement", "web", "rules", "careers"), None, ["Read job offers: no longer: 10 points off; "]),
    (
        "a rule more",
        ("engagement", "web", "rules", "home"),
        {"activity": "page_visited", "points": 1, "label": "Was there"},
        ["Was there: new: 1 point; when they visit a page; does not fade"],
    ),
    ("a group gone", ("engagement", "mail"), None, ["No longer: In our mails"]),
    (
        "a group more",
        ("engagement", "talks"),
        {"label": "Talks", "rules": {"met": {"activity": "meeting_held", "points": 9, "label": "Met us"}}},
        ["New: Talks", "Met us: 9 points; when they meet us; does not fade"],
    ),
    ("a cap", ("engagement", "mail", "cap"), 25, ["Together never above 20 -> 25 points."]),
    ("a minimum", ("mql", "needs", "score"), 65, ["score of 60 -> 65 or more"]),
    ("a fact less", ("mql", "needs", "facts"), ["company"], ["no longer: the phone number is known"]),
    ("no audience", ("audience",), None, ["no longer: People of whom", "new: Everybody."]),
]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("need_date", "buying timeline"),
        ("bounced", "bounce of the e-mail address"),
        ("opted_out", "opted out"),
        ("lead_source", "lead source"),
    ],
)
def test_a_fact_has_a_heading(name, expected):
    assert heading(name) == expected


@pytest.mark.parametrize(("remark", "path", "value", "words"), CHANGES, ids=[case[0] for case in CHANGES])
def test_a_change_is_said_in_words(remark, path, value, words):
    if path == ("engagement", "mail") and value is None:
        raw = raw_model()
        del raw["patterns"]
        raw["engagement"].pop("mail")
        raw["mql"]["needs"]["rules"]["of"].remove("student")
        after = ScoringModel.model_validate(raw)
    else:
        after = changed(path, value)
    document = changes(BASE, after, first_on=date(2026, 11, 3), day=DAY)
    assert len(document.text) == 1
    assert document.text[0].startswith("As of 22 Nov 2026, version ")
    assert document.text[0].endswith(", which ran first on 3 Nov 2026.")
    for word in words:
        assert any(line.startswith(word) for line in lines(document)), lines(document)


def test_only_what_changed_is_said():
    document = changes(BASE, changed((*DEMO, "points"), 60), first_on=DAY, day=DAY)
    assert lines(document)[0] == "What changed: how “everything” scores people"
    assert lines(document)[2:] == ["What they do (engagement)", "Raised a hand", "Asked for a demo: 40 -> 60 points"]


def test_other_labels_alone_are_words_only():
    raw = raw_model()
    raw["engagement"]["web"]["label"] = "On our pages"
    raw["engagement"]["web"]["rules"]["careers"]["label"] = "Read about jobs"
    document = changes(BASE, ScoringModel.model_validate(raw), first_on=DAY, day=DAY)
    assert document.text[1] == "Only words changed; no score moves."
    assert lines(document)[3:] == [
        "What they do (engagement)",
        "On our pages",
        "was called “On our site”",
        "Read job offers: now called “Read about jobs”",
    ]


def test_the_same_model_has_no_change():
    document = changes(BASE, BASE, first_on=DAY, day=DAY)
    assert (document.text[1], document.sections) == ("Nothing changed.", ())


def test_another_id_is_no_change_of_words():
    raw = raw_model()
    rules = raw["engagement"]["web"]["rules"]
    rules["jobs"] = rules.pop("careers")
    document = changes(BASE, ScoringModel.model_validate(raw), first_on=DAY, day=DAY)
    assert document.sections == ()
    assert document.text[1] == "Nothing changed that this handbook says: only inner names, or the order they stand in."


def test_another_order_is_said_where_it_counts():
    raw = raw_model()
    raw["disqualify"] = dict(reversed(raw["disqualify"].items()))
    document = changes(BASE, ScoringModel.model_validate(raw), first_on=DAY, day=DAY)
    assert lines(document)[2:] == [
        "Who is never handed over",
        "The order is now: No budget, Opted out of all e-mail, Competitor",
    ]
