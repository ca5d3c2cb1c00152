"""What a pass is asked to do, and the real objects it works with; ``sync.app`` builds them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from config.settings import Connection as ConnectionSettings
from config.settings import Settings
from connectors.base import Connector, FieldDefinition
from sync.adoption import Adoption
from sync.lease import Owner
from sync.mapping import ConnectionMap
from sync.report import Progress
from sync.store.store import Store


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a pass is asked to do."""

    push: bool = True
    pull: bool = True
    full: bool = False
    only: str | None = None
    adoption: Adoption = "ask"
    #: the pass ends at the next safe point after this
    until: datetime | None = None


@dataclass(kw_only=True)
class Open:
    """A connection as a pass uses it."""

    settings: ConnectionSettings
    map: ConnectionMap
    connector: Connector
    definitions: Mapping[str, Mapping[str, FieldDefinition]] = field(default_factory=dict)
    read_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """The real objects of an installation; ``sync.app`` builds them."""

    settings: Settings
    store: Store
    connections: Sequence[Open]
    owner: Owner
    now: Callable[[], datetime]
    stop: Callable[[], bool]
    progress: Progress
