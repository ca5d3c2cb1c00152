"""One pass: pull, identify, score, plan, push. Resumable after a crash at any point, because every step is kept whole.

A connection that fails is parked with its reason; the others go on. Nothing is reported as success that was cut short.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import structlog
from sqlalchemy import Connection, func, select

from config.settings import Connection as ConnectionSettings
from config.settings import Settings
from connectors.base import Connector, FieldDefinition, Page
from connectors.errors import ConnectorError, QuotaSpent
from scoring.digests import model_digest
from sync import differences
from sync.adoption import Adoption, occupied, save_occupied, seed_journeys
from sync.budget import Budget, ShareSpent, keep_spent, spent
from sync.canary import allowed_records
from sync.days import score_day
from sync.definitions import check_account, check_fields, check_store, keep_definitions, kept_definitions
from sync.identity import identify_some
from sync.lease import SCORE, Held, LeaseLost, Owner, acquire
from sync.mapping import ConnectionMap, digest
from sync.paused import paused
from sync.plan import Counts, Plan, Verdict, WriteRules, changed_bound, judge, make_plan
from sync.pull import Pulled, Reader, first_complete_at, pull
from sync.push import Pushed, Pusher
from sync.report import ConnectionReport, Progress, RunReport
from sync.retention import purge
from sync.scope import scoped
from sync.score import Scoring, compiled_for, count_stale, mark_everybody, score_stale
from sync.store import tables
from sync.store.store import Store, upsert
from sync.store.values import day_number, dump, micros

log = structlog.get_logger()

#: the CRM's definitions are read again after this long
DEFINITIONS_FOR = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a pass is asked to do."""

    push: bool = True
    pull: bool = True
    full: bool = False
    only: str | None = None
    adoption: Adoption = "ask"
    #: the pass ends at the next safe point after this
    until: datetime | None = None


@dataclass(kw_only=True)
class Open:
    """A connection as a pass uses it."""

    settings: ConnectionSettings
    map: ConnectionMap
    connector: Connector
    definitions: Mapping[str, Mapping[str, FieldDefinition]] = field(default_factory=dict)
    read_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """The real objects of an installation; ``sync.app`` builds them."""

    settings: Settings
    store: Store
    connections: Sequence[Open]
    owner: Owner
    now: Callable[[], datetime]
    stop: Callable[[], bool]
    progress: Progress


@dataclass(kw_only=True)
class _Turn:
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
    turns = _turns(runtime, wanted, report, options)
    _keep(runtime, report)
    try:
        _run(runtime, turns, report, options)
    finally:
        _end(runtime, turns)
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


def _turns(runtime: Runtime, wanted: Sequence[Open], report: RunReport, options: Options) -> list[_Turn]:
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
        turns.append(_Turn(one=one, report=mine, budget=budget, held=held, now=runtime.now))
    return turns


def _run(runtime: Runtime, turns: Sequence[_Turn], report: RunReport, options: Options) -> None:
    ready = [turn for turn in turns if not options.pull or _prepare(runtime, turn)]
    pulled = []
    for place, turn in enumerate(ready):
        stop = _share(runtime, options.until, len(ready) - place + 1)
        if not options.pull or _pull(runtime, turn, full=options.full, stop=stop):
            pulled.append(turn)
    pulled += [turn for turn in turns if turn.read_enough]
    if not pulled or runtime.stop():
        return
    if _identify_and_score(runtime, pulled, report, options):
        for turn in pulled:
            if not runtime.stop():
                _guarded(runtime, turn, partial(_plan_and_push, runtime, turn, report, options))


def _identify_and_score(runtime: Runtime, pulled: Sequence[_Turn], report: RunReport, options: Options) -> bool:
    """Who is who, then scores; left to the other process when one does it already. False: nothing may be written."""
    with runtime.store.begin() as tx:
        held = acquire(tx, SCORE, runtime.owner, runtime.now())
    if held is None:
        return True

    def renew(tx: Connection) -> None:
        held.renew(tx, runtime.now())

    try:
        _identify(runtime, renew)
        if not _adopt(runtime, pulled, options):
            return False
        _score(runtime, pulled, report, options, renew)
    except LeaseLost:
        log.warning("scoring taken over by another process")
    finally:
        with runtime.store.begin() as tx:
            held.release(tx, runtime.now())
    return True


