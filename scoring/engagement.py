"""What people do: rules in groups, how their points fade, patterns, silence, and clicks of no person."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, ModelWrapValidatorHandler, PlainSerializer, model_validator

from scoring import checks
from scoring.mistakes import read_whole
from scoring.part import Part, WhereField, checked
from scoring.values import Day, Days, Distinct, Label, LimitField, Points, Seconds, Steps


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


Gain = Annotated[Points, checked(checks.above_zero)]
Count = Annotated[int, Field(strict=True, ge=0, le=1_000_000)]


class Rule(Part):
    """Points for one kind of activity."""

    activity: Label
    where: WhereField | None = None
    points: Points
    decay: str | None = None  # a name of ``decays``; without it points stay
    limit: LimitField | None = None
    from_: Day | None = Field(default=None, alias="from")  # the first date of an activity that counts
    until: Day | None = None  # the last
    interest: Label | None = None
    label: Label

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        checks.dates_in_order(self.from_, self.until)
        return self


class Group(Part):
    """Rules under one cap and floor, both on their net sum."""

    label: Label
    cap: Points | None = None
    floor: Points | None = None
    match: Literal["all", "first"] = "all"  # first: of the rules that match a touchpoint only the first counts
    rules: dict[str, Rule] = Field(min_length=1)

    @model_validator(mode="wrap")
    @classmethod
    def _bounds(cls, raw: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        return read_whole("group", handler, raw, checks.bounds_of_group(raw) + checks.shadowed(raw))


class PatternLine(Part):
    """A count of activities in a window of whole days that ends on the score day, and what it must be."""

    at_least: Count | None = None
    at_most: Count | None = None
    activity: Label | None = None
    rule: Label | None = None  # what this rule takes after match and dates, before its limit
    where: WhereField | None = None
    within: Days | None = None  # how many days the window has; without it the whole timeline counts
    distinct: Distinct | None = None  # true: each touchpoint once; an attribute: each known value once

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        keys = ("at_least", "at_most", "activity", "rule")
        checks.line_of_pattern([key for key in keys if getattr(self, key) is not None], self.at_least)
        return self


class Pattern(Part):
    """Points given or taken, once and without decay, while all lines hold."""

    all: Annotated[
        tuple[PatternLine, ...],
        checked(checks.some_line),
        PlainSerializer(list),
        Field(json_schema_extra={"minItems": 1}),
    ]
    points: Points
    label: Label


class Silence(Part):
    """Points of engagement that go while nothing positive happens."""

    after: Days  # the first day of silence that takes something
    take: Gain
    every: Days
    at_most: Gain
    ignore: Annotated[tuple[Label, ...], PlainSerializer(list)] = ()  # activity kinds that do not break a silence

    @model_validator(mode="after")
    def _room(self) -> Self:
        checks.room_for_silence(self.take, self.at_most)
        return self


class Bots(Part):
    """Which clicks in mails no person made; at least one of the two."""

    clicks_closer_than: Seconds | None = None
    after_delivery: Seconds | None = None

    @model_validator(mode="after")
    def _some(self) -> Self:
        checks.some_sign_of_bots(self.clicks_closer_than, self.after_delivery)
        return self
