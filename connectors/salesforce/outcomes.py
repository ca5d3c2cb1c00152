"""What became of opportunities, told of each contact that has a role in one."""

from collections.abc import Iterator, Sequence

from connectors.base import Cursor, Deletion, Page, Record, instant
from connectors.salesforce.fields import Row, held
from connectors.salesforce.keyset import steps
from connectors.salesforce.reading import Reading

ROLE = "OpportunityContactRole"


def columns(reading: Reading) -> tuple[str, ...]:
    """The fields to ask of a role, in the order of the SELECT."""
    own = ("Id", "SystemModstamp", "CreatedDate", "IsDeleted", "ContactId")
    return (*own, "Opportunity.SystemModstamp", *(f"Opportunity.{name}" for name in opportunity_fields(reading)))


def opportunity_fields(reading: Reading) -> tuple[str, ...]:
    """The opportunity's fields that say what became of it."""
    asked = reading.wanted.outcome
    return (asked.won, asked.closed, "CloseDate") if asked else ()


def outcomes(reading: Reading, stream: str, cursor: Cursor | None) -> Iterator[Page]:
    """Pages of the roles that changed; those whose opportunity changed come with the stream ``opportunities``."""
    for step in steps(reading, ROLE, columns(reading), cursor):
        records, gone = read_rows(reading, step.rows)
        yield Page(
            stream=stream,
            next_cursor=step.cursor,
            requested_at=step.requested_at,
            records=records,
            deletions=gone,
        )


def read_rows(reading: Reading, rows: Sequence[Row]) -> tuple[list[Record], list[Deletion]]:
    """The roles as records with the values ``won``, ``closed`` and ``closed_on``; those deleted or of nobody, apart."""
    asked = reading.wanted.outcome
    records, gone = [], []
    for row in rows:
        if row["IsDeleted"] or not row.get("ContactId") or asked is None:
            gone.append(Deletion(object="outcome", id=row["Id"]))
            continue
        closed_on = held(row, "Opportunity.CloseDate")
        # the opportunity's change moves no stamp of its roles
        stamps = (row["SystemModstamp"], held(row, "Opportunity.SystemModstamp"))
        records.append(
            Record(
                object="outcome",
                id=row["Id"],
                values={
                    "won": held(row, f"Opportunity.{asked.won}") is True,
                    "closed": held(row, f"Opportunity.{asked.closed}") is True,
                    "closed_on": instant(closed_on).date() if closed_on else None,
                },
                stamp_at=max(instant(stamp) for stamp in stamps if stamp),
                created_at=instant(row["CreatedDate"]) if row.get("CreatedDate") else None,
                parents={"contact": row["ContactId"]},
            )
        )
    return records, gone
