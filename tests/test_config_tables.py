"""The shipped tables tell mails and titles apart, in English and German."""

import pytest

from config.tables import list_entries, shipped_tables
from scoring.facts import derive

TABLES = shipped_tables({"targets": frozenset({"acme.example"})})


@pytest.mark.parametrize(
    ("title", "seniority", "department"),
    [
        ("CEO", "c_level", "management"),
        ("Founder & CEO", "c_level", "management"),
        ("Chief Financial Officer", "c_level", "finance"),
        ("Managing Director", "c_level", "management"),
        ("Geschäftsführerin", "c_level", "management"),
        ("Geschäftsführender Gesellschafter", "c_level", "management"),
        ("Mitglied des Vorstands", "c_level", "management"),
        ("President", "c_level", "management"),
        ("VP of Sales", "vp", "sales"),
        ("Vice-President Engineering", "vp", "engineering"),
        ("SVP, Marketing", "vp", "marketing"),
        ("Director of Marketing", "director", "marketing"),
        ("Head of IT", "director", "information_technology"),
        ("IT-Leiterin", "director", "information_technology"),
        ("Vertriebsleiter", "director", "sales"),
        ("Leitung Einkauf", "director", "purchasing"),
        ("Director of Student Services", "director", "education"),
        ("Chief of Staff", "director", "management"),
        ("Product Manager", "manager", "product"),
        ("Teamleiter Buchhaltung", "manager", "finance"),
        ("Purchasing Manager", "manager", "purchasing"),
        ("Product Owner", "specialist", "product"),
        ("Senior Software Engineer", "specialist", "engineering"),
        ("Sachbearbeiterin Einkauf", "specialist", "purchasing"),
        ("Assistant to the CEO", "assistant", "management"),
        ("Assistentin der Geschäftsführung", "assistant", "management"),
        ("Vorstandsassistent", "assistant", "management"),
        ("Intern", "student", None),
        ("Marketing Intern", "student", "marketing"),
        ("Werkstudent Vertrieb", "student", "sales"),
        ("PhD Student", "student", "education"),
        ("Studentische Hilfskraft", "student", "education"),
        ("Internal Auditor", None, "finance"),
        ("Leadership Coach", None, None),
        ("", None, None),
    ],
)
def test_a_title_says_seniority_and_department(title, seniority, department):
    facts = derive({"title": title}, TABLES, ())
    assert (facts.get("seniority"), facts.get("department")) == (seniority, department)


@pytest.mark.parametrize(
    ("email", "kind"),
    [
        ("jo@gmail.com", "free"),
        ("jo@web.de", "free"),
        ("jo@mailinator.com", "disposable"),
        ("info@acme.example", "role"),
        ("vertrieb@acme.example", "role"),
        ("jo@acme.example", "business"),
    ],
)
def test_an_address_says_its_kind(email, kind):
    assert derive({"email": email}, TABLES, ())["email_type"] == kind


def test_an_admins_lists_stand_beside_the_shipped_tables():
    assert TABLES.lists == {"targets": frozenset({"acme.example"})}


def test_tables_do_not_contradict_each_other():
    assert not TABLES.free_domains & TABLES.disposable_domains
    assert all("." in domain for domain in TABLES.free_domains | TABLES.disposable_domains)
    assert not any("." in name or "@" in name for name in TABLES.role_names)


def test_no_phrase_of_the_titles_is_out_of_reach():
    """A phrase that a phrase above it always beats is a mistake in the table."""
    for phrases, told in (
        (TABLES.titles.seniority, TABLES.titles.seniority_of),
        (TABLES.titles.department, TABLES.titles.department_of),
    ):
        beaten = [(phrase, meaning) for phrase, meaning in phrases if told(phrase.strip("*")) != meaning]
        assert not beaten


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("", set()),
        ("# only a remark\n\n  \n", set()),
        (" Acme.Example \r\nbeta.example # ours\n", {"acme.example", "beta.example"}),
        ("c# developer\n", {"c# developer"}),
        ("acme.example\nACME.example\n", {"acme.example"}),
    ],
)
def test_a_list_is_one_entry_a_line(text, entries):
    assert list_entries(text) == entries
