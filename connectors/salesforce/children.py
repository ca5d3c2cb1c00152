"""Members of campaigns and roles in opportunities, read again when what they hang on has changed.

Such a change moves no stamp of theirs. The first pull only notes the time, for the children's own stream reads them
all. A parent whose own values are those of its last reading is passed over: Salesforce stamps a campaign anew with each
member who responds.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import orjson

from connectors.base import Cursor, Page
from connectors.salesforce import activities, outcomes
from connectors.salesforce.fields import Row, held
from connectors.salesforce.keyset import steps
from connectors.salesforce.reading import Reading, pages
from connectors.salesforce.soql import among, quoted

#: parents whose children are read together
_TOGETHER = 50
#: parents whose last reading is remembered
_REMEMBERED = 2_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Family:
    """Parents, the fields of theirs that children show, and the children."""

    parent: str
    values: tuple[str, ...]
    child: str
    #: the child's field that points to the parent
    by: str
    columns: tuple[str, ...]
    #: what a page holds of these children
    told: Callable[[Sequence[Row]], Mapping[str, Any]]


def members(reading: Reading, stream: str, cursor: Cursor | None) -> Iterator[Page]:
    """Pages of the members of campaigns that changed."""

    def told(rows: Sequence[Row]) -> Mapping[str, Any]:
        found, gone = activities.read_rows(reading, "CampaignMember", rows, lambda _: True)
        return {"activities": found, "deletions": gone}

    family = Family(
        parent="Campaign",
        values=reading.wanted.campaign_fields,
        child="CampaignMember",
        by="CampaignId",
        columns=activities.columns(reading, "CampaignMember"),
        told=told,
    )
    with activities.named_when_missing(reading, "CampaignMember"):
        yield from _pages(reading, stream, family, cursor)


def roles(reading: Reading, stream: str, cursor: Cursor | None) -> Iterator[Page]:
    """Pages of the roles in opportunities that changed."""

    def told(rows: Sequence[Row]) -> Mapping[str, Any]:
        found, gone = outcomes.read_rows(reading, rows)
        return {"records": found, "deletions": gone}

    family = Family(
        parent="Opportunity",
        values=outcomes.opportunity_fields(reading),
        child=outcomes.ROLE,
        by="OpportunityId",
        columns=outcomes.columns(reading),
        told=told,
    )
    return _pages(reading, stream, family, cursor)


def _pages(reading: Reading, stream: str, family: Family, cursor: Cursor | None) -> Iterator[Page]:
    if cursor is None:
        now = reading.server_ms()
        mark = now - reading.windows.patience_ms
        state = {"v": 1, "mark": mark, "newest": mark, "swept": now, "last": {}}
        yield Page(stream=stream, next_cursor=state, requested_at=reading.now())
        return
    if "open" in cursor:
        yield from _children(reading, stream, family, cursor)
        cursor = _closed(cursor)
    last = cursor["last"]
    walk = {name: value for name, value in cursor.items() if name != "last"}
    fields = dict.fromkeys(("Id", "SystemModstamp", "IsDeleted", *family.values))
    for step in steps(reading, family.parent, tuple(fields), walk):
        for begin in range(0, max(1, len(step.rows)), _TOGETHER):
            some = step.rows[begin : begin + _TOGETHER]
            digests = {row["Id"]: _digest(family, row) for row in some}
            changed = {id_: digest for id_, digest in digests.items() if last.get(id_) != digest}
            reached = step.cursor if begin + _TOGETHER >= len(step.rows) else step.until(some[-1])
            opened = {**reached, "last": last, "open": changed}
            if changed:
                yield from _children(reading, stream, family, opened)
            closed = _closed(opened)
            last = closed["last"]
            yield Page(stream=stream, next_cursor=closed, requested_at=step.requested_at)


def _children(reading: Reading, stream: str, family: Family, cursor: Cursor) -> Iterator[Page]:
    """Pages of the children of the parents that the cursor holds open, in the order of their ids."""
    where = among(family.by, list(cursor["open"]))
    if "after" in cursor:
        where += f" AND Id > {quoted(cursor['after'])}"
    requested_at = reading.now()
    for rows, _ in pages(reading.client, family.child, family.columns, where=where, order="Id"):
        if rows:
            following = {**cursor, "after": rows[-1]["Id"]}
            yield Page(stream=stream, next_cursor=following, requested_at=requested_at, **family.told(rows))
        requested_at = reading.now()


def _closed(cursor: Cursor) -> dict[str, Any]:
    """The cursor once the children of its open parents are read."""
    opened = cursor["open"]
    last = {id_: digest for id_, digest in cursor["last"].items() if id_ not in opened} | dict(opened)
    recent = dict(list(last.items())[-_REMEMBERED:])
    return {**{name: value for name, value in cursor.items() if name not in ("open", "after")}, "last": recent}


def _digest(family: Family, row: Row) -> str:
    """Stands for what children show of the parent."""
    values = [row.get("IsDeleted"), *(held(row, name) for name in family.values)]
    return blake2b(orjson.dumps(values), digest_size=6).hexdigest()
