"""Clicks of bots, on cases worked out by hand."""

import pytest

from tests.scoring_cases import evaluate, evaluate_all, raw_model, rule

RULES = {"click": rule("email_clicked", 1)}
CLOSE = {"clicks_closer_than": "2s"}
AFTER = {"after_delivery": "5s"}


@pytest.mark.parametrize(
    ("bots", "activities", "clicks"),
    [
        (CLOSE, [(0, "click", 0), (0, "click", 2)], 2),  # two seconds apart is not closer than two seconds
        (CLOSE, [(0, "click", 0), (0, "click", 1)], 0),  # both go
        (CLOSE, [(0, "click", 0), (0, "click", 1.9)], 0),
        (CLOSE, [(0, "click", 0), (0, "click", 0)], 0),  # and at one instant
        (CLOSE, [(0, "click", 0), (0, "link", 1)], 0),  # another link of the same mail, by its folded id
        (CLOSE, [(0, "click", 0), (0, "june", 1)], 2),  # another mail
        (CLOSE, [(0, "click", 0), (0, "click", 1), (0, "click", 9)], 1),  # a later one is a person's
        (CLOSE, [(0, "click", 0), (0, "june", 1), (0, "click", 1)], 1),  # the mail between does not part them
        (CLOSE, [(0, "click", 0), (0, "task", 1)], 2),  # dates alone tell nothing
        (CLOSE, [(0, "nameless", 0), (0, "nameless", 0)], 2),  # nor do clicks on no known mail
        (CLOSE, [(0, "delivered", 0), (0, "click", 1)], 1),  # only what the model names
        (CLOSE, [(0, "delivered", 0), (0, "click", 0)], 1),
        (CLOSE, [(0, "opened", 0), (0, "click", 1)], 1),  # another kind of activity on the mail
        (AFTER, [(0, "click", 0), (0, "click", 0)], 2),
        (AFTER, [(0, "delivered", 0), (0, "click", 4)], 0),
        (AFTER, [(0, "delivered", 0), (0, "click", 0)], 0),  # delivered at the instant of the click
        (AFTER, [(0, "delivered", 0), (0, "click", 5)], 1),
        (AFTER, [(0, "delivered", 3), (0, "click", 0)], 1),  # delivered later
        (AFTER, [(0, "delivered", 0), (0, "delivered", 9), (0, "click", 10)], 0),  # the latest at or before it
        (AFTER, [(0, "delivered", 0), (0, "sent", 9), (0, "click", 10)], 1),  # sent does not matter beside delivered
        (AFTER, [(0, "sent", 9), (0, "click", 10)], 0),  # but where there is none
        (AFTER, [(0, "sent", 9), (0, "delivered", 30), (0, "click", 10)], 0),  # at or before the click
        (AFTER, [(0, "delivered", 9), (0, "june", 10)], 1),  # another mail's delivery
        (AFTER, [(0, "delivered", 9), (0, "task", 10)], 1),
        (CLOSE | AFTER, [(0, "delivered", 0), (0, "click", 4), (0, "click", 7), (0, "click", 8)], 0),
        (None, [(0, "delivered", 0), (0, "click", 0), (0, "click", 0)], 2),
    ],
)
def test_a_click_is_left_out_by_another_click_or_its_delivery(bots, activities, clicks):
    raw = raw_model(RULES, **({"bots": bots} if bots else {}))
    found = evaluate(raw, *activities)
    assert found.engagement == clicks
    assert found.activity_count == len(activities) - sum("email_clicked" in _kind(one) for one in activities) + clicks
    assert (found.newest_positive_at is not None) == (clicks > 0)  # nor is it a positive activity


def _kind(activity):
    return "" if activity[1] in ("delivered", "sent", "opened") else "email_clicked"


def test_a_click_that_does_not_count_yet_accuses_none_that_does():
    raw = raw_model(RULES, bots={"clicks_closer_than": "3600s"})
    assert evaluate(raw, (0, "click", 12 * 3_600 - 1), (-1, "click", -12 * 3_600)).engagement == 1


def test_clicks_of_two_people_on_one_mail_are_no_neighbours():
    raw = raw_model(RULES, bots=CLOSE | AFTER)
    scores = evaluate_all(raw, [[(0, "click", 0)], [(0, "june", 1)], [(0, "delivered", 0)], [(0, "click", 1)]])
    assert [found.engagement for found in scores] == [1, 1, 0, 1]
