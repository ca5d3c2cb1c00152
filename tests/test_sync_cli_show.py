"""What is shown fits the terminal, cuts no id, and reads values as text."""

import io
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from scoring.ledger import Ledger, Line
from sync.cli import show, show_person, standing
from sync.cli.progress import Lines
from sync.happenings import Counted, Happening
from sync.status import PassOf, Standing

WORDS = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Z"]), max_size=40)


def terminal(width):
    return Console(
        file=io.StringIO(), width=width, force_terminal=True, color_system=None, highlight=False, markup=False,
        emoji=False, soft_wrap=True,
    )  # fmt: skip


def pipe():
    return Console(file=io.StringIO(), highlight=False, markup=False, emoji=False, soft_wrap=True)


def said(out):
    return out.file.getvalue()


@given(rows=st.lists(st.tuples(st.integers(1000, 10**9), WORDS, WORDS), min_size=1, max_size=6))
def test_a_table_fits_and_cuts_no_id(rows):
    for width in (60, 80, 140):
        out = terminal(width)
        shown = [(str(crm_id), show.value_text(one), show.value_text(other)) for crm_id, one, other in rows]
        show.table(out, ("id", "one", "other"), shown, flexible=(1, 2))
        lines = said(out).splitlines()
        assert len(lines) == 1 + len(rows)
        assert all(len(line) <= width for line in lines)
        assert [line.split()[0] for line in lines[1:]] == [str(crm_id) for crm_id, *_ in rows]


@given(old=WORDS, new=WORDS)
def test_a_change_fits_on_its_line(old, new):
    out = terminal(80)
    show.changes(out, {"leadmark_summary": (old, new)})
    (line,) = said(out).splitlines()
    assert len(line) <= 80
    assert " -> " in line


def test_nothing_is_cut_where_nobody_looks():
    out, long = pipe(), "word " * 100
    show.table(out, ("id", "text"), [("1001", long)], flexible=(1,))
    show.changes(out, {"leadmark_reasons": (long, long)})
    assert said(out).count(long.strip()) == 3


VALUE_CASES = [
    ("empty", None, "(empty)"),
    ("a line break", "a\nb", "a b"),
    ("what would move the cursor", "a\x1b[2Jb", "a [2Jb"),
    ("markup", "[red]x[/red]", "[red]x[/red]"),
    ("a day", date(2026, 11, 3), "2026-11-03"),
    ("an instant", datetime(2026, 11, 3, 9, 5, tzinfo=UTC), "2026-11-03 09:05"),
    ("no", False, "no"),
    ("a number", 4.5, "4.5"),
]


@pytest.mark.parametrize(("remark", "value", "expected"), VALUE_CASES, ids=[case[0] for case in VALUE_CASES])
def test_a_value_is_shown_as_text_on_one_line(remark, value, expected):
    out = terminal(80)
    show.line(out, show.value_text(value))
    assert said(out) == expected + "\n"


def test_at_80_columns_the_passes_are_whole():
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    states = (
        "ok",
        "planned",
        "shadow",
        "stopped_by_guard",
        "needs_adoption",
        "parked",
        "deferred_quota",
        "interrupted",
    )
    report = {"reason": "", "scored": 120_000, "written": 120_000, "rejected": 12_000, "calls": 98_765}
    passes = [
        PassOf(
            id="0123456789ab",
            connection="hubspot",
            started_at=now - timedelta(minutes=59),
            ended_at=now,
            report={**report, "state": state},
        )
        for state in states
    ]
    for few in (passes[:4], passes[4:]):
        out = terminal(80)
        found = Standing(now=now, passes=few, people=0, stale=0, differing={}, quarantine=[], approvals=[], pulls=[])
        standing.show_status(out, found, (None, None))
        shown = [each for each in said(out).splitlines() if each.startswith("0123456789ab")]
        assert [each.split()[-1] for each in shown] == ["98765"] * 4
        assert all(len(each) <= 80 for each in shown)


def line(units, **other):
    return Line(**{"part": "fit", "kind": "variable", "key": "k", "label": "Label", "units": units, **other})


@given(units=st.lists(st.integers(-40 * 10**8, 40 * 10**8), max_size=8), width=st.sampled_from([80, 140]))
def test_the_lines_shown_add_up_to_the_score_shown(units, width):
    """Whatever the exact points are: hundredths are shown, and what that loses stands in the rounding line."""
    exact = sum(units)
    score = round(Decimal(exact).scaleb(-8))
    lines = [line(each) for each in units]
    rounding = line(score * 10**8 - exact, part="score", kind="rounding", key="rounding", label="Rounding")
    out = terminal(width)
    found = Ledger(
        score=score, fit=0, engagement=0, grade="A", tier="A1", disqualified_by=None, lines=(*lines, rounding)
    )

    show_person.ledger(out, found)

    shown = [Decimal(each.split()[-1]) for each in said(out).splitlines() if each.split()[0] in {"Label", "Rounding"}]
    assert sum(shown) == score
    assert said(out).splitlines()[-1].split() == ["Score", f"{score}.00"]
    assert all(len(each) <= width for each in said(out).splitlines())


def happening(how, *rules):
    return Happening(
        at=datetime(2026, 11, 3, tzinfo=UTC),
        on=date(2026, 11, 3),
        kind="email_clicked",
        attributes={"mail": "Product news of the whole autumn and of the winter"},
        how=how,
        rules=rules,
    )


def test_at_80_columns_a_timeline_says_whole_why_something_did_not_count():
    out = terminal(80)
    limited = Counted(rule="click", label="Clicked in one of our mails", how="limit", points=0.0)
    faded = Counted(rule="click", label="Clicked in one of our mails", how="faded", points=0.0)
    found = [happening("limit", limited), happening("faded", faded), happening("future"), happening("too old")]

    show_person.timeline(out, ["hubspot:contact:1001"], [*found, happening("no rule")], more=False)

    assert all(len(each) <= 80 for each in said(out).splitlines())
    for why in ("limit reached", "faded to 0", "dated after today", "older than", "no rule takes it"):
        assert why in said(out)


def test_one_activity_of_two_rules_takes_two_lines():
    out = terminal(140)
    rules = [Counted(rule=name, label=name, how="counted", points=points) for name, points in (("a", 3.0), ("b", -1.5))]
    show_person.timeline(out, [], [happening("counted", *rules)], more=True)
    first, second = said(out).splitlines()[1:3]
    assert first.split()[0] == "2026-11-03"
    assert (first.split()[-1], second.split()) == ("+3.00", ["b", "-1.50"])
    assert "--all shows older ones" in said(out)


def test_a_phase_is_told_when_it_ends_and_did_something():
    told = []
    lines = Lines(told.append)
    lines.phase("pull hubspot", None)
    lines.advance(3)
    lines.advance(4, 20)
    lines.phase("score", 0)
    lines.phase("push hubspot", 2)
    lines.advance(2)
    lines.finish()
    lines.finish()
    assert told == ["  pull hubspot: 7", "  push hubspot: 2"]
