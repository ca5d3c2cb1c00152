"""What there is, how often, and what takes it; nothing personal, nothing that is free text."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, event, insert, select

from sync.answers.catalog import catalog, everybody
from sync.answers.tallies import tallies
from sync.beginnings import FIRST_COMPLETE
from sync.store import tables, timelines
from sync.store.store import open_store, set_meta
from sync.store.values import at
from tests.looking_world import MODEL, did, scorings, world
from tests.two_crms import contact_id, lead_id, record


@pytest.fixture
def town(tmp_path):
    found = world(tmp_path)
    yield found
    found.store.close()


def looked(town):
    """The catalog as JSON."""
    town.identify()
    of = scorings(town)
    return catalog(town.store, of, everybody(town.store, of)).to_json()


def kinds(town):
    return {one["kind"]: one for one in looked(town)["kinds"]}


def facts(town):
    return {one["fact"]: one for one in looked(town)["facts"]}


def tally(one):
    return one["tally"]["activities"], one["tally"]["people"], str(one["tally"]["latest"])


# activities


def test_kinds_and_values_have_counts_people_and_the_latest_day(town):
    town.hub(
        record("contact", "1"),
        record("contact", "2"),
        activities=[
            did("form_submissions", "a", "1", days=5, form="Demo"),
            did("form_submissions", "b", "1", days=2, form="Demo"),
            did("form_submissions", "c", "2", days=9, form="Demo"),
            did("form_submissions", "d", "2", days=1, form="Contact"),
            did("lists", "e", "1", list="Pricing"),
        ],
    )
    found = kinds(town)

    assert list(found) == ["form_submitted", "list_joined"]  # the most frequent first
    assert tally(found["form_submitted"]) == (4, 2, "2026-11-19")
    demo, contact = found["form_submitted"]["values"]["form"]
    assert (demo["id"], demo["label"], tally(demo)) == ("demo", "Demo", (3, 2, "2026-11-18"))
    assert tally(contact) == (1, 1, "2026-11-19")


def test_a_value_counts_people_once_whatever_else_the_activity_is_with(town):
    town.hub(
        record("contact", "1"),
        activities=[
            did("form_submissions", "a", "1", form="Demo", page="Home"),
            did("form_submissions", "b", "1", form="Demo", page="Prices"),
        ],
    )
    values = kinds(town)["form_submitted"]["values"]

    assert [tally(one)[:2] for one in values["form"]] == [(2, 1)]
    assert [tally(one)[:2] for one in values["page"]] == [(1, 1), (1, 1)]


def test_a_value_of_one_person_is_named_only_where_a_rule_asks_for_it(tmp_path):
    rules = {
        "demo": {"activity": "form_submitted", "where": {"form": "Demo"}, "points": 9, "label": "Demo"},
        "any": {"activity": "form_submitted", "where": {"not": {"page": "Jobs"}}, "points": 1, "label": "A form"},
    }
    town = world(tmp_path, {**MODEL, "engagement": {"web": {"label": "Web", "rules": rules}}, "patterns": {}})
    town.hub(
        *[record("contact", id_) for id_ in "12"],
        activities=[
            did("form_submissions", "a", "1", form="Demo", page="Home"),
            did("form_submissions", "b", "2", form="Talk to Jo", page="Home"),
            did("form_submissions", "c", "2", form="Talk to Jo", page="My flat"),
        ],
    )
    values = kinds(town)["form_submitted"]["values"]

    assert [(one["id"], one["label"], tally(one)[:2]) for one in values["form"]] == [
        ("", "", (2, 1)),
        ("demo", "Demo", (1, 1)),
    ]
    assert [(one["label"], tally(one)[:2]) for one in values["page"]] == [("Home", (2, 2)), ("", (1, 1))]
    assert values["form"][0]["takers"] == {"b2b": ["any"]}
    town.store.close()


def test_what_takes_a_value_is_told_by_model(tmp_path):
    other = {**MODEL, "model": "small", "patterns": {}}
    town = world(tmp_path, MODEL, other)
    town.hub(
        record("contact", "1"),
        activities=[
            did("form_submissions", "a", "1", form="Demo"),
            did("form_submissions", "b", "1", form="Contact"),
            did("email_events", "c", "1", mail="News"),
        ],
    )
    found = kinds(town)
    demo, contact = found["form_submitted"]["values"]["form"]

    assert demo["takers"] == {"b2b": ["demo", "often"], "small": ["demo"]}
    assert contact["takers"] == {"b2b": ["often"]}  # a pattern of any form
    assert found["email_opened"]["takers"] == {}
    town.store.close()


def test_a_pattern_that_asks_for_none_is_named_where_nothing_else_takes_it(tmp_path):
    lines = [{"at_least": 1, "activity": "list_joined"}, {"at_most": 0, "activity": "form_submitted"}]
    town = world(tmp_path, {**MODEL, "patterns": {"shy": {"all": lines, "points": 5, "label": "Shy"}}})
    town.hub(
        record("contact", "1"),
        record("contact", "2"),
        activities=[
            did("form_submissions", "a", "1", form="Demo"),
            did("form_submissions", "b", "1", form="Contact"),
            did("form_submissions", "d", "2", form="Contact"),
            did("lists", "c", "1", list="Pricing"),
        ],
    )
    found = kinds(town)

    assert {one["id"]: one["takers"] for one in found["form_submitted"]["values"]["form"]} == {
        "demo": {"b2b": ["demo"]},
        "contact": {"b2b": ["shy"]},
    }
    assert found["list_joined"]["takers"] == {"b2b": ["pricing", "shy"]}
    town.store.close()


def test_what_several_records_of_a_person_hold_together_counts_once(town):
    town.hub(record("contact", "1", emails="jo@acme.example"))
    town.org(record("contact", contact_id(1), emails="jo@acme.example"))
    town.hub(activities=[did("form_submissions", "a", "1", form="Demo")])
    of, other = town.row("1").number, town.row(contact_id(1)).number
    with town.store.begin() as tx:  # a merge left the same activity on both
        held = select(tables.timeline.c.activities).where(tables.timeline.c.record == of)
        tx.execute(insert(tables.timeline).values(record=other, activities=tx.execute(held).scalar_one()))

    assert tally(kinds(town)["form_submitted"])[:2] == (1, 1)


def test_activities_of_connections_that_are_still_read_are_left_out(town):
    town.hub(record("contact", "1"), activities=[did("form_submissions", "a", "1", form="Demo")])
    with town.store.begin() as tx:
        tx.execute(delete(tables.meta).where(tables.meta.c.name == FIRST_COMPLETE + "hubspot"))

    assert kinds(town) == {}
    assert facts(town) == {}


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    opened = open_store(str(tmp_path_factory.mktemp("store")))
    yield opened
    opened.close()


@settings(max_examples=30)
@given(
    people=st.lists(st.lists(st.tuples(st.integers(0, 10**15), st.integers(1, 9)), max_size=6), min_size=1, max_size=6),
    grouping=st.dictionaries(st.integers(1, 7), st.sampled_from("abc")),
    size=st.sampled_from([1, 3, 1000]),
)
def test_tallies_are_what_counting_one_by_one_gives(empty, people, grouping, size):
    expected = [
        (person, grouping[of], instant) for person, mine in enumerate(people) for instant, of in mine if of in grouping
    ]
    with empty.begin() as tx:
        tx.execute(delete(tables.timeline))
        tx.execute(delete(tables.record))
        for number, mine in enumerate(people, start=1):
            row = {"connection": "hubspot", "object": "contact", "crm_id": str(number), "inputs": "{}", "stamp_at": 0}
            tx.execute(insert(tables.record).values(**row, number=number, person=number, state="live"))
            packed = timelines.pack((instant, of, id_) for id_, (instant, of) in enumerate(mine))
            tx.execute(insert(tables.timeline).values(record=number, activities=packed.tobytes()))
    (found,) = tallies(empty, [grouping], ["hubspot"], "UTC", chunk=size)

    assert {name: one.activities for name, one in found.items()} == Counter(name for _, name, _ in expected)

    assert {name: one.people for name, one in found.items()} == Counter(
        name for _, name in {(person, name) for person, name, _ in expected}
    )
    for name, one in found.items():
        assert one.latest == max(at(instant).date() for _, of, instant in expected if of == name)
    assert [one.activities for one in found.values()] == sorted(
        (one.activities for one in found.values()), reverse=True
    )


def test_others_write_to_the_store_between_chunks_of_people(town, tmp_path):
    town.hub(
        *[record("contact", str(number)) for number in range(1, 6)],
        activities=[did("form_submissions", str(number), str(number), form="Demo") for number in range(1, 6)],
    )
    town.identify()
    other = open_store(str(tmp_path / "store"), patience_ms=0)
    written = []

    def write(_):
        with other.begin() as tx:
            set_meta(tx, "turn", str(len(written)))
        written.append(len(written))

    event.listen(town.store.engine, "engine_connect", write)
    (found,) = tallies(town.store, [{1: "demo"}], ["hubspot"], "UTC", chunk=2)
    other.close()

    assert found["demo"].people == 5
    assert len(written) == 1 + 3  # who there is, then two people a time


# facts


def test_a_fact_has_its_commonest_values_and_the_bands_that_take_them(town):
    countries = ["Norway", "norway ", "Peru", "Chad"]
    town.hub(*[record("contact", str(place), country=country) for place, country in enumerate(countries)])
    town.hub(record("contact", "9", country="Chad"))
    country = facts(town)["country"]

    assert (country["known"], country["distinct"], country["models"]) == (5, 3, ["b2b"])
    assert [(one["value"], one["people"], one["bands"]["b2b"]) for one in country["values"]] == [
        ("Norway", 2, {"band": "Norway", "percent": 100}),
        ("Chad", 2, {"band": "other", "percent": 10}),
        ("Peru", 1, {"band": "Peru", "percent": 50}),
    ]
    assert country["bands"] == {"b2b": {"Norway": 2, "other": 2, "Peru": 1}}


HIDDEN_CASES = [
    # remark, fact, field, its values
    ("an address", "email", "email", ["jo@acme.example"] * 30),
    ("a fact that holds addresses under another name", "notes", "notes", ["ask kim@acme.example", "x", "x"]),
    ("free text", "notes", "notes", [f"met at stand {number}" for number in range(30)]),
    ("a text of one person", "notes", "notes", ["is the uncle of the chair"]),
]


@pytest.mark.parametrize(("remark", "fact", "field", "values"), HIDDEN_CASES, ids=[case[0] for case in HIDDEN_CASES])
def test_values_that_may_tell_who_it_is_are_only_counted(town, remark, fact, field, values):
    town.hub(*[record("contact", str(place), **{field: value}) for place, value in enumerate(values)])
    found = facts(town)[fact]

    assert found["known"] == len(values)
    assert found["values"] == []


def test_how_many_values_there_are_is_told_of_free_text_and_not_of_what_is_personal(town):
    town.hub(*[record("contact", str(place), notes=f"n{place}", email=f"{place}@a.example") for place in range(30)])
    found = facts(town)

    assert (found["notes"]["distinct"], found["email"]["distinct"]) == (30, None)


def test_who_is_not_to_be_profiled_does_not_count(town):
    town.hub(record("contact", "1", country="Peru"))
    town.org(record("lead", lead_id(1), Country="Peru", parents={"individual": "I1"}))
    town.org(record("individual", "I1", HasOptedOutProfiling=True))

    assert facts(town)["country"]["known"] == 1


def test_a_fact_counts_as_read_by_who_reads_what_follows_from_it(town):
    town.hub(record("contact", "1", email="jo@acme.example", jobtitle="Buyer"))
    found = facts(town)

    assert found["email"]["models"] == ["b2b"]  # by its type
    assert found["title"]["models"] == []
