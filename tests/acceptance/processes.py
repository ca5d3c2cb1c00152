"""leadmark as a process of its own, and the moments at which something happens to it.

The emulator runs in the test's process, the clocks of both sides stand still at ``NOW``. What happens at a request is
done by the emulator itself while the request waits, so that the moment is the same in every run.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any, Self

import orjson
import yaml

from connectors.emulator.hubspot.world import World
from connectors.emulator.salesforce.org import Org
from connectors.emulator.server import Emulator
from connectors.emulator.traffic import Entry
from tests.acceptance import orgs, starter

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
TOKEN = "pat-na1-5ecr3t-0f-the-acceptance-run"  # a secret only in form
LEADMARK = str(Path(sys.executable).with_name("leadmark"))
SECRET = "emulator-secret"
#: in the target of requests that change records, by CRM
WRITES = {"hubspot": "/contacts/batch/update", "salesforce": "/composite/sobjects"}
WRITE = WRITES["hubspot"]


@dataclass(frozen=True)
class Ended:
    """A process that ended: exit code (negative: the signal that killed it) and what it said."""

    code: int
    out: str
    err: str

    def report(self, of: str = "hubspot") -> Any:
        """Of ``sync --json``: what the pass did at the portal, or at another connection."""
        return self.reports()[of]

    def reports(self) -> dict[str, Any]:
        """Of ``sync --json``: what the pass did, by connection."""
        assert self.out, self
        told: dict[str, Any] = orjson.loads(self.out)["connections"]
        return told


@dataclass
class Moment:
    """A fault that calls ``then`` when a request comes for the n-th time (from 0), and then does what ``do`` says."""

    n: int
    then: Callable[[], None]
    do: Mapping[str, Any]
    path: str = ""
    reached: Event = field(default_factory=Event)

    def strikes(self, method: str, target: str) -> bool:
        """True at that one request."""
        if self.path not in target:
            return False
        self.n -= 1
        if self.n != -1:
            return False
        self.then()
        self.reached.set()
        return True


@dataclass
class Installation:
    """A config folder with its store, a portal, an org or both, and leadmark as commands."""

    world: World
    folder: Path
    emulator: Emulator
    crms: Sequence[str] = ("hubspot",)
    program: Sequence[str] = (LEADMARK,)
    variables: dict[str, str] = field(default_factory=dict)
    now: datetime = NOW

    @classmethod
    def make(
        cls,
        world: World,
        root: Path,
        *,
        write: Mapping[str, Any] | None = None,
        org: Org | None = None,
        crms: Sequence[str] = ("hubspot",),
        **options: Any,
    ) -> "Installation":
        """With the b2b-saas starter, live, on a portal that has this world, and the org where it is one of the CRMs."""
        world.limits.on = False
        emulator = Emulator.start(world, org=org)
        starter.write(root / "config", crms)
        one = cls(world=world, folder=root / "config", emulator=emulator, crms=crms, **options)
        one.point(write)
        return one

    def point(self, write: Mapping[str, Any] | None = None) -> None:
        """Writes the emulator's address, and further settings of ``write``, into the connections' files."""
        for crm in self.crms:
            file = self.folder / f"connections/{crm}.yaml"
            connection = yaml.safe_load(file.read_text())
            if crm == "hubspot":
                connection["url"] = self.emulator.url
            connection["portal" if crm == "hubspot" else "org"]["production"] = False
            connection["write"] |= {"mode": "live"} | dict(write or {})
            file.write_text(yaml.safe_dump(connection, sort_keys=False))

    def twin(self, root: Path) -> "Installation":
        """The same at another place: a copy of the world, of the config and of the store."""
        world, org = orgs.copied(self.world, self.emulator.org)
        shutil.copytree(self.folder.parent, root)
        emulator = Emulator.start(world, org=org)
        one = Installation(
            world=world,
            folder=root / "config",
            emulator=emulator,
            crms=self.crms,
            program=self.program,
            variables=self.variables,
        )
        one.now = self.now
        one.point()
        return one

    def close(self) -> None:
        """Ends the portal."""
        self.emulator.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def store(self) -> Path:
        """Where the starter puts the store: beside the config folder."""
        return self.folder.parent / "leadmark-store"

    def start(self, *words: str) -> subprocess.Popen[str]:
        """The command as a running process."""
        environment = {
            **{name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ},
            "HS_TOKEN": TOKEN,
            "HS_PORTAL": str(self.world.portal_id),
            "SF_URL": self.emulator.url,
            "SF_ORG_ID": self.emulator.org.org_id if self.emulator.org else "",
            "SF_CLIENT_ID": "emulator-client",
            "SF_CLIENT_SECRET": SECRET,
            "LEADMARK_NOW": self.now.isoformat(),
            "LEADMARK_CONFIG": str(self.folder),
            **self.variables,
        }
        return subprocess.Popen(
            [*self.program, *words],
            env=environment,
            cwd=self.folder.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str) -> Ended:
        """The command, run to its end."""
        return ended(self.start(*words))

    def live(self) -> Any:
        """What the pass did that wrote everything to the portal: the first, or the one after its approval."""
        return self.live_everywhere()["hubspot"]

    def live_everywhere(self) -> dict[str, Any]:
        """The same by connection; of several, each stopped one is approved by itself."""
        done = self.run("sync", "--json")
        reports = done.reports()
        while stopped := [name for name, report in reports.items() if report["state"] == "stopped_by_guard"]:
            assert done.code == 3, done
            done = self.run("sync", "--json", "--approve", reports[stopped[0]]["code"])
            again = done.reports()
            assert again[stopped[0]]["state"] == "ok", done
            reports |= {name: again[name] for name in stopped}
        assert done.code == 0, done
        for report in reports.values():
            assert (report["state"], report["written"]) == ("ok", report["planned"]), reports
        return reports

    def requests(self, since: int = 0) -> list[Entry]:
        """leadmark's requests after the first ``since``."""
        return self.emulator.traffic.since(since)

    def writes(self, since: int = 0) -> list[Entry]:
        """Those of them that change records."""
        return [entry for entry in self.requests(since) if any(path in entry.target for path in WRITES.values())]

    def at(self, moment: Moment) -> Moment:
        """From now on this moment is waited for."""
        self.emulator.traffic.faults.append(moment)  # type: ignore[arg-type]  # strikes() and do are all it needs
        return moment

    def held(self) -> dict[str, dict[Any, dict[str, Any]]]:
        """Every value of every record of portal and org, and when it was last changed, by object and id."""
        return orgs.held(self.world, self.emulator.org)


def ended(process: subprocess.Popen[str], timeout_s: float = 60) -> Ended:
    """The process, waited for; a longer one is killed and fails the test."""
    try:
        out, err = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return Ended(process.returncode, out, err)
