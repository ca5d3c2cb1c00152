"""The CRM search: filters, sorts and pages over what the index shows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.emulator.clock import parse_ms
from connectors.emulator.hubspot.definitions import Definition
from connectors.emulator.hubspot.rows import Row, Table
from connectors.emulator.hubspot.values import comparable
from connectors.emulator.wire import Refusal, invalid, whole

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
    low, high, rest = _narrow(table, groups[0]) if len(groups) == 1 else (None, None, groups)
    tests = [[_test(table, definitions, item) for item in group] for group in rest]
    words = str(body.get("query") or "").casefold()
    if not any(tests) and not words and name == table.stamp:
        total = table.count(low, high)
        rows: Sequence[Row] = table.slice(start, limit, low_ms=low, high_ms=high, descending=descending)
    else:
        kept = [
            row
            for row in table.by_stamp(low, high)
            if (not any(tests) or any(all(test(row) for test in group) for group in tests)) and _mentions(row, words)
        ]
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


def _narrow(table: Table, group: Sequence[Mapping[str, Any]]) -> tuple[int | None, int | None, list[list[Any]]]:
    """The range of stamps a group asks for, and its other filters."""
    low: int | None = None
    high: int | None = None
    rest = []
    for item in group:
        operator = item.get("operator")
        if item.get("propertyName") != table.stamp or operator not in ("GTE", "GT", "LTE", "LT", "EQ", "BETWEEN"):
            rest.append(item)
            continue
        first = _ms(item, "value")
        if operator in ("GTE", "GT", "EQ", "BETWEEN"):
            low = max(low or 0, first + (operator == "GT"))
        if operator in ("LTE", "LT", "EQ", "BETWEEN"):
            last = _ms(item, "highValue") if operator == "BETWEEN" else first - (operator == "LT")
            high = last if high is None else min(high, last)
    return low, high, [rest] if rest else []


def _ms(item: Mapping[str, Any], name: str) -> int:
    try:
        return parse_ms(str(item.get(name, "")))
    except ValueError as error:
        raise invalid(f"'{name}' of the filter on {item.get('propertyName')} is no time in milliseconds") from error


def _test(table: Table, definitions: Mapping[str, Definition], item: Mapping[str, Any]) -> Test:
    name, operator = str(item.get("propertyName")), item.get("operator")
    definition = definitions.get(name)

    def read(text: Any) -> float | str:
        try:
            return comparable(definition, str(text))
        except ValueError as error:
            raise invalid(f"the filter on {name} cannot read its value") from error

    first, last = read(item["value"]) if "value" in item else None, item.get("highValue")
    bound = read(last) if last is not None else None
    many = [read(value) for value in item.get("values") or []]
    operators: dict[Any, Callable[[Any], bool]] = {
        "EQ": lambda held: held == first,
        "NEQ": lambda held: held != first,
        "LT": lambda held: held < first,
        "LTE": lambda held: held <= first,
        "GT": lambda held: held > first,
        "GTE": lambda held: held >= first,
        "BETWEEN": lambda held: first <= held <= bound,
        "IN": lambda held: held in many,
        "NOT_IN": lambda held: held not in many,
        "CONTAINS_TOKEN": lambda held: str(first).strip("*") in str(held),
        "NOT_CONTAINS_TOKEN": lambda held: str(first).strip("*") not in str(held),
        "HAS_PROPERTY": lambda _: True,
    }
    if operator == "NOT_HAS_PROPERTY":
        return lambda row: row.indexed is None or not table.shown(row, row.indexed, [name])[name]
    if operator not in operators or (first is None and operator not in ("IN", "NOT_IN", "HAS_PROPERTY")):
        raise Refusal(400, "VALIDATION_ERROR", f"the filter on {name} has an unknown operator or no value")
    compare = operators[operator]

    def holds(row: Row) -> bool:
        held = table.shown(row, row.indexed, [name])[name] if row.indexed else None
        return held is not None and compare(comparable(definition, held))

    return holds


def _mentions(row: Row, words: str) -> bool:
    if not words:
        return True
    held = row.indexed.properties if row.indexed else {}
    return any(words in held.get(name, "").casefold() for name in _TEXT)


def _key(table: Table, definitions: Mapping[str, Definition], name: str) -> Callable[[Row], Any]:
    if name == "hs_object_id":
        return lambda row: row.id
    definition = definitions.get(name)

    def key(row: Row) -> tuple[bool, Any, int]:
        held = table.shown(row, row.indexed, [name])[name] if row.indexed else None
        return held is not None, comparable(definition, held) if held is not None else 0, row.id

    return key
