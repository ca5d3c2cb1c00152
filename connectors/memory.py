"""A CRM in memory: a Connector for tests that need no HTTP. It passes the same conformance suite as the real ones."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from connectors.base import (
    Account,
    Activity,
    Allowance,
    Cursor,
    Deletion,
    FieldDefinition,
    FieldUpdate,
    Page,
    Receipt,
    Record,
    Refusal,
    Stream,
    Succession,
    canonical,
)
from connectors.errors import ConnectorError, Fatal

_ROWS = 100


class Memory:
    """One CRM. Beside the Connector's methods it has those by which things happen in the CRM."""

    push_size = 100

    def __init__(
        self,
        *,
        now: Callable[[], datetime],
        definitions: Mapping[str, Mapping[str, FieldDefinition]],
        streams: Sequence[Stream],
        outputs: Collection[str] = (),
        account: Account | None = None,
    ) -> None:
        """``streams``: those of records name their object; ``outputs``: the fields push may write."""
        self._now = now
        self._definitions = definitions
        self._streams = tuple(streams)
        self._outputs = frozenset(outputs)
        self._account = account or Account(id="1", production=False)
        self._records: dict[tuple[str, str], Record] = {}
        #: stream -> what happened there, in order
        self._log: dict[str, list[Record | Activity | Deletion | Succession]] = {stream.name: [] for stream in streams}
        self._refusals: dict[str, Refusal] = {}
        self._allowance: Allowance | None = None
        self._calls = 0
        self._closed = False

    def put(self, record: Record) -> None:
        """The record is created, or changed to this."""
        self._records[record.object, record.id] = record
        self._log[self._stream_of(record.object)].append(record)

    def act(self, stream: str, activity: Activity) -> None:
        """The activity happens, or changes to this."""
        self._log[stream].append(activity)

    def delete(self, object_: str, id_: str) -> None:
        """The record is deleted."""
        del self._records[object_, id_]
        self._log[self._stream_of(object_)].append(Deletion(object=object_, id=id_))

    def merge(self, object_: str, survivor: str, loser: str) -> None:
        """The loser's id from now on stands for the survivor."""
        gone = self._records.pop((object_, loser))
        kept = self._records[object_, survivor]
        aliases = (*kept.aliases, loser, *gone.aliases)
        emails = tuple(dict.fromkeys((*kept.emails, *gone.emails)))
        self.put(replace(kept, aliases=aliases, emails=emails, stamp_at=self._now()))

    def convert(self, object_: str, id_: str, into: Record) -> None:
        """The record stays, and from now on the other one, of another object, stands for it."""
        self.put(into)
        told = Succession(
            object=object_, id=id_, into_object=into.object, into_id=into.id, converted=True, at=self._now()
        )
        self.put(self._records[object_, id_])
        self._log[self._stream_of(object_)].append(told)

    def allow(self, allowance: Allowance | None) -> None:
        """From now on the CRM tells this of the calls of the day."""
        self._allowance = allowance

    def refuse(self, id_: str, refusal: Refusal | None) -> None:
        """From now on writes of the record are refused so; None: taken again."""
        self._refusals.pop(id_, None)
        if refusal is not None:
            self._refusals[id_] = refusal

    def held(self, object_: str, id_: str) -> Record:
        """The record as it is."""
        return self._records[object_, id_]

    def reopen(self) -> "Memory":
        """The same CRM reached by a new connection."""
        other = object.__new__(Memory)
        other.__dict__ = {**self.__dict__, "_calls": 0, "_closed": False}
        return other

    def account(self) -> Account:
        """The account it was built with."""
        self._call()
        return self._account

    def describe(self) -> Mapping[str, Mapping[str, FieldDefinition]]:
        """The definitions it was built with."""
        self._call()
        return self._definitions

    def streams(self) -> Sequence[Stream]:
        """The streams it was built with."""
        return self._streams

    def pull(self, stream: str, cursor: Cursor | None) -> Iterator[Page]:
        """What happened since the cursor, in order, 100 a page."""
        start = int(cursor["n"]) if cursor else 0
        log = self._log[stream]
        while True:
            requested_at = self._now()
            self._call()
            items = log[start : start + _ROWS]
            start += len(items)
            yield Page(
                stream=stream,
                next_cursor={"v": 1, "n": start},
                requested_at=requested_at,
                records=[item for item in items if isinstance(item, Record)],
                activities=[item for item in items if isinstance(item, Activity)],
                deletions=[item for item in items if isinstance(item, Deletion)],
                successions=[item for item in items if isinstance(item, Succession)],
                expected=len(log),
            )
            if start >= len(log):
                return

    def read(self, object_: str, ids: Sequence[str]) -> Page:
        """The records as they are now."""
        requested_at = self._now()
        self._call()
        found = [record for (of, id_), record in self._records.items() if of == object_ and _answers(record, ids)]
        known = {id_ for record in found for id_ in (record.id, *record.aliases)}
        gone = [Deletion(object=object_, id=id_) for id_ in ids if id_ not in known]
        return Page(stream="", next_cursor={}, requested_at=requested_at, records=found, deletions=gone)

    def push(self, updates: Sequence[FieldUpdate]) -> Sequence[Receipt]:
        """Takes the values, but for records that are gone or refused."""
        if len(updates) > self.push_size or len({update.record_id for update in updates}) < len(updates):
            raise ValueError("at most 100 updates, one per record")
        if any(name not in self._outputs for update in updates for name in update.values):
            raise ValueError("only output fields can be written")
        self._call()
        return [self._write(update) for update in updates]

    def hidden(self) -> Mapping[str, Sequence[str]]:
        """Nothing is hidden."""
        return {}

    def allowance(self) -> Allowance | None:
        """As the CRM was told to allow; None: nobody counts."""
        return self._allowance

    def calls(self) -> int:
        """Steps that would have been requests."""
        return self._calls

    def close(self) -> None:
        """Nothing can be called any more."""
        self._closed = True

    def _write(self, update: FieldUpdate) -> Receipt:
        known = self._definitions[update.object]
        lost = [name for name in update.values if name not in known]
        if lost:
            raise Fatal(f"The CRM has no field {', '.join(lost)}.")
        refusal = self._refusals.get(update.record_id)
        record = self._records.get((update.object, update.record_id))
        if record is None:
            refusal = Refusal(code="NOT_FOUND", message="There is no such record.", gone=True)
        if record is None or refusal is not None:
            return Receipt(object=update.object, record_id=update.record_id, refusal=refusal)
        values = {name: canonical(known[name], value) for name, value in update.values.items()}
        stamp_at = self._now()
        self.put(replace(record, values={**record.values, **values}, stamp_at=stamp_at))
        return Receipt(object=update.object, record_id=update.record_id, values=values, stamp_at=stamp_at)

    def _call(self) -> None:
        if self._closed:
            raise ConnectorError("The connection was closed.")
        self._calls += 1

    def _stream_of(self, object_: str) -> str:
        return next(stream.name for stream in self._streams if stream.object == object_)


def _answers(record: Record, ids: Sequence[str]) -> bool:
    return any(id_ in ids for id_ in (record.id, *record.aliases))
