"""One pass: pull, identify, score, plan, push. Resumable after a crash at any point, because every step is kept whole.

A connection that fails is parked with its reason; the others go on. Nothing is reported as success that was cut short.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from uuid import uuid4

from sync.definitions import kept_definitions
from sync.evaluating import identify_and_score
from sync.incoming import prepare, pull_all
from sync.outgoing import plan_and_push
from sync.report import ConnectionReport, RunReport
from sync.runtime import Options, Runtime
from sync.store import tables
from sync.store.store import upsert
from sync.store.values import dump, micros
from sync.turn import Turn, give_back, guarded, take_turns


def run_pass(runtime: Runtime, options: Options) -> RunReport:
    """Runs one pass and keeps its report. Raises StoreError; errors of a CRM park their connection.

    A connection that another process runs is left to it.
    """
    report = RunReport(pass_id=uuid4().hex[:12], started_at=runtime.now())
    wanted = [one for one in runtime.connections if options.only in {None, one.settings.name}]
    report.connections = {one.settings.name: ConnectionReport() for one in wanted}
    runtime = _within(runtime, options.until)
    with runtime.store.begin() as tx:  # for a connection this pass does not reach: as they were last read
        for one in runtime.connections:
            one.definitions = one.definitions or kept_definitions(tx, one.settings.name)
    turns = take_turns(runtime, wanted, report, options)
    _keep(runtime, report)
    try:
        _run(runtime, turns, report, options)
    finally:
        give_back(runtime, turns)
    for turn in turns:
        if runtime.stop() and turn.report.state == "ok":
            turn.report.state, turn.report.reason = "interrupted", "told to stop; the next pass goes on from here"
    report.ended_at = runtime.now()
    _keep(runtime, report)
    return report


def _within(runtime: Runtime, until: datetime | None) -> Runtime:
    """The runtime of a pass that stops after ``until``."""
    if until is None:
        return runtime
    return replace(runtime, stop=lambda: runtime.stop() or runtime.now() >= until)


def _run(runtime: Runtime, turns: Sequence[Turn], report: RunReport, options: Options) -> None:
    ready = [turn for turn in turns if not options.pull or prepare(runtime, turn)]
    pulled = []
    for place, turn in enumerate(ready):
        stop = _share(runtime, options.until, len(ready) - place + 1)
        if not options.pull or pull_all(runtime, turn, full=options.full, stop=stop):
            pulled.append(turn)
    pulled += [turn for turn in turns if turn.read_enough]
    if not pulled or runtime.stop():
        return
    if identify_and_score(runtime, pulled, report, options):
        for turn in pulled:
            if not runtime.stop():
                guarded(runtime, turn, partial(plan_and_push, runtime, turn, report, options))


def _share(runtime: Runtime, until: datetime | None, left: int) -> Callable[[], bool]:
    """When a connection's read must end, so that the other ``left - 1`` parts of the pass have their time, too."""
    if until is None:
        return runtime.stop
    end = runtime.now() + (until - runtime.now()) / left
    return lambda: runtime.stop() or runtime.now() >= end


def _keep(runtime: Runtime, report: RunReport) -> None:
    """Keeps the report, but for connections that another process runs: it keeps its own of them."""
    told = report.to_json()
    told["connections"] = {name: one for name, one in told["connections"].items() if one["state"] != "elsewhere"}
    if not told["connections"] and report.connections:
        return
    row = {
        "id": report.pass_id,
        "started_at": micros(report.started_at),
        "ended_at": micros(report.ended_at) if report.ended_at else None,
        "report": dump(told),
    }
    with runtime.store.begin() as tx:
        upsert(tx, tables.pass_, [row])
