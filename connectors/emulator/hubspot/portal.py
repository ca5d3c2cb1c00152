"""Handlers of what a portal is: property definitions, owners, account, usage and limits."""

import re
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from connectors.emulator.clock import iso, to_ms
from connectors.emulator.hubspot.definitions import DEAL_STAGES, FIELD_TYPES, PIPELINES, Definition
from connectors.emulator.hubspot.world import World
from connectors.emulator.wire import Refusal, Reply, Request, invalid, not_found


def properties(world: World, request: Request) -> Reply:
    """All definitions of an object."""
    kind = world.table(request.parts["kind"]).kind
    return Reply(body={"results": [definition.to_json() for definition in world.definitions[kind].values()]})


def one_property(world: World, request: Request) -> Reply:
    """One definition."""
    kind = world.table(request.parts["kind"]).kind
    definition = world.definitions[kind].get(request.parts["name"])
    if definition is None:
        raise not_found(f"Property {request.parts['name']} does not exist on {kind}")
    return Reply(body=definition.to_json())


def create_property(world: World, request: Request) -> Reply:
    """A new definition."""
    kind = world.table(request.parts["kind"]).kind
    name, label, group = (request.field(key, str) for key in ("name", "label", "groupName"))
    type_, field_type = request.field("type", str), request.field("fieldType", str)
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,99}", name):
        raise invalid(f"Property name '{name}' is not valid")
    if field_type not in FIELD_TYPES.get(type_, ()):
        raise invalid(f"'{field_type}' is not a valid fieldType of type '{type_}'")
    if name in world.definitions[kind]:
        raise Refusal(409, "OBJECT_ALREADY_EXISTS", f"A property named '{name}' already exists.")
    options = request.body.get("options") or []
    if type_ == "bool" and {item.get("value") for item in options} != {"true", "false"}:
        raise invalid("A bool property needs the options true and false")
    definition = Definition(
        name=name,
        label=label,
        type=type_,
        field_type=field_type,
        options=tuple(str(item["value"]) for item in options),
        labels={str(item["value"]): str(item["label"]) for item in options},
        hubspot_defined=False,
        group=group,
        description=str(request.body.get("description") or ""),
        has_unique_value=bool(request.body.get("hasUniqueValue")),
    )
    world.definitions[kind][name] = definition
    return Reply(status=201, body=definition.to_json())


def pipelines(world: World, request: Request) -> Reply:
    """All pipelines of deals; the other objects have none here."""
    stages = [
        {
            "id": stage,
            "label": label,
            "displayOrder": place,
            "metadata": {"isClosed": str(stage.startswith("closed")).lower()},
            "archived": False,
        }
        for place, (stage, label) in enumerate(DEAL_STAGES.items())
    ]
    known = PIPELINES if world.table(request.parts["kind"]).kind == "deals" else {}
    results = [
        {"id": id_, "label": label, "displayOrder": place, "stages": stages, "archived": False}
        for place, (id_, label) in enumerate(known.items())
    ]
    return Reply(body={"results": results})


def owners(world: World, request: Request) -> Reply:
    """All owners."""
    if request.flag("archived"):
        return Reply(body={"results": []})
    wanted = request.text("email").casefold()
    limit, after = request.number("limit", 100, most=500), request.text("after")
    found = [_owner(world, number) for number in world.owners]
    found = [owner for owner in found if wanted in ("", owner["email"].casefold()) and owner["id"] > after]
    body: dict[str, Any] = {"results": found[:limit]}
    if len(found) > limit:
        body["paging"] = {"next": {"after": found[limit - 1]["id"]}}
    return Reply(body=body)


def _owner(world: World, number: str) -> dict[str, Any]:
    first, last, email = world.owners[number]
    return {
        "id": number,
        "email": email,
        "type": "PERSON",
        "userId": int(number) + 70_000,
        "userIdIncludingInactive": int(number) + 70_000,
        "firstName": first,
        "lastName": last,
        "createdAt": iso(0),
        "updatedAt": iso(0),
        "archived": False,
    }


def account(world: World, _: Request) -> Reply:
    """Which portal this is."""
    zone = ZoneInfo(world.time_zone)
    offset = world.clock.now().astimezone(zone).strftime("%z")
    return Reply(
        body={
            "portalId": world.portal_id,
            "accountType": world.account_type,
            "timeZone": world.time_zone,
            "companyCurrency": "USD",
            "additionalCurrencies": [],
            "utcOffset": f"{offset[:3]}:{offset[3:]}",
            "utcOffsetMilliseconds": round(world.clock.now().astimezone(zone).utcoffset().total_seconds() * 1000),  # type: ignore[union-attr]  # aware
            "uiDomain": "app.hubspot.example",
            "dataHostingLocation": "na1",
        }
    )


def usage(world: World, _: Request) -> Reply:
    """Calls of the portal's day."""
    limits = world.limits
    zone = ZoneInfo(world.time_zone)
    midnight = world.clock.now().astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    usage_ = {
        "name": "private-apps-api-calls-daily",
        "usageLimit": limits.per_day,
        "currentUsage": limits.used_today,
        "collectedAt": iso(world.clock.now_ms()),
        "fetchStatus": "SUCCESS",
        "resetsAt": iso(to_ms(midnight + timedelta(days=1))),
    }
    return Reply(body={"results": [usage_]})


def property_limits(world: World, _: Request) -> Reply:
    """How many custom properties there are and may be."""
    counts = {
        kind: sum(not definition.hubspot_defined for definition in known.values())
        for kind, known in world.definitions.items()
    }
    ids = {"contacts": "0-1", "companies": "0-2"}
    by_type = [
        {"objectTypeId": ids[kind], "limit": 1000, "usage": counts[kind], "percentage": counts[kind] / 10}
        for kind in ids
    ]
    return Reply(body={"overallLimit": 1000, "overallUsage": sum(counts.values()), "byObjectType": by_type})
