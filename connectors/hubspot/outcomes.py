"""What became of deals, each told once with all the contacts it hangs on.

A deal that hangs on nobody, or stands in a pipeline that does not count, is told as one that speaks of nobody: so whom
it spoke of before is known to be left.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors.base import Cursor, Deletion, FieldDefinition, Page, Record, instant
from connectors.errors import ConnectorError
from connectors.hubspot.associations import contacts_of, gathered
from connectors.hubspot.fields import decode
from connectors.hubspot.marketing import NAMED_MS, only
from connectors.hubspot.marks import milliseconds
from connectors.hubspot.reading import Kind, Reading, steps
from connectors.hubspot.records import definitions_of, merged_into
from connectors.hubspot.walks import Row

DEALS = Kind(name="deals", stamp="hs_lastmodifieddate")
#: what is asked for beside the mapped properties
_PROPERTIES = ("hs_lastmodifieddate", "createdate", "hs_merged_object_ids")


def outcomes(reading: Reading, stream: str, cursor: Cursor | None) -> Iterator[Page]:
    """Pages of the deals that changed; each holds up to 1,000, for that many associations are read by one call."""
    chosen = _chosen(reading, cursor)
    asked = tuple(dict.fromkeys((*_PROPERTIES, *reading.wanted.fields["deal"])))
    for step in gathered(steps(reading, DEALS, asked, cursor)):
        definitions = definitions_of(reading, "deal", step.rows)
        counting = [str(row["id"]) for row in step.rows if _counts(row, chosen)]
        contacts = contacts_of(reading, DEALS.name, counting)
        merged = [old for row in step.rows for old in merged_into(row["properties"], str(row["id"]))]
        yield Page(
            stream=stream,
            next_cursor={**step.cursor, **chosen},
            requested_at=step.requested_at,
            records=[_outcome(reading, row, definitions, contacts.get(str(row["id"]), ())) for row in step.rows],
            deletions=[Deletion(object="outcome", id=id_) for id_ in (*step.gone, *merged)],
        )


def _outcome(reading: Reading, row: Row, definitions: Sequence[FieldDefinition], contacts: Sequence[str]) -> Record:
    """The deal with the values ``won``, ``closed`` and ``closed_at``."""
    told, asked, id_ = row["properties"], reading.wanted.outcome, str(row["id"])
    values, unreadable = decode(told, definitions)
    created = told.get("createdate") or row.get("createdAt")
    try:
        return Record(
            object="outcome",
            id=id_,
            values={
                "won": asked is not None and values[asked.won] is True,
                "closed": asked is not None and values[asked.closed] is True,
                "closed_at": values["closedate"],
            },
            stamp_at=instant(told.get(DEALS.stamp) or row.get("updatedAt")),
            created_at=instant(created) if created else None,
            parents={f"contact:{contact}": contact for contact in contacts},
            unreadable=unreadable,
        )
    except ValueError as error:
        raise ConnectorError(f"HubSpot returned deal {id_} without readable dates of its own.") from error


def _counts(row: Row, chosen: Mapping[str, Any]) -> bool:
    return "pipelines" not in chosen or row["properties"].get("pipeline") in chosen["pipelines"]


def _chosen(reading: Reading, cursor: Cursor | None) -> dict[str, Any]:
    """The ids of the pipelines that count, asked for once a day, as the cursor keeps them; nothing where all count."""
    wanted = reading.wanted.outcome.pipelines if reading.wanted.outcome else ()
    now = milliseconds(reading.now())
    if not wanted:
        return {}
    if cursor and now - cursor["named"] < NAMED_MS:
        return {"pipelines": cursor["pipelines"], "named": cursor["named"]}
    told = reading.client.pipelines(DEALS.name).get("results") or ()
    known = [(str(one["id"]), str(one.get("label") or "")) for one in told]
    return {"pipelines": [only("deal pipeline", name, known)[0] for name in wanted], "named": now}
