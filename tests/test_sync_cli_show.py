"""What is shown fits the terminal, cuts no id, and reads values as text."""

import io
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from scoring.journey import Cause, Word
from scoring.ledger import Ledger, Line
from sync.answers.explain import Explained, Fact, HeldRecord, OurField
from sync.answers.happenings import Counted, Happening
from sync.answers.status import PassOf, Standing
from sync.cli import show, show_person, standing
from sync.cli.progress import Lines

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

    show_person.ledger(out, found, date(2026, 11, 20))

    shown = [Decimal(each.split()[-1]) for each in said(out).splitlines() if each.split()[0] in {"Label", "Rounding"}]
    assert sum(shown) == score
    assert said(out).splitlines()[-1].split() == ["Score", f"{score}.00"]
    assert all(len(each) <= width for each in said(out).splitlines())


def test_a_disqualifier_takes_what_is_left_after_rounding():
    lines = [
        line(15.5 * 10**8),
        line(-0.5 * 10**8, part="score", kind="rounding", key="rounding", label="Rounding"),
        line(-15 * 10**8, part="score", kind="disqualified", key="far", label="Disqualified: too far away"),
    ]
    out = terminal(80)
    found = Ledger(score=0, fit=0, engagement=0, grade="F", tier="F", disqualified_by="Far", lines=tuple(lines))
    show_person.ledger(out, found, date(2026, 11, 20))
    shown = [each.split()[-1] for each in said(out).splitlines()]
    assert shown[-4:] == ["+15.50", "-0.50", "-15.00", "0.00"]


@pytest.mark.parametrize(
    ("remark", "one", "expected"),
    [
        ("one activity", {"kind": "rule", "count": 1, "newest": date(2026, 11, 3)}, "3 Nov"),
        ("several", {"kind": "rule", "count": 2, "newest": date(2025, 11, 3)}, "2 times, last 3 Nov 2025"),
        ("a bound of a group", {"kind": "cap", "group": "web"}, "points of engagement"),
        ("an option of a CRM", {"value": "HOSPITAL_HEALTH_CARE", "percent": 30}, "Hospital health care: 30 %"),
        ("a date", {"value": date(2026, 12, 3), "percent": 100}, "3 Dec: 100 %"),
        ("nothing known", {}, "not known"),
    ],
)
def test_a_line_tells_its_detail_in_words(remark, one, expected):
    out = terminal(80)
    found = Ledger(
        score=1, fit=0, engagement=0, grade="A", tier="A1", disqualified_by=None, lines=(line(10**8, **one),)
    )
    show_person.ledger(out, found, date(2026, 11, 20))
    assert f"Label {expected} +1.00" in " ".join(said(out).split())


def test_every_cause_and_every_word_of_sales_has_words():
    assert set(show_person.CAUSES) == set(get_args(Cause))
    assert set(show_person.SAID) == set(get_args(Word))


FIELD = OurField(output="mql_status", desired="MQL", observed="MQL", confirmed="MQL")


def records(*fields):
    return [
        HeldRecord(connection="crm", object="contact", crm_id=str(nth), fields={"status": field})
        for nth, field in enumerate(fields)
    ]


def explained(*records):
    return Explained(
        person=1, day=date(2026, 11, 20), model="b2b", digest="", profiled=True, held=False, ledger=None, facts=[],
        journey=None, scored_on=None, outputs={}, records=records, steps=[],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("remark", "fields", "expected"),
    [
        (
            "alike: once",
            (FIELD, replace(FIELD, confirmed=None)),
            ["Our fields on crm:contact:0", "           and crm:contact:1", "  MQL status  MQL"],
        ),
        (
            "not written yet in one",
            (FIELD, replace(FIELD, observed=None)),
            [
                "Our fields on crm:contact:0", "  MQL status  MQL", "",
                "Our fields on crm:contact:1", "  MQL status  (empty) -> MQL (not written yet)",
            ],
        ),
        (
            "empty",
            (replace(FIELD, desired=None, observed=None),),
            ["Our fields on crm:contact:0", "  empty  MQL status"],
        ),
        (
            "a date",
            (replace(FIELD, desired=date(2026, 11, 3), observed=date(2026, 11, 3)),),
            ["Our fields on crm:contact:0", "  MQL status  3 Nov"],
        ),
    ],
)  # fmt: skip
def test_our_fields_are_told_once_where_records_hold_the_same(remark, fields, expected):
    out = terminal(80)
    show_person.person(out, explained(*records(*fields)), reveal=False)
    told = said(out).splitlines()
    assert told[next(nth for nth, each in enumerate(told) if each.startswith("Our fields")) :] == expected


@pytest.mark.parametrize("reveal", [False, True])
def test_facts_are_told_in_words_and_personal_ones_where_asked_for(reveal):
    facts = [
        Fact(name="email", value="jo@acme.example", source=("crm", "contact", "0"), personal=True),
        Fact(name="need_date", value=date(2026, 12, 3), source=("crm", "contact", "1"), personal=False),
        Fact(name="employees", value=20_000, source=("other", "lead", "9"), personal=False),
        Fact(name="missing", value="bounced, title", source=None, personal=False),
        Fact(name="seniority", value="vp", source=None, personal=False),
    ]
    other = HeldRecord(connection="other", object="lead", crm_id="9", fields={})
    out = terminal(80)
    show_person.person(out, replace(explained(*records(FIELD, FIELD), other), facts=facts), reveal=reveal)
    told = [" ".join(each.split()) for each in said(out).splitlines()]
    assert f"e-mail address {'jo@acme.example' if reveal else '(hidden)'} crm contact 0" in told
    assert "buying timeline 3 Dec crm contact 1" in told, "of several records of a kind the id is told"
    assert "number of employees 20,000 other lead" in told
    assert "seniority vice president worked out" in told
    assert "not known: bounce of the e-mail address, job title" in told
    assert ("--reveal shows what is hidden" in told) != reveal


def test_a_long_text_is_told_whole_where_it_is_asked_for():
    out, text = terminal(40), "Asked for a demo (3 Nov) +24; looked at prices (12 Nov) +9"
    show.pairs(out, [("reasons", text), ("model", "b2b")], whole=True)
    told = said(out).splitlines()
    assert all(len(each) <= 40 for each in told)
    assert " ".join(each[11:] for each in told[:-1]) == text
    assert told[-1] == "  model    b2b"


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
