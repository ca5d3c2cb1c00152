"""Conditions that make no sense whoever the people are, and tests that an unknown fact passes, where they stand."""

from collections.abc import Callable, Iterator
from typing import Any

from config.problems import Problem, error, listed, shown
from config.reading import Document, Loc
from scoring.conditions import Condition, parse_condition, parse_where
from scoring.contradictions import Senseless, Signed, clash, senseless
from scoring.fact_values import FactValue
from scoring.unknowns import passed_unknown

#: the segment of those who are in no other
OTHERS = "others"
#: where conditions over facts stand in a model, in a connection, in leadmark.yaml
MODEL: tuple[tuple[str, ...], ...] = (("audience",), ("fit", "adjust", "*", "if"), ("disqualify", "*", "if"))
CANARY = ("write", "canary", "if")
SEGMENTS = ("segments", "*")
#: over a touchpoint's attributes
WHERE: tuple[tuple[str, ...], ...] = (
    ("engagement", "*", "rules", "*", "where"),
    ("patterns", "*", "all", "*", "where"),
)
#: over the CRM's own fields
SCOPE = ("scope", "*")


def check_sense(document: Document) -> Iterator[Problem]:
    """Parts of conditions that hold for nobody or for everybody, in any file."""
    for pattern in (*MODEL, CANARY, SCOPE, SEGMENTS):
        for loc, condition in _conditions(document, pattern, parse_condition):
            for found in senseless(condition):
                yield error(document.key((*loc, *found.place)), _in_words(found))
    for pattern in WHERE:
        for loc, condition in _conditions(document, pattern, parse_where):
            for found in senseless(condition, attributes=True):
                yield error(document.key((*loc, *found.place)), _in_words(found))


def check_segments(installation: Document) -> Iterator[Problem]:
    """A segment of the name that stands for the rest, and segments whose people earlier ones take."""
    before: list[Signed] = []
    for loc, condition in _conditions(installation, SEGMENTS, parse_condition):
        if loc[-1] == OTHERS:
            yield error(installation.key(loc), f'"{OTHERS}" is everybody who is in no segment; choose another name')
        elif not clash([(condition, True)]) and clash([(condition, True), *before]):
            message = "nobody is ever in this segment, as those above it take everybody it means; put it above them"
            yield error(installation.key(loc), message)
        before.append((condition, False))


def tests_passed_unknown(document: Document) -> Iterator[tuple[Loc, Condition]]:
    """The tests of facts that hold for those of whom the fact is unknown, with the way to each."""
    for pattern in (*MODEL, CANARY, SEGMENTS):
        for loc, condition in _conditions(document, pattern, parse_condition):
            for test in passed_unknown(condition):
                yield (*loc, *test.place), test


def _conditions(
    document: Document, pattern: tuple[str, ...], parse: Callable[[Any], Condition]
) -> Iterator[tuple[Loc, Condition]]:
    for loc, written in document.each(*pattern):
        try:
            yield loc, parse(written)
        except ValueError:
            continue  # reported where it stands


def _in_words(found: Senseless) -> str:
    if found.always and found.place[-1:] == ("not",):
        return f"what stands under `not` never holds ({clashing(found.tests)}), so `not` always does; take it out"
    if found.always:
        return f"this holds whatever {found.tests[0][0].name} is, known or not; take it out"
    whole = "so this branch never holds; take it out" if found.branch else "so this never holds; take one of them out"
    return f"{clashing(found.tests)}, {whole}"


def clashing(tests: tuple[Signed, ...]) -> str:
    """The tests of one name that leave it no value."""
    return f"{tests[0][0].name} cannot be {' and '.join(_test(test, holds=holds) for test, holds in tests)} at once"


def _test(test: Condition, *, holds: bool) -> str:
    return f"{'' if holds else 'not '}`{test.op}: {listed(_value(test, value) for value in test.operand)}`"


def _value(test: Condition, value: FactValue) -> str:
    """The value as a message shows it; no address."""
    if isinstance(value, str):
        return "…" if "@" in value or "not shown" in shown(value) else value
    if test.op in ("within", "past"):
        return f"{value}d"
    return str(value).lower()
