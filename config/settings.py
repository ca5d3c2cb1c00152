"""The typed settings: what ``leadmark.yaml`` and ``connections/*.yaml`` say, validated and frozen, in the YAML's shape.

No secret is in them, only its name (``env:NAME``, ``file:/path``); ``config.secrets`` resolves it when a connection
opens.
Spans stay the text the admin wrote (``30d``); the properties beside them give whole days or seconds.
"""

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from config.problems import nearest
from scoring.model import ConditionField, ScoringModel
from scoring.tables import Tables
from scoring.values import parse_days

Policy = Literal["overwrite", "keep", "raise_only"]
Mode = Literal["shadow", "canary", "live"]
Source = Literal["form_submissions", "email_events", "lists", "emails", "calls", "meetings", "date_property"]
EventType = Literal[
    "SENT", "DELIVERED", "OPEN", "CLICK", "BOUNCE", "STATUSCHANGE", "SPAMREPORT", "DROPPED", "DEFERRED", "PROCESSED",
    "PRINT", "FORWARD",
]  # fmt: skip
Object = Literal["contact", "company", "owner"]

#: what each source knows of an activity: the names ``where`` and ``keep`` may use
ATTRIBUTES: dict[Source, tuple[str, ...]] = {
    "form_submissions": ("form", "page"),
    "email_events": ("campaign", "type", "link"),
    "lists": ("list",),
    "emails": ("direction", "status"),
    "calls": ("direction", "disposition", "status"),
    "meetings": ("outcome",),
    "date_property": ("property",),
}
#: what sales may say of a person; the fact ``hand_off`` holds one of these
SALES_WORDS = ("new", "qualifying", "accepted", "recycled", "won", "lost")


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


def _percent(text: str) -> str:
    if not re.fullmatch(r"(100|[1-9]?[0-9])%", text):
        raise ValueError("must be a whole percent from 0% to 100%")
    return text


def _portal(text: str) -> str:
    return text if re.fullmatch(r"[0-9]+", text) else _reference_or(text, "the portal's number, env:NAME or file:/path")


def _reference_or(text: str, wanted: str) -> str:
    try:
        return _reference(text)
    except ValueError:
        raise ValueError(f"must be {wanted}") from None


def _store(text: str) -> str:
    address = urlsplit(text)
    if address.scheme.startswith("postgresql") and address.password:
        raise ValueError("this address holds a password; put the whole address into env:NAME or file:/path")
    if not text.strip():
        raise ValueError("must be a folder, a PostgreSQL address, env:NAME or file:/path")
    return text


def _zone(text: str) -> str:
    zones = available_timezones()
    if text not in zones:
        raise ValueError(f'unknown time zone "{text}"{nearest(text, zones)}; zones are named like Europe/Berlin')
    return text


def _url(text: str) -> str:
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


def _version(text: str) -> str:
    if not re.fullmatch(r"legacy|20[0-9]{2}-(03|09)", text):
        raise ValueError('must be "legacy" or a HubSpot release such as 2026-09 (March 03 or September 09)')
    return text


def _property(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9_]{1,100}", text):
        raise ValueError(
            f'"{text}" is no internal name of a HubSpot property (small letters, digits, _); in HubSpot, the '
            "property's settings show it beside the label"
        )
    return text


def _prefix(text: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", text):
        raise ValueError("must begin with a small letter and hold small letters, digits and _ only, as HubSpot asks")
    return text


def _one_or_more(value: Any) -> Any:
    return (value,) if isinstance(value, str | int | float) else value


def _one_or_more_of(item: dict[str, Any]) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [item, {"type": "array", "items": item}]})


Reference = Annotated[str, AfterValidator(_reference)]
Days = Annotated[str, AfterValidator(_days), WithJsonSchema({"type": "string", "pattern": "^[1-9][0-9]*d$"})]
Texts = Annotated[tuple[str, ...], BeforeValidator(_one_or_more), _one_or_more_of({"type": "string"})]
EventTypes = Annotated[
    tuple[EventType, ...], BeforeValidator(_one_or_more), _one_or_more_of({"enum": list(get_args(EventType))})
]
Property = Annotated[str, AfterValidator(_property)]


class Part(BaseModel):
    """What every part of the settings has in common."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, populate_by_name=True)


class Portal(Part):
    """The portal this connection must reach; another id or kind, and nothing runs."""

    #: HubSpot's number of the portal (Hub ID), or env:NAME
    id: Annotated[str, AfterValidator(_portal)]
    #: false for a sandbox or developer test account
    production: bool


class HubSpotLogin(Part):
    """A service key, or the token of an existing private app."""

    #: env:NAME or file:/path; resolved only when a connection is opened
    service_key: Reference


class FactSource(Part):
    """Where one fact comes from: a property per object, and what its values mean."""

    #: object -> property; the first known one, in the order written, counts
    columns: dict[Object, Property]
    #: the CRM's value -> ours; empty: taken as it is
    values: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _written(cls, raw: Any) -> Any:
        """A plain text is a contact's property; in a mapping the objects stand beside ``values``."""
        if isinstance(raw, str):
            return {"columns": {"contact": raw}}
        if not isinstance(raw, dict) or isinstance(raw.get("columns"), dict):
            return raw
        columns = {name: column for name, column in raw.items() if name != "values"}
        return {"columns": columns} | ({"values": raw["values"]} if "values" in raw else {})


