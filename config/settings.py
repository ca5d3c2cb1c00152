"""The typed settings: what ``leadmark.yaml`` and ``connections/*.yaml`` say, validated and frozen."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from scoring.conditions import Condition, parse_condition
from scoring.model import ScoringModel
from scoring.tables import Tables

ConditionField = Annotated[Condition, BeforeValidator(parse_condition)]
Policy = Literal["overwrite", "keep", "raise_only"]


class Part(BaseModel):
    """What every part of the settings has in common."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, populate_by_name=True)


class Portal(Part):
    """The portal this connection must reach; another id or kind, and nothing runs."""

    id: str
    production: bool


class HubSpotLogin(Part):
    """A service key, or the token of an existing private app."""

    service_key: str                      # env:NAME or file:/path; resolved only when a connection is opened


class FactSource(Part):
    """Where one fact comes from: a field per object, and what its values mean."""

    columns: dict[str, str]               # object (contact, company, owner) -> field; the first known one counts
    values: dict[str, str] = Field(default_factory=dict)


class ActivitySource(Part):
    """Which items of a source are of one activity kind, and which attributes the touchpoint keeps."""

    from_: str = Field(alias="from")      # form_submissions, email_events, lists, emails, calls, meetings, date_property
    forms: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    type: tuple[str, ...] = ()            # email_events: SENT DELIVERED OPEN CLICK BOUNCE …
    property: str = ""                    # date_property
    where: dict[str, Any] = Field(default_factory=dict)   # attribute -> value or list of values
    keep: dict[str, str] = Field(default_factory=dict)    # touchpoint attribute -> the source's attribute


class Guard(Part):
    """A pass stops before its first write when the plan holds more than this."""

    new_mql: int = 50
    lost_mql: int = 50
    cleared: int = 20
    changed: str = "20%"                  # of the records with a confirmed value; at least 100


class Canary(Part):
    """Only these records are written."""

    if_: ConditionField = Field(alias="if")
    at_most: int = 50


class OutputFields(Part):
    """Our fields in this CRM for one model."""

    prefix: str = "leadmark_"
    outputs: tuple[str, ...]
    policy: dict[str, Policy] = Field(default_factory=dict)   # output -> policy; default overwrite


class Write(Part):
    """What may be written, and when."""

    mode: Literal["shadow", "canary", "live"] = "shadow"
    canary: Canary | None = None
    guard: Guard = Field(default_factory=Guard)
    min_change: int = 5
    refresh_after: str = "30d"
    fields: dict[str, OutputFields]       # by model


class HubSpotConnection(Part):
    """One HubSpot portal."""

    name: str                             # the file's name without .yaml
    crm: Literal["hubspot"]
    url: str = "https://api.hubapi.com"   # another address: the emulator
    api_version: str = "2026-09"          # or "legacy"
    portal: Portal
    login: HubSpotLogin
    facts: dict[str, FactSource]
    activities: dict[str, ActivitySource] = Field(default_factory=dict)
    write: Write


class Retention(Part):
    """How long things are kept."""

    activities: str = "760d"
    gone: str = "90d"


class Settings(Part):
    """A whole config folder."""

    folder: Path
    store: str                            # a folder for SQLite, or a PostgreSQL URL (env: and file: allowed)
    time_zone: str
    primary: str
    retention: Retention = Field(default_factory=Retention)
    connections: tuple[HubSpotConnection, ...]
    models: dict[str, ScoringModel]
    model_texts: dict[str, str]           # name -> the file's text, for the store
    tables: Tables
