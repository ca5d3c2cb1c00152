"""What may stand after an operator of a condition, read into values; ValueError with what to write instead.

``OPERANDS`` holds the operators over facts, ``ATTRIBUTE_OPERANDS`` those over a touchpoint's attributes: text only.
"""

import math
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, TypeGuard

import re2  # type: ignore[import-untyped]  # ships no types

from scoring.fact_values import FactValue, iso_date
from scoring.mistakes import wrong
from scoring.values import parse_days

Operand = Callable[[Any], tuple[FactValue, ...]]


def pattern(text: str) -> Any:
    """The compiled pattern, ignoring case; ``re2.error`` when it is none."""
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    return re2.compile(text, options)


def _is_date(raw: Any) -> TypeGuard[date]:
    return isinstance(raw, date) and not isinstance(raw, datetime)


def _scalar(raw: Any) -> FactValue:
    if isinstance(raw, bool | int) or _is_date(raw) or (isinstance(raw, float) and math.isfinite(raw)):
        return raw
    if isinstance(raw, str) and raw.strip():
        return raw.strip()
    if raw is None or raw == "":
        raise wrong("an empty value is unknown; ask for it with {missing: true} or {present: true}")
    raise wrong(f"{raw!r} is no value to compare with; write text, a number, true, false or a date")


def _one(raw: Any) -> tuple[FactValue, ...]:
    if isinstance(raw, list):
        raise wrong("one value stands here; for any of several write `in` with the list")
    return (_scalar(raw),)


def _several(raw: Any) -> tuple[FactValue, ...]:
    if not isinstance(raw, list) or not raw:
        raise wrong("a list stands here, such as [a, b]; one value is written with `is`, a list by name with `in_list`")
    return tuple(_scalar(item) for item in raw)


def _texts(raw: Any) -> tuple[FactValue, ...]:
    texts = raw if isinstance(raw, list) and raw else [raw]
    for text in texts:
        if not isinstance(text, str) or not text.strip():
            raise wrong(f"{text!r} is no text; write text (in quotes when it looks like a number) or a list of texts")
    return tuple(text.strip() for text in texts)


def _patterns(raw: Any) -> tuple[FactValue, ...]:
    texts = _texts(raw)
    for text in texts:
        try:
            pattern(str(text))
        except re2.error as error:
            why = error.args[0].decode() if isinstance(error.args[0], bytes) else error
            raise wrong(
                f"{text!r} is no pattern: {why}; patterns are RE2, without look-around and back-references"
            ) from error
    return texts


def _number(raw: Any) -> tuple[FactValue, ...]:
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not math.isfinite(raw):
        raise wrong(f"{raw!r} is no number; for dates write before, after or between")
    return (raw,)


def _date(raw: Any) -> tuple[FactValue, ...]:
    if _is_date(raw):
        return (raw,)
    written = iso_date(raw) if isinstance(raw, str) else None
    if written is None:
        raise wrong(f"{raw!r} is no date; write year-month-day such as 2026-01-31")
    return (written,)


def _between(raw: Any) -> tuple[FactValue, ...]:
    if not isinstance(raw, list) or len(raw) != 2:
        raise wrong("the two ends stand here, such as [10, 50]; both are included")
    read = _date if isinstance(raw[0], str | date) else _number
    low, high = read(raw[0])[0], read(raw[1])[0]
    if high < low:  # type: ignore[operator]  # both numbers or both dates
        raise wrong(f"nothing lies between {low} and {high}; write the smaller end first")
    return (low, high)


def _days(raw: Any) -> tuple[FactValue, ...]:
    return (parse_days(raw),)


def _flag(raw: Any) -> tuple[FactValue, ...]:
    if not isinstance(raw, bool):
        raise wrong(f"{raw!r} is neither true nor false")
    return (raw,)


OPERANDS: Mapping[str, Operand] = {
    "is": _one,
    "in": _several,
    "in_list": _texts,
    "not_in": _several,
    "contains": _texts,
    "starts_with": _texts,
    "ends_with": _texts,
    "matches": _patterns,
    "above": _number,
    "at_least": _number,
    "at_most": _number,
    "below": _number,
    "between": _between,
    "before": _date,
    "after": _date,
    "within": _days,
    "past": _days,
    "missing": _flag,
    "present": _flag,
}


def _as_text(raw: Any) -> Any:
    if isinstance(raw, list):
        return [_as_text(item) for item in raw]
    if isinstance(raw, bool):
        return str(raw).lower()
    return str(raw) if isinstance(raw, int | float | date) else raw


def _on_text(read: Operand) -> Operand:
    return lambda raw: read(_as_text(raw))


ATTRIBUTE_OPERANDS: Mapping[str, Operand] = {
    **{
        op: _on_text(OPERANDS[op])
        for op in ("is", "in", "in_list", "not_in", "contains", "starts_with", "ends_with", "matches")
    },
    "missing": _flag,
    "present": _flag,
}
