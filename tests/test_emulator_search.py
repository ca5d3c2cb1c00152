"""Search: operators, the 10,000 cap, ties, and an index that is behind."""

from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from connectors.emulator.clock import EmulatorClock, to_ms
from connectors.emulator.hubspot.rows import Span
from connectors.emulator.hubspot.search import Found, search
from connectors.emulator.hubspot.world import World
from connectors.emulator.wire import Refusal

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
BY_STAMP = [{"propertyName": "lastmodifieddate", "direction": "ASCENDING"}]
BY_ID = [{"propertyName": "hs_object_id", "direction": "ASCENDING"}]


def condition(name: str, operator: str, **values: Any) -> dict[str, Any]:
    return {"propertyName": name, "operator": operator, **values}


def find(world: World, *filters: dict[str, Any], **body: Any) -> Found:
    groups = [{"filters": list(filters)}] if filters else []
    table = world.tables["contacts"]
    table.settle(world.clock.now_ms())
    return search(table, world.definitions["contacts"], {"filterGroups": groups, "limit": 200, **body})


@pytest.fixture
def world() -> World:
    made = World(EmulatorClock(NOW))
    for number, (budget, country) in enumerate([("5", "Peru"), ("50", "Chile"), ("500", ""), ("", "Peru")]):
        made.create("contacts", {"email": f"p{number}@acme.example", "budget": budget, "country": country})
        made.clock.advance(1)
    return made


T0 = to_ms(NOW)
OPERATORS = [
    (condition("budget", "EQ", value="50.0"), [2], "numbers are compared as numbers"),
    (condition("budget", "GT", value="9"), [2, 3], "not as text"),
    (condition("budget", "LTE", value="50"), [1, 2], ""),
    (condition("budget", "BETWEEN", value="5", highValue="50"), [1, 2], "both ends"),
    (condition("country", "EQ", value="peru"), [1, 4], "text without case"),
    (condition("country", "NEQ", value="peru"), [2], "an empty property matches only NOT_HAS_PROPERTY"),
    (condition("country", "IN", values=["peru", "bolivia"]), [1, 4], ""),
    (condition("country", "NOT_IN", values=["peru"]), [2], ""),
    (condition("country", "HAS_PROPERTY"), [1, 2, 4], ""),
    (condition("country", "NOT_HAS_PROPERTY"), [3], ""),
    (condition("email", "CONTAINS_TOKEN", value="p1*"), [2], ""),
    (condition("lastmodifieddate", "GTE", value=str(T0 + 2000)), [3, 4], "milliseconds"),
    (condition("lastmodifieddate", "GT", value=str(T0 + 2000)), [4], ""),
    (condition("lastmodifieddate", "LT", value=str(T0 + 1000)), [1], ""),
    (condition("lastmodifieddate", "EQ", value=str(T0)), [1], ""),
    (condition("lastmodifieddate", "BETWEEN", value=str(T0 + 1000), highValue=str(T0 + 2000)), [2, 3], ""),
    (condition("createdate", "LTE", value=str(T0 + 1000)), [1, 2], "computed ones too"),
    (condition("hs_lastmodifieddate", "GTE", value="1"), [], "the other objects' stamp finds nothing, silently"),
]


@pytest.mark.parametrize(("filter_", "rows", "remark"), OPERATORS)
def test_operators(world: World, filter_: dict[str, Any], rows: list[int], remark: str) -> None:
    assert [row.id - 1000 for row in find(world, filter_).rows] == rows, remark


def test_groups_are_or_and_filters_are_and(world: World) -> None:
    peru, rich, poor = (
        condition("country", "EQ", value="Peru"),
        condition("budget", "GT", value="100"),
        condition("budget", "LT", value="10"),
    )
    body = {"filterGroups": [{"filters": [peru, poor]}, {"filters": [rich]}]}
    assert [row.id for row in find(world, **body).rows] == [1001, 1003]
    assert [row.id for row in find(world, query="P2@").rows] == [1003]


BAD = [
    ({"limit": 201}, "more than 200 a page"),
    ({"after": "9801"}, "past the 10,000th"),
    ({"after": "x"}, "no offset"),
    ({"sorts": BY_ID + BY_STAMP}, "two sorts"),
    ({"filterGroups": [{"filters": []}] * 6}, "six groups"),
    ({"filterGroups": [{"filters": [condition("email", "HAS_PROPERTY")] * 7}]}, "seven filters"),
    ({"filterGroups": [{"filters": [condition("email", "LIKE", value="x")]}]}, "no operator"),
    ({"filterGroups": [{"filters": [condition("email", "EQ")]}]}, "no value"),
    ({"filterGroups": [{"filters": [condition("budget", "BETWEEN", value="1")]}]}, "half a range"),
    ({"filterGroups": [{"filters": [condition("budget", "GT", value="x")]}]}, "no number"),
    ({"filterGroups": [{"filters": [condition("lastmodifieddate", "GT", value="x")]}]}, "no time"),
]


@pytest.mark.parametrize(("body", "remark"), BAD)
def test_what_hubspot_refuses(world: World, body: dict[str, Any], remark: str) -> None:
    with pytest.raises(Refusal) as refused:
        find(world, **body)
    assert refused.value.status == 400, remark


