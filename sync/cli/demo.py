"""The whole path in one command: a made-up portal and org, three passes over HTTP, one lead explained.

The emulator runs in threads of this process and its clock is the wall clock; everything lies in a temporary folder.
"""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any

from rich.console import Console
from sqlalchemy import func, select

from config import starters
from connectors.emulator.hubspot.world import World
from connectors.emulator.server import Emulator
from sync import differences
from sync.answers.explain import explained, scoring_of
from sync.app import Quiet, Stop, clock, configure_logging, open_runtime
from sync.cli import exits, show_pass
from sync.cli.emulating import CLIENT_ID, CLIENT_SECRET, TOKEN, made, started
from sync.cli.exits import CommandError
from sync.cli.opening import print_json, settings_of, stderr, stdout
from sync.cli.progress import shown as progress_shown
from sync.cli.show import line, table
from sync.cli.show_person import ledger as show_ledger
from sync.report import ConnectionReport, RunReport
from sync.run import run_pass
from sync.runtime import Options, Runtime
from sync.store import tables
from sync.store.store import Store
from sync.store.values import micros

#: what ``--json`` gives of each pass
NUMBERS = ("pulled", "scored", "planned", "written", "rejected", "suppressed", "calls")
#: connection -> how the demo calls it
TITLES: Mapping[str, str] = {"hubspot": "HubSpot", "salesforce": "Salesforce"}
SEED = 7
#: a demo begun this close to midnight runs by a clock set back by as much, or the day would change under it
BEFORE_MIDNIGHT = timedelta(minutes=15)


def run(*, people: int, keep: bool, as_json: bool) -> int:
    """Runs the demo; FAILED when one of the three passes is not what it must be."""
    begun = time.monotonic()
    out = stderr() if as_json else stdout()  # with --json the story goes where logs go
    folder = Path(mkdtemp(prefix="leadmark-demo-"))
    try:
        now = demo_clock(clock()())
        line(out, ("leadmark demo", "bold"), "  made-up people in an emulated HubSpot portal and Salesforce org")
        world, org = made(people, SEED, now())
        # A real portal lets 190 calls through in ten seconds; here nobody is to wait for a bucket to fill.
        with started(world, now(), limits=False, org=org) as emulator:
            settings = settings_of((configured(folder, emulator), None))
            with open_runtime(settings, progress=Quiet(), now=now) as runtime:
                reports = _passes(out, runtime)
                wrong = wrong_with(reports)
                if not wrong:
                    _show(out, runtime, reports, world)
            if as_json:
                print_json({"passes": [_numbers(report) for report in reports]})
            if wrong:
                raise CommandError(f"the demo failed: {wrong}")
            stop = Stop()
            with stop.on_signals():
                _farewell(out, folder, emulator, kept=keep, seconds=time.monotonic() - begun)
                if keep:
                    sys.stdout.flush()
                    stop.wait()
    finally:
        if not keep:
            rmtree(folder, ignore_errors=True)
    return exits.OK


def wrong_with(reports: list[RunReport]) -> str:
    """What is not as it must be: stopped by the guard, then written, then quiet; "" when all is well."""
    for name in reports[0].connections:
        wrong = _wrong_at([report.connections[name] for report in reports])
        if wrong:
            return f"{name}: {wrong}"
    return ""


def _wrong_at(mine: Sequence[ConnectionReport]) -> str:
    stopped, written, quiet = mine
    for nth, each in enumerate(mine, start=1):
        if each.state in {"parked", "deferred_quota", "needs_adoption", "interrupted", "elsewhere", "paused"}:
            return f"pass {nth} ended as {each.state}: {each.reason}"
    if stopped.state != "stopped_by_guard" or stopped.written:
        return "the guard did not stop pass 1"
    if not written.written or written.rejected or written.written != written.planned:
        return f"pass 2 wrote {written.written} of {written.planned} records, {written.rejected} were refused"
    if quiet.scored or quiet.planned or quiet.written:
        return f"pass 3 was not quiet: {quiet.scored} scored, {quiet.planned} planned, {quiet.written} written"
    return ""


def demo_clock(begin: datetime) -> Callable[[], datetime]:
    """The wall clock, set back when midnight is near."""
    start = begin.astimezone(UTC)
    if (start + BEFORE_MIDNIGHT).date() != start.date():
        start -= BEFORE_MIDNIGHT
    ticked = time.monotonic()
    return lambda: start + timedelta(seconds=time.monotonic() - ticked)


def configured(folder: Path, emulator: Emulator) -> Path:
    """The b2b-saas starter for the CRMs there are, live and pointed to the emulator; its config folder."""
    config = folder / "config"
    for name, secret in (("token", TOKEN), ("client", CLIENT_ID), ("secret", CLIENT_SECRET)):
        (folder / name).write_text(secret)
    lines = {
        "hubspot": {
            "crm: hubspot": f"crm: hubspot\nurl: {emulator.url}",
            "  id: env:HS_PORTAL": f'  id: "{emulator.world.portal_id}"',
            "  service_key: env:HS_TOKEN": f"  service_key: file:{folder / 'token'}",
        }
    }
    if emulator.org is not None:
        lines["salesforce"] = {
            "  url: env:SF_URL": f"  url: {emulator.url}",
            "  id: env:SF_ORG_ID": f"  id: {emulator.org.org_id}",
            "  client_id: env:SF_CLIENT_ID": f"  client_id: file:{folder / 'client'}",
            "  client_secret: env:SF_CLIENT_SECRET": f"  client_secret: file:{folder / 'secret'}",
        }
    starters.write("b2b-saas", config, tuple(lines))
    for name, each in lines.items():
        file = config / "connections" / f"{name}.yaml"
        both = {"  production: true": "  production: false", "  mode: shadow": "  mode: live"}
        file.write_text(replaced(file.read_text(), each | both))
    return config


