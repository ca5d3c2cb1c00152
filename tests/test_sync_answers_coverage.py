"""What the models do not see: each finding appears where it is so, and nowhere else."""

from dataclasses import replace

import pytest

from config.tables import shipped_tables
from sync.answers import coverage as coverage_module
from sync.answers.catalog import everybody
from sync.answers.coverage import coverage
from tests.looking_world import HUBSPOT, MODEL, did, scorings, world
from tests.two_crms import contact_id, lead_id, record

COUNTRIES = ("Norway", "Peru", "Chad")


@pytest.fixture
def town(tmp_path):
    found = world(tmp_path)
    yield found
    found.store.close()


def findings(town, limit=10):
    """Finding -> rows."""
    town.identify()
    of = scorings(town)
    found = coverage(town.store, of, everybody(town.store, of), limit).to_json()
    return {one["key"]: one["rows"] for one in found["findings"]}


def silent(town):
    """(part, id) -> when, of the parts that speak of nobody."""
    return {(row["part"], row["id"]): row["when"] for row in findings(town).get("rules_silent", [])}


def with_country(id_, **values):
    return record("contact", id_, country="Norway", **values)


# activities


def test_an_attribute_with_very_many_values_is_named(town, monkeypatch):
    sent = [did("form_submissions", f"f{n}", "1", form="Demo", page=f"Page {n}") for n in range(4)]
    town.hub(with_country("1"), activities=sent)
    assert "touchpoints_many" not in findings(town)
    monkeypatch.setattr(coverage_module, "MANY_TOUCHPOINTS", 3)
    (row,) = findings(town)["touchpoints_many"]
    assert row == {
        "connection": "hubspot",
        "touchpoints": 4,
        "activity": "form_submitted",
        "attribute": "page",
        "values": 4,
    }


def test_what_no_rule_takes_is_told_by_value_the_most_frequent_first(tmp_path):
    """What only one person did it with is not named."""
    town = world(tmp_path, {**MODEL, "patterns": {}})
    town.hub(
        record("contact", "1"),
        record("contact", "2"),
        activities=[
            did("form_submissions", "a", "1", form="Contact", page="Home"),
            did("form_submissions", "c", "2", form="Contact", page="Home"),
            did("form_submissions", "d", "2", form="Contact", page="My flat"),
            did("form_submissions", "b", "1", form="Demo"),
            *(did("email_events", f"m{number}", "1", mail=f"Mail {number}") for number in range(3)),
        ],
    )

    assert findings(town)["activities_not_scored"] == [
        {"activity": "email_opened", "with": "anything", "times": 3, "people": 1, "latest": "2026-11-19"},
        {"activity": "form_submitted", "with": "Contact · Home", "times": 2, "people": 2, "latest": "2026-11-19"},
        {"activity": "form_submitted", "with": "(of one person)", "times": 1, "people": 1, "latest": "2026-11-19"},
    ]
    town.store.close()


def test_what_another_model_a_pattern_or_the_signs_of_bots_take_is_seen(tmp_path):
    seen = {**MODEL, "model": "seen", "bots": {"after_delivery": "5s"}}
    town = world(tmp_path, {**MODEL, "patterns": {}}, seen, hubspot=delivering())
    town.hub(
        record("contact", "1"),
        activities=[
            did("form_submissions", "a", "1", form="Contact"),
            did("email_events", "b", "1", type="DELIVERED", mail="News"),
        ],
    )

    assert "activities_not_scored" not in findings(town)
    town.store.close()


def delivering():
    delivered = {"from": "email_events", "type": "DELIVERED", "keep": {"mail": "mail"}}
    return {**HUBSPOT, "activities": {"email_delivered": delivered, **HUBSPOT["activities"]}}


# rules


