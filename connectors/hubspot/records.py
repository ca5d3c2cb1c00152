"""Contacts, companies and owners as records; a contact's date properties as activities."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from connectors.base import Activity, Attribute, Cursor, Deletion, FieldDefinition, Page, Record, instant
from connectors.errors import ConnectorError, Fatal
from connectors.hubspot.fields import OWNER_FIELDS, decode
from connectors.hubspot.marks import milliseconds
from connectors.hubspot.reading import Kind, Reading, steps
from connectors.hubspot.walks import Row, pages

CONTACTS = Kind(name="contacts", stamp="lastmodifieddate")
COMPANIES = Kind(name="companies", stamp="hs_lastmodifieddate")
#: stream -> kind and the object of its records
KINDS = {"contacts": (CONTACTS, "contact"), "companies": (COMPANIES, "company")}

#: what is asked for beside the mapped properties
_CONTACT_PROPERTIES = (
    "lastmodifieddate",
    "createdate",
    "email",
    "hs_additional_emails",
    "hs_merged_object_ids",
    "hs_calculated_merged_vids",
    "associatedcompanyid",
    "hubspot_owner_id",
)
_COMPANY_PROPERTIES = ("hs_lastmodifieddate", "createdate", "hs_merged_object_ids", "hubspot_owner_id")


def properties(reading: Reading, object_: str) -> tuple[str, ...]:
    """The properties to ask for: the mapped ones, ours, and those that say who it is and when it changed."""
    own = _CONTACT_PROPERTIES if object_ == "contact" else _COMPANY_PROPERTIES
    return tuple(dict.fromkeys((*own, *reading.wanted.fields.get(object_, ()))))


def objects(reading: Reading, stream: str, cursor: Cursor | None) -> Iterator[Page]:
    """Pages of the stream ``contacts`` or ``companies``."""
    kind, object_ = KINDS[stream]
    dated = reading.wanted.date_properties if object_ == "contact" else ()
    for step in steps(reading, kind, properties(reading, object_), cursor):
        records = read_rows(reading, object_, step.rows)
        yield Page(
            stream=stream,
            next_cursor=step.cursor,
            requested_at=step.requested_at,
            records=records,
            activities=[activity for record in records for activity in _dates(dated, record, record.id)],
            deletions=[
                *(Deletion(object=object_, id=id_) for id_ in step.gone),
                *_dates_merged_away(dated, records),
            ],
        )


def read_rows(reading: Reading, object_: str, rows: Sequence[Row]) -> list[Record]:
    """The rows as records; Fatal when a mapped property is gone from the portal, for then all would read as empty."""
    definitions = definitions_of(reading, object_, rows)
    return [_record(object_, row, definitions) for row in rows]


def definitions_of(reading: Reading, object_: str, rows: Sequence[Row]) -> list[FieldDefinition]:
    """The definitions of what was asked of the rows, none without rows; Fatal when a mapped property is gone.

    An optional property may be missing; what it means when one that was there is gone, its reader decides.
    """
    if not rows:
        return []
    known = reading.definitions(object_)
    asked = reading.wanted.fields.get(object_, ())
    inputs = [name for name in asked if name not in reading.wanted.outputs]
    optional = reading.wanted.optional.get(object_, frozenset())
    if any(name not in (rows[0]["properties"] if name in known else optional) for name in inputs):
        known = reading.definitions(object_, fresh=True)
        lost = [name for name in inputs if name not in known and name not in optional]
        if lost:
            raise Fatal(
                f"HubSpot has no {object_} property {', '.join(lost)} any more. "
                "Restore it, or name another one in the connection's file."
            )
    return [known[name] for name in asked if name in known]


def _record(object_: str, row: Row, definitions: Iterable[FieldDefinition]) -> Record:
    told: Mapping[str, Any] = row["properties"]
    values, unreadable = decode(told, definitions)
    stamp = told.get("lastmodifieddate" if object_ == "contact" else "hs_lastmodifieddate") or row.get("updatedAt")
    created = told.get("createdate") or row.get("createdAt")
    id_ = str(row["id"])
    try:
        return Record(
            object=object_,
            id=id_,
            values=values,
            stamp_at=instant(stamp),
            created_at=instant(created) if created else None,
            parents=_parents(told),
            aliases=merged_into(told, id_),
            emails=_emails(told),
            unreadable=unreadable,
        )
    except ValueError as error:
        raise ConnectorError(f"HubSpot returned {object_} {id_} without readable dates of its own.") from error


def _parents(told: Mapping[str, Any]) -> dict[str, str]:
    named = {"company": told.get("associatedcompanyid"), "owner": told.get("hubspot_owner_id")}
    return {object_: str(id_) for object_, id_ in named.items() if id_}


def merged_into(told: Mapping[str, Any], id_: str) -> tuple[str, ...]:
    """Ids merged into this one, from both properties: either may lack some."""
    merged = _parts(told.get("hs_merged_object_ids"))
    merged += [part.partition(":")[0] for part in _parts(told.get("hs_calculated_merged_vids"))]
    return tuple(dict.fromkeys(old for old in merged if old != id_))


def _emails(told: Mapping[str, Any]) -> tuple[str, ...]:
    addresses = [*_parts(told.get("email")), *_parts(told.get("hs_additional_emails"))]
    return tuple(dict.fromkeys(address.casefold() for address in addresses))


def _parts(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(";") if part.strip()]


def _dates(names: Iterable[str], record: Record, id_: str) -> Iterator[Activity]:
    """One activity for each value of a mapped date: the value is part of its id, so a new one is a new activity."""
    for name in names:
        value = record.values.get(name)
        if value is not None:
            at = instant(value)
            yield Activity(
                source="date_property",
                id=f"{id_}:{name}:{milliseconds(at)}",
                at=at,
                records=(record.id,),
                attributes={"property": Attribute(id=name)},
                changed_at=at,
            )


def _dates_merged_away(names: Sequence[str], records: Iterable[Record]) -> Iterator[Deletion]:
    """The same dates under the ids that were merged into a record, or they would count twice."""
    for record in records:
        for alias in record.aliases:
            yield from (Deletion(source="date_property", id=dated.id) for dated in _dates(names, record, alias))


def owners(reading: Reading, stream: str, cursor: Cursor | None) -> Iterator[Page]:
    """All owners, each time: there are few, and they cannot be searched by change."""
    definitions = [OWNER_FIELDS[name] for name in reading.wanted.fields.get("owner", ()) if name in OWNER_FIELDS]
    requested_at = reading.now()
    started = milliseconds(requested_at)
    following = dict(cursor) if cursor else {"v": 1, "archived": started}
    for rows, _ in pages(lambda token: reading.client.owners(after=token)):
        records = [_owner(row, definitions) for row in rows]
        yield Page(stream=stream, next_cursor=dict(following), requested_at=requested_at, records=records)
        requested_at = reading.now()
    if not reading.windows.archived_due(following, started):
        return
    for rows, after in pages(lambda token: reading.client.owners(after=token, archived=True)):
        if after is None:
            following["archived"] = started
        gone = [Deletion(object="owner", id=str(row["id"])) for row in rows]
        yield Page(stream=stream, next_cursor=dict(following), requested_at=requested_at, deletions=gone)
        requested_at = reading.now()


def _owner(row: Row, definitions: Iterable[FieldDefinition]) -> Record:
    values, _ = decode(row, definitions)
    stamp_at = instant(row.get("updatedAt") or row.get("createdAt") or 0)
    created = row.get("createdAt")
    created_at = instant(created) if created else None
    return Record(object="owner", id=str(row["id"]), values=values, stamp_at=stamp_at, created_at=created_at)
