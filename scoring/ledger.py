"""Why a score is what it is: lines in points of the score that add up to it exactly.

Weights are whole percents and points whole micro-points, so a line is a whole number of units of 1e-8 point; decimals
appear only where a line is shown.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Literal

from scoring.compile import CompiledModel
from scoring.dates import day_in_words
from scoring.fact_values import EPOCH, FactValue, known
from scoring.kernel import Evaluation, FitResult
from scoring.phrases import lower_start
from scoring.values import MICRO

UNITS_PER_POINT = 100 * MICRO  # a percent of a micro-point

Part = Literal["fit", "engagement", "score"]
Kind = Literal[
    "variable",
    "adjust",
    "rule",
    "cap",
    "floor",
    "pattern",
    "clamp",
    "recycle",
    "silence",
    "rounding",
    "disqualified",
]

_REASONS = frozenset({"variable", "adjust", "rule", "pattern", "recycle", "silence"})
_BOUNDS = frozenset({"cap", "floor", "clamp"})


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line: what it is, and how many points of the score it gives or takes."""

    part: Part
    kind: Kind
    key: str  #: the fact, or the id in the model, that the line belongs to
    label: str
    units: int  #: points of the score in 1e-8
    group: str | None = None  #: of a rule, a cap and a floor: the id of their group
    count: int = 0  #: activities that counted
    newest: date | None = None  #: the newest of them
    value: FactValue | None = None  #: of a fit variable: the fact, None when unknown
    percent: int | None = None  #: of a fit variable: how much of its weight the value gives

    @property
    def points(self) -> Decimal:
        """Points of the score, exact."""
        return Decimal(self.units).scaleb(-8).normalize()

    def is_over(self, line: "Line") -> bool:
        """Whether this line, a cap, floor or clamp, bounds a sum that the other is part of."""
        return line.part == self.part and (self.group is None or line.group == self.group)


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """The numbers people see, and the lines that add up to the score."""

    score: int
    fit: int
    engagement: int
    grade: str
    tier: str
    disqualified_by: str | None  #: the disqualifier's label
    lines: tuple[Line, ...]  #: fit, engagement, rounding, disqualifier

    @cached_property
    def effects(self) -> tuple[tuple[Line, int], ...]:
        """Every line that is a reason with the units of it that count, in the order of the lines.

        What a bound takes or gives back is taken off the weakest lines before it first, so that the effects add up to
        the score before rounding and the strongest reason is the one that counts most.
        """
        lines: list[Line] = []
        units: list[int] = []
        for bound in self.lines:
            if bound.kind in _REASONS:
                lines.append(bound)
                units.append(bound.units)
            if bound.kind not in _BOUNDS:
                continue
            left = bound.units
            under = [place for place in range(len(lines) - 1, -1, -1) if bound.is_over(lines[place])]
            for place in sorted(under, key=lambda place: abs(units[place])):
                if (units[place] < 0) == (left > 0):
                    size = min(abs(left), abs(units[place]))
                    change = size if left > 0 else -size
                    units[place] += change
                    left -= change
        return tuple(zip(lines, units, strict=True))

    def to_json(self) -> dict[str, object]:
        """The ledger as JSON values with stable keys; points as exact text, dates as ISO text."""
        return {
            "score": self.score,
            "fit": self.fit,
            "engagement": self.engagement,
            "grade": self.grade,
            "tier": self.tier,
            "disqualified_by": self.disqualified_by,
            "lines": [
                {
                    "part": line.part,
                    "kind": line.kind,
                    "key": line.key,
                    "label": line.label,
                    "group": line.group,
                    "points": f"{line.points:f}",
                    "count": line.count,
                    "newest": line.newest and line.newest.isoformat(),
                    "value": line.value.isoformat() if isinstance(line.value, date) else line.value,
                    "percent": line.percent,
                }
                for line in self.lines
            ],
        }


