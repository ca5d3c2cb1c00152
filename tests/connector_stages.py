"""The stages of the conformance suite: the CRM in memory, and both CRMs on the emulator (HubSpot by either path)."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from config.hubspot import HubSpotConnection
from config.salesforce import SalesforceConnection
from connectors.base import Activity, Cursor, FieldDefinition, Record, Refusal, Stream
from connectors.emulator.clock import EmulatorClock
from connectors.emulator.faults import parse_fault, parse_record_rule
from connectors.emulator.hubspot.deals import open_deal
from connectors.emulator.hubspot.merging import merge
from connectors.emulator.hubspot.world import World
from connectors.emulator.salesforce.instants import shown
from connectors.emulator.salesforce.org import Org
from connectors.emulator.server import Emulator
from connectors.emulator.traffic import Traffic
from connectors.hubspot.connection import HubSpot
from connectors.memory import Memory
from connectors.salesforce.connection import Salesforce
from connectors.salesforce.login import Credentials

START = datetime(2026, 11, 3, 12, tzinfo=UTC)
FORM = "demo-request"
DAY_MS = 86_400_000
CREDENTIALS = Credentials(
    flow="client_credentials", production=False, client_id="emulator-client", client_secret="emulator-secret"
)


class MemoryStage:
    """The CRM in memory."""

    people, person, note, output, once = "people", "person", "note", "score", "visits"
    deals = ("deals",)
    keeps_addresses = True

    def __init__(self) -> None:
        self.now = START
        fields = {
            "note": FieldDefinition(name="note", type="text"),
            "score": FieldDefinition(name="score", type="number"),
        }
        self.crm = Memory(
            now=lambda: self.now,
            definitions={"person": fields},
            streams=[
                Stream(name="people", object="person"),
                Stream(name="deals", object="outcome"),
                Stream(name="visits"),
            ],
            outputs=["score"],
        )
        self.numbers = count(1)
        self.living: set[str] = set()

    def connect(self) -> Memory:
        return self.crm.reopen()

    def add(self, number: int) -> list[str]:
        ids = [str(next(self.numbers)) for _ in range(number)]
        for id_ in ids:
            values = {"note": None, "score": None}
            email = f"p{id_}@x.example"
            self.crm.put(Record(object="person", id=id_, values=values, stamp_at=self.now, emails=(email,)))
        self.living.update(ids)
        return ids

    def change(self, id_: str, note: str) -> None:
        old = self.crm.held("person", id_)
        self.crm.put(replace(old, values={**old.values, "note": note}, stamp_at=self.now))

    def delete(self, id_: str) -> None:
        self.crm.delete("person", id_)
        self.living.discard(id_)

    def merge(self, first: str, second: str) -> str:
        self.crm.merge("person", first, second)
        self.living.discard(second)
        return first

    def refuse(self, id_: str) -> None:
        self.crm.refuse(id_, Refusal(code="RULE", message="not this one"))

    def act(self, email: str) -> None:
        id_ = f"v{next(self.numbers)}"
        self.crm.act("visits", Activity(source="visits", id=id_, at=self.now, email=email.casefold()))

    def deal(self, *people: str) -> str:
        id_ = f"d{next(self.numbers)}"
        parents = {f"person:{one}": one for one in people}
        values = {"won": False, "closed": False}
        self.crm.put(Record(object="outcome", id=id_, values=values, stamp_at=self.now, parents=parents))
        return id_

    def win(self, deal: str) -> None:
        old = self.crm.held("outcome", deal)
        self.crm.put(replace(old, values={"won": True, "closed": True}, stamp_at=self.now))

    def drop(self, deal: str) -> None:
        self.crm.delete("outcome", deal)

    def who(self, activity: Activity) -> str:
        return activity.email

    def email(self, id_: str) -> str:
        return self.crm.held("person", id_).emails[0]

    def held(self, id_: str) -> Mapping[str, Any]:
        return self.crm.held("person", id_).values

    def ids(self) -> set[str]:
        return self.living

    def wait(self, by: timedelta) -> None:
        self.now += by

    def in_the_future(self, cursor: Cursor) -> Cursor:
        return {**cursor, "n": 10**9}


class HubSpotStage:
    """HubSpot on the emulator. Time stands still but for ``wait`` and what the connector sleeps."""

    people, person, note, output = "contacts", "contact", "jobtitle", "leadmark_score"
    once = f"form:{FORM}"
    deals = ("deals",)
    keeps_addresses = True

    def __init__(self, emulator: Emulator, version: str) -> None:
        self.emulator = emulator
        self.world = emulator.world
        self.version = version
        self.waited_s = 0.0
        self.sleeps: list[float] = []
        self.opened: list[HubSpot] = []
        self.numbers = count(1)

    def now(self) -> datetime:
        return self.world.clock.now()

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.waited_s += seconds

    def connect(self, token: str = "pat-test", **settings: Any) -> HubSpot:
        connector = HubSpot.open(
            hubspot_settings(self.emulator.url, self.version, **settings),
            token=token,
            outputs=["leadmark_score", "leadmark_tier", "leadmark_mql_since"],
            now=self.now,
            sleep=self.sleep,
            monotonic=lambda: self.waited_s,
            chance=lambda: 0.5,
        )
        self.opened.append(connector)
        return connector

    def add(self, number: int, *, stamps_ms: int = 7) -> list[str]:
        """So many contacts, last changed ``stamps_ms`` apart, the last one now."""
        end = self.world.clock.now_ms()
        rows = [
            self.world.create(
                "contacts",
                {"email": f"p{next(self.numbers)}@x.example"},
                updated_ms=end - stamps_ms * (number - 1 - place),
                created_ms=end - DAY_MS,
            )
            for place in range(number)
        ]
        return [str(row.id) for row in rows]

    def change(self, id_: str, note: str) -> None:
        self.world.edit("contacts", id_, {"jobtitle": note})

    def delete(self, id_: str) -> None:
        self.world.archive("contacts", self.world.row("contacts", id_))

    def merge(self, first: str, second: str) -> str:
        return str(
            merge(self.world, "contacts", self.world.row("contacts", first), self.world.row("contacts", second)).id
        )

    def refuse(self, id_: str) -> None:
        self.rule(object="contacts", id=int(id_), action="refuse")

    def rule(self, **rule: Any) -> None:
        self.world.rules.rules.append(parse_record_rule(rule))

    def fault(self, do: Mapping[str, Any], *, path: str = "", times: int | None = 1, skip: int = 0) -> None:
        raw = {"match": {"path": path}, "do": do, "times": times, "skip": skip}
        self.emulator.traffic.faults.append(parse_fault(raw))

    def act(self, email: str) -> None:
        self.world.forms.submit(
            FORM, {"email": email}, self.world.clock.now_ms(), page_url="https://x.example/demo?a=b"
        )

    def who(self, activity: Activity) -> str:
        return activity.email

    def email(self, id_: str) -> str:
        return self.world.row("contacts", id_).now.properties["email"]

    def held(self, id_: str) -> Mapping[str, Any]:
        held = self.world.row("contacts", id_).now.properties
        score = held.get("leadmark_score")
        return {**held, "leadmark_score": None if score is None else int(score)}

    def ids(self) -> set[str]:
        return {str(row.id) for row in self.world.tables["contacts"].live()}

    def wait(self, by: timedelta) -> None:
        self.world.clock.advance(by.total_seconds())

    def in_the_future(self, cursor: Cursor) -> Cursor:
        year_ms = 365 * DAY_MS
        return {
            name: value + year_ms if name in ("mark", "swept", "archived") else value for name, value in cursor.items()
        }

    def deal(self, *people: str, **values: str) -> str:
        return str(open_deal(self.world, map(int, people), values).id)

    def win(self, deal: str) -> None:
        self.world.edit("deals", deal, {"dealstage": "closedwon"})

    def drop(self, deal: str) -> None:
        self.world.archive("deals", self.world.row("deals", deal))

    def requests(self) -> list[str]:
        """Method and path of each request so far."""
        return [f"{entry.method} {entry.target.partition('?')[0]}" for entry in self.emulator.traffic.since(0)]


def hubspot_settings(url: str, version: str = "2026-09", **other: Any) -> HubSpotConnection:
    """A connection that maps a bit of everything."""
    raw: dict[str, Any] = {
        "name": "hubspot",
        "crm": "hubspot",
        "url": url,
        "api_version": version,
        "portal": {"id": "4242", "production": False},
        "login": {"service_key": "env:HS_TOKEN"},
        "facts": {"job_title": "jobtitle", "industry": {"company": "industry"}, "owner": {"owner": "email"}},
        "outcomes": {"from": "deals"},
        "activities": {
            "demo": {"from": "form_submissions", "forms": [FORM], "keep": {"form": "form"}},
            "clicked": {"from": "email_events", "type": "CLICK", "keep": {"mail": "campaign", "link": "link"}},
            "pricing": {"from": "lists", "lists": ["Visited pricing"], "keep": {"list": "list"}},
            "mailed": {"from": "emails", "keep": {"direction": "direction"}},
            "called": {"from": "calls", "keep": {"result": "disposition"}},
            "met": {"from": "meetings", "keep": {"outcome": "outcome"}},
            "trial": {"from": "date_property", "property": "trial_started"},
        },
        "write": {"fields": {"b2b": {"outputs": ["score"]}}},
    }
    return HubSpotConnection.model_validate({**raw, **other})


class SalesforceStage:
    """Salesforce on the emulator. Time stands still but for ``wait`` and what the connector sleeps."""

    people, person, note, output, once = "contacts", "contact", "Title", "Leadmark_Score__c", "Task"
    deals = ("opportunities", "outcomes")
    keeps_addresses = False

    def __init__(self, emulator: Emulator, org: Org) -> None:
        self.emulator = emulator
        self.org = org
        self.waited_s = 0.0
        self.sleeps: list[float] = []
        self.opened: list[Salesforce] = []
        self.numbers = count(1)

    def now(self) -> datetime:
        return self.org.clock.now()

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.waited_s += seconds

    def connect(self, **settings: Any) -> Salesforce:
        connector = Salesforce.open(
            salesforce_settings(**settings),
            url=self.emulator.url,
            credentials=CREDENTIALS,
            outputs=["Leadmark_Score__c", "Leadmark_Tier__c", "Leadmark_Mql_Since__c"],
            now=self.now,
            sleep=self.sleep,
            monotonic=lambda: self.waited_s,
            chance=lambda: 0.5,
        )
        self.opened.append(connector)
        return connector

    def add(self, number: int, *, object_: str = "Contact", stamps_ms: int = 7) -> list[str]:
        """So many people, last changed ``stamps_ms`` apart, the last one now."""
        end = self.org.clock.now_ms()
        return [
            self.org.create(
                object_,
                {"LastName": "Roe", "Company": "Acme", "Email": f"p{next(self.numbers)}@x.example"},
                stamp_ms=end - stamps_ms * (number - 1 - place),
                created_ms=end - DAY_MS,
            ).id
            for place in range(number)
        ]

    def change(self, id_: str, note: str) -> None:
        self.org.edit(self.org.object_of(id_), id_, {"Title": note})

    def delete(self, id_: str) -> None:
        self.org.delete(self.org.object_of(id_), id_)

    def merge(self, first: str, second: str) -> str:
        return self.org.merge(self.org.object_of(first), first, second).id

    def refuse(self, id_: str) -> None:
        self.rule(object="Contact", id=id_, action="refuse")

    def rule(self, **rule: Any) -> None:
        self.org.rules.rules.append(parse_record_rule(rule))

    def fault(self, do: Mapping[str, Any], *, path: str = "", times: int | None = 1, skip: int = 0) -> None:
        raw = {"match": {"path": path}, "do": do, "times": times, "skip": skip}
        self.emulator.traffic.faults.append(parse_fault(raw))

    def act(self, email: str) -> None:
        who = next(row for row in self.org.live("Contact") if row.values["Email"].casefold() == email.casefold())
        self.close_task(who.id)

    def deal(self, *people: str) -> str:
        now_ms = self.org.now_ms()
        stamps = {"stamp_ms": now_ms, "created_ms": now_ms}
        deal = self.org.create("Opportunity", {"Name": "Deal", "CloseDate": "2026-12-24"}, **stamps).id
        for id_ in people:
            self.org.create("OpportunityContactRole", {"OpportunityId": deal, "ContactId": id_}, **stamps)
        return deal

    def win(self, deal: str) -> None:
        self.org.edit("Opportunity", deal, {"StageName": "Closed Won"})

    def drop(self, deal: str) -> None:
        self.org.delete("Opportunity", deal)

    def close_task(self, who: str, **values: Any) -> str:
        now_ms = self.org.now_ms()
        known = {"WhoId": who, "Status": "Completed", "CompletedDateTime": shown(now_ms), **values}
        return self.org.create("Task", known, stamp_ms=now_ms, created_ms=now_ms).id

    def who(self, activity: Activity) -> str:
        return self.email(activity.records[0])

    def email(self, id_: str) -> str:
        return str(self.org.row(self.org.object_of(id_), id_).values["Email"])

    def held(self, id_: str) -> Mapping[str, Any]:
        values = self.org.row(self.org.object_of(id_), id_).values
        return {self.output: None, **values}

    def ids(self) -> set[str]:
        return {row.id for row in self.org.live("Contact")}

    def wait(self, by: timedelta) -> None:
        self.org.clock.advance(by.total_seconds())

    def in_the_future(self, cursor: Cursor) -> Cursor:
        year_ms = 365 * DAY_MS
        return {
            name: value + year_ms if name in ("mark", "swept", "newest") else value for name, value in cursor.items()
        }

    def queries(self, object_: str) -> int:
        """Queries of the object so far, further pages not counted."""
        return sum(f"FROM+{object_}+" in entry.target + "+" for entry in self.emulator.traffic.since(0))


def salesforce_settings(**other: Any) -> SalesforceConnection:
    """A connection that maps a bit of everything."""
    raw: dict[str, Any] = {
        "name": "salesforce",
        "crm": "salesforce",
        "org": {"url": "env:SF_URL", "id": "00D5g000004XyzAEAS", "production": False},
        "login": {"flow": "client_credentials", "client_id": "env:SF_ID", "client_secret": "env:SF_SECRET"},
        "facts": {
            "job_title": "Title",
            "industry": {"lead": "Industry", "contact": "Account.Industry"},
            "owner": "Owner.Email",
            "do_not_profile": {
                "lead": "Individual.HasOptedOutProfiling",
                "contact": "Individual.HasOptedOutProfiling",
                "optional": True,
            },
        },
        "outcomes": {"from": "OpportunityContactRole"},
        "activities": {
            "responded": {"from": "CampaignMember", "keep": {"campaign": "Campaign", "type": "Campaign.Type"}},
            "called": {"from": "Task", "where": {"TaskSubtype": "Call"}, "keep": {"result": "CallDisposition"}},
            "done": {"from": "Task", "not_created_by": "hubspot@seller.example"},
            "met": {"from": "Event", "keep": {"all_day": "IsAllDayEvent"}},
        },
        "write": {"fields": {"b2b": {"outputs": ["score"]}}},
    }
    return SalesforceConnection.model_validate({**raw, **other})


@contextmanager
def salesforce_emulator() -> Iterator[Emulator]:
    """An emulator for one stage after another, which takes less time than one for each."""
    with Emulator.start(World(EmulatorClock(START))) as emulator:
        yield emulator


@contextmanager
def salesforce_stage(emulator: Emulator | None = None, *, page_rows: int = 100) -> Iterator[SalesforceStage]:
    """An empty org whose queries give pages of so many rows."""
    if emulator is None:
        with salesforce_emulator() as started, salesforce_stage(started, page_rows=page_rows) as stage:
            yield stage
        return
    world = emulator.world = World(EmulatorClock(START))
    org = emulator.org = Org(world.clock)
    org.lock, org.page_rows, emulator.traffic = world.lock, page_rows, Traffic()
    stage = SalesforceStage(emulator, org)
    yield stage
    for connector in stage.opened:
        connector.close()


@contextmanager
def hubspot_stage(version: str = "2026-09") -> Iterator[HubSpotStage]:
    """An empty portal, without rate limits, its index without lag."""
    world = World(EmulatorClock(START))
    world.limits.on = False
    with Emulator.start(world) as emulator:
        stage = HubSpotStage(emulator, version)
        yield stage
        for connector in stage.opened:
            connector.close()
