"""Values as YAML on one line, which ``config.reading`` reads back as they are."""

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

_PLAIN = re.compile(r"[A-Za-z](?:[\w +/.&-]*[\w+])?", re.ASCII)
_WORDS = ("true", "false", "null")


def flow(value: Any) -> str:
    """The value as YAML writes it between braces; texts in quotes only where YAML would read something else.

    >>> flow({"score": {"between": [60, 70]}, "grade": "A", "note": "a: b"})
    '{score: {between: [60, 70]}, grade: A, note: "a: b"}'
    """
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{flow(str(key))}: {flow(held)}' for key, held in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(flow, value))}]"
    if isinstance(value, str):
        plain = _PLAIN.fullmatch(value) and value not in _WORDS
        return value if plain else f'"{"".join(map(_letter, value))}"'
    if isinstance(value, bool) or value is None:
        return "null" if value is None else str(value).lower()
    if isinstance(value, date):
        return value.isoformat()
    return f"{Decimal(repr(value)):f}" if isinstance(value, float) else str(value)


def _letter(letter: str) -> str:
    """The letter as it stands between double quotes."""
    if letter in ('"', "\\"):
        return f"\\{letter}"
    return letter if letter.isprintable() else f"\\U{ord(letter):08X}"
