"""What is no table of percents; which band a fact falls into is told in test_scoring_model."""

import pytest
from pydantic import ValidationError

from scoring.bands import parse_bands


@pytest.mark.parametrize("raw", [None, {}, ["Software"], "Software"])
def test_percents_are_a_mapping_by_value_or_band(raw):
    with pytest.raises(ValueError, match="percents stand here by value or band"):
        parse_bands(raw)


def test_other_alone_beside_a_mistake_is_one_mistake():
    with pytest.raises(ValidationError) as caught:
        parse_bands({"Software": 101, "other": 5})
    assert [error["loc"] for error in caught.value.errors()] == [("Software",)]


def test_the_best_is_the_highest_percent_that_can_be_reached():
    assert parse_bands({"Software": 10, "Retail": 30}).best == 30
    assert parse_bands({"Software": 10, "other": 30}).best == 30
