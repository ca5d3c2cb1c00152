"""``/_emulator/``: the clock, faults, the request log, read-back, and what people do, for tests and for the curious.

JSON over HTTP without credentials. These calls are neither logged, limited nor struck by faults. An object with a
capital (``Lead``) is Salesforce's, one without (``contacts``) HubSpot's.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import orjson

from connectors.emulator.clock import iso, parse_ms
from connectors.emulator.faults import RecordRule, is_salesforce, parse_fault, parse_record_rule
from connectors.emulator.hubspot.happenings import happen
from connectors.emulator.hubspot.merging import erase, merge
from connectors.emulator.hubspot.objects import record
from connectors.emulator.hubspot.world import World
from connectors.emulator.people import add_person
from connectors.emulator.salesforce import control as salesforce
from connectors.emulator.salesforce.org import Org
from connectors.emulator.traffic import Traffic
from connectors.emulator.wire import Refusal, Reply

PREFIX = "/_emulator"


@dataclass(frozen=True, slots=True)
class Call:
    """One control call."""

    world: World
    #: None = the emulator plays HubSpot alone
    there: Org | None
    traffic: Traffic
    path: str
    query: Mapping[str, str]
    body: Any

    @property
    def org(self) -> Org:
        """The org; refused when there is none."""
        if self.there is None:
            raise ValueError("this emulator plays no Salesforce")
        return self.there


def answer(world: World, traffic: Traffic, method: str, target: str, raw: bytes, *, org: Org | None = None) -> Reply:
    """The reply to one control call; 400 says what was wrong with it."""
    split = urlsplit(target)
    name, _, rest = split.path[len(PREFIX) :].strip("/").partition("/")
    handler = _CALLS.get((method, name))
    if handler is None:
        known = sorted(f"{known_method} {PREFIX}/{known}" for known_method, known in _CALLS)
        return Reply(status=404, body={"message": "no such control call", "known": known})
    query = {key: values[-1] for key, values in parse_qs(split.query).items()}
    try:
        call = Call(world, org, traffic, rest, query, orjson.loads(raw) if raw else {})
        with world.lock:
            return Reply(body=handler(call))
    except Refusal as refusal:
        return Reply(status=refusal.status, body=refusal.body)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return Reply(status=400, body={"message": f"{type(error).__name__}: {error}"})


def _clock(call: Call) -> Any:
    return {"now": iso(call.world.clock.now_ms())}


def _set_clock(call: Call) -> Any:
    clock = call.world.clock
    if "now" in call.body:
        clock.set_ms(parse_ms(str(call.body["now"])))
    clock.advance(float(call.body.get("advance_s", 0)))
    return _clock(call)


def _faults(call: Call) -> Any:
    items = call.body if isinstance(call.body, list) else [call.body]
    rules = [parse_record_rule(item) for item in items if "action" in item]
    faults = [parse_fault(item) for item in items if "action" not in item]
    holders = [call.org.rules if is_salesforce(rule.object) else call.world.rules for rule in rules]
    for rule, holder in zip(rules, holders, strict=True):
        holder.rules.append(rule)
    with call.traffic.lock:
        call.traffic.faults.extend(faults)
    return {"faults": len(call.traffic.faults), "record_rules": sum(len(kept) for kept in _rules(call))}


def _rules(call: Call) -> list[list[RecordRule]]:
    return [call.world.rules.rules, *([call.there.rules.rules] if call.there else [])]


def _clear_faults(call: Call) -> Any:
    with call.traffic.lock:
        call.traffic.faults.clear()
    for rules in _rules(call):
        rules.clear()
    return {"faults": 0, "record_rules": 0}


def _log(call: Call) -> Any:
    return {"requests": [entry.to_json() for entry in call.traffic.since(int(call.query.get("since", 0)))]}


def _clear_log(call: Call) -> Any:
    with call.traffic.lock:
        call.traffic.log.clear()
    return {"requests": []}


def _calls(call: Call) -> Any:
    return {"calls": call.traffic.calls}


def _records(call: Call) -> Any:
    """Everything, or ``limit`` records after the id ``after``, read without index lag."""
    if is_salesforce(call.path):
        return salesforce.records(call.org, call.path, call.query)
    table = call.world.table(call.path)
    asked = call.query.get("properties")
    names = asked.split(",") if asked else list(call.world.definitions[table.kind])
    limit = int(call.query.get("limit", 1 << 40))
    archived = call.query.get("archived", "").casefold() == "true"
    rows = table.page(after=int(call.query.get("after", 0)), limit=limit, archived=archived)
    return {"results": [record(table, row, row.now, names) for row in rows]}


def _edit(call: Call) -> Any:
    """A person's edit; without an id, a new record."""
    if is_salesforce(call.body["object"]):
        return salesforce.edit(call.org, call.body)
    kind, properties = call.body["object"], call.body["properties"]
    if "id" in call.body:
        row = call.world.edit(kind, call.body["id"], properties)
    else:
        table = call.world.table(kind)
        row = call.world.create(table.kind, call.world.prepare(kind, properties, read_only=True))
    return {"id": str(row.id), "updatedAt": iso(row.now.updated_ms)}