def _share(runtime: Runtime, until: datetime | None, left: int) -> Callable[[], bool]:
    """When a connection's read must end, so that the other ``left - 1`` parts of the pass have their time, too."""
    if until is None:
        return runtime.stop
    end = runtime.now() + (until - runtime.now()) / left
    return lambda: runtime.stop() or runtime.now() >= end


def _end(runtime: Runtime, turns: Sequence[_Turn]) -> None:
    """Counts the calls and gives the connections back."""
    for turn in turns:
        turn.report.calls = turn.one.connector.calls() - turn.budget.made_before
        turn.report.hidden = turn.one.connector.hidden()
        with runtime.store.begin() as tx:
            keep_spent(tx, turn.name, turn.report.calls, runtime.now())
            if turn.held is not None:
                turn.held.release(tx, runtime.now())


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


def _guarded(runtime: Runtime, turn: _Turn, step: Callable[[], bool]) -> bool:
    """Runs a step that talks to a CRM; an error parks the connection and says why."""
    report = turn.report
    try:
        return step()
    except LeaseLost as error:
        report.state, report.reason = "elsewhere", str(error)
        return False
    except QuotaSpent as error:
        turn.read_enough = isinstance(error, ShareSpent)
        until = f"; it returns at {error.until.isoformat()}" if error.until else ""
        report.state, report.reason = "deferred_quota", f"{error}{until}"
    except ConnectorError as error:
        if runtime.stop():
            return False
        report.state, report.reason = "parked", str(error)
    log.error("connection parked", connection=turn.name, state=report.state, reason=report.reason)
    return False


def _prepare(runtime: Runtime, turn: _Turn) -> bool:
    """Whether it is the right account with every mapped field; asked again after ``DEFINITIONS_FOR``."""
    one = turn.one

    def check() -> bool:
        turn.budget.check()
        if one.read_at is not None and runtime.now() - one.read_at < DEFINITIONS_FOR:
            return True
        account = one.connector.account()
        check_account(account, one.settings)
        with runtime.store.begin() as tx:
            check_store(tx, account, turn.name)
            before = kept_definitions(tx, turn.name)
        definitions = one.connector.describe()
        check_fields(definitions, one.map, before)
        one.definitions, one.read_at = definitions, runtime.now()
        with runtime.store.begin() as tx:
            keep_definitions(tx, turn.name, definitions)
        turn.budget.check()
        return True

    return _guarded(runtime, turn, check)


def _pull(runtime: Runtime, turn: _Turn, *, full: bool, stop: Callable[[], bool]) -> bool:
    reader = Reader(
        store=runtime.store,
        map=turn.one.map,
        now=runtime.now,
        retention=timedelta(days=runtime.settings.retention.activities_days),
        in_scope=scoped(turn.one.map, runtime.settings, runtime.now()),
        renew=turn.renew,
        pulled=Pulled(),
    )
    runtime.progress.phase(f"pull {turn.name}", None)

    def on_page(page: Page) -> None:
        runtime.progress.advance(len(page.records) + len(page.activities), page.expected)
        turn.budget.check()

    done = _guarded(runtime, turn, lambda: pull(reader, turn.one.connector, full=full, on_page=on_page, stop=stop))
    turn.report.pulled, turn.report.activities = reader.pulled.records, reader.pulled.activities
    if not done and turn.report.state == "ok":
        turn.report.state = "interrupted"
        turn.report.reason = "its time in this pass was over; the next pass goes on from here"
    return done


def _identify(runtime: Runtime, renew: Callable[[Connection], None]) -> None:
    runtime.progress.phase("identify", None)
    while not runtime.stop():
        with runtime.store.begin() as tx:
            done = identify_some(tx)
            renew(tx)
        if not done:
            return
        runtime.progress.advance(done)