@pytest.mark.parametrize("direction", ["ASCENDING", "DESCENDING"])
def test_pages_by_stamp_are_the_same_as_one_sorted_list(world: World, direction: str) -> None:
    sorts = [{"propertyName": "lastmodifieddate", "direction": direction}]
    paged = [find(world, sorts=sorts, limit=3, after=str(start)).rows for start in (0, 3)]
    whole = sorted(world.tables["contacts"].live(), key=attrgetter("id"), reverse=direction == "DESCENDING")
    assert [row.id for page in paged for row in page] == [row.id for row in whole]


def test_more_than_10_000_rows_of_one_millisecond_are_reached_by_id() -> None:
    world = World(EmulatorClock(NOW))
    for number in range(10_250):
        world.create("contacts", {"email": f"p{number}@acme.example"})
    first = find(world, sorts=BY_STAMP)
    assert first.total == 10_250
    assert find(world, sorts=BY_STAMP, after="9800").after == 10_000
    with pytest.raises(Refusal, match="10000"):
        find(world, sorts=BY_STAMP, after="10000")
    seen, last = [], 0
    while True:
        at = condition("lastmodifieddate", "EQ", value=str(T0))
        found = find(world, at, condition("hs_object_id", "GT", value=str(last)), sorts=BY_ID)
        if not found.rows:
            break
        assert found.total == 10_250 - len(seen)
        seen += [row.id for row in found.rows]
        last = seen[-1]
    assert seen == list(range(1001, 1001 + 10_250))


def test_search_shows_the_old_value_until_the_lag_is_over() -> None:
    world = World(EmulatorClock(NOW))
    row = world.create("contacts", {"email": "a@acme.example", "country": "Peru"})
    world.index_lag_s = 600
    world.clock.advance(60)
    world.edit("contacts", row.id, {"country": "Chile"})
    late = world.create("contacts", {"email": "b@acme.example", "country": "Chile"})
    chile, since = condition("country", "EQ", value="Chile"), condition("lastmodifieddate", "GT", value=str(T0))
    assert not find(world, chile).rows
    assert not find(world, since, sorts=BY_STAMP).rows
    assert find(world, condition("country", "EQ", value="Peru")).rows[0].indexed is not row.now
    assert world.row("contacts", row.id).now.properties["country"] == "Chile"  # the API itself is not behind
    world.clock.advance(599)
    assert not find(world, chile).rows
    world.clock.advance(1)
    assert [found.id for found in find(world, chile).rows] == [row.id, late.id]
    assert find(world, since, sorts=BY_STAMP).total == 2


def test_a_shorter_lag_shows_what_was_waiting() -> None:
    world = World(EmulatorClock(NOW))
    world.index_lag_s = 600
    world.create("contacts", {"email": "a@acme.example"})
    world.index_lag_s = 0
    assert find(world).total == 1


class Index(RuleBasedStateMachine):
    """Whatever happens, the index shows of each live row the newest version that is old enough."""

    @initialize(lag=st.sampled_from([0, 3]))
    def begin(self, lag: int) -> None:
        self.world = World(EmulatorClock(NOW))
        self.world.index_lag_s = lag
        self.lag = timedelta(seconds=lag)
        self.written: dict[int, list[tuple[datetime, str]]] = {}

    def pick(self, number: int) -> int | None:
        live = [row.id for row in self.world.tables["contacts"].live()]
        return live[number % len(live)] if live else None

    @rule(value=st.sampled_from("abc"))
    def create(self, value: str) -> None:
        row = self.world.create("contacts", {"country": value})
        self.written[row.id] = [(self.world.clock.now(), value)]

    @rule(number=st.integers(0, 9), value=st.sampled_from("abc"))
    def write(self, number: int, value: str) -> None:
        row_id = self.pick(number)
        if row_id:
            self.world.edit("contacts", row_id, {"country": value})
            self.written[row_id].append((self.world.clock.now(), value))

    @rule(seconds=st.integers(1, 4))
    def wait(self, seconds: int) -> None:
        self.world.clock.advance(seconds)

    @rule(number=st.integers(0, 9))
    def archive(self, number: int) -> None:
        row_id = self.pick(number)
        if row_id:
            self.world.archive("contacts", self.world.row("contacts", row_id))
            del self.written[row_id]

    @invariant()
    def index_is_right(self) -> None:
        old_enough = self.world.clock.now() - self.lag
        shown = {}
        for row_id, versions in self.written.items():
            visible = [version for version in versions if version[0] <= old_enough]
            if visible:
                shown[row_id] = visible[-1]
        found = find(self.world, sorts=BY_STAMP).rows
        got = {row.id: (row.indexed.updated_ms, row.indexed.properties["country"]) for row in found if row.indexed}
        assert got == {row_id: (to_ms(at), value) for row_id, (at, value) in shown.items()}
        stamps = [row.indexed.updated_ms for row in found if row.indexed]
        assert stamps == sorted(stamps)
        assert self.world.tables["contacts"].count(Span()) == len(shown)


Index.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestIndex = Index.TestCase
