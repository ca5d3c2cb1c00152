"""Reading a model: its shape, its bands, and every mistake at its place."""

import copy
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import yaml
from pydantic import ValidationError

from scoring.bands import parse_bands
from scoring.fact_values import day_number
from scoring.facts import DERIVED
from scoring.model import ScoringModel
from scoring.values import parse_days, parse_limit, parse_minimum_grade, parse_percent, parse_points

TEXT = """
model: b2b
weights: {fit: 40, engagement: 60}
decays:
  hand_raise: {half_life: 60d}
  content: {linear: 30d, expires: 20d}
  click: {steps: {7d: 100%, 14d: 75%}}
  always: {none: true}
fit:
  seniority: {weight: 35, percent: {c_level: 100, director: 75}}
  employees: {weight: 30, percent: {1-49: 20, 50: 30, 51-999: 80, 1000+: 50, other: 1}}
  newsletter: {weight: 20, percent: {true: 100, false: 5}}
  need_date: {weight: 15, label: Buying timeline, percent: {within 90d: 100, within 180d: 60}}
  adjust:
    private_mail: {if: {email_type: free}, points: -10, label: Private e-mail address}
    target: {if: {domain: {in_list: targets}, since: {after: 2026-01-31}}, points: 2.5, label: Target account}
engagement:
  conversion:
    label: Raised a hand
    cap: 60
    rules:
      demo:
        activity: form_submitted
        where: {form: {contains: demo}}
        points: 40
        decay: hand_raise
        limit: 1 per quarter
        from: 2026-01-01
        until: 2026-06-30
        interest: analytics
        label: Asked for a demo
      webinar: {activity: responded, where: {type: Webinar, level: 2}, points: 15, decay: content, label: Attended}
  mail:
    label: In our mails
    match: first
    floor: -20
    rules:
      click: {activity: email_clicked, points: 3, decay: click, limit: 1 per day each mail, label: Clicked in a mail}
      left: {activity: unsubscribed, points: -30, label: Left}
grades: {A: 80, B: 60, C: 40}
levels: [70, 40, 20]
disqualify:
  competitor: {if: {industry: Rival}, label: Competitor}
patterns:
  student:
    all:
      - {at_least: 4, activity: downloaded, where: {kind: paper}, within: 60d, distinct: true}
      - {at_most: 0, activity: form_submitted, distinct: form}
    points: -20
    label: Reads everything
silence: {after: 30d, take: 5, every: 7d, at_most: 30, ignore: [email_sent]}
bots: {clicks_closer_than: 2s, after_delivery: 5s}
thirds: true
mql:
  needs: {score: 60, grade: B or better, facts: [company]}
  recycle: {keep_at_most: 25}
"""
RAW = yaml.safe_load(TEXT)


def with_change(path, value):
    raw = copy.deepcopy(RAW)
    inner = raw
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return raw


def mistakes(raw):
    with pytest.raises(ValidationError) as caught:
        ScoringModel.model_validate(raw)
    return [(error["loc"], error["msg"]) for error in caught.value.errors()]


def test_a_model_has_typed_values_and_is_written_back_as_it_was():
    model = ScoringModel.model_validate(RAW)
    demo = model.engagement["conversion"].rules["demo"]
    assert (demo.points, demo.limit.count, demo.limit.per, demo.limit.each) == (Decimal(40), 1, "quarter", None)
    assert model.engagement["mail"].rules["click"].limit.each == "mail"
    assert model.decays["hand_raise"].half_life == 60
    assert model.decays["click"].steps == {7: 100, 14: 75}
    assert model.mql.needs.grade == "B"
    assert list(model.fit.variables) == ["seniority", "employees", "newsletter", "need_date"]
    assert model.written() == RAW
    assert yaml.safe_load(yaml.safe_dump(model.written())) == RAW


def test_a_model_is_read_the_same_in_strict_mode_with_tuples():
    raw = with_change(("levels",), (70, 40, 20))
    raw["mql"]["needs"]["facts"] = ("company",)
    raw["patterns"]["student"]["all"] = tuple(raw["patterns"]["student"]["all"])
    raw["silence"]["ignore"] = ("email_sent",)
    assert ScoringModel.model_validate(raw, strict=True) == ScoringModel.model_validate(RAW)


