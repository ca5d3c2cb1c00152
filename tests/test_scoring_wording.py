"""The ledger in words, on hand-built ledgers: what sales reads must be right to the letter."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.dates import day_in_words
from scoring.journey import Journey
from scoring.ledger import UNITS_PER_POINT, Ledger, Line
from scoring.model import ScoringModel
from scoring.values import MICRO
from scoring.wording import OUTPUT_TYPES, STATUS_WORDS, outputs, reasons, shorten, summary
from tests.scoring_journeys import model, person

DAY = date(2026, 11, 14)
MODEL = ScoringModel.model_validate(
    {
        "model": "b2b",
        "weights": {"fit": 40, "engagement": 60},
        "fit": {"seniority": {"weight": 100, "percent": {"director": 100}}},
        "engagement": {
            "hand": {
                "label": "Raised a hand",
                "rules": {"demo": {"activity": "form_submitted", "points": 40, "label": "Asked for a demo"}},
            }
        },
    }
)


PARTS = {"variable": "fit", "adjust": "fit"} | dict.fromkeys(
    ("rule", "cap", "floor", "pattern", "silence", "recycle"), "engagement"
)


def line(points=0, label="Label", kind="rule", *, units=None, part=None, **fields):
    whole = round(points * UNITS_PER_POINT) if units is None else units
    return Line(part=part or PARTS.get(kind, "score"), kind=kind, key="key", label=label, units=whole, **fields)


def ledger(*lines, score=84, tier="A1", disqualified_by=None):
    return Ledger(
        score=score,
        fit=90,
        engagement=80,
        grade=tier[0],
        tier=tier,
        disqualified_by=disqualified_by,
        lines=lines,
    )


def journey(status="mql", since=date(2026, 11, 3), **fields):
    return Journey(status=status, since=since, cause="activity", **fields)


DEMO = line(24, "Asked for a demo", count=1, newest=date(2026, 11, 3))
PRICES = line(9, "Looked at prices", count=3, newest=date(2026, 11, 12))
PRIVATE = line(-4, "Private e-mail address", "adjust")


@pytest.mark.parametrize(
    ("status", "lines", "expected"),
    [
        # remark: the line of the product's own description
        (journey(mql_since=date(2026, 11, 3)), (PRICES, DEMO), "A1 · 84 · MQL since 3 Nov · asked for a demo"),
        (journey("suspect"), (), "A1 · 84 · Suspect since 3 Nov"),  # nothing in favour
        (journey("suspect"), (PRIVATE,), "A1 · 84 · Suspect since 3 Nov"),  # only something against
        (journey("prospect"), (line(0.04),), "A1 · 84 · Prospect since 3 Nov"),  # what rounds away is no reason
        (journey("won", date(2025, 12, 31)), (), "A1 · 84 · Won since 31 Dec 2025"),  # another year shows
        # the day of the entry rather than of the status: joined persons can differ in them
        (journey(mql_since=date(2026, 11, 5)), (), "A1 · 84 · MQL since 5 Nov"),
        (journey(), (), "A1 · 84 · MQL since 3 Nov"),  # taken over from a CRM without the day of entry
        (journey("lost", mql_since=date(2026, 10, 1)), (), "A1 · 84 · Lost since 3 Nov"),  # mql_since is of the past
        # the strongest by what its cap leaves of it
        (
            journey("prospect"),
            (line(30, "Clicked in a mail", group="mail"), line(-24, "", "cap", group="mail"), PRICES),
            "A1 · 84 · Prospect since 3 Nov · looked at prices",
        ),
        (journey("prospect"), (line(9, "LinkedIn ad"),), "A1 · 84 · Prospect since 3 Nov · LinkedIn ad"),
        (journey("prospect"), (line(9, "IT visit"),), "A1 · 84 · Prospect since 3 Nov · IT visit"),
        (journey("prospect"), (line(9, "A demo"),), "A1 · 84 · Prospect since 3 Nov · a demo"),
        (
            journey("prospect"),
            (line(9, "Seniority", "variable", value="c_level"),),
            "A1 · 84 · Prospect since 3 Nov · seniority: c level",
        ),
    ],
)
def test_the_summary_is_tier_score_status_with_its_day_and_the_strongest_reason(status, lines, expected):
    assert summary(status, ledger(*lines), DAY) == expected


def test_the_summary_of_a_disqualified_person_says_why():
    disqualified = ledger(DEMO, score=0, tier="F", disqualified_by="Competitor")
    assert summary(journey("disqualified"), disqualified, DAY) == "F · Disqualified: competitor"


@pytest.mark.parametrize("status", STATUS_WORDS)
def test_every_status_has_a_word_of_its_own(status):
    assert f" {STATUS_WORDS[status]} since" in summary(journey(status), ledger(), DAY)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (
            (PRIVATE, PRICES, DEMO),
            "Asked for a demo (3 Nov) +24; Looked at prices 3x (latest 12 Nov) +9; Private e-mail address -4",
        ),
        ((), ""),
        ((line(0.04), line(-0.04), line(0)), ""),  # no effect to a tenth of a point
        ((line(0.05), line(-0.05)), "Label +0.1; Label -0.1"),  # half a tenth counts, away from zero
        ((line(10.5), line(-10.96)), "Label -11; Label +10.5"),  # strongest by size, whole points without a tenth
        ((line(5, "One"), line(5, "Two")), "One +5; Two +5"),  # equals keep the model's order
        ((line(0.5, "Rounding", "rounding"), DEMO), "Asked for a demo (3 Nov) +24"),  # rounding is nobody's doing
        # what a cap takes is taken off the weakest under it, and so never from another group
        (
            (
                line(3, "Weak", group="a"),
                line(9, "Strong", group="a"),
                line(-2, "Other", group="b"),
                line(-4, "", "cap", group="a"),
            ),
            "Strong +8; Other -2",
        ),
        (
            (line(5, "First", group="a"), line(5, "Second", group="a"), line(-5, "", "cap", group="a")),
            "First +5",  # of equals the later one gives
        ),
        (
            (line(9, group="a"), line(-20, "Jobs", group="a"), line(4, "", "floor", group="a")),
            "Jobs -16; Label +9",
        ),
        (
            (line(50, "Size", "variable"), line(20, "Target", "adjust"), DEMO, line(-30, "", "clamp", part="fit")),
            "Size +40; Asked for a demo (3 Nov) +24",
        ),
        (
            (line(5, "Three visits in a week", "pattern"), line(-9, "Silent since 12 Sep", "silence")),
            "Silent since 12 Sep -9; Three visits in a week +5",
        ),
        ((line(3, count=1, newest=date(2025, 11, 3)),), "Label (3 Nov 2025) +3"),
        ((line(3, count=2, newest=date(2025, 11, 3)),), "Label 2x (latest 3 Nov 2025) +3"),
        ((line(3, kind="variable", value="  two\n words "),), "Label: two words +3"),
        ((line(3, kind="variable", value=True),), "Label: yes +3"),
        ((line(3, kind="variable", value=False),), "Label: no +3"),
        ((line(3, kind="variable", value=120),), "Label: 120 +3"),
        ((line(3, kind="variable", value=120.0),), "Label: 120 +3"),
        ((line(3, kind="variable", value=0.5),), "Label: 0.5 +3"),
        ((line(3, kind="variable", value=date(2027, 1, 12)),), "Label: 12 Jan 2027 +3"),
    ],
)
def test_reasons_are_strongest_first_with_labels_dates_and_points(lines, expected):
    assert reasons(ledger(*lines), DAY) == expected


@pytest.mark.parametrize(
    ("weaker", "bound", "counts"),
    [
        (line(5, group="web"), line(-24, "", "cap", group="mail"), [5, 6]),  # another group is not under the cap
        (line(5, group="mail"), line(-24, "", "cap", group="mail"), [0, 11]),  # the weakest goes first
        (line(5, kind="adjust"), line(-24, "", "clamp", part="engagement"), [5, 6]),  # nor is another part
        (line(5, group="web"), line(-24, "", "clamp", part="engagement"), [0, 11]),  # but every group of its own
        (line(-5, group="mail"), line(-24, "", "cap", group="mail"), [-5, 6]),  # a cap takes nothing from a loss
        (line(-5, group="mail"), line(3, "", "floor", group="mail"), [-2, 30]),  # a floor gives back losses
    ],
)
def test_what_a_bound_takes_is_taken_from_what_is_under_it(weaker, bound, counts):
    effects = ledger(weaker, line(30, group="mail"), bound).effects
    assert [effect for _, effect in effects] == [points * UNITS_PER_POINT for points in counts]


@pytest.mark.parametrize(
    ("taken", "expected"),
    [
        (-24, "Disqualified: competitor -24; Asked for a demo (3 Nov) +24"),
        (0, "Disqualified: competitor; Asked for a demo (3 Nov) +24"),  # even when there was nothing to take
    ],
)
def test_a_disqualifier_is_the_first_of_the_reasons(taken, expected):
    last = line(taken, "Disqualified: Competitor", "disqualified")
    assert reasons(ledger(DEMO, last, score=0, tier="F", disqualified_by="Competitor"), DAY) == expected


@given(
    st.lists(st.tuples(st.integers(-(10**10), 10**10), st.integers(0, 3), st.dates(date(2020, 1, 1), DAY)), max_size=6),
    st.integers(0, 40),
)
def test_reasons_do_not_change_by_themselves_within_a_year(lines, days):
    """No ages: the same lines read the same on any later day of the year."""
    book = ledger(*(line(units=units, count=count, newest=newest) for units, count, newest in lines))
    later = date.fromordinal(DAY.toordinal() + days)
    assert reasons(book, later) == reasons(book, DAY)


@pytest.mark.parametrize(
    ("text", "length", "expected"),
    [
        ("one two", 7, "one two"),  # fits exactly
        ("one two", None, "one two"),
        ("one two", 6, "one…"),
        ("one two", 4, "one…"),
        ("one two", 3, "on…"),  # not even one word fits
        ("one two", 1, "…"),
        ("one two", 0, ""),
        ("One +5; Two +5; Three +5", 16, "One +5; Two +5…"),  # cut exactly between words
        ("One +5; Two +5; Three +5", 9, "One +5…"),  # no separator dangles
        ("A1 · 84 · MQL since 3 Nov", 9, "A1 · 84…"),
    ],
)
def test_text_is_cut_at_a_word(text, length, expected):
    assert shorten(text, length) == expected


@given(
    st.lists(st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1), min_size=1), st.integers(0, 60)
)
def test_a_cut_text_fits_and_ends_with_a_whole_word(words, length):
    text = " ".join(words)
    cut = shorten(text, length)
    assert len(cut) <= length or cut == text
    if cut != text and len(words[0]) < length:
        kept = cut.removesuffix("…").split()
        assert kept == words[: len(kept)]


OUTPUTS = {
    "score": 84,
    "fit": 90,
    "engagement": 80,
    "grade": "A",
    "tier": "A1",
    "momentum": "rising",
    "surged_on": date(2026, 11, 10),
    "mql_status": "MQL",
    "mql_since": date(2026, 11, 3),
    "mql_cause": "activity",
    "first_mql_on": date(2026, 2, 1),
    "mql_count": 2,
    "recycled_on": None,
    "disqualified_by": None,
    "points_to_mql": 0,
    "interest": "analytics",
    "summary": "A1 · 84 · MQL since 3 Nov · asked for a demo",
    "reasons": "Asked for a demo (3 Nov) +24",
    "missing": None,
    "model": "b2b",
    "scored_on": DAY,
}
MQL = journey(mql_since=date(2026, 11, 3), first_mql_on=date(2026, 2, 1), mql_count=2, surged_on=date(2026, 11, 10))


def test_the_outputs_are_what_the_crm_shows():
    assert outputs(MODEL, MQL, ledger(DEMO), DAY, evaluation=person(interest="analytics", earlier={7: -20})) == OUTPUTS


def test_outputs_say_what_is_missing():
    evaluation = person(score=53, engagement=53, engagement_micro=53 * MICRO, interest="")
    values = outputs(model({"score": 60}), journey("prospect"), ledger(), DAY, {"missing": 12}, evaluation=evaluation)
    assert (values["points_to_mql"], values["interest"], values["missing"]) == (7, None, "7 points of…")


def test_outputs_without_anything_to_say_are_empty():
    values = outputs(MODEL, journey("suspect"), ledger(score=0, tier="D4"), DAY, evaluation=person())
    empty = {
        "mql_since",
        "first_mql_on",
        "momentum",
        "surged_on",
        "recycled_on",
        "disqualified_by",
        "points_to_mql",
        "interest",
        "reasons",
        "missing",
    }
    assert {name for name, value in values.items() if value is None} == empty


def test_the_outputs_of_a_disqualified_person_name_the_reason():
    last = line(0, "Disqualified: Competitor", "disqualified")
    book = ledger(last, score=0, tier="F", disqualified_by="Competitor")
    values = outputs(MODEL, journey("disqualified", recycled_on=DAY), book, DAY, evaluation=person())
    assert (values["disqualified_by"], values["mql_status"], values["recycled_on"]) == (
        "Competitor",
        "Disqualified",
        DAY,
    )


def test_text_outputs_are_cut_to_the_length_of_their_field():
    lengths = {"summary": 10, "reasons": 12, "model": 0, "tier": 1}
    cut = {"summary": "A1 · 84…", "reasons": "Asked for a…", "model": None}  # an option is never cut
    assert (
        outputs(MODEL, MQL, ledger(DEMO), DAY, lengths, evaluation=person(interest="analytics", earlier={7: -20}))
        == OUTPUTS | cut
    )


def test_every_output_has_a_type_that_fits_its_values():
    assert list(OUTPUT_TYPES) == list(OUTPUTS)
    types = {"number": int, "text": str, "option": str, "date": date}
    full = OUTPUTS | {"recycled_on": DAY, "disqualified_by": "Competitor", "missing": "1 point of fit"}
    assert all(type(full[name]) is types[kind] for name, kind in OUTPUT_TYPES.items())


@given(st.dates(), st.dates())
def test_the_year_shows_exactly_when_it_is_another(on, day):
    assert day_in_words(on, day).endswith(str(on.year)) == (on.year != day.year)
