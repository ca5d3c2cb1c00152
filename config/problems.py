"""What is wrong in a config folder: one Problem a mistake, at the place where the admin mends it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal


@dataclass(frozen=True, kw_only=True, slots=True)
class Spot:
    """A place in a file; line and column count from 1."""

    #: relative to the config folder, with forward slashes
    path: str
    line: int = 1
    column: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One mistake. An error keeps everything from running; a warning does not."""

    path: str
    line: int
    column: int
    message: str
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        """As compilers print it: ``models/b2b.yaml:12:5: what, why, what to do``."""
        note = "warning: " if self.severity == "warning" else ""
        return f"{self.path}:{self.line}:{self.column}: {note}{self.message}"


def error(spot: Spot, message: str) -> Problem:
    """A mistake that keeps everything from running."""
    return Problem(path=spot.path, line=spot.line, column=spot.column, message=message)


def warning(spot: Spot, message: str) -> Problem:
    """Something that works, but hardly as meant."""
    return Problem(path=spot.path, line=spot.line, column=spot.column, message=message, severity="warning")


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """The problems by file and position, each once."""
    return sorted(set(problems), key=lambda problem: (problem.path, problem.line, problem.column, problem.message))


def unknown(spot: Spot, what: str, name: str, known: Iterable[str], advice: str) -> Problem:
    """A name that is not one of the known, with the nearest of them and what to do."""
    close = nearest(name, known)
    return error(
        spot, f'{what} "{name}"{close} {advice[0].upper()}{advice[1:]}' if close else f'{what} "{name}"; {advice}'
    )


def nearest(name: str, names: Iterable[str]) -> str:
    """``, did you mean "x"?`` with the most similar of the names; "" when none is similar.

    >>> nearest("halflife", ["half_life", "linear"])
    ', did you mean "half_life"?'
    """
    folded = {each.casefold(): each for each in names}
    close = get_close_matches(name.casefold(), folded, n=1, cutoff=0.65)
    return f', did you mean "{folded[close[0]]}"?' if close else ""


def listed(names: Iterable[str]) -> str:
    """The names for a sentence, at most a dozen.

    >>> listed(["score", "fit"])
    'score, fit'
    """
    names = list(names)
    return ", ".join(names[:12]) + (", …" if len(names) > 12 else "")


_SECRET = re.compile(r"pat-|:[^/\s]*@|//[^/\s]*@|(?=[\w-]*\d)[\w-]{24,}", re.IGNORECASE)


def shown(value: Any) -> str:
    """The value as a message shows it: short, and hidden when it could be a secret.

    >>> shown("on"), shown("pat-na1-0000"), shown([1])
    ('the text "on"', 'a text (not shown)', 'a list')
    """
    if isinstance(value, str):
        if not value.strip():
            return "an empty text"
        return "a text (not shown)" if _SECRET.search(value) or len(value) > 60 else f'the text "{value}"'
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, dict):
        return "a mapping"
    return "nothing" if value is None else str(value).lower()
