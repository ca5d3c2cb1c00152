"""Conditions: what they mean over facts and attributes, and what is said about wrong ones."""

from datetime import date, datetime

import pytest
from pydantic import ValidationError

from scoring.conditions import evaluator, matcher, parse_condition, parse_where
from scoring.fact_values import day_number
from scoring.tables import Tables

TABLES = Tables(lists={"targets": frozenset({"acme.example", "strasse"}), "others": frozenset({"beta"})})
TODAY = date(2026, 3, 10)


def holds(condition, **facts):
    return evaluator(parse_condition(condition), TABLES)(facts, day_number(TODAY))


def on(value, test):
    return holds({"fact": test}, **({} if value is None else {"fact": value}))


@pytest.mark.parametrize(
    ("value", "test", "expected"),
    [
        ("Free ", "free", True),  # a bare value means is; trimmed and folded
        ("STRASSE", "straße", True),
        ("free", {"is": "freemail"}, False),
        (50, 50, True),
        (50.0, 50, True),
        ("50", 50, False),  # text is another kind
        (1, True, False),  # a number is no boolean
        (True, 1, False),
        (True, True, True),
        (TODAY, TODAY, True),
        (TODAY, "2026-03-10", True),  # a text that writes a date is that date
        (TODAY, ["2026-03-09", "2026-03-10"], True),
        (TODAY, {"not_in": ["2026-03-10"]}, False),
        (TODAY, "2026-02-30", False),  # a day that is none
        ("2026-03-10", "2026-03-10", True),
        ("b", ["a", "B"], True),  # a list means in
        ("b", {"in": ["a", 5]}, False),
        (5, {"in": ["a", 5]}, True),
        ("b", {"not_in": ["a"]}, True),
        ("a", {"not_in": ["a"]}, False),
        (5, {"not_in": ["5"]}, True),
        (None, {"not_in": ["a"]}, True),  # a negative operator holds on an unknown fact
        (" ", {"not_in": ["a"]}, True),
        (None, "a", False),
        (" ", {"contains": ["a"]}, False),
        ("Acme.example", {"in_list": "targets"}, True),
        ("Beta", {"in_list": ["targets", "others"]}, True),
        ("gamma", {"in_list": "targets"}, False),
        (5, {"in_list": "targets"}, False),
        ("Head of IT", {"contains": "HEAD"}, True),
        ("Head of IT", {"contains": ["chief", "of"]}, True),
        ("Head of IT", {"contains": "of  it"}, False),
        (5, {"contains": "5"}, False),
        ("Head of IT", {"starts_with": "head"}, True),
        ("Head of IT", {"starts_with": "it"}, False),
        ("Head of IT ", {"ends_with": [" it", "x"]}, True),
        ("Head of IT", {"ends_with": "head"}, False),
        ("Head of IT", {"matches": "h..d"}, True),  # anywhere, ignoring case
        ("Head of IT", {"matches": ["^it", "it$"]}, True),
        ("Head of IT", {"matches": "^it"}, False),
        (5, {"matches": "5"}, False),
        (50, {"above": 50}, False),
        (50.5, {"above": 50}, True),
        (50, {"at_least": 50}, True),
        (50, {"at_most": 50}, True),
        (50, {"below": 50}, False),
        (49.9, {"below": 50}, True),
        ("60", {"above": 50}, False),
        (True, {"above": 0}, False),
        (10, {"between": [10, 50]}, True),  # both ends
        (50, {"between": [10, 50]}, True),
        (50.1, {"between": [10, 50]}, False),
        (TODAY, {"between": [date(2026, 3, 10), "2026-04-01"]}, True),
        (TODAY, {"between": [10, 50]}, False),
        (TODAY, {"before": "2026-03-11"}, True),
        (TODAY, {"before": TODAY}, False),
        (TODAY, {"after": "2026-03-09"}, True),
        (TODAY, {"after": TODAY}, False),
        ("2026-01-01", {"before": TODAY}, False),  # text is no date
        (TODAY, {"within": "1d"}, True),
        (date(2026, 3, 11), {"within": "1d"}, True),
        (date(2026, 3, 12), {"within": "1d"}, False),
        (date(2026, 3, 9), {"within": "1d"}, False),
        (date(2026, 3, 9), {"past": "1d"}, True),
        (date(2026, 3, 8), {"past": "1d"}, False),
        (TODAY, {"past": "1d"}, False),
        (5, {"past": "1d"}, False),
        (None, {"missing": True}, True),
        (" ", {"missing": True}, True),
        (0, {"missing": True}, False),
        (False, {"missing": False}, True),
        (None, {"present": True}, False),
        ("x", {"present": True}, True),
        (None, {"present": False}, True),
        (60, {"above": 50, "below": 70}, True),  # side by side: all
        (80, {"above": 50, "below": 70}, False),
    ],
)
def test_an_operator_on_a_fact(value, test, expected):
    assert on(value, test) is expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"a": 1, "b": 2}, True),
        ({"a": 1, "b": 3}, False),
        ({"all": [{"a": 1}, {"b": 2}]}, True),
        ({"any": [{"a": 9}, {"b": 2}]}, True),
        ({"any": [{"a": 9}, {"b": 9}]}, False),
        ({"not": {"a": 9}}, True),
        ({"not": {"a": 1, "b": 2}}, False),  # not of both together
        ({"not": {"unknown": 1}}, True),
        ({"a": 1, "any": [{"b": 9}, {"not": {"b": 9}}]}, True),
        ({"not": {"any": [{"a": 9}, {"all": [{"b": 2}, {"a": 1}]}]}}, False),
    ],
)
def test_conditions_nest(condition, expected):
    assert holds(condition, a=1, b=2) is expected


