"""A person on another day, and what the score changed by; as the command says it, too."""

import json
import re
from datetime import timedelta

import pytest

from scoring.ledger import UNITS_PER_POINT
from sync.answers.explain import explained, scoring_of
from sync.answers.past import past
from sync.cli.exits import CommandError
from sync.cli.persons import Asked, _days
from sync.cli.show_past import past as show
from tests.desk_of_two import Desk
from tests.test_sync_cli_show import said, terminal
from tests.two_crms import MODEL, form, record

ENGAGEMENT = {
    "asked": {
        "label": "Asked",
        "cap": 90,
        "rules": {"form": {"activity": "form_submitted", "points": 60, "decay": "month", "label": "Sent a form"}},
    }
}
FADING = MODEL | {
    "decays": {"month": {"linear": "30d"}},
    "engagement": ENGAGEMENT,
    "silence": {"after": "10d", "take": 5, "every": "7d", "at_most": 10},
}


@pytest.fixture
def desk(tmp_path):
    """A director who sent a form 12 days ago and one yesterday."""
    opened = Desk(tmp_path, models={"b2b": FADING})
    opened.hub.put(record("contact", "1", jobtitle="Director"))
    opened.hub.act("forms", form("f1", "1", days=12))
    opened.hub.act("forms", form("f2", "1", days=1))
    opened.run()
    yield opened
    opened.close()


def day(desk, ago):
    return desk.now.date() - timedelta(days=ago)


def found(desk, on=0, since=None, **more):
    with desk.store.begin() as tx:
        scoring = scoring_of(tx, desk.settings, desk.now)
        return past(tx, 1, scoring, on=day(desk, on), since=None if since is None else day(desk, since), **more)


def test_today_is_what_explain_says(desk):
    with desk.store.begin() as tx:
        today = explained(tx, 1, scoring_of(tx, desk.settings, desk.now))
    assert found(desk).ledger == today.ledger


def test_a_past_day_knows_what_was_done_by_then_and_the_facts_of_now(desk):
    desk.change(desk.hub, "contact", "1", jobtitle="Buyer")
    desk.run()
    assert (found(desk, 13).ledger.engagement, found(desk, 13).ledger.fit) == (0, 40)
    assert found(desk, 12).ledger.engagement == 60


def test_a_day_to_come_is_what_will_be_if_nothing_is_done(desk):
    """58 of the newer form fade by two a day; after ten days silence takes 5."""
    assert found(desk, -1).ledger.engagement == 56 + 34
    assert found(desk, -12).ledger.engagement == 34 + 12 - 5


def test_the_difference_adds_up_and_names_what_was_done(desk):
    one = found(desk, 0, 5)
    assert sum(shift.units for shift in one.shifts) == (one.ledger.score - one.before.score) * UNITS_PER_POINT
    assert {(shift.why, shift.label) for shift in one.shifts if shift.why in ("activity", "decay")} == {
        ("activity", "Sent a form"),
        ("decay", "Sent a form"),
    }


def test_an_activity_of_the_earlier_day_itself_is_nothing_new(desk):
    assert not [shift for shift in found(desk, 0, 1).shifts if shift.why == "activity"]


def test_who_is_not_scored_has_no_ledger_and_no_difference(tmp_path):
    desk = Desk(tmp_path, models={"b2b": FADING | {"audience": {"country": "AT"}}})
    desk.hub.put(record("contact", "1", jobtitle="Director"))
    desk.run()
    one = found(desk, 0, 5)
    assert (one.ledger, one.before, one.shifts) == (None, None, ())
    out = terminal(80)
    show(out, one)
    assert "Not scored by model b2b" in said(out)
    desk.close()


@pytest.mark.parametrize("width", [80, 140])
def test_what_is_shown_adds_up_and_fits(desk, width):
    out = terminal(width)
    show(out, found(desk, 0, 5))
    text = said(out)
    assert all(len(line) <= width for line in text.splitlines())
    points = [float(number) for number in re.findall(r"([+-]\d+\.\d\d)$", text, re.MULTILINE)]
    assert round(sum(points[:-1]), 2) == points[-1]
    assert re.search(r"Sent a form +new +\+29\.00", text)


def test_what_is_shown_of_a_day_says_how_it_is_meant(desk):
    for ago, words in ((3, "facts, model and sales' word as of now"), (-3, "if nothing is done until then")):
        out = terminal(80)
        show(out, found(desk, ago))
        assert words in said(out)
        assert "Why " in said(out)


def test_json_has_the_lines_as_exact_text(desk):
    told = json.loads(json.dumps(found(desk, 0, 5).to_json()))
    assert (told["since"], told["day"]) == (str(day(desk, 5)), str(day(desk, 0)))
    assert sum(float(shift["points"]) for shift in told["shifts"]) == pytest.approx(
        told["ledger"]["score"] - told["before"]["score"]
    )


def test_the_earlier_day_must_be_earlier(desk):
    with pytest.raises(CommandError, match="is not before"):
        _days(Asked(since=day(desk, 0)), day(desk, 0))
