"""Conditions that no facts can satisfy, or that all do, told by reasoning about one name at a time.

What is told is certain. What hangs on several names at once, on what a list holds or on how patterns meet goes unseen.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import combinations
from math import inf

from scoring.conditions import NESTING, TEXT_TESTS, Condition, evaluator, span
from scoring.fact_values import EPOCH, FactValue, day_number, fold, iso_date, kind_of
from scoring.mistakes import Place
from scoring.tables import Tables

#: a condition, and whether it must hold or must not
Signed = tuple[Condition, bool]
#: a value and 0, or one step above or below it: what is empty has a low bound above the high one
Bound = tuple[float, int]


@dataclass(frozen=True, kw_only=True)
class Senseless:
    """A part of a condition that holds for nobody, or for everybody."""

    place: Place  #: the keys that lead to it from the condition
    always: bool  #: it holds for everybody
    branch: bool  #: it is one of several under ``any``
    tests: tuple[Signed, ...]  #: what leaves no value; of what always holds, what leaves none for its contrary


def senseless(condition: Condition, *, attributes: bool = False) -> Iterator[Senseless]:
    """The parts that never or always hold, the inner ones of several; over a touchpoint's ``attributes`` or over facts.

    >>> from scoring.conditions import parse_condition
    >>> found = senseless(parse_condition({"employees": {"at_least": 50, "below": 10}}))
    >>> [(one.place, one.always) for one in found]
    [(('employees', 'below'), False)]
    """
    yield from _look(condition, (), attributes=attributes, branch=False)


def clash(signed: Sequence[Signed], *, attributes: bool = False) -> tuple[Signed, ...]:
    """The tests of one name that keep the conditions from being as signed, all at once; none when they can be.

    >>> from scoring.conditions import parse_condition
    >>> bool(clash([(parse_condition({"country": "NO"}), True), (parse_condition({"country": ["NO", "SE"]}), False)]))
    True
    """
    tests, choices = flat(signed)
    by_name: dict[str, list[Signed]] = {}
    for test, holds in tests:
        by_name.setdefault(test.name, []).append((test, holds))
    for group in by_name.values():
        if not _possible(group, attributes=attributes):
            pairs = (pair for pair in combinations(group, 2) if not _possible(pair, attributes=attributes))
            return tuple(next(pairs, group))
    for choice in choices:
        found = [clash([*tests, branch], attributes=attributes) for branch in choice]
        if all(found):
            return found[0]
    return ()


def _look(condition: Condition, beside: Sequence[Signed], *, attributes: bool, branch: bool) -> Iterator[Senseless]:
    """As ``senseless``, of a part; ``beside`` is what must hold with it."""
    if clash(beside, attributes=attributes):
        return  # told where it stands
    tests, _ = flat([(condition, True)])
    always = clash([(condition, False)], attributes=attributes)
    if found := clash([*beside, *tests], attributes=attributes):
        yield Senseless(place=_last(condition, found), always=False, branch=branch, tests=found)
    elif always and condition.op == "not":
        yield Senseless(place=condition.place, always=True, branch=branch, tests=always)
    elif inner := list(_inside(condition, beside, attributes=attributes, branch=branch)):
        yield from inner
    elif found := clash([*beside, (condition, True)], attributes=attributes):
        yield Senseless(place=_last(condition, found), always=False, branch=branch, tests=found)
    elif always:
        yield Senseless(place=condition.place, always=True, branch=branch, tests=always)


def _last(condition: Condition, found: Sequence[Signed]) -> Place:
    """Where the last of the tests in the condition stands; the condition's own place when none does."""
    inside = [test.place for test, _ in found if test.place[: len(condition.place)] == condition.place]
    return inside[-1] if inside else condition.place


def _inside(condition: Condition, beside: Sequence[Signed], *, attributes: bool, branch: bool) -> Iterator[Senseless]:
    if condition.op == "not":
        beside, branch = (), False
    tests = [(part, True) for part in condition.parts if condition.op == "all" and part.op != "any"]
    for part in condition.parts:
        others = [one for one in tests if one[0] is not part]
        if part.op in NESTING or condition.op == "any":
            yield from _look(part, [*beside, *others], attributes=attributes, branch=branch or condition.op == "any")


def flat(signed: Sequence[Signed]) -> tuple[list[Signed], list[list[Signed]]]:
    """The tests that must all be as signed, and the choices of which one branch must be.

    >>> from scoring.conditions import parse_condition
    >>> tests, choices = flat([(parse_condition({"a": 1, "not": {"any": [{"b": 2}, {"c": 3}]}}), True)])
    >>> [(test.name, holds) for test, holds in tests], choices
    ([('a', True), ('b', False), ('c', False)], [])
    """
    tests: list[Signed] = []
    choices: list[list[Signed]] = []
    for condition, holds in signed:
        if condition.op not in NESTING:
            tests.append((condition, holds))
            continue
        inner = [(part, holds != (condition.op == "not")) for part in condition.parts]
        if condition.op != "not" and (condition.op == "all") != holds:
            choices.append(inner)
            continue
        more, others = flat(inner)
        tests += more
        choices += others
    return tests, choices


