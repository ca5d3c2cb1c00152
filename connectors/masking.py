"""A CRM's words as they may be shown, logged and kept: without mail addresses and tokens."""

import re

_ADDRESS = re.compile(r"[^\s\"'<>\[\]()=,;:]+(?:@|%40)[^\s\"'<>\[\](),;:]+", re.IGNORECASE)
#: HubSpot's service keys, Salesforce's session ids
_TOKEN = re.compile(r"\bpat-[\w-]{8,}|\b00D\w{12,15}(?:!|%21)[\w.%]+")


def without_addresses(text: str) -> str:
    """The text, at most 400 characters of it, with mail addresses and tokens left out.

    >>> without_addresses("ann@example.com is taken")
    '… is taken'
    >>> without_addresses("Bearer 00D5g000004XyzA!AQEAQ.x_y is no session")
    'Bearer … is no session'
    """
    return _TOKEN.sub("…", _ADDRESS.sub("…", text[:4000]))[:400]
