"""Writes our output fields of existing leads and contacts, and tells what became of each.

Nothing else can be sent. Salesforce writes each row for itself, but triggers and flows see all rows of a call at once,
and one limit they hit fails them all: such rows go out again in halves, until one that fails alone is to blame. The
size that works is remembered for each object.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from connectors.base import FieldDefinition, FieldUpdate, Receipt, Refusal, Value, canonical
from connectors.errors import BatchTooHeavy, Fatal, Retriable
from connectors.retry import RetryPolicy, wait_s
from connectors.salesforce.client import UPDATE_ROWS, Client, Json
from connectors.salesforce.failures import verdict, well_formed
from connectors.salesforce.fields import encode
from connectors.salesforce.reading import Definitions
from connectors.salesforce.wanted import PEOPLE

log = structlog.get_logger(__name__)

#: calls beyond the first that one push may spend on rows to blame; what is left then stays unknown
_EXTRA_CALLS = 64
#: how often rows that were locked go out
_LOCKED = RetryPolicy(attempts=4, first_s=1.0)
#: so many rows of a push, or one in so many of those judged, may be refused alone for what blames the batch; with
#: more of them the org is at fault, and no row is
_ALONE, _ALONE_SHARE = 5, 5


@dataclass(kw_only=True, slots=True)
class Writer:
    """The org, what may be written, and what was learned of it so far."""

    client: Client
    definitions: Definitions
    outputs: Collection[str]
    sleep: Callable[[float], None]
    chance: Callable[[], float]
    #: object -> rows of one call that its triggers and flows bear
    sizes: dict[str, int] = field(default_factory=dict)

    def push(self, updates: Sequence[FieldUpdate]) -> list[Receipt]:
        """One receipt per update, in their order; at most 200 updates, one per record, of output fields only.

        Anything else is the caller's mistake: ValueError, before a call is made. Fatal when an output field is not
        there, cannot be written or is of another type.
        """
        if not updates:
            return []
        self._check(updates)
        values = {update.record_id: self._values(update) for update in updates}
        batch = _Batch(writer=self, values=values)
        # of one call, the objects may alternate ten times at most
        batch.send_whole(sorted(updates, key=lambda update: (update.object, update.record_id)))
        for attempt in range(1, _LOCKED.attempts):
            if not batch.locked:
                break
            again, batch.locked = batch.locked, []
            self.sleep(wait_s(_LOCKED, attempt, None, self.chance()))
            batch.send_whole(again)
        return [batch.receipt(update) for update in updates]

    def _check(self, updates: Sequence[FieldUpdate]) -> None:
        if len(updates) > UPDATE_ROWS:
            raise ValueError(f"at most {UPDATE_ROWS} updates can be pushed at once, not {len(updates)}")
        if len({update.record_id for update in updates}) < len(updates):
            raise ValueError("a record is named twice in one push")
        for update in updates:
            if update.object not in PEOPLE:
                raise ValueError(f"only leads and contacts can be written, not a {update.object}")
            other = [name for name in update.values if name not in self.outputs]
            if other or not update.values:
                raise ValueError(f"only output fields can be written, not {', '.join(other) or 'nothing'}")

    def _values(self, update: FieldUpdate) -> dict[str, Value]:
        """The values as the fields hold them."""
        found = {}
        for name, value in update.values.items():
            target = self._target(update.object, name)
            try:
                found[name] = canonical(target, value)
            except ValueError as error:
                raise Fatal(
                    f"The output field {name} of {update.object.capitalize()} is of type {target.type} and cannot hold "
                    "its output. Create it with the type that the output has."
                ) from error
        return found

    def _target(self, object_: str, name: str) -> FieldDefinition:
        target = self.definitions(object_).get(name) or self.definitions(object_, fresh=True).get(name)
        if target is None or not target.writable:
            raise _lost(object_, name)
        return target


@dataclass(kw_only=True, slots=True)
class _Batch:
    """One push: what is to be written, what became of it, and the calls it may still make."""

    writer: Writer
    #: record id -> canonical values
    values: Mapping[str, Mapping[str, Value]]
    receipts: dict[str, Receipt] = field(default_factory=dict)
    locked: list[FieldUpdate] = field(default_factory=list)
    #: refused alone, for what blames the batch
    alone: dict[str, Refusal] = field(default_factory=dict)
    extra: int = _EXTRA_CALLS

    def receipt(self, update: FieldUpdate) -> Receipt:
        """What became of the update; unknown where nothing was told."""
        refusal = self.alone.get(update.record_id)
        judged = len(self.receipts) + len(self.alone)
        if refusal is not None and len(self.alone) <= max(_ALONE, judged // _ALONE_SHARE):
            return Receipt(object=update.object, record_id=update.record_id, refusal=refusal)
        unknown = Receipt(object=update.object, record_id=update.record_id)
        return self.receipts.get(update.record_id, unknown)

    def send_whole(self, updates: Sequence[FieldUpdate]) -> None:
        """All in one call where they are known to bear it, else object by object."""
        if all(object_ not in self.writer.sizes for object_ in {update.object for update in updates}):
            self._send(updates)
            return
        for object_ in PEOPLE:
            self._send_object([update for update in updates if update.object == object_])

    def _send_object(self, updates: Sequence[FieldUpdate]) -> bool:
        """Sends what is of one object, by the size that works; False when a row failed alone."""
        well, rest = True, list(updates)
        while rest:
            size = self.writer.sizes.get(rest[0].object, UPDATE_ROWS)
            well = self._send(rest[:size]) and well
            rest = rest[size:]
        return well

    def _send(self, updates: Sequence[FieldUpdate]) -> bool:
        """One call, and those that follow from it; False when a row failed alone or is left unknown."""
        if self.extra < 0:
            return False
        self.extra -= 1
        heavy: list[FieldUpdate] = []
        why: dict[str, Refusal] = {}
        told, at = self.writer.client.update([self._row(update) for update in updates])
        with well_formed("update"):
            for update, result in zip(updates, told, strict=True):
                blamed = self._take(update, result, at)
                if blamed is not None:
                    heavy.append(update)
                    why[update.record_id] = Refusal(code=blamed.code, message=str(blamed), field=blamed.field)
        if not heavy:
            return True
        if len(updates) == 1:
            self.alone.update(why)
            return False
        if len(heavy) == len(updates) and len({update.object for update in updates}) == 1:
            return self._halved(heavy)
        return self._apart(heavy)

    def _apart(self, heavy: Sequence[FieldUpdate]) -> bool:
        """Sends these rows without those they went with, and from now on the two objects in calls of their own."""
        for update in heavy:
            self.writer.sizes.setdefault(update.object, UPDATE_ROWS)
        sent = [self._send_object([one for one in heavy if one.object == of]) for of in PEOPLE]
        return all(sent)

    def _halved(self, heavy: Sequence[FieldUpdate]) -> bool:
        """Sends the rows in two halves; where no row is to blame there were too many, and the size is remembered."""
        half = (len(heavy) + 1) // 2
        first, second = self._send_object(heavy[:half]), self._send_object(heavy[half:])
        if not (first and second):
            return False
        sizes, object_ = self.writer.sizes, heavy[0].object
        sizes[object_] = min(sizes.get(object_, UPDATE_ROWS), half)
        log.info("fewer_rows_a_call", object=object_, rows=sizes[object_])
        return True

    def _row(self, update: FieldUpdate) -> Json:
        values = {name: encode(value) for name, value in self.values[update.record_id].items()}
        return {"attributes": {"type": update.object.capitalize()}, "id": update.record_id, **values}

    def _take(self, update: FieldUpdate, result: Json, at: datetime) -> BatchTooHeavy | None:
        """Notes what one row's result says; the error when it blames the batch."""
        object_, id_ = update.object, update.record_id
        if result.get("success") is True:
            self.receipts[id_] = Receipt(object=object_, record_id=id_, values=self.values[id_], stamp_at=at)
            return None
        said = verdict(result.get("errors") or ())
        if isinstance(said, Retriable):
            self.locked.append(update)
        elif isinstance(said, Refusal):
            if said.code in _LOST_FIELD:
                raise _lost(object_, said.field or ", ".join(update.values))
            self.receipts[id_] = Receipt(object=object_, record_id=id_, refusal=said)
        else:
            return said
        return None


#: a field is at fault, not a record
_LOST_FIELD = frozenset({"INVALID_FIELD", "INVALID_FIELD_FOR_INSERT_UPDATE"})


def _lost(object_: str, name: str) -> Fatal:
    return Fatal(
        f"The output field {name} of {object_.capitalize()} is not there, or the connection's user may not write it. "
        "Create it and grant it for reading and editing by the permission set, or take the output out of the "
        "connection's file."
    )
