"""The org's side of ``/_emulator/``: read-back, people's edits, what becomes of records, settings.

Objects are named as Salesforce names them, with a capital; so one control call serves both CRMs.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any
from zoneinfo import ZoneInfo

from connectors.emulator.clock import iso
from connectors.emulator.hubspot.world import World
from connectors.emulator.salesforce.administration import field_at
from connectors.emulator.salesforce.ids import normalised
from connectors.emulator.salesforce.native_sync import NativeSync
from connectors.emulator.salesforce.org import Org, Row
from connectors.emulator.salesforce.people import add_person, add_twin


def records(org: Org, object_: str, query: Mapping[str, str]) -> dict[str, Any]:
    """Whole rows, those in the recycle bin too, without commit lag; at most ``limit`` after the id ``after``."""
    names = query["properties"].split(",") if "properties" in query else list(org.object_type(object_).fields)
    after, limit = query.get("after", ""), int(query.get("limit", 1 << 40))
    rows = [row for id_, row in sorted(org.rows[org.object_type(object_).name].items()) if id_ > after]
    return {"results": [org.shown(object_, row, ["Id", *names]) for row in rows[:limit]]}


def edit(org: Org, body: Mapping[str, Any]) -> dict[str, Any]:
    """A person's edit; without an id, a new record. ``CreatedDate`` and ``SystemModstamp`` may be given."""
    object_, properties = body["object"], body["properties"]
    id_ = body["id"] if "id" in body else org.create(object_, org.entered(object_, properties)).id
    return _done(org.edit(object_, id_, properties))


def people(org: Org, world: World, body: Mapping[str, Any]) -> dict[str, Any]:
    """One more lead or contact with their year: of a character, or the twin of a HubSpot contact."""
    if "contact" in body:
        return _done(add_twin(org, world, world.row("contacts", body["contact"]), object_=body["object"]))
    number = len(org.rows["Lead"]) + len(org.rows["Contact"])
    return _done(add_person(org, number, character=body.get("character", ""), object_=body["object"]))


def convert(org: Org, body: Mapping[str, Any]) -> dict[str, Any]:
    """The contact a lead became."""
    return _done(org.convert(body["lead"], contact=body.get("contact", ""), account=body.get("account", "")))


def merge(org: Org, body: Mapping[str, Any]) -> dict[str, Any]:
    """The winner."""
    return _done(org.merge(body["object"], body["primary"], body["other"]))


def delete(org: Org, body: Mapping[str, Any]) -> dict[str, Any]:
    """Into the recycle bin."""
    org.delete(body["object"], body["id"])
    return {}


def undelete(org: Org, body: Mapping[str, Any]) -> dict[str, Any]:
    """Out of the recycle bin."""
    org.undelete(body["object"], body["id"])
    return {}


def native_sync(org: Org, world: World, body: Mapping[str, Any]) -> dict[str, Any]:
    """What one run of HubSpot's own sync did; the first run, and one that says how, switches it on anew."""
    if org.native_sync is None or body:
        org.native_sync = NativeSync(world, org, **body)
    return asdict(org.native_sync.run())


def settings(org: Org) -> dict[str, Any]:
    """What may be changed."""
    fields = [(f"{known.name}.{name}", field) for known in org.objects.values() for name, field in known.fields.items()]
    return {
        "org_id": org.org_id,
        "is_sandbox": org.is_sandbox,
        "time_zone": org.time_zone,
        "assigns_to": org.assigns_to,
        "conversion_mapping": org.conversion_mapping,
        "commit_lag_s": org.commit_lag_s,
        "page_rows": org.page_rows,
        "per_day": org.allowance.per_day,
        "used_today": org.allowance.used_today,
        "public_keys": dict(org.tokens.public_keys),
        "hidden": [path for path, field in fields if not field.readable],
        "readonly": [path for path, field in fields if not field.editable],
    }


def change_settings(org: Org, body: Mapping[str, Any]) -> None:
    """Changes what is named; ``hidden`` and ``readonly`` name all fields that are (``Lead.Email``)."""
    known = settings(org)
    if unknown := set(body) - set(known):
        raise ValueError(f"unknown settings of salesforce {sorted(unknown)}; known are {sorted(known)}")
    for name, value in body.items():
        match name:
            case "hidden" | "readonly":
                for path in {*known[name], *value}:
                    setattr(field_at(org, path), "readable" if name == "hidden" else "editable", path not in value)
            case "per_day" | "used_today":
                setattr(org.allowance, name, int(value))
            case "public_keys":
                org.tokens.public_keys = dict(value)
            case "assigns_to":
                org.assigns_to = normalised(value) if value else ""
            case "time_zone":
                org.time_zone = ZoneInfo(value).key
            case _:
                setattr(org, name, type(known[name])(value))


def stats(org: Org) -> dict[str, Any]:
    """How much there is of everything."""
    people = [row for object_ in ("Lead", "Contact") for row in org.live(object_)]
    characters = Counter(row.values.get("Emulator_Character__c") or "none" for row in people)
    return {
        "objects": {object_: sum(1 for _ in org.live(object_)) for object_ in org.objects},
        "characters": dict(sorted(characters.items())),
        "logins": org.tokens.logins,
    }


def _done(row: Row) -> dict[str, Any]:
    return {"id": row.id, "updatedAt": iso(row.stamp_ms)}
