"""A scoring model: the admin's YAML, validated and frozen, in the YAML's own shape.

Every class forbids unknown keys, and ``written`` gives the YAML back. Labels are what sales reads; the model digest
leaves them out. Mistakes come as one ValidationError with all of them, each placed at the key that is wrong.
"""

from collections.abc import Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, ModelWrapValidatorHandler, PlainSerializer, StrictBool, model_validator
from pydantic_core import InitErrorDetails

from scoring import checks
from scoring.bands import BandsField
from scoring.conditions import Condition
from scoring.decay import decay_table
from scoring.definition import Mql, Needs
from scoring.engagement import Bots, Decay, Group, Pattern, Rule, Silence
from scoring.mistakes import Place, read_whole, refusal
from scoring.part import Bound, ConditionField, Part, checked
from scoring.values import MICRO, Days, Label, Letter, Percentage, Points

__all__ = ["ConditionField", "Decay", "Group", "Mql", "Needs", "Rule", "ScoringModel"]


def _grades() -> dict[Letter, int]:
    return {"A": 75, "B": 50, "C": 25}


class Weights(Part):
    """Whole percents of the score, adding up to 100."""

    fit: Percentage
    engagement: Percentage

    @model_validator(mode="after")
    def _add_up(self) -> Self:
        checks.weights_of_score(self.fit, self.engagement)
        return self


class Variable(Part):
    """One fit variable: a percent of its weight by the fact's value or band."""

    weight: Percentage
    percent: BandsField
    label: str = ""


class Adjust(Part):
    """Points given or taken on a condition over facts."""

    if_: ConditionField = Field(alias="if")
    points: Points
    label: Label


class Disqualifier(Part):
    """A condition that makes grade F and status disqualified."""

    if_: ConditionField = Field(alias="if")
    label: Label


