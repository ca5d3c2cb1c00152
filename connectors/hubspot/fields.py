"""HubSpot's property definitions and texts, to and from canonical values.

HubSpot holds every value as text or null; the definition says how to read it.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from connectors.base import FieldDefinition, FieldType, Value, canonical

_TYPES: Mapping[str, FieldType] = MappingProxyType(
    {"bool": "bool", "date": "date", "datetime": "datetime", "enumeration": "option", "number": "number"}
)

#: owners are no CRM objects: their fields are fixed
OWNER_FIELDS: Mapping[str, FieldDefinition] = MappingProxyType(
    {
        name: FieldDefinition(name=name, type="text", writable=False)
        for name in ("id", "email", "firstName", "lastName", "userId")
    }
)


def definition(told: Mapping[str, Any]) -> FieldDefinition:
    """The definition from the Properties API's words; a type unknown here is read as text.

    >>> definition({"name": "score", "type": "number"}).type
    'number'
    >>> definition({"name": "hold", "type": "enumeration", "fieldType": "booleancheckbox"}).type
    'bool'
    """
    checkbox = told.get("fieldType") == "booleancheckbox"  # of older ones the type is enumeration
    kind = "bool" if checkbox else _TYPES.get(told.get("type", ""), "text")
    options = tuple(str(option["value"]) for option in told.get("options") or () if "value" in option)
    return FieldDefinition(
        name=told["name"],
        type=kind,
        length=65_536 if kind == "text" else None,
        options=options if kind == "option" else (),
        writable=not (told.get("modificationMetadata") or {}).get("readOnlyValue", False),
        calculated=bool(told.get("calculated")),
    )


def decode(
    properties: Mapping[str, Any], definitions: Iterable[FieldDefinition]
) -> tuple[dict[str, Value], tuple[str, ...]]:
    """Canonical values by name, and the names whose content could not be read; those count as empty.

    >>> decode({"age": "55.0", "on": "soon"}, [FieldDefinition(name="age", type="number"),
    ...     FieldDefinition(name="on", type="date")])
    ({'age': 55, 'on': None}, ('on',))
    """
    values: dict[str, Value] = {}
    unreadable = []
    for wanted in definitions:
        value = properties.get(wanted.name)
        try:
            values[wanted.name] = canonical(wanted, value)
        except ValueError:
            values[wanted.name] = None
            unreadable.append(wanted.name)
    return values, tuple(unreadable)


def encode(target: FieldDefinition, value: Value) -> str:  # noqa: PLR0911 - one return per kind of value
    """The text HubSpot takes for the value; "" empties the field.

    A ``date`` property takes the day (of UTC, given an instant), a ``datetime`` one the instant.

    >>> encode(FieldDefinition(name="on", type="date"), date(2026, 11, 3))
    '2026-11-03'
    >>> encode(FieldDefinition(name="n", type="number"), 1e-7)
    '0.0000001'
    """
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return format(Decimal(repr(value)), "f")
        case datetime():
            moment = value.astimezone(UTC)
            return moment.date().isoformat() if target.type == "date" else _iso(moment)
        case date():
            return (
                _iso(datetime(value.year, value.month, value.day, tzinfo=UTC))
                if target.type == "datetime"
                else value.isoformat()
            )
        case str():
            return value


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
