"""A record's row and the values it holds, both ways."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, update

from connectors.base import Value
from sync.observe import Fields, Send
from sync.store import tables
from sync.store.values import dump, load

#: ``record.differs``: desired equals observed; differs but held back by the quiet rule; differs and is to be looked at
EQUAL, HELD_BACK, DIFFERS = 0, 1, 2


def fields_of(row: Row[Any]) -> Fields:
    """The output fields a row holds."""
    sends = load(row.sends)
    return Fields(
        observed=load(row.observed),
        confirmed=load(row.confirmed),
        desired=load(row.desired),
        sends={
            name: Send(value=value, count=count, first_at=first_at) for name, (value, count, first_at) in sends.items()
        },
        receipt_at=row.receipt_at,
        receipt_stamp=row.receipt_stamp,
        echo=bool(row.echo),
    )


def columns_of(fields: Fields) -> dict[str, Any]:
    """The columns of a row that hold these fields, ``differs`` among them."""
    return {
        "observed": dump(fields.observed),
        "confirmed": dump(fields.confirmed),
        "desired": dump(fields.desired),
        "sends": dump({name: [send.value, send.count, send.first_at] for name, send in fields.sends.items()}),
        "receipt_at": fields.receipt_at,
        "receipt_stamp": fields.receipt_stamp,
        "echo": fields.echo,
        "differs": _differs(fields.observed, fields.desired),
    }


def desiring(row: Row[Any], desired: Mapping[str, Value]) -> dict[str, Any]:
    """The columns of a row that desires these values instead of what it did."""
    return {"desired": dump(desired), "differs": _differs(load(row.observed), desired)}


def _differs(observed: Mapping[str, Value], desired: Mapping[str, Value]) -> int:
    """Whether the CRM holds anything else than what should stand there. Fields nobody desires do not count."""
    return DIFFERS if any(observed.get(name) != value for name, value in desired.items()) else EQUAL


def update_rows(tx: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Updates records by ``key``; all rows have the same columns."""
    if rows:
        tx.execute(update(tables.record).where(tables.record.c.number == bindparam("key")), list(rows))
