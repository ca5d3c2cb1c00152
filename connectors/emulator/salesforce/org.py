"""The state of one Salesforce org: its rows, users, rights and rules, and every change to them.

Emulated time only; instants are whole milliseconds since 1970, UTC. The lock is held by whoever calls; the server holds
it for the length of one handler.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from threading import RLock
from typing import Any

from connectors.emulator.clock import EmulatorClock
from connectors.emulator.salesforce.fields import ObjectType


@dataclass(slots=True)
class Row:
    """One record. Values by field name; None or absent is empty. Dates and instants are ISO text, as in SOQL."""

    id: str
    values: dict[str, Any]
    created_ms: int
    #: SystemModstamp
    stamp_ms: int
    deleted: bool = False
    #: visible to queryAll only (old activities)
    archived: bool = False
    #: until this instant queries show the version before (commit lag); None = visible
    hidden_until_ms: int | None = None


class Org:
    """One org. All attributes may be changed at any time."""

    def __init__(self, clock: EmulatorClock, *, org_id: str = "00D5g000004XyzAEAU") -> None:
        """An empty org with the standard objects, our output fields on Lead and Contact, three users."""
        self.lock = RLock()
        self.clock = clock
        self.org_id = org_id
        self.is_sandbox = True
        self.objects: dict[str, ObjectType] = {}
        #: object -> id -> row, in id order
        self.rows: dict[str, dict[str, Row]] = {}
        #: an active assignment rule: the user every Lead written without Sforce-Auto-Assign: FALSE is given; "" = none
        self.assigns_to = ""

    def create(
        self, object_: str, values: Mapping[str, Any], *, created_ms: int | None = None, stamp_ms: int | None = None
    ) -> Row:
        """A new row, unchecked; both stamps default to now."""
        raise NotImplementedError

    def row(self, object_: str, id_: str) -> Row:
        """The row of an id of 15 or 18 characters, deleted ones included; NOT_FOUND when there is none."""
        raise NotImplementedError

    def write(
        self, object_: str, row: Row, values: Mapping[str, Any], *, by_api: bool = True, auto_assign: bool = False
    ) -> None:
        """Sets checked values and moves the stamp. ``by_api``: rules of records apply."""
        raise NotImplementedError

    def edit(self, object_: str, id_: str, values: Mapping[str, Any]) -> Row:
        """A person's edit in the CRM; system fields may change, record rules do not apply."""
        raise NotImplementedError

    def delete(self, object_: str, id_: str) -> None:
        """Puts a row into the recycle bin; its activities and members go with it."""
        raise NotImplementedError

    def undelete(self, object_: str, id_: str) -> None:
        """Takes a row out of the recycle bin."""
        raise NotImplementedError

    def merge(self, object_: str, master: str, loser: str) -> Row:
        """The loser is deleted with MasterRecordId; its activities and members move to the master, which is stamped."""
        raise NotImplementedError

    def convert(self, lead: str, *, contact: str = "", account: str = "") -> Row:
        """The contact a lead became: a new one (with an account) unless named. The lead stays, read-only."""
        raise NotImplementedError

    def archive(self) -> int:
        """Archives events and closed tasks of 365 days and more; how many."""
        raise NotImplementedError
