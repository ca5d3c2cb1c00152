"""The impact of another config: who moves and why, whose status changes, what a push would write; and nothing kept."""

import pytest
from sqlalchemy import select

from scoring.model import ScoringModel
from sync.app import Quiet
from sync.simulate import Side, side_in_force, side_of, simulate
from sync.store import tables
from tests.desk_of_two import Desk
from tests.two_crms import HUBSPOT, MODEL, form, lead_id, record

SIZES = {"hubspot": 100, "salesforce": 200}


def changed(settings, **model):
    """The settings with another primary model."""
    raw = MODEL | model
    return settings.model_copy(update={"models": {"b2b": ScoringModel.model_validate(raw)}})


def impact_of(desk, after=None, *, before=None, limit=10, models=("b2b",)):
    with desk.store.look() as tx:
        here = before or side_in_force(tx, desk.settings)
    there = side_of(after if after is not None else desk.settings)
    return simulate(
        desk.store, here, there, models=models, limit=limit, push_sizes=SIZES, now=desk.now, progress=Quiet()
    )  # fmt: skip


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """Ten people: directors 1 to 3 are MQL, 3 asked for something, buyers 4 to 6 are not, 7 is not to be profiled."""
    opened = Desk(
        tmp_path_factory.mktemp("desk"), hubspot={"facts": HUBSPOT["facts"] | {"do_not_profile": "no_profile"}}
    )
    for number in (1, 2, 3):
        opened.hub.put(record("contact", str(number), jobtitle="Director", country="AT"))
    for number in (4, 5, 6):
        opened.hub.put(record("contact", str(number), jobtitle="Buyer", country="DE"))
    opened.hub.put(record("contact", "7", jobtitle="Director", no_profile=True))
    opened.hub.act("forms", form("f1", "3"))
    opened.hub.act("forms", form("f2", "6"))
    opened.org.put(record("lead", lead_id(8), Title="Director", Country="AT"))
    opened.run()
    yield opened
    opened.close()


def everything(desk):
    return {name: desk.rows(table) for name, table in tables.metadata.tables.items()}


def test_the_same_models_move_nobody_and_change_no_status(desk):
    found = impact_of(desk)
    (one,) = found.models
    assert (found.quiet, found.people, one.scored) == (True, 8, (7, 7))
    assert [a for a, b in one.statuses if a != b] == []
    assert one.spread[0] == one.spread[1]
    assert [each.records for each in found.writes] == [0, 0]


def test_nothing_is_kept(desk):
    before = everything(desk)
    assert not impact_of(desk, changed(desk.settings, mql={"needs": {"score": 90}})).quiet
    assert everything(desk) == before
