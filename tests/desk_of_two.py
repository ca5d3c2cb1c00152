"""Passes over a portal and an org in memory, with a clock that stands still until a test moves it."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select

from connectors.base import Account, FieldDefinition, Stream
from connectors.memory import Memory
from sync.app import Quiet
from sync.lease import Owner
from sync.mapping import OUTCOME, maps_of
from sync.run import run_pass
from sync.runtime import Open, Options, Runtime
from sync.store import tables
from sync.store.records import fields_of
from sync.store.store import open_store
from tests.two_crms import NOW, settings_of

TYPES = {
    "HasOptedOutProfiling": "bool",
    "HasOptedOutOfEmail": "bool",
    "hs_email_optout": "bool",
    "on_hold": "bool",
    "no_profile": "bool",
}
STREAMS = {
    "hubspot": [
        Stream(name="companies", object="company"),
        Stream(name="contacts", object="contact"),
        Stream(name="forms"),
    ],
    "salesforce": [
        Stream(name="individuals", object="individual"),
        Stream(name="accounts", object="account"),
        Stream(name="leads", object="lead"),
        Stream(name="contacts", object="contact"),
        Stream(name="Task"),
        Stream(name="outcomes", object=OUTCOME),
    ],
}
ACCOUNTS = {"hubspot": "1", "salesforce": "00D5g000004XyzAEAS"}
ME, OTHER = Owner(host="a", pid=1, nonce="n1"), Owner(host="b", pid=1, nonce="n2")


def definitions_of(map_):
    """Every field the map reads or writes, by object."""
    ours = [name for name, output in map_.outputs.items() if output.output == "score"]
    found = {}
    for object_ in {*map_.inputs, *map_.people}:
        names = {*map_.inputs.get(object_, ())}
        if object_ in map_.people:
            names |= {*map_.outputs, *map_.links.values()}
        found[object_] = {
            name: FieldDefinition(name=name, type="number" if name in ours else TYPES.get(name, "text"))
            for name in names
        }
    return found


class Desk:
    """An installation of both CRMs; ``hub`` and ``org`` are the CRMs."""

    def __init__(self, folder, **more):
        self.now, self.asked = NOW, False
        self.settings = settings_of(folder, **more)
        self.store = open_store(str(folder / "store"))
        self.crms = {}
        self.open = []
        for written, map_ in zip(self.settings.connections, maps_of(self.settings), strict=True):
            crm = Memory(
                now=lambda: self.now,
                definitions=definitions_of(map_),
                streams=STREAMS[written.name],
                outputs=map_.outputs,
                account=Account(id=ACCOUNTS[written.name], production=False),
            )
            self.crms[written.name] = crm
            self.open.append(Open(settings=written, map=map_, connector=crm))
        self.hub, self.org = self.crms["hubspot"], self.crms["salesforce"]

    def runtime(self, owner=ME):
        return Runtime(
            settings=self.settings,
            store=self.store,
            connections=self.open,
            owner=owner,
            now=lambda: self.now,
            stop=lambda: self.asked,
            progress=Quiet(),
        )

    def run(self, owner=ME, **options):
        """The reports of one pass, by connection."""
        return run_pass(self.runtime(owner), Options(**options)).connections

    def change(self, crm, object_, id_, **values):
        """Somebody edits a record, a moment after all that happened before."""
        self.later(minutes=1)
        held = crm.held(object_, id_)
        crm.put(replace(held, values={**held.values, **values}, stamp_at=self.now))

    def shown(self, crm, object_, id_, output="score"):
        """What one of our fields shows in the CRM."""
        name = f"leadmark_{output}" if crm is self.hub else f"Leadmark_{output.title()}__c"
        return crm.held(object_, id_).values.get(name)

    def rows(self, table):
        with self.store.begin() as tx:
            return tx.execute(select(table)).all()

    def fields(self, crm_id):
        """The output fields the store holds of a record."""
        return fields_of(next(row for row in self.rows(tables.record) if row.crm_id == crm_id))

    def later(self, **span):
        """Moves the clock."""
        self.now += timedelta(**span)

    def close(self):
        self.store.close()
