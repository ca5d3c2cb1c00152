"""What a field path of a query means: a field the connection's user may see, and how to get its value from a row.

A field that is not there and one hidden by field-level security are refused with the same words, as in Salesforce.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.emulator.clock import parse_ms
from connectors.emulator.salesforce.fields import Field, ObjectType
from connectors.emulator.salesforce.org import Org, Row
from connectors.emulator.salesforce.refusals import Refused
from connectors.emulator.salesforce.soql import Path, pointed

Value = Callable[[Row], Any]
ADVICE = "Please reference your WSDL or the describe call for the appropriate names."
#: what may be asked of a reference to one of several objects (Who, What, a lead's Owner); its object is called Name
_OF_ANY = {name.casefold() for name in ("Id", "Name", "FirstName", "LastName", "Email", "Phone", "Title", "IsActive")}
_TYPE = Field(name="Type", label="Type")


@dataclass(frozen=True, slots=True)
class Hop:
    """A step from a row to one it refers to."""

    #: as SOQL names it: Account
    name: str
    #: the object as the reply names it
    shown_as: str
    #: objects by key prefix
    targets: Mapping[str, ObjectType]
    #: the row referred to; None when there is none
    follow: Callable[[Row], Row | None]


@dataclass(frozen=True, slots=True)
class Column:
    """One field, at the end of any number of hops."""

    hops: tuple[Hop, ...]
    field: Field
    #: the field's value in the row it belongs to; instants as ms
    own: Value

    def value(self, row: Row) -> Any:
        """The value seen from the row the query is about; None when a hop leads nowhere."""
        for hop in self.hops:
            parent = hop.follow(row)
            if parent is None:
                return None
            row = parent
        return self.own(row)


def column(org: Org, text: str, object_: ObjectType, path: Path) -> Column:
    """The column a path names; raises Refused (INVALID_FIELD) with the query's text for any other."""
    hops: list[Hop] = []
    targets = {object_.key_prefix: object_}
    for name in path.names[:-1]:
        hops.append(_hop(org, text, targets, name, path))
        targets = dict(hops[-1].targets)
    field = _field(text, targets, path)
    return Column(tuple(hops), field, own_value(targets, field))


def own_value(targets: Mapping[str, ObjectType], field: Field) -> Value:
    """How a field's value is got from its row."""
    name = field.name
    if field is _TYPE:
        names = {prefix: target.name for prefix, target in targets.items()}
        return lambda row: names.get(row.id[:3])
    system: Mapping[str, Value] = {
        "Id": lambda row: row.id,
        "CreatedDate": lambda row: row.created_ms,
        "SystemModstamp": lambda row: row.stamp_ms,
        "LastModifiedDate": lambda row: row.stamp_ms,
        "IsDeleted": lambda row: row.deleted,
        "IsArchived": lambda row: row.archived,
    }
    if name in system:
        return system[name]
    if field.type == "boolean":
        return lambda row: bool(row.values.get(name))
    if field.type == "datetime":
        return lambda row: _ms(row.values.get(name))
    return lambda row: row.values.get(name)


def _ms(text: str | None) -> int | None:
    return parse_ms(text) if text else None


def _field(text: str, targets: Mapping[str, ObjectType], path: Path) -> Field:
    wanted = path.names[-1].casefold()
    if len(targets) > 1 and wanted == "type":
        return _TYPE
    if len(targets) == 1 or wanted in _OF_ANY:
        for target in targets.values():
            for field in target.fields.values():
                if field.readable and field.name.casefold() == wanted:
                    return field
    entity = next(iter(targets.values())).name if len(targets) == 1 else "Name"
    raise Refused(
        "INVALID_FIELD",
        pointed(
            text,
            path.at,
            f"No such column '{path.names[-1]}' on entity '{entity}'. If you are attempting to use a custom field, be "
            f"sure to append the '__c' after the custom field name. {ADVICE}",
        ),
    )


def _hop(org: Org, text: str, targets: Mapping[str, ObjectType], name: str, path: Path) -> Hop:
    if len(targets) == 1:
        (target,) = targets.values()
        for field in target.fields.values():
            if field.readable and field.relationship and field.relationship.casefold() == name.casefold():
                known = [org.objects[other] for other in field.refers_to if other in org.objects]
                shown_as = field.refers_to[0] if len(field.refers_to) == 1 else "Name"
                return Hop(
                    field.relationship, shown_as, {other.key_prefix: other for other in known}, _follow(org, field)
                )
    raise Refused(
        "INVALID_FIELD",
        pointed(
            text,
            path.at,
            f"Didn't understand relationship '{name}' in field path. If you are attempting to use a custom "
            f"relationship, be sure to append the '__r' after the custom relationship name. {ADVICE}",
        ),
    )


def _follow(org: Org, field: Field) -> Callable[[Row], Row | None]:
    tables = {
        org.objects[other].key_prefix: org.rows.setdefault(other, {})
        for other in field.refers_to
        if other in org.objects
    }
    name = field.name

    def follow(row: Row) -> Row | None:
        id_ = row.values.get(name)
        if not id_:
            return None
        table = tables.get(id_[:3])
        return table.get(id_) if table else None

    return follow
