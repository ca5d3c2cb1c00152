"""YAML is read as an admin means it, and every value knows where it stands."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from config.problems import Spot
from config.reading import read


def value_of(text):
    document, problems = read("x.yaml", text)
    assert not problems
    return document.value


@pytest.mark.parametrize(
    ("typed", "meant", "remark"),
    [
        ("NO", "NO", "Norway, no boolean"),
        ("no", "no", "only true and false are booleans"),
        ("on", "on", ""),
        ("Yes", "Yes", ""),
        ("true", True, ""),
        ("false", False, ""),
        ("True", "True", "one spelling"),
        ("12", 12, ""),
        ("-3", -3, ""),
        ("0", 0, ""),
        ("1.5", 1.5, ""),
        ("-0.25", -0.25, ""),
        ("0123", "0123", "no octal"),
        ("0o17", "0o17", ""),
        ("0x1F", "0x1F", ""),
        ("1e3", "1e3", "an id, no exponent"),
        ("1_000", "1_000", ""),
        ("+5", "+5", ""),
        (".5", ".5", ""),
        (".inf", ".inf", ""),
        (".nan", ".nan", ""),
        ("12:30", "12:30", "no base 60"),
        ("2026-01-02", "2026-01-02", "no date"),
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z", ""),
        ("1234567890123456789012", "1234567890123456789012", "an id longer than a number"),
        ("~", None, ""),
        ("null", None, ""),
        ("", None, "nothing there"),
        ("'12'", "12", "quoted is text"),
        ('"true"', "true", ""),
        ("''", "", ""),
        ("a: b", {"a": "b"}, ""),
        ("Visited pricing", "Visited pricing", ""),
    ],
)
def test_a_value_is_what_an_admin_means(typed, meant, remark):
    text = f"key:\n  {typed}\n"
    found = value_of(text)["key"]
    assert found == meant
    assert type(found) is type(meant)


def test_a_key_is_the_text_as_typed():
    assert value_of("{NO: 1, 12: 2, 0123: 3, true: 4, 2026-01-02: 5, ~: 6}") == {
        "NO": 1,
        "12": 2,
        "0123": 3,
        "true": 4,
        "2026-01-02": 5,
        "~": 6,
    }


def test_an_alias_repeats_its_anchor():
    assert value_of("a: &x {b: 1}\nc: *x\n") == {"a": {"b": 1}, "c": {"b": 1}}


def test_aliases_that_multiply_are_stopped():
    text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    text += "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 9))
    document, problems = read("x.yaml", text)
    assert document is None
    assert "write it out" in problems[0].message


def test_nesting_without_end_is_stopped():
    document, problems = read("x.yaml", "[" * 5_000)
    assert document is None
    assert "nested deeper" in problems[0].message


def test_positions_count_characters_from_one():
    document, _ = read("x.yaml", "ä: {ö: ü,\n  b: [c, d]}\n")
    assert document.key(("ä", "ö")) == Spot(path="x.yaml", line=1, column=5)
    assert document.at(("ä", "ö")) == Spot(path="x.yaml", line=1, column=8)
    assert document.at(("ä", "b", 1)) == Spot(path="x.yaml", line=2, column=10)


def test_a_way_that_ends_early_leads_to_the_innermost_node():
    document, _ = read("x.yaml", "a:\n  b: 1\n")
    assert document.at(("a", "columns", "b", "[key]")) == Spot(path="x.yaml", line=2, column=6)
    assert document.at(("a", "missing")) == Spot(path="x.yaml", line=1, column=1)
    assert document.key(("missing",)) == Spot(path="x.yaml")


scalars = st.none() | st.booleans() | st.integers(-(10**14), 10**14) | st.text(max_size=12)
trees = st.dictionaries(
    st.text(min_size=1, max_size=6),
    st.recursive(
        scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_size=4,
)


@given(tree=trees)
def test_what_a_careful_writer_quotes_is_read_back(tree):
    """Quoted texts, plain numbers and booleans survive; every value has a place."""
    text = yaml.safe_dump(tree, default_style='"', allow_unicode=True)
    document, problems = read("x.yaml", text.replace('!!int "', '"').replace('!!bool "', '"').replace('!!null "', '"'))
    assert not problems

    def as_text(value):
        match value:
            case dict():
                return {key: as_text(inner) for key, inner in value.items()}
            case list():
                return [as_text(inner) for inner in value]
            case None:
                return "null"
            case bool():
                return str(value).lower()
            case _:
                return str(value)

    assert document.value == as_text(tree)


@given(text=st.text(alphabet="ab:{}[],-#&*!|>'\"%@` \n\t~<?0.", max_size=60))
def test_any_text_is_read_or_explained(text):
    """Never a crash: a tree, or a problem with a place in the text."""
    document, problems = read("x.yaml", text)
    assert document is not None or problems
    for problem in problems:
        assert problem.line >= 1
        assert problem.column >= 1
