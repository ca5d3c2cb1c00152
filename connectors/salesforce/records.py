"""Leads, contacts and whom they point to as records; what became of those merged away or converted; dates."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from connectors.base import (
    Activity,
    Attribute,
    Cursor,
    Deletion,
    FieldDefinition,
    Page,
    Record,
    Succession,
    Value,
    instant,
)
from connectors.errors import ConnectorError, Fatal
from connectors.salesforce.fields import Row, decode, encode, held, text
from connectors.salesforce.keyset import steps
from connectors.salesforce.reading import Reading, by_id
from connectors.salesforce.wanted import PARENTS, PEOPLE

#: our object -> Salesforce's name of it
OBJECTS = {of: of.capitalize() for of in (*PARENTS, *PEOPLE)}
#: stream -> the object of its records
STREAMS = {stream: of for of, stream in PARENTS.items()} | {f"{of}s": of for of in PEOPLE}

#: what places a row and says whether it lives; the first three are asked for even where describe leaves them out
_OWN = ("Id", "SystemModstamp", "CreatedDate", "IsDeleted", "MasterRecordId")
_PERSON = ("Email", "IsConverted", "ConvertedContactId", "ConvertedDate")
#: parent -> the field that points to it
_POINTERS = {"account": "AccountId", "user": "OwnerId", "individual": "IndividualId"}
_DATES = ("date", "datetime")
#: owners are users or queues
_USER_PREFIX = "005"


@dataclass(frozen=True, kw_only=True, slots=True)
class Columns:
    """What is asked of one object, as the org spells it."""

    object: str
    #: in the order of the SELECT, Id and SystemModstamp first
    names: tuple[str, ...]
    #: by name as the settings write it
    asked: Mapping[str, FieldDefinition]
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """What rows tell."""

    records: Sequence[Record] = ()
    deletions: Sequence[Deletion] = ()
    successions: Sequence[Succession] = ()


def objects(reading: Reading, stream: str, cursor: Cursor | None) -> Iterator[Page]:
    """Pages of a stream of records. A field hidden meanwhile is left out if that may be, else named by a Fatal."""
    object_ = STREAMS[stream]
    columns = columns_of(reading, object_)
    try:
        for page in _objects(reading, stream, cursor, columns):
            cursor = page.next_cursor
            yield page
    except Fatal:
        renewed = columns_of(reading, object_, fresh=True)
        if renewed == columns:
            raise
        yield from _objects(reading, stream, cursor, renewed)


def _objects(reading: Reading, stream: str, cursor: Cursor | None, columns: Columns) -> Iterator[Page]:
    if not reading.definitions(columns.object):
        # nothing is lost of it should it ever be shown
        yield Page(stream=stream, next_cursor=cursor or {"v": 1}, requested_at=reading.now())
        return
    for step in steps(reading, OBJECTS[columns.object], columns.names, cursor):
        found = read_rows(columns, step.rows)
        doubles = _doubles(reading, columns, found)
        yield Page(
            stream=stream,
            next_cursor=step.cursor,
            requested_at=step.requested_at,
            records=found.records,
            activities=[
                dated
                for record in found.records
                for dated in _dates(reading, record.id, record.object, record.values)
                if dated.id not in doubles
            ],
            deletions=[*found.deletions, *(Deletion(source="date_field", id=id_) for id_ in sorted(doubles))],
            successions=found.successions,
        )


def columns_of(reading: Reading, object_: str, *, fresh: bool = False) -> Columns:
    """What is asked of the object; Fatal when a needed field is not shown, for then all would read as empty."""
    known = reading.definitions(object_, fresh=fresh)
    wanted = reading.wanted
    asked = wanted.fields.get(object_, ())
    needed = set(asked) - wanted.optional.get(object_, frozenset()) - set(wanted.outputs)
    pointers = _pointers(reading, object_)
    needed |= {field for parent, field in pointers.items() if _needs(reading, parent)}
    person = object_ in PEOPLE
    lost = [name for name in (*sorted(needed), *(("Email",) if person else ())) if name not in known]
    if lost and not fresh:
        return columns_of(reading, object_, fresh=True)
    other = next((of for of in PEOPLE if of != object_), "") if person else ""
    lost = [name for name in lost if name not in wanted.shared or name not in reading.definitions(other)]
    if lost:
        raise Fatal(
            f"Salesforce shows no field {', '.join(lost)} of {OBJECTS[object_]}: it is not there, or hidden from the "
            "connection's user. Grant it by the permission set, or map another one in the connection's file."
        )
    undated = [name for name in wanted.date_fields if person and name in known and known[name].type not in _DATES]
    if undated:
        raise Fatal(
            f"{', '.join(undated)} of {OBJECTS[object_]} is no date, so from: date_field cannot read it. Name a field "
            "of type Date or Date/Time in the connection's file."
        )
    own = [name for name in (*_OWN, *(_PERSON if person else ()), *pointers.values()) if name in known]
    paths = wanted.paths.get(object_, ())
    mapped = {name: known[name] for name in asked if name in known}
    names = dict.fromkeys((*_OWN[:3], *own, *(field.name for field in mapped.values()), *paths))
    return Columns(object=object_, names=tuple(names), asked=mapped, paths=paths)


def _pointers(reading: Reading, object_: str) -> dict[str, str]:
    """Parent asked for -> the field that points to it; a lead has no account."""
    if object_ not in PEOPLE:
        return {}
    return {
        of: field
        for of, field in _POINTERS.items()
        if of in reading.wanted.fields and (of, object_) != ("account", "lead")
    }


def _needs(reading: Reading, parent: str) -> bool:
    return bool(set(reading.wanted.fields[parent]) - reading.wanted.optional.get(parent, frozenset()))


def read_rows(columns: Columns, rows: Iterable[Row]) -> Found:
    """The rows as records, deletions and successions. Deleted rows have emptied fields, so they are no records."""
    records, deletions, successions = [], [], []
    for row in rows:
        if not row.get("IsDeleted"):
            records.append(_record(columns, row))
        elif not row.get("MasterRecordId"):
            deletions.append(Deletion(object=columns.object, id=row["Id"]))
        followed = _succession(columns.object, row)
        if followed is not None:
            successions.append(followed)
    return Found(records=records, deletions=deletions, successions=successions)


def _succession(object_: str, row: Row) -> Succession | None:
    if row.get("IsDeleted"):
        into = row.get("MasterRecordId")
        return Succession(object=object_, id=row["Id"], into_object=object_, into_id=into) if into else None
    into = row.get("ConvertedContactId") if row.get("IsConverted") else None
    if not into:
        return None
    on = row.get("ConvertedDate")
    return Succession(
        object=object_,
        id=row["Id"],
        into_object="contact",
        into_id=into,
        converted=True,
        at=noon(on) if on else None,
    )


def noon(told: Any) -> datetime:
    """Twelve o'clock UTC of a day: Salesforce's dates have no zone, and noon is that day nearly everywhere.

    >>> noon("2026-11-03").isoformat()
    '2026-11-03T12:00:00+00:00'
    """
    return datetime.combine(instant(str(told)[:10]).date(), time(12), UTC)


def _record(columns: Columns, row: Row) -> Record:
    values, unreadable = decode(row, columns.asked)
    for path in columns.paths:
        told = held(row, path)
        values[path] = (told.strip() or None) if isinstance(told, str) else told
    try:
        return Record(
            object=columns.object,
            id=row["Id"],
            values=values,
            stamp_at=instant(row["SystemModstamp"]),
            created_at=instant(row["CreatedDate"]) if row.get("CreatedDate") else None,
            parents=_parents(row),
            emails=_emails(columns, row),
            unreadable=unreadable,
        )
    except ValueError as error:
        raise ConnectorError(f"Salesforce returned {columns.object} {row['Id']} without readable dates.") from error


def _parents(row: Row) -> dict[str, str]:
    named = {of: row.get(field) for of, field in _POINTERS.items()}
    return {of: id_ for of, id_ in named.items() if id_ and (of != "user" or id_.startswith(_USER_PREFIX))}


def _emails(columns: Columns, row: Row) -> tuple[str, ...]:
    address = text(row.get("Email")).casefold() if columns.object in PEOPLE else ""
    return (address,) if address else ()


def _dates(reading: Reading, id_: str, object_: str, values: Mapping[str, Value]) -> Iterator[Activity]:
    """One activity for each value of a mapped date: the value is part of its id, so a new one is a new activity."""
    for name in reading.wanted.date_fields if object_ in PEOPLE else ():
        value = values.get(name)
        if isinstance(value, date):
            at = value if isinstance(value, datetime) else noon(value)
            yield Activity(
                source="date_field",
                id=f"{id_}:{name}:{encode(value)}",
                at=at,
                records=(id_,),
                attributes={"field": Attribute(id=name)},
                changed_at=at,
            )


def _doubles(reading: Reading, columns: Columns, found: Found) -> set[str]:
    """Ids of dates that the record somebody became holds too, or they would count twice.

    A lead's own dates are known, so only one that has any is looked up; the fields of one merged away are emptied.
    """
    dated = {record.id for record in found.records if any(_dates(reading, record.id, record.object, record.values))}
    heirs = {
        one.id: (one.into_object, one.into_id)
        for one in found.successions
        if reading.wanted.date_fields and one.into_object in PEOPLE and (not one.converted or one.id in dated)
    }
    held_by: dict[str, Mapping[str, Value]] = {record.id: record.values for record in found.records}
    for object_ in dict.fromkeys(of for of, _ in heirs.values()):
        missing = sorted({id_ for of, id_ in heirs.values() if of == object_} - set(held_by))
        survivors = columns if object_ == columns.object else columns_of(reading, object_)
        rows = by_id(reading.client, OBJECTS[object_], survivors.names, missing)
        held_by |= {record.id: record.values for record in read_rows(survivors, rows).records}
    return {
        dated.id
        for id_, (object_, into) in heirs.items()
        for dated in _dates(reading, id_, object_, held_by.get(into, {}))
    }