def _possible(group: Sequence[Signed], *, attributes: bool) -> bool:
    """Whether a name may have a value, or none, with which all tests of it are as signed."""
    positive: list[Condition] = []
    negative: list[Condition] = []
    known = set[bool]()
    for test, holds in group:
        if test.op in ("missing", "present"):
            known.add(((test.op == "present") == test.operand[0]) == holds)
        elif test.op == "not_in":
            (negative if holds else positive).append(replace(test, op="in"))
        else:
            (positive if holds else negative).append(test)
    known.update(True for _ in positive)
    if len(known) > 1:
        return False
    if attributes:  # label and id are two values: each positive test may hold of another, a negative one is of both
        return all(_some_value([test], negative) for test in positive)
    return not positive or _some_value(positive, negative)


def _some_value(positive: Sequence[Condition], negative: Sequence[Condition]) -> bool:
    """Whether some known value may pass every positive test, of which there is one at least, and no negative one."""
    named = next((test for test in positive if test.op in ("is", "in")), None)
    if named is not None:
        return any(_may_be(value, positive, negative) for value in _values(named))
    if any(_implies(test, other) for test in positive for other in negative):
        return False
    kinds = {_kind(test) for test in positive}
    if len(kinds) > 1:
        return False
    return _text_left(positive) if kinds == {"text"} else _span_left(positive, negative, kinds.pop())


def _values(test: Condition) -> list[FactValue]:
    """The values that pass ``is`` or ``in``; a text may write a date."""
    dates = [iso_date(value) for value in test.operand if isinstance(value, str)]
    return [*test.operand, *(value for value in dates if value is not None)]


def _may_be(value: FactValue, positive: Sequence[Condition], negative: Sequence[Condition]) -> bool:
    return all(_may_pass(value, test) for test in positive) and not any(
        test.op not in _OPEN and _may_pass(value, test) for test in negative
    )


def _may_pass(value: FactValue, test: Condition) -> bool:
    """Whether the value passes the test; what is open may."""
    if test.op in _OPEN:
        return kind_of(value) == _kind(test)
    return evaluator(test, Tables())({test.name: value}, 0)


def _kind(test: Condition) -> str:
    """The kind of value that passes the test, which is neither ``is`` nor ``in``."""
    return kind_of(test.operand[0]) if test.op == "between" else _KINDS.get(test.op, "text")


def _implies(test: Condition, other: Condition) -> bool:
    """Whether whatever passes the test is sure to pass the other."""
    if test.op in TEXT_TESTS and other.op in (test.op, "contains"):
        passes = TEXT_TESTS[other.op]
        return all(any(passes(fold(str(a)), fold(str(b))) for b in other.operand) for a in test.operand)
    return test.op == other.op and set(test.operand) <= set(other.operand)


def _text_left(positive: Sequence[Condition]) -> bool:
    """Whether a text can begin, and end, with one of each test's texts."""
    for op, fits in (("starts_with", str.startswith), ("ends_with", str.endswith)):
        ways = [[fold(str(text)) for text in test.operand] for test in positive if test.op == op]
        if any(not any(fits(a, b) or fits(b, a) for a in one for b in two) for one, two in combinations(ways, 2)):
            return False
    return True


def _span_left(positive: Sequence[Condition], negative: Sequence[Condition], kind: str) -> bool:
    """Whether a number or a date is left between all bounds; of those counted from the day, between these alone."""
    spans = [span(test.op, int(str(test.operand[0]))) for test in positive if test.op in ("within", "past")]
    if spans and max(first for first, _ in spans) > min(last for _, last in spans):
        return False
    ops = [(test.op, test) for test in positive] + [(_OPPOSITE.get(test.op, ""), test) for test in negative]
    ranges = [
        _RANGES[op](*(_number(value) for value in test.operand))
        for op, test in ops
        if op in _RANGES and _kind(test) == kind
    ]
    low = max((low for low, _ in ranges), default=(-inf, 0))
    high = min((high for _, high in ranges), default=(inf, 0))
    if low != high:
        return low < high
    value = date.fromordinal(int(low[0]) + EPOCH) if kind == "date" else low[0]
    return _may_be(value, positive, negative)


def _number(value: FactValue) -> float:
    return day_number(value) if isinstance(value, date) else value  # type: ignore[return-value]  # a bound is no text


#: what hangs on a list, on the day, or on letters that ``is`` does not look at
_OPEN = ("in_list", "matches", "within", "past")
_KINDS: Mapping[str, str] = dict.fromkeys(("above", "at_least", "at_most", "below"), "number") | dict.fromkeys(
    ("before", "after", "within", "past"), "date"
)
_OPPOSITE: Mapping[str, str] = {
    "above": "at_most",
    "at_least": "below",
    "at_most": "above",
    "below": "at_least",
    "before": "not before",
    "after": "not after",
}
_RANGES: Mapping[str, Callable[..., tuple[Bound, Bound]]] = {
    "above": lambda bound: ((bound, 1), (inf, 0)),
    "at_least": lambda bound: ((bound, 0), (inf, 0)),
    "at_most": lambda bound: ((-inf, 0), (bound, 0)),
    "below": lambda bound: ((-inf, 0), (bound, -1)),
    "between": lambda low, high: ((low, 0), (high, 0)),
    "before": lambda day: ((-inf, 0), (day - 1, 0)),
    "not before": lambda day: ((day, 0), (inf, 0)),
    "after": lambda day: ((day + 1, 0), (inf, 0)),
    "not after": lambda day: ((-inf, 0), (day, 0)),
}
