"""From a stream's name to its reader; and records by id."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType

from connectors.base import Cursor, Deletion, Page
from connectors.salesforce.activities import activities
from connectors.salesforce.children import members, roles
from connectors.salesforce.failures import well_formed
from connectors.salesforce.outcomes import outcomes
from connectors.salesforce.reading import Reading, by_id
from connectors.salesforce.records import OBJECTS, STREAMS, columns_of, objects, read_rows
from connectors.salesforce.wanted import SOURCES

Reader = Callable[[Reading, str, Cursor | None], Iterator[Page]]

_READERS: Mapping[str, Reader] = MappingProxyType(
    {
        **dict.fromkeys(STREAMS, objects),
        "opportunities": roles,
        "outcomes": outcomes,
        "campaigns": members,
        **dict.fromkeys(SOURCES, activities),
    }
)


def pull(reading: Reading, stream: str, cursor: Cursor | None) -> Iterator[Page]:
    """Pages of the stream; raises KeyError, at once, for one that ``streams`` does not name."""
    return _pages(_READERS[stream], reading, stream, cursor)


def _pages(reader: Reader, reading: Reading, stream: str, cursor: Cursor | None) -> Iterator[Page]:
    with well_formed(stream):
        yield from reader(reading, stream, cursor)


def read(reading: Reading, object_: str, ids: Sequence[str]) -> Page:
    """The records as they are now; those not found come as deletions, those merged away or converted as successions."""
    if object_ not in OBJECTS:
        raise ValueError(f"{object_} records are not read by id")
    requested_at = reading.now()
    with well_formed(object_):
        columns = columns_of(reading, object_)
        rows = by_id(reading.client, OBJECTS[object_], columns.names, list(dict.fromkeys(ids)))
        found = read_rows(columns, rows)
    here = {row["Id"] for row in rows}
    gone = [Deletion(object=object_, id=id_) for id_ in ids if id_ not in here]
    return Page(
        stream="",
        next_cursor={},
        requested_at=requested_at,
        records=found.records,
        deletions=[*found.deletions, *gone],
        successions=found.successions,
    )
