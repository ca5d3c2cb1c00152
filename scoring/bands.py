"""The percents of a fit variable: which written value or band a fact falls into.

All keys of a variable are of one kind; a value of another kind counts as unknown. ``a-b`` is a ≤ x < b+1, ``a+`` is
a ≤ x, a bare number is exactly it; ``within Nd`` and ``past Nd`` are dates, where the smallest N that holds counts.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema
from pydantic_core import InitErrorDetails

from scoring.conditions import span
from scoring.fact_values import FactValue, Kind, day_number, fold, kind_of
from scoring.mistakes import mistake, refusal, wrong
from scoring.values import parse_days

OTHER = "other"


@dataclass(frozen=True, kw_only=True)
class Band:
    """One key and its percent. Numbers lie in ``low`` ≤ x < ``high`` or equal both; dates in days after today."""

    key: str  # as written
    kind: Kind
    percent: int
    text: str | bool = ""
    low: float = 0
    high: float = 0

    def holds(self, value: FactValue, day: int) -> bool:
        """Whether a value of the band's own kind falls into it on a day number."""
        if isinstance(value, str):
            return fold(value) == self.text
        if isinstance(value, bool):
            return value is self.text
        if isinstance(value, date):
            return self.low <= day_number(value) - day <= self.high
        return self.low <= value < self.high or value == self.low


@dataclass(frozen=True, kw_only=True)
class Bands:
    """The bands in the order in which they are tried, and the percent of every other known value."""

    kind: Kind
    bands: tuple[Band, ...]
    other: int | None
    raw: Mapping[Any, int] = field(compare=False, repr=False)  # what was written, for writing it back

    def band(self, value: FactValue | None, day: int) -> tuple[str, int]:
        """The key that a fact's value falls into and its percent; an empty key and 0 when it is unknown or in none.

        >>> parse_bands({"1-49": 20, "50+": 100}).band(80, 0)
        ('50+', 100)
        """
        if value is None or kind_of(value) != self.kind:
            return "", 0
        for band in self.bands:
            if band.holds(value, day):
                return band.key, band.percent
        return ("", 0) if self.other is None else (OTHER, self.other)

    @property
    def best(self) -> int:
        """The highest percent that can be reached."""
        return max([band.percent for band in self.bands] + [self.other or 0])

    @property
    def holes(self) -> tuple[tuple[str, str], ...]:
        """Neighbouring bands of numbers between which values fall into neither, each as the two keys, ascending.

        A bare number reaches to the next whole one here; without a range there is no hole.

        >>> parse_bands({"1-9": 20, "50+": 100}).holes
        (('1-9', '50+'),)
        """
        if self.kind != "number" or all(band.low == band.high for band in self.bands):
            return ()
        pairs = pairwise(sorted(self.bands, key=lambda band: band.low))
        ends = {band.key: band.high if band.low < band.high else math.floor(band.low) + 1 for band in self.bands}
        return tuple((below.key, above.key) for below, above in pairs if ends[below.key] < above.low)


def parse_bands(raw: Any) -> Bands:
    """The bands that YAML gives; a ValidationError (a ValueError) with every mistake in it, each at its key.

    >>> parse_bands({"Software": 100, "other": 30}).band("Retail", 0)
    ('other', 30)
    """
    if isinstance(raw, Bands):
        return raw
    if not isinstance(raw, Mapping) or not raw:
        raise wrong("percents stand here by value or band, such as {1-49: 20, 50+: 100}")
    mistakes: list[InitErrorDetails] = []
    found: dict[str, Band] = {}
    for key, percent in raw.items():
        place = key if isinstance(key, str) else _text(key)
        if isinstance(percent, bool) or not isinstance(percent, int) or not 0 <= percent <= 100:
            mistakes.append(
                mistake((place,), f"{percent!r} is no percent; write a whole number from 0 to 100", percent)
            )
        elif key != OTHER:
            try:
                found[place] = _band(key, percent)
            except ValueError as error:
                mistakes.append(mistake((place,), str(error), key))
    mistakes.extend(_clashes(found))
    if not found and not mistakes:
        mistakes.append(mistake((), "only `other` stands here; name at least one value or band", raw))
    if mistakes:
        raise refusal("percent", mistakes)
    bands = tuple(found.values())
    if bands[0].kind == "date":  # the narrowest span is tried first; other bands cannot overlap
        bands = tuple(sorted(bands, key=lambda band: band.high - band.low))
    return Bands(kind=bands[0].kind, bands=bands, other=raw.get(OTHER), raw=dict(raw))


def _text(key: Any) -> str:
    return str(key).lower() if isinstance(key, bool) else str(key).strip()


def _band(key: Any, percent: int) -> Band:
    text = _text(key)
    if text.lower() in ("true", "false"):
        return Band(key=text, kind="bool", percent=percent, text=text.lower() == "true")
    if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text):
        return Band(key=text, kind="number", percent=percent, low=float(text), high=float(text))
    if found := re.fullmatch(r"([0-9]+) ?[-\u2013] ?([0-9]+)", text):
        low, high = int(found[1]), int(found[2])
        if high < low:
            raise wrong(f"the band {text!r} is empty; write the smaller bound first")
        return Band(key=text, kind="number", percent=percent, low=low, high=high + 1)
    if found := re.fullmatch(r"([0-9]+) ?\+", text):
        return Band(key=text, kind="number", percent=percent, low=int(found[1]), high=math.inf)
    if found := re.fullmatch(r"(within|past) (.*)", text):
        low, high = span(found[1], parse_days(found[2]))
        return Band(key=text, kind="date", percent=percent, low=low, high=high)
    if not text:
        raise wrong("blank text is unknown and gives 0; leave the key out")
    return Band(key=text, kind="text", percent=percent, text=fold(text))


def _clashes(found: Mapping[str, Band]) -> Iterator[InitErrorDetails]:
    """Bands of another kind than the first, and bands that overlap one before them."""
    before: list[Band] = []
    for place, band in found.items():
        first = before[0] if before else band
        if band.kind != first.kind:
            message = (
                f"{band.key!r} is a {band.kind} but {first.key!r} is a {first.kind}; the keys are of one kind: texts, "
                "numbers such as 1-49 and 1000+, dates such as `within 90d`, or true and false"
            )
            yield mistake((place,), message, band.key)
        elif other := next((other for other in before if _overlap(band, other)), None):
            yield mistake((place,), f"{band.key!r} overlaps {other.key!r}; a value falls into one band only", band.key)
        before.append(band)


def _overlap(one: Band, two: Band) -> bool:
    if one.kind != two.kind:
        return False
    if one.kind == "date":
        return (one.low, one.high) == (two.low, two.high)
    if one.kind != "number":
        return one.text == two.text
    low, high = sorted((one, two), key=lambda band: (band.low, -band.high))
    return high.low < low.high or high.low == low.low


BandsField = Annotated[
    Bands,
    BeforeValidator(parse_bands),
    PlainSerializer(lambda bands: dict(bands.raw), return_type=dict[Any, int]),
    WithJsonSchema(
        {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": {"type": "integer", "minimum": 0, "maximum": 100},
        }
    ),
]
