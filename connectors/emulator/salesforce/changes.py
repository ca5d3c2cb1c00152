"""What changed or went away between two instants, as replication asks for it."""

from connectors.emulator.clock import DAY_MS
from connectors.emulator.salesforce.instants import instant_ms, shown
from connectors.emulator.salesforce.org import Org
from connectors.emulator.salesforce.refusals import Refused
from connectors.emulator.wire import Reply, Request

_MINUTE_MS = 60_000
UPDATED_DAYS, DELETED_DAYS = 30, 15


def updated(org: Org, request: Request) -> Reply:
    """``GET sobjects/{object}/updated``."""
    object_ = org.object_type(request.parts["object"]).name
    start_ms, end_ms = _window(org, request, UPDATED_DAYS)
    seen = [row.seen(org.clock.now_ms()) for row in org.rows[object_].values()]
    ids = [row.id for row in seen if row and not row.deleted and start_ms <= row.stamp_ms < end_ms]
    return Reply(body={"ids": ids, "latestDateCovered": shown(min(end_ms, _covered_ms(org, object_)))})


def deleted(org: Org, request: Request) -> Reply:
    """``GET sobjects/{object}/deleted``."""
    object_ = org.object_type(request.parts["object"]).name
    start_ms, end_ms = _window(org, request, DELETED_DAYS)
    now_ms = org.clock.now_ms()
    seen = [row.seen(now_ms) for row in org.rows[object_].values() if row.deleted]
    gone = [row for row in seen if row and row.deleted and start_ms <= row.stamp_ms < end_ms]
    return Reply(
        body={
            "deletedRecords": [{"id": row.id, "deletedDate": shown(row.stamp_ms)} for row in gone],
            "earliestDateAvailable": shown(now_ms - DELETED_DAYS * DAY_MS),
            "latestDateCovered": shown(min(end_ms, _covered_ms(org, object_))),
        }
    )


def _window(org: Org, request: Request, days: int) -> tuple[int, int]:
    """Start and end in ms, their seconds left out."""
    ends = []
    for name in ("start", "end"):
        try:
            ends.append(instant_ms(request.text(name).replace(" ", "+")) // _MINUTE_MS * _MINUTE_MS)
        except ValueError as error:
            raise Refused("INVALID_REPLICATION_DATE", f"{name} is missing or no instant with an offset") from error
    start_ms, end_ms = ends
    if end_ms - start_ms < _MINUTE_MS:
        raise Refused("INVALID_REPLICATION_DATE", "startDate must be at least one minute before endDate")
    if start_ms < org.clock.now_ms() - days * DAY_MS:
        raise Refused("INVALID_REPLICATION_DATE", f"startDate cannot be more than {days} days ago")
    return start_ms, end_ms


def _covered_ms(org: Org, object_: str) -> int:
    """Where everything before is visible: the oldest change still to be committed, else now."""
    now_ms = org.clock.now_ms()
    late = [row.stamp_ms for row in org.rows[object_].values() if row.seen(now_ms) is not row]
    return min(late, default=now_ms)
