"""``plan`` and ``sync``: one pass, and what it did or would do."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from config.problems import listed, nearest
from config.settings import Settings
from sync import differences
from sync.adoption import Adoption
from sync.answers.explain import names_of
from sync.app import Stop, configure_logging, open_runtime
from sync.cli import exits, show_pass
from sync.cli.exits import CommandError
from sync.cli.opening import Where, print_json, revealing, settings_of, stdout, typed
from sync.cli.progress import shown as progress_shown
from sync.plan import as_json
from sync.report import RunReport
from sync.run import run_pass
from sync.runtime import Options, Runtime
from sync.store.values import micros

#: states that wait for a yes, and states of a connection that was not done
WAITING = frozenset({"stopped_by_guard", "needs_adoption", "needs_approval"})
CUT_SHORT = frozenset({"parked", "deferred_quota"})


def plan(
    where: Where,
    *,
    only: str | None,
    offline: bool,
    shown: int | None,
    out: Path | None,
    reveal: bool,
    as_json: bool,
) -> int:
    """Runs a pass that ends before push and shows its plan; ``shown`` records a connection, None = all."""
    settings = _with(settings_of(where), only)
    with _running(settings) as (runtime, stop):
        report = run_pass(runtime, Options(push=False, pull=not offline, only=only))
        document = _document(runtime, report)
        names = _names(runtime, report, shown) if revealing(asked=reveal) else {}
    if out is not None:
        _write(out, document)
    if as_json:
        print_json(document)
    else:
        show_pass.plan(stdout(), report, document["connections"], shown=shown, names=names, where=where)
    return plan_code_of(report, stopped=stop())


def sync(where: Where, *, only: str | None, full: bool, code: str | None, adoption: Adoption, as_json: bool) -> int:
    """Runs one pass and shows what it did; an approval is kept before it begins."""
    settings = _with(settings_of(where), only)
    with _running(settings) as (runtime, stop):
        if code is not None:
            _approve(runtime, code, where)
        report = run_pass(runtime, Options(full=full, only=only, adoption=adoption))
    if as_json:
        print_json(report.to_json())
    else:
        show_pass.summary(stdout(), report, where)
    return code_of(report, stopped=stop())


def code_of(report: RunReport, *, stopped: bool) -> int:
    """The exit code of a pass that was to write; one that was told to stop did what it was told."""
    states = {mine.state for mine in report.connections.values()}
    if stopped:
        return exits.OK
    if states & WAITING:
        return exits.APPROVAL
    refused = any(mine.rejected for mine in report.connections.values())
    stuck = any(plan.stuck for plan in report.plans.values())
    return exits.PARTLY if states & CUT_SHORT or refused or stuck else exits.OK


def plan_code_of(report: RunReport, *, stopped: bool) -> int:
    """The exit code of a pass that was only to plan."""
    states = {mine.state for mine in report.connections.values()}
    if stopped:
        return exits.OK
    if states & WAITING:
        return exits.APPROVAL
    if states & CUT_SHORT:
        return exits.PARTLY
    return exits.CHANGES if any(plan.changes for plan in report.plans.values()) else exits.OK


def _with(settings: Settings, only: str | None) -> Settings:
    """The settings; a CommandError when they have no connection of that name."""
    known = [connection.name for connection in settings.connections]
    if only is not None and only not in known:
        raise CommandError(
            f'there is no connection "{only}"{nearest(only, known)}; connections are {listed(known)}', exits.USAGE
        )
    return settings


@contextmanager
def _running(settings: Settings) -> Iterator[tuple[Runtime, Stop]]:
    """The installation, open, told by signals to stop, its progress shown and its log on stderr."""
    stop = Stop()
    with progress_shown() as progress, stop.on_signals():
        configure_logging(as_json=not sys.stderr.isatty())  # within the progress, so that log lines go above the bars
        with open_runtime(settings, progress=progress, stop=stop, sleep=stop.wait) as runtime:
            yield runtime, stop


def _approve(runtime: Runtime, code: str, where: Where) -> None:
    with runtime.store.begin() as tx:
        known = differences.approve(tx, code, micros(runtime.now()))
    if not known:
        raise CommandError(
            f"no stopped plan has the code {code}: codes hold for 24 hours and for exactly that plan; "
            f"see what stands open with: {typed('status', where)}"
        )


def _document(runtime: Runtime, report: RunReport) -> dict[str, Any]:
    """The plan as JSON: per connection what the pass did, what it would write, and what the guard says."""
    opened = {one.settings.name: one for one in runtime.connections}
    connections = {}
    for name, mine in report.connections.items():
        planned, write = report.plans.get(name), opened[name].settings.write
        code = mine.code if write.mode != "shadow" else ""  # nobody approves what is not written
        connections[name] = {
            "mode": write.mode,
            "state": mine.state,
            "reason": mine.reason,
            "pulled": mine.pulled,
            "activities": mine.activities,
            "scored": mine.scored,
            "calls": mine.calls,
            "planned": mine.planned,
            "held_back": mine.suppressed,
            "left_out": mine.left_out,
            "calls_to_push": planned.calls(opened[name].connector.push_size) if planned else 0,
            "counts": asdict(planned.counts) if planned else {},
            "guard": {"stops": bool(mine.code), "exceeded": mine.exceeded, "code": code or None},
            "changes": as_json(planned)["changes"] if planned else [],
        }
    told = report.to_json()
    return {"pass": told["pass"], "scored": told["scored"], "models": told["models"], "connections": connections}


def _names(runtime: Runtime, report: RunReport, shown: int | None) -> Mapping[int, str]:
    """Person -> name, of the records that will be shown."""
    persons = {change.person for plan in report.plans.values() for change in plan.changes[:shown]}
    maps = [one.map for one in runtime.connections]
    with runtime.store.begin() as tx:
        return names_of(tx, sorted(persons), maps, runtime.settings.time_zone)


def _write(out: Path, document: Mapping[str, Any]) -> None:
    try:
        out.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2, default=str) + b"\n")
    except OSError as error:
        raise CommandError(f"the plan was made, but {out} cannot be written: {error.strerror}") from error
