"""The state of one HubSpot portal: its records, their links, and every change to them.

The lock is held by whoever calls; the server holds it for the length of one handler. Emulated time only.
"""

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from threading import RLock
from typing import Any

from connectors.emulator.clock import EmulatorClock
from connectors.emulator.faults import RecordRules
from connectors.emulator.hubspot.activities import Forms, Lists, Mail
from connectors.emulator.hubspot.definitions import STAGES, Definition, portal_definitions
from connectors.emulator.hubspot.derived import worked_out
from connectors.emulator.hubspot.rows import Change, Row, Table, Version
from connectors.emulator.hubspot.values import BadValue, stored
from connectors.emulator.limits import Limits
from connectors.emulator.wire import Refusal, invalid, not_found

FORMS = {
    "demo-request": "Demo request",
    "contact-us": "Contact us",
    "webinar": "Webinar registration",
    "whitepaper": "White paper",
    "pricing-guide": "Pricing guide",
}
LISTS = {101: "Visited pricing", 102: "Visited careers", 103: "Trial users"}
CAMPAIGNS = {
    9001: "Product news",
    9002: "Webinar invitation",
    9003: "Customer story",
    9004: "Pricing update",
    9005: "Welcome",
    9006: "Trial tips",
}
OWNERS = {
    "301": ("Ada", "Sands", "ada.sands@seller.example"),
    "302": ("Bo", "Okafor", "bo.okafor@seller.example"),
    "303": ("Chiara", "Weiß", "chiara.weiss@seller.example"),
}
_SINGULAR = {
    "contact": "contacts",
    "company": "companies",
    "deal": "deals",
    "email": "emails",
    "call": "calls",
    "meeting": "meetings",
}
_TYPE_IDS = {
    "0-1": "contacts",
    "0-2": "companies",
    "0-3": "deals",
    "0-49": "emails",
    "0-48": "calls",
    "0-47": "meetings",
}
ENGAGEMENTS = ("emails", "calls", "meetings")


