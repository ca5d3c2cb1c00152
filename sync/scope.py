"""Which records of a connection are read: the conditions of its ``scope``, over the CRM's own fields."""

from collections.abc import Callable
from datetime import datetime

from config.settings import Settings
from connectors.base import Record
from scoring.conditions import evaluator
from sync.days import score_day
from sync.mapping import ConnectionMap
from sync.store.values import day_number


def scoped(map_: ConnectionMap, settings: Settings, now: datetime) -> Callable[[Record], bool]:
    """Whether a record is in its object's scope, as of the day of ``now``; objects without a scope are."""
    holds = {object_: evaluator(condition, settings.tables) for object_, condition in map_.scope.items()}
    day = day_number(score_day(now, settings.time_zone))

    def inside(record: Record) -> bool:
        if record.object not in holds:
            return True
        known = {
            name: value.date() if isinstance(value, datetime) else value
            for name, value in record.values.items()
            if value is not None
        }
        return holds[record.object](known, day)

    return inside
