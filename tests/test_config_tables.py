"""The shipped tables tell mails and titles apart, in English and German."""

import shutil
from pathlib import Path

import pytest

from config.loader import load
from config.tables import list_entries, shipped_tables
from config.titles import TitlesFile
from scoring.facts import derive

TABLES = shipped_tables({"targets": frozenset({"acme.example"})})


TITLES = [
    # c-level, founders, owners
    ("CEO", "c_level", "management"),
    ("C.E.O.", "c_level", "management"),
    ("Founder & CEO", "c_level", "management"),
    ("Co-Founder", "c_level", "management"),
    ("Owner", "c_level", "management"),
    ("Chief Financial Officer", "c_level", "finance"),
    ("Chief Marketing Officer (CMO)", "c_level", "marketing"),
    ("CTO", "c_level", "information_technology"),
    ("CRO", "c_level", "sales"),
    ("General Counsel", "c_level", "legal"),
    ("Managing Director", "c_level", "management"),
    ("Managing Partner", "c_level", "management"),
    ("General Manager", "c_level", "management"),
    ("President", "c_level", "management"),
    ("Member of the Board of Directors", "c_level", "management"),
    ("Chairwoman", "c_level", "management"),
    ("Geschäftsführer", "c_level", "management"),
    ("Geschäftsführerin", "c_level", "management"),
    ("Geschäftsführer/in", "c_level", "management"),
    ("Geschaeftsfuehrer", "c_level", "management"),
    ("GESCHÄFTSFÜHRER:IN", "c_level", "management"),
    ("GF", "c_level", "management"),
    ("GF Vertrieb", "c_level", "sales"),
    ("Dipl.-Ing. (FH), Geschäftsführer", "c_level", "engineering"),
    ("Kaufmännischer Geschäftsführer", "c_level", "finance"),
    ("Geschäftsführender Gesellschafter", "c_level", "management"),
    ("Mitglied der Geschäftsleitung", "c_level", "management"),
    ("Mitglied des Vorstands", "c_level", "management"),
    ("Vorständin Finanzen", "c_level", "finance"),
    ("Finanzvorstand", "c_level", "finance"),
    ("Inhaberin", "c_level", "management"),
    ("Firmeninhaberin", "c_level", "management"),
    ("Gründer & Inhaber", "c_level", "management"),
    ("Vorsitzende des Aufsichtsrats", "c_level", "management"),
    ("Secretary General", "c_level", None),
    # VP: above president
    ("VP of Sales", "vp", "sales"),
    ("V.P. Engineering", "vp", "engineering"),
    ("Vice-President Engineering", "vp", "engineering"),
    ("SVP, Marketing", "vp", "marketing"),
    ("EVP Operations", "vp", "operations"),
    ("Assistant Vice President", "vp", "management"),
    # heads and directors
    ("Head of Sales", "director", "sales"),
    ("Head of IT", "director", "information_technology"),
    ("Head of People & Culture", "director", "human_resources"),
    ("Head of Legal", "director", "legal"),
    ("Head of R&D", "director", "research"),
    ("Director of Marketing", "director", "marketing"),
    ("Dir. Procurement", "director", "purchasing"),
    ("Director of Student Services", "director", "education"),
    ("Assistant Director Finance", "director", "finance"),
    ("Chief of Staff", "director", "management"),
    ("Country Manager DACH", "director", "management"),
    ("IT-Leiterin", "director", "information_technology"),
    ("Vertriebsleiter", "director", "sales"),
    ("Vertriebsleiter:in", "director", "sales"),
    ("Vertriebsleiter*in", "director", "sales"),
    ("Vertriebsleiter/-in", "director", "sales"),
    ("Vertriebsleiter(in)", "director", "sales"),
    ("VertriebsleiterIn", "director", "sales"),
    ("Marketingleiterin", "director", "marketing"),
    ("Einkaufsleiter", "director", "purchasing"),
    ("Personalleiterin", "director", "human_resources"),
    ("Entwicklungsleiter", "director", "engineering"),
    ("Produktionsleiter", "director", "operations"),
    ("Werksleiter", "director", "operations"),
    ("Finanzleitung", "director", "finance"),
    ("Leiter Forschung", "director", "research"),
    ("Leiter Rechtsabteilung", "director", "legal"),
    ("Leitung Einkauf", "director", "purchasing"),
    ("Leiterin Kundenservice", "director", "customer_service"),
    ("Technischer Leiter", "director", "engineering"),
    ("Kaufmännische Leiterin", "director", "finance"),
    ("Bereichsleiter Produktmanagement", "director", "product"),
    ("Hauptabteilungsleiterin", "director", None),
    ("Vertriebsdirektor", "director", "sales"),
    ("Personalchefin", "director", "human_resources"),
    ("Prokurist", "director", "management"),
    ("Head of Sales Development", "director", "sales"),
    ("Leitung Sekretariat", "director", None),
    # managers
    ("Product Manager", "manager", "product"),
    ("Purchasing Manager", "manager", "purchasing"),
    ("Mgr. Customer Success", "manager", "customer_service"),
    ("Engineering Lead", "manager", "engineering"),
    ("Sales Supervisor", "manager", "sales"),
    ("Produktmanagerin", "manager", "product"),
    ("Key Account Manager", "manager", "sales"),
    ("Abteilungsleiter Einkauf", "manager", "purchasing"),
    ("Teamleiter Buchhaltung", "manager", "finance"),
    ("IT-Projektleiter", "manager", "information_technology"),
    ("Stellv. Vertriebsleiter", "manager", "sales"),
    ("Marketingverantwortliche", "manager", "marketing"),
    # specialists: some sound higher than they are
    ("Product Owner", "specialist", "product"),
    ("Art Director", "specialist", None),
    ("HR Business Partner", "specialist", "human_resources"),
    ("Management Consultant", "specialist", None),
    ("Referent der Geschäftsführung", "specialist", "management"),
    ("Circuit Board Designer", "specialist", None),
    ("Sales Development Representative", "specialist", "sales"),
    ("Lead Developer", "specialist", "engineering"),
    ("Owner's Representative", "specialist", "management"),
    ("Systemadministratorin", "specialist", "information_technology"),
    ("HR Generalist", "specialist", "human_resources"),
    ("Wirtschaftsprüfer", "specialist", "finance"),
    ("Senior Software Engineer", "specialist", "engineering"),
    ("Account Executive", "specialist", "sales"),
    ("Lead Generation Specialist", "specialist", "marketing"),
    ("Sachbearbeiterin Einkauf", "specialist", "purchasing"),
    ("Marketingreferent", "specialist", "marketing"),
    ("Personalreferent*in", "specialist", "human_resources"),
    ("Vertriebsmitarbeiterin", "specialist", "sales"),
    ("Softwareentwickler:in", "specialist", "engineering"),
    ("Dipl.-Ing.", "specialist", "engineering"),
    ("Ingenieur Halbleiter", "specialist", "engineering"),
    ("Technischer Einkäufer", "specialist", "purchasing"),
    ("Data Scientist", "specialist", "data"),
    ("Datenschutzbeauftragte:r", "specialist", "information_security"),
    ("Vertriebscontroller", "specialist", "finance"),
    ("Industriekauffrau", "specialist", None),
    ("Rechtsanwältin", "specialist", "legal"),
    ("Unternehmensberater", "specialist", None),
    ("Internal Auditor", "specialist", "finance"),
    # assistants, to whomever
    ("Assistant to the CEO", "assistant", "management"),
    ("Executive Assistant to the VP Sales", "assistant", "sales"),
    ("PA to Managing Director", "assistant", "management"),
    ("Personal Assistant", "assistant", "management"),
    ("Marketing Assistant", "assistant", "marketing"),
    ("Office Manager", "assistant", "operations"),
    ("Assistentin der Geschäftsführung", "assistant", "management"),
    ("Assistenz des Vertriebsleiters", "assistant", "sales"),
    ("GF-Assistenz", "assistant", "management"),
    ("Vorstandsassistent", "assistant", "management"),
    ("Chefsekretärin", "assistant", None),
    ("Board Assistant", "assistant", "management"),
    ("Empfangsmitarbeiterin", "assistant", None),
    # short forms
    ("Ltr. Einkauf", "director", "purchasing"),
    ("Ltg. Vertrieb", "director", "sales"),
    ("Techn. Leiter", "director", "engineering"),
    ("kfm. Leiterin", "director", "finance"),
    ("Abt.-Leiter Logistik", "manager", "operations"),
    ("Geschäftsf. Gesellschafter", "c_level", "management"),
    # juniors, students, retired
    ("Ehemalige Geschäftsführerin", "retired", "management"),
    ("Graduate Engineer", "junior", "engineering"),
    ("Duales Studium BWL", "student", None),
    ("Junior Marketing Manager", "junior", "marketing"),
    ("Trainee Vertrieb", "junior", "sales"),
    ("Intern", "student", None),
    ("Marketing Intern", "student", "marketing"),
    ("Werkstudent Vertrieb", "student", "sales"),
    ("Werkstudent:in Personal", "student", "human_resources"),
    ("PhD Student", "student", "education"),
    ("Studentische Hilfskraft", "student", "education"),
    ("Auszubildender", "student", None),
    ("Retired CEO", "retired", "management"),
    ("Geschäftsführer im Ruhestand", "retired", "management"),
    # what says nothing
    ("Leadership Coach", None, None),
    ("Personalization Guru", None, None),
    ("", None, None),
]


