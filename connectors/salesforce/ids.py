"""Salesforce's ids: 15 characters whose case counts, or 18 with three more that tell the case."""

import re

_CHECKS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def long_id(text: str) -> str:
    """The id in 18 characters; ValueError for what is neither an id of 15 nor a sound one of 18.

    >>> long_id("001A0000006Vm9r")
    '001A0000006Vm9rIAC'
    >>> long_id("001A0000006Vm9rIAC")
    '001A0000006Vm9rIAC'
    """
    if not re.fullmatch(r"[A-Za-z0-9]{15}(?:[A-Z0-5]{3})?", text):
        raise ValueError("an id of Salesforce has 15 or 18 letters and digits")
    short = text[:15]
    # each further character tells which of five are capitals, the first of them in the lowest bit
    checks = "".join(
        _CHECKS[sum(2**place for place, letter in enumerate(short[at : at + 5]) if "A" <= letter <= "Z")]
        for at in (0, 5, 10)
    )
    if text[15:] not in ("", checks):
        raise ValueError("the last three characters of the id do not fit the others: its capitals were lost")
    return short + checks
