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


@pytest.mark.parametrize(
    ("percents", "holes", "remark"),
    [
        ({"1-9": 20, "10+": 100}, (), "one ends where the next begins"),
        ({"60+": 100, "1-9": 20, "10-49": 50}, (("10-49", "60+"),), "in whatever order they stand"),
        ({"0-9": 20, "10": 50, "11+": 100}, (), "a whole number stands for all up to the next"),
        ({"0": 20, "5": 50, "11+": 100}, (("0", "5"), ("5", "11+")), "beside a range a number is a neighbour"),
        ({"1": 20, "5-20": 50, "21+": 100}, (("1", "5-20"),), "before the first range"),
        ({"0-4": 20, "5.5": 50, "6+": 100}, (("0-4", "5.5"),), "a fraction reaches to the next whole number"),
        ({"0": 20, "5": 50}, (), "numbers alone are choices"),
        ({"within 9d": 20, "past 9d": 50}, (), "dates"),
    ],
)
def test_a_hole_is_between_neighbours_of_which_one_ends_before_the_next_begins(percents, holes, remark):
    assert parse_bands(percents).holes == holes
