"""JSON schemas of the YAML files, for completion in an editor; ``python -m config.schemas`` writes them anew.

A schema is looser than the loader: it knows keys and kinds, not what must hold between them.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from config.hubspot import HubSpotConnection
from config.settings import Installation
from scoring.model import ScoringModel

#: the schema's file name -> what it describes
SCHEMAS: Mapping[str, type[BaseModel]] = {
    "leadmark.schema.json": Installation,
    "connection.schema.json": HubSpotConnection,
    "model.schema.json": ScoringModel,
}


def schema(kind: type[BaseModel]) -> dict[str, Any]:
    """The schema of one kind of file: a key of an admin's file each, bare numbers allowed where text is wanted."""
    found: dict[str, Any] = _as_typed(kind.model_json_schema(by_alias=True))
    if kind is HubSpotConnection:  # its name is the file's
        del found["properties"]["name"]
        found["required"].remove("name")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **found}


def text(kind: type[BaseModel]) -> str:
    """The schema as its file holds it."""
    return json.dumps(schema(kind), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _as_typed(node: Any) -> Any:
    """The schema without pydantic's titles, and with numbers where the loader takes them as the text typed."""
    if isinstance(node, list):
        return [_as_typed(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {key: _as_typed(value) for key, value in node.items() if not (key == "title" and isinstance(value, str))}
    if kept.get("type") == "string" and "enum" not in kept and "const" not in kept:
        kept["type"] = ["string", "number"]
    return kept


def main() -> None:
    """Writes every schema beside this module."""
    for name, kind in SCHEMAS.items():
        Path(__file__).with_name(name).write_text(text(kind), encoding="utf-8")


if __name__ == "__main__":
    main()