@pytest.mark.parametrize(
    "mql",
    [
        {"instant": {"demo": {"grade": "C or better", "lasts": "14d"}, "click": {}}, "lost_for": "ever"},
        {"needs": {"rules": {"any": 2, "of": ["demo", "target", "click"]}}, "lost_for": "200d"},
        {"needs": {"score": 60, "fit": 20}, "leave_below": {"score": 60, "fit": "never"}},
        {"needs": {"grade": "B or better"}, "leave_below": {"grade": "B"}},
        {"needs": {"grade": "B or better"}, "leave_below": {"grade": "never"}},
        {"needs": {"facts": ["company"]}, "leave_below": "never"},
        {"leave_below": "never"},
    ],
)
def test_a_definition_is_written_back_as_it_was(mql):
    raw = with_change(("mql",), mql)
    model = ScoringModel.model_validate(raw)
    assert model.written() == raw
    assert ScoringModel.model_validate({**raw, "engagement": model.engagement, "mql": model.mql}) == model


def test_a_bound_for_leaving_is_not_compared_with_a_minimum_that_is_wrong_itself():
    raw = with_change(("mql",), {"needs": {"grade": "B"}, "leave_below": {"grade": "A"}})
    assert [place for place, _ in mistakes(raw)] == [("mql", "needs", "grade")]


def test_a_model_that_is_read_again_stays_as_it_is():
    model = ScoringModel.model_validate(RAW)
    assert ScoringModel.model_validate(model) is model
    assert ScoringModel.model_validate({**RAW, "fit": model.fit, "engagement": model.engagement}) == model


def test_what_is_left_out_has_its_default():
    raw = {key: value for key, value in RAW.items() if key not in ("grades", "levels", "disqualify", "mql")}
    model = ScoringModel.model_validate(raw)
    assert (model.grades, model.levels) == ({"A": 75, "B": 50, "C": 25}, (75, 50, 25))
    assert (model.disqualify, model.mql.needs) == ({}, None)
    assert model.written() == raw


def test_a_model_knows_what_it_reads():
    model = ScoringModel.model_validate(RAW)
    read = model.facts_read()
    assert read - DERIVED == {"employees", "newsletter", "need_date", "domain", "since", "industry", "company"}
    assert read & DERIVED == {"seniority", "email_type"}
    assert {place: sorted(condition.lists()) for place, condition in model.conditions()} == {
        ("fit", "adjust", "private_mail", "if"): [],
        ("fit", "adjust", "target", "if"): ["targets"],
        ("disqualify", "competitor", "if"): [],
        ("engagement", "conversion", "rules", "demo", "where"): [],
        ("engagement", "conversion", "rules", "webinar", "where"): [],
        ("patterns", "student", "all", 0, "where"): [],
    }


def test_a_model_without_needs_reads_no_fact_for_them():
    assert "company" not in ScoringModel.model_validate(with_change(("mql",), {})).facts_read()


def test_the_shape_has_a_json_schema():
    schema = ScoringModel.model_json_schema()
    assert schema["$defs"]["Fit"]["additionalProperties"] == {"$ref": "#/$defs/Variable"}
    assert schema["$defs"]["Decay"]["properties"]["half_life"]["anyOf"][0]["pattern"] == "^[1-9][0-9]*d$"
    assert schema["$defs"]["Adjust"]["required"] == ["if", "points", "label"]


DEMO = ("engagement", "conversion", "rules", "demo")
TARGET = ("fit", "adjust", "target")
OFFER = {"activity": "form_submitted", "points": 1, "label": "L"}
TWICE = OFFER | {"where": {"form": "x"}}
SILENCE = {"after": "30d", "take": 5, "every": "7d", "at_most": 30}
PATTERN = {"all": [{"at_most": 0, "rule": "click"}], "points": -5, "label": "P"}
LINE = ("patterns", "p", "all", 0)


def line(**keys):
    return {"p": PATTERN | {"all": [keys]}}


