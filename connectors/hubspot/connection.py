"""One HubSpot portal as a Connector."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache

from config.hubspot import HubSpotConnection
from connectors.base import Account, Allowance, Cursor, FieldDefinition, FieldUpdate, Page, Receipt, Stream
from connectors.hubspot.client import BATCH_ROWS, Client
from connectors.hubspot.failures import well_formed
from connectors.hubspot.fields import OWNER_FIELDS, definition
from connectors.hubspot.marks import Windows
from connectors.hubspot.pull import pull, read
from connectors.hubspot.push import push
from connectors.hubspot.reading import Reading
from connectors.hubspot.wanted import Wanted, wanted

#: object -> how paths name it
_KINDS = {"contact": "contacts", "company": "companies", "deal": "deals"}
_REMEMBERED = timedelta(hours=1)
_FRESH = timedelta(minutes=1)


class HubSpot:
    """A portal: pulls contacts and what they did, writes our properties of contacts and nothing else."""

    push_size = BATCH_ROWS

    def __init__(self, *, client: Client, wanted: Wanted, now: Callable[[], datetime], windows: Windows) -> None:
        """Makes no call; ``HubSpot.open`` builds it from settings."""
        self._client = client
        self._wanted = wanted
        self._now = now
        self._definitions: dict[str, tuple[datetime, Mapping[str, FieldDefinition]]] = {}
        self._reading = Reading(
            client=client,
            wanted=wanted,
            definitions=self._definitions_of,
            now=now,
            windows=windows,
            labels={},
            option_labels=cache(self._option_labels),
        )

    @classmethod
    def open(
        cls,
        settings: HubSpotConnection,
        *,
        token: str,
        outputs: Sequence[str],
        now: Callable[[], datetime],
        sleep: Callable[[float], None],
        monotonic: Callable[[], float],
        chance: Callable[[], float] = random.random,
        stop: Callable[[], bool] = lambda: False,
    ) -> "HubSpot":
        """A connection by the settings; makes no call. ``outputs`` are the full names of the properties we write.

        Once ``stop()`` holds, no call goes out any more.
        """
        client = Client(
            url=settings.url,
            api_version=settings.api_version,
            token=token,
            now=now,
            sleep=sleep,
            monotonic=monotonic,
            chance=chance,
            stop=stop,
        )
        return cls(client=client, wanted=wanted(settings, outputs), now=now, windows=Windows())

    def account(self) -> Account:
        """The portal the service key reaches."""
        told = self._client.account()
        return Account(
            id=str(told.get("portalId")),
            production=told.get("accountType") == "STANDARD",
            time_zone=told.get("timeZone") or "UTC",
        )

    def describe(self) -> Mapping[str, Mapping[str, FieldDefinition]]:
        """Definitions of contacts, and of companies, owners and deals where they are read; kept for an hour."""
        return {object_: self._definitions_of(object_) for object_ in self._wanted.fields}

    def streams(self) -> Sequence[Stream]:
        """The streams the configuration asks for."""
        return self._wanted.streams()

    def pull(self, stream: str, cursor: Cursor | None) -> Iterator[Page]:
        """Pages of the stream from the cursor on."""
        return pull(self._reading, stream, cursor)

    def read(self, object_: str, ids: Sequence[str]) -> Page:
        """The named contacts or companies as they are now."""
        return read(self._reading, object_, ids)

    def push(self, updates: Sequence[FieldUpdate]) -> Sequence[Receipt]:
        """Receipts in the order of the updates; see ``connectors.hubspot.push``."""
        return push(self._client, self._definitions_of, self._wanted.outputs, updates)

    def hidden(self) -> Mapping[str, Sequence[str]]:
        """Optional properties that the portal does not have, by object, as far as definitions were read."""
        return {
            object_: sorted(names - self._definitions[object_][1].keys())
            for object_, names in self._wanted.optional.items()
            if object_ in self._definitions and names - self._definitions[object_][1].keys()
        }

    def calls(self) -> int:
        """HTTP requests sent since this object was built."""
        return self._client.calls

    def allowance(self) -> Allowance | None:
        """The portal's calls of its day."""
        return self._client.allowance

    def close(self) -> None:
        """Closes the sockets."""
        self._client.close()

    def _option_labels(self, kind: str, name: str) -> dict[str, str]:
        told = self._client.properties(kind).get("results") or ()
        options = next((one.get("options") or () for one in told if one["name"] == name), ())
        return {str(option["value"]): str(option.get("label") or "") for option in options}

    def _definitions_of(self, object_: str, *, fresh: bool = False) -> Mapping[str, FieldDefinition]:
        if object_ == "owner":
            return OWNER_FIELDS
        now = self._now()
        known = self._definitions.get(object_)
        if known is None or not known[0] <= now < known[0] + (_FRESH if fresh else _REMEMBERED):
            told = self._client.properties(_KINDS[object_]).get("results") or ()
            with well_formed(f"{_KINDS[object_]} properties"):
                known = now, {one["name"]: definition(one) for one in told}
            self._definitions[object_] = known
        return known[1]
