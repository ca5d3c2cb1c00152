"""A portal and an org as tests of identity see them: their maps, their records, and pages of both into one store."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from config.hubspot import HubSpotConnection
from config.salesforce import SalesforceConnection
from config.settings import Settings
from connectors.base import Activity, Deletion, Page, Record, Succession
from connectors.salesforce.ids import long_id
from scoring.model import ScoringModel
from scoring.tables import Tables
from sync.identity import identify_some
from sync.mapping import maps_of
from sync.people import gather
from sync.pull import Reader
from sync.scope import scoped
from sync.store import tables
from sync.store.store import Store, open_store

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
OLD = datetime(2026, 10, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)

HUBSPOT = {
    "name": "hubspot",
    "crm": "hubspot",
    "portal": {"id": "1", "production": False},
    "login": {"service_key": "env:HS_TOKEN"},
    "links": {"salesforce": {"lead": "salesforceleadid", "contact": "salesforcecontactid"}},
    "facts": {
        "email": "email",
        "title": "jobtitle",
        "country": {"contact": "country", "company": "country"},
        "company": {"company": "name"},
        "opted_out": "hs_email_optout",
        "hand_off": {"contact": "hs_lead_status", "values": {"BAD_TIMING": "recycled", "OPEN": "qualifying"}},
    },
    "activities": {"form_submitted": {"from": "form_submissions"}},
    "write": {"mode": "live", "fields": {"b2b": {"outputs": ["score", "tier", "mql_status"]}}},
}
SALESFORCE = {
    "name": "salesforce",
    "crm": "salesforce",
    "org": {"url": "https://acme.my.salesforce.example", "id": "00D5g000004XyzAEAS", "production": False},
    "login": {"flow": "client_credentials", "client_id": "env:SF_ID", "client_secret": "env:SF_SECRET"},
    "facts": {
        "email": "Email",
        "title": "Title",
        "country": {"lead": "Country", "contact": "Account.BillingCountry"},
        "company": {"lead": "Company", "contact": "Account.Name"},
        "opted_out": "HasOptedOutOfEmail",
        "do_not_profile": {"lead": "Individual.HasOptedOutProfiling", "contact": "Individual.HasOptedOutProfiling"},
        "hand_off": {"lead": "Status", "values": {"Working": "qualifying", "Nurture": "recycled"}},
    },
    "outcomes": {"from": "OpportunityContactRole"},
    "activities": {"task_done": {"from": "Task"}},
    "write": {"mode": "live", "fields": {"b2b": {"outputs": ["score", "tier", "mql_status"]}}},
}
MODEL = {
    "model": "b2b",
    "weights": {"fit": 50, "engagement": 50},
    "fit": {"title": {"weight": 100, "percent": {"Director": 100, "Buyer": 40}}},
    "engagement": {
        "asked": {"label": "Asked", "rules": {"form": {"activity": "form_submitted", "points": 60, "label": "Form"}}}
    },
    "mql": {"needs": {"score": 50}},
}


def settings_of(folder=Path(), *, hubspot=None, salesforce=None, others=(), prefer=None, models=None, **more):
    """A whole installation with both CRMs, the portal's values first; parts of a connection can be others."""
    return Settings(
        store=str(folder / "store"),
        time_zone="UTC",
        primary="b2b",
        folder=folder,
        connections=(
            HubSpotConnection.model_validate(HUBSPOT | (hubspot or {})),
            SalesforceConnection.model_validate(SALESFORCE | (salesforce or {})),
            *others,
        ),
        models={name: ScoringModel.model_validate(raw) for name, raw in (models or {"b2b": MODEL}).items()},
        model_texts={name: json.dumps(raw) for name, raw in (models or {"b2b": MODEL}).items()},
        tables=Tables(),
        prefer=prefer or {},
        **more,
    )


def write_config(folder):
    """Writes a config of the portal alone, and gives the folder."""
    hubspot = {key: value for key, value in HUBSPOT.items() if key not in {"name", "links"}}
    hubspot["activities"] = {"form_submitted": {"from": "form_submissions", "forms": ["F1"]}}
    files = {
        "leadmark.yaml": {"store": "store", "time_zone": "UTC", "primary": "b2b"},
        "models/b2b.yaml": MODEL,
        "connections/hubspot.yaml": hubspot,
    }
    for path, value in files.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(json.dumps(value))
    return folder