def explain(compiled: CompiledModel, evaluation: Evaluation, facts: Mapping[str, FactValue]) -> Ledger:
    """The ledger of one person: every fit variable, and every adjustment, rule and pattern that plays a part.

    A rule does with a counted activity. Silence, the limit after a recycle, bounds and the rounding have a line where
    they take or give something, a disqualifier always. The lines are in the model's order.
    """
    lines = [*_fit(compiled, evaluation, facts), *_engagement(compiled, evaluation)]
    exact = sum(line.units for line in lines)
    shown = (exact + UNITS_PER_POINT // 2) // UNITS_PER_POINT * UNITS_PER_POINT
    if shown != exact:
        lines.append(Line(part="score", kind="rounding", key="rounding", label="Rounding", units=shown - exact))
    label = None
    if evaluation.disqualified_by is not None:
        by = evaluation.disqualified_by
        label = next(disqualifier.label for disqualifier in compiled.disqualifiers if disqualifier.id == by)
        words = f"Disqualified: {lower_start(label)}"
        lines.append(Line(part="score", kind="disqualified", key=by, label=words, units=-shown))
    return Ledger(
        score=evaluation.score,
        fit=evaluation.fit,
        engagement=evaluation.engagement,
        grade=evaluation.grade,
        tier=evaluation.tier,
        disqualified_by=label,
        lines=tuple(lines),
    )


def _fit(compiled: CompiledModel, evaluation: Evaluation, facts: Mapping[str, FactValue]) -> Iterator[Line]:
    weight = compiled.model.weights.fit
    before = 0
    for result in evaluation.fit_results:
        before += result.points
        yield _fit_line(result, weight * result.points, facts)
    if evaluation.fit_micro != before:
        yield Line(
            part="fit",
            kind="clamp",
            key="fit",
            label=_bound("Fit", before, evaluation.fit_micro),
            units=weight * (evaluation.fit_micro - before),
        )


def _fit_line(result: FitResult, units: int, facts: Mapping[str, FactValue]) -> Line:
    if result.kind == "adjust":
        return Line(part="fit", kind="adjust", key=result.id, label=result.label, units=units)
    return Line(
        part="fit",
        kind="variable",
        key=result.id,
        label=result.label if result.label != result.id else result.id.replace("_", " ").capitalize(),
        units=units,
        value=known(facts, result.id),
        percent=result.percent,
    )


def _engagement(compiled: CompiledModel, evaluation: Evaluation) -> Iterator[Line]:
    weight = compiled.model.weights.engagement
    for result in evaluation.groups:
        group = result.group
        for rule in evaluation.rules:
            if rule.rule.group == group.id:
                yield Line(
                    part="engagement",
                    kind="rule",
                    key=rule.rule.id,
                    label=rule.rule.label,
                    units=weight * rule.points,
                    group=group.id,
                    count=rule.count,
                    newest=date.fromordinal(EPOCH + rule.newest),
                )
        if result.points != result.before:
            yield Line(
                part="engagement",
                kind="cap" if result.points < result.before else "floor",
                key=group.id,
                label=_bound(group.label, result.before, result.points),
                units=weight * (result.points - result.before),
                group=group.id,
            )
    for pattern in evaluation.patterns:
        yield Line(
            part="engagement",
            kind="pattern",
            key=pattern.id,
            label=pattern.label,
            units=weight * pattern.points,
        )
    before = sum(group.points for group in evaluation.groups) + sum(one.points for one in evaluation.patterns)
    reached = min(max(before, 0), 100 * MICRO)
    yield from _clamp(weight, before, reached)
    if evaluation.recycle_micro:
        yield _recycle(compiled, weight, evaluation.recycle_micro)
    if evaluation.silent_since is not None:
        yield _silence(weight, evaluation.silence_micro, evaluation.silent_since, evaluation.day)
    yield from _clamp(
        weight, reached - evaluation.recycle_micro - evaluation.silence_micro, evaluation.engagement_micro
    )


def _clamp(weight: int, before: int, after: int) -> Iterator[Line]:
    if after != before:
        yield Line(
            part="engagement",
            kind="clamp",
            key="engagement",
            label=_bound("Engagement", before, after),
            units=weight * (after - before),
        )


def _recycle(compiled: CompiledModel, weight: int, taken: int) -> Line:
    assert compiled.model.mql.recycle is not None
    label = f"Handed back by sales: at most {compiled.model.mql.recycle.keep_at_most} from before"
    return Line(part="engagement", kind="recycle", key="recycle", label=label, units=-weight * taken)


def _silence(weight: int, taken: int, since: int, day: int) -> Line:
    on, today = date.fromordinal(EPOCH + since), date.fromordinal(EPOCH + day)
    label = f"Silent since {day_in_words(on, today)}"
    return Line(part="engagement", kind="silence", key="silence", label=label, units=-weight * taken)


def _bound(label: str, before: int, after: int) -> str:
    """What a bound says, in the points it is written in."""
    return f"{label}: {'never above' if after < before else 'never below'} {Decimal(after).scaleb(-6).normalize():f}"