SILENT_CASES = [
    # remark, (days ago, form) of each activity, the silent parts among demo, gone, often
    ("nothing ever happened", [], {"demo": "ever", "gone": "ever", "often": "ever"}),
    ("a form of one rule", [(1, "Demo")], {"gone": "ever", "often": "ever"}),
    ("enough for the pattern, in too long a time", [(1, "A"), (9, "B"), (20, "C")],
     {"demo": "ever", "gone": "ever", "often": "today"}),
    ("enough for the pattern within its window", [(1, "A"), (2, "B"), (3, "C")], {"demo": "ever", "gone": "ever"}),
]  # fmt: skip


@pytest.mark.parametrize(("remark", "forms", "expected"), SILENT_CASES, ids=[case[0] for case in SILENT_CASES])
def test_a_rule_or_pattern_that_speaks_of_nobody_says_whether_it_ever_could(town, remark, forms, expected):
    town.hub(
        with_country("1"),
        activities=[
            did("form_submissions", str(place), "1", days=days, form=form) for place, (days, form) in enumerate(forms)
        ],
    )
    found = silent(town)

    assert {id_: when for (_, id_), when in found.items() if id_ in {"demo", "gone", "often"}} == expected


def test_a_rule_whose_points_are_gone_speaks_of_nobody_today(town):
    town.hub(with_country("1"), activities=[did("lists", "a", "1", days=30, list="Pricing")])

    assert silent(town)["rule", "pricing"] == "today"


def test_adjustments_and_disqualifiers_that_hold_for_nobody_are_told(town):
    town.hub(record("contact", "1", country="Nowhere"))
    found = silent(town)

    assert found["adjust", "private"] == "today"
    assert ("disqualify", "no") not in found


# facts


def test_bands_nobody_falls_into_are_told_with_other(town):
    town.hub(with_country("1"))

    assert [(row["fact"], row["band"]) for row in findings(town)["bands_empty"]] == [
        ("country", "Peru"),
        ("country", "other"),
        ("employees", "1-49"),
        ("employees", "50+"),
    ]


EMPTY_CASES = [
    ("known of all", 4, []),
    ("known of half", 2, []),
    ("known of less than half", 1, [("country", 0.25)]),
    ("known of nobody", 0, [("country", 0.0)]),
]


@pytest.mark.parametrize(("remark", "known", "expected"), EMPTY_CASES, ids=[case[0] for case in EMPTY_CASES])
def test_a_fact_known_of_less_than_half_is_too_empty(town, remark, known, expected):
    town.hub(*[with_country(str(place)) for place in range(known)])
    town.hub(*[record("contact", str(place)) for place in range(known, 4)])
    rows = findings(town).get("facts_empty", [])

    assert [(row["fact"], row["share"]) for row in rows if row["fact"] == "country"] == expected
    assert {row["read by"] for row in rows if row["fact"] == "country"} <= {"Country, From nowhere"}


def test_values_of_another_kind_than_a_variable_or_condition_expects_are_told(tmp_path):
    late = {"late": {"if": {"all": [{"employees": {"at_least": 10}}, {"country": {"past": "3d"}}]}, "label": "L"}}
    town = world(tmp_path, {**MODEL, "disqualify": late})
    town.hub(
        record("company", "77", numberofemployees="many"),
        record("company", "78", numberofemployees=12),
        with_country("1", parents={"company": "77"}),
        record("contact", "2", parents={"company": "78"}),
    )

    assert findings(town)["facts_other_kind"] == [
        {"model": "b2b", "fact": "country", "expected": "date", "found": "text", "people": 1},
        {"model": "b2b", "fact": "employees", "expected": "number", "found": "text", "people": 1},
    ]
    town.store.close()


KIND_CASES = [
    ("a text that is asked for by name", {"country": "Chad"}),
    ("any value will do", {"country": {"missing": False}}),
    ("a date that text may write", {"country": {"in": ["2026-01-31", "Chad"]}}),
    ("part of a text", {"country": {"contains": "way"}}),
]


@pytest.mark.parametrize(("remark", "condition"), KIND_CASES, ids=[case[0] for case in KIND_CASES])
def test_a_condition_that_can_hold_for_a_value_expects_its_kind(tmp_path, remark, condition):
    town = world(tmp_path, {**MODEL, "disqualify": {"x": {"if": condition, "label": "X"}}})
    town.hub(with_country("1"))

    assert "facts_other_kind" not in findings(town)
    town.store.close()