@pytest.mark.parametrize(
    ("path", "value", "place", "words"),
    [
        (("weights", "fit"), 50, ("weights",), "the weights add up to 110"),
        (("weights", "fit"), 40.5, ("weights", "fit"), "valid integer"),
        (("weights", "fit"), True, ("weights", "fit"), "valid integer"),
        (("decays", "click"), {}, ("decays", "click"), "this one has none of them"),
        (("decays", "click"), {"expires": "5d"}, ("decays", "click"), "this one has none of them"),
        (("decays", "click"), {"linear": "5d", "none": True}, ("decays", "click"), "has linear and none"),
        (("decays", "click"), {"none": False}, ("decays", "click", "none"), "True"),
        (("decays", "click"), {"half_life": "0d"}, ("decays", "click", "half_life"), "1d to 3650d"),
        (("decays", "click"), {"half_life": "3651d"}, ("decays", "click", "half_life"), "1d to 3650d"),
        (("decays", "click"), {"half_life": "12h"}, ("decays", "click", "half_life"), "write days such as '30d'"),
        (("decays", "click"), {"linear": "2w"}, ("decays", "click", "linear"), "two weeks are '14d'"),
        (("decays", "click"), {"linear": 30}, ("decays", "click", "linear"), "'30' is no span"),
        (("decays", "click"), {"halflife": "3d"}, ("decays", "click", "halflife"), "not permitted"),
        (("decays", "click", "steps"), {}, ("decays", "click", "steps"), "percents by the last day"),
        (("decays", "click", "steps"), "7d", ("decays", "click", "steps"), "percents by the last day"),
        (("decays", "click", "steps", "14d"), "101%", ("decays", "click", "steps", "14d"), "whole percent"),
        (("decays", "click", "steps", "14d"), 75, ("decays", "click", "steps", "14d"), "whole percent"),
        (("decays", "click", "steps", "14h"), "75%", ("decays", "click", "steps", "14h"), "whole days"),
        (
            ("decays", "click", "steps", "21d"),
            "80%",
            ("decays", "click", "steps", "21d"),
            "14d gives 75%, 21d gives 80%",
        ),
        (("decays", "click", "steps", "07d"), "80%", ("decays", "click", "steps", "07d"), "no span"),
        (("fit", "employees", "weight"), 31, ("fit",), "not 100: seniority 35 + employees 31"),
        (("fit",), {}, ("fit",), "add up to 0, not 100: no variable"),
        (("fit", "employees", "weight"), "x", ("fit", "employees", "weight"), "valid integer"),
        (("fit", "employees", "weight"), -1, ("fit", "employees", "weight"), "greater than or equal to 0"),
        (("fit", "employees", "wight"), 3, ("fit", "employees", "wight"), "not permitted"),
        (("fit", "employees", "percent"), {}, ("fit", "employees", "percent"), "percents stand here"),
        (("fit", "employees", "percent"), {"other": 5}, ("fit", "employees", "percent"), "only `other`"),
        (("fit", "employees", "percent", "5-1"), 5, ("fit", "employees", "percent", "5-1"), "smaller bound first"),
        (("fit", "employees", "percent", "1-49"), 101, ("fit", "employees", "percent", "1-49"), "from 0 to 100"),
        (("fit", "employees", "percent", "1-49"), "5%", ("fit", "employees", "percent", "1-49"), "from 0 to 100"),
        (("fit", "employees", "percent", "other"), True, ("fit", "employees", "percent", "other"), "from 0 to 100"),
        (
            ("fit", "employees", "percent", "big"),
            5,
            ("fit", "employees", "percent", "big"),
            "'big' is a text but '1-49'",
        ),
        (("fit", "seniority", "percent", 5), 5, ("fit", "seniority", "percent", "5"), "'5' is a number but 'c_level'"),
        (
            ("fit", "seniority", "percent"),
            {"a": 1, "5": 1, "b": 1},
            ("fit", "seniority", "percent", "5"),
            "is a number",
        ),
        (("fit", "employees", "percent", "40-60"), 5, ("fit", "employees", "percent", "40-60"), "overlaps '1-49'"),
        (("fit", "employees", "percent", "50 "), 5, ("fit", "employees", "percent", "50 "), "overlaps '50'"),
        (("fit", "employees", "percent", "2000+"), 5, ("fit", "employees", "percent", "2000+"), "overlaps '1000+'"),
        (
            ("fit", "seniority", "percent", "C_Level"),
            5,
            ("fit", "seniority", "percent", "C_Level"),
            "overlaps 'c_level'",
        ),
        (("fit", "seniority", "percent", " "), 5, ("fit", "seniority", "percent", " "), "blank text"),
        (
            ("fit", "need_date", "percent", "within 3 days"),
            5,
            ("fit", "need_date", "percent", "within 3 days"),
            "no span",
        ),
        (("fit", "need_date", "percent", "within 90d "), 5, ("fit", "need_date", "percent", "within 90d "), "overlaps"),
        (("fit", "newsletter", "percent", "True"), 5, ("fit", "newsletter", "percent", "True"), "overlaps 'true'"),
        ((*TARGET, "points"), 1001, (*TARGET, "points"), "at most 1000"),
        ((*TARGET, "points"), float("nan"), (*TARGET, "points"), "no number"),
        ((*TARGET, "points"), 0.0000001, (*TARGET, "points"), "at most six digits"),
        ((*TARGET, "points"), "5", (*TARGET, "points"), "no number"),
        ((*TARGET, "points"), True, (*TARGET, "points"), "no number"),
        ((*TARGET, "label"), "", (*TARGET, "label"), "at least 1"),
        ((*TARGET, "if"), {"a": {"iss": 1}}, (*TARGET, "if", "a", "iss"), "did you mean 'is'?"),
        ((*DEMO, "where"), {"form": {"within": "3d"}}, (*DEMO, "where", "form", "within"), "cannot stand in `where`"),
        ((*DEMO, "points"), -1000.5, (*DEMO, "points"), "at most 1000"),
        ((*DEMO, "points"), 61, (*DEMO, "points"), "the group's cap is 60"),
        ((*DEMO, "decay"), "hand_rise", (*DEMO, "decay"), "did you mean 'hand_raise'?"),
        ((*DEMO, "decay"), "zzz", (*DEMO, "decay"), "known are: always, click"),
        ((*DEMO, "decay"), 5, (*DEMO, "decay"), "valid string"),
        ((*DEMO, "limit"), "often", (*DEMO, "limit"), "write '3 per week'"),
        ((*DEMO, "limit"), "3 per wek", (*DEMO, "limit"), "did you mean 'week'?"),
        ((*DEMO, "limit"), "0 per week", (*DEMO, "limit"), "the smallest limit is 1"),
        ((*DEMO, "limit"), 3, (*DEMO, "limit"), "write '3 per week'"),
        ((*DEMO, "interest"), "", (*DEMO, "interest"), "at least 1"),
        ((*DEMO, "from"), "2026-02-30", (*DEMO, "from"), "write year-month-day"),
        ((*DEMO, "from"), datetime(2026, 1, 1, 8, tzinfo=UTC), (*DEMO, "from"), "write year-month-day"),
        ((*DEMO, "until"), 20260101, (*DEMO, "until"), "write year-month-day"),
        (DEMO, OFFER | {"from": "2026-03-02", "until": "2026-03-01"}, DEMO, "before from 2026-03-02, so nothing"),
        (("engagement", "conversion", "cap"), -1, ("engagement", "conversion", "cap"), "a cap is 0 or more"),
        (("engagement", "mail", "floor"), 1, ("engagement", "mail", "floor"), "a floor is 0 or less"),
        (
            ("engagement", "mail"),
            {"label": "M", "floor": -20, "rules": {"left": OFFER | {"points": -30}, "late": OFFER | {"points": -20}}},
            ("engagement", "mail", "rules", "left", "points"),
            "-30 points never count in full: the group's floor is -20; lower the floor or take fewer points",
        ),
        (("engagement", "conversion", "match"), "frist", ("engagement", "conversion", "match"), "'all' or 'first'"),
        (
            ("engagement", "mail"),
            {"label": "M", "match": "first", "rules": {"all": OFFER, "one": OFFER | {"where": {"form": "x"}}}},
            ("engagement", "mail", "rules", "one"),
            "'all' comes first and takes all",
        ),
        (
            ("engagement", "mail"),
            {"label": "M", "match": "first", "rules": {"a": TWICE, "b": OFFER | {"activity": "x"}, "c": TWICE}},
            ("engagement", "mail", "rules", "c"),
            "'a' comes first and takes all",
        ),
        (("engagement", "conversion", "rules"), {}, ("engagement", "conversion", "rules"), "at least 1"),
        (("engagement",), {}, ("engagement",), "at least 1"),
        (
            ("engagement", "mail", "rules", "demo"),
            {"activity": "x", "points": 1, "label": "L"},
            ("engagement", "mail", "rules", "demo"),
            "already used in engagement.conversion",
        ),
        (
            ("engagement", "mail", "rules", "target"),
            {"activity": "x", "points": 1, "label": "L"},
            ("engagement", "mail", "rules", "target"),
            "already used in fit.adjust",
        ),
        (("grades",), {"A": 60, "B": 60, "C": 40}, ("grades",), "the bounds must fall"),
        (("grades",), {"A": 60, "B": 50}, ("grades",), "bounds stand here for A, B"),
        (("grades",), {}, ("grades",), "bounds stand here for none"),
        (("grades", "D"), 10, ("grades",), "D is the rest"),
        (("grades", "A"), 101, ("grades", "A"), "less than or equal to 100"),
        (("levels",), [70, 40, 50], ("levels",), "the bounds must fall"),
        (("levels",), [70, 40], ("levels", 2), "required"),
        (("disqualify", "competitor", "if"), {}, ("disqualify", "competitor", "if"), "at least one key"),
        (("mql", "needs"), {}, ("mql", "needs"), "everybody would qualify"),
        (("mql", "needs", "grade"), "B", ("mql", "needs", "grade"), "write 'B or better'"),
        (("mql", "needs", "grade"), "E or better", ("mql", "needs", "grade"), "write 'B or better'"),
        (("mql", "needs", "score"), 0, ("mql", "needs", "score"), "greater than or equal to 1"),
        (("mql", "needs", "facts"), [""], ("mql", "needs", "facts", 0), "at least 1"),
        (("mql", "needs", "rules"), {"any": 0, "of": ["demo"]}, ("mql", "needs", "rules", "any"), "or equal to 1"),
        (("mql", "needs", "rules"), {"any": 2, "of": ["demo"]}, ("mql", "needs", "rules"), "can never be met of 1"),
        (("mql", "needs", "rules"), {"any": 1, "of": ["left", "left"]}, ("mql", "needs", "rules"), "named twice"),
        (
            ("mql", "needs", "rules"),
            {"any": 1, "of": ["demo", "tarket"]},
            ("mql", "needs", "rules", "of", 1),
            "did you mean 'target'?",
        ),
        (("mql", "instant"), {"dem": {}}, ("mql", "instant", "dem"), "no rule 'dem'; an instant rule is"),
        (("mql", "instant"), {"target": {}}, ("mql", "instant", "target"), "'target' stands in fit.adjust"),
        (("mql", "instant"), {"demo": {"grade": "B"}}, ("mql", "instant", "demo", "grade"), "write 'B or better'"),
        (("mql", "instant"), {"demo": {"lasts": "0d"}}, ("mql", "instant", "demo", "lasts"), "1d to 3650d"),
        (("mql", "lost_for"), "6 months", ("mql", "lost_for"), "write whole days"),
        (("mql", "leave_below"), "nevr", ("mql", "leave_below"), "write never, or bounds"),
        (("mql", "leave_below"), 50, ("mql", "leave_below"), "valid dictionary"),
        (("mql", "leave_below"), {"facts": "never"}, ("mql", "leave_below", "facts"), "not permitted"),
        (("mql", "leave_below"), {"score": 0}, ("mql", "leave_below", "score"), "from 1 to 100, or never"),
        (("mql", "leave_below"), {"score": 61}, ("mql", "leave_below", "score"), "who qualifies would leave at once"),
        (("mql", "leave_below"), {"grade": "A"}, ("mql", "leave_below", "grade"), "who qualifies would leave at once"),
        (("mql", "leave_below"), {"grade": "F"}, ("mql", "leave_below", "grade"), "a letter from A to D, or never"),
        (("mql", "leave_below"), {"fit": 40}, ("mql", "leave_below", "fit"), "no minimum fit"),
        (("silence",), SILENCE | {"take": -5}, ("silence", "take"), "not above 0"),
        (("silence",), SILENCE | {"at_most": 4}, ("silence",), "take 5 never counts in full"),
        (("silence",), SILENCE | {"every": "0d"}, ("silence", "every"), "1d to 3650d"),
        (("silence",), SILENCE | {"ignored": ["x"]}, ("silence", "ignored"), "not permitted"),
        (("bots",), {}, ("bots",), "nothing tells a bot here"),
        (("bots",), {"clicks_closer_than": "0s"}, ("bots", "clicks_closer_than"), "write 1s to 3600s"),
        (("bots",), {"after_delivery": "3601s"}, ("bots", "after_delivery"), "write 1s to 3600s"),
        (("bots",), {"after_delivery": "2m"}, ("bots", "after_delivery"), "write 1s to 3600s"),
        (("thirds",), "yes", ("thirds",), "valid boolean"),
        (("mql", "recycle"), {"keep_at_most": 101}, ("mql", "recycle", "keep_at_most"), "or equal to 100"),
        (("patterns",), {"p": PATTERN | {"all": []}}, ("patterns", "p", "all"), "at least one"),
        (("patterns",), {"target": PATTERN}, ("patterns", "target"), "already used in fit.adjust"),
        (("patterns",), {"demo": PATTERN}, ("patterns", "demo"), "already used in engagement.conversion"),
        (("patterns",), line(activity="x"), LINE, "either at_least or at_most, such as at_least: 3; neither"),
        (
            ("patterns",),
            line(activity="x", at_least=1, at_most=2),
            LINE,
            "either at_least or at_most, such as at_least: 3; both",
        ),
        (("patterns",), line(at_least=1), LINE, "either activity or rule, such as rule: demo; neither"),
        (("patterns",), line(at_least=1, activity="x", rule="demo"), LINE, "such as rule: demo; both"),
        (("patterns",), line(at_least=0, activity="x"), LINE, "write at_most: 0"),
        (("patterns",), line(at_least=-1, activity="x"), (*LINE, "at_least"), "or equal to 0"),
        (("patterns",), line(at_least=1, rule="dem"), (*LINE, "rule"), "no rule 'dem'; a pattern counts"),
        (("patterns",), line(at_least=1, rule="target"), (*LINE, "rule"), "'target' stands in fit.adjust"),
        (("patterns",), line(at_least=1, rule="demo", within="12h"), (*LINE, "within"), "write days such as '30d'"),
        (("patterns",), line(at_least=1, rule="demo", distinct=False), (*LINE, "distinct"), "write true"),
        (
            ("patterns",),
            line(at_least=1, activity="x", where={"form": {"past": "3d"}}),
            (*LINE, "where", "form", "past"),
            "cannot stand in `where`",
        ),
    ],
)
def test_a_mistake_says_where_and_what_to_do(path, value, place, words):
    ((found_place, message),) = mistakes(with_change(path, value))
    assert found_place == place
    assert words in message


