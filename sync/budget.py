"""Our share of a CRM's daily calls: counted by us, by the hour, and held against what the CRM says it allows.

A tenth of the share is kept for writing, so that a long read cannot starve it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, func, select

from config.parts import Calls
from connectors.base import Allowance, Connector
from connectors.errors import QuotaSpent
from sync.store import tables
from sync.store.store import upsert
from sync.store.values import micros

DAY = timedelta(hours=24)
ASKED_AGAIN = timedelta(hours=1)
#: percent of our share that reading may use
READING = 90


def spent(tx: Connection, connection: str, now: datetime) -> int:
    """Calls made within 24 hours, whole hours of them."""
    table = tables.called
    counted = select(func.coalesce(func.sum(table.c.calls), 0)).where(
        table.c.connection == connection, table.c.hour_at > micros(now - DAY)
    )
    return int(tx.execute(counted).scalar_one())


def keep_spent(tx: Connection, connection: str, calls: int, now: datetime) -> None:
    """Adds calls to the hour's count; forgets those older than a day."""
    table = tables.called
    hour = micros(now.replace(minute=0, second=0, microsecond=0))
    tx.execute(delete(table).where(table.c.connection == connection, table.c.hour_at <= micros(now - DAY)))
    before = tx.execute(select(table.c.calls).where(table.c.connection == connection, table.c.hour_at == hour)).scalar()
    upsert(tx, table, [{"connection": connection, "hour_at": hour, "calls": (before or 0) + calls}])


class ShareSpent(QuotaSpent):
    """Our own share is used up, but for the part that is kept for writing."""


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What one connection may still use in this pass."""

    calls: Calls
    connector: Connector
    #: by us within 24 hours, before this pass
    spent_before: int
    #: the connector's count when the pass began
    made_before: int
    now: Callable[[], datetime]

    def check(self, *, writing: bool = False) -> None:
        """Raises ShareSpent when our share is used up, QuotaSpent when what all apps together may use is."""
        allowance = self.connector.allowance()
        if allowance is None:
            return
        self._check_all(allowance)
        share = allowance.allowed * self.calls.per_day_percent // 100
        ours = self.spent_before + self.connector.calls() - self.made_before
        if ours >= (share if writing else share * READING // 100):
            raise ShareSpent(
                f"leadmark made {ours} calls in 24 hours, its share is {self.calls.per_day} of {allowance.allowed} "
                "(calls.per_day); passes go on as the hours go by. Fewer streams or a longer worker.every need fewer",
                until=self.now() + ASKED_AGAIN,
            )

    def _check_all(self, allowance: Allowance) -> None:
        """For an hour after the CRM told it; then a call asks it again."""
        if self.now() - allowance.at >= ASKED_AGAIN:
            return
        if allowance.used * 100 >= allowance.allowed * self.calls.stop_percent:
            raise QuotaSpent(
                f"all apps together made {allowance.used} of the {allowance.allowed} calls of the day; leadmark stops "
                f"at {self.calls.stop_when_org_used} (calls.stop_when_org_used)",
                until=allowance.at + ASKED_AGAIN,
            )
