"""Pages into the store: any order and any repetition of the same news gives the same people."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from config.hubspot import HubSpotConnection
from connectors.base import Activity, Attribute, Deletion, Page, Record
from sync.identity import identify_some
from sync.mapping import map_of
from sync.people import gather, touchpoints
from sync.pull import Reader
from sync.store import tables
from sync.store.store import open_store

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
OLD = datetime(2026, 10, 1, tzinfo=UTC)
CONNECTION = HubSpotConnection.model_validate(
    {
        "name": "hubspot",
        "crm": "hubspot",
        "portal": {"id": "1", "production": False},
        "login": {"service_key": "env:HS_TOKEN"},
        "facts": {
            "email": "email",
            "company": {"company": "name", "contact": "company"},
            "opted_out": "hs_email_optout",
            "wanted_on": "wanted_on",
            "hand_off": {"contact": "hs_lead_status", "values": {"BAD_TIMING": "recycled", "OPEN": "accepted"}},
        },
        "activities": {
            "form_submitted": {"from": "form_submissions", "forms": ["demo"], "keep": {"form": "form"}},
            "call_logged": {"from": "calls"},
        },
        "write": {"fields": {"b2b": {"outputs": ["score"]}}},
    }
)
MAP = map_of(CONNECTION)


def reader(folder):
    return Reader(store=open_store(str(folder)), map=MAP, now=lambda: NOW, retention=timedelta(days=760))


def page(*, records=(), activities=(), deletions=(), at=NOW):
    return Page(
        stream="contacts",
        next_cursor={},
        requested_at=at,
        records=records,
        activities=activities,
        deletions=deletions,
    )


def contact(id_, *, version=0, aliases=(), emails=(), parents=None, **values):
    return Record(
        object="contact",
        id=id_,
        values=values,
        stamp_at=OLD + timedelta(hours=version),
        created_at=OLD,
        aliases=aliases,
        emails=emails,
        parents=parents or {},
    )


def form(id_, *, email="", records=(), days=1, name="demo", label="Demo request"):
    return Activity(
        source="form_submissions",
        id=id_,
        at=NOW - timedelta(days=days),
        email=email,
        records=records,
        attributes={"form": Attribute(id=name, label=label)},
    )


def people(one):
    """Everybody with a live record, by the ids of those records: facts, sales' word, days and kinds of activities."""
    identify(one)
    with one.store.begin() as tx:
        numbers = sorted(
            set(tx.execute(select(tables.record.c.person).where(tables.record.c.object == "contact")).scalars())
        )
        kinds = {point.number: (point.kind, point.attributes) for point in touchpoints(tx)}
        return {
            tuple(row.crm_id for row in person.records): (
                dict(person.facts.values),
                person.sales and person.sales.word,
                [(int(row["at"]), kinds[int(row["touchpoint"])]) for row in person.activities],
            )
            for person in gather(tx, numbers, [MAP], "UTC")
            if person.records
        }


def stale(one):
    with one.store.begin() as tx:
        return set(tx.execute(select(tables.person.c.number).where(tables.person.c.stale)).scalars())


def identify(one):
    with one.store.begin() as tx:
        while identify_some(tx):
            pass


def settle(one):
    identify(one)
    with one.store.begin() as tx:
        tx.execute(tables.person.update().values(stale=False))


NEWS = [
    page(records=[contact("1", version=1, emails=("jo@acme.example",), email="jo@acme.example", company="Acme")]),
    page(records=[contact("1", version=2, emails=("jo@acme.example",), email="jo@acme.example", company="Acme Ltd")]),
    page(records=[contact("2", version=1, emails=("jo@home.example",), email="jo@home.example")]),
    page(
        records=[
            contact(
                "9",
                version=3,
                aliases=("1", "2"),
                emails=("jo@acme.example", "jo@home.example"),
                email="jo@acme.example",
            )
        ]
    ),
    page(
        records=[contact("3", version=1, emails=("al@acme.example",), parents={"company": "7"}, hs_lead_status="OPEN")]
    ),
    page(records=[Record(object="company", id="7", values={"name": "Acme"}, stamp_at=OLD)]),
    page(activities=[form("a", email="jo@acme.example"), form("b", email="jo@home.example", days=3)]),
    page(activities=[form("c", records=("1",), days=5), form("d", records=("9",), days=6)]),
    page(activities=[form("e", email="al@acme.example", days=2)]),
]


@pytest.fixture(scope="module")
def in_order(tmp_path_factory):
    one = reader(tmp_path_factory.mktemp("order"))
    for each in NEWS:
        one.apply(each)
    return people(one)


def test_the_news_in_order_make_two_people(in_order):
    assert set(in_order) == {("3",), ("9",)}
    facts, word, activities = in_order["9",]
    assert (facts["email"], word, len(activities)) == ("jo@acme.example", None, 4)
    facts, word, activities = in_order["3",]
    assert (facts["company"], word, len(activities)) == ("Acme", "accepted", 1)


@pytest.fixture(scope="module")
def shuffled(tmp_path_factory):
    return reader(tmp_path_factory.mktemp("shuffled"))


@settings(max_examples=60)
@given(order=st.permutations(range(len(NEWS))), again=st.lists(st.integers(0, len(NEWS) - 1), max_size=4))
def test_any_order_and_repetition_of_pages_gives_the_same_people(shuffled, in_order, order, again):
    one = shuffled
    with one.store.begin() as tx:
        for table in reversed(tables.metadata.sorted_tables):
            tx.execute(table.delete())
    for index in [*order, *again]:
        one.apply(NEWS[index])
    assert people(one) == in_order