def joined(town, hub, org, kind="contact"):
    """One person with a record in each CRM."""
    town.hub(record("contact", "1", emails="jo@acme.example", **hub))
    id_ = contact_id(1) if kind == "contact" else lead_id(1)
    town.org(record(kind, id_, emails="jo@acme.example", **org))
    return id_


def test_facts_on_which_a_persons_records_differ_are_told_with_the_records(town):
    id_ = joined(town, {"country": "Norway", "jobtitle": "Buyer "}, {"Title": "buyer", "Country": "Peru"}, "lead")

    assert findings(town)["facts_disagreeing"] == [
        {"fact": "country", "people": 1, "records": [["hubspot:contact:1", f"salesforce:lead:{id_}"]]}
    ]


def test_an_unknown_fact_disagrees_with_nothing(town):
    joined(town, {"country": "Norway"}, {"Country": None}, "lead")

    assert "facts_disagreeing" not in findings(town)


def test_at_most_so_many_rows_and_records_are_told(town):
    for number in range(3):
        address = f"{number}@acme.example"
        town.hub(record("contact", str(number), emails=address, jobtitle="A", country="Norway"))
        town.org(record("lead", lead_id(number), emails=address, Title="B", Country="Peru"))
    of = scorings(town)
    town.identify()
    found = coverage(town.store, of, everybody(town.store, of), 1).to_json()["findings"]
    (disagreeing,) = [one for one in found if one["key"] == "facts_disagreeing"]

    assert disagreeing["total"] == 2
    assert [(row["people"], len(row["records"])) for row in disagreeing["rows"]] == [(3, 1)]


def test_values_that_cannot_be_read_are_told_by_field(town):

    town.hub(replace(record("contact", "1"), unreadable=("birthday",)), record("contact", "2"))

    assert findings(town)["values_unreadable"] == [
        {"connection": "hubspot", "object": "contact", "field": "birthday", "count": 1, "records": ["1"]}
    ]


def test_titles_of_several_people_that_tell_no_seniority_are_told_where_a_model_reads_it(tmp_path):
    by_title = {**MODEL, "fit": {"seniority": {"weight": 100, "percent": {"director": 100}}}}
    for model, expected in ((by_title, [{"title": "Beekeeper", "people": 2}]), (MODEL, None)):
        town = world(tmp_path / str(expected is None), model, tables=shipped_tables({}))
        titles = ("Beekeeper", "Beekeeper ", "Head of Sales", "Jo's assistant")
        town.hub(*[record("contact", str(place), jobtitle=title) for place, title in enumerate(titles)])

        assert findings(town).get("titles_without_seniority") == expected
        town.store.close()


# people


def test_people_no_model_scores_are_counted(tmp_path):
    audiences = [
        {**MODEL, "audience": {"country": "Norway"}},
        {**MODEL, "model": "south", "audience": {"country": "Peru"}},
    ]
    town = world(tmp_path, *audiences)
    town.hub(*[record("contact", str(place), country=country) for place, country in enumerate(COUNTRIES)])
    town.org(record("individual", "I1", HasOptedOutProfiling=True))
    town.org(record("lead", lead_id(1), Country="Norway", parents={"individual": "I1"}))

    assert findings(town)["people_not_scored"] == [
        {"why": "outside every audience", "people": 1},
        {"why": "not to be profiled", "people": 1},
    ]
    town.store.close()


def test_a_model_is_asked_only_about_its_audience(tmp_path):
    town = world(tmp_path, {**MODEL, "audience": {"country": "Norway"}})
    town.hub(record("contact", "1", country="Norway"), record("contact", "2", country="Peru"))

    assert ("country", "Peru") in [(row["fact"], row["band"]) for row in findings(town)["bands_empty"]]
    town.store.close()


def test_where_nobody_is_nothing_is_found(town):
    assert findings(town) == {}
