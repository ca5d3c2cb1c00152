"""Handler of the associations API: which records hang on which, in batches."""

from connectors.emulator.clock import iso
from connectors.emulator.hubspot.world import World
from connectors.emulator.wire import Reply, Request, invalid

_TYPES = {
    ("contacts", "companies"): (1, 279),
    ("companies", "contacts"): (2, 280),
    ("deals", "contacts"): (3,),
    ("contacts", "deals"): (4,),
    ("contacts", "calls"): (193,),
    ("calls", "contacts"): (194,),
    ("contacts", "emails"): (197,),
    ("emails", "contacts"): (198,),
    ("contacts", "meetings"): (199,),
    ("meetings", "contacts"): (200,),
}
PAGE = 500


def batch_read(world: World, request: Request) -> Reply:
    """Links of up to 1,000 records; records without links are missing from the reply."""
    kind, to_kind = (world.table(request.parts[name]).kind for name in ("kind", "to"))
    inputs = request.field("inputs", list)
    if len(inputs) > 1000:
        raise invalid(f"Invalid input JSON: at most 1000 inputs are allowed, there are {len(inputs)}")
    types = [
        {"category": "HUBSPOT_DEFINED", "typeId": number, "label": "Primary" if number in (1, 2) else None}
        for number in _TYPES.get((kind, to_kind), ())
    ]
    results = []
    for item in inputs:
        row = world.tables[kind].find(int(item["id"])) if str(item.get("id")).isdigit() else None
        ids = world.linked(kind, row.id, to_kind) if row and types else []
        start = int(item.get("after") or 0)
        page = ids[start : start + PAGE]
        if page:
            found = {
                "from": {"id": str(item["id"])},
                "to": [
                    {"toObjectId": str(other) if request.dated else other, "associationTypes": types} for other in page
                ],
            }
            if len(ids) > start + PAGE:
                found["paging"] = {"next": {"after": str(start + PAGE)}}
            results.append(found)
    now = iso(world.clock.now_ms())
    return Reply(body={"status": "COMPLETE", "results": results[::-1], "startedAt": now, "completedAt": now})
