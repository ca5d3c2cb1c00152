"""Observed, confirmed, desired: what a read and a receipt change, and when sending ends."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.observe import BRAKE_WINDOW, LAG_WINDOW, SENDS, Fields, Send, does_not_stick, observe, receive

NOW = 1_800_000_000_000_000
SECOND = 1_000_000
DAY = 86_400 * SECOND
WRITTEN = Fields(
    observed={"score": 55},
    confirmed={"score": 55},
    desired={"score": 55},
    receipt_at=NOW,
    receipt_stamp=NOW,
    echo=True,
)

values = st.dictionaries(st.sampled_from(["score", "tier", "since"]), st.integers(0, 3) | st.text(max_size=2))
spans = st.integers(-2 * LAG_WINDOW, 2 * LAG_WINDOW)


@pytest.mark.parametrize(
    ("stamp", "requested", "now", "taken", "remark"),
    [
        (-SECOND, SECOND, SECOND, False, "the index still shows the record as it was before our write"),
        (SECOND, -SECOND, SECOND, False, "the page was asked for before our write was acknowledged"),
        (-SECOND, -SECOND, SECOND, False, "both"),
        (0, SECOND, SECOND, True, "our own write comes back"),
        (SECOND, SECOND, 2 * SECOND, True, "somebody edited after us"),
        (-SECOND, -SECOND, LAG_WINDOW - 1, False, "the last instant of the window"),
        (-SECOND, -SECOND, LAG_WINDOW, True, "the window is closed: what is read is what stands there"),
    ],
)
def test_a_read_within_the_lag_window_must_be_newer_than_our_receipt(stamp, requested, now, taken, remark):
    after = observe(WRITTEN, {"score": 12}, stamp=NOW + stamp, requested_at=NOW + requested, now=NOW + now)
    assert (after.observed == {"score": 12}) is taken, remark
    assert after.echo is not taken, remark


def test_a_record_never_written_is_seen_as_it_is():
    assert observe(Fields(), {"score": 12}, stamp=1, requested_at=1, now=2).observed == {"score": 12}


@pytest.mark.parametrize(
    ("confirmed", "seen", "after", "remark"),
    [
        ({"score": 40}, {"score": 55}, {"score": 55}, "a write whose receipt was lost"),
        ({}, {"score": 55}, {"score": 55}, "the first one"),
        ({"score": 40}, {"score": 12}, {"score": 40}, "somebody else's value"),
        ({"score": 40, "tier": "A"}, {"score": 55}, {"score": 55, "tier": None}, "emptied, and the receipt lost"),
        ({}, {}, {}, "empty as it was before us"),
    ],
)
def test_what_stands_there_as_it_should_is_confirmed(confirmed, seen, after, remark):
    fields = Fields(confirmed=confirmed, desired={"score": 55, "tier": None})
    assert observe(fields, seen, stamp=1, requested_at=1, now=2).confirmed == after, remark


@given(values, spans, spans, st.integers(0, LAG_WINDOW - 1))
def test_within_the_window_an_older_read_leaves_everything(seen, stamp, requested, elapsed):
    after = observe(WRITTEN, seen, stamp=NOW + stamp, requested_at=NOW + requested, now=NOW + elapsed)
    if stamp < 0 or requested < 0:
        assert after is WRITTEN
    else:
        assert after.observed == seen


@given(values, spans, spans, st.integers(LAG_WINDOW, 10 * DAY))
def test_after_the_window_every_read_counts(seen, stamp, requested, elapsed):
    after = observe(WRITTEN, seen, stamp=NOW + stamp, requested_at=NOW + requested, now=NOW + elapsed)
    assert after.observed == seen
    assert not after.echo


@given(values, spans, spans, st.integers(0, 2 * LAG_WINDOW))
def test_a_read_of_a_confirmed_record_changes_what_is_observed_and_nothing_else(seen, stamp, requested, elapsed):
    once = observe(WRITTEN, seen, stamp=NOW + stamp, requested_at=NOW + requested, now=NOW + elapsed)
    assert replace(once, observed=WRITTEN.observed, echo=WRITTEN.echo) == WRITTEN
    assert observe(once, seen, stamp=NOW + stamp, requested_at=NOW + requested, now=NOW + elapsed) == once


def test_a_receipt_holds_what_the_crm_returned_else_what_was_sent():
    after = receive(Fields(observed={"owner": "x"}), {"score": 55, "tier": "A1"}, {"score": 54}, stamp=None, now=NOW)
    assert after.observed == {"owner": "x", "score": 54, "tier": "A1"}
    assert after.confirmed == {"score": 55, "tier": "A1"}
    assert (after.receipt_at, after.receipt_stamp, after.echo) == (NOW, NOW, True)


@given(values, values, values)
def test_a_receipt_confirms_what_was_sent_and_leaves_other_fields(before, sent, desired):
    fields = Fields(observed=before, confirmed=before, desired=desired)
    after = receive(fields, sent, {}, stamp=NOW - SECOND, now=NOW)
    assert after.desired == desired
    for name in before.keys() | sent.keys():
        assert after.confirmed[name] == after.observed[name] == sent.get(name, before.get(name))


def send_and_lose(fields, now):
    """The value goes out, and the CRM goes on to hold another one."""
    after = receive(fields, {"score": fields.desired["score"]}, {}, stamp=now, now=now)
    later = now + LAG_WINDOW
    return observe(after, {"score": 1}, stamp=later, requested_at=later, now=later)


def test_after_three_sends_a_value_that_does_not_stay_counts_as_not_sticking():
    fields = Fields(observed={"score": 1}, desired={"score": 55})
    for number in range(SENDS):
        assert not does_not_stick(fields, "score", now=NOW + number * DAY), f"sent {number} times"
        fields = send_and_lose(fields, NOW + number * DAY)
    assert does_not_stick(fields, "score", now=NOW + SENDS * DAY)


@pytest.mark.parametrize(
    ("change", "now", "remark"),
    [
        ({"desired": {"score": 56}}, NOW, "another value is desired"),
        ({"observed": {"score": 55}}, NOW, "the value stands there after all"),
        ({"sends": {"score": Send(value=55, count=2, first_at=NOW)}}, NOW, "only two sends"),
        ({"sends": {}}, NOW, "never sent"),
        ({}, NOW + BRAKE_WINDOW + 1, "the seven days are over"),
    ],
)
def test_a_field_is_let_go_when(change, now, remark):
    stuck = Fields(
        observed={"score": 1}, desired={"score": 55}, sends={"score": Send(value=55, count=SENDS, first_at=NOW)}
    )
    assert does_not_stick(stuck, "score", now=NOW)
    assert not does_not_stick(replace(stuck, **change), "score", now=now), remark


@given(st.lists(st.integers(1, 2 * DAY), min_size=1, max_size=40))
def test_no_value_goes_out_more_than_three_times_in_seven_days(gaps):
    """A CRM that silently refuses, and passes at any times at most two days apart."""
    fields, now, sent = Fields(observed={"score": 1}, desired={"score": 55}), NOW, []
    for gap in gaps:
        now += max(gap, LAG_WINDOW)
        if does_not_stick(fields, "score", now=now):
            break
        sent.append(now)
        fields = send_and_lose(fields, now)
    assert len(sent) <= SENDS
