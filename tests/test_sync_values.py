"""What the store keeps comes back as it was, and equal values have equal text."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sync.mapping import digest
from sync.store.values import at, day_number, dump, load, micros, plain

names = st.text(min_size=1, max_size=12).filter(lambda name: not name.startswith("$"))
scalars = (
    st.none()
    | st.booleans()
    | st.integers(min_value=-(2**63), max_value=2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.dates()
    | st.datetimes(timezones=st.just(UTC))
)
mappings = st.dictionaries(names, scalars, max_size=8)
nested = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4), max_leaves=12
)


@given(mappings)
@example({"text": '{"$date":"2026-01-02"}', "day": date(2026, 1, 2)})
@example({"day": date(1, 1, 1), "instant": datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)})
def test_a_mapping_comes_back_as_it_was(values):
    back = load(dump(values))
    assert back == values
    assert {name: type(value) for name, value in back.items()} == {name: type(value) for name, value in values.items()}


@given(nested)
def test_nested_values_come_back_as_they_were(values):
    assert load(dump(values)) == values


@given(mappings)
def test_the_order_of_keys_changes_neither_text_nor_digest(values):
    backwards = dict(reversed(values.items()))
    assert dump(backwards) == dump(values)
    assert digest(backwards) == digest(values)


@given(mappings, mappings)
def test_unequal_mappings_have_unequal_text(one, other):
    """What stands in the store is compared as text to tell whether a record's inputs changed."""
    if dump(one) == dump(other):
        assert one == other


def test_tuples_come_back_as_lists():
    assert load(dump({"kept": (1, 2)})) == {"kept": [1, 2]}


def test_what_is_no_value_has_no_place_in_the_store():
    with pytest.raises(TypeError):
        dump({"a": object()})


@given(st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-7)), timezone(timedelta(minutes=345))])))
def test_microseconds_name_the_instant_whatever_its_offset(moment):
    assert at(micros(moment)) == moment
    assert at(micros(moment)).tzinfo == UTC


@given(st.dates())
def test_day_numbers_count_whole_days_from_1970(day):
    assert date(1970, 1, 1) + timedelta(days=day_number(day)) == day


def test_plain_values_are_what_json_can_say():
    values = {"on": date(2026, 1, 2), "at": datetime(2026, 1, 2, 3, tzinfo=UTC), "n": 1, "none": None}
    assert plain(values) == {"on": "2026-01-02", "at": "2026-01-02T03:00:00+00:00", "n": 1, "none": None}
