"""The arithmetic: facts and packed activities of many persons into scores, chunk by chunk.

Integers throughout: micro-points, day numbers, microseconds. One person costs the same call as a million, and the
numbers of a person depend on nothing but that person's facts and activities.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scoring.compile import CompiledModel
from scoring.fact_values import FactValue, known
from scoring.scores import (
    GRADES,
    NEVER,
    Evaluation,
    FitResult,
    GroupResult,
    Ints,
    RuleResult,
    Scores,
)
from scoring.values import MICRO, Per

__all__ = [
    "GRADES",
    "NEVER",
    "Batch",
    "Evaluation",
    "FitResult",
    "GroupResult",
    "RuleResult",
    "Scores",
    "score_people",
]

CHUNK = 5_000  # persons at once: the arrays of a chunk stay in the processor's cache and memory flat


@dataclass(frozen=True, kw_only=True, eq=False)
class Batch:
    """P persons and their M activities, person after person, in any order within one."""

    facts: Sequence[Mapping[str, FactValue]]  #: [P] derived ones included
    offsets: Ints  #: [P + 1] the activities of person i are rows offsets[i] to before offsets[i + 1]
    at: Ints  #: [M] microseconds since 1970 in UTC
    day: Ints  #: [M] day number of ``at`` in the installation's zone
    touchpoint: npt.NDArray[np.uint32]  #: [M]


def score_people(compiled: CompiledModel, batch: Batch, day: int, *, oldest_day: int | None = None) -> Scores:
    """The scores of all persons on a day number; an empty batch gives empty arrays.

    Activities dated after ``day`` or before ``oldest_day`` (retention) never count.
    """
    persons = len(batch.facts)
    chunks = [
        _score_chunk(compiled, batch, (first, min(first + CHUNK, persons)), (oldest_day, day))
        for first in range(0, max(persons, 1), CHUNK)
    ]
    arrays = {name: np.concatenate([chunk[name] for chunk in chunks]) for name in chunks[0]}
    return Scores(compiled=compiled, facts=batch.facts, day=day, **arrays)


def _score_chunk(
    compiled: CompiledModel, batch: Batch, people: tuple[int, int], days: tuple[int | None, int]
) -> dict[str, npt.NDArray[np.generic]]:
    fit = _fit(compiled, batch.facts[people[0] : people[1]], days[1])
    engagement = _engagement(compiled, batch, people, days)
    weights, model = compiled.model.weights, compiled.model
    exact = fit["fit_micro"] * weights.fit + engagement["engagement_micro"] * weights.engagement
    lost = fit["disqualified_by"] >= 0
    fit_shown, engagement_shown = _rounded(fit["fit_micro"], MICRO), _rounded(engagement["engagement_micro"], MICRO)
    grade = _band(fit_shown, tuple(model.grades[letter] for letter in ("A", "B", "C")))
    return {
        **fit,
        **engagement,
        "score": np.where(lost, 0, _rounded(exact, 100 * MICRO)),
        "fit": fit_shown,
        "engagement": engagement_shown,
        "grade": np.where(lost, GRADES.index("F"), grade).astype(np.int8),
        "level": (_band(engagement_shown, model.levels) + 1).astype(np.int8),
    }


def _rounded(exact: Ints, unit: int) -> Ints:
    """Whole numbers, half away from zero, of values that are never negative."""
    shown: Ints = (exact + unit // 2) // unit
    return shown


def _band(shown: Ints, bounds: tuple[int, ...]) -> Ints:
    """How many of the falling bounds each value stays under."""
    under: Ints = np.sum([shown < bound for bound in bounds], axis=0, dtype=np.int64)
    return under


def _fit(compiled: CompiledModel, people: Sequence[Mapping[str, FactValue]], day: int) -> dict[str, Ints]:
    """Fit is a few conditions over a mapping for each person: plain Python, no arrays to gain from."""
    shape = (len(people), len(compiled.variables) + len(compiled.adjusts))
    rows = [
        [
            *(
                variable.weight * variable.bands.band(known(facts, variable.name), day)[1] * (MICRO // 100)
                for variable in compiled.variables
            ),
            *(adjust.points if adjust.holds(facts, day) else 0 for adjust in compiled.adjusts),
        ]
        for facts in people
    ]
    points = np.array(rows, dtype=np.int64).reshape(shape)
    disqualified = [
        next((d for d, disqualifier in enumerate(compiled.disqualifiers) if disqualifier.holds(facts, day)), -1)
        for facts in people
    ]
    return {
        "fit_points": points,
        "fit_micro": points.sum(axis=1).clip(0, 100 * MICRO),
        "disqualified_by": np.array(disqualified, dtype=np.int64),
    }


def _engagement(
    compiled: CompiledModel, batch: Batch, people: tuple[int, int], days: tuple[int | None, int]
) -> dict[str, Ints]:
    """Points, counts and newest days by person and rule, then by group, then by person."""
    persons, rules = people[1] - people[0], len(compiled.rules)
    offsets = batch.offsets[people[0] : people[1] + 1]
    rows = slice(offsets[0], offsets[-1])
    person = np.repeat(np.arange(persons), np.diff(offsets))
    counts = (batch.day[rows] <= days[1]) & (batch.day[rows] >= (NEVER if days[0] is None else days[0]))
    person, at, on = person[counts], batch.at[rows][counts], batch.day[rows][counts]
    activity_count = np.bincount(person, minlength=persons)

    # Only activities whose touchpoint some rule matches go on; T is 0 when there is no such touchpoint at all.
    touchpoint = batch.touchpoint[rows][counts].astype(np.int64)
    place = np.searchsorted(compiled.numbers, touchpoint)
    matched = np.append(compiled.numbers, -1)[place] == touchpoint
    person, at, on, place = person[matched], at[matched], on[matched], place[matched]
    newest_positive_at = np.full(persons, NEVER)
    positive = compiled.positive[place]
    np.maximum.at(newest_positive_at, person[positive], at[positive])

    # One row for each pair of an activity and a rule that matches it.
    matches = compiled.starts[place + 1] - compiled.starts[place]
    source = np.repeat(np.arange(len(place)), matches)
    nth = np.arange(len(source)) - np.repeat(np.cumsum(matches) - matches, matches)
    entry = compiled.starts[place[source]] + nth
    cell = person[source] * rules + compiled.entry_rule[entry]
    kept = _within_limits(compiled, cell, at[source], on[source], entry)
    cell, on = cell[kept], on[source][kept]

    age = np.minimum(days[1] - on, compiled.table.shape[1] - 1)
    points = compiled.table[cell % rules, age]
    cells = persons * rules
    rule_newest = np.full(cells, NEVER)
    np.maximum.at(rule_newest, cell, on)
    # float64 sums are exact: 10^6 activities of 10^9 micro-points stay below 2^53.
    rule_points = np.bincount(cell, weights=points, minlength=cells).astype(np.int64).reshape(persons, rules)
    group_points = np.stack(
        [rule_points[:, group.first : group.end].sum(axis=1).clip(group.floor, group.cap) for group in compiled.groups],
        axis=1,
    )
    return {
        "rule_points": rule_points,
        "rule_count": np.bincount(cell, minlength=cells).reshape(persons, rules),
        "rule_newest": rule_newest.reshape(persons, rules),
        "group_points": group_points,
        "engagement_micro": group_points.sum(axis=1).clip(0, 100 * MICRO),
        "newest_positive_at": newest_positive_at,
        "activity_count": activity_count,
    }


def _within_limits(compiled: CompiledModel, cell: Ints, at: Ints, on: Ints, entry: Ints) -> npt.NDArray[np.bool_]:
    """Which rows are among the newest N of their person, rule, calendar bin and value.

    The one clever place: rows are sorted by (person and rule, bin and value, newest first), so that a row's rank is its
    distance from the start of its run. Rows of one instant lie in one bin and weigh the same, so ties do not matter.
    """
    kept = np.ones(len(cell), dtype=np.bool_)
    for per, counts in compiled.limits.items():
        allowed = counts[cell % len(counts)]
        limited = np.flatnonzero(allowed)
        value = compiled.entry_value[entry[limited]]
        part = calendar_bin(on[limited], per) * (1 + value.max(initial=0)) + value
        order = np.lexsort((-at[limited], part, cell[limited]))
        limited, part = limited[order], part[order]
        begins = np.append(True, (np.diff(cell[limited]) != 0) | (np.diff(part) != 0))[: len(limited)]
        ranks = np.arange(len(limited))
        rank = ranks - np.maximum.accumulate(np.where(begins, ranks, 0))
        kept[limited] = rank < allowed[limited]
    return kept


def calendar_bin(day: Ints, per: Per) -> Ints:
    """The number of the calendar day, ISO week, month, quarter or year that each day number lies in; 0 for ``ever``.

    >>> calendar_bin(np.array([3, 4]), "week"), calendar_bin(np.array([30, 31]), "month")
    (array([0, 1]), array([0, 1]))
    """
    if per == "day":
        return day
    if per == "week":
        return (day + 3) // 7  # 1970-01-01 is a Thursday
    if per == "ever":
        return np.zeros_like(day)
    month = day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return month // {"month": 1, "quarter": 3, "year": 12}[per]
