"""Sales' word: what sales last said of a person, and how it reads on a day.

The word is an event with an instant. ``lost`` rules for the model's ``lost_for``, then it reads as recycled at the same
instant.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from scoring.model import ScoringModel

Word = Literal["qualifying", "accepted", "recycled", "won", "lost"]

#: Of words said at the same instant the highest counts.
WORD_RANK: Mapping[Word, int] = {"recycled": 1, "lost": 2, "qualifying": 3, "accepted": 4, "won": 5}


@dataclass(frozen=True, kw_only=True)
class Sales:
    """What sales last said of a person; ``None`` in its place is no word."""

    word: Word
    at: int  #: microseconds since 1970 in UTC, when that meaning was first seen
    on: date  #: the date of ``at`` in the installation's time zone


def latest_word(words: Iterable[Sales]) -> Sales | None:
    """The word that counts of a person's records: the latest; ties by won, accepted, qualifying, lost, recycled.

    >>> lost, won = (Sales(word=word, at=0, on=date(1970, 1, 1)) for word in ("lost", "won"))
    >>> latest_word([lost, won]).word, latest_word([])
    ('won', None)
    """
    return max(words, key=lambda said: (said.at, WORD_RANK[said.word]), default=None)


def ruling(model: ScoringModel, sales: Sales | None, day: date) -> Word | None:
    """Sales' word as it reads on ``day``: a ``lost`` older than ``lost_for`` reads as recycled."""
    if sales is None:
        return None
    lost_for = model.mql.lost_for
    if sales.word == "lost" and lost_for != "ever" and (day - sales.on).days > lost_for:
        return "recycled"
    return sales.word


def recycled_at(model: ScoringModel, sales: Sales | None, day: date) -> int | None:
    """The instant of sales' word in microseconds where it reads as recycled on ``day``, else None."""
    return sales.at if sales is not None and ruling(model, sales, day) == "recycled" else None
