"""What says who a record is: addresses, links, successions; and that nothing told of a record is lost on its way."""

from datetime import UTC, datetime
from itertools import permutations

import pytest
from sqlalchemy import update

from sync.mapping import maps_of
from sync.store import tables
from sync.store.values import micros
from tests.two_crms import NOW, Both, both, contact_id, converted, form, lead_id, merged, record, settings_of, task

L1, C1, C2, C3 = lead_id(1), contact_id(1), contact_id(2), contact_id(3)


@pytest.fixture
def world(tmp_path):
    opened = both(tmp_path)
    yield opened
    opened.store.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    opened = both(tmp_path_factory.mktemp("shared"))
    yield opened
    opened.store.close()


def wiped(world):
    with world.store.begin() as tx:
        for table in reversed(tables.metadata.sorted_tables):
            tx.execute(table.delete())
    return world


#: what is told, in every order of it
TOLD = {
    "merged": (
        {
            "task": {"activities": [task("t", C1)]},
            "merged": {"successions": [merged(C1, C2)]},
            "read": {"records": [record("contact", C2)]},
        },
        C2,
    ),
    "merged, having been read": (
        {
            "task": {"activities": [task("t", C1)]},
            "loser": {"records": [record("contact", C1)]},
            "merged": {"successions": [merged(C1, C2)]},
            "read": {"records": [record("contact", C2)]},
        },
        C2,
    ),
    "a chain": (
        {
            "task": {"activities": [task("t", C1)]},
            "first": {"successions": [merged(C1, C2)]},
            "second": {"successions": [merged(C2, C3)]},
            "read": {"records": [record("contact", C3)]},
        },
        C3,
    ),
    "converted": (
        {
            "task": {"activities": [task("t", L1)]},
            "lead": {"records": [record("lead", L1)], "successions": [converted(L1, C1)]},
            "read": {"records": [record("contact", C1)]},
        },
        C1,
    ),
}


@pytest.mark.parametrize("name", TOLD)
def test_what_was_done_with_one_reaches_the_one_that_stands_for_it(shared, name):
    told, heir = TOLD[name]
    lost = []
    for order in permutations(told):
        wiped(shared)
        for one in order:
            more = dict(told[one])
            shared.org(*more.pop("records", ()), **more)
        shared.identify()
        if len(shared.gathered(heir).activities) != 1:
            lost.append(order)
    assert not lost


def test_a_merge_of_companies_takes_nothing_from_contacts_of_the_same_number(world):
    world.hub(activities=[form("f", "7")])
    world.hub(record("company", "9", aliases=("7",)))
    world.hub(record("contact", "7"))
    world.identify()
    assert len(world.gathered("7").activities) == 1


def test_an_activity_that_both_a_merged_record_and_its_heir_hold_counts_once(world):
    world.org(record("contact", C1), record("contact", C2), activities=[task("t", C1)])
    world.org(activities=[task("t", C2)])
    world.org(successions=[merged(C1, C2)])
    world.identify()
    assert len(world.gathered(C2).activities) == 1


CONVERTED_ON = datetime(2026, 11, 3, 12, tzinfo=UTC)


@pytest.mark.parametrize("contact_first", [True, False])
@pytest.mark.parametrize("again", [True, False])
def test_a_converted_lead_was_accepted_on_its_day_and_is_read_and_not_written(world, contact_first, again):
    lead = record("lead", L1, version=1, Status="Working", Title="Buyer", emails="x")
    steps = [
        lambda: world.org(lead, successions=[converted(L1, C1, CONVERTED_ON)]),
        lambda: world.org(record("contact", C1, emails="x")),
    ]
    for step in reversed(steps) if contact_first else steps:
        step()
    if again:  # a frozen field, changed by a tool: it was still sales that converted it
        world.org(record("lead", L1, version=2, Status="Nurture", Title="Buyer"), successions=[converted(L1, C1, NOW)])
    world.identify()
    row = world.row(L1)
    assert (row.state, row.word, row.word_at) == ("converted", "accepted", micros(CONVERTED_ON))
    person = world.gathered(C1)
    assert (person.sales.word, person.sales.on) == ("accepted", CONVERTED_ON.date())
    assert [each.crm_id for each in person.records] == [C1]
    assert person.facts.values["title"] == "Buyer"


