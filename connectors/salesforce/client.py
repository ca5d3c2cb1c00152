"""Salesforce's calls as plain functions: JSON in, JSON out, errors as ``connectors.errors``.

Every call goes through simple-salesforce's session with our own timeout, is counted, and made again when it may go
through later. Raw JSON only.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

Json = dict[str, Any]


class Client:
    """One org's API. Not for several threads at once, but ``close`` may come from another.

    Built by keyword: ``url, login, api_version, stop_when_used, now, sleep, monotonic, chance, stop``.
    """

    @property
    def calls(self) -> int:
        """Requests sent so far, those for tokens included."""
        raise NotImplementedError

    @property
    def allowance(self) -> tuple[int, int] | None:
        """(used, allowed) of the org's calls in 24 hours as the newest answer said; None before one did."""
        raise NotImplementedError

    def organization(self) -> Json:
        """The org's row: Id, IsSandbox, TimeZoneSidKey."""
        raise NotImplementedError

    def describe(self, object_: str) -> Json:
        """What the org says of one object."""
        raise NotImplementedError

    def query(self, soql: str, *, all_rows: bool = False) -> Json:
        """The first page of a query; ``all_rows``: deleted and archived ones too (queryAll)."""
        raise NotImplementedError

    def more(self, url: str) -> Json:
        """The next page, by the ``nextRecordsUrl`` of the one before."""
        raise NotImplementedError

    def update(self, records: Sequence[Json]) -> tuple[list[Json], datetime]:
        """What Salesforce made of at most 200 updates, in their order, and an instant not after the write.

        The only call that writes; it carries ``Sforce-Auto-Assign: FALSE``.
        """
        raise NotImplementedError

    def server_time(self) -> datetime:
        """The org's clock as its newest answer said (the ``Date`` header); ours before one did."""
        raise NotImplementedError

    def close(self) -> None:
        """Closes the sockets; a call in flight ends with an error, and none goes out any more."""
        raise NotImplementedError
