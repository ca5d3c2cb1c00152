"""Conditions over facts, and over the attributes of a touchpoint.

Plain two-valued logic: a positive operator on an unknown fact is false, so ``not_in`` and ``not`` on it are true. A
value of another kind than the operator asks for counts as unknown. Texts compare trimmed and case-folded; patterns run
in linear time.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from pydantic_core import InitErrorDetails

from scoring.fact_values import FactValue, comparable, day_number, fold, iso_date, kind_of, known
from scoring.mistakes import Place, mistake, nearest, refusal
from scoring.operands import ATTRIBUTE_OPERANDS, OPERANDS, Operand, pattern
from scoring.tables import Tables

__all__ = ["Condition", "FactValue", "evaluator", "matcher", "parse_condition", "parse_where"]

Attributes = Mapping[str, tuple[str, str]]  # attribute -> (id, label)
Check = Callable[[FactValue, int], bool]
Holds = Callable[[Mapping[str, FactValue], int], bool]

NESTING = ("all", "any", "not")


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One test of a fact (``op`` is an operator), or parts joined by ``all``, ``any`` or ``not``."""

    op: str
    name: str = ""
    operand: tuple[FactValue, ...] = ()
    parts: tuple["Condition", ...] = ()
    raw: Any = field(default=None, compare=False, repr=False)  # what was written, for writing it back
    place: Place = field(default=(), compare=False, repr=False)  # the keys that lead to it in what was written

    def tests(self) -> Iterable["Condition"]:
        """The tests in it, each once for each time it is written."""
        if self.op not in NESTING:
            yield self
        for part in self.parts:
            yield from part.tests()

    def names(self) -> frozenset[str]:
        """The facts or attributes it reads."""
        return frozenset(test.name for test in self.tests())

    def lists(self) -> frozenset[str]:
        """The lists it looks into."""
        return frozenset(str(name) for test in self.tests() if test.op == "in_list" for name in test.operand)


def parse_condition(raw: Any) -> Condition:
    """The condition over facts that YAML gives; a ValidationError (a ValueError) with every mistake in it, each placed.

    >>> parse_condition({"email_type": "free"}).op
    'is'
    """
    return _parsed(raw, OPERANDS)


def parse_where(raw: Any) -> Condition:
    """The condition over a touchpoint's attributes that YAML gives; attributes are text, so numbers become text.

    >>> parse_where({"form": 12}).operand
    ('12',)
    """
    return _parsed(raw, ATTRIBUTE_OPERANDS)


def evaluator(condition: Condition, tables: Tables) -> Holds:
    """Whether the condition holds for facts on a day number; KeyError for a list the tables lack.

    >>> evaluator(parse_condition({"employees": {"at_least": 50}}), Tables())({"employees": 80}, 0)
    True
    """
    return _built(condition, tables, _of_fact)


def matcher(condition: Condition, tables: Tables) -> Callable[[Attributes], bool]:
    """Whether the condition holds for attributes: label or id satisfy a positive operator, a negative one needs both.

    >>> matcher(parse_where({"form": {"contains": "demo"}}), Tables())({"form": ("F12", "Demo request")})
    True
    """
    holds = _built(condition, tables, _of_attribute)
    return lambda attributes: holds(attributes, 0)


def _of_fact(facts: Mapping[str, FactValue], name: str) -> tuple[FactValue, ...]:
    value = known(facts, name)
    return () if value is None else (value,)


def _of_attribute(attributes: Attributes, name: str) -> tuple[FactValue, ...]:
    return tuple(text for text in attributes.get(name, ()) if text.strip())


def _built(
    condition: Condition, tables: Tables, values: Callable[[Any, str], tuple[FactValue, ...]]
) -> Callable[[Any, int], bool]:
    """The condition as a function; ``values`` gives all values of a name, none when it is unknown."""
    name, op = condition.name, condition.op
    parts = [_built(part, tables, values) for part in condition.parts]
    if op == "all":
        return lambda row, day: all(part(row, day) for part in parts)
    if op == "any":
        return lambda row, day: any(part(row, day) for part in parts)
    if op == "not":
        return lambda row, day: not parts[0](row, day)
    if op in ("missing", "present"):
        wanted = (op == "present") == condition.operand[0]
        return lambda row, _day: bool(values(row, name)) == wanted
    check = _check(condition, tables)
    if op == "not_in":
        return lambda row, day: not any(check(value, day) for value in values(row, name))
    return lambda row, day: any(check(value, day) for value in values(row, name))