def lead_id(number: int) -> str:
    """A lead's id as the org spells it."""
    return long_id(f"00Q5g00000{number:05}")


def contact_id(number: int) -> str:
    """A contact's id as the org spells it."""
    return long_id(f"0035g00000{number:05}")


def short(id_):
    """An id as tests write it down: ``7`` of the portal, ``Q1`` a lead, ``C1`` a contact of the org."""
    return id_ if len(id_) < 15 else f"{'Q' if id_[2] == 'Q' else 'C'}{int(id_[10:15])}"


def record(object_, id_, *, version=0, emails=(), parents=None, aliases=(), created_at=OLD, **values):
    """A record as a page brings it; ``version``: the hours since the first one."""
    return Record(
        object=object_,
        id=id_,
        values=values,
        stamp_at=OLD + version * HOUR,
        created_at=created_at,
        emails=(emails,) if isinstance(emails, str) else emails,
        parents=parents or {},
        aliases=aliases,
    )


def page(*records, successions=(), deletions=(), activities=(), at=NOW):
    """One page with these."""
    return Page(
        stream="",
        next_cursor={},
        requested_at=at,
        records=records,
        successions=successions,
        deletions=[Deletion(object=object_, id=id_) for object_, id_ in deletions],
        activities=activities,
    )


def merged(id_, into, of="contact"):
    """A record that another of its kind now stands for."""
    return Succession(object=of, id=id_, into_object=of, into_id=into)


def converted(lead, into, at=None):
    """A lead that is a contact now."""
    return Succession(object="lead", id=lead, into_object="contact", into_id=into, converted=True, at=at)


def form(id_, *records, days=1, email=""):
    """A form somebody sent in."""
    return Activity(source="form_submissions", id=id_, at=NOW - timedelta(days=days), records=records, email=email)


def task(id_, *records, days=1):
    """A task that was done with somebody."""
    return Activity(source="Task", id=id_, at=NOW - timedelta(days=days), records=records)


@dataclass(frozen=True, kw_only=True)
class Both:
    """One store, and pages of both CRMs into it."""

    settings: Settings
    store: Store
    maps: tuple

    def apply(self, connection, page_):
        """Takes a page of a connection in."""
        map_ = next(one for one in self.maps if one.connection == connection)
        Reader(
            store=self.store,
            map=map_,
            now=lambda: NOW,
            retention=timedelta(days=760),
            in_scope=scoped(map_, self.settings, NOW),
        ).apply(page_)

    def hub(self, *records, **more):
        """Takes a page of the portal in."""
        self.apply("hubspot", page(*records, **more))

    def org(self, *records, **more):
        """Takes a page of the org in."""
        self.apply("salesforce", page(*records, **more))

    def identify(self):
        """Settles who everybody is."""
        with self.store.begin() as tx:
            while identify_some(tx):
                pass

    def persons(self, *, deleted=False):
        """The persons, each by the ids of its live and converted (or all) records, sorted; ids as ``short``."""
        groups = {}
        for row in self.rows(tables.record):
            if row.person is not None and (deleted or row.state in ("live", "converted")):
                groups.setdefault(row.person, set()).add(short(row.crm_id))
        return sorted(sorted(group) for group in groups.values())

    def person_of(self, crm_id):
        """The person's number."""
        return self.row(crm_id).person

    def row(self, crm_id):
        """A record's row."""
        return next(row for row in self.rows(tables.record) if row.crm_id == crm_id)

    def rows(self, table):
        """All rows of a table."""
        with self.store.begin() as tx:
            return tx.execute(select(table)).all()

    def gathered(self, crm_id, maps=None):
        """The person of a record as the core sees it."""
        number = self.person_of(crm_id)
        with self.store.begin() as tx:
            return gather(tx, [number], self.maps if maps is None else maps, "UTC")[0]

    def facts(self, crm_id):
        """The facts of a record's person."""
        return dict(self.gathered(crm_id).facts.values)


def both(folder, **more):
    """An empty store and the maps of both CRMs; the settings can be others."""
    settings = more.pop("settings", None) or settings_of(folder, **more)
    return Both(settings=settings, store=open_store(str(folder / "store")), maps=tuple(maps_of(settings)))
