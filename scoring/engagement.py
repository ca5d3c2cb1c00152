"""What people do: rules in groups, and how their points fade."""

from typing import Any, Literal, Self

from pydantic import Field, ModelWrapValidatorHandler, model_validator

from scoring import checks
from scoring.mistakes import read_whole
from scoring.part import Part, WhereField
from scoring.values import Days, Label, LimitField, Points, Steps


class Decay(Part):
    """How points fade with age in whole days; exactly one of the four shapes. Never rising."""

    half_life: Days | None = None
    linear: Days | None = None
    steps: Steps | None = None  # 0 after the last
    none: Literal[True] | None = None
    expires: Days | None = None  # the last age that counts

    @model_validator(mode="after")
    def _one_shape(self) -> Self:
        checks.one_shape([name for name in ("half_life", "linear", "steps", "none") if getattr(self, name) is not None])
        return self


class Rule(Part):
    """Points for one kind of activity."""

    activity: Label
    where: WhereField | None = None
    points: Points
    decay: str | None = None  # a name of ``decays``; without it points stay
    limit: LimitField | None = None
    label: Label


class Group(Part):
    """Rules under one cap and floor, both on their net sum."""

    label: Label
    cap: Points | None = None
    floor: Points | None = None
    rules: dict[str, Rule] = Field(min_length=1)

    @model_validator(mode="wrap")
    @classmethod
    def _bounds(cls, raw: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        return read_whole("group", handler, raw, checks.bounds_of_group(raw))
