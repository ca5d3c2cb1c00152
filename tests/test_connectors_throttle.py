from hypothesis import given
from hypothesis import strategies as st

from connectors.throttle import Throttle


class Clock:
    def __init__(self) -> None:
        self.at = 0.0

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.at += seconds


def _throttle(clock: Clock, limit: int, window_s: float) -> Throttle:
    return Throttle(limit=limit, window_s=window_s, monotonic=clock.now, sleep=clock.sleep)


@given(st.integers(1, 7), st.lists(st.floats(0, 3), min_size=1, max_size=60))
def test_no_window_ever_holds_more_than_the_limit(limit: int, pauses: list[float]):
    clock = Clock()
    throttle = _throttle(clock, limit, 2.0)
    sent = []
    for pause in pauses:
        clock.sleep(pause)
        throttle.take()
        sent.append(clock.at)
    for begin in range(len(sent) - limit):
        assert sent[begin + limit] - sent[begin] >= 2.0 - 1e-9


def test_calls_below_the_limit_do_not_wait():
    clock = Clock()
    throttle = _throttle(clock, 4, 1.0)
    for _ in range(4):
        throttle.take()
    assert clock.at == 0.0
    throttle.take()
    assert clock.at == 1.0


def test_a_new_limit_counts_what_was_sent_before():
    clock = Clock()
    throttle = _throttle(clock, 10, 10.0)
    for _ in range(6):
        throttle.take()
        clock.sleep(0.5)
    throttle.set_limit(3)
    throttle.take()
    assert clock.at == 11.5  # three of the six were sent at or after 1.5
    throttle.set_limit(0)
    assert throttle.limit == 1
