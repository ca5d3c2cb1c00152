"""The typed settings: what ``leadmark.yaml`` and ``connections/*.yaml`` say, validated and frozen, in the YAML's shape.

No secret is in them, only its name (``env:NAME``, ``file:/path``); ``config.secrets`` resolves it when a connection
opens.
"""

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import AfterValidator, Field

from config.approvals import Approved
from config.golden import GoldenCase
from config.hubspot import HubSpotConnection
from config.parts import Days, Part, Span, span_seconds
from config.problems import nearest
from config.salesforce import SalesforceConnection
from scoring.model import ConditionField, ScoringModel
from scoring.tables import Tables
from scoring.trend import look_back
from scoring.values import parse_days

Connection = HubSpotConnection | SalesforceConnection


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


class Retention(Part):
    """How long things are kept."""

    activities: Days = "760d"
    """Older activities are not scored, and stored only the days more that a model looks back."""
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


class Worker(Part):
    """How ``leadmark worker`` runs."""

    every: Span = "5m"
    """The time between the beginnings of two passes."""
    deadline: Span = "30m"
    """A pass that takes longer ends at the next safe point; the following one goes on from there."""
    host: str = "0.0.0.0"  # noqa: S104 - inside a container; health and metrics hold no personal data
    """The address that health and metrics are served on."""
    port: int = Field(default=8080, ge=0, le=65_535)
    """Their port; 0 takes a free one."""

    @property
    def every_s(self) -> int:
        """``every`` in seconds."""
        return span_seconds(self.every)

    @property
    def deadline_s(self) -> int:
        """``deadline`` in seconds."""
        return span_seconds(self.deadline)


class Installation(Part):
    """What ``leadmark.yaml`` says."""

    store: Annotated[str, AfterValidator(_store)]
    """A folder for SQLite (relative to the config folder), or a PostgreSQL address; env:NAME and file:/path allowed."""
    time_zone: Annotated[str, AfterValidator(_zone)]
    """The one zone in which days begin."""
    primary: str
    """The model that counts where one number is asked for."""
    order: tuple[str, ...] = ()
    """The connections whose values count first, first one first; the others follow by name."""
    prefer: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Fact -> the connections whose value of it counts first; the others follow in their order."""
    retention: Retention = Field(default_factory=Retention)
    """How long things are kept."""
    worker: Worker = Field(default_factory=Worker)
    """How ``leadmark worker`` runs."""
    segments: dict[str, ConditionField] = Field(default_factory=dict)
    """Name -> a condition over facts, for reports: a person is in the first that holds, else in ``others``."""


class Settings(Installation):
    """A whole config folder."""

    folder: Path
    connections: tuple[Connection, ...]
    models: dict[str, ScoringModel]
    model_texts: dict[str, str]
    """Name -> the file's text, for the store."""
    tables: Tables
    golden: dict[str, GoldenCase] = Field(default_factory=dict)
    """``file/case`` -> the case."""
    approved: tuple[Approved, ...] | None = None
    """The approvals of models, the oldest first; None = none are kept, and every model is approved."""

    @property
    def kept_days(self) -> int:
        """How many days activities are stored: their retention, and the longest look back of a model more."""
        return self.retention.activities_days + max(days for model in self.models.values() for days in look_back(model))
