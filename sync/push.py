"""Push: sends a plan in batches and keeps what the CRM said, one transaction a batch.

A crash between the CRM's answer and its receipt costs one harmless repetition: the value is absolute, and the
difference is still there in the next pass.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from connectors.base import Connector, Receipt, Refusal
from connectors.errors import Fatal
from sync.differences import planned
from sync.observe import receive
from sync.paused import Pause, paused
from sync.plan import Change, Plan, WriteRules, count, payload
from sync.store import tables
from sync.store.records import DIFFERS, EQUAL, HELD_BACK, columns_of, fields_of, update_rows
from sync.store.store import Store, in_chunks, upsert
from sync.store.values import dump, micros

DOES_NOT_STICK = "does_not_stick"
#: one code on more than this share of a batch of at least SHARED_BATCH blames our fields, not the records
SHARED_PERCENT = 20
SHARED_BATCH = 10


@dataclass(kw_only=True)
class Pushed:
    """What a push did, counted in records."""

    written: int = 0
    rejected: int = 0
    gone: int = 0
    unknown: int = 0
    stopped: bool = False
    #: what held the rest back
    paused: Pause | None = None


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
    #: called at the end of every transaction; raises when somebody else runs the connection by now
    renew: Callable[[Connection], None] = lambda _: None

    def push(self, plan: Plan, *, stop: Callable[[], bool], on_batch: Callable[[int], None], done: Pushed) -> None:
        """Sends batch after batch until the plan is written or ``stop()`` holds, counting into ``done``.

        Errors of the connector pass through; what was sent before is kept.
        """
        self.quarantine_stuck(plan)
        for object_ in dict.fromkeys(change.object for change in plan.changes):
            changes = [change for change in plan.changes if change.object == object_]
            for batch in in_chunks(changes, self.connector.push_size):
                with self.store.begin() as tx:
                    self.renew(tx)
                    done.paused = paused(tx, self.now())
                if stop() or done.paused is not None:
                    done.stopped = True
                    return
                receipts = self.connector.push([change.update() for change in batch])
                with self.store.begin() as tx:
                    shared = self._keep(tx, plan.connection, batch, receipts, done)
                    self.renew(tx)
                if shared is not None:
                    raise Fatal(
                        f"the CRM refuses over {SHARED_PERCENT} % of a batch with {shared.code}: {shared.message}; "
                        "that blames no record, so none is quarantined: check our fields and rights there"
                    )
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
            self.renew(tx)

    def _keep(
        self, tx: Connection, connection: str, batch: Sequence[Change], receipts: Sequence[Receipt], done: Pushed
    ) -> Refusal | None:
        """Keeps a batch's receipts; the refusal, if any, that too many records share to blame one of them."""
        by_id = {receipt.record_id: receipt for receipt in receipts}
        taken: list[tuple[Change, Receipt]] = []
        refused: list[tuple[Change, Refusal]] = []
        gone: list[Change] = []
        for change in batch:
            receipt = by_id.get(change.crm_id)
            if receipt is not None and receipt.refusal is not None:
                if receipt.refusal.gone:
                    gone.append(change)
                else:
                    refused.append((change, receipt.refusal))
            elif receipt is not None and receipt.values is not None:
                taken.append((change, receipt))
        rows = _rows(tx, [change.record for change in batch])
        self._take(tx, connection, taken, rows)
        self._bury(tx, gone)
        shared = _shared(refused, len(batch))
        if shared is None:
            self._quarantine(tx, refused, rows)
        done.written += len(taken)
        done.rejected += len(refused)
        done.gone += len(gone)
        done.unknown += len(batch) - len(taken) - len(refused) - len(gone)
        return shared

    def _take(
        self, tx: Connection, connection: str, taken: Sequence[tuple[Change, Receipt]], rows: Mapping[int, Row[Any]]
    ) -> None:
        """What the CRM acknowledged is confirmed and observed, with its history."""
        now = micros(self.now())
        changed, history, before_us = [], [], []
        for change, receipt in taken:
            fields = fields_of(rows[change.record])
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
        self._release(tx, [change for change, _ in taken])
        self._wake(tx, [change for change, _ in taken])
        if taken and not self.approved:
            counts = count((change for change, _ in taken), self.rules.outputs)
            tx.execute(insert(tables.unapproved).values(connection=connection, at=now, counts=dump(asdict(counts))))

    def _wake(self, tx: Connection, written: Sequence[Change]) -> None:
        """A record that was held back is looked at again once another one of its person shows the score."""
        record = tables.record
        scores = {name for name, output in self.rules.outputs.items() if output.output == "score"}
        persons = {change.person for change in written if scores & change.new.keys()}
        for some in in_chunks(sorted(persons)):
            theirs = record.c.person.in_(some) & (record.c.differs == HELD_BACK)
            tx.execute(update(record).where(theirs).values(differs=DIFFERS))

    def _quarantine(
        self, tx: Connection, refused: Sequence[tuple[Change, Refusal]], rows: Mapping[int, Row[Any]]
    ) -> None:
        """What the CRM refused stays out of the plan until value, mapping or definition change."""
        entries = []
        for change, refusal in refused:
            name = refusal.field if refusal.field in change.new else ""
            entries.append(
                {
                    "record": change.record,
                    "field": name,
                    "code": refusal.code,
                    "message": refusal.message,
                    "payload": payload(planned(rows[change.record], {}), name, self.rules),
                    "at": micros(self.now()),
                }
            )
        upsert(tx, tables.quarantine, entries)

    def _bury(self, tx: Connection, gone: Sequence[Change]) -> None:
        """Records that are deleted in the CRM are not written again."""
        if gone:
            tx.execute(
                update(tables.record)
                .where(tables.record.c.number.in_([change.record for change in gone]))
                .values(state="deleted", differs=EQUAL, echo=False, gone_at=micros(self.now()))
            )

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


def _shared(refused: Sequence[tuple[Change, Refusal]], size: int) -> Refusal | None:
    """The refusal whose code so large a part of a batch shares that no single record can be to blame."""
    codes = Counter(refusal.code for _, refusal in refused)
    return next(
        (
            refusal
            for _, refusal in refused
            if size >= SHARED_BATCH and codes[refusal.code] * 100 > size * SHARED_PERCENT
        ),
        None,
    )
