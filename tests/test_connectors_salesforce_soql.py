from hypothesis import given
from hypothesis import strategies as st

from connectors.salesforce.client import LONGEST_QUERY, query_length
from connectors.salesforce.soql import IDS, ORDER, after, among, portions, quoted, select

NAMES = st.lists(st.from_regex(r"[A-Za-z][A-Za-z0-9]{0,39}(__c)?", fullmatch=True), min_size=1, max_size=60)


def test_a_quote_ends_no_text():
    assert quoted(r"a'b\c") == r"'a\'b\\c'"


def test_a_place_without_an_id_is_before_every_row_of_its_instant():
    assert after(1_000, "", 2_500) == (
        "SystemModstamp >= 1970-01-01T00:00:01.000Z AND SystemModstamp < 1970-01-01T00:00:02.500Z"
    )
    assert after(1_000, "00Q1") == (
        "(SystemModstamp > 1970-01-01T00:00:01.000Z OR (SystemModstamp = 1970-01-01T00:00:01.000Z AND Id > '00Q1'))"
    )


@given(NAMES, st.integers(50, 500))
def test_portions_hold_every_field_once_and_fit(names: list[str], longest: int):
    found = portions(names, longest)
    flat = [name for portion in found for name in portion]
    assert [name.casefold() for name in flat] == list(dict.fromkeys(name.casefold() for name in names))
    assert all(len(portion) == 1 or query_length(",".join(portion)) <= longest for portion in found)


@given(NAMES)
def test_the_longest_queries_fit_into_an_address(names: list[str]):
    """A walk's first portion with its longest condition, and a further one with as many ids as are joined at once."""
    long = [f"{name}{number:040}" for number, name in enumerate(names * 5)]
    ids = [f"00Q{number:015}" for number in range(IDS)]
    where = [f"{after(0, ids[0], 10**12)}", among("Id", ids), f"{among('CampaignId', ids)} AND Id > {quoted(ids[0])}"]
    for portion in portions(long):
        for condition in where:
            assert query_length(select("OpportunityContactRole", ["Id", *portion], condition, ORDER)) <= LONGEST_QUERY