class ActivitySource(Part):
    """Which items of a source are of one activity kind, and which attributes the touchpoint keeps."""

    from_: Source = Field(alias="from")
    #: form_submissions: forms by id or name
    forms: Texts = ()
    #: lists: lists by id or name
    lists: Texts = ()
    #: email_events: which of them
    type: EventTypes = ()
    #: date_property: the contact's date whose every new value is an activity
    property: Annotated[str, AfterValidator(lambda text: _property(text) if text else text)] = ""
    #: the source's attribute -> the ids or labels an item must have one of
    where: dict[str, Texts] = Field(default_factory=dict)
    #: touchpoint attribute -> the source's attribute
    keep: dict[str, str] = Field(default_factory=dict)


class Guard(Part):
    """A pass stops before its first write when the plan holds more than this."""

    #: people who would become MQL
    new_mql: int = Field(default=50, ge=0)
    #: people who would lose MQL
    lost_mql: int = Field(default=50, ge=0)
    #: records whose score, tier or status would be emptied
    cleared: int = Field(default=20, ge=0)
    #: records to write, of those with a confirmed value; at least 100
    changed: Annotated[str, AfterValidator(_percent)] = "20%"

    @property
    def changed_percent(self) -> int:
        """``changed`` as a whole number, 0..100."""
        return int(self.changed.removesuffix("%"))


class Canary(Part):
    """Only these records are written."""

    if_: ConditionField = Field(alias="if")
    #: the lowest record numbers first, then fixed
    at_most: int = Field(default=50, ge=1)


class OutputFields(Part):
    """Our fields in this CRM for one model."""

    #: a field is the prefix and the output's name
    prefix: Annotated[str, AfterValidator(_prefix)] = "leadmark_"
    outputs: tuple[str, ...] = Field(min_length=1)
    #: output -> what to do with somebody else's edit; overwrite where nothing is said
    policy: dict[str, Policy] = Field(default_factory=dict)


class Write(Part):
    """What may be written, and when."""

    mode: Mode = "shadow"
    canary: Canary | None = None
    guard: Guard = Field(default_factory=Guard)
    #: points the score must move before it alone is a reason to write
    min_change: int = Field(default=5, ge=0, le=100)
    #: after this any difference is written
    refresh_after: Days = "30d"
    #: by model
    fields: dict[str, OutputFields]

    @property
    def refresh_after_days(self) -> int:
        """``refresh_after`` in whole days."""
        return parse_days(self.refresh_after)

    @property
    def refresh_after_seconds(self) -> int:
        """``refresh_after`` in seconds."""
        return self.refresh_after_days * 86_400


class HubSpotConnection(Part):
    """One HubSpot portal."""

    #: the file's name without .yaml
    name: str
    crm: Literal["hubspot"]
    #: another address: the emulator
    url: Annotated[str, AfterValidator(_url)] = "https://api.hubapi.com"
    #: HubSpot's dated API release, or "legacy"
    api_version: Annotated[str, AfterValidator(_version)] = "2026-09"
    portal: Portal
    login: HubSpotLogin
    #: fact -> where it comes from
    facts: dict[str, FactSource]
    #: activity kind -> where it comes from; the first kind that takes an item has it
    activities: dict[str, ActivitySource] = Field(default_factory=dict)
    write: Write


class Retention(Part):
    """How long things are kept."""

    #: older activities are neither stored nor scored
    activities: Days = "760d"
    #: how long a deleted record's rows stay
    gone: Days = "90d"

    @property
    def activities_days(self) -> int:
        """``activities`` in whole days."""
        return parse_days(self.activities)

    @property
    def gone_days(self) -> int:
        """``gone`` in whole days."""
        return parse_days(self.gone)


class Installation(Part):
    """What ``leadmark.yaml`` says."""

    #: a folder for SQLite (relative to the config folder), or a PostgreSQL address; env:NAME and file:/path allowed
    store: Annotated[str, AfterValidator(_store)]
    #: the one zone in which days begin
    time_zone: Annotated[str, AfterValidator(_zone)]
    #: the model that counts where one number is asked for
    primary: str
    retention: Retention = Field(default_factory=Retention)


class Settings(Installation):
    """A whole config folder."""

    folder: Path
    connections: tuple[HubSpotConnection, ...]
    models: dict[str, ScoringModel]
    #: name -> the file's text, for the store
    model_texts: dict[str, str]
    tables: Tables
