"""What an org says of its objects: the fields each has, their types, and who may see and write them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(kw_only=True, slots=True)
class Field:
    """One field of an object, as describe shows it."""

    name: str
    label: str = ""
    #: id, string, textarea, email, phone, url, boolean, int, double, currency, percent, date, datetime, picklist,
    #: reference
    type: str = "string"
    length: int = 0
    precision: int = 0
    scale: int = 0
    #: picklist values, in order
    values: tuple[str, ...] = ()
    #: a restricted picklist refuses other values
    restricted: bool = False
    #: objects a reference points to, and the name SOQL follows it by (``Account``)
    refers_to: tuple[str, ...] = ()
    relationship: str = ""
    #: a person or the API may set it; system fields are not
    updateable: bool = True
    calculated: bool = False
    custom: bool = False
    #: field-level security of the connection's user: unreadable fields are absent from describe and unknown to SOQL
    readable: bool = True
    editable: bool = True


@dataclass(kw_only=True, slots=True)
class ObjectType:
    """One object of the org."""

    name: str
    label: str
    key_prefix: str
    #: by name, in describe's order
    fields: dict[str, Field] = field(default_factory=dict)

    def describe(self) -> Mapping[str, Any]:
        """The object as ``sobjects/<name>/describe`` shows it to the connection's user."""
        raise NotImplementedError
