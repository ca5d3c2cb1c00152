"""Handlers of the objects API: lists, single records, batches, search, merge, archive, erasure."""

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.emulator.clock import iso
from connectors.emulator.hubspot.merging import erase, merge
from connectors.emulator.hubspot.rows import Row, Table, Version
from connectors.emulator.hubspot.search import search
from connectors.emulator.hubspot.world import World, bad_values
from connectors.emulator.wire import Reply, Request, invalid, not_found

_GET_DEFAULTS = {
    "contacts": ("firstname", "lastname", "email"),
    "companies": ("name", "domain"),
    "deals": ("dealname", "amount", "closedate", "pipeline", "dealstage"),
}
_LINK_NAMES = {
    "contacts": "contact",
    "companies": "company",
    "deals": "deal",
    "emails": "email",
    "calls": "call",
    "meetings": "meeting",
}


def list_page(world: World, request: Request) -> Reply:
    """One page of all records in id order."""
    table = world.table(request.parts["kind"])
    with_history = request.texts("propertiesWithHistory")
    limit = request.number("limit", 10, most=50 if with_history else 100)
    after = request.text("after", "0")
    if not after.isdigit():
        raise invalid("'after' is not a cursor of this list")
    rows = table.page(after=int(after), limit=limit + 1, archived=request.flag("archived"))
    shown = [_shown(world, table, row, request) for row in rows[:limit]]
    body: dict[str, Any] = {"results": shown}
    if len(rows) > limit:
        last = str(rows[limit - 1].id)
        body["paging"] = {"next": {"after": last, "link": f"{request.path}?after={last}"}}
    return Reply(body=body)


def read_one(world: World, request: Request) -> Reply:
    """One record; a merged-away id answers with its survivor."""
    table = world.table(request.parts["kind"])
    if request.text("idProperty") == "email":
        row = world.row(table.kind, world.contact_of(request.parts["id"]) or "")
    else:
        row = world.row(table.kind, request.parts["id"], archived=request.flag("archived"))
    return Reply(body=_shown(world, table, row, request))


def create(world: World, request: Request) -> Reply:
    """A new record."""
    table = world.table(request.parts["kind"])
    values = world.prepare(table.kind, request.field("properties", dict))
    row = world.create(table.kind, values)
    return Reply(status=201, body=record(table, row, row.now, sorted(values)))


def update_one(world: World, request: Request) -> Reply:
    """Sets properties of one record."""
    table = world.table(request.parts["kind"])
    row = world.row(table.kind, request.parts["id"])
    values = world.prepare(table.kind, request.field("properties", dict))
    rule = world.rules.refusal(table.kind, row.id, values)
    if rule:
        raise bad_values([(rule.property, rule.code, rule.message)], world.portal_id)
    world.write(table.kind, row, values)
    return Reply(body=record(table, row, row.now, sorted(values)))


def archive(world: World, request: Request) -> Reply:
    """Puts one record into the recycle bin; harmless to repeat."""
    row = world.table(request.parts["kind"]).find(int(request.parts["id"]))
    if row:
        world.archive(request.parts["kind"], row)
    return Reply(status=204)


def batch_read(world: World, request: Request) -> Reply:
    """Up to 100 records by id or address; those not found are errors of the reply."""
    table = world.table(request.parts["kind"])
    with_history = _known(world, table, (request.body or {}).get("propertiesWithHistory") or ())
    ids = _ids(request, most=50 if with_history else 100)
    by_email = request.body.get("idProperty") == "email"
    names = _known(world, table, request.body.get("properties") or _GET_DEFAULTS.get(table.kind, ()))
    results, missing = {}, []
    for row_id in ids:
        found = world.contact_of(row_id) if by_email else (int(row_id) if row_id.isdigit() else None)
        row = table.find(found) if found is not None else None
        if row is None or bool(row.archived_ms) is not request.flag("archived"):
            missing.append(row_id)
        else:
            results[row.id] = record(table, row, row.now, names, with_history=with_history)
    return _batch_reply(world, request, table, list(results.values()), missing)


def batch_update(world: World, request: Request) -> Reply:
    """Sets properties of up to 100 records. One bad value and nothing is written; a missing id spoils only itself."""
    table = world.table(request.parts["kind"])
    _ids(request, most=100)
    prepared = []
    missing, refused = [], []
    for item in request.body["inputs"]:
        if not isinstance(item.get("properties"), dict):
            raise invalid("Invalid input JSON: 'properties' is missing or not of the expected type")
        values = world.prepare(table.kind, item["properties"])
        row = table.find(int(item["id"])) if str(item["id"]).isdigit() else None
        if row is None or row.archived_ms:
            missing.append(str(item["id"]))
            continue
        rule = world.rules.refusal(table.kind, row.id, values)
        if rule and rule.status == 400:
            raise bad_values([(rule.property, rule.code, rule.message)], world.portal_id)
        if rule:
            refused.append((str(item["id"]), rule.code, rule.message))
        else:
            prepared.append((row, values))
    for row, values in prepared:
        world.write(table.kind, row, values)
    results = [record(table, row, row.now, sorted(values)) for row, values in prepared]
    errors = [
        {
            "status": "error",
            "category": "VALIDATION_ERROR",
            "message": message,
            "context": {"ids": [row_id]},
            "errors": [{"message": message, "code": code}],
        }
        for row_id, code, message in refused
    ]
    return _batch_reply(world, request, table, results, missing, errors)


