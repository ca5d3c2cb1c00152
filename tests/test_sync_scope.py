"""Records leave and enter the scope; those outside count as not there."""

from datetime import date

import pytest

from sync.scope import scoped
from tests.two_crms import NOW, both, contact_id, form, lead_id, record

L1, C1 = lead_id(1), contact_id(1)
SCOPE = {"hubspot": {"scope": {"contact": {"country": "Peru"}}}}


@pytest.fixture
def world(tmp_path):
    opened = both(tmp_path, **SCOPE)
    yield opened
    opened.store.close()


def test_objects_without_a_scope_are_in_it(world):
    inside = scoped(world.maps[0], world.settings, NOW)
    assert inside(record("company", "7", country="Chile"))
    assert inside(record("contact", "1", country="Peru"))
    assert not inside(record("contact", "1", country="Chile"))
    assert not inside(record("contact", "1"))


def test_dates_count_from_the_day_of_the_pass(tmp_path):
    opened = both(tmp_path, salesforce={"scope": {"lead": {"Created__c": {"within": "30d"}}}})
    inside = scoped(opened.maps[1], opened.settings, NOW)
    assert inside(record("lead", L1, Created__c=date(2026, 11, 25)))
    assert not inside(record("lead", L1, Created__c=date(2027, 3, 1)))
    opened.store.close()


def test_what_was_never_inside_is_not_kept(world):
    world.hub(record("contact", "1", country="Chile"))
    world.identify()
    assert world.persons(deleted=True) == []


def test_one_that_leaves_counts_as_deleted_and_comes_back_whole(world):
    world.hub(record("contact", "1", version=1, country="Peru", emails="x"), activities=[form("f", "1")])
    world.org(record("contact", C1, emails="x"))
    world.identify()
    assert world.persons() == [["1", "C1"]]
    world.hub(record("contact", "1", version=2, country="Chile", emails="x"))
    world.identify()
    assert world.persons() == [["C1"]]
    assert world.row("1").state == "deleted"
    world.hub(record("contact", "1", version=3, country="Peru", emails="x"))
    world.identify()
    assert world.persons() == [["1", "C1"]]
    assert len(world.gathered("1").activities) == 1


def test_a_wider_scope_takes_in_a_record_that_did_not_change(world):
    told = record("contact", "1", version=2, country="Chile")
    world.hub(record("contact", "1", version=1, country="Peru"))
    world.hub(told)
    wider = both(world.settings.folder, hubspot={"scope": {"contact": {"country": ["Peru", "Chile"]}}})
    wider.hub(told)
    wider.identify()
    assert wider.row("1").state == "live"
    assert wider.facts("1")["country"] == "Chile"
    wider.store.close()


def test_what_was_read_late_does_not_undo_what_a_newer_version_said(world):
    inside = [record("contact", "1", version=version, country="Peru") for version in (1, 3)]
    outside = [record("contact", "1", version=version, country="Chile") for version in (2, 4)]
    for one, state in (
        (inside[0], "live"),
        (inside[1], "live"),
        (outside[0], "live"),
        (outside[1], "deleted"),
        (inside[1], "deleted"),
        (inside[0], "deleted"),
    ):
        world.hub(one)
        assert world.row("1").state == state


def test_of_two_versions_in_one_page_the_newer_one_counts(world):
    world.hub(
        record("contact", "1", version=2, country="Peru"),
        record("contact", "1", version=1, country="Chile"),
        record("contact", "2", version=1, country="Peru"),
        record("contact", "2", version=2, country="Chile"),
    )
    world.identify()
    assert world.persons() == [["1"]]


def test_a_record_outside_makes_no_address_ambiguous(world):
    world.hub(record("contact", "1", country="Peru", emails="x"), record("contact", "2", country="Chile", emails="x"))
    world.org(record("contact", C1, emails="x"))
    world.identify()
    assert world.persons() == [["1", "C1"]]
