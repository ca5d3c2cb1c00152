"""Tables as values: title phrases and digests."""

from dataclasses import replace

import pytest

from scoring.tables import Tables, TitleTable, folded, title_words

TITLES = TitleTable(
    seniority=(
        ("assistant to", "assistant"),
        ("vice president", "vp"),
        ("president", "c_level"),
        ("geschäftsführ*", "c_level"),
        ("*leiter", "director"),
        ("*sales*", "specialist"),
    ),
    department=(("r&d", "engineering"), ("it", "information_technology")),
)


@pytest.mark.parametrize(
    ("title", "seniority"),
    [
        ("Vice-President, EMEA", "vp"),  # punctuation is a blank; the first phrase wins
        ("PRESIDENT", "c_level"),
        ("Assistant to the President", "assistant"),
        ("Geschäftsführerin", "c_level"),  # the word goes on
        ("Stv. Geschäftsführer/in", "c_level"),
        ("Vertriebsleiter", "director"),  # the word begins before
        ("Leiterin", None),  # but does not go on
        ("Presidential advisor", None),  # a phrase is whole words
        ("Presales engineer", "specialist"),
        ("", None),
    ],
)
def test_the_first_phrase_found_in_a_title_decides(title, seniority):
    assert TITLES.seniority_of(title) == seniority


@pytest.mark.parametrize(("title", "department"), [("Head of R&D", "engineering"), ("IT", "information_technology")])
def test_phrases_may_hold_punctuation(title, department):
    assert TITLES.department_of(title) == department


@pytest.mark.parametrize(
    ("title", "words"),
    [
        *((f"Leiter{ending} IT", "leiter it") for ending in (":in", "*in", "/in", "/-in", "_in", "(in)", ":innen")),
        ("LeiterIn", "leiterin"),
        ("Beauftragte/r", "beauftragte"),
        ("A/R Specialist", "a r specialist"),  # accounts receivable is no gender form
        ("Leiter/Inhaber", "leiter inhaber"),
        ("GESCHÄFTSFÜHRER", "geschaeftsfuehrer"),
        ("Geschaeftsfuehrer", "geschaeftsfuehrer"),
        ("Gescha\u0308ftsfu\u0308hrer", "geschaeftsfuehrer"),  # as macOS writes it
        ("C.E.O./V.P. Sales", "ceo vp sales"),
        ("Dipl.-Ing., Dir. R&D", "dipl ing dir r d"),
    ],
)
def test_ways_to_write_a_title_make_no_difference(title, words):
    assert title_words(title) == words


TABLES = Tables(
    lists={"a": frozenset({"x", "y"})},
    free_domains=frozenset({"gmail.com"}),
    disposable_domains=frozenset({"mailinator.com"}),
    role_names=frozenset({"info"}),
    titles=TITLES,
)


def test_a_digest_does_not_depend_on_the_order_of_entries():
    assert replace(TABLES, lists={"a": frozenset(["y", "x"])}).digest == TABLES.digest


@pytest.mark.parametrize(
    "change",
    [
        {"lists": {"a": frozenset({"x"})}},
        {"lists": {"b": frozenset({"x", "y"})}},
        {"free_domains": frozenset()},
        {"disposable_domains": frozenset()},
        {"role_names": frozenset()},
        {"titles": TitleTable(seniority=TITLES.seniority[::-1], department=TITLES.department)},
        {"titles": TitleTable(seniority=TITLES.seniority)},
    ],
)
def test_a_digest_changes_with_every_table(change):
    assert replace(TABLES, **change).digest != TABLES.digest


def test_entries_are_folded():
    assert folded([" ACME.example", "acme.example ", " "]) == {"acme.example"}
