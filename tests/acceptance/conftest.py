"""A portal, an org or both on the emulator with leadmark beside them: real sockets, one clock that tests move.

When a test ends, every request is held against the one thing leadmark may send that changes anything: an update of our
own fields of people that exist; and every other field of the org against what the test itself made of it.
"""

import http.client
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from sqlalchemy import select

from config.loader import load
from connectors.emulator.clock import EmulatorClock
from connectors.emulator.hubspot.world import World
from connectors.emulator.people import make_world
from connectors.emulator.salesforce.org import Org
from connectors.emulator.salesforce.people import make_org
from connectors.emulator.server import Emulator
from scoring.ledger import UNITS_PER_POINT
from sync import differences
from sync.answers.explain import all_explained, scoring_of
from sync.app import Quiet, open_runtime
from sync.report import ConnectionReport, RunReport
from sync.run import run_pass
from sync.runtime import Options, Runtime
from sync.store import tables
from sync.store import values as stored
from sync.store.store import in_chunks
from tests.acceptance import orgs, starter

#: a Friday morning; the installation's days begin at midnight UTC
NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
#: the POST requests that read
_READS = ("/search", "/batch/read")
_WRITE = "/contacts/batch/update"
BOTH = ("hubspot", "salesforce")


@dataclass
class Waiting:
    """Time that passes only by waiting: for the connector's throttle and its repeated calls."""

    at_s: float = 0.0

    def sleep(self, seconds: float) -> None:
        self.at_s += seconds

    def monotonic(self) -> float:
        return self.at_s