def test_a_lead_read_long_before_it_is_converted_keeps_its_person(world):
    world.hub(record("contact", "1", salesforceleadid=L1))
    world.org(record("lead", L1, Status="Working"))
    world.identify()
    number = world.person_of("1")
    world.org(record("lead", L1, version=1), successions=[converted(L1, C1, CONVERTED_ON)])
    world.identify()
    world.org(record("contact", C1))
    world.identify()
    assert world.persons() == [["1", "C1", "Q1"]]
    assert world.person_of(C1) == number


def test_a_conversion_without_a_date_is_dated_when_it_was_read(world):
    world.org(record("lead", L1), successions=[converted(L1, C1)])
    assert world.row(L1).word_at == micros(NOW)


def test_links_follow_a_chain_of_merges(world):
    world.hub(record("contact", "1", salesforcecontactid=C1))
    world.identify()
    world.org(record("contact", C3))
    world.identify()
    world.org(successions=[merged(C1, C2)])
    world.identify()
    world.org(successions=[merged(C2, C3)])
    world.identify()
    assert world.persons() == [["1", "C3"]]


def test_the_short_form_of_an_id_links_as_the_long_one_does_and_nonsense_does_not(world):
    world.org(record("contact", C1))
    world.hub(
        record("contact", "1", salesforcecontactid=C1[:15]),
        record("contact", "2", salesforcecontactid=C1.lower()),
        record("contact", "3", salesforcecontactid="?"),
    )
    world.identify()
    assert world.persons() == [["1", "C1"], ["2"], ["3"]]


def test_links_that_the_map_no_longer_has_tie_nobody(world):
    world.hub(record("contact", "1", salesforcecontactid=C1))
    world.org(record("contact", C1))
    world.identify()
    unlinked = settings_of(hubspot={"links": {}})
    after = Both(settings=unlinked, store=world.store, maps=tuple(maps_of(unlinked)))
    after.hub(record("contact", "1", salesforcecontactid=C1))
    after.identify()
    assert after.persons() == [["1"], ["C1"]]


def test_a_tie_said_again_marks_nobody(world):
    told = record("contact", "1", emails="x", salesforcecontactid=C1)
    world.hub(told)
    world.identify()
    world.hub(told)
    assert not any(row.identify for row in world.rows(tables.record))


def test_an_old_page_brings_no_deleted_lead_back(world):
    for _ in range(2):
        world.org(record("lead", L1), successions=[converted(L1, C1)])
        if world.row(L1).state == "converted":
            world.org(deletions=[("lead", L1)])
    world.org(record("lead", L1), successions=[converted(L1, C1)])
    assert world.row(L1).state == "deleted"


def stale_after(world, step):
    world.identify()
    with world.store.begin() as tx:
        tx.execute(update(tables.person).values(stale=False))
    step()
    return any(row.stale for row in world.rows(tables.person))


#: what happens to the accounts of a contact that points to A1, remark; all of it changes facts
ACCOUNTS = [
    (lambda world: world.org(record("account", "A1", version=1, Name="New")), "the account's name"),
    (lambda world: world.org(deletions=[("account", "A1")]), "it is deleted"),
    (lambda world: world.org(successions=[merged("A1", "A2", "account")]), "it is merged into one that was read"),
]


@pytest.mark.parametrize(("step", "remark"), ACCOUNTS, ids=[row[1] for row in ACCOUNTS])
def test_what_happens_to_an_account_touches_its_people(world, step, remark):
    world.org(record("account", "A1", Name="One"), record("account", "A2", Name="Two"))
    world.org(record("contact", C1, parents={"account": "A1"}))
    assert stale_after(world, lambda: step(world)), remark


def test_a_change_of_the_account_that_stands_for_theirs_touches_people(world):
    world.org(record("account", "A2", Name="Two"))
    world.org(record("contact", C1, parents={"account": "A1"}))
    world.org(successions=[merged("A1", "A2", "account")])
    assert world.facts(C1)["company"] == "Two"
    assert stale_after(world, lambda: world.org(record("account", "A2", version=1, Name="Three")))


def test_a_link_that_moves_to_another_record_of_the_person_is_news_of_which_one_is_written(tmp_path):
    world = both(tmp_path, salesforce={"links": {"hubspot": {"contact": "Hub_Id__c"}}})
    world.org(record("contact", C1, Hub_Id__c="1"), record("contact", C2, Hub_Id__c="1"))
    world.hub(record("contact", "1", salesforcecontactid=C1))

    def move():
        world.hub(record("contact", "1", version=1, salesforcecontactid=C2))
        world.identify()

    assert stale_after(world, move)
    world.store.close()
