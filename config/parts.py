"""What the settings of every connection are made of: references, spans, guard, canary, write policy.

Spans stay the text the admin wrote (``30d``); the properties beside them give whole days or seconds.
"""

import ipaddress
import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from scoring.model import ConditionField
from scoring.values import parse_days
from scoring.wording import OUTPUT_TYPES

Policy = Literal["overwrite", "keep", "raise_only"]
Mode = Literal["shadow", "canary", "live"]
#: what sales may say of a person; the fact ``hand_off`` holds one of these
SALES_WORDS = ("new", "qualifying", "accepted", "recycled", "won", "lost")
#: facts that are asked whether they are true
FLAGS = frozenset({"do_not_profile", "hold"})
#: sources of activities, of either CRM, that may know the day alone: dates, responses, what is due, all-day events
UNTIMED = frozenset({"date_property", "date_field", "CampaignMember", "Task", "Event"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """One place a fact is read from: a field of a person's record, or of a record that one points to."""

    #: the person's object: contact, lead
    record: str
    #: the object that has the field; equals ``record`` for a field of its own
    of: str
    field: str


def _reference(text: str) -> str:
    if not re.fullmatch(r"env:[A-Za-z_][A-Za-z0-9_]*|file:/.+", text):
        raise ValueError(
            "a secret does not stand in a config file: name where it is, env:NAME for an environment variable or "
            "file:/path for a file"
        )
    return text


def _days(text: str) -> str:
    parse_days(text)
    return text


def span_seconds(text: str) -> int:
    """A span such as 30s, 5m or 2h in seconds; ValueError for anything else.

    >>> span_seconds("5m")
    300
    """
    if not re.fullmatch(r"[1-9][0-9]{0,4}[smh]", text):
        raise ValueError("must be a span such as 30s, 5m or 2h")
    return int(text[:-1]) * {"s": 1, "m": 60, "h": 3600}[text[-1]]


def _span(text: str) -> str:
    span_seconds(text)
    return text


def _percent(text: str) -> str:
    if not re.fullmatch(r"(100|[1-9]?[0-9])%", text):
        raise ValueError("must be a whole percent from 0% to 100%")
    return text


def reference_or(text: str, wanted: str) -> str:
    """The text if it names a secret; ValueError with what is wanted."""
    try:
        return _reference(text)
    except ValueError:
        raise ValueError(f"must be {wanted}") from None


def web_address(text: str) -> str:
    """The address without a slash at its end; ValueError for one that would show the token to the network."""
    address = urlsplit(text)
    if address.username or address.password:
        raise ValueError("must be an address without user and password")
    if address.scheme not in ("http", "https") or not address.hostname:
        raise ValueError("must be an address such as https://api.hubapi.com")
    if address.scheme == "http" and not _loopback(address.hostname):
        raise ValueError("plain http would show the token to the network; use https (http is for 127.0.0.1 only)")
    return text.rstrip("/")


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def one_or_more(value: Any) -> Any:
    """A single value as a tuple of one."""
    return (value,) if isinstance(value, str | int | float) else value


def one_or_more_of(item: dict[str, Any]) -> WithJsonSchema:
    """The schema of one item or a list of them."""
    return WithJsonSchema({"anyOf": [item, {"type": "array", "items": item}]})


Reference = Annotated[str, AfterValidator(_reference)]
Days = Annotated[str, AfterValidator(_days), WithJsonSchema({"type": "string", "pattern": "^[1-9][0-9]*d$"})]
Span = Annotated[str, AfterValidator(_span), WithJsonSchema({"type": "string", "pattern": "^[1-9][0-9]*[smh]$"})]
Texts = Annotated[tuple[str, ...], BeforeValidator(one_or_more), one_or_more_of({"type": "string"})]
#: touchpoint attribute -> class -> words that speak for it; * stands for any text
Classes = dict[str, dict[str, Texts]]
_OUTPUTS = {"type": "array", "minItems": 1, "items": {"enum": list(OUTPUT_TYPES)}}


class Part(BaseModel):
    """What every part of the settings has in common."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        arbitrary_types_allowed=True,
        populate_by_name=True,
        use_attribute_docstrings=True,
    )


class Guard(Part):
    """A pass stops before its first write when the plan holds more than this."""

    new_mql: int = Field(default=50, ge=0)
    """People who would become MQL."""
    lost_mql: int = Field(default=50, ge=0)
    """People who would lose MQL."""
    cleared: int = Field(default=20, ge=0)
    """Records whose score, tier or status would be emptied."""
    changed: Annotated[str, AfterValidator(_percent)] = "20%"
    """Records to write, of those with a confirmed value; at least 100."""

    @property
    def changed_percent(self) -> int:
        """``changed`` as a whole number, 0..100."""
        return int(self.changed.removesuffix("%"))


class Canary(Part):
    """Only these records are written."""

    if_: ConditionField = Field(alias="if")
    """A condition over facts."""
    at_most: int = Field(default=50, ge=1)
    """How many records: the lowest record numbers first, then fixed."""


class OutputFields(Part):
    """Our fields in this CRM for one model."""

    outputs: Annotated[tuple[str, ...], WithJsonSchema(_OUTPUTS)] = Field(min_length=1)
    """What is written."""
    policy: dict[str, Policy] = Field(default_factory=dict)
    """Output -> what to do with somebody else's edit; overwrite where nothing is said."""


class Write(Part):
    """What may be written, and when."""

    mode: Mode = "shadow"
    """Shadow plans and reports only, canary writes some records, live writes all."""
    canary: Canary | None = None
    """Whom mode canary writes."""
    guard: Guard = Field(default_factory=Guard)
    """What stops a pass before its first write."""
    min_change: int = Field(default=5, ge=0, le=100)
    """Points the score must move before it alone is a reason to write."""
    refresh_after: Days = "30d"
    """After this any difference is written."""

    @property
    def refresh_after_days(self) -> int:
        """``refresh_after`` in whole days."""
        return parse_days(self.refresh_after)


class Calls(Part):
    """How much of the CRM's daily allowance of calls may be used."""

    per_day: Annotated[str, AfterValidator(_percent)] = "10%"
    """The share of the allowance that leadmark itself may use in 24 hours; a tenth of it is kept for writing."""
    stop_when_org_used: Annotated[str, AfterValidator(_percent)] = "80%"
    """No call is made while all apps together have used this much."""

    @property
    def per_day_percent(self) -> int:
        """``per_day`` as a whole number, 0..100."""
        return int(self.per_day.removesuffix("%"))

    @property
    def stop_percent(self) -> int:
        """``stop_when_org_used`` as a whole number, 0..100."""
        return int(self.stop_when_org_used.removesuffix("%"))