@pytest.mark.parametrize(
    "path",
    [
        ("model",),
        ("weights",),
        ("fit",),
        ("engagement",),
        (*TARGET, "label"),
        (*TARGET, "if"),
        (*TARGET, "points"),
        ("engagement", "mail", "label"),
        ("engagement", "mail", "rules"),
        (*DEMO, "label"),
        (*DEMO, "activity"),
        (*DEMO, "points"),
        ("disqualify", "competitor", "label"),
        ("fit", "employees", "percent"),
    ],
)
def test_what_a_part_needs_is_asked_for(path):
    raw = copy.deepcopy(RAW)
    inner = raw
    for key in path[:-1]:
        inner = inner[key]
    del inner[path[-1]]
    assert (path, "Field required") in mistakes(raw)


def test_all_mistakes_are_found_at_once():
    raw = copy.deepcopy(RAW)
    raw["weights"]["fit"] = 50
    raw["decays"]["content"] = {"half_life": "0d"}
    raw["fit"]["seniority"]["weight"] = 36
    raw["fit"]["employees"]["percent"]["x"] = 500
    raw["fit"]["adjust"]["target"]["if"] = {"a": {"b": 1, "above": "x"}}
    raw["engagement"]["conversion"]["rules"]["demo"] |= {"points": 70, "decay": "nothing", "limit": "x"}
    raw["engagement"]["mail"]["rules"]["webinar"] = {"activity": "x"}
    raw["mql"]["needs"] = {"scores": 5}
    assert {place for place, _ in mistakes(raw)} == {
        ("weights",),
        ("decays", "content", "half_life"),
        ("fit",),
        ("fit", "employees", "percent", "x"),
        ("fit", "adjust", "target", "if", "a", "b"),
        ("fit", "adjust", "target", "if", "a", "above"),
        (*DEMO, "points"),
        (*DEMO, "decay"),
        (*DEMO, "limit"),
        ("engagement", "mail", "rules", "webinar"),
        ("engagement", "mail", "rules", "webinar", "points"),
        ("engagement", "mail", "rules", "webinar", "label"),
        ("mql", "needs", "scores"),
    }