def _adopt(runtime: Runtime, pulled: Sequence[_Turn], options: Options) -> bool:
    """An empty store that finds our fields filled asks first; False stops the pass before scoring."""
    with runtime.store.begin() as tx:
        filled = {turn.name: occupied(tx, turn.one.map) for turn in pulled}
        if not any(filled.values()):
            return True
        if options.adoption == "ask":
            for turn in pulled:
                turn.report.state = "needs_adoption"
                turn.report.reason = (
                    f"the store is empty, but {filled[turn.name]} records hold values in our fields. If another tool "
                    "wrote them: leadmark sync --adopt (they are saved, then replaced). If we did and the store was "
                    "lost: leadmark sync --restored"
                )
            return False
        now = micros(runtime.now())
        for turn in pulled:
            save_occupied(tx, turn.one.map, now)
        if options.adoption == "restored":
            seed_journeys(tx, [turn.one.map for turn in pulled], runtime.settings.primary, now)
    return True


def _score(
    runtime: Runtime,
    pulled: Sequence[_Turn],
    report: RunReport,
    options: Options,
    renew: Callable[[Connection], None],
) -> None:
    scoring = scoring_for(runtime, restored=options.adoption == "restored")
    _keep_model_text(runtime)
    if mark_everybody(runtime.store, scoring):
        with runtime.store.begin() as tx:
            purge(
                tx,
                now=micros(scoring.now),
                activities=scoring.retention,
                gone=timedelta(days=runtime.settings.retention.gone_days),
            )
            renew(tx)
    runtime.progress.phase("score", count_stale(runtime.store))
    report.scored = score_stale(
        runtime.store, scoring, stop=runtime.stop, on_chunk=runtime.progress.advance, renew=renew
    )
    for turn in pulled:
        turn.report.scored = report.scored


def scoring_for(runtime: Runtime, *, restored: bool = False) -> Scoring:
    """What holds still while the primary model scores, from the store as it is."""
    settings = runtime.settings
    with runtime.store.begin() as tx:
        completed = {one.settings.name: first_complete_at(tx, one.settings.name) for one in runtime.connections}
        # a connection counts once all of it was read, so that nobody is scored on a part
        maps = [one.map for one in runtime.connections if completed[one.settings.name] is not None]
        compiled, maps_digest = compiled_for(
            tx, settings.models[settings.primary], settings.tables, settings.time_zone, maps
        )
    return Scoring(
        compiled=compiled,
        tables=settings.tables,
        maps=maps,
        maps_digest=maps_digest,
        zone=settings.time_zone,
        now=runtime.now(),
        retention=timedelta(days=settings.retention.activities_days),
        definitions={one.settings.name: _output_definitions(one) for one in runtime.connections},
        first_complete_at=completed,
        restored=restored,
    )


def _output_definitions(one: Open) -> dict[str, dict[str, FieldDefinition]]:
    return {
        object_: {
            name: definition for name, definition in one.definitions.get(object_, {}).items() if name in one.map.outputs
        }
        for object_ in sorted(one.map.people)
    }


def _keep_model_text(runtime: Runtime) -> None:
    settings = runtime.settings
    for name, model in settings.models.items():
        row = {
            "digest": model_digest(model),
            "model": name,
            "text": settings.model_texts[name],
            "first_at": micros(runtime.now()),
        }
        with runtime.store.begin() as tx:
            known = tx.execute(select(func.count()).where(tables.model_text.c.digest == row["digest"])).scalar_one()
            if not known:
                upsert(tx, tables.model_text, [row])


