"""The text between the quotes of a SOQL string: its escapes, and what it means to LIKE."""

import re

_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\", "%": "%", "_": "_"}
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|(.))", re.DOTALL)


def unescaped(raw: str) -> str:
    r"""A string literal's content.

    >>> unescaped(r"O\'Brien")
    "O'Brien"
    """
    return _ESCAPE.sub(_unescape, raw)


def like_pattern(raw: str) -> re.Pattern[str]:
    """What a LIKE literal matches in case-folded text: the whole of it, % any characters and _ one.

    >>> bool(like_pattern("Acme%").fullmatch("acme ltd")), bool(like_pattern("a_me").fullmatch("acme ltd"))
    (True, False)
    """
    parts = re.split(r"(\\u[0-9A-Fa-f]{4}|\\.|%|_)", raw, flags=re.DOTALL)
    wild = {"%": ".*", "_": "."}
    return re.compile("".join(wild.get(part) or re.escape(unescaped(part).casefold()) for part in parts), re.DOTALL)


def bad_escape(raw: str) -> str:
    r"""The first escape of a literal that is none; "" when all are.

    >>> bad_escape(r"O\'Brien"), bad_escape(r"O\Brien")
    ('', '\\B')
    """
    return next((match[0][:2] for match in _ESCAPE.finditer(raw) if not match[1] and match[2] not in _ESCAPES), "")


def _unescape(match: re.Match[str]) -> str:
    return chr(int(match[1], 16)) if match[1] else _ESCAPES[match[2]]
