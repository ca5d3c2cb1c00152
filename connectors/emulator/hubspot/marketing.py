"""Handlers of forms, marketing mail and lists."""

import base64
import binascii
from typing import Any

from connectors.emulator.clock import iso
from connectors.emulator.hubspot.activities import MAIL_TYPES, MailEvent
from connectors.emulator.hubspot.world import World
from connectors.emulator.wire import Reply, Request, invalid, not_found, whole

_FAR = 1 << 62


def forms(world: World, request: Request) -> Reply:
    """Definitions of all forms."""
    limit = request.number("limit", 20, most=500)
    start = int(request.text("after", "0"))
    items = list(world.forms.names.items())
    stamp = iso(0)
    body: dict[str, Any] = {
        "results": [
            {
                "id": guid,
                "name": name,
                "formType": "hubspot",
                "createdAt": stamp,
                "updatedAt": stamp,
                "archived": False,
                "fieldGroups": [],
            }
            for guid, name in items[start : start + limit]
        ]
    }
    if start + limit < len(items):
        body["paging"] = {"next": {"after": str(start + limit)}}
    return Reply(body=body)


def submissions(world: World, request: Request) -> Reply:
    """One page of a form's submissions, newest first."""
    guid = request.parts["guid"]
    if guid not in world.forms.names:
        raise not_found(f"Form with guid {guid} does not exist")
    limit = request.number("limit", 20, most=50)
    found = world.forms.submissions(guid).before(_key(request.text("after")) or (_FAR,), limit + 1)
    body: dict[str, Any] = {
        "results": [
            {
                "conversionId": f"{item.number:08x}-0000-4000-8000-0000000000f0",
                "submittedAt": item.at_ms,
                "values": [{"name": name, "value": value, "objectTypeId": "0-1"} for name, value in item.values],
                "pageUrl": item.page_url,
            }
            for item in found[:limit]
        ]
    }
    if len(found) > limit:
        body["paging"] = {"next": {"after": _token(found[limit - 1][:2]), "link": request.path}}
    return Reply(body=body)


def mail_events(world: World, request: Request) -> Reply:
    """One page of marketing-mail events, newest first."""
    type_ = request.text("eventType")
    if type_ and type_ not in MAIL_TYPES:
        raise invalid(f"'{type_}' is no event type; known are {', '.join(MAIL_TYPES)}")
    limit = request.number("limit", 100, most=1000)
    low = int(request.text("startTimestamp", "0"))
    high = int(request.text("endTimestamp", str(_FAR)))
    key: tuple[int, ...] = _key(request.text("offset")) or (high + 1,)
    recipient = request.text("recipient").casefold()
    campaign = request.text("campaignId")
    bots = not request.flag("excludeFilteredEvents")
    log = world.mail.events(type_)
    found: list[MailEvent] = []
    while len(found) <= limit:
        chunk = log.before(key, limit + 1)
        found += [
            event
            for event in chunk
            if event.at_ms >= low
            and (bots or not event.filtered)
            and (not recipient or event.recipient.casefold() == recipient)
            and (not campaign or str(event.campaign) == campaign)
        ]
        if len(chunk) <= limit or chunk[-1].at_ms < low:
            break
        key = chunk[-1][:2]
    more = len(found) > limit
    body: dict[str, Any] = {"hasMore": more, "events": [_event(world, event) for event in found[:limit]]}
    body["offset"] = _token(found[limit - 1][:2]) if more else ""
    return Reply(body=body)


def campaign(world: World, request: Request) -> Reply:
    """One mail's name."""
    number = int(request.parts["id"])
    if number not in world.mail.campaigns:
        raise not_found(f"No campaign {number}")
    name = world.mail.campaigns[number]
    body = {"id": number, "appId": 113, "appName": "Batch", "name": name, "subject": name, "type": "BATCH_EMAIL"}
    return Reply(body=body)


def lists(world: World, request: Request) -> Reply:
    """One page of the lists whose name holds the query."""
    body = request.body if isinstance(request.body, dict) else {}
    start = whole(body.get("offset") or 0, name="offset", most=10**9, least=0)
    count = whole(body.get("count") or 20, name="count", most=500)
    query = str(body.get("query") or "").casefold()
    wanted = {str(number) for number in body.get("listIds") or ()}
    found = [
        {
            "listId": str(number),
            "name": name,
            "objectTypeId": "0-1",
            "processingType": "DYNAMIC",
            "processingStatus": "COMPLETE",
            "listVersion": 1,
            "additionalProperties": {"hs_list_size": str(len(world.lists.joins(number)))},
        }
        for number, name in world.lists.names.items()
        if query in name.casefold() and (not wanted or str(number) in wanted)
    ]
    page = found[start : start + count]
    end = start + len(page)
    return Reply(body={"lists": page, "offset": end, "hasMore": end < len(found), "total": len(found)})


def joins(world: World, request: Request) -> Reply:
    """One page of a list's members in the order they joined; newest first with ``before`` alone."""
    number = int(request.parts["id"])
    if number not in world.lists.names:
        raise not_found(f"List {number} does not exist")
    log = world.lists.joins(number)
    limit = request.number("limit", 100, most=250)
    before = request.text("before")
    if before and not request.text("after"):
        found = log.before(_key(before) or (_FAR,), limit + 1)
        side, name = "prev", "before"
    else:
        found = log.after(_key(request.text("after")) or (-1,), limit + 1)
        side, name = "next", "after"
    body: dict[str, Any] = {
        "results": [{"recordId": str(contact), "membershipTimestamp": iso(at_ms)} for at_ms, contact in found[:limit]],
        "total": len(log),
    }
    if len(found) > limit:
        body["paging"] = {side: {name: _token(found[limit - 1]), "link": request.path}}
    return Reply(body=body)


def _event(world: World, event: MailEvent) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": _event_id(event.number),
        "created": event.at_ms,
        "type": event.type,
        "recipient": event.recipient,
        "portalId": world.portal_id,
        "appId": 113,
        "appName": "Batch",
        "emailCampaignId": event.campaign,
        "filteredEvent": event.filtered,
    }
    if event.url:
        shown["url"] = event.url
    if event.sent_by:
        shown["sentBy"] = {"id": _event_id(event.sent_by[1]), "created": event.sent_by[0]}
    return shown


def _event_id(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-0000000000e0"


def _token(key: tuple[int, int]) -> str:
    return base64.urlsafe_b64encode(f"{key[0]}.{key[1]}".encode()).decode()


def _key(token: str) -> tuple[int, int] | None:
    if not token:
        return None
    try:
        at_ms, number = base64.urlsafe_b64decode(token).decode().split(".")
        return int(at_ms), int(number)
    except (ValueError, binascii.Error) as error:
        raise invalid("The paging cursor is not one this API gave") from error