def plan_for(runtime: Runtime, one: Open) -> tuple[Plan, WriteRules]:
    """The plan of a connection from the store as it is."""
    settings, now = runtime.settings, micros(runtime.now())
    day = day_number(score_day(runtime.now(), settings.time_zone))
    definitions = {
        (object_, name): digest(repr(definition))
        for object_, known in _output_definitions(one).items()
        for name, definition in known.items()
    }
    models = {model_digest(model) for model in settings.models.values()}
    fields = {name: [output.model, output.output, output.policy] for name, output in one.map.outputs.items()}
    with runtime.store.begin() as tx:
        rules = WriteRules(
            outputs=one.map.outputs,
            definitions=definitions,
            min_change=one.settings.write.min_change,
            refresh_after_days=one.settings.write.refresh_after_days,
            now=now,
            allowed=allowed_records(tx, settings, one.settings, [other.map for other in runtime.connections], day),
        )
        outputs = {other.settings.name: other.map.outputs for other in runtime.connections}
        records = differences.differing(tx, one.settings.name, settings.primary, outputs, now)
        plan = make_plan(one.settings.name, records, rules, basis=digest([sorted(models), fields]))
        differences.keep_verdicts(tx, plan)
    return plan, rules


def _plan_and_push(runtime: Runtime, turn: _Turn, report: RunReport, options: Options) -> bool:
    one, mine, now = turn.one, turn.report, micros(runtime.now())
    write = one.settings.write
    runtime.progress.phase(f"plan {turn.name}", None)
    plan, rules = plan_for(runtime, one)
    report.plans[turn.name] = plan
    mine.planned, mine.left_out, mine.counts = len(plan.changes), plan.left_out, asdict(plan.counts)
    with runtime.store.begin() as tx:
        mine.suppressed = differences.held_back(tx, turn.name)
        pause = paused(tx, runtime.now())
        verdict = _verdict(tx, plan, one, now)
        if verdict.verdict == "stop" and write.mode != "shadow":
            differences.keep_stop(tx, plan, now)
        turn.renew(tx)
    mine.exceeded = dict(verdict.exceeded)
    if verdict.verdict == "stop":
        mine.code = plan.code
    if not options.push:
        mine.settle("planned")
    elif write.mode == "shadow":
        mine.settle("shadow", "write.mode is shadow: planned, nothing written")
    elif pause is not None:
        mine.settle("paused", str(pause))
    elif verdict.verdict == "stop":
        over = ", ".join(f"{name} {total} (at most {bound})" for name, (total, bound) in verdict.exceeded.items())
        mine.settle("stopped_by_guard", f"the plan is larger than the guard allows: {over}")
    else:
        _push(runtime, turn, report, plan, rules, verdict)
    return True


def _verdict(tx: Any, plan: Plan, one: Open, now: int) -> Verdict:
    guard, name = one.settings.write.guard, one.settings.name
    bounds = {
        "new_mql": guard.new_mql,
        "lost_mql": guard.lost_mql,
        "cleared": guard.cleared,
        "changed": changed_bound(guard.changed_percent, differences.confirmed_records(tx, name)),
    }
    written: Counts = differences.written_unapproved(tx, name, now)
    return judge(plan, bounds=bounds, written=written, approvals=differences.approvals(tx, name, now))


def _push(runtime: Runtime, turn: _Turn, report: RunReport, plan: Plan, rules: WriteRules, verdict: Verdict) -> None:
    pusher = Pusher(
        store=runtime.store,
        connector=turn.one.connector,
        rules=rules,
        digest=plan.basis,
        pass_id=report.pass_id,
        now=runtime.now,
        approved=verdict.approval is not None,
        renew=turn.renew,
    )
    runtime.progress.phase(f"push {turn.name}", len(plan.changes))
    pushed = Pushed()

    def on_batch(records: int) -> None:
        runtime.progress.advance(records)
        turn.budget.check(writing=True)

    def send() -> bool:
        turn.budget.check(writing=True)
        pusher.push(plan, stop=runtime.stop, on_batch=on_batch, done=pushed)
        return True

    finished = _guarded(runtime, turn, send)
    turn.report.written, turn.report.rejected = pushed.written, pushed.rejected
    if pushed.paused is not None:
        turn.report.settle("paused", str(pushed.paused))
    if finished and not pushed.stopped and verdict.approval is not None:
        with runtime.store.begin() as tx:
            differences.keep_written(tx, verdict.approval.code, micros(runtime.now()))
