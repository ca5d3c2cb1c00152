"""The settings of a Salesforce connection."""

import re
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from config.parts import Calls, Classes, Column, OutputFields, Part, Reference, Texts, Write, reference_or, web_address
from scoring.model import ConditionField

Person = Literal["lead", "contact"]
Source = Literal["CampaignMember", "Task", "Event", "date_field"]
#: how SOQL follows a person's record to another, and that one's object here
RELATIONS: dict[str, str] = {"Account": "account", "Owner": "user", "Individual": "individual"}
_FIELD = r"[A-Za-z][A-Za-z0-9_]*"


def _path(text: str) -> str:
    relation, _, field = text.rpartition(".")
    if not re.fullmatch(_FIELD, field) or (relation and relation not in RELATIONS):
        raise ValueError(
            f'"{text}" is no field: write its API name (Status, Budget__c), or one of a related record as '
            f"{', '.join(f'{name}.Field' for name in RELATIONS)}; Object Manager shows the names"
        )
    return text


def _field(text: str) -> str:
    if not re.fullmatch(_FIELD, text):
        raise ValueError(f'"{text}" is no API name of a field, such as Trial_On__c; Object Manager shows the names')
    return text


def _attribute(text: str) -> str:
    if not re.fullmatch(rf"{_FIELD}(\.{_FIELD})?", text):
        raise ValueError(f'"{text}" is no field: write its API name (Status), or one of the campaign as Campaign.Type')
    return text


def _prefix(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)*_?", text):
        raise ValueError("must begin with a letter and hold letters, digits and single _ only, as Salesforce asks")
    return text


def _version(text: str) -> str:
    if not re.fullmatch(r"[3-9][0-9]\.0", text):
        raise ValueError('must be a version of the API such as "66.0"')
    return text


def _org(text: str) -> str:
    if re.fullmatch(r"00D[A-Za-z0-9]{12}([A-Za-z0-9]{3})?", text):
        return text
    return reference_or(text, "the org's id (00D..., Setup, Company Information), env:NAME or file:/path")


def _address(text: str) -> str:
    if text.startswith(("env:", "file:/")):
        return text
    if not text.startswith(("http://", "https://")):
        raise ValueError("must be the org's My Domain such as https://acme.my.salesforce.com, env:NAME or file:/path")
    return web_address(text)


FieldName = Annotated[str, AfterValidator(_field)]
Path = Annotated[str, AfterValidator(_path)]


class Org(Part):
    """The org this connection must reach; another id or kind, and nothing runs."""

    url: Annotated[str, AfterValidator(_address)]
    """The org's My Domain, https://acme.my.salesforce.com, or env:NAME."""
    id: Annotated[str, AfterValidator(_org)]
    """The org's id (00D...), or env:NAME."""
    production: bool
    """False for a sandbox org."""


class SalesforceLogin(Part):
    """An External Client App, and how it logs in."""

    flow: Literal["client_credentials", "jwt"]
    """With a secret, or with a signed assertion for a user."""
    client_id: Reference
    """The app's consumer key, env:NAME or file:/path."""
    client_secret: Reference | None = None
    """With flow: client_credentials, the consumer secret."""
    username: str = ""
    """With flow: jwt, the integration user, or env:NAME."""
    private_key: Reference | None = None
    """With flow: jwt, the private key (PEM) whose certificate the app holds."""

    @model_validator(mode="after")
    def _whole(self) -> "SalesforceLogin":
        if self.flow == "client_credentials" and self.client_secret is None:
            raise ValueError("flow client_credentials needs client_secret: env:NAME or file:/path")
        if self.flow == "jwt" and (not self.username or self.private_key is None):
            raise ValueError("flow jwt needs username and private_key: file:/path")
        return self


def _fact_as_written(schema: dict[str, Any]) -> None:
    """A fact is written as a field of leads and contacts, or as one per object beside ``values``."""
    columns = {name: {"type": "string", "description": f"A field of the {name}."} for name in get_args(Person)}
    beside = {name: schema["properties"][name] for name in ("values", "optional")}
    written = {"type": "object", "properties": columns | beside, "additionalProperties": False}
    description = schema["description"]
    schema.clear()
    schema.update({"description": description, "anyOf": [{"type": "string"}, written]})


