"""The state of one Salesforce org: its rows, users, rights and rules, and every change to them.

Emulated time only; instants are whole milliseconds since 1970, UTC, and the stamps of changes whole seconds of it. The
lock is held by whoever calls; the server holds it for the length of one handler.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from threading import RLock
from typing import Any

from connectors.emulator.clock import EmulatorClock
from connectors.emulator.faults import RecordRules
from connectors.emulator.salesforce import succession
from connectors.emulator.salesforce.allowance import Allowance
from connectors.emulator.salesforce.derived import DEFAULTS, derived
from connectors.emulator.salesforce.fields import Field, ObjectType
from connectors.emulator.salesforce.ids import new_id, normalised
from connectors.emulator.salesforce.instants import instant_ms, shown
from connectors.emulator.salesforce.objects import org_objects
from connectors.emulator.salesforce.refusals import Refused, no_column, not_there
from connectors.emulator.salesforce.tokens import Tokens
from connectors.emulator.salesforce.values import stored


@dataclass(slots=True)
class Row:
    """One record. Values by field name; None or absent is empty. Dates and instants are ISO text, as in SOQL."""

    id: str
    values: Mapping[str, Any]
    created_ms: int
    #: SystemModstamp
    stamp_ms: int
    deleted: bool = False
    #: visible to queryAll only (old activities)
    archived: bool = False
    #: until this instant queries show the version before (commit lag); None = visible
    hidden_until_ms: int | None = None
    #: the version before; None = there was none
    before: "Row | None" = None
    #: the record whose deletion took this one along
    deleted_with: str = ""

    def seen(self, now_ms: int) -> "Row | None":
        """The version queries show at an instant; None before the record's own commit."""
        return self if self.hidden_until_ms is None or self.hidden_until_ms <= now_ms else self.before


