"""Patterns: counts of activities in windows of whole days that end on the score day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from scoring.engagement import PatternLine, Rule
from scoring.fact_values import day_number
from scoring.model import ScoringModel
from scoring.tables import Tables
from scoring.touchpoints import Entries, Ints, Touchpoint, entries_of, matching, value_of
from scoring.values import micro

ALL_DAYS = 2**40  #: more days than any timeline has


@dataclass(frozen=True, kw_only=True)
class CompiledPattern:
    """A pattern: lines ``first`` to before ``end``."""

    id: str
    label: str
    points: int  #: micro-points
    first: int
    end: int


@dataclass(frozen=True, kw_only=True, eq=False)
class CompiledPatterns:
    """The patterns of a model and their L lines, which own the entries."""

    patterns: tuple[CompiledPattern, ...]
    entries: Entries
    within: Ints  #: [L] days of the window, ALL_DAYS without one
    first_day: Ints  #: [L] the first and
    last_day: Ints  #: [L] the last day number that the line's rule takes
    distinct: npt.NDArray[np.bool_]  #: [L] whether each value counts once
    at_least: Ints  #: [L]
    at_most: Ints  #: [L]


def compile_patterns(
    model: ScoringModel, touchpoints: Sequence[Touchpoint], tables: Tables, taken: Mapping[str, list[Touchpoint]]
) -> CompiledPatterns | None:
    """The patterns, None when there are none; ``taken`` are the touchpoints of each rule after ``match``."""
    rules = {name: rule for _, name, rule in model.rules()}
    lines: list[PatternLine] = []
    patterns: list[CompiledPattern] = []
    for name, pattern in model.patterns.items():
        first, end = len(lines), len(lines) + len(pattern.all)
        lines.extend(pattern.all)
        patterns.append(
            CompiledPattern(id=name, label=pattern.label, points=micro(pattern.points), first=first, end=end)
        )
    if not lines:
        return None
    rows = [
        (point.number, index, value)
        for index, line in enumerate(lines)
        for point, value in _told_apart(
            line, matching(line.activity, line.where, taken[line.rule] if line.rule else touchpoints, tables)
        )
    ]
    days = [_days(rules[line.rule]) if line.rule else (-ALL_DAYS, ALL_DAYS) for line in lines]
    return CompiledPatterns(
        patterns=tuple(patterns),
        entries=entries_of(rows),
        within=np.array([line.within or ALL_DAYS for line in lines]),
        first_day=np.array([first for first, _ in days]),
        last_day=np.array([last for _, last in days]),
        distinct=np.array([line.distinct is not None for line in lines]),
        at_least=np.array([line.at_least or 0 for line in lines]),
        at_most=np.array([ALL_DAYS if line.at_most is None else line.at_most for line in lines]),
    )


def _told_apart(line: PatternLine, points: Sequence[Touchpoint]) -> list[tuple[Touchpoint, int]]:
    """The touchpoints with the number of the value that counts once; those whose value is unknown are left out."""
    if line.distinct is None:
        return [(point, 0) for point in points]
    if line.distinct is True:
        return [(point, index) for index, point in enumerate(points)]
    codes: dict[str, int] = {}
    values = [value_of(point, line.distinct) for point in points]
    return [(point, codes.setdefault(value, len(codes))) for point, value in zip(points, values, strict=True) if value]


def _days(rule: Rule) -> tuple[int, int]:
    return first_and_last(rule.from_, rule.until)


def first_and_last(first: date | None, last: date | None) -> tuple[int, int]:
    """The two dates as day numbers, far away where they are None."""
    return (
        -ALL_DAYS if first is None else day_number(first),
        ALL_DAYS if last is None else day_number(last),
    )


def patterns_that_hold(
    compiled: CompiledPatterns, person: Ints, on: Ints, touchpoint: Ints, persons: int, day: int
) -> npt.NDArray[np.bool_]:
    """Which patterns hold for each person, [persons, patterns]; rows are activities up to ``day``."""
    place, matched = compiled.entries.places(touchpoint)
    person, on, place = person[matched], on[matched], place[matched]
    source, entry = compiled.entries.pairs(place)
    line, on = compiled.entries.owner[entry], on[source]
    inside = on > day - compiled.within[line]
    inside &= (on >= compiled.first_day[line]) & (on <= compiled.last_day[line])
    line, entry = line[inside], entry[inside]
    lines = len(compiled.within)
    cell = person[source[inside]] * lines + line
    once = compiled.distinct[line]
    values = 1 + compiled.entries.value.max(initial=0)
    distinct = np.unique(cell[once] * values + compiled.entries.value[entry[once]]) // values
    counts = np.bincount(np.append(cell[~once], distinct), minlength=persons * lines).reshape(persons, lines)
    hold = (counts >= compiled.at_least) & (counts <= compiled.at_most)
    return np.stack([hold[:, each.first : each.end].all(axis=1) for each in compiled.patterns], axis=1)
