"""Which value is the fact: the first known in a fixed order, and the strictest opt-out."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.facts import PersonRecord, facts_of
from sync.mapping import maps_of
from tests.two_crms import HUBSPOT, SALESFORCE, both, contact_id, converted, lead_id, merged, record, settings_of

L1, C1 = lead_id(1), contact_id(1)


def maps(**more):
    return maps_of(settings_of(Path(), **more))


def hub(number, parents=None, **inputs):
    return PersonRecord(number=number, connection="hubspot", object="contact", inputs=inputs, parents=parents or {})


def lead(number, *, was_converted=False, parents=None, **inputs):
    return PersonRecord(
        number=number,
        connection="salesforce",
        object="lead",
        inputs=inputs,
        parents=parents or {},
        converted=was_converted,
    )


def contact(number, parents=None, **inputs):
    return PersonRecord(number=number, connection="salesforce", object="contact", inputs=inputs, parents=parents or {})


PREFER = {"prefer": {"title": ("salesforce",)}}
ACME = {"account": {"Name": "Acme", "BillingCountry": "Peru"}}

#: records, settings, facts and the records they came from, remark
CASES = [
    ([contact(1, Title="B"), hub(2, jobtitle="A")], {}, {"title": ("A", 2)}, "connections in their order"),
    ([contact(1, Title="B"), hub(2, jobtitle="A")], PREFER, {"title": ("B", 1)}, "the one the fact prefers first"),
    ([contact(1), hub(2, jobtitle="A")], PREFER, {"title": ("A", 2)}, "the next where the preferred knows nothing"),
    ([lead(1, Title="L"), contact(2, Title="C")], {}, {"title": ("C", 2)}, "contact before lead"),
    ([contact(2, Title="B"), contact(1, Title="A")], {}, {"title": ("A", 1)}, "the lowest record number"),
    (
        [lead(1, was_converted=True, Title="L"), contact(2), hub(3, jobtitle="A")],
        {},
        {"title": ("A", 3)},
        "what a converted lead held counts after all others",
    ),
    ([lead(1, was_converted=True, Title="L"), contact(2)], {}, {"title": ("L", 1)}, "and still counts"),
    (
        [lead(1, Title="L", Country="Chile"), contact(2, ACME)],
        {},
        {"title": ("L", 1), "country": ("Peru", 2), "company": ("Acme", 2)},
        "each fact by itself; a parent's value is its record's",
    ),
    (
        [hub(1, {"company": {"country": "Peru"}}, country="Chile")],
        {},
        {"country": ("Chile", 1)},
        "one record: columns in the order written",
    ),
    ([hub(1, {"company": {"country": "Peru"}})], {}, {"country": ("Peru", 1)}, "the next column where one is empty"),
    (
        [hub(1, hs_email_optout=False), contact(2, HasOptedOutOfEmail=True)],
        {},
        {"opted_out": (True, 2)},
        "one who opted out anywhere did",
    ),
    (
        [hub(1, hs_email_optout=False), lead(2, was_converted=True, HasOptedOutOfEmail=True)],
        {},
        {"opted_out": (True, 2)},
        "a converted lead's opt-out holds",
    ),
    ([hub(1, hs_email_optout=False), contact(2)], {}, {"opted_out": (False, 1)}, "known not to have, else"),
    ([hub(1), contact(2)], {}, {}, "unknown everywhere is unknown"),
    (
        [contact(1, {"individual": {"HasOptedOutProfiling": True}}), lead(2)],
        {},
        {"do_not_profile": (True, 1)},
        "the individual's word",
    ),
    ([hub(1, hs_lead_status="OPEN")], {}, {}, "sales' word is an event, no fact"),
]


@pytest.mark.parametrize(("records", "more", "expected", "remark"), CASES, ids=[case[3] for case in CASES])
def test_the_fact_is_the_first_known(records, more, expected, remark):
    facts = facts_of(maps(**more), records, "UTC")
    assert {name: (value, facts.sources[name]) for name, value in facts.values.items()} == expected, remark


def test_a_frozen_leads_value_counts_last_even_of_the_preferred_connection():
    records = [lead(1, was_converted=True, Title="L"), contact(2), hub(3, jobtitle="A")]
    assert facts_of(maps(**PREFER), records, "UTC").values == {"title": "A"}


@settings(max_examples=60)
@given(
    order=st.permutations(
        [
            hub(1, jobtitle="A", hs_email_optout=False),
            lead(2, Title="L", Country="Peru", HasOptedOutOfEmail=True),
            contact(3, ACME, Title="C"),
            lead(4, was_converted=True, Title="Old", Company="Oldco"),
        ]
    )
)
def test_the_order_in_which_records_became_known_does_not_matter(order):
    facts = facts_of(maps(), order, "UTC")
    assert facts.values == {"title": "A", "country": "Peru", "company": "Acme", "opted_out": True}
    assert facts.sources == {"title": 1, "country": 3, "company": 3, "opted_out": 2}


def test_values_are_translated_and_those_the_map_does_not_name_are_unknown():
    translated = {"facts": HUBSPOT["facts"] | {"country": {"contact": "country", "values": {"de": "Germany"}}}}
    known = [contact(2, ACME)]
    assert facts_of(maps(hubspot=translated), [hub(1, country="DE"), *known], "UTC").values["country"] == "Germany"
    assert facts_of(maps(hubspot=translated), [hub(1, country="XX"), *known], "UTC").values["country"] == "Peru"


def test_an_instant_is_the_date_in_the_zone_and_a_date_stays():
    dated = {"facts": {"need_date": "Need__c"}}
    late = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
    found = facts_of(maps(salesforce=dated), [contact(1, Need__c=late)], "Europe/Berlin")
    assert found.values == {"need_date": date(2026, 11, 21)}
    found = facts_of(maps(salesforce=dated), [contact(1, Need__c=date(2026, 11, 20))], "Europe/Berlin")
    assert found.values == {"need_date": date(2026, 11, 20)}


def test_an_optional_fact_that_is_not_there_is_unknown():
    optional = {"facts": SALESFORCE["facts"] | {"budget": {"lead": "Budget__c", "optional": True}}}
    map_ = maps(salesforce=optional)[1]
    assert map_.optional["lead"] == {"Budget__c"}
    assert "budget" not in facts_of([map_], [lead(1)], "UTC").values
    assert facts_of([map_], [lead(1, Budget__c=5)], "UTC").values["budget"] == 5


@pytest.fixture
def world(tmp_path):
    opened = both(tmp_path)
    yield opened
    opened.store.close()


@pytest.mark.parametrize("account_first", [True, False])
def test_the_account_that_stands_for_theirs_gives_its_facts(world, account_first):
    steps = [
        lambda: world.org(record("account", "A1", Name="One"), record("account", "A3", Name="Three")),
        lambda: world.org(record("contact", C1, parents={"account": "A1"})),
        lambda: world.org(successions=[merged("A1", "A2", "account")]),
        lambda: world.org(successions=[merged("A2", "A3", "account")]),
    ]
    for step in steps if account_first else reversed(steps):
        step()
    world.identify()
    assert world.facts(C1)["company"] == "Three"


def test_a_merge_of_contacts_says_nothing_of_companies_with_those_numbers(world):
    world.hub(record("company", "7", name="Seven"), record("company", "9", name="Nine"))
    world.hub(record("contact", "3", parents={"company": "7"}), record("contact", "9", aliases=("7",)))
    world.identify()
    assert world.facts("3")["company"] == "Seven"


def test_facts_of_a_whole_person_come_from_both_crms(world):
    world.hub(record("contact", "1", jobtitle="Buyer", salesforceleadid=L1))
    world.org(record("account", "A1", Name="Acme", BillingCountry="Peru"))
    world.org(record("lead", L1, Title="Chief", Company="acme (old)"), successions=[converted(L1, C1)])
    world.org(record("contact", C1, parents={"account": "A1"}, HasOptedOutOfEmail=True))
    world.identify()
    assert world.facts("1") == {"title": "Buyer", "company": "Acme", "country": "Peru", "opted_out": True}
