"""One pass: pull, identify, score, plan, push. Resumable after a crash at any point, because every step is kept whole.

A connection that fails is parked with its reason; the others go on. Nothing is reported as success that was cut short.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol
from uuid import uuid4

import structlog
from sqlalchemy import func, select

from config.hubspot import HubSpotConnection
from config.settings import Settings
from connectors.base import Connector, FieldDefinition, Page
from connectors.errors import ConnectorError, QuotaSpent
from scoring.digests import model_digest
from sync import differences
from sync.adoption import Adoption, occupied, save_occupied, seed_journeys
from sync.canary import allowed_records
from sync.days import score_day
from sync.definitions import check_account, check_fields, check_store, keep_definitions, kept_definitions
from sync.mapping import ConnectionMap, digest
from sync.plan import Counts, Plan, Verdict, WriteRules, changed_bound, judge, make_plan
from sync.pull import Pulled, Reader, first_complete_at, pull
from sync.push import Pushed, Pusher
from sync.retention import purge
from sync.score import Scoring, compiled_for, count_stale, mark_everybody, score_stale
from sync.store import tables
from sync.store.store import Store, upsert
from sync.store.values import day_number, dump, micros

log = structlog.get_logger()

#: the CRM's definitions are read again after this long
DEFINITIONS_FOR = timedelta(hours=1)
State = Literal[
    "ok", "planned", "shadow", "stopped_by_guard", "needs_adoption", "parked", "deferred_quota", "interrupted"
]


class Progress(Protocol):
    """Who is told how far a pass is."""

    def phase(self, name: str, total: int | None) -> None:
        """A phase begins; ``total`` units of work, None when not known."""
        ...

    def advance(self, done: int, total: int | None = None) -> None:
        """So many units more are done."""
        ...


@dataclass(kw_only=True)
class ConnectionReport:
    """What a pass did at one connection, in records, persons and calls."""

    state: State = "ok"
    reason: str = ""
    pulled: int = 0
    activities: int = 0
    scored: int = 0
    planned: int = 0
    written: int = 0
    rejected: int = 0
    suppressed: int = 0
    left_out: int = 0
    calls: int = 0
    code: str = ""
    exceeded: dict[str, tuple[int, int]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)


@dataclass(kw_only=True)
class RunReport:
    """A whole pass."""

    pass_id: str
    started_at: datetime
    ended_at: datetime | None = None
    scored: int = 0
    connections: dict[str, ConnectionReport] = field(default_factory=dict)
    plans: dict[str, Plan] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The report without the plans, as JSON values."""
        return {
            "pass": self.pass_id,
            "started_at": self.started_at.isoformat(),
            "ended_at": self.ended_at and self.ended_at.isoformat(),
            "scored": self.scored,
            "connections": {name: asdict(report) for name, report in self.connections.items()},
        }


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a pass is asked to do."""

    push: bool = True
    pull: bool = True
    full: bool = False
    only: str | None = None
    adoption: Adoption = "ask"


@dataclass(kw_only=True)
class Open:
    """A connection as a pass uses it."""

    settings: HubSpotConnection
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
    now: Callable[[], datetime]
    stop: Callable[[], bool]
    progress: Progress


def run_pass(runtime: Runtime, options: Options) -> RunReport:
    """Runs one pass and keeps its report. Raises StoreError; errors of a CRM park their connection."""
    report = RunReport(pass_id=uuid4().hex[:12], started_at=runtime.now())
    wanted = [one for one in runtime.connections if options.only in {None, one.settings.name}]
    with runtime.store.begin() as tx:  # for a connection this pass does not reach: as they were last read
        for one in runtime.connections:
            one.definitions = one.definitions or kept_definitions(tx, one.settings.name)
    reports = {one.settings.name: ConnectionReport() for one in wanted}
    report.connections = reports
    before = {one.settings.name: one.connector.calls() for one in wanted}
    _keep(runtime, report)
    ready = [one for one in wanted if not options.pull or _prepare(runtime, one, reports[one.settings.name])]
    pulled = [
        one for one in ready if not options.pull or _pull(runtime, one, reports[one.settings.name], full=options.full)
    ]
    if pulled and not runtime.stop() and _adopt(runtime, pulled, reports, options):
        _score(runtime, pulled, report, options)
        for one in pulled:
            if not runtime.stop():
                _plan_and_push(runtime, one, report, options)
    for one in wanted:
        mine = reports[one.settings.name]
        mine.calls = one.connector.calls() - before[one.settings.name]
        if runtime.stop() and mine.state == "ok":
            mine.state, mine.reason = "interrupted", "told to stop; the next pass goes on from here"
    report.ended_at = runtime.now()
    _keep(runtime, report)
    return report


def _keep(runtime: Runtime, report: RunReport) -> None:
    row = {
        "id": report.pass_id,
        "started_at": micros(report.started_at),
        "ended_at": micros(report.ended_at) if report.ended_at else None,
        "report": dump(report.to_json()),
    }
    with runtime.store.begin() as tx:
        upsert(tx, tables.pass_, [row])


def _guarded(runtime: Runtime, report: ConnectionReport, one: Open, step: Callable[[], bool]) -> bool:
    """Runs a step that talks to a CRM; an error parks the connection and says why."""
    try:
        return step()
    except QuotaSpent as error:
        until = f"; it returns at {error.until.isoformat()}" if error.until else ""
        report.state, report.reason = "deferred_quota", f"{error}{until}"
    except ConnectorError as error:
        if runtime.stop():
            return False
        report.state, report.reason = "parked", str(error)
    log.error("connection parked", connection=one.settings.name, state=report.state, reason=report.reason)
    return False


def _prepare(runtime: Runtime, one: Open, report: ConnectionReport) -> bool:
    """Whether it is the right account with every mapped field; asked again after ``DEFINITIONS_FOR``."""
    if one.read_at is not None and runtime.now() - one.read_at < DEFINITIONS_FOR:
        return True

    def check() -> bool:
        account = one.connector.account()
        check_account(account, one.settings)
        with runtime.store.begin() as tx:
            check_store(tx, account, one.settings.name)
        definitions = one.connector.describe()
        check_fields(definitions, one.map)
        one.definitions, one.read_at = definitions, runtime.now()
        with runtime.store.begin() as tx:
            keep_definitions(tx, one.settings.name, definitions)
        return True

    return _guarded(runtime, report, one, check)


def _pull(runtime: Runtime, one: Open, report: ConnectionReport, *, full: bool) -> bool:
    reader = Reader(
        store=runtime.store,
        map=one.map,
        now=runtime.now,
        retention=timedelta(days=runtime.settings.retention.activities_days),
        pulled=Pulled(),
    )
    runtime.progress.phase(f"pull {one.settings.name}", None)

    def on_page(page: Page) -> None:
        runtime.progress.advance(len(page.records) + len(page.activities), page.expected)

    done = _guarded(
        runtime, report, one, lambda: pull(reader, one.connector, full=full, on_page=on_page, stop=runtime.stop)
    )
    report.pulled, report.activities = reader.pulled.records, reader.pulled.activities
    return done


def _adopt(runtime: Runtime, pulled: Sequence[Open], reports: Mapping[str, ConnectionReport], options: Options) -> bool:
    """An empty store that finds our fields filled asks first; False stops the pass before scoring."""
    with runtime.store.begin() as tx:
        filled = {one.settings.name: occupied(tx, one.map) for one in pulled}
        if not any(filled.values()):
            return True
        if options.adoption == "ask":
            for name, records in filled.items():
                reports[name].state = "needs_adoption"
                reports[name].reason = (
                    f"the store is empty, but {records} records hold values in our fields. If another tool wrote them: "
                    "leadmark sync --adopt (they are saved, then replaced). If we did and the store was lost: "
                    "leadmark sync --restored"
                )
            return False
        now = micros(runtime.now())
        for one in pulled:
            save_occupied(tx, one.map, now)
            if options.adoption == "restored":
                seed_journeys(tx, one.map, runtime.settings.primary, now)
    return True


def _score(runtime: Runtime, pulled: Sequence[Open], report: RunReport, options: Options) -> None:
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
    runtime.progress.phase("score", count_stale(runtime.store))
    report.scored = score_stale(runtime.store, scoring, stop=runtime.stop, on_chunk=runtime.progress.advance)
    for one in pulled:
        report.connections[one.settings.name].scored = report.scored


def scoring_for(runtime: Runtime, *, restored: bool = False) -> Scoring:
    """What holds still while the primary model scores, from the store as it is."""
    settings, maps = runtime.settings, [one.map for one in runtime.connections]
    with runtime.store.begin() as tx:
        compiled, maps_digest = compiled_for(
            tx, settings.models[settings.primary], settings.tables, settings.time_zone, maps
        )
        completed = {one.settings.name: first_complete_at(tx, one.settings.name) for one in runtime.connections}
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


def _output_definitions(one: Open) -> dict[str, FieldDefinition]:
    return {
        name: definition
        for object_ in sorted(one.map.people)
        for name, definition in one.definitions.get(object_, {}).items()
        if name in one.map.outputs
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
    definitions = {name: digest(repr(definition)) for name, definition in _output_definitions(one).items()}
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
        records = differences.differing(tx, one.settings.name, settings.primary)
        plan = make_plan(one.settings.name, records, rules, basis=digest([sorted(models), fields]))
        differences.keep_verdicts(tx, plan)
    return plan, rules


def _plan_and_push(runtime: Runtime, one: Open, report: RunReport, options: Options) -> None:
    mine, write, now = report.connections[one.settings.name], one.settings.write, micros(runtime.now())
    runtime.progress.phase(f"plan {one.settings.name}", None)
    plan, rules = plan_for(runtime, one)
    report.plans[one.settings.name] = plan
    mine.planned, mine.left_out, mine.counts = len(plan.changes), plan.left_out, asdict(plan.counts)
    with runtime.store.begin() as tx:
        mine.suppressed = differences.held_back(tx, one.settings.name)
        verdict = _verdict(tx, plan, one, now)
        if verdict.verdict == "stop" and write.mode != "shadow":
            differences.keep_stop(tx, plan, now)
    mine.exceeded = dict(verdict.exceeded)
    if verdict.verdict == "stop":
        mine.code = plan.code
    if not options.push:
        mine.state = "planned"
    elif write.mode == "shadow":
        mine.state, mine.reason = "shadow", "write.mode is shadow: planned, nothing written"
    elif verdict.verdict == "stop":
        over = ", ".join(f"{name} {total} (at most {bound})" for name, (total, bound) in verdict.exceeded.items())
        mine.state, mine.reason = "stopped_by_guard", f"the plan is larger than the guard allows: {over}"
    else:
        _push(runtime, one, report, plan, rules, verdict)


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


def _push(runtime: Runtime, one: Open, report: RunReport, plan: Plan, rules: WriteRules, verdict: Verdict) -> None:
    mine = report.connections[one.settings.name]
    pusher = Pusher(
        store=runtime.store,
        connector=one.connector,
        rules=rules,
        digest=plan.basis,
        pass_id=report.pass_id,
        now=runtime.now,
        approved=verdict.approval is not None,
    )
    runtime.progress.phase(f"push {one.settings.name}", len(plan.changes))
    pushed = Pushed()

    def send() -> bool:
        pusher.push(plan, stop=runtime.stop, on_batch=runtime.progress.advance, done=pushed)
        return True

    finished = _guarded(runtime, mine, one, send)
    mine.written, mine.rejected = pushed.written, pushed.rejected
    if finished and not pushed.stopped and verdict.approval is not None:
        with runtime.store.begin() as tx:
            differences.keep_written(tx, verdict.approval.code, micros(runtime.now()))
