"""What HubSpot stores of a value that is written: text, in the spelling of the property's type, or a refusal."""

import math
from typing import Any

from connectors.emulator.clock import DAY_MS, iso, parse_ms
from connectors.emulator.hubspot.definitions import Definition

LONGEST = 65_536


class BadValue(ValueError):
    """The value is not of the property's type; ``code`` is HubSpot's."""

    def __init__(self, code: str, message: str) -> None:
        """``message`` is what HubSpot says of the property."""
        super().__init__(message)
        self.code = code


def stored(definition: Definition, value: Any) -> str:
    """The stored text; "" empties the property. Numbers are kept as sent. Raises BadValue.

    >>> number = Definition(name="n", label="N", type="number", field_type="number")
    >>> stored(number, "55.0"), stored(number, 42), stored(number, "")
    ('55.0', '42', '')
    """
    if value is None or isinstance(value, list | dict):
        raise BadValue("INVALID_TYPE", f'Property "{definition.name}" needs a text; "" empties it')
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if not text:
        return ""
    match definition.type:
        case "number":
            return _number(definition, text)
        case "bool":
            return _option(text.lower(), ("true", "false"))
        case "enumeration" if definition.options:
            many = definition.field_type == "checkbox"
            for item in text.split(";") if many else [text]:
                _option(item, definition.options)
            return text
        case "date" | "datetime":
            return _date(definition, text)
    if len(text) > LONGEST:
        raise BadValue("PROPERTY_TOO_LONG", f'Property "{definition.name}" takes at most {LONGEST} characters')
    return text


def _number(definition: Definition, text: str) -> str:
    try:
        finite = math.isfinite(float(text))
    except ValueError:
        finite = False
    if not finite:
        raise BadValue("INVALID_FLOAT", f'{text!r} is not a number, property "{definition.name}"')
    return text


def _option(text: str, options: tuple[str, ...]) -> str:
    if text not in options:
        raise BadValue("INVALID_OPTION", f"{text} was not one of the allowed options: {list(options)}")
    return text


def _date(definition: Definition, text: str) -> str:
    try:
        ms = parse_ms(text)
        shown = iso(ms)
    except (ValueError, OverflowError, OSError) as error:
        raise BadValue("INVALID_DATE", f'{text!r} is not a valid date, property "{definition.name}"') from error
    if definition.type == "datetime":
        return shown
    if ms % DAY_MS:
        raise BadValue("INVALID_DATE", f'{text} is not midnight UTC, property "{definition.name}" is a date')
    return shown[:10]


def comparable(definition: Definition | None, text: str) -> float | str:
    """A value as filters and sorts compare it: a number, milliseconds, or case-folded text; else ValueError.

    >>> comparable(Definition(name="d", label="D", type="date", field_type="date"), "1970-01-02")
    86400000
    """
    match definition.type if definition else "string":
        case "number":
            return float(text)
        case "date" | "datetime":
            return parse_ms(text)
    return text.casefold()