def replaced(text: str, lines: Mapping[str, str]) -> str:
    """The text with each line that begins so replaced up to its remark."""
    written = text.splitlines()
    for before, after in lines.items():
        places = [place for place, each in enumerate(written) if each == before or each.startswith(f"{before} ")]
        if len(places) != 1:
            raise CommandError(f"the starter's connection has {len(places)} lines {before!r}, the demo needs one")
        written[places[0]] = after
    return "\n".join(written) + "\n"


def _passes(out: Console, runtime: Runtime) -> list[RunReport]:
    """The three passes; those after one that went wrong are run all the same, and tell."""
    reports = []
    for title in (
        "1: pull, score, and stop",
        "2: write what was approved",
        "3: read back what was written, and leave it alone",
    ):
        line(out, (f"\nPass {title}", "bold"))
        with progress_shown(lines=out.print) as progress:
            configure_logging(as_json=not sys.stderr.isatty())  # here, so that log lines go above the bars
            report = run_pass(replace(runtime, progress=progress), Options())
        reports.append(report)
        for name, mine in report.connections.items():
            if mine.state == "stopped_by_guard":
                line(out, (f"\n{TITLES[name]}", "bold"))
                show_pass.guard(out, mine)
                out.print("  A person looks at `leadmark plan` and types:")
                line(out, "    ", (f"leadmark sync --approve {mine.code}", "bold"))
                out.print("  The demo approves itself.")
                with runtime.store.begin() as tx:
                    differences.approve(tx, mine.code, micros(runtime.now()))
    return reports


def _numbers(report: RunReport) -> dict[str, Any]:
    return {name: {key: getattr(mine, key) for key in NUMBERS} for name, mine in report.connections.items()}


def _show(out: Console, runtime: Runtime, reports: list[RunReport], world: World) -> None:
    line(out, ("\nWhat happened", "bold"))
    for name, title in TITLES.items():
        mine = [report.connections[name] for report in reports]
        rows = [
            ("records pulled" if key == "pulled" else key, *(str(getattr(each, key)) for each in mine))
            for key in NUMBERS
        ]
        table(out, (title, "pass 1", "pass 2", "pass 3"), rows, right=(1, 2, 3))
        out.print()
    seconds = [
        f"{(report.ended_at - report.started_at).total_seconds():.1f}" if report.ended_at else "" for report in reports
    ]
    people = reports[0].scored
    out.print(f"  {people} people, those in both CRMs once; the passes took {', '.join(seconds)} s")
    lead = _lead(runtime.store, world, runtime.settings.primary)
    if lead is None:
        return
    with runtime.store.begin() as tx:
        found = explained(tx, lead, scoring_of(tx, runtime.settings, runtime.now()))
    line(out, ("\nOne lead explained", "bold"))
    for record in found.records:
        line(out, f"  {record.connection}:{record.object}:{record.crm_id}")
    line(out, f"  {found.outputs['summary']}")
    assert found.ledger is not None
    show_ledger(out, found.ledger, found.day)


def _lead(store: Store, world: World, model: str) -> int | None:
    """The MQL with the most records, then the highest score, among the ready buyers; None when there is none."""
    buyers = [
        str(row.id)
        for row in world.tables["contacts"].live()
        if row.now.properties.get("emulator_character") == "ready_buyer"
    ]
    record, journey = tables.record, tables.journey
    with store.begin() as tx:
        persons = list(
            tx.execute(
                select(record.c.person).where(
                    record.c.connection == "hubspot", record.c.object == "contact", record.c.crm_id.in_(buyers[:500])
                )
            ).scalars()
        )
        return tx.execute(
            select(journey.c.person)
            .join(record, record.c.person == journey.c.person)
            .where(journey.c.person.in_(persons), journey.c.model == model, journey.c.status == "mql")
            .where(record.c.state == "live")
            .group_by(journey.c.person, journey.c.score)
            .order_by(func.count().desc(), journey.c.score.desc(), journey.c.person)
            .limit(1)
        ).scalar()


def _farewell(out: Console, folder: Path, emulator: Emulator, *, kept: bool, seconds: float) -> None:
    line(out, f"\nDone in {seconds:.0f} s. To look further:")
    if kept:
        config = f"--config {folder / 'config'}"
        rows = [
            (f"leadmark status {config}", "is it fine?"),
            (f"leadmark explain 1001 {config}", "the first person, whole"),
            (f"leadmark timeline 1001 {config}", "what they did, and how it counted"),
            (f"leadmark plan {config}", "what a sync would write now"),
            (f"curl {emulator.url}/_emulator/stats", "what the two CRMs hold"),
        ]
    else:
        rows = [
            ("leadmark demo --keep", "leaves the emulator and this config in place, to try every command on"),
            ("leadmark init DIR", "a commented config of your own, which writes nothing before you say so"),
            ("leadmark emulator --load DIR", "a CRM from your CSV exports, before yours is touched"),
        ]
    for command, what in rows:
        out.print(f"  {command}")
        out.print(f"      {what}")
    if kept:
        out.print("The emulator runs until Ctrl-C.")
