"""The walks over an index that behaves like HubSpot's: a change moves its row to the end, paging ends at a limit."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import ConnectorError, Refused
from connectors.hubspot import walks
from connectors.hubspot.marks import Windows
from connectors.hubspot.walks import changes, next_after, pages


class Index:
    """Rows by id and stamp; ``edits`` are (after how many searches, id, new stamp or None for archived)."""

    def __init__(self, stamps: dict[int, int], edits: Sequence[tuple[int, int, int | None]] = (), *, rows: int) -> None:
        self.stamps = stamps
        self.edits = edits
        self.rows = rows
        self.searches = 0
        self.farthest = 0

    def __call__(self, *, filters: Sequence[dict[str, Any]], sort: str, offset: int) -> dict[str, Any]:
        for when, id_, stamp in self.edits:
            if when == self.searches and id_ in self.stamps:
                del self.stamps[id_]
                if stamp is not None:
                    self.stamps[id_] = stamp
        self.searches += 1
        assert self.searches < 10_000, "the walk does not end"
        self.farthest = max(self.farthest, offset + self.rows)
        found = [
            (stamp, id_) for id_, stamp in self.stamps.items() if all(_passes(item, id_, stamp) for item in filters)
        ]
        found.sort(key=lambda row: row[1] if sort == "hs_object_id" else (row[0], row[1] * 7919 % 101))
        page = found[offset : offset + self.rows]
        more = {"paging": {"next": {"after": str(offset + len(page))}}} if offset + len(page) < len(found) else {}
        return {"results": [{"id": str(id_), "properties": {"stamp": str(stamp)}} for stamp, id_ in page], **more}


def _passes(item: dict[str, Any], id_: int, stamp: int) -> bool:
    held = id_ if item["propertyName"] == "hs_object_id" else stamp
    value = int(item["value"])
    return {"GTE": held >= value, "EQ": held == value, "GT": held > value}[item["operator"]]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of 5, a limit of 20 rows: the same rules, quickly."""
    monkeypatch.setattr(walks, "SEARCH_ROWS", 5)
    monkeypatch.setattr(walks, "SEARCH_LIMIT", 20)


def _walk(index: Index, start: int = 10_000) -> list[tuple[str, int]]:
    seen = []
    for rows, _, last in changes(index, stamp="stamp", start=start):
        seen += [(str(row["id"]), int(row["properties"]["stamp"])) for row in rows]
        ended = last
    assert ended
    return seen


STAMPS = st.integers(0, 30).map(lambda step: 1_000_000_000_000 + step)
MOVED = st.integers(31, 60).map(lambda step: 1_000_000_000_000 + step)
EDITS = st.lists(st.tuples(st.integers(0, 8), st.integers(1, 30), MOVED | st.none()), max_size=12)


@pytest.mark.usefixtures("small")
@given(st.dictionaries(st.integers(1, 30), STAMPS, min_size=15), EDITS)
def test_no_row_is_skipped_whatever_moves_meanwhile(stamps: dict[int, int], edits: list[tuple[int, int, int | None]]):
    """Every row that was there from the beginning to the end, changed or not, is seen, with its last stamp if moved."""
    index = Index(dict(stamps), edits, rows=5)
    seen = _walk(index)
    ids = {id_ for id_, _ in seen}
    assert {str(id_) for id_ in stamps if id_ in index.stamps} <= ids
    assert index.farthest <= 20


@pytest.mark.usefixtures("small")
@given(st.dictionaries(st.integers(1, 200), STAMPS, min_size=60))
def test_the_limit_of_a_search_is_never_passed(stamps: dict[int, int]):
    index = Index(dict(stamps), rows=5)
    assert set(_walk(index)) == {(str(id_), stamp) for id_, stamp in stamps.items()}
    assert index.farthest <= 20


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("count", [19, 20, 21, 100])
def test_one_millisecond_may_hold_more_rows_than_the_limit(count: int):
    stamps = dict.fromkeys(range(1, count + 1), 1_000_000_000_000)
    stamps |= {count + 1: 999_999_999_999, count + 2: 1_000_000_000_001}
    assert {id_ for id_, _ in _walk(Index(stamps, rows=5))} == {str(id_) for id_ in stamps}


@pytest.mark.parametrize(("rows", "searches"), [(0, 1), (1, 1), (200, 1), (201, 2), (399, 2), (400, 3), (2_000, 11)])
def test_searches_for_so_many_changes(rows: int, searches: int):
    """Pages overlap by one row, so a walk costs max(1, ⌈(rows - 1) / 199⌉) calls."""
    index = Index({id_: 1_000_000_000_000 + id_ for id_ in range(1, rows + 1)}, rows=200)
    assert len(_walk(index)) == rows
    assert index.searches == searches


def test_the_stamp_given_with_a_page_covers_all_rows_up_to_it():
    index = Index({id_: 1_000_000_000_000 + id_ for id_ in range(1, 500)}, rows=200)
    seen: set[int] = set()
    for rows, reached, _ in changes(index, stamp="stamp", start=0):
        seen |= {int(row["properties"]["stamp"]) for row in rows}
        assert {stamp for stamp in index.stamps.values() if stamp <= reached} <= seen


def test_a_search_that_repeats_itself_stops_loudly():
    page = {
        "results": [{"id": "1", "properties": {"stamp": "1000000000000"}}],
        "paging": {"next": {"after": "1"}},
    }
    with pytest.raises(ConnectorError, match="cannot go on"):
        list(changes(lambda **_: page, stamp="stamp", start=0))


def test_a_row_without_a_stamp_stops_loudly():
    page = {"results": [{"id": "7", "properties": {"stamp": None}}]}
    with pytest.raises(ConnectorError, match="record 7"):
        list(changes(lambda **_: page, stamp="stamp", start=0))


@pytest.mark.parametrize(
    "told", [{}, {"paging": None}, {"paging": {"next": None}}, {"paging": {"next": {"after": ""}}}]
)
def test_no_next_page(told: dict):
    assert next_after(told) is None


def test_a_token_no_longer_taken_begins_anew():
    asked = []

    def fetch(after: str | None) -> dict[str, Any]:
        asked.append(after)
        if after == "old":
            raise Refused("no", code="VALIDATION_ERROR")
        return {"results": [{"id": after or "first"}], "paging": {"next": {"after": "2"}} if after is None else {}}

    assert [rows[0]["id"] for rows, _ in pages(fetch, "old")] == ["first", "2"]
    assert asked == ["old", None, "2"]
    with pytest.raises(Refused):
        list(pages(lambda _: fetch("old")))


NOW = int(datetime(2026, 11, 3, tzinfo=UTC).timestamp()) * 1000
TIMES = st.integers(NOW - 10**9, NOW + 10**9)


@given(mark=TIMES, newest=TIMES, started=TIMES, finished=st.booleans())
def test_a_mark_never_moves_back_and_stays_behind_the_clock(*, mark: int, newest: int, started: int, finished: bool):
    windows = Windows()
    moved = windows.moved(mark, newest, started, finished=finished)
    assert moved >= mark
    assert moved == mark or moved <= started - windows.hold_ms


@given(st.integers(0, NOW))
def test_spans_of_history_reach_the_present_in_few_steps(mark: int):
    steps = 0
    now = NOW
    while (end := Windows().span_end(mark, now)) is not None:
        assert end > mark
        mark, now, steps = end, now + 1_000, steps + 1
    assert steps <= 10
