"""docs/config.md names every key, and what it shows loads."""

import re
from pathlib import Path
from typing import get_args

import pytest

from config.hubspot import ATTRIBUTES
from config.loader import load
from config.parts import SALES_WORDS
from config.salesforce import (
    RELATIONS,
    SalesforceActivity,
    SalesforceConnection,
    SalesforceLogin,
    SalesforceOutputFields,
)
from config.schemas import SCHEMAS, schema
from scoring.operands import OPERANDS
from scoring.wording import OUTPUT_TYPES

TEXT = (Path(__file__).parents[1] / "docs" / "config.md").read_text(encoding="utf-8")
SHOWN = set(re.findall(r"[\w.]+", " ".join(re.findall(r"`([^`\n]+)`", TEXT))))
CHOICES = [
    get_args(part.model_fields[name].annotation)
    for part, name in (
        (SalesforceActivity, "from_"),
        (SalesforceLogin, "flow"),
        (SalesforceConnection, "duplicates"),
        (SalesforceConnection, "crm"),
    )
]


def keys(node):
    if isinstance(node, dict):
        yield from node.get("properties", {})
        for inner in node.values():
            yield from keys(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from keys(inner)


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_key_is_in_the_reference(name):
    assert not set(keys(schema(SCHEMAS[name]))) - SHOWN


@pytest.mark.parametrize(
    "words",
    [ATTRIBUTES, SALES_WORDS, OPERANDS, OUTPUT_TYPES, *ATTRIBUTES.values(), *CHOICES],
    ids=lambda words: "-".join(words)[:30],
)
def test_every_word_a_key_may_hold_is_in_the_reference(words):
    assert not set(words) - SHOWN


def test_the_files_of_the_reference_are_a_config_without_a_problem(tmp_path):
    for path, text in re.findall(r"```\w+\n# (\S+)\n(.*?)```", TEXT, re.DOTALL):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    for overlay in (None, tmp_path / "overlays" / "production.yaml"):
        settings, problems = load(tmp_path, overlay)
        assert not problems
        assert settings is not None
        assert {connection.crm for connection in settings.connections} == {"hubspot", "salesforce"}


@pytest.mark.parametrize("relation", RELATIONS)
def test_every_relation_of_a_fact_is_in_the_reference(relation):
    assert f"`{relation}.`" in TEXT


def test_output_fields_are_shown_as_salesforce_names_them():
    fields = SalesforceOutputFields(outputs=("score", "mql_status", "mql_since"))
    assert {fields.field(output) for output in fields.outputs} <= SHOWN


def test_every_yaml_block_names_its_file():
    assert TEXT.count("```yaml\n") == len(re.findall(r"```yaml\n# \S+\.yaml\n", TEXT))
