"""HubSpot's own Salesforce sync, beside ours: logs acts a second time, copies mapped fields, follows the newest record.

It acts when it is run, by what changed since it ran before; its first run takes what it finds as agreed. Its own writes
set nothing off. In Salesforce it works as ``hubspot.sync@acme.example``, in HubSpot its source is SALESFORCE.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.emulator.clock import DAY_MS, parse_ms
from connectors.emulator.hubspot.rows import Row as HubspotRow
from connectors.emulator.hubspot.values import BadValue
from connectors.emulator.hubspot.values import stored as stored_in_hubspot
from connectors.emulator.hubspot.world import World
from connectors.emulator.salesforce.counterparts import sync_user
from connectors.emulator.salesforce.fields import Field
from connectors.emulator.salesforce.instants import shown
from connectors.emulator.salesforce.org import Org, Row
from connectors.emulator.salesforce.people import LINK
from connectors.emulator.salesforce.refusals import Refused
from connectors.emulator.salesforce.values import stored as stored_in_salesforce

FIELDS: Mapping[str, str] = {
    "firstname": "FirstName",
    "lastname": "LastName",
    "jobtitle": "Title",
    "company": "Company",
}
_SOURCE = "SALESFORCE"
#: HubSpot's engagement -> what the task is
_LOGGED: Mapping[str, Mapping[str, Any]] = {
    "emails": {"Subject": "Email", "TaskSubtype": "Email", "Type": "Email"},
    "calls": {"Subject": "Call", "TaskSubtype": "Call", "Type": "Call"},
    "meetings": {"Subject": "Meeting", "TaskSubtype": "Task", "Type": "Meeting"},
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """What one run did."""

    tasks: int
    #: values written
    to_salesforce: int
    to_hubspot: int
    #: contacts whose link moved to another record, or that got their first
    links: int


@dataclass(frozen=True, slots=True)
class _Act:
    """Something HubSpot knows that a contact did."""

    #: what the task's HubSpot_ID__c holds
    key: str
    contact: int
    at_ms: int
    task: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Parcel:
    """A value on its way to the other side."""

    contact: int
    property: str
    to_salesforce: bool
    value: Any


class NativeSync:
    """The sync of one portal with one org; keep it between runs."""

    def __init__(
        self,
        world: World,
        org: Org,
        *,
        fields: Mapping[str, str] = FIELDS,
        late_fields: Mapping[str, str] | None = None,
        days: int = 30,
    ) -> None:
        """``fields``: HubSpot's property -> Salesforce's field, on leads and contacts alike where they have it.

        ``late_fields`` arrive one run after their change was seen, as old as they are by then. Acts of the last
        ``days`` are logged; none twice, by whomever it was. ValueError for a property or a field that is not there.
        """
        self.world, self.org = world, org
        self.late = dict(late_fields or {})
        self.fields = {**fields, **self.late}
        there = {*org.objects["Lead"].fields, *org.objects["Contact"].fields}
        if unknown := {*self.fields} - {*world.definitions["contacts"]} | {*self.fields.values()} - there:
            raise ValueError(f"no properties of contacts or fields of leads and contacts: {sorted(unknown)}")
        self._user = sync_user(org)
        self._since_ms = org.clock.now_ms() - days * DAY_MS
        self._logged = {row.values.get("HubSpot_ID__c") for row in org.rows["Task"].values()}
        #: mapped values as the last run left them; None before the first
        self._contacts: dict[int, dict[str, str]] | None = None
        self._records: dict[str, dict[str, Any]] = {}
        self._parcels: list[_Parcel] = []

    def run(self) -> Report:
        """Does what is due."""
        links = to_salesforce = to_hubspot = 0
        contacts = {row.id: row for row in self.world.tables["contacts"].live()}
        if self._contacts is not None:
            due, self._parcels = self._parcels, []
            triggered = self._triggered(contacts)
            newest = self._newest()
            links = sum(self._follow(contacts[number], newest) for number in triggered)
            parcels = [parcel for number in triggered for parcel in self._changed(contacts[number])]
            self._parcels = [parcel for parcel in parcels if parcel.property in self.late]
            due += [parcel for parcel in parcels if parcel.property not in self.late]
            for parcel in due:
                delivered = self._deliver(contacts.get(parcel.contact), parcel)
                to_salesforce += delivered and parcel.to_salesforce
                to_hubspot += delivered and not parcel.to_salesforce
        self._contacts = {number: self._values_of_contact(row) for number, row in contacts.items()}
        self._records = {row.id: self._values_of_record(row) for row in self._people()}
        tasks = sum(self._log(contacts.get(act.contact), act) for act in self._acts())
        return Report(tasks=tasks, to_salesforce=to_salesforce, to_hubspot=to_hubspot, links=links)

    def partner(self, contact: HubspotRow) -> Row | None:
        """The live record a contact is linked to, through conversions and merges; a Contact before a Lead."""
        for object_ in ("Contact", "Lead"):
            row = self.org.rows[object_].get(contact.now.properties.get(LINK[object_], ""))
            while row is not None and (on := row.values.get("ConvertedContactId") or row.values.get("MasterRecordId")):
                row = self.org.rows[self.org.object_of(on)].get(on)
            if row is not None and not row.deleted:
                return row
        return None

    def _people(self) -> Iterator[Row]:
        for object_ in ("Lead", "Contact"):
            yield from (row for row in self.org.live(object_) if not row.values.get("IsConverted"))

    def _values_of_contact(self, contact: HubspotRow) -> dict[str, str]:
        return {name: contact.now.properties.get(name, "") for name in self.fields}

    def _values_of_record(self, row: Row) -> dict[str, Any]:
        return {name: row.values.get(name) for name in self.fields.values()}

    def _triggered(self, contacts: Mapping[int, HubspotRow]) -> list[int]:
        """Contacts that are new or changed in a mapped field, here or in a record of theirs or of their address."""
        known = self._contacts or {}
        found = {number for number, row in contacts.items() if known.get(number) != self._values_of_contact(row)}
        changed = {row.id: row for row in self._people() if self._records.get(row.id) != self._values_of_record(row)}
        if changed:
            found |= {number for number, row in contacts.items() if (of := self.partner(row)) and of.id in changed}
            by_address = {self.world.contact_of(row.values.get("Email") or "") for row in changed.values()}
            found |= {number for number in by_address if number is not None and number in contacts}
        return sorted(found)

    def _newest(self) -> dict[str, Row]:
        """The most recently changed record of each address, case-folded."""
        in_order = sorted(self._people(), key=lambda row: (row.stamp_ms, row.id))
        return {email.casefold(): row for row in in_order if (email := row.values.get("Email"))}

    def _follow(self, contact: HubspotRow, newest: Mapping[str, Row]) -> bool:
        """Links a contact to the most recently changed record of its address; whether that is another than before."""
        row = newest.get(contact.now.properties.get("email", "").casefold())
        partner = self.partner(contact)
        if row is None or (partner and row.id == partner.id):
            return False
        links = {LINK["Lead"]: "", LINK["Contact"]: ""}
        links[LINK["Lead" if row.id.startswith("00Q") else "Contact"]] = row.id
        self.world.write("contacts", contact, links, source=_SOURCE)
        return True

    def _changed(self, contact: HubspotRow) -> Iterator[_Parcel]:
        """What a pair has to tell each other; where both sides changed, Salesforce's value counts unless it is late."""
        row, known = self.partner(contact), (self._contacts or {}).get(contact.id)
        if row is None:
            return
        before = self._records.get(row.id)
        here, there = self._values_of_contact(contact), self._values_of_record(row)
        for name, field in self.fields.items():
            told = before is not None and there[field] != before[field]
            if told:
                yield _Parcel(contact.id, name, False, there[field])
            if known is not None and here[name] != known[name] and (not told or name in self.late):
                yield _Parcel(contact.id, name, True, here[name])

    def _deliver(self, contact: HubspotRow | None, parcel: _Parcel) -> bool:
        """Whether a value was written; not when it is there already, or the other side does not take it."""
        row = self.partner(contact) if contact else None
        if contact is None or row is None:
            return False
        known = self.org.objects[self.org.object_of(row.id)].fields.get(self.fields[parcel.property])
        if known is None:
            return False
        try:
            write = self._to_salesforce if parcel.to_salesforce else self._to_hubspot
            return write(contact, row, known, parcel)
        except (Refused, BadValue):
            return False

    def _to_salesforce(self, _: HubspotRow, row: Row, known: Field, parcel: _Parcel) -> bool:
        value = stored_in_salesforce(known, _in_salesforce(known.type, parcel.value))
        if value == row.values.get(known.name):
            return False
        self.org.change(self.org.object_of(row.id), row, {known.name: value, "LastModifiedById": self._user})
        return True

    def _to_hubspot(self, contact: HubspotRow, _: Row, known: Field, parcel: _Parcel) -> bool:
        text = stored_in_hubspot(self.world.definitions["contacts"][parcel.property], _in_hubspot(parcel.value))
        held = contact.now.properties.get(parcel.property, "")
        if _in_salesforce(known.type, text) == _in_salesforce(known.type, held):
            return False
        self.world.write("contacts", contact, {parcel.property: text}, source=_SOURCE)
        return True

    def _log(self, contact: HubspotRow | None, act: _Act) -> bool:
        """Whether an act became a task just now."""
        row = self.partner(contact) if contact else None
        if row is None or act.key in self._logged or not self._since_ms <= act.at_ms <= self.org.clock.now_ms():
            return False
        self._logged.add(act.key)
        values = {
            "WhoId": row.id,
            "AccountId": row.values.get("AccountId"),
            "Status": "Completed",
            "ActivityDate": shown(act.at_ms)[:10],
            "CompletedDateTime": shown(act.at_ms),
            "HubSpot_ID__c": act.key,
            "CreatedById": self._user,
            "LastModifiedById": self._user,
            "OwnerId": self._user,
            **act.task,
        }
        self.org.create("Task", values)
        return True

    def _acts(self) -> Iterator[_Act]:
        """Form submissions, clicks in marketing mails, one-to-one mails, calls and meetings."""
        world = self.world
        for guid, form in world.forms.names.items():
            for sent in world.forms.submissions(guid).items():
                contact = world.contact_of(dict(sent.values).get("email", ""))
                if contact is not None:
                    yield _Act(
                        f"form:{sent.number}", contact, sent.at_ms, {"Subject": f"Form: {form}", "Type": "Other"}
                    )
        for event in world.mail.events("CLICK").items():
            contact = world.contact_of(event.recipient)
            if contact is not None:
                subject = f"Clicked: {world.mail.campaigns[event.campaign]}"
                yield _Act(f"mail:{event.number}", contact, event.at_ms, {"Subject": subject, "Type": "Email"})
        for kind, task in _LOGGED.items():
            linked = world.links[kind, "contacts"]
            for row in world.tables[kind].live():
                incoming = row.now.properties.get("hs_call_direction") == "INBOUND"
                call = {"CallType": "Inbound" if incoming else "Outbound"} if kind == "calls" else {}
                for contact in linked.get(row.id, ()):
                    at_ms = parse_ms(row.now.properties["hs_timestamp"])
                    yield _Act(f"{kind}:{row.id}:{contact}", contact, at_ms, {**task, **call})


def _in_salesforce(type_: str, text: str) -> Any:
    """A property's text as a field of that type compares it; None when it is empty."""
    if not text:
        return None
    if type_ == "datetime":
        return shown(parse_ms(text))
    if type_ == "date":
        return text[:10]
    if type_ == "boolean":
        return text == "true"
    return float(text) if type_ in ("int", "double", "currency", "percent") else text


def _in_hubspot(value: Any) -> str:
    """A field's value as HubSpot is given it."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