@pytest.mark.parametrize(("title", "seniority", "department"), TITLES)
def test_a_title_says_seniority_and_department(title, seniority, department):
    facts = derive({"title": title}, TABLES, ())
    assert (facts.get("seniority"), facts.get("department")) == (seniority, department)


def test_every_meaning_of_the_table_is_in_the_reference():
    text = (Path(__file__).parents[1] / "docs" / "config.md").read_text(encoding="utf-8")
    meanings = {meaning for _, meaning in TABLES.titles.seniority + TABLES.titles.department}
    assert not {meaning for meaning in meanings if f"`{meaning}`" not in text}


def test_every_meaning_of_the_table_has_a_title_here():
    for place, phrases in ((1, TABLES.titles.seniority), (2, TABLES.titles.department)):
        assert {meaning for _, meaning in phrases} == {row[place] for row in TITLES} - {None}


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


OWN = TitlesFile(
    seniority=({"partner": ("Partner",)}, {"vp": ("area lead*", "leitung nord")}),
    department=({"sales": ("nord",)},),
)


@pytest.mark.parametrize(
    ("title", "seniority", "department"),
    [
        ("Managing Partner", "partner", "management"),  # before the shipped c_level
        ("Area Leads Europe", "vp", None),
        ("Leitung Nord", "vp", "sales"),
        ("Leitung Einkauf", "director", "purchasing"),
    ],
)
def test_own_titles_are_tried_before_the_shipped_ones(title, seniority, department):
    facts = derive({"title": title}, shipped_tables({}, OWN), ())
    assert (facts.get("seniority"), facts.get("department")) == (seniority, department)


def test_own_titles_are_another_run():
    assert shipped_tables({}, OWN).digest != shipped_tables({}).digest
    assert shipped_tables({}, TitlesFile()).digest == shipped_tables({}).digest


def test_own_titles_stand_in_the_folder(tmp_path):
    folder = Path(shutil.copytree(Path(__file__).parent / "data" / "config" / "good", tmp_path / "config"))
    (folder / "titles.yaml").write_text("seniority:\n  - partner: [partner, 007]\n", encoding="utf-8")
    settings, problems = load(folder)
    assert not problems
    assert settings.tables.titles.seniority[:2] == (("partner", "partner"), ("007", "partner"))


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
        ("beta.example\t# ours\n\t# a remark\n", {"beta.example"}),
        ("c# developer\n", {"c# developer"}),
        ("acme.example\nACME.example\n", {"acme.example"}),
    ],
)
def test_a_list_is_one_entry_a_line(text, entries):
    assert list_entries(text) == entries