def search_page(world: World, request: Request) -> Reply:
    """One page of a search, as the index shows it."""
    table = world.table(request.parts["kind"])
    if not isinstance(request.body, dict):
        raise invalid("Invalid input JSON: an object is expected")
    table.settle(world.clock.now_ms())
    found = search(table, world.definitions[table.kind], request.body)
    defaults = ("createdate", "email", "firstname", "lastname") if table.kind == "contacts" else ("hs_createdate",)
    names = _known(world, table, request.body.get("properties") or defaults)
    results = [record(table, row, row.indexed or row.now, names) for row in found.rows]
    body: dict[str, Any] = {"total": found.total, "results": results}
    if found.after is not None:
        body["paging"] = {"next": {"after": str(found.after)}}
    return Reply(body=body)


def merge_two(world: World, request: Request) -> Reply:
    """Merges two records; the reply has the survivor's new id."""
    kind = request.parts["kind"]
    rows = [world.row(kind, request.field(name, str)) for name in ("primaryObjectId", "objectIdToMerge")]
    table = world.table(kind)
    survivor = merge(world, kind, rows[0], rows[1])
    return Reply(body=record(table, survivor, survivor.now, sorted(survivor.now.properties)))


def gdpr_delete(world: World, request: Request) -> Reply:
    """Erases a contact for good; harmless to repeat."""
    object_id = request.field("objectId", str)
    by_email = request.body.get("idProperty") == "email"
    found = world.contact_of(object_id) if by_email else (int(object_id) if object_id.isdigit() else None)
    row = world.tables["contacts"].find(found) if found is not None else None
    if row is None and not by_email:
        raise not_found()
    if row:
        erase(world, row)
    return Reply(status=204)


def record(
    table: Table, row: Row, version: Version, names: Sequence[str], *, with_history: Sequence[str] = ()
) -> dict[str, Any]:
    """A record as the API shows it, with HubSpot's own three properties."""
    shown: dict[str, Any] = {
        "id": str(row.id),
        "properties": table.shown(row, version, (*names, *table.always)),
        "createdAt": iso(row.created_ms),
        "updatedAt": iso(version.updated_ms),
        "archived": bool(row.archived_ms),
    }
    if row.archived_ms:
        shown["archivedAt"] = iso(row.archived_ms)
    if with_history:
        shown["propertiesWithHistory"] = {name: _history(table, row, name) for name in with_history}
    return shown


def _shown(world: World, table: Table, row: Row, request: Request) -> dict[str, Any]:
    names = request.texts("properties") or _GET_DEFAULTS.get(table.kind, ())
    with_history = _known(world, table, request.texts("propertiesWithHistory"))
    shown = record(table, row, row.now, _known(world, table, names), with_history=with_history)
    links = {}
    for to in request.texts("associations"):
        to_kind = world.table(to).kind
        ids = world.linked(table.kind, row.id, to_kind)
        if ids:
            type_ = f"{_LINK_NAMES[table.kind]}_to_{_LINK_NAMES[to_kind]}"
            links[to_kind] = {"results": [{"id": str(other), "type": type_} for other in ids]}
    if links:
        shown["associations"] = links
    return shown


def _known(world: World, table: Table, names: Sequence[str]) -> list[str]:
    """The names that exist; HubSpot drops the others without a word."""
    known = world.definitions[table.kind]
    return [name for name in names if name in known]


def _history(table: Table, row: Row, name: str) -> list[dict[str, Any]]:
    changes = [(change.value, change.at_ms, change.source) for change in row.history.get(name, ())]
    value = table.shown(row, row.now, [name])[name]
    if not changes and value is not None:
        changes = [(value, row.created_ms, "IMPORT")]
    return [
        {"value": value, "timestamp": iso(at_ms), "sourceType": source, "sourceId": "emulator"}
        for value, at_ms, source in reversed(changes)
    ]


def _ids(request: Request, *, most: int) -> list[str]:
    inputs = request.field("inputs", list)
    if len(inputs) > most:
        raise invalid(f"Invalid input JSON: at most {most} inputs are allowed, there are {len(inputs)}")
    try:
        ids = [str(item["id"]) for item in inputs]
    except (TypeError, KeyError) as error:
        raise invalid("Invalid input JSON: every input needs an id") from error
    if not ids:
        raise invalid("Invalid input JSON: there are no inputs")
    if len(set(ids)) < len(ids):
        raise invalid("Duplicate IDs found in batch input: an id may stand there once")
    return ids


def _batch_reply(
    world: World,
    request: Request,
    table: Table,
    results: list[dict[str, Any]],
    missing: Sequence[str],
    errors: Sequence[Mapping[str, Any]] = (),
) -> Reply:
    now = iso(world.clock.now_ms())
    # HubSpot promises no order: reversed, so that nobody relies on one
    body: dict[str, Any] = {"status": "COMPLETE", "results": results[::-1], "startedAt": now, "completedAt": now}
    found = list(errors)
    if missing:
        name = _LINK_NAMES[table.kind].upper()
        hint = "they may be deleted or not exist. Check that ids are valid."
        found.append(
            {
                "status": "error",
                "category": "OBJECT_NOT_FOUND",
                "message": f"Could not get some {name} objects, {hint}",
                "context": {"ids": list(missing)},
            }
        )
    if not found:
        return Reply(body=body)
    body |= {"numErrors": len(found), "errors": found}
    return Reply(status=world.dated_partial_status if request.dated else 207, body=body)
