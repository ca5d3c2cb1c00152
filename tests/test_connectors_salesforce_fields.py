from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.base import FieldDefinition, FieldType, Value, canonical
from connectors.salesforce.fields import decode, definition, encode, held, spelled, text


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (
            {"name": "Title", "type": "string", "length": 128, "updateable": True},
            FieldDefinition(name="Title", type="text", length=128),
        ),
        (
            {"name": "Score__c", "type": "double", "precision": 5, "scale": 2, "updateable": True},
            FieldDefinition(name="Score__c", type="number", scale=2),
        ),
        (
            {"name": "Staff", "type": "int", "scale": 0, "updateable": True},
            FieldDefinition(name="Staff", type="number", scale=0),
        ),
        (
            {
                "name": "Status",
                "type": "picklist",
                "length": 255,
                "updateable": True,
                "picklistValues": [{"value": "B", "active": True}, {"value": "C", "active": False}, {"value": "A"}],
            },
            FieldDefinition(name="Status", type="option", options=("B", "A")),
        ),
        (
            {"name": "Rate__c", "type": "percent", "scale": 1, "updateable": False, "calculated": True},
            FieldDefinition(name="Rate__c", type="number", scale=1, writable=False, calculated=True),
        ),
        ({"name": "On", "type": "date", "length": 0}, FieldDefinition(name="On", type="date", writable=False)),
        ({"name": "Hours", "type": "time", "length": 0}, FieldDefinition(name="Hours", type="text", writable=False)),
        ({"name": "Many", "type": "multipicklist"}, FieldDefinition(name="Many", type="text", writable=False)),
    ],
)
def test_definitions(told: dict[str, Any], expected: FieldDefinition):
    assert definition(told) == expected


def test_capitals_of_a_name_do_not_count():
    known = {"Title": FieldDefinition(name="Title", type="text")}
    asked = spelled(known, ["tItLe", "Rank"])
    assert asked == known | {"tItLe": known["Title"]}
    assert decode({"Title": " Chief "}, {"tItLe": asked["tItLe"]}) == ({"tItLe": "Chief"}, ())


def test_an_unreadable_value_counts_as_empty_and_is_named():
    fields = {"N": FieldDefinition(name="N", type="number"), "T": FieldDefinition(name="T", type="text")}
    assert decode({"N": "many", "T": "kept"}, fields) == ({"N": None, "T": "kept"}, ("N",))


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("Status", "Open"),
        ("status", "Open"),
        ("Campaign.Type", "Webinar"),
        ("campaign.type", "Webinar"),
        ("Campaign.Owner.Name", None),
        ("Owner.Name", None),
        ("Owner", None),
    ],
)
def test_paths_are_followed_whatever_their_capitals(path: str, found: str | None):
    row = {"Status": "Open", "Campaign": {"Type": "Webinar", "Owner": None}}
    assert held(row, path) == found


@pytest.mark.parametrize(("value", "id_"), [(True, "true"), (False, "false"), (7, "7"), (None, ""), (" a ", "a")])
def test_attributes_are_text(value: Any, id_: str):
    assert text(value) == id_


@given(
    st.tuples(st.just("number"), st.integers(-(10**15), 10**15) | st.floats(-(2.0**40), 2.0**40))
    | st.tuples(st.just("bool"), st.booleans())
    | st.tuples(st.just("date"), st.dates())
    | st.tuples(st.just("text"), st.text())
    | st.tuples(
        st.just("datetime"),
        st.datetimes(min_value=datetime(1970, 1, 2), timezones=st.just(UTC)).map(  # noqa: DTZ001 - the zone is added
            lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000)
        ),
    )
)
def test_what_is_written_reads_back_as_the_same_canonical_value(case: tuple[FieldType, Value]):
    type_, value = case
    field = FieldDefinition(name="X", type=type_, scale=2 if type_ == "number" else None)
    expected = canonical(field, value)
    assert decode({"X": encode(expected)}, {"x": field}) == ({"x": expected}, ())


def test_a_day_is_written_as_a_day_and_an_instant_with_its_zone():
    assert encode(date(2026, 11, 3)) == "2026-11-03"
    assert encode(datetime(2026, 11, 3, 9, 0, 0, 123456, tzinfo=UTC)) == "2026-11-03T09:00:00.123Z"
