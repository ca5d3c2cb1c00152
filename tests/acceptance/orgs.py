"""An emulated org as people work in it, and what of it leadmark must have left alone when a test ends.

People act by the emulator's control calls, never by leadmark's client.
"""

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import RLock
from typing import TYPE_CHECKING, Any

from connectors.emulator.faults import RecordRule, parse_record_rule
from connectors.emulator.hubspot.world import World
from connectors.emulator.salesforce.org import Org

if TYPE_CHECKING:
    from connectors.emulator.traffic import Entry, Traffic

OURS = "Leadmark_"
WRITE = "/composite/sobjects"
#: the only requests but GET that leadmark sends to Salesforce
_LOGIN = "/services/oauth2/token"
#: who wrote last: the one field beside ours that our writes move
_SYSTEM = frozenset({"LastModifiedById"})
#: object of people -> how its ids begin
PREFIXES = {"Lead": "00Q", "Contact": "003"}


@dataclass
class Kept:
    """What the org's records held when people last did something, our fields and system stamps apart."""

    org: Org
    _held: Mapping[str, Mapping[str, tuple[Mapping[str, Any], bool]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.keep()

    def keep(self) -> None:
        """From now on what stands there now must stay."""
        with self.org.lock:
            self._held = {
                object_: {id_: (row.values, row.deleted) for id_, row in rows.items()}
                for object_, rows in self.org.rows.items()
            }

    def changed(self) -> list[tuple[str, str, str, Any, Any]]:
        """(object, id, field, value then, value now) of everything else; a value that was never there is None."""
        found: list[tuple[str, str, str, Any, Any]] = []
        with self.org.lock:
            for object_, rows in self.org.rows.items():
                kept = self._held.get(object_, {})
                found += [(object_, id_, "", None, None) for id_ in rows.keys() ^ kept.keys()]
                for id_, (before, deleted) in kept.items():
                    row = rows.get(id_)
                    if row is None or (row.values is before and row.deleted is deleted):
                        continue
                    found += [
                        (object_, id_, name, before.get(name), row.values.get(name))
                        for name in before.keys() | row.values.keys()
                        if before.get(name) != row.values.get(name)
                        and not name.startswith(OURS)
                        and name not in _SYSTEM
                    ]
                    found += [(object_, id_, "IsDeleted", deleted, row.deleted)] * (row.deleted is not deleted)
        return found


@dataclass
class OrgSide:
    """The Salesforce half of an installation under test."""

    org: Org
    traffic: "Traffic"
    #: a plain request to the emulator
    http: Callable[..., Any]
    kept: Kept = field(init=False)

    def __post_init__(self) -> None:
        self.kept = Kept(self.org)

    # what people do

    def add(self, object_: str, **values: Any) -> str:
        """A new record's id."""
        return str(self.http("POST", "/_emulator/records", {"object": object_, "properties": values})["id"])

    def lead(self, **values: Any) -> str:
        """A new lead's id."""
        usual = {"LastName": "Unknown", "Company": "Unknown", "Status": "Open - Not Contacted"}
        return self.add("Lead", **{**usual, **values})

    def contact(self, **values: Any) -> str:
        """A new contact's id."""
        return self.add("Contact", **{"LastName": "Unknown", **values})

    def account(self, **values: Any) -> str:
        """A new account's id."""
        return self.add("Account", **{"Name": "Unknown", **values})

    def edit(self, id_: str, **values: Any) -> None:
        """What a person types into a record."""
        body = {"object": self.org.object_of(id_), "id": id_, "properties": values}
        self.http("POST", "/_emulator/records", body)

    def responds(
        self, person: str, campaign: str = "Demo request", type_: str = "Web Form", status: str = "Responded"
    ) -> str:
        """A campaign member's id; the campaign is made when there is none of the name."""
        known = next((row.id for row in self.org.live("Campaign") if row.values.get("Name") == campaign), "")
        campaign_id = known or self.add("Campaign", Name=campaign, Type=type_, IsActive=True)
        who = "LeadId" if person.startswith("00Q") else "ContactId"
        return self.add("CampaignMember", CampaignId=campaign_id, Status=status, **{who: person})

    def calls(self, person: str, **values: Any) -> str:
        """A task: somebody called us."""
        done = {"TaskSubtype": "Call", "CallType": "Inbound", "Status": "Completed", "Priority": "Normal"}
        return self.add("Task", WhoId=person, Subject="Call", ActivityDate=self._today(), **{**done, **values})

    def meets(self, person: str, **values: Any) -> str:
        """An event: somebody met us an hour ago."""
        at = self.org.clock.now().isoformat()
        times = {"StartDateTime": at, "EndDateTime": at, "ActivityDateTime": at}
        return self.add("Event", WhoId=person, Subject="Meeting", **{**times, **values})

    def deal(self, contact: str, stage: str = "Prospecting") -> str:
        """An opportunity's id, in which the contact has a role."""
        deal = self.add("Opportunity", Name="Deal", StageName=stage, CloseDate=self._today())
        self.add("OpportunityContactRole", OpportunityId=deal, ContactId=contact)
        return deal

    def convert(self, lead: str, contact: str = "", account: str = "") -> str:
        """The id of the contact a lead became."""
        return str(
            self.http("POST", "/_emulator/convert", {"lead": lead, "contact": contact, "account": account})["id"]
        )

    def merge(self, winner: str, loser: str) -> str:
        """The winner's id."""
        body = {"object": self.org.object_of(winner), "primary": winner, "other": loser}
        return str(self.http("POST", "/_emulator/merge", body)["id"])

    def delete(self, id_: str) -> None:
        """Puts a record into the recycle bin."""
        self.http("POST", "/_emulator/delete", {"object": self.org.object_of(id_), "id": id_})

    def undelete(self, id_: str) -> None:
        """Takes a record out of the recycle bin."""
        self.http("POST", "/_emulator/undelete", {"object": self.org.object_of(id_), "id": id_})

    def settings(self, **changes: Any) -> None:
        """What an admin of the org changes; the words are the emulator's."""
        self.http("POST", "/_emulator/settings", {"salesforce": changes})

    def _today(self) -> str:
        return self.org.clock.now().date().isoformat()

    # what stands there

    def held(self, id_: str) -> dict[str, Any]:
        """What the org holds of a record now, empty fields left out, whatever became of it."""
        object_ = self.org.object_of(id_)
        told = self.http("GET", f"/_emulator/records/{object_}")["results"]
        (row,) = [row for row in told if row["Id"] == id_]
        return {name: value for name, value in row.items() if value is not None}

    def ours(self, id_: str) -> dict[str, str]:
        """Our fields of a record as text, by output; empty ones left out."""
        return {
            name.removeprefix(OURS).removesuffix("__c").casefold(): as_text(value)
            for name, value in self.held(id_).items()
            if name.startswith(OURS)
        }

    def shown(self) -> dict[str, dict[str, str]]:
        """Our fields of every lead and contact that lives, as text by name, empty ones left out, by id."""
        return {
            row["Id"]: {
                name: as_text(value) for name, value in row.items() if name.startswith(OURS) and value is not None
            }
            for object_ in PREFIXES
            for row in self.http("GET", f"/_emulator/records/{object_}")["results"]
            if not row["IsDeleted"] and not row.get("IsConverted")
        }

    # what leadmark did

    @contextmanager
    def writes(self) -> Iterator[list[tuple[str, dict[str, Any]]]]:
        """(id, fields) of each row sent within the block, in order, filled in at its end."""
        written: list[tuple[str, dict[str, Any]]] = []
        last = self.traffic.calls
        yield written
        written += [row for entry in self.traffic.since(last) if is_write(entry) for row in rows_of(entry)]


def rule(**what: Any) -> RecordRule:
    """A record rule of the emulator, in its words."""
    return parse_record_rule(what)


def is_salesforce(entry: "Entry") -> bool:
    """Whether the request went to the org."""
    return entry.target.startswith("/services/")


def is_write(entry: "Entry") -> bool:
    """Whether it is an update of records of the org."""
    return entry.method == "PATCH" and entry.target.endswith(WRITE)


def rows_of(entry: "Entry") -> list[tuple[str, dict[str, Any]]]:
    """(id, fields) of each row of an update."""
    rows = json.loads(entry.body)["records"]
    return [(row["id"], {name: row[name] for name in row.keys() - {"id", "attributes"}}) for row in rows]


def held(world: World, org: Org | None) -> dict[str, dict[Any, dict[str, Any]]]:
    """Every value of every record of portal and org, and when it was last changed, by object and id."""
    found: dict[str, dict[Any, dict[str, Any]]] = {
        kind: {row.id: {"": f"{row.now.updated_ms}", **row.now.properties} for row in table.live()}
        for kind, table in world.tables.items()
    }
    for kind, rows in org.rows.items() if org else ():
        found[kind] = {row.id: {"": f"{row.stamp_ms} {row.deleted}", **row.values} for row in rows.values()}
    return found


def differences(
    one: Mapping[str, Mapping[Any, Mapping[str, Any]]], other: Mapping[str, Mapping[Any, Mapping[str, Any]]]
) -> list[tuple[str, Any, str, Any, Any]]:
    """(object, id, field, value here, value there) wherever what two hold differs."""
    return [
        (kind, id_, name, here.get(id_, {}).get(name), there.get(id_, {}).get(name))
        for kind in one
        for here, there in [(one[kind], other[kind])]
        for id_ in here.keys() | there.keys()
        for name in here.get(id_, {}).keys() | there.get(id_, {}).keys()
        if here.get(id_, {}).get(name) != there.get(id_, {}).get(name)
    ]


def copied(world: World, org: Org | None) -> tuple[World, Org | None]:
    """Both as they are, apart from these from now on."""
    lock, locks = RLock(), {id(one.lock) for one in (world, org) if one is not None}
    copies: tuple[World, Org | None] = copy.deepcopy((world, org), dict.fromkeys(locks, lock))
    return copies


def as_text(value: Any) -> str:
    """A value of the org as one reads it: whole numbers without a point."""
    return f"{value:g}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def nothing_but_our_fields(side: OrgSide) -> None:
    """Whatever leadmark sent to the org updated our fields of people, and nothing else has changed there since."""
    for entry in side.traffic.since(0):
        path = entry.target.partition("?")[0]
        if not is_salesforce(entry) or entry.method == "GET" or (entry.method == "POST" and path == _LOGIN):
            continue
        assert is_write(entry), entry
        assert entry.headers.get("sforce-auto-assign") == "FALSE", entry.headers
        body = json.loads(entry.body)
        assert set(body) == {"allOrNone", "records"}
        assert body["allOrNone"] is False
        assert 0 < len(body["records"]) <= 200
        for row in body["records"]:
            assert row["attributes"] == {"type": side.org.object_of(row["id"])}
            assert row["attributes"]["type"] in PREFIXES
            names = row.keys() - {"attributes", "id"}
            assert names
            assert all(name.startswith(OURS) and name.endswith("__c") for name in names), names
            assert row["id"] in side.org.rows[row["attributes"]["type"]], "a write to a record that never existed"
    assert side.kept.changed() == []
