"""What people did that HubSpot keeps outside its objects: form submissions, marketing-mail events, list joins.

Each is a log of tuples that begin with the instant in ms, so that order and paging need nothing else.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Mapping
from typing import Generic, NamedTuple, TypeVar

MAIL_TYPES = (
    "SENT",
    "DELIVERED",
    "OPEN",
    "CLICK",
    "BOUNCE",
    "STATUSCHANGE",
    "SPAMREPORT",
    "DROPPED",
    "DEFERRED",
    "PROCESSED",
    "PRINT",
    "FORWARD",
)
Item = TypeVar("Item", bound=tuple)  # type: ignore[type-arg]  # any tuple that begins with the instant


class Log(Generic[Item]):
    """Items in the order of time, whatever the order they come in."""

    def __init__(self) -> None:
        """An empty log."""
        self._items: list[Item] = []
        self._sorted = True
        #: items still in the list that are removed
        self._removed: set[Item] = set()

    def __len__(self) -> int:
        return len(self._items) - len(self._removed)

    def add(self, item: Item) -> None:
        """Takes in one item."""
        if item in self._removed:
            self._removed.remove(item)
            return
        self._sorted = self._sorted and (not self._items or self._items[-1] <= item)
        self._items.append(item)

    def remove(self, item: Item) -> None:
        """Forgets one item that was added."""
        self._removed.add(item)

    def items(self) -> list[Item]:
        """All items, oldest first."""
        if not self._sorted:
            self._items.sort()
            self._sorted = True
        if self._removed:
            self._items = [item for item in self._items if item not in self._removed]
            self._removed.clear()
        return self._items

    def before(self, key: tuple[int, ...], limit: int) -> list[Item]:
        """Up to ``limit`` items below the key, newest first."""
        items = self.items()
        end = bisect_left(items, key)
        return items[max(0, end - limit) : end][::-1]

    def after(self, key: tuple[int, ...], limit: int) -> list[Item]:
        """Up to ``limit`` items above the key, oldest first."""
        items = self.items()
        start = bisect_right(items, key)
        return items[start : start + limit]


class Submission(NamedTuple):
    """One filled-in form. Forms know an address, never a record."""

    at_ms: int
    number: int
    values: tuple[tuple[str, str], ...]
    page_url: str


class Forms:
    """Forms by guid, with their submissions."""

    def __init__(self, names: Mapping[str, str]) -> None:
        """``names``: guid -> what people see."""
        self.names = dict(names)
        self._log: defaultdict[str, Log[Submission]] = defaultdict(Log)
        self._count = 0

    def submissions(self, guid: str) -> Log[Submission]:
        """The submissions of one form."""
        return self._log[guid]

    def submit(self, guid: str, values: Mapping[str, str], at_ms: int, *, page_url: str = "") -> int:
        """The submission's number. ``values`` holds the ``email``."""
        self._count += 1
        self._log[guid].add(Submission(at_ms, self._count, tuple(values.items()), page_url))
        return self._count

    def forget(self, email: str) -> None:
        """Drops what an address sent."""
        for guid, log in self._log.items():
            kept: Log[Submission] = Log()
            for item in log.items():
                if dict(item.values).get("email", "").casefold() != email:
                    kept.add(item)
            self._log[guid] = kept


class MailEvent(NamedTuple):
    """One thing that happened to one copy of a marketing mail."""

    at_ms: int
    number: int
    type: str
    recipient: str
    campaign: int
    url: str = ""
    #: (at_ms, number) of the SENT event of this copy; None for that event itself
    sent_by: tuple[int, int] | None = None
    #: HubSpot takes it for a bot's
    filtered: bool = False


class Mail:
    """Marketing mail: campaigns and events, by type and altogether (under "")."""

    def __init__(self, campaigns: Mapping[int, str]) -> None:
        """``campaigns``: id -> name."""
        self.campaigns = dict(campaigns)
        self._log: dict[str, Log[MailEvent]] = {kind: Log() for kind in ("", *MAIL_TYPES)}
        self._count = 0

    def events(self, type_: str = "") -> Log[MailEvent]:
        """The events of one type; "" = all."""
        return self._log[type_]

    def add(
        self,
        type_: str,
        recipient: str,
        campaign: int,
        at_ms: int,
        *,
        url: str = "",
        sent_by: tuple[int, int] | None = None,
        filtered: bool = False,
    ) -> MailEvent:
        """The new event."""
        self._count += 1
        event = MailEvent(at_ms, self._count, type_, recipient, campaign, url, sent_by, filtered)
        self._log[type_].add(event)
        self._log[""].add(event)
        return event

    def forget(self, email: str) -> None:
        """Drops what was sent to an address."""
        for kind, log in self._log.items():
            kept: Log[MailEvent] = Log()
            for event in log.items():
                if event.recipient.casefold() != email:
                    kept.add(event)
            self._log[kind] = kept


class Lists:
    """Contact lists by id. A contact that leaves and joins again has its newest join only, as in HubSpot."""

    def __init__(self, names: Mapping[int, str]) -> None:
        """``names``: list id -> name."""
        self.names: dict[int, str] = {}
        self._joins: dict[int, Log[tuple[int, int]]] = {}
        self._members: dict[int, dict[int, int]] = {}
        for number, name in names.items():
            self.add(number, name)

    def add(self, number: int, name: str) -> None:
        """Names a list, a new one too."""
        self.names[number] = name
        self._joins.setdefault(number, Log())
        self._members.setdefault(number, {})

    def joins(self, number: int) -> Log[tuple[int, int]]:
        """(at_ms, contact id) of every member of a list."""
        return self._joins[number]

    def join(self, number: int, contact: int, at_ms: int) -> None:
        """Makes a contact a member from an instant on."""
        if number not in self._joins:
            raise KeyError(f"no list {number}: the emulator has {sorted(self.names)}")
        self.leave(number, contact)
        self._members[number][contact] = at_ms
        self._joins[number].add((at_ms, contact))

    def leave(self, number: int, contact: int) -> None:
        """Ends a membership; nothing happens when there is none."""
        at_ms = self._members[number].pop(contact, None)
        if at_ms is not None:
            self._joins[number].remove((at_ms, contact))

    def move(self, old: int, new: int | None) -> None:
        """Gives a contact's memberships to another; None drops them. The earlier join of the two stays."""
        for number, members in self._members.items():
            at_ms = members.get(old)
            if at_ms is None:
                continue
            self.leave(number, old)
            if new is not None:
                self.join(number, new, min(at_ms, members.get(new, at_ms)))
