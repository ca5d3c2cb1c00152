"""The settings of a HubSpot connection."""

import re
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator

from config.parts import (
    Calls,
    Classes,
    Column,
    OutputFields,
    Part,
    Reference,
    Texts,
    Write,
    one_or_more,
    one_or_more_of,
    reference_or,
    web_address,
)
from scoring.model import ConditionField

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


def _portal(text: str) -> str:
    return text if re.fullmatch(r"[0-9]+", text) else reference_or(text, "the portal's number, env:NAME or file:/path")


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


EventTypes = Annotated[
    tuple[EventType, ...], BeforeValidator(one_or_more), one_or_more_of({"enum": list(get_args(EventType))})
]
Property = Annotated[str, AfterValidator(_property)]


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
        "properties": columns | {name: schema["properties"][name] for name in ("values", "optional")},
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
    optional: bool = False
    """True: where the property is not there or hidden, the fact is unknown, and nothing stops."""

    @property
    def reads(self) -> tuple[Column, ...]:
        """Where the fact is read from, in order."""
        return tuple(Column(record="contact", of=of, field=name) for of, name in self.columns.items())

    @model_validator(mode="before")
    @classmethod
    def _written(cls, raw: Any) -> Any:
        """A plain text is a contact's property; in a mapping the objects stand beside ``values``."""
        if isinstance(raw, str):
            return {"columns": {"contact": raw}}
        if not isinstance(raw, dict) or isinstance(raw.get("columns"), dict):
            return raw
        beside = ("values", "optional")
        columns = {name: column for name, column in raw.items() if name not in beside}
        return {"columns": columns} | {name: raw[name] for name in beside if name in raw}


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
    classes: Classes = Field(default_factory=dict)
    """Touchpoint attribute -> class -> words of which its text contains one; the first class that fits is kept."""


class Deals(Part):
    """Deals as sales' word on their contacts."""

    from_: Literal["deals"] = Field(alias="from")
    """What tells of outcomes."""
    won: Property = "hs_is_closed_won"
    """The deal's property that is true when it was won."""
    closed: Property = "hs_is_closed"
    """The deal's property that is true when it is over."""
    pipelines: Texts = ()
    """The pipelines that count, by id or name; empty: all."""


class HubSpotOutputFields(OutputFields):
    """Our properties for one model."""

    prefix: Annotated[str, AfterValidator(_prefix)] = "leadmark_"
    """A property is the prefix and the output's name."""

    def field(self, output: str) -> str:
        """The property of an output."""
        return self.prefix + output


class HubSpotWrite(Write):
    """What may be written, and when."""

    fields: dict[str, HubSpotOutputFields]
    """Model -> our properties for it."""


class HubSpotConnection(Part):
    """One HubSpot portal."""

    name: str
    """The file's name without .yaml."""
    crm: Literal["hubspot"]
    """Which CRM this is."""
    url: Annotated[str, AfterValidator(web_address)] = "https://api.hubapi.com"
    """Another address: the emulator."""
    api_version: Annotated[str, AfterValidator(_version)] = "2026-09"
    """HubSpot's dated API release, or "legacy"."""
    portal: Portal
    """The account it must reach."""
    login: HubSpotLogin
    """Who logs in."""
    calls: Calls = Field(default_factory=Calls)
    """How much of the portal's daily allowance may be used."""
    scope: dict[Literal["contact"], ConditionField] = Field(default_factory=dict)
    """Which contacts are read; a condition over properties. Others count as not there."""
    links: dict[str, dict[str, Property]] | None = None
    """Other connection -> its object -> the contact's property that holds the id of its record."""
    facts: dict[str, FactSource]
    """Fact -> where it comes from."""
    outcomes: Deals | None = None
    """What became of deals, as sales' word."""
    activities: dict[str, ActivitySource] = Field(default_factory=dict)
    """Activity kind -> where it comes from; the first kind that takes an item has it."""
    write: HubSpotWrite
    """What is written back."""

    @property
    def people(self) -> tuple[str, ...]:
        """The objects whose records are people, the one whose facts count first before the others."""
        return ("contact",)
