"""Salesforce's field definitions and JSON values, to and from canonical values."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Any

from connectors.base import FieldDefinition, FieldType, Value, canonical

Row = Mapping[str, Any]

_TYPES: Mapping[str, FieldType] = MappingProxyType(
    {
        "boolean": "bool",
        "int": "number",
        "long": "number",
        "double": "number",
        "currency": "number",
        "percent": "number",
        "date": "date",
        "datetime": "datetime",
        "picklist": "option",
    }
)


def definition(told: Mapping[str, Any]) -> FieldDefinition:
    """The definition from describe's words; a type unknown here is read as text.

    >>> definition({"name": "Score__c", "type": "double", "scale": 2, "updateable": True}).scale
    2
    """
    kind = _TYPES.get(told.get("type", ""), "text")
    values = told.get("picklistValues") or ()
    return FieldDefinition(
        name=told["name"],
        type=kind,
        length=(told.get("length") or None) if kind == "text" else None,
        scale=int(told.get("scale") or 0) if kind == "number" else None,
        options=tuple(str(one["value"]) for one in values if one.get("active", True)) if kind == "option" else (),
        writable=bool(told.get("updateable")),
        calculated=bool(told.get("calculated")),
    )


def spelled(known: Mapping[str, FieldDefinition], names: Iterable[str]) -> dict[str, FieldDefinition]:
    """The definitions by declared name, and by each of the names, whose capitals do not count.

    >>> field = FieldDefinition(name="Title", type="text")
    >>> sorted(spelled({"Title": field}, ["TITLE", "Rank__c"]))
    ['TITLE', 'Title']
    """
    folded = {name.casefold(): field for name, field in known.items()}
    asked = {name: folded[name.casefold()] for name in names if name.casefold() in folded}
    return {**known, **asked}


def held(row: Row, path: str) -> Any:
    """What the row holds under a field's name, or under a path by dots; None where there is nothing.

    >>> held({"Owner": {"Name": "Rep"}}, "owner.name")
    'Rep'
    """
    found: Any = row
    for name in path.split("."):
        if found is None:
            return None
        if name not in found:
            folded = name.casefold()
            name = next((one for one in found if one.casefold() == folded), name)  # noqa: PLW2901 - the org's spelling
        found = found.get(name)
    return found


def text(value: Any) -> str:
    """The value as an attribute's id: trimmed, "" where there is none.

    >>> text(True), text(None), text(" Call ")
    ('true', '', 'Call')
    """
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value).strip()


def decode(row: Row, asked: Mapping[str, FieldDefinition]) -> tuple[dict[str, Value], tuple[str, ...]]:
    """Canonical values by name as asked, and the names whose content could not be read; those count as empty.

    >>> decode({"Age__c": 55.0, "On__c": "soon"}, {"age__c": FieldDefinition(name="Age__c", type="number"),
    ...     "On__c": FieldDefinition(name="On__c", type="date")})
    ({'age__c': 55, 'On__c': None}, ('On__c',))
    """
    values: dict[str, Value] = {}
    unreadable = []
    for name, field in asked.items():
        try:
            values[name] = canonical(field, row.get(field.name))
        except ValueError:
            values[name] = None
            unreadable.append(name)
    return values, tuple(unreadable)


def encode(value: Value) -> Any:
    """The JSON that Salesforce takes for a canonical value; null empties the field.

    >>> encode(date(2026, 11, 3))
    '2026-11-03'
    """
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        case date():
            return value.isoformat()
        case _:
            return value
