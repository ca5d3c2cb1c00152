"""Whether the API takes a write of one record: the fields, their values, the record itself, the rules in force."""

from collections.abc import Mapping
from typing import Any

from connectors.emulator.salesforce.fields import Field, ObjectType
from connectors.emulator.salesforce.ids import normalised
from connectors.emulator.salesforce.org import Org, Row
from connectors.emulator.salesforce.refusals import Refused, no_column
from connectors.emulator.salesforce.values import stored

_REQUIRED: Mapping[str, tuple[str, ...]] = {
    "Lead": ("LastName", "Company", "Status"),
    "Contact": ("LastName",),
    "Account": ("Name",),
    "Campaign": ("Name",),
    "CampaignMember": ("CampaignId",),
    "Opportunity": ("Name", "StageName", "CloseDate"),
    "OpportunityContactRole": ("OpportunityId", "ContactId"),
    "Task": ("Status", "Priority"),
    "Individual": ("LastName",),
}
_BESIDE = ("id", "attributes")


def checked_update(org: Org, object_: str, id_: Any, sent: Mapping[str, Any], *, batch: int = 1) -> tuple[Row, Any]:
    """The row and the values to store; Refused says why not. ``batch``: records of the object written together."""
    values = _values(org.object_type(object_), sent)
    row = org.rows[object_].get(normalised(id_))
    if row is None:
        raise Refused("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
    if row.deleted:
        raise Refused("ENTITY_IS_DELETED", "entity is deleted", status=404)
    if row.values.get("IsConverted"):
        raise Refused("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
    _check_required(object_, {name for name, value in values.items() if value is None})
    _check_rules(org, object_, row.id, values, batch)
    return row, values


def checked_insert(org: Org, object_: str, sent: Mapping[str, Any], *, batch: int = 1) -> dict[str, Any]:
    """The values to store; Refused says why not."""
    values = _values(org.object_type(object_), sent)
    given = {name for name, value in values.items() if value is not None}
    _check_required(object_, set(_REQUIRED.get(object_, ())) - given - {"Status", "Priority"})
    _check_rules(org, object_, "", values, batch)
    return values


def _values(about: ObjectType, sent: Mapping[str, Any]) -> dict[str, Any]:
    fields: dict[str, Field] = {}
    for name in sent:
        if name.casefold() not in _BESIDE:
            field = _field(about, name)
            if field is None or not field.readable:
                raise no_column(name, about.name)
            fields[name] = field
    if closed := [field.name for field in fields.values() if not field.writable]:
        raise Refused(
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            f"Unable to create/update fields: {', '.join(closed)}. Please check the security settings of this field "
            "and verify that it is read/write for your profile or permission set.",
            fields=closed,
        )
    return {field.name: stored(field, sent[name]) for name, field in fields.items()}


def _field(about: ObjectType, name: str) -> Field | None:
    """The field of a name, written in any case."""
    wanted = name.casefold()
    return about.fields.get(name) or next(
        (field for field in about.fields.values() if field.name.casefold() == wanted), None
    )


def _check_required(object_: str, empty: set[str]) -> None:
    if missing := [name for name in _REQUIRED.get(object_, ()) if name in empty]:
        message = f"Required fields are missing: [{', '.join(missing)}]"
        raise Refused("REQUIRED_FIELD_MISSING", message, fields=missing)


def _check_rules(org: Org, object_: str, id_: str, values: Mapping[str, Any], batch: int) -> None:
    rule = org.rules.refusal(object_, id_, values, batch=batch)
    if rule is not None:
        raise Refused(rule.code, rule.message, fields=[rule.property] if rule.property else ())
