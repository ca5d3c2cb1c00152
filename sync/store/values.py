"""How values stand in the store's JSON columns: as themselves, dates and instants as one-key objects.

``load(dump(x)) == x`` for every mapping of canonical values; keys are sorted, so equal mappings give equal text.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson

from connectors.base import Value

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_DAY = date(1970, 1, 1)
MICROSECOND = timedelta(microseconds=1)
DAY_US = 86_400_000_000


def dump(values: Any) -> str:
    """JSON text with sorted keys.

    >>> dump({"b": date(2026, 1, 2), "a": 1})
    '{"a":1,"b":{"$date":"2026-01-02"}}'
    """
    return orjson.dumps(
        values, default=_tag, option=orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_NON_STR_KEYS
    ).decode()


def load(text: str) -> Any:
    """What ``dump`` was given; tuples come back as lists.

    >>> load('{"b":{"$date":"2026-01-02"}}')
    {'b': datetime.date(2026, 1, 2)}
    """
    loaded = orjson.loads(text)
    if '{"$' in text:
        return _untag(loaded)
    return loaded


def _tag(value: Value) -> dict[str, str]:
    if isinstance(value, datetime):
        return {"$at": value.isoformat()}
    if isinstance(value, date):
        return {"$date": value.isoformat()}
    raise TypeError(f"no place in the store for a {type(value).__name__}")


def _untag(loaded: Any) -> Any:
    if isinstance(loaded, dict):
        if len(loaded) == 1:
            ((key, value),) = loaded.items()
            if key == "$date" and isinstance(value, str):
                return date.fromisoformat(value)
            if key == "$at" and isinstance(value, str):
                return datetime.fromisoformat(value)
        return {key: _untag(value) for key, value in loaded.items()}
    if isinstance(loaded, list):
        return [_untag(value) for value in loaded]
    return loaded


def micros(at: datetime) -> int:
    """Microseconds since 1970 in UTC.

    >>> micros(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC))
    1000000
    """
    return (at - EPOCH) // MICROSECOND


def at(microseconds: int) -> datetime:
    """The instant of ``micros``."""
    return EPOCH + timedelta(microseconds=microseconds)


def day_number(on: date) -> int:
    """Days since 1970-01-01."""
    return (on - EPOCH_DAY).days


def plain(values: Mapping[str, Value]) -> dict[str, Any]:
    """The mapping with dates and instants as ISO text, for people and ``--json``."""
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}
