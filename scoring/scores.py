"""Scores as the kernel gives them, a struct of arrays, and the score of one person as Python values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from scoring.compile import CompiledGroup, CompiledModel, CompiledRule
from scoring.fact_values import FactValue, known

GRADES = "ABCDF"
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
    met: frozenset[str] = frozenset()  #: ids of the engagement rules, patterns and adjustments that are met
    instants: Mapping[str, int | None] = field(default_factory=dict)
    #: ^ by instant rule: microseconds of its newest counted activity after match, dates and limit; None for none
    interest: str = ""  #: the interest with most points on the score day
    silence_micro: int = 0  #: micro-points of engagement that silence takes
    recycle_micro: int = 0  #: micro-points of engagement that the limit after a recycle takes


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
