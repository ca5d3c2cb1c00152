"""The WHERE of a query as one function of a row.

Text is compared without regard to case, ids by their first fifteen characters with regard to it. An empty field equals
null and '' only, differs from everything else, and is neither smaller nor greater; NOT is the plain opposite.
"""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from connectors.emulator.clock import DAY_MS
from connectors.emulator.salesforce.columns import Column, column
from connectors.emulator.salesforce.fields import ObjectType
from connectors.emulator.salesforce.literals import like_pattern, unescaped
from connectors.emulator.salesforce.org import Org, Row
from connectors.emulator.salesforce.refusals import Refused
from connectors.emulator.salesforce.soql import (
    Combined,
    Comparison,
    Condition,
    Not,
    Operand,
    Path,
    pointed,
)

Test = Callable[[Row], bool]
NUMBERS = ("int", "long", "double", "currency", "percent")
_IDS = ("id", "reference")
_SMALLER: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Compiler:
    """Makes functions of one query's conditions."""

    org: Org
    text: str
    object: ObjectType

    def test(self, condition: Condition) -> Test:
        """True for the rows a condition lets through; raises Refused for what Salesforce does not compare."""
        if isinstance(condition, Not):
            inner = self.test(condition.condition)
            return lambda row: not inner(row)
        if isinstance(condition, Combined):
            return _combined(condition.word, [self.test(part) for part in condition.conditions])
        return self._compared(condition, self.column(condition.path, "filtered"))

    def column(self, path: Path, what: str) -> Column:
        """The column to be filtered or sorted by; text areas cannot be."""
        found = column(self.org, self.text, self.object, path)
        if found.field.type == "textarea":
            said = f"field '{found.field.name}' can not be {what} in a query call"
            raise Refused("INVALID_FIELD", pointed(self.text, path.at, said))
        return found

    def _compared(self, condition: Comparison, found: Column) -> Test:
        get = comparable(found)
        word, operand = condition.operator, condition.operand
        if isinstance(operand, tuple):
            wanted = frozenset(self._content(condition, found, one) for one in operand)
            return (lambda row: get(row) in wanted) if word == "IN" else (lambda row: get(row) not in wanted)
        if operand.kind == "days":
            return self._in_days(condition, found, operand)
        if word == "LIKE":
            return self._like(condition, found, operand)
        content = self._content(condition, found, operand)
        if word == "=":
            return lambda row: get(row) == content
        if word == "!=":
            return lambda row: get(row) != content
        return self._smaller(condition, found, content)

    def _like(self, condition: Comparison, found: Column, operand: Operand) -> Test:
        if found.field.type in (*_IDS, *NUMBERS, "boolean", "date", "datetime"):
            raise self._refused_operator(condition, found)
        get, pattern = comparable(found), like_pattern(operand.value)
        return lambda row: (text := get(row)) is not None and pattern.fullmatch(text) is not None

    def _smaller(self, condition: Comparison, found: Column, content: Any) -> Test:
        """One of < <= > >=."""
        if found.field.type == "boolean":
            raise self._refused_operator(condition, found)
        if content is None:
            return lambda _: False
        get, compare = comparable(found), _SMALLER[condition.operator]
        if found.field.name in ("SystemModstamp", "Id") and not found.hops:  # never empty, and asked for all the time
            return lambda row: compare(get(row), content)
        return lambda row: (value := get(row)) is not None and compare(value, content)

    def _content(self, condition: Comparison, found: Column, operand: Operand) -> Any:
        """What an operand means for this field, in the form ``comparable`` gives."""
        type_ = found.field.type
        if operand.kind == "null":
            return False if type_ == "boolean" else None
        wanted = type_ if type_ in ("boolean", "date", "datetime") else "number" if type_ in NUMBERS else "string"
        if operand.kind != wanted:
            shown = {"datetime": "dateTime", "number": "int" if type_ == "int" else "double"}.get(wanted, wanted)
            quotes = "should be enclosed in quotes" if wanted == "string" else "should not be enclosed in quotes"
            raise self._refused(
                condition,
                f"value of filter criterion for field '{found.field.name}' must be of type {shown} and {quotes}",
            )
        if wanted != "string":
            return operand.value
        text = unescaped(operand.value)
        if type_ not in _IDS:
            return text.casefold() or None
        if text and not re.fullmatch(r"[A-Za-z0-9]{15}([A-Za-z0-9]{3})?", text):
            said = pointed(self.text, condition.path.at, f"invalid ID field: {text}")
            raise Refused("INVALID_QUERY_FILTER_OPERATOR", said)
        return text[:15] or None

    def _in_days(self, condition: Comparison, found: Column, operand: Operand) -> Test:
        """A comparison with whole days, in UTC: equal is within, smaller before the first, greater after the last."""
        if found.field.type not in ("date", "datetime"):
            raise self._refused(
                condition, f"value of filter criterion for field '{found.field.name}' must not be a date"
            )
        now = self.org.clock.now()
        first, last = (now.date() + timedelta(days=days) for days in operand.value)
        get = comparable(found)
        low: Any = first.isoformat()
        high: Any = last.isoformat()
        if found.field.type == "datetime":
            today_ms = self.org.clock.now_ms() // DAY_MS * DAY_MS
            low, high = (today_ms + days * DAY_MS for days in operand.value)
            high += DAY_MS - 1
        tests: dict[str, Callable[[Any], bool]] = {
            "=": lambda value: low <= value <= high,
            "!=": lambda value: not low <= value <= high,
            "<": lambda value: value < low,
            "<=": lambda value: value <= high,
            ">": lambda value: value > high,
            ">=": lambda value: value >= low,
        }
        if condition.operator not in tests:
            raise self._refused_operator(condition, found)
        within, empty = tests[condition.operator], condition.operator == "!="
        return lambda row: empty if (value := get(row)) is None else within(value)

    def _refused_operator(self, condition: Comparison, found: Column) -> Refused:
        said = pointed(self.text, condition.path.at, f"invalid operator on {found.field.type} field")
        return Refused("INVALID_QUERY_FILTER_OPERATOR", said)

    def _refused(self, condition: Comparison, said: str) -> Refused:
        return Refused("INVALID_FIELD", pointed(self.text, condition.path.at, said))


def comparable(found: Column) -> Callable[[Row], Any]:
    """A column's value as it is compared and sorted; None when it is empty."""
    value = found.value if found.hops else found.own
    type_ = found.field.type
    if type_ in (*NUMBERS, "boolean", "datetime"):
        return value
    if type_ in _IDS:
        return lambda row: (id_ := value(row)) and id_[:15]
    if type_ == "date":
        return lambda row: value(row) or None
    return lambda row: (text := value(row)) and text.casefold()


def _combined(word: str, tests: list[Test]) -> Test:
    if len(tests) == 2:
        first, second = tests
        if word == "AND":
            return lambda row: first(row) and second(row)
        return lambda row: first(row) or second(row)
    if word == "AND":
        return lambda row: all(test(row) for test in tests)
    return lambda row: any(test(row) for test in tests)
