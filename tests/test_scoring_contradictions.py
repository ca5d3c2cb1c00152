"""Conditions that never or always hold: each is found, and whatever is told is true of every value."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.conditions import evaluator, matcher, parse_condition, parse_where
from scoring.contradictions import clash, senseless
from scoring.fact_values import day_number
from scoring.tables import Tables

NEVER = [
    # place of what never holds, the condition
    (("size", "below"), {"size": {"at_least": 50, "below": 50}}),
    (("size", "at_most"), {"size": {"above": 50, "at_most": 50}}),
    (("size", "between"), {"size": {"above": 50, "between": [1, 50]}}),
    (("size", "not_in"), {"size": {"at_least": 50, "at_most": 50, "not_in": [50]}}),
    (("not", "size", "at_least"), {"size": {"at_least": 60}, "not": {"size": {"at_least": 50}}}),
    (("not", "size", "between"), {"size": {"between": [1, 2]}, "not": {"size": {"between": [1, 2]}}}),
    (("all", 1, "size"), {"all": [{"size": {"below": 3}}, {"size": 3}]}),
    (("all", 1, "land"), {"all": [{"land": "NO"}, {"land": ["SE", "DK"]}]}),
    (("land", "not_in"), {"land": {"is": "NO", "not_in": [" no", "SE"]}}),
    (("land", "missing"), {"land": {"is": "NO", "missing": True}}),
    (("land", "missing"), {"land": {"present": True, "missing": True}}),
    (("land", "present"), {"land": {"in_list": "near", "present": False}}),
    (("land", "at_most"), {"land": {"contains": "a", "at_most": 3}}),
    (("land", "in_list"), {"land": {"in": [1, 2], "in_list": "near"}}),
    (("land", "starts_with"), {"land": {"is": "Norway", "starts_with": "s"}}),
    (("all", 1, "land", "starts_with"), {"all": [{"land": {"starts_with": "N"}}, {"land": {"starts_with": ["s"]}}]}),
    (("all", 1, "land", "ends_with"), {"all": [{"land": {"ends_with": "ay"}}, {"land": {"ends_with": "oy"}}]}),
    (("not", "land", "contains"), {"land": {"starts_with": "Norway"}, "not": {"land": {"contains": "way"}}}),
    (("not", "land", "in_list"), {"land": {"in_list": "near"}, "not": {"land": {"in_list": ["near", "far"]}}}),
    (("due", "before"), {"due": {"after": "2026-01-01", "before": "2026-01-02"}}),
    (("due", "before"), {"due": {"is": "2026-03-01", "before": "2026-01-02"}}),
    (("not", "due", "after"), {"due": {"after": "2026-01-05"}, "not": {"due": {"after": "2026-01-01"}}}),
    (("not", "due", "is"), {"due": {"between": ["2026-01-05", "2026-01-05"]}, "not": {"due": {"is": "2026-01-05"}}}),
    (("due", "past"), {"due": {"within": "9d", "past": "9d"}}),
    (("due", "within"), {"due": {"is": 5, "within": "9d"}}),
    (("yes", "not_in"), {"yes": {"is": True, "not_in": [True]}}),
    # a branch that never holds is named, alone or beside what stands around it
    (("any", 0, "size", "below"), {"any": [{"size": {"at_least": 9, "below": 5}}, {"land": "NO"}]}),
    (("any", 1, "size", "below"), {"size": {"at_least": 9}, "any": [{"land": "NO"}, {"size": {"below": 5}}]}),
    (("any", 0, "all", 0, "s"), {"not": {"s": {"below": 9}}, "any": [{"all": [{"s": 5}, {"x": 1}]}, {"x": 2}]}),
    (("not", "any", 0, "a", "missing"), {"not": {"any": [{"a": {"is": 1, "missing": True}}, {"b": 1}]}}),
    (("land",), {"all": [{"not": {"land": "NO"}}], "land": "NO"}),
    (("not", "all", 0, "land"), {"land": "NO", "not": {"all": [{"land": "NO"}, {"land": ["NO", "SE"]}]}}),
]  # fmt: skip
ALWAYS = [
    (("not",), {"not": {"size": {"at_least": 50, "below": 10}}}),
    (("not",), {"land": "NO", "not": {"all": [{"size": 1}, {"size": {"missing": True}}]}}),
    (("any",), {"any": [{"land": {"missing": True}}, {"land": {"present": True}}]}),
    (("any", 1, "any"), {"any": [{"x": 1}, {"any": [{"land": {"not_in": ["NO"]}}, {"land": "NO"}]}]}),
]
SENSIBLE = [
    {"land": {"is": "strasse", "matches": "^stra.e$"}},  # Straße, which `is` reads as strasse
    {"land": {"is": "Groß GmbH"}, "not": {"land": {"matches": "groß"}}},
    {"land": "NO"},
    {"size": {"at_least": 50, "at_most": 50}},
    {"size": {"above": 5, "below": 6}},  # 5.5
    {"size": {"above": 5, "not_in": [6, 7]}},
    {"size": {"at_least": 5}, "not": {"size": {"between": [1, 9]}}},
    {"size": {"at_least": 5}, "not": {"size": {"contains": "x"}}},
    {"size": {"at_least": 5}, "not": {"size": {"before": "2026-01-01"}}},
    {"land": {"contains": "a", "matches": "^b", "in_list": "near"}},
    {"land": {"in": ["NO", "SE"], "not_in": ["NO"], "in_list": "near"}},
    {"land": {"is": "NO"}, "not": {"land": {"in_list": "near"}}},
    {"land": {"starts_with": ["no", "s"], "ends_with": "o"}},
    {"all": [{"land": {"starts_with": "No"}}, {"land": {"starts_with": ["nor", "sw"]}}]},
    {"land": {"contains": "way"}, "not": {"land": {"starts_with": "way"}}},
    {"land": {"not_in": ["NO"], "missing": True}},
    {"land": {"not_in": ["NO"], "present": True}},
    {"not": {"land": {"not_in": ["NO"]}}, "any": [{"land": "NO"}, {"size": 1}]},
    {"due": {"is": "2026-03-01", "within": "90d"}},
    {"due": {"within": "90d", "before": "2026-03-01"}},
    {"due": {"is": "2026-03-01", "contains": "03"}},  # a text that writes a date
    {"due": {"before": "2026-03-01"}, "not": {"due": {"before": "2026-01-01"}}},
    {"not": {"all": [{"land": "NO"}, {"size": 5}]}},
    {"any": [{"land": "NO"}, {"not": {"land": "SE"}}]},
]  # fmt: skip


@pytest.mark.parametrize(("place", "raw"), NEVER)
def test_what_never_holds_is_named_where_it_stands(place, raw):
    ((found),) = senseless(parse_condition(raw))
    assert (found.place, found.always, found.branch) == (place, False, "any" in place)
    assert len({test.name for test, _ in found.tests}) == 1


@pytest.mark.parametrize(("place", "raw"), ALWAYS)
def test_what_always_holds_is_named_where_it_stands(place, raw):
    ((found),) = senseless(parse_condition(raw))
    assert (found.place, found.always) == (place, True)


@pytest.mark.parametrize("raw", SENSIBLE)
def test_a_condition_that_may_hold_or_not_is_let_be(raw):
    assert not list(senseless(parse_condition(raw)))


@pytest.mark.parametrize(
    ("raw", "named"),
    [
        (
            {"any": [{"a": {"is": 1, "missing": True}}, {"not": {"b": {"is": 1, "missing": True}}}, {"c": 1}]},
            [(("any", 0, "a", "missing"), False), (("any", 1, "not"), True)],
        ),
        (
            {"land": "NO", "any": [{"land": "SE"}, {"land": "DK"}]},
            [(("any", 0, "land"), False), (("any", 1, "land"), False)],
        ),
    ],
)
def test_every_part_that_makes_no_sense_is_named(raw, named):
    assert [(one.place, one.always) for one in senseless(parse_condition(raw))] == named


@pytest.mark.parametrize(
    ("raw", "sense"),
    [
        ({"form": {"is": "F12", "contains": "demo"}}, True),  # the id, and the label
        ({"form": {"is": "demo", "not_in": ["demo"]}}, False),
        ({"form": {"is": "demo", "missing": True}}, False),
        ({"form": {"contains": "demo"}, "not": {"form": {"contains": "em"}}}, False),
        ({"form": {"not_in": ["demo"]}}, True),
    ],
)
def test_an_attribute_has_two_values_its_id_and_its_label(raw, sense):
    assert (not list(senseless(parse_where(raw), attributes=True))) == sense


def test_the_tests_that_clash_are_a_pair_where_two_are_enough():
    conditions = [parse_condition(raw) for raw in ({"a": {"above": 1}}, {"a": {"not_in": [3]}}, {"a": {"below": 1}})]
    assert [test.op for test, _ in clash([(one, True) for one in conditions])] == ["above", "below"]


DAY = date(2026, 3, 10)
NAMES = st.sampled_from(["a", "b"])
TEXTS = st.sampled_from(["x", "y", "xy", "yx", "2026-03-10"])
NUMBERS = st.integers(0, 3)
DATES = st.integers(-2, 2).map(lambda days: DAY + timedelta(days=days))
SCALARS = TEXTS | NUMBERS | st.booleans()
TESTS = st.one_of(
    st.tuples(st.sampled_from(["is"]), SCALARS),
    st.tuples(st.sampled_from(["in", "not_in"]), st.lists(SCALARS, min_size=1, max_size=3)),
    st.tuples(st.sampled_from(["contains", "starts_with", "ends_with"]), st.lists(TEXTS, min_size=1, max_size=2)),
    st.tuples(st.just("matches"), st.sampled_from(["^x", "y$"])),
    st.tuples(st.just("in_list"), st.sampled_from(["one", "two"])),
    st.tuples(st.sampled_from(["above", "at_least", "at_most", "below"]), NUMBERS),
    st.tuples(st.sampled_from(["before", "after"]), DATES),
    st.tuples(st.just("between"), st.tuples(NUMBERS, NUMBERS).map(sorted) | st.tuples(DATES, DATES).map(sorted)),
    st.tuples(st.sampled_from(["within", "past"]), st.sampled_from(["1d", "2d"])),
    st.tuples(st.sampled_from(["missing", "present"]), st.booleans()),
)
LEAVES = st.builds(lambda name, test: {name: dict([test])}, NAMES, TESTS)
CONDITIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"all": parts}),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"any": parts}),
        inner.map(lambda part: {"not": part}),
        st.builds(lambda test, part, other: {**test, "any": [part, other], "not": part}, LEAVES, inner, inner),
    ),
    max_leaves=6,
)
VALUES = TEXTS | st.integers(-1, 4) | st.sampled_from([0.5, 1.5]) | st.booleans() | DATES
FACTS = st.dictionaries(NAMES, VALUES)
LISTS = {"one": frozenset({"x"}), "two": frozenset({"x", "y"})}


def test_each_branch_of_a_choice_that_nothing_fits_is_named():
    """Whatever else stands beside the choice."""
    choice = [{"land": "SE"}, {"land": "DK"}]
    raw = {"land": "NO", "all": [{"any": choice}, {"size": 1}], "not": {"title": {"contains": "student"}}}
    found = [one.place for one in senseless(parse_condition(raw))]
    assert found == [("all", 0, "any", 0, "land"), ("all", 0, "any", 1, "land")]


@given(raw=CONDITIONS, facts=st.lists(FACTS, min_size=1, max_size=8))
def test_what_is_told_of_the_whole_is_true_of_all_facts(raw, facts):
    condition = parse_condition(raw)
    holds = evaluator(condition, Tables(lists=LISTS))
    for found in senseless(condition):
        if not {"any", "not"} & {*found.place[:-1]} and (not found.always or found.place == condition.place):
            assert all(holds(one, day_number(DAY)) == found.always for one in facts)


@given(one=CONDITIONS, other=CONDITIONS, facts=st.lists(FACTS, min_size=1, max_size=8))
def test_what_clashes_is_never_so_at_once(one, other, facts):
    first, second = parse_condition(one), parse_condition(other)
    holds = [evaluator(each, Tables(lists=LISTS)) for each in (first, second)]
    for signs in ((True, True), (True, False), (False, True), (False, False)):
        if clash(list(zip((first, second), signs, strict=True))):
            assert not any(tuple(each(row, day_number(DAY)) for each in holds) == signs for row in facts)


ATTRIBUTE_TESTS = st.one_of(
    st.tuples(st.sampled_from(["is", "contains", "starts_with", "ends_with"]), TEXTS),
    st.tuples(st.sampled_from(["in", "not_in"]), st.lists(TEXTS, min_size=1, max_size=2)),
    st.tuples(st.sampled_from(["missing", "present"]), st.booleans()),
)
WHERES = st.builds(lambda name, test: {name: dict([test])}, NAMES, ATTRIBUTE_TESTS)
ATTRIBUTES = st.dictionaries(NAMES, st.tuples(TEXTS | st.just(""), TEXTS | st.just("")))


@given(one=WHERES, other=WHERES, rows=st.lists(ATTRIBUTES, min_size=1, max_size=8))
def test_what_clashes_is_never_so_at_once_of_a_touchpoint(one, other, rows):
    first, second = parse_where(one), parse_where(other)
    holds = [matcher(each, Tables()) for each in (first, second)]
    for signs in ((True, True), (True, False), (False, False)):
        if clash(list(zip((first, second), signs, strict=True)), attributes=True):
            assert not any(tuple(each(row) for each in holds) == signs for row in rows)