@pytest.mark.parametrize("raw", [None, [], {"engagement": 5}, {"engagement": {"a": {"rules": {"b": 1}}}}, {"fit": [1]}])
def test_a_shape_that_is_quite_wrong_is_a_mistake_and_no_crash(raw):
    assert mistakes(raw)


@pytest.mark.parametrize(
    ("change", "needs", "unreachable"),
    [
        ({}, {"fit": 100, "engagement": 100, "score": 100, "grade": "A or better"}, []),
        ({}, {"facts": ["company"]}, []),
        # 35 + 30 * 0.8 + 20 + 15 + 2.5 = 96.5 is the most fit that the model gives, shown as 97
        ({"fit": {"employees": 80}}, {"fit": 97}, []),
        ({"fit": {"employees": 80}}, {"fit": 98}, ["fit"]),
        # all groups capped: 40 + 20
        ({"caps": (40, 20)}, {"engagement": 60}, []),
        ({"caps": (40, 20)}, {"engagement": 61}, ["engagement"]),
        ({"caps": (40, 20)}, {"score": 77, "engagement": 61}, ["score", "engagement"]),
        ({"caps": (40, 20)}, {"score": 76}, []),  # 40 % of 100 and 60 % of 60
        ({"caps": (40, 20), "grades": 98, "fit": {"employees": 80}}, {"grade": "A or better"}, ["grade"]),
        ({"grades": 98, "fit": {"employees": 80}}, {"grade": "D or better"}, []),
        ({"limits": "2 per ever"}, {"engagement": 100}, []),  # 80 + 30 + 6
        ({"limits": "1 per ever"}, {"engagement": 58}, []),
        ({"limits": "1 per ever"}, {"engagement": 59}, ["engagement"]),
        ({"limits": "1 per ever each mail"}, {"engagement": 100}, []),  # any number of mails
        # 40 fades, 15, and 3 of which the first day leaves a tenth
        ({"limits": "1 per ever", "first_step": 10}, {"engagement": 55}, []),
        ({"limits": "1 per ever", "first_step": 10}, {"engagement": 56}, ["engagement"]),
    ],
)
def test_a_minimum_that_nobody_can_reach_is_a_mistake(change, needs, unreachable):
    raw = copy.deepcopy(RAW)
    raw["fit"]["employees"]["percent"] = {"1+": change.get("fit", {}).get("employees", 100)}
    raw["grades"]["A"] = change.get("grades", 80)
    raw["decays"]["click"] = {"steps": {"7d": f"{change.get('first_step', 100)}%"}}
    raw["engagement"]["conversion"]["cap"], raw["engagement"]["mail"]["cap"] = change.get("caps", (100, 100))
    for group in raw["engagement"].values():
        for rule in group["rules"].values():
            rule["limit"] = change.get("limits", "3 per week")
    raw["mql"]["needs"] = needs
    if not unreachable:
        assert ScoringModel.model_validate(raw).written() == raw
        return
    found = mistakes(raw)
    assert sorted(place for place, _ in found) == sorted(("mql", "needs", name) for name in unreachable)
    assert all("nobody ever qualifies" in message for _, message in found)


