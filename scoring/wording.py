"""The ledger in words: what is written to the CRM, and the one line and the reasons that sales reads.

Nothing here changes from one day to the next by itself: days are given as dates, never as ages, with the year only when
it is not the score day's. People see labels and words, never ids.
"""

from collections.abc import Mapping
from datetime import date
from operator import itemgetter
from typing import Literal

from scoring.condition_words import value_in_words
from scoring.dates import day_in_words
from scoring.fact_values import FactValue
from scoring.journey import Journey, Status
from scoring.ledger import UNITS_PER_POINT, Ledger, Line
from scoring.missing import missing, points_to_mql
from scoring.model import ScoringModel
from scoring.phrases import lower_start
from scoring.scores import Evaluation
from scoring.trend import momentum

OutputType = Literal["number", "text", "date", "option"]

#: The outputs there are, and the type of field each needs.
OUTPUT_TYPES: Mapping[str, OutputType] = {
    "score": "number",
    "fit": "number",
    "engagement": "number",
    "grade": "option",
    "tier": "option",
    "momentum": "option",
    "surged_on": "date",
    "mql_status": "option",
    "mql_since": "date",
    "mql_cause": "option",
    "first_mql_on": "date",
    "mql_count": "number",
    "recycled_on": "date",
    "disqualified_by": "text",
    "points_to_mql": "number",
    "interest": "text",
    "summary": "text",
    "reasons": "text",
    "missing": "text",
    "model": "text",
    "scored_on": "date",
}
#: The statuses as people read them, in the CRM too.
STATUS_WORDS: Mapping[Status, str] = {
    "suspect": "Suspect",
    "prospect": "Prospect",
    "mql": "MQL",
    "qualifying": "Qualifying",
    "accepted": "Accepted",
    "recycled": "Recycled",
    "won": "Won",
    "lost": "Lost",
    "disqualified": "Disqualified",
}

_TENTH = UNITS_PER_POINT // 10
_ELLIPSIS = "…"


def outputs(
    model: ScoringModel,
    journey: Journey,
    ledger: Ledger,
    day: date,
    lengths: Mapping[str, int] | None = None,
    *,
    evaluation: Evaluation,
) -> dict[str, FactValue | None]:
    """The value of every output of ``OUTPUT_TYPES``, ``None`` where there is nothing to say.

    ``lengths`` are the characters that a text may have; a text without a length is not cut.
    """
    texts = {
        "disqualified_by": ledger.disqualified_by,
        "interest": evaluation.interest,
        "summary": summary(journey, ledger, day),
        "reasons": reasons(ledger, day),
        "missing": missing(model, journey, evaluation, day),
        "model": model.model,
    }
    fitting = {name: text and shorten(text, (lengths or {}).get(name)) for name, text in texts.items()}
    return {
        "score": ledger.score,
        "fit": ledger.fit,
        "engagement": ledger.engagement,
        "grade": ledger.grade,
        "tier": ledger.tier,
        "momentum": momentum(evaluation),
        "surged_on": journey.surged_on,
        "mql_status": STATUS_WORDS[journey.status],
        "mql_since": journey.mql_since,
        "mql_cause": journey.cause,
        "first_mql_on": journey.first_mql_on,
        "mql_count": journey.mql_count,
        "recycled_on": journey.recycled_on,
        "points_to_mql": points_to_mql(model, journey, evaluation),
        **{name: text or None for name, text in fitting.items()},
        "scored_on": day,
    }


def summary(journey: Journey, ledger: Ledger, day: date) -> str:
    """One line: tier, score, status with its day, and the strongest reason in favour when there is one."""
    if ledger.disqualified_by is not None:
        return f"{ledger.tier} · {_verdict(ledger.disqualified_by)}"
    since = journey.mql_since if journey.status == "mql" and journey.mql_since else journey.since
    parts = [ledger.tier, str(ledger.score), f"{STATUS_WORDS[journey.status]} since {day_in_words(since, day)}"]
    best, effect = max(ledger.effects, key=itemgetter(1), default=(None, 0))
    if best is not None and _tenths(effect) > 0:
        parts.append(lower_start(_what(best, day)))
    return " · ".join(parts)


def reasons(ledger: Ledger, day: date) -> str:
    """What made the score, strongest first, for and against, in points of the score; "" when nothing has an effect.

    A disqualifier comes before all. The points are those that count under caps and other bounds (``Ledger.effects``); a
    reason without a tenth of a point is left out.
    """
    parts = []
    if ledger.disqualified_by is not None:
        parts.append(f"{_verdict(ledger.disqualified_by)}{_signed(_tenths(ledger.lines[-1].units))}")
    for line, effect in sorted(ledger.effects, key=lambda pair: -abs(pair[1])):
        if tenths := _tenths(effect):
            parts.append(f"{_what(line, day)}{_when(line, day)}{_signed(tenths)}")
    return "; ".join(parts)


def shorten(text: str, length: int | None) -> str:
    """The text in at most ``length`` characters, cut after a whole word and marked with an ellipsis.

    >>> shorten("Asked for a demo (3 Nov) +24", 12)
    'Asked for a…'
    """
    if length is None or len(text) <= length:
        return text
    if length < 1:
        return ""
    room = text[: length - 1]
    if not text[length - 1].isspace() and not room[-1:].isspace():
        words = room.rsplit(maxsplit=1)
        room = words[0] if len(words) > 1 else room
    return room.rstrip(" ;,:·") + _ELLIPSIS


def _verdict(label: str) -> str:
    return f"{STATUS_WORDS['disqualified']}: {lower_start(label)}"


def _what(line: Line, day: date) -> str:
    return line.label if line.value is None else f"{line.label}: {value_in_words(line.value, line.key, day)}"


def _when(line: Line, day: date) -> str:
    if line.newest is None:
        return ""
    newest = day_in_words(line.newest, day)
    return f" {line.count}x (latest {newest})" if line.count > 1 else f" ({newest})"


def _tenths(units: int) -> int:
    """Tenths of a point, rounded half away from zero."""
    size = (2 * abs(units) + _TENTH) // (2 * _TENTH)
    return size if units > 0 else -size


def _signed(tenths: int) -> str:
    if not tenths:
        return ""
    whole, tenth = divmod(abs(tenths), 10)
    sign = "+" if tenths > 0 else "-"
    return f" {sign}{whole}.{tenth}" if tenth else f" {sign}{whole}"
