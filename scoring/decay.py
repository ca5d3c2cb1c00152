"""How points fade with age: tables of micro-points by age in whole days.

A span of N days includes day N. Tables never rise in size with age, and their last column holds for every greater age.
"""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Annotated, Any, Protocol

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema
from pydantic_core import InitErrorDetails

from scoring.mistakes import mistake, refusal, wrong
from scoring.values import MICRO, parse_days, parse_percent

EXACT = Context(prec=50, rounding=ROUND_HALF_UP)


class Fading(Protocol):
    """The shape of a decay; spans in days, ``steps`` whole percents by the last day of each step."""

    @property
    def half_life(self) -> int | None: ...
    @property
    def linear(self) -> int | None: ...
    @property
    def steps(self) -> Mapping[int, int] | None: ...
    @property
    def expires(self) -> int | None: ...


def decay_table(points: Decimal, decay: Fading | None) -> tuple[int, ...]:
    """Micro-points at age 0, 1, 2 …, rounded half away from zero; one column when they never fade.

    >>> from types import SimpleNamespace
    >>> decay_table(Decimal(10), SimpleNamespace(half_life=None, linear=4, steps=None, expires=2))
    (10000000, 7500000, 5000000, 0)
    """
    full = points * MICRO
    if decay is None:
        return (int(full),)
    if decay.half_life:
        table = _until_zero(full, decay.half_life)
    elif decay.linear:
        table = [_rounded(full * (decay.linear - age) / decay.linear) for age in range(decay.linear + 1)]
    elif decay.steps:
        table = [_rounded(full * _step(decay.steps, age) / 100) for age in range(max(decay.steps) + 2)]
    else:
        table = [int(full)]
    if decay.expires:
        table = [table[min(age, len(table) - 1)] for age in range(decay.expires + 1)] + [0]
    return tuple(table)


def _until_zero(full: Decimal, half_life: int) -> list[int]:
    table: list[int] = []
    while not table or table[-1]:
        factor = EXACT.power(Decimal(2), EXACT.divide(Decimal(-len(table)), Decimal(half_life)))
        table.append(_rounded(EXACT.multiply(full, factor)))
    return table


def _step(steps: Mapping[int, int], age: int) -> int:
    return next((steps[day] for day in sorted(steps) if age <= day), 0)


def _rounded(value: Decimal) -> int:
    return int(value.to_integral_value(ROUND_HALF_UP))


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
    for before, after in zip(days, days[1:], strict=False):
        if steps[after][1] > steps[before][1]:
            message = (
                f"steps must not rise with age: {before}d gives {steps[before][1]}%, {after}d gives {steps[after][1]}%"
            )
            mistakes.append(mistake((steps[after][0],), message, steps[after][1]))
    if mistakes:
        raise refusal("steps", mistakes)
    return {day: steps[day][1] for day in days}


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
