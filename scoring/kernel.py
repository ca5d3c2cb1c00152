"""The arithmetic: facts and packed activities of many persons into scores, chunk by chunk.

Integers throughout: micro-points, day numbers, microseconds. One person costs the same call as a million, and a person's
numbers depend on nothing but their own facts and activities.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scoring.compile import CompiledGroup, CompiledModel, CompiledRule
from scoring.fact_values import FactValue, known
from scoring.values import MICRO, Per

CHUNK = 5_000  # persons at once: the arrays of a chunk stay in the processor's cache and memory flat
GRADES = "ABCDF"
F = GRADES.index("F")
NEVER = np.iinfo(np.int64).min  #: stands for no day and no instant

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Batch:
    """P persons and their M activities, person after person, in any order within a person."""

    facts: Sequence[Mapping[str, FactValue]]  #: [P] derived ones included
    offsets: Ints  #: [P + 1] the activities of person i are rows offsets[i] to before offsets[i + 1]
    at: Ints  #: [M] microseconds since 1970 in UTC
    day: Ints  #: [M] day number of ``at`` in the installation's zone
    touchpoint: npt.NDArray[np.uint32]  #: [M]


@dataclass(frozen=True, kw_only=True)
class RuleResult:
    """A rule with at least one counted activity."""

    rule: CompiledRule
    points: int  #: micro-points, limit applied, before cap and floor
    count: int  #: activities that counted, whatever points they have left
    newest: int  #: day number of the newest of them


@dataclass(frozen=True, kw_only=True)
class GroupResult:
    """A group."""

    group: CompiledGroup
    before: int  #: micro-points of its rules
    points: int  #: micro-points after cap and floor


@dataclass(frozen=True, kw_only=True)
class FitResult:
    """A variable, or an adjustment whose condition holds."""

    kind: str  #: "variable" or "adjust"
    id: str
    label: str
    points: int  #: micro-points of fit
    band: str = ""  #: of a variable: the key its fact falls into; empty when unknown or in none
    percent: int = 0  #: of a variable


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """The score of one person."""

    score: int
    fit: int
    engagement: int
    fit_micro: int
    engagement_micro: int
    grade: str
    level: int
    tier: str
    disqualified_by: str | None  #: the id of the first disqualifier that holds
    newest_positive_at: int | None  #: microseconds
    activity_count: int
    fit_results: tuple[FitResult, ...]
    groups: tuple[GroupResult, ...]
    rules: tuple[RuleResult, ...]
    known_facts: frozenset[str]


@dataclass(frozen=True, kw_only=True, eq=False)
class Scores:
    """The scores of P persons as arrays of length P; R rules, G groups, F fit parts (variables, then adjustments)."""

    compiled: CompiledModel
    facts: Sequence[Mapping[str, FactValue]]
    day: int
    score: Ints  #: 0..100, rounded; 0 when disqualified
    fit: Ints  #: 0..100, rounded
    engagement: Ints  #: 0..100, rounded
    fit_micro: Ints  #: clamped to 0..100 points
    engagement_micro: Ints  #: clamped to 0..100 points
    grade: npt.NDArray[np.int8]  #: index into GRADES
    level: npt.NDArray[np.int8]  #: 1..4
    disqualified_by: Ints  #: index into the disqualifiers, -1 for none
    fit_points: Ints  #: [P, F] micro-points before the clamp
    rule_points: Ints  #: [P, R] micro-points, limits applied, before caps
    rule_count: Ints  #: [P, R] counted activities
    rule_newest: Ints  #: [P, R] day number of the newest counted activity, or NEVER
    group_points: Ints  #: [P, G] micro-points after cap and floor
    newest_positive_at: Ints  #: microseconds, or NEVER
    activity_count: Ints  #: activities up to the score day and not older than retention, matched or not

    def person(self, i: int) -> Evaluation:
        """The scores of person i as Python values, with what they are made of."""
        compiled = self.compiled
        grade, level, worst = GRADES[self.grade[i]], int(self.level[i]), int(self.disqualified_by[i])
        newest = int(self.newest_positive_at[i])
        return Evaluation(
            score=int(self.score[i]),
            fit=int(self.fit[i]),
            engagement=int(self.engagement[i]),
            fit_micro=int(self.fit_micro[i]),
            engagement_micro=int(self.engagement_micro[i]),
            grade=grade,
            level=level,
            tier="F" if worst >= 0 else f"{grade}{level}",
            disqualified_by=compiled.disqualifiers[worst].id if worst >= 0 else None,
            newest_positive_at=None if newest == NEVER else newest,
            activity_count=int(self.activity_count[i]),
            fit_results=self._fit_results(i),
            groups=tuple(
                GroupResult(
                    group=group,
                    before=int(self.rule_points[i, group.first : group.end].sum()),
                    points=int(self.group_points[i, g]),
                )
                for g, group in enumerate(compiled.groups)
            ),
            rules=tuple(
                RuleResult(
                    rule=compiled.rules[r],
                    points=int(self.rule_points[i, r]),
                    count=int(self.rule_count[i, r]),
                    newest=int(self.rule_newest[i, r]),
                )
                for r in np.flatnonzero(self.rule_count[i])
            ),
            known_facts=frozenset(name for name in self.facts[i] if known(self.facts[i], name) is not None),
        )

    def _fit_results(self, i: int) -> tuple[FitResult, ...]:
        compiled, facts = self.compiled, self.facts[i]
        points = [int(part) for part in self.fit_points[i]]
        variables = []
        for variable, part in zip(compiled.variables, points, strict=False):
            band, percent = variable.bands.band(known(facts, variable.name), self.day)
            variables.append(
                FitResult(
                    kind="variable", id=variable.name, label=variable.label, points=part, band=band, percent=percent
                )
            )
        adjusts = [
            FitResult(kind="adjust", id=adjust.id, label=adjust.label, points=part)
            for adjust, part in zip(compiled.adjusts, points[len(variables) :], strict=True)
            if part
        ]
        return (*variables, *adjusts)


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
        "grade": np.where(lost, F, grade).astype(np.int8),
        "level": (_band(engagement_shown, model.levels) + 1).astype(np.int8),
    }


def _rounded(exact: Ints, unit: int) -> Ints:
    """Whole numbers, half away from zero, of values that are never negative."""
    return (exact + unit // 2) // unit


def _band(shown: Ints, bounds: tuple[int, ...]) -> Ints:
    """How many of the falling bounds each value stays under."""
    return np.sum([shown < bound for bound in bounds], axis=0, dtype=np.int64)


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
