"""What the plan is made from, and what the guard remembers: the store's side of planning."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from sync.mapping import Output
from sync.observe import Fields
from sync.plan import AUDIENCE, Approval, Counts, Plan, Planned
from sync.store import tables
from sync.store.records import DIFFERS, HELD_BACK, fields_of
from sync.store.store import in_chunks, upsert
from sync.store.values import DAY_US, dump, load

#: a value of ours that comes back this long after it was sent is an echo, in microseconds
ECHOED_FOR = 7 * DAY_US


def planned(
    row: Row[Any],
    refused: Mapping[str, str],
    causes: Mapping[str, str] | None = None,
    *,
    unprofiled: bool = False,
    shown_elsewhere: bool = False,
    echoed: frozenset[str] = frozenset(),
) -> Planned:
    """A record's row as the plan sees it."""
    return Planned(
        number=row.number,
        object=row.object,
        crm_id=row.crm_id,
        person=row.person,
        fields=fields_of(row),
        refused=refused,
        causes=causes or {},
        unprofiled=unprofiled,
        shown_elsewhere=shown_elsewhere,
        echoed=echoed,
    )


def differing(
    tx: Connection,
    connection: str,
    outputs: Mapping[str, Mapping[str, Output]],
    now: int,
) -> Iterator[Planned]:
    """The live records of a connection that differ and are not held back, of persons whom no rep holds.

    ``outputs``: connection -> our fields there. Ordered by object and company or account, as writing two people of one
    account at once makes them wait for each other, then by record number.
    """
    record, person, parent = tables.record, tables.person, tables.parent
    rows = tx.execute(
        select(record, person.c.write)
        .join(person, person.c.number == record.c.person)
        .outerjoin(parent, (parent.c.record == record.c.number) & parent.c.object.in_(("company", "account")))
        .where(record.c.connection == connection, record.c.differs == DIFFERS, record.c.state == "live")
        .where(person.c.write != "nothing")
        .order_by(record.c.object, parent.c.crm_id, record.c.number)
    ).all()
    refused = refused_in(tx, connection)
    causes = _causes(tx, rows)
    shown = _shown_elsewhere(tx, rows, outputs)
    echoed = echoed_in(tx, rows, connection, outputs, now)
    for row in rows:
        yield planned(
            row,
            refused.get(row.number, {}),
            causes.get(row.person, {}),
            unprofiled=row.write == "empty",
            shown_elsewhere=row.number in shown,
            echoed=echoed.get(row.number, frozenset()),
        )


def _causes(tx: Connection, rows: Sequence[Row[Any]]) -> dict[int, dict[str, str]]:
    """Person -> model -> why the status changed last; ``AUDIENCE`` of those who left."""
    journey = tables.journey
    found: dict[int, dict[str, str]] = {}
    for some in in_chunks(sorted({row.person for row in rows})):
        for row in tx.execute(
            select(journey.c.person, journey.c.model, journey.c.cause, journey.c.resting).where(
                journey.c.person.in_(some)
            )
        ):
            found.setdefault(row.person, {})[row.model] = AUDIENCE if row.resting else row.cause
    return found


def echoed_in(
    tx: Connection,
    rows: Sequence[Row[Any]],
    connection: str,
    outputs: Mapping[str, Mapping[str, Output]],
    now: int,
) -> dict[int, frozenset[str]]:
    """Record -> its fields whose value we sent within ``ECHOED_FOR``, to it or to another record of its person.

    Another tool that carries our fields between CRMs brings back what stood there before: no edit of a person's. Only
    fields whose policy asks for edits are looked at.
    """
    ours = outputs.get(connection, {})
    asking = {name for name, output in ours.items() if output.policy != "overwrite"}
    foreign: dict[int, dict[str, Any]] = {}
    for row in rows if asking else ():
        fields = fields_of(row)
        held = {name: fields.observed.get(name) for name in asking if name in fields.confirmed}
        found = {name: value for name, value in held.items() if value != fields.confirmed[name]}
        if found:
            foreign[row.number] = found
    persons = {row.number: row.person for row in rows if row.number in foreign}
    record, history = tables.record, tables.history
    sent: dict[tuple[int, str], set[str]] = {}
    for some in in_chunks(sorted(set(persons.values()))):
        theirs = (
            select(record.c.person, record.c.connection, history.c.field, history.c.new)
            .join(record, record.c.number == history.c.record)
            .where(record.c.person.in_(some), history.c.at > now - ECHOED_FOR)
        )
        for person, of, name, new in tx.execute(theirs):
            output = outputs.get(of, {}).get(name)
            if output is not None:
                sent.setdefault((person, f"{output.model}.{output.output}"), set()).add(new)
    return {
        number: frozenset(
            name
            for name, value in found.items()
            if dump(value) in sent.get((persons[number], f"{ours[name].model}.{ours[name].output}"), ())
        )
        for number, found in foreign.items()
    }