class Org:
    """One org. All attributes may be changed at any time."""

    def __init__(self, clock: EmulatorClock, *, org_id: str = "00D5g000004XyzAEAS") -> None:
        """An empty org with the standard objects, our output fields on Lead and Contact, three users."""
        self.lock = RLock()
        self.clock = clock
        self.objects: dict[str, ObjectType] = dict(org_objects())
        #: object -> id -> row, in the order of creation
        self.rows: dict[str, dict[str, Row]] = {name: {} for name in self.objects}
        #: an active assignment rule: the user every Lead written without Sforce-Auto-Assign: FALSE is given; "" = none
        self.assigns_to = ""
        #: a conversion carries custom fields of the same name from the lead to the contact
        self.conversion_mapping = True
        #: seconds of emulated time until queries show a change
        self.commit_lag_s = 0.0
        #: rows of one page of a query; 0 = as many as asked for
        self.page_rows = 0
        self.rules = RecordRules()
        self.allowance = Allowance()
        self.tokens = Tokens()
        #: pages of queries still to be fetched, by locator
        self.cursors: dict[str, Any] = {}
        self.cursors_opened = 0
        #: HubSpot's own sync while it is on; None = off
        self.native_sync: Any = None
        self._made: dict[str, int] = {}
        self.user_id = self.person_id = ""
        self._organization = self.create(
            "Organization",
            {
                "Id": org_id,
                "Name": "Emulated",
                "IsSandbox": True,
                "OrganizationType": "Developer Edition",
                "InstanceName": "EMU1S",
                "TimeZoneSidKey": "Europe/Berlin",
                "LanguageLocaleKey": "en_US",
            },
        )
        #: the connection's user, and the one who makes what people make
        self.user_id = self._user("Leadmark", "Integration").id
        self.person_id = self._user("Ada", "Sands").id
        self._user("Bo", "Okafor")

    @property
    def org_id(self) -> str:
        """The org's id."""
        return self._organization.id

    @org_id.setter
    def org_id(self, org_id: str) -> None:
        del self.rows["Organization"][self.org_id]
        self._organization.id = org_id
        self.rows["Organization"][org_id] = self._organization

    @property
    def is_sandbox(self) -> bool:
        """Whether it is a sandbox org."""
        return bool(self._organization.values["IsSandbox"])

    @is_sandbox.setter
    def is_sandbox(self, is_sandbox: bool) -> None:
        self._organization.values = {**self._organization.values, "IsSandbox": is_sandbox}

    @property
    def time_zone(self) -> str:
        """The org's time zone."""
        return str(self._organization.values["TimeZoneSidKey"])

    @time_zone.setter
    def time_zone(self, time_zone: str) -> None:
        self._organization.values = {**self._organization.values, "TimeZoneSidKey": time_zone}

    def now_ms(self) -> int:
        """The instant changes are stamped with: whole seconds, so that many share a stamp."""
        return self.clock.now_ms() // 1000 * 1000

    def object_of(self, id_: str) -> str:
        """The object an id belongs to by its first three characters; "" for none of the org's."""
        return next((known.name for known in self.objects.values() if known.key_prefix == id_[:3]), "")

    def object_type(self, name: str) -> ObjectType:
        """The description of an object; NOT_FOUND when the org has none of that name."""
        if name not in self.objects:
            raise not_there()
        return self.objects[name]

    def create(
        self, object_: str, values: Mapping[str, Any], *, created_ms: int | None = None, stamp_ms: int | None = None
    ) -> Row:
        """A new row, unchecked; both stamps default to now. ``Id`` among the values is taken."""
        now_ms = self.now_ms()
        created_ms = now_ms if created_ms is None else created_ms
        known = self.objects[object_].fields
        user = self.person_id
        whole = {**DEFAULTS.get(object_, {}), "CreatedById": user, "LastModifiedById": user}
        if "OwnerId" in known:
            whole["OwnerId"] = user
        whole.update(values)
        id_ = whole.pop("Id", "") or self._next_id(object_)
        row = Row(id_, {**whole, **_follows(object_, whole, values, created_ms)}, created_ms, stamp_ms or now_ms)
        if self.commit_lag_s:
            row.hidden_until_ms = now_ms + round(self.commit_lag_s * 1000)
        self.rows[object_][id_] = row
        return row

    def row(self, object_: str, id_: str) -> Row:
        """The row of an id of 15 or 18 characters, deleted ones included; NOT_FOUND when there is none."""
        row = self.rows[self.object_type(object_).name].get(normalised(id_))
        if row is None:
            raise not_there(f"Provided external ID field does not exist or is not accessible: {id_}")
        return row

    def live(self, object_: str) -> Iterator[Row]:
        """The rows that are not deleted."""
        return (row for row in self.rows[object_].values() if not row.deleted)

    def shown(self, object_: str, row: Row, names: Iterable[str]) -> dict[str, Any]:
        """The values of some fields, system fields too, as the API shows them; without commit lag."""
        fields, stamp = self.objects[object_].fields, shown(row.stamp_ms)
        whole = {
            **row.values,
            "Id": row.id,
            "CreatedDate": shown(row.created_ms),
            "LastModifiedDate": stamp,
            "SystemModstamp": stamp,
            "IsDeleted": row.deleted,
            "IsArchived": row.archived,
        }
        return {name: bool(whole.get(name)) if fields[name].type == "boolean" else whole.get(name) for name in names}

    def write(
        self, object_: str, row: Row, values: Mapping[str, Any], *, by_api: bool = True, auto_assign: bool = False
    ) -> None:
        """Sets checked values and moves the stamp. ``by_api``: rules of records apply."""
        kept = dict(values)
        if by_api:
            kept = {
                name: self.rules.rewritten(object_, row.id, name, value)
                for name, value in values.items()
                if not self.rules.ignores(object_, row.id, name)
            }
            if auto_assign and self.assigns_to and object_ == "Lead":
                kept["OwnerId"] = self.assigns_to
        user = self.user_id if by_api else self.person_id
        self.change(object_, row, {**kept, "LastModifiedById": user})

    def change(
        self, object_: str, row: Row, values: Mapping[str, Any], *, deleted: bool | None = None, stamped: bool = True
    ) -> None:
        """Sets values as they are, with all that follows from them; moves the stamp unless told otherwise."""
        now_ms = self.now_ms()
        if self.commit_lag_s:
            row.before = replace(visible, before=None) if (visible := row.seen(now_ms)) else None
            row.hidden_until_ms = now_ms + round(self.commit_lag_s * 1000)
        whole = {**row.values, **values}
        row.values = {**whole, **_follows(object_, whole, values, now_ms)}
        row.deleted = row.deleted if deleted is None else deleted
        if stamped:
            row.stamp_ms = now_ms

    def edit(self, object_: str, id_: str, values: Mapping[str, Any]) -> Row:
        """A person's edit in the CRM; system fields may change, record rules do not apply."""
        row = self.row(object_, id_)
        self.write(object_, row, self.entered(object_, values), by_api=False)
        row.created_ms = instant_ms(values["CreatedDate"]) if "CreatedDate" in values else row.created_ms
        row.stamp_ms = instant_ms(values["SystemModstamp"]) if "SystemModstamp" in values else row.stamp_ms
        return row

    def entered(self, object_: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values as a person's entry stores them; refused when a field is unknown or a value wrong."""
        known: Mapping[str, Field] = self.object_type(object_).fields
        if unknown := [name for name in values if name not in known]:
            raise no_column(unknown[0], object_)
        return {name: stored(known[name], value) for name, value in values.items() if name not in _STAMPS}

    def delete(self, object_: str, id_: str) -> None:
        """Puts a row into the recycle bin; its activities and members go with it."""
        row = self.row(object_, id_)
        if row.deleted:
            raise Refused("ENTITY_IS_DELETED", "entity is deleted", status=404)
        succession.delete(self, object_, row)

    def undelete(self, object_: str, id_: str) -> None:
        """Takes a row out of the recycle bin, with what went into it with the row."""
        succession.undelete(self, object_, self.row(object_, id_))

    def merge(self, object_: str, master: str, loser: str) -> Row:
        """The loser is deleted with MasterRecordId; its activities and members move to the master, which is stamped."""
        return succession.merge(self, object_, self.row(object_, master), self.row(object_, loser))

    def convert(self, lead: str, *, contact: str = "", account: str = "") -> Row:
        """The contact a lead became: a new one (with an account) unless named. The lead stays, read-only."""
        return succession.convert(
            self,
            self.row("Lead", lead),
            contact=self.row("Contact", contact) if contact else None,
            account=self.row("Account", account) if account else None,
        )

    def archive(self) -> int:
        """Archives events and closed tasks of 365 days and more; how many."""
        return succession.archive(self)

    def _next_id(self, object_: str) -> str:
        prefix, rows = self.objects[object_].key_prefix, self.rows[object_]
        while True:
            self._made[object_] = self._made.get(object_, 0) + 1
            if (id_ := new_id(prefix, self._made[object_])) not in rows:
                return id_

    def _user(self, first: str, last: str) -> Row:
        address = f"{first}.{last}@seller.example".lower()
        names = {"FirstName": first, "LastName": last}
        return self.create("User", {**names, "Username": address, "Email": f"{address}.invalid"})


_STAMPS = ("Id", "CreatedDate", "LastModifiedDate", "SystemModstamp", "IsDeleted", "IsArchived")


def _follows(object_: str, whole: Mapping[str, Any], given: Mapping[str, Any], now_ms: int) -> dict[str, Any]:
    """What follows from the values, except what was given."""
    return {name: value for name, value in derived(object_, whole, now_ms).items() if name not in given}