@dataclass
class Portal:
    """A running emulator, a config folder, and leadmark opened on both.

    What is not said to be of the org is of the portal, or of the first CRM where there are several.
    """

    world: World
    emulator: Emulator
    folder: Path
    crms: Sequence[str] = ("hubspot",)
    #: the Salesforce half; of an installation without one, an org that nobody reads
    sf: orgs.OrgSide = field(init=False)
    waiting: Waiting = field(default_factory=Waiting)
    #: how far leadmark's clock is ahead of the portal's
    ahead: timedelta = timedelta()
    runtime: Runtime | None = None
    _open: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        self.sf = orgs.OrgSide(self.emulator.org or Org(self.world.clock), self.emulator.traffic, self.http)

    # leadmark

    def configure(
        self,
        connection: Mapping[str, Any] | None = None,
        model: Mapping[str, Any] | None = None,
        installation: Mapping[str, Any] | None = None,
        salesforce: Mapping[str, Any] | None = None,
    ) -> None:
        """Changes the files as an admin would (a value of None takes a key out), and opens leadmark anew."""
        for path, changes in (
            ("connections/hubspot.yaml", connection),
            ("connections/salesforce.yaml", salesforce),
            ("models/b2b.yaml", model),
            ("leadmark.yaml", installation),
        ):
            if changes:
                file = self.folder / path
                file.write_text(yaml.safe_dump(_merged(yaml.safe_load(file.read_text()), changes), sort_keys=False))
        self.reopen()

    def reopen(self) -> None:
        """Ends leadmark and starts it on the same store."""
        self._open.close()
        settings, problems = load(self.folder)
        assert settings is not None, [str(problem) for problem in problems]
        opened = open_runtime(
            settings,
            progress=Quiet(),
            now=lambda: self.world.clock.now() + self.ahead,
            sleep=self.waiting.sleep,
            monotonic=self.waiting.monotonic,
        )
        self.runtime = self._open.enter_context(opened)

    def lose_store(self) -> None:
        """Ends leadmark and starts it on an empty store."""
        self._open.close()
        shutil.rmtree(self.folder.parent / "store")
        self.reopen()

    def explained(self, of: str = "") -> dict[str, dict[str, str]]:
        """Our fields of each living record as ``leadmark explain --json`` has them; empty ones left out."""
        assert self.runtime is not None
        return _explained(self.runtime, of or self.crms[0])

    def explained_afresh(self, of: str = "") -> dict[str, dict[str, str]]:
        """The same from an empty store that reads everything anew and writes nothing."""
        folder = self.folder.parent / "afresh"
        shutil.copytree(self.folder, folder / "config")
        for path, old, new in (
            ("leadmark.yaml", str(self.folder.parent / "store"), str(folder / "store")),
            *((f"connections/{crm}.yaml", "mode: live", "mode: shadow") for crm in self.crms),
        ):
            file = folder / "config" / path
            assert old in file.read_text()
            file.write_text(file.read_text().replace(old, new))
        other = Portal(world=self.world, emulator=self.emulator, folder=folder / "config", crms=self.crms)
        try:
            assert {one.state for one in other.sync(adoption="adopt").connections.values()} == {"shadow"}
            return other.explained(of)
        finally:
            other._open.close()
            shutil.rmtree(folder)

    def close(self) -> None:
        self._open.close()
        self.emulator.stop()

    def sync(self, **options: Any) -> RunReport:
        """One pass, whole."""
        if self.runtime is None:
            self.reopen()
        assert self.runtime is not None
        return run_pass(self.runtime, Options(**options))

    def run(self, **options: Any) -> ConnectionReport:
        """One pass, and what it did at the portal."""
        return self.sync(**options).connections[self.crms[0]]

    def approve(self, code: str) -> bool:
        assert self.runtime is not None
        with self.runtime.store.begin() as tx:
            return differences.approve(tx, code, stored.micros(self.world.clock.now()))

    def live(self, **options: Any) -> ConnectionReport:
        """A pass, approved when the guard stops it, of which the portal refused nothing."""
        return self.live_everywhere(**options)[self.crms[0]]

    def live_everywhere(self, **options: Any) -> dict[str, ConnectionReport]:
        """The same of every CRM: of each the pass that wrote there."""
        reports = self.approved(**options)
        assert all((report.state, report.rejected) == ("ok", 0) for report in reports.values()), reports
        return reports

    def approved(self, **options: Any) -> dict[str, ConnectionReport]:
        """A pass, and where the guard stopped it, the one after its approval, however they ended."""
        reports = dict(self.sync(**options).connections)
        stopped = [name for name, report in reports.items() if report.state == "stopped_by_guard"]
        for name in stopped:
            assert self.approve(reports[name].code)
        if stopped:
            again = self.sync().connections
            reports |= {name: again[name] for name in stopped}
        return reports

    def settle(self) -> None:
        """A first pass, approved, its echo read, and nothing new to read any more; 38 minutes go by."""
        self.live_everywhere()
        for minutes in (16, 20, 2):
            self.advance(minutes=minutes)
            assert [report.written for report in self.sync().connections.values()] == [0] * len(self.crms)

    def reach(self, **span: float) -> RunReport:
        """A pass some time later (2 minutes unless told), which must go through everywhere."""
        self.advance(**(span or {"minutes": 2}))
        report = self.sync()
        assert {one.state for one in report.connections.values()} == {"ok"}, report.connections
        return report

    def advance(self, **span: float) -> None:
        """Moves the clock of both sides."""
        self.world.clock.advance(timedelta(**span).total_seconds())

    # the store

    def row(self, contact: Any, object_: str = "contact") -> Any:
        """leadmark's row of a record."""
        assert self.runtime is not None
        record = tables.record
        with self.runtime.store.begin() as tx:
            wanted = select(record).where(record.c.object == object_, record.c.crm_id == str(contact))
            return tx.execute(wanted).one_or_none()

    def rows(self, table: Any, *where: Any) -> Sequence[Any]:
        """Rows of a table of leadmark's store."""
        assert self.runtime is not None
        with self.runtime.store.begin() as tx:
            return tx.execute(select(table).where(*where)).all()

    def execute(self, statement: Any) -> None:
        """Spoils the store."""
        assert self.runtime is not None
        with self.runtime.store.begin() as tx:
            tx.execute(statement)

    # the portal, by a client that is not ours

    def http(self, method: str, target: str, body: Any = None) -> Any:
        """The answer to one plain request; an emulator's control call or one of HubSpot's.

        What changes the org by it is people's doing; what changed before, and is not ours, was leadmark's.
        """
        acting = method != "GET" and target.startswith("/_emulator/")
        if acting:
            assert self.sf.kept.changed() == []
        connection = http.client.HTTPConnection(urlsplit(self.emulator.url).netloc, timeout=60)
        try:
            headers = {"Authorization": "Bearer pat-somebody-else", "Content-Type": "application/json"}
            connection.request(method, target, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            told = json.loads(answer.read() or b"null")
        finally:
            connection.close()
        assert answer.status < 400, (answer.status, told)
        if acting:
            self.sf.kept.keep()
        return told

    def contact(self, id_: Any) -> dict[str, str]:
        """What the portal holds of a contact now, empty properties left out."""
        told = self.http("GET", f"/_emulator/records/contacts?limit=1&after={int(id_) - 1}")["results"]
        assert told[0]["id"] == str(id_)
        return {name: value for name, value in told[0]["properties"].items() if value not in (None, "")}

    def contacts(self) -> dict[str, dict[str, str]]:
        """Our fields of every contact, empty ones left out, by id."""
        found: dict[str, dict[str, str]] = {}
        after = "0"
        names = ",".join(name for name in self.world.definitions["contacts"] if name.startswith("leadmark_"))
        while True:
            told = self.http("GET", f"/crm/v3/objects/contacts?limit=100&after={after}&properties={names}")
            for row in told["results"]:
                held = row["properties"].items()
                found[row["id"]] = {
                    name: value for name, value in held if name.startswith("leadmark_") and value not in (None, "")
                }
            if "paging" not in told:
                return found
            after = told["paging"]["next"]["after"]

    def edit(self, contact: Any, **properties: str) -> None:
        """What a person types into a contact."""
        self.http("POST", "/_emulator/records", {"object": "contacts", "id": str(contact), "properties": properties})

    def edit_company(self, company: Any, **properties: str) -> None:
        """What a person types into a company."""
        self.http("POST", "/_emulator/records", {"object": "companies", "id": str(company), "properties": properties})

    def add(self, **properties: str) -> str:
        """A new contact's id."""
        return str(self.http("POST", "/_emulator/records", {"object": "contacts", "properties": properties})["id"])

    def company(self, **properties: str) -> str:
        """A new company's id."""
        return str(self.http("POST", "/_emulator/records", {"object": "companies", "properties": properties})["id"])

    def happen(self, **what: Any) -> str:
        """Something a contact did; the words are the emulator's."""
        return str(self.http("POST", "/_emulator/activities", what)["ids"][0])

    def merge(self, primary: Any, other: Any) -> str:
        """The id of the contact that two were merged into."""
        return str(self.http("POST", "/_emulator/merge", {"primary": str(primary), "other": str(other)})["id"])

    def archive(self, contact: Any) -> None:
        """Puts a contact into the recycle bin."""
        self.http("POST", "/_emulator/archive", {"id": str(contact)})

    def faults(self, *items: Mapping[str, Any]) -> None:
        """What goes wrong from now on."""
        self.http("POST", "/_emulator/faults", list(items))

    def no_faults(self) -> None:
        self.http("DELETE", "/_emulator/faults")

    @contextmanager
    def requests(self) -> Iterator[list[Any]]:
        """leadmark's requests within the block, filled in at its end."""
        seen: list[Any] = []
        last = self.emulator.traffic.calls
        yield seen
        seen += [entry for entry in self.emulator.traffic.since(last) if "python" in entry.who.casefold()]

    @contextmanager
    def writes(self) -> Iterator[list[tuple[str, dict[str, str]]]]:
        """(contact, properties) of each record sent within the block, in order, filled in at its end."""
        written: list[tuple[str, dict[str, str]]] = []
        with self.requests() as seen:
            yield written
        for entry in seen:
            if entry.body and not orgs.is_salesforce(entry):
                written += [(item["id"], item["properties"]) for item in json.loads(entry.body)["inputs"]]


def _explained(runtime: Runtime, of: str) -> dict[str, dict[str, str]]:
    (outputs,) = [one.map.outputs.values() for one in runtime.connections if one.settings.name == of]
    with runtime.store.begin() as tx:
        scoring = scoring_of(tx, runtime.settings, runtime.now())
        record = tables.record
        here = (record.c.connection == of) & (record.c.state == "live") & record.c.person.is_not(None)
        numbers = list(tx.execute(select(record.c.person).where(here).distinct()).scalars())
    found = {}
    for some in in_chunks(numbers, 2_000):
        with runtime.store.begin() as tx:
            people = all_explained(tx, some, scoring)
        for ledger in (person.ledger for person in people if person.ledger is not None):  # None: outside the audience
            assert sum(line.units for line in ledger.lines) == ledger.score * UNITS_PER_POINT
        for one in (person.to_json() for person in people):
            said = {output.field: one["outputs"].get(output.output) for output in outputs}
            shown = {name: str(value) for name, value in said.items() if value not in (None, "")}
            found.update({record["id"]: shown for record in one["records"] if record["connection"] == of})
    return found


def _merged(old: Any, changes: Mapping[str, Any]) -> Any:
    """The mapping with the changes in it, level by level; a key changed to None is taken out."""
    merged = dict(old) if isinstance(old, dict) else {}
    for name, value in changes.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = _merged(merged.get(name), value) if isinstance(value, dict) else value
    return merged


def nothing_but_our_fields(portal: Portal) -> None:
    """Whatever reached the portal changed our fields of contacts that exist, and nothing else."""
    for entry in portal.emulator.traffic.since(0):
        path = entry.target.partition("?")[0]
        if orgs.is_salesforce(entry):
            continue
        if entry.method == "GET" or (entry.method == "POST" and path.endswith(_READS)):
            continue
        assert entry.method == "POST", entry
        assert path.endswith(_WRITE), entry
        body = json.loads(entry.body)
        assert set(body) == {"inputs"}
        assert len(body["inputs"]) <= 100
        for item in body["inputs"]:
            assert set(item) == {"id", "properties"}
            assert item["properties"]
            assert all(name.startswith("leadmark_") for name in item["properties"]), item["properties"]
            assert portal.world.tables["contacts"].find(int(item["id"])), "a write to a contact that never existed"


def made_up(
    people: int = 0,
    org_people: int = 0,
    *,
    crms: Sequence[str] = BOTH,
    share: float = 1 / 3,
    seed: int = 7,
    now: datetime = NOW,
) -> tuple[World, Org | None]:
    """A portal's people and an org's, with one clock; see ``portals``."""
    world = make_world(people, seed, now=now) if people else World(EmulatorClock(now))
    if "salesforce" not in crms:
        return world, None
    known = world if people else None
    return world, make_org(known, org_people, seed, now=now, share=share) if org_people else Org(world.clock)


@pytest.fixture
def portals(tmp_path, monkeypatch):
    """Makes installations: of people made up, or empty; with the b2b-saas starter, live, on a portal, an org or both.

    ``people`` are HubSpot's, ``org_people`` Salesforce's, of whom so many are in both that they are ``share`` of all.
    ``crm``: their states as they are made, instead.
    """
    for name, value in (
        ("HS_TOKEN", "pat-acceptance"),
        ("HS_PORTAL", "4242"),
        ("SF_CLIENT_ID", "emulator-client"),
        ("SF_CLIENT_SECRET", "emulator-secret"),
    ):
        monkeypatch.setenv(name, value)
    made: list[Portal] = []

    def portal(
        people: int = 0,
        *,
        crms: Sequence[str] = ("hubspot",),
        org_people: int = 0,
        share: float = 1 / 3,
        seed: int = 7,
        now: datetime = NOW,
        crm: tuple[World, Org | None] | None = None,
        connection: Mapping[str, Any] | None = None,
        salesforce: Mapping[str, Any] | None = None,
        installation: Mapping[str, Any] | None = None,
    ) -> Portal:
        world, org = crm or made_up(people, org_people, crms=crms, share=share, seed=seed, now=now)
        world.limits.on = False
        emulator = Emulator.start(world, org=org)
        folder = tmp_path / f"portal{len(made)}" / "config"
        starter.write(folder, crms)
        one = Portal(world=world, emulator=emulator, folder=folder, crms=crms)
        made.append(one)
        live = {"write": {"mode": "live"}}
        portal_here = {"url": emulator.url, "portal": {"production": False}, **live}
        org_here = {"org": {"url": emulator.url, "id": one.sf.org.org_id, "production": False}, **live}
        one.configure(
            _merged(portal_here, connection or {}) if "hubspot" in crms else None,
            salesforce=_merged(org_here, salesforce or {}) if "salesforce" in crms else None,
            installation=_merged({"store": str(folder.parent / "store")}, installation or {}),
        )
        return one

    yield portal
    for one in made:
        one.close()
        nothing_but_our_fields(one)
        orgs.nothing_but_our_fields(one.sf)


@pytest.fixture
def portal(portals):
    """An empty portal."""
    return portals()


@pytest.fixture
def org(portals):
    """An empty org, without a portal."""
    return portals(crms=("salesforce",))


@pytest.fixture
def both(portals):
    """An empty portal and an empty org."""
    return portals(crms=BOTH)