def refused_in(tx: Connection, connection: str) -> dict[int, dict[str, str]]:
    """Record -> its fields in quarantine, with the digest of what was refused."""
    record, quarantine = tables.record, tables.quarantine
    refused: dict[int, dict[str, str]] = {}
    for number, name, payload in tx.execute(
        select(quarantine.c.record, quarantine.c.field, quarantine.c.payload)
        .join(record, record.c.number == quarantine.c.record)
        .where(record.c.connection == connection)
    ):
        refused.setdefault(number, {})[name] = payload
    return refused


def _shown_elsewhere(tx: Connection, rows: Sequence[Row[Any]], outputs: Mapping[str, Mapping[str, Output]]) -> set[int]:
    """Those of these records that do not show a score of their person which another record of the person shows."""
    found = [
        (other.number, other.person, other.connection, fields_of(other))
        for some in in_chunks(sorted({row.person for row in rows}))
        for other in tx.execute(
            select(tables.record).where(tables.record.c.person.in_(some), tables.record.c.state == "live")
        )
    ]
    return late_among(found, outputs).intersection(row.number for row in rows)


def late_among(
    records: Iterable[tuple[int, int, str, Fields]], outputs: Mapping[str, Mapping[str, Output]]
) -> set[int]:
    """The same of these records: number, person, connection and fields, all those of each person."""
    scores = {
        name: {output.model: field for field, output in ours.items() if output.output == "score"}
        for name, ours in outputs.items()
    }
    showing: dict[tuple[int, str], set[int]] = {}
    lacking: dict[tuple[int, str], set[int]] = {}
    for number, person, connection, fields in records:
        for model, name in scores.get(connection, {}).items():
            if fields.desired.get(name) is not None:
                shows = fields.observed.get(name) == fields.desired[name]
                (showing if shows else lacking).setdefault((person, model), set()).add(number)
    return {number for key, numbers in lacking.items() if showing.get(key) for number in numbers}


def keep_verdicts(tx: Connection, plan: Plan) -> None:
    """Notes which records the quiet-write rule holds back, until a value changes or a day begins."""
    for some in in_chunks(plan.held_back):
        tx.execute(update(tables.record).where(tables.record.c.number.in_(some)).values(differs=HELD_BACK))


def held_back(tx: Connection, connection: str) -> int:
    """How many live records differ and wait."""
    record = tables.record
    return tx.execute(
        select(func.count()).where(
            record.c.connection == connection, record.c.differs == HELD_BACK, record.c.state == "live"
        )
    ).scalar_one()


def confirmed_records(tx: Connection, connection: str) -> int:
    """How many live records hold a value we wrote."""
    record = tables.record
    return tx.execute(
        select(func.count()).where(
            record.c.connection == connection, record.c.confirmed != "{}", record.c.state == "live"
        )
    ).scalar_one()


def written_unapproved(tx: Connection, connection: str, now: int) -> Counts:
    """What was written within 24 hours without an approval."""
    table = tables.unapproved
    total = Counts()
    for text in tx.execute(
        select(table.c.counts).where(table.c.connection == connection, table.c.at > now - DAY_US)
    ).scalars():
        total = total.plus(Counts(**load(text)))
    return total


def keep_stop(tx: Connection, plan: Plan, now: int) -> None:
    """Remembers a plan the guard stopped, for ``approve``; the same plan keeps its first row."""
    row = {
        "code": plan.code,
        "connection": plan.connection,
        "counts": dump(asdict(plan.counts)),
        "digest": plan.basis,
        "made_at": now,
        "approved_at": None,
        "written_at": None,
    }
    known = tx.execute(select(tables.approval).where(tables.approval.c.code == plan.code)).one_or_none()
    if known is None:
        tx.execute(insert(tables.approval).values(row))
    elif known.made_at <= now - DAY_US or known.written_at is not None:
        upsert(tx, tables.approval, [row])


def approve(tx: Connection, code: str, now: int) -> bool:
    """Lets the stopped plan of this code through, within 24 hours of the stop; False when there is no such plan."""
    table = tables.approval
    result = tx.execute(
        update(table)
        .where(table.c.code == code, table.c.made_at > now - DAY_US, table.c.written_at.is_(None))
        .values(approved_at=now)
    )
    return result.rowcount == 1


def approvals(tx: Connection, connection: str, now: int) -> Sequence[Approval]:
    """The approvals of a connection that still hold."""
    table = tables.approval
    rows = tx.execute(
        select(table).where(
            table.c.connection == connection,
            table.c.approved_at.is_not(None),
            table.c.written_at.is_(None),
            table.c.made_at > now - DAY_US,
        )
    )
    return [Approval(code=row.code, counts=Counts(**load(row.counts)), basis=row.digest) for row in rows]


def keep_written(tx: Connection, code: str, now: int) -> None:
    """The approved plan is written: its approval ends."""
    tx.execute(update(tables.approval).where(tables.approval.c.code == code).values(written_at=now))
