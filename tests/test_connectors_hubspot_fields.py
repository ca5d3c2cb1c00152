import math
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.base import FieldDefinition, FieldType, Value, canonical
from connectors.hubspot.fields import decode, definition, encode


def _field(type_: FieldType) -> FieldDefinition:
    return FieldDefinition(name="x", type=type_)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"name": "a", "type": "string"}, FieldDefinition(name="a", type="text", length=65_536)),
        ({"name": "a", "type": "phone_number"}, FieldDefinition(name="a", type="text", length=65_536)),
        (
            {"name": "a", "type": "number", "calculated": True},
            FieldDefinition(name="a", type="number", calculated=True),
        ),
        (
            {"name": "a", "type": "enumeration", "options": [{"value": "y", "label": "Y"}, {"value": "x"}]},
            FieldDefinition(name="a", type="option", options=("y", "x")),
        ),
        (
            {"name": "a", "type": "bool", "options": [{"value": "true"}, {"value": "false"}]},
            FieldDefinition(name="a", type="bool"),
        ),
        (
            {"name": "a", "type": "datetime", "modificationMetadata": {"readOnlyValue": True}},
            FieldDefinition(name="a", type="datetime", writable=False),
        ),
        ({"name": "a", "type": "object_coordinates"}, FieldDefinition(name="a", type="text", length=65_536)),
    ],
)
def test_definitions(told: dict, expected: FieldDefinition):
    assert definition(told) == expected


@pytest.mark.parametrize(
    ("type_", "value", "text", "remark"),
    [
        ("number", 84, "84", "whole"),
        ("number", 0.5, "0.5", "plain"),
        ("number", 1e21, "1000000000000000000000", "no exponent"),
        ("date", date(2026, 11, 3), "2026-11-03", "the day"),
        ("date", datetime(2026, 11, 3, 23, 30, tzinfo=timezone(timedelta(hours=-5))), "2026-11-04", "the day of UTC"),
        ("datetime", date(2026, 11, 3), "2026-11-03T00:00:00.000Z", "its midnight"),
        ("datetime", datetime(2026, 11, 3, 9, 0, 0, 123456, tzinfo=UTC), "2026-11-03T09:00:00.123Z", "the instant"),
        ("bool", True, "true", ""),
        ("text", "A1 · 84", "A1 · 84", "as it is"),
        ("text", None, "", "emptied"),
        ("date", None, "", "emptied"),
    ],
)
def test_values_are_written_as_hubspot_takes_them(type_: FieldType, value: Value, text: str, remark: str):
    assert encode(_field(type_), value) == text, remark


@given(
    st.tuples(st.just("number"), st.integers(-(10**15), 10**15) | st.floats(-(2.0**53), 2.0**53))
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
    field = _field(type_)
    values, unreadable = decode({"x": encode(field, value)}, [field])
    expected = canonical(field, value)
    assert not unreadable
    if isinstance(expected, float):
        assert math.isclose(values["x"], expected)
    else:
        assert values["x"] == expected


@pytest.mark.parametrize(
    ("type_", "text"),
    [
        ("number", "many"),
        ("number", "NaN"),
        ("date", "soon"),
        ("datetime", "99999999999999999999"),
        ("datetime", "20261301T99"),
        ("bool", "perhaps"),
    ],
)
def test_an_unreadable_value_counts_as_empty_and_is_named(type_: FieldType, text: str):
    fields = [_field(type_), FieldDefinition(name="y", type="text")]
    assert decode({"x": text, "y": "kept"}, fields) == ({"x": None, "y": "kept"}, ("x",))


@given(st.sampled_from(["number", "bool", "date", "datetime", "text", "option"]), st.text() | st.integers() | st.none())
def test_reading_never_fails(type_: FieldType, value: object):
    decode({"x": value}, [_field(type_)])
