"""The CRM's field definitions as they were last read, for passes that do not reach it."""

from collections.abc import Mapping
from dataclasses import asdict

from sqlalchemy import Connection

from connectors.base import FieldDefinition
from sync.store.store import get_meta, set_meta
from sync.store.values import dump, load

Definitions = Mapping[str, Mapping[str, FieldDefinition]]


def keep_definitions(tx: Connection, connection: str, definitions: Definitions) -> None:
    """Keeps object -> field name -> definition."""
    text = dump({object_: {name: asdict(one) for name, one in of.items()} for object_, of in definitions.items()})
    set_meta(tx, _name(connection), text)


def kept_definitions(tx: Connection, connection: str) -> Definitions:
    """What was kept last; empty when the connection was never read."""
    text = get_meta(tx, _name(connection)) or "{}"
    return {
        object_: {name: FieldDefinition(**{**one, "options": tuple(one["options"])}) for name, one in of.items()}
        for object_, of in load(text).items()
    }


def _name(connection: str) -> str:
    return f"definitions:{connection}"
