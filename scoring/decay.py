"""How points fade with age: tables of micro-points by age in whole days.

A span of N days includes day N. Tables never rise in size with age, and their last column holds for every greater age.
"""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import lru_cache

from scoring.engagement import Decay
from scoring.values import micro

EXACT = Context(prec=50, rounding=ROUND_HALF_UP)


def decay_table(points: Decimal, decay: Decay | None) -> tuple[int, ...]:
    """Micro-points at age 0, 1, 2 …, rounded half away from zero; one column when they never fade.

    >>> decay_table(Decimal(10), Decay.model_validate({"linear": "4d", "expires": "2d"}))
    (10000000, 7500000, 5000000, 0)
    """
    full = micro(points)
    if decay is None:
        return (full,)
    if decay.half_life:
        table = list(_until_zero(full, decay.half_life))
    elif decay.linear:
        table = [_divided(full * (decay.linear - age), decay.linear) for age in range(decay.linear + 1)]
    elif decay.steps:
        table = [_divided(full * _step(decay.steps, age), 100) for age in range(max(decay.steps) + 2)]
    else:
        table = [full]
    if decay.expires:
        table = [table[min(age, len(table) - 1)] for age in range(decay.expires + 1)] + [0]
    return tuple(table)


@lru_cache(maxsize=1024)
def _until_zero(full: int, half_life: int) -> tuple[int, ...]:
    """The powers of one half-life serve every later one, halved exactly. Kept, as decimal powers are slow."""
    powers = [EXACT.power(Decimal(2), EXACT.divide(Decimal(-age), Decimal(half_life))) for age in range(half_life)]
    table: list[int] = []
    while not table or table[-1]:
        halvings, rest = divmod(len(table), half_life)
        left = EXACT.divide(EXACT.multiply(Decimal(full), powers[rest]), Decimal(2**halvings))
        table.append(int(left.to_integral_value(ROUND_HALF_UP)))
    return tuple(table)


def _step(steps: Mapping[int, int], age: int) -> int:
    return next((steps[day] for day in sorted(steps) if age <= day), 0)


def _divided(value: int, by: int) -> int:
    """The quotient rounded half away from zero."""
    size = (2 * abs(value) + by) // (2 * by)
    return size if value >= 0 else -size
