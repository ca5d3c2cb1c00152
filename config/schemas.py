"""JSON schemas of the YAML files, for completion in an editor; ``python -m config.schemas`` writes them anew.

A schema is looser than the loader: it knows keys and kinds, not what must hold between them.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from config.approvals import ApprovalsFile
from config.golden import GoldenFile
from config.hubspot import HubSpotConnection
from config.salesforce import SalesforceConnection
from config.settings import Installation
from config.titles import TitlesFile
from scoring.model import ScoringModel

#: the schema's file name -> what it describes
SCHEMAS: Mapping[str, tuple[type[BaseModel], ...]] = {
    "leadmark.schema.json": (Installation,),
    "connection.schema.json": (HubSpotConnection, SalesforceConnection),
    "model.schema.json": (ScoringModel,),
    "golden.schema.json": (GoldenFile,),
    "approvals.schema.json": (ApprovalsFile,),
    "titles.schema.json": (TitlesFile,),
}


def schema(kinds: Sequence[type[BaseModel]]) -> dict[str, Any]:
    """The schema of a file that is one of these kinds, told apart by its ``crm`` where there are several."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    found = [_schema(kind) for kind in kinds]
    if len(found) == 1:
        return head | found[0]
    shared = {name: part for one in found for name, part in one.pop("$defs", {}).items()}
    choices = {"crm": {"enum": [one["properties"]["crm"]["const"] for one in found]}}
    rules = [
        {"if": {"properties": {"crm": one["properties"]["crm"]}, "required": ["crm"]}, "then": one} for one in found
    ]
    return head | {"$defs": shared, "type": "object", "properties": choices, "required": ["crm"], "allOf": rules}


def _schema(kind: type[BaseModel]) -> dict[str, Any]:
    """A key of an admin's file each, bare numbers allowed where text is wanted."""
    found: dict[str, Any] = _as_typed(kind.model_json_schema(by_alias=True))
    if "crm" in found["properties"]:  # a connection's name is its file's
        del found["properties"]["name"]
        found["required"].remove("name")
    return found


def text(kinds: Sequence[type[BaseModel]]) -> str:
    """The schema as its file holds it."""
    return json.dumps(schema(kinds), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


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
    for name, kinds in SCHEMAS.items():
        Path(__file__).with_name(name).write_text(text(kinds), encoding="utf-8")


if __name__ == "__main__":
    main()
