"""Facts derived from facts."""

import pytest

from scoring.facts import DERIVED, derive, email_domain, email_type, looks_random
from scoring.tables import Tables, TitleTable

TABLES = Tables(
    free_domains=frozenset({"gmail.com"}),
    disposable_domains=frozenset({"mailinator.com"}),
    role_names=frozenset({"info"}),
    titles=TitleTable(seniority=(("head", "director"),), department=(("sales", "sales"),)),
)


@pytest.mark.parametrize(
    ("email", "kind", "domain"),
    [
        ("jo@acme.example", "business", "acme.example"),
        (" JO@ACME.Example ", "business", "acme.example"),
        ("jo@gmail.com", "free", "gmail.com"),
        ("info@gmail.com", "free", "gmail.com"),  # free says more than role
        ("jo@mail.gmail.com", "free", "mail.gmail.com"),  # a domain above it is free
        ("jo@notgmail.com", "business", "notgmail.com"),
        ("a@x.mailinator.com", "disposable", "x.mailinator.com"),
        ("info@acme.example", "role", "acme.example"),
        ("Info+fair@acme.example", "role", "acme.example"),  # what follows the plus is left out
        ("information@acme.example", "business", "acme.example"),
        ("jo@müller.example", "business", "müller.example"),
        ("jo@acme", "malformed", None),
        ("jo@acme.e", "malformed", None),
        ("jo@@acme.example", "malformed", None),
        ("jo smith@acme.example", "malformed", None),
        ("jo@acme..example", "malformed", None),
        ("jo@acme.example.", "malformed", None),
        ("acme.example", "malformed", None),
        ("jo@a.example, sam@a.example", "malformed", None),
    ],
)
def test_an_address_has_a_kind_and_a_domain(email, kind, domain):
    assert (email_type(email, TABLES), email_domain(email)) == (kind, domain)


@pytest.mark.parametrize(
    ("text", "random"),
    [
        ("Xkcdfgh", True),  # six letters and no vowel
        ("Krk", False),  # short
        ("Schwartz", False),
        ("Angstschweiß", False),
        ("Szczypczyk", False),  # y is a vowel
        ("Ångström", False),  # marks aside
        ("Aaaaanna", True),  # one letter four times running
        ("Asdf Jklö", True),  # a row of the keyboard
        ("qwertz", True),
        ("Win now www.prize.example", True),
        ("http://prize.example", True),
        ("王小明", False),  # other scripts show no sign
        ("Дмитрий", False),
        ("BMW GMBH", False),
        ("", False),
    ],
)
def test_a_spam_look_has_few_certain_signs(text, random):
    assert looks_random(text) is random


def test_everything_is_derived_for_a_full_record():
    facts = {"email": "jo@gmail.com", "title": "Head of Sales", "company": "Qwerty", "employees": 5}
    assert derive(facts, TABLES, ["title", "phone", "country"]) == facts | {
        "seniority": "director",
        "department": "sales",
        "email_domain": "gmail.com",
        "email_type": "free",
        "looks_like_spam": True,
        "missing": "country, phone",
    }


def test_what_cannot_be_told_is_left_out():
    assert derive({}, TABLES, []) == {"looks_like_spam": False}
    assert derive({"email": "nonsense", "title": "Wizard"}, TABLES, []).keys() == {
        "email", "title", "email_type", "looks_like_spam"
    }  # fmt: skip


def test_a_mapped_fact_wins_over_a_derived_one():
    facts = {"email": "jo@gmail.com", "email_type": "business", "looks_like_spam": True, "missing": "nothing"}
    derived = derive(facts, TABLES, ["phone"])
    assert {name: derived[name] for name in facts} == facts


def test_a_blank_mapped_fact_is_unknown_and_does_not_hide_the_derived_one():
    derived = derive({"email": "jo@gmail.com", "email_type": " "}, TABLES, [])
    assert derived["email_type"] == "free"


def test_missing_names_the_unknown_facts_that_the_model_names():
    assert derive({"company": " "}, TABLES, ["missing", "company", "seniority"])["missing"] == "company, seniority"
    assert "missing" not in derive({"company": "Acme"}, TABLES, ["company"])


def test_a_value_that_is_no_text_derives_nothing():
    assert derive({"email": 5, "title": True}, TABLES, []) == {"email": 5, "title": True, "looks_like_spam": False}


def test_the_derived_names_are_those_that_derive_adds():
    assert (
        derive({"email": "a@b.example", "title": "Head of Sales"}, TABLES, ["x"]).keys() - {"email", "title"} == DERIVED
    )