class SalesforceFact(Part):
    """Where one fact comes from: a field of leads, one of contacts, and what its values mean."""

    model_config = ConfigDict(json_schema_extra=_fact_as_written)

    columns: dict[Person, Path]
    """Object -> field, with Account., Owner. or Individual. before it for a related record's."""
    values: dict[str, str] = Field(default_factory=dict)
    """The CRM's value -> ours; empty: taken as it is."""
    optional: bool = False
    """True: where the field is not there or hidden, the fact is unknown, and nothing stops."""

    @property
    def reads(self) -> tuple[Column, ...]:
        """Where the fact is read from, in order."""
        found = []
        for record, path in self.columns.items():
            relation, _, field = path.rpartition(".")
            found.append(Column(record=record, of=RELATIONS[relation] if relation else record, field=field))
        return tuple(found)

    @model_validator(mode="before")
    @classmethod
    def _written(cls, raw: Any) -> Any:
        """A plain text is the same field of both; in a mapping the objects stand beside ``values``."""
        if isinstance(raw, str):
            return {"columns": dict.fromkeys(get_args(Person), raw)}
        if not isinstance(raw, dict) or isinstance(raw.get("columns"), dict):
            return raw
        beside = ("values", "optional")
        columns = {name: column for name, column in raw.items() if name not in beside}
        return {"columns": columns} | {name: raw[name] for name in beside if name in raw}


class SalesforceActivity(Part):
    """Which items of an object are of one activity kind, and which attributes the touchpoint keeps."""

    from_: Source = Field(alias="from")
    """CampaignMember (who responded), Task (once closed), Event, or date_field."""
    field: FieldName | Literal[""] = ""
    """With from: date_field, the date of leads and contacts whose every new value is an activity."""
    where: dict[Annotated[str, AfterValidator(_attribute)], Texts] = Field(default_factory=dict)
    """Field -> the values an item must have one of."""
    keep: dict[str, Annotated[str, AfterValidator(_attribute)]] = Field(default_factory=dict)
    """Touchpoint attribute -> field; Campaign is the campaign itself, by id and name."""
    classes: Classes = Field(default_factory=dict)
    """Touchpoint attribute -> class -> words of which its text contains one; the first class that fits is kept."""
    not_created_by: Texts = ()
    """Users (user name or e-mail address) whose items are left out, such as the user of HubSpot's own sync."""


class Outcomes(Part):
    """Opportunities as sales' word on their contacts."""

    from_: Literal["OpportunityContactRole"] = Field(alias="from")
    """Which contacts an opportunity is about."""
    won: FieldName = "IsWon"
    """The opportunity's field that is true when it was won."""
    closed: FieldName = "IsClosed"
    """The opportunity's field that is true when it is over."""


class SalesforceOutputFields(OutputFields):
    """Our fields for one model, of the same name on Lead and Contact."""

    prefix: Annotated[str, AfterValidator(_prefix)] = "Leadmark_"
    """A field is the prefix, the output's name with capitals, and __c: Leadmark_Mql_Status__c."""

    def field(self, output: str) -> str:
        """The field of an output.

        >>> SalesforceOutputFields(outputs=("mql_since",)).field("mql_since")
        'Leadmark_Mql_Since__c'
        """
        return f"{self.prefix}{'_'.join(word.capitalize() for word in output.split('_'))}__c"


class SalesforceWrite(Write):
    """What may be written, and when."""

    fields: dict[str, SalesforceOutputFields]
    """Model -> our fields for it."""


class SalesforceConnection(Part):
    """One Salesforce org."""

    name: str
    """The file's name without .yaml."""
    crm: Literal["salesforce"]
    """Which CRM this is."""
    api_version: Annotated[str, AfterValidator(_version)] = "66.0"
    """The version of the REST API."""
    org: Org
    """The org it must reach."""
    login: SalesforceLogin
    """Who logs in."""
    calls: Calls = Field(default_factory=Calls)
    """How much of the org's daily allowance may be used."""
    scope: dict[Person, ConditionField] = Field(default_factory=dict)
    """Which leads and contacts are read; a condition over their fields. Others count as not there."""
    links: dict[str, dict[str, FieldName]] | None = None
    """Other connection -> its object -> the field of leads and contacts that holds the id of its record."""
    facts: dict[str, SalesforceFact]
    """Fact -> where it comes from."""
    outcomes: Outcomes | None = None
    """What became of opportunities, as sales' word."""
    activities: dict[str, SalesforceActivity] = Field(default_factory=dict)
    """Activity kind -> where it comes from; the first kind that takes an item has it."""
    duplicates: Literal["linked", "all"] = "linked"
    """Of several records of one person, which are written: those another CRM links to, or all."""
    write: SalesforceWrite
    """What is written back."""

    @property
    def people(self) -> tuple[str, ...]:
        """The objects whose records are people, the one whose facts count first before the others."""
        return ("contact", "lead")
