"""From a stream's name to its reader; and records by id."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType

from connectors.base import Cursor, Deletion, Page, Record
from connectors.errors import Refused
from connectors.hubspot.client import BATCH_ROWS
from connectors.hubspot.engagements import engagements
from connectors.hubspot.failures import well_formed
from connectors.hubspot.marketing import form_submissions, list_joins, mail_events
from connectors.hubspot.outcomes import outcomes
from connectors.hubspot.reading import Reading
from connectors.hubspot.records import KINDS, objects, owners, properties, read_rows
from connectors.hubspot.walks import Row
from connectors.hubspot.wanted import ENGAGEMENTS

Reader = Callable[[Reading, str, Cursor | None], Iterator[Page]]

_READERS: Mapping[str, Reader] = MappingProxyType(
    {
        "owners": owners,
        "deals": outcomes,
        "form": form_submissions,
        "email_events": mail_events,
        "list": list_joins,
        **dict.fromkeys(KINDS, objects),
        **dict.fromkeys(ENGAGEMENTS, engagements),
    }
)


def pull(reading: Reading, stream: str, cursor: Cursor | None) -> Iterator[Page]:
    """Pages of the stream; raises KeyError, at once, for one that ``streams`` does not name."""
    return _pages(_READERS[_source(stream)], reading, stream, cursor)


def _source(stream: str) -> str:
    """The part of a stream's name that says how to read it."""
    return stream.partition(":")[0]


def _pages(reader: Reader, reading: Reading, stream: str, cursor: Cursor | None) -> Iterator[Page]:
    with well_formed(stream):
        yield from reader(reading, stream, cursor)


def read(reading: Reading, object_: str, ids: Sequence[str]) -> Page:
    """Contacts or companies as they are now; those not found come as deletions, those merged away as their survivor."""
    stream = next((name for name, (_, of) in KINDS.items() if of == object_), None)
    if stream is None:
        raise ValueError(f"{object_} records are not read by id")
    requested_at = reading.now()
    with well_formed(stream):
        records = _records(reading, stream, ids)
    found = {id_ for record in records for id_ in (record.id, *record.aliases)}
    gone = [Deletion(object=object_, id=id_) for id_ in ids if id_ not in found]
    return Page(stream="", next_cursor={}, requested_at=requested_at, records=records, deletions=gone)


def _records(reading: Reading, stream: str, ids: Sequence[str]) -> list[Record]:
    kind, object_ = KINDS[stream]
    records: list[Record] = []
    for begin in range(0, len(ids), BATCH_ROWS):
        rows = _rows(reading, kind.name, properties(reading, object_), ids[begin : begin + BATCH_ROWS])
        records += read_rows(reading, object_, rows)
    return records


def _rows(reading: Reading, kind: str, asked: Sequence[str], ids: Sequence[str]) -> list[Row]:
    """The rows found. One id that is gone may fail the call, so a call that finds nothing is halved."""
    try:
        return list(reading.client.batch_read(kind, ids, asked).get("results") or ())
    except Refused as refused:
        if refused.status != 404:
            raise
    if len(ids) == 1:
        return []
    middle = len(ids) // 2
    return [*_rows(reading, kind, asked, ids[:middle]), *_rows(reading, kind, asked, ids[middle:])]
