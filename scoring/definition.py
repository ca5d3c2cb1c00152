"""What makes a person an MQL, what keeps one, and how long a lost lead stays lost."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, ModelWrapValidatorHandler, PlainSerializer, PlainValidator, model_validator

from scoring import definition_checks as checks
from scoring.mistakes import read_whole, wrong
from scoring.part import Bound, Part
from scoring.values import Days, Label, LeaveBound, LeaveGrade, LostFor, MinimumGrade, Percentage


class SeveralRules(Part):
    """At least ``any`` of the ids ``of`` must be met: adjustments, engagement rules and patterns alike."""

    any: Annotated[int, Field(strict=True, ge=1)]
    of: Annotated[tuple[Label, ...], PlainSerializer(list)]

    @model_validator(mode="after")
    def _possible(self) -> Self:
        checks.enough_rules(self.any, self.of)
        return self


class Needs(Part):
    """Minimums for MQL, on the rounded numbers people see; at least one."""

    score: Bound | None = None
    fit: Bound | None = None
    engagement: Bound | None = None
    grade: MinimumGrade | None = None
    facts: Annotated[tuple[Label, ...], PlainSerializer(list)] = ()
    rules: SeveralRules | None = None

    @model_validator(mode="after")
    def _some(self) -> Self:
        named = (self.score, self.fit, self.engagement, self.grade, self.facts, self.rules)
        checks.some_minimum(named=any(named))
        return self


class Instant(Part):
    """An engagement rule that qualifies by itself while its newest counted activity is at most ``lasts`` days old."""

    grade: MinimumGrade | None = None  # without it any grade but F
    lasts: Days = 30


class LeaveBelow(Part):
    """The bounds under which an MQL leaves, one for a minimum of ``needs``; those left out have their default."""

    score: LeaveBound | None = None
    fit: LeaveBound | None = None
    engagement: LeaveBound | None = None
    grade: LeaveGrade | None = None  # the lower bound of this letter's own band


def _leave_below(raw: Any) -> LeaveBelow | Literal["never"]:
    if isinstance(raw, str) and raw != "never":
        raise wrong(f"{raw!r} says nobody when to leave; write never, or bounds such as {{score: 50, grade: C}}")
    return "never" if raw == "never" else LeaveBelow.model_validate(raw)


LeaveBelowField = Annotated[
    LeaveBelow | Literal["never"],
    PlainValidator(_leave_below, json_schema_input_type=LeaveBelow | Literal["never"]),
    PlainSerializer(lambda raw: raw if raw == "never" else raw.model_dump(exclude_unset=True)),
]


class Recycle(Part):
    """How much of what came before a recycle counts after it."""

    keep_at_most: Percentage  # whole points of engagement


class Mql(Part):
    """The hand-off; without ``needs`` and ``instant`` nobody qualifies by score."""

    needs: Needs | None = None
    instant: dict[str, Instant] = Field(default_factory=dict)  # by the id of an engagement rule
    leave_below: LeaveBelowField | None = None  # never: an MQL stays until sales decides
    recycle: Recycle | None = None  # without it all of it counts
    lost_for: LostFor = 180  # the last age in days at which lost rules, then it reads as recycled; or ever

    @model_validator(mode="wrap")
    @classmethod
    def _leaving(cls, raw: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        return read_whole("mql", handler, raw, checks.bounds_of_leaving(raw))
