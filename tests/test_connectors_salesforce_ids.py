import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.salesforce.ids import long_id

SHORT = st.text("ABCXYZabcxyz0189", min_size=15, max_size=15)


@pytest.mark.parametrize(
    ("short", "long", "remark"),
    [
        ("001A0000006Vm9r", "001A0000006Vm9rIAC", "the example everybody shows"),
        ("00Q000000000000", "00Q000000000000EAA", "one capital"),
        ("ABCDEFGHIJKLMNO", "ABCDEFGHIJKLMNO555", "capitals only"),
        ("abcdefghijklmno", "abcdefghijklmnoAAA", "none"),
    ],
)
def test_an_id_of_15_gets_its_three_characters(short: str, long: str, remark: str):
    assert long_id(short) == long, remark
    assert long_id(long) == long, remark


@given(SHORT, st.lists(st.booleans(), min_size=15, max_size=15))
def test_ids_that_differ_in_case_only_are_told_apart_where_case_is_ignored(one: str, swapped: list[bool]):
    """What the 18 are for."""
    other = "".join(letter.swapcase() if swap else letter for letter, swap in zip(one, swapped, strict=True))
    assert (long_id(one).casefold() == long_id(other).casefold()) == (one == other)


@given(SHORT)
def test_an_id_that_lost_its_capitals_is_not_taken(short: str):
    lower = long_id(short)[:15].lower() + long_id(short)[15:]
    if lower != long_id(short):
        with pytest.raises(ValueError, match="capitals"):
            long_id(lower)


@pytest.mark.parametrize(
    ("text", "remark"),
    [
        ("", "nothing"),
        ("00Q00000000000", "14"),
        ("00Q0000000000000", "16"),
        ("00Q000000000000EAAA", "19"),
        ("00Q00000000000-", "no letter"),
        ("00Q00000000000é", "a letter of no id"),
        ("00Q000000000000EAA\n", "a line end"),
        ("00Q000000000000eaa", "the check has capitals"),
        ("00Q000000000000EAB", "another check"),
    ],
)
def test_what_is_no_id(text: str, remark: str):
    with pytest.raises(ValueError, match="id"):
        long_id(text)