class World:
    """One portal. ``clock`` and ``index_lag_s`` may be changed at any time."""

    def __init__(self, clock: EmulatorClock, *, portal_id: int = 4242) -> None:
        """An empty portal with HubSpot's properties, our output properties, and the forms, lists and mails above."""
        self.lock = RLock()
        self.clock = clock
        self.portal_id = portal_id
        self.account_type = "DEVELOPER_TEST"
        self.time_zone = "UTC"
        self.definitions: dict[str, dict[str, Definition]] = portal_definitions()
        self.tables = {kind: Table(kind) for kind in self.definitions}
        self.forms = Forms(FORMS)
        self.lists = Lists(LISTS)
        self.mail = Mail(CAMPAIGNS)
        self.owners = dict(OWNERS)
        self.rules = RecordRules()
        self.limits = Limits(time.monotonic)
        #: scopes of a token; a token not named here has all
        self.scopes: dict[str, frozenset[str]] = {}
        #: status of a partly failed batch on dated paths; legacy ones answer 207
        self.dated_partial_status = 200
        #: (contacts, emails) -> contact id -> email ids, and so on both ways
        self.links: defaultdict[tuple[str, str], dict[int, list[int]]] = defaultdict(dict)
        #: contact id by case-folded address, additional ones included
        self.addresses: dict[str, int] = {}
        #: addresses erased on request
        self.blocked: set[str] = set()
        self._index_lag_ms = 0

    @property
    def index_lag_s(self) -> float:
        """Seconds of emulated time until search shows a write."""
        return self._index_lag_ms / 1000

    @index_lag_s.setter
    def index_lag_s(self, seconds: float) -> None:
        for table in self.tables.values():
            table.settle(None if seconds < self.index_lag_s else self.clock.now_ms())
        self._index_lag_ms = round(seconds * 1000)

    def table(self, kind: str) -> Table:
        """The table of an object, by plural, singular or type id; a 400 for an object the emulator does not have."""
        name = _TYPE_IDS.get(kind, _SINGULAR.get(kind, kind))
        if name not in self.tables:
            raise invalid(f"Unable to infer object type from: {kind}")
        return self.tables[name]

    def row(self, kind: str, row_id: Any, *, archived: bool = False) -> Row:
        """The row behind an id, a merged-away one included; a 404 when there is none in that state."""
        row = self.table(kind).find(int(row_id)) if str(row_id).isdigit() else None
        if row is None or bool(row.archived_ms) is not archived:
            raise not_found()
        return row

    def contact_of(self, email: str) -> int | None:
        """The id of the contact with an address, its additional ones included."""
        return self.addresses.get(email.strip().casefold())

    def create(
        self,
        kind: str,
        properties: Mapping[str, str],
        *,
        created_ms: int | None = None,
        updated_ms: int | None = None,
        row_id: int | None = None,
    ) -> Row:
        """A new record with stored values, unchecked but for its address; both stamps default to now."""
        table = self.tables[kind]
        now_ms = self.clock.now_ms()
        created_ms = now_ms if created_ms is None else created_ms
        row_id = table.next_id() if row_id is None else row_id
        if kind == "deals":
            properties = {**properties, **worked_out({}, properties, now_ms)}
        if kind == "contacts":
            for email in (properties.get("email", ""), *properties.get("hs_additional_emails", "").split(";")):
                self._claim(email, row_id)
        row = Row(
            id=row_id,
            created_ms=created_ms,
            now=Version({k: v for k, v in properties.items() if v}, created_ms if updated_ms is None else updated_ms),
        )
        table.add(row, visible_ms=now_ms + self._index_lag_ms, now_ms=now_ms)
        return row

    def prepare(self, kind: str, properties: Mapping[str, Any], *, read_only: bool = False) -> dict[str, str]:
        """The values as they would be stored; one refusal names every bad one. ``read_only``: those too."""
        known = self.definitions[self.table(kind).kind]
        values: dict[str, str] = {}
        bad: list[tuple[str, str, str]] = []
        for name, value in properties.items():
            definition = known.get(name)
            if definition is None:
                bad.append((name, "PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist'))
            elif definition.read_only and not read_only:
                bad.append((name, "READ_ONLY_VALUE", f'"{name}" is a read only property; its value cannot be set.'))
            else:
                try:
                    values[name] = stored(definition, value)
                except BadValue as error:
                    bad.append((name, error.code, str(error)))
        if bad:
            raise bad_values(bad, self.portal_id)
        return values

    def write(self, kind: str, row: Row, values: Mapping[str, str], *, source: str = "INTEGRATION") -> None:
        """Sets prepared values and moves the stamp; a step back of the lifecycle stage is ignored, as HubSpot does."""
        table = self.table(kind)
        now_ms = self.clock.now_ms()
        kept = dict(row.now.properties)
        if table.kind == "deals":
            values = {**values, **worked_out(kept, values, now_ms)}
        for name, value in values.items():
            old = kept.get(name, "")
            if source == "INTEGRATION" and (
                self.rules.ignores(table.kind, row.id, name) or (name == "lifecyclestage" and _steps_back(old, value))
            ):
                continue
            new = self.rules.rewritten(table.kind, row.id, name, value) if source == "INTEGRATION" else value
            if new == old:
                continue
            if name == "email" and table.kind == "contacts":
                self._claim(new, row.id)
                self.addresses.pop(old.casefold(), None)
            first = [] if name in row.history else [Change(old, row.created_ms, "IMPORT")] * bool(old)
            row.history.setdefault(name, first).append(Change(new, now_ms, source))
            kept[name] = new
            if not new:
                del kept[name]
        table.replace(row, Version(kept, now_ms), visible_ms=now_ms + self._index_lag_ms, now_ms=now_ms)

    def edit(self, kind: str, row_id: Any, properties: Mapping[str, Any]) -> Row:
        """A person's edit in the CRM: read-only properties may change, record rules do not apply."""
        row = self.row(kind, row_id)
        self.write(kind, row, self.prepare(kind, properties, read_only=True), source="CRM_UI")
        return row

    def log_engagement(
        self,
        kind: str,
        contacts: Iterable[int],
        properties: Mapping[str, str],
        *,
        at_ms: int,
        logged_ms: int | None = None,
    ) -> Row:
        """A new email, call or meeting on contacts; ``logged_ms`` (default: now) is when it was entered."""
        logged_ms = self.clock.now_ms() if logged_ms is None else logged_ms
        values = {"hs_timestamp": str(at_ms), **properties}
        row = self.create(kind, self.prepare(kind, values), created_ms=logged_ms)
        self.link(kind, row.id, contacts)
        return row

    def link(self, kind: str, engagement: int, contacts: Iterable[int]) -> None:
        """Hangs an engagement or a deal on contacts."""
        for contact in contacts:
            self.links["contacts", kind].setdefault(contact, []).append(engagement)
            self.links[kind, "contacts"].setdefault(engagement, []).append(contact)

    def unlink(self, kind: str, engagement: int, contact: int) -> None:
        """Takes an engagement or a deal off a contact; ValueError when it does not hang there."""
        self.links["contacts", kind].get(contact, []).remove(engagement)
        self.links[kind, "contacts"][engagement].remove(contact)

    def linked(self, kind: str, row_id: int, to_kind: str) -> list[int]:
        """Ids of live records of the other object that hang on a record."""
        if (kind, to_kind) == ("contacts", "companies"):
            row = self.tables[kind].find(row_id)
            company = row.now.properties.get("associatedcompanyid") if row else None
            ids = [int(company)] if company else []
        elif (kind, to_kind) == ("companies", "contacts"):
            ids = [
                row.id
                for row in self.tables["contacts"].live()
                if row.now.properties.get("associatedcompanyid") == str(row_id)
            ]
        else:
            ids = self.links[kind, to_kind].get(row_id, [])
        rows = self.tables[to_kind].rows
        return [other for other in ids if other in rows and not rows[other].archived_ms]

    def archive(self, kind: str, row: Row) -> None:
        """Puts a record into the recycle bin."""
        self.table(kind).archive(row, self.clock.now_ms())

    def _claim(self, email: str, row_id: int) -> None:
        key = email.casefold()
        if key in self.blocked:
            raise invalid("This address was deleted on request and cannot be used again")
        taken = self.addresses.get(key)
        if taken is not None and taken != row_id:
            raise Refusal(409, "CONFLICT", f"Contact already exists. Existing ID: {taken}")
        if key:
            self.addresses[key] = row_id


def bad_values(bad: Iterable[tuple[str, str, str]], portal_id: int) -> Refusal:
    """HubSpot's refusal of values: (property, code, message) each."""
    items = list(bad)
    details = ",".join(
        f'{{"isValid":false,"message":{_quoted(message)},"error":"{code}","name":"{name}",'
        f'"localizedErrorMessage":{_quoted(message)},"portalId":{portal_id}}}'
        for name, code, message in items
    )
    return invalid(
        f"Property values were not valid: [{details}]",
        errors=[
            {"message": message, "code": code, "context": {"propertyName": [name]}} for name, code, message in items
        ],
    )


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _steps_back(old: str, new: str) -> bool:
    return old in STAGES and new in STAGES and STAGES.index(new) < STAGES.index(old)
