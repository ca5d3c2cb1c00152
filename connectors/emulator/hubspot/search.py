"""The CRM search: filters, sorts and pages over what the index shows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.emulator.clock import parse_ms
from connectors.emulator.hubspot.definitions import Definition
from connectors.emulator.hubspot.rows import Row, Span, Table
from connectors.emulator.hubspot.values import comparable
from connectors.emulator.wire import invalid, whole

CAP = 10_000
_TEXT = ("email", "firstname", "lastname", "company", "name", "domain")
Test = Callable[[Row], bool]


@dataclass(frozen=True, slots=True)
class Found:
    """One page of a search."""

    total: int
    rows: Sequence[Row]
    #: offset of the next page; None on the last
    after: int | None


def search(table: Table, definitions: Mapping[str, Definition], body: Mapping[str, Any]) -> Found:
    """The page a search body asks for; raises the 400 HubSpot gives for a body it does not take."""
    groups = [group.get("filters", []) for group in body.get("filterGroups") or []]
    sizes = [len(group) for group in groups]
    if len(groups) > 5 or max(sizes, default=0) > 6 or sum(sizes) > 18:
        raise invalid("Too many filters: at most 5 groups, 6 filters each, 18 altogether")
    limit = whole(body.get("limit", 10), name="limit", most=200)
    start = whole(body.get("after") or 0, name="after", most=10**9, least=0)
    if start + limit > CAP:
        raise invalid(f"The total number of results that can be paged is {CAP}: after + limit is {start + limit}")
    name, descending = _sort(body.get("sorts") or [])
    span, rest = _narrow(table, groups[0]) if len(groups) == 1 else (Span(), None)
    groups = groups if rest is None else [rest]
    tests = [[_test(table, definitions, item) for item in group] for group in groups]
    words = str(body.get("query") or "").casefold()
    in_order = name == table.stamp or (name == "hs_object_id" and span.low_ms == span.high_ms)
    if in_order and not any(tests) and not words:
        total = table.count(span)
        rows: Sequence[Row] = table.slice(start, limit, span, descending=descending)
    else:
        kept = [row for row in table.by_stamp(span) if _passes(row, tests) and _mentions(row, words)]
        kept.sort(key=_key(table, definitions, name), reverse=descending)
        total, rows = len(kept), kept[start : start + limit]
    end = start + len(rows)
    return Found(total, rows, end if end < total and rows else None)


def _sort(sorts: Sequence[Any]) -> tuple[str, bool]:
    if len(sorts) > 1:
        raise invalid("Only one sort is supported")
    if not sorts:
        return "hs_object_id", False
    if isinstance(sorts[0], str):
        return sorts[0].removeprefix("-"), sorts[0].startswith("-")
    return str(sorts[0].get("propertyName")), sorts[0].get("direction") == "DESCENDING"


def _narrow(table: Table, group: Sequence[Mapping[str, Any]]) -> tuple[Span, list[Mapping[str, Any]]]:
    """The span of stamps a group asks for, and its other filters."""
    low, high = 0, Span().high_ms
    rest = []
    for item in group:
        operator = item.get("operator")
        if item.get("propertyName") != table.stamp or operator not in ("GTE", "GT", "LTE", "LT", "EQ", "BETWEEN"):
            rest.append(item)
            continue
        first = _ms(item, "value")
        if operator in ("GTE", "GT", "EQ", "BETWEEN"):
            low = max(low, first + (operator == "GT"))
        if operator in ("LTE", "LT", "EQ", "BETWEEN"):
            high = min(high, _ms(item, "highValue") if operator == "BETWEEN" else first - (operator == "LT"))
    # ids after one another within one millisecond: the index is in their order
    if low == high and len(rest) == 1 and rest[0].get("propertyName") == "hs_object_id":
        operator, value = rest[0].get("operator"), str(rest[0].get("value"))
        if operator in ("GT", "GTE") and value.isdigit():
            return Span(low, high, int(value) + (operator == "GT")), []
    return Span(low, max(0, high)), rest


def _ms(item: Mapping[str, Any], name: str) -> int:
    try:
        return parse_ms(str(item.get(name, "")))
    except ValueError as error:
        raise invalid(f"'{name}' of the filter on {item.get('propertyName')} is no time in milliseconds") from error


def _test(table: Table, definitions: Mapping[str, Definition], item: Mapping[str, Any]) -> Test:
    name, operator = str(item.get("propertyName")), str(item.get("operator"))

    def wanted(value: Any) -> float | str:
        try:
            return comparable(definitions.get(name), str(value))
        except ValueError as error:
            raise invalid(f"the filter on {name} has a value that is not of the property's type") from error

    held = _reader(table, definitions, name)
    if operator == "NOT_HAS_PROPERTY":
        return lambda row: held(row) is None
    if operator == "HAS_PROPERTY":
        return lambda row: held(row) is not None
    asked = item.get("values") if operator in ("IN", "NOT_IN") else [item.get("value")]
    asked = [*(asked or ()), item.get("highValue")] if operator == "BETWEEN" else asked
    if operator not in _COMPARE or not asked or None in asked:
        raise invalid(f"the filter on {name} has an unknown operator or no value")
    compare, values = _COMPARE[operator], [wanted(value) for value in asked]

    def holds(row: Row) -> bool:
        value = held(row)
        return value is not None and compare(value, values)

    return holds


_COMPARE: Mapping[str, Callable[[Any, Sequence[Any]], bool]] = {
    "EQ": lambda held, asked: held == asked[0],
    "NEQ": lambda held, asked: held != asked[0],
    "LT": lambda held, asked: held < asked[0],
    "LTE": lambda held, asked: held <= asked[0],
    "GT": lambda held, asked: held > asked[0],
    "GTE": lambda held, asked: held >= asked[0],
    "BETWEEN": lambda held, asked: asked[0] <= held <= asked[1],
    "IN": lambda held, asked: held in asked,
    "NOT_IN": lambda held, asked: held not in asked,
    "CONTAINS_TOKEN": lambda held, asked: str(asked[0]).strip("*") in str(held),
    "NOT_CONTAINS_TOKEN": lambda held, asked: str(asked[0]).strip("*") not in str(held),
}


def _passes(row: Row, tests: Sequence[Sequence[Test]]) -> bool:
    return not tests or any(all(test(row) for test in group) for group in tests)


def _mentions(row: Row, words: str) -> bool:
    if not words:
        return True
    held = row.indexed.properties if row.indexed else {}
    return any(words in held.get(name, "").casefold() for name in _TEXT)


def _reader(table: Table, definitions: Mapping[str, Definition], name: str) -> Callable[[Row], float | str | None]:
    """What the index holds of a property, ready to compare; None = empty or unknown."""
    if name == "hs_object_id":
        return lambda row: row.id
    if name == table.stamp:
        return lambda row: row.indexed.updated_ms if row.indexed else None
    if name == table.created:
        return lambda row: row.created_ms
    definition = definitions.get(name)

    def read(row: Row) -> float | str | None:
        held = row.indexed.properties.get(name) if row.indexed else None
        return None if held is None else comparable(definition, held)

    return read


def _key(table: Table, definitions: Mapping[str, Definition], name: str) -> Callable[[Row], Any]:
    held = _reader(table, definitions, name)

    def key(row: Row) -> tuple[bool, Any, int]:
        value = held(row)
        return value is not None, 0 if value is None else value, row.id

    return key
