"""Canonical values: equal contents of a field compare equal, whatever the spelling."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.base import FieldDefinition, canonical, instant

SPELLINGS = [
    ("number", "55.0", 55, "a whole number has no fraction"),
    ("number", 55, 55, "as a number"),
    ("number", "0.10", 0.1, "trailing zeros say nothing"),
    ("number", " 7 ", 7, "white space around it"),
    ("number", "", None, "empty is unknown, never 0"),
    ("bool", "TRUE", True, "capitals"),
    ("bool", "no", False, "as people write it"),
    ("bool", True, True, "as itself"),
    ("text", "a\r\nb\rc", "a\nb\nc", "line ends of every system"),
    ("text", "  ", None, "blank is empty"),
    ("option", "MQL", "MQL", "an option as written"),
    ("date", "2026-01-02", date(2026, 1, 2), "ISO"),
    ("date", "1767312000000", date(2026, 1, 2), "midnight UTC in milliseconds"),
    ("date", datetime(2026, 1, 2, 23, tzinfo=UTC), date(2026, 1, 2), "an instant's day in UTC"),
    ("datetime", "2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "without fraction"),
    ("datetime", "2026-01-02T04:04:05.000+0100", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "another zone"),
    ("datetime", 1767323045678, datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC), "milliseconds"),
]


@pytest.mark.parametrize(("kind", "spelled", "value", "remark"), SPELLINGS)
def test_spellings_of_one_content_are_one_value(kind, spelled, value, remark):
    assert canonical(FieldDefinition(name="f", type=kind), spelled) == value, remark


UNREADABLE = [
    ("number", "many", "no number"),
    ("number", "nan", "a float, not a number"),
    ("number", "1e30", "too large to stay exact on its way"),
    ("bool", "maybe", "neither"),
    ("date", "02.01.2026", "a local order of day and month is not guessed"),
    ("datetime", "yesterday", "a word"),
]


@pytest.mark.parametrize(("kind", "spelled", "remark"), UNREADABLE)
def test_a_value_of_another_kind_is_refused(kind, spelled, remark):
    with pytest.raises(ValueError, match="not"):
        canonical(FieldDefinition(name="f", type=kind), spelled)


def test_numbers_are_rounded_to_the_fields_scale_and_text_cut_to_its_length():
    assert canonical(FieldDefinition(name="f", type="number", scale=1), "54.26") == 54.3
    assert canonical(FieldDefinition(name="f", type="text", length=4), "abc def") == "abc"


@given(st.datetimes(timezones=st.just(UTC), min_value=datetime(1971, 1, 1), max_value=datetime(2100, 1, 1)))  # noqa: DTZ001 - Hypothesis wants them bare
def test_an_instant_reads_the_same_from_text_milliseconds_and_other_zones(at):
    at = at.replace(microsecond=at.microsecond // 1000 * 1000)
    millis = (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    elsewhere = at.astimezone(timezone(timedelta(hours=-9, minutes=-30)))
    assert instant(str(millis)) == instant(millis) == instant(at.isoformat()) == instant(elsewhere.isoformat()) == at


@given(st.sampled_from(["text", "number", "bool", "date", "datetime", "option"]), st.text(max_size=20))
def test_canonical_of_canonical_is_itself(kind, text):
    definition = FieldDefinition(name="f", type=kind, scale=2, length=10)
    try:
        once = canonical(definition, text)
    except ValueError:
        return
    assert canonical(definition, once) == once
