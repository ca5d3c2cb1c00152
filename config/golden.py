"""Golden cases: made-up contacts with what their score must be, from ``golden/*.yaml``, validated and frozen.

A day is written in one of four ways: so many days before or after the case's own day, a date, or an instant in the
installation's zone. A plain day is noon.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, PlainValidator, WithJsonSchema, model_validator

from config.parts import Days, Part
from scoring.conditions import Condition
from scoring.fact_values import FactValue, iso_date
from scoring.journey import Status
from scoring.mistakes import wrong
from scoring.model import ConditionField
from scoring.sales import Word
from scoring.values import Day, parse_days

#: the keys that name a day; one of them stands
WHEN = ("days_ago", "in_days", "on", "at")
_NOON = time(12)
_Count = Annotated[int, Field(ge=0, le=3_650)]


@dataclass(frozen=True, kw_only=True)
class RelativeDay:
    """A date that is written as so many days after the case's day, or before it when negative."""

    days: int


def parse_fact(raw: Any) -> FactValue | RelativeDay:
    """The value of a fact as written, ``2026-11-03`` as a date; ValueError for what is no value.

    >>> parse_fact("VP Sales"), parse_fact("2026-11-03"), parse_fact({"in_days": 30})
    ('VP Sales', datetime.date(2026, 11, 3), RelativeDay(days=30))
    """
    if isinstance(raw, str) and raw.strip():
        return iso_date(raw) or raw
    if isinstance(raw, bool | int | float | date | RelativeDay):
        return raw
    if isinstance(raw, Mapping) and len(raw) == 1:
        ((key, days),) = raw.items()
        if key in ("days_ago", "in_days") and isinstance(days, int) and not isinstance(days, bool):
            return RelativeDay(days=days if key == "in_days" else -days)
    if raw is None or raw == "":
        raise wrong("an empty value is unknown; leave the fact out")
    raise wrong("a fact is text, a number, true, false, a date, or {in_days: 30} or {days_ago: 30}")


def parse_moment(raw: Any) -> datetime:
    """An instant without zone; ValueError for anything else.

    >>> parse_moment("2026-11-03 10:00:03")
    datetime.datetime(2026, 11, 3, 10, 0, 3)
    """
    try:
        found = raw if isinstance(raw, datetime) else datetime.fromisoformat(str(raw))
    except ValueError:
        found = None
    if found is None or found.tzinfo is not None or len(str(raw)) < len("2026-11-03 10:00"):
        raise wrong('an instant is written "2026-11-03 10:00:03", in the zone of leadmark.yaml; a whole day with `on`')
    return found


FactField = Annotated[
    FactValue | RelativeDay,
    PlainValidator(parse_fact),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": ["string", "number", "boolean"]},
                {
                    "type": "object",
                    "properties": {"days_ago": {"type": "integer"}, "in_days": {"type": "integer"}},
                    "minProperties": 1,
                    "maxProperties": 1,
                    "additionalProperties": False,
                },
            ]
        }
    ),
]
Moment = Annotated[datetime, PlainValidator(parse_moment), WithJsonSchema({"type": "string"})]


class When(Part):
    """A day, in one of the four ways."""

    days_ago: _Count | None = None
    """So many days before the case's day."""
    in_days: _Count | None = None
    """So many days after it."""
    on: Day | None = None
    """The date."""
    at: Moment | None = None
    """The instant, in the installation's zone."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        named = [key for key in WHEN if getattr(self, key) is not None]
        if len(named) != 1:
            found = f"{' and '.join(named)} stand together" if named else "no day stands here"
            raise wrong(f"{found}; write one of {', '.join(WHEN)}")
        return self

    def moment(self, day: date) -> datetime:
        """The instant in the installation's zone, seen from the case's ``day``."""
        if self.at is not None:
            return self.at
        after = (self.in_days or 0) - (self.days_ago or 0)
        return datetime.combine(self.on or day + timedelta(days=after), _NOON)


class Did(When):
    """An activity; its other keys are attributes, each value both id and label."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, str] = Field(init=False)

    activity: str
    """Its kind."""
    times: int = Field(default=1, ge=1, le=600)
    """How often, a minute apart."""

    @property
    def attributes(self) -> Mapping[str, str]:
        """What the touchpoint keeps."""
        return self.__pydantic_extra__


class Said(When):
    """What sales said."""

    word: Word
    """The meaning, as in the fact hand_off."""


class Was(When):
    """The status before, and the day it was reached."""

    status: Status
    """As the last pass before would have left it."""
    furthest: Status | None = None
    """How far they ever were; the status where nothing is said."""


class GoldenCase(Part):
    """A contact and what is expected of its score."""

    model: str | None = None
    """The model that scores; the primary one where nothing is said."""
    on: Day
    """The score day."""
    facts: dict[str, FactField] = Field(default_factory=dict)
    """As a connection maps them, or derived ones as they are."""
    did: tuple[Did, ...] = ()
    """The activities."""
    said: Said | None = None
    """Sales' word."""
    was: Was | None = None
    """Where they stood before; nobody scored them yet where nothing is said."""
    expect: ConditionField
    """A condition over the outputs."""
    later: dict[Days, ConditionField] = Field(default_factory=dict)
    """So many days on -> a condition over the outputs of that day; every day between is lived through."""

    @property
    def expected(self) -> Mapping[int, Condition]:
        """Days after ``on`` -> the condition, in order of days; 0 for the day itself."""
        return {0: self.expect} | dict(sorted((parse_days(span), wish) for span, wish in self.later.items()))

    @property
    def known_facts(self) -> dict[str, FactValue]:
        """The facts, every date a date."""
        return {
            name: self.on + timedelta(days=value.days) if isinstance(value, RelativeDay) else value
            for name, value in self.facts.items()
        }


class GoldenFile(Part):
    """A file: cases by name."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, GoldenCase] = Field(init=False)

    @property
    def cases(self) -> Mapping[str, GoldenCase]:
        """The cases, in the order written."""
        return self.__pydantic_extra__
