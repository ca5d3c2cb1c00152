"""Somebody is in the first segment that holds, and in others when none does."""

import pytest

from scoring.conditions import parse_condition
from sync.answers.segments import segment_of
from tests.two_crms import settings_of

SEGMENTS = {
    "Enterprise": parse_condition({"employees": {"at_least": 1000}}),
    "Nordics": parse_condition({"country": ["NO", "SE"]}),
    "Soon": parse_condition({"need_date": {"within": "90d"}}),
}


@pytest.mark.parametrize(
    ("facts", "segment"),
    [
        ({"employees": 1000, "country": "NO"}, "Enterprise"),
        ({"employees": 999, "country": "no "}, "Nordics"),
        ({"country": "DE"}, "others"),
        ({}, "others"),
    ],
)
def test_the_first_that_holds_is_the_segment(facts, segment):
    assert segment_of(settings_of(segments=SEGMENTS))(facts, 0) == segment


def test_without_segments_everybody_is_in_others():
    assert segment_of(settings_of())({"country": "NO"}, 0) == "others"
