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
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from config.problems import nearest
from scoring.model import ConditionField, ScoringModel
from scoring.tables import Tables
from scoring.values import parse_days
from scoring.wording import OUTPUT_TYPES

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
    if address.scheme.startswith("postgres") and address.password:
        raise ValueError("this address holds a password; put the whole address into env:NAME or file:/path")
    if not text.strip():
        raise ValueError("must be a folder, a PostgreSQL address, env:NAME or file:/path")
    return text


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        close = nearest(text, available_timezones())
        raise ValueError(f'unknown time zone "{text}"{close or "; zones are named like Europe/Berlin"}') from None
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
_OUTPUTS = {"type": "array", "minItems": 1, "items": {"enum": list(OUTPUT_TYPES)}}
Property = Annotated[str, AfterValidator(_property)]


class Part(BaseModel):
    """What every part of the settings has in common."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        arbitrary_types_allowed=True,
        populate_by_name=True,
        use_attribute_docstrings=True,
    )


class Portal(Part):
    """The portal this connection must reach; another id or kind, and nothing runs."""

    id: Annotated[str, AfterValidator(_portal)]
    """HubSpot's number of the portal (Hub ID), or env:NAME."""
    production: bool
    """False for a sandbox or developer test account."""


class HubSpotLogin(Part):
    """A service key, or the token of an existing private app."""

    service_key: Reference
    """Where the secret is, env:NAME or file:/path; it is read when a connection opens."""


def _fact_as_written(schema: dict[str, Any]) -> None:
    """A fact is written as a contact's property, or as objects beside ``values``."""
    columns = {name: {"type": "string", "description": f"A property of the {name}."} for name in get_args(Object)}
    written = {
        "type": "object",
        "properties": columns | {"values": schema["properties"]["values"]},
        "additionalProperties": False,
    }
    description = schema["description"]
    schema.clear()
    schema.update({"description": description, "anyOf": [{"type": "string"}, written]})


class FactSource(Part):
    """Where one fact comes from: a property per object, and what its values mean."""

    model_config = ConfigDict(json_schema_extra=_fact_as_written)

    columns: dict[Object, Property]
    """Object -> property; the first known one in the order written counts."""
    values: dict[str, str] = Field(default_factory=dict)
    """The CRM's value -> ours; empty: taken as it is."""

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
    """Where the items come from."""
    forms: Texts = ()
    """With from: form_submissions, the forms by id or name."""
    lists: Texts = ()
    """With from: lists, the lists by id or name."""
    type: EventTypes = ()
    """With from: email_events, which of them."""
    property: Annotated[str, AfterValidator(lambda text: _property(text) if text else text)] = ""
    """With from: date_property, the contact's date whose every new value is an activity."""
    where: dict[str, Texts] = Field(default_factory=dict)
    """The source's attribute -> the ids or labels an item must have one of."""
    keep: dict[str, str] = Field(default_factory=dict)
    """Touchpoint attribute -> the source's attribute."""


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

    prefix: Annotated[str, AfterValidator(_prefix)] = "leadmark_"
    """A field is the prefix and the output's name."""
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
    fields: dict[str, OutputFields]
    """Model -> our fields for it."""

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

    name: str
    """The file's name without .yaml."""
    crm: Literal["hubspot"]
    """Which CRM this is."""
    url: Annotated[str, AfterValidator(_url)] = "https://api.hubapi.com"
    """Another address: the emulator."""
    api_version: Annotated[str, AfterValidator(_version)] = "2026-09"
    """HubSpot's dated API release, or "legacy"."""
    portal: Portal
    """The account it must reach."""
    login: HubSpotLogin
    """Who logs in."""
    facts: dict[str, FactSource]
    """Fact -> where it comes from."""
    activities: dict[str, ActivitySource] = Field(default_factory=dict)
    """Activity kind -> where it comes from; the first kind that takes an item has it."""
    write: Write
    """What is written back."""


class Retention(Part):
    """How long things are kept."""

    activities: Days = "760d"
    """Older activities are neither stored nor scored."""
    gone: Days = "90d"
    """How long a deleted record's rows stay."""

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

    store: Annotated[str, AfterValidator(_store)]
    """A folder for SQLite (relative to the config folder), or a PostgreSQL address; env:NAME and file:/path allowed."""
    time_zone: Annotated[str, AfterValidator(_zone)]
    """The one zone in which days begin."""
    primary: str
    """The model that counts where one number is asked for."""
    retention: Retention = Field(default_factory=Retention)
    """How long things are kept."""


class Settings(Installation):
    """A whole config folder."""

    folder: Path
    connections: tuple[HubSpotConnection, ...]
    models: dict[str, ScoringModel]
    model_texts: dict[str, str]
    """Name -> the file's text, for the store."""
    tables: Tables
