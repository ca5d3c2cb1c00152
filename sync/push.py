"""Push: sends a plan in batches and keeps what the CRM said, one transaction a batch.

A crash between the CRM's answer and its receipt costs one harmless repetition: the value is absolute, and the
difference is still there in the next pass.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from connectors.base import Connector, Receipt
from sync.differences import planned
from sync.observe import receive
from sync.plan import Change, Plan, WriteRules, count, payload
from sync.store import tables
from sync.store.records import columns_of, fields_of, update_rows
from sync.store.store import Store, in_chunks, upsert
from sync.store.values import dump, micros

DOES_NOT_STICK = "does_not_stick"


@dataclass(kw_only=True)
class Pushed:
    """What a push did, counted in records."""

    written: int = 0
    rejected: int = 0
    gone: int = 0
    unknown: int = 0
    stopped: bool = False


@dataclass(frozen=True, kw_only=True)
class Pusher:
    """Sends the plan of one connection."""

    store: Store
    connector: Connector
    rules: WriteRules
    digest: str
    pass_id: str
    now: Callable[[], datetime]
    approved: bool

    def push(self, plan: Plan, *, stop: Callable[[], bool], on_batch: Callable[[int], None], done: Pushed) -> None:
        """Sends batch after batch until the plan is written or ``stop()`` holds, counting into ``done``.

        Errors of the connector pass through; what was sent before is kept.
        """
        self.quarantine_stuck(plan)
        for object_ in dict.fromkeys(change.object for change in plan.changes):
            changes = [change for change in plan.changes if change.object == object_]
            for batch in in_chunks(changes, self.connector.push_size):
                if stop():
                    done.stopped = True
                    return
                receipts = self.connector.push([change.update() for change in batch])
                with self.store.begin() as tx:
                    self._keep(tx, plan.connection, batch, receipts, done)
                on_batch(len(batch))

    def quarantine_stuck(self, plan: Plan) -> None:
        """Puts fields that do not stick into quarantine, with both values."""
        if not plan.stuck:
            return
        with self.store.begin() as tx:
            rows = _rows(tx, [number for number, _ in plan.stuck])
            entries = []
            for number, name in plan.stuck:
                record = planned(rows[number], {})
                sent, stands = record.fields.desired.get(name), record.fields.observed.get(name)
                entries.append(
                    {
                        "record": number,
                        "field": name,
                        "code": DOES_NOT_STICK,
                        "message": f"sent {sent!r} three times within 7 days, the CRM holds {stands!r}",
                        "payload": payload(record, name, self.rules),
                        "at": micros(self.now()),
                    }
                )
            upsert(tx, tables.quarantine, entries)

    def _keep(
        self, tx: Connection, connection: str, batch: Sequence[Change], receipts: Sequence[Receipt], done: Pushed
    ) -> None:
        by_id = {receipt.record_id: receipt for receipt in receipts}
        rows = _rows(tx, [change.record for change in batch])
        now = micros(self.now())
        changed, history, before_us, refused, tombstones, confirmed = [], [], [], [], [], []
        for change in batch:
            receipt = by_id.get(change.crm_id)
            if receipt is None or (receipt.values is None and receipt.refusal is None):
                done.unknown += 1
                continue
            row = rows[change.record]
            if receipt.refusal is not None:
                if receipt.refusal.gone:
                    done.gone += 1
                    tombstones.append(change.record)
                    continue
                done.rejected += 1
                name = receipt.refusal.field if receipt.refusal.field in change.new else ""
                refused.append(
                    {
                        "record": change.record,
                        "field": name,
                        "code": receipt.refusal.code,
                        "message": receipt.refusal.message,
                        "payload": payload(planned(row, {}), name, self.rules),
                        "at": now,
                    }
                )
                continue
            done.written += 1
            confirmed.append(change)
            fields = fields_of(row)
            stamp = micros(receipt.stamp_at) if receipt.stamp_at else None
            after = receive(fields, change.new, receipt.values or {}, stamp=stamp, now=now)
            changed.append({"key": change.record, **columns_of(after)})
            for name, value in change.new.items():
                old = fields.observed.get(name)
                if old is not None and name not in fields.confirmed:
                    before_us.append({"record": change.record, "field": name, "value": dump(old), "at": now})
                history.append(
                    {
                        "at": now,
                        "pass_id": self.pass_id,
                        "record": change.record,
                        "field": name,
                        "old": dump(old),
                        "new": dump(value),
                        "cause": change.cause,
                        "digest": self.digest,
                    }
                )
        update_rows(tx, changed)
        if history:
            tx.execute(insert(tables.history), history)
        upsert(tx, tables.adopted, before_us)
        upsert(tx, tables.quarantine, refused)
        self._release(tx, confirmed)
        if tombstones:
            tx.execute(
                update(tables.record)
                .where(tables.record.c.number.in_(tombstones))
                .values(state="deleted", differs=0, echo=False, gone_at=now)
            )
        if confirmed and not self.approved:
            counts = count(confirmed, self.rules.outputs)
            tx.execute(insert(tables.unapproved).values(connection=connection, at=now, counts=dump(asdict(counts))))

    def _release(self, tx: Connection, written: Sequence[Change]) -> None:
        """What was written is no longer refused."""
        table = tables.quarantine
        numbers = [change.record for change in written]
        names: Mapping[int, set[str]] = {change.record: {"", *change.new} for change in written}
        for some in in_chunks(numbers):
            for number, name in tx.execute(select(table.c.record, table.c.field).where(table.c.record.in_(some))).all():
                if name in names[number]:
                    tx.execute(delete(table).where(table.c.record == number, table.c.field == name))


def _rows(tx: Connection, numbers: Sequence[int]) -> dict[int, Row[Any]]:
    record = tables.record
    return {
        row.number: row
        for some in in_chunks(list(dict.fromkeys(numbers)))
        for row in tx.execute(select(record).where(record.c.number.in_(some)))
    }
