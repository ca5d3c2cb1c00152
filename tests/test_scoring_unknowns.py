"""An unknown fact passes negative tests, unless something beside them asks for it to be known."""

import pytest

from scoring.conditions import parse_condition
from scoring.unknowns import passed_unknown


@pytest.mark.parametrize(
    ("raw", "passed"),
    [
        ({"land": "NO"}, []),
        ({"land": {"not_in": ["NO"]}}, [("land", "not_in")]),
        ({"not": {"land": "NO"}}, [("not", "land")]),
        ({"not": {"not": {"land": {"not_in": ["NO"]}}}}, [("not", "not", "land", "not_in")]),
        ({"not": {"land": {"not_in": ["NO"]}}}, []),  # the same as land: NO
        ({"not": {"any": [{"land": "NO"}, {"size": 5}]}}, [("not", "any", 0, "land"), ("not", "any", 1, "size")]),
        # something beside it needs the fact
        ({"land": {"in_list": "near", "not_in": ["NO"]}}, []),
        ({"land": {"in_list": "near"}, "any": [{"land": {"not_in": ["NO"]}}, {"size": 5}]}, []),
        ({"any": [{"land": {"in_list": "near"}}, {"land": {"not_in": ["NO"]}}]}, [("any", 1, "land", "not_in")]),
        # the condition says itself what it means
        ({"land": {"present": True, "not_in": ["NO"]}}, []),
        ({"any": [{"land": {"missing": True}}, {"land": {"not_in": ["NO"]}}]}, []),
        ({"not": {"land": {"missing": True}}}, []),
    ],
)  # fmt: skip
def test_the_tests_that_an_unknown_fact_passes_are_named(raw, passed):
    assert [test.place for test in passed_unknown(parse_condition(raw))] == passed
