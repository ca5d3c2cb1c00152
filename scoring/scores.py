"""Scores as the kernel gives them, a struct of arrays, and the score of one person as Python values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from scoring.compile import CompiledGroup, CompiledModel, CompiledRule
from scoring.fact_values import FactValue, known
from scoring.patterns import CompiledPattern
from scoring.values import MICRO

GRADES = "ABCDF"
THIRDS = ("", "+", "-")  #: by third: 0, 1, -1
HALF_A_POINT = MICRO // 2  #: what a rule must have left to be met
NEVER = np.iinfo(np.int64).min  #: stands for no day and no instant

Ints = npt.NDArray[np.int64]


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
class PatternResult:
    """A pattern that holds."""

    id: str
    label: str
    points: int  #: micro-points


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
    grade: str  #: a letter; with thirds A+, A, A- … D-, or F
    level: int
    tier: str  #: letter and level, whatever thirds; or F
    disqualified_by: str | None  #: the id of the first disqualifier that holds
    newest_positive_at: int | None  #: microseconds
    activity_count: int
    fit_results: tuple[FitResult, ...]
    groups: tuple[GroupResult, ...]
    rules: tuple[RuleResult, ...]
    known_facts: frozenset[str]
    met: frozenset[str] = frozenset()  #: ids of the engagement rules, patterns and adjustments that are met
    instants: Mapping[str, int | None] = field(default_factory=dict)
    #: ^ by instant rule: microseconds of its newest counted activity after match, dates and limit; None for none
    interest: str = ""  #: the interest with most points on the score day
    patterns: tuple[PatternResult, ...] = ()
    silence_micro: int = 0  #: micro-points of engagement that silence takes
    silent_since: int | None = None  #: where it takes some: day number of the last activity that broke the silence
    recycle_micro: int = 0  #: micro-points of engagement that the limit after a recycle takes
    day: int = 0  #: day number of the score day
    earlier: Mapping[int, int] = field(default_factory=dict)
    #: ^ the score of so many days before, with facts, model and sales' word as of now (``trend``)


@dataclass(frozen=True, kw_only=True, eq=False)
class Scores:
    """The scores of P persons as arrays of length P: R rules, G groups, Q patterns, F fit parts.

    The fit parts are the variables, then the adjustments.
    """

    compiled: CompiledModel
    facts: Sequence[Mapping[str, FactValue]]
    day: int
    score: Ints  #: 0..100, rounded; 0 when disqualified
    fit: Ints  #: 0..100, rounded
    engagement: Ints  #: 0..100, rounded
    fit_micro: Ints  #: clamped to 0..100 points
    engagement_micro: Ints  #: clamped to 0..100 points
    grade: npt.NDArray[np.int8]  #: index into GRADES
    third: npt.NDArray[np.int8]  #: 1 for the best third of the letter, 0, -1; 0 without thirds
    level: npt.NDArray[np.int8]  #: 1..4
    disqualified_by: Ints  #: index into the disqualifiers, -1 for none
    fit_points: Ints  #: [P, F] micro-points before the clamp
    adjust_holds: npt.NDArray[np.bool_]  #: [P, adjustments]
    rule_points: Ints  #: [P, R] micro-points, limits applied, before caps
    rule_count: Ints  #: [P, R] counted activities
    rule_newest: Ints  #: [P, R] day number of the newest counted activity, or NEVER
    group_points: Ints  #: [P, G] micro-points after cap and floor
    pattern_holds: npt.NDArray[np.bool_]  #: [P, Q]
    instant_newest_at: Ints  #: [P, I] microseconds of the newest counted activity of each instant rule, or NEVER
    silent_since: Ints  #: where silence takes something: day number of the activity before it, or NEVER
    silence_micro: Ints  #: micro-points that silence takes
    recycle_micro: Ints  #: micro-points that the limit after a recycle takes
    newest_positive_at: Ints  #: microseconds, or NEVER
    activity_count: Ints  #: activities up to the score day and not older than retention, matched or not
    earlier: Mapping[int, Ints] = field(default_factory=dict)  #: as in ``Evaluation``

    def person(self, i: int) -> Evaluation:
        """The scores of person i as Python values, with what they are made of."""
        compiled = self.compiled
        grade, level, worst = GRADES[self.grade[i]], int(self.level[i]), int(self.disqualified_by[i])
        lost = worst >= 0
        return Evaluation(
            score=int(self.score[i]),
            fit=int(self.fit[i]),
            engagement=int(self.engagement[i]),
            fit_micro=int(self.fit_micro[i]),
            engagement_micro=int(self.engagement_micro[i]),
            grade=grade if lost else grade + THIRDS[self.third[i]],
            level=level,
            tier="F" if lost else f"{grade}{level}",
            disqualified_by=compiled.disqualifiers[worst].id if lost else None,
            newest_positive_at=_known(self.newest_positive_at[i]),
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
            met=self._met(i),
            instants={
                compiled.rules[r].id: _known(at)
                for r, at in zip(compiled.instants, self.instant_newest_at[i], strict=True)
            },
            interest=self._interest(i),
            patterns=tuple(PatternResult(id=one.id, label=one.label, points=one.points) for one in self._held(i)),
            silence_micro=int(self.silence_micro[i]),
            silent_since=_known(self.silent_since[i]),
            recycle_micro=int(self.recycle_micro[i]),
            day=self.day,
            earlier={days: int(scores[i]) for days, scores in self.earlier.items()},
        )

    def _held(self, i: int) -> list[CompiledPattern]:
        patterns = self.compiled.patterns.patterns if self.compiled.patterns else ()
        return [pattern for pattern, holds in zip(patterns, self.pattern_holds[i], strict=True) if holds]

    def _met(self, i: int) -> frozenset[str]:
        """Rules with half a point in size, patterns and adjustments that hold."""
        compiled = self.compiled
        rules = (compiled.rules[r].id for r in np.flatnonzero(np.abs(self.rule_points[i]) >= HALF_A_POINT))
        adjusts = (compiled.adjusts[a].id for a in np.flatnonzero(self.adjust_holds[i]))
        return frozenset([*rules, *adjusts, *(pattern.id for pattern in self._held(i))])

    def _interest(self, i: int) -> str:
        """The interest with most points, the first written of equals; "" when none has any."""
        points: dict[str, int] = {}
        for rule, own in zip(self.compiled.rules, self.rule_points[i], strict=True):
            if rule.interest:
                points[rule.interest] = points.get(rule.interest, 0) + int(own)
        best = max(points, key=lambda name: points[name], default="")
        return best if points.get(best, 0) > 0 else ""

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


def _known(number: np.int64) -> int | None:
    return None if number == NEVER else int(number)
