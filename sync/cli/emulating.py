"""The CRM emulator alone: its worlds, and what to write into the connections to reach them."""

import sys
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from connectors.emulator.clock import EmulatorClock
from connectors.emulator.exports import load
from connectors.emulator.hubspot.world import World
from connectors.emulator.limits import Limits
from connectors.emulator.people import make_world
from connectors.emulator.salesforce.org import Org
from connectors.emulator.salesforce.people import make_org
from connectors.emulator.server import Emulator
from sync.app import Stop, clock
from sync.cli.exits import OK, CommandError
from sync.cli.opening import stdout

#: any token that begins with ``pat-`` is let in
TOKEN = "pat-emulator"  # noqa: S105 - opens nothing but the emulator
CLIENT_ID = "emulator-client"
CLIENT_SECRET = "emulator-secret"  # noqa: S105 - opens nothing but the emulator


def run(*, people: int, seed: int, port: int, exports: Path | None) -> int:
    """Serves until Ctrl-C or SIGTERM."""
    now = clock()()
    world, org = made(people, seed, now) if exports is None else _loaded(exports, now)
    try:
        emulator = started(world or World(EmulatorClock(now)), now, port, org=org)
    except OSError as error:
        raise CommandError(f"port {port} cannot be used: {error.strerror}; --port 0 takes a free one") from error
    stop = Stop()
    with emulator, stop.on_signals():
        out = stdout()
        out.print(f"The emulator is on {emulator.url}; Ctrl-C ends it")
        if world is not None:
            out.print(f"\nHubSpot, portal {world.portal_id}. In connections/hubspot.yaml:")
            _print_all(snippet(emulator.url, world))
            out.print(f"and in the shell: export HS_TOKEN={TOKEN}")
        if org is not None:
            out.print(f"\nSalesforce, org {org.org_id}. In connections/salesforce.yaml:")
            _print_all(org_snippet(emulator.url, org))
            out.print(f"and in the shell: export SF_CLIENT_ID={CLIENT_ID} SF_CLIENT_SECRET={CLIENT_SECRET}")
        sys.stdout.flush()
        stop.wait()
    return OK


def made(people: int, seed: int, now: datetime) -> tuple[World, Org]:
    """So many people in a portal, half as many in an org, a third of all in both; one clock."""
    world = make_world(people, seed, now=now)
    return world, make_org(world, max(1, people // 2), seed, now=now)


def started(world: World, now: datetime, port: int = 0, *, limits: bool = True, org: Org | None = None) -> Emulator:
    """A running emulator whose clock shows ``now`` and ticks."""
    ticking = EmulatorClock(now, time.monotonic)
    if org is not None:
        org.clock = ticking
    return Emulator.start(world, port, org=org, clock=ticking, limits=Limits(time.monotonic, on=limits))


def snippet(url: str, world: World) -> list[str]:
    """The lines of a connection file that lead to the emulated portal."""
    return [
        f"url: {url}",
        f'portal: {{id: "{world.portal_id}", production: false}}',
        "login: {service_key: env:HS_TOKEN}",
    ]


def org_snippet(url: str, org: Org) -> list[str]:
    """The lines of a connection file that lead to the emulated org."""
    return [
        f"org: {{url: {url}, id: {org.org_id}, production: false}}",
        "login: {flow: client_credentials, client_id: env:SF_CLIENT_ID, client_secret: env:SF_CLIENT_SECRET}",
    ]


def _print_all(lines: Sequence[str]) -> None:
    for line in lines:
        stdout().print(f"  {line}", soft_wrap=True)


def _loaded(folder: Path, now: datetime) -> tuple[World | None, Org | None]:
    """The worlds of a folder of exports; rows that cannot be read are named and left out."""
    world, org, problems = load(folder, now)
    for problem in problems:
        print(problem, file=sys.stderr)  # noqa: T201 - one line a problem, as `check` does
    if world is None and org is None:
        raise CommandError(f"{folder}: nothing can be served until this is mended")
    if problems:
        rows = "1 problem; what it names is" if len(problems) == 1 else f"{len(problems)} problems; what they name is"
        print(f"{folder}: {rows} left out, the rest is served", file=sys.stderr)  # noqa: T201 - beside the lines it sums up
    return world, org
