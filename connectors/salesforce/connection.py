"""One Salesforce org as a Connector."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from config.salesforce import SalesforceConnection
from connectors.base import Account, Allowance, Cursor, FieldDefinition, FieldUpdate, Page, Receipt, Stream
from connectors.errors import Fatal, Refused
from connectors.salesforce.client import UPDATE_ROWS, Client
from connectors.salesforce.failures import well_formed
from connectors.salesforce.fields import definition, spelled
from connectors.salesforce.ids import long_id
from connectors.salesforce.login import Credentials
from connectors.salesforce.pull import pull, read
from connectors.salesforce.push import Writer
from connectors.salesforce.reading import Reading
from connectors.salesforce.records import OBJECTS
from connectors.salesforce.wanted import Wanted, wanted

_REMEMBERED = timedelta(hours=1)
_FRESH = timedelta(minutes=1)


class Salesforce:
    """An org: pulls leads, contacts and what they did, writes our fields of both and nothing else."""

    push_size = UPDATE_ROWS

    def __init__(
        self,
        *,
        client: Client,
        wanted: Wanted,
        now: Callable[[], datetime],
        sleep: Callable[[float], None],
        chance: Callable[[], float],
    ) -> None:
        """Makes no call; ``Salesforce.open`` builds it from settings."""
        self._client = client
        self._wanted = wanted
        self._now = now
        self._definitions: dict[str, tuple[datetime, Mapping[str, FieldDefinition]]] = {}
        self._reading = Reading(client=client, wanted=wanted, definitions=self._definitions_of, now=now)
        self._writer = Writer(
            client=client, definitions=self._definitions_of, outputs=wanted.outputs, sleep=sleep, chance=chance
        )

    @classmethod
    def open(
        cls,
        settings: SalesforceConnection,
        *,
        url: str,
        credentials: Credentials,
        outputs: Sequence[str],
        now: Callable[[], datetime],
        sleep: Callable[[float], None],
        monotonic: Callable[[], float],
        chance: Callable[[], float] = random.random,
        stop: Callable[[], bool] = lambda: False,
    ) -> "Salesforce":
        """A connection by the settings; makes no call. ``outputs`` are the full names of the fields we write.

        ``url`` is the org's My Domain, resolved. Once ``stop()`` holds, no call goes out any more.
        """
        client = Client(
            url=url,
            credentials=credentials,
            api_version=settings.api_version,
            stop_when_used_percent=settings.calls.stop_percent,
            now=now,
            sleep=sleep,
            monotonic=monotonic,
            chance=chance,
            stop=stop,
        )
        return cls(client=client, wanted=wanted(settings, outputs), now=now, sleep=sleep, chance=chance)

    def account(self) -> Account:
        """The org the credentials reach."""
        told = self._client.organization()
        with well_formed("Organization"):
            return Account(
                id=long_id(told["Id"]),
                production=not told["IsSandbox"],
                time_zone=told.get("TimeZoneSidKey") or "UTC",
            )

    def describe(self) -> Mapping[str, Mapping[str, FieldDefinition]]:
        """Definitions of leads, contacts, and whom they point to where a fact asks for it; kept for an hour.

        By the org's names of the fields, and by the settings' spelling of those asked for.
        """
        return {object_: self._definitions_of(object_) for object_ in self._wanted.fields}

    def hidden(self) -> Mapping[str, Sequence[str]]:
        """Object -> optional fields that are asked for and not shown, of the objects described so far."""
        found = {
            object_: [name for name in self._wanted.fields[object_] if name in optional and name not in known[1]]
            for object_, optional in self._wanted.optional.items()
            if (known := self._definitions.get(object_)) is not None
        }
        return {object_: names for object_, names in found.items() if names}

    def streams(self) -> Sequence[Stream]:
        """The streams the configuration asks for."""
        return self._wanted.streams()

    def pull(self, stream: str, cursor: Cursor | None) -> Iterator[Page]:
        """Pages of the stream from the cursor on."""
        return pull(self._reading, stream, cursor)

    def read(self, object_: str, ids: Sequence[str]) -> Page:
        """The named records as they are now."""
        return read(self._reading, object_, ids)

    def push(self, updates: Sequence[FieldUpdate]) -> Sequence[Receipt]:
        """Receipts in the order of the updates; see ``connectors.salesforce.push``."""
        return self._writer.push(updates)

    def calls(self) -> int:
        """HTTP requests sent since this object was built."""
        return self._client.calls

    def allowance(self) -> Allowance | None:
        """The org's calls of 24 hours as its newest answer told them."""
        told = self._client.allowance
        return Allowance(used=told[0], allowed=told[1], at=self._client.allowance_at) if told else None

    def close(self) -> None:
        """Closes the sockets."""
        self._client.close()

    def _definitions_of(self, object_: str, *, fresh: bool = False) -> Mapping[str, FieldDefinition]:
        now = self._now()
        known = self._definitions.get(object_)
        if known is None or not known[0] <= now < known[0] + (_FRESH if fresh else _REMEMBERED):
            known = now, self._described(object_)
            self._definitions[object_] = known
        return known[1]

    def _described(self, object_: str) -> Mapping[str, FieldDefinition]:
        """None at all when the object is not shown and can be spared."""
        asked = self._wanted.fields[object_]
        try:
            told = self._client.describe(OBJECTS[object_])
        except Refused as refused:
            if refused.status == 404 and set(asked) <= self._wanted.optional.get(object_, frozenset()):
                return {}
            raise Fatal(
                f"Salesforce shows no {OBJECTS[object_]}: grant the connection's user the right to read it, or take "
                "the facts read from it out of the connection's file."
            ) from refused
        with well_formed(f"{OBJECTS[object_]} describe"):
            return spelled({one["name"]: definition(one) for one in told["fields"]}, asked)
