"""Clicks in mails that no person made: machines that check links click at once, or many at a time."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scoring.engagement import Bots
from scoring.touchpoints import Entries, Ints, Touchpoint, entries_of, value_of

CLICKED, DELIVERED, SENT = "email_clicked", "email_delivered", "email_sent"
MAIL = "mail"  #: the attribute that tells mails apart
_ROLES = (DELIVERED, SENT, CLICKED)  # at one instant a mail is delivered before it is clicked
_CLICK = _ROLES.index(CLICKED)
_US = 1_000_000


@dataclass(frozen=True, kw_only=True, eq=False)
class CompiledBots:
    """What tells a bot's click; a touchpoint's owner is its role (``_ROLES``), the value its mail."""

    entries: Entries
    mails: int
    closer_us: int  #: microseconds; 0 when it does not matter
    after_us: int  #: microseconds; 0 when it does not matter


def compile_bots(bots: Bots | None, touchpoints: Sequence[Touchpoint]) -> CompiledBots | None:
    """The signs of a bot, None when the model has none: only touchpoints with exact times and a mail can show them."""
    if bots is None:
        return None
    codes: dict[str, int] = {}
    rows = [
        (point.number, _ROLES.index(point.kind), codes.setdefault(mail, len(codes)))
        for point in touchpoints
        if point.exact and point.kind in _ROLES and (mail := value_of(point, MAIL))
    ]
    return CompiledBots(
        entries=entries_of(rows),
        mails=len(codes),
        closer_us=(bots.clicks_closer_than or 0) * _US,
        after_us=(bots.after_delivery or 0) * _US,
    )


def clicks_of_bots(compiled: CompiledBots, person: Ints, at: Ints, touchpoint: Ints) -> npt.NDArray[np.bool_]:
    """Which activities are clicks of bots: too close to another click on the same mail, or to its latest delivery.

    Rows are sorted by person and mail, then time, so that neighbours are next to each other and the latest delivery is
    a running maximum of row numbers.
    """
    found = np.zeros(len(person), dtype=np.bool_)
    place, matched = compiled.entries.places(touchpoint)
    rows, place = np.flatnonzero(matched), place[matched]
    role, when = compiled.entries.owner[place], at[rows]
    stream = person[rows] * compiled.mails + compiled.entries.value[place]
    order = np.lexsort((role, when, stream))
    rows, role, when, stream = rows[order], role[order], when[order], stream[order]

    bot = np.zeros(len(rows), dtype=np.bool_)
    clicks = np.flatnonzero(role == _CLICK)
    close = (np.diff(when[clicks]) < compiled.closer_us) & (np.diff(stream[clicks]) == 0)
    bot[clicks[1:]] |= close
    bot[clicks[:-1]] |= close

    number = np.arange(len(rows))
    start = np.maximum.accumulate(np.where(np.append(True, np.diff(stream) != 0)[: len(rows)], number, 0))
    delivered, sent = (np.maximum.accumulate(np.where(role == _ROLES.index(kind), number, -1)) for kind in _ROLES[:2])
    latest = np.where(delivered >= start, delivered, sent)
    soon = when - when[latest] < compiled.after_us
    bot |= (role == _CLICK) & (latest >= start) & soon
    found[rows] = bot
    return found
