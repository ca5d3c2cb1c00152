"""The small values an admin writes in a model, as typed values that are written back in the same shape.

``30d`` is days, ``75%`` a whole percent, ``3 per week each mail`` a limit, ``B or better`` a minimum grade, and points
are decimals of at most six digits after the point between -1 000 and 1 000.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, PlainSerializer, PlainValidator, WithJsonSchema
from pydantic_core import InitErrorDetails

from scoring.fact_values import iso_date
from scoring.mistakes import mistake, nearest, refusal, wrong

MICRO = 1_000_000  # micro-points in a point
LONGEST_DAYS = 3_650

Letter = Literal["A", "B", "C", "D"]
Per = Literal["day", "week", "month", "quarter", "year", "ever"]


def parse_days(raw: object) -> int:
    """The days of a span such as ``30d``; ValueError for anything else, hours included.

    >>> parse_days("30d")
    30
    """
    text = str(raw)
    found = re.fullmatch(r"(0|[1-9][0-9]{0,5})d", text)
    if found and 1 <= int(found[1]) <= LONGEST_DAYS:
        return int(found[1])
    if found:
        raise wrong(f"{text!r} is out of range; a span is 1d to {LONGEST_DAYS}d")
    if re.fullmatch(r"[0-9]+ ?(h|hours?|m|min|s)", text):
        raise wrong(f"{text!r} is shorter than a day's step; ages are whole days, so write days such as '30d'")
    raise wrong(f"{text!r} is no span; write whole days such as '30d' (two weeks are '14d')")


def parse_seconds(raw: object) -> int:
    """The seconds of a span such as ``2s``; ValueError for anything else.

    >>> parse_seconds("2s")
    2
    """
    found = re.fullmatch(r"([1-9][0-9]{0,3})s", str(raw))
    if not found or int(found[1]) > 3_600:
        raise wrong(f"{str(raw)!r} is no span of seconds; write 1s to 3600s, such as '2s'")
    return int(found[1])


def parse_day(raw: object) -> date:
    """The date of a text such as ``2026-01-31``; ValueError for anything else, times included.

    >>> parse_day("2026-01-31")
    datetime.date(2026, 1, 31)
    """
    found = iso_date(raw) if isinstance(raw, str) else raw
    if not isinstance(found, date) or isinstance(found, datetime):
        raise wrong(f"{str(raw)!r} is no date; write year-month-day, such as 2026-01-31")
    return found


def parse_distinct(raw: object) -> str | Literal[True]:
    """``True``, or the name of an attribute; ValueError for anything else.

    >>> parse_distinct("form")
    'form'
    """
    if raw is True:
        return True
    if not isinstance(raw, str) or not raw.strip():
        raise wrong(f"{raw!r} tells nothing apart; write true (each touchpoint once) or the name of an attribute")
    return raw


def parse_percent(raw: object) -> int:
    """The whole percent of a text such as ``75%``; ValueError for anything else.

    >>> parse_percent("75%")
    75
    """
    found = re.fullmatch(r"([0-9]{1,3})%", str(raw).strip())
    if not found or int(found[1]) > 100:
        raise wrong(f"{raw!r} is no percent; write a whole percent from '0%' to '100%'")
    return int(found[1])


def parse_points(raw: object) -> Decimal:
    """Points as an exact decimal; ValueError beyond ±1 000 or finer than a micro-point.

    >>> parse_points(2.5)
    Decimal('2.5')
    """
    if isinstance(raw, bool) or not isinstance(raw, int | float | Decimal):
        raise wrong(f"{raw!r} is no number; write points such as 10, -5 or 2.5")
    points = Decimal(str(raw))
    if not points.is_finite():
        raise wrong(f"{raw!r} is no number; write points such as 10, -5 or 2.5")
    if abs(points) > 1_000:
        raise wrong(f"{raw} points are too many; a rule gives or takes at most 1000, and 100 fill the whole score")
    if points != points.quantize(Decimal("0.000001")):
        raise wrong(f"{raw} points are too fine; at most six digits may follow the decimal point")
    return points


def micro(points: Decimal) -> int:
    """The points in micro-points.

    >>> micro(Decimal("2.5"))
    2500000
    """
    return int(points * MICRO)


@dataclass(frozen=True, kw_only=True)
class Limit:
    """The newest ``count`` activities of each calendar bin count, for each value of ``each`` when it is named."""

    count: int
    per: Per
    each: str | None = None

    def __str__(self) -> str:
        """As written in the model."""
        tail = f" each {self.each}" if self.each else ""
        return f"{self.count} per {self.per}{tail}"


def parse_limit(raw: object) -> Limit:
    """The limit of a text such as ``1 per day each mail``; ValueError for anything else.

    >>> str(parse_limit("1 per day each mail"))
    '1 per day each mail'
    """
    found = re.fullmatch(r"([0-9]{1,6}) per (\S+)(?: each (\S+))?", " ".join(str(raw).split()))
    if not found:
        raise wrong(f"{raw!r} is no limit; write '3 per week' or '1 per day each mail'")
    if found[2] not in get_args(Per):
        raise wrong(f"{raw!r} is no limit: there is no period {found[2]!r}; {nearest(found[2], get_args(Per))}")
    if int(found[1]) == 0:
        raise wrong(f"{raw!r} lets nothing count; the smallest limit is 1, and a rule that must not count is left out")
    period: Per = next(per for per in get_args(Per) if per == found[2])
    return Limit(count=int(found[1]), per=period, each=found[3])


def parse_minimum_grade(raw: object) -> str:
    """The letter of a text such as ``B or better``; ValueError for anything else.

    >>> parse_minimum_grade("B or better")
    'B'
    """
    found = re.fullmatch(r"([ABCD]) or better", " ".join(str(raw).split()))
    if not found:
        raise wrong(f"{raw!r} is no minimum grade; write 'B or better' with a letter from A to D")
    return found[1]


def parse_leave_bound(raw: object) -> int | Literal["never"]:
    """A whole number from 1 to 100, or ``never``; ValueError for anything else.

    >>> parse_leave_bound(50), parse_leave_bound("never")
    (50, 'never')
    """
    if raw == "never":
        return "never"
    if isinstance(raw, bool) or not isinstance(raw, int) or not 1 <= raw <= 100:
        raise wrong(f"{raw!r} is no bound for leaving; write a whole number from 1 to 100, or never")
    return raw


def parse_leave_grade(raw: object) -> Letter | Literal["never"]:
    """A letter from A to D, or ``never``; ValueError for anything else.

    >>> parse_leave_grade("C")
    'C'
    """
    found: Letter | Literal["never"] | None = next((word for word in (*get_args(Letter), "never") if word == raw), None)
    if found is None:
        raise wrong(f"{raw!r} is no grade for leaving; write a letter from A to D, or never")
    return found


def parse_lost_for(raw: object) -> int | Literal["ever"]:
    """The days of a span, or ``ever``; ValueError for anything else.

    >>> parse_lost_for("180d"), parse_lost_for("ever")
    (180, 'ever')
    """
    return "ever" if raw == "ever" else parse_days(raw)


def parse_steps(raw: Any) -> dict[int, int]:
    """Percents by day of steps such as ``{7d: 100%, 14d: 75%}``; a ValidationError with every mistake, each placed.

    >>> parse_steps({"7d": "100%", "14d": "75%"})
    {7: 100, 14: 75}
    """
    if not isinstance(raw, Mapping) or not raw:
        raise wrong("steps are percents by the last day of each, such as {7d: 100%, 14d: 75%}")
    mistakes: list[InitErrorDetails] = []
    steps: dict[int, tuple[str, int]] = {}
    for key, percent in raw.items():
        try:
            steps[parse_days(key)] = str(key), parse_percent(percent)
        except ValueError as error:
            mistakes.append(mistake((str(key),), str(error), percent))
    days = sorted(steps)
    for before, after in pairwise(days):
        if steps[after][1] > steps[before][1]:
            message = (
                f"steps must not rise with age: {before}d gives {steps[before][1]}%, {after}d gives {steps[after][1]}%"
            )
            mistakes.append(mistake((steps[after][0],), message, steps[after][1]))
    if mistakes:
        raise refusal("steps", mistakes)
    return {day: steps[day][1] for day in days}


def _text(pattern: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern})


def _number(points: Decimal) -> int | float:
    return int(points) if points == points.to_integral_value() else float(points)


Percentage = Annotated[int, Field(strict=True, ge=0, le=100)]
Label = Annotated[str, Field(min_length=1)]
Days = Annotated[int, BeforeValidator(parse_days), PlainSerializer("{}d".format), _text("^[1-9][0-9]*d$")]
LimitField = Annotated[
    Limit,
    BeforeValidator(lambda raw: raw if isinstance(raw, Limit) else parse_limit(raw)),
    PlainSerializer(str),
    _text(rf"^[1-9][0-9]* per ({'|'.join(get_args(Per))})( each \S+)?$"),
]
MinimumGrade = Annotated[
    Letter, BeforeValidator(parse_minimum_grade), PlainSerializer("{} or better".format), _text("^[ABCD] or better$")
]
Points = Annotated[
    Decimal,
    BeforeValidator(parse_points),
    PlainSerializer(_number),
    WithJsonSchema({"type": "number", "minimum": -1000, "maximum": 1000}),
]
Steps = Annotated[
    dict[int, int],
    BeforeValidator(parse_steps),
    PlainSerializer(lambda steps: {f"{day}d": f"{percent}%" for day, percent in steps.items()}),
    WithJsonSchema(
        {
            "type": "object",
            "minProperties": 1,
            "propertyNames": {"pattern": "^[1-9][0-9]*d$"},
            "additionalProperties": {"type": "string", "pattern": "^[0-9]{1,3}%$"},
        }
    ),
]
Seconds = Annotated[int, BeforeValidator(parse_seconds), PlainSerializer("{}s".format), _text("^[1-9][0-9]*s$")]
Day = Annotated[date, PlainValidator(parse_day), WithJsonSchema({"type": "string", "format": "date"})]
Distinct = Annotated[
    str | Literal[True],
    PlainValidator(parse_distinct),
    WithJsonSchema({"anyOf": [{"type": "string", "minLength": 1}, {"const": True}]}),
]
LeaveBound = Annotated[
    int | Literal["never"],
    PlainValidator(parse_leave_bound),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 1, "maximum": 100}, {"const": "never"}]}),
]
LeaveGrade = Annotated[
    Letter | Literal["never"],
    PlainValidator(parse_leave_grade),
    WithJsonSchema({"enum": [*get_args(Letter), "never"]}),
]
LostFor = Annotated[
    int | Literal["ever"],
    PlainValidator(parse_lost_for),
    PlainSerializer(lambda span: span if span == "ever" else f"{span}d"),
    WithJsonSchema({"anyOf": [{"type": "string", "pattern": "^[1-9][0-9]*d$"}, {"const": "ever"}]}),
]
