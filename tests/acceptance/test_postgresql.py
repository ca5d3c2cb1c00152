"""The store on PostgreSQL: whole passes write exactly what they write with SQLite."""

from datetime import timedelta

import pytest

from connectors.emulator.hubspot.merging import erase, merge
from connectors.emulator.people import make_world
from tests.acceptance.processes import NOW, Installation
from tests.postgresql_server import new_database

pytestmark = pytest.mark.slow


def happen(one):
    """A week with edits, visits, a merge, a deletion and an erasure."""
    one.now += timedelta(days=7)
    one.world.clock.set(one.now)
    people = [row for row in one.world.tables["contacts"].live() if row.now.properties.get("email")]
    for row in people[:20]:
        one.world.edit("contacts", row.id, {"jobtitle": "CEO", "leadmark_score": "3"})
        one.world.lists.join(101, row.id, one.world.clock.now_ms())
    company = next(iter(one.world.tables["companies"].live()))
    one.world.edit("companies", company.id, {"numberofemployees": "7", "industry": ""})
    merge(one.world, "contacts", people[30], people[31])
    one.world.archive("contacts", people[32])
    erase(one.world, people[33])


def test_a_first_pass_a_quiet_one_and_a_week(tmp_path):
    with (
        Installation.make(make_world(90, 51, now=NOW), tmp_path / "sqlite") as sqlite,
        sqlite.twin(tmp_path / "postgresql") as postgresql,
    ):
        file = postgresql.folder / "leadmark.yaml"
        file.write_text(file.read_text().replace("store: ../leadmark-store", "store: env:STORE"))
        postgresql.variables = {"STORE": new_database()}
        both = (sqlite, postgresql)

        first = [one.live() for one in both]
        assert first[0] == first[1]
        assert first[0]["written"] == 90
        assert sqlite.held() == postgresql.held()

        for one in both:
            happen(one)
        week = [one.live() for one in both]
        assert week[0] == week[1]
        assert week[0]["written"] > 20
        assert sqlite.held() == postgresql.held()

        quiet = [one.live() for one in both]
        assert [(report["scored"], report["written"]) for report in quiet] == [(0, 0), (0, 0)]
        for words in (["status"], ["explain", "1001"]):
            told = [one.run(*words) for one in both]
            assert told[0].code == told[1].code == 0, told
        assert not postgresql.store.exists()
