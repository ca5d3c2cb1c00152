"""What a CRM refused: grouped for people, armed again, or taken off the list.

An entry keeps its value out of the plan while value, mapping and definition stay as they were (``sync.plan.payload``).
Dropping changes nothing of that: the entry only no longer asks for anybody's attention.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select, update

from sync.store import tables
from sync.store.records import columns_of, fields_of, update_rows
from sync.store.store import in_chunks
from sync.store.values import at

#: what a dropped entry's code begins with
DROPPED = "dropped:"
#: ids shown of a group
SAMPLES = 3


@dataclass(frozen=True, kw_only=True)
class Group:
    """The entries of one connection, code and field."""

    connection: str
    code: str
    #: "" = the record as a whole
    field: str
    count: int
    newest_at: datetime
    #: the CRM's words to the newest entry
    message: str
    #: object:id of the newest entries
    samples: Sequence[str]

    @property
    def dropped(self) -> bool:
        """Taken off the list."""
        return self.code.startswith(DROPPED)

    def to_json(self) -> Mapping[str, Any]:
        """JSON values with stable keys."""
        plain = {"newest_at": self.newest_at.isoformat(), "samples": list(self.samples)}
        return {**asdict(self), **plain, "dropped": self.dropped}


def groups(tx: Connection) -> list[Group]:
    """All entries, the largest group first; those of deleted records are left out."""
    table, record = tables.quarantine, tables.record
    keys = (record.c.connection, table.c.code, table.c.field)
    rows = tx.execute(
        select(*keys, func.count().label("entries"), func.max(table.c.at).label("newest"))
        .join(record, record.c.number == table.c.record)
        .where(record.c.state == "live")
        .group_by(*keys)
        .order_by(func.count().desc(), *keys)
    ).all()
    return [_group(tx, row) for row in rows]


def _group(tx: Connection, row: Row[Any]) -> Group:
    table, record = tables.quarantine, tables.record
    newest = tx.execute(
        select(table.c.message, record.c.object, record.c.crm_id)
        .join(record, record.c.number == table.c.record)
        .where(record.c.connection == row.connection, table.c.code == row.code, table.c.field == row.field)
        .where(record.c.state == "live")
        .order_by(table.c.at.desc(), table.c.record)
        .limit(SAMPLES)
    ).all()
    return Group(
        connection=row.connection,
        code=row.code,
        field=row.field,
        count=row.entries,
        newest_at=at(row.newest),
        message=newest[0].message,
        samples=tuple(f"{one.object}:{one.crm_id}" for one in newest),
    )


def retry(tx: Connection, *, code: str | None = None, field: str | None = None) -> int:
    """Arms entries again: the next pass sends their values as if for the first time; how many there were.

    Dropped ones only when their code is named. Repeating it changes nothing.
    """
    rows = tx.execute(select(tables.quarantine.c.record, tables.quarantine.c.field).where(*_wanted(code, field))).all()
    names: dict[int, set[str]] = {}
    for row in rows:
        names.setdefault(row.record, set()).add(row.field)
    for some in in_chunks(list(names)):
        held = tx.execute(select(tables.record).where(tables.record.c.number.in_(some))).all()
        update_rows(tx, [_armed(row, names[row.number]) for row in held])
    tx.execute(delete(tables.quarantine).where(*_wanted(code, field)))
    return len(rows)


def _armed(row: Row[Any], names: set[str]) -> dict[str, Any]:
    """The record without the brake's memory of these fields, to be looked at again by the plan."""
    fields = fields_of(row)
    sends = {name: send for name, send in fields.sends.items() if name not in names}
    return {"key": row.number, **columns_of(replace(fields, sends=sends))}


def drop(tx: Connection, *, code: str | None = None, field: str | None = None) -> int:
    """Takes entries off the list; how many there were. Repeating it changes nothing."""
    table = tables.quarantine
    wanted = (*_wanted(code, field), ~table.c.code.startswith(DROPPED))
    return tx.execute(update(table).where(*wanted).values(code=DROPPED + table.c.code)).rowcount


def _wanted(code: str | None, field: str | None) -> list[Any]:
    table = tables.quarantine
    conditions = [table.c.code == code if code is not None else ~table.c.code.startswith(DROPPED)]
    if field is not None:
        conditions.append(table.c.field == field)
    return conditions
