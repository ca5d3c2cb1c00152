"""A connection's turn in a pass: it is this process's alone, and what it may use of the CRM's calls is counted.

What goes wrong at a CRM ends the turn of its connection, and no other.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import Connection

from connectors.errors import ConnectorError, QuotaSpent
from sync.approving import NotApprovedError
from sync.budget import Budget, ShareSpent, keep_spent, spent
from sync.lease import Held, LeaseLost, acquire
from sync.report import ConnectionReport, RunReport
from sync.runtime import Open, Options, Runtime

log = structlog.get_logger()


@dataclass(kw_only=True)
class Turn:
    """A connection within one pass: it is ours alone, and what it may use is counted."""

    one: Open
    report: ConnectionReport
    budget: Budget
    #: None where nothing is read or written
    held: Held | None
    now: Callable[[], datetime]
    #: reading used up its part of our share of calls; what is known can still be written
    read_enough: bool = False

    @property
    def name(self) -> str:
        """The connection's name."""
        return self.one.settings.name

    def renew(self, tx: Connection) -> None:
        """Keeps the lease; raises LeaseLost."""
        if self.held is not None:
            self.held.renew(tx, self.now())


def take_turns(runtime: Runtime, wanted: Sequence[Open], report: RunReport, options: Options) -> list[Turn]:
    """The connections nobody else runs; an offline pass neither reads nor writes and takes none."""
    turns = []
    for one in wanted:
        mine = report.connections[one.settings.name]
        with runtime.store.begin() as tx:
            held = acquire(tx, one.settings.name, runtime.owner, runtime.now()) if options.pull else None
            before = spent(tx, one.settings.name, runtime.now())
        if options.pull and held is None:
            mine.state, mine.reason = "elsewhere", "another process runs it"
            continue
        budget = Budget(
            calls=one.settings.calls,
            connector=one.connector,
            spent_before=before,
            made_before=one.connector.calls(),
            now=runtime.now,
        )
        turns.append(Turn(one=one, report=mine, budget=budget, held=held, now=runtime.now))
    return turns


def give_back(runtime: Runtime, turns: Sequence[Turn]) -> None:
    """Counts the calls and gives the connections back."""
    for turn in turns:
        turn.report.calls = turn.one.connector.calls() - turn.budget.made_before
        turn.report.hidden = turn.one.connector.hidden()
        with runtime.store.begin() as tx:
            keep_spent(tx, turn.name, turn.report.calls, runtime.now())
            if turn.held is not None:
                turn.held.release(tx, runtime.now())


def guarded(runtime: Runtime, turn: Turn, step: Callable[[], bool | None]) -> bool:
    """Whether a step that talks to a CRM came to its end (False is what a step says that was cut).

    An error parks the connection and says why.
    """
    report = turn.report
    try:
        return step() is not False
    except LeaseLost as error:
        report.state, report.reason = "elsewhere", str(error)
        return False
    except QuotaSpent as error:
        turn.read_enough = isinstance(error, ShareSpent)
        until = f"; it returns at {error.until.isoformat()}" if error.until else ""
        report.state, report.reason = "deferred_quota", f"{error}{until}"
    except NotApprovedError as error:
        report.settle("needs_approval", str(error))
        return False
    except ConnectorError as error:
        if runtime.stop():
            return False
        report.state, report.reason = "parked", str(error)
    log.error("connection parked", connection=turn.name, state=report.state, reason=report.reason)
    return False
