"""Calls that may go through later are made again, with growing waits; everything else is raised at once.

A CRM's own word on how long to wait is honoured. Clock and chance come in as arguments.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

import structlog
from tenacity import RetryCallState, Retrying, retry_if_exception_type

from connectors.errors import Retriable

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class RetryPolicy:
    """How often, and how long in all."""

    #: calls, the first included
    attempts: int = 5
    #: seconds of waiting in all; a longer wait asked for by the CRM ends the attempts
    longest_s: float = 60.0
    #: seconds before the second call; doubled each time
    first_s: float = 0.5


def asked_wait_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that an answer's ``Retry-After`` asks to wait, given in seconds or as a date; None when it does not say.

    >>> asked_wait_s({"Retry-After": "10"}, datetime(2026, 11, 22))
    10.0
    """
    value = headers.get("Retry-After")
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(value) - now).total_seconds())
    except (ValueError, TypeError):
        return None


def wait_s(policy: RetryPolicy, attempt: int, after_s: float | None, chance: float) -> float:
    """Seconds before the next call: what the CRM asked for, else doubled each time; ``chance`` in [0, 1) spreads it.

    >>> wait_s(RetryPolicy(), 3, None, 0.5), wait_s(RetryPolicy(), 3, 10.0, 0.5)
    (1.5, 10.5)
    """
    if after_s is not None:
        return after_s * (1 + chance / 10)
    return float(policy.first_s * 2 ** (attempt - 1) * (0.5 + chance / 2))


def retrying(policy: RetryPolicy, *, sleep: Callable[[float], None], chance: Callable[[], float]) -> Retrying:
    """An object that calls a function until it returns, fails for good, or the policy is used up.

    The last error is raised as it is. Only ``Retriable`` is tried again.
    """

    def wait(state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        return wait_s(policy, state.attempt_number, getattr(error, "after_s", None), chance())

    def stop(state: RetryCallState) -> bool:
        return state.attempt_number >= policy.attempts or state.idle_for + state.upcoming_sleep > policy.longest_s

    def tell(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        log.info("call_repeated", attempt=state.attempt_number, wait_s=round(state.upcoming_sleep, 2), why=str(error))

    return Retrying(
        sleep=sleep,
        stop=stop,
        wait=wait,
        retry=retry_if_exception_type(Retriable),
        before_sleep=tell,
        reraise=True,
    )
