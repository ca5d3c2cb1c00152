import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import ConnectorError, Fatal, QuotaSpent, Refused, Retriable
from connectors.retry import RetryPolicy, retrying, wait_s


class Calls:
    """Fails with each error in turn, then returns its number of calls."""

    def __init__(self, *errors: ConnectorError) -> None:
        self.errors = list(errors)
        self.made = 0

    def __call__(self) -> int:
        self.made += 1
        if self.errors:
            raise self.errors.pop(0)
        return self.made


def _run(calls: Calls, policy: RetryPolicy | None = None) -> tuple[int, list[float]]:
    waits: list[float] = []
    run = retrying(policy or RetryPolicy(), sleep=waits.append, chance=lambda: 0.0)
    return run(calls), waits


def test_a_retriable_call_is_made_again_with_growing_waits():
    assert _run(Calls(Retriable("a"), Retriable("b"), Retriable("c"))) == (4, [0.25, 0.5, 1.0])


def test_the_crm_says_how_long_to_wait():
    assert _run(Calls(Retriable("a", after_s=10.0), Retriable("b"))) == (3, [10.0, 0.5])


@pytest.mark.parametrize(
    "error",
    [
        Fatal("x"),
        Refused("x", code="X"),
        QuotaSpent("x", until=datetime(2026, 1, 1, tzinfo=UTC)),
        ConnectorError("x"),
    ],
)
def test_nothing_else_is_tried_again(error: ConnectorError):
    calls = Calls(error)
    with pytest.raises(type(error)) as raised:
        _run(calls)
    assert raised.value is error
    assert calls.made == 1


def test_attempts_are_bounded_and_the_last_error_is_raised():
    errors = [Retriable(str(number)) for number in range(9)]
    calls = Calls(*errors)
    with pytest.raises(Retriable, match="4"):
        _run(calls)
    assert calls.made == 5


def test_a_wait_longer_than_allowed_ends_at_once():
    calls = Calls(Retriable("for hours", after_s=7200.0))
    with pytest.raises(Retriable) as raised:
        _run(calls)
    assert (calls.made, raised.value.after_s) == (1, 7200.0)


@given(st.lists(st.none() | st.floats(min_value=0, max_value=100), max_size=8), st.floats(min_value=0, max_value=0.999))
def test_waits_never_add_up_to_more_than_allowed(asked: list[float | None], chance: float):
    policy = RetryPolicy(longest_s=45.0)
    waits: list[float] = []
    run = retrying(policy, sleep=waits.append, chance=lambda: chance)
    with contextlib.suppress(Retriable):
        run(Calls(*(Retriable("x", after_s=after_s) for after_s in asked)))
    assert sum(waits) <= 45.0


@given(st.integers(1, 9), st.floats(0, 1e4), st.floats(0, 0.999))
def test_a_wait_is_never_shorter_than_asked(attempt: int, after_s: float, chance: float):
    assert wait_s(RetryPolicy(), attempt, after_s, chance) >= after_s