def test_a_page_seen_again_marks_nobody(tmp_path):
    one = reader(tmp_path)
    for each in NEWS:
        one.apply(each)
    settle(one)
    for each in NEWS:
        one.apply(each)
    assert not stale(one)


CHANGES = [
    (page(records=[contact("3", version=9, company="Beta", parents={"company": "7"})]), True, "an input changed"),
    (
        page(records=[contact("3", version=9, hs_lead_status="BAD_TIMING", parents={"company": "7"})]),
        True,
        "sales' word",
    ),
    (page(records=[contact("3", version=9, hs_lead_status="OPEN", parents={"company": "8"})]), True, "another company"),
    (page(records=[contact("3", version=9, hs_lead_status="OPEN", parents={"company": "7"})]), False, "only the stamp"),
    (
        page(records=[contact("3", version=9, hs_lead_status="OPEN", parents={"company": "7"}, leadmark_score=55)]),
        False,
        "our own field",
    ),
    (page(records=[contact("3", version=-1, company="Older")]), False, "news older than what is known"),
    (
        page(records=[Record(object="company", id="7", values={"name": "Zeta"}, stamp_at=NOW)]),
        True,
        "the company's name",
    ),
    (
        page(records=[Record(object="company", id="5", values={"name": "Zeta"}, stamp_at=NOW)]),
        False,
        "another company's",
    ),
    (page(activities=[form("f", records=("3",))]), True, "a new activity"),
    (page(activities=[form("e", email="al@acme.example", days=2)]), False, "a known activity"),
    (page(activities=[form("e", email="al@acme.example", days=4)]), True, "a known activity on another day"),
    (page(activities=[form("f", records=("3",), name="survey")]), False, "a form that no kind takes"),
    (page(activities=[form("f", records=("3",), days=800)]), False, "older than retention"),
    (page(deletions=[Deletion(object="contact", id="3")]), True, "deleted"),
]


@pytest.mark.parametrize(("news", "marks", "remark"), CHANGES)
def test_what_marks_a_person_for_scoring(tmp_path, news, marks, remark):
    one = reader(tmp_path)
    for each in NEWS:
        one.apply(each)
    with one.store.begin() as tx:
        number = tx.execute(select(tables.record.c.person).where(tables.record.c.crm_id == "3")).scalar_one()
    settle(one)
    one.apply(news)
    assert stale(one) == ({number} if marks else set()), remark


def test_what_a_merged_record_did_before_it_was_ever_seen_reaches_the_one_that_stands_for_it(tmp_path):
    one = reader(tmp_path)
    one.apply(page(activities=[form("a", records=("4",))]))
    one.apply(page(records=[contact("9", aliases=("4",))]))
    assert [len(activities) for _, _, activities in people(one).values()] == [1]


def test_a_renamed_form_keeps_its_touchpoint_and_takes_the_new_name(tmp_path):
    one = reader(tmp_path)
    one.apply(page(records=[contact("3")], activities=[form("a", records=("3",))]))
    one.apply(page(activities=[form("b", records=("3",), label="Ask for a demo")]))
    with one.store.begin() as tx:
        (point,) = touchpoints(tx)
    assert point.attributes == {"form": ("demo", "Ask for a demo")}


def test_a_deleted_contact_is_nobody_until_a_newer_version_restores_it(tmp_path):
    one = reader(tmp_path)
    one.apply(page(records=[contact("3", version=1)], activities=[form("a", records=("3",))]))
    one.apply(page(deletions=[Deletion(object="contact", id="3")]))
    one.apply(page(records=[contact("3", version=1)]))  # the index still shows it
    assert people(one) == {}
    one.apply(page(records=[contact("3", version=2)]))
    assert [len(activities) for _, _, activities in people(one).values()] == [1]


def test_sales_word_is_dated_when_first_seen_and_withdrawn_with_the_value(tmp_path):
    one = reader(tmp_path)
    said = NOW - timedelta(days=3)
    one.apply(page(records=[contact("3", version=1, hs_lead_status="BAD_TIMING")], at=said))
    one.apply(page(records=[contact("3", version=2, hs_lead_status="BAD_TIMING", company="X")]))
    with one.store.begin() as tx:
        row = tx.execute(select(tables.record.c.word, tables.record.c.word_at)).one()
    assert tuple(row) == ("recycled", int(said.timestamp() * 1_000_000))
    one.apply(page(records=[contact("3", version=3, hs_lead_status="NEW")]))
    assert [word for _, word, _ in people(one).values()] == [None]


def test_an_unreadable_value_is_unknown_and_the_rest_is_kept(tmp_path):
    one = reader(tmp_path)
    read = Record(
        object="contact",
        id="3",
        values={"company": "Acme", "wanted_on": None},
        stamp_at=OLD,
        unreadable=("wanted_on",),
    )
    one.apply(page(records=[read]))
    assert [facts for facts, _, _ in people(one).values()] == [{"company": "Acme"}]


def test_an_instant_becomes_the_date_in_the_installations_zone(tmp_path):
    one = reader(tmp_path)
    one.apply(page(records=[contact("3", wanted_on=datetime(2026, 11, 20, 23, 30, tzinfo=UTC))]))
    with one.store.begin() as tx:
        (person,) = gather(tx, [1], [MAP], "Europe/Berlin")
    assert person.facts.values["wanted_on"] == date(2026, 11, 21)
