"""Dates and instants as Salesforce spells them: ``2026-11-20`` and ``2026-11-20T10:00:00.000+0000``."""

from datetime import UTC, date, datetime

from connectors.emulator.clock import parse_ms


def shown(ms: int) -> str:
    """The API's text of an instant.

    >>> shown(1767323045678)
    '2026-01-02T03:04:05.678+0000'
    """
    seconds, rest = divmod(ms, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC).isoformat()[:19]}.{rest:03d}+0000"


def instant_ms(text: str) -> int:
    """Milliseconds of an instant with an offset, in any ISO spelling; ValueError otherwise.

    >>> shown(instant_ms("2026-01-02T03:04:05Z")), shown(instant_ms("2026-01-02T04:04:05.5+0100"))
    ('2026-01-02T03:04:05.000+0000', '2026-01-02T03:04:05.500+0000')
    """
    if "T" not in text or not (text.endswith("Z") or "+" in text or "-" in text.partition("T")[2]):
        raise ValueError(f"{text!r} is no instant with an offset")
    return parse_ms(text)


def day(text: str) -> str:
    """A date's text, of a date or of an instant's own day; ValueError otherwise.

    >>> day("2026-01-02"), day("2026-01-02T03:04:05Z")
    ('2026-01-02', '2026-01-02')
    """
    return date.fromisoformat(text.partition("T")[0]).isoformat()
