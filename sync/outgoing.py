"""The last phases of a turn: the plan, what the guard says to it, and the push."""

from dataclasses import asdict

from sqlalchemy import Connection

from config.settings import Connection as ConnectionSettings
from sync import differences
from sync.approving import in_force
from sync.canary import allowed_records
from sync.days import score_day
from sync.definitions import Definitions
from sync.evaluating import output_definitions
from sync.mapping import ConnectionMap, digest
from sync.paused import paused
from sync.plan import Counts, Plan, Verdict, WriteRules, changed_bound, judge, make_plan
from sync.push import Pushed, Pusher
from sync.report import RunReport
from sync.runtime import Open, Options, Runtime
from sync.store.values import day_number, micros
from sync.turn import Turn, guarded


def plan_for(runtime: Runtime, one: Open) -> tuple[Plan, WriteRules]:
    """The plan of a connection from the store as it is."""
    settings, now = runtime.settings, micros(runtime.now())
    day = day_number(score_day(runtime.now(), settings.time_zone))
    fields = {name: [output.model, output.output, output.policy] for name, output in one.map.outputs.items()}
    with runtime.store.begin() as tx:
        allowed = allowed_records(tx, settings, one.settings, [other.map for other in runtime.connections], day)
        rules = write_rules(one.settings, one.map, output_definitions(one), now, allowed)
        outputs = {other.settings.name: other.map.outputs for other in runtime.connections}
        records = differences.differing(tx, one.settings.name, outputs, now)
        models = {model.digest for model in in_force(tx, settings).values()}
        plan = make_plan(one.settings.name, records, rules, basis=digest([sorted(models), fields]))
        differences.keep_verdicts(tx, plan)
    return plan, rules


def write_rules(
    settings: ConnectionSettings,
    map_: ConnectionMap,
    definitions: Definitions,
    now: int,
    allowed: frozenset[int] | None,
) -> WriteRules:
    """What a connection's settings say of writing; ``definitions`` of our fields by object and name."""
    return WriteRules(
        outputs=map_.outputs,
        definitions={
            (object_, name): digest(repr(definition))
            for object_, known in definitions.items()
            for name, definition in known.items()
        },
        min_change=settings.write.min_change,
        refresh_after_days=settings.write.refresh_after_days,
        now=now,
        allowed=allowed,
    )


def bounds_of(tx: Connection, settings: ConnectionSettings) -> dict[str, int]:
    """What the guard of a connection allows in 24 hours, by what it counts."""
    guard = settings.write.guard
    return {
        "new_mql": guard.new_mql,
        "lost_mql": guard.lost_mql,
        "cleared": guard.cleared,
        "changed": changed_bound(guard.changed_percent, differences.confirmed_records(tx, settings.name)),
    }


def plan_and_push(runtime: Runtime, turn: Turn, report: RunReport, options: Options) -> None:
    """Plans, and writes what mode, pause and guard let through; the report says what became of it."""
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


def _verdict(tx: Connection, plan: Plan, one: Open, now: int) -> Verdict:
    name = one.settings.name
    written: Counts = differences.written_unapproved(tx, name, now)
    return judge(
        plan, bounds=bounds_of(tx, one.settings), written=written, approvals=differences.approvals(tx, name, now)
    )


def _push(runtime: Runtime, turn: Turn, report: RunReport, plan: Plan, rules: WriteRules, verdict: Verdict) -> None:
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

    def send() -> None:
        turn.budget.check(writing=True)
        pusher.push(plan, stop=runtime.stop, on_batch=on_batch, done=pushed)

    finished = guarded(runtime, turn, send)
    turn.report.written, turn.report.rejected = pushed.written, pushed.rejected
    if pushed.paused is not None:
        turn.report.settle("paused", str(pushed.paused))
    if finished and not pushed.stopped and verdict.approval is not None:
        with runtime.store.begin() as tx:
            differences.keep_written(tx, verdict.approval.code, micros(runtime.now()))