def _activities(call: Call) -> Any:
    items = call.body if isinstance(call.body, list) else [call.body]
    return {"ids": [happen(call.world, item) for item in items]}


def _people(call: Call) -> Any:
    """A new person of a character, with their year; entered now, so that a running pull meets them."""
    if is_salesforce(call.body.get("object", "contacts")):
        return salesforce.people(call.org, call.world, call.body)
    number = len(call.world.tables["contacts"].rows) + len(call.world.tables["contacts"].aliases)
    person = add_person(call.world, number, character=call.body.get("character", ""))
    return {"id": str(call.world.edit("contacts", person.id, {}).id)}


def _merge(call: Call) -> Any:
    kind = call.body.get("object", "contacts")
    if is_salesforce(kind):
        return salesforce.merge(call.org, call.body)
    rows = [call.world.row(kind, call.body[name]) for name in ("primary", "other")]
    return {"id": str(merge(call.world, kind, rows[0], rows[1]).id)}


def _archive(call: Call) -> Any:
    kind = call.body.get("object", "contacts")
    if is_salesforce(kind):
        return {"archived": call.org.archive()}
    call.world.archive(kind, call.world.row(kind, call.body["id"]))
    return {}


def _erase(call: Call) -> Any:
    erase(call.world, call.world.row("contacts", call.body["id"]))
    return {}


def _convert(call: Call) -> Any:
    return salesforce.convert(call.org, call.body)


def _delete(call: Call) -> Any:
    return salesforce.delete(call.org, call.body)


def _undelete(call: Call) -> Any:
    return salesforce.undelete(call.org, call.body)


def _native_sync(call: Call) -> Any:
    return salesforce.native_sync(call.org, call.world, call.body)


def _native_sync_off(call: Call) -> Any:
    call.org.native_sync = None
    return {}


def _expire(call: Call) -> Any:
    """Every access token of the org is bad from now on."""
    return {"expired": call.org.tokens.expire()}


def _settings(call: Call) -> Any:
    world, limits = call.world, call.world.limits
    of_salesforce = {"salesforce": salesforce.settings(call.there)} if call.there else {}
    return {
        "index_lag_s": world.index_lag_s,
        "limits": "on" if limits.on else "off",
        "per_10s": limits.per_10s,
        "search_per_s": limits.search_per_s,
        "per_day": limits.per_day,
        "used_today": limits.used_today,
        "portal_id": world.portal_id,
        "account_type": world.account_type,
        "time_zone": world.time_zone,
        "dated_partial_status": world.dated_partial_status,
        "scopes": {token: sorted(granted) for token, granted in world.scopes.items()},
        **of_salesforce,
    }


def _change_settings(call: Call) -> Any:
    world, body = call.world, dict(call.body)
    if "salesforce" in body:
        salesforce.change_settings(call.org, body.pop("salesforce"))
    if unknown := set(body) - set(_settings(call)):
        raise ValueError(f"unknown settings {sorted(unknown)}; known are {sorted(_settings(call))}")
    if "limits" in body:
        world.limits.on = {"on": True, "off": False}[body.pop("limits")]
    if "scopes" in body:
        world.scopes = {token: frozenset(granted) for token, granted in body.pop("scopes").items()}
    if "time_zone" in body:
        world.time_zone = ZoneInfo(body.pop("time_zone")).key
    for name, value in body.items():
        holder = world.limits if name in ("per_10s", "search_per_s", "per_day", "used_today") else world
        setattr(holder, name, type(getattr(holder, name))(value))
    return _settings(call)


def _stats(call: Call) -> Any:
    world = call.world
    characters = Counter(
        row.now.properties.get("emulator_character", "none") for row in world.tables["contacts"].live()
    )
    return {
        "objects": {kind: sum(1 for _ in table.live()) for kind, table in world.tables.items()},
        "characters": dict(sorted(characters.items())),
        "form_submissions": {guid: len(world.forms.submissions(guid)) for guid in world.forms.names},
        "email_events": len(world.mail.events()),
        "list_members": {str(number): len(world.lists.joins(number)) for number in world.lists.names},
        "calls": call.traffic.calls,
        **({"salesforce": salesforce.stats(call.there)} if call.there else {}),
    }


_CALLS: Mapping[tuple[str, str], Callable[[Call], Any]] = {
    ("GET", "clock"): _clock,
    ("POST", "clock"): _set_clock,
    ("POST", "faults"): _faults,
    ("DELETE", "faults"): _clear_faults,
    ("GET", "log"): _log,
    ("DELETE", "log"): _clear_log,
    ("GET", "calls"): _calls,
    ("GET", "records"): _records,
    ("POST", "records"): _edit,
    ("POST", "activities"): _activities,
    ("POST", "people"): _people,
    ("POST", "convert"): _convert,
    ("POST", "merge"): _merge,
    ("POST", "archive"): _archive,
    ("POST", "delete"): _delete,
    ("POST", "undelete"): _undelete,
    ("POST", "native-sync"): _native_sync,
    ("DELETE", "native-sync"): _native_sync_off,
    ("POST", "gdpr-delete"): _erase,
    ("POST", "tokens"): _expire,
    ("GET", "settings"): _settings,
    ("POST", "settings"): _change_settings,
    ("GET", "stats"): _stats,
}
