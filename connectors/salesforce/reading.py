"""What every stream's reader needs, and the one way rows are asked for."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from connectors.base import FieldDefinition
from connectors.salesforce.client import Client
from connectors.salesforce.fields import Row
from connectors.salesforce.soql import IDS, among, milliseconds, portions, select
from connectors.salesforce.wanted import Wanted

_MINUTE_MS = 60_000


class Definitions(Protocol):
    """The org's field definitions, remembered for a while."""

    def __call__(self, object_: str, *, fresh: bool = False) -> Mapping[str, FieldDefinition]:
        """Field name -> definition; ``fresh`` asks again, unless that was done within the last minute."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Windows:
    """Spans in milliseconds."""

    #: how far each pull looks back behind the mark: rows turn visible after later stamps were read
    overlap_ms: int = 10 * _MINUTE_MS
    #: the slow sweep, for transactions that took up to an hour: how often, and how far back it looks
    sweep_every_ms: int = 60 * _MINUTE_MS
    sweep_back_ms: int = 130 * _MINUTE_MS
    #: a mark that nothing newer moved follows the org's clock at this distance, or the last rows were read for ever
    patience_ms: int = 15 * _MINUTE_MS
    #: the shortest part of a walk that timed out
    shortest_ms: int = 1_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """The org, what is wanted of it, and the clock."""

    client: Client
    wanted: Wanted
    definitions: Definitions
    now: Callable[[], datetime]
    windows: Windows = field(default_factory=Windows)

    def server_ms(self) -> int:
        """The org's clock as its newest answer said, in milliseconds."""
        return milliseconds(self.client.server_time())


def pages(
    client: Client, object_: str, fields: Sequence[str], *, where: str = "", order: str = ""
) -> Iterator[tuple[list[Row], bool]]:
    """(rows, last) of a query, deleted and archived ones too; with more fields than an address holds, joined by Id.

    ``fields`` begin with what places a row: Id, and what the order names.
    """
    first, *further = portions(fields)
    told = client.query(select(object_, first, where, order), all_rows=True)
    while True:
        following = told.get("nextRecordsUrl")
        rows: list[Row] = told["records"]
        for names in further:
            rows = _joined(client, object_, rows, names)
        yield rows, following is None
        if following is None:
            return
        told = client.more(following)


def by_id(client: Client, object_: str, fields: Sequence[str], ids: Sequence[str]) -> list[Row]:
    """The rows with these ids that there are, deleted and archived ones too; in no order."""
    return [
        row
        for begin in range(0, len(ids), IDS)
        for rows, _ in pages(client, object_, fields, where=among("Id", ids[begin : begin + IDS]))
        for row in rows
    ]


def _joined(client: Client, object_: str, rows: Sequence[Row], names: Sequence[str]) -> list[Row]:
    """The rows with more fields. One purged in between has none, and counts as deleted."""
    found = {row["Id"]: row for row in by_id(client, object_, ["Id", *names], [row["Id"] for row in rows])}
    return [{**row, **found.get(row["Id"], {"IsDeleted": True})} for row in rows]
