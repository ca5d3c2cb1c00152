"""Salesforce's ids: 15 characters that tell cases apart, and the 18 with a checksum that the API gives.

Ids made here grow as text does, so that the order of ids is the order of creation.
"""

import re

from connectors.emulator.salesforce.refusals import Refused

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_MARKS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_CAPITALS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")
#: where the org lives, as ids say it
_INSTANCE = "5g0"


def new_id(prefix: str, number: int) -> str:
    """The id of the ``number``-th record of an object with this key prefix.

    >>> new_id("00Q", 1), new_id("00Q", 62)
    ('00Q5g0000000001EAA', '00Q5g0000000010EAA')
    """
    digits = ""
    while number:
        number, digit = divmod(number, 62)
        digits = _DIGITS[digit] + digits
    return whole(f"{prefix}{_INSTANCE}{digits.rjust(9, '0')}")


def whole(short: str) -> str:
    """The 18 characters of an id of 15: each of the last three tells which of five letters are capitals.

    >>> whole("001A0000006Vm9r")
    '001A0000006Vm9rIAC'
    """
    marks = (sum(1 << place for place in range(5) if short[start + place] in _CAPITALS) for start in range(0, 15, 5))
    return short + "".join(_MARKS[mark] for mark in marks)


def normalised(text: object) -> str:
    """The 18 characters of an id of 15 or 18; a MALFORMED_ID refusal when it is neither.

    >>> normalised("00Q5g0000000001")
    '00Q5g0000000001EAA'
    """
    if not isinstance(text, str) or not _ID.fullmatch(text) or (len(text) == 18 and whole(text[:15]) != text):
        raise Refused("MALFORMED_ID", f"Id: id value of incorrect type: {text}", fields=["Id"])
    return whole(text[:15])
