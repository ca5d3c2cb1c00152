"""What nobody can reach is found, and only that: each check at its edge."""

import pytest
import yaml

from config.reach_checks import check_reach
from config.reading import read
from scoring.model import ScoringModel

DEMO = {"activity": "form", "where": {"form": {"contains": "demo"}}, "points": 40, "label": "D"}
MODEL = {
    "model": "b2b",
    "weights": {"fit": 40, "engagement": 60},
    "decays": {"late": {"steps": {"7d": "1%"}}},
    "fit": {
        "size": {"weight": 100, "percent": {"1-49": 20, "50+": 100}},
        "adjust": {"near": {"if": {"land": ["NO", "SE"]}, "points": 5, "label": "Near"}},
    },
    "engagement": {
        "web": {"label": "Web", "cap": 60, "rules": {"demo": DEMO}},
        "more": {"label": "More", "cap": 20, "rules": {"visit": {"activity": "visit", "points": 1, "label": "V"}}},
    },
}


def told(**parts):
    """Each problem of the model with these parts, as severity and message."""
    raw = MODEL | parts
    written, problems = read("models/b2b.yaml", yaml.safe_dump(raw, sort_keys=False))
    assert not problems
    return [(one.severity, one.message) for one in check_reach(written, ScoringModel.model_validate(raw))]


def test_a_model_of_which_all_can_be_reached_is_let_be():
    assert told() == []


LINES = [
    # whether they contradict, the lines
    (True, {"at_least": 3, "activity": "form"}, {"at_most": 2, "activity": "form"}),
    (True, {"at_most": 0, "activity": "form"}, {"at_least": 1, "rule": "demo"}),
    (True, {"at_least": 3, "activity": "form", "within": "7d"}, {"at_most": 2, "activity": "form", "within": "7d"}),
    (True, {"at_least": 3, "activity": "form", "where": {"form": "x"}}, {"at_most": 2, "activity": "form"}),
    (True, {"at_least": 3, "rule": "demo"}, {"at_most": 2, "rule": "demo"}),
    (True, {"at_least": 3, "rule": "demo"}, {"at_most": 2, "activity": "form", "where": {"form": {"contains": "em"}}}),
    (True, {"at_least": 3, "activity": "form", "distinct": True}, {"at_most": 2, "activity": "form"}),
    (
        True,
        {"at_least": 3, "activity": "form", "distinct": "form"},
        {"at_most": 2, "activity": "form", "distinct": True},
    ),
    (True, {"at_least": 3, "activity": "form"}, {"at_most": 0, "activity": "form", "distinct": True}),
    (False, {"at_least": 3, "activity": "form"}, {"at_most": 3, "activity": "form"}),
    (False, {"at_least": 3, "activity": "form"}, {"at_most": 2, "activity": "visit"}),
    (False, {"at_least": 3, "activity": "form"}, {"at_most": 2, "activity": "form", "within": "7d"}),
    (False, {"at_least": 3, "activity": "form", "within": "30d"}, {"at_most": 2, "activity": "form", "within": "7d"}),
    (False, {"at_least": 3, "activity": "form"}, {"at_most": 2, "activity": "form", "where": {"form": "x"}}),
    (False, {"at_least": 3, "activity": "form"}, {"at_most": 2, "activity": "form", "distinct": True}),
    (False, {"at_least": 3, "activity": "form"}, {"at_most": 0, "activity": "form", "distinct": "form"}),
    (False, {"at_least": 3, "activity": "form"}, {"at_most": 2, "rule": "demo"}),  # the rule takes less
    (False, {"at_least": 3, "rule": "demo"}, {"at_most": 2, "rule": "visit"}),
    (False, {"at_most": 3, "activity": "form"}, {"at_most": 2, "activity": "form"}),
]


@pytest.mark.parametrize(("contradict", "one", "other"), LINES)
def test_lines_of_a_pattern_contradict_when_one_allows_less_of_at_least_the_same(contradict, one, other):
    found = told(patterns={"p": {"all": [one, other], "points": 1, "label": "P"}})
    assert [severity for severity, _ in found] == ["error"] * contradict


HIDDEN = [
    # whether it is hidden, the conditions above it, its own
    (True, [{"form": {"contains": "demo"}}], {"form": "Demo request"}),
    (True, [{"form": ["a", "b", "c"]}], {"form": ["a", "c"]}),
    (True, [{"form": {"starts_with": "a"}}, {"not": {"form": {"starts_with": "a"}}}], None),
    (True, [{"form": {"present": True}}], {"form": "a", "page": "b"}),
    (False, [{"form": ["a", "b"]}], {"form": ["a", "c"]}),
    (False, [{"form": "a"}, {"form": "b"}], None),
    (False, [{"form": "Demo request"}], {"form": {"contains": "demo"}}),
    (False, [{"form": "a", "page": "b"}], {"form": "a"}),
    (False, [], {"form": "a"}),
]


@pytest.mark.parametrize(("hidden", "above", "own"), HIDDEN)
def test_a_rule_is_hidden_when_the_rules_above_it_take_all_of_it(hidden, above, own):
    conditions = [*above, own]
    rules = {
        f"r{place}": {"activity": "form", "points": 1, "label": "R"} | ({"where": where} if where else {})
        for place, where in enumerate(conditions)
    }
    web = {"label": "Web", "match": "first", "rules": rules}
    found = told(engagement=MODEL["engagement"] | {"web": web})
    assert [severity for severity, _ in found] == ["error"] * hidden
    apart = {name: rule | {"activity": name} for name, rule in rules.items()}
    assert told(engagement=MODEL["engagement"] | {"web": web | {"rules": apart}}) == []
    assert told(engagement=MODEL["engagement"] | {"web": web | {"match": "all"}}) == []


