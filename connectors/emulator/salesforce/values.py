"""What Salesforce stores of a value that is written, or why it does not."""

from collections.abc import Callable, Mapping
from typing import Any

from connectors.emulator.salesforce.fields import Field
from connectors.emulator.salesforce.ids import normalised
from connectors.emulator.salesforce.instants import day, instant_ms, shown
from connectors.emulator.salesforce.refusals import Refused


def stored(field: Field, value: Any) -> Any:
    """The stored value; None empties the field. Numbers are kept unrounded. Raises Refused.

    >>> stored(Field(name="Score__c", label="Score", type="double", precision=5, scale=2), 81.237)
    81.237
    """
    if field.type == "boolean":
        return _boolean(field, value)
    if value is None or value == "":
        return None
    if isinstance(value, list | dict):
        raise _not_deserialised(field, value)
    keep = _KINDS.get(field.type)
    return keep(field, value) if keep else _text(field, value)


def _boolean(field: Field, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if str(value).lower() in ("true", "false"):
        return str(value).lower() == "true"
    raise _not_deserialised(field, value)


def _number(field: Field, value: Any) -> int | float:
    number = value
    if isinstance(number, str):
        try:
            number = int(number) if number.lstrip("-").isdigit() else float(number)
        except ValueError as error:
            raise _not_deserialised(field, value) from error
    if isinstance(number, bool) or number != number or (field.type == "int" and number != int(number)):  # noqa: PLR0124 - not a number is not itself
        raise _not_deserialised(field, value)
    if abs(number) >= 10 ** (field.precision - field.scale):
        raise Refused(
            "NUMBER_OUTSIDE_VALID_RANGE",
            f"{field.label}: value outside of valid range on numeric field: {value}",
            fields=[field.name],
        )
    return int(number) if field.type == "int" else number


def _date(field: Field, value: Any) -> str:
    try:
        return day(str(value))
    except ValueError as error:
        raise _not_deserialised(field, value) from error


def _instant(field: Field, value: Any) -> str:
    try:
        return shown(instant_ms(str(value)))
    except (ValueError, OverflowError) as error:
        raise _not_deserialised(field, value) from error


def _reference(field: Field, value: Any) -> str:
    try:
        return normalised(value)
    except Refused as refusal:
        message = f"{field.label}: id value of incorrect type: {value}"
        raise Refused("MALFORMED_ID", message, fields=[field.name]) from refusal


def _picklist(field: Field, value: Any) -> str:
    if field.restricted and value not in field.values:
        raise Refused(
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            f"{field.label}: bad value for restricted picklist field: {value}",
            fields=[field.name],
        )
    return _text(field, value)


def _text(field: Field, value: Any) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if field.length and len(text) > field.length:
        raise Refused(
            "STRING_TOO_LONG",
            f"{field.label}: data value too large: {text} (max length={field.length})",
            fields=[field.name],
        )
    return text


def _not_deserialised(field: Field, value: Any) -> Refused:
    kind = {"int": "xsd:int", "date": "xsd:date", "datetime": "xsd:dateTime", "boolean": "xsd:boolean"}
    return Refused(
        "JSON_PARSER_ERROR",
        f"Cannot deserialize instance of {kind.get(field.type, 'xsd:double')} from value {value!r} of {field.name}",
    )


_KINDS: Mapping[str, Callable[[Field, Any], Any]] = {
    "int": _number,
    "double": _number,
    "currency": _number,
    "percent": _number,
    "date": _date,
    "datetime": _instant,
    "picklist": _picklist,
    "reference": _reference,
    "id": _reference,
}