class Fit(Part):
    """Variables by the name of their fact, whose weights add up to 100, and ``adjust``."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Variable] = Field(init=False)

    adjust: dict[str, Adjust] = Field(default_factory=dict)

    @property
    def variables(self) -> Mapping[str, Variable]:
        """The variables by fact, in the order written."""
        return self.__pydantic_extra__

    @model_validator(mode="wrap")
    @classmethod
    def _add_up(cls, raw: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        return read_whole("fit", handler, raw, checks.weights_of_fit(raw))


class Surge(Part):
    """A sharp rise of the score, of which sales is told."""

    rise: Annotated[int, Field(strict=True, ge=1, le=100)]  # points of the score
    within: Days


class ScoringModel(Part):
    """One model file."""

    model: Label
    audience: ConditionField | None = None  # whom the model scores; without it everybody
    on_leave: Literal["empty", "keep"] = "empty"  # our fields of those who leave the audience
    weights: Weights
    decays: dict[str, Decay] = Field(default_factory=dict)
    fit: Fit
    engagement: dict[str, Group] = Field(min_length=1)
    patterns: dict[str, Pattern] = Field(default_factory=dict)
    silence: Silence | None = None
    bots: Bots | None = None
    grades: Annotated[dict[Letter, Bound], checked(checks.grade_bounds)] = Field(default_factory=_grades)
    levels: Annotated[tuple[Bound, Bound, Bound], checked(checks.descending), PlainSerializer(list)] = (75, 50, 25)
    thirds: StrictBool = False  # grades A+, A, A- … D-, each a third of its band
    disqualify: dict[str, Disqualifier] = Field(default_factory=dict)
    mql: Mql = Field(default_factory=Mql)
    surge: Surge | None = None

    @model_validator(mode="wrap")
    @classmethod
    def _every_mistake(cls, raw: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        model = read_whole("model", handler, raw, checks.names(raw))
        if mistakes := model.out_of_reach():
            raise refusal("model", mistakes)
        return model

    def rules(self) -> Iterator[tuple[str, str, Rule]]:
        """Every engagement rule as (group, id, rule), in the order written."""
        for group, content in self.engagement.items():
            for name, rule in content.rules.items():
                yield group, name, rule

    def labels(self) -> dict[str, str]:
        """The labels of adjustments, engagement rules and patterns by id."""
        adjusts = {name: adjust.label for name, adjust in self.fit.adjust.items()}
        patterns = {name: pattern.label for name, pattern in self.patterns.items()}
        return adjusts | patterns | {name: rule.label for _, name, rule in self.rules()}

    def conditions(self) -> Iterator[tuple[Place, Condition]]:
        """Every condition with the keys that lead to it: those under ``where`` read attributes, the others facts."""
        if self.audience is not None:
            yield ("audience",), self.audience
        for name, adjust in self.fit.adjust.items():
            yield ("fit", "adjust", name, "if"), adjust.if_
        for name, disqualifier in self.disqualify.items():
            yield ("disqualify", name, "if"), disqualifier.if_
        for group, name, rule in self.rules():
            if rule.where is not None:
                yield ("engagement", group, "rules", name, "where"), rule.where
        for name, pattern in self.patterns.items():
            for index, line in enumerate(pattern.all):
                if line.where is not None:
                    yield ("patterns", name, "all", index, "where"), line.where

    def facts_read(self) -> frozenset[str]:
        """The facts that a variable, a condition or ``needs`` reads, derived ones (``facts.DERIVED``) among them."""
        tested = (condition.names() for place, condition in self.conditions() if place[-1] != "where")
        needed = self.mql.needs.facts if self.mql.needs else ()
        return frozenset(self.fit.variables).union(needed, *tested)

    def written(self) -> dict[str, Any]:
        """The model in the shape of its YAML, with the keys that were written there."""
        return self.model_dump(by_alias=True, exclude_unset=True)

    def best(self) -> dict[str, Decimal]:
        """The most fit, engagement and score that anybody can have, exactly, taking every positive rule at its most."""
        fit = _clamped(
            sum(Decimal(part.weight * part.percent.best) / 100 for part in self.fit.variables.values())
            + sum(max(part.points, Decimal()) for part in self.fit.adjust.values())
        )
        engagement = _clamped(
            sum(_most(group, self.decays) for group in self.engagement.values())
            + sum(max(pattern.points, Decimal()) for pattern in self.patterns.values())
        )
        score = (fit * self.weights.fit + engagement * self.weights.engagement) / 100
        return {"fit": fit, "engagement": engagement, "score": score}

    def out_of_reach(self) -> list[InitErrorDetails]:
        """Minimums for MQL that nobody can reach."""
        needs = self.mql.needs
        if needs is None:
            return []
        best = {name: whole(points) for name, points in self.best().items()}
        grade = self.grades.get(needs.grade) if needs.grade else None  # D has no bound
        return checks.out_of_reach(
            {**best, "grade": best["fit"]},
            {"score": needs.score, "fit": needs.fit, "engagement": needs.engagement, "grade": grade},
        )


def whole(points: Decimal) -> int:
    """The points as people see them: rounded half up.

    >>> whole(Decimal("2.5"))
    3
    """
    return int(points.to_integral_value(ROUND_HALF_UP))


def _most(group: Group, decays: Mapping[str, Decay]) -> Decimal:
    """The most a group can give; a rule without a limit for ever can give any number of times, all on the score day."""
    most = sum(
        (
            Decimal(decay_table(rule.points, decays[rule.decay] if rule.decay else None)[0])
            / MICRO
            * (rule.limit.count if rule.limit and rule.limit.per == "ever" and not rule.limit.each else 1_000_000)
            for rule in group.rules.values()
            if rule.points > 0
        ),
        Decimal(),
    )
    return most if group.cap is None else min(most, group.cap)


def _clamped(points: Decimal | int) -> Decimal:
    return min(Decimal(points), Decimal(100))