TODAY = date(2026, 3, 10)


@pytest.mark.parametrize(
    ("percents", "value", "expected"),
    [
        ({"Software": 100, "other": 30}, " SOFTWARE", ("Software", 100)),
        ({"Software": 100, "other": 30}, "Retail", ("other", 30)),
        ({"Software": 100, "other": 30}, None, ("", 0)),  # unknown gives nothing, not even other
        ({"Software": 100, "other": 30}, 5, ("", 0)),  # a value of another kind counts as unknown
        ({"Software": 100}, "Retail", ("", 0)),
        ({"Software": 0, "other": 30}, "software", ("Software", 0)),
        ({"1-49": 20, "50+": 100}, 0.9, ("", 0)),
        ({"1-49": 20, "50+": 100}, 1, ("1-49", 20)),
        ({"1-49": 20, "50+": 100}, 49.9, ("1-49", 20)),  # to before 50
        ({"1-49": 20, "50+": 100}, 50, ("50+", 100)),
        ({"1-49": 20, "50+": 100}, 10**9, ("50+", 100)),
        ({"1-49": 20, "60+": 100, "other": 7}, 55, ("other", 7)),  # a hole falls to other
        ({"1 - 49": 20, "50 \u2013 99": 100}, 70, ("50 \u2013 99", 100)),
        ({50: 30, -1: 5}, 50, ("50", 30)),  # a bare number means exactly it
        ({50: 30, -1: 5}, 50.5, ("", 0)),
        ({50: 30, -1: 5}, -1, ("-1", 5)),
        ({1.5: 30}, 1.5, ("1.5", 30)),
        ({50: 30}, True, ("", 0)),
        ({50: 30}, "50", ("", 0)),
        ({True: 100, False: 5}, True, ("true", 100)),
        ({True: 100, False: 5}, False, ("false", 5)),
        ({"true": 100, "other": 5}, False, ("other", 5)),
        ({True: 100}, 1, ("", 0)),
        ({"within 90d": 60, "within 30d": 100}, TODAY, ("within 30d", 100)),  # the smallest that holds
        ({"within 90d": 60, "within 30d": 100}, date(2026, 4, 9), ("within 30d", 100)),
        ({"within 90d": 60, "within 30d": 100}, date(2026, 4, 10), ("within 90d", 60)),
        ({"within 90d": 60, "past 30d": 10}, date(2026, 3, 9), ("past 30d", 10)),
        ({"within 90d": 60, "past 30d": 10}, date(2026, 2, 8), ("past 30d", 10)),
        ({"within 90d": 60, "past 30d": 10, "other": 1}, date(2026, 2, 7), ("other", 1)),
        ({"within 90d": 60}, "soon", ("", 0)),
    ],
)
def test_a_fact_falls_into_one_band(percents, value, expected):
    assert parse_bands(percents).band(value, day_number(TODAY)) == expected


def test_bands_that_are_read_again_stay_as_they_are():
    bands = parse_bands({"1-49": 20, "50+": 100})
    assert parse_bands(bands) is bands


@pytest.mark.parametrize(
    ("parse", "text", "value"),
    [
        (parse_days, "14d", 14),
        (parse_percent, "100%", 100),
        (parse_points, -2.5, Decimal("-2.5")),
        (parse_points, 0.000001, Decimal("0.000001")),
        (parse_minimum_grade, "C  or better", "C"),
        (lambda text: str(parse_limit(text)), "3  per ever each  form", "3 per ever each form"),
    ],
)
def test_a_small_value_is_read(parse, text, value):
    assert parse(text) == value
