"""The CRM emulator alone: its world, and what to write into a connection to reach it."""

import sys
import time
from datetime import datetime
from pathlib import Path

from connectors.emulator.clock import EmulatorClock
from connectors.emulator.exports import load_world
from connectors.emulator.hubspot.world import World
from connectors.emulator.limits import Limits
from connectors.emulator.people import make_world
from connectors.emulator.server import Emulator
from sync.app import Stop, clock
from sync.cli.exits import OK, CommandError
from sync.cli.opening import stdout

#: any token that begins with ``pat-`` is let in
TOKEN = "pat-emulator"  # noqa: S105 - opens nothing but the emulator


def run(*, people: int, seed: int, port: int, exports: Path | None) -> int:
    """Serves until Ctrl-C or SIGTERM."""
    now = clock()()
    world = make_world(people, seed, now=now) if exports is None else _loaded(exports, now)
    try:
        emulator = started(world, now, port)
    except OSError as error:
        raise CommandError(f"port {port} cannot be used: {error.strerror}; --port 0 takes a free one") from error
    stop = Stop()
    with emulator, stop.on_signals():
        out = stdout()
        out.print(f"HubSpot emulator on {emulator.url}, portal {world.portal_id}; Ctrl-C ends it")
        out.print("\nIn connections/hubspot.yaml:")
        for line in snippet(emulator.url, world):
            out.print(f"  {line}")
        out.print(f"and in the shell: export HS_TOKEN={TOKEN}")
        sys.stdout.flush()
        stop.wait()
    return OK


def started(world: World, now: datetime, port: int = 0, *, limits: bool = True) -> Emulator:
    """A running emulator whose clock shows ``now`` and ticks."""
    return Emulator.start(
        world, port, clock=EmulatorClock(now, time.monotonic), limits=Limits(time.monotonic, on=limits)
    )


def snippet(url: str, world: World) -> list[str]:
    """The lines of a connection file that lead to the emulator."""
    return [
        f"url: {url}",
        f'portal: {{id: "{world.portal_id}", production: false}}',
        "login: {service_key: env:HS_TOKEN}",
    ]


def _loaded(folder: Path, now: datetime) -> World:
    """The world of a folder of exports; rows that cannot be read are named and left out."""
    world, problems = load_world(folder, now)
    for problem in problems:
        print(problem, file=sys.stderr)  # noqa: T201 - one line a problem, as `check` does
    if world is None:
        raise CommandError(f"{folder}: nothing can be served until this is mended")
    if problems:
        rows = "1 problem; what it names is" if len(problems) == 1 else f"{len(problems)} problems; what they name is"
        print(f"{folder}: {rows} left out, the rest is served", file=sys.stderr)  # noqa: T201 - as above
    return world
