"""Which tests of a condition an unknown fact passes: the negative ones, where nothing beside them keeps it out."""

from collections.abc import Iterator, Sequence

from scoring.conditions import Condition
from scoring.contradictions import Signed, clash, flat


def passed_unknown(condition: Condition) -> Iterator[Condition]:
    """The tests of facts with which the condition may hold though the fact is unknown, and does not say so itself.

    A condition says so that asks whether the fact is missing or present.

    >>> from scoring.conditions import parse_condition
    >>> [test.name for test in passed_unknown(parse_condition({"country": {"not_in": ["NO"]}, "size": {"above": 5}}))]
    ['country']
    """
    said = {test.name for test in condition.tests() if test.op in ("missing", "present")}
    for test in _passed([(condition, True)], ()):
        if test.name not in said:
            yield test


def _passed(signed: Sequence[Signed], beside: Sequence[Signed]) -> Iterator[Condition]:
    tests, choices = flat(signed)
    whole = [*beside, *tests]
    for test, holds in tests:
        unknown = Condition(op="missing", name=test.name, operand=(True,))
        if holds == (test.op == "not_in") and not clash([*whole, (unknown, True)]):
            yield test
    for choice in choices:
        for branch in choice:
            yield from _passed([branch], whole)