def _check(condition: Condition, tables: Tables) -> Check:
    """The test of one known value; false for a value of another kind."""
    op, operand = condition.op, condition.operand
    if op in ("is", "in", "not_in"):
        dates = (iso_date(value) for value in operand if isinstance(value, str))  # a text may write a date
        wanted = frozenset(comparable(value) for value in (*operand, *dates) if value is not None)
        return lambda value, _day: comparable(value) in wanted
    if op == "in_list":
        entries = frozenset[str]().union(*(tables.lists[str(name)] for name in operand))
        return lambda value, _day: isinstance(value, str) and fold(value) in entries
    if op == "matches":
        patterns = [pattern(str(text)) for text in operand]
        return lambda value, _day: isinstance(value, str) and any(p.search(value.strip()) for p in patterns)
    if op in TEXT_TESTS:
        test, texts = TEXT_TESTS[op], tuple(fold(str(text)) for text in operand)
        return lambda value, _day: isinstance(value, str) and any(test(fold(value), text) for text in texts)
    if op in ("within", "past"):
        first, last = span(op, int(str(operand[0])))
        return lambda value, day: isinstance(value, date) and first <= day_number(value) - day <= last
    compare, bounds, kind = ORDER_TESTS[op], operand, kind_of(operand[0])
    return lambda value, _day: kind_of(value) == kind and compare(value, bounds)


def span(op: str, days: int) -> tuple[int, int]:
    """The first and last day of ``within`` or ``past``, counted from the score day, both included.

    >>> span("within", 90), span("past", 30)
    ((0, 90), (-30, -1))
    """
    return (0, days) if op == "within" else (-days, -1)


TEXT_TESTS: Mapping[str, Callable[[str, str], bool]] = {
    "contains": str.__contains__,
    "starts_with": str.startswith,
    "ends_with": str.endswith,
}
ORDER_TESTS: Mapping[str, Callable[[Any, tuple[Any, ...]], bool]] = {
    "above": lambda value, bounds: value > bounds[0],
    "at_least": lambda value, bounds: value >= bounds[0],
    "at_most": lambda value, bounds: value <= bounds[0],
    "below": lambda value, bounds: value < bounds[0],
    "between": lambda value, bounds: bounds[0] <= value <= bounds[1],
    "before": lambda value, bounds: value < bounds[0],
    "after": lambda value, bounds: value > bounds[0],
}


def _parsed(raw: Any, operands: Mapping[str, Operand]) -> Condition:
    if isinstance(raw, Condition):
        return raw
    mistakes: list[InitErrorDetails] = []
    parts = _parts(raw, operands, (), mistakes)
    if mistakes:
        raise refusal("condition", mistakes)
    return replace(_as_one(parts), raw=raw)


def _as_one(parts: tuple[Condition, ...], place: Place = ()) -> Condition:
    return parts[0] if len(parts) == 1 else Condition(op="all", parts=parts, place=place)


def _parts(
    raw: Any, operands: Mapping[str, Operand], place: Place, mistakes: list[InitErrorDetails]
) -> tuple[Condition, ...]:
    """What stands side by side in a mapping; mistakes go to ``mistakes``, and what has one is left out."""
    if not isinstance(raw, Mapping) or not raw:
        mistakes.append(
            mistake(place, "a condition is a mapping with at least one key, such as {title: {contains: head}}", raw)
        )
        return ()
    parts: list[Condition] = []
    for key, value in raw.items():
        here = (*place, key if isinstance(key, str) else str(key))
        if key in ("all", "any"):
            if not isinstance(value, list) or not value:
                mistakes.append(mistake(here, f"`{key}` takes a list of conditions", value))
                continue
            inner = [_as_one(_parts(item, operands, (*here, i), mistakes), (*here, i)) for i, item in enumerate(value)]
            parts.append(Condition(op=key, parts=tuple(inner), place=here))
        elif key == "not":
            inner = [_as_one(_parts(value, operands, here, mistakes), here)]
            parts.append(Condition(op="not", parts=tuple(inner), place=here))
        elif not isinstance(key, str) or not key.strip():
            mistakes.append(mistake(here, f"{key!r} is no name of a fact or attribute", value))
        else:
            parts.extend(_tests(key, value, operands, here, mistakes))
    return tuple(parts)


def _tests(
    name: str, raw: Any, operands: Mapping[str, Operand], place: Place, mistakes: list[InitErrorDetails]
) -> Iterable[Condition]:
    """The tests of one name: operators side by side, or a bare value or list."""
    if not isinstance(raw, Mapping):
        written, places = {"in" if isinstance(raw, list) else "is": raw}, place
    else:
        written, places = dict(raw), None
    if not written:
        mistakes.append(
            mistake(
                place, "no operator stands here; write a value, a list, or an operator such as {contains: head}", raw
            )
        )
    for op, operand in written.items():
        here = places or (*place, str(op))
        if op not in operands:
            mistakes.append(mistake(here, _unknown_operator(str(op), operands), operand))
            continue
        try:
            yield Condition(op=op, name=name, operand=operands[op](operand), place=here)
        except ValueError as error:
            mistakes.append(mistake(here, str(error), operand))


def _unknown_operator(op: str, operands: Mapping[str, Operand]) -> str:
    if op in OPERANDS:
        return f"`{op}` cannot stand in `where`: attributes of an activity are text"
    if op in NESTING:
        return f"`{op}` stands around conditions, not after a name: {{{op}: ...}} with the name inside"
    return f"there is no operator {op!r}; {nearest(op, operands)}"
