"""Campaign members who responded, closed tasks, and events, as activities."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

import structlog

from connectors.base import Activity, Attribute, Cursor, Deletion, Page, instant
from connectors.errors import Fatal, Missing, Refused
from connectors.salesforce.fields import Row, held, text
from connectors.salesforce.keyset import steps
from connectors.salesforce.reading import Reading
from connectors.salesforce.records import noon
from connectors.salesforce.wanted import CAMPAIGN

log = structlog.get_logger(__name__)

#: the attribute by which ``not_created_by`` leaves items out: the user's name as id, the user's address as label
CREATED_BY = "created_by"
_OWN = ("Id", "SystemModstamp", "CreatedDate", "IsDeleted")


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """One object whose rows are activities."""

    #: what is asked for beside the attributes
    fields: tuple[str, ...]
    #: the fields that hold the person's record
    people: tuple[str, ...]
    #: whether the row is something that happened
    happened: Callable[[Row], bool]
    #: what may say when, the better one first
    when: Callable[[Row], Iterable[tuple[Callable[[str], datetime], str]]]


_SOURCES: Mapping[str, Source] = MappingProxyType(
    {
        "CampaignMember": Source(
            fields=("HasResponded", "FirstRespondedDate", "LeadId", "ContactId"),
            people=("LeadId", "ContactId"),
            happened=lambda row: bool(row["HasResponded"]),
            when=lambda _: ((noon, "FirstRespondedDate"), (instant, "CreatedDate")),
        ),
        "Task": Source(
            fields=("IsClosed", "CompletedDateTime", "ActivityDate", "WhoId"),
            people=("WhoId",),
            happened=lambda row: bool(row["IsClosed"]),
            when=lambda _: ((instant, "CompletedDateTime"), (noon, "ActivityDate"), (instant, "CreatedDate")),
        ),
        "Event": Source(
            fields=("StartDateTime", "IsAllDayEvent", "ActivityDate", "WhoId"),
            people=("WhoId",),
            happened=lambda _: True,
            # the start of an all-day event is a midnight without a zone
            when=lambda row: (
                ((noon, "ActivityDate"), (noon, "StartDateTime"))
                if row["IsAllDayEvent"]
                else ((instant, "StartDateTime"), (noon, "ActivityDate"))
            ),
        ),
    }
)


def columns(reading: Reading, source: str) -> tuple[str, ...]:
    """The fields to ask of a source, in the order of the SELECT."""
    asked: list[str] = []
    for name in reading.wanted.attributes[source]:
        asked += ["CampaignId", "Campaign.Name"] if (source, name) == ("CampaignMember", CAMPAIGN) else [name]
    author = ("CreatedBy.Username", "CreatedBy.Email") if source in reading.wanted.authored else ()
    return tuple(dict.fromkeys((*_OWN, *_SOURCES[source].fields, *author, *asked)))


def activities(reading: Reading, source: str, cursor: Cursor | None) -> Iterator[Page]:
    """Pages of one source; Missing when a field the settings name is not there."""
    with named_when_missing(reading, source):
        for step in steps(reading, source, columns(reading, source), cursor):
            found, gone = read_rows(reading, source, step.rows, step.known)
            yield Page(
                stream=source,
                next_cursor=step.cursor,
                requested_at=step.requested_at,
                activities=found,
                deletions=gone,
            )


def read_rows(
    reading: Reading, source: str, rows: Sequence[Row], known: Callable[[Row], bool]
) -> tuple[list[Activity], list[Deletion]]:
    """The activities, and those that are none any more: deleted, or changed since they may have been given."""
    found, gone, undated = [], [], []
    told = _SOURCES[source]
    for row in rows:
        records = tuple(dict.fromkeys(row[name] for name in told.people if row.get(name)))
        if row["IsDeleted"] or not records or not told.happened(row):
            if row["IsDeleted"] or known(row):
                gone.append(Deletion(source=source, id=row["Id"]))
            continue
        at = _first(row, told)
        if at is None:
            undated.append(row["Id"])
            continue
        found.append(
            Activity(
                source=source,
                id=row["Id"],
                at=at,
                records=records,
                attributes=_attributes(reading, source, row),
                changed_at=instant(row["SystemModstamp"]),
                may_have_moved=known(row),
            )
        )
    if undated:
        log.info("activities_without_date", source=source, count=len(undated), sample=undated[:3])
    return found, gone


def _first(row: Row, source: Source) -> datetime | None:
    for read, name in source.when(row):
        try:
            if row.get(name):
                return read(row[name])
        except ValueError:
            continue
    return None


def _attributes(reading: Reading, source: str, row: Row) -> dict[str, Attribute]:
    found = {}
    for name in reading.wanted.attributes[source]:
        if (source, name) == ("CampaignMember", CAMPAIGN):
            attribute = Attribute(id=text(row["CampaignId"]), label=text(held(row, "Campaign.Name")))
        else:
            attribute = Attribute(id=text(held(row, name)))
        if attribute.id:
            found[name] = attribute
    if source in reading.wanted.authored:
        username, address = (text(held(row, f"CreatedBy.{name}")).casefold() for name in ("Username", "Email"))
        found[CREATED_BY] = Attribute(id=username, label=address)
    return found


@contextmanager
def named_when_missing(reading: Reading, source: str) -> Iterator[None]:
    """Within it, a failure because the org does not show the source, or a field of it, becomes Missing."""
    try:
        yield
    except Fatal as fatal:
        paths = columns(reading, source)
        asked = {source: [name for name in paths if "." not in name]}
        if source == "CampaignMember" and reading.wanted.campaign_fields:
            asked["Campaign"] = list(reading.wanted.campaign_fields)
        for object_, names in asked.items():
            _refuse_missing(reading, object_, names, fatal)
        raise


def _refuse_missing(reading: Reading, object_: str, names: Sequence[str], fatal: Fatal) -> None:
    try:
        told = reading.client.describe(object_)
    except Refused:
        raise Missing(
            f"Salesforce shows no {object_}: grant the connection's user the right to read it, or take the activities "
            "that need it out of the connection's file."
        ) from fatal
    shown = {str(one["name"]).casefold() for one in told["fields"]}
    lost = [name for name in names if name.casefold() not in shown]
    if lost:
        raise Missing(
            f"Salesforce shows no field {', '.join(lost)} of {object_}: it is not there, or hidden from the "
            "connection's user. Grant it by the permission set, or name another one in the connection's file."
        ) from fatal
