"""A pass and a plan, as people read them."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console

from sync.cli.opening import Where, count, typed
from sync.cli.show import changes, line, pairs, table
from sync.report import ConnectionReport, ModelReport, RunReport

STATES: Mapping[str, tuple[str, str]] = {
    "ok": ("done", "green"),
    "planned": ("planned, nothing written", "green"),
    "shadow": ("planned, nothing written (shadow)", "green"),
    "stopped_by_guard": ("stopped by the guard, nothing written", "yellow"),
    "needs_adoption": ("stopped, waits for an answer", "yellow"),
    "needs_approval": ("stopped, no approved model can score", "yellow"),
    "parked": ("parked", "red"),
    "deferred_quota": ("parked until the quota returns", "red"),
    "paused": ("planned, nothing written (paused)", "yellow"),
    "elsewhere": ("another process runs it", "yellow"),
    "interrupted": ("told to stop; the next pass goes on from here", "yellow"),
}
#: what the guard counts, in words
GUARDED: Mapping[str, str] = {
    "new_mql": "people become MQL",
    "lost_mql": "people stop being MQL",
    "cleared": "records emptied",
    "changed": "records written",
}


def summary(out: Console, report: RunReport, where: Where) -> None:
    """What a pass did, connection by connection."""
    line(out, (f"pass {report.pass_id}", "bold"), f"  {_seconds(report)}")
    models(out, report, where)
    for name, mine in report.connections.items():
        _head(out, name, mine)
        pairs(
            out,
            [
                ("pulled", f"{count(mine.pulled, 'record')}, {_activities(mine.activities)}"),
                ("scored", _people(mine.scored)),
                ("planned", count(mine.planned, "record")),
                ("written", count(mine.written, "record")),
                ("rejected", count(mine.rejected, "record")),
                ("held back", f"{count(mine.suppressed, 'record')} (change too small to disturb anybody)"),
                ("left out", f"{count(mine.left_out, 'record')} (quarantine, canary)"),
                ("calls", str(mine.calls)),
            ],
        )
        if mine.state == "stopped_by_guard":
            guard(out, mine)
            out.print("  To let this plan through, within 24 hours:")
            out.print(f"    {typed(f'sync --approve {mine.code}', where)}")
        if mine.rejected:
            out.print(f"  What was refused, and why: {typed('quarantine', where)}")


def models(out: Console, report: RunReport, where: Where) -> None:
    """Which rules scored, as far as others wait for approval; nothing while each model is as in the folder."""
    for name, one in report.models.items():
        if one.pending is not None:
            line(out, f"model {name} ", (waits(one, where), "yellow"))


def waits(one: ModelReport, where: Where) -> str:
    """Of a model whose rules wait: by which it scores meanwhile, and what shows more."""
    scores = f"scores by rules {one.digest[:8]}" if one.digest else "scores nobody"
    return f"{scores}; {(one.pending or '')[:8]} waits for approval, see: {typed('approve', where)}"


def guard(out: Console, mine: ConnectionReport) -> None:
    """The counts above their bounds."""
    out.print("  The guard: with the last 24 hours, this plan is larger than allowed")
    rows = [(GUARDED.get(name, name), str(total), str(bound)) for name, (total, bound) in mine.exceeded.items()]
    table(out, ("", "would be", "at most"), rows, right=(1, 2), indent=4)


def plan(
    out: Console,
    report: RunReport,
    document: Mapping[str, Any],
    *,
    shown: int | None,
    names: Mapping[int, str],
    where: Where,
) -> None:
    """What a push would write: fields old -> new of the first records, counts, calls, and what the guard would say."""
    line(out, (f"plan of pass {report.pass_id}", "bold"), f"  {_seconds(report)}, {_people(report.scored)} scored")
    models(out, report, where)
    for name, mine in report.connections.items():
        _head(out, name, mine)
        planned = report.plans.get(name)
        if planned is None:
            continue
        for change in planned.changes[:shown]:
            known = f"  {names[change.person]}" if change.person in names else ""
            line(out, "  ", (f"{change.object} {change.crm_id}", "bold"), known)
            changes(out, {field: (change.old[field], value) for field, value in change.new.items()})
        hidden = len(planned.changes) - len(planned.changes[:shown])
        if hidden:
            out.print(f"  and {count(hidden, 'more record')}; --all shows them, --out FILE keeps them")
        counts = document[name]["counts"]
        pairs(
            out,
            [
                (
                    "to write",
                    f"{count(len(planned.changes), 'record')} in {count(document[name]['calls_to_push'], 'call')}",
                ),
                *((words, str(counts[key])) for key, words in GUARDED.items() if key != "changed"),
                ("held back", f"{count(mine.suppressed, 'record')} (change too small to disturb anybody)"),
                ("left out", f"{count(mine.left_out, 'record')} (quarantine, canary)"),
                (
                    "pulled",
                    f"{count(mine.pulled, 'record')}, {_activities(mine.activities)} in {count(mine.calls, 'call')}",
                ),
            ],
        )
        if mine.code:
            guard(out, mine)
        if document[name]["mode"] == "shadow":
            out.print(f"  Nothing is written while write.mode in connections/{name}.yaml is shadow")
        elif mine.code:
            out.print("  A sync would stop here. To let this plan through, within 24 hours:")
            out.print(f"    {typed(f'sync --approve {mine.code}', where)}")
        elif planned.changes:
            out.print(f"  The guard lets it through. To write it: {typed('sync', where)}")


def _head(out: Console, name: str, mine: ConnectionReport) -> None:
    words, style = STATES[mine.state]
    out.print()
    line(out, (name, "bold"), "  ", (words, style))
    if mine.reason and mine.state in {"parked", "deferred_quota", "needs_adoption", "needs_approval", "paused"}:
        out.print(f"  {mine.reason}")
    for object_, names in mine.hidden.items():
        out.print(f"  not shown by the CRM, so unknown: {', '.join(f'{object_}.{each}' for each in names)}")


def _seconds(report: RunReport) -> str:
    return f"{(report.ended_at - report.started_at).total_seconds():.1f} s" if report.ended_at else ""


def _activities(number: int) -> str:
    return f"{number} activity" if number == 1 else f"{number} activities"


def _people(number: int) -> str:
    return f"{number} person" if number == 1 else f"{number} people"