@pytest.mark.parametrize(
    ("where", "attributes", "expected"),
    [
        ({"form": "demo request"}, {"form": ("F12", "Demo request")}, True),  # the label
        ({"form": "f12"}, {"form": ("F12", "Demo request")}, True),  # or the id
        ({"form": "other"}, {"form": ("F12", "Demo request")}, False),
        ({"form": {"not_in": ["other"]}}, {"form": ("F12", "Demo request")}, True),
        ({"form": {"not_in": ["f12"]}}, {"form": ("F12", "Demo request")}, False),  # a negative one must hold for both
        ({"form": {"not_in": ["demo request"]}}, {"form": ("F12", "Demo request")}, False),
        ({"not": {"form": {"contains": "demo"}}}, {"form": ("F12", "Demo request")}, False),
        ({"form": 12}, {"form": ("12", "Demo")}, True),  # a bare number compares with its text
        ({"form": [11, 12]}, {"form": ("12", "Demo")}, True),
        ({"form": {"contains": 2}}, {"form": ("12", "Demo")}, True),
        ({"form": True}, {"form": ("x", "TRUE")}, True),
        ({"form": date(2026, 3, 1)}, {"form": ("2026-03-01", "")}, True),
        ({"form": {"missing": True}}, {"form": ("", " ")}, True),
        ({"form": {"present": True}}, {"form": ("", "Demo")}, True),
        ({"mail": {"missing": True}}, {"form": ("F12", "Demo")}, True),
        ({"form": {"in_list": "others"}}, {"form": ("x", "Beta")}, True),
        ({"form": "demo", "any": [{"mail": "x"}, {"mail": "y"}]}, {"form": ("1", "demo"), "mail": ("y", "")}, True),
    ],
)
def test_a_where_looks_at_id_and_label(where, attributes, expected):
    assert matcher(parse_where(where), TABLES)(attributes) is expected


def mistakes(parse, raw):
    with pytest.raises(ValidationError) as caught:
        parse(raw)
    return [(error["loc"], error["msg"]) for error in caught.value.errors()]