@pytest.mark.parametrize(
    ("rule", "reached"),
    [
        ({"points": 0.4}, True),  # two of them
        ({"points": -0.4}, True),
        ({"points": 0}, False),
        ({"points": 0.4, "limit": "1 per ever"}, False),
        ({"points": 0.4, "limit": "2 per ever"}, True),
        ({"points": 0.4, "limit": "1 per ever each mail"}, True),
        ({"points": 0.4, "limit": "1 per year"}, True),
        ({"points": 40, "limit": "1 per ever", "decay": "late"}, False),
        ({"points": 50, "limit": "1 per ever", "decay": "late"}, True),
    ],
)
def test_a_rule_is_met_when_it_can_give_or_take_half_a_point(rule, reached):
    more = {"label": "More", "rules": {"visit": {"activity": "visit", "label": "V"} | rule}}
    found = told(
        engagement={"web": MODEL["engagement"]["web"] | {"cap": 100}, "more": more},
        mql={"needs": {"rules": {"any": 2, "of": ["demo", "visit"]}}},
    )
    assert [severity for severity, _ in found] == ["error"] * (not reached)


def test_rules_of_which_fewer_are_asked_for_may_exclude_each_other():
    far = {"if": {"land": {"not_in": ["NO", "SE"]}}, "points": -5, "label": "Far"}
    fit = MODEL["fit"] | {"adjust": MODEL["fit"]["adjust"] | {"far": far}}
    several = {"any": 2, "of": ["near", "far", "demo"]}
    assert told(fit=fit, mql={"needs": {"rules": several}}) == []
    assert len(told(fit=fit, mql={"needs": {"rules": several | {"any": 3}}})) == 1


@pytest.mark.parametrize(("grade", "told_of"), [("A", 1), ("B", 0), ("D", 0), (None, 0)])
def test_the_grade_of_an_instant_rule_can_be_reached(grade, told_of):
    fit = {"size": {"weight": 100, "percent": {"1+": 70}}}
    instant = {"demo": {"grade": f"{grade} or better"} if grade else {}}
    found = told(fit=fit, mql={"instant": instant}, thirds=True)
    assert [severity for severity, _ in found if severity == "error"] == ["error"] * told_of


@pytest.mark.parametrize(
    ("more", "most"),
    [
        ({}, 48),  # 60 % of 80
        ({"weights": {"fit": 41, "engagement": 59}}, 48),  # 47.2 between two rounded scores
        ({"fit": {"due": {"weight": 100, "percent": {"within 90d": 100}}}}, 88),
        ({"disqualify": {"late": {"if": {"due": {"past": "30d"}}, "label": "Late"}}}, 88),
        ({"disqualify": {"late": {"if": {"due": {"before": "2026-01-01"}}, "label": "Late"}}}, 48),
    ],
)
def test_a_surge_can_be_made_by_engagement_and_by_what_depends_on_the_day(more, most):
    assert told(surge={"rise": most, "within": "7d"}, **more) == []
    ((severity, message),) = told(surge={"rise": most + 1, "within": "7d"}, **more)
    assert (severity, f"more than {most}" in message) == ("error", True)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"grades": {"A": 100, "B": 50, "C": 25}, "levels": [80, 50, 25]}, ""),
        ({"fit": {"size": {"weight": 100, "percent": {"1+": 49}}}}, "so nobody ever has grade A or B"),
        ({"levels": [90, 81, 80]}, "so nobody ever has level 1 or 2"),
    ],
)
def test_grades_and_levels_that_nobody_has_are_a_warning(more, words):
    found = told(**more)
    assert [severity for severity, _ in found] == ["warning"] * bool(words)
    assert all(words in message for _, message in found)


@pytest.mark.parametrize(
    ("audience", "disqualified", "told_of"),
    [
        ({"land": "NO"}, {"land": "SE"}, ["warning"]),
        ({"land": "NO"}, {"land": ["NO", "SE"]}, ["error"]),
        ({"land": {"present": True}}, {"land": ["NO", "SE"]}, []),
        ({"land": "NO"}, {"size": {"below": 5}}, []),
        # told of the one condition alone
        ({"land": "NO"}, {"land": {"is": "SE", "missing": True}}, []),
        ({"land": "NO"}, {"any": [{"land": {"missing": True}}, {"land": {"present": True}}]}, []),
        ({"land": {"is": "NO", "missing": True}}, {"land": "SE"}, []),
    ],
)
def test_an_audience_and_a_disqualifier_share_some_but_not_all(audience, disqualified, told_of):
    found = told(audience=audience, disqualify={"d": {"if": disqualified, "label": "D"}})
    assert [severity for severity, _ in found] == told_of


def test_an_adjustment_of_nobody_in_the_audience_is_a_warning():
    ((severity, message),) = told(audience={"land": "DK"})
    assert severity == "warning"
    assert message == "nobody in the audience is meant by this: land cannot be `is: DK` and `in: NO, SE` at once"
