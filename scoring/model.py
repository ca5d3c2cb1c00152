"""A scoring model: the admin's YAML, validated and frozen, in the YAML's own shape.

Every class forbids unknown keys. Labels are what sales reads; the model digest leaves them out.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from scoring.conditions import Condition, parse_condition

Letter = Literal["A", "B", "C", "D"]
ConditionField = Annotated[Condition, BeforeValidator(parse_condition)]


class Part(BaseModel):
    """What every part of a model has in common."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, populate_by_name=True)


class Weights(Part):
    """Whole percents of the score, adding up to 100."""

    fit: int = Field(ge=0, le=100)
    engagement: int = Field(ge=0, le=100)


class Decay(Part):
    """How points fade with age in whole days; exactly one of the four shapes. Never rising."""

    half_life: str | None = None          # "30d"
    linear: str | None = None             # "90d"
    steps: dict[str, str] | None = None   # {"7d": "100%", "14d": "75%"}; 0 after the last
    none: bool = False
    expires: str | None = None            # "45d": age 45 still counts


class Variable(Part):
    """One fit variable: a percent of its weight by the fact's value or band."""

    weight: int = Field(ge=0, le=100)
    percent: dict[str, int]
    label: str = ""


class Adjust(Part):
    """Points given or taken on a condition over facts."""

    if_: ConditionField = Field(alias="if")
    points: float
    label: str


class Disqualifier(Part):
    """A condition that makes grade F and status disqualified."""

    if_: ConditionField = Field(alias="if")
    label: str


class Rule(Part):
    """Points for one kind of activity."""

    activity: str
    where: ConditionField | None = None
    points: float
    decay: str | None = None
    limit: str | None = None              # "3 per week", "1 per day each mail"
    label: str


class Group(Part):
    """Rules under one cap and floor, both on their net sum."""

    label: str
    cap: float | None = None
    floor: float | None = None
    rules: dict[str, Rule]


class Needs(Part):
    """Minimums for MQL, on the rounded numbers people see."""

    score: int | None = None
    fit: int | None = None
    engagement: int | None = None
    grade: str | None = None              # "B or better"
    facts: tuple[str, ...] = ()


class Mql(Part):
    """The hand-off."""

    needs: Needs | None = None


class ScoringModel(Part):
    """One model file."""

    model: str
    weights: Weights
    decays: dict[str, Decay] = Field(default_factory=dict)
    fit: dict[str, Any]                   # variables by fact name, and ``adjust``; split by the validator
    engagement: dict[str, Group]
    grades: dict[Letter, int] = Field(default_factory=lambda: {"A": 75, "B": 50, "C": 25})
    levels: tuple[int, int, int] = (75, 50, 25)
    disqualify: dict[str, Disqualifier] = Field(default_factory=dict)
    mql: Mql = Field(default_factory=Mql)