@pytest.mark.parametrize(
    ("raw", "place", "words"),
    [
        ("free", (), "a condition is a mapping"),
        ({}, (), "a condition is a mapping"),
        ([{"a": 1}], (), "a condition is a mapping"),
        ({"a": {"contain": "x"}}, ("a", "contain"), "did you mean 'contains'?"),
        ({"a": {"zzz": "x"}}, ("a", "zzz"), "known are: above, after"),
        ({"a": {"not": "x"}}, ("a", "not"), "stands around conditions"),
        ({"a": {}}, ("a",), "no operator stands here"),
        ({"a": None}, ("a",), "missing: true"),
        ({"a": ""}, ("a",), "missing: true"),
        ({"a": {"is": ["x"]}}, ("a", "is"), "write `in`"),
        ({"a": {"is": float("nan")}}, ("a", "is"), "no value to compare with"),
        ({"a": datetime(2026, 1, 1)}, ("a",), "no value to compare with"),  # noqa: DTZ001  # YAML gives it without a zone
        ({"a": []}, ("a",), "a list stands here"),
        ({"a": {"in": "x"}}, ("a", "in"), "a list stands here"),
        ({"a": {"not_in": [None]}}, ("a", "not_in"), "missing: true"),
        ({"a": {"contains": 5}}, ("a", "contains"), "is no text"),
        ({"a": {"starts_with": []}}, ("a", "starts_with"), "is no text"),
        ({"a": {"ends_with": ["x", " "]}}, ("a", "ends_with"), "is no text"),
        ({"a": {"matches": "(x"}}, ("a", "matches"), "missing ): (x"),
        ({"a": {"matches": "(?=x)"}}, ("a", "matches"), "patterns are RE2"),
        ({"a": {"above": "5"}}, ("a", "above"), "is no number"),
        ({"a": {"below": True}}, ("a", "below"), "is no number"),
        ({"a": {"at_least": float("inf")}}, ("a", "at_least"), "is no number"),
        ({"a": {"between": 5}}, ("a", "between"), "the two ends stand here"),
        ({"a": {"between": [5]}}, ("a", "between"), "the two ends stand here"),
        ({"a": {"between": [5, 1]}}, ("a", "between"), "write the smaller end first"),
        ({"a": {"between": [5, "2026-01-01"]}}, ("a", "between"), "is no number"),
        ({"a": {"between": ["2026-01-01", 5]}}, ("a", "between"), "is no date"),
        ({"a": {"before": "1.2.2026"}}, ("a", "before"), "year-month-day"),
        ({"a": {"after": 5}}, ("a", "after"), "year-month-day"),
        ({"a": {"within": "12h"}}, ("a", "within"), "write days"),
        ({"a": {"past": 5}}, ("a", "past"), "whole days"),
        ({"a": {"missing": "yes"}}, ("a", "missing"), "neither true nor false"),
        ({"any": {"a": 1}}, ("any",), "takes a list of conditions"),
        ({"all": []}, ("all",), "takes a list of conditions"),
        ({"any": [{"a": 1}, {"a": {"iss": 2}}]}, ("any", 1, "a", "iss"), "did you mean 'is'?"),
        ({"not": [{"a": 1}]}, ("not",), "a condition is a mapping"),
        ({5: "x"}, ("5",), "no name of a fact"),
        ({" ": "x"}, (" ",), "no name of a fact"),
    ],
)
def test_a_wrong_condition_says_where_and_what_to_write(raw, place, words):
    ((found_place, message),) = mistakes(parse_condition, raw)
    assert found_place == place
    assert words in message


@pytest.mark.parametrize("operator", ["within", "past", "above", "between", "before"])
def test_a_where_refuses_what_text_cannot_answer(operator):
    ((place, message),) = mistakes(parse_where, {"form": {operator: "30d"}})
    assert place == ("form", operator)
    assert "cannot stand in `where`" in message


def test_every_mistake_of_a_condition_is_found_at_once():
    raw = {"a": {"iss": 1, "above": "x"}, "any": [{}, {"b": 1}], "not": {"c": {"in": 3}}}
    assert [place for place, _ in mistakes(parse_condition, raw)] == [
        ("a", "iss"),
        ("a", "above"),
        ("any", 0),
        ("not", "c", "in"),
    ]


def test_a_condition_knows_what_it_reads():
    condition = parse_condition({"a": {"in_list": ["targets", "others"]}, "not": {"any": [{"b": 1}, {"c": 2}]}})
    assert condition.names() == {"a", "b", "c"}
    assert condition.lists() == {"targets", "others"}


def test_a_condition_is_a_value_and_keeps_what_was_written():
    raw = {"a": [1, 2]}
    condition = parse_condition(raw)
    assert condition == parse_condition({"a": {"in": [1, 2]}})
    assert hash(condition) == hash(parse_condition({"a": {"in": [1, 2]}}))
    assert condition.raw == raw
    assert parse_condition(condition) is condition


def test_a_list_that_the_tables_lack_is_an_error_when_the_condition_is_made():
    with pytest.raises(KeyError, match="nobody"):
        evaluator(parse_condition({"a": {"in_list": "nobody"}}), TABLES)


def test_a_pattern_that_would_hang_a_backtracking_engine_is_quick():
    assert on("a" * 50_000 + "!", {"matches": "(a+)+$"}) is False
