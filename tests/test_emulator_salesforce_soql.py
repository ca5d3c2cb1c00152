"""SOQL texts become values; what is not in the subset is refused where it stands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.emulator.clock import iso
from connectors.emulator.salesforce.literals import like_pattern, unescaped
from connectors.emulator.salesforce.refusals import Refused
from connectors.emulator.salesforce.soql import (
    LONGEST,
    LONGEST_STRING,
    Combined,
    Comparison,
    Not,
    parse,
)


def where(text):
    return parse(f"SELECT Id FROM Lead WHERE {text}").where


def said(condition):
    """A condition in one line, fully bracketed."""
    if isinstance(condition, Not):
        return f"not({said(condition.condition)})"
    if isinstance(condition, Combined):
        return f"({f' {condition.word} '.join(map(said, condition.conditions))})"
    assert isinstance(condition, Comparison)
    operand = condition.operand
    held = [one.value for one in operand] if isinstance(operand, tuple) else operand.value
    return f"{condition.path}{condition.operator}{held}"


def test_a_whole_query_is_read():
    query = parse(
        "select Id, Account.Name,\n Owner.Email from Contact where SystemModstamp >= 2026-11-20T10:00:00Z "
        "order by SystemModstamp asc, Id desc nulls last limit 200"
    )
    assert [str(path) for path in query.fields] == ["Id", "Account.Name", "Owner.Email"]
    assert (query.object, query.limit) == ("Contact", 200)
    assert [(str(o.path), o.descending, o.nulls_last) for o in query.order] == [
        ("SystemModstamp", False, False),
        ("Id", True, True),
    ]


def test_count_selects_no_field():
    assert parse("SELECT COUNT() FROM Lead").fields == ()


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("Name = 'x'", "Name=x"),
        ("Name <> 'x'", "Name!=x"),
        ("Amount <= -1.5e2", "Amount<=-150.0"),
        ("IsDeleted = TRUE", "IsDeleted=True"),
        ("Email != NULL", "Email!=None"),
        ("CloseDate > 2026-02-28", "CloseDate>2026-02-28"),
        ("CreatedDate < 2026-01-01T01:00:00+01:00", "CreatedDate<1767225600000"),
        ("CreatedDate < 2026-01-01T00:00:00.250Z", "CreatedDate<1767225600250"),
        ("CreatedDate < 2026-01-01T00:00:00+0000", "CreatedDate<1767225600000"),
        ("CreatedDate = TODAY", "CreatedDate=(0, 0)"),
        ("CreatedDate >= last_n_days:30", "CreatedDate>=(-30, 0)"),
        ("Id IN ('a', 'b')", "IdIN['a', 'b']"),
        ("Id NOT IN ('a')", "IdNOT IN['a']"),
        ("Name LIKE 'a%'", "NameLIKEa%"),
        ("NOT Name = 'x'", "not(Name=x)"),
        ("Name = 'x' AND Name = 'y' AND Name = 'z'", "(Name=x AND Name=y AND Name=z)"),
        ("(Name = 'x' AND Id > 'y') OR Name > 'x'", "((Name=x AND Id>y) OR Name>x)"),
        ("NOT (Name = 'x' OR Name = 'y')", "not((Name=x OR Name=y))"),
        ("NOT Name = 'x' AND Name = 'y'", "(not(Name=x) AND Name=y)"),
        ("Name = 'select from where'", "Name=select from where"),
    ],
)
def test_conditions_are_read(text, read):
    assert said(where(text)) == read


@pytest.mark.parametrize(
    ("text", "column", "reason"),
    [
        ("", 1, "unexpected token: '<EOF>'"),
        ("SELECT", 7, "unexpected token: '<EOF>'"),
        ("DELETE Id FROM Lead", 1, "unexpected token: 'DELETE'"),
        ("SELECT * FROM Lead", 8, "unexpected token: '*'"),
        ("SELECT Id FRM Lead", 11, "unexpected token: 'FRM'"),
        ("SELECT Id FROM Lead OFFSET 5", 21, "unexpected token: 'OFFSET'"),
        ("SELECT Id FROM Lead l", 21, "unexpected token: 'l'"),
        ("SELECT Id, (SELECT Id FROM Contacts) FROM Account", 12, "unexpected token: '('"),
        ("SELECT FIELDS(ALL) FROM Lead", 14, "unexpected token: '('"),
        ("SELECT MAX(Id) FROM Lead", 11, "unexpected token: '('"),
        ("SELECT Id FROM Lead GROUP BY Id", 21, "unexpected token: 'GROUP'"),
        ("SELECT Id FROM Lead WHERE Id IN ()", 34, "unexpected token: ')'"),
        ("SELECT Id FROM Lead WHERE Id IN (SELECT LeadId FROM CampaignMember)", 34, "unexpected token: 'SELECT'"),
        ("SELECT Id FROM Lead WHERE Id IN :ids", 33, "unexpected token: ':ids'"),
        # AND beside OR without parentheses
        ("SELECT Id FROM Lead WHERE Id = 'a' AND Id = 'b' OR Id = 'c'", 49, "unexpected token: 'OR'"),
        ("SELECT Id FROM Lead WHERE (Id = 'a'", 36, "unexpected token: '<EOF>'"),
        ("SELECT Id FROM Lead WHERE Name = 'it's'", 38, "unexpected token: 's'"),
        ('SELECT Id FROM Lead WHERE Name = "x"', 34, "unexpected token: '\"x\"'"),
        ("SELECT Id FROM Lead WHERE Name LIKE 5", 37, "unexpected token: '5'"),
        ("SELECT Id FROM Lead WHERE Name", 31, "unexpected token: '<EOF>'"),
        ("SELECT Id FROM Lead WHERE CreatedDate > LAST_N_DAYS", 41, "unexpected token: 'LAST_N_DAYS'"),
        ("SELECT Id FROM Lead WHERE CreatedDate > 2026-01-01T00:00:00", 41, "unexpected token: '2026-01-01T00:00:00'"),
        ("SELECT Id FROM Lead WHERE CloseDate > 2026-02-30", 39, "Invalid date: 2026-02-30"),
        ("SELECT Id FROM Lead LIMIT 1.5", 27, "unexpected token: '1.5'"),
        ("SELECT Id FROM Lead LIMIT -1", 27, "unexpected token: '-1'"),
        (r"SELECT Id FROM Lead WHERE Name = 'a\x'", 34, r"Illegal string literal: invalid escape sequence \x"),
    ],
)
def test_the_rest_is_refused_with_its_place(text, column, reason):
    with pytest.raises(Refused) as refused:
        parse(text)
    assert refused.value.code == "MALFORMED_QUERY"
    assert refused.value.message.endswith(f"^\nERROR at Row:1:Column:{column}\n{reason}")


def test_a_refusal_points_at_its_row():
    with pytest.raises(Refused) as refused:
        parse("SELECT Id\nFROM Lead\nWHERE ?")
    assert refused.value.message == "\nWHERE ?\n      ^\nERROR at Row:3:Column:7\nunexpected token: '?'"


def test_long_strings_and_long_queries_are_refused():
    assert where(f"Name = '{'x' * LONGEST_STRING}'")
    with pytest.raises(Refused, match="longer than 4000"):
        where(f"Name = '{'x' * (LONGEST_STRING + 1)}'")
    ids = ",".join(["'00Q5g0000000001EAA'"] * 4000)
    assert len(where(f"Id IN ({ids})").operand) == 4000
    with pytest.raises(Refused, match=f"longer than {LONGEST}"):
        where(f"Id IN ({ids},{ids})")


@given(st.text())
def test_an_escaped_string_comes_back_as_it_was(text):
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    condition = where(f"Name = '{escaped}'")
    assert unescaped(condition.operand.value) == text


@given(st.integers(0, 4_000_000_000_000))
def test_instants_are_read_to_the_millisecond(ms):
    assert where(f"CreatedDate = {iso(ms)}").operand.value == ms


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("%@acme.example", "Ada@ACME.example", True),
        ("a_a", "ada", True),
        ("a_a", "adda", False),
        (r"50\%", "50%", True),
        (r"50\%", "50 or so", False),
        (r"a\_b", "a_b", True),
        (r"a\_b", "axb", False),
        ("a.c", "abc", False),
        ("a%", "a\nb", True),
        (r"\u0041da", "ada", True),
        ("Groß%", "GROSSMANN", True),
    ],
)
def test_like_knows_two_wild_cards_and_no_case(pattern, text, matches):
    assert bool(like_pattern(pattern).fullmatch(text.casefold())) is matches
