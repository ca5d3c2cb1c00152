"""Activities that are CRM objects of their own: one-to-one mails, calls, meetings, with the contacts they hang on."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import structlog

from connectors.base import Activity, Attribute, Cursor, Deletion, Page, instant
from connectors.hubspot.associations import contacts_of, gathered
from connectors.hubspot.marks import milliseconds
from connectors.hubspot.reading import Kind, Reading, steps
from connectors.hubspot.walks import Row

log = structlog.get_logger(__name__)

_STAMP = "hs_lastmodifieddate"
#: source -> attribute -> property
_PROPERTIES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "emails": {"direction": "hs_email_direction", "status": "hs_email_status"},
        "calls": {
            "direction": "hs_call_direction",
            "status": "hs_call_status",
            "disposition": "hs_call_disposition",
        },
        "meetings": {"outcome": "hs_meeting_outcome"},
    }
)
#: source -> the properties that say when it happened, the better one first
_WHEN = MappingProxyType(
    {"emails": ("hs_timestamp",), "calls": ("hs_timestamp",), "meetings": ("hs_meeting_start_time", "hs_timestamp")}
)


def engagements(reading: Reading, source: str, cursor: Cursor | None) -> Iterator[Page]:
    """One activity per object; each page holds up to 1,000, for that many associations are read by one call."""
    mapped = {name: _PROPERTIES[source][name] for name in reading.wanted.engagements[source]}
    asked = tuple(dict.fromkeys((_STAMP, "hs_createdate", *_WHEN[source], *mapped.values())))
    labels = _labels(reading, source, mapped)
    # in a backfill nothing was read before
    newest = int(cursor["newest"]) if cursor and "mark" in cursor else -1
    for step in gathered(steps(reading, Kind(name=source, stamp=_STAMP), asked, cursor)):
        contacts = contacts_of(reading, source, [str(row["id"]) for row in step.rows])
        activities, unlinked = _activities(source, step.rows, contacts, mapped, labels, newest)
        yield Page(
            stream=source,
            next_cursor=step.cursor,
            requested_at=step.requested_at,
            activities=activities,
            deletions=[Deletion(source=source, id=id_) for id_ in (*step.gone, *unlinked)],
        )
        newest = int(step.cursor["newest"]) if newest >= 0 else newest


def _activities(
    source: str,
    rows: Iterable[Row],
    contacts: Mapping[str, Sequence[str]],
    mapped: Mapping[str, str],
    labels: Mapping[str, Mapping[str, str]],
    newest: int,
) -> tuple[list[Activity], list[str]]:
    """The activities, and the ids of those that may hang on nobody any more.

    What was created after ``newest``, the last change read before, is known to be new.
    """
    found, unlinked, undated = [], [], []
    for row in rows:
        told, id_ = row["properties"], str(row["id"])
        at = _first_instant(told, _WHEN[source])
        changed_at = _first_instant(told, (_STAMP,))
        created_at = _first_instant(told, ("hs_createdate",))
        old = newest >= 0 and (created_at is None or milliseconds(created_at) <= newest)
        if at is None:
            undated.append(id_)
        elif id_ in contacts:
            attributes = {
                name: Attribute(id=str(told[field]), label=labels.get(name, {}).get(str(told[field]), ""))
                for name, field in mapped.items()
                if told.get(field)
            }
            records = tuple(dict.fromkeys(contacts[id_]))
            found.append(
                Activity(
                    source=source,
                    id=id_,
                    at=at,
                    records=records,
                    attributes=attributes,
                    changed_at=changed_at or at,
                    may_have_moved=old,
                )
            )
        elif old:
            unlinked.append(id_)
    if undated:
        log.info("activities_without_date", source=source, count=len(undated), sample=undated[:3])
    return found, unlinked


def _first_instant(told: Mapping[str, Any], names: Iterable[str]) -> Any:
    for name in names:
        try:
            return instant(told.get(name))
        except ValueError:
            continue
    return None


def _labels(reading: Reading, source: str, mapped: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Attribute -> value -> what people call it; only call dispositions need it, being ids."""
    if "disposition" not in mapped:
        return {}
    return {"disposition": reading.option_labels(source, mapped["disposition"])}
